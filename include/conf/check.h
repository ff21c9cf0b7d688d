/*
 * check - does every directive stand where it may, with what it takes, and once?
 *
 * Walks the statements by the table of settings.h and makes scopes: blocks of settings whose values
 * have been read. Who inherits what from whom is the business of resolve.
 */
#ifndef HOLDFAST_CONF_CHECK_H
#define HOLDFAST_CONF_CHECK_H

#include "conf/form.h"
#include "conf/names.h"

/* What build has made of a setting that several layers share. */
struct setting_built {
    struct error_page *page;
    const struct config_frontend *frontend; /* that page was made for */
    bool is_warned; /* that it would hide a loss */
};

/* One directive, checked. */
struct setting {
    const struct setting_row *row;
    const struct ast_statement *statement;
    struct args args;
    const struct expr *when;   /* of route, acl, allow, deny; NULL until check_conditions */
    const struct scope *block; /* what it opens; empty for a block that may be left out; or NULL */
    bool is_bad;               /* its arguments or its condition were reported */
    struct setting_built *built; /* of error-page */
    struct setting *next;
    struct setting *next_condition; /* see check_conditions */
};

/* One block, checked: its settings in the order of the file. */
struct scope {
    enum place place;
    struct scope *outer; /* NULL at the top */
    struct setting *first;
    struct setting *last;
    uint64_t seen[SETTING_N / 64 + 1]; /* a bit for each row that stands in it */
    struct names names;                    /* of those that may stand once for each name */
    bool is_incomplete;                    /* something in it was not understood: do not miss it */
};

/* The scope of the top level: it grows file by file. */
struct scope *check_top(struct compile *c);

/*
 * Check one statement and what stands in its block, and enter it into scope. is_misplaced_ok:
 * braces were guessed, so what stands where proves nothing. Returns NULL if the directive is
 * unknown or misplaced; faults are reported.
 */
const struct setting *check_statement(struct compile *c, struct scope *scope,
                                      const struct ast_statement *statement, bool is_misplaced_ok);

/*
 * Compile all conditions: acls may be named before they stand in the file, so this comes when all
 * files have been read. Faults are reported; the settings concerned are bad then.
 */
void check_conditions(struct compile *c);

/* The first setting of a row in a scope; NULL: none. */
const struct setting *scope_first(const struct scope *scope, enum setting_id id);

/* The text of a setting's first argument: the name of what has a name. */
struct str setting_name(const struct setting *s);

/* The span of its first argument, or of the directive. */
struct span setting_span(const struct setting *s);

#endif

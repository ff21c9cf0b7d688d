/*
 * template - texts with variables, to op lists.
 */
#ifndef HOLDFAST_CONF_TEMPLATE_H
#define HOLDFAST_CONF_TEMPLATE_H

#include "conf/expr.h"
#include "conf/word.h"

/*
 * Compile a word into *t, in c's keeping. Only variables known at `phase` may stand in it;
 * one_line: no controls but tab, as the value of a header field wants it. Faults are reported;
 * false then.
 */
bool template_compile(struct compile *c, const struct word *word, enum var_phase phase,
                      bool one_line, struct template *t);

/*
 * The line of an access log: a template, or one of the names `default`, `common`, `combined`.
 * Reports and returns as template_compile.
 */
bool template_compile_log(struct compile *c, const struct word *word, struct template *t);

/* The formats that have a name; the first is `default`. */
struct log_format_row {
    const char *name;
    const char *text;
};

extern const struct log_format_row log_format_rows[];
extern const size_t log_format_rows_n;

/* The line of the format `default`. */
bool template_default_log(struct compile *c, struct template *t);

#endif

/*
 * dump_text - the words of the language, as dump writes them.
 *
 * A dump is written twice: first it only counts (out == NULL), then it fills a text of that size.
 */
#ifndef HOLDFAST_CONF_DUMP_TEXT_H
#define HOLDFAST_CONF_DUMP_TEXT_H

#include "conf/config.h"
#include "conf/settings.h"

struct dump {
    char *out; /* NULL: count only */
    size_t n;
    size_t most;    /* that n has ever been: a line may be taken back */
    unsigned depth; /* of blocks */

    /* For explain: say of each setting where it was written. */
    bool with_origins;
    enum { DUMP_ALL, DUMP_WRITTEN, DUMP_BUILT_IN } which;
    const struct policy_origins *origins; /* of the policy in hand; NULL: not known */
    const struct config_place *place;     /* of the line in hand; NULL: not said */
    size_t line_start;
};

/* Bytes as they are. */
void dump_str(struct dump *d, struct str text);
void dump_text(struct dump *d, const char *text);

/* Quantities, in the largest unit that needs no fraction. */
void dump_number(struct dump *d, uint64_t number);
void dump_size(struct dump *d, uint64_t bytes);
void dump_duration(struct dump *d, uint64_t ms);

/* A word that means text: bare where it can be, else a string. */
void dump_word(struct dump *d, struct str text);

/* The same, between `'` rather than as a string with escapes. */
void dump_value(struct dump *d, struct str text);

/* Always a string: a log line must not read as the name of a format. */
void dump_template(struct dump *d, const struct template *t);

/* A condition. */
void dump_expr(struct dump *d, const struct expr *e);

/* ` when CONDITION`; nothing for NULL. */
void dump_when(struct dump *d, const struct expr *when);

/* ` TARGET` of a log. */
void dump_log(struct dump *d, const struct config_log *log);

/* The name of a variable, with its argument. */
void dump_variable(struct dump *d, const struct var_ref *var);

/* ` ADDRESS` or ` ADDRESS/BITS`. */
void dump_net(struct dump *d, const struct cidr *net);

/* ` (ADDRESS, …)`; the list is not empty. */
void dump_peers(struct dump *d, const struct peers *peers);

/* Start a line with its directive; ` word ` in it; end it. */
void dump_directive(struct dump *d, const char *name);
void dump_option(struct dump *d, const char *name);
void dump_end_line(struct dump *d);

/*
 * Start a line with the directive of a setting, and remember where it was written: dump_end_line
 * says so, and leaves out the lines that `which` does not ask for.
 */
void dump_setting(struct dump *d, enum setting_id id);
void dump_setting_at(struct dump *d, enum setting_id id, const struct config_place *place);

/* A whole line: `name on` or `name off`. */
void dump_on_off(struct dump *d, const char *name, bool is_on);

/* ` {` and the end of the line; a line of `}`. */
void dump_open(struct dump *d);
void dump_close(struct dump *d);

#endif

/*
 * variable - names of variables to references.
 */
#include "conf/variable.h"

#include "conf/acl.h"
#include "conf/let.h"
#include "conf/matches.h"
#include "conf/suggest.h"

const struct var_row var_rows[VAR_ID_N] = {
#define X(id, name, type, phase, has_argument, fold_case, doc)                                     \
    {name, type, phase, has_argument, fold_case, doc},
#include "grammar/variables.def"
#undef X
};

/* Does name denote the row: its name, and a dot and an argument exactly if it takes one? */
static bool row_matches(const struct var_row *row, struct str name)
{
    struct str row_name = str_of(row->name);

    if (!row->has_argument)
        return str_eq(name, row_name);
    return name.n > row_name.n + 1 && str_starts_with(name, row_name) && name.p[row_name.n] == '.';
}

static const struct var_row *row_find(struct str name)
{
    for (size_t i = 0; i < VAR_ID_N; i++)
        if (row_matches(&var_rows[i], name))
            return &var_rows[i];
    return NULL;
}

bool variable_is_known(struct str name)
{
    return row_find(name) != NULL || str_starts_with(name, STR("env."));
}

static void report_unknown(struct compile *c, struct str name, struct span span)
{
    const char *dot = memchr(name.p, '.', name.n);
    struct suggestion s = suggest_start(name);

    for (size_t i = 0; i < VAR_ID_N; i++) {
        struct str known = str_of(var_rows[i].name);

        if (var_rows[i].has_argument && str_starts_with(name, known) &&
            (name.n == known.n || (dot == name.p + known.n && name.n == known.n + 1))) {
            diag_error(c->diags, span, "'%s' needs a name, such as '%s.x-example'",
                       var_rows[i].name, var_rows[i].name);
            return;
        }
        if (!var_rows[i].has_argument)
            suggest_offer(&s, known);
        else if (dot != NULL)
            suggest_offer(&s, arena_printf(c->scratch.arena, "%s%.*s", var_rows[i].name,
                                           (int)(name.n - (size_t)(dot - name.p)), dot));
    }
    let_suggest(c, &s);
    acl_suggest(c, &s);
    diag_error(c->diags, span, "unknown %s '%.*s'%s",
               acl_is_known(c, s.nearest) ? "variable or acl" : "variable", STR_ARG(name),
               suggest_text(&s));
}

/* Names of fields are compared without regard to case, so they are kept in one. */
static struct str lower(struct compile *c, struct str text)
{
    char *p = store_zalloc(&c->keep, text.n + 1, 1);

    for (size_t i = 0; i < text.n; i++)
        p[i] = str_lower_char(text.p[i]);
    return (struct str){p, text.n};
}

bool variable_find(struct compile *c, struct str name, struct span span, enum var_phase phase,
                   struct var_ref *ref)
{
    const struct var_row *row = row_find(name);
    struct str argument;

    if (row == NULL) {
        report_unknown(c, name, span);
        return false;
    }
    if (row->phase > phase) {
        diag_error(c->diags, span, "'%.*s' is not known yet here: it comes with %s", STR_ARG(name),
                   row->phase == PHASE_RESPONSE ? "the response" : "the end of the exchange");
        return false;
    }
    *ref = (struct var_ref){.id = (enum var_id)(row - var_rows)};
    if (!row->has_argument)
        return true;
    argument = str_slice(name, strlen(row->name) + 1, name.n);
    if (ref->id == VAR_ID_MATCH && !matches_refer(c, argument, span, &ref->match))
        return false;
    if (ref->id != VAR_ID_HEADER && ref->id != VAR_ID_RESPONSE_HEADER) {
        ref->argument = store_str(&c->keep, argument);
        return true;
    }
    if (!field_is_token(argument)) {
        diag_error(c->diags, span, "'%.*s' is not the name of a header field", STR_ARG(argument));
        return false;
    }
    ref->argument = lower(c, argument);
    ref->field = field_find(argument);
    return true;
}

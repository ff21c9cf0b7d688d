/*
 * let - values under a name.
 */
#include "conf/let.h"

#include "conf/suggest.h"
#include "conf/variable.h"

struct let {
    struct str name;
    struct str value;
    bool is_used;
    struct let *next;
};

/* An empty value is not the same as none. */
static struct str value_of(const struct setting *s)
{
    struct str value = s->args.last->text;

    return value.n == 0 ? STR("") : value;
}

void let_add(struct compile *c, const struct setting *s)
{
    struct str name = setting_name(s);
    struct let *let;

    if (variable_is_known(name)) {
        diag_error(c->diags, setting_span(s),
                   "'%.*s' is a variable: a 'let' cannot have its name", STR_ARG(name));
        return;
    }
    let = store_new(&c->scratch, struct let);
    *let = (struct let){.name = name, .value = s->is_bad ? STR_EMPTY : value_of(s), .next = c->let_list};
    c->let_list = let;
    names_add(&c->lets, &c->scratch, name, let);
}

bool let_find(const struct compile *c, struct str name, struct str *value)
{
    struct let *let = names_find(&c->lets, name);

    if (let == NULL)
        return false;
    let->is_used = true;
    *value = let->value;
    return true;
}

void let_suggest(const struct compile *c, struct suggestion *s)
{
    for (const struct let *let = c->let_list; let != NULL; let = let->next)
        suggest_offer(s, let->name);
}

bool let_is_used(const struct compile *c, const struct setting *s)
{
    const struct let *let = names_find(&c->lets, setting_name(s));

    return let == NULL || let->is_used;
}

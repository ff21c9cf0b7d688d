/*
 * matches - the names of groups in the regular expressions of a configuration.
 */
#include "conf/matches.h"

#include "conf/suggest.h"

struct match_name {
    struct str name;
    unsigned place;
    bool is_defined;
    bool is_decoded; /* some expression with this group looks at decoded text */
    struct match_name *next;
};

/* One `${match.NAME}` of a file. */
struct match_reference {
    const struct match_name *name;
    struct span span;
    struct match_reference *next;
};

static struct match_name *match_of(struct compile *c, struct str name, struct span span)
{
    struct match_name *m = names_find(&c->matches, name);

    if (m != NULL)
        return m;
    if (c->matches.n == MATCHES_MAX) {
        diag_error(c->diags, span, "at most %d groups of regular expressions can have names",
                   MATCHES_MAX);
        return NULL;
    }
    m = store_new(&c->scratch, struct match_name);
    m->name = store_str(&c->scratch, name);
    m->place = (unsigned)c->matches.n;
    m->next = c->match_list;
    c->match_list = m;
    names_add(&c->matches, &c->scratch, m->name, m);
    return m;
}

bool matches_define(struct compile *c, struct str name, bool is_raw, struct span span,
                    unsigned *place)
{
    struct match_name *m = match_of(c, name, span);

    if (m == NULL)
        return false;
    m->is_defined = true;
    m->is_decoded = m->is_decoded || !is_raw;
    *place = m->place;
    return true;
}

bool matches_refer(struct compile *c, struct str name, struct span span, unsigned *place)
{
    struct match_name *m = match_of(c, name, span);
    struct match_reference *r;

    if (m == NULL)
        return false;
    r = store_new(&c->scratch, struct match_reference);
    *r = (struct match_reference){m, span, c->match_references};
    c->match_references = r;
    *place = m->place;
    return true;
}

static void report_unknown(struct compile *c, const struct match_reference *r)
{
    struct suggestion s = suggest_start(r->name->name);

    for (const struct match_name *m = c->match_list; m != NULL; m = m->next)
        if (m->is_defined)
            suggest_offer(&s, m->name);
    diag_error(c->diags, r->span, "no regular expression has a group '%.*s'%s",
               STR_ARG(r->name->name), suggest_text(&s));
}

void matches_check(struct compile *c)
{
    for (const struct match_reference *r = c->match_references; r != NULL; r = r->next)
        if (!r->name->is_defined)
            report_unknown(c, r);
}

size_t matches_count(const struct compile *c)
{
    return c->matches.n;
}

bool matches_is_raw(const struct compile *c, unsigned place)
{
    for (const struct match_name *m = c->match_list; m != NULL; m = m->next)
        if (m->place == place)
            return m->is_defined && !m->is_decoded;
    return false;
}

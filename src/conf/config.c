/*
 * config - one immutable generation of everything that the file says.
 */
#include "conf/config.h"

#include "base/panic.h"

void regexes_free(struct regex_link *link)
{
    for (; link != NULL; link = link->next)
        regex_free(link->regex);
}

struct config *config_ref(struct config *c)
{
    assert(c->refs > 0);
    c->refs++;
    return c;
}

void config_unref(struct config *c)
{
    if (c == NULL)
        return;
    assert(c->refs > 0);
    if (--c->refs > 0)
        return;
    regexes_free(c->regexes);
    arena_free(c->arena);
}

bool peers_hold(const struct peers *p, const struct endpoint *e)
{
    if (!e->is_ip)
        return p->has_unix;
    for (size_t i = 0; i < p->n_nets; i++)
        if (cidr_holds(&p->nets[i], &e->ip))
            return true;
    return false;
}

const struct error_page *error_pages_find(const struct error_pages *set, unsigned status)
{
    const struct error_page *of_class = NULL;

    for (size_t i = 0; i < set->n_keys; i++) {
        if (set->keys[i].status_or_class == status)
            return set->keys[i].page;
        if (set->keys[i].status_or_class == status / 100)
            of_class = set->keys[i].page;
    }
    return of_class;
}

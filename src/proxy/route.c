/*
 * route - which route takes a request, and may the client have it?
 */
#include "proxy/route.h"

#include "proxy/vars.h"

const struct config_route *route_find(struct txn *t)
{
    const struct config_frontend *f = t->frontend;

    for (size_t i = 0; i < f->n_routes; i++) {
        const struct config_route *r = f->routes[i];

        if (!r->is_internal && expr_holds(t, r->when))
            return r;
    }
    return NULL;
}

static bool rule_names_client(const struct access_rule *r, const struct txn *t)
{
    if (r->for_all)
        return true;
    for (size_t i = 0; i < r->n_nets; i++)
        if (t->client.is_ip && cidr_holds(&r->nets[i], &t->client.ip))
            return true;
    return false;
}

unsigned route_refusal(struct txn *t)
{
    const struct policy *p = t->policy;

    for (size_t i = 0; i < p->n_access_rules; i++) {
        const struct access_rule *r = &p->access_rules[i];

        if (rule_names_client(r, t) && expr_holds(t, r->when))
            return r->is_allow ? 0 : r->status;
    }
    return 0;
}

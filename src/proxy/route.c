/*
 * route - which route takes a request, and may the client have it?
 */
#include "proxy/route.h"

#include "conf/route_index.h"
#include "proxy/expr_eval.h"

static bool route_takes(struct txn *t, const struct config_route *r)
{
    if (r->is_internal)
        return false;
    expr_forget(t);
    return expr_holds(t, r->when);
}

const struct config_route *route_find(struct txn *t)
{
    const struct config_frontend *f = t->frontend;
    struct route_candidates candidates;
    size_t i;

    route_candidates_start(&candidates, f->index, f->n_routes, t->request->host, t->path);
    while (route_candidates_next(&candidates, &i) && t->fault_expr == NULL)
        if (route_takes(t, f->routes[i]))
            return f->routes[i];
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

const struct access_rule *route_rule(struct txn *t)
{
    const struct policy *p = t->policy;

    for (size_t i = 0; i < p->n_access_rules && t->fault_expr == NULL; i++)
        if (rule_names_client(&p->access_rules[i], t) && expr_holds(t, p->access_rules[i].when))
            return &p->access_rules[i];
    return NULL;
}

unsigned route_refusal(struct txn *t)
{
    const struct access_rule *r = route_rule(t);

    return r == NULL || r->is_allow ? 0 : r->status;
}

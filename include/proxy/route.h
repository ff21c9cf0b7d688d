/*
 * route - which route takes a request, and may the client have it?
 */
#ifndef HOLDFAST_PROXY_ROUTE_H
#define HOLDFAST_PROXY_ROUTE_H

#include "proxy/txn.h"

/*
 * The first route of the frontend whose condition holds, internal ones passed by. NULL: none, or
 * t->fault_expr says which condition could not be decided.
 */
const struct config_route *route_find(struct txn *t);

/* The first rule of allow and deny that matches; NULL: none, or t->fault_expr is set. */
const struct access_rule *route_rule(struct txn *t);

/*
 * The status by which allow and deny refuse the request; 0: it is let in, unless t->fault_expr is
 * set.
 */
unsigned route_refusal(struct txn *t);

#endif

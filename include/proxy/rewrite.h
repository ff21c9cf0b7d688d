/*
 * rewrite - the heads that leave the proxy: rules, forwarding fields.
 */
#ifndef HOLDFAST_PROXY_REWRITE_H
#define HOLDFAST_PROXY_REWRITE_H

#include "proxy/txn.h"

/*
 * Make t->outgoing from t->request, once for all attempts: forwarding fields, then http-request
 * rules in order. The body's length is set by the caller. False: no memory, a value that is no field
 * value, or a path that would climb; t->reason is set where it is the client's fault.
 */
bool rewrite_request(struct txn *t);

/* Apply http-response rules to h. False as above. */
bool rewrite_response(struct txn *t, struct head *h);

/* The same on an answer of our own: a rule that cannot be applied is left out of it. */
void rewrite_answer(struct txn *t, struct head *h);

#endif

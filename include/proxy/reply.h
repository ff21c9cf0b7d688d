/*
 * reply - answers of our own: respond, redirect, error pages, and the built-in page.
 *
 * All of them enter REPLY and are sent from memory. A reply to a request whose body is still coming
 * goes out at once; the codec drops or lingers after it.
 */
#ifndef HOLDFAST_PROXY_REPLY_H
#define HOLDFAST_PROXY_REPLY_H

#include "proxy/txn.h"

/* Answer as the route's respond or redirect says. */
void reply_route(struct txn *t);

/* Answer with how it is going. */
void reply_status_page(struct txn *t);

/* Answer 200 without content. */
void reply_empty(struct txn *t);

/* Answer with an error: the policy's page for the status, else the built-in one. t->reason is
 * set. */
void reply_error(struct txn *t, unsigned status);

/* Does the policy replace this response of a server by a page of its own (intercept-errors)? */
bool reply_replaces(const struct txn *t, unsigned status);

#endif

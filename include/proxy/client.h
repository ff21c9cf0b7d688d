/*
 * client - for whom a request was sent, where proxies stand before this one.
 *
 * The sender is who speaks HTTP to us: the far end of the connection, or who its PROXY header
 * names. Only a sender among the `trusted-proxies` of the policy is believed when it says, with
 * X-Forwarded-For and X-Forwarded-Proto, that it passes on the request of another.
 */
#ifndef HOLDFAST_PROXY_CLIENT_H
#define HOLDFAST_PROXY_CLIENT_H

#include "proxy/txn.h"

/*
 * Set t->client, t->sender_is_trusted and t->scheme_is_https by the policy in force, which trusts
 * somebody or follows one that did, and the fields of t->request.
 *
 * X-Forwarded-For is read from its right end, where the sender has written whom it had the request
 * from, on to the left while what is read is trusted as well: the client is the first that is not,
 * else the leftmost. An entry that is no address ends the walk at the one before it.
 */
void client_believe(struct txn *t);

/* Another policy is in force: the same, at no cost where nobody is trusted. */
static inline void client_find(struct txn *t)
{
    if (t->sender_is_trusted || !peers_are_none(&t->policy->trusted_proxies))
        client_believe(t);
}

#endif

/*
 * balance - which server of a backend a request goes to.
 *
 * Those that can take it: up, with a weight, and not tried yet for it. Of them the ones that are no
 * `backup` and, among these, the ones that have not failed the request before. What remains is the
 * choice of the backend's `balance`:
 *
 *   roundrobin  in turn by weight, spread evenly (nginx's smooth weighted round robin: each gains
 *               its weight, the highest is chosen and pays for all). In a run as long as the sum of
 *               the weights each has its weight's share exactly; who is equal goes by who has waited
 *               longest; where all weigh the same that is all there is to it.
 *   leastconn   the fewest exchanges for its weight; in turn among equals.
 *   random      two by lot, each by its weight; of them the one with fewer exchanges for its weight.
 *   hash        weighted rendezvous: each server has a score for the key, the highest is chosen. A
 *               server that goes takes only its own keys with it, and each of these goes to the
 *               next in its own order; one that comes takes only what is its own.
 *
 * Limits: CONFIG_SERVERS_MAX servers; each choice looks at all of them.
 */
#ifndef HOLDFAST_PROXY_BALANCE_H
#define HOLDFAST_PROXY_BALANCE_H

#include "proxy/server.h"

/* What a request brings to the choice. */
struct balance_ask {
    uint64_t tried; /* marks of servers that it cannot have */
    uint64_t asked; /* marks of those that it takes only where there are no others */
    bool has_key;   /* else `hash` is round robin */
    uint64_t key;
};

/* The server to go to, which takes its turn; NULL: none can take it now. */
struct server_state *balance_pick(struct backend_state *b, const struct balance_ask *ask);

/* One of those that balance_pick would choose from; nobody takes a turn. NULL: none. */
struct server_state *balance_look(const struct backend_state *b, uint64_t tried, uint64_t asked);

/* The key of a text, for `hash`; the same in every process. */
uint64_t balance_key(struct str text);

/* What is the server's own in the scores of `hash`: made from its name, once. */
uint64_t balance_seed(struct str server_name);

/* Who is up, or what anybody is worth, has changed: everybody's turn begins anew. */
void balance_reset(struct backend_state *b);

#endif

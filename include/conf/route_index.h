/*
 * route_index - the routes that may take a request, without trying all of them.
 *
 * The meaning of a frontend stays "in order, the first that holds". From the condition of each
 * route the index takes what a request must have for it to hold at all: one of some hosts, one of
 * some paths. A request's host and path then lead to the routes that are left, in their order;
 * whether one holds is still asked of its whole condition. A route whose condition says nothing of
 * host or path is always among them.
 */
#ifndef HOLDFAST_CONF_ROUTE_INDEX_H
#define HOLDFAST_CONF_ROUTE_INDEX_H

#include "conf/config.h"
#include "conf/store.h"

/* With fewer routes trying all of them is quicker. */
#define ROUTE_INDEX_MIN 8

/* Lists of routes that one request may lead to; where there are more, all routes are candidates. */
#define ROUTE_LISTS_MAX 48

struct route_index;

/*
 * Make the index of a frontend's routes, in s; scratch is of use only meanwhile. Internal routes
 * are left out.
 */
const struct route_index *route_index_new(struct store *s, struct store *scratch,
                                          const struct config_route *const *routes,
                                          size_t n_routes);

/*
 * A host and a path that a request for which `when` holds might have, made in scratch; what the
 * condition does not ask for is left alone.
 */
void route_index_sample(struct store *scratch, const struct expr *when, struct str *host,
                        struct str *path);

/* Where a request's search stands. */
struct route_candidates {
    const struct route_list *lists[ROUTE_LISTS_MAX]; /* sorted; the next of each at `at` */
    size_t at[ROUTE_LISTS_MAX];
    size_t n_lists;
    size_t next; /* without lists: the next of all routes */
    size_t n_routes;
};

/*
 * Start a search: host and path as the variables of these names have them. index == NULL: all of
 * n_routes routes are candidates.
 */
void route_candidates_start(struct route_candidates *c, const struct route_index *index,
                            size_t n_routes, struct str host, struct str path);

/* The next candidate, in the order of the routes, each once. False: there are no more. */
bool route_candidates_next(struct route_candidates *c, size_t *route);

#endif

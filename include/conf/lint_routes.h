/*
 * lint_routes - routes that no request can reach.
 */
#ifndef HOLDFAST_CONF_LINT_ROUTES_H
#define HOLDFAST_CONF_LINT_ROUTES_H

#include "conf/build.h"

/*
 * Warn of the routes of the frontend that `owner` opens which come behind one that takes all that
 * they would, or whose condition cannot hold.
 */
void lint_routes(struct build *b, const struct setting *owner,
                 const struct config_frontend *frontend);

#endif

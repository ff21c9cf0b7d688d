/*
 * condition - `when …`: from the tree of the parser to the one that requests are tried on.
 */
#ifndef HOLDFAST_CONF_CONDITION_H
#define HOLDFAST_CONF_CONDITION_H

#include "conf/ast.h"
#include "conf/expr.h"

/*
 * Check a condition on a request and compile it, in c's keeping. Types are checked, regular
 * expressions compiled, files read: faults are reported, and NULL is returned then. The depth of e
 * is bounded by the filter's NESTING_MAX; acls that it names are compiled where they are not yet
 * (conf/acl.h).
 */
const struct expr *condition_compile(struct compile *c, const struct ast_expr *e);

#endif

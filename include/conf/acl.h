/*
 * acl - conditions under a name, compiled when the first one asks for them.
 *
 * An acl may be named before it stands in the file, so nothing can be compiled until all files are
 * read; and it may name others, so each is compiled on demand, by way of those that lead to it.
 *
 * Limits: acls name each other ACL_DEPTH_MAX deep.
 */
#ifndef HOLDFAST_CONF_ACL_H
#define HOLDFAST_CONF_ACL_H

#include "conf/check.h"
#include "conf/expr.h"
#include "conf/suggest.h"

#define ACL_DEPTH_MAX 32

/* Note an acl, which has passed the checker; its name must be free. */
void acl_add(struct compile *c, const struct setting *s);

/* The condition of an acl, compiled unless it is; NULL: it has a fault, which was reported. */
const struct expr *acl_compile(struct compile *c, const struct setting *s);

/* Is there an acl of this name? */
bool acl_is_known(const struct compile *c, struct str name);

/*
 * The condition of the acl called name, for one who names it at span. NULL: it has a fault, which
 * is or was reported, or would come back to itself.
 */
const struct expr *acl_find(struct compile *c, struct str name, struct span span);

/* Was the acl of this setting named by any condition? */
bool acl_is_used(const struct compile *c, const struct setting *s);

/* Offer all names to a suggestion. */
void acl_suggest(const struct compile *c, struct suggestion *s);

#endif

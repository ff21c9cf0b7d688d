/*
 * matches - the names of groups in the regular expressions of a configuration: `${match.NAME}`.
 *
 * Each name has a place, whatever expressions have a group of it; a transaction keeps what the
 * groups held by place. A template may name a group before its expression is read, so whether each
 * name is known is checked when all conditions are.
 */
#ifndef HOLDFAST_CONF_MATCHES_H
#define HOLDFAST_CONF_MATCHES_H

#include "conf/compile.h"

/* Names of one configuration: what a transaction must keep is bounded. */
#define MATCHES_MAX 256

/*
 * The place of a group that an expression has. is_raw: its subject is text of a URI as received,
 * not decoded. Reports and returns false where there are too many names.
 */
bool matches_define(struct compile *c, struct str name, bool is_raw, struct span span,
                    unsigned *place);

/* The place of a name that stands at span, as above. */
bool matches_refer(struct compile *c, struct str name, struct span span, unsigned *place);

/* Report the names that no expression has a group of. */
void matches_check(struct compile *c);

/* How many places there are. */
size_t matches_count(const struct compile *c);

/* Does the group at place always hold text of a URI as received? */
bool matches_is_raw(const struct compile *c, unsigned place);

#endif

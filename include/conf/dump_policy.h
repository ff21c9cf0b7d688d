/*
 * dump_policy - a policy in the language.
 */
#ifndef HOLDFAST_CONF_DUMP_POLICY_H
#define HOLDFAST_CONF_DUMP_POLICY_H

#include "conf/dump_text.h"

/*
 * Write what of p differs from `outer`, the policy of the frontend around a route; all of it where
 * outer is NULL. The rule lists of a route start with those of its frontend, which are left out.
 */
void dump_policy(struct dump *d, const struct policy *p, const struct policy *outer);

/* Write an `allow` or `deny`, without its end of line. */
void dump_access_rule(struct dump *d, const struct access_rule *r);

#endif

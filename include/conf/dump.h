/*
 * dump - a configuration after inheritance, in the language itself.
 *
 * What a frontend inherits is written out in it; a route shows where it differs from its frontend.
 * The text loads again to the same configuration, and its dump is the same text. All spellings are
 * the canonical ones; paths are absolute; the spool that is there without a section is left out.
 */
#ifndef HOLDFAST_CONF_DUMP_H
#define HOLDFAST_CONF_DUMP_H

#include "conf/config.h"

/* The text, in arena a. p == NULL: no memory. */
struct str config_dump(const struct config *config, struct arena *a);

/* A condition, likewise. */
struct str expr_dump(const struct expr *e, struct arena *a);

/* An `allow` or `deny`, likewise. */
struct str access_rule_dump(const struct access_rule *r, struct arena *a);

/*
 * The settings of a policy that came of config_load_explained, a line each: those that somebody
 * wrote, each with its place as a comment, or those that are built in.
 */
struct str policy_dump(const struct policy *p, bool is_built_in, struct arena *a);

#endif

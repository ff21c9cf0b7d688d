/*
 * value_set - many values of a condition's `in`, so that asking costs the same for 3 and 300,000.
 *
 * Texts are looked up whole; addresses once for each prefix length that the set has.
 */
#ifndef HOLDFAST_CONF_VALUE_SET_H
#define HOLDFAST_CONF_VALUE_SET_H

#include "conf/names.h"
#include "io/addr.h"

/* Up to this many values are compared one by one: faster, and nothing to build. */
#define VALUE_SET_MIN 8

struct value_set;

/* An empty set in s, which must be the store of all values added. */
struct value_set *value_set_new(struct store *s);

/* Add a value; the text is not copied. */
void value_set_add_text(struct value_set *set, struct store *s, struct str text);
void value_set_add_net(struct value_set *set, struct store *s, const struct cidr *net);

bool value_set_has_text(const struct value_set *set, struct str text);
bool value_set_has_ip(const struct value_set *set, const struct ip *ip);

#endif

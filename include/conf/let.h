/*
 * let - values under a name, filled in as `${NAME}` wherever a word is read below it.
 */
#ifndef HOLDFAST_CONF_LET_H
#define HOLDFAST_CONF_LET_H

#include "conf/check.h"
#include "conf/suggest.h"

/*
 * Enter `let NAME = VALUE`, which has a name. From now on let_find knows it, one that is bad too, so
 * that nobody misses it. A name that is taken by a variable is reported.
 */
void let_add(struct compile *c, const struct setting *s);

/* The value of a name; p == NULL: it was bad. False: there is no `let` of it above. */
bool let_find(const struct compile *c, struct str name, struct str *value);

/* Offer all names to a suggestion. */
void let_suggest(const struct compile *c, struct suggestion *s);

/* Was the value of this setting filled in anywhere? */
bool let_is_used(const struct compile *c, const struct setting *s);

#endif

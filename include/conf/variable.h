/*
 * variable - names of variables, as conditions and templates write them, to references.
 */
#ifndef HOLDFAST_CONF_VARIABLE_H
#define HOLDFAST_CONF_VARIABLE_H

#include "conf/compile.h"
#include "conf/expr.h"

/*
 * Find the variable called name, which stands at span, where only what is known at `phase` may
 * stand. Reports a fault and returns false if there is none.
 */
bool variable_find(struct compile *c, struct str name, struct span span, enum var_phase phase,
                   struct var_ref *ref);

/* Is name that of a variable, whatever its argument? */
bool variable_is_known(struct str name);

#endif

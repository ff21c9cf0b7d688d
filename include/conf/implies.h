/*
 * implies - what can be told of conditions without a request: does one hold whenever another does,
 * and can it hold at all?
 *
 * Both answers are "surely" or "not known": regular expressions, files of values and whatever takes
 * too many steps are not looked into.
 */
#ifndef HOLDFAST_CONF_IMPLIES_H
#define HOLDFAST_CONF_IMPLIES_H

#include "conf/expr.h"

/* Does b surely hold whenever a does? NULL is the condition that always holds. */
bool expr_implies(const struct expr *a, const struct expr *b);

/* Can the condition surely never hold? */
bool expr_is_impossible(const struct expr *e);

#endif

/*
 * template - texts with variables, to op lists.
 */
#ifndef HOLDFAST_CONF_TEMPLATE_H
#define HOLDFAST_CONF_TEMPLATE_H

#include "conf/expr.h"
#include "conf/word.h"

/*
 * Compile a word into *t, in c's keeping. Only variables known at `phase` may stand in it;
 * one_line: no controls but tab, as the value of a header field wants it. Faults are reported;
 * false then.
 */
bool template_compile(struct compile *c, const struct word *word, enum var_phase phase,
                      bool one_line, struct template *t);

#endif

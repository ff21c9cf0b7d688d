/*
 * value - one word of a directive as a value of the type that its form asks for.
 */
#ifndef HOLDFAST_CONF_VALUE_H
#define HOLDFAST_CONF_VALUE_H

#include "conf/form.h"

/*
 * Could the word be of this type? Only asked where more than one thing may stand: most types take
 * any word and complain later.
 */
bool value_fits(enum form_type type, const struct word *word);

/*
 * Read the word as arg->type into arg; row gives bounds, `expected` names the type. Faults are
 * reported; false then.
 */
bool value_read(struct compile *c, const struct setting_row *row, const struct word *word,
                const char *expected, struct arg *arg);

#endif

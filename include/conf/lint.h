/*
 * lint - what is legal in a configuration and will surprise: traps that have hurt people, and
 * settings that can have no effect.
 */
#ifndef HOLDFAST_CONF_LINT_H
#define HOLDFAST_CONF_LINT_H

#include "conf/build.h"

/*
 * Warn of what is dubious in a configuration that has been built. Where there are errors it says
 * nothing of what could follow from them. Asks the machine about the disks of spools.
 */
void lint(struct build *b, const struct source *main);

#endif

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

#endif

/*
 * compile - what the phases of one load share.
 */
#ifndef HOLDFAST_CONF_COMPILE_H
#define HOLDFAST_CONF_COMPILE_H

#include "conf/diag.h"
#include "conf/files.h"
#include "conf/store.h"

/* Made by config_load, on its stack, and gone with it. */
struct compile {
    const struct files *files;
    struct diags *diags;
    struct sources *sources; /* those of diags */
    struct store scratch;    /* tokens, trees, tables: freed when the load ends */
    struct store keep;       /* what the config is made of: its arena */
};

#endif

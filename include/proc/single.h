/*
 * single - one process that does all (`workers 0`): for tests and debuggers.
 */
#ifndef HOLDFAST_PROC_SINGLE_H
#define HOLDFAST_PROC_SINGLE_H

#include "proc/daemon.h"

/* Serve until a signal ends it. Returns the exit status: 0 after a signal, 1 where it could not
 * start. */
int single_run(struct start *start);

#endif

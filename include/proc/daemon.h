/*
 * daemon - one process that serves: start, signals, reload, end (`workers 0`).
 */
#ifndef HOLDFAST_PROC_DAEMON_H
#define HOLDFAST_PROC_DAEMON_H

#include "proc/options.h"

/* Run until a signal ends it. Returns the exit status: 0 after a signal, 1 where it could not
 * start. */
int daemon_run(const struct options *o);

#endif

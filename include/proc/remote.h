/*
 * remote - `holdfast -s`: telling the instance that runs what to do.
 */
#ifndef HOLDFAST_PROC_REMOTE_H
#define HOLDFAST_PROC_REMOTE_H

#include "proc/options.h"

/*
 * Find the instance by its pid file (-p, or what the configuration of -f says, even if that has errors
 * elsewhere) and send it the signal; `reload` asks for one and waits for what comes of it, whose
 * lines go to standard error. Returns the exit status: 1 where nobody runs, or the reload failed.
 */
int remote_run(const struct options *o);

#endif

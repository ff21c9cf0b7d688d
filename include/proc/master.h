/*
 * master - owns privilege, sockets, files and logs; forks workers, and gives them generations.
 *
 * The master never sees a byte of a client. It has a configuration loaded, compiles it, opens what
 * that names, and sends both to every worker as a bundle. A worker prepares it and says so; when
 * all have, and not before, all are told to commit. So a reload is one decision: one worker that
 * refuses aborts it everywhere, and no death leaves two generations.
 *
 *     STARTING -> COMMITTING -> SERVING -> LOADING -> PREPARING -> COMMITTING -> SERVING
 *     LOADING, PREPARING -> SERVING: a reload that fails;      any -> STOPPING
 *
 * A worker that dies is replaced at once by one of the generation in force. While a bundle is
 * prepared the successor is asked like all others, until the bundle is seen to be what kills them.
 */
#ifndef HOLDFAST_PROC_MASTER_H
#define HOLDFAST_PROC_MASTER_H

#include "proc/daemon.h"

/* Serve with so many workers until a signal ends it. Returns the exit status, as daemon_run. */
int master_run(struct start *start, unsigned n_workers);

#endif

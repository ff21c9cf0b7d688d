/*
 * worker_process - a worker under a master: a process that serves, and does what it is told.
 *
 * It is forked, not started anew, from a master that has never seen a client's byte. It gives up
 * everything that it does not need first: descriptors, user, privileges. From then on it opens
 * nothing by path, and all that it comes to have is sent to it (proc/channel.h). Where the master
 * is gone, it finishes what is under way, for shutdown-timeout at most, and ends.
 */
#ifndef HOLDFAST_PROC_WORKER_PROCESS_H
#define HOLDFAST_PROC_WORKER_PROCESS_H

#include "conf/config.h"
#include "proxy/row.h"

struct worker_process_setup {
    const struct config_global *global; /* of the first configuration: whom to become */
    struct rows *rows;
    unsigned index;
    int channel;
    int panic_fd;
    bool is_debug;
};

/* Be a worker. Returns the exit status: 0: it was told to end; 1: it could not start. */
int worker_process_run(const struct worker_process_setup *setup);

#endif

/*
 * loader - a process that asks the world what compiling a configuration needs to know.
 *
 * A disk may be slow, and a name server may not answer for minutes. So that its master goes on
 * replacing workers and answering the service manager meanwhile, a child of it compiles the file,
 * and leaves the answers that it was given (conf/files_record.h) in memory that both have. The
 * master then compiles from these, as the workers do. The child has nothing else of the master's,
 * and a lower priority than who serves.
 */
#ifndef HOLDFAST_PROC_LOADER_H
#define HOLDFAST_PROC_LOADER_H

#include "base/pack.h"

#include <sys/types.h>

struct loader {
    pid_t pid; /* 0: there is none */
    int fd;    /* the memory */
};

/* Start one. False with errno. Its end is told by SIGCHLD, to be reaped by the caller. */
bool loader_start(struct loader *l, const char *path);

/*
 * It has ended with this status (waitpid(2)). NULL: `answers`, which must be empty, has the
 * answers; else the reason why there are none, a text that needs no freeing. Nothing is left of it
 * either way.
 */
const char *loader_take(struct loader *l, int status, struct pack *answers);

/* Its answers are not wanted any more: it is killed. Harmless where there is none. */
void loader_stop(struct loader *l);

#endif

/*
 * job - one long computation beside the loop.
 *
 * A job runs in a thread of its own, at a lower priority, so that the loop goes on serving; its end
 * comes to the loop as an event. Nothing is shared while it runs: what `run` reads and writes
 * belongs to the job alone until `done` is called, and `run` calls nothing that is the loop's
 * (logs, pools, reference counts).
 *
 * Invariants:  is_running  =>  the object that holds the job lives, and nobody but the thread
 * touches what it works on. Limits:      a job cannot be stopped: who does not want its result any
 * more takes it and throws it away.
 */
#ifndef HOLDFAST_IO_JOB_H
#define HOLDFAST_IO_JOB_H

#include "io/loop.h"

#include <pthread.h>

struct job {
    struct loop *loop;
    struct watch end; /* an eventfd */
    pthread_t thread;
    bool is_running;
    void (*run)(struct job *j);  /* in the thread */
    void (*done)(struct job *j); /* in the loop; may free the job */
};

/*
 * Start a job in an object that may hold anything: it is set up here. False with errno: there is no
 * thread, and neither function will be called; the caller may do the work itself. Does not block.
 */
bool job_start(struct job *j, struct loop *loop, void (*run)(struct job *j),
               void (*done)(struct job *j));

/*
 * For the end of the process: `done` will not be called, and the loop may be freed. The thread may
 * still run: the job's object and what it works on stay as they are. Harmless where none is
 * running.
 */
void job_leave(struct job *j);

/* From now on this thread, or process of one, gives way to those that serve; jobs do by themselves.
 */
void job_lower_priority(void);

#endif

/*
 * job - one long computation beside the loop.
 */
#include "io/job.h"

#include "base/panic.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

/* Beside a loop that is busy a job gets a tenth of a processor, and all of an idle one. */
#define JOB_NICE 10

/* Linux counts threads here (setpriority(2), "C library/kernel differences"); where a sandbox
 * forbids it, the scheduler shares alike. */
void job_lower_priority(void)
{
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + JOB_NICE);
}

static void *thread_main(void *arg)
{
    struct job *j = arg;

    job_lower_priority();
    j->run(j);
    eventfd_write(j->end.fd, 1);
    return NULL;
}

static void on_end(struct watch *w)
{
    struct job *j = list_owner(w, struct job, end);

    pthread_join(j->thread, NULL); /* it has nothing left to do but to end */
    j->is_running = false;
    watch_remove(j->loop, w);
    close(w->fd);
    j->done(j);
}

void job_leave(struct job *j)
{
    if (!j->is_running)
        return;
    pthread_detach(j->thread);
    watch_remove(j->loop, &j->end);
}

bool job_start(struct job *j, struct loop *loop, void (*run)(struct job *j),
               void (*done)(struct job *j))
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error;

    *j = (struct job){.loop = loop, .run = run, .done = done};
    if (fd < 0)
        return false;
    watch_init(&j->end, fd, true, on_end);
    j->end.want = EVENT_IN;
    error = watch_register(loop, &j->end) ? 0 : errno;
    if (error == 0)
        error = pthread_create(&j->thread, NULL, thread_main, j);
    j->is_running = error == 0;
    if (j->is_running)
        return true;
    watch_remove(loop, &j->end);
    close(fd);
    errno = error;
    return false;
}

/*
 * loader - a process that asks the world what compiling a configuration needs to know.
 */
#include "proc/loader.h"

#include "base/panic.h"
#include "conf/files_record.h"
#include "conf/load.h"
#include "io/job.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_NO_MEMORY 1

/* Nobody wants its answers then, and it may wait for a disk for long. */
static void die_with_parent(pid_t parent)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(STATUS_NO_MEMORY);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); /* whoever finds it can end it */
}

/* Where the file is wrong, the master will find the same faults in the answers and report them. */
static _Noreturn void be_loader(const char *path, int fd, pid_t parent)
{
    struct diags *diags = diags_new();
    struct files_recorder recorder;
    struct pack answers;

    if (fd > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
    job_lower_priority();
    panic_set_fd(-1); /* it was the log's */
    die_with_parent(parent);
    pack_init(&answers);
    files_recorder_init(&recorder, &files_disk, &answers);
    if (diags != NULL)
        config_unref(config_load(path, &recorder.files, diags));
    if (diags == NULL || answers.has_failed || !pack_write(&answers, fd))
        _exit(STATUS_NO_MEMORY);
    diags_free(diags);
    pack_reset(&answers);
    _exit(0);
}

bool loader_start(struct loader *l, const char *path)
{
    pid_t parent = getpid();
    int saved;

    l->fd = memfd_create("holdfast-answers", MFD_CLOEXEC);
    if (l->fd < 0)
        return false;
    l->pid = fork();
    if (l->pid == 0)
        be_loader(path, l->fd, parent);
    if (l->pid > 0)
        return true;
    saved = errno;
    l->pid = 0;
    close(l->fd);
    errno = saved;
    return false;
}

const char *loader_take(struct loader *l, int status, struct pack *answers)
{
    const char *why = NULL;

    if (WIFSIGNALED(status))
        why = strsignal(WTERMSIG(status));
    else if (WEXITSTATUS(status) == STATUS_NO_MEMORY)
        why = "out of memory";
    else if (WEXITSTATUS(status) != 0)
        why = "the process that reads it has failed";
    else if (!pack_read(answers, l->fd))
        why = strerror(errno);
    close(l->fd);
    l->pid = 0;
    return why;
}

void loader_stop(struct loader *l)
{
    if (l->pid == 0)
        return;
    kill(l->pid, SIGKILL);
    close(l->fd);
    l->pid = 0; /* whoever reaps it does not know it */
}

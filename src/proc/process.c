/*
 * process - what the process has from its environment: descriptors, rights, a number in a file.
 */
#include "proc/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void process_fill_standard_fds(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

void process_raise_limits(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

bool process_drop_rights(const struct config_global *g)
{
    if (g->has_user && geteuid() == 0) {
        if (setgroups(1, &g->gid) != 0 || setresgid(g->gid, g->gid, g->gid) != 0 ||
            setresuid(g->uid, g->uid, g->uid) != 0)
            return false;
    } else if (g->has_user && geteuid() != g->uid) {
        errno = EPERM;
        return false;
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* capset(2) has no wrapper in the C library. */
static bool give_up_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
        {0, 0, 0}
    };

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* goes with the permitted ones too */
    return syscall(SYS_capset, &head, none) == 0;
}

/* Nor can any program that a worker were made to run gain one. Who is not permitted to say so has
 * little to lose. */
static void empty_bounding_set(void)
{
    for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
        prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
}

bool process_drop_to_worker(const struct config_global *g)
{
    empty_bounding_set(); /* while it may be permitted */
    return process_drop_rights(g) && give_up_capabilities();
}

unsigned process_n_workers(const struct config_global *g)
{
    const char *name = getenv("HOLDFAST_WORKERS");
    uint64_t n = g->workers;
    cpu_set_t ours;

    if (name != NULL && strcmp(name, "auto") == 0)
        n = CONFIG_WORKERS_AUTO;
    else if (name != NULL)
        str_to_u64(str_of(name), PROCESS_WORKERS_MAX, &n);
    if (n != CONFIG_WORKERS_AUTO)
        return (unsigned)n;
    if (sched_getaffinity(0, sizeof(ours), &ours) != 0)
        return 1; /* more processors than the set holds: somebody will say how many */
    n = (uint64_t)CPU_COUNT(&ours);
    return n > PROCESS_WORKERS_MAX ? PROCESS_WORKERS_MAX : (unsigned)n;
}

enum poller_kind process_poller(const struct config_global *g)
{
    const char *name = getenv("HOLDFAST_POLLER");

    if (name != NULL && strcmp(name, "poll") == 0)
        return POLLER_POLL;
    if (name != NULL && strcmp(name, "epoll") == 0)
        return POLLER_EPOLL;
    return g->poller;
}

bool process_say_errno(const char *what)
{
    fprintf(stderr, "holdfast: %s: %s\n", what, strerror(errno));
    return false;
}

static int ready_fd = -1; /* the parent's end of -D is waiting at the other side */

static _Noreturn void wait_for_child(int fd)
{
    char byte;

    _exit(read(fd, &byte, 1) == 1 ? 0 : 1);
}

bool process_to_background(void)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    child = fork();
    if (child < 0)
        return false;
    if (child > 0) {
        close(ends[1]);
        wait_for_child(ends[0]);
    }
    close(ends[0]);
    ready_fd = ends[1];
    setsid();
    return true;
}

int process_leave_terminal_fd(void)
{
    return ready_fd < 0 ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);
}

void process_leave_terminal(int *null)
{
    if (*null < 0)
        return;
    dup2(*null, STDIN_FILENO);
    dup2(*null, STDOUT_FILENO);
    dup2(*null, STDERR_FILENO);
    close(*null);
    *null = -1;
}

void process_is_ready(void)
{
    int null = process_leave_terminal_fd();

    if (ready_fd < 0)
        return;
    process_leave_terminal(&null);
    if (write(ready_fd, "", 1) < 0) {
        /* the parent has been killed: nobody to tell */
    }
    close(ready_fd);
    ready_fd = -1;
}

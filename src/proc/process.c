/*
 * process - what the process has from its environment: descriptors, rights, a number in a file.
 */
#include "proc/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static bool is_named(const struct config *c, int fd)
{
    for (size_t i = 0; i < c->n_frontends; i++)
        for (size_t j = 0; j < c->frontends[i].n_binds; j++)
            if (c->frontends[i].binds[j].kind == BIND_FD && c->frontends[i].binds[j].fd == fd)
                return true;
    return false;
}

static int highest_named(const struct config *c)
{
    int highest = STDERR_FILENO;

    for (size_t i = 0; i < c->n_frontends; i++)
        for (size_t j = 0; j < c->frontends[i].n_binds; j++)
            if (c->frontends[i].binds[j].kind == BIND_FD &&
                c->frontends[i].binds[j].fd > highest)
                highest = c->frontends[i].binds[j].fd;
    return highest;
}

void process_close_strays(const struct config *c)
{
    int last = highest_named(c);

    for (int fd = STDERR_FILENO + 1; fd <= last; fd++)
        if (!is_named(c, fd))
            close(fd);
    close_range((unsigned)last + 1, ~0u, 0);
}

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

void process_is_ready(void)
{
    int null;

    if (ready_fd < 0)
        return;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        close(null);
    }
    if (write(ready_fd, "", 1) < 0) {
        /* the parent has been killed: nobody to tell */
    }
    close(ready_fd);
    ready_fd = -1;
}

int process_open_pid(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

bool process_write_pid(int fd)
{
    return dprintf(fd, "%d\n", getpid()) > 0;
}

void process_remove_pid(int fd, const char *path)
{
    if (unlink(path) != 0 && ftruncate(fd, 0) != 0) {
        /* it stays, and names a process that is gone */
    }
    close(fd);
}

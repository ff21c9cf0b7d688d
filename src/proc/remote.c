/*
 * remote - `holdfast -s`: telling the instance that runs what to do.
 */
#include "proc/remote.h"

#include "conf/load.h"
#include "proc/control.h"
#include "proc/pid_file.h"
#include "proc/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The answer is waited for until it comes or the instance ends: a large configuration takes
 * minutes, and so may the reload before it. Whoever looks on is told after this long that it goes
 * on. */
#define STILL_S 10

/* The pid file that the configuration names. False: it has been said why there is none. */
static bool find_in_config(const struct options *o, char path[PATH_MAX])
{
    struct diags *diags = diags_new();
    bool is_found;

    if (diags == NULL)
        return process_say_errno("cannot read the configuration");
    is_found = config_pid_file(o->config_path, &files_disk, diags, path, PATH_MAX);
    if (!is_found && diags_n_errors(diags) > 0) {
        diags_print(diags, stderr);
        fputs("holdfast: so the pid file is not known: use -p FILE\n", stderr);
    } else if (!is_found) {
        fprintf(stderr, "holdfast: %s names no pid file: use `pid-file` there, or -p FILE\n",
                o->config_path);
    }
    diags_free(diags);
    return is_found;
}

/* Where the pid file is, in `path`. False: it has been said why nobody knows. */
static bool find_pid_file(const struct options *o, char path[PATH_MAX])
{
    if (o->pid_path == NULL)
        return find_in_config(o, path);
    if ((size_t)snprintf(path, PATH_MAX, "%s", o->pid_path) < PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return process_say_errno("cannot use the pid file of -p");
}

static void say_nobody_runs(const char *pid_path, pid_t owner)
{
    if (owner < 0 && errno != ENOENT)
        fprintf(stderr, "holdfast: cannot read the pid file %s: %s\n", pid_path, strerror(errno));
    else
        fprintf(stderr, "holdfast: nothing runs with the pid file %s: %s\n", pid_path,
                owner < 0 ? "there is no such file" : "nobody holds it");
}

static int signal_instance(const struct options *o, pid_t pid, int number)
{
    if (kill(pid, number) != 0) {
        fprintf(stderr, "holdfast: cannot send a signal to process %d: %s\n", pid, strerror(errno));
        return 1;
    }
    if (!o->is_quiet)
        printf("holdfast: process %d was told to %s\n", pid, o->signal_name);
    return 0;
}

static int connect_to(const char *pid_path)
{
    struct timeval still = {.tv_sec = STILL_S};
    struct addr addr;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (!control_addr(pid_path, &addr))
        errno = ENAMETOOLONG;
    else if (connect(fd, &addr.at.any, addr.n) == 0 &&
             setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &still, sizeof(still)) == 0)
        return fd;
    int saved = errno;

    close(fd);
    errno = saved;
    return -1;
}

/* Ask, and read all of the answer. False with errno. */
static bool ask(int fd, bool is_quiet, char *answer, size_t room, size_t *n)
{
    static const char line[] = "reload\n";
    bool has_said = is_quiet;

    *n = 0;
    if (send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0)
        return false;
    while (*n < room) {
        ssize_t got = recv(fd, answer + *n, room - *n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN) {
            if (!has_said)
                fputs("holdfast: no answer yet; the reload may take minutes\n", stderr);
            has_said = true;
            continue;
        }
        if (got < 0)
            return false;
        if (got == 0)
            return true;
        *n += (size_t)got;
    }
    return true;
}

static void say_cannot_ask(const char *pid_path, pid_t pid)
{
    int error = errno;

    fprintf(stderr, "holdfast: cannot ask for a reload at %s" CONTROL_SUFFIX ": %s\n", pid_path,
            strerror(error));
    if (error == ENOENT || error == ECONNREFUSED)
        fprintf(stderr, "holdfast: if somebody has removed it, `kill -HUP %d` makes it anew\n",
                (int)pid);
}

static int reload_instance(const struct options *o, const char *pid_path, pid_t pid)
{
    static char answer[REPORT_MAX + sizeof("failed\n")];
    struct str rest = {answer, 0};
    int fd = connect_to(pid_path);
    bool is_done;

    if (fd < 0 || !ask(fd, o->is_quiet, answer, sizeof(answer), &rest.n)) {
        say_cannot_ask(pid_path, pid);
        if (fd >= 0)
            close(fd);
        return 1;
    }
    close(fd);
    is_done = str_starts_with(rest, STR("done\n"));
    if (!is_done && !str_starts_with(rest, STR("failed\n"))) {
        fputs("holdfast: the instance has ended before it could reload\n", stderr);
        return 1;
    }
    rest = str_slice(rest, is_done ? 5 : 7, rest.n);
    fwrite(rest.p, 1, rest.n, stderr);
    if (!is_done)
        fputs("holdfast: reload failed; the old configuration stays in force\n", stderr);
    else if (!o->is_quiet)
        puts("holdfast: the new configuration is in force");
    return is_done ? 0 : 1;
}

int remote_run(const struct options *o)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {
        {"stop",   SIGTERM},
        {"quit",   SIGQUIT},
        {"reopen", SIGUSR1}
    };
    char path[PATH_MAX];
    pid_t pid;

    if (!find_pid_file(o, path))
        return 1;
    pid = pid_file_owner(path);
    if (pid <= 0) {
        say_nobody_runs(path, pid);
        return 1;
    }
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (strcmp(o->signal_name, signals[i].name) == 0)
            return signal_instance(o, pid, signals[i].number);
    return reload_instance(o, path, pid);
}

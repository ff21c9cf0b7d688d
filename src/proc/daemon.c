/*
 * daemon - one process that serves: start, signals, reload, end (`workers 0`).
 *
 * Signals are blocked before anything else and read from a descriptor in the loop, so none is lost
 * and none interrupts. The pid file is written last of all: whoever sees it may send a signal.
 */
#include "proc/daemon.h"

#include "base/log.h"
#include "base/panic.h"
#include "conf/load.h"
#include "proc/process.h"
#include "proc/tools.h"
#include "proxy/generation.h"
#include "proxy/worker.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* After shutdown-timeout, for the 503s to leave. */
#define REFUSE_MS 500

struct daemon {
    const struct options *options;
    struct worker worker;
    struct watch signals;
    struct timer shutdown;
    bool is_ending;
    bool has_refused; /* shutdown-timeout is over: only what is being written still goes out */
    char pid_path[PATH_MAX]; /* empty: none */
    int pid_fd;
};

/* --- reload --- */

static void log_line_of_diag(void *to, struct str line)
{
    static const struct str level = {"error: ", 7};

    (void)to;
    if (str_starts_with(line, level)) /* one without a place: the log says so too */
        line = str_slice(line, level.n, line.n);
    log_message(LOG_ERROR, "%.*s", STR_ARG(line));
}

static void log_failure(void *to, const struct config_place *place, const char *text)
{
    (void)to;
    if (place == NULL)
        log_message(LOG_ERROR, "%s", text);
    else
        log_message(LOG_ERROR, "%.*s:%u: error: %s", STR_ARG(place->file), place->line, text);
}

/* What a living process cannot take over is said, not silently kept. */
static void warn_of_fixed(const struct config_global *old, const struct config_global *new)
{
    if (old->poller != new->poller)
        log_message(LOG_WARNING, "reload: `poller` takes effect at the next start");
    if (old->has_user != new->has_user || old->uid != new->uid || old->gid != new->gid)
        log_message(LOG_WARNING, "reload: `user` takes effect at the next start");
    if (!str_eq(old->pid_file, new->pid_file))
        log_message(LOG_WARNING, "reload: `pid-file` takes effect at the next start");
}

static void daemon_reload(struct daemon *d)
{
    struct diags *diags = diags_new();
    struct config *c = NULL;
    struct worker *w = &d->worker;

    if (diags != NULL) {
        c = config_load(d->options->config_path, &files_disk, diags);
        diags_each_line(diags, log_line_of_diag, NULL);
    }
    diags_free(diags);
    if (c != NULL && worker_prepare(w, c, log_failure, NULL)) {
        warn_of_fixed(&w->current->config->global, &c->global);
        worker_commit(w);
        log_message(LOG_NOTICE, "reload: the new configuration is in force");
    } else {
        log_message(LOG_ERROR, "reload: failed; the old configuration stays in force");
    }
    config_unref(c);
}

/* --- the end --- */

static void on_drained(struct worker *w)
{
    loop_stop(w->loop);
}

static void on_shutdown_timeout(struct timer *t)
{
    struct daemon *d = list_owner(t, struct daemon, shutdown);

    if (d->has_refused) {
        loop_stop(d->worker.loop);
        return;
    }
    log_message(LOG_WARNING,
                "shutdown-timeout: %u connections are not finished; held requests get 503",
                d->worker.n_fronts);
    d->has_refused = true;
    loop_timer_set(d->worker.loop, &d->shutdown, REFUSE_MS);
    worker_refuse(&d->worker);
}

/* Finish what is under way, for `most_ms`. */
static void daemon_drain(struct daemon *d, uint32_t most_ms)
{
    if (d->is_ending) {
        loop_stop(d->worker.loop);
        return;
    }
    d->is_ending = true;
    log_message(LOG_NOTICE, "shutting down: %u connections to finish", d->worker.n_fronts);
    loop_timer_set(d->worker.loop, &d->shutdown, most_ms);
    worker_drain(&d->worker);
}

static void on_signal(struct daemon *d, uint32_t number)
{
    switch (number) {
    case SIGHUP:
        if (!d->is_ending)
            daemon_reload(d);
        break;
    case SIGUSR1: worker_reopen_logs(&d->worker); break;
    case SIGTERM:
        daemon_drain(d, d->worker.current->config->global.shutdown_timeout_ms);
        break;
    case SIGQUIT: daemon_drain(d, UINT32_MAX); break;
    case SIGINT: loop_stop(d->worker.loop); break;
    }
}

static void on_signals_ready(struct watch *w)
{
    struct daemon *d = list_owner(w, struct daemon, signals);
    struct signalfd_siginfo info;

    w->ready = 0;
    while (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        on_signal(d, info.ssi_signo);
}

/* --- the start --- */

static void block_signals(sigset_t *handled)
{
    static const int numbers[] = {SIGHUP, SIGUSR1, SIGTERM, SIGQUIT, SIGINT};
    static const int ignored[] = {SIGPIPE, SIGWINCH, SIGTTIN, SIGTTOU, SIGUSR2};

    sigemptyset(handled);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(handled, numbers[i]);
    sigprocmask(SIG_BLOCK, handled, NULL);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
}

static bool watch_signals(struct daemon *d, const sigset_t *handled)
{
    int fd = signalfd(-1, handled, SFD_NONBLOCK | SFD_CLOEXEC);

    if (fd < 0)
        return false;
    watch_init(&d->signals, fd, true, on_signals_ready);
    d->signals.want = EVENT_IN;
    return watch_register(d->worker.loop, &d->signals);
}

static void print_failure(void *to, const struct config_place *place, const char *text)
{
    (void)to;
    if (place == NULL)
        fprintf(stderr, "holdfast: error: %s\n", text);
    else
        fprintf(stderr, "%.*s:%u: error: %s\n", STR_ARG(place->file), place->line, text);
}

static bool say_errno(const char *what)
{
    fprintf(stderr, "holdfast: %s: %s\n", what, strerror(errno));
    return false;
}

/* HOLDFAST_POLLER overrides `poller`: the test suite runs every scenario under both. */
static enum poller_kind choose_poller(const struct config_global *g)
{
    const char *name = getenv("HOLDFAST_POLLER");

    if (name != NULL && strcmp(name, "poll") == 0)
        return POLLER_POLL;
    if (name != NULL && strcmp(name, "epoll") == 0)
        return POLLER_EPOLL;
    return g->poller;
}

static bool open_pid(struct daemon *d, const struct config_global *g)
{
    const char *path = d->options->pid_path;

    if (path == NULL && g->pid_file.n > 0)
        path = g->pid_file.p; /* NUL-terminated, as every text of an arena */
    if (path == NULL)
        return true;
    if (strlen(path) >= sizeof(d->pid_path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcpy(d->pid_path, path);
    d->pid_fd = process_open_pid(path);
    return d->pid_fd >= 0;
}

/* In this order: descriptors, background, sockets and files, rights; what is left of it is undone
 * by the end of the process. */
static bool daemon_start(struct daemon *d, struct config *c, const sigset_t *handled)
{
    process_close_strays(c);
    process_raise_limits();
    if (d->options->is_daemon && !process_to_background())
        return say_errno("cannot go into the background");
    if (!worker_init(&d->worker, choose_poller(&c->global)))
        return say_errno("cannot start");
    d->worker.on_drained = on_drained;
    timer_init(&d->shutdown, on_shutdown_timeout);
    if (!watch_signals(d, handled))
        return say_errno("cannot watch for signals");
    if (!worker_prepare(&d->worker, c, print_failure, NULL))
        return false;
    if (!open_pid(d, &c->global))
        return say_errno("cannot write the pid file");
    if (!process_drop_rights(&c->global))
        return say_errno("cannot change to the configured user");
    worker_commit(&d->worker);
    if (d->options->is_debug)
        log_use(NULL, LOG_DEBUG, LOG_TEXT);
    if (d->pid_path[0] != '\0' && !process_write_pid(d->pid_fd))
        return say_errno("cannot write the pid file");
    log_message(LOG_NOTICE, "holdfast " HOLDFAST_VERSION " is ready");
    process_is_ready();
    return true;
}

static void daemon_end(struct daemon *d)
{
    log_use(NULL, LOG_INFO, LOG_TEXT); /* the configured sink goes with the worker */
    panic_set_fd(-1);
    loop_timer_remove(d->worker.loop, &d->shutdown);
    watch_remove(d->worker.loop, &d->signals);
    close(d->signals.fd);
    worker_reset(&d->worker);
    if (d->pid_path[0] != '\0')
        process_remove_pid(d->pid_fd, d->pid_path);
}

int daemon_run(const struct options *o)
{
    static struct daemon d; /* large, and one a process */
    struct config *c;
    sigset_t handled;
    bool ok;

    block_signals(&handled);
    d.options = o;
    c = tools_compile(o);
    if (c == NULL)
        return 1;
    ok = daemon_start(&d, c, &handled);
    config_unref(c);
    if (!ok) {
        worker_cancel(&d.worker);
        if (d.pid_path[0] != '\0' && d.pid_fd >= 0)
            process_remove_pid(d.pid_fd, d.pid_path);
        return 1;
    }
    loop_run(d.worker.loop);
    daemon_end(&d);
    return 0;
}

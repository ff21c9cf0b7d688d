/*
 * master - owns privilege, sockets, files and logs; forks workers, and gives them generations.
 */
#include "proc/master.h"

#include "base/log.h"
#include "base/panic.h"
#include "proc/master_state.h"
#include "proc/notify.h"
#include "proc/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* After a fork that failed; and how often the log hears of it. */
#define FORK_AGAIN_MS 100
#define FORK_LOG_MS   10000
/* After workers were told to end now, or should have ended by themselves. */
#define KILL_MS  1000
#define GRACE_MS 2000
/* As a shell says that SIGINT has ended a program; with -W. */
#define STATUS_INTERRUPTED 130

/* --- logs --- */

void master_use_log(struct master *m)
{
    const struct config_global *g = &m->current->global;
    struct log_sink *sink = resources_log(&m->resources, &g->log);

    log_use(sink, g->log_level, g->log_format);
    if (m->start->options->is_debug)
        log_use(NULL, LOG_DEBUG, LOG_TEXT);
    panic_set_fd(g->log.kind == LOG_FILE ? log_fd(sink) : -1);
}

static void tell_renewed(void *to, const struct resource *log)
{
    struct master *m = to;
    struct message message = {
        .kind = MESSAGE_LOG,
        .number = log->log_kind,
        .text = {log->name, log->name_n},
        .fds = {log->fds[0]        },
        .n_fds = 1,
    };

    children_send(&m->children, &message);
}

/* Not while a bundle is on its way: its logs are nobody's yet. */
void master_reopen_logs(struct master *m)
{
    m->wants_reopen = m->phase == PREPARING || m->phase == COMMITTING;
    if (m->wants_reopen || m->phase == STARTING)
        return;
    resources_reopen_logs(&m->resources, tell_renewed, m);
    master_use_log(m);
}

/* --- workers --- */

static void send_number(struct child *c, enum message_kind kind, uint64_t number)
{
    struct message m = {.kind = kind, .number = number};

    child_send(c, &m);
}

void master_tell_all(struct master *m, enum message_kind kind, uint64_t number)
{
    struct message message = {.kind = kind, .number = number};

    children_send(&m->children, &message);
}

void master_stop(struct master *m, int exit_status)
{
    m->exit_status = exit_status;
    loop_stop(m->loop);
}

static void cannot_fork(struct master *m, const struct child *c)
{
    int error = errno;

    if (m->fork_logged_ms == 0 || loop_now(m->loop) - m->fork_logged_ms >= FORK_LOG_MS) {
        log_message(LOG_ERROR, "cannot fork worker %u: %s", c->index, strerror(error));
        m->fork_logged_ms = loop_now(m->loop);
    }
    loop_timer_set(m->loop, &m->fork_again, FORK_AGAIN_MS);
}

void master_respawn(struct master *m, struct child *c)
{
    if (m->phase == STOPPING || m->phase == STARTING)
        return;
    if (m->children.is_given_up) {
        if (children_alive(&m->children) > 0)
            return;
        log_message(LOG_ERROR, "no worker is left: holdfast ends");
        master_stop(m, 1);
        return;
    }
    if (!child_fork(c)) {
        cannot_fork(m, c);
        return;
    }
    log_message(LOG_NOTICE, "worker %u is process %d now", c->index, c->pid);
    child_send_parcel(c, &m->in_force);
    send_number(c, MESSAGE_COMMIT, m->in_force.number);
    if (m->phase == PREPARING) /* it is asked like all others */
        child_send_parcel(c, &m->proposed);
}

void master_respawn_all(struct master *m)
{
    for (unsigned i = 0; i < m->children.n; i++)
        if (m->children.all[i].pid == 0)
            master_respawn(m, &m->children.all[i]);
}

static void fork_again_fired(struct timer *t)
{
    master_respawn_all(list_owner(t, struct master, fork_again));
}

void master_started(struct master *m)
{
    m->has_started = true;
    m->phase = SERVING;
    pack_reset(&m->start->answers); /* the bundle has them */
    if (!pid_file_write(&m->start->pid_file)) {
        process_say_errno("cannot write the pid file");
        master_stop(m, 1);
        return;
    }
    log_message(LOG_NOTICE, "holdfast " HOLDFAST_VERSION " is ready");
    m->alive_every_ms = notify_alive_every_ms();
    if (m->alive_every_ms > 0)
        loop_timer_set(m->loop, &m->alive, m->alive_every_ms);
    process_is_ready();
    notify_ready("Serving");
    reload_if_wanted(m);
}

/* Spools and logs that a reload has left are closed when nobody needs them. */
static void sweep_again_fired(struct timer *t)
{
    struct master *m = list_owner(t, struct master, sweep_again);

    if (resources_sweep(&m->resources,
                        rows_generations(m->children.rows) > children_alive(&m->children)))
        loop_timer_set(m->loop, t, SWEEP_AGAIN_MS);
}

static void on_death(struct child *c, int status)
{
    struct master *m = list_owner(c->children, struct master, children);

    resources_clear_row(&m->resources, c->index);
    if (m->phase != STOPPING)
        reload_on_death(m, c, status);
    else if (children_alive(&m->children) == 0)
        loop_stop(m->loop);
}

static void on_stranger(struct children *children, pid_t pid, int status)
{
    struct master *m = list_owner(children, struct master, children);

    if (pid == m->loader.pid)
        reload_on_loaded(m, status);
}

static void on_control_reload(struct control *control)
{
    reload_ask(list_owner(control, struct master, control));
}

/* --- the end --- */

/* Accepting ends, and whatever was going on. */
static void begin_to_stop(struct master *m)
{
    reload_drop(m);
    m->phase = STOPPING;
    m->children.is_ending = true;
    control_end(&m->control);
    children_forget_parcel(&m->children, &m->in_force); /* its sockets are closed below */
    notify_stopping();
    log_message(LOG_NOTICE, "shutting down: %u connections to finish",
                (unsigned)rows_fronts(m->children.rows));
    resources_close_binds(&m->resources);
    if (children_alive(&m->children) == 0)
        loop_stop(m->loop);
}

static void end_now(struct master *m)
{
    if (m->phase != STOPPING)
        begin_to_stop(m);
    if (m->is_ending_now)
        return; /* KILL_MS count from the first time */
    m->is_ending_now = true;
    master_tell_all(m, MESSAGE_END, 0);
    loop_timer_set(m->loop, &m->bound, KILL_MS);
}

/* Let the workers finish, for most_ms; also where they finish already, with another bound. */
static void drain(struct master *m, uint32_t most_ms)
{
    if (m->phase != STOPPING)
        begin_to_stop(m);
    m->has_bound = most_ms != UINT32_MAX;
    master_tell_all(m, MESSAGE_DRAIN, most_ms);
    loop_timer_set(m->loop, &m->bound,
                   most_ms > UINT32_MAX - GRACE_MS ? UINT32_MAX : most_ms + GRACE_MS);
}

/* A second one ends it. After a QUIT the first sets a bound. */
static void on_term(struct master *m, uint32_t most_ms)
{
    if (m->phase == STOPPING && (m->has_bound || m->is_ending_now))
        end_now(m);
    else
        drain(m, most_ms);
}

/* It takes no bound away. */
static void on_quit(struct master *m)
{
    if (m->phase != STOPPING)
        drain(m, UINT32_MAX);
}

static void bound_fired(struct timer *t)
{
    struct master *m = list_owner(t, struct master, bound);

    if (m->phase == STOPPING)
        children_kill(&m->children, SIGKILL);
    else
        reload_on_bound(m);
}

static void on_signal(struct signals *signals, int number)
{
    struct master *m = list_owner(signals, struct master, signals);
    const struct config *c = m->current != NULL ? m->current : m->start->config;

    switch (number) {
    case SIGCHLD: children_reap(&m->children); break;
    case SIGHUP: reload_ask(m); break;
    case SIGUSR1: master_reopen_logs(m); break;
    case SIGTERM: on_term(m, c->global.shutdown_timeout_ms); break;
    case SIGQUIT: on_quit(m); break;
    case SIGINT:
        if (m->start->options->is_master)
            m->exit_status = STATUS_INTERRUPTED;
        end_now(m);
        break;
    }
}

static void alive_fired(struct timer *t)
{
    struct master *m = list_owner(t, struct master, alive);

    notify_alive();
    loop_timer_set(m->loop, &m->alive, m->alive_every_ms);
}

/* --- the start --- */

static bool may_become_user(const struct config_global *g)
{
    errno = EPERM;
    return !g->has_user || geteuid() == 0 || geteuid() == g->uid;
}

/* What a worker would else load from disk, now that it is ours to do so. */
static void load_for_workers(void)
{
    tzset();
    panic_prepare();
}

static bool master_init(struct master *m, unsigned n_workers)
{
    const struct start *s = m->start;

    m->in_force.text_fd = -1;
    m->proposed.text_fd = -1;
    timer_init(&m->bound, bound_fired);
    timer_init(&m->fork_again, fork_again_fired);
    timer_init(&m->sweep_again, sweep_again_fired);
    timer_init(&m->alive, alive_fired);
    resources_init(&m->resources, &s->opener.opener, n_workers);
    m->loop = loop_new(process_poller(&s->config->global) == POLLER_EPOLL ? LOOP_EPOLL : LOOP_POLL);
    if (m->loop == NULL || !children_init(&m->children, m->loop, n_workers))
        return process_say_errno("cannot start");
    m->children.global = &s->config->global;
    m->children.is_debug = s->options->is_debug;
    m->children.on_message = reload_on_message;
    m->children.on_death = on_death;
    m->children.on_stranger = on_stranger;
    return signals_watch(&m->signals, m->loop, on_signal) ||
           process_say_errno("cannot watch for signals");
}

static bool open_control(struct master *m)
{
    const char *pid_path = m->start->pid_file.path;

    if (pid_path[0] == '\0' || control_open(&m->control, m->loop, pid_path, on_control_reload))
        return true;
    return process_say_errno("cannot listen beside the pid file");
}

/* Sockets and files, then workers, who are given them. The pid file is written when they serve. */
static bool master_start(struct master *m)
{
    struct generation_errors errors = {.failed = report_print_failure};
    struct start *s = m->start;

    if (!may_become_user(&s->config->global))
        return process_say_errno("cannot change to the configured user");
    if (!start_open_pid_file(s))
        return false;
    load_for_workers();
    for (unsigned i = 0; i < m->children.n; i++)
        if (!child_fork(&m->children.all[i]))
            return process_say_errno("cannot fork a worker");
    return reload_propose(m, config_ref(s->config), &s->answers, &errors) && open_control(m);
}

/* Who is left, after a start that failed. As process 1 we have other children too. */
static void end_children(struct children *all)
{
    children_kill(all, SIGKILL);
    for (unsigned i = 0; i < all->n; i++)
        if (all->all[i].pid > 0)
            waitpid(all->all[i].pid, NULL, 0);
}

static void master_end(struct master *m)
{
    log_use(NULL, LOG_INFO, LOG_TEXT); /* the configured sink goes with the resources */
    panic_set_fd(-1);
    end_children(&m->children);
    control_close(&m->control);
    children_reset(&m->children);
    resources_reset(&m->resources);
    parcel_reset(&m->in_force);
    parcel_reset(&m->proposed);
    config_unref(m->pending);
    config_unref(m->current);
    loop_timer_remove(m->loop, &m->bound);
    loop_timer_remove(m->loop, &m->fork_again);
    loop_timer_remove(m->loop, &m->sweep_again);
    loop_timer_remove(m->loop, &m->alive);
    signals_end(&m->signals, m->loop);
    loop_free(m->loop);
    pid_file_remove(&m->start->pid_file);
}

int master_run(struct start *start, unsigned n_workers)
{
    static struct master m; /* large, and one a process */

    m.start = start;
    if (!master_init(&m, n_workers))
        return 1;
    if (master_start(&m))
        loop_run(m.loop);
    else
        m.exit_status = 1;
    master_end(&m);
    return m.exit_status;
}

/*
 * master - owns privilege, sockets, files and logs; forks workers, and gives them generations.
 */
#include "proc/master.h"

#include "base/log.h"
#include "base/panic.h"
#include "base/pool.h"
#include "conf/files_record.h"
#include "proc/child.h"
#include "proc/control.h"
#include "proc/loader.h"
#include "proc/notify.h"
#include "proc/process.h"
#include "proc/report.h"
#include "proc/resources.h"
#include "proc/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Reading the file, and asking name servers: not as long as `-s reload` waits. */
#define LOAD_MS 100000
/* A worker that has said nothing of a bundle after this long never will. */
#define ANSWER_MS 30000
/* A bundle is sent anew where workers die meanwhile, unless it is what kills them: that many by
 * their own fault, or that many in all, since the kernel that is out of memory kills from outside.
 */
#define FAULTS_MAX   2
#define ATTEMPTS_MAX 5
/* After a fork that failed. */
#define FORK_AGAIN_MS 100
/* Bodies in a spool that is no longer configured: how often they are looked for. */
#define SWEEP_AGAIN_MS 1000
/* After workers were told to end now, or should have ended by themselves. */
#define KILL_MS  1000
#define GRACE_MS 2000
/* As a shell says that SIGINT has ended a program; with -W. */
#define STATUS_INTERRUPTED 130
#define LINE_MAX_BYTES     256

enum phase { STARTING, SERVING, LOADING, PREPARING, COMMITTING, STOPPING };

struct master {
    struct start *start;
    struct loop *loop;
    struct signals signals;
    struct control control;
    struct resources resources;
    struct children children;
    struct loader loader; /* while LOADING */
    enum phase phase;
    bool has_started;       /* the first generation is in force */
    struct config *current; /* NULL before that */
    struct parcel in_force; /* its bundle */
    struct config *pending; /* while STARTING or PREPARING */
    struct parcel proposed; /* likewise */
    uint64_t last_number;
    unsigned n_attempts;
    unsigned n_faults; /* deaths at these attempts, of workers' own fault */
    bool wants_reload; /* asked for meanwhile */
    bool wants_reopen;
    struct timer bound; /* of whatever the phase waits for */
    struct timer fork_again;
    struct timer sweep_again;
    struct timer alive; /* the service manager's watchdog */
    uint32_t alive_every_ms;
    int exit_status;
    struct report report;
};

static void reload(struct master *m);

/* --- logs --- */

static void use_log(struct master *m)
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
static void reopen_logs(struct master *m)
{
    m->wants_reopen = m->phase == PREPARING || m->phase == COMMITTING;
    if (m->wants_reopen || m->phase == STARTING)
        return;
    resources_reopen_logs(&m->resources, &m->current->global, tell_renewed, m);
    use_log(m);
}

/* --- workers --- */

static void send_number(struct child *c, enum message_kind kind, uint64_t number)
{
    struct message m = {.kind = kind, .number = number};

    child_send(c, &m);
}

static void send_number_to_all(struct master *m, enum message_kind kind, uint64_t number)
{
    struct message message = {.kind = kind, .number = number};

    children_send(&m->children, &message);
}

static void stop_loop(struct master *m, int status)
{
    m->exit_status = status;
    loop_stop(m->loop);
}

/* Fill an empty place with a worker of the generation in force. */
static void respawn(struct master *m, struct child *c)
{
    if (m->phase == STOPPING || m->phase == STARTING)
        return;
    if (m->children.is_given_up) {
        if (children_alive(&m->children) > 0)
            return;
        log_message(LOG_ERROR, "no worker is left: holdfast ends");
        stop_loop(m, 1);
        return;
    }
    if (!child_fork(c)) {
        log_message(LOG_ERROR, "cannot fork worker %u: %s", c->index, strerror(errno));
        loop_timer_set(m->loop, &m->fork_again, FORK_AGAIN_MS);
        return;
    }
    log_message(LOG_NOTICE, "worker %u is process %d now", c->index, c->pid);
    child_send_parcel(c, &m->in_force);
    send_number(c, MESSAGE_COMMIT, m->in_force.number);
    if (m->phase == PREPARING) /* it is asked like all others */
        child_send_parcel(c, &m->proposed);
}

static void respawn_all(struct master *m)
{
    for (unsigned i = 0; i < m->children.n; i++)
        if (m->children.all[i].pid == 0)
            respawn(m, &m->children.all[i]);
}

static void fork_again_fired(struct timer *t)
{
    respawn_all(list_owner(t, struct master, fork_again));
}

static bool all_have(const struct master *m, bool is_commit, uint64_t number)
{
    for (unsigned i = 0; i < m->children.n; i++) {
        const struct child *c = &m->children.all[i];

        if (c->pid > 0 && (is_commit ? c->in_force : c->ready) != number)
            return false;
    }
    return true;
}

/* --- a generation: proposed, then in force or forgotten --- */

static void send_proposal(struct master *m)
{
    m->proposed.number = ++m->last_number;
    m->n_attempts++;
    loop_timer_set(m->loop, &m->bound, ANSWER_MS);
    for (unsigned i = 0; i < m->children.n; i++)
        child_send_parcel(&m->children.all[i], &m->proposed);
}

/* Open what c names, and make a bundle of it; takes the reference. False: nothing is left of it. */
static bool propose(struct master *m, struct config *c, const struct pack *answers,
                    struct generation_errors *errors)
{
    if (resources_prepare(&m->resources, c, errors)) {
        if (parcel_make(&m->proposed, 0, &m->resources, m->start->options->config_path, answers)) {
            m->pending = c;
            m->n_attempts = 0;
            m->n_faults = 0;
            send_proposal(m);
            return true;
        }
        generation_error(errors, NULL, "cannot make a bundle for the workers: %s", strerror(errno));
    }
    resources_cancel(&m->resources);
    config_unref(c);
    return false;
}

static void abort_proposal(struct master *m)
{
    children_forget_parcel(&m->children, &m->proposed);
    send_number_to_all(m, MESSAGE_ABORT, m->proposed.number);
}

static void forget_proposal(struct master *m)
{
    timer_stop(&m->bound);
    abort_proposal(m);
    resources_cancel(&m->resources);
    parcel_reset(&m->proposed);
    config_unref(m->pending);
    m->pending = NULL;
}

/* The reload is over, whatever came of it: what was asked for meanwhile is due. */
static void settle(struct master *m, bool is_done)
{
    m->phase = SERVING;
    if (is_done)
        log_message(LOG_NOTICE, "reload: the new configuration is in force");
    else
        log_message(LOG_ERROR, "reload: failed; the old configuration stays in force");
    notify_ready(is_done ? "Serving" : "Reload failed; the old configuration is in force");
    control_answer(&m->control, is_done, &m->report);
    if (m->wants_reopen)
        reopen_logs(m);
    if (m->wants_reload || control_is_asked(&m->control))
        reload(m);
}

/* What stood in the way has been reported. */
static void give_up_proposal(struct master *m)
{
    bool is_start = m->phase == STARTING;

    forget_proposal(m);
    if (is_start)
        stop_loop(m, 1);
    else
        settle(m, false);
}

static void started(struct master *m)
{
    m->has_started = true;
    m->phase = SERVING;
    pack_reset(&m->start->answers); /* the bundle has them */
    if (!pid_file_write(&m->start->pid_file)) {
        process_say_errno("cannot write the pid file");
        stop_loop(m, 1);
        return;
    }
    log_message(LOG_NOTICE, "holdfast " HOLDFAST_VERSION " is ready");
    m->alive_every_ms = notify_alive_every_ms();
    if (m->alive_every_ms > 0)
        loop_timer_set(m->loop, &m->alive, m->alive_every_ms);
    process_is_ready();
    notify_ready("Serving");
    if (m->wants_reload || control_is_asked(&m->control))
        reload(m);
}

static void settle_if_committed(struct master *m)
{
    if (m->phase != COMMITTING || !all_have(m, true, m->in_force.number))
        return;
    timer_stop(&m->bound);
    if (m->has_started)
        settle(m, true);
    else
        started(m);
}

/* Spools that a reload has left are closed when their last body has gone. */
static void sweep_again_fired(struct timer *t)
{
    struct master *m = list_owner(t, struct master, sweep_again);

    if (resources_sweep(&m->resources))
        loop_timer_set(m->loop, &m->sweep_again, SWEEP_AGAIN_MS);
}

/* Every worker has prepared it: the one decision. */
static void commit_if_prepared(struct master *m)
{
    if ((m->phase != STARTING && m->phase != PREPARING) || !all_have(m, false, m->proposed.number))
        return;
    if (m->current != NULL)
        report_fixed(&m->current->global, &m->pending->global);
    log_use(NULL, LOG_INFO, LOG_TEXT); /* the sink in use may be closed with its configuration */
    parcel_reset(&m->in_force);
    m->in_force = m->proposed;
    m->proposed = (struct parcel){.text_fd = -1};
    config_unref(m->current);
    m->current = m->pending;
    m->pending = NULL;
    resources_commit(&m->resources, m->current);
    loop_timer_set(m->loop, &m->sweep_again, SWEEP_AGAIN_MS);
    use_log(m);
    m->phase = COMMITTING;
    loop_timer_set(m->loop, &m->bound, ANSWER_MS);
    send_number_to_all(m, MESSAGE_COMMIT, m->in_force.number);
    m->children.is_given_up = false;
    m->children.n_deaths = 0;
    respawn_all(m);
    settle_if_committed(m);
}

/* A worker's words, without what would forge lines or move a terminal's cursor. NULL: no memory. */
static char *printable(struct str text)
{
    char *copy = memory_get(text.n + 1);

    for (size_t i = 0; copy != NULL && i < text.n; i++) {
        bool is_control = (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f;

        copy[i] = is_control && text.p[i] != '\n' && text.p[i] != '\t' ? '?' : text.p[i];
    }
    return copy;
}

static void report_refusal(struct master *m, struct str text)
{
    char *copy = printable(text);
    struct str reasons = {copy, copy == NULL ? 0 : text.n};

    if (m->phase != STARTING)
        report_errors(&m->report, reasons);
    else
        fprintf(stderr, "%s%.*s", str_starts_with(reasons, STR("error:")) ? "holdfast: " : "",
                STR_ARG(reasons));
    memory_put(copy);
}

/* May this child refuse what it names? Once, and not what it has taken. */
static bool may_refuse(struct child *c, uint64_t number)
{
    if (c->refused == number || (c->in_force == number && number != 0)) {
        log_message(LOG_ERROR, "worker %u (%d) refuses out of turn; it is killed", c->index,
                    (int)c->pid);
        kill(c->pid, SIGKILL);
        return false;
    }
    c->refused = number;
    return true;
}

/* The first refusal of a bundle decides; a successor may refuse what is in force. */
static void refused(struct master *m, struct child *c, const struct message *message)
{
    bool is_undecided = m->phase == STARTING || m->phase == PREPARING;
    bool is_proposal = is_undecided && (message->number == m->proposed.number ||
                                        message->number == 0); /* it never saw which */

    if (!may_refuse(c, message->number))
        return;
    if (is_proposal || message->number == m->in_force.number)
        report_refusal(m, message->text);
    if (is_proposal)
        give_up_proposal(m);
}

static void on_message(struct child *c, const struct message *message)
{
    struct master *m = list_owner(c->children, struct master, children);

    switch (message->kind) {
    case MESSAGE_BUSY: /* it is slow, and not silent */
        if (m->phase == PREPARING && message->number == m->proposed.number)
            loop_timer_set(m->loop, &m->bound, ANSWER_MS);
        return;
    case MESSAGE_READY:
        c->ready = message->number;
        commit_if_prepared(m);
        return;
    case MESSAGE_DONE:
        c->in_force = message->number;
        settle_if_committed(m);
        return;
    case MESSAGE_REFUSED: refused(m, c, message); return;
    case MESSAGE_PREPARE:
    case MESSAGE_DESCRIPTORS:
    case MESSAGE_COMMIT:
    case MESSAGE_ABORT:
    case MESSAGE_LOG:
    case MESSAGE_DRAIN:
    case MESSAGE_END:
    case MESSAGE_N: return;
    }
}

/* Its successor has the generation in force, and is asked again like all others. */
static void died_while_preparing(struct master *m, struct child *c, int status)
{
    m->n_faults += child_is_at_fault(c, status);
    if (m->n_faults < FAULTS_MAX && m->n_attempts < ATTEMPTS_MAX && !m->children.is_given_up) {
        abort_proposal(m);
        respawn(m, c);
        send_proposal(m);
        return;
    }
    report_error(&m->report, STR("error: a worker died when it was given the new configuration"));
    forget_proposal(m);
    m->phase = SERVING; /* for the successor */
    respawn(m, c);
    settle(m, false);
}

static void on_death(struct child *c, int status)
{
    struct master *m = list_owner(c->children, struct master, children);

    resources_clear_row(&m->resources, c->index);
    switch (m->phase) {
    case STARTING: stop_loop(m, 1); return;
    case PREPARING: died_while_preparing(m, c, status); return;
    case COMMITTING:
        respawn(m, c);
        settle_if_committed(m);
        return;
    case SERVING:
    case LOADING: respawn(m, c); return;
    case STOPPING:
        if (children_alive(&m->children) == 0)
            loop_stop(m->loop);
        return;
    }
}

/* --- reload --- */

static void fail_to_load(struct master *m, const char *why)
{
    char text[LINE_MAX_BYTES];

    snprintf(text, sizeof(text), "cannot load the configuration: %s", why);
    report_failure(&m->report, NULL, text);
    settle(m, false);
}

static void reload(struct master *m)
{
    m->wants_reload = m->phase != SERVING && m->phase != STOPPING;
    if (m->phase != SERVING)
        return;
    m->phase = LOADING;
    control_begin(&m->control);
    notify_reloading();
    report_reset(&m->report);
    loop_timer_set(m->loop, &m->bound, LOAD_MS);
    if (!loader_start(&m->loader, m->start->options->config_path))
        fail_to_load(m, strerror(errno));
}

/* The world has been asked: what is compiled from its answers is what the workers will compile. */
static void propose_loaded(struct master *m, const struct pack *answers)
{
    struct generation_errors errors = {.failed = report_failure, .to = &m->report};
    struct files_replayer replayer;
    struct unpack rest;
    bool has_strayed;
    struct config *c;

    unpack_init(&rest, (struct str){answers->bytes, answers->n});
    files_replayer_init(&replayer, &rest, &has_strayed);
    c = report_compile(&m->report, m->start->options->config_path, &replayer.files);
    m->phase = PREPARING;
    if (c == NULL || !propose(m, c, answers, &errors))
        settle(m, false);
}

static void loaded(struct master *m, int status)
{
    struct pack answers;
    const char *why;

    timer_stop(&m->bound);
    pack_init(&answers);
    why = loader_take(&m->loader, status, &answers);
    if (why == NULL)
        propose_loaded(m, &answers);
    else
        fail_to_load(m, why);
    pack_reset(&answers);
}

static void on_stranger(struct children *children, pid_t pid, int status)
{
    struct master *m = list_owner(children, struct master, children);

    if (pid == m->loader.pid)
        loaded(m, status);
}

static void on_control_reload(struct control *control)
{
    reload(list_owner(control, struct master, control));
}

/* --- the end --- */

/* Accepting ends, and whatever was going on. */
static void begin_to_stop(struct master *m)
{
    if (m->pending != NULL)
        forget_proposal(m);
    loader_stop(&m->loader);
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
    send_number_to_all(m, MESSAGE_END, 0);
    loop_timer_set(m->loop, &m->bound, KILL_MS);
}

/* Let the workers finish, for most_ms; a second time: end now. */
static void drain(struct master *m, uint32_t most_ms)
{
    if (m->phase == STOPPING) {
        end_now(m);
        return;
    }
    begin_to_stop(m);
    send_number_to_all(m, MESSAGE_DRAIN, most_ms);
    loop_timer_set(m->loop, &m->bound,
                   most_ms > UINT32_MAX - GRACE_MS ? UINT32_MAX : most_ms + GRACE_MS);
}

/*
 * Who has been asked and has not answered will not serve either: its clients are lost, but the next
 * reload is not. Who could not be asked, because descriptors do not get through, serves on.
 */
static void kill_silent(struct master *m)
{
    for (unsigned i = 0; i < m->children.n; i++) {
        const struct child *c = &m->children.all[i];

        if (c->pid <= 0 || c->ready == m->proposed.number)
            continue;
        if (child_is_deaf(c)) {
            log_message(LOG_ERROR, "worker %u (%d) cannot be told: %s", c->index, (int)c->pid,
                        strerror(c->send_error));
            continue;
        }
        log_message(LOG_ERROR, "worker %u (%d) does not answer; it is killed", c->index,
                    (int)c->pid);
        kill(c->pid, SIGKILL);
    }
}

static void bound_fired(struct timer *t)
{
    struct master *m = list_owner(t, struct master, bound);

    switch (m->phase) {
    case LOADING:
        loader_stop(&m->loader);
        fail_to_load(m, "a disk or a name server does not answer");
        return;
    case STARTING:
    case PREPARING:
        report_failure(&m->report, NULL, "a worker does not answer");
        kill_silent(m);
        give_up_proposal(m);
        return;
    case COMMITTING: /* one that cannot commit would go on with the old generation */
        for (unsigned i = 0; i < m->children.n; i++)
            if (m->children.all[i].pid > 0 && m->children.all[i].in_force != m->in_force.number)
                kill(m->children.all[i].pid, SIGKILL);
        return;
    case STOPPING: children_kill(&m->children, SIGKILL); return;
    case SERVING: return;
    }
}

static void on_signal(struct signals *signals, int number)
{
    struct master *m = list_owner(signals, struct master, signals);
    const struct config *c = m->current != NULL ? m->current : m->start->config;

    switch (number) {
    case SIGCHLD: children_reap(&m->children); break;
    case SIGHUP: reload(m); break;
    case SIGUSR1: reopen_logs(m); break;
    case SIGTERM: drain(m, c->global.shutdown_timeout_ms); break;
    case SIGQUIT: drain(m, UINT32_MAX); break;
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
    m->children.on_message = on_message;
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
    return propose(m, config_ref(s->config), &s->answers, &errors) && open_control(m);
}

static void master_end(struct master *m)
{
    log_use(NULL, LOG_INFO, LOG_TEXT); /* the configured sink goes with the resources */
    panic_set_fd(-1);
    children_kill(&m->children, SIGKILL); /* who is left, after a start that failed */
    while (children_alive(&m->children) > 0 && waitpid(-1, NULL, 0) > 0)
        continue;
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

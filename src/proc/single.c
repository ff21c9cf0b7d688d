/*
 * single - one process that does all (`workers 0`).
 */
#include "proc/single.h"

#include "base/log.h"
#include "base/panic.h"
#include "conf/load.h"
#include "io/job.h"
#include "proc/control.h"
#include "proc/drain.h"
#include "proc/notify.h"
#include "proc/process.h"
#include "proc/report.h"
#include "proc/signals.h"
#include "proxy/generation.h"
#include "proxy/worker.h"

#include <signal.h>
#include <stdlib.h>

struct single {
    struct start *start;
    struct worker worker;
    struct signals signals;
    struct drain drain;
    bool has_bound; /* of the drain: shutdown-timeout */
    struct control control;
    struct timer alive; /* the service manager's watchdog */
    uint32_t alive_every_ms;
    struct job job;      /* a configuration is loaded */
    struct diags *diags; /* of that; NULL: no memory for them */
    struct config *loaded;
    bool is_reloading;
    bool wants_reload; /* asked for meanwhile */
    struct report report;
};

/* --- reload --- */

static bool apply(struct single *s, struct config *c)
{
    if (c == NULL || !worker_prepare(&s->worker, c, report_failure, &s->report))
        return false;
    report_fixed(&s->report, &s->start->config->global, &c->global);
    worker_commit(&s->worker);
    return true;
}

static void reload(struct single *s);

static void settle(struct single *s, bool is_done)
{
    s->is_reloading = false;
    if (is_done)
        log_message(LOG_NOTICE, "reload: the new configuration is in force");
    else
        log_message(LOG_ERROR, "reload: failed; the old configuration stays in force");
    notify_ready(is_done ? "Serving" : "Reload failed; the old configuration is in force");
    control_answer(&s->control, is_done, &s->report);
    if (s->wants_reload)
        reload(s);
}

/* What the reload has taken away is gone: another may use its addresses. */
static void on_retired(struct worker *w)
{
    struct single *s = list_owner(w, struct single, worker);

    if (!s->drain.has_begun)
        settle(s, true);
}

static void load(struct job *j)
{
    struct single *s = list_owner(j, struct single, job);

    if (s->diags != NULL)
        s->loaded = config_load(s->start->options->config_path, &files_disk, s->diags);
}

static void loaded(struct job *j)
{
    struct single *s = list_owner(j, struct single, job);
    struct config *c = s->loaded;
    bool is_done;

    report_diags(&s->report, s->diags, c == NULL);
    diags_free(s->diags);
    s->loaded = NULL;
    is_done = !s->drain.has_begun && apply(s, c);
    config_unref(c);
    if (!s->drain.has_begun && (!is_done || !worker_is_retiring(&s->worker)))
        settle(s, is_done);
}

/* Beside the loop: a large file, or a name server that does not answer, is not felt by clients. */
static void reload(struct single *s)
{
    s->wants_reload = s->is_reloading;
    if (s->drain.has_begun || s->is_reloading)
        return;
    s->is_reloading = true;
    control_begin(&s->control);
    notify_reloading();
    report_reset(&s->report);
    control_renew(&s->control, &s->report);
    s->diags = diags_new();
    if (job_start(&s->job, s->worker.loop, load, loaded))
        return;
    load(&s->job);
    loaded(&s->job);
}

static void on_control_reload(struct control *c)
{
    reload(list_owner(c, struct single, control));
}

/* --- signals --- */

static void drain(struct single *s, uint32_t most_ms)
{
    if (!s->drain.has_begun) {
        log_message(LOG_NOTICE, "shutting down: %u connections to finish",
                    (unsigned)row_get(&s->worker.row->n_fronts));
        notify_stopping();
        control_end(&s->control);
    }
    drain_start(&s->drain, most_ms);
}

/* A second one ends it. After a QUIT the first sets a bound. */
static void on_term(struct single *s)
{
    if (s->has_bound)
        loop_stop(s->worker.loop);
    else
        drain(s, s->worker.current->config->global.shutdown_timeout_ms);
    s->has_bound = true;
}

/* It takes no bound away. */
static void on_quit(struct single *s)
{
    if (!s->drain.has_begun)
        drain(s, UINT32_MAX);
}

static void on_signal(struct signals *signals, int number)
{
    struct single *s = list_owner(signals, struct single, signals);

    switch (number) {
    case SIGHUP: reload(s); break;
    case SIGUSR1: worker_reopen_logs(&s->worker); break;
    case SIGTERM: on_term(s); break;
    case SIGQUIT: on_quit(s); break;
    case SIGINT: loop_stop(s->worker.loop); break;
    }
}

static void alive_fired(struct timer *t)
{
    struct single *s = list_owner(t, struct single, alive);

    notify_alive();
    loop_timer_set(s->worker.loop, &s->alive, s->alive_every_ms);
}

/* --- the start and the end --- */

static bool open_control(struct single *s)
{
    const char *pid_path = s->start->pid_file.path;

    if (pid_path[0] == '\0' ||
        control_open(&s->control, s->worker.loop, pid_path, on_control_reload))
        return true;
    return process_say_errno("cannot listen beside the pid file");
}

/* In this order: sockets and files, rights, and last the pid file; what is left of it is undone by
 * the end of the process. */
static bool single_start(struct single *s)
{
    const struct config_global *global = &s->start->config->global;
    struct worker_setup setup = {
        .poller = process_poller(global),
        .opener = &s->start->opener.opener,
        .panic_fd = -1,
    };

    if (!worker_init(&s->worker, &setup))
        return process_say_errno("cannot start");
    s->worker.on_retired = on_retired;
    drain_init(&s->drain, &s->worker);
    timer_init(&s->alive, alive_fired);
    if (!signals_watch(&s->signals, s->worker.loop, on_signal))
        return process_say_errno("cannot watch for signals");
    if (!worker_prepare(&s->worker, s->start->config, report_print_failure, NULL))
        return false;
    if (!start_open_pid_file(s->start) || !open_control(s))
        return false;
    if (!process_drop_rights(global))
        return process_say_errno("cannot change to the configured user");
    worker_commit(&s->worker);
    if (s->start->options->is_debug)
        log_use(NULL, LOG_DEBUG, LOG_TEXT);
    if (!pid_file_write(&s->start->pid_file))
        return process_say_errno("cannot write the pid file");
    log_message(LOG_NOTICE, "holdfast " HOLDFAST_VERSION " is ready");
    s->alive_every_ms = notify_alive_every_ms();
    if (s->alive_every_ms > 0)
        loop_timer_set(s->worker.loop, &s->alive, s->alive_every_ms);
    process_is_ready();
    notify_ready("Serving");
    return true;
}

static void single_end(struct single *s)
{
    log_use(NULL, LOG_INFO, LOG_TEXT); /* the configured sink goes with the worker */
    panic_set_fd(-1);
    control_close(&s->control);
    job_leave(&s->job);
    drain_reset(&s->drain);
    loop_timer_remove(s->worker.loop, &s->alive);
    signals_end(&s->signals, s->worker.loop);
    worker_reset(&s->worker);
    pid_file_remove(&s->start->pid_file);
}

int single_run(struct start *start)
{
    static struct single s; /* large, and one a process */

    s.start = start;
    if (!single_start(&s)) {
        worker_cancel(&s.worker);
        control_close(&s.control);
        pid_file_remove(&start->pid_file);
        return 1;
    }
    pack_reset(&start->answers); /* there is nobody to give them to */
    loop_run(s.worker.loop);
    single_end(&s);
    return 0;
}

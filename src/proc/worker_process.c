/*
 * worker_process - a worker under a master: a process that serves, and does what it is told.
 */
#include "proc/worker_process.h"

#include "base/log.h"
#include "base/panic.h"
#include "base/pool.h"
#include "io/job.h"
#include "proc/bundle.h"
#include "proc/channel.h"
#include "proc/drain.h"
#include "proc/outbox.h"
#include "proc/process.h"
#include "proc/signals.h"
#include "proxy/worker.h"

#include <errno.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <unistd.h>

/* How often we say that we still compile. */
#define BUSY_MS 1000
/* After the kernel has had no memory for an answer. */
#define ANSWER_AGAIN_MS 10

/*
 * A bundle on its way, or prepared. Compiling it is a job beside the loop; one whose bundle is
 * forgotten meanwhile comes to its end unheard.
 */
struct preparation {
    struct list link; /* worker_process->forgotten */
    struct grave grave;
    struct worker_process *process;
    struct bundle bundle;
    struct job job;
    struct config *config; /* what came of it, until it is prepared; NULL: nothing */
    bool is_forgotten;
    bool is_prepared;
    size_t n_reasons; /* bytes */
    char reasons[CHANNEL_TEXT_MAX];
};

struct worker_process {
    struct worker worker;
    struct watch channel;
    struct outbox answers;
    struct timer answer_again; /* while they are not sent */
    struct drain drain;
    struct preparation *preparation; /* NULL: none */
    uint64_t committed;              /* the number of the bundle in force */
    struct list forgotten;           /* those whose job still runs */
    struct timer busy;               /* while that of the preparation does */
    bool has_failed;                 /* its first bundle was refused: there is nothing to serve */
    bool is_debug;
    int null_fd;
};

/* --- preparing and committing --- */

static void note_reason(void *to, const struct config_place *place, const char *text)
{
    struct preparation *q = to;
    size_t room = sizeof(q->reasons) - q->n_reasons;
    int n;

    if (place == NULL)
        n = snprintf(q->reasons + q->n_reasons, room, "%s%s\n",
                     strncmp(text, "error: ", 7) == 0 ? "" : "error: ", text);
    else
        n = snprintf(q->reasons + q->n_reasons, room, "%.*s:%u: error: %s\n", STR_ARG(place->file),
                     place->line, text);
    if (n > 0)
        q->n_reasons += (size_t)n < room ? (size_t)n : room;
}

/* Where the master has gone, the channel will tell us. */
static void send_answers(struct worker_process *p)
{
    if (!outbox_send(&p->answers, p->channel.fd) && outbox_may_retry(errno))
        loop_timer_set(p->worker.loop, &p->answer_again, ANSWER_AGAIN_MS);
}

static void answer_again_fired(struct timer *t)
{
    send_answers(list_owner(t, struct worker_process, answer_again));
}

static void answer(struct worker_process *p, enum message_kind kind, uint64_t number,
                   struct str text)
{
    struct message m = {.kind = kind, .number = number, .text = text};

    if (outbox_put(&p->answers, &m)) /* else it takes us for silent */
        send_answers(p);
}

static void preparation_bury(struct grave *g)
{
    memory_put(list_owner(g, struct preparation, grave));
}

static void preparation_free(struct preparation *q)
{
    list_unlink(&q->link);
    config_unref(q->config);
    bundle_reset(&q->bundle);
    loop_bury(q->process->worker.loop, &q->grave);
}

/* Whatever is on its way, or prepared, is not wanted. */
static void cancel(struct worker_process *p)
{
    struct preparation *q = p->preparation;

    p->preparation = NULL;
    if (q == NULL)
        return;
    worker_cancel(&p->worker);
    q->is_forgotten = true;
    if (q->job.is_running)
        list_push_back(&p->forgotten, &q->link);
    else
        preparation_free(q);
}

static void refuse(struct worker_process *p, uint64_t number, struct str reasons)
{
    answer(p, MESSAGE_REFUSED, number, reasons);
    cancel(p);
    if (p->worker.current != NULL)
        return;
    p->has_failed = true;
    loop_stop(p->worker.loop);
}

static void compile(struct job *j)
{
    struct preparation *q = list_owner(j, struct preparation, job);

    q->config = bundle_compile(&q->bundle, note_reason, q);
}

/* It is compiled, or cannot be: bind it to what there is, and say what came of it. */
static void compiled(struct job *j)
{
    struct preparation *q = list_owner(j, struct preparation, job);
    struct worker_process *p = q->process;

    if (q->is_forgotten) {
        preparation_free(q);
        return;
    }
    p->worker.opener = &q->bundle.opener;
    q->is_prepared = q->config != NULL && worker_prepare(&p->worker, q->config, note_reason, q);
    p->worker.opener = NULL;
    if (q->is_prepared)
        answer(p, MESSAGE_READY, q->bundle.number, STR(""));
    else
        refuse(p, q->bundle.number, (struct str){q->reasons, q->n_reasons});
}

/* The master takes silence for the end of us. */
static void busy_fired(struct timer *t)
{
    struct worker_process *p = list_owner(t, struct worker_process, busy);

    if (p->preparation == NULL || !p->preparation->job.is_running)
        return;
    answer(p, MESSAGE_BUSY, p->preparation->bundle.number, STR(""));
    loop_timer_set(p->worker.loop, t, BUSY_MS);
}

/* All descriptors are there. Who serves nobody yet need not do it beside the loop. */
static void compile_if_whole(struct preparation *q)
{
    struct worker *w = &q->process->worker;

    if (!bundle_is_whole(&q->bundle))
        return;
    if (w->current != NULL && job_start(&q->job, w->loop, compile, compiled)) {
        loop_timer_set(w->loop, &q->process->busy, BUSY_MS);
        return;
    }
    compile(&q->job);
    compiled(&q->job);
}

static void begin(struct worker_process *p, struct message *m)
{
    struct preparation *q = memory_get(sizeof(*q));
    uint64_t number = m->number;

    cancel(p);
    if (q == NULL) {
        message_close_fds(m);
        refuse(p, number, STR("error: out of memory\n"));
        return;
    }
    *q = (struct preparation){.process = p, .grave = {.bury = preparation_bury}};
    list_init(&q->link);
    list_init(&q->grave.link);
    p->preparation = q;
    if (bundle_begin(&q->bundle, m, (unsigned)(p->worker.row - p->worker.rows->row))) {
        compile_if_whole(q);
        return;
    }
    note_reason(q, NULL, strerror(errno));
    refuse(p, number, (struct str){q->reasons, q->n_reasons});
}

static void add_descriptors(struct worker_process *p, struct message *m)
{
    struct preparation *q = p->preparation;

    if (q == NULL)
        message_close_fds(m);
    else if (bundle_add(&q->bundle, m))
        compile_if_whole(q);
}

/* It has come without its descriptors: we have no room for them. */
static void on_cut_message(struct worker_process *p, const struct message *m)
{
    bool is_awaited = p->preparation != NULL && p->preparation->bundle.number == m->number;

    if (m->kind == MESSAGE_LOG)
        log_message(LOG_ERROR,
                    "cannot reopen log '%.*s': out of descriptors; the old file is "
                    "written on",
                    STR_ARG(m->text));
    else if (m->kind == MESSAGE_PREPARE || (m->kind == MESSAGE_DESCRIPTORS && is_awaited))
        refuse(p, m->number, STR("error: out of descriptors\n"));
}

/* It is in force, and what it has taken away is gone: another reload may use its addresses. */
static void on_retired(struct worker *w)
{
    struct worker_process *p = list_owner(w, struct worker_process, worker);

    answer(p, MESSAGE_DONE, p->committed, STR(""));
}

static void commit(struct worker_process *p, uint64_t number)
{
    struct preparation *q = p->preparation;

    if (q == NULL || !q->is_prepared || number != q->bundle.number)
        return; /* it was refused */
    worker_commit(&p->worker);
    p->preparation = NULL;
    preparation_free(q);
    if (p->is_debug)
        log_use(NULL, LOG_DEBUG, LOG_TEXT);
    process_leave_terminal(&p->null_fd);
    p->committed = number;
    if (!worker_is_retiring(&p->worker))
        on_retired(&p->worker);
}

/* --- what the master says --- */

static void on_message(struct worker_process *p, struct message *m)
{
    switch (m->kind) {
    case MESSAGE_PREPARE: begin(p, m); return;
    case MESSAGE_DESCRIPTORS: add_descriptors(p, m); return;
    case MESSAGE_COMMIT: commit(p, m->number); return;
    case MESSAGE_ABORT:
        if (p->preparation != NULL && m->number == p->preparation->bundle.number)
            cancel(p);
        return;
    case MESSAGE_LOG:
        if (m->n_fds == 1)
            worker_renew_log(&p->worker, (enum log_kind)m->number, m->text, m->fds[0]);
        break;
    case MESSAGE_DRAIN: drain_start(&p->drain, (uint32_t)m->number); break;
    case MESSAGE_END: loop_stop(p->worker.loop); break;
    case MESSAGE_BUSY:
    case MESSAGE_READY:
    case MESSAGE_REFUSED:
    case MESSAGE_DONE:
    case MESSAGE_N: break;
    }
    message_close_fds(m);
}

static void on_master_gone(struct worker_process *p)
{
    watch_remove(p->worker.loop, &p->channel);
    if (p->worker.current == NULL) {
        loop_stop(p->worker.loop);
        return;
    }
    if (p->drain.has_begun)
        return;
    log_message(LOG_ERROR, "the master is gone: finishing %u connections",
                (unsigned)row_get(&p->worker.row->n_fronts));
    drain_start(&p->drain, p->worker.current->config->global.shutdown_timeout_ms);
}

static void on_channel_ready(struct watch *w)
{
    struct worker_process *p = list_owner(w, struct worker_process, channel);
    char room[CHANNEL_TEXT_MAX];
    struct message m;

    w->ready = 0;
    for (;;) {
        switch (channel_receive(w->fd, &m, room)) {
        case CHANNEL_MESSAGE: on_message(p, &m); break;
        case CHANNEL_AGAIN: return;
        case CHANNEL_ENDED: on_master_gone(p); return;
        case CHANNEL_CUT: on_cut_message(p, &m); break;
        case CHANNEL_BROKEN: break; /* from no master of ours */
        }
    }
}

/* --- the start and the end --- */

/* Close everything that was the master's; standard error and the memory that is shared stay. */
static void close_the_masters(const struct worker_process_setup *s, int null_fd)
{
    const int keep[] = {s->channel, s->panic_fd, null_fd};
    unsigned from = STDERR_FILENO + 1;

    for (;;) {
        unsigned next = ~0u;

        for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
            if (keep[i] >= (int)from && (unsigned)keep[i] < next)
                next = (unsigned)keep[i];
        if (next == ~0u)
            break;
        if (next > from)
            close_range(from, next - 1, 0);
        from = next + 1;
    }
    close_range(from, ~0u, 0);
}

static bool start(struct worker_process *p, const struct worker_process_setup *s)
{
    struct worker_setup setup = {
        .poller = process_poller(s->global),
        .rows = s->rows,
        .index = s->index,
        .panic_fd = s->panic_fd,
    };

    p->is_debug = s->is_debug;
    p->null_fd = process_leave_terminal_fd();
    close_the_masters(s, p->null_fd);
    signals_leave_to_master();
    log_use(NULL, LOG_INFO, LOG_TEXT); /* until there is a configuration; the master's is closed */
    panic_set_fd(s->panic_fd);
    panic_catch_signals();
    if (!process_drop_to_worker(s->global))
        return process_say_errno("cannot change to the configured user");
    if (!worker_init(&p->worker, &setup))
        return process_say_errno("a worker cannot start");
    p->worker.on_retired = on_retired;
    drain_init(&p->drain, &p->worker);
    list_init(&p->forgotten);
    timer_init(&p->busy, busy_fired);
    outbox_init(&p->answers);
    timer_init(&p->answer_again, answer_again_fired);
    watch_init(&p->channel, s->channel, true, on_channel_ready);
    p->channel.want = EVENT_IN;
    return watch_register(p->worker.loop, &p->channel) ||
           process_say_errno("a worker cannot start");
}

static void end(struct worker_process *p)
{
    log_use(NULL, LOG_INFO, LOG_TEXT); /* the configured sink goes with the worker */
    drain_reset(&p->drain);
    loop_timer_remove(p->worker.loop, &p->busy);
    loop_timer_remove(p->worker.loop, &p->answer_again);
    outbox_reset(&p->answers);
    watch_remove(p->worker.loop, &p->channel);
    cancel(p);
    list_each(at, keep, &p->forgotten) job_leave(&list_owner(at, struct preparation, link)->job);
    worker_reset(&p->worker);
    close(p->channel.fd);
}

int worker_process_run(const struct worker_process_setup *setup)
{
    static struct worker_process p; /* large, and one a process */

    if (!start(&p, setup))
        return 1;
    loop_run(p.worker.loop);
    end(&p);
    return p.has_failed ? 1 : 0;
}

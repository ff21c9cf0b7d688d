/*
 * worker_process - a worker under a master: a process that serves, and does what it is told.
 */
#include "proc/worker_process.h"

#include "base/log.h"
#include "base/panic.h"
#include "proc/bundle.h"
#include "proc/channel.h"
#include "proc/drain.h"
#include "proc/process.h"
#include "proc/signals.h"
#include "proxy/worker.h"

#include <errno.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <unistd.h>

struct worker_process {
    struct worker worker;
    struct watch channel;
    struct drain drain;
    struct bundle bundle; /* on its way, or prepared */
    bool is_prepared;
    bool has_failed; /* its first bundle was refused: there is nothing to serve */
    bool is_debug;
    int null_fd;
    size_t n_reasons; /* bytes */
    char reasons[CHANNEL_TEXT_MAX];
};

/* --- preparing and committing --- */

static void note_reason(void *to, const struct config_place *place, const char *text)
{
    struct worker_process *p = to;
    size_t room = sizeof(p->reasons) - p->n_reasons;
    int n;

    if (place == NULL)
        n = snprintf(p->reasons + p->n_reasons, room, "%s%s\n",
                     strncmp(text, "error: ", 7) == 0 ? "" : "error: ", text);
    else
        n = snprintf(p->reasons + p->n_reasons, room, "%.*s:%u: error: %s\n", STR_ARG(place->file),
                     place->line, text);
    if (n > 0)
        p->n_reasons += (size_t)n < room ? (size_t)n : room;
}

static void answer(struct worker_process *p, enum message_kind kind, uint64_t number,
                   struct str text)
{
    struct message m = {.kind = kind, .number = number, .text = text};

    if (!channel_send(p->channel.fd, &m)) {
        /* the master has gone, which the channel will tell us */
    }
}

static void refuse(struct worker_process *p, uint64_t number)
{
    bundle_reset(&p->bundle);
    answer(p, MESSAGE_REFUSED, number, (struct str){p->reasons, p->n_reasons});
    if (p->worker.current != NULL)
        return;
    p->has_failed = true;
    loop_stop(p->worker.loop);
}

static bool prepare(struct worker_process *p)
{
    struct config *c = bundle_compile(&p->bundle, note_reason, p);
    bool ok;

    if (c == NULL)
        return false;
    p->worker.opener = &p->bundle.opener;
    ok = worker_prepare(&p->worker, c, note_reason, p);
    p->worker.opener = NULL;
    config_unref(c);
    return ok;
}

/* All descriptors are there: compile, and say what came of it. */
static void prepare_if_whole(struct worker_process *p)
{
    uint64_t number = p->bundle.number;

    if (!bundle_is_whole(&p->bundle))
        return;
    p->is_prepared = prepare(p);
    if (!p->is_prepared) {
        refuse(p, number);
        return;
    }
    answer(p, MESSAGE_READY, number, STR(""));
}

static void cancel(struct worker_process *p)
{
    worker_cancel(&p->worker);
    bundle_reset(&p->bundle);
    p->is_prepared = false;
}

static void begin(struct worker_process *p, struct message *m)
{
    uint64_t number = m->number;

    cancel(p);
    p->n_reasons = 0;
    if (bundle_begin(&p->bundle, m, (unsigned)(p->worker.row - p->worker.rows->row))) {
        prepare_if_whole(p);
        return;
    }
    note_reason(p, NULL, strerror(errno));
    refuse(p, number);
}

static void commit(struct worker_process *p, uint64_t number)
{
    if (!p->is_prepared || number != p->bundle.number)
        return; /* it was refused */
    worker_commit(&p->worker);
    bundle_reset(&p->bundle);
    p->is_prepared = false;
    if (p->is_debug)
        log_use(NULL, LOG_DEBUG, LOG_TEXT);
    process_leave_terminal(&p->null_fd);
    answer(p, MESSAGE_DONE, number, STR(""));
}

/* --- what the master says --- */

static void on_message(struct worker_process *p, struct message *m)
{
    switch (m->kind) {
    case MESSAGE_PREPARE: begin(p, m); return;
    case MESSAGE_DESCRIPTORS:
        if (bundle_add(&p->bundle, m))
            prepare_if_whole(p);
        return;
    case MESSAGE_COMMIT: commit(p, m->number); return;
    case MESSAGE_ABORT:
        if (m->number == p->bundle.number)
            cancel(p);
        return;
    case MESSAGE_LOG:
        if (m->n_fds == 1)
            worker_renew_log(&p->worker, (enum log_kind)m->number, m->text, m->fds[0]);
        break;
    case MESSAGE_DRAIN: drain_start(&p->drain, (uint32_t)m->number); break;
    case MESSAGE_END: loop_stop(p->worker.loop); break;
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
        case CHANNEL_BROKEN:
            p->n_reasons = 0;
            note_reason(p, NULL, "out of descriptors");
            refuse(p, p->bundle.number);
            break;
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
    drain_init(&p->drain, &p->worker);
    watch_init(&p->channel, s->channel, true, on_channel_ready);
    p->channel.want = EVENT_IN;
    return watch_register(p->worker.loop, &p->channel) ||
           process_say_errno("a worker cannot start");
}

static void end(struct worker_process *p)
{
    log_use(NULL, LOG_INFO, LOG_TEXT); /* the configured sink goes with the worker */
    drain_reset(&p->drain);
    watch_remove(p->worker.loop, &p->channel);
    cancel(p);
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

/*
 * worker - everything that one process serving traffic has.
 */
#include "proxy/worker.h"

#include "base/log.h"
#include "base/panic.h"
#include "http/h1.h"
#include "proxy/listener.h"
#include "proxy/server.h"
#include "proxy/txn.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/resource.h>

/* Free connection objects kept: a burst of new connections costs no malloc. */
#define CONNS_KEPT_MAX 256

static void accept_timer_fired(struct timer *t)
{
    struct worker *w = list_owner(t, struct worker, accept_timer);

    listeners_resume(w);
    if (!w->is_accepting && !w->is_draining)
        loop_timer_set(w->loop, &w->accept_timer, LISTENER_RETRY_MS);
}

static void retire_timer_fired(struct timer *t)
{
    struct worker *w = list_owner(t, struct worker, retire_timer);

    listeners_retire(w);
    if (w->on_retired != NULL)
        w->on_retired(w);
}

/* Descriptors that are neither connections nor files: listeners, logs, spools, pipes, the loop. */
#define FDS_BESIDE 24
/* A client's own, its body's spool file or the file that it is sent, its connection to a server. */
#define FDS_PER_CLIENT 3
/* What a tunnel has beyond that: two pipes in place of a spool file. */
#define FDS_PER_TUNNEL 3

static unsigned fds_for_traffic(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur > UINT32_MAX)
        return UINT32_MAX;
    return files.rlim_cur > 2 * FDS_BESIDE ? (unsigned)files.rlim_cur - FDS_BESIDE
                                           : (unsigned)files.rlim_cur / 2;
}

bool worker_has_descriptors(const struct worker *w)
{
    uint64_t used = row_get(&w->row->n_fronts) * FDS_PER_CLIENT + w->n_pooled +
                    row_get(&w->row->n_in_state[TXN_TUNNEL]) * FDS_PER_TUNNEL;

    if (w->current != NULL)
        used += w->current->config->n_directories;
    return used + FDS_PER_CLIENT <= w->max_fds;
}

bool worker_init(struct worker *w, const struct worker_setup *setup)
{
    *w = (struct worker){
        .is_accepting = true,
        .max_fds = fds_for_traffic(),
        .opener = setup->opener,
        .rows = setup->rows,
        .has_own_rows = setup->rows == NULL,
        .panic_fd = setup->panic_fd,
    };
    list_init(&w->listeners);
    list_init(&w->backends);
    list_init(&w->txns);
    list_init(&w->generations);
    list_init(&w->free_txns);
    bufs_init(&w->bufs, WORKER_BUFS_BUDGET);
    pool_init(&w->conns, "conn", h1_object_bytes(), 0, CONNS_KEPT_MAX);
    timer_init(&w->accept_timer, accept_timer_fired);
    timer_init(&w->retire_timer, retire_timer_fired);
    if (getrandom(w->request_id_key, sizeof(w->request_id_key), 0) < 0)
        return false;
    if (w->rows == NULL)
        w->rows = rows_new(1);
    if (w->rows == NULL)
        return false;
    w->row = &w->rows->row[setup->index];
    w->loop = loop_new(setup->poller == POLLER_EPOLL ? LOOP_EPOLL : LOOP_POLL);
    if (w->loop == NULL && w->has_own_rows)
        rows_free(w->rows);
    return w->loop != NULL;
}

void worker_reset(struct worker *w)
{
    if (w->loop == NULL)
        return;
    w->is_draining = true;
    w->on_drained = NULL;
    txns_end(w);
    listeners_close(w);
    backends_close(w);
    loop_turn(w->loop, 0); /* the graveyard */
    generation_unref(w->current);
    w->current = NULL;
    loop_timer_remove(w->loop, &w->accept_timer);
    loop_timer_remove(w->loop, &w->retire_timer);
    loop_turn(w->loop, 0);
    txns_reset(w);
    loop_free(w->loop);
    w->loop = NULL;
    regex_matcher_free(w->matcher);
    w->matcher = NULL;
    pool_reset(&w->conns);
    bufs_reset(&w->bufs);
    if (w->has_own_rows)
        rows_free(w->rows);
}

bool worker_prepare(struct worker *w, struct config *c,
                    void (*failed)(void *to, const struct config_place *place, const char *text),
                    void *to)
{
    struct generation_errors errors = {.failed = failed, .to = to};
    struct generation *g = generation_new(w, c, w->current, &errors);

    assert(w->pending == NULL);
    if (g == NULL)
        return false;
    if (!listeners_prepare(w, g, &errors)) {
        listeners_cancel(w);
        generation_unref(g);
        return false;
    }
    w->pending = g;
    return true;
}

void worker_cancel(struct worker *w)
{
    if (w->pending == NULL)
        return;
    listeners_cancel(w);
    generation_unref(w->pending);
    w->pending = NULL;
}

/* Quota and reserve may have changed where the directory is the same. */
static void adjust_stores(struct generation *g)
{
    for (size_t i = 0; i < g->config->n_spools; i++) {
        const struct config_spool *spool = &g->config->spools[i];
        struct spool_setup setup = {
            .has_quota = spool->has_quota,
            .quota_bytes = spool->quota_bytes,
            .reserve_bytes = spool->reserve_bytes,
            .n_levels = spool->n_levels,
        };

        memcpy(setup.levels, spool->levels, sizeof(setup.levels));
        spool_store_adjust(g->stores[i], &setup);
    }
}

static void use_log(const struct worker *w, struct log_sink *sink,
                    const struct config_global *global)
{
    log_use(sink, global->log_level, global->log_format);
    panic_set_fd(w->panic_fd >= 0 ? w->panic_fd : global->log.kind == LOG_FILE ? log_fd(sink) : -1);
}

void worker_commit(struct worker *w)
{
    struct generation *g = w->pending;
    struct generation *before = w->current;
    const struct config_global *global = &g->config->global;

    w->pending = NULL;
    w->current = g;
    use_log(w, generation_log(g, &global->log), global);
    adjust_stores(g);
    for (size_t i = 0; i < g->config->n_backends; i++)
        if (!backend_state_apply(g->backends[i], &g->config->backends[i]))
            log_message(LOG_ERROR, "backend %.*s: out of memory: not all servers are there",
                        STR_ARG(g->config->backends[i].name));
    listeners_commit(w, g);
    generation_unref(before);
    listeners_resume(w); /* max-connections may have grown */
}

bool worker_is_retiring(const struct worker *w)
{
    return listeners_are_retiring(w);
}

void worker_drain(struct worker *w)
{
    w->is_draining = true;
    listeners_drain(w);
    backends_close(w);
    if (row_get(&w->row->n_fronts) == 0 && w->on_drained != NULL)
        w->on_drained(w);
}

void worker_refuse(struct worker *w)
{
    txns_refuse(w);
}

void worker_reopen_logs(struct worker *w)
{
    if (w->current == NULL)
        return;
    list_each(at, keep, &w->generations)
        generation_reopen_logs(list_owner(at, struct generation, link));
    use_log(w, generation_log(w->current, &w->current->config->global.log),
            &w->current->config->global);
}

void worker_renew_log(struct worker *w, enum log_kind kind, struct str where, int fd)
{
    if (w->current == NULL)
        return;
    list_each(at, keep, &w->generations)
        generation_renew_log(list_owner(at, struct generation, link), kind, where, fd);
    use_log(w, generation_log(w->current, &w->current->config->global.log),
            &w->current->config->global);
}

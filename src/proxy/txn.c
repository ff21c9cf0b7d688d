/*
 * txn - one request and its response: its life, its state, and how it fails.
 *
 * The front half (what the client sends) is txn_front.c, the back half (servers) txn_back.c.
 */
#include "proxy/txn.h"

#include "base/log.h"
#include "base/panic.h"
#include "proxy/access_log.h"
#include "proxy/reply.h"
#include "proxy/worker.h"

#include <errno.h>

/* Free transactions kept with their arenas: as many as are in flight on a busy small machine. */
#define FREE_TXNS_MAX 128
/* Of a response that was cut before a byte of it had gone out. */
#define REASON_CUT_STATUS 502

const char *txn_describe(struct txn *t)
{
    struct str s = arena_printf(t->arena, "txn %llu: %s, route %.*s, server %.*s, attempts %u",
                                (unsigned long long)t->sequence, txn_states[t->state].word,
                                t->route == NULL ? 1 : STR_ARG(t->route->full_name),
                                STR_ARG(t->server_name), t->n_attempts);

    return s.p == NULL ? "txn" : s.p;
}

void txn_enter(struct txn *t, enum txn_state next)
{
    assert_about(txn_states[t->state].next & (1u << next), txn_describe(t));
    row_add(&t->worker->row->n_in_state[t->state], (uint64_t)-1);
    row_add(&t->worker->row->n_in_state[next], 1);
    t->state = next;
    if (t->held != NULL && next != TXN_QUEUE && next != TXN_CONNECT) {
        row_release(t->held);
        t->held = NULL;
    }
}

static void hold_fired(struct timer *timer)
{
    struct txn *t = list_owner(timer, struct txn, hold_timer);

    /* An answer that was retried on says more than that nobody is there now. */
    if (t->last_status != 0)
        txn_fail(t, REASON_SERVER_STATUS);
    else
        txn_fail(t, t->last_reason == REASON_NONE ? REASON_SERVER_DOWN : t->last_reason);
}

static void retry_fired(struct timer *timer)
{
    txn_seek_server(list_owner(timer, struct txn, retry_timer));
}

/* A txn object with its arena, used before or new. */
static struct txn *txn_get(struct worker *w)
{
    struct list *link = list_pop_front(&w->free_txns);
    struct txn *t;

    if (link != NULL) {
        w->n_free_txns--;
        return list_owner(link, struct txn, link);
    }
    t = memory_get(sizeof(*t));
    if (t == NULL)
        return NULL;
    t->arena = arena_new(TXN_ARENA_BLOCK, TXN_ARENA_LIMIT);
    if (t->arena == NULL) {
        memory_put(t);
        return NULL;
    }
    return t;
}

static void txn_free(struct txn *t)
{
    arena_free(t->arena);
    memory_put(t);
}

static void txn_bury(struct grave *g)
{
    struct txn *t = list_owner(g, struct txn, grave);
    struct worker *w = t->worker;

    generation_unref(t->generation);
    loop_timer_remove(w->loop, &t->hold_timer);
    loop_timer_remove(w->loop, &t->retry_timer);
    loop_timer_remove(w->loop, &t->guard_timer);
    if (w->n_free_txns >= FREE_TXNS_MAX) {
        txn_free(t);
        return;
    }
    arena_reset(t->arena);
    list_push_front(&w->free_txns, &t->link);
    w->n_free_txns++;
}

void txns_reset(struct worker *w)
{
    for (struct list *l = list_pop_front(&w->free_txns); l != NULL;
         l = list_pop_front(&w->free_txns))
        txn_free(list_owner(l, struct txn, link));
    w->n_free_txns = 0;
}

struct txn *txn_new(struct worker *w, struct stream *front)
{
    struct listener *l = front->conn->owner;
    struct txn *t = txn_get(w);

    if (t == NULL)
        return NULL;
    *t = (struct txn){
        .worker = w,
        .arena = t->arena,
        .state = TXN_ROUTE,
        .front = front,
        .front_conn = front->conn,
        .generation = generation_ref(l->generation),
        .frontend = l->frontend,
        .policy = l->frontend->policy,
        .sender = front->conn->peer,
        .client = front->conn->peer,
        .sender_is_announced = front->conn->is_announced,
        .sequence = w->next_sequence++,
        .started_ms = loop_now(w->loop),
        .request_body = {.loop = w->loop, .bufs = &w->bufs, .spool = {.fd = -1},
                         .pipe_in = -1, .pipe_out = -1, .file = -1},
        .response_body = {.loop = w->loop, .bufs = &w->bufs, .spool = {.fd = -1},
                          .pipe_in = -1, .pipe_out = -1, .file = -1},
    };
    list_init(&t->wait_link);
    list_init(&t->grave.link);
    t->grave.bury = txn_bury;
    timer_init(&t->hold_timer, hold_fired);
    timer_init(&t->retry_timer, retry_fired);
    timer_init(&t->guard_timer, txn_guard_fired);
    list_push_back(&w->txns, &t->link);
    row_add(&w->row->n_in_state[TXN_ROUTE], 1);
    row_add(&w->row->n_requests, 1);
    return t;
}

void txn_init_request_body(struct txn *t)
{
    const struct policy *p = t->policy;
    bool is_window = t->mode == MODE_STREAM;
    struct body_setup setup = {
        .loop = t->worker->loop,
        .bufs = &t->worker->bufs,
        .store = is_window ? NULL : generation_store(t->generation, p->request_spool),
        .keep = is_window ? KEEP_WINDOW : KEEP_ALL,
        .memory_bytes = p->request_memory_bytes,
        .unread_max_bytes = is_window ? p->request_memory_bytes : UINT64_MAX,
        .max_bytes = p->max_body_bytes,
    };

    body_init(&t->request_body, &setup);
}

/*
 * `auto` keeps the server away from a response that comes piece by piece: it is passed on as it
 * comes under either setting, but there is nothing to be gained by reading ahead of the client.
 */
static bool response_spools(const struct txn *t)
{
    const struct head *h = t->response;

    switch (t->policy->response_buffering) {
    case RESPONSE_ON: return true;
    case RESPONSE_OFF: return false;
    case RESPONSE_AUTO: break;
    }
    return !str_starts_with(head_value(h, FIELD_CONTENT_TYPE), STR("text/event-stream")) &&
           !str_eq_nocase(head_value(h, FIELD_X_ACCEL_BUFFERING), STR("no"));
}

void txn_init_response_body(struct txn *t)
{
    const struct policy *p = t->policy;
    bool spools = response_spools(t);
    struct body_setup setup = {
        .loop = t->worker->loop,
        .bufs = &t->worker->bufs,
        .store = spools ? generation_store(t->generation, p->response_spool) : NULL,
        .keep = KEEP_NOTHING,
        .memory_bytes = p->response_memory_bytes,
        .unread_max_bytes = spools ? p->response_max_bytes : p->response_memory_bytes,
        .max_bytes = UINT64_MAX,
    };

    body_init(&t->response_body, &setup);
}

/* The attempt at hand is over: note when. */
static void attempt_end(struct txn *t)
{
    if (t->attempt == NULL)
        return;
    t->attempt->ended_ms = loop_now(t->worker->loop);
    t->attempt = NULL;
}

void txn_detach(struct txn *t)
{
    struct stream *back = t->back;
    struct conn *connecting = t->connecting;

    backend_leave(t);
    timer_stop(&t->retry_timer);
    txn_hold_stop(t);
    attempt_end(t);
    t->back = NULL;
    t->connecting = NULL;
    if (back != NULL)
        back->conn->codec->reset(back);
    if (connecting != NULL) {
        connecting->waiter = NULL;
        connecting->codec->close(connecting);
    }
}

void txn_finish(struct txn *t, bool is_whole)
{
    struct stream *front = t->front;

    txn_detach(t);
    timer_stop(&t->guard_timer);
    txn_enter(t, TXN_DONE);
    t->ended_ms = loop_now(t->worker->loop);
    t->response_bytes = t->response_body.out_bytes;
    access_log_write(t);
    t->front = NULL;
    t->front_conn = NULL;
    if (front != NULL) {
        front->conn->linger_ms = t->policy->linger_ms;
        front->conn->linger_bytes = t->policy->linger_bytes;
    }
    if (front != NULL && is_whole)
        front->conn->codec->release(front);
    else if (front != NULL)
        front->conn->codec->reset(front);
    body_reset(&t->request_body);
    body_reset(&t->response_body);
    row_add(&t->worker->row->n_in_state[TXN_DONE], (uint64_t)-1);
    list_unlink(&t->link);
    listeners_resume(t->worker); /* what it might have needed is free for another */
    loop_bury(t->worker->loop, &t->grave);
}

static bool is_the_clients(enum reason why)
{
    return why == REASON_CLIENT_GONE || why == REASON_CLIENT_RESET ||
           why == REASON_CLIENT_WRITE_TIMEOUT;
}

static void note_spool_failure(const struct txn *t)
{
    struct str path = t->request_body.spool.store == NULL
                          ? STR("-")
                          : spool_store_path(t->request_body.spool.store);

    log_message(LOG_ERROR, "%.*s: cannot hold a body in spool %.*s: %s",
                STR_ARG(t->route == NULL ? t->frontend->name : t->route->full_name), STR_ARG(path),
                strerror(t->request_body.error));
}

/* The head of a response has gone. */
static void break_off(struct txn *t, enum reason why)
{
    bool has_body = t->response != NULL && t->response->has_body;

    if (t->response_is_sent) { /* only the rest of an early answered request has failed */
        txn_finish(t, true);
        return;
    }
    if (is_the_clients(why) || !has_body || t->response_body.state != BODY_OPEN) {
        txn_finish(t, false);
        return;
    }
    if (t->state == TXN_RELAY && t->front->conn->codec->retract(t->front)) {
        t->reason = why;
        reply_error(t, REASON_CUT_STATUS);
        return;
    }
    /* What has come is still sent; then the client sees that the message is broken. */
    txn_enter(t, TXN_ABORT);
    body_abort(&t->response_body, BODY_FAULT_PRODUCER);
}

void txn_fail(struct txn *t, enum reason why)
{
    if (t->state == TXN_DONE)
        return;
    if (t->reason == REASON_NONE)
        t->reason = why;
    if (why == REASON_SPOOL_FULL || why == REASON_SPOOL_FAILED)
        note_spool_failure(t);
    txn_detach(t);
    switch (t->state) {
    case TXN_ROUTE:
    case TXN_RECEIVE:
    case TXN_QUEUE:
    case TXN_CONNECT:
    case TXN_AWAIT:
        if (is_the_clients(why) || t->front == NULL)
            txn_finish(t, false);
        else
            reply_error(t, why == REASON_SERVER_STATUS ? t->last_status : reasons[why].status);
        return;
    case TXN_RELAY:
    case TXN_REPLY: break_off(t, why); return;
    case TXN_TUNNEL:
    case TXN_ABORT: txn_finish(t, false); return;
    case TXN_DONE:
    case TXN_STATE_N: return;
    }
}

void txns_refuse(struct worker *w)
{
    list_each(at, keep, &w->txns)
    {
        struct txn *t = list_owner(at, struct txn, link);

        if (t->state < TXN_RELAY)
            txn_fail(t, REASON_SHUTDOWN);
    }
}

void txns_end(struct worker *w)
{
    list_each(at, keep, &w->txns)
    {
        struct txn *t = list_owner(at, struct txn, link);

        t->reason = t->reason == REASON_NONE ? REASON_SHUTDOWN : t->reason;
        txn_finish(t, false);
    }
}

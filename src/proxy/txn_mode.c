/*
 * txn_mode - how the body of a request is treated, and the bounds that span more than one read of
 * it; tunnels.
 */
#include "proxy/txn.h"

#include "base/panic.h"
#include "proxy/worker.h"

/* How often a body's rate is looked at. */
#define RATE_EVERY_MS 1000
/* A tunnel is looked at this many times in its `timeout upgraded`, which is so exact. */
#define TUNNEL_LOOKS 8
/* What may be under way in one direction of a tunnel, where it goes through memory. */
#define TUNNEL_WINDOW_BYTES 65536

static void set_mode(struct txn *t, enum txn_mode mode, const char *reason)
{
    t->mode = mode;
    t->mode_reason = reason;
}

/* draft-ietf-httpbis-incremental: a structured boolean, possibly with parameters. */
static bool is_true(struct str value)
{
    return str_starts_with(value, STR("?1")) &&
           (value.n == 2 || value.p[2] == ';' || value.p[2] == ' ');
}

static bool has_field(const struct txn *t, enum field_id id)
{
    return head_find(t->request, id, STR_EMPTY) != NULL;
}

/* tus 1.0 (Tus-Resumable) and draft-ietf-httpbis-resumable-upload (Upload-Complete, Upload-
 * Offset). */
static bool is_resumable(const struct txn *t)
{
    enum method method = t->request->method;

    if (method != METHOD_POST && method != METHOD_PUT && method != METHOD_PATCH)
        return false;
    return has_field(t, FIELD_TUS_RESUMABLE) || has_field(t, FIELD_UPLOAD_COMPLETE) ||
           has_field(t, FIELD_UPLOAD_OFFSET);
}

static void choose_automatically(struct txn *t)
{
    const struct head *h = t->request;

    if (h->upgrade.n > 0)
        set_mode(t, MODE_STREAM, "upgrade");
    else if (is_true(head_value(h, FIELD_INCREMENTAL)))
        set_mode(t, MODE_STREAM, "incremental");
    else if (is_resumable(t))
        set_mode(t, MODE_RESUMABLE, "resumable");
    else if (h->has_length && h->body_length <= t->policy->request_memory_bytes)
        set_mode(t, MODE_HOLD, "fits-memory");
    else
        set_mode(t, MODE_TEE, "else");
}

void txn_choose_mode(struct txn *t, bool has_body)
{
    if (!has_body) {
        set_mode(t, MODE_STREAM, t->request->upgrade.n > 0 ? "upgrade" : "no-body");
        return;
    }
    switch (t->policy->request_buffering) {
    case REQUEST_HOLD: set_mode(t, MODE_HOLD, "configured"); return;
    case REQUEST_TEE: set_mode(t, MODE_TEE, "configured"); return;
    case REQUEST_STREAM: set_mode(t, MODE_STREAM, "configured"); return;
    case REQUEST_AUTO: choose_automatically(t); return;
    }
}

/* --- the body's total time and rate --- */

void txn_guard_body(struct txn *t)
{
    const struct policy *p = t->policy;
    uint32_t total_ms = p->timeout_ms[TIMEOUT_REQUEST_BODY_TOTAL];
    uint64_t now = loop_now(t->worker->loop);
    uint32_t next_ms = total_ms;

    if (t->body_since_ms == 0)
        t->body_since_ms = now;
    t->guarded_ms = now;
    if (total_ms != TIMEOUT_NEVER) {
        uint64_t gone = now - t->body_since_ms;

        next_ms = gone < total_ms ? total_ms - (uint32_t)gone : 0;
    }
    if (p->min_body_rate != 0 && next_ms > RATE_EVERY_MS)
        next_ms = RATE_EVERY_MS;
    loop_timer_set(t->worker->loop, &t->guard_timer, next_ms);
}

/* Has the client sent less than the rate asks for, over all the time it has had beyond the
 * grace? */
static bool is_too_slow(const struct txn *t, uint64_t gone_ms)
{
    const struct policy *p = t->policy;
    uint64_t counted_ms;

    gone_ms -= t->rate_stood_ms < gone_ms ? t->rate_stood_ms : gone_ms;
    if (p->min_body_rate == 0 || gone_ms <= p->min_body_rate_grace_ms)
        return false;
    counted_ms = gone_ms - p->min_body_rate_grace_ms;
    return t->request_body.in_bytes / p->min_body_rate < counted_ms / 1000;
}

/* The client cannot send: there is no room, or it has not been told to go on. */
static bool client_is_kept_waiting(const struct txn *t)
{
    return t->request_body.producer_waits ||
           (t->outgoing->expects_continue && t->request_body.in_bytes == 0);
}

static void guard_body(struct txn *t)
{
    uint64_t now = loop_now(t->worker->loop);
    uint64_t gone_ms = now - t->body_since_ms;
    uint32_t total_ms = t->policy->timeout_ms[TIMEOUT_REQUEST_BODY_TOTAL];

    if (t->request_is_complete)
        return;
    if (client_is_kept_waiting(t))
        t->rate_stood_ms += now - t->guarded_ms;
    if (total_ms != TIMEOUT_NEVER && gone_ms >= total_ms)
        txn_client_gone(t, REASON_BODY_TOTAL);
    else if (is_too_slow(t, gone_ms))
        txn_client_gone(t, REASON_BODY_RATE);
    else
        txn_guard_body(t);
}

/* --- tunnels --- */

static uint64_t tunnel_bytes(const struct txn *t)
{
    return t->request_body.in_bytes + t->response_body.in_bytes + t->request_body.out_bytes +
           t->response_body.out_bytes;
}

/* A tunnel with one open side is on its way to its end: it may be silent no longer than a server. */
static uint32_t tunnel_idle_ms(const struct txn *t)
{
    uint32_t idle_ms = t->policy->timeout_ms[TIMEOUT_UPGRADED];
    uint32_t half_ms = t->policy->timeout_ms[TIMEOUT_SERVER_READ];

    return t->tunnel_half_done && half_ms < idle_ms ? half_ms : idle_ms;
}

static void guard_tunnel(struct txn *t)
{
    uint32_t idle_ms = tunnel_idle_ms(t);
    uint64_t now = loop_now(t->worker->loop);

    if (tunnel_bytes(t) != t->guard_bytes) {
        t->guard_bytes = tunnel_bytes(t);
        t->body_since_ms = now;
    } else if (now - t->body_since_ms >= idle_ms) {
        txn_fail(t, REASON_UPGRADED_TIMEOUT);
        return;
    }
    if (idle_ms != TIMEOUT_NEVER)
        loop_timer_set(t->worker->loop, &t->guard_timer, idle_ms / TUNNEL_LOOKS + 1);
}

void txn_guard_fired(struct timer *timer)
{
    struct txn *t = list_owner(timer, struct txn, guard_timer);

    if (t->state == TXN_TUNNEL)
        guard_tunnel(t);
    else
        guard_body(t);
}

/* Through a pipe of the kernel where there is one to be had, else through memory. */
static void init_tunnel_body(struct txn *t, struct body *b)
{
    struct body_setup setup = {
        .loop = t->worker->loop,
        .bufs = &t->worker->bufs,
        .keep = KEEP_NOTHING,
        .memory_bytes = TUNNEL_WINDOW_BYTES,
        .unread_max_bytes = TUNNEL_WINDOW_BYTES,
        .max_bytes = UINT64_MAX,
    };

    body_reset(b);
    if (!body_init_pipe(b, t->worker->loop, &t->worker->bufs))
        body_init(b, &setup);
}

void txn_start_tunnel(struct txn *t)
{
    init_tunnel_body(t, &t->request_body);
    init_tunnel_body(t, &t->response_body);
    txn_enter(t, TXN_TUNNEL);
    t->body_since_ms = loop_now(t->worker->loop);
    t->front->conn->codec->tunnel(t->front, &t->request_body, &t->response_body);
    t->back->conn->codec->tunnel(t->back, &t->response_body, &t->request_body);
    guard_tunnel(t);
}

void txn_tunnel_half_done(struct txn *t)
{
    struct stream *back = t->back;

    if (!t->tunnel_half_done) {
        t->tunnel_half_done = true;
        guard_tunnel(t);
        return;
    }
    if (t->attempt != NULL)
        t->attempt->ended_ms = loop_now(t->worker->loop);
    t->attempt = NULL;
    t->back = NULL;
    back->conn->codec->release(back);
    txn_finish(t, true);
}

/*
 * txn_front - the front half of a transaction: what the client sends, and what becomes of it.
 */
#include "proxy/txn.h"

#include "base/log.h"
#include "base/panic.h"
#include "http/uri.h"
#include "proxy/balance.h"
#include "proxy/client.h"
#include "proxy/expr_eval.h"
#include "proxy/reply.h"
#include "proxy/rewrite.h"
#include "proxy/route.h"
#include "proxy/static.h"
#include "proxy/vars.h"
#include "proxy/worker.h"

#include <errno.h>

static bool front_open(struct stream *s)
{
    struct listener *l = s->conn->owner;
    struct txn *t = txn_new(l->worker, s);

    if (t == NULL)
        return false;
    s->owner = t;
    s->arena = t->arena;
    return true;
}

static void refuse(struct txn *t, enum reason why, unsigned status)
{
    t->reason = why;
    reply_error(t, status);
}

static void refuse_fault(struct txn *t, enum http_fault fault)
{
    log_message(LOG_INFO, "%.*s: request refused: %s", STR_ARG(t->frontend->name),
                http_faults[fault].text);
    refuse(t, fault == FAULT_HEAD_TIMEOUT ? REASON_HEADER_TIMEOUT : REASON_BAD_REQUEST,
           http_faults[fault].status);
}

/* The reason for a body that takes no more bytes. */
static enum reason refusal_reason(const struct body *b)
{
    switch (b->fault) {
    case BODY_FAULT_TOO_LARGE: return REASON_BODY_TOO_LARGE;
    case BODY_FAULT_SPOOL:
        return b->error == ENOSPC || b->error == EDQUOT ? REASON_SPOOL_FULL : REASON_SPOOL_FAILED;
    case BODY_FAULT_MEMORY: return REASON_NO_MEMORY;
    case BODY_FAULT_NONE:
    case BODY_FAULT_PRODUCER: break;
    }
    return REASON_INTERNAL;
}

/*
 * Let the body come. But for stream, where the server is asked, the client's expectation is met
 * here and now, whether or not a server is there.
 */
static void take_body(struct txn *t)
{
    const struct codec *codec = t->front->conn->codec;
    bool asks_server = t->mode == MODE_STREAM;

    t->outgoing->expects_continue = t->request->expects_continue && asks_server;
    if (t->request->expects_continue && !asks_server)
        codec->send_interim(t->front, NULL);
    codec->receive_into(t->front, &t->request_body);
    txn_guard_body(t);
    if (t->mode == MODE_HOLD)
        txn_enter(t, TXN_RECEIVE);
    else
        txn_seek_server(t);
}

/* What `balance hash` goes by; a request that has no such thing has its turn. */
static void find_balance_key(struct txn *t)
{
    struct str text = var_text(t, &t->route->backend->hash);

    t->has_balance_key = text.n > 0;
    t->balance_key = balance_key(text);
}

static void start_proxying(struct txn *t)
{
    const struct head *h = t->request;
    const struct policy *p = t->policy;
    bool has_body = h->has_body && !(h->has_length && h->body_length == 0);

    t->backend = t->generation->backends[t->route->backend->index];
    t->hold_left_ms = p->hold_ms;
    txn_choose_mode(t, has_body);
    if (t->route->backend->balance == BALANCE_HASH)
        find_balance_key(t);
    t->has_request_body = has_body;
    t->holds = p->hold_ms > 0 && (has_body ? t->mode != MODE_STREAM : p->hold_all);
    if (has_body && h->has_length && h->body_length > p->max_body_bytes) {
        txn_fail(t, REASON_BODY_TOO_LARGE);
        return;
    }
    if (!rewrite_request(t)) {
        txn_fail(t, t->reason == REASON_NONE ? REASON_INTERNAL : t->reason);
        return;
    }
    t->outgoing->has_body = has_body;
    if (!has_body) {
        if (h->has_body) /* declared empty: nothing will come, but the codec has to be told */
            t->front->conn->codec->receive_into(t->front, NULL);
        t->outgoing->has_length = false;
        t->request_is_complete = true;
        txn_seek_server(t);
        return;
    }
    txn_init_request_body(t);
    if (h->has_length && !body_declare(&t->request_body, h->body_length)) {
        t->request_body.error = errno;
        txn_fail(t, REASON_SPOOL_FULL);
        return;
    }
    take_body(t);
}

/* OPTIONS or TRACE that may be forwarded no further (RFC 9110 7.6.2): we are the last to see it. */
static bool is_last_forward(const struct head *h)
{
    uint64_t left;

    return (h->method == METHOD_OPTIONS || h->method == METHOD_TRACE) &&
           str_to_u64(head_value(h, FIELD_MAX_FORWARDS), UINT32_MAX, &left) && left == 0;
}

static void answer_as_last(struct txn *t)
{
    if (t->request->method == METHOD_OPTIONS)
        reply_empty(t);
    else
        refuse(t, REASON_DENIED, 405); /* a TRACE would echo what it should not: cookies */
}

/* A condition could not be decided: neither of its two ways is safe. */
static void refuse_undecided(struct txn *t, struct str where)
{
    expr_log_fault(t, where);
    refuse(t, REASON_CONDITION, reasons[REASON_CONDITION].status);
}

static void route_request(struct txn *t)
{
    unsigned refusal;

    client_find(t);
    t->route = route_find(t);
    if (t->fault_expr != NULL) {
        refuse_undecided(t, t->frontend->name);
        return;
    }
    if (t->route == NULL) {
        refuse(t, REASON_NO_ROUTE, reasons[REASON_NO_ROUTE].status);
        return;
    }
    t->policy = t->route->policy;
    client_find(t);
    refusal = route_refusal(t);
    if (t->fault_expr != NULL) {
        refuse_undecided(t, t->route->full_name);
        return;
    }
    if (refusal != 0) {
        refuse(t, REASON_DENIED, refusal);
        return;
    }
    if (is_last_forward(t->request) && t->route->action == ACTION_BACKEND) {
        answer_as_last(t);
        return;
    }
    switch (t->route->action) {
    case ACTION_BACKEND: start_proxying(t); return;
    case ACTION_RESPOND:
    case ACTION_REDIRECT: reply_route(t); return;
    case ACTION_FILES: static_reply(t); return;
    case ACTION_STATUS_PAGE: reply_status_page(t); return;
    }
}

static void front_head(struct stream *s, struct head *h, enum http_fault fault)
{
    struct txn *t = s->owner;

    t->request = h;
    if (fault != FAULT_NONE) {
        refuse_fault(t, fault);
        return;
    }
    if (h->method != METHOD_OPTIONS || !str_eq(h->target, STR("*"))) {
        if (!uri_path(h->target, t->arena, &t->path)) {
            s->conn->codec->drain(s->conn); /* malformed: the connection ends with it */
            refuse_fault(t, FAULT_TARGET);
            return;
        }
    } else {
        t->path = h->target;
    }
    route_request(t);
}

static void front_received(struct stream *s)
{
    struct txn *t = s->owner;

    t->request_is_complete = true;
    if (!t->has_request_body)
        return;
    timer_stop(&t->guard_timer);
    if (t->state == TXN_RECEIVE)
        txn_seek_server(t);
    else if (t->state == TXN_QUEUE || t->state == TXN_CONNECT)
        txn_hold_start(t);
}

static void front_interim_room(struct stream *s)
{
    struct txn *t = s->owner;

    if (t->back != NULL)
        t->back->conn->codec->resume(t->back);
}

static void front_sent(struct stream *s)
{
    struct txn *t = s->owner;

    if (t->state == TXN_TUNNEL) {
        txn_tunnel_half_done(t);
        return;
    }
    t->response_is_sent = true;
    if (t->back == NULL) /* else a server that has answered early still reads the request */
        txn_finish(t, true);
}

static enum reason timeout_reason(const struct conn *c)
{
    switch ((enum conn_wait)c->failed_wait) {
    case CONN_WAIT_HEAD: return REASON_HEADER_TIMEOUT;
    case CONN_WAIT_READ: return REASON_BODY_TIMEOUT;
    case CONN_WAIT_WRITE: return REASON_CLIENT_WRITE_TIMEOUT;
    case CONN_WAIT_NONE:
    case CONN_WAIT_CONNECT:
    case CONN_WAIT_IDLE:
    case CONN_WAIT_THINK:
    case CONN_WAIT_LINGER: break;
    }
    return REASON_INTERNAL;
}

/*
 * The client of a resumable upload has dropped. What has come is delivered, so that it can go on
 * from there (a server that buffers nothing would have had it by now); then the server's
 * connection is closed.
 */
bool txn_deliver_what_came(struct txn *t, enum reason why)
{
    struct stream *front = t->front;

    if (t->mode != MODE_RESUMABLE || t->state > TXN_AWAIT || t->request_body.in_bytes == 0)
        return false;
    t->reason = why;
    t->front = NULL;
    t->front_conn = NULL;
    front->conn->codec->reset(front);
    if (t->request_body.state == BODY_OPEN)
        body_abort(&t->request_body, BODY_FAULT_PRODUCER);
    if (t->back != NULL) /* it may be waiting for the client to read its interim responses */
        t->back->conn->codec->resume(t->back);
    t->request_is_complete = true; /* as far as waiting for a server goes */
    if (t->state == TXN_QUEUE || t->state == TXN_CONNECT)
        txn_hold_start(t);
    return true;
}

void txn_client_gone(struct txn *t, enum reason why)
{
    if (!txn_deliver_what_came(t, why))
        txn_fail(t, why);
}

static void front_failed(struct stream *s, enum conn_failure why)
{
    struct txn *t = s->owner;

    switch (why) {
    case CONN_PEER_CLOSED: txn_client_gone(t, REASON_CLIENT_GONE); return;
    case CONN_PEER_RESET: txn_client_gone(t, REASON_CLIENT_RESET); return;
    case CONN_TIMED_OUT: txn_client_gone(t, timeout_reason(s->conn)); return;
    case CONN_MALFORMED:
        log_message(LOG_INFO, "%.*s: request refused: %s", STR_ARG(t->frontend->name),
                    http_faults[s->conn->fault].text);
        txn_fail(t, REASON_BAD_REQUEST);
        return;
    case CONN_BODY_REFUSED: txn_fail(t, refusal_reason(&t->request_body)); return;
    case CONN_BODY_BROKEN: txn_fail(t, REASON_RESPONSE_CUT); return;
    case CONN_NO_MEMORY: txn_fail(t, REASON_NO_MEMORY); return;
    case CONN_NOT_FAILED: return;
    }
}

static void front_hangup(struct stream *s, bool is_broken)
{
    struct txn *t = s->owner;
    bool waits = t->state == TXN_QUEUE;

    t->client_shut = true;
    if (is_broken)
        txn_client_gone(t, REASON_CLIENT_RESET);
    else if (waits)
        txn_client_gone(t, REASON_CLIENT_GONE);
}

static void front_closed(struct conn *c, int error)
{
    struct listener *l = c->owner;
    struct worker *w = l->worker;

    (void)error; /* of connects alone */
    list_unlink(&c->link);
    row_add(&w->row->n_fronts, (uint64_t)-1);
    listener_conn_closed(l);
}

static void front_bad_proxy(struct conn *c, const char *why)
{
    const struct listener *l = c->owner;
    char text[ADDR_TEXT_MAX];
    size_t n = ip_text(&c->peer.ip, text);

    log_message(LOG_INFO, "%.*s: connection from %.*s closed: PROXY header: %s",
                STR_ARG(l->frontend->name), c->peer.is_ip ? (int)n : 4,
                c->peer.is_ip ? text : "unix", why);
}

static uint32_t front_timeout(struct conn *c, void *owner, enum conn_wait wait)
{
    const struct txn *t = owner;
    const struct policy *p = t != NULL ? t->policy : listener_policy(c->owner);

    switch (wait) {
    case CONN_WAIT_HEAD: return p->timeout_ms[TIMEOUT_CLIENT_HEADER];
    case CONN_WAIT_READ: return p->timeout_ms[TIMEOUT_CLIENT_BODY];
    case CONN_WAIT_WRITE: return p->timeout_ms[TIMEOUT_CLIENT_WRITE];
    case CONN_WAIT_IDLE: return p->timeout_ms[TIMEOUT_CLIENT_IDLE];
    case CONN_WAIT_NONE:
    case CONN_WAIT_CONNECT:
    case CONN_WAIT_THINK:
    case CONN_WAIT_LINGER: break;
    }
    return TIMEOUT_NEVER;
}

const struct conn_ops txn_front_ops = {
    .open = front_open,
    .on_head = front_head,
    .on_interim_room = front_interim_room,
    .on_received = front_received,
    .on_sent = front_sent,
    .on_failed = front_failed,
    .on_hangup = front_hangup,
    .on_bad_proxy = front_bad_proxy,
    .on_closed = front_closed,
    .timeout_ms = front_timeout,
};

/*
 * txn_back - the back half of a transaction: finding a server, sending, failing, sending again.
 */
#include "proxy/txn.h"

#include "base/log.h"
#include "base/panic.h"
#include "io/proxy_protocol.h"
#include "io/sock.h"
#include "proxy/balance.h"
#include "proxy/replay.h"
#include "proxy/reply.h"
#include "proxy/rewrite.h"
#include "proxy/worker.h"

#include <errno.h>

/* Before the same server gets the request again: doubling, so that a server that falls over each
 * time is not hammered. */
#define RETRY_FIRST_MS 50
#define RETRY_LAST_MS  1000
/* A request that is held for hours may be tried often; the log has the first of these. */
#define ATTEMPTS_NOTED_MAX 64

void txn_hold_start(struct txn *t)
{
    if (!t->request_is_complete || t->hold_since_ms != 0)
        return;
    t->hold_since_ms = loop_now(t->worker->loop);
    if (t->holds)
        loop_timer_set(t->worker->loop, &t->hold_timer, t->hold_left_ms);
}

void txn_hold_stop(struct txn *t)
{
    uint64_t held;

    if (t->hold_since_ms == 0)
        return;
    held = loop_now(t->worker->loop) - t->hold_since_ms;
    t->held_ms += held;
    t->hold_left_ms = held < t->hold_left_ms ? t->hold_left_ms - (uint32_t)held : 0;
    t->hold_since_ms = 0;
    timer_stop(&t->hold_timer);
}

static void attempt_start(struct txn *t, struct server_state *s)
{
    struct attempt *a = NULL;
    struct attempt **last = &t->attempts;

    t->server = s;
    if (!str_eq(t->server_name, server_name(s)))
        t->server_name = arena_str(t->arena, server_name(s));
    if (t->n_noted < ATTEMPTS_NOTED_MAX)
        a = arena_zalloc(t->arena, 1, sizeof(*a));
    t->attempt = a; /* else the log has one attempt fewer */
    if (a == NULL)
        return;
    t->n_noted++;
    a->server = t->server_name;
    a->started_ms = loop_now(t->worker->loop);
    while (*last != NULL)
        last = &(*last)->next;
    *last = a;
}

/* The head is the same for every attempt; only the length of a body that was chunked is known by
 * now. */
static void set_outgoing_length(struct txn *t)
{
    struct head *h = t->outgoing;
    const struct body *b = &t->request_body;

    if (!t->has_request_body)
        return;
    h->has_length = t->request->has_length || b->state == BODY_COMPLETE; /* else chunked */
    h->body_length = t->request->has_length ? t->request->body_length : b->in_bytes;
}

/*
 * With `send-proxy` the server hears whose requests a connection bears in its first bytes, which
 * leave with the first request: so a probe is announced for whoever comes to use it.
 */
static bool announce(const struct txn *t, struct conn *c)
{
    enum proxy_version version = (enum proxy_version)t->server->send_proxy;
    struct proxy_header header = {.has_addresses = true, .source = t->client};
    char bytes[PROXY_WRITE_MAX];

    if (t->front_conn != NULL) {
        struct addr local = sock_local(t->front_conn->wire.watch.fd);

        header.target = addr_endpoint(&local);
    }
    c->is_announced = true;
    c->peer = t->client;
    return c->codec->announce(c, bytes, proxy_header_write(bytes, version, &header));
}

static void send_request(struct txn *t, struct conn *c)
{
    struct body *body = t->has_request_body ? &t->request_body : NULL;

    txn_hold_stop(t);
    txn_enter(t, TXN_AWAIT);
    t->request_is_sent = false;
    t->n_attempts++;
    c->idle_ms = t->policy->timeout_ms[TIMEOUT_SERVER_IDLE];
    if (t->attempt != NULL)
        t->attempt->connected_ms = loop_now(t->worker->loop);
    t->attempt_mark = arena_mark(t->arena);
    t->back = c->codec->open(c, t, t->arena);
    set_outgoing_length(t);
    assert(body == NULL || body->out_bytes == 0);
    if ((t->server->send_proxy != 0 && !c->is_announced && !announce(t, c)) ||
        !c->codec->send_head(t->back, t->outgoing, body))
        txn_fail(t, REASON_INTERNAL);
}

/* A client that has shut its side is gone where it would have to wait; a resumable upload goes on. */
static bool client_left(struct txn *t)
{
    return t->client_shut && t->front != NULL && !txn_deliver_what_came(t, REASON_CLIENT_GONE);
}

/* No server can take the request now: wait, or give up. */
static void wait_for_server(struct txn *t)
{
    if (client_left(t)) {
        txn_fail(t, REASON_CLIENT_GONE);
        return;
    }
    if (!t->holds && backend_all_tried(t->backend, t->tried)) {
        txn_on_all_tried(t);
        return;
    }
    if (t->holds)
        t->tried = 0;
    backend_wait(t->backend, t);
}

/* False: the connection failed at once, and the server is marked as tried. */
static bool ask_server(struct txn *t, struct server_state *s)
{
    struct conn *c = t->wants_fresh ? NULL : server_take_idle(s, &t->client);

    attempt_start(t, s);
    if (c != NULL) {
        send_request(t, c);
        return true;
    }
    c = server_connect(s, t);
    if (c != NULL) {
        t->connecting = c;
        txn_enter(t, TXN_CONNECT);
        return true;
    }
    t->last_reason = REASON_SERVER_DOWN;
    t->tried |= server_mark(s);
    return false;
}

void txn_seek_server(struct txn *t)
{
    struct server_state *s;

    if (t->state != TXN_QUEUE)
        txn_enter(t, TXN_QUEUE);
    txn_hold_start(t);
    backend_revive(t->backend);
    do {
        struct balance_ask ask = {t->tried, t->asked, t->has_balance_key, t->balance_key};

        s = balance_pick(t->backend, &ask);
        if (s == NULL) {
            wait_for_server(t);
            return;
        }
    } while (!ask_server(t, s));
}

void txn_on_server_ready(struct txn *t)
{
    t->tried = 0;
    txn_seek_server(t);
}

/* Why a server could not be connected to. */
static enum reason connect_reason(int error)
{
    return error == ETIMEDOUT ? REASON_CONNECT_TIMEOUT : REASON_SERVER_DOWN;
}

void txn_on_probe_failed(struct txn *t, const struct server_state *s, int error)
{
    t->tried |= server_mark(s);
    t->last_reason = connect_reason(error);
}

void txn_on_all_tried(struct txn *t)
{
    txn_fail(t, t->last_reason == REASON_NONE ? REASON_SERVER_DOWN : t->last_reason);
}

void txn_on_connected(struct txn *t, struct conn *c)
{
    t->connecting = NULL;
    send_request(t, c);
}

void txn_on_connect_failed(struct txn *t, struct server_state *s, int error)
{
    t->connecting = NULL;
    t->tried |= server_mark(s);
    t->last_reason = connect_reason(error);
    if (t->attempt != NULL)
        t->attempt->ended_ms = loop_now(t->worker->loop);
    txn_seek_server(t);
}

static uint32_t retry_delay_ms(const struct txn *t)
{
    unsigned n = t->n_attempts < 8 ? t->n_attempts : 8;
    uint32_t ms = n == 0 ? 0 : (uint32_t)RETRY_FIRST_MS << (n - 1);

    return ms < RETRY_LAST_MS ? ms : RETRY_LAST_MS;
}

/*
 * Send the request once more: at once to a server that has not failed it yet; a moment later where all that
 * are up have, so that a farm that is restarting is not asked in a circle.
 */
static void send_again(struct txn *t, bool is_counted)
{
    const struct server_state *next;
    bool pauses;

    /* Now, not when a server is found: a window that is read anew does not let go of byte 0. */
    if (t->has_request_body && !body_rewind(&t->request_body))
        unreachable("a request is sent again without its first byte");
    txn_enter(t, TXN_QUEUE);
    txn_hold_start(t);
    t->tried = 0;
    t->asked |= is_counted ? server_mark(t->server) : 0;
    next = balance_look(t->backend, 0, t->asked);
    pauses = next != NULL && (t->asked & server_mark(next)) != 0;
    if (pauses)
        t->asked = server_mark(t->server); /* a new round, with another one first */
    if (pauses && client_left(t))
        txn_fail(t, REASON_CLIENT_GONE);
    else if (pauses)
        loop_timer_set(t->worker->loop, &t->retry_timer, retry_delay_ms(t));
    else
        txn_seek_server(t);
}

static struct replay_facts facts_of(const struct txn *t, bool may_be_delivered)
{
    return (struct replay_facts){
        .replay = t->policy->replay,
        .method = t->request->method,
        .has_idempotency_key = head_find(t->request, FIELD_IDEMPOTENCY_KEY, STR_EMPTY) != NULL,
        .may_be_delivered = may_be_delivered,
        .response_began = t->state == TXN_RELAY,
        .can_rewind = !t->has_request_body ||
                      (body_can_rewind(&t->request_body) &&
                       (t->mode != MODE_RESUMABLE || t->request_body.out_bytes == 0)),
    };
}

static void note_attempt(const struct txn *t, enum reason why, bool again)
{
    log_message(LOG_NOTICE, "%.*s: server %s/%.*s: %s at byte %llu of the request; %s",
                STR_ARG(t->route->full_name), t->backend->name, STR_ARG(t->server_name),
                reasons[why].word,
                (unsigned long long)t->request_body.out_bytes,
                again ? "it will be sent again" : "it is not sent again");
}

/*
 * A pooled connection that was dead already is no attempt: the request goes to a fresh one at
 * once. It happens once, and only where the request may be sent again at all.
 */
static bool was_stale(const struct txn *t, enum reason why)
{
    return (why == REASON_SERVER_RESET || why == REASON_SERVER_EMPTY) && t->back->conn->is_reused &&
           !t->wants_fresh;
}

/* The attempt has failed before a response was accepted. */
static void attempt_failed(struct txn *t, enum reason why)
{
    struct stream *back = t->back;
    struct replay_facts facts = facts_of(t, back->conn->codec->may_be_delivered(back));
    bool is_allowed = replay_is_allowed(&facts);
    bool is_free = is_allowed && was_stale(t, why);
    bool again = is_free || (is_allowed && replay_is_retried(t->policy, why) &&
                             t->n_attempts < t->policy->retry_attempts);

    t->last_reason = why;
    if (is_free) {
        t->wants_fresh = true;
        t->n_attempts--;
    } else {
        note_attempt(t, why, again);
    }
    txn_detach(t);
    arena_rewind(t->arena, t->attempt_mark); /* what came of a response: there may be many such */
    if (again)
        send_again(t, !is_free);
    else
        txn_fail(t, why);
}

static enum reason timeout_reason(const struct conn *c)
{
    return c->failed_wait == CONN_WAIT_WRITE ? REASON_SERVER_WRITE_TIMEOUT : REASON_SERVER_TIMEOUT;
}

static enum reason failure_reason(const struct conn *c, enum conn_failure why)
{
    switch (why) {
    case CONN_PEER_CLOSED: return REASON_SERVER_EMPTY;
    case CONN_PEER_RESET: return REASON_SERVER_RESET;
    case CONN_TIMED_OUT: return timeout_reason(c);
    case CONN_MALFORMED: return REASON_SERVER_MALFORMED;
    case CONN_BODY_BROKEN: return REASON_SPOOL_FAILED;
    case CONN_BODY_REFUSED:
    case CONN_NO_MEMORY:
    case CONN_NOT_FAILED: break;
    }
    return REASON_NO_MEMORY;
}

/* The server has answered, and does not want the rest of the request after all. */
static void end_sending(struct txn *t)
{
    txn_detach(t);
    timer_stop(&t->guard_timer);
    t->front->conn->codec->receive_into(t->front, NULL);
    if (t->response_is_sent)
        txn_finish(t, true);
}

void txn_on_server_failed(struct stream *s, enum conn_failure why)
{
    struct txn *t = s->owner;
    enum reason reason = failure_reason(s->conn, why);

    if (reason == REASON_SERVER_MALFORMED)
        log_message(LOG_WARNING, "%.*s: server %s/%.*s: bad response: %s",
                    STR_ARG(t->route->full_name), t->backend->name, STR_ARG(t->server_name),
                    http_faults[s->conn->fault].text);
    if (t->front == NULL && why == CONN_BODY_BROKEN) /* all that came of an upload is delivered */
        txn_finish(t, false);
    else if (t->state == TXN_AWAIT)
        attempt_failed(t, reason);
    else if (t->response_is_in)
        end_sending(t);
    else
        txn_fail(t, t->state == TXN_TUNNEL ? reason : REASON_RESPONSE_CUT);
}

bool txn_on_interim(struct stream *s, struct head *h)
{
    struct txn *t = s->owner;

    /* Where the proxy has met the client's expectation itself a second 100 would be one too many. */
    if (t->front == NULL || (h->status == 100 && t->request->expects_continue &&
                             !t->outgoing->expects_continue))
        return true;
    return t->front->conn->codec->send_interim(t->front, h);
}

/* Is this an answer that the policy would rather ask for again? */
static bool is_retried_status(struct txn *t, unsigned status)
{
    struct replay_facts facts;

    if (!replay_status_is_retried(t->policy, status) ||
        t->n_attempts >= t->policy->retry_attempts)
        return false;
    facts = facts_of(t, t->back->conn->codec->may_be_delivered(t->back));
    return replay_is_allowed(&facts);
}

static void retry_status(struct txn *t, unsigned status)
{
    t->last_reason = REASON_SERVER_STATUS;
    t->last_status = status;
    log_message(LOG_NOTICE, "%.*s: server %s/%.*s answered %u; the request will be sent again",
                STR_ARG(t->route->full_name), t->backend->name, STR_ARG(t->server_name), status);
    txn_detach(t);
    arena_rewind(t->arena, t->attempt_mark);
    send_again(t, true);
}

/* The response is all in: the server is free for others, whatever the client's speed. */
static void back_is_done(struct txn *t)
{
    struct stream *back = t->back;

    if (t->attempt != NULL)
        t->attempt->ended_ms = loop_now(t->worker->loop);
    t->attempt = NULL;
    t->back = NULL;
    back->conn->codec->release(back);
    if (t->response_is_sent)
        txn_finish(t, true);
}

/* Is the server still being sent the request that it has answered? */
static bool is_still_sending(const struct txn *t)
{
    return t->has_request_body && !t->request_is_sent;
}

/*
 * A server has answered before it had the whole request. An error ends the sending: what more it
 * were sent it would not read. The client's bytes are dropped from here on.
 */
static void end_early_request(struct txn *t, const struct head *h)
{
    if (!t->has_request_body)
        return;
    if (body_is_drained(&t->request_body) || h->status < 300) {
        body_stop_keeping(&t->request_body);
        return;
    }
    t->request_is_sent = true; /* as far as it will be */
    timer_stop(&t->guard_timer);
    t->back->conn->codec->stop_sending(t->back);
    t->front->conn->codec->receive_into(t->front, NULL);
    body_reset(&t->request_body);
}

/* The server has agreed to another protocol: the client is told, and bytes pass from here on. */
static void relay_switch(struct txn *t, struct head *h)
{
    t->response = h;
    t->status = h->status;
    if (!rewrite_response(t, h) || !t->front->conn->codec->send_head(t->front, h, NULL)) {
        txn_fail(t, REASON_INTERNAL);
        return;
    }
    txn_start_tunnel(t);
}

static void response_is_in(struct txn *t)
{
    t->response_is_in = true;
    if (!is_still_sending(t))
        back_is_done(t);
}

static void relay_response(struct txn *t, struct head *h)
{
    struct body *body = h->has_body ? &t->response_body : NULL;

    t->response = h;
    t->status = h->status;
    t->last_reason = REASON_NONE;
    end_early_request(t, h);
    if (!rewrite_response(t, h)) {
        txn_fail(t, REASON_INTERNAL);
        return;
    }
    if (body != NULL) {
        txn_init_response_body(t);
        if (h->has_length)
            body_declare(body, h->body_length);
    }
    if (!t->front->conn->codec->send_head(t->front, h, body)) {
        txn_fail(t, REASON_INTERNAL);
        return;
    }
    txn_enter(t, TXN_RELAY);
    if (body != NULL)
        t->back->conn->codec->receive_into(t->back, body);
    else
        response_is_in(t);
}

void txn_on_response(struct stream *s, struct head *h, enum http_fault fault)
{
    struct txn *t = s->owner;

    assert(fault == FAULT_NONE); /* a malformed response comes to txn_on_server_failed */
    if (t->attempt != NULL)
        t->attempt->header_ms = loop_now(t->worker->loop);
    if (t->front == NULL) { /* its client has gone: there is nobody to answer */
        txn_finish(t, false);
        return;
    }
    if (h->status == 101) {
        relay_switch(t, h);
        return;
    }
    if (is_retried_status(t, h->status)) {
        retry_status(t, h->status);
        return;
    }
    if (reply_replaces(t, h->status)) {
        t->reason = REASON_SERVER_STATUS;
        txn_detach(t);
        reply_error(t, h->status);
        return;
    }
    relay_response(t, h);
}

void txn_on_response_received(struct stream *s)
{
    struct txn *t = s->owner;

    if (t->state != TXN_TUNNEL) /* there the server's end is only one of two */
        response_is_in(t);
}

void txn_on_request_sent(struct stream *s)
{
    struct txn *t = s->owner;

    if (t->state == TXN_TUNNEL) {
        txn_tunnel_half_done(t);
        return;
    }
    t->request_is_sent = true;
    if (t->response_is_in)
        back_is_done(t);
}

/*
 * h1 - HTTP/1.0 and 1.1 as a codec: the life of a conn, its turns and its timers.
 */
#include "http/h1.h"

#include "base/panic.h"
#include "http/h1_private.h"
#include "io/sock.h"

#include <errno.h>
#include <unistd.h>

/* Turns of one run before the conn lets the others in and posts itself again. */
#define RUN_TURNS_MAX 8

static void h1_run(struct h1 *h);

size_t h1_object_bytes(void)
{
    return sizeof(struct h1);
}

static void conn_on_ready(struct watch *w)
{
    struct wire *wire = list_owner(w, struct wire, watch);

    h1_run(h1_of(list_owner(wire, struct conn, wire)));
}

static void conn_on_task(struct task *t)
{
    h1_run(h1_of(list_owner(t, struct conn, task)));
}

static void conn_bury(struct grave *g)
{
    struct conn *c = list_owner(g, struct conn, grave);

    pool_put(c->pool, c);
}

static void timed_out(struct h1 *h, enum conn_wait wait)
{
    h->conn.failed_wait = (unsigned char)wait;
    if (wait == CONN_WAIT_IDLE || wait == CONN_WAIT_LINGER || wait == CONN_WAIT_CONNECT)
        h1_close(h, wait == CONN_WAIT_CONNECT ? ETIMEDOUT : 0);
    else
        h1_fail(h, CONN_TIMED_OUT);
    h1_run(h);
}

static void conn_on_in_timer(struct timer *t)
{
    struct h1 *h = h1_of(list_owner(t, struct conn, in_timer));

    /* A head that drips in has no stream yet: it gets one, so that the client can be told 408. */
    if (h->conn.in_wait == CONN_WAIT_HEAD && h->conn.role == CONN_FRONT) {
        h1_head_timed_out(h);
        h1_run(h);
        return;
    }
    timed_out(h, (enum conn_wait)h->conn.in_wait);
}

static void conn_on_out_timer(struct timer *t)
{
    struct h1 *h = h1_of(list_owner(t, struct conn, out_timer));

    timed_out(h, (enum conn_wait)h->conn.out_wait);
}

static struct h1 *h1_new(const struct h1_setup *setup, enum conn_role role, bool is_ready)
{
    struct h1 *h = pool_get(setup->pool);

    if (h == NULL) {
        close(setup->fd);
        return NULL;
    }
    *h = (struct h1){
        .conn =
            {
                .failed_how = CONN_NOT_FAILED,
                .linger_ms = H1_LINGER_MS,
                .linger_bytes = H1_LINGER_BYTES,
                .codec = &h1_codec,
                .ops = setup->ops,
                .bufs = setup->bufs,
                .pool = setup->pool,
                .owner = setup->owner,
                .role = (unsigned char)role,
            },
    };
    list_init(&h->conn.link);
    task_init(&h->conn.task, conn_on_task);
    timer_init(&h->conn.in_timer, conn_on_in_timer);
    timer_init(&h->conn.out_timer, conn_on_out_timer);
    list_init(&h->conn.grave.link);
    h->conn.grave.bury = conn_bury;
    if (!wire_open(&h->conn.wire, setup->loop, setup->fd, is_ready, conn_on_ready)) {
        wire_close(&h->conn.wire);
        pool_put(setup->pool, h);
        return NULL;
    }
    return h;
}

struct conn *h1_front_new(const struct h1_setup *setup, const struct addr *peer)
{
    struct h1 *h = h1_new(setup, CONN_FRONT, true);

    if (h == NULL)
        return NULL;
    h->conn.peer = addr_endpoint(peer);
    h1_expect_head(h);
    if (setup->expects_proxy)
        h->in_state = H1_IN_PROXY;
    return &h->conn;
}

void h1_front_start(struct conn *c)
{
    h1_run(h1_of(c));
}

struct conn *h1_back_new(const struct h1_setup *setup, bool is_connected)
{
    struct h1 *h = h1_new(setup, CONN_BACK, is_connected);

    if (h == NULL)
        return NULL;
    h->in_state = H1_IN_CONNECTING;
    task_post(setup->loop, &h->conn.task); /* goes on, or sets the timer */
    return &h->conn;
}

static void let_go_of_bodies(struct h1 *h)
{
    struct task *task = &h->conn.task;

    if (h->stream.in != NULL && h->stream.in->producer == task)
        body_set_producer(h->stream.in, NULL);
    if (h->stream.out != NULL && h->stream.out->consumer == task)
        body_set_consumer(h->stream.out, NULL);
    h->stream.in = NULL;
    h->stream.out = NULL;
}

void h1_close(struct h1 *h, int error)
{
    struct conn *c = &h->conn;

    if (c->is_closed)
        return;
    c->is_closed = true;
    let_go_of_bodies(h);
    buf_put(c->bufs, &h->in);
    buf_put(c->bufs, &h->out);
    loop_timer_remove(c->wire.loop, &c->in_timer);
    loop_timer_remove(c->wire.loop, &c->out_timer);
    task_cancel(&c->task);
    wire_close(&c->wire);
    c->ops->on_closed(c, error);
    loop_bury(c->wire.loop, &c->grave);
}

void h1_fail(struct h1 *h, enum conn_failure why)
{
    if (h->conn.is_closed)
        return;
    h->in_state = H1_IN_BROKEN;
    h->keep_alive = false;
    h->conn.failed_how = (unsigned char)why;
    if (!h->has_stream || h->stream.owner == NULL) {
        h1_close(h, 0);
        return;
    }
    h->conn.ops->on_failed(&h->stream, why);
}

static bool finish_connect(struct h1 *h)
{
    int error = 0;

    if (h->conn.wire.watch.is_registered) {
        if (!(h->conn.wire.watch.ready & EVENT_OUT))
            return false;
        error = sock_error(h->conn.wire.watch.fd);
    }
    if (error != 0) {
        h1_close(h, error);
        return true;
    }
    h->in_state = H1_IN_IDLE;
    h->conn.ops->on_connected(&h->conn);
    return true;
}

static void start_lingering(struct h1 *h)
{
    if (h->conn.linger_ms == 0 || h->conn.linger_bytes == 0) {
        h1_close(h, 0);
        return;
    }
    wire_shut(&h->conn.wire);
    let_go_of_bodies(h);
    h->in_state = H1_IN_LINGER;
    h->in_left = h->conn.linger_bytes;
    h->in_moved = true;
}

static void next_exchange(struct h1 *h)
{
    h->has_stream = false;
    h->out_state = H1_OUT_NONE;
    h->conn.is_reused = true;
    let_go_of_bodies(h);
    if (h->conn.role == CONN_FRONT) {
        h1_expect_head(h);
        return;
    }
    h->in_state = H1_IN_IDLE;
    h->conn.ops->on_idle(&h->conn);
}

/* The owner of the stream is done with it: what becomes of the connection? */
static bool finish_front(struct h1 *h)
{
    bool is_quiet = h->in_state == H1_IN_DONE && !h1_has_input(h) &&
                    !(h->conn.wire.watch.ready & EVENT_IN);

    if (h->out_state == H1_OUT_BROKEN) {
        h1_close(h, 0);
        return true;
    }
    if (h->out_state != H1_OUT_DONE)
        return false; /* still sending */
    if (h->keep_alive && h->in_state == H1_IN_DONE) {
        next_exchange(h);
        return true;
    }
    if (h->keep_alive && h->takes_body && h1_rest_is_small(h))
        return false; /* it is being dropped */
    if (is_quiet)
        h1_close(h, 0);
    else
        start_lingering(h);
    return true;
}

static bool finish_back(struct h1 *h)
{
    bool is_clean = h->in_state == H1_IN_DONE && h->out_state == H1_OUT_DONE && h->keep_alive &&
                    !h->conn.is_draining && !h->asked_upgrade && !h1_has_input(h) &&
                    !wire_is_hung_up(&h->conn.wire);

    if (is_clean)
        next_exchange(h);
    else
        h1_close(h, 0);
    return true;
}

static bool h1_finish(struct h1 *h)
{
    if (h->in_state == H1_IN_LINGER || h->conn.is_closed)
        return false;
    if (!h->has_stream) {
        if (!h->conn.is_draining || h->in_state == H1_IN_CONNECTING || h1_has_input(h))
            return false;
        h1_close(h, 0);
        return true;
    }
    if (h->stream.owner != NULL) {
        /* The response is in and the rest of the request cannot go: nothing more will happen
         * here. */
        if (h->conn.role == CONN_FRONT || h->in_state != H1_IN_DONE ||
            h->out_state != H1_OUT_BROKEN)
            return false;
        h1_fail(h, CONN_PEER_RESET);
        return true;
    }
    return h->conn.role == CONN_FRONT ? finish_front(h) : finish_back(h);
}

static enum conn_wait in_wait(const struct h1 *h)
{
    bool has_bytes = h1_has_input(h);

    if (h->is_tunnel && h->in_state != H1_IN_LINGER)
        return CONN_WAIT_NONE;
    switch ((enum h1_in_state)h->in_state) {
    case H1_IN_CONNECTING: return CONN_WAIT_CONNECT;
    case H1_IN_IDLE: return CONN_WAIT_IDLE;
    case H1_IN_PROXY: return CONN_WAIT_HEAD;
    case H1_IN_HEAD:
        if (h->conn.role == CONN_FRONT)
            return has_bytes || !h->conn.is_reused ? CONN_WAIT_HEAD : CONN_WAIT_IDLE;
        if (h->interim_waits)
            return CONN_WAIT_NONE;
        /* A server's time to think starts when it has the whole request. */
        return h->out_state == H1_OUT_DONE || h->out_state == H1_OUT_BROKEN ? CONN_WAIT_THINK
                                                                            : CONN_WAIT_NONE;
    case H1_IN_BODY:
        /* A small rest that is dropped to keep the connection has the bound of lingering as a whole. */
        if (h->conn.role == CONN_FRONT && h->has_stream && h->stream.owner == NULL)
            return CONN_WAIT_LINGER;
        /* What is only dropped is not waited for: the answer that is on its way has bounds. */
        if (!h->takes_body || h->in_is_paused || (h->stream.in == NULL && h->stream.owner != NULL))
            return CONN_WAIT_NONE;
        return CONN_WAIT_READ;
    case H1_IN_LINGER: return CONN_WAIT_LINGER;
    case H1_IN_DONE:
    case H1_IN_BROKEN: return CONN_WAIT_NONE;
    }
    return CONN_WAIT_NONE;
}

static uint32_t wait_ms(struct h1 *h, enum conn_wait wait)
{
    void *owner = h->has_stream ? h->stream.owner : NULL;

    if (wait == CONN_WAIT_LINGER)
        return h->conn.linger_ms;
    return h->conn.ops->timeout_ms(&h->conn, owner, wait);
}

/* Timers of a whole phase start once; the others start again with each byte. */
static void arm_in(struct h1 *h)
{
    enum conn_wait wait = in_wait(h);
    bool again = h->in_moved && wait == CONN_WAIT_READ;

    if (wait == CONN_WAIT_NONE)
        timer_stop(&h->conn.in_timer);
    else if (wait != h->conn.in_wait || again)
        loop_timer_set(h->conn.wire.loop, &h->conn.in_timer, wait_ms(h, wait));
    h->conn.in_wait = (unsigned char)wait;
    h->in_moved = false;
}

static bool wants_to_send(const struct h1 *h)
{
    if (h->out_state == H1_OUT_BROKEN || h->in_state == H1_IN_CONNECTING)
        return h->in_state == H1_IN_CONNECTING;
    if (h->out != NULL && buf_length(h->out) > 0)
        return true;
    return h->out_state == H1_OUT_BODY && h->stream.out != NULL && body_unread(h->stream.out) > 0;
}

static void arm_out(struct h1 *h, bool is_blocked)
{
    enum conn_wait wait =
        is_blocked && h->in_state != H1_IN_CONNECTING && !h->is_tunnel ? CONN_WAIT_WRITE
                                                                       : CONN_WAIT_NONE;

    if (wait == CONN_WAIT_NONE)
        timer_stop(&h->conn.out_timer);
    else if (wait != h->conn.out_wait || h->out_moved)
        loop_timer_set(h->conn.wire.loop, &h->conn.out_timer, wait_ms(h, wait));
    h->conn.out_wait = (unsigned char)wait;
    h->out_moved = false;
}

static void h1_arm(struct h1 *h)
{
    bool is_blocked = wants_to_send(h);
    bool reads = h->in_state == H1_IN_HEAD || h->in_state == H1_IN_IDLE ||
                 h->in_state == H1_IN_LINGER || h->in_state == H1_IN_PROXY ||
                 (h->in_state == H1_IN_BODY && h->takes_body && !h->in_is_paused);
    unsigned want = (reads ? EVENT_IN : 0u) | (is_blocked ? EVENT_OUT : 0u);

    if (h->in != NULL && buf_length(h->in) == 0)
        buf_put(h->conn.bufs, &h->in);
    arm_in(h);
    arm_out(h, is_blocked);
    if (!wire_want(&h->conn.wire, want))
        h1_fail(h, CONN_NO_MEMORY);
}

static bool h1_turn(struct h1 *h)
{
    bool moved = false;

    if (h->in_state == H1_IN_CONNECTING)
        moved = finish_connect(h);
    if (!h->conn.is_closed)
        moved |= h1_receive(h);
    if (!h->conn.is_closed && (h->out != NULL || h->out_state == H1_OUT_BODY))
        moved |= h1_send(h);
    if (!h->conn.is_closed)
        moved |= h1_finish(h);
    return moved;
}

static void h1_run(struct h1 *h)
{
    unsigned turns = 0;

    while (!h->conn.is_closed && turns < RUN_TURNS_MAX && h1_turn(h))
        turns++;
    if (h->conn.is_closed)
        return;
    /* What the turns themselves have posted is done, unless they were cut short. */
    if (turns < RUN_TURNS_MAX)
        task_cancel(&h->conn.task);
    else
        task_post(h->conn.wire.loop, &h->conn.task);
    h1_arm(h);
}

static struct stream *h1_open(struct conn *c, void *owner, struct arena *arena)
{
    struct h1 *h = h1_of(c);

    assert(c->role == CONN_BACK && h->in_state == H1_IN_IDLE && !c->is_closed);
    h->stream = (struct stream){.conn = c, .owner = owner, .arena = arena};
    h->has_stream = true;
    h->out_state = H1_OUT_NONE;
    h->keep_alive = false;
    h->n_interim = 0;
    h->interim_waits = false;
    h1_expect_head(h);
    return &h->stream;
}

static bool h1_announce(struct conn *c, const void *p, size_t n)
{
    assert(c->role == CONN_BACK && !c->is_reused);
    return h1_put(h1_of(c), p, n);
}

static void h1_resume(struct stream *s)
{
    struct h1 *h = h1_of(s->conn);

    h->interim_waits = false;
    task_post(h->conn.wire.loop, &h->conn.task);
}

static void h1_receive_into(struct stream *s, struct body *in)
{
    struct h1 *h = h1_of(s->conn);

    if (h->in_state != H1_IN_BODY)
        return;
    h->takes_body = true;
    h->in_moved = true;
    s->in = in;
    if (in != NULL)
        body_set_producer(in, &h->conn.task);
    task_post(h->conn.wire.loop, &h->conn.task);
}

static void h1_tunnel(struct stream *s, struct body *in, struct body *out)
{
    struct h1 *h = h1_of(s->conn);

    assert(h->in_state == H1_IN_DONE && !h->conn.is_closed);
    h->is_tunnel = true;
    h->keep_alive = false;
    h->in_kind = FRAMING_CONNECTION;
    h->in_state = H1_IN_BODY;
    h->takes_body = true;
    s->in = in;
    body_set_producer(in, &h->conn.task);
    h1_tunnel_out(h, out);
}

static void h1_release(struct stream *s)
{
    struct h1 *h = h1_of(s->conn);

    if (h->conn.is_closed)
        return;
    s->owner = NULL;
    s->arena = NULL;
    let_go_of_bodies(h);
    if (h->in_state == H1_IN_BODY)
        h->takes_body = true; /* into nothing */
    if (h->out_state == H1_OUT_BODY || h->out_state == H1_OUT_NONE) {
        h1_close(h, 0); /* the message cannot be finished without its body */
        return;
    }
    task_post(h->conn.wire.loop, &h->conn.task);
}

/*
 * Must the connection end with a reset? To a client, where only that shows that a message without
 * length is cut. To a server always, or the kernel would go on to send it what is in our socket,
 * and it might come to have the whole of a request that is being sent to another; but for a body
 * that its client cut short: all that came of it is to be delivered, and then an end.
 */
static bool breaks_by_reset(const struct h1 *h)
{
    if (h->conn.role == CONN_FRONT)
        return h->out_ends_with_connection && !h->is_tunnel;
    return h->conn.failed_how != CONN_BODY_BROKEN;
}

static void h1_reset(struct stream *s)
{
    struct h1 *h = h1_of(s->conn);

    if (h->conn.is_closed)
        return;
    s->owner = NULL;
    if (breaks_by_reset(h))
        sock_set_reset_on_close(h->conn.wire.watch.fd);
    h1_close(h, 0);
}

/*
 * What has not left our socket nobody has had. What has left it and is not acknowledged may have
 * been read all the same: a receiver delays acknowledgements, and the kernel does not look at that
 * of a reset (tcp_reset). But a FIN acknowledges all that had come before the close: what is
 * unacknowledged after the peer's end (read as 0, or as EPIPE where a reset followed it) came too
 * late for anybody to read.
 */
static bool h1_may_be_delivered(struct stream *s)
{
    struct h1 *h = h1_of(s->conn);
    int fd = h->conn.wire.watch.fd;
    bool peer_closed = h->conn.failed_how == CONN_PEER_CLOSED ||
                       (h->conn.failed_how == CONN_PEER_RESET && h->conn.error == EPIPE);
    size_t n = 0;

    if (h->out_state != H1_OUT_DONE)
        return false;
    if (sock_unsent(fd, &n) && n > 0)
        return false;
    return !peer_closed || !sock_unacknowledged(fd, &n) || n == 0;
}

static void h1_drain(struct conn *c)
{
    c->is_draining = true;
    if (h1_of(c)->in_state == H1_IN_LINGER) /* nobody waits for long for what is only dropped */
        loop_timer_set(c->wire.loop, &c->in_timer, H1_LINGER_DRAINING_MS);
    task_post(c->wire.loop, &c->task);
}

static void h1_close_conn(struct conn *c)
{
    h1_close(h1_of(c), 0);
}

const struct codec h1_codec = {
    .open = h1_open,
    .announce = h1_announce,
    .send_head = h1_send_head,
    .send_interim = h1_send_interim,
    .resume = h1_resume,
    .receive_into = h1_receive_into,
    .tunnel = h1_tunnel,
    .retract = h1_retract,
    .stop_sending = h1_stop_sending,
    .release = h1_release,
    .reset = h1_reset,
    .may_be_delivered = h1_may_be_delivered,
    .drain = h1_drain,
    .close = h1_close_conn,
};

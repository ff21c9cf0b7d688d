/*
 * h1_in - the reading half of HTTP/1: heads, bodies by length, by chunks and until the end.
 */
#include "http/h1_private.h"

#include "base/panic.h"
#include "http/h1_head.h"
#include "io/proxy_protocol.h"

#include <errno.h>

/* RFC 9112 2.2: ignore at least one empty line before the request line. */
#define BLANK_BYTES_MAX 8
/* Resumable uploads report their progress in 104s; more than these is an attack or a bug. */
#define INTERIM_MAX         100000
#define INTERIM_ARENA_BYTES 4096

void h1_expect_head(struct h1 *h)
{
    h->in_state = H1_IN_HEAD;
    h->head_scanned = 0;
    h->n_blank = 0;
    h->takes_body = false;
    h->in_is_paused = false;
    h->conn.in_wait = CONN_WAIT_NONE;
}

static size_t in_length(const struct h1 *h)
{
    return h->in == NULL ? 0 : buf_length(h->in);
}

static void in_consume(struct h1 *h, size_t n)
{
    h->in->start += n;
    if (h->in->start == h->in->end) {
        h->in->start = 0;
        h->in->end = 0;
    }
}

/* Make room behind what is buffered: by moving it, or, up to a whole head, by a larger piece. */
static bool in_make_room(struct h1 *h)
{
    struct buf *larger;

    if (h->in == NULL) {
        h->in = buf_get(h->conn.bufs, BUF_SIZE_MIN);
        return h->in != NULL;
    }
    if (buf_space(h->in) > 0)
        return true;
    buf_compact(h->in);
    if (buf_space(h->in) > 0)
        return true;
    larger = buf_get(h->conn.bufs, h->in->room * 2);
    if (larger == NULL)
        return false;
    buf_append(larger, buf_bytes(h->in), buf_length(h->in));
    buf_put(h->conn.bufs, &h->in);
    h->in = larger;
    return true;
}

/* Nobody is there who could be answered: a proxy reads no HTTP. */
static void refuse_proxy(struct h1 *h, const char *why)
{
    h->conn.ops->on_bad_proxy(&h->conn, why);
    h1_close(h, 0);
}

/* The peer's end, or a broken wire, where the message was not over. */
static bool in_ended(struct h1 *h, enum wire_result r)
{
    bool is_idle = !h->has_stream && in_length(h) == 0;

    /* A write that failed has eaten the socket's error: what reads as an end was a reset. */
    if (r == WIRE_END && h->write_failed)
        r = WIRE_FAILED;
    else
        h->conn.error = r == WIRE_FAILED ? errno : 0;
    if (is_idle)
        h1_close(h, 0);
    else if (h->in_state == H1_IN_PROXY)
        refuse_proxy(h, "the connection ended in it");
    else
        h1_fail(h, r == WIRE_END ? CONN_PEER_CLOSED : CONN_PEER_RESET);
    return true;
}

/* Read into the buffer. False: nothing came. */
static bool in_fill(struct h1 *h)
{
    enum wire_result r;
    size_t got;

    if (!(h->conn.wire.watch.ready & EVENT_IN))
        return false; /* before a buffer is taken for nothing */
    if (!in_make_room(h)) {
        h1_fail(h, CONN_NO_MEMORY);
        return true;
    }
    r = wire_recv(&h->conn.wire, h->in->data + h->in->end, buf_space(h->in), &got);
    switch (r) {
    case WIRE_AGAIN: return false;
    case WIRE_END:
    case WIRE_FAILED: return in_ended(h, r);
    case WIRE_OK: break;
    }
    h->in->end += got;
    h->in_moved = true;
    h->turn_bytes += got;
    return true;
}

static void skip_blank_lines(struct h1 *h)
{
    while (in_length(h) >= 2 && h->head_scanned == 0 && h->n_blank < BLANK_BYTES_MAX &&
           memcmp(buf_bytes(h->in), "\r\n", 2) == 0) {
        in_consume(h, 2);
        h->n_blank += 2;
    }
}

/* What cannot become a request (a TLS hello on a plain port, a bare CR) is not waited for. */
static bool cannot_begin_request(const struct h1 *h)
{
    char first = *buf_bytes(h->in);

    if (first == '\r' && in_length(h) == 1)
        return false; /* the line end may follow */
    return !field_is_token((struct str){&first, 1});
}

static void in_set_framing(struct h1 *h, const struct framing *f)
{
    h->in_kind = (unsigned char)f->kind;
    h->in_left = f->length;
    h->in_state = f->kind == FRAMING_NONE ? H1_IN_DONE : H1_IN_BODY;
    if (f->kind == FRAMING_CHUNKED)
        chunked_init(&h->chunked);
}

static void take_request(struct h1 *h, struct str text, enum http_fault fault)
{
    struct framing f = {.kind = FRAMING_NONE};
    struct head *head = arena_alloc(h->stream.arena, sizeof(*head));

    if (head == NULL) {
        h1_fail(h, CONN_NO_MEMORY);
        return;
    }
    head_init(head, h->stream.arena, false);
    if (fault == FAULT_NONE)
        fault = h1_parse_request(text, head, &f);
    if (fault != FAULT_NONE && head->method_text.n == 0)
        h1_parse_line_for_log(text, &head->method_text, &head->target);
    if (fault == FAULT_NONE)
        in_set_framing(h, &f);
    else
        h->in_state = H1_IN_BROKEN;
    head->wire_bytes = text.n;
    h->client_is_1_0 = head->minor == 0;
    h->awaits_continue = head->expects_continue;
    h->keep_alive = fault == FAULT_NONE && head->keep_alive;
    h->conn.ops->on_head(&h->stream, head, fault);
}

static void response_is_malformed(struct h1 *h, enum http_fault fault)
{
    h->in_state = H1_IN_BROKEN;
    h->conn.fault = (unsigned char)fault;
    h1_fail(h, fault == FAULT_MEMORY ? CONN_NO_MEMORY : CONN_MALFORMED);
}

static enum http_fault parse_response(struct h1 *h, struct str text, struct head *head,
                                      struct arena *a, struct framing *f)
{
    enum http_fault fault;

    head_init(head, a, true);
    fault = h1_parse_response(text, (enum method)h->asked, head, f);
    if (fault == FAULT_NONE && head->status == 101 && !h->asked_upgrade)
        fault = FAULT_SWITCH;
    head->wire_bytes = text.n;
    return fault;
}

/* The final response, in the owner's arena. */
static void take_response(struct h1 *h, struct str text)
{
    struct framing f = {.kind = FRAMING_NONE};
    struct head *head = arena_alloc(h->stream.arena, sizeof(*head));
    enum http_fault fault;

    if (head == NULL) {
        h1_fail(h, CONN_NO_MEMORY);
        return;
    }
    fault = parse_response(h, text, head, h->stream.arena, &f);
    if (fault != FAULT_NONE) {
        response_is_malformed(h, fault);
        return;
    }
    in_set_framing(h, &f);
    h->keep_alive = head->keep_alive && f.kind != FRAMING_CONNECTION;
    h->conn.ops->on_head(&h->stream, head, FAULT_NONE);
}

/* 1xx other than 101: there may be any number of them, so that they must leave nothing behind. */
static void take_interim(struct h1 *h, size_t n)
{
    struct framing f = {.kind = FRAMING_NONE};
    struct arena *a = arena_new(INTERIM_ARENA_BYTES, 0);
    struct str text = {buf_bytes(h->in), n};
    struct head head;
    enum http_fault fault = FAULT_MEMORY;

    if (a != NULL)
        fault = parse_response(h, text, &head, a, &f);
    if (fault == FAULT_NONE && ++h->n_interim > INTERIM_MAX)
        fault = FAULT_HEAD_TOO_LARGE;
    if (fault == FAULT_NONE)
        h->interim_waits = !h->conn.ops->on_interim(&h->stream, &head);
    else
        response_is_malformed(h, fault);
    arena_free(a);
    if (h->in != NULL)
        in_consume(h, n);
    if (fault == FAULT_NONE && !h->conn.is_closed)
        h1_expect_head(h);
}

/* "HTTP/1.x 1yy", but for 101. */
static bool is_interim(struct str text)
{
    return text.n > 12 && text.p[9] == '1' && !(text.p[10] == '0' && text.p[11] == '1');
}

/* The head's bytes move to the owner's arena, where its fields will point. */
static bool head_text(struct h1 *h, size_t n, struct str *text)
{
    char *p = arena_text(h->stream.arena, n);

    if (p == NULL)
        return false;
    memcpy(p, buf_bytes(h->in), n);
    *text = (struct str){p, n};
    return true;
}

static bool open_front_stream(struct h1 *h)
{
    h->stream = (struct stream){.conn = &h->conn};
    h->interim_waits = false;
    h->hangup_told = 0;
    h->out_state = H1_OUT_NONE;
    h->has_stream = true;
    if (h->conn.ops->open(&h->stream))
        return true;
    h->has_stream = false;
    h1_close(h, 0);
    return false;
}

static void take_head(struct h1 *h, size_t n, enum http_fault fault)
{
    struct str text;

    if (h->conn.role == CONN_FRONT && !open_front_stream(h))
        return;
    if (h->conn.role == CONN_BACK && is_interim((struct str){buf_bytes(h->in), n})) {
        take_interim(h, n);
        return;
    }
    if (!head_text(h, n, &text)) {
        h1_fail(h, CONN_NO_MEMORY);
        return;
    }
    in_consume(h, n);
    h->head_scanned = 0;
    if (h->conn.role == CONN_FRONT)
        take_request(h, text, fault);
    else
        take_response(h, text);
}

void h1_head_timed_out(struct h1 *h)
{
    if (in_length(h) == 0)
        h1_close(h, 0);
    else if (h->in_state == H1_IN_PROXY)
        refuse_proxy(h, "it is not whole in time");
    else
        take_head(h, in_length(h), FAULT_HEAD_TIMEOUT);
}

/* A head beyond its bound: a front tells its client, a back its owner. */
static void head_too_large(struct h1 *h)
{
    size_t n = in_length(h) < H1_HEAD_MAX ? in_length(h) : H1_HEAD_MAX;

    if (h->conn.role == CONN_FRONT) {
        bool in_line = memchr(buf_bytes(h->in), '\n', n) == NULL;

        take_head(h, n, in_line ? FAULT_TARGET_TOO_LONG : FAULT_HEAD_TOO_LARGE);
        return;
    }
    h->in_state = H1_IN_BROKEN;
    h->conn.fault = FAULT_HEAD_TOO_LARGE;
    h1_fail(h, CONN_MALFORMED);
}

/* The header ends where the first head begins, and the time that there is for that goes on. */
static bool receive_proxy(struct h1 *h)
{
    struct proxy_header header;
    const char *why;
    size_t used;

    if (in_length(h) == 0 && !in_fill(h))
        return false;
    if (h->conn.is_closed)
        return true;
    switch (proxy_header_read(buf_bytes(h->in), in_length(h), &header, &used, &why)) {
    case PROXY_MORE: return in_fill(h);
    case PROXY_BAD: refuse_proxy(h, why); return true;
    case PROXY_OK: break;
    }
    in_consume(h, used);
    h->in_state = H1_IN_HEAD;
    h->conn.is_announced = header.has_addresses;
    if (header.has_addresses)
        h->conn.peer = header.source;
    return true;
}

static bool receive_head(struct h1 *h)
{
    size_t n;

    if (in_length(h) == 0 && !in_fill(h))
        return false;
    if (h->conn.is_closed || h->in_state != H1_IN_HEAD)
        return true;
    if (h->conn.role == CONN_FRONT)
        skip_blank_lines(h);
    n = in_length(h) == 0 ? 0 : h1_head_end(buf_bytes(h->in), in_length(h), &h->head_scanned);
    if (n > 0) {
        if (n > H1_HEAD_MAX)
            head_too_large(h);
        else
            take_head(h, n, FAULT_NONE);
        return true;
    }
    if (in_length(h) >= H1_HEAD_MAX) {
        head_too_large(h);
        return true;
    }
    if (h->conn.role == CONN_FRONT && in_length(h) > 0 && cannot_begin_request(h)) {
        take_head(h, in_length(h), FAULT_METHOD);
        return true;
    }
    return in_length(h) == 0 || in_fill(h);
}

static void body_is_over(struct h1 *h)
{
    h->in_state = H1_IN_DONE;
    if (h->stream.in != NULL) {
        body_set_producer(h->stream.in, NULL);
        body_finish(h->stream.in);
    }
    if (h->stream.owner != NULL)
        h->conn.ops->on_received(&h->stream);
}

/* The sink took less than it was given: it is full, or it is aborted. */
static void sink_stopped(struct h1 *h)
{
    if (h->stream.in->state == BODY_OPEN) {
        h->in_is_paused = true;
        return;
    }
    h->in_state = H1_IN_BROKEN;
    h1_fail(h, CONN_BODY_REFUSED);
}

/* Hand up to n buffered bytes of content to the sink; returns how many it took. */
static size_t give_buffered(struct h1 *h, size_t n)
{
    size_t took = n;

    if (h->stream.in != NULL)
        took = body_write(h->stream.in, buf_bytes(h->in), n);
    in_consume(h, took);
    if (took < n)
        sink_stopped(h);
    return took;
}

/*
 * Read up to `most` bytes of content from the wire straight into the sink; 0: nothing now, or the
 * end (*ended), or a stop.
 */
static size_t recv_into_sink(struct h1 *h, uint64_t most, bool *ended)
{
    enum wire_result r;
    size_t room;
    size_t got;
    char *space = body_space(h->stream.in, &room);

    *ended = false;
    if (space == NULL) {
        sink_stopped(h);
        return 0;
    }
    if (room > most)
        room = (size_t)most;
    r = wire_recv(&h->conn.wire, space, room, &got);
    if (r == WIRE_END || r == WIRE_FAILED) {
        *ended = r == WIRE_END && h->in_kind == FRAMING_CONNECTION;
        if (!*ended)
            in_ended(h, r);
        return 0;
    }
    if (got > 0) {
        h->in_moved = true;
        h->turn_bytes += got;
        if (!body_commit(h->stream.in, got))
            sink_stopped(h);
    }
    return got;
}

/* The same into a pipe. */
static size_t splice_into_pipe(struct h1 *h, bool *ended)
{
    struct body *b = h->stream.in;
    bool is_empty = body_unread(b) == 0;
    size_t got;
    enum wire_result r =
        wire_splice_in(&h->conn.wire, b->pipe_in, H1_TURN_BYTES, is_empty, &got);

    *ended = r == WIRE_END;
    if (r == WIRE_FAILED)
        in_ended(h, r);
    if (r == WIRE_AGAIN && !is_empty && (h->conn.wire.watch.ready & EVENT_IN)) {
        body_pipe_commit(b, 0);
        sink_stopped(h);
    }
    if (got > 0) {
        h->in_moved = true;
        h->turn_bytes += got;
        body_pipe_commit(b, got);
    }
    return got;
}

/* The same straight to the sink's file. */
static size_t splice_into_sink(struct h1 *h, uint64_t most)
{
    size_t got;
    enum wire_result r = body_splice(h->stream.in, &h->conn.wire, most, &got);

    if (r == WIRE_END || r == WIRE_FAILED) {
        in_ended(h, r);
        return 0;
    }
    if (h->stream.in->state == BODY_ABORTED) {
        sink_stopped(h);
        return 0;
    }
    h->in_moved |= got > 0;
    h->turn_bytes += got;
    return got;
}

static size_t least(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

/* FRAMING_LENGTH and FRAMING_CONNECTION. */
static bool receive_plain(struct h1 *h)
{
    uint64_t left = h->in_kind == FRAMING_LENGTH ? h->in_left : UINT64_MAX;
    bool ended = false;
    size_t n;

    if (left == 0) {
        body_is_over(h);
        return true;
    }
    if (in_length(h) > 0) {
        n = give_buffered(h, least(left, in_length(h)));
    } else if (h->stream.in != NULL && body_is_pipe(h->stream.in)) {
        n = splice_into_pipe(h, &ended);
    } else if (h->stream.in != NULL && h->in_kind == FRAMING_LENGTH &&
               body_wants_splice(h->stream.in, left)) {
        n = splice_into_sink(h, left);
    } else if (h->stream.in != NULL) {
        n = recv_into_sink(h, left, &ended);
    } else {
        return in_fill(h); /* and the next turn drops it */
    }
    if (h->in_kind == FRAMING_LENGTH)
        h->in_left -= n;
    if (ended)
        body_is_over(h);
    return n > 0 || ended;
}

static bool receive_chunk_data(struct h1 *h)
{
    bool ended;
    size_t n = recv_into_sink(h, chunked_left(&h->chunked), &ended);

    chunked_took(&h->chunked, n);
    return n > 0;
}

static bool receive_chunked(struct h1 *h)
{
    enum http_fault fault = FAULT_NONE;
    size_t used;
    size_t data;

    if (in_length(h) == 0) {
        if (chunked_left(&h->chunked) > 0 && h->stream.in != NULL)
            return receive_chunk_data(h);
        return in_fill(h);
    }
    switch (chunked_step(&h->chunked, buf_bytes(h->in), in_length(h), &used, &data, &fault)) {
    case CHUNKED_MORE: in_consume(h, used); return true;
    case CHUNKED_DATA:
        in_consume(h, used);
        data = give_buffered(h, data);
        chunked_took(&h->chunked, data);
        return used + data > 0;
    case CHUNKED_END:
        in_consume(h, used);
        body_is_over(h);
        return true;
    case CHUNKED_FAULT: break;
    }
    h->in_state = H1_IN_BROKEN;
    h->keep_alive = false;
    h->conn.fault = (unsigned char)fault;
    h1_fail(h, CONN_MALFORMED);
    return true;
}

static bool receive_body(struct h1 *h)
{
    bool moved = false;

    while (h->in_state == H1_IN_BODY && h->takes_body && !h->conn.is_closed) {
        h->in_is_paused = false;
        if (!(h->in_kind == FRAMING_CHUNKED ? receive_chunked(h) : receive_plain(h)))
            break;
        moved = true;
        if (h->turn_bytes >= H1_TURN_BYTES)
            break;
    }
    return moved;
}

/* Drop whatever comes until the peer's end. */
static bool linger(struct h1 *h)
{
    enum wire_result r;
    size_t got;

    if (!in_make_room(h)) {
        h1_close(h, 0);
        return true;
    }
    h->in->start = 0;
    h->in->end = 0;
    r = wire_recv(&h->conn.wire, h->in->data, h->in->room, &got);
    if (r == WIRE_AGAIN)
        return false;
    if (r != WIRE_OK || got >= h->in_left) {
        h1_close(h, 0);
        return true;
    }
    h->in_left -= got;
    h->turn_bytes += got;
    return h->turn_bytes < H1_TURN_BYTES;
}

/* An idle back conn has nothing to say: its end is the usual case, bytes are a fault. */
static bool receive_idle(struct h1 *h)
{
    enum wire_result r;
    char byte;
    size_t got;

    if (!(h->conn.wire.watch.ready & EVENT_IN))
        return false;
    r = wire_recv(&h->conn.wire, &byte, 1, &got);
    if (r == WIRE_AGAIN)
        return false;
    h1_close(h, 0);
    return true;
}

/*
 * The client's end while nothing is read from it: its shut side after a whole request (it may still
 * read: half-close is legal), or both sides at any time. Each is told once.
 */
static bool watch_for_hangup(struct h1 *h)
{
    const struct wire *w = &h->conn.wire;
    unsigned char news = wire_is_broken(w) ? 2 : wire_is_hung_up(w) && h->in_state == H1_IN_DONE;

    /* Where we have shut our side too, both being shut is the regular end of a tunnel. */
    if (h->is_tunnel && h->out_state == H1_OUT_DONE)
        return false;
    if (news <= h->hangup_told || h->stream.owner == NULL || h->conn.role == CONN_BACK)
        return false;
    h->hangup_told = news;
    h->conn.ops->on_hangup(&h->stream, news == 2);
    return true;
}

bool h1_receive(struct h1 *h)
{
    h->turn_bytes = 0;
    switch ((enum h1_in_state)h->in_state) {
    case H1_IN_CONNECTING: return false;
    case H1_IN_IDLE: return receive_idle(h);
    case H1_IN_PROXY: return receive_proxy(h);
    case H1_IN_HEAD:
        return (h->conn.role == CONN_FRONT || !h->interim_waits) && receive_head(h);
    case H1_IN_BODY:
        if (receive_body(h))
            return true;
        return !h->conn.is_closed && h->in_is_paused && watch_for_hangup(h);
    case H1_IN_DONE: return watch_for_hangup(h);
    case H1_IN_BROKEN: return false;
    case H1_IN_LINGER: return linger(h);
    }
    return false;
}

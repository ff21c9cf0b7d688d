/*
 * h1_out - the writing half of HTTP/1: heads, and content by length, by chunks or until the end.
 *
 * What belongs together leaves in one call: head, content, and the chunk framing around it.
 * Content on disk goes by sendfile(2), after a head that was marked with MSG_MORE.
 */
#include "http/h1_private.h"

#include "base/panic.h"
#include "http/h1_head.h"

#include <errno.h>

/* The content of one chunk: large enough that framing costs nothing, small enough for any
 * reader. */
#define CHUNK_DATA_MAX ((uint64_t)1 << 20)
/* Interim responses that a client has not read yet, before no more are read from the server. */
#define INTERIM_PENDING_MAX 32768
/* "\r\n" of the chunk before, 16 digits, "\r\n". */
#define CHUNK_HEAD_MAX 20

static const char chunk_end[] = "\r\n";
static const char last_chunk[] = "0\r\n\r\n";
static const char chunk_end_and_last_chunk[] = "\r\n0\r\n\r\n";

static size_t out_length(const struct h1 *h)
{
    return h->out == NULL ? 0 : buf_length(h->out);
}

/* Have an output buffer with at least `room` bytes of space. */
static bool out_make_room(struct h1 *h, size_t room)
{
    size_t used = out_length(h);
    struct buf *larger;

    if (h->out != NULL && buf_space(h->out) >= room)
        return true;
    if (used + room > BUF_SIZE_MAX)
        return false;
    larger = buf_get(h->conn.bufs, used + room);
    if (larger == NULL)
        return false;
    if (used > 0)
        buf_append(larger, buf_bytes(h->out), used);
    buf_put(h->conn.bufs, &h->out);
    h->out = larger;
    return true;
}

bool h1_put(struct h1 *h, const void *p, size_t n)
{
    if (!out_make_room(h, n))
        return false;
    buf_append(h->out, p, n);
    return true;
}

/* Write a head into the output buffer. False: no memory, or the head cannot be written. */
static bool put_head(struct h1 *h, const struct head *head, const struct h1_framing_out *f)
{
    /* What came within its bound goes out with what rules add; almost all fits in the first
     * piece. */
    static const size_t rooms[] = {BUF_SIZE_MIN / 2, 4 * H1_HEAD_MAX};

    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        char *at;
        size_t n;

        if (!out_make_room(h, rooms[i]))
            return false;
        at = h->out->data + h->out->end;
        n = head->is_response ? h1_write_response(head, f, at, buf_space(h->out))
                              : h1_write_request(head, f, at, buf_space(h->out));
        h->out->end += n;
        if (n > 0)
            return true;
    }
    return false;
}

static struct h1_framing_out frame_request(struct h1 *h, const struct head *head, struct body *out)
{
    struct h1_framing_out f = {.expect = head->expects_continue};
    bool has_body = head->has_body && out != NULL;

    /* RFC 9110 8.6: a method that expects content says so when there is none. */
    f.upgrade = head->upgrade.n > 0;
    f.has_length = has_body ? head->has_length
                            : head->method == METHOD_POST || head->method == METHOD_PUT ||
                                  head->method == METHOD_PATCH;
    f.length = has_body ? head->body_length : 0;
    f.is_chunked = has_body && !head->has_length;
    h->asked = (unsigned char)head->method;
    h->asked_upgrade = f.upgrade;
    return f;
}

static struct h1_framing_out frame_response(struct h1 *h, const struct head *head)
{
    struct h1_framing_out f = {.has_length = head->has_length, .length = head->body_length};
    bool request_is_in = h->in_state == H1_IN_DONE;
    /* The rest of a request is small enough to drop, or somebody is taking it. */
    bool rest_is_taken = h1_rest_is_small(h) ||
                         (h->in_state == H1_IN_BODY && h->takes_body && h->stream.in != NULL);

    if (head->status == 101) {
        f.upgrade = true;
        return f;
    }
    f.is_chunked = head->has_body && !head->has_length && !h->client_is_1_0;
    h->out_ends_with_connection = head->has_body && !head->has_length && h->client_is_1_0;
    /* RFC 9110 10.1.1: a client that was not told to go on may send its body or not. */
    if (h->awaits_continue && h->in_state == H1_IN_BODY)
        h->keep_alive = false;
    if (h->out_ends_with_connection || h->conn.is_draining || h->conn.is_last || !(request_is_in || rest_is_taken))
        h->keep_alive = false;
    f.close = !h->keep_alive;
    f.keep_alive = h->keep_alive && h->client_is_1_0;
    return f;
}

bool h1_send_head(struct stream *s, const struct head *head, struct body *out)
{
    struct h1 *h = h1_of(s->conn);
    struct h1_framing_out f;
    size_t before;

    assert(h->out_state == H1_OUT_NONE);
    f = head->is_response ? frame_response(h, head) : frame_request(h, head, out);
    before = out_length(h);
    if (!put_head(h, head, &f))
        return false;
    h->head_bytes = out_length(h) - before;
    h->out_began = false;
    h->out_has_chunk = false;

    s->out = head->has_body ? out : NULL;
    h->out_is_chunked = f.is_chunked;
    h->chunk_is_last = false;
    h->out_left = f.has_length && s->out != NULL ? f.length : 0;
    h->out_state = s->out == NULL ? H1_OUT_FLUSH : H1_OUT_BODY;
    if (s->out != NULL)
        body_set_consumer(s->out, &h->conn.task);
    h->out_moved = true;
    task_post(h->conn.wire.loop, &h->conn.task);
    return true;
}

bool h1_send_interim(struct stream *s, const struct head *head)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct h1 *h = h1_of(s->conn);
    struct h1_framing_out none = {.length = 0};

    /* RFC 9110 15.2: never to an HTTP/1.0 client; and not behind the final head. */
    if (h->client_is_1_0 || h->out_state != H1_OUT_NONE)
        return true;
    if (head == NULL || head->status == 100)
        h->awaits_continue = false;
    if (head == NULL)
        h1_put(h, go_on, sizeof(go_on) - 1);
    else
        put_head(h, head, &none);
    task_post(h->conn.wire.loop, &h->conn.task);
    h->interim_waits = out_length(h) > INTERIM_PENDING_MAX;
    return !h->interim_waits;
}

void h1_tunnel_out(struct h1 *h, struct body *b)
{
    h->stream.out = b;
    h->out_is_chunked = false;
    h->out_ends_with_connection = true;
    h->out_state = H1_OUT_BODY;
    body_set_consumer(b, &h->conn.task);
}

static void let_go_of_body(struct h1 *h)
{
    if (h->stream.out != NULL && h->stream.out->consumer == &h->conn.task)
        body_set_consumer(h->stream.out, NULL);
    h->stream.out = NULL;
}

bool h1_retract(struct stream *s)
{
    struct h1 *h = h1_of(s->conn);

    if (h->conn.is_closed || h->out_began || h->out_state != H1_OUT_BODY ||
        out_length(h) < h->head_bytes || s->out->out_bytes > 0 || h->out_has_chunk)
        return false;
    h->out->end -= h->head_bytes;
    let_go_of_body(h);
    h->out_state = H1_OUT_NONE;
    h->out_ends_with_connection = false;
    return true;
}

void h1_stop_sending(struct stream *s)
{
    struct h1 *h = h1_of(s->conn);

    if (h->out_state != H1_OUT_BODY && h->out_state != H1_OUT_FLUSH)
        return;
    let_go_of_body(h);
    h->out_state = H1_OUT_BROKEN;
    h->keep_alive = false;
}

/* What one call will write: buffered framing, a piece of content in memory, the end of its
 * chunk. */
struct volley {
    struct iovec parts[3];
    size_t n_parts;
    struct body_piece piece; /* limited to what the framing allows */
    struct str tail;
};

/* Open a chunk for the piece. The length of a chunk in memory is what is there now. */
static bool open_chunk(struct h1 *h, const struct body_piece *piece)
{
    char head[CHUNK_HEAD_MAX];
    uint64_t length = piece->n < CHUNK_DATA_MAX ? piece->n : CHUNK_DATA_MAX;
    size_t n = str_put_hex(head, length);

    head[n++] = '\r';
    head[n++] = '\n';
    if (!h1_put(h, head, n)) {
        h1_fail(h, CONN_NO_MEMORY);
        return false;
    }
    h->out_left = length;
    h->out_has_chunk = true;
    h->chunk_is_last = h->stream.out->state == BODY_COMPLETE &&
                       length == body_unread(h->stream.out);
    return true;
}

static struct str chunk_tail(const struct h1 *h)
{
    return h->chunk_is_last ? STR(chunk_end_and_last_chunk) : STR(chunk_end);
}

/* Choose the content to send. False: none now. */
static bool choose_piece(struct h1 *h, struct volley *v)
{
    v->piece = body_peek(h->stream.out);
    if (v->piece.kind == BODY_PIECE_NONE)
        return false;
    if (h->out_is_chunked && h->out_left == 0 && !open_chunk(h, &v->piece))
        return false;
    if (h->out_ends_with_connection)
        return true;
    if (v->piece.n > h->out_left)
        v->piece.n = h->out_left;
    return v->piece.n > 0;
}

static void load(struct h1 *h, struct volley *v)
{
    bool has_piece = h->out_state == H1_OUT_BODY && choose_piece(h, v);

    v->n_parts = 0;
    v->tail = STR_EMPTY;
    if (!has_piece)
        v->piece.kind = BODY_PIECE_NONE;
    if (out_length(h) > 0)
        v->parts[v->n_parts++] = (struct iovec){buf_bytes(h->out), out_length(h)};
    if (v->piece.kind != BODY_PIECE_MEMORY)
        return;
    v->parts[v->n_parts++] = (struct iovec){(void *)(uintptr_t)v->piece.p, (size_t)v->piece.n};
    if (h->out_is_chunked && v->piece.n == h->out_left) {
        v->tail = chunk_tail(h);
        v->parts[v->n_parts++] = (struct iovec){(void *)(uintptr_t)v->tail.p, v->tail.n};
    }
}

static size_t take_from(size_t *sent, size_t n)
{
    size_t took = *sent < n ? *sent : n;

    *sent -= took;
    return took;
}

/* n bytes of content have gone; `tail_sent` of the tail behind them. */
static void content_sent(struct h1 *h, size_t n, size_t tail_sent)
{
    struct str tail;

    body_consume(h->stream.out, n);
    if (h->out_ends_with_connection)
        return;
    h->out_left -= n;
    if (!h->out_is_chunked || h->out_left > 0)
        return;
    tail = chunk_tail(h);
    if (!h1_put(h, tail.p + tail_sent, tail.n - tail_sent))
        h1_fail(h, CONN_NO_MEMORY);
}

static void volley_sent(struct h1 *h, const struct volley *v, size_t sent)
{
    size_t framing = take_from(&sent, out_length(h));

    if (framing > 0) {
        h->out_began = true;
        h->out->start += framing;
        if (buf_length(h->out) == 0) {
            h->out->start = 0;
            h->out->end = 0;
        }
    }
    if (v->piece.kind == BODY_PIECE_MEMORY) {
        size_t content = take_from(&sent, (size_t)v->piece.n);

        if (content > 0)
            content_sent(h, content, sent);
    }
}

/* Has the body given all it will? Then write the end of the message. */
static void end_message(struct h1 *h)
{
    struct body *b = h->stream.out;

    if (body_peek(b).kind != BODY_PIECE_NONE)
        return;
    /* What is in the buffer goes first: a head without its content is seen to be broken, silence
     * is not. */
    if (b->state == BODY_ABORTED && out_length(h) > 0)
        return;
    if (b->state == BODY_ABORTED) {
        h1_fail(h, CONN_BODY_BROKEN);
        return;
    }
    if (b->state != BODY_COMPLETE)
        return;
    if (!h->out_is_chunked && !h->out_ends_with_connection && h->out_left > 0) {
        h1_fail(h, CONN_BODY_BROKEN); /* less than was declared: seen as cut, never as whole */
        return;
    }
    if (h->out_is_chunked && !h->chunk_is_last && !h1_put(h, last_chunk, sizeof(last_chunk) - 1)) {
        h1_fail(h, CONN_NO_MEMORY);
        return;
    }
    let_go_of_body(h);
    h->out_state = H1_OUT_FLUSH;
}

static bool send_failed(struct h1 *h)
{
    h->conn.error = errno;
    h->write_failed = true;
    let_go_of_body(h);
    h->out_state = H1_OUT_BROKEN;
    h->keep_alive = false;
    buf_put(h->conn.bufs, &h->out);
    /* A server may have answered and closed: its socket is read before this is the end. */
    if (h->conn.role == CONN_FRONT || h->is_tunnel)
        h1_fail(h, CONN_PEER_RESET);
    return true;
}

/* One call to the kernel. False: nothing to send, or no room. (Out of line: most turns send nothing.) */
__attribute__((noinline)) static bool send_once(struct h1 *h, uint64_t *sent_bytes)
{
    struct volley v;
    enum wire_result r;
    size_t sent;

    load(h, &v);
    if (v.n_parts > 0)
        r = wire_send(&h->conn.wire, v.parts, v.n_parts, v.piece.kind == BODY_PIECE_FILE, &sent);
    else if (v.piece.kind == BODY_PIECE_PIPE)
        r = wire_splice_out(&h->conn.wire, v.piece.fd, (size_t)v.piece.n, &sent);
    else if (v.piece.kind == BODY_PIECE_FILE)
        r = wire_send_file(&h->conn.wire, v.piece.fd, v.piece.at, (size_t)v.piece.n, &sent);
    else
        return false;
    if (r == WIRE_AGAIN)
        return false;
    if (r == WIRE_END) {
        h1_fail(h, CONN_BODY_BROKEN);
        return true;
    }
    if (r != WIRE_OK)
        return send_failed(h);
    h->out_moved = true;
    *sent_bytes += sent;
    if (v.n_parts > 0)
        volley_sent(h, &v, sent);
    else
        content_sent(h, sent, 0);
    return true;
}

bool h1_send(struct h1 *h)
{
    uint64_t sent = 0;
    bool moved = false;

    if (h->in_state == H1_IN_CONNECTING || h->out_state == H1_OUT_BROKEN ||
        h->out_state == H1_OUT_DONE)
        return false;
    for (;;) {
        /* A file that ended before its time has ended the connection, and the body with it. */
        if (h->out_state == H1_OUT_BODY && !h->conn.is_closed)
            end_message(h);
        if (h->conn.is_closed || h->out_state == H1_OUT_BROKEN)
            return true;
        if (sent >= H1_TURN_BYTES || !send_once(h, &sent))
            break;
        moved = true;
    }
    if (h->conn.is_closed)
        return true;
    if (h->out_state == H1_OUT_FLUSH && out_length(h) == 0) {
        buf_put(h->conn.bufs, &h->out);
        h->out_state = H1_OUT_DONE;
        if (h->is_tunnel)
            wire_shut(&h->conn.wire); /* half-close is passed on as such */
        if (h->stream.owner != NULL)
            h->conn.ops->on_sent(&h->stream);
        return true;
    }
    if (out_length(h) > 0)
        return moved;
    buf_put(h->conn.bufs, &h->out);
    if (h->conn.role == CONN_FRONT && h->interim_waits && h->stream.owner != NULL) {
        h->interim_waits = false;
        h->conn.ops->on_interim_room(&h->stream);
    }
    return moved;
}

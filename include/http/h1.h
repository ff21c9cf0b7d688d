/*
 * h1 - HTTP/1.0 and 1.1 as a codec, in both roles.
 *
 * One stream at a time: a pipelined request waits in the buffer until the one before it is
 * answered. Two state machines, one a direction, run by one routine that is called when the wire
 * is ready or a body has something to say; what each waits for decides the timers.
 *
 * Lingering: a conn whose answer is out before the request is in shuts its sending side and drops
 * what still comes until the client's end, for conn->linger_ms and conn->linger_bytes at most
 * (H1_LINGER_MS and H1_LINGER_BYTES until the owner says otherwise; 0: no lingering): a close with
 * unread bytes would be a reset, and the client would lose the answer.
 */
#ifndef HOLDFAST_HTTP_H1_H
#define HOLDFAST_HTTP_H1_H

#include "http/conn.h"

/* Long enough for a client on a slow line to finish what it has in flight (nginx: 30 s as well). */
#define H1_LINGER_MS 30000
/* When the process ends or its bind is removed. */
#define H1_LINGER_DRAINING_MS 1000
/* What 30 s of a gigabit line bring; dropping is cheap. */
#define H1_LINGER_BYTES ((uint64_t)4 << 30)
/* A request body of at most this many bytes left is dropped to keep the connection, after a
 * reply. */
#define H1_DROP_TO_KEEP_ALIVE 65536

extern const struct codec h1_codec;

struct h1_setup {
    struct loop *loop;
    struct bufs *bufs;
    struct pool *pool; /* of h1_object_bytes */
    const struct conn_ops *ops;
    void *owner;
    int fd; /* the conn owns it from here on, also on failure */
    bool expects_proxy; /* front: a PROXY header comes before anything else (io/proxy_protocol.h) */
};

size_t h1_object_bytes(void);

/*
 * A front conn over an accepted socket, whose far end is `peer` unless a PROXY header is expected and
 * names another. The header has the time of the first head, and neither has more for the other. Nothing is read yet: post conn->task, or call
 * h1_front_start, to begin. NULL: no memory, fd is closed.
 */
struct conn *h1_front_new(const struct h1_setup *setup, const struct addr *peer);

/* Read what is there at once: a fresh client has usually sent its request. */
void h1_front_start(struct conn *c);

/*
 * A back conn over a socket that is connected (is_connected) or connecting. on_connected or
 * on_closed tells how it ended, never before this function has returned. NULL: no memory, fd is
 * closed.
 */
struct conn *h1_back_new(const struct h1_setup *setup, bool is_connected);

#endif

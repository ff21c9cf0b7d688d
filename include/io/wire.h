/*
 * wire - a byte stream: a connected socket that knows whether it can be read and written.
 *
 * A call that would find nothing is not made: wire_recv and wire_send answer WIRE_AGAIN from the
 * watch's notes. A short read is the last one unless the peer's end has been announced with it. The
 * descriptor is registered with the loop at the first time that there is something to wait for.
 */
#ifndef HOLDFAST_IO_WIRE_H
#define HOLDFAST_IO_WIRE_H

#include "io/loop.h"

#include <sys/types.h>
#include <sys/uio.h>

struct wire {
    struct watch watch;
    struct loop *loop;
};

enum wire_result {
    WIRE_OK,    /* bytes have moved */
    WIRE_AGAIN, /* nothing can move now; the watch will say when */
    WIRE_END,   /* reading: the peer has finished sending; a file: it cannot be read */
    WIRE_FAILED /* the connection is broken, or no memory to wait for it */
};

/*
 * A wire over a connected socket, which it now owns. `is_ready`: the socket is fresh, try it
 * before waiting; else (a pending connect) it is registered at once and false is returned where
 * that fails.
 */
bool wire_open(struct wire *w, struct loop *l, int fd, bool is_ready,
               void (*on_ready)(struct watch *w));

/* Stop watching and close the descriptor. Harmless for a closed wire. */
void wire_close(struct wire *w);

static inline bool wire_is_open(const struct wire *w)
{
    return w->watch.fd >= 0;
}

/* Read up to n bytes to p; *got is how many (WIRE_OK alone sets it above 0). */
enum wire_result wire_recv(struct wire *w, void *p, size_t n, size_t *got);

/* Write the pieces; *sent is how many bytes went. `more`: another write follows at once
 * (MSG_MORE). */
enum wire_result wire_send(struct wire *w, const struct iovec *pieces, size_t n_pieces, bool more,
                           size_t *sent);

/* Send up to n bytes of file fd from `at` (sendfile(2)). WIRE_END: the file cannot be read
 * there. */
enum wire_result wire_send_file(struct wire *w, int fd, uint64_t at, size_t n, size_t *sent);

/*
 * Move up to n bytes from the wire into a pipe, or from a pipe to the wire, without looking at
 * them (splice(2)). wire_splice_in: WIRE_AGAIN also where the pipe is full; `pipe_is_empty` tells
 * the two apart.
 */
enum wire_result wire_splice_in(struct wire *w, int pipe_fd, size_t n, bool pipe_is_empty,
                                size_t *got);
enum wire_result wire_splice_out(struct wire *w, int pipe_fd, size_t n, size_t *sent);

/* Say what is waited for (EVENT_IN | EVENT_OUT); registers the wire if need be. False: no
 * memory. */
bool wire_want(struct wire *w, unsigned events);

/* Shut our side: the peer reads an end. */
void wire_shut(struct wire *w);

/* The peer has shut its side, or the connection is broken. Known only to a registered wire. */
static inline bool wire_is_hung_up(const struct wire *w)
{
    return (w->watch.ready & (EVENT_HUP | EVENT_ERR)) != 0;
}

/* Both sides are gone. */
static inline bool wire_is_broken(const struct wire *w)
{
    return (w->watch.ready & EVENT_ERR) != 0;
}

#endif

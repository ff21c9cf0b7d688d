/*
 * wire - a byte stream: a connected socket that knows whether it can be read and written.
 */
#include "io/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef HOLDFAST_TORTURE
/* `make torture`: every transfer moves a few bytes, so that every state meets every cut. */
#define WIRE_MOVE_MAX 7
static size_t wire_limit(size_t n)
{
    return n > WIRE_MOVE_MAX ? WIRE_MOVE_MAX : n;
}
#else
/* One sendfile or recv of this size is a fair turn; more would starve the other connections. */
#define WIRE_MOVE_MAX ((size_t)2 << 20)
static size_t wire_limit(size_t n)
{
    return n > WIRE_MOVE_MAX ? WIRE_MOVE_MAX : n;
}
#endif

bool wire_open(struct wire *w, struct loop *l, int fd, bool is_ready,
               void (*on_ready)(struct watch *w))
{
    w->loop = l;
    watch_init(&w->watch, fd, false, on_ready);
    if (is_ready) {
        w->watch.ready = EVENT_IN | EVENT_OUT;
        return true;
    }
    w->watch.want = EVENT_OUT;
    return watch_register(l, &w->watch);
}

void wire_close(struct wire *w)
{
    if (w->watch.fd < 0)
        return;
    /* close(2) takes the descriptor out of an epoll set by itself; poll's set needs to be told. */
    watch_remove(w->loop, &w->watch);
    close(w->watch.fd);
    w->watch.fd = -1;
}

static enum wire_result wire_stopped(struct wire *w, unsigned event)
{
    if (errno != EAGAIN)
        return WIRE_FAILED;
    w->watch.ready &= (unsigned char)~event;
    return WIRE_AGAIN;
}

enum wire_result wire_recv(struct wire *w, void *p, size_t n, size_t *got)
{
    size_t ask = wire_limit(n);
    ssize_t moved;

    *got = 0;
    if (!(w->watch.ready & EVENT_IN))
        return WIRE_AGAIN;
    do
        moved = recv(w->watch.fd, p, ask, 0);
    while (moved < 0 && errno == EINTR);
    if (moved < 0)
        return wire_stopped(w, EVENT_IN);
    if (moved == 0)
        return WIRE_END;
    *got = (size_t)moved;
    if ((size_t)moved < ask && !wire_is_hung_up(w))
        w->watch.ready &= (unsigned char)~EVENT_IN;
    return WIRE_OK;
}

enum wire_result wire_send(struct wire *w, const struct iovec *pieces, size_t n_pieces, bool more,
                           size_t *sent)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = n_pieces};
    int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    ssize_t moved;

    *sent = 0;
    if (!(w->watch.ready & EVENT_OUT))
        return WIRE_AGAIN;
#ifdef HOLDFAST_TORTURE
    struct iovec bite = {pieces[0].iov_base, wire_limit(pieces[0].iov_len)};
    message.msg_iov = &bite;
    message.msg_iovlen = 1;
#endif
    do
        moved = n_pieces == 1 ? send(w->watch.fd, message.msg_iov[0].iov_base,
                                     message.msg_iov[0].iov_len, flags)
                              : sendmsg(w->watch.fd, &message, flags);
    while (moved < 0 && errno == EINTR);
    if (moved < 0)
        return wire_stopped(w, EVENT_OUT);
    *sent = (size_t)moved;
    return WIRE_OK;
}

enum wire_result wire_send_file(struct wire *w, int fd, uint64_t at, size_t n, size_t *sent)
{
    off_t offset = (off_t)at;
    ssize_t moved;

    *sent = 0;
    if (!(w->watch.ready & EVENT_OUT))
        return WIRE_AGAIN;
    do
        moved = sendfile(w->watch.fd, fd, &offset, wire_limit(n));
    while (moved < 0 && errno == EINTR);
    if (moved == 0 || (moved < 0 && errno == EIO))
        return WIRE_END; /* shorter than its owner says, or a bad disk: nothing can mend that */
    if (moved < 0)
        return wire_stopped(w, EVENT_OUT);
    *sent = (size_t)moved;
    return WIRE_OK;
}

enum wire_result wire_splice_in(struct wire *w, int pipe_fd, size_t n, bool pipe_is_empty,
                                size_t *got)
{
    ssize_t moved;

    *got = 0;
    if (!(w->watch.ready & EVENT_IN))
        return WIRE_AGAIN;
    do
        moved = splice(w->watch.fd, NULL, pipe_fd, NULL, wire_limit(n),
                       SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (moved < 0 && errno == EINTR);
    if (moved < 0 && errno == EAGAIN && !pipe_is_empty)
        return WIRE_AGAIN;
    if (moved < 0)
        return wire_stopped(w, EVENT_IN);
    if (moved == 0)
        return WIRE_END;
    *got = (size_t)moved;
    return WIRE_OK;
}

bool wire_want(struct wire *w, unsigned events)
{
    w->watch.want = (unsigned char)events;
    if (w->watch.is_registered)
        return true;
    return watch_register(w->loop, &w->watch);
}

void wire_shut(struct wire *w)
{
    shutdown(w->watch.fd, SHUT_WR);
}

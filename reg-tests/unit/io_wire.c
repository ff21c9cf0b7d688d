/*
 * io_wire - when a wire reads, writes, waits and ends. Every test runs under both pollers.
 */
#include "io/wire.h"

#include "io/sock.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A wire and the plain socket at its other end. */
struct line {
    struct loop *loop;
    struct wire wire;
    int peer;
    unsigned n_ready;
};

static char bytes[1 << 16];

static void line_ready(struct watch *w)
{
    struct wire *wire = list_owner(w, struct wire, watch);

    list_owner(wire, struct line, wire)->n_ready++;
}

static void line_open(struct line *e, struct loop *l)
{
    int fds[2];

    CU_ASSERT_EQUAL_FATAL(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    *e = (struct line){.loop = l, .peer = fds[1]};
    CU_ASSERT(wire_open(&e->wire, l, fds[0], true, line_ready));
}

static void line_close(struct line *e)
{
    wire_close(&e->wire);
    wire_close(&e->wire);
    CU_ASSERT(!wire_is_open(&e->wire));
    if (e->peer >= 0)
        close(e->peer);
}

static void under_both(void (*test)(struct loop *l))
{
    static const enum loop_poller pollers[] = {LOOP_EPOLL, LOOP_POLL};

    signal(SIGPIPE, SIG_IGN); /* as the program does: sendfile(2) has no MSG_NOSIGNAL */
    for (size_t i = 0; i < 2; i++) {
        struct loop *l = loop_new(pollers[i]);

        CU_ASSERT_PTR_NOT_NULL_FATAL(l);
        test(l);
        loop_free(l);
    }
}

static void peer_puts(const struct line *e, const char *text)
{
    CU_ASSERT_EQUAL(write(e->peer, text, strlen(text)), (ssize_t)strlen(text));
}

static enum wire_result send_text(struct line *e, const char *text, size_t n, size_t *sent)
{
    struct iovec piece = {(void *)(uintptr_t)text, n};

    return wire_send(&e->wire, &piece, 1, false, sent);
}

#ifndef HOLDFAST_TORTURE
/* A read that does not fill the buffer is the last one: no call to be told EAGAIN. */
static void short_read_is_the_last_under(struct loop *l)
{
    struct line e;
    size_t got;

    line_open(&e, l);
    peer_puts(&e, "hello");
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 3, &got), WIRE_OK); /* full: there may be more */
    CU_ASSERT_EQUAL(got, 3);
    CU_ASSERT(e.wire.watch.ready & EVENT_IN);
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 3, &got), WIRE_OK);
    CU_ASSERT_EQUAL(got, 2);
    CU_ASSERT(!(e.wire.watch.ready & EVENT_IN));
    peer_puts(&e, "more");
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 3, &got), WIRE_AGAIN); /* it has not been told */
    CU_ASSERT_EQUAL(got, 0);
    CU_ASSERT(wire_want(&e.wire, EVENT_IN));
    loop_turn(l, 1000);
    CU_ASSERT_EQUAL(e.n_ready, 1);
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 9, &got), WIRE_OK);
    CU_ASSERT_EQUAL(got, 4);
    line_close(&e);
}

static void short_read_is_the_last(void)
{
    under_both(short_read_is_the_last_under);
}
#endif

static void nothing_to_read_is_again_under(struct loop *l)
{
    struct line e;
    size_t got = 7;

    line_open(&e, l);
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 9, &got), WIRE_AGAIN);
    CU_ASSERT_EQUAL(got, 0);
    CU_ASSERT(!(e.wire.watch.ready & EVENT_IN));
    CU_ASSERT(e.wire.watch.ready & EVENT_OUT);
    line_close(&e);
}

static void nothing_to_read_is_again(void)
{
    under_both(nothing_to_read_is_again_under);
}

/* Bytes and the end come together: the short read does not hide the end. */
static void end_behind_bytes_is_seen_under(struct loop *l)
{
    struct line e;
    size_t total = 0;
    size_t got;

    line_open(&e, l);
    while (wire_recv(&e.wire, bytes, 99, &got) == WIRE_OK)
        continue;
    CU_ASSERT(wire_want(&e.wire, EVENT_IN));
    loop_turn(l, 0);
    peer_puts(&e, "last");
    shutdown(e.peer, SHUT_WR);
    loop_turn(l, 1000);
    CU_ASSERT(wire_is_hung_up(&e.wire) && !wire_is_broken(&e.wire));
    while (wire_recv(&e.wire, bytes, 99, &got) == WIRE_OK)
        total += got;
    CU_ASSERT_EQUAL(total, 4);
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 99, &got), WIRE_END);
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 99, &got), WIRE_END);
    CU_ASSERT_EQUAL(send_text(&e, "still", 5, &got), WIRE_OK); /* half-close is legal */
    line_close(&e);
}

static void end_behind_bytes_is_seen(void)
{
    under_both(end_behind_bytes_is_seen_under);
}

/* The end comes while reading is paused: it is noted, and found when reading goes on. */
static void end_is_noted_while_paused_under(struct loop *l)
{
    struct line e;
    size_t got;

    line_open(&e, l);
    CU_ASSERT(wire_want(&e.wire, 0));
    loop_turn(l, 0);
    peer_puts(&e, "x");
    close(e.peer);
    e.peer = -1;
    loop_turn(l, 1000);
    loop_turn(l, 0);
    CU_ASSERT(wire_is_hung_up(&e.wire) && wire_is_broken(&e.wire));
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 1, &got), WIRE_OK);
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 1, &got), WIRE_END);
    CU_ASSERT_EQUAL(send_text(&e, "x", 1, &got), WIRE_FAILED);
    line_close(&e);
}

static void end_is_noted_while_paused(void)
{
    under_both(end_is_noted_while_paused_under);
}

/* Write until there is no room; wait; read at the other end; be told. */
static void full_socket_is_again_until_told_under(struct loop *l)
{
    struct line e;
    size_t sent;
    size_t total = 0;
    enum wire_result r = WIRE_OK;

    line_open(&e, l);
    CU_ASSERT(wire_want(&e.wire, EVENT_OUT));
    loop_turn(l, 0);
    for (unsigned i = 0; i < 1000000 && r == WIRE_OK; i++) {
        r = send_text(&e, bytes, sizeof(bytes), &sent);
        total += sent;
    }
    CU_ASSERT_EQUAL(r, WIRE_AGAIN);
    CU_ASSERT_EQUAL(sent, 0);
    e.n_ready = 0;
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(e.n_ready, 0);
    CU_ASSERT_EQUAL(send_text(&e, "x", 1, &sent), WIRE_AGAIN);
    while (total > 0) {
        ssize_t n = read(e.peer, bytes, sizeof(bytes));

        CU_ASSERT_FATAL(n > 0);
        total -= (size_t)n;
    }
    loop_turn(l, 1000);
    CU_ASSERT(e.n_ready > 0);
    CU_ASSERT_EQUAL(send_text(&e, "x", 1, &sent), WIRE_OK);
    line_close(&e);
}

static void full_socket_is_again_until_told(void)
{
    under_both(full_socket_is_again_until_told_under);
}

static void pieces_leave_in_order_under(struct loop *l)
{
    struct iovec pieces[3] = {{"head ", 5}, {"body ", 5}, {"tail", 4}};
    size_t at = 0;
    struct line e;
    size_t sent;

    line_open(&e, l);
    while (at < 3) {
        CU_ASSERT_EQUAL_FATAL(wire_send(&e.wire, pieces + at, 3 - at, true, &sent), WIRE_OK);
        for (; at < 3 && sent >= pieces[at].iov_len; at++)
            sent -= pieces[at].iov_len;
        if (at < 3) {
            pieces[at].iov_base = (char *)pieces[at].iov_base + sent;
            pieces[at].iov_len -= sent;
        }
    }
    CU_ASSERT_EQUAL(read(e.peer, bytes, sizeof(bytes)), 14);
    CU_ASSERT_EQUAL(memcmp(bytes, "head body tail", 14), 0);
    line_close(&e);
}

static void pieces_leave_in_order(void)
{
    under_both(pieces_leave_in_order_under);
}

static int make_file(size_t n)
{
    char path[] = "/tmp/holdfast-unit-XXXXXX";
    int fd = mkstemp(path);

    CU_ASSERT_FATAL(fd >= 0);
    unlink(path);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(i * 7);
    CU_ASSERT_EQUAL(write(fd, bytes, n), (ssize_t)n);
    return fd;
}

static void files_are_sent_from_where_one_says_under(struct loop *l)
{
    int fd = make_file(2000);
    size_t total = 0;
    struct line e;
    size_t sent;

    line_open(&e, l);
    while (total < 1000) {
        CU_ASSERT_EQUAL_FATAL(
            wire_send_file(&e.wire, fd, 500 + total, 1000 - total, &sent), WIRE_OK);
        total += sent;
    }
    memset(bytes, 0, sizeof(bytes));
    CU_ASSERT_EQUAL(recv(e.peer, bytes, sizeof(bytes), MSG_WAITALL | MSG_DONTWAIT), 1000);
    for (size_t i = 0; i < 1000; i += 17)
        CU_ASSERT_EQUAL(bytes[i], (char)((i + 500) * 7));
    CU_ASSERT_EQUAL(wire_send_file(&e.wire, fd, 2000, 1, &sent), WIRE_END); /* it is shorter */
    CU_ASSERT_EQUAL(sent, 0);
    close(e.peer);
    e.peer = -1;
    CU_ASSERT_EQUAL(wire_send_file(&e.wire, fd, 0, 1, &sent), WIRE_FAILED);
    line_close(&e);
    close(fd);
}

static void files_are_sent_from_where_one_says(void)
{
    under_both(files_are_sent_from_where_one_says_under);
}

/* Into a pipe and not a byte into our hands; a full pipe is told apart from an empty socket. */
static void bytes_are_spliced_under(struct loop *l)
{
    struct line e;
    int pipe_fds[2];
    size_t total = 0;
    size_t got;

    CU_ASSERT_EQUAL_FATAL(pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC), 0);
    line_open(&e, l);
    peer_puts(&e, "into the pipe");
    while (total < 13 &&
           wire_splice_in(&e.wire, pipe_fds[1], 13 - total, total == 0, &got) == WIRE_OK)
        total += got;
    CU_ASSERT_EQUAL(total, 13);
    CU_ASSERT_EQUAL(read(pipe_fds[0], bytes, sizeof(bytes)), 13);
    CU_ASSERT_EQUAL(memcmp(bytes, "into the pipe", 13), 0);
    CU_ASSERT_EQUAL(wire_splice_in(&e.wire, pipe_fds[1], 9, true, &got), WIRE_AGAIN);
    CU_ASSERT(!(e.wire.watch.ready & EVENT_IN));
    e.wire.watch.ready |= EVENT_IN;
    while (write(pipe_fds[1], bytes, 4096) > 0)
        continue;
    peer_puts(&e, "x");
    CU_ASSERT_EQUAL(wire_splice_in(&e.wire, pipe_fds[1], 9, false, &got), WIRE_AGAIN);
    CU_ASSERT(e.wire.watch.ready & EVENT_IN); /* there is something to read */
    while (read(pipe_fds[0], bytes, sizeof(bytes)) > 0)
        continue;
    CU_ASSERT_EQUAL(wire_splice_in(&e.wire, pipe_fds[1], 9, true, &got), WIRE_OK);
    CU_ASSERT_EQUAL(got, 1);
    shutdown(e.peer, SHUT_WR);
    e.wire.watch.ready |= EVENT_IN;
    CU_ASSERT_EQUAL(wire_splice_in(&e.wire, pipe_fds[1], 9, true, &got), WIRE_END);
    line_close(&e);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void bytes_are_spliced(void)
{
    under_both(bytes_are_spliced_under);
}

static void shut_side_is_an_end_for_the_peer_under(struct loop *l)
{
    struct line e;
    size_t got;

    line_open(&e, l);
    wire_shut(&e.wire);
    CU_ASSERT_EQUAL(read(e.peer, bytes, 1), 0);
    peer_puts(&e, "y");
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 1, &got), WIRE_OK);
    line_close(&e);
}

static void shut_side_is_an_end_for_the_peer(void)
{
    under_both(shut_side_is_an_end_for_the_peer_under);
}

/* TCP, where an end, a reset and a connect under way differ. */
static int listen_tcp(struct addr *at)
{
    int fd;

    CU_ASSERT(addr_parse(STR("127.0.0.1:0"), at));
    fd = sock_listen(at, 4, false, 0);
    CU_ASSERT_FATAL(fd >= 0);
    *at = sock_local(fd);
    return fd;
}

static void reset_is_broken_under(struct loop *l)
{
    struct line e = {.loop = l};
    enum sock_accept accepted = SOCK_ACCEPT_AGAIN;
    struct addr at, peer;
    int listener = listen_tcp(&at);
    size_t got;
    int fd;

    CU_ASSERT_FATAL(sock_connect(&at, &fd) != SOCK_CONNECT_FAILED);
    CU_ASSERT(wire_open(&e.wire, l, fd, false, line_ready)); /* a connect that is under way */
    for (unsigned i = 0; i < 100 && !(e.wire.watch.ready & EVENT_OUT); i++)
        loop_turn(l, 100);
    CU_ASSERT_EQUAL(sock_error(fd), 0);
    for (unsigned i = 0; i < 1000 && accepted == SOCK_ACCEPT_AGAIN; i++)
        accepted = sock_accept(listener, &e.peer, &peer);
    CU_ASSERT_EQUAL(accepted, SOCK_ACCEPT_OK);
    CU_ASSERT(wire_want(&e.wire, EVENT_IN));
    sock_set_reset_on_close(e.peer);
    close(e.peer);
    e.peer = -1;
    for (unsigned i = 0; i < 100 && !wire_is_broken(&e.wire); i++)
        loop_turn(l, 100);
    CU_ASSERT(wire_is_broken(&e.wire));
    CU_ASSERT_EQUAL(wire_recv(&e.wire, bytes, 1, &got), WIRE_FAILED);
    line_close(&e);
    close(listener);
}

static void reset_is_broken(void)
{
    under_both(reset_is_broken_under);
}

static void refused_connect_is_told_under(struct loop *l)
{
    struct line e = {.loop = l, .peer = -1};
    enum sock_connect how;
    struct addr at;
    int fd;

    close(listen_tcp(&at));
    how = sock_connect(&at, &fd);
    if (how == SOCK_CONNECT_FAILED) {
        CU_ASSERT_EQUAL(errno, ECONNREFUSED);
        return;
    }
    CU_ASSERT_EQUAL(how, SOCK_CONNECT_PENDING);
    CU_ASSERT(wire_open(&e.wire, l, fd, false, line_ready));
    for (unsigned i = 0; i < 100 && e.n_ready == 0; i++)
        loop_turn(l, 100);
    CU_ASSERT(e.wire.watch.ready & EVENT_OUT);
    CU_ASSERT_EQUAL(sock_error(fd), ECONNREFUSED);
    line_close(&e);
}

static void refused_connect_is_told(void)
{
    under_both(refused_connect_is_told_under);
}

UNIT_SUITE(io_wire)
{
#ifndef HOLDFAST_TORTURE
    UNIT_TEST(short_read_is_the_last);
#endif
    UNIT_TEST(nothing_to_read_is_again);
    UNIT_TEST(end_behind_bytes_is_seen);
    UNIT_TEST(end_is_noted_while_paused);
    UNIT_TEST(full_socket_is_again_until_told);
    UNIT_TEST(pieces_leave_in_order);
    UNIT_TEST(files_are_sent_from_where_one_says);
    UNIT_TEST(bytes_are_spliced);
    UNIT_TEST(shut_side_is_an_end_for_the_peer);
    UNIT_TEST(reset_is_broken);
    UNIT_TEST(refused_connect_is_told);
}

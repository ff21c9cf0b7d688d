/*
 * channel - the one kind of message between a master and a worker.
 */
#include "proc/channel.h"

#include "base/panic.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHANNEL_SEND_BYTES (512 * 1024)

/* What stands before the text. */
struct head {
    uint32_t kind;
    uint32_t n_fds;
    uint64_t number;
};

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
};

bool channel_open(int ends[2])
{
    int bytes = CHANNEL_SEND_BYTES;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    for (unsigned i = 0; i < 2; i++)
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)); /* less will do */
    return true;
}

bool channel_send(int fd, const struct message *m)
{
    struct head head = {m->kind, (uint32_t)m->n_fds, m->number};
    struct iovec parts[2] = {
        {&head,                        sizeof(head)},
        {(void *)(uintptr_t)m->text.p, m->text.n   }
    };
    union control control = {.bytes = {0}};
    struct msghdr out = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t sent;

    assert(m->n_fds <= CHANNEL_FDS_MAX && m->text.n <= CHANNEL_TEXT_MAX);
    if (m->n_fds > 0) {
        out.msg_control = control.bytes;
        out.msg_controllen = CMSG_SPACE(m->n_fds * sizeof(int));
        *CMSG_FIRSTHDR(&out) = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET,
            .cmsg_type = SCM_RIGHTS,
            .cmsg_len = CMSG_LEN(m->n_fds * sizeof(int)),
        };
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&out)), m->fds, m->n_fds * sizeof(int));
    }
    do
        sent = sendmsg(fd, &out, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

void message_close_fds(struct message *m)
{
    for (size_t i = 0; i < m->n_fds; i++)
        close(m->fds[i]);
    m->n_fds = 0;
}

static void take_fds(struct msghdr *in, struct message *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(in);

    m->n_fds = 0;
    if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return;
    m->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(m->fds, CMSG_DATA(c), m->n_fds * sizeof(int));
}

enum channel_got channel_receive(int fd, struct message *m, char *room)
{
    struct head head;
    struct iovec parts[2] = {
        {&head, sizeof(head)    },
        {room,  CHANNEL_TEXT_MAX}
    };
    union control control;
    struct msghdr in = {
        .msg_iov = parts,
        .msg_iovlen = 2,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    ssize_t got;
    bool is_cut;

    do
        got = recvmsg(fd, &in, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return CHANNEL_AGAIN;
    if (got <= 0)
        return CHANNEL_ENDED;
    is_cut = (in.msg_flags & MSG_CTRUNC) != 0;
    take_fds(&in, m);
    if ((size_t)got < sizeof(head) || (in.msg_flags & MSG_TRUNC) != 0 || head.kind >= MESSAGE_N ||
        (!is_cut && head.n_fds != m->n_fds)) {
        message_close_fds(m);
        return CHANNEL_BROKEN;
    }
    m->kind = (enum message_kind)head.kind;
    m->number = head.number;
    m->text = (struct str){room, (size_t)got - sizeof(head)};
    if (is_cut)
        message_close_fds(m);
    return is_cut ? CHANNEL_CUT : CHANNEL_MESSAGE;
}

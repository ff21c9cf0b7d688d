/*
 * sock - making sockets: listening, accepting, connecting, asking.
 */
#include "io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int sock_close_keep_errno(int fd)
{
    int saved = errno;

    close(fd);
    errno = saved;
    return -1;
}

static int sock_new(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* May the path be bound: nothing is there, or a socket that nobody listens on any more? */
static bool unix_path_is_free(const struct addr *addr)
{
    struct stat st;
    int fd;
    int error;

    if (lstat(addr->at.un.sun_path, &st) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return false;
    }
    fd = sock_new(AF_UNIX);
    if (fd < 0)
        return false;
    error = connect(fd, &addr->at.any, addr->n) == 0 ? 0 : errno;
    close(fd);
    errno = EADDRINUSE;
    return error == ECONNREFUSED;
}

static int sock_listen_unix(const struct addr *addr, unsigned backlog, bool has_mode, mode_t mode)
{
    struct addr temporary = *addr;
    const char *path = temporary.at.un.sun_path;
    int fd;
    int n;

    if (!unix_path_is_free(addr))
        return -1;
    fd = sock_new(AF_UNIX);
    if (fd < 0)
        return -1;
    n = snprintf(temporary.at.un.sun_path, sizeof(temporary.at.un.sun_path), "%s.%d.tmp",
                 addr->at.un.sun_path, getpid());
    if (n < 0 || (size_t)n >= sizeof(temporary.at.un.sun_path)) {
        errno = ENAMETOOLONG;
        return sock_close_keep_errno(fd);
    }
    unlink(path);
    if (bind(fd, &temporary.at.any, sizeof(temporary.at.un)) != 0)
        return sock_close_keep_errno(fd);
    if ((has_mode && chmod(path, mode) != 0) || listen(fd, (int)backlog) != 0 ||
        rename(path, addr->at.un.sun_path) != 0) {
        int saved = errno;

        unlink(path);
        errno = saved;
        return sock_close_keep_errno(fd);
    }
    return fd;
}

bool sock_is_same(int a, int b)
{
    struct stat one;
    struct stat other;

    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

bool sock_path_identity(const struct addr *addr, struct sock_identity *id)
{
    struct stat st;

    if (lstat(addr->at.un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    *id = (struct sock_identity){st.st_dev, st.st_ino};
    return true;
}

bool sock_is_at_path(const struct addr *addr, const struct sock_identity *id)
{
    struct sock_identity now;

    return sock_path_identity(addr, &now) && now.device == id->device && now.inode == id->inode;
}

void sock_unlink(const struct addr *addr, const struct sock_identity *id)
{
    if (sock_is_at_path(addr, id))
        unlink(addr->at.un.sun_path);
}

static int sock_new_listener(int family)
{
    int on = 1;
    int fd = sock_new(family);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* Accepted sockets inherit it, so that it costs no call a connection. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static int sock_listen_ip(const struct addr *addr, unsigned backlog)
{
    int fd = sock_new_listener(addr->at.any.sa_family);

    if (fd < 0)
        return -1;
    if (bind(fd, &addr->at.any, addr->n) != 0 || listen(fd, (int)backlog) != 0)
        return sock_close_keep_errno(fd);
    return fd;
}

static void share_port(int fd, const int *others, size_t n_others, int may)
{
    int saved = errno;

    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &may, sizeof(may));
    for (size_t i = 0; i < n_others; i++)
        setsockopt(others[i], SOL_SOCKET, SO_REUSEPORT, &may, sizeof(may));
    errno = saved;
}

int sock_bind_beside(const struct addr *addr, const int *others, size_t n_others)
{
    int fd = sock_new_listener(addr->at.any.sa_family);
    bool ok;

    if (fd < 0)
        return -1;
    share_port(fd, others, n_others, 1);
    ok = bind(fd, &addr->at.any, addr->n) == 0;
    share_port(fd, others, n_others, 0);
    return ok ? fd : sock_close_keep_errno(fd);
}

/* listen(2) looks once more whether the port is free. */
bool sock_listen_beside(int fd, unsigned backlog, const int *others, size_t n_others)
{
    bool ok;

    share_port(fd, others, n_others, 1);
    ok = listen(fd, (int)backlog) == 0;
    share_port(fd, others, n_others, 0);
    return ok;
}

/* The byte of flags in a TCP header (RFC 9293 3.1). */
#define TCP_FLAGS_AT 13

void sock_ignore_new(int fd)
{
    static struct sock_filter no_syn[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS_AT),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),        /* drop it */
        BPF_STMT(BPF_RET | BPF_K, UINT_MAX), /* take all of it */
    };
    const struct sock_fprog program = {.len = sizeof(no_syn) / sizeof(no_syn[0]), .filter = no_syn};

    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int sock_listen(const struct addr *addr, unsigned backlog, bool has_mode, mode_t mode)
{
    if (addr->at.any.sa_family == AF_UNIX)
        return sock_listen_unix(addr, backlog, has_mode, mode);
    return sock_listen_ip(addr, backlog);
}

int sock_adopt(int fd)
{
    int is_listening = 0;
    socklen_t n = sizeof(is_listening);
    int on = 1;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &n) != 0)
        return -1;
    if (!is_listening) {
        errno = EINVAL;
        return -1;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

enum sock_accept sock_accept(int listener, int *fd, struct addr *peer)
{
    peer->n = sizeof(peer->at);
    do
        *fd = accept4(listener, &peer->at.any, &peer->n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (*fd < 0 && errno == EINTR);
    if (*fd >= 0)
        return SOCK_ACCEPT_OK;
    switch (errno) {
    case EAGAIN: return SOCK_ACCEPT_AGAIN;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS: return SOCK_ACCEPT_NO_FD;
    default: return SOCK_ACCEPT_FAILED; /* ECONNABORTED and the errors of accept(2) NOTES */
    }
}

enum sock_connect sock_connect(const struct addr *addr, int *fd)
{
    int on = 1;

    *fd = sock_new(addr->at.any.sa_family);
    if (*fd < 0)
        return SOCK_CONNECT_FAILED;
    if (addr->at.any.sa_family != AF_UNIX)
        setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(*fd, &addr->at.any, addr->n) == 0)
        return SOCK_CONNECT_DONE;
    if (errno == EINPROGRESS || errno == EINTR)
        return SOCK_CONNECT_PENDING;
    *fd = sock_close_keep_errno(*fd);
    return SOCK_CONNECT_FAILED;
}

int sock_error(int fd)
{
    int error = 0;
    socklen_t n = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
        return errno;
    return error;
}

struct addr sock_peer(int fd)
{
    struct addr a = {.n = sizeof(a.at)};

    if (getpeername(fd, &a.at.any, &a.n) != 0)
        a.n = 0;
    return a;
}

struct addr sock_local(int fd)
{
    struct addr a = {.n = sizeof(a.at)};

    if (getsockname(fd, &a.at.any, &a.n) != 0)
        a.n = 0;
    return a;
}

bool sock_unacknowledged(int fd, size_t *n_bytes)
{
    int n = 0;

    if (ioctl(fd, SIOCOUTQ, &n) != 0 || n < 0)
        return false;
    *n_bytes = (size_t)n;
    return true;
}

bool sock_unsent(int fd, size_t *n_bytes)
{
    int n = 0;

    if (ioctl(fd, SIOCOUTQNSD, &n) != 0 || n < 0)
        return false;
    *n_bytes = (size_t)n;
    return true;
}

void sock_set_reset_on_close(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

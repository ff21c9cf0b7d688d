/*
 * sock - making sockets: listening, accepting, connecting, asking.
 *
 * Every descriptor is close-on-exec and non-blocking. EINTR and EAGAIN are known here and in wire.c
 * alone.
 */
#ifndef HOLDFAST_IO_SOCK_H
#define HOLDFAST_IO_SOCK_H

#include "io/addr.h"

#include <sys/types.h>

/*
 * A listening socket on addr. A unix socket is bound to PATH.PID.tmp, set to `mode`, listened on
 * and then renamed, so that a path that exists can be connected to. A socket that nobody listens
 * on is replaced; one that somebody does (EADDRINUSE) and anything else (EEXIST) is left alone.
 * Returns -1 with errno set.
 */
int sock_listen(const struct addr *addr, unsigned backlog, bool has_mode, mode_t mode);

/*
 * An IP socket at addr beside others of ours that listen on the same port: of `*:80` and
 * `127.0.0.1:80` neither is bound while the other is there, unless both have SO_REUSEPORT. They
 * have it here for bind(2), which leaves a socket that does not listen yet, and for listen(2), and
 * lose it at once. All must have been made by one user, or it is EADDRINUSE as ever. -1 or false
 * with errno.
 *
 * Limit: while a socket that was bound so lives, the kernel lets processes of that same user who
 * ask for SO_REUSEPORT themselves listen there too.
 */
#define SOCK_BESIDE_MAX 64
int sock_bind_beside(const struct addr *addr, const int *others, size_t n_others);
bool sock_listen_beside(int fd, unsigned backlog, const int *others, size_t n_others);

/*
 * Let nobody begin to connect at a listening TCP socket that is about to close, in whatever
 * process: what is in its queue can be accepted to the last then, and nobody is reset. A SYN is
 * dropped, as if the network had lost it: the client's kernel sends it again after a second, and
 * meets whatever is there by then. Handshakes under way come to their end. For good: there is no
 * way back here.
 *
 * A classic BPF filter (socket(7) SO_ATTACH_FILTER, the kernel's Documentation/networking/filter),
 * which sees a packet from its TCP header on. What fails is left: some client may be reset then.
 */
void sock_ignore_new(int fd);

/* Do two descriptors stand for one socket? */
bool sock_is_same(int a, int b);

/* Which socket is at a path: to remove ours at the end, and nobody else's. */
struct sock_identity {
    dev_t device;
    ino_t inode;
};
bool sock_path_identity(const struct addr *addr, struct sock_identity *id);
bool sock_is_at_path(const struct addr *addr, const struct sock_identity *id);
void sock_unlink(const struct addr *addr, const struct sock_identity *id);

/* Take over an inherited listening socket: checks that fd is one. Returns it, or -1 with errno. */
int sock_adopt(int fd);

enum sock_accept {
    SOCK_ACCEPT_OK,
    SOCK_ACCEPT_AGAIN,    /* nobody waits */
    SOCK_ACCEPT_NO_FD,    /* out of descriptors or memory: stop asking for a while */
    SOCK_ACCEPT_FAILED    /* that one client is gone; go on */
};

/* Accept one client; sets *fd and *peer. */
enum sock_accept sock_accept(int listener, int *fd, struct addr *peer);

enum sock_connect { SOCK_CONNECT_DONE, SOCK_CONNECT_PENDING, SOCK_CONNECT_FAILED };

/* Start to connect. On DONE and PENDING *fd is the socket; on FAILED errno is set. */
enum sock_connect sock_connect(const struct addr *addr, int *fd);

/* How a pending connect has ended: 0, or the errno (getsockopt(2) SO_ERROR). */
int sock_error(int fd);

/* The far end of a connected socket; n == 0 on failure. */
struct addr sock_peer(int fd);

/* The local address of a connected or listening socket; n == 0 on failure. */
struct addr sock_local(int fd);

/*
 * Bytes written to the socket that the peer has not acknowledged (tcp(7) SIOCOUTQ; still told
 * after a reset). For a unix socket: not yet read by the peer. Returns false where the kernel does
 * not say.
 */
bool sock_unacknowledged(int fd, size_t *n_bytes);

/*
 * Bytes written to the socket that have not left it (tcp(7) SIOCOUTQNSD): no peer can have had
 * them. False where the kernel does not say (a unix socket).
 */
bool sock_unsent(int fd, size_t *n_bytes);

/* Make close(2) send a reset at once (SO_LINGER 0): for a message that must be seen to be
 * broken. */
void sock_set_reset_on_close(int fd);

#endif

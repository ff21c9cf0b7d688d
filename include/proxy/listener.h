/*
 * listener - a socket that clients connect to, and the connections accepted on it.
 *
 * A listener outlives generations: a reload that still names its address gives it the new
 * generation, and its idle connections meet that with their next request; where somebody has
 * removed its socket's file, a new socket too. One that is no longer named accepts what waits in
 * its queue, closes, and is freed when its last connection has gone. Limits: max-connections of all
 * workers, but for that queue; without descriptors accepting pauses and resumes.
 */
#ifndef HOLDFAST_PROXY_LISTENER_H
#define HOLDFAST_PROXY_LISTENER_H

#include "http/conn.h"
#include "io/sock.h"
#include "proxy/generation.h"

/* When accepting has paused it is tried again after this long even if nothing of ours has ended. */
#define LISTENER_RETRY_MS 100
/* How long a TCP socket that a reload takes away stays open, deaf to new clients: a handshake over a
 * near network is over by then, on a busy machine too. Whoever comes meanwhile asks again after a
 * second, so that it must not be long. */
#define LISTENER_RETIRE_MS 1

struct listener {
    struct list link; /* worker->listeners */
    struct worker *worker;
    struct watch watch;
    struct generation *generation; /* the newest that names it; NULL until it is applied */
    const struct config_frontend *frontend;
    const struct config_bind *bind; /* of the generation */
    struct list conns;
    int next_fd; /* a socket that takes the place of ours at the commit; -1: none */
    struct sock_identity next_identity;
    bool is_removed;
    bool is_new;  /* opened by a prepare that is not committed */
    bool is_kept; /* named by the generation being prepared */
    bool is_ours; /* no other process has it: backlog and the socket's file are ours to change */
    bool listens_late; /* bound beside a socket that goes: listens from the commit on */
    bool unlinks;      /* a unix socket of ours, known by its identity */
    struct sock_identity identity;
    struct grave grave;
    struct addr addr;
    size_t text_n;
    char text[]; /* the bind's text: its name across reloads */
};

/* Open the sockets that g names and the worker has not got. False: errors has grown. */
bool listeners_prepare(struct worker *w, struct generation *g, struct generation_errors *errors);

/* Undo a prepare. */
void listeners_cancel(struct worker *w);

/* Give each listener its generation; remove those that it does not name. */
void listeners_commit(struct worker *w, struct generation *g);

/* Stop accepting on all and let the connections finish. */
void listeners_drain(struct worker *w);

/* Close all sockets and connections at once. */
void listeners_close(struct worker *w);

/* One of its connections has closed and is out of l->conns. */
void listener_conn_closed(struct listener *l);

/* Close the sockets that have been kept a little longer than their listeners (listeners_commit),
 * and let in who has come to their queues since. Are there any? */
void listeners_retire(struct worker *w);
bool listeners_are_retiring(const struct worker *w);

/* A client connection or its descriptor has gone: accepting may go on. */
void listeners_resume(struct worker *w);

/* The policy of a connection that has no transaction. */
const struct policy *listener_policy(const struct listener *l);

#endif

/*
 * server - the servers of a backend as they are: up or down, their connections, and who waits.
 *
 * A server is believed to be up until a connect fails. Then it is down, and its back-off begins
 * (SERVER_BACKOFF_FIRST_MS doubling to SERVER_BACKOFF_LAST_MS): the back-off belongs to the
 * server, not to those who wait. While anybody waits, one connection at a time probes it; the
 * first that succeeds serves the first who waits, and the others follow in the order of their
 * arrival at a measured pace. Where another server is up nobody waits: then each request that
 * passes has those that are down probed.
 *
 * States outlive generations: a server is the same as long as its name, its address and whether it
 * is sent PROXY headers are. One that
 * is no longer named closes its idle connections and is freed when the last busy one has gone.
 */
#ifndef HOLDFAST_PROXY_SERVER_H
#define HOLDFAST_PROXY_SERVER_H

#include "conf/config.h"
#include "http/conn.h"

#define SERVER_BACKOFF_FIRST_MS 50
#define SERVER_BACKOFF_LAST_MS  1000
/* A server that is back gets this many of those who waited, every so many milliseconds: 3,200 a
 * second is more than most can take and less than a stampede. */
#define SERVER_WAKE_BURST 32
#define SERVER_WAKE_MS    10

struct worker;
struct txn;

struct server_state {
    struct list link; /* backend->servers */
    struct backend_state *backend;
    struct addr addr;
    struct list idle; /* connections, the last used first */
    struct list busy; /* connecting ones too */
    unsigned n_idle;
    unsigned n_busy; /* in `busy` */
    unsigned bit;    /* of CONFIG_SERVERS_MAX: its mark in txn->tried */
    unsigned weight; /* 0: it takes no requests (`disabled` too) */
    int turn;        /* see balance.c */
    uint64_t seed;   /* likewise */
    unsigned send_proxy; /* version of the PROXY header; 0: none */
    bool is_backup;
    bool is_down;
    bool is_removed;
    bool is_named; /* by the generation being applied */
    bool may_probe; /* the back-off is over */
    struct conn *probe;
    int error; /* errno of the last failed connect */
    uint32_t backoff_ms;
    struct timer backoff;
    struct grave grave;
    size_t name_n;
    char name[]; /* BACKEND/SERVER, NUL-terminated */
};

struct backend_state {
    struct list link; /* worker->backends */
    struct worker *worker;
    unsigned refs; /* generations that name it */
    struct list servers;
    unsigned n_servers;
    unsigned n_down; /* of them */
    bool is_even;    /* those that take requests have one weight, and none is a backup */
    uint64_t random; /* see balance.c */
    struct list waiters; /* struct txn by wait_link, in order of arrival */
    struct timer pace;
    unsigned keepalive;
    uint32_t keepalive_idle_ms;
    enum balance_kind balance;
    size_t name_n;
    char name[];
};

/* The state of a backend by name, made where there is none; one reference. NULL: no memory. */
struct backend_state *backend_state_get(struct worker *w, struct str name);
void backend_state_unref(struct backend_state *b);

/* Take over what a generation says of it. False: no memory for a new server; the old ones stay. */
bool backend_state_apply(struct backend_state *b, const struct config_backend *c);

/* `SERVER`, and `BACKEND/SERVER`. They live as long as s does. */
struct str server_name(const struct server_state *s);
struct str server_full_name(const struct server_state *s);

/* The bit of a server in the masks below. */
static inline uint64_t server_mark(const struct server_state *s)
{
    return (uint64_t)1 << s->bit;
}

/* Has every server that takes requests its mark in `tried`? */
bool backend_all_tried(const struct backend_state *b, uint64_t tried);

/*
 * A request is about to look for a server: those that are down are probed, as their back-off
 * allows, so that one that is back is used again. The request waits for none of them.
 */
void backend_revive(struct backend_state *b);

/*
 * The connection used last that can bear a request of this client, taken out of the pool; NULL: none.
 * Where servers are told who the client is (send_proxy) it is one that has borne no other's.
 */
struct conn *server_take_idle(struct server_state *s, const struct endpoint *client);

/*
 * Start a connection for t, which is told by txn_on_connected or txn_on_connect_failed, never
 * before this has returned. NULL with errno: it failed at once, and the server is noted as down
 * unless the fault is ours (no descriptors, no memory).
 */
struct conn *server_connect(struct server_state *s, struct txn *t);

/*
 * Wait for a server: t joins the waiters in the order of its sequence and is called by
 * txn_on_server_ready, or, if it does not hold, by txn_on_all_tried.
 */
void backend_wait(struct backend_state *b, struct txn *t);
void backend_leave(struct txn *t);

/* Close the idle connections of all servers (shutting down). */
void backends_close(struct worker *w);

#endif

/*
 * server - the servers of a backend as they are: up or down, their connections, and who waits.
 */
#include "proxy/server.h"

#include "base/log.h"
#include "base/panic.h"
#include "base/pool.h"
#include "http/h1.h"
#include "io/sock.h"
#include "proxy/balance.h"
#include "proxy/txn.h"
#include "proxy/worker.h"

#include <errno.h>
#include <sys/random.h>

/* For a probe that nobody waits for any more. */
#define PROBE_CONNECT_MS 5000

static const struct conn_ops back_ops;

static void backend_wake(struct backend_state *b);
static void backend_probe(struct backend_state *b);

struct str server_full_name(const struct server_state *s)
{
    return (struct str){s->name, s->name_n};
}

struct str server_name(const struct server_state *s)
{
    size_t from = s->backend->name_n + 1; /* behind BACKEND/ */

    return (struct str){s->name + from, s->name_n - from};
}

/* --- the life of backends and servers --- */

static void pace_fired(struct timer *t)
{
    backend_wake(list_owner(t, struct backend_state, pace));
}

static struct backend_state *backend_find(struct worker *w, struct str name)
{
    list_each(at, keep, &w->backends)
    {
        struct backend_state *b = list_owner(at, struct backend_state, link);

        if (str_eq((struct str){b->name, b->name_n}, name))
            return b;
    }
    return NULL;
}

struct backend_state *backend_state_get(struct worker *w, struct str name)
{
    struct backend_state *b = backend_find(w, name);

    if (b != NULL) {
        b->refs++;
        return b;
    }
    b = memory_get(sizeof(*b) + name.n + 1);
    if (b == NULL)
        return NULL;
    *b = (struct backend_state){.worker = w, .refs = 1, .name_n = name.n};
    /* Where the lots begin; without entropy they begin where all do. */
    if (getrandom(&b->random, sizeof(b->random), GRND_NONBLOCK) < 0)
        b->random = 0;
    memcpy(b->name, name.p, name.n);
    b->name[name.n] = '\0';
    list_init(&b->servers);
    list_init(&b->waiters);
    timer_init(&b->pace, pace_fired);
    list_push_back(&w->backends, &b->link);
    return b;
}

static void server_bury(struct grave *g)
{
    memory_put(list_owner(g, struct server_state, grave));
}

/* A removed server goes when its last connection has gone. */
static void server_free_if_unused(struct server_state *s)
{
    if (!s->is_removed || !list_is_empty(&s->idle) || !list_is_empty(&s->busy))
        return;
    assert(s->n_busy == 0 && s->n_idle == 0);
    loop_timer_remove(s->backend->worker->loop, &s->backoff);
    list_init(&s->grave.link);
    s->grave.bury = server_bury;
    loop_bury(s->backend->worker->loop, &s->grave);
    backend_state_unref(s->backend);
}

static void close_idle(struct server_state *s)
{
    list_each(at, keep, &s->idle)
    {
        struct conn *c = list_owner(at, struct conn, link);

        c->codec->close(c);
    }
}

static void server_remove(struct server_state *s)
{
    struct backend_state *b = s->backend;

    list_unlink(&s->link);
    b->n_servers--;
    b->n_down -= s->is_down;
    s->is_down = false; /* nobody asks any more */
    b->refs++; /* until server_free_if_unused: its connections point at it */
    close_idle(s);
    if (s->probe != NULL)
        s->probe->codec->close(s->probe);
    s->is_removed = true;
    server_free_if_unused(s);
}

void backend_state_unref(struct backend_state *b)
{
    if (b == NULL || b->refs > 1) {
        if (b != NULL)
            b->refs--;
        return;
    }
    /* The last reference is held while the servers go, each of which may keep another. */
    list_each(at, keep, &b->servers)
        server_remove(list_owner(at, struct server_state, link));
    if (--b->refs > 0)
        return;
    assert(list_is_empty(&b->waiters));
    loop_timer_remove(b->worker->loop, &b->pace);
    list_unlink(&b->link);
    memory_put(b);
}

static void backoff_fired(struct timer *t)
{
    struct server_state *s = list_owner(t, struct server_state, backoff);

    s->may_probe = true;
    backend_probe(s->backend);
}

/* The lowest mark that no server of the backend has; the loader bounds their number. */
static unsigned free_bit(struct backend_state *b)
{
    uint64_t used = 0;
    unsigned bit = 0;

    list_each(at, keep, &b->servers)
        used |= (uint64_t)1 << list_owner(at, struct server_state, link)->bit;
    while (bit < CONFIG_SERVERS_MAX - 1 && (used >> bit & 1) != 0)
        bit++;
    return bit;
}

static struct server_state *server_new(struct backend_state *b, const struct config_server *c,
                                       unsigned send_proxy)
{
    struct server_state *s = memory_get(sizeof(*s) + c->full_name.n + 1);

    if (s == NULL)
        return NULL;
    *s = (struct server_state){
        .backend = b,
        .addr = c->addr,
        .bit = free_bit(b),
        .seed = balance_seed(c->name),
        .send_proxy = send_proxy,
        .name_n = c->full_name.n,
    };
    memcpy(s->name, c->full_name.p, c->full_name.n);
    s->name[s->name_n] = '\0';
    list_init(&s->idle);
    list_init(&s->busy);
    list_init(&s->link);
    timer_init(&s->backoff, backoff_fired);
    return s;
}

static struct server_state *server_find(struct backend_state *b, const struct config_server *c,
                                        unsigned send_proxy)
{
    list_each(at, keep, &b->servers)
    {
        struct server_state *s = list_owner(at, struct server_state, link);

        if (str_eq(server_full_name(s), c->full_name) && addr_eq(&s->addr, &c->addr) &&
            s->send_proxy == send_proxy)
            return s;
    }
    return NULL;
}

bool backend_state_apply(struct backend_state *b, const struct config_backend *c)
{
    bool ok = true;

    b->keepalive = c->keepalive;
    b->keepalive_idle_ms = c->keepalive_idle_ms;
    b->balance = c->balance;
    list_each(at, keep, &b->servers)
        list_owner(at, struct server_state, link)->is_named = false;
    for (size_t i = 0; i < c->n_servers; i++) {
        struct server_state *s = server_find(b, &c->servers[i], c->send_proxy);

        if (s == NULL) {
            s = server_new(b, &c->servers[i], c->send_proxy);
            ok &= s != NULL;
            if (s == NULL)
                continue;
            list_push_back(&b->servers, &s->link);
            b->n_servers++;
        }
        s->is_named = true;
        s->weight = c->servers[i].is_disabled ? 0 : c->servers[i].weight;
        s->is_backup = c->servers[i].is_backup;
    }
    list_each(old, keep_old, &b->servers)
    {
        struct server_state *s = list_owner(old, struct server_state, link);

        if (!s->is_named)
            server_remove(s);
    }
    balance_reset(b);
    backend_wake(b); /* who waits may find a new server */
    return ok;
}

void backends_close(struct worker *w)
{
    list_each(at, keep, &w->backends)
    {
        struct backend_state *b = list_owner(at, struct backend_state, link);

        list_each(one, keep_one, &b->servers)
            close_idle(list_owner(one, struct server_state, link));
    }
}

/* --- marks --- */

bool backend_all_tried(const struct backend_state *b, uint64_t tried)
{
    list_each(at, keep, (struct list *)(uintptr_t)&b->servers)
    {
        const struct server_state *s = list_owner(at, struct server_state, link);

        if (s->weight > 0 && !(tried & server_mark(s)))
            return false;
    }
    return true;
}

/* --- connections --- */

/* One whose server has been told of this client; else one that has been told of none (a probe's). */
static struct conn *find_private(struct server_state *s, const struct endpoint *client)
{
    struct conn *fresh = NULL;

    list_each(at, keep, &s->idle)
    {
        struct conn *c = list_owner(at, struct conn, link);

        if (c->is_announced && endpoint_eq(&c->peer, client))
            return c;
        if (!c->is_announced)
            fresh = c;
    }
    return fresh;
}

struct conn *server_take_idle(struct server_state *s, const struct endpoint *client)
{
    struct conn *c;

    if (list_is_empty(&s->idle))
        return NULL;
    c = s->send_proxy == 0 ? list_owner(s->idle.next, struct conn, link) : find_private(s, client);
    if (c == NULL)
        return NULL;
    list_unlink(&c->link);
    s->n_idle--;
    s->backend->worker->n_pooled--;
    c->is_idle = false;
    s->n_busy++;
    list_push_back(&s->busy, &c->link);
    return c;
}

static struct conn *connect_to(struct server_state *s)
{
    struct worker *w = s->backend->worker;
    struct h1_setup setup = {
        .loop = w->loop,
        .bufs = &w->bufs,
        .pool = &w->conns,
        .ops = &back_ops,
        .owner = s,
    };
    enum sock_connect how = sock_connect(&s->addr, &setup.fd);
    struct conn *c;

    if (how == SOCK_CONNECT_FAILED)
        return NULL;
    c = h1_back_new(&setup, how == SOCK_CONNECT_DONE);
    if (c == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    s->n_busy++;
    list_push_back(&s->busy, &c->link);
    return c;
}

/* Want of descriptors, memory or ports is our fault, not the server's. */
static bool error_is_ours(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
           error == EADDRNOTAVAIL;
}

/* Connecting has failed. For want of something of ours nothing is said of the server. */
static void server_failed(struct server_state *s, int error)
{
    s->error = error;
    if (error_is_ours(error)) {
        log_message(LOG_ERROR, "cannot connect to server %s: %s", s->name, strerror(error));
        return;
    }
    if (!s->is_down && !s->is_removed) {
        log_message(LOG_WARNING, "server %s is down: %s", s->name, strerror(error));
        s->is_down = true;
        s->backend->n_down++;
        balance_reset(s->backend);
    }
    s->may_probe = false;
    s->backoff_ms = s->backoff_ms == 0 ? SERVER_BACKOFF_FIRST_MS : s->backoff_ms * 2;
    if (s->backoff_ms > SERVER_BACKOFF_LAST_MS)
        s->backoff_ms = SERVER_BACKOFF_LAST_MS;
    loop_timer_set(s->backend->worker->loop, &s->backoff, s->backoff_ms);
}

static void server_came_up(struct server_state *s)
{
    s->backoff_ms = 0;
    timer_stop(&s->backoff);
    if (!s->is_down)
        return;
    s->is_down = false;
    s->backend->n_down--;
    balance_reset(s->backend);
    log_message(LOG_NOTICE, "server %s is up", s->name);
    backend_wake(s->backend);
}

struct conn *server_connect(struct server_state *s, struct txn *t)
{
    struct conn *c = connect_to(s);
    int error = errno;

    if (c != NULL) {
        c->waiter = t;
        return c;
    }
    server_failed(s, error);
    errno = error;
    return NULL;
}

/* --- waiting --- */

void backend_wait(struct backend_state *b, struct txn *t)
{
    struct list *where = &b->waiters;

    /* In the order of arrival: one that comes back from a failed attempt keeps its place. */
    while (where->prev != &b->waiters &&
           list_owner(where->prev, struct txn, wait_link)->sequence > t->sequence)
        where = where->prev;
    list_insert_before(where, &t->wait_link);
    if (t->held == NULL)
        t->held = row_hold(b->worker->row, t->route->full_name, loop_now(b->worker->loop));
    if (balance_look(b, 0, 0) != NULL) /* it is we who cannot connect: a moment later, perhaps */
        loop_timer_set(b->worker->loop, &b->pace, SERVER_BACKOFF_FIRST_MS);
    backend_probe(b);
}

void backend_leave(struct txn *t)
{
    list_unlink(&t->wait_link);
}

/* A probe has failed: those who do not hold and have no other server left to hope for give up. */
static void waiters_note_failure(struct backend_state *b, const struct server_state *s, int error)
{
    list_each(at, keep, &b->waiters)
        txn_on_probe_failed(list_owner(at, struct txn, wait_link), s, error);
    list_each(one, keep_one, &b->waiters)
    {
        struct txn *t = list_owner(one, struct txn, wait_link);

        if (!t->holds && backend_all_tried(b, t->tried))
            txn_on_all_tried(t);
    }
}

/* Somebody who does not hold wants to know now, and not when the back-off is over. */
static bool is_urgent(const struct backend_state *b, const struct server_state *s)
{
    list_each(at, keep, (struct list *)(uintptr_t)&b->waiters)
    {
        const struct txn *t = list_owner(at, struct txn, wait_link);

        if (!t->holds && !(t->tried & server_mark(s)))
            return true;
    }
    return false;
}

static void server_probe(struct server_state *s)
{
    s->probe = connect_to(s);
    if (s->probe == NULL) {
        int error = errno;

        server_failed(s, error);
        if (error_is_ours(error)) { /* not with each request that passes */
            s->may_probe = false;
            loop_timer_set(s->backend->worker->loop, &s->backoff, SERVER_BACKOFF_LAST_MS);
        }
        waiters_note_failure(s->backend, s, error);
    }
}

/* Each server that is down has one probe, as its back-off allows. */
static void probe_servers(struct backend_state *b, bool only_for_waiters)
{
    list_each(at, keep, &b->servers)
    {
        struct server_state *s = list_owner(at, struct server_state, link);

        if (only_for_waiters && list_is_empty(&b->waiters))
            return;
        if (s->is_down && s->weight > 0 && s->probe == NULL && (s->may_probe || is_urgent(b, s)))
            server_probe(s);
    }
}

static void backend_probe(struct backend_state *b)
{
    probe_servers(b, true);
}

void backend_revive(struct backend_state *b)
{
    if (b->n_down > 0)
        probe_servers(b, false);
}

/* Let the next of those who wait look for a server, in order; the rest a moment later. */
static void backend_wake(struct backend_state *b)
{
    for (unsigned i = 0; i < SERVER_WAKE_BURST; i++) {
        struct txn *t;

        if (list_is_empty(&b->waiters) || balance_look(b, 0, 0) == NULL)
            return;
        t = list_owner(list_pop_front(&b->waiters), struct txn, wait_link);
        txn_on_server_ready(t);
    }
    if (!list_is_empty(&b->waiters))
        loop_timer_set(b->worker->loop, &b->pace, SERVER_WAKE_MS);
}

/* --- calls of the connections --- */

static void pool_push(struct server_state *s, struct conn *c)
{
    list_unlink(&c->link);
    list_push_front(&s->idle, &c->link);
    c->is_idle = true;
    s->n_busy--;
    s->n_idle++;
    s->backend->worker->n_pooled++;
}

static void back_connected(struct conn *c)
{
    struct server_state *s = c->owner;
    struct txn *t = c->waiter;

    c->waiter = NULL;
    if (t != NULL) {
        txn_on_connected(t, c);
        server_came_up(s);
        return;
    }
    /* A probe: it is the first one to be used. */
    if (s->probe == c)
        s->probe = NULL;
    pool_push(s, c);
    server_came_up(s);
    if (s->is_removed)
        c->codec->close(c);
}

static void back_idle(struct conn *c)
{
    struct server_state *s = c->owner;

    if (s->is_removed || s->backend->worker->is_draining || s->backend->keepalive == 0) {
        c->codec->close(c);
        return;
    }
    if (s->n_idle >= s->backend->keepalive) {
        /* The one used longest ago makes room: it is the likeliest to be dead. */
        struct conn *oldest = list_owner(s->idle.prev, struct conn, link);

        oldest->codec->close(oldest);
    }
    pool_push(s, c);
}

static void back_closed(struct conn *c, int error)
{
    struct server_state *s = c->owner;
    struct txn *t = c->waiter;
    bool was_probe = s->probe == c;

    c->waiter = NULL;
    if (was_probe)
        s->probe = NULL;
    if (c->is_idle) {
        s->n_idle--;
        s->backend->worker->n_pooled--;
    } else {
        s->n_busy--;
    }
    list_unlink(&c->link);
    listeners_resume(s->backend->worker); /* a descriptor is free */
    if (error != 0 && !s->is_removed)
        server_failed(s, error);
    if (t != NULL)
        txn_on_connect_failed(t, s, error);
    else if (was_probe && error != 0 && !s->is_removed)
        waiters_note_failure(s->backend, s, error);
    server_free_if_unused(s);
}

/* The policy of whoever the connection is for; of a probe, of the first who waits. */
static const struct policy *policy_of(const struct server_state *s, const struct txn *t)
{
    const struct list *first = s->backend->waiters.next;

    if (t == NULL && first != &s->backend->waiters)
        t = list_owner((struct list *)(uintptr_t)first, struct txn, wait_link);
    return t == NULL ? NULL : t->policy;
}

static uint32_t back_timeout(struct conn *c, void *owner, enum conn_wait wait)
{
    const struct server_state *s = c->owner;
    const struct policy *p = policy_of(s, owner != NULL ? owner : c->waiter);
    uint32_t idle_ms = s->backend->keepalive_idle_ms;

    if (wait == CONN_WAIT_IDLE)
        return c->idle_ms != 0 && c->idle_ms < idle_ms ? c->idle_ms : idle_ms;
    if (p == NULL)
        return PROBE_CONNECT_MS;
    switch (wait) {
    case CONN_WAIT_CONNECT: return p->timeout_ms[TIMEOUT_CONNECT];
    case CONN_WAIT_HEAD:
    case CONN_WAIT_READ: return p->timeout_ms[TIMEOUT_SERVER_READ];
    case CONN_WAIT_THINK: return p->timeout_ms[TIMEOUT_SERVER_THINK];
    case CONN_WAIT_WRITE: return p->timeout_ms[TIMEOUT_SERVER_WRITE];
    case CONN_WAIT_NONE:
    case CONN_WAIT_IDLE:
    case CONN_WAIT_LINGER: break;
    }
    return TIMEOUT_NEVER;
}

static const struct conn_ops back_ops = {
    .on_head = txn_on_response,
    .on_interim = txn_on_interim,
    .on_received = txn_on_response_received,
    .on_sent = txn_on_request_sent,
    .on_failed = txn_on_server_failed,
    .on_connected = back_connected,
    .on_idle = back_idle,
    .on_closed = back_closed,
    .timeout_ms = back_timeout,
};

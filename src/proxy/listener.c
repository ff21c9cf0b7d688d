/*
 * listener - a socket that clients connect to, and the connections accepted on it.
 */
#include "proxy/listener.h"

#include "base/log.h"
#include "base/pool.h"
#include "http/h1.h"
#include "io/sock.h"
#include "proxy/opener.h"
#include "proxy/txn.h"
#include "proxy/worker.h"

#include <errno.h>
#include <unistd.h>

/* A wake-up accepts at most this many: the connections that are already there get their turn. */
#define ACCEPTS_PER_WAKE 16
/* How often the log hears of a pause. */
#define PAUSE_LOG_MS 10000

const struct policy *listener_policy(const struct listener *l)
{
    return l->frontend->policy;
}

static void listener_bury(struct grave *g)
{
    struct listener *l = list_owner(g, struct listener, grave);

    generation_unref(l->generation);
    memory_put(l);
}

static void listener_free_if_unused(struct listener *l)
{
    struct worker *w = l->worker;

    if (!l->is_removed || l->watch.fd >= 0 || !list_is_empty(&l->conns) ||
        !list_is_empty(&l->grave.link))
        return;
    list_unlink(&l->link);
    l->grave.bury = listener_bury;
    loop_bury(w->loop, &l->grave);
}

static void listener_unlink_path(const struct listener *l)
{
    if (l->unlinks)
        sock_unlink(&l->addr, &l->identity);
}

static void listener_close_socket(struct listener *l)
{
    if (l->watch.fd < 0)
        return;
    watch_remove(l->worker->loop, &l->watch);
    close(l->watch.fd);
    l->watch.fd = -1;
}

/* --- accepting --- */

static void accept_stop(struct worker *w)
{
    if (!w->is_accepting)
        return;
    w->is_accepting = false;
    list_each(at, keep, &w->listeners)
        watch_remove(w->loop, &list_owner(at, struct listener, link)->watch);
}

static void accept_start(struct worker *w)
{
    bool ok = true;

    list_each(at, keep, &w->listeners)
    {
        struct listener *l = list_owner(at, struct listener, link);

        if (l->watch.fd >= 0 && l->generation != NULL && !l->watch.is_registered)
            ok &= watch_register(w->loop, &l->watch);
    }
    w->is_accepting = true;
    if (!ok)
        loop_timer_set(w->loop, &w->accept_timer, LISTENER_RETRY_MS);
}

static bool is_at_limit(const struct worker *w)
{
    return w->current != NULL &&
           (rows_fronts(w->rows) >= w->current->config->global.max_connections ||
            !worker_has_descriptors(w));
}

/*
 * Count one more client, unless that would be too many for all workers together. At a socket that
 * closes nobody can wait for a place: max-connections gives way to the queue, which `backlog`
 * bounds; descriptors do not.
 */
static bool reserve_place(struct worker *w, bool is_closing)
{
    if (w->current != NULL && !worker_has_descriptors(w))
        return false;
    row_add(&w->row->n_fronts, 1);
    if (is_closing || w->current == NULL ||
        rows_fronts(w->rows) <= w->current->config->global.max_connections)
        return true;
    row_add(&w->row->n_fronts, (uint64_t)-1);
    return false;
}

void listeners_resume(struct worker *w)
{
    if (w->is_accepting || w->is_draining || is_at_limit(w))
        return;
    timer_stop(&w->accept_timer);
    accept_start(w);
}

void listener_conn_closed(struct listener *l)
{
    struct worker *w = l->worker;

    listeners_resume(w);
    listener_free_if_unused(l);
    if (w->is_draining && row_get(&w->row->n_fronts) == 0 && w->on_drained != NULL)
        w->on_drained(w);
}

static void out_of_descriptors(struct worker *w)
{
    int error = errno;

    /* It may pause and go on many times a second: once in a while is news enough. */
    if (w->pause_logged_ms == 0 || loop_now(w->loop) - w->pause_logged_ms >= PAUSE_LOG_MS) {
        log_message(LOG_WARNING, "accepting pauses until descriptors are free: %s",
                    strerror(error));
        w->pause_logged_ms = loop_now(w->loop);
    }
    accept_stop(w);
    loop_timer_set(w->loop, &w->accept_timer, LISTENER_RETRY_MS);
}

/* Does a connection from there begin with a PROXY header? One from elsewhere speaks for itself. */
static bool expects_proxy(const struct config_bind *b, const struct addr *peer)
{
    struct endpoint e;

    if (!b->accepts_proxy || peers_are_none(&b->proxy_sources))
        return b->accepts_proxy;
    e = addr_endpoint(peer);
    return peers_hold(&b->proxy_sources, &e);
}

/*
 * The address is no more. After a reload a connection has one more request, for that may be on its
 * way; when all ends, one that is idle closes.
 */
static void conn_send_away(struct conn *c, const struct worker *w)
{
    if (w->is_draining)
        c->codec->drain(c);
    else
        c->is_last = true;
}

/* False: no memory; the client is gone. */
static bool accept_one(struct listener *l, int fd, const struct addr *peer)
{
    struct worker *w = l->worker;
    struct h1_setup setup = {
        .loop = w->loop,
        .bufs = &w->bufs,
        .pool = &w->conns,
        .ops = &txn_front_ops,
        .owner = l,
        .fd = fd,
        .expects_proxy = expects_proxy(l->bind, peer),
    };
    struct conn *c = h1_front_new(&setup, peer);

    row_add(&w->row->n_accepted, 1);
    if (c == NULL)
        return false;
    list_push_back(&l->conns, &c->link);
    row_add(&w->row->n_handled, 1);
    if (l->is_removed)
        conn_send_away(c, w);
    h1_front_start(c);
    return true;
}

/* Accept a few clients. False: the queue is empty, or accepting has paused. */
static bool accept_some(struct listener *l, bool is_closing)
{
    struct worker *w = l->worker;

    for (unsigned i = 0; i < ACCEPTS_PER_WAKE; i++) {
        enum sock_accept how;
        struct addr peer;
        int fd;

        if (!reserve_place(w, is_closing)) {
            accept_stop(w); /* the next that is over resumes it; the timer, if nothing ever is */
            loop_timer_set(w->loop, &w->accept_timer, LISTENER_RETRY_MS);
            return false;
        }
        how = sock_accept(l->watch.fd, &fd, &peer);
        if (how != SOCK_ACCEPT_OK || !accept_one(l, fd, &peer))
            row_add(&w->row->n_fronts, (uint64_t)-1);
        switch (how) {
        case SOCK_ACCEPT_OK: break;
        case SOCK_ACCEPT_AGAIN: return false;
        case SOCK_ACCEPT_NO_FD: out_of_descriptors(w); return false;
        case SOCK_ACCEPT_FAILED: break;
        }
    }
    return true;
}

/*
 * Of several workers that wait at a socket the kernel wakes the one that came first, and while that
 * one is idle, always the same. Who has more clients than its share goes to the end of the queue.
 */
static void give_way(struct listener *l)
{
    struct worker *w = l->worker;
    uint64_t n = w->rows->n;

    if (n == 1 || !l->watch.is_registered ||
        row_get(&w->row->n_fronts) * n <= rows_fronts(w->rows) + n)
        return;
    watch_remove(w->loop, &l->watch);
    if (!watch_register(w->loop, &l->watch))
        out_of_descriptors(w);
}

static void listener_on_ready(struct watch *watch)
{
    struct listener *l = list_owner(watch, struct listener, watch);

    watch->ready = 0;
    accept_some(l, l->is_removed);
    give_way(l);
}

/* --- applying a generation --- */

static struct listener *listener_find(struct worker *w, struct str text)
{
    list_each(at, keep, &w->listeners)
    {
        struct listener *l = list_owner(at, struct listener, link);

        if (!l->is_removed && str_eq((struct str){l->text, l->text_n}, text))
            return l;
    }
    return NULL;
}

/* Sockets that the commit will close, and whose port a new one has to have before. */
static size_t leaving_with_port(struct worker *w, unsigned port, int fds[SOCK_BESIDE_MAX])
{
    size_t n = 0;

    list_each(at, keep, &w->listeners)
    {
        const struct listener *l = list_owner(at, struct listener, link);

        if (!l->is_kept && port != 0 && addr_port(&l->addr) == port && l->watch.fd >= 0 &&
            n < SOCK_BESIDE_MAX)
            fds[n++] = l->watch.fd;
    }
    return n;
}

/* The socket of a bind that is new here; -1 with errno. */
static int bind_new(struct worker *w, const struct config_bind *b, bool *listens_late)
{
    int fd = w->opener->bind(w->opener, b);
    int leaving[SOCK_BESIDE_MAX];
    size_t n;

    *listens_late = false;
    if (fd >= 0 || errno != EADDRINUSE || !w->opener->is_owner)
        return fd;
    n = leaving_with_port(w, addr_port(&b->addr), leaving);
    *listens_late = n > 0;
    return n > 0 ? sock_bind_beside(&b->addr, leaving, n) : -1;
}

static struct listener *listener_new(struct worker *w, const struct config_bind *b)
{
    struct listener *l = memory_get(sizeof(*l) + b->text.n + 1);
    bool listens_late;
    int fd;

    if (l == NULL)
        return NULL;
    fd = bind_new(w, b, &listens_late);
    if (fd < 0) {
        int saved = errno;

        memory_put(l);
        errno = saved;
        return NULL;
    }
    *l = (struct listener){
        .worker = w,
        .next_fd = -1,
        .is_new = true,
        .is_kept = true,
        .listens_late = listens_late,
        .addr = b->addr,
        .text_n = b->text.n,
    };
    l->is_ours = w->opener->is_owner;
    l->unlinks = l->is_ours && b->kind == BIND_SOCKET && b->addr.at.any.sa_family == AF_UNIX &&
                 sock_path_identity(&b->addr, &l->identity);
    memcpy(l->text, b->text.p, b->text.n);
    l->text[l->text_n] = '\0';
    watch_init(&l->watch, fd, true, listener_on_ready);
    l->watch.want = EVENT_IN;
    list_init(&l->conns);
    list_init(&l->grave.link);
    list_push_back(&w->listeners, &l->link);
    return l;
}

/* Somebody may have removed the socket's file; under a master, which then has made another. */
static bool listener_is_there(const struct listener *l, const struct config_bind *b)
{
    const struct opener *o = l->worker->opener;

    return l->unlinks ? sock_is_at_path(&l->addr, &l->identity) : o->keeps_bind(o, b, l->watch.fd);
}

/* Open the socket that takes the place of ours at the commit. False with errno. */
static bool listener_open_next(struct listener *l, const struct config_bind *b)
{
    l->next_fd = l->worker->opener->bind(l->worker->opener, b);
    if (l->next_fd >= 0 && l->unlinks)
        sock_path_identity(&l->addr, &l->next_identity);
    return l->next_fd >= 0;
}

/* Mark what stays: what does not may have the port of a new one. */
static void listeners_keep(struct worker *w, const struct config *c)
{
    list_each(at, keep, &w->listeners) list_owner(at, struct listener, link)->is_kept = false;
    for (size_t i = 0; i < c->n_frontends; i++)
        for (size_t j = 0; j < c->frontends[i].n_binds; j++) {
            struct listener *l = listener_find(w, c->frontends[i].binds[j].text);

            if (l != NULL)
                l->is_kept = true;
        }
}

bool listeners_prepare(struct worker *w, struct generation *g, struct generation_errors *errors)
{
    const struct config *c = g->config;
    unsigned before = errors->n;

    listeners_keep(w, c);
    for (size_t i = 0; i < c->n_frontends; i++)
        for (size_t j = 0; j < c->frontends[i].n_binds; j++) {
            const struct config_bind *b = &c->frontends[i].binds[j];
            struct listener *l = listener_find(w, b->text);
            bool ok = l == NULL ? listener_new(w, b) != NULL
                                : listener_is_there(l, b) || listener_open_next(l, b);

            if (!ok)
                generation_bind_error(errors, b);
        }
    return errors->n == before;
}

static void listener_close_next(struct listener *l)
{
    if (l->next_fd < 0)
        return;
    if (l->unlinks)
        sock_unlink(&l->addr, &l->next_identity);
    close(l->next_fd);
    l->next_fd = -1;
}

void listeners_cancel(struct worker *w)
{
    list_each(at, keep, &w->listeners)
    {
        struct listener *l = list_owner(at, struct listener, link);

        listener_close_next(l);
        if (!l->is_new)
            continue;
        listener_unlink_path(l);
        listener_close_socket(l);
        list_unlink(&l->link);
        memory_put(l);
    }
}

static void send_all_away(struct listener *l)
{
    list_each(at, keep, &l->conns) conn_send_away(list_owner(at, struct conn, link), l->worker);
}

/* Those who wait in the queue have been promised an answer. */
static void let_all_in(struct listener *l)
{
    bool has_clients = l->watch.fd >= 0 && l->generation != NULL;

    for (unsigned n = 0; has_clients && n <= l->bind->backlog; n += ACCEPTS_PER_WAKE)
        has_clients = accept_some(l, true);
}

static void listener_retire_socket(struct listener *l)
{
    let_all_in(l);
    listener_close_socket(l);
}

/* Handshakes that are under way end behind the queue that we see: such a socket closes later. */
static bool may_have_handshakes(const struct listener *l)
{
    return l->watch.fd >= 0 && l->generation != NULL && addr_port(&l->addr) != 0 &&
           !l->worker->is_draining;
}

static void listener_remove(struct listener *l)
{
    l->is_removed = true;
    listener_unlink_path(l);
    if (may_have_handshakes(l)) {
        let_all_in(l);
        loop_timer_set(l->worker->loop, &l->worker->retire_timer, LISTENER_RETIRE_MS);
    } else {
        listener_retire_socket(l);
    }
    send_all_away(l);
    listener_free_if_unused(l);
}

void listeners_retire(struct worker *w)
{
    list_each(at, keep, &w->listeners)
    {
        struct listener *l = list_owner(at, struct listener, link);

        if (!l->is_removed || l->watch.fd < 0)
            continue;
        listener_retire_socket(l);
        listener_free_if_unused(l);
    }
}

bool listeners_are_retiring(const struct worker *w)
{
    list_each(at, keep, (struct list *)(uintptr_t)&w->listeners)
    {
        const struct listener *l = list_owner(at, struct listener, link);

        if (l->is_removed && l->watch.fd >= 0)
            return true;
    }
    return false;
}

/* The connections of the old socket are none the wiser. */
static void listener_take_next(struct listener *l)
{
    if (l->next_fd < 0)
        return;
    listener_retire_socket(l);
    l->watch.fd = l->next_fd;
    l->identity = l->next_identity;
    l->next_fd = -1;
}

static void listen_late(struct listener *l, const struct config_bind *b)
{
    int leaving[SOCK_BESIDE_MAX];
    size_t n = leaving_with_port(l->worker, addr_port(&b->addr), leaving);

    l->listens_late = false;
    opener_listen_late(l->watch.fd, b, leaving, n);
}

static void listener_apply(struct listener *l, struct generation *g,
                           const struct config_frontend *f, const struct config_bind *b)
{
    listener_take_next(l);
    if (l->listens_late)
        listen_late(l, b);
    else if (!l->is_new && l->is_ours) /* a reload may change what a bind says beside its address */
        opener_adjust_bind(l->watch.fd, b, l->unlinks);
    generation_ref(g);
    generation_unref(l->generation);
    l->generation = g;
    l->frontend = f;
    l->bind = b;
    l->is_new = false;
}

/* Those who wait are let in: nobody is to come behind them. Under a master it is the master that
 * sees to it; an inherited socket (port 0) somebody else may listen on. */
static void ignore_new_clients(const struct listener *l)
{
    if (l->is_ours && l->watch.fd >= 0 && addr_port(&l->addr) != 0)
        sock_ignore_new(l->watch.fd);
}

void listeners_commit(struct worker *w, struct generation *g)
{
    const struct config *c = g->config;

    list_each(at, keep, &w->listeners)
    {
        const struct listener *l = list_owner(at, struct listener, link);

        if (!l->is_kept)
            ignore_new_clients(l);
    }
    for (size_t i = 0; i < c->n_frontends; i++)
        for (size_t j = 0; j < c->frontends[i].n_binds; j++)
            listener_apply(listener_find(w, c->frontends[i].binds[j].text), g, &c->frontends[i],
                           &c->frontends[i].binds[j]);
    list_each(at, keep, &w->listeners)
    {
        struct listener *l = list_owner(at, struct listener, link);

        if (!l->is_kept && !l->is_removed)
            listener_remove(l);
    }
    if (w->is_accepting)
        accept_start(w); /* the new ones */
}

/* At the end too: a client who is refused a second later is better off than one who is reset, and
 * where a successor listens by then it is not refused at all. */
void listeners_drain(struct worker *w)
{
    list_each(at, keep, &w->listeners) ignore_new_clients(list_owner(at, struct listener, link));
    list_each(at, keep, &w->listeners)
    {
        struct listener *l = list_owner(at, struct listener, link);

        if (!l->is_removed)
            listener_remove(l);
        else
            send_all_away(l);
    }
    listeners_retire(w);
}

void listeners_close(struct worker *w)
{
    list_each(at, keep, &w->listeners)
    {
        struct listener *l = list_owner(at, struct listener, link);

        if (!l->is_removed)
            listener_unlink_path(l);
        l->is_removed = true;
        listener_close_socket(l);
        list_each(one, keep_one, &l->conns)
        {
            struct conn *c = list_owner(one, struct conn, link);

            c->codec->close(c);
        }
        listener_free_if_unused(l);
    }
}

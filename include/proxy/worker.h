/*
 * worker - everything that one process serving traffic has; nothing of it is global.
 *
 * A worker applies configurations one after the other, in place: listeners, servers, spools and
 * logs that the next one still names go on, with their connections. It knows nothing of signals,
 * files or privileges (proc/).
 */
#ifndef HOLDFAST_PROXY_WORKER_H
#define HOLDFAST_PROXY_WORKER_H

#include "base/pool.h"
#include "conf/config.h"
#include "io/buf.h"
#include "io/loop.h"
#include "proxy/opener.h"
#include "proxy/row.h"

/* Buffers of all connections and bodies together. */
#define WORKER_BUFS_BUDGET ((size_t)512 << 20)

struct generation;

struct worker {
    struct loop *loop;
    struct bufs bufs;
    struct pool conns;
    struct regex_matcher *matcher; /* made when the first regular expression is tried */
    struct list listeners;
    struct list backends; /* struct backend_state */
    struct list txns;
    struct list free_txns; /* with their arenas, to be used again */
    unsigned n_free_txns;
    unsigned max_fds;        /* of the process, less what it needs beside connections and spools */
    unsigned n_pooled;       /* idle connections to servers */
    struct list generations; /* all that live: old ones with their requests; the newest first */
    struct generation *current;
    struct generation *pending; /* between worker_prepare and worker_commit */
    struct timer accept_timer;  /* runs while accepting is paused for want of descriptors */
    uint64_t pause_logged_ms;
    bool is_accepting;
    bool is_draining;
    struct timer retire_timer; /* runs while sockets that a reload has taken away are still open */
    void (*on_retired)(struct worker *w); /* NULL, or called when they are closed */
    void (*on_drained)(
        struct worker *w);  /* NULL, or called once when the last connection has gone */
    uint64_t next_sequence; /* order of arrival of transactions */
    uint64_t request_counter;
    unsigned char request_id_key[8];
    const struct opener *opener; /* for worker_prepare alone */
    struct rows *rows;           /* of all workers */
    struct row *row;             /* ours */
    bool has_own_rows;
    int panic_fd; /* where the report of a panic goes for the master to find; -1: to the error log
                   */
};

struct worker_setup {
    enum poller_kind poller;
    const struct opener *opener;
    struct rows *rows; /* NULL: a worker by itself; else they must outlive it */
    unsigned index;    /* of its row */
    int panic_fd;      /* stays the caller's; -1: none */
};

/* Set up a worker on a loop of its own. False with errno: no memory, no descriptors. */
bool worker_init(struct worker *w, const struct worker_setup *setup);

/* Close everything at once and free it. The loop must not be running. */
void worker_reset(struct worker *w);

/*
 * First half of applying a configuration: open what it names and the worker has not got (sockets,
 * spools, logs). May fail: then `failed` has been told each reason (place and text), and nothing
 * has changed. On success worker_commit must follow before anything else is prepared. Takes its
 * own reference to the configuration.
 */
bool worker_prepare(struct worker *w, struct config *c,
                    void (*failed)(void *to, const struct config_place *place, const char *text),
                    void *to);

/* Instead of the second half: undo the first. */
void worker_cancel(struct worker *w);

/* Second half: cannot fail. New requests, also on old connections, see the new configuration. */
void worker_commit(struct worker *w);

/* Is a socket that it has taken away still open? w->on_retired says when it is no more: until then
 * nobody else can bind its address. */
bool worker_is_retiring(const struct worker *w);

/*
 * Stop accepting; finish what is under way, close what is idle, then call w->on_drained.
 */
void worker_drain(struct worker *w);

/* Draining has lasted too long: who waits for an answer gets 503. */
void worker_refuse(struct worker *w);

/*
 * May another client be let in? Each may come to need a spool file and a connection to a server
 * beside its own descriptor: one that is accepted is not to fail for want of descriptors.
 */
bool worker_has_descriptors(const struct worker *w);

/* Open log files anew. Logs what fails. */
void worker_reopen_logs(struct worker *w);

/* The same of one that another process has opened anew; fd stays the caller's. */
void worker_renew_log(struct worker *w, enum log_kind kind, struct str where, int fd);

#endif

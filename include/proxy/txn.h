/*
 * txn - one request and its response: two streams, two bodies, one state.
 *
 * txn_enter is the only writer of the state; the legal moves are txn_state.def. Everything that goes
 * wrong comes to txn_fail with a reason, which decides by the state: a reply, a broken message, or
 * nothing at all.
 *
 * Ownership: a txn belongs to its worker from the first complete head until DONE, when it lets go of
 * both streams and is used again at the end of the iteration. It points at a generation (one
 * reference), a route, streams that may go before it does (they tell it), and a server while it has a
 * back stream.
 * Invariants:  back != NULL  =>  server != NULL and state is AWAIT or RELAY;
 *              connecting != NULL  <=>  state == CONNECT;
 *              wait_link is in a list  =>  state == QUEUE;
 *              front == NULL before DONE  =>  mode == MODE_RESUMABLE.
 */
#ifndef HOLDFAST_PROXY_TXN_H
#define HOLDFAST_PROXY_TXN_H

#include "conf/config.h"
#include "http/conn.h"
#include "io/body.h"
#include "proxy/generation.h"
#include "proxy/listener.h"
#include "proxy/reason.h"
#include "proxy/row.h"
#include "proxy/server.h"
#include "proxy/txn_state.h"

/* Heads, values and rewritten fields of one exchange; beyond it the txn fails with 503. */
#define TXN_ARENA_BLOCK 6144
#define TXN_ARENA_LIMIT ((size_t)512 << 10)

/* How the body of this request is treated: the policy's word, or what `auto` makes of the head. */
enum txn_mode {
    MODE_HOLD,
    MODE_TEE,
    MODE_STREAM,
    MODE_RESUMABLE, /* streams with the spool ahead of the server; what has come is delivered even if the
                     * client drops; never sent twice, for the server may have kept what it got */
};

/* One attempt to have a server answer, for the log. Times are of the loop's clock; 0: not
 * reached. */
struct attempt {
    struct attempt *next;
    struct str server;
    uint64_t started_ms;
    uint64_t connected_ms;
    uint64_t header_ms;
    uint64_t ended_ms;
};

struct txn {
    struct list link; /* worker->txns, or worker->free_txns */
    struct worker *worker;
    struct arena *arena;
    struct grave grave;
    enum txn_state state;
    enum reason reason;      /* why it fails or has failed */
    enum reason last_reason; /* of the last attempt that failed: what is said when hold ends */
    unsigned status;         /* sent or to be sent to the client; 0: none */
    unsigned last_status;    /* of a response that was retried on */

    struct generation *generation;
    const struct config_frontend *frontend;
    const struct config_route *route; /* NULL: none found */
    const struct policy *policy;      /* the route's, or the frontend's */

    struct stream *front; /* NULL: the client has gone */
    struct stream *back;
    struct conn *front_conn; /* of front, for addresses; NULL with it */
    struct head *request;    /* as received; never NULL after on_head */
    struct head *outgoing;   /* as sent to servers: made once, the same for every attempt */
    struct head *response;   /* as sent to the client */
    struct str path;         /* what routes match */
    struct str request_id;
    struct endpoint sender; /* who has sent the request: the far end of its connection, or who its
                             * PROXY header names */
    struct endpoint client; /* the sender, or for whom a trusted one says that it has sent it */
    bool sender_is_announced; /* by a PROXY header */
    bool sender_is_trusted;
    bool scheme_is_https; /* a trusted sender has said so */
    struct str *matches; /* what named groups held, by var_ref.match; NULL: nothing yet */
    bool has_budget;     /* for regular expressions: one for all of its conditions */
    const struct expr *fault_expr; /* a test that could not be decided; NULL: none */

    struct body request_body;
    struct body response_body;
    enum txn_mode mode;
    const char *mode_reason;
    bool has_request_body;
    bool request_is_complete;
    bool request_is_sent;  /* all of it, to the server of this attempt */
    bool response_is_in;   /* all of it; the server is still sent the rest of the request */
    bool response_is_sent; /* likewise */

    struct backend_state *backend;
    struct server_state *server; /* of the present or the last attempt */
    struct str server_name;      /* of the last attempt, kept for the log */
    struct conn *connecting;
    struct list wait_link;
    uint64_t sequence;
    uint64_t tried;      /* marks of servers that could not be connected to */
    uint64_t balance_key; /* for `balance hash`, meaningful if has_balance_key */
    bool has_balance_key;
    bool holds;          /* may wait for a server */
    bool wants_fresh;    /* no pooled connection: one has just turned out dead */
    bool client_shut;    /* the client has shut its side: gone if it would have to wait */
    uint64_t asked;      /* marks of servers that have failed it since the last pause */
    struct timer retry_timer;   /* before the same server is sent the request again */
    unsigned n_attempts; /* that sent bytes of the request */

    struct timer guard_timer; /* bounds over more than one read: the body's total and rate; a tunnel's idling */
    uint64_t guard_bytes;     /* what had moved when it was last set */
    uint64_t body_since_ms;
    uint64_t guarded_ms;    /* when the guard last looked */
    uint64_t rate_stood_ms; /* how long the client could not have sent */
    bool tunnel_half_done;
    struct timer hold_timer;
    struct row_held *held; /* its entry in the worker's row while it waits for a server; or NULL */
    uint32_t hold_left_ms;
    uint64_t hold_since_ms; /* 0: the hold clock stands */
    uint64_t held_ms;

    uint64_t started_ms;
    uint64_t ended_ms;
    struct arena_mark attempt_mark; /* the arena before an attempt */
    struct attempt *attempts;
    unsigned n_noted; /* of them */
    struct attempt *attempt; /* the present one; NULL: none */
    uint64_t response_bytes; /* of the body, given to the kernel */
};

/* What front connections call (an array of functions for h1_front_new). */
extern const struct conn_ops txn_front_ops;

/* What the exchange on a back connection calls; server.c fills in those about the connection. */
void txn_on_response(struct stream *s, struct head *h, enum http_fault fault);
bool txn_on_interim(struct stream *s, struct head *h);
void txn_on_response_received(struct stream *s);
void txn_on_request_sent(struct stream *s);
void txn_on_server_failed(struct stream *s, enum conn_failure why);

/* Calls of the servers (see server.h). */
void txn_on_connected(struct txn *t, struct conn *c);
void txn_on_connect_failed(struct txn *t, struct server_state *s, int error);
void txn_on_probe_failed(struct txn *t, const struct server_state *s, int error);
void txn_on_server_ready(struct txn *t);
void txn_on_all_tried(struct txn *t);

/* The only writer of t->state. */
void txn_enter(struct txn *t, enum txn_state next);

/*
 * Something has gone wrong. Before a response head has been sent the client gets the reason's
 * status (its error page, if there is one); afterwards the connection is broken off. Servers are
 * let go of.
 */
void txn_fail(struct txn *t, enum reason why);

/* The request is complete enough: find a server (state QUEUE). */
void txn_seek_server(struct txn *t);

/* Let go of the back stream (broken off), a connect or a place in the queue; the hold clock
 * stops. */
void txn_detach(struct txn *t);

/* Over: logged, streams released. `is_whole`: the client has had all that was meant for it. */
void txn_finish(struct txn *t, bool is_whole);

/* Choose the mode of the request, and say why. */
void txn_choose_mode(struct txn *t, bool has_body);

/*
 * The client has dropped, or has fallen silent: the exchange fails for this reason, but for a
 * resumable upload, of which what has come is delivered first.
 */
void txn_client_gone(struct txn *t, enum reason why);

/* The latter alone: true if t goes on without its client. */
bool txn_deliver_what_came(struct txn *t, enum reason why);

/* Watch over a body that is being taken in: its total time and its rate. */
void txn_guard_body(struct txn *t);

/* What t->guard_timer calls. */
void txn_guard_fired(struct timer *timer);

/* Become a tunnel: the response is a 101 and has been sent. */
void txn_start_tunnel(struct txn *t);

/* One direction of the tunnel has come to its end. */
void txn_tunnel_half_done(struct txn *t);

/* The hold clock runs while the request is complete (or its client has gone) and no server has
 * it. */
void txn_hold_start(struct txn *t);

/* Stop the hold clock and add up what it has run. */
void txn_hold_stop(struct txn *t);

/* Set up one of the txn's bodies by its policy. */
void txn_init_request_body(struct txn *t);
void txn_init_response_body(struct txn *t);

/*
 * A transaction for the stream of a front conn, in state ROUTE; NULL: no memory. It takes the
 * listener's generation and the client's address.
 */
struct txn *txn_new(struct worker *w, struct stream *front);

/* Free the objects that wait to be used again. */
void txns_reset(struct worker *w);

/* Answer every request that has had no answer yet with 503 (the process ends). */
void txns_refuse(struct worker *w);

/* Break off every transaction (ending the process). */
void txns_end(struct worker *w);

/* One line about t, in its arena, for panics. */
const char *txn_describe(struct txn *t);

#endif

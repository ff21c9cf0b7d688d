/*
 * conn - a wire that speaks one version of HTTP, and the streams on it.
 *
 * A codec (one const struct of functions, for both roles) turns bytes into heads and bodies and
 * back. It calls up only through the conn_ops that the conn's owner passed in; it has never heard
 * of a transaction. A stream is one half of one exchange: it owns no data, it moves bytes between
 * the wire and the two bodies that its owner gives it.
 *
 * Ownership: a conn belongs to its listener or server, a stream to its conn. The owner of a stream
 * (a transaction) lets go of it with release or reset and must not use it afterwards. A conn that
 * is closed is freed at the end of the loop's iteration. Timers: a conn has one for each
 * direction; how long is asked of the owner each time (timeout_ms).
 */
#ifndef HOLDFAST_HTTP_CONN_H
#define HOLDFAST_HTTP_CONN_H

#include "http/fault.h"
#include "http/head.h"
#include "io/addr.h"
#include "io/body.h"
#include "io/wire.h"

struct conn;
struct stream;

enum conn_role { CONN_FRONT, CONN_BACK };

/* What a timer of a conn is for. */
enum conn_wait {
    CONN_WAIT_NONE,
    CONN_WAIT_CONNECT,    /* back: until connected */
    CONN_WAIT_IDLE,       /* between exchanges */
    CONN_WAIT_HEAD,       /* front: a whole head, from its first byte (the first: from accept) */
    CONN_WAIT_READ,       /* between two reads of a body */
    CONN_WAIT_THINK,      /* back: from the request's last byte to the response's first */
    CONN_WAIT_WRITE,      /* between two writes */
    CONN_WAIT_LINGER,     /* the whole of lingering */
};

/* Why a stream has failed. It is told once; the stream is then good for a reply (front) or
 * release. */
enum conn_failure {
    CONN_PEER_CLOSED,  /* the peer ended the connection where more was due */
    CONN_PEER_RESET,   /* the connection broke */
    CONN_TIMED_OUT,    /* conn->failed_wait says which timer */
    CONN_MALFORMED,    /* conn->fault says what */
    CONN_BODY_REFUSED, /* the body that takes the bytes was aborted: body->fault says why */
    CONN_BODY_BROKEN,  /* the body that brings the bytes was aborted: the message is cut */
    CONN_NO_MEMORY,
    CONN_NOT_FAILED,
};

struct stream {
    struct conn *conn;
    void *owner;         /* NULL: nobody; the codec finishes by itself */
    struct arena *arena; /* where heads go; the owner's */
    struct body *in;     /* where received content goes; NULL: it is dropped */
    struct body *out;    /* where content to send comes from; NULL: none */
};

/* The calls up. None may free the conn; all may call down on it. */
struct conn_ops {
    /*
     * Front: a whole head is there and wants an owner. Sets stream->owner and stream->arena. False:
     * no memory; the conn is closed.
     */
    bool (*open)(struct stream *s);
    /* The head of a request, or of a final response. With a fault the head is what could be
     * told. */
    void (*on_head)(struct stream *s, struct head *h, enum http_fault fault);
    /*
     * Back: a 1xx response, which lives no longer than the call. False: stop reading until the codec
     * is told to resume.
     */
    bool (*on_interim)(struct stream *s, struct head *h);
    /* Front: the interim responses that send_interim found no room beside have gone. */
    void (*on_interim_room)(struct stream *s);
    /* All of the body has come (a message without one: never called). */
    void (*on_received)(struct stream *s);
    /* The last byte of our message has been given to the kernel. */
    void (*on_sent)(struct stream *s);
    void (*on_failed)(struct stream *s, enum conn_failure why);
    /*
     * Front, after the whole request: the client has shut its side (is_broken: both sides are
     * gone).
     */
    void (*on_hangup)(struct stream *s, bool is_broken);
    /* Back: connected, and idle. */
    void (*on_connected)(struct conn *c);
    /* Back: the exchange is over and the connection can have another. */
    void (*on_idle)(struct conn *c);
    /*
     * Front: the conn is about to be closed, without an answer, for the PROXY header that it should
     * have begun with. `why` goes behind `PROXY header: `.
     */
    void (*on_bad_proxy)(struct conn *c, const char *why);
    /* The conn is closed: forget it. error: the errno of a connect that failed, else 0. */
    void (*on_closed)(struct conn *c, int error);
    /* How long may this last? UINT32_MAX: for ever. `owner` is the stream's, or NULL. */
    uint32_t (*timeout_ms)(struct conn *c, void *owner, enum conn_wait wait);
};

struct conn {
    struct wire wire;
    const struct codec *codec;
    const struct conn_ops *ops;
    struct bufs *bufs;
    struct pool *pool; /* where this object came from */
    void *owner;       /* its listener or server */
    struct list link;  /* the owner's */
    void *waiter;      /* back: for whom it connects; NULL: nobody */
    int error;         /* errno of the read that found the connection broken; 0: none did */
    uint32_t linger_ms; /* front: see http/h1.h; set by the owner of the last exchange */
    uint64_t linger_bytes;
    uint32_t idle_ms;  /* back: how long it may wait for its next exchange */
    struct task task;
    struct timer in_timer;
    struct timer out_timer;
    struct grave grave;
    struct endpoint peer;    /* front: who sends the requests; back: whose they are, if is_announced */
    bool is_announced;       /* front: peer is who the PROXY header named; back: the server was told */
    unsigned char role;      /* enum conn_role */
    unsigned char in_wait;   /* enum conn_wait: what in_timer times */
    unsigned char out_wait;
    unsigned char failed_wait;
    unsigned char failed_how; /* enum conn_failure */
    unsigned char fault;     /* enum http_fault */
    bool is_closed;
    bool is_draining;  /* close after this exchange, or at once if there is none */
    bool is_last;      /* front: close after this exchange or the next */
    bool is_idle;      /* back: in its server's pool */
    bool is_reused;    /* has served an exchange before this one */
};

struct codec {
    /* Back: take the conn, which is idle, for an exchange. */
    struct stream *(*open)(struct conn *c, void *owner, struct arena *arena);
    /*
     * Back: these bytes go before the first message, in one call with it. False: no memory.
     */
    bool (*announce)(struct conn *c, const void *p, size_t n);
    /*
     * Send a message: its head, and the content of `out` (NULL: no body; else head->has_body). The
     * body is tied to the conn's task as consumer. Nothing is written before the conn's task runs,
     * so that head and body leave in one call. False: the head cannot be written (too large, or a
     * control character in a field); nothing has been sent.
     */
    bool (*send_head)(struct stream *s, const struct head *h, struct body *out);
    /*
     * Front: send an interim response (100 without fields where h is NULL). False: the client has yet
     * to read so many that no more should come before on_interim_room; this one is sent all the same.
     */
    bool (*send_interim)(struct stream *s, const struct head *h);
    /* Back: read on, after on_interim has returned false. */
    void (*resume)(struct stream *s);
    /* Take the body in now; NULL: drop its bytes. The body is tied to the conn's task as
     * producer. */
    void (*receive_into)(struct stream *s, struct body *in);
    /*
     * The exchange is HTTP no more (a 101 has been passed on): what comes goes to `in` until the
     * peer shuts its side, what is in `out` is sent until it is complete; then our side is shut.
     * The codec sets no timers any more. on_received and on_sent tell the ends.
     */
    void (*tunnel)(struct stream *s, struct body *in, struct body *out);
    /*
     * Take back a message whose head has been given to send_head, if no byte of it has left:
     * another may be sent in its place. The body is let go of. False: too late.
     */
    bool (*retract)(struct stream *s);
    /* Send nothing more of the body: the peer has answered without it. */
    void (*stop_sending)(struct stream *s);
    /*
     * The owner is done. What is still to be sent is sent, what still comes is dropped within
     * bounds; then the connection goes on or closes. Both bodies are let go of at once unless they
     * are finished with.
     */
    void (*release)(struct stream *s);
    /* The owner is done and the message must be seen to be broken: close at once. */
    void (*reset)(struct stream *s);
    /* Back: can the peer have had the whole message? False is certain, true is not. */
    bool (*may_be_delivered)(struct stream *s);
    /* Finish the exchange at hand, then close; an idle conn closes at once. */
    void (*drain)(struct conn *c);
    void (*close)(struct conn *c);
};

#endif

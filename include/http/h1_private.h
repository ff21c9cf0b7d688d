/*
 * h1_private - what the parts of the HTTP/1 codec share: h1.c (life and turns), h1_in.c (reading),
 * h1_out.c (writing). Nobody else includes it.
 */
#ifndef HOLDFAST_HTTP_H1_PRIVATE_H
#define HOLDFAST_HTTP_H1_PRIVATE_H

#include "http/chunked.h"
#include "http/framing.h"
#include "http/h1.h"

enum h1_in_state {
    H1_IN_CONNECTING, /* back: not yet connected */
    H1_IN_IDLE,       /* back: no exchange; front: no byte of the next request */
    H1_IN_PROXY,      /* front: some or no bytes of a PROXY header */
    H1_IN_HEAD,       /* some or no bytes of a head */
    H1_IN_BODY,
    H1_IN_DONE,       /* the whole message is in; nothing is read until the exchange is over */
    H1_IN_BROKEN,     /* what comes cannot be understood or is not wanted */
    H1_IN_LINGER,
};

enum h1_out_state {
    H1_OUT_NONE,   /* no message; interim responses may be in the buffer */
    H1_OUT_BODY,   /* head is in the buffer or gone, content is coming */
    H1_OUT_FLUSH,  /* all is in the buffer */
    H1_OUT_DONE,
    H1_OUT_BROKEN, /* a write failed, or sending was stopped; reading goes on */
};

struct h1 {
    struct conn conn;
    struct stream stream;
    struct buf *in;  /* bytes received and not yet understood */
    struct buf *out; /* heads, chunk framing */
    unsigned char in_state;
    unsigned char out_state;
    unsigned char in_kind; /* enum framing_kind */
    unsigned char asked;   /* enum method: of the request that a response answers */
    bool asked_upgrade;    /* the request would change the protocol: 101 is an answer */
    bool has_stream;       /* an exchange is on */
    bool takes_body;       /* receive_into was called */
    bool keep_alive;       /* after this exchange */
    bool client_is_1_0;
    bool awaits_continue; /* the client waits for 100 and may leave its body out */
    bool write_failed; /* conn.error has the errno */
    bool out_is_chunked;
    bool out_ends_with_connection;
    bool chunk_is_last;
    unsigned char hangup_told; /* 0: nothing, 1: its shut side, 2: both sides */
    bool out_began;        /* bytes have gone since the head was written */
    bool out_has_chunk;  /* a chunk has been opened behind the head */
    bool is_tunnel;
    bool interim_waits;    /* front: on_interim_room is due; back: nothing is read until resume */
    bool in_is_paused; /* the body has no room */
    bool in_moved;     /* since the timers were last looked at */
    bool out_moved;
    uint32_t n_interim; /* 1xx responses of this exchange */
    uint32_t n_blank;  /* bytes of empty lines before a request line */
    size_t head_bytes; /* of our message, as written to the buffer */
    size_t head_scanned;
    size_t turn_bytes; /* read in this turn */
    uint64_t in_left;  /* FRAMING_LENGTH: to come; LINGER: still to be dropped */
    uint64_t out_left; /* of the message (length) or of the chunk */
    struct chunked chunked;
};

static inline struct h1 *h1_of(struct conn *c)
{
    return (struct h1 *)c; /* conn is the first member */
}

/* Is so little of the message still to come that dropping it is better than closing? */
static inline bool h1_rest_is_small(const struct h1 *h)
{
    return h->in_state == H1_IN_BODY && h->in_kind == FRAMING_LENGTH &&
           h->in_left <= H1_DROP_TO_KEEP_ALIVE;
}

/* Each returns whether it got anywhere: bytes moved or a state changed. They may close the conn. */
bool h1_receive(struct h1 *h);
bool h1_send(struct h1 *h);

#define H1_TURN_BYTES ((size_t)1 << 20) /* a turn moves about this much before the others get theirs */

/* Start on the next message's head. */
void h1_expect_head(struct h1 *h);

void h1_close(struct h1 *h, int error);

/* The head's time is over: 408 where there is a part of one, else a silent close. */
void h1_head_timed_out(struct h1 *h);

static inline bool h1_has_input(const struct h1 *h)
{
    return h->in != NULL && buf_length(h->in) > 0;
}

/* Tell the owner of the stream, if it has one; without an owner the conn is closed. */
void h1_fail(struct h1 *h, enum conn_failure why);

/* Append to the output buffer. False: no memory or no room. */
bool h1_put(struct h1 *h, const void *p, size_t n);

/* The codec's functions that write (h1_out.c). */
bool h1_send_head(struct stream *s, const struct head *head, struct body *out);
bool h1_send_interim(struct stream *s, const struct head *head);
bool h1_retract(struct stream *s);
void h1_stop_sending(struct stream *s);

/* Send what is in b as it stands, behind what is still buffered, and shut our side at its end. */
void h1_tunnel_out(struct h1 *h, struct body *b);

#endif

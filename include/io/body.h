/*
 * body - the bytes of one message, between the side that brings them and the side that takes them.
 *
 *     producer --write--> [ file: the older bytes ][ memory: the newer bytes ] --read--> consumer
 *
 * The one idea: buffering is only when the consumer is attached, how much may be unread, and what is
 * kept after it was read. Positions count from the first byte of the message.
 *
 * Two tasks tie it to its sides. Neither side is ever called from the other: writing posts the
 * consumer's task, reading posts the producer's when it was told that there is no room.
 *
 * Invariants:  kept_from <= out_bytes <= in_bytes;
 *              file holds [kept_from, kept_from + spool.size_bytes), memory the rest up to in_bytes
 *              (a body in a pipe, or one that is somebody's file, has neither);
 *              keep == KEEP_ALL  =>  kept_from == 0.
 * Limits:      unread bytes up to unread_max_bytes, all bytes up to max_bytes.
 * Elsewhere:   where bytes are framed (http/), what a fault means to the client (proxy/reason.def).
 */
#ifndef HOLDFAST_IO_BODY_H
#define HOLDFAST_IO_BODY_H

#include "io/buf.h"
#include "io/loop.h"
#include "io/spool.h"
#include "io/wire.h"

enum body_keep {
    KEEP_ALL,    /* from byte 0: a replay is a rewind */
    KEEP_WINDOW, /* read bytes stay until their room is needed: byte 0 may still be there */
    KEEP_NOTHING /* read bytes are gone */
};

enum body_state { BODY_OPEN, BODY_COMPLETE, BODY_ABORTED };

enum body_fault {
    BODY_FAULT_NONE,
    BODY_FAULT_TOO_LARGE, /* more than max_bytes */
    BODY_FAULT_SPOOL,     /* the disk or its quota is full, or the disk failed: see error */
    BODY_FAULT_MEMORY,    /* no buffer */
    BODY_FAULT_PRODUCER,  /* the side that brings the bytes broke off */
};

struct body_setup {
    struct loop *loop;
    struct bufs *bufs;
    struct spool_store *store; /* NULL: memory alone, as for KEEP_WINDOW */
    enum body_keep keep;
    uint64_t memory_bytes;     /* up to here there is no file; without a store, the window */
    uint64_t unread_max_bytes; /* the producer waits beyond this; UINT64_MAX: never */
    uint64_t max_bytes;        /* BODY_FAULT_TOO_LARGE beyond this */
};

struct body {
    struct loop *loop;
    struct bufs *bufs;
    struct task *producer; /* posted when there is room again; NULL: none */
    struct task *consumer; /* posted when there is something to read, or the end; NULL: none */
    struct buf *memory;    /* NULL: no bytes in memory */
    struct spool spool;
    int pipe_in;  /* a body in a pipe: where bytes are written; -1: none. Nothing else is used then */
    int pipe_out; /* where they are read */
    int file;          /* a body that is a part of a file: the file; -1: none. Likewise */
    uint64_t file_at;  /* where byte 0 stands in it */
    enum body_keep keep;
    enum body_state state;
    enum body_fault fault;
    int error; /* errno of BODY_FAULT_SPOOL */
    bool producer_waits;
    bool is_eager; /* the producer brings so much at once that splicing is worth it */
    bool has_length;
    unsigned n_fills; /* writes since the memory was last empty: how eager the producer is */
    uint64_t length;  /* declared, if has_length */
    uint64_t memory_bytes;
    uint64_t unread_max_bytes;
    uint64_t max_bytes;
    uint64_t kept_from;
    uint64_t in_bytes;
    uint64_t out_bytes;
    uint64_t spooled_bytes; /* that ever went to the file */
};

/* An empty, open body. Takes a reference to the store. Give up with body_reset. */
void body_init(struct body *b, const struct body_setup *setup);
void body_reset(struct body *b);

/*
 * A body whose bytes lie in a pipe of the kernel and are never looked at (splice(2)). Read bytes
 * are gone. False: there is no pipe to be had; nothing has been set up. Give up with body_reset.
 */
bool body_init_pipe(struct body *b, struct loop *loop, struct bufs *bufs);

static inline bool body_is_pipe(const struct body *b)
{
    return b->pipe_in >= 0;
}

/*
 * A complete body: length_bytes of the file *fd from `at`, which it takes over (*fd becomes -1). It is
 * read as it is sent: bytes that are not there any more by then are missing. Give up with body_reset.
 */
void body_init_file_take(struct body *b, struct loop *loop, struct bufs *bufs, int *fd, uint64_t at,
                         uint64_t length_bytes);

/* The producer has moved n bytes into the pipe; 0: it could not, and waits for the consumer. */
void body_pipe_commit(struct body *b, size_t n);

/*
 * Say how long the body will be. Promises its room on the disk where it will not fit in memory and
 * all of it is to be kept. False: it does not fit (quota, reserve), with errno.
 */
bool body_declare(struct body *b, uint64_t length);

/*
 * Room for the producer: a pointer to *n > 0 bytes to be filled and committed, before anything
 * else is done to the body. NULL: no room now, the producer's task will be posted; or the body is
 * aborted. May write a buffer to the disk. The body must be OPEN.
 */
char *body_space(struct body *b, size_t *n);

/*
 * Would bytes of the wire better go straight to the file? So for a body that is kept, is known to
 * be too long for memory, and whose producer is eager. Then body_splice moves up to `most` of
 * them; the result is the wire's. A disk that fails aborts the body.
 */
bool body_wants_splice(const struct body *b, uint64_t most);
enum wire_result body_splice(struct body *b, struct wire *w, uint64_t most, size_t *got);

/* n bytes of the space have been filled. False: the body was aborted by it (too large). */
bool body_commit(struct body *b, size_t n);

/* Copy up to n bytes in. Returns how many were taken; fewer than n as for body_space. */
size_t body_write(struct body *b, const void *p, size_t n);

/* All bytes have come: COMPLETE. */
void body_finish(struct body *b);

/* No more bytes will come: ABORTED. What is there can still be read. Harmless if it is aborted. */
void body_abort(struct body *b, enum body_fault fault);

/* What the consumer reads next. */
struct body_piece {
    enum body_piece_kind {
        BODY_PIECE_NONE,
        BODY_PIECE_MEMORY,
        BODY_PIECE_FILE,
        BODY_PIECE_PIPE
    } kind;
    const char *p; /* MEMORY */
    int fd;        /* FILE, PIPE */
    uint64_t at;   /* FILE: offset */
    uint64_t n;
};

/* The next unread piece; NONE where nothing is unread. Valid until the body is next changed. */
struct body_piece body_peek(const struct body *b);

/* The consumer has taken n bytes of the piece. */
void body_consume(struct body *b, uint64_t n);

static inline uint64_t body_unread(const struct body *b)
{
    return b->in_bytes - b->out_bytes;
}

/* Has the consumer had everything there will be? */
static inline bool body_is_drained(const struct body *b)
{
    return b->state == BODY_COMPLETE && b->out_bytes == b->in_bytes;
}

/* Go back to byte 0. False where byte 0 is gone. */
bool body_rewind(struct body *b);
bool body_can_rewind(const struct body *b);

/* Nothing will be replayed any more: from here on read bytes are gone, and those already read at
 * once. */
void body_stop_keeping(struct body *b);

/* Tie a side to the body (its task), or cut it (NULL). Attaching posts the task. */
void body_set_consumer(struct body *b, struct task *t);
void body_set_producer(struct body *b, struct task *t);

/* Panic where an invariant is broken. */
void body_check(const struct body *b);

#endif

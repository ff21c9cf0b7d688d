/*
 * buf - pieces of memory for bytes in flight, from a bounded pool.
 *
 * Sizes are powers of two from 16 KiB to 1 MiB. A freed piece of a size is the next one handed
 * out. The pool has a budget for all its pieces together: a growing body that would pass it stays
 * as it is, and a new connection that finds no piece is refused; nothing else is disturbed.
 */
#ifndef HOLDFAST_IO_BUF_H
#define HOLDFAST_IO_BUF_H

#include "base/pool.h"

#include <stdbool.h>
#include <stdint.h>

#define BUF_SIZE_MIN ((size_t)16 << 10)
#define BUF_SIZE_MAX ((size_t)1 << 20)
#define BUF_CLASSES  7

/* Bytes [start, end) of data are content; start <= end <= room. */
struct buf {
    size_t room;
    size_t start;
    size_t end;
    char data[];
};

struct bufs {
    struct pool classes[BUF_CLASSES];
    size_t budget_bytes;
    size_t used_bytes;
};

/* A pool without pieces. Reset frees what is kept; nothing may be in use. */
void bufs_init(struct bufs *bs, size_t budget_bytes);
void bufs_reset(struct bufs *bs);

/* An empty piece of at least `size` bytes (at most BUF_SIZE_MAX); NULL: no memory or no budget. */
struct buf *buf_get(struct bufs *bs, size_t size);

/*
 * The same for what can do without: refuses already when half of the budget is used, so that the
 * other half is there for new connections.
 */
struct buf *buf_get_optional(struct bufs *bs, size_t size);

/* Give a piece back and null the pointer; *b == NULL is allowed. */
void buf_put(struct bufs *bs, struct buf **b);

static inline size_t buf_length(const struct buf *b)
{
    return b->end - b->start;
}

static inline size_t buf_space(const struct buf *b)
{
    return b->room - b->end;
}

static inline char *buf_bytes(struct buf *b)
{
    return b->data + b->start;
}

/* Move the content to the front, so that all space is behind it. */
void buf_compact(struct buf *b);

/* Append n bytes, which must fit. */
void buf_append(struct buf *b, const void *p, size_t n);

#endif

/*
 * buf - pieces of memory for bytes in flight, from a bounded pool.
 */
#include "io/buf.h"

#include "base/panic.h"

#include <string.h>

/* Free pieces that are kept a class: 4 MiB of the small ones, two of the largest. */
static size_t class_max_kept(size_t size)
{
    size_t n = size >= BUF_SIZE_MAX / 2 ? 2 : 4 * BUF_SIZE_MAX / size;

    return n;
}

static size_t class_size(unsigned class)
{
    return BUF_SIZE_MIN << class;
}

static unsigned class_of(size_t size)
{
    unsigned class = 0;

    assert(size <= BUF_SIZE_MAX);
    while (class_size(class) < size)
        class++;
    return class;
}

void bufs_init(struct bufs *bs, size_t budget_bytes)
{
    *bs = (struct bufs){.budget_bytes = budget_bytes};
    for (unsigned class = 0; class < BUF_CLASSES; class ++) {
        size_t size = class_size(class);

        /* The header comes on top: what a class is called is what it holds. */
        pool_init(&bs->classes[class], "buf", sizeof(struct buf) + size, 0, class_max_kept(size));
    }
}

void bufs_reset(struct bufs *bs)
{
    for (unsigned class = 0; class < BUF_CLASSES; class ++)
        pool_reset(&bs->classes[class]);
}

static struct buf *buf_get_within(struct bufs *bs, size_t size, size_t budget)
{
    unsigned class = class_of(size);
    struct buf *b;

    if (bs->used_bytes + class_size(class) > budget)
        return NULL;
    b = pool_get(&bs->classes[class]);
    if (b == NULL)
        return NULL;
    b->room = class_size(class);
    b->start = 0;
    b->end = 0;
    bs->used_bytes += b->room;
    return b;
}

struct buf *buf_get(struct bufs *bs, size_t size)
{
    return buf_get_within(bs, size, bs->budget_bytes);
}

struct buf *buf_get_optional(struct bufs *bs, size_t size)
{
    return buf_get_within(bs, size, bs->budget_bytes / 2);
}

void buf_put(struct bufs *bs, struct buf **b)
{
    if (*b == NULL)
        return;
    bs->used_bytes -= (*b)->room;
    pool_put(&bs->classes[class_of((*b)->room)], *b);
    *b = NULL;
}

void buf_compact(struct buf *b)
{
    size_t n = buf_length(b);

    if (b->start == 0)
        return;
    memmove(b->data, b->data + b->start, n);
    b->start = 0;
    b->end = n;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
    assert(n <= buf_space(b));
    memcpy(b->data + b->end, p, n);
    b->end += n;
}

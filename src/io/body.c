/*
 * body - the bytes of one message, between the side that brings them and the side that takes them.
 */
#include "io/body.h"

#include "base/panic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A producer that fills a buffer in this many writes or fewer gets the next size; see body_grow. */
#define EAGER_FILLS 8
/* One that fills this much in so few writes has its bytes spliced, until as many pieces in a row
 * are below the least: gathering those in memory is cheaper than two calls for each. */
#define SPLICE_FROM_BYTES ((size_t)128 << 10)
#define SPLICE_FILLS      4
#define SPLICE_MIN_BYTES  ((uint64_t)64 << 10)

void body_init(struct body *b, const struct body_setup *setup)
{
    *b = (struct body){
        .loop = setup->loop,
        .bufs = setup->bufs,
        .keep = setup->keep,
        .memory_bytes = setup->memory_bytes,
        .unread_max_bytes = setup->unread_max_bytes,
        .max_bytes = setup->max_bytes,
        .pipe_in = -1,
        .pipe_out = -1,
        .file = -1,
    };
    /* A window has no file: what is read of it is dropped from memory alone. */
    assert(setup->keep != KEEP_WINDOW || setup->store == NULL);
    spool_init(&b->spool, setup->store);
}

bool body_init_pipe(struct body *b, struct loop *loop, struct bufs *bufs)
{
    int ends[2];

    if (getenv("HOLDFAST_NO_SPLICE") != NULL || pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
        return false;
    *b = (struct body){
        .loop = loop,
        .bufs = bufs,
        .keep = KEEP_NOTHING,
        .unread_max_bytes = UINT64_MAX,
        .max_bytes = UINT64_MAX,
        .spool = {.fd = -1},
        .pipe_in = ends[1],
        .pipe_out = ends[0],
        .file = -1,
    };
    return true;
}

void body_init_file_take(struct body *b, struct loop *loop, struct bufs *bufs, int *fd, uint64_t at,
                         uint64_t length_bytes)
{
    *b = (struct body){
        .loop = loop,
        .bufs = bufs,
        .keep = KEEP_NOTHING,
        .state = BODY_COMPLETE,
        .has_length = true,
        .length = length_bytes,
        .in_bytes = length_bytes,
        .unread_max_bytes = UINT64_MAX,
        .max_bytes = UINT64_MAX,
        .spool = {.fd = -1},
        .pipe_in = -1,
        .pipe_out = -1,
        .file = *fd,
        .file_at = at,
    };
    *fd = -1;
}

/* Do its bytes lie where the body only passes them on? */
static bool is_elsewhere(const struct body *b)
{
    return body_is_pipe(b) || b->file >= 0;
}

void body_reset(struct body *b)
{
    if (body_is_pipe(b)) {
        close(b->pipe_in);
        close(b->pipe_out);
        b->pipe_in = -1;
        b->pipe_out = -1;
    }
    if (b->file >= 0)
        close(b->file);
    b->file = -1;
    buf_put(b->bufs, &b->memory);
    spool_reset(&b->spool);
    b->producer = NULL;
    b->consumer = NULL;
}

void body_check(const struct body *b)
{
    uint64_t in_memory = b->memory == NULL ? 0 : buf_length(b->memory);

    assert(b->kept_from <= b->out_bytes && b->out_bytes <= b->in_bytes);
    assert(is_elsewhere(b) ||
           b->kept_from + b->spool.size_bytes + in_memory == b->in_bytes);
    assert(b->keep != KEEP_ALL || b->kept_from == 0);
}

static void post(struct body *b, struct task *t)
{
    if (t != NULL)
        task_post(b->loop, t);
}

bool body_declare(struct body *b, uint64_t length)
{
    b->has_length = true;
    b->length = length;
    if (b->keep != KEEP_ALL || length <= b->memory_bytes)
        return true;
    return spool_admit(&b->spool, length);
}

/* The first position that is in memory. */
static uint64_t memory_from(const struct body *b)
{
    return b->kept_from + b->spool.size_bytes;
}

/* Let go of the bytes in memory that the consumer has had. */
static void drop_read_memory(struct body *b)
{
    uint64_t from = memory_from(b);
    uint64_t n;

    if (b->memory == NULL || b->spool.size_bytes > 0 || b->out_bytes <= from)
        return;
    n = b->out_bytes - from;
    assert(n <= buf_length(b->memory));
    b->memory->start += (size_t)n;
    b->kept_from += n;
    if (buf_length(b->memory) == 0) {
        b->memory->start = 0;
        b->memory->end = 0;
        b->n_fills = 0;
    }
}

/* Let go of the file when the consumer has had all of it. */
static void drop_read_file(struct body *b)
{
    if (b->spool.size_bytes == 0 || b->out_bytes < memory_from(b))
        return;
    b->kept_from += b->spool.size_bytes;
    spool_clear(&b->spool);
}

static void drop_read(struct body *b)
{
    drop_read_file(b);
    drop_read_memory(b);
}

/* The size that the memory may have while no byte is on disk; a window is one buffer at most. */
static size_t memory_size_max(const struct body *b)
{
    return b->memory_bytes < BUF_SIZE_MAX ? (size_t)b->memory_bytes : BUF_SIZE_MAX;
}

/* The first piece is small whatever was declared: a client that declares and does not send costs
 * little. */
static struct buf *first_memory(struct body *b)
{
    b->n_fills = 0;
    b->memory = buf_get(b->bufs, BUF_SIZE_MIN);
    return b->memory;
}

/* Change the full memory for a larger one. False: it is at its largest, or memory is short. */
static bool body_grow(struct body *b, size_t most)
{
    size_t size = b->memory->room * 2;
    struct buf *larger;

    /* Before a file the memory is one class larger rather than too small; a window is never
     * larger. */
    if (size > BUF_SIZE_MAX || (b->spool.store != NULL ? b->memory->room >= most : size > most))
        return false;
    if (b->has_length && b->length > size && b->length <= most)
        size = (size_t)b->length;
    larger = buf_get_optional(b->bufs, size);
    if (larger == NULL)
        return false;
    buf_append(larger, buf_bytes(b->memory), buf_length(b->memory));
    buf_put(b->bufs, &b->memory);
    b->memory = larger;
    return true;
}

/* Write the memory to the file and make it empty. */
static bool body_spill(struct body *b)
{
    size_t n = buf_length(b->memory);

    if (!spool_append(&b->spool, buf_bytes(b->memory), n)) {
        b->error = errno;
        return false;
    }
    b->spooled_bytes += n;
    b->memory->start = 0;
    b->memory->end = 0;
    /* Large writes cost the disk half as much as small ones; but a response may wait for its
     * reader for long, and there may be many such. */
    if (b->keep == KEEP_ALL && b->n_fills <= EAGER_FILLS)
        body_grow(b, BUF_SIZE_MAX);
    b->n_fills = 0;
    return true;
}

static char *no_room(struct body *b)
{
    b->producer_waits = true;
    return NULL;
}

/*
 * The memory is full: find room by the cheapest way that the policy allows. A body of which nothing
 * needs to be kept waits for its consumer when the disk refuses; one that is kept cannot go on.
 */
static bool body_make_room(struct body *b)
{
    if (b->keep == KEEP_WINDOW)
        drop_read_memory(b);
    buf_compact(b->memory);
    if (buf_space(b->memory) > 0)
        return true;
    if (b->spool.size_bytes == 0 && body_grow(b, memory_size_max(b)))
        return true;
    if (b->spool.store == NULL)
        return false;
    if (body_spill(b))
        return true;
    if (b->keep == KEEP_ALL)
        body_abort(b, BODY_FAULT_SPOOL);
    return false;
}

char *body_space(struct body *b, size_t *n)
{
    uint64_t unread = body_unread(b);
    uint64_t allowed;

    assert(b->state == BODY_OPEN);
    b->producer_waits = false;
    if (unread >= b->unread_max_bytes)
        return no_room(b);
    if (b->memory == NULL && first_memory(b) == NULL) {
        body_abort(b, BODY_FAULT_MEMORY);
        return NULL;
    }
    if (buf_space(b->memory) == 0 && !body_make_room(b))
        return b->state == BODY_OPEN ? no_room(b) : NULL;

    allowed = b->unread_max_bytes - unread;
    *n = buf_space(b->memory);
    if (*n > allowed)
        *n = (size_t)allowed;
    return b->memory->data + b->memory->end;
}

bool body_commit(struct body *b, size_t n)
{
    if (n > b->max_bytes - b->in_bytes) {
        body_abort(b, BODY_FAULT_TOO_LARGE);
        return false;
    }
    b->memory->end += n;
    b->in_bytes += n;
    b->n_fills++;
    b->is_eager = buf_space(b->memory) == 0 && b->memory->room >= SPLICE_FROM_BYTES &&
                  b->n_fills <= SPLICE_FILLS;
    post(b, b->consumer);
    return true;
}

void body_pipe_commit(struct body *b, size_t n)
{
    b->producer_waits = n == 0;
    b->in_bytes += n;
    if (n > 0)
        post(b, b->consumer);
}

static size_t pipe_write(struct body *b, const void *p, size_t n)
{
    ssize_t wrote = write(b->pipe_in, p, n);
    size_t taken = wrote > 0 ? (size_t)wrote : 0;

    body_pipe_commit(b, taken);
    if (taken < n)
        b->producer_waits = true;
    return taken;
}

bool body_wants_splice(const struct body *b, uint64_t most)
{
    return b->is_eager && b->keep == KEEP_ALL && b->has_length && b->length > b->memory_bytes &&
           b->length <= b->max_bytes && b->spool.store != NULL && b->state == BODY_OPEN &&
           most >= SPLICE_MIN_BYTES &&
           spool_pipe((struct spool *)(uintptr_t)&b->spool) >= 0;
}

enum wire_result body_splice(struct body *b, struct wire *w, uint64_t most, size_t *got)
{
    enum wire_result r;

    *got = 0;
    if (b->memory != NULL && buf_length(b->memory) > 0 && !body_spill(b)) {
        body_abort(b, BODY_FAULT_SPOOL);
        return WIRE_AGAIN;
    }
    buf_put(b->bufs, &b->memory);
    r = wire_splice_in(w, spool_pipe(&b->spool), most < BUF_SIZE_MAX ? (size_t)most : BUF_SIZE_MAX,
                       true, got);
    if (r != WIRE_OK)
        return r;
    if (!spool_append_pipe(&b->spool, *got)) {
        b->error = errno;
        body_abort(b, BODY_FAULT_SPOOL);
        return WIRE_OK;
    }
    b->n_fills = *got >= SPLICE_MIN_BYTES ? 0 : b->n_fills + 1;
    b->is_eager = b->n_fills <= SPLICE_FILLS;
    b->in_bytes += *got;
    b->spooled_bytes += *got;
    post(b, b->consumer);
    return WIRE_OK;
}

size_t body_write(struct body *b, const void *p, size_t n)
{
    size_t taken = 0;

    if (body_is_pipe(b))
        return pipe_write(b, p, n);
    while (taken < n && b->state == BODY_OPEN) {
        size_t room;
        char *space = body_space(b, &room);

        if (space == NULL)
            break;
        if (room > n - taken)
            room = n - taken;
        memcpy(space, (const char *)p + taken, room);
        if (!body_commit(b, room))
            break;
        taken += room;
    }
    return taken;
}

void body_finish(struct body *b)
{
    assert(b->state == BODY_OPEN);
    b->state = BODY_COMPLETE;
    /* A body that waits for a server or a slow reader needs no memory beside its file. */
    if (b->spool.size_bytes > 0 && b->memory != NULL) {
        if (buf_length(b->memory) == 0 || body_spill(b))
            buf_put(b->bufs, &b->memory);
    }
    spool_settle(&b->spool);
    post(b, b->consumer);
}

void body_abort(struct body *b, enum body_fault fault)
{
    if (b->state == BODY_ABORTED)
        return;
    b->state = BODY_ABORTED;
    b->fault = fault;
    post(b, b->consumer);
}

struct body_piece body_peek(const struct body *b)
{
    uint64_t from = memory_from(b);

    if (b->out_bytes == b->in_bytes)
        return (struct body_piece){.kind = BODY_PIECE_NONE};
    if (body_is_pipe(b))
        return (struct body_piece){
            .kind = BODY_PIECE_PIPE,
            .fd = b->pipe_out,
            .n = b->in_bytes - b->out_bytes,
        };
    if (b->file >= 0)
        return (struct body_piece){
            .kind = BODY_PIECE_FILE,
            .fd = b->file,
            .at = b->file_at + b->out_bytes,
            .n = b->in_bytes - b->out_bytes,
        };
    if (b->out_bytes < from)
        return (struct body_piece){
            .kind = BODY_PIECE_FILE,
            .fd = b->spool.fd,
            .at = b->out_bytes - b->kept_from,
            .n = from - b->out_bytes,
        };
    return (struct body_piece){
        .kind = BODY_PIECE_MEMORY,
        .p = buf_bytes(b->memory) + (b->out_bytes - from),
        .n = b->in_bytes - b->out_bytes,
    };
}

/* Wake a waiting producer when there is room worth a read, not for every byte. */
static void body_wake_producer(struct body *b)
{
    uint64_t unread = body_unread(b);

    if (!b->producer_waits || b->state != BODY_OPEN)
        return;
    if (unread > 0 && unread > b->unread_max_bytes / 2)
        return;
    b->producer_waits = false;
    post(b, b->producer);
}

void body_consume(struct body *b, uint64_t n)
{
    assert(n <= body_unread(b));
    b->out_bytes += n;
    if (is_elsewhere(b)) {
        b->kept_from = b->out_bytes;
    } else if (b->keep == KEEP_NOTHING) {
        drop_read(b);
        if (b->out_bytes == b->in_bytes)
            buf_put(b->bufs, &b->memory);
    }
    body_wake_producer(b);
}

bool body_can_rewind(const struct body *b)
{
    return b->kept_from == 0;
}

bool body_rewind(struct body *b)
{
    if (!body_can_rewind(b))
        return false;
    b->out_bytes = 0;
    return true;
}

void body_stop_keeping(struct body *b)
{
    assert(!is_elsewhere(b));
    b->keep = KEEP_NOTHING;
    drop_read(b);
    if (b->out_bytes == b->in_bytes)
        buf_put(b->bufs, &b->memory);
    body_wake_producer(b);
}

void body_set_consumer(struct body *b, struct task *t)
{
    b->consumer = t;
    post(b, t);
}

void body_set_producer(struct body *b, struct task *t)
{
    b->producer = t;
    post(b, t);
}

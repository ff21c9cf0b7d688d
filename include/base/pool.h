/*
 * pool - objects of one size, used again and again.
 *
 * A freed object goes to the front of a list and is the next one handed out, so it is warm in the
 * cache. Each pool has a bound on objects in use (the answer to "how many can a peer make us
 * hold?") and one on free objects that it keeps.
 */
#ifndef HOLDFAST_BASE_POOL_H
#define HOLDFAST_BASE_POOL_H

#include <stddef.h>

struct pool_item;

struct pool {
    const char *name;
    size_t object_bytes;
    size_t max_used; /* 0: no bound */
    size_t max_kept;
    size_t n_used;
    size_t n_kept;
    struct pool_item *kept;
};

/* Set up an empty pool. `name` is for reports and is not copied. Nothing is allocated. */
void pool_init(struct pool *p, const char *name, size_t object_bytes, size_t max_used,
               size_t max_kept);

/* Free all kept objects. No object may be in use. */
void pool_reset(struct pool *p);

/* An object, not initialised; NULL when memory or max_used is exhausted. Give back with
 * pool_put. */
void *pool_get(struct pool *p);

/* Take back an object of this pool; NULL is allowed. */
void pool_put(struct pool *p, void *object);

/*
 * malloc(3) and free(3) for the few things of varying size whose life is not an arena's: buffers
 * and tables that grow. They stand here so that every allocation of the program is in base/.
 * memory_resize behaves as realloc(3).
 */
void *memory_get(size_t n);
void *memory_resize(void *p, size_t n);
void memory_put(void *p);

/*
 * Give back to the system what has been freed (malloc_trim(3)), after something large and rare: the
 * allocator keeps it else. Costs milliseconds.
 */
void memory_trim(void);

/*
 * One heap for all threads (mallopt(3), M_ARENA_MAX), before there are any. malloc(3) would give each
 * its own, which keeps memory that nobody else can use, and looks up in /proc/sys/vm whether it may
 * shrink. The price is a lock that two threads can meet at.
 */
void memory_share(void);

#endif

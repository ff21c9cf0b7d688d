/*
 * arena - memory that is freed all at once.
 *
 * Allocation moves a pointer; there is no free of a part. A generation of the configuration is one
 * arena, a transaction another (reset and used again, so that a request costs no malloc).
 *
 * Invariants:  used <= size in every block; blocks beyond the first exist only while in use.
 * Budget:      limit_bytes bounds what one arena may take; an allocation beyond it gives NULL.
 */
#ifndef HOLDFAST_BASE_ARENA_H
#define HOLDFAST_BASE_ARENA_H

#include "base/str.h"

#include <stdarg.h>

struct arena;

/*
 * Make an arena that takes memory in blocks of block_bytes (more for a larger allocation) and never
 * more than limit_bytes in all (0: no limit). Returns NULL without memory. Free with arena_free.
 */
struct arena *arena_new(size_t block_bytes, size_t limit_bytes);

/* Free the arena and all that was allocated in it. NULL is allowed. */
void arena_free(struct arena *a);

/* Forget all allocations, keep the first block. What was allocated must not be used again. */
void arena_reset(struct arena *a);

/*
 * n bytes, aligned for any type, not initialised. Lives until reset or free. Returns NULL when
 * memory or the limit is exhausted. n may be 0.
 */
void *arena_alloc(struct arena *a, size_t n);

/* As arena_alloc, zeroed; count * size is checked for overflow (NULL). */
void *arena_zalloc(struct arena *a, size_t count, size_t size);

/* n bytes without alignment, for text. */
char *arena_text(struct arena *a, size_t n);

/* A copy of s in the arena, terminated by a NUL that is not counted. p == NULL: no memory. */
struct str arena_str(struct arena *a, struct str s);

/* Format into the arena, as printf(3); terminated by a NUL that is not counted. p == NULL: no
 * memory. */
struct str arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *a, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* A point to go back to: what was allocated after it is forgotten, as by a reset. */
struct arena_mark {
    void *block;
    size_t used;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark mark);

/* Bytes taken from the system. */
size_t arena_bytes(const struct arena *a);

#endif

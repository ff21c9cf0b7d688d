/*
 * store - memory of one load that never says no.
 *
 * A compiler asks for memory at a few hundred places, none of which could do better than give up.
 * So running out leaves from the place where it happens straight to config_load (longjmp), which
 * reports it and frees the arenas: all that a load makes lies in one of them.
 */
#ifndef HOLDFAST_CONF_STORE_H
#define HOLDFAST_CONF_STORE_H

#include "base/arena.h"

#include <setjmp.h>

struct store {
    struct arena *arena;
    jmp_buf *no_memory;
};

/* count * size bytes, zeroed, aligned for any type. Never NULL. */
void *store_zalloc(struct store *s, size_t count, size_t size);

/* One zeroed struct of a type. */
#define store_new(s, type) ((type *)store_zalloc((s), 1, sizeof(type)))

/* A copy of text, terminated by a NUL that is not counted. */
struct str store_str(struct store *s, struct str text);

/* Format, as printf(3); terminated likewise. */
struct str store_printf(struct store *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A copy of n elements of `size` bytes in an array with room for `room`; for tables that grow. */
void *store_grow(struct store *s, const void *old, size_t n, size_t room, size_t size);

/* Leave for config_load: memory is out. */
_Noreturn void store_fail(struct store *s);

#endif

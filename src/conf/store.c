/*
 * store - memory of one load that never says no.
 */
#include "conf/store.h"

#include "base/panic.h"

_Noreturn void store_fail(struct store *s)
{
    longjmp(*s->no_memory, 1);
}

void *store_zalloc(struct store *s, size_t count, size_t size)
{
    void *p = arena_zalloc(s->arena, count, size);

    if (p == NULL)
        store_fail(s);
    return p;
}

struct str store_str(struct store *s, struct str text)
{
    struct str copy = arena_str(s->arena, text);

    if (copy.p == NULL)
        store_fail(s);
    return copy;
}

struct str store_printf(struct store *s, const char *format, ...)
{
    va_list args;
    struct str text;

    va_start(args, format);
    text = arena_vprintf(s->arena, format, args);
    va_end(args);
    if (text.p == NULL)
        store_fail(s);
    return text;
}

void *store_grow(struct store *s, const void *old, size_t n, size_t room, size_t size)
{
    void *larger = store_zalloc(s, room, size);

    assert(n <= room);
    if (n > 0)
        memcpy(larger, old, n * size);
    return larger;
}

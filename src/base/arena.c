/*
 * arena - memory that is freed all at once.
 *
 * Blocks form a list, newest first; the oldest is part of the arena's own allocation and survives
 * a reset.
 */
#include "base/arena.h"

#include "base/panic.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

struct block {
    struct block *older;
    size_t size; /* room behind this header */
    size_t used;
};

struct arena {
    struct block *newest;
    size_t block_bytes;
    size_t limit_bytes;
    size_t total_bytes;
    struct block first; /* its room follows the struct */
};

#define ARENA_ALIGN alignof(max_align_t)

static char *block_room(struct block *b)
{
    return (char *)(b + 1);
}

struct arena *arena_new(size_t block_bytes, size_t limit_bytes)
{
    struct arena *a = malloc(sizeof(*a) + block_bytes);

    if (a == NULL)
        return NULL;
    *a = (struct arena){
        .newest = &a->first,
        .block_bytes = block_bytes,
        .limit_bytes = limit_bytes,
        .total_bytes = sizeof(*a) + block_bytes,
        .first = {.size = block_bytes},
    };
    return a;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){a->newest, a->newest->used};
}

void arena_rewind(struct arena *a, struct arena_mark mark)
{
    while (a->newest != mark.block) {
        struct block *b = a->newest;

        assert(b != &a->first);
        a->newest = b->older;
        a->total_bytes -= sizeof(*b) + b->size;
        free(b);
    }
    assert(mark.used <= a->newest->used);
    a->newest->used = mark.used;
}

void arena_reset(struct arena *a)
{
    arena_rewind(a, (struct arena_mark){&a->first, 0});
}

void arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    arena_reset(a);
    free(a);
}

static struct block *arena_grow(struct arena *a, size_t n)
{
    size_t size = n > a->block_bytes ? n : a->block_bytes;
    struct block *b;

    if (size > SIZE_MAX / 2)
        return NULL;
    if (a->limit_bytes != 0 && a->total_bytes + sizeof(*b) + size > a->limit_bytes)
        return NULL;
    b = malloc(sizeof(*b) + size);
    if (b == NULL)
        return NULL;
    *b = (struct block){.older = a->newest, .size = size};
    a->newest = b;
    a->total_bytes += sizeof(*b) + size;
    return b;
}

static void *arena_take(struct arena *a, size_t n, size_t align)
{
    struct block *b = a->newest;
    size_t pad = (size_t)(-(uintptr_t)(block_room(b) + b->used)) & (align - 1);
    char *p;

    if (n > b->size - b->used || pad > b->size - b->used - n) {
        if (n > SIZE_MAX - align)
            return NULL;
        b = arena_grow(a, n + align);
        if (b == NULL)
            return NULL;
        pad = (size_t)(-(uintptr_t)block_room(b)) & (align - 1);
    }
    p = block_room(b) + b->used + pad;
    b->used += pad + n;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    return arena_take(a, n, ARENA_ALIGN);
}

void *arena_zalloc(struct arena *a, size_t count, size_t size)
{
    void *p;

    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    p = arena_alloc(a, count * size);
    if (p != NULL)
        memset(p, 0, count * size);
    return p;
}

char *arena_text(struct arena *a, size_t n)
{
    return arena_take(a, n, 1);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_text(a, s.n + 1);

    if (p == NULL)
        return STR_EMPTY;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct str){p, s.n};
}

struct str arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;
    int n;
    char *p;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert(n >= 0);
    p = arena_text(a, (size_t)n + 1);
    if (p == NULL)
        return STR_EMPTY;
    vsnprintf(p, (size_t)n + 1, format, args);
    return (struct str){p, (size_t)n};
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    struct str s;

    va_start(args, format);
    s = arena_vprintf(a, format, args);
    va_end(args);
    return s;
}

size_t arena_bytes(const struct arena *a)
{
    return a->total_bytes;
}

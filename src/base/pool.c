/*
 * pool - objects of one size, used again and again.
 */
#include "base/pool.h"

#include "base/panic.h"

#include <malloc.h>
#include <stdlib.h>

struct pool_item {
    struct pool_item *next;
};

void pool_init(struct pool *p, const char *name, size_t object_bytes, size_t max_used,
               size_t max_kept)
{
    assert(object_bytes >= sizeof(struct pool_item));
    *p = (struct pool){
        .name = name,
        .object_bytes = object_bytes,
        .max_used = max_used,
        .max_kept = max_kept,
    };
}

void pool_reset(struct pool *p)
{
    assert_about(p->n_used == 0, p->name);
    while (p->kept != NULL) {
        struct pool_item *item = p->kept;

        p->kept = item->next;
        free(item);
    }
    p->n_kept = 0;
}

void *pool_get(struct pool *p)
{
    struct pool_item *item = p->kept;

    if (p->max_used != 0 && p->n_used >= p->max_used)
        return NULL;
    if (item != NULL) {
        p->kept = item->next;
        p->n_kept--;
    } else {
        item = malloc(p->object_bytes);
        if (item == NULL)
            return NULL;
    }
    p->n_used++;
    return item;
}

void pool_put(struct pool *p, void *object)
{
    struct pool_item *item = object;

    if (item == NULL)
        return;
    assert_about(p->n_used > 0, p->name);
    p->n_used--;
    if (p->n_kept >= p->max_kept) {
        free(item);
        return;
    }
    item->next = p->kept;
    p->kept = item;
    p->n_kept++;
}

void *memory_get(size_t n)
{
    return malloc(n);
}

void *memory_resize(void *p, size_t n)
{
    return realloc(p, n);
}

void memory_put(void *p)
{
    free(p);
}

void memory_share(void)
{
    mallopt(M_ARENA_MAX, 1);
}

void memory_trim(void)
{
    malloc_trim(0);
}

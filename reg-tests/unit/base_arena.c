/*
 * base_arena - alignment, limits, reset, and sizes that would wrap.
 */
#include "base/arena.h"

#include "unit.h"

#include <stdalign.h>

static bool is_aligned(const void *p)
{
    return ((uintptr_t)p & (alignof(max_align_t) - 1)) == 0;
}

static void what_is_allocated_is_aligned_and_apart(void)
{
    struct arena *a = arena_new(100, 0);
    char *last = NULL;

    for (size_t n = 0; n < 300; n++) {
        char *text = arena_text(a, 1);
        char *p = arena_alloc(a, n);

        CU_ASSERT(text != NULL && p != NULL && is_aligned(p));
        *text = 't';
        memset(p, 'a', n);
        CU_ASSERT(last == NULL || *last == 't');
        last = text;
    }
    arena_free(a);
}

static void text_is_packed(void)
{
    struct arena *a = arena_new(64, 0);
    char *first = arena_text(a, 3);
    char *second = arena_text(a, 3);

    CU_ASSERT_PTR_EQUAL(second, first + 3);
    arena_free(a);
}

static void limit_is_never_passed(void)
{
    struct arena *a = arena_new(256, 4096);
    size_t n = 0;

    while (arena_alloc(a, 100) != NULL) {
        CU_ASSERT(arena_bytes(a) <= 4096);
        n++;
        if (n > 41)
            break;
    }
    CU_ASSERT(n >= 20 && n <= 40);
    CU_ASSERT_PTR_NULL(arena_alloc(a, 4096));
    CU_ASSERT(arena_bytes(a) <= 4096);
    arena_reset(a);
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(a, 1000));
    arena_free(a);
}

static void failure_leaves_the_arena_usable(void)
{
    struct arena *a = arena_new(256, 1024);

    CU_ASSERT_PTR_NULL(arena_alloc(a, 1 << 20));
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(a, 64));
    CU_ASSERT_PTR_NULL(arena_printf(a, "%2000d", 1).p);
    CU_ASSERT_PTR_NOT_NULL(arena_printf(a, "%d", 1).p);
    arena_free(a);
}

static void sizes_that_would_wrap_are_refused(void)
{
    struct arena *a = arena_new(64, 0);
    struct arena *bounded = arena_new(64, 4096);

    for (size_t i = 0; i < 40; i++) {
        CU_ASSERT_PTR_NULL(arena_alloc(a, SIZE_MAX - i));
        CU_ASSERT_PTR_NULL(arena_text(a, SIZE_MAX - i));
        CU_ASSERT_PTR_NULL(arena_alloc(bounded, SIZE_MAX - i));
        CU_ASSERT_PTR_NULL(arena_alloc(bounded, SIZE_MAX / 2 - i));
    }
    CU_ASSERT_PTR_NULL(arena_zalloc(a, SIZE_MAX / 2, 3));
    CU_ASSERT_PTR_NULL(arena_zalloc(a, (SIZE_MAX >> 4) + 2, 16));
    CU_ASSERT_PTR_NOT_NULL(arena_zalloc(a, SIZE_MAX, 0));
    arena_free(a);
    arena_free(bounded);
}

static void reset_gives_the_blocks_back(void)
{
    struct arena *a = arena_new(128, 0);
    size_t fresh = arena_bytes(a);
    const char *first = arena_alloc(a, 16);

    for (size_t i = 0; i < 50; i++)
        arena_alloc(a, 100 * i);
    CU_ASSERT(arena_bytes(a) > fresh);
    arena_reset(a);
    CU_ASSERT_EQUAL(arena_bytes(a), fresh);
    CU_ASSERT_PTR_EQUAL(arena_alloc(a, 16), first);
    arena_free(a);
    arena_free(NULL);
}

static void zalloc_zeroes_what_was_used_before(void)
{
    struct arena *a = arena_new(512, 0);
    unsigned char *p = arena_alloc(a, 200);
    bool is_zero = true;

    memset(p, 0xff, 200);
    arena_reset(a);
    p = arena_zalloc(a, 20, 10);
    for (size_t i = 0; i < 200; i++)
        is_zero &= p[i] == 0;
    CU_ASSERT(is_zero);
    arena_free(a);
}

static void texts_are_terminated_copies(void)
{
    struct arena *a = arena_new(32, 0);
    char source[] = "a\0b";
    struct str s = arena_str(a, (struct str){source, 3});
    struct str empty = arena_str(a, STR_EMPTY);
    struct str long_one = arena_printf(a, "%s-%0100d", "x", 7);

    source[0] = 'z';
    CU_ASSERT(str_eq(s, STR("a\0b")));
    CU_ASSERT_EQUAL(s.p[3], '\0');
    CU_ASSERT(empty.p != NULL && empty.n == 0 && empty.p[0] == '\0');
    CU_ASSERT_EQUAL(long_one.n, 102);
    CU_ASSERT_EQUAL(long_one.p[101], '7');
    CU_ASSERT_EQUAL(long_one.p[102], '\0');
    arena_free(a);
}

UNIT_SUITE(base_arena)
{
    UNIT_TEST(what_is_allocated_is_aligned_and_apart);
    UNIT_TEST(text_is_packed);
    UNIT_TEST(limit_is_never_passed);
    UNIT_TEST(failure_leaves_the_arena_usable);
    UNIT_TEST(sizes_that_would_wrap_are_refused);
    UNIT_TEST(reset_gives_the_blocks_back);
    UNIT_TEST(zalloc_zeroes_what_was_used_before);
    UNIT_TEST(texts_are_terminated_copies);
}

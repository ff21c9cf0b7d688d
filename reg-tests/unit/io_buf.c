/*
 * io_buf - classes, the budget, and its half for what can do without.
 */
#include "io/buf.h"

#include "unit.h"

#include <string.h>

#define KIB ((size_t)1024)

static void sizes_are_rounded_up_to_a_class(void)
{
    static const struct {
        size_t asked;
        size_t room;
    } rows[] = {
        {0, 16 * KIB},         {1, 16 * KIB},          {16 * KIB, 16 * KIB},
        {16 * KIB + 1, 32 * KIB}, {33 * KIB, 64 * KIB}, {100 * KIB, 128 * KIB},
        {129 * KIB, 256 * KIB}, {500 * KIB, 512 * KIB}, {BUF_SIZE_MAX, BUF_SIZE_MAX},
    };
    struct bufs bs;

    bufs_init(&bs, 8 << 20);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf *b = buf_get(&bs, rows[i].asked);

        CU_ASSERT_PTR_NOT_NULL_FATAL(b);
        CU_ASSERT_EQUAL(b->room, rows[i].room);
        CU_ASSERT_EQUAL(bs.used_bytes, rows[i].room);
        CU_ASSERT(buf_length(b) == 0 && buf_space(b) == rows[i].room);
        memset(b->data, 'x', b->room); /* all of it is ours: the sanitizer looks */
        buf_put(&bs, &b);
        CU_ASSERT_PTR_NULL(b);
        buf_put(&bs, &b);
        CU_ASSERT_EQUAL(bs.used_bytes, 0);
    }
    bufs_reset(&bs);
}

static void budget_is_never_passed(void)
{
    struct buf *some[5] = {NULL};
    struct bufs bs;

    bufs_init(&bs, 64 * KIB);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_PTR_NOT_NULL(some[i] = buf_get(&bs, 1));
    CU_ASSERT_PTR_NULL(buf_get(&bs, 1));
    buf_put(&bs, &some[0]);
    CU_ASSERT_PTR_NULL(buf_get(&bs, 17 * KIB));
    CU_ASSERT_PTR_NOT_NULL(some[0] = buf_get(&bs, 1));
    for (size_t i = 0; i < 4; i++)
        buf_put(&bs, &some[i]);
    CU_ASSERT_PTR_NOT_NULL(some[0] = buf_get(&bs, 64 * KIB));
    CU_ASSERT_PTR_NULL(buf_get(&bs, 1));
    buf_put(&bs, &some[0]);
    bufs_reset(&bs);
}

static void half_is_left_for_those_who_need_it(void)
{
    struct buf *a;
    struct buf *b;
    struct bufs bs;

    bufs_init(&bs, 64 * KIB);
    CU_ASSERT_PTR_NULL(buf_get_optional(&bs, 33 * KIB));
    a = buf_get_optional(&bs, 32 * KIB);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    CU_ASSERT_PTR_NULL(buf_get_optional(&bs, 1));
    b = buf_get(&bs, 32 * KIB);
    CU_ASSERT_PTR_NOT_NULL(b);
    buf_put(&bs, &a);
    CU_ASSERT_PTR_NULL(buf_get_optional(&bs, 1));
    buf_put(&bs, &b);
    bufs_reset(&bs);
}

static void freed_piece_is_the_next(void)
{
    struct bufs bs;
    struct buf *b;
    const struct buf *was;

    bufs_init(&bs, 1 << 20);
    was = b = buf_get(&bs, 1);
    b->start = 3;
    b->end = 9;
    buf_put(&bs, &b);
    b = buf_get(&bs, 1);
    CU_ASSERT_PTR_EQUAL(b, was);
    CU_ASSERT(b->start == 0 && b->end == 0);
    buf_put(&bs, &b);
    bufs_reset(&bs);
    CU_ASSERT_EQUAL(bs.used_bytes, 0);
}

static void content_moves_to_the_front(void)
{
    struct bufs bs;
    struct buf *b;

    bufs_init(&bs, 1 << 20);
    b = buf_get(&bs, 1);
    buf_append(b, "0123456789", 10);
    b->start += 4;
    buf_compact(b);
    CU_ASSERT(b->start == 0 && buf_length(b) == 6 && buf_space(b) == b->room - 6);
    CU_ASSERT_EQUAL(memcmp(buf_bytes(b), "456789", 6), 0);
    b->start = b->end;
    buf_compact(b);
    CU_ASSERT(b->start == 0 && b->end == 0);
    while (buf_space(b) > 0)
        buf_append(b, "x", 1);
    CU_ASSERT_EQUAL(buf_length(b), BUF_SIZE_MIN);
    buf_put(&bs, &b);
    bufs_reset(&bs);
}

UNIT_SUITE(io_buf)
{
    UNIT_TEST(sizes_are_rounded_up_to_a_class);
    UNIT_TEST(budget_is_never_passed);
    UNIT_TEST(half_is_left_for_those_who_need_it);
    UNIT_TEST(freed_piece_is_the_next);
    UNIT_TEST(content_moves_to_the_front);
}

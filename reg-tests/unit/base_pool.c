/*
 * base_pool - bounds on what is used and what is kept, and use again.
 */
#include "base/pool.h"

#include "unit.h"

static void last_freed_is_first_used(void)
{
    struct pool p;
    void *a;
    void *b;

    pool_init(&p, "test", 64, 0, 8);
    a = pool_get(&p);
    b = pool_get(&p);
    CU_ASSERT(a != NULL && b != NULL && a != b);
    pool_put(&p, a);
    pool_put(&p, b);
    CU_ASSERT_PTR_EQUAL(pool_get(&p), b);
    CU_ASSERT_PTR_EQUAL(pool_get(&p), a);
    pool_put(&p, a);
    pool_put(&p, b);
    pool_reset(&p);
}

static void used_objects_are_bounded(void)
{
    void *objects[3];
    struct pool p;

    pool_init(&p, "test", 16, 3, 1);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_PTR_NOT_NULL(objects[i] = pool_get(&p));
    CU_ASSERT_PTR_NULL(pool_get(&p));
    CU_ASSERT_EQUAL(p.n_used, 3);
    pool_put(&p, objects[0]);
    CU_ASSERT_PTR_NOT_NULL(objects[0] = pool_get(&p));
    CU_ASSERT_PTR_NULL(pool_get(&p));
    for (size_t i = 0; i < 3; i++)
        pool_put(&p, objects[i]);
    CU_ASSERT_EQUAL(p.n_used, 0);
    CU_ASSERT_EQUAL(p.n_kept, 1);
    pool_reset(&p);
    CU_ASSERT_EQUAL(p.n_kept, 0);
}

static void nothing_is_kept_where_nothing_may_be(void)
{
    struct pool p;

    pool_init(&p, "test", sizeof(void *), 0, 0);
    pool_put(&p, pool_get(&p));
    pool_put(&p, NULL);
    CU_ASSERT_EQUAL(p.n_kept, 0);
    CU_ASSERT_EQUAL(p.n_used, 0);
    pool_reset(&p);
}

static void pool_can_be_used_after_a_reset(void)
{
    struct pool p;

    pool_init(&p, "test", 32, 0, 4);
    pool_put(&p, pool_get(&p));
    pool_reset(&p);
    pool_put(&p, pool_get(&p));
    CU_ASSERT_EQUAL(p.n_kept, 1);
    pool_reset(&p);
}

UNIT_SUITE(base_pool)
{
    UNIT_TEST(last_freed_is_first_used);
    UNIT_TEST(used_objects_are_bounded);
    UNIT_TEST(nothing_is_kept_where_nothing_may_be);
    UNIT_TEST(pool_can_be_used_after_a_reset);
}

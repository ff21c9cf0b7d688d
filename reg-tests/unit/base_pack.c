/*
 * base_pack - numbers and texts as bytes and back, and bytes that are cut short.
 */
#include "base/pack.h"

#include "unit.h"

static void what_was_packed_comes_out(void)
{
    struct pack p;
    struct unpack u;
    char large[10000];

    memset(large, 'x', sizeof(large));
    pack_init(&p);
    pack_u64(&p, 0);
    pack_str(&p, STR("a\0b"));
    pack_u64(&p, UINT64_MAX);
    pack_str(&p, STR_EMPTY);
    pack_str(&p, (struct str){large, sizeof(large)});
    CU_ASSERT(!p.has_failed);
    unpack_init(&u, (struct str){p.bytes, p.n});
    CU_ASSERT_EQUAL(unpack_u64(&u), 0);
    CU_ASSERT(str_eq(unpack_str(&u), STR("a\0b")));
    CU_ASSERT_EQUAL(unpack_u64(&u), UINT64_MAX);
    CU_ASSERT_EQUAL(unpack_str(&u).n, 0);
    CU_ASSERT(str_eq(unpack_str(&u), (struct str){large, sizeof(large)}));
    CU_ASSERT(!u.has_failed);
    CU_ASSERT_EQUAL(u.rest.n, 0);
    pack_reset(&p);
}

static void texts_are_terminated(void)
{
    struct pack p;
    struct unpack u;

    pack_init(&p);
    pack_str(&p, STR("name"));
    pack_str(&p, STR(""));
    unpack_init(&u, (struct str){p.bytes, p.n});
    CU_ASSERT_STRING_EQUAL(unpack_str(&u).p, "name");
    CU_ASSERT_STRING_EQUAL(unpack_str(&u).p, "");
    pack_reset(&p);
}

static void what_is_cut_short_is_noticed(void)
{
    struct pack p;

    pack_init(&p);
    pack_u64(&p, 7);
    pack_str(&p, STR("name"));
    for (size_t n = 0; n < p.n; n++) {
        struct unpack u;

        unpack_init(&u, (struct str){p.bytes, n});
        unpack_u64(&u);
        CU_ASSERT_EQUAL(unpack_str(&u).n, 0);
        CU_ASSERT(u.has_failed);
        CU_ASSERT_EQUAL(unpack_u64(&u), 0);
    }
    pack_reset(&p);
}

UNIT_SUITE(base_pack)
{
    UNIT_TEST(what_was_packed_comes_out);
    UNIT_TEST(texts_are_terminated);
    UNIT_TEST(what_is_cut_short_is_noticed);
}

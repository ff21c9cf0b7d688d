/*
 * base_pack - numbers and texts as bytes and back, and bytes that are cut short.
 */
#include "base/pack.h"

#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

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

static void a_file_gives_back_what_was_written(void)
{
    int fd = memfd_create("pack", 0);
    struct pack written;
    struct pack read;
    struct unpack u;

    pack_init(&written);
    pack_init(&read);
    for (uint64_t i = 0; i < 10000; i++)
        pack_u64(&written, i);
    pack_str(&written, STR("the end"));
    CU_ASSERT(pack_write(&written, fd));
    CU_ASSERT(pack_read(&read, fd)); /* the offset is at the end */
    CU_ASSERT_EQUAL(read.n, written.n);
    unpack_init(&u, (struct str){read.bytes, read.n});
    for (uint64_t i = 0; i < 10000; i++)
        CU_ASSERT_EQUAL_FATAL(unpack_u64(&u), i);
    CU_ASSERT(str_eq(unpack_str(&u), STR("the end")));
    pack_reset(&written);
    pack_reset(&read);
    close(fd);
    CU_ASSERT_FALSE(pack_read(&read, fd));
    CU_ASSERT_PTR_NULL(read.bytes);
}

UNIT_SUITE(base_pack)
{
    UNIT_TEST(what_was_packed_comes_out);
    UNIT_TEST(texts_are_terminated);
    UNIT_TEST(what_is_cut_short_is_noticed);
    UNIT_TEST(a_file_gives_back_what_was_written);
}

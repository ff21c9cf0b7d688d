/*
 * base_str - comparing, searching, numbers, and names that are nearly right.
 */
#include "base/str.h"

#include "unit.h"

#include <stdio.h>

static void equality_is_of_bytes(void)
{
    CU_ASSERT(str_eq(STR("ab"), STR("ab")));
    CU_ASSERT(!str_eq(STR("ab"), STR("aB")));
    CU_ASSERT(!str_eq(STR("ab"), STR("abc")));
    CU_ASSERT(str_eq(STR_EMPTY, STR("")));
    CU_ASSERT(str_eq(STR("a\0b"), STR("a\0b")));
    CU_ASSERT(!str_eq(STR("a\0b"), STR("a\0c")));
}

static void case_is_ascii_alone(void)
{
    CU_ASSERT(str_eq_nocase(STR("Content-LENGTH"), STR("content-length")));
    CU_ASSERT(!str_eq_nocase(STR("a"), STR("ab")));
    CU_ASSERT(!str_eq_nocase(STR("@[`{"), STR("`{@[")));
    CU_ASSERT(!str_eq_nocase(STR("\xc4"), STR("\xe4")));
    CU_ASSERT(str_eq_nocase(STR_EMPTY, STR("")));
    for (int c = 0; c < 256; c++) {
        char lower = str_lower_char((char)c);

        CU_ASSERT_EQUAL(lower, c >= 'A' && c <= 'Z' ? (char)(c + 32) : (char)c);
    }
}

static void order_is_memcmps(void)
{
    CU_ASSERT(str_compare(STR("a"), STR("b")) < 0);
    CU_ASSERT(str_compare(STR("b"), STR("a")) > 0);
    CU_ASSERT(str_compare(STR("a"), STR("ab")) < 0);
    CU_ASSERT(str_compare(STR("ab"), STR("a")) > 0);
    CU_ASSERT(str_compare(STR("\x7f"), STR("\x80")) < 0);
    CU_ASSERT_EQUAL(str_compare(STR_EMPTY, STR("")), 0);
    CU_ASSERT(str_compare(STR_EMPTY, STR("a")) < 0);
}

static void parts_are_found(void)
{
    CU_ASSERT(str_contains(STR("abc"), STR("bc")));
    CU_ASSERT(!str_contains(STR("abc"), STR("cb")));
    CU_ASSERT(str_contains(STR_EMPTY, STR_EMPTY));
    CU_ASSERT(!str_contains(STR_EMPTY, STR("a")));
    CU_ASSERT(!str_contains(STR("a"), STR("aa")));
    CU_ASSERT(str_starts_with(STR("abc"), STR("ab")));
    CU_ASSERT(!str_starts_with(STR("ab"), STR("abc")));
    CU_ASSERT(str_starts_with(STR_EMPTY, STR_EMPTY));
    CU_ASSERT(str_ends_with(STR("abc"), STR("bc")));
    CU_ASSERT(!str_ends_with(STR("bc"), STR("abc")));
    CU_ASSERT(str_ends_with(STR("a"), STR("")));
}

static void trimming_takes_blanks_and_tabs(void)
{
    CU_ASSERT(str_eq(str_trim(STR(" \ta b\t ")), STR("a b")));
    CU_ASSERT_EQUAL(str_trim(STR(" \t ")).n, 0);
    CU_ASSERT_EQUAL(str_trim(STR_EMPTY).n, 0);
    CU_ASSERT(str_eq(str_trim(STR("\r\na\v")), STR("\r\na\v")));
}

static void numbers_are_digits_and_nothing_else(void)
{
    static const struct str bad[] = {
        {"", 0},   {"+1", 2},   {"-1", 2},   {" 1", 2},
        {"1 ", 2}, {"0x1", 3},  {"1a", 2},   {"1\0", 2},
        {"1.", 2}, {"\xb2", 1}, {"1/2", 3},  {":", 1},
        {"18446744073709551616", 20}, {"99999999999999999999", 20}, {"184467440737095516150", 21},
    };
    uint64_t n = 7;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT(!str_to_u64(bad[i], UINT64_MAX, &n));
    CU_ASSERT_EQUAL(n, 7);
    CU_ASSERT(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &n));
    CU_ASSERT_EQUAL(n, UINT64_MAX);
    CU_ASSERT(str_to_u64(STR("0"), 0, &n));
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT(str_to_u64(STR("000000000000000000000000042"), 42, &n));
    CU_ASSERT_EQUAL(n, 42);
    CU_ASSERT(!str_to_u64(STR("43"), 42, &n));
    CU_ASSERT_EQUAL(n, 42);
}

/* Each power of ten and two with its neighbours, against printf(3). */
static void expect_number(uint64_t number)
{
    char wanted[32];
    char got[STR_U64_MAX];
    uint64_t back;
    size_t n = str_put_u64(got, number);

    snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long)number);
    CU_ASSERT(str_eq((struct str){got, n}, str_of(wanted)));
    CU_ASSERT(str_to_u64((struct str){got, n}, UINT64_MAX, &back) && back == number);
    n = str_put_hex(got, number);
    snprintf(wanted, sizeof(wanted), "%llx", (unsigned long long)number);
    CU_ASSERT(str_eq((struct str){got, n}, str_of(wanted)));
}

static void numbers_are_written(void)
{
    uint64_t ten = 1;

    expect_number(0);
    expect_number(UINT64_MAX);
    for (unsigned i = 0; i < 64; i++) {
        expect_number((uint64_t)1 << i);
        expect_number(((uint64_t)1 << i) - 1);
    }
    for (unsigned i = 0; i < 20; i++, ten *= 10) {
        expect_number(ten);
        expect_number(ten - 1);
    }
}

static void distance_counts_edits(void)
{
    static const struct {
        const char *a;
        const char *b;
        unsigned edits;
    } rows[] = {
        {"", "", 0},
        {"timeout", "timeout", 0},
        {"timeout", "timout", 1},
        {"timout", "timeout", 1},
        {"timeout", "tineout", 1},
        {"timeout", "tiemout", 1},
        {"abcd", "badc", 2},
        {"kitten", "sitting", 3},
        {"", "abc", 3},
        {"abc", "", 3},
        {"Bind", "bind", 0},
        {"ab", "ba", 1},
        {"AB", "ba", 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned got = str_distance(str_of(rows[i].a), str_of(rows[i].b), 9);

        if (got != rows[i].edits)
            printf("\n    `%s` to `%s`: wanted %u, got %u\n", rows[i].a, rows[i].b, rows[i].edits,
                   got);
        CU_ASSERT_EQUAL(got, rows[i].edits);
        CU_ASSERT_EQUAL(str_distance(str_of(rows[i].b), str_of(rows[i].a), 9), rows[i].edits);
    }
}

static void distance_has_limits(void)
{
    char longest[65];

    memset(longest, 'a', sizeof(longest));
    CU_ASSERT_EQUAL(str_distance(STR("abcdef"), STR("uvwxyz"), 2), 3);
    CU_ASSERT_EQUAL(str_distance((struct str){longest, 64}, (struct str){longest, 64}, 2), 0);
    CU_ASSERT_EQUAL(str_distance((struct str){longest, 64}, STR_EMPTY, 100), 64);
    CU_ASSERT_EQUAL(str_distance((struct str){longest, 65}, (struct str){longest, 65}, 2), 3);
}

UNIT_SUITE(base_str)
{
    UNIT_TEST(equality_is_of_bytes);
    UNIT_TEST(case_is_ascii_alone);
    UNIT_TEST(order_is_memcmps);
    UNIT_TEST(parts_are_found);
    UNIT_TEST(trimming_takes_blanks_and_tabs);
    UNIT_TEST(numbers_are_digits_and_nothing_else);
    UNIT_TEST(numbers_are_written);
    UNIT_TEST(distance_counts_edits);
    UNIT_TEST(distance_has_limits);
}

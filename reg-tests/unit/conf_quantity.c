/*
 * Sizes and durations: what is one, what is not, and that writing and reading agree.
 */
#include "conf/quantity.h"

#include "unit.h"

static uint64_t size_of(const char *text)
{
    uint64_t bytes = 12345;

    return quantity_size(str_of(text), &bytes) == QUANTITY_OK ? bytes : 12345;
}

static uint64_t duration_of(const char *text)
{
    uint64_t ms = 12345;

    return quantity_duration(str_of(text), &ms) == QUANTITY_OK ? ms : 12345;
}

static void sizes_are_read(void)
{
    CU_ASSERT_EQUAL(size_of("0"), 0);
    CU_ASSERT_EQUAL(size_of("1"), 1);
    CU_ASSERT_EQUAL(size_of("128K"), 128 * 1024);
    CU_ASSERT_EQUAL(size_of("2m"), 2 * 1024 * 1024);
    CU_ASSERT_EQUAL(size_of("3GiB"), (uint64_t)3 << 30);
    CU_ASSERT_EQUAL(size_of("3tib"), (uint64_t)3 << 40);
    CU_ASSERT_EQUAL(size_of("unlimited"), UINT64_MAX);
}

static void sizes_are_refused(void)
{
    static const char *const bad[] = {"",    "K",   "1.5K", "-1", "+1",  "1 K", "1KB",
                                      "1Ki", "1iB", "0x10", "1Q", "1KK", "1s",  "Unlimited"};
    uint64_t bytes;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(quantity_size(str_of(bad[i]), &bytes), QUANTITY_MALFORMED);
    CU_ASSERT_EQUAL(quantity_size(STR("99999999999999999999999"), &bytes), QUANTITY_TOO_LARGE);
    CU_ASSERT_EQUAL(quantity_size(STR("8388608T"), &bytes), QUANTITY_TOO_LARGE);
    CU_ASSERT_EQUAL(quantity_size(STR("99999999999999999999999X"), &bytes), QUANTITY_MALFORMED);
}

static void durations_are_read(void)
{
    CU_ASSERT_EQUAL(duration_of("0"), 0);
    CU_ASSERT_EQUAL(duration_of("0s"), 0);
    CU_ASSERT_EQUAL(duration_of("250ms"), 250);
    CU_ASSERT_EQUAL(duration_of("30s"), 30000);
    CU_ASSERT_EQUAL(duration_of("5m"), 300000);
    CU_ASSERT_EQUAL(duration_of("1h"), 3600000);
    CU_ASSERT_EQUAL(duration_of("49d"), (uint64_t)49 * 86400000);
}

static void durations_are_refused(void)
{
    static const char *const bad[] = {"",   "30", "s",   "1.5s",  "-1s",
                                      "5M", "5S", "1 s", "1m30s", "never"};
    uint64_t ms;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(quantity_duration(str_of(bad[i]), &ms), QUANTITY_MALFORMED);
    CU_ASSERT_EQUAL(quantity_duration(STR("50d"), &ms), QUANTITY_TOO_LARGE);
    CU_ASSERT_EQUAL(quantity_duration(STR("4294967295ms"), &ms), QUANTITY_TOO_LARGE);
}

static void permissions_are_octal(void)
{
    uint64_t mode = 0;

    CU_ASSERT_EQUAL(quantity_octal(STR("0660"), &mode), QUANTITY_OK);
    CU_ASSERT_EQUAL(mode, 0660);
    CU_ASSERT_EQUAL(quantity_octal(STR("777"), &mode), QUANTITY_OK);
    CU_ASSERT_EQUAL(quantity_octal(STR("668"), &mode), QUANTITY_MALFORMED);
    CU_ASSERT_EQUAL(quantity_octal(STR("66"), &mode), QUANTITY_MALFORMED);
    CU_ASSERT_EQUAL(quantity_octal(STR("4755"), &mode), QUANTITY_TOO_LARGE);
}

/* What is written is read as the same, for values around every unit. */
static void writing_and_reading_agree(void)
{
    char text[QUANTITY_TEXT_MAX];
    uint64_t back;

    for (unsigned bit = 0; bit < 63; bit++)
        for (uint64_t near = 0; near < 3; near++) {
            uint64_t number = ((uint64_t)1 << bit) - 1 + near;
            size_t n = quantity_put_size(text, number);

            CU_ASSERT_EQUAL(quantity_size((struct str){text, n}, &back), QUANTITY_OK);
            CU_ASSERT_EQUAL(back, number);
            if (number > QUANTITY_MS_MAX)
                continue;
            n = quantity_put_duration(text, number);
            CU_ASSERT_EQUAL(quantity_duration((struct str){text, n}, &back), QUANTITY_OK);
            CU_ASSERT_EQUAL(back, number);
        }
    CU_ASSERT_EQUAL(quantity_put_size(text, UINT64_MAX), 9);
}

UNIT_SUITE(conf_quantity)
{
    UNIT_TEST(sizes_are_read);
    UNIT_TEST(sizes_are_refused);
    UNIT_TEST(durations_are_read);
    UNIT_TEST(durations_are_refused);
    UNIT_TEST(permissions_are_octal);
    UNIT_TEST(writing_and_reading_agree);
}

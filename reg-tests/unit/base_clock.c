/*
 * base_clock - known instants as text.
 */
#include "base/clock.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void expect_text(struct str got, const char *wanted)
{
    if (!str_eq(got, str_of(wanted)))
        printf("\n    wanted `%s`, got `%.*s`\n", wanted, STR_ARG(got));
    CU_ASSERT(str_eq(got, str_of(wanted)));
}

static void use_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void http_dates_are_known(void)
{
    expect_text(clock_http_text(784111777000), "Sun, 06 Nov 1994 08:49:37 GMT");
    expect_text(clock_http_text(784111777999), "Sun, 06 Nov 1994 08:49:37 GMT");
    expect_text(clock_http_text(784111778000), "Sun, 06 Nov 1994 08:49:38 GMT");
    expect_text(clock_http_text(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    expect_text(clock_http_text(951782400000), "Tue, 29 Feb 2000 00:00:00 GMT");
    expect_text(clock_http_text(2147483648000), "Tue, 19 Jan 2038 03:14:08 GMT");
    expect_text(clock_http_text(4102444799000), "Thu, 31 Dec 2099 23:59:59 GMT");
}

static void local_texts_bear_their_zone(void)
{
    use_zone("UTC0");
    expect_text(clock_local_text(784111777000), "06/Nov/1994:08:49:37 +0000");
    expect_text(clock_iso8601_text(784111777000), "1994-11-06T08:49:37+00:00");
    use_zone("IST-5:30");
    expect_text(clock_local_text(784111778000), "06/Nov/1994:14:19:38 +0530");
    expect_text(clock_iso8601_text(784111778000), "1994-11-06T14:19:38+05:30");
    use_zone("XXX8");
    expect_text(clock_iso8601_text(784111779000), "1994-11-06T00:49:39-08:00");
    expect_text(clock_http_text(784111779000), "Sun, 06 Nov 1994 08:49:39 GMT");
    unsetenv("TZ");
    tzset();
    clock_http_text(0); /* the next text is made in the zone of the machine */
}

static void lengths_are_as_announced(void)
{
    CU_ASSERT_EQUAL(clock_http_text(1000).n, CLOCK_HTTP_LEN);
    CU_ASSERT_EQUAL(clock_local_text(1000).n, CLOCK_LOCAL_LEN);
    CU_ASSERT_EQUAL(clock_iso8601_text(1000).n, CLOCK_ISO8601_LEN);
}

static void monotonic_time_does_not_go_back(void)
{
    uint64_t last = clock_monotonic_ms();

    for (unsigned i = 0; i < 1000; i++) {
        uint64_t now = clock_monotonic_ms();

        CU_ASSERT(now >= last);
        last = now;
    }
    CU_ASSERT(clock_wall_ms() > 1700000000000);
}

UNIT_SUITE(base_clock)
{
    UNIT_TEST(http_dates_are_known);
    UNIT_TEST(local_texts_bear_their_zone);
    UNIT_TEST(lengths_are_as_announced);
    UNIT_TEST(monotonic_time_does_not_go_back);
}

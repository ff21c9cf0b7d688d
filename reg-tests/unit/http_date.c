/*
 * http_date - dates in the three forms of RFC 9110 5.6.7.
 */
#include "unit.h"

#include "http/date.h"

#include <stdio.h>
#include <time.h>

/* 2026-11-25 */
#define NOW INT64_C(1795564800)

static void a_date_is_read_in_three_forms(void)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Wed Nov 16 08:49:37 1994", 784975777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
        {"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
        {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
        {"Mon, 30 Jun 1997 23:59:60 GMT", 867715200}, /* a leap second */
        {"Sat, 01 Jan 0000 00:00:00 GMT", INT64_C(-62167219200)},
        {"Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799)},
        {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777}, /* it was a Sunday */
        /* a year of two digits is at most 50 years ahead */
        {"Friday, 25-Nov-76 00:00:00 GMT", 3373488000},
        {"Friday, 25-Nov-77 00:00:00 GMT", 249264000},
        {"Friday, 25-Nov-00 00:00:00 GMT", 975110400},
        {"Friday, 25-Nov-99 00:00:00 GMT", 943488000},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t seconds = 12345;
        bool ok = date_read(str_of(rows[i].text), NOW, &seconds);

        if (!ok || seconds != rows[i].seconds)
            printf("\n    `%s`: %d, %lld\n", rows[i].text, ok, (long long)seconds);
        CU_ASSERT(ok && seconds == rows[i].seconds);
    }
}

static void what_is_no_date_is_none(void)
{
    static const char *const rows[] = {
        "",
        "Sun",
        "Sun,",
        "Sun, ",
        "0",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 19944 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Tue, 29 Feb 1900 08:49:37 GMT",
        "Tue, 29 Feb 2023 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov   6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sunday Nov  6 08:49:37 1994",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t seconds = 12345;
        bool ok = date_read(str_of(rows[i]), NOW, &seconds);

        if (ok)
            printf("\n    `%s` is taken for %lld\n", rows[i], (long long)seconds);
        CU_ASSERT(!ok && seconds == 12345);
    }
}

/* Days from 0000 to 9999, one in five, are written as the C library does, and are read as themselves. */
static void days_are_written_and_read(void)
{
    unsigned n_wrong = 0;

    for (int64_t day = -719528; day <= 2932896; day += 5) {
        int64_t seconds = day * 86400 + (day * 7919 % 86400 + 86400) % 86400;
        time_t t = (time_t)seconds;
        char text[DATE_TEXT_LEN];
        char wanted[64];
        int64_t again;
        struct tm utc;

        date_write(seconds, text);
        gmtime_r(&t, &utc);
        n_wrong += !date_read((struct str){text, DATE_TEXT_LEN}, NOW, &again) || again != seconds;
        if (day % 35 != 0) /* strftime is slow */
            continue;
        strftime(wanted, sizeof(wanted), "%a, %d %b %Y %H:%M:%S GMT", &utc);
        /* strftime does not fill up years below 1000 */
        n_wrong += utc.tm_year >= -900 && memcmp(text, wanted, DATE_TEXT_LEN) != 0;
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
}

static void what_cannot_be_written_becomes_the_nearest(void)
{
    char text[DATE_TEXT_LEN];

    date_write(INT64_MAX, text);
    CU_ASSERT(memcmp(text, "Fri, 31 Dec 9999 23:59:59 GMT", DATE_TEXT_LEN) == 0);
    date_write(INT64_MIN, text);
    CU_ASSERT(memcmp(text, "Sat, 01 Jan 0000 00:00:00 GMT", DATE_TEXT_LEN) == 0);
}

UNIT_SUITE(http_date)
{
    UNIT_TEST(a_date_is_read_in_three_forms);
    UNIT_TEST(what_is_no_date_is_none);
    UNIT_TEST(days_are_written_and_read);
    UNIT_TEST(what_cannot_be_written_becomes_the_nearest);
}

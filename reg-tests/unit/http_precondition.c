/*
 * http_precondition - ranges, conditions and media types: what a file's answer depends on.
 */
#include "unit.h"

#include "http/media_type.h"
#include "http/precondition.h"
#include "http/range.h"

#include <stdio.h>

#define NOW      INT64_C(1795564800)
#define MODIFIED INT64_C(784111777)
#define AT       "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE   "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER    "Sun, 06 Nov 1994 08:49:38 GMT"

struct range_row {
    const char *value;
    uint64_t size;
    enum range_kind kind;
    uint64_t from;
    uint64_t n;
};

#define PART(value, size, from, n)                                                                 \
    {                                                                                              \
        value, size, RANGE_PART, from, n                                                           \
    }
#define WHOLE(value)                                                                               \
    {                                                                                              \
        value, 10, RANGE_WHOLE, 0, 0                                                               \
    }
#define NONE(value, size)                                                                          \
    {                                                                                              \
        value, size, RANGE_UNSATISFIABLE, 0, 0                                                     \
    }

/* clang-format off */
static const struct range_row range_rows[] = {
    PART("bytes=0-0", 10, 0, 1),
    PART("bytes=0-9", 10, 0, 10),
    PART("bytes=2-5", 10, 2, 4),
    PART("bytes=9-9", 10, 9, 1),
    PART("bytes=9-", 10, 9, 1),
    PART("bytes=0-", 10, 0, 10),
    PART("bytes=5-100", 10, 5, 5),
    PART("bytes=5-18446744073709551615", 10, 5, 5),
    PART("bytes=5-99999999999999999999999999", 10, 5, 5),
    PART("bytes=-1", 10, 9, 1),
    PART("bytes=-10", 10, 0, 10),
    PART("bytes=-11", 10, 0, 10),
    PART("bytes=-99999999999999999999999999", 10, 0, 10),
    PART("bytes=00002-0005", 10, 2, 4),
    PART("BYTES=2-5", 10, 2, 4),
    PART("bytes= 2-5 ", 10, 2, 4),
    PART("bytes=,2-5,", 10, 2, 4),
    PART("bytes=0-0", UINT64_MAX, 0, 1),
    PART("bytes=18446744073709551614-", UINT64_MAX, UINT64_MAX - 1, 1),
    NONE("bytes=10-", 10),
    NONE("bytes=10-20", 10),
    NONE("bytes=99999999999999999999999999-", 10),
    NONE("bytes=-0", 10),
    NONE("bytes=0-", 0),
    NONE("bytes=0-0", 0),
    NONE("bytes=-0", 0),
    {"bytes=-5", 0, RANGE_WHOLE, 0, 0},
    WHOLE(""),
    WHOLE("bytes"),
    WHOLE("bytes="),
    WHOLE("bytes=,"),
    WHOLE("bytes=-"),
    WHOLE("bytes=5"),
    WHOLE("bytes=5-2"),
    WHOLE("bytes=a-b"),
    WHOLE("bytes=1-b"),
    WHOLE("bytes=1-2-3"),
    WHOLE("bytes=--1"),
    WHOLE("bytes=+1-2"),
    WHOLE("bytes=1 -2"),
    WHOLE("bytes=1- 2"),
    WHOLE("bytes=0x1-2"),
    WHOLE("bytes =1-2"),
    WHOLE("bytes:1-2"),
    WHOLE("lines=1-2"),
    WHOLE("bytes=0-0,2-3"),
    WHOLE("bytes=0-,0-,0-,0-"),
    WHOLE("bytes=1-2;3-4"),
};
/* clang-format on */

static void a_range_is_read_or_ignored(void)
{
    for (size_t i = 0; i < sizeof(range_rows) / sizeof(range_rows[0]); i++) {
        const struct range_row *row = &range_rows[i];
        struct range r = {0, 0};
        enum range_kind kind = range_read(str_of(row->value), row->size, &r);

        if (kind != row->kind || r.from != row->from || r.n != row->n)
            printf("\n    `%s` of %llu: %d, %llu, %llu\n", row->value,
                   (unsigned long long)row->size, kind, (unsigned long long)r.from,
                   (unsigned long long)r.n);
        CU_ASSERT(kind == row->kind && r.from == row->from && r.n == row->n);
    }
}

/* Any first, last and suffix of a small file: as counting bytes one by one says. */
static void every_small_range_is_what_it_says(void)
{
    unsigned n_wrong = 0;

    for (unsigned size = 0; size <= 5; size++)
        for (unsigned first = 0; first <= 6; first++)
            for (unsigned last = 0; last <= 6; last++) {
                struct range r = {99, 99};
                unsigned n = 0;
                char text[32];
                enum range_kind kind;

                snprintf(text, sizeof(text), "bytes=%u-%u", first, last);
                kind = range_read(str_of(text), size, &r);
                for (unsigned at = first; at <= last && at < size; at++)
                    n++;
                if (last < first)
                    n_wrong += kind != RANGE_WHOLE;
                else if (n == 0)
                    n_wrong += kind != RANGE_UNSATISFIABLE;
                else
                    n_wrong += kind != RANGE_PART || r.from != first || r.n != n;
            }
    CU_ASSERT_EQUAL(n_wrong, 0);
}

struct condition_row {
    const char *fields; /* NAME: VALUE lines */
    enum precondition strong;
    enum precondition weak;
};

#define HOLDS  PRECONDITION_HOLDS
#define SAME   PRECONDITION_NOT_MODIFIED
#define FAILED PRECONDITION_FAILED

/* clang-format off */
static const struct condition_row condition_rows[] = {
    {"", HOLDS, HOLDS},
    {"Accept: */*", HOLDS, HOLDS},

    {"If-None-Match: \"v1\"", SAME, SAME},
    {"If-None-Match: W/\"v1\"", SAME, SAME},
    {"If-None-Match: \"v2\"", HOLDS, HOLDS},
    {"If-None-Match: v1", HOLDS, HOLDS},
    {"If-None-Match: *", SAME, SAME},
    {"If-None-Match: \"v2\", \"v1\"", SAME, SAME},
    {"If-None-Match: \"v2\",W/\"v1\"", SAME, SAME},
    {"If-None-Match: \"v2\" , , \"v1\"", SAME, SAME},
    {"If-None-Match: \"a,\\\", \"v1\"", SAME, SAME},
    {"If-None-Match: \"v2\nIf-None-Match: \"v1\"", SAME, SAME},
    {"If-None-Match: \"v2\"\nIf-None-Match: \"v1\"", SAME, SAME},
    {"If-None-Match: \"v", HOLDS, HOLDS},
    {"If-None-Match: w/\"v1\"", HOLDS, HOLDS},
    {"If-None-Match: ", HOLDS, HOLDS},

    {"If-Modified-Since: " AT, SAME, SAME},
    {"If-Modified-Since: " AFTER, SAME, SAME},
    {"If-Modified-Since: " BEFORE, HOLDS, HOLDS},
    {"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", SAME, SAME},
    {"If-Modified-Since: Sun Nov  6 08:49:37 1994", SAME, SAME},
    {"If-Modified-Since: yesterday", HOLDS, HOLDS},
    {"If-Modified-Since: 0", HOLDS, HOLDS},
    {"If-Modified-Since: " AT "\nIf-Modified-Since: " AT, HOLDS, HOLDS},

    /* RFC 9110 13.1.3: the tag is the better one */
    {"If-None-Match: \"v2\"\nIf-Modified-Since: " AT, HOLDS, HOLDS},
    {"If-Modified-Since: " BEFORE "\nIf-None-Match: \"v1\"", SAME, SAME},

    {"If-Match: \"v1\"", HOLDS, FAILED},
    {"If-Match: W/\"v1\"", FAILED, FAILED},
    {"If-Match: \"v2\"", FAILED, FAILED},
    {"If-Match: \"v2\", \"v1\"", HOLDS, FAILED},
    {"If-Match: *", HOLDS, HOLDS},
    {"If-Match: v1", FAILED, FAILED},

    {"If-Unmodified-Since: " AT, HOLDS, HOLDS},
    {"If-Unmodified-Since: " AFTER, HOLDS, HOLDS},
    {"If-Unmodified-Since: " BEFORE, FAILED, FAILED},
    {"If-Unmodified-Since: never", HOLDS, HOLDS},
    {"If-Match: \"v1\"\nIf-Unmodified-Since: " BEFORE, HOLDS, FAILED},
    {"If-Match: *\nIf-Unmodified-Since: " BEFORE, HOLDS, HOLDS},

    /* 13.2.2: in this order */
    {"If-Match: \"v2\"\nIf-None-Match: \"v1\"", FAILED, FAILED},
    {"If-Match: *\nIf-None-Match: \"v1\"", SAME, SAME},
    {"If-Unmodified-Since: " BEFORE "\nIf-Modified-Since: " AT, FAILED, FAILED},
    {"If-Unmodified-Since: " AT "\nIf-Modified-Since: " AT, SAME, SAME},
};
/* clang-format on */

static void add_fields(struct head *h, const char *lines)
{
    while (*lines != '\0') {
        size_t n = strcspn(lines, "\n");
        struct str line = {lines, n};
        size_t colon = strcspn(lines, ":");
        struct str name = str_slice(line, 0, colon);

        head_add(h, name, str_trim(str_slice(line, colon + 1, n)), field_find(name));
        lines += n + (lines[n] == '\n');
    }
}

static const struct validators strong = {{"\"v1\"", 4}, false, MODIFIED};
static const struct validators weak = {{"\"v1\"", 4}, true, MODIFIED};

static void conditions_are_evaluated_in_their_order(void)
{
    for (size_t i = 0; i < sizeof(condition_rows) / sizeof(condition_rows[0]); i++) {
        const struct condition_row *row = &condition_rows[i];
        struct arena *a = arena_new(1024, 0);
        struct head h;
        enum precondition got_strong;
        enum precondition got_weak;

        head_init(&h, a, false);
        add_fields(&h, row->fields);
        got_strong = precondition_evaluate(&h, &strong, NOW);
        got_weak = precondition_evaluate(&h, &weak, NOW);
        if (got_strong != row->strong || got_weak != row->weak)
            printf("\n    `%s`: %d, %d\n", row->fields, got_strong, got_weak);
        CU_ASSERT(got_strong == row->strong && got_weak == row->weak);
        arena_free(a);
    }
}

static void a_range_counts_for_the_version_it_names(void)
{
    static const struct {
        const char *fields;
        bool strong;
        bool weak;
    } rows[] = {
        {"", false, false},
        {"If-Range: \"v1\"", false, false},
        {"Range: bytes=0-1", true, true},
        {"Range: bytes=0-1\nRange: bytes=2-3", false, false},
        {"Range: bytes=0-1\nIf-Range: \"v1\"", true, false},
        {"If-Range: \"v1\"\nRange: bytes=0-1", true, false},
        {"Range: bytes=0-1\nIf-Range: W/\"v1\"", false, false},
        {"Range: bytes=0-1\nIf-Range: \"v2\"", false, false},
        {"Range: bytes=0-1\nIf-Range: \"v1\", \"v2\"", false, false},
        {"Range: bytes=0-1\nIf-Range: v1", false, false},
        {"Range: bytes=0-1\nIf-Range: *", false, false},
        {"Range: bytes=0-1\nIf-Range: " AT, true, false},
        {"Range: bytes=0-1\nIf-Range: " BEFORE, false, false},
        {"Range: bytes=0-1\nIf-Range: " AFTER, false, false},
        {"Range: bytes=0-1\nIf-Range: Sunday, 06-Nov-94 08:49:37 GMT", true, false},
        {"Range: bytes=0-1\nIf-Range: ", false, false},
        {"Range: bytes=0-1\nIf-Range: \"v1\"\nIf-Range: \"v1\"", false, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *a = arena_new(1024, 0);
        struct head h;

        head_init(&h, a, false);
        add_fields(&h, rows[i].fields);
        if (precondition_range_counts(&h, &strong, NOW) != rows[i].strong)
            printf("\n    `%s`\n", rows[i].fields);
        CU_ASSERT_EQUAL(precondition_range_counts(&h, &strong, NOW), rows[i].strong);
        CU_ASSERT_EQUAL(precondition_range_counts(&h, &weak, NOW), rows[i].weak);
        arena_free(a);
    }
}

static void a_media_type_follows_the_suffix(void)
{
    static const struct {
        const char *path;
        const char *type;
    } rows[] = {
        {"/index.html", "text/html; charset=utf-8"},
        {"a.HTML", "text/html; charset=utf-8"},
        {".html", "text/html; charset=utf-8"},
        {"x.tar.gz", "application/gzip"},
        {"x.css", "text/css; charset=utf-8"},
        {"x.js", "text/javascript; charset=utf-8"},
        {"x.mjs", "text/javascript; charset=utf-8"},
        {"x.json", "application/json"},
        {"x.svg", "image/svg+xml"},
        {"x.webmanifest", "application/manifest+json"},
        {"x.woff2", "font/woff2"},
        {"x.7z", "application/x-7z-compressed"},
        {"x.zst", "application/zstd"},
        {"", "application/octet-stream"},
        {".", "application/octet-stream"},
        {"html", "application/octet-stream"},
        {"a.html/", "application/octet-stream"},
        {"a.html/b", "application/octet-stream"},
        {"a.html~", "application/octet-stream"},
        {"a.webmanifests", "application/octet-stream"},
        {"a.exe", "application/octet-stream"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT(str_eq(media_type_of(str_of(rows[i].path)), str_of(rows[i].type)));
}

UNIT_SUITE(http_precondition)
{
    UNIT_TEST(a_range_is_read_or_ignored);
    UNIT_TEST(every_small_range_is_what_it_says);
    UNIT_TEST(conditions_are_evaluated_in_their_order);
    UNIT_TEST(a_range_counts_for_the_version_it_names);
    UNIT_TEST(a_media_type_follows_the_suffix);
}

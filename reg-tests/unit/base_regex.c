/*
 * Regular expressions: what they hold, and that none of them runs away.
 */
#include "base/regex.h"

#include "unit.h"

#include <time.h>

static struct regex *compile(const char *pattern)
{
    struct regex_fault fault;
    struct regex *r = regex_new(str_of(pattern), &fault);

    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    return r;
}

static enum regex_result match(const char *pattern, struct str subject)
{
    struct regex_matcher *m = regex_matcher_new();
    struct regex *r = compile(pattern);
    enum regex_result result;

    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    result = regex_match(m, r, subject);
    regex_free(r);
    regex_matcher_free(m);
    return result;
}

static void subjects_are_bytes_and_lines_hide_nothing(void)
{
    CU_ASSERT_EQUAL(match("^/a.c$", STR("/abc")), REGEX_MATCHES);
    CU_ASSERT_EQUAL(match("^/a.c$", STR("/a\nc")), REGEX_MATCHES);
    CU_ASSERT_EQUAL(match("^/abc$", STR("/abc\n")), REGEX_DIFFERS);
    CU_ASSERT_EQUAL(match("^/abc$", STR("x\n/abc")), REGEX_DIFFERS);
    CU_ASSERT_EQUAL(match("^$", STR("")), REGEX_MATCHES);
    CU_ASSERT_EQUAL(match("^$", STR_EMPTY), REGEX_MATCHES);
    CU_ASSERT_EQUAL(match("^.$", STR("\xff")), REGEX_MATCHES);
}

/* A subject is tried piece by piece: a match is found in each piece, and over the seams of them. */
static void a_match_is_found_wherever_it_starts(void)
{
    char bytes[3 * REGEX_PLACES + 2];
    struct regex_matcher *m = regex_matcher_new();
    struct regex *r = compile("b(?<tail>.)?$");

    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    for (size_t n = 1; n < sizeof(bytes); n++) {
        struct str subject = {bytes, n};
        struct str name;
        unsigned number;

        memset(bytes, 'a', sizeof(bytes));
        CU_ASSERT_EQUAL(regex_match(m, r, subject), REGEX_DIFFERS);
        bytes[n - 1] = 'b';
        CU_ASSERT_EQUAL(regex_match(m, r, subject), REGEX_MATCHES);
        CU_ASSERT(regex_group(r, 0, &name, &number));
        CU_ASSERT(str_eq(name, STR("tail")));
        CU_ASSERT_PTR_NULL(regex_held(m, subject, number).p);
        CU_ASSERT_FALSE(regex_group(r, 1, &name, &number));
        if (n < 2)
            continue;
        bytes[n - 1] = 'c';
        bytes[n - 2] = 'b';
        CU_ASSERT_EQUAL(regex_match(m, r, subject), REGEX_MATCHES);
        CU_ASSERT(str_eq(regex_held(m, subject, number), STR("c")));
        regex_matcher_start(m);
    }
    regex_free(r);
    regex_matcher_free(m);
}

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Each of these would take seconds to centuries. Ten times the budget is for slow builds. */
static void what_runs_away_is_a_fault(void)
{
    static const char *const patterns[] = {
        "^(a+)+$", "(a+)+$", "[\\w ]{1,600}[\\w ]{1,600}[=!]", "(a|aa)+$", "(.*)*x$", "(a*)*b",
        "(?:a?){50}a{50}b",
    };
    static char bytes[20000];
    double before = cpu_seconds();

    memset(bytes, 'a', sizeof(bytes));
    bytes[sizeof(bytes) - 1] = '?';
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
        CU_ASSERT_NOT_EQUAL(match(patterns[i], (struct str){bytes, sizeof(bytes)}), REGEX_MATCHES);
    CU_ASSERT(cpu_seconds() - before < 7 * 10 * REGEX_BUDGET_MS / 1e3);
    CU_ASSERT_EQUAL(match(patterns[2], (struct str){bytes, sizeof(bytes)}), REGEX_FAULT);
}

/* The budget is of all matches together, and new when the next request asks. */
static void the_budget_is_shared_and_renewed(void)
{
    static char bytes[20000];
    struct str subject = {bytes, sizeof(bytes)};
    struct regex_matcher *m = regex_matcher_new();
    struct regex *slow = compile("[\\w ]{1,600}[\\w ]{1,600}[=!]");
    struct regex *quick = compile("^a");

    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    memset(bytes, 'a', sizeof(bytes));
    CU_ASSERT_EQUAL(regex_match(m, quick, subject), REGEX_MATCHES);
    CU_ASSERT_EQUAL(regex_match(m, slow, subject), REGEX_FAULT);
    CU_ASSERT_STRING_EQUAL(regex_fault_text(m), "it takes too long");
    CU_ASSERT_EQUAL(regex_match(m, quick, subject), REGEX_FAULT);
    regex_matcher_start(m);
    CU_ASSERT_EQUAL(regex_match(m, quick, subject), REGEX_MATCHES);
    regex_free(slow);
    regex_free(quick);
    regex_matcher_free(m);
}

static void bad_patterns_say_where(void)
{
    struct regex_fault fault;
    char longest[REGEX_PATTERN_MAX + 1];

    CU_ASSERT_PTR_NULL(regex_new(STR("a(b"), &fault));
    CU_ASSERT_EQUAL(fault.at, 3);
    CU_ASSERT_PTR_NULL(regex_new(STR("(*UTF)x"), &fault));
    memset(longest, 'a', sizeof(longest));
    CU_ASSERT_PTR_NULL(regex_new((struct str){longest, sizeof(longest)}, &fault));
}

UNIT_SUITE(regex)
{
    UNIT_TEST(subjects_are_bytes_and_lines_hide_nothing);
    UNIT_TEST(a_match_is_found_wherever_it_starts);
    UNIT_TEST(what_runs_away_is_a_fault);
    UNIT_TEST(the_budget_is_shared_and_renewed);
    UNIT_TEST(bad_patterns_say_where);
}

/*
 * http_uri - hosts, paths and queries.
 */
#include "http_parsed.h"
#include "unit.h"

#include "http/uri.h"

static void expect_str(struct str got, const char *wanted)
{
    if (!str_eq(got, str_of(wanted)))
        printf("\n    wanted `%s`, got `%.*s`\n", wanted, STR_ARG(got));
    CU_ASSERT(str_eq(got, str_of(wanted)));
}

struct authority_row {
    struct str text;
    enum http_fault fault;
    const char *host;
    unsigned port;
};

#define GOOD(text, host, port)                                                                     \
    {                                                                                              \
        {text, sizeof(text) - 1}, FAULT_NONE, host, port                                           \
    }
#define BAD(text, fault)                                                                           \
    {                                                                                              \
        {text, sizeof(text) - 1}, FAULT_HOST_##fault, "", 0                                        \
    }

/* clang-format off */
static const struct authority_row authority_rows[] = {
    GOOD("", "", 0),
    GOOD("a", "a", 0),
    GOOD("A.Example.COM", "a.example.com", 0),
    GOOD("a.example.", "a.example.", 0),
    GOOD("under_score-1~", "under_score-1~", 0),
    GOOD("a!$&'()*+;=", "a!$&'()*+;=", 0),
    GOOD("a:1", "a", 1),
    GOOD("a:65535", "a", 65535),
    GOOD("a:00080", "a", 80),
    GOOD("a:", "a", 0),
    GOOD("127.0.0.1:80", "127.0.0.1", 80),
    GOOD("[::1]", "[::1]", 0),
    GOOD("[2001:DB8::A]:443", "[2001:db8::a]", 443),
    GOOD("[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]", 0),
    GOOD("[1111:2222:3333:4444:5555:6666:7777:8888]",
         "[1111:2222:3333:4444:5555:6666:7777:8888]", 0),

    BAD(":80", SYNTAX),
    BAD("a:0", SYNTAX),
    BAD("a:65536", SYNTAX),
    BAD("a:000080", SYNTAX),
    BAD("a:99999999999999999999", SYNTAX),
    BAD("a:+80", SYNTAX),
    BAD("a:-1", SYNTAX),
    BAD("a:8o", SYNTAX),
    BAD("a: 80", SYNTAX),
    BAD("a:80:80", SYNTAX),
    BAD("a::80", SYNTAX),
    BAD("a b", SYNTAX),
    BAD("a,b", SYNTAX),
    BAD("a/b", SYNTAX),
    BAD("a\\b", SYNTAX),
    BAD("a?b", SYNTAX),
    BAD("a#b", SYNTAX),
    BAD("a%62", SYNTAX),
    BAD("a%00", SYNTAX),
    BAD("a\0b", SYNTAX),
    BAD("a\tb", SYNTAX),
    BAD("\344", SYNTAX),
    BAD("http://a", SYNTAX),
    BAD("::1", SYNTAX),
    BAD("[::1", SYNTAX),
    BAD("::1]", SYNTAX),
    BAD("[]", SYNTAX),
    BAD("[", SYNTAX),
    BAD("[]]", SYNTAX),
    BAD("[::1]x", SYNTAX),
    BAD("[::1]80", SYNTAX),
    BAD("[::1%eth0]", SYNTAX),
    BAD("[fe80::1%25eth0]", SYNTAX),
    BAD("[v1.a]", SYNTAX),
    BAD("[1.2.3.4]", SYNTAX),
    BAD("[::1\0]", SYNTAX),
    BAD("[11111::1]", SYNTAX),
    BAD("[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]", SYNTAX),
    BAD("[[::1]]", SYNTAX),
    BAD("user@a", USERINFO),
    BAD("user:secret@a:80", USERINFO),
    BAD("@a", USERINFO),
    BAD("a@", USERINFO),
    BAD("[::1]@a", USERINFO),
};
/* clang-format on */

static void authorities_are_strict(void)
{
    for (size_t i = 0; i < sizeof(authority_rows) / sizeof(authority_rows[0]); i++) {
        const struct authority_row *row = &authority_rows[i];
        struct arena *a = arena_new(256, 0);
        struct str host;
        unsigned port;
        enum http_fault fault = uri_authority(row->text, a, &host, &port);

        if (fault != row->fault)
            parsed_explain(row->text.p, row->fault, fault);
        CU_ASSERT_EQUAL(fault, row->fault);
        if (fault == FAULT_NONE) {
            expect_str(host, row->host);
            CU_ASSERT_EQUAL(port, row->port);
        }
        arena_free(a);
    }
}

struct path_row {
    struct str target;
    const char *path; /* NULL: refused */
};

#define PATH(target, path)                                                                         \
    {                                                                                              \
        {target, sizeof(target) - 1}, path                                                         \
    }

/* clang-format off */
static const struct path_row path_rows[] = {
    PATH("/", "/"),
    PATH("/a/b.c", "/a/b.c"),
    PATH("/a/", "/a/"),
    PATH("/a?b=/../c", "/a"),
    PATH("/?", "/"),
    PATH("/.well-known/x", "/.well-known/x"),
    PATH("/a/...", "/a/..."),
    PATH("/a/..b", "/a/..b"),

    /* escapes, RFC 3986 2.1 */
    PATH("/%61%62", "/ab"),
    PATH("/a%20b", "/a b"),
    PATH("/%C3%A4", "/\303\244"),
    PATH("/%c0%20", "/\300 "),
    PATH("/%2525", "/%25"),
    PATH("/%252e%252e/x", "/%2e%2e/x"),
    PATH("/%3f%23", "/?#"),
    PATH("/a%", NULL),
    PATH("/a%2", NULL),
    PATH("/a%2g", NULL),
    PATH("/a%g2", NULL),
    PATH("/%u0041", NULL),
    PATH("/%%41", NULL),
    PATH("/%+1", NULL),
    PATH("/a%00", NULL),
    PATH("/a%0a", NULL),
    PATH("/a%0D%0A", NULL),
    PATH("/a%1f", NULL),
    PATH("/a%7F", NULL),
    PATH("/a%2fb", NULL),
    PATH("/a%2Fb", NULL),
    PATH("/..%2f..%2fb", NULL),
    PATH("/a%5cb", NULL),
    PATH("/a%5Cb", NULL),
    PATH("/a\\b", NULL),
    PATH("/..\\b", NULL),

    /* overlong UTF-8, RFC 3629 3 */
    PATH("/%c0%af", NULL),
    PATH("/%c1%9c", NULL),
    PATH("/%e0%80%af", NULL),
    PATH("/%f0%80%80%af", NULL),
    PATH("/%c0%ae%c0%ae/", NULL),
    PATH("/%e0%a4%84", "/\340\244\204"),
    PATH("/%f0%9f%98%80", "/\360\237\230\200"),

    /* dot segments, RFC 3986 5.2.4 */
    PATH("/.", "/"),
    PATH("/./", "/"),
    PATH("/..", "/"),
    PATH("/../", "/"),
    PATH("/../../a", "/a"),
    PATH("/a/..", "/"),
    PATH("/a/../", "/"),
    PATH("/a/../b", "/b"),
    PATH("/a/./b", "/a/b"),
    PATH("/a/b/../../c", "/c"),
    PATH("/a/b/c/./../../g", "/a/g"),
    PATH("/a/.", "/a/"),
    PATH("/a/b/..", "/a/"),
    PATH("/%2e%2e/a", "/a"),
    PATH("/a/%2E./b", "/b"),
    PATH("/a/.%2e", "/"),
    PATH("/a/%2e/b", "/a/b"),
    PATH("/a/..;/b", "/a/..;/b"),

    /* slashes */
    PATH("//", "/"),
    PATH("//a", "/a"),
    PATH("/a//b", "/a/b"),
    PATH("/a///", "/a/"),
    PATH("/a/..//../b", "/b"),
    PATH("//..//a", "/a"),

    /* what is no path */
    PATH("", NULL),
    PATH("*", NULL),
    PATH("a/b", NULL),
    PATH("?a", NULL),
};
/* clang-format on */

static void paths_have_one_form(void)
{
    for (size_t i = 0; i < sizeof(path_rows) / sizeof(path_rows[0]); i++) {
        const struct path_row *row = &path_rows[i];
        struct arena *a = arena_new(256, 0);
        struct str path;
        bool is_legal = uri_path(row->target, a, &path);

        if (is_legal != (row->path != NULL))
            printf("\n    %.*s\n", STR_ARG(row->target));
        CU_ASSERT_EQUAL(is_legal, row->path != NULL);
        if (is_legal && row->path != NULL)
            expect_str(path, row->path);
        arena_free(a);
    }
}

static void plain_path_is_not_copied(void)
{
    struct str target = STR("/a/b/c?d");
    struct arena *a = arena_new(256, 0);
    struct str path;

    CU_ASSERT(uri_path(target, a, &path));
    CU_ASSERT_PTR_EQUAL(path.p, target.p);
    arena_free(a);
}

static void targets_split_at_the_mark(void)
{
    expect_str(uri_raw_path(STR("/a?b?c")), "/a");
    expect_str(uri_query(STR("/a?b?c")), "b?c");
    expect_str(uri_raw_path(STR("/a")), "/a");
    expect_str(uri_query(STR("/a")), "");
    expect_str(uri_query(STR("/a?")), "");
    expect_str(uri_raw_path(STR_EMPTY), "");
    expect_str(uri_query(STR_EMPTY), "");
}

struct query_row {
    const char *query;
    const char *name;
    const char *value; /* NULL: none */
};

static const struct query_row query_rows[] = {
    {"a=1&b=2",      "a",   "1"     },
    {"a=1&b=2",      "b",   "2"     },
    {"a=1&b=2",      "c",   NULL    },
    {"a=1&a=2",      "a",   "1"     },
    {"a",            "a",   ""      },
    {"a=",           "a",   ""      },
    {"a&b",          "b",   ""      },
    {"aa=1&a=2",     "a",   "2"     },
    {"a=b=c",        "a",   "b=c"   },
    {"&&a=1&",       "a",   "1"     },
    {"a=x+y%20z%2B", "a",   "x y z+"},
    {"%61+%62=1",    "a b", "1"     },
    {"a=%zz%4",      "a",   "%zz%4" },
    {"=1",           "",    "1"     },
    {"",             "a",   NULL    },
};

static void arguments_are_decoded(void)
{
    for (size_t i = 0; i < sizeof(query_rows) / sizeof(query_rows[0]); i++) {
        const struct query_row *row = &query_rows[i];
        struct arena *a = arena_new(256, 0);
        struct str value;
        bool is_there = uri_query_argument(str_of(row->query), str_of(row->name), a, &value);

        CU_ASSERT_EQUAL(is_there, row->value != NULL);
        if (is_there && row->value != NULL)
            expect_str(value, row->value);
        arena_free(a);
    }
}

UNIT_SUITE(http_uri)
{
    UNIT_TEST(authorities_are_strict);
    UNIT_TEST(paths_have_one_form);
    UNIT_TEST(plain_path_is_not_copied);
    UNIT_TEST(targets_split_at_the_mark);
    UNIT_TEST(arguments_are_decoded);
}

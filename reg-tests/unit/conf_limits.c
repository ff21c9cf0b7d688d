/*
 * Input that no person writes: the loader says what is wrong, in bounded time and memory.
 */
#include "conf/load.h"

#include "base/pool.h"
#include "conf/filter.h"
#include "unit.h"

#include <stdio.h>

/* A text under construction. */
struct text {
    char *p;
    size_t n;
    size_t room;
};

static void add(struct text *t, const char *part, size_t times)
{
    size_t n = strlen(part);

    if (t->n + n * times > t->room) {
        t->room = 2 * (t->n + n * times);
        t->p = memory_resize(t->p, t->room);
    }
    for (size_t i = 0; i < times; i++, t->n += n)
        memcpy(t->p + t->n, part, n);
}

struct said {
    size_t n_lines;
    char first[256];
    char last[256];
};

static void keep_line(void *arg, struct str line)
{
    struct said *said = arg;
    char *to = said->n_lines++ == 0 ? said->first : said->last;

    snprintf(to, sizeof(said->first), "%.*s", STR_ARG(line));
}

/* Load a text that is expected to be refused. Gives the number of errors and what was said. */
static size_t errors_of(const struct files_entry *entries, size_t n, struct said *said)
{
    struct diags *diags = diags_new();
    struct files_memory files;
    size_t n_errors;

    memset(said, 0, sizeof(*said));
    files_memory_init(&files, entries, n, NULL);
    CU_ASSERT_PTR_NULL(config_load("x.cfg", &files.files, diags));
    diags_each_line(diags, keep_line, said);
    n_errors = diags_n_errors(diags);
    diags_free(diags);
    return n_errors;
}

/* As errors_of, of one text, which is freed. */
static size_t errors_of_text(struct text *t, struct said *said)
{
    const struct files_entry entry = {
        "x.cfg", {t->p, t->n}
    };
    size_t n = errors_of(&entry, 1, said);

    memory_put(t->p);
    *t = (struct text){.n = 0};
    return n;
}

static bool says(const char *said, const char *what)
{
    return strstr(said, what) != NULL;
}

static void deep_blocks_are_one_error(void)
{
    struct text t = {.n = 0};
    struct said said;

    add(&t, "a {\n", 1000);
    add(&t, "}\n", 1000);
    CU_ASSERT(errors_of_text(&t, &said) <= 2);
    CU_ASSERT(says(said.first, "x.cfg:1:1: error: unknown directive 'a'"));
    add(&t, "a {\n", 100000);
    CU_ASSERT(errors_of_text(&t, &said) <= 3);
}

static void deep_parentheses_are_one_error(void)
{
    struct text t = {.n = 0};
    struct said said;

    add(&t, "frontend f { bind *:80\nroute a when ", 1);
    add(&t, "(", 1000);
    add(&t, "path == /", 1);
    add(&t, ")", 1000);
    add(&t, " { respond 200 }\n}\n", 1);
    CU_ASSERT(errors_of_text(&t, &said) <= 2);
    CU_ASSERT(says(said.first, "parentheses nest more than 32 deep"));
    add(&t, "frontend f { bind *:80\nroute a when ", 1);
    add(&t, "(", 100000);
    add(&t, "\n", 1);
    CU_ASSERT(errors_of_text(&t, &said) <= 6);
}

static void a_million_nots_are_one_error(void)
{
    struct text t = {.n = 0};
    struct said said;

    add(&t, "frontend f { bind *:80\nroute a when ", 1);
    add(&t, "not ", 1000000);
    add(&t, "path { respond 200 }\n}\n", 1);
    CU_ASSERT_EQUAL(errors_of_text(&t, &said), 1);
    CU_ASSERT(says(said.first, "nested too deeply"));
}

static void ten_thousand_errors_are_counted(void)
{
    struct text t = {.n = 0};
    struct said said;

    add(&t, "nonsense\n", 10000);
    CU_ASSERT_EQUAL(errors_of_text(&t, &said), 10000);
    CU_ASSERT_EQUAL(said.n_lines, 3 * DIAG_PRINT_MAX + 1);
    CU_ASSERT_STRING_EQUAL(said.last, "and 9950 more errors");
}

static void brackets_without_partners_cost_no_time(void)
{
    static const char *const parts[] = {"(",
                                        ")",
                                        "{",
                                        "}",
                                        "{}",
                                        "( a\n",
                                        "(\n",
                                        "a (\n",
                                        "a { (\n",
                                        "frontend x {\n",
                                        "}\nfrontend x\n",
                                        "\"",
                                        "'",
                                        "${",
                                        "\\\n",
                                        ",",
                                        ";",
                                        "a ( a\nb",
                                        "route a when x in (a\n"};
    struct text t = {.n = 0};
    struct said said;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        add(&t, "bogus ", 1);
        add(&t, parts[i], 100000);
        CU_ASSERT(errors_of_text(&t, &said) > 0);
    }
}

static void files_that_are_too_large_are_refused(void)
{
    struct text t = {.n = 0};
    struct said said;

    add(&t, "# a comment of some length, to fill the file with something\n", (17 << 20) / 60);
    CU_ASSERT_EQUAL(errors_of_text(&t, &said), 1);
    CU_ASSERT(says(said.first, "error: cannot read 'x.cfg': the file is too large"));
}

static void files_that_are_no_text_are_one_error(void)
{
    struct text t = {.n = 0};
    struct said said;

    add(&t, "frontend f {\n\x01\x02\xff", 1);
    t.p[t.n - 1] = '\0';
    add(&t, "{ }}} \xfe", 1000);
    CU_ASSERT_EQUAL(errors_of_text(&t, &said), 1);
    CU_ASSERT(says(said.first, "x.cfg:2:3: error: a NUL byte"));
}

static void includes_end(void)
{
    static const struct files_entry loop[] = {
        {"x.cfg", {"include y.cfg\n", 14}   },
        {"y.cfg", {"include [x]*.cfg\n", 17}}
    };
    static const struct files_entry itself[] = {
        {"x.cfg", {"include x.cfg\n", 14}}
    };
    static const struct files_entry missing[] = {
        {"x.cfg", {"include d\n", 10}},
        {"d",     {NULL, 0}          }
    };
    char names[20][16];
    char texts[20][32];
    struct files_entry chain[20];
    struct said said;

    CU_ASSERT_EQUAL(errors_of(loop, 2, &said), 1);
    CU_ASSERT(says(said.first, "y.cfg:1:9: error: 'x.cfg' would include itself"));
    CU_ASSERT_EQUAL(errors_of(itself, 1, &said), 1);
    CU_ASSERT_EQUAL(errors_of(missing, 2, &said), 1);
    CU_ASSERT(says(said.first, "x.cfg:1:9: error: cannot read 'd': Is a directory"));
    for (int i = 0; i < 20; i++) {
        snprintf(names[i], sizeof(names[i]), i == 0 ? "x.cfg" : "x%d.cfg", i);
        snprintf(texts[i], sizeof(texts[i]), "include x%d.cfg\n", i + 1);
        chain[i] = (struct files_entry){names[i], str_of(texts[i])};
    }
    CU_ASSERT_EQUAL(errors_of(chain, 20, &said), 1);
    CU_ASSERT(says(said.first, "x16.cfg:1:9: error: files include each other more than 16 deep"));
}

static void a_missing_file_is_an_error_without_a_place(void)
{
    struct said said;

    CU_ASSERT_EQUAL(errors_of(NULL, 0, &said), 1);
    CU_ASSERT_STRING_EQUAL(said.first, "error: cannot read 'x.cfg': No such file or directory");
}

/* Many routes: names, places and layers must not be searched one by one. */
static void ten_thousand_routes_load(void)
{
    struct text t = {.n = 0};
    struct diags *diags = diags_new();
    struct files_memory files;
    struct files_entry entry;
    struct config *config;
    char line[128];

    add(&t, "backend b { server a 127.0.0.1:1 }\nfrontend f {\nbind *:80\n", 1);
    for (int i = 0; i < 10000; i++) {
        snprintf(line, sizeof(line), "route r%d when path under /r%d { hold %ds; use-backend b }\n",
                 i, i, i % 60);
        add(&t, line, 1);
    }
    add(&t, "}\n", 1);
    entry = (struct files_entry){
        "x.cfg", {t.p, t.n}
    };
    files_memory_init(&files, &entry, 1, NULL);
    config = config_load("x.cfg", &files.files, diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_EQUAL(config->frontends[0].n_routes, 10000);
    CU_ASSERT_EQUAL(config->frontends[0].routes[9999]->place.line, 10003);
    CU_ASSERT(arena_bytes(config->arena) < (size_t)64 << 20);
    config_unref(config);
    diags_free(diags);
    memory_put(t.p);
}

UNIT_SUITE(conf_limits)
{
    UNIT_TEST(deep_blocks_are_one_error);
    UNIT_TEST(deep_parentheses_are_one_error);
    UNIT_TEST(a_million_nots_are_one_error);
    UNIT_TEST(ten_thousand_errors_are_counted);
    UNIT_TEST(brackets_without_partners_cost_no_time);
    UNIT_TEST(files_that_are_too_large_are_refused);
    UNIT_TEST(files_that_are_no_text_are_one_error);
    UNIT_TEST(includes_end);
    UNIT_TEST(a_missing_file_is_an_error_without_a_place);
    UNIT_TEST(ten_thousand_routes_load);
}

/*
 * What is told of conditions without trying them, against what they give when they are tried. The
 * route that the index finds is the one that trying all of them in order gives: 200,000 pairs of a
 * configuration's routes and a request. Where one condition is said to imply another, no request
 * meets the one alone. All is generated, the same each time.
 */
#include "conf/implies.h"
#include "conf/load.h"
#include "conf/route_index.h"
#include "proxy/expr_eval.h"
#include "proxy/route.h"
#include "proxy/worker.h"
#include "unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define N_CONFIGS  500
#define N_REQUESTS 400
#define TEXT_MAX   60000

static const char *const hosts[] = {"a",         "b",           "b.a",       "c.b.a",
                                    "a.example", "A.Example",   "example",   "x.a.example",
                                    "xa",        "example.org", "1.example", ""};
static const char *const paths[] = {"/",     "/a", "/a/",    "/a/b", "/a/b/c", "/ab",
                                    "/ab/c", "/b", "/b/b/b", "/a/c", "/c",     "/a/b/c/d"};

#define COUNT(list) ((unsigned)(sizeof(list) / sizeof((list)[0])))

/* xorshift32: the same texts on every machine. */
static unsigned random_state;

static unsigned roll(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % n;
}

struct text {
    char bytes[TEXT_MAX];
    size_t n;
};

static void put(struct text *t, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->bytes + t->n, sizeof(t->bytes) - t->n, format, args);
    va_end(args);
    CU_ASSERT_FATAL(n >= 0 && (size_t)n < sizeof(t->bytes) - t->n);
    t->n += (size_t)n;
}

static const char *any(const char *const *list, unsigned n)
{
    return list[roll(n)];
}

static void put_list(struct text *t, const char *const *list, unsigned n)
{
    unsigned n_values = 1 + roll(12);

    put(t, " in (");
    for (unsigned i = 0; i < n_values; i++)
        put(t, "%s\"%s\"", i == 0 ? "" : ", ", any(list, n));
    put(t, ")");
}

static void put_host_test(struct text *t)
{
    static const char *const operators[] = {
        "==", "==", "==", "!=", "ends-with", "starts-with", "contains"};

    put(t, "host");
    if (roll(4) == 0)
        put_list(t, hosts, COUNT(hosts));
    else
        put(t, " %s \"%s\"", any(operators, COUNT(operators)), any(hosts, COUNT(hosts)));
}

static void put_path_test(struct text *t)
{
    static const char *const operators[] = {"==",          "==",        "under",    "under",
                                            "starts-with", "ends-with", "contains", "!="};

    put(t, "path");
    if (roll(5) == 0)
        put_list(t, paths, COUNT(paths));
    else if (roll(8) == 0)
        put(t, " ~ '^%s(/[a-c])?$'", any(paths, COUNT(paths)));
    else
        put(t, " %s \"%s\"", any(operators, COUNT(operators)), any(paths, COUNT(paths)));
}

static void put_condition(struct text *t, unsigned depth)
{
    static const char *const others[] = {"method == POST",
                                         "method != POST",
                                         "acl-0",
                                         "acl-1",
                                         "acl-2",
                                         "acl-3",
                                         "content-length > 5",
                                         "content-length >= 5",
                                         "content-length < 5",
                                         "content-length == 5",
                                         "content-length <= 7",
                                         "content-length != 5",
                                         "content-length in (3, 4, 5)",
                                         "content-length",
                                         "client-ip in (10.0.0.0/8, 127.0.0.1)",
                                         "client-ip in (10.0.0.0/16, 10.1.0.0/16)",
                                         "client-ip == 10.0.0.1",
                                         "client-ip != 10.0.0.1"};
    unsigned kind = roll(depth == 0 ? 6 : 10);

    if (kind < 3)
        put_path_test(t);
    else if (kind < 5)
        put_host_test(t);
    else if (kind == 5)
        put(t, "%s", any(others, COUNT(others)));
    else if (kind == 6) {
        put(t, "not (");
        put_condition(t, depth - 1);
        put(t, ")");
    } else {
        put(t, "(");
        put_condition(t, depth - 1);
        put(t, kind < 9 ? " and " : " or ");
        put_condition(t, depth - 1);
        put(t, ")");
    }
}

static void put_config(struct text *t)
{
    unsigned n_routes = ROUTE_INDEX_MIN + roll(40);

    t->n = 0;
    for (unsigned i = 0; i < 4; i++) {
        put(t, "acl acl-%u when ", i);
        if (roll(2) == 0)
            put_host_test(t);
        else
            put_path_test(t);
        put(t, "\n");
    }
    put(t, "frontend f {\nbind *:80\n");
    for (unsigned i = 0; i < n_routes; i++) {
        put(t, "route r%u when ", i);
        put_condition(t, 3);
        put(t, roll(12) == 0 ? " { internal; respond 200 }\n" : " { respond 200 }\n");
    }
    put(t, "}\n");
}

static struct config *load(struct str text)
{
    const struct files_entry entries[] = {
        {"x.cfg", text}
    };
    struct diags *diags = diags_new();
    struct files_memory files;
    struct config *config;

    files_memory_init(&files, entries, 1, NULL);
    config = config_load("x.cfg", &files.files, diags);
    if (config == NULL)
        diags_print(diags, stdout);
    diags_free(diags);
    return config;
}

/* The meaning: the first in order whose condition holds. */
static const struct config_route *find_in_order(struct txn *t)
{
    for (size_t i = 0; i < t->frontend->n_routes; i++)
        if (!t->frontend->routes[i]->is_internal && expr_holds(t, t->frontend->routes[i]->when))
            return t->frontend->routes[i];
    return NULL;
}

static struct str lower(struct arena *a, const char *text)
{
    struct str copy = arena_str(a, str_of(text));

    for (size_t i = 0; i < copy.n; i++)
        ((char *)copy.p)[i] = str_lower_char(copy.p[i]);
    return copy;
}

static void make_request(struct txn *t, struct head *request, struct arena *arena)
{
    *request = (struct head){.method_text = roll(3) == 0 ? STR("POST") : STR("GET"),
                             .has_body = roll(2) == 0,
                             .has_length = true,
                             .body_length = roll(10)};
    request->host = lower(arena, any(hosts, COUNT(hosts)));
    t->arena = arena;
    t->request = request;
    t->path = str_of(any(paths, COUNT(paths)));
    t->client.is_ip = ip_parse(roll(2) == 0 ? STR("10.0.0.1") : STR("10.1.2.3"), &t->client.ip);
}

/* Try requests on the routes of a configuration; returns how many found another route. */
static unsigned try_requests(struct worker *w, struct arena *arena, struct config *config)
{
    struct generation generation = {.refs = 1, .config = config};
    unsigned n_wrong = 0;

    for (unsigned i = 0; i < N_REQUESTS; i++) {
        struct head request;
        struct txn t = {.worker = w, .generation = &generation, .frontend = &config->frontends[0]};
        const struct config_route *wanted;

        make_request(&t, &request, arena);
        wanted = find_in_order(&t);
        if (route_find(&t) == wanted)
            continue;
        if (n_wrong++ == 0)
            printf("host '%.*s', path '%.*s': route %.*s\n", STR_ARG(request.host), STR_ARG(t.path),
                   STR_ARG(wanted == NULL ? STR("none") : wanted->name));
    }
    arena_reset(arena);
    return n_wrong;
}

static void the_index_finds_what_the_order_says(void)
{
    static struct text text;
    static struct worker w;
    struct arena *arena = arena_new(4096, 0);
    unsigned n_wrong = 0;

    random_state = 20261125;
    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    for (unsigned i = 0; i < N_CONFIGS && n_wrong == 0; i++) {
        struct config *config;

        put_config(&text);
        config = load((struct str){text.bytes, text.n});
        CU_ASSERT_PTR_NOT_NULL_FATAL(config);
        CU_ASSERT_PTR_NOT_NULL(config->frontends[0].index);
        n_wrong = try_requests(&w, arena, config);
        if (n_wrong > 0)
            printf("%.*s", (int)text.n, text.bytes);
        config_unref(config);
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
    arena_free(arena);
    regex_matcher_free(w.matcher);
}

/* Does a request meet a condition that cannot hold, or one without the other that it implies? */
static bool is_refuted(struct worker *w, struct arena *arena, struct config *config,
                       const struct expr *a, const struct expr *b, bool implies, bool impossible)
{
    struct generation generation = {.refs = 1, .config = config};

    for (unsigned i = 0; i < 60; i++) {
        struct head request;
        struct txn t = {.worker = w, .generation = &generation};
        bool holds;

        make_request(&t, &request, arena);
        holds = expr_holds(&t, a);
        if (holds && (impossible || (implies && !expr_holds(&t, b))))
            return true;
    }
    return false;
}

static void what_is_told_of_conditions_is_true(void)
{
    static struct text text;
    static struct worker w;
    struct arena *arena = arena_new(4096, 0);
    unsigned n_implied = 0;
    unsigned n_impossible = 0;
    bool is_wrong = false;

    random_state = 77;
    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    for (unsigned i = 0; i < 200 && !is_wrong; i++) {
        struct config *config;
        const struct config_frontend *f;

        put_config(&text);
        config = load((struct str){text.bytes, text.n});
        CU_ASSERT_PTR_NOT_NULL_FATAL(config);
        f = &config->frontends[0];
        for (size_t j = 0; j < f->n_routes * f->n_routes && !is_wrong; j++) {
            const struct expr *a = f->routes[j / f->n_routes]->when;
            const struct expr *b = f->routes[j % f->n_routes]->when;
            bool implies = a != b && expr_implies(a, b);
            bool impossible = expr_is_impossible(a);

            n_implied += implies;
            n_impossible += impossible;
            if (implies || impossible)
                is_wrong = is_refuted(&w, arena, config, a, b, implies, impossible);
            if (is_wrong)
                printf("routes %zu and %zu of\n%.*s", j / f->n_routes, j % f->n_routes, (int)text.n,
                       text.bytes);
        }
        arena_reset(arena);
        config_unref(config);
    }
    CU_ASSERT_FALSE(is_wrong);
    CU_ASSERT(n_implied > 1000);
    CU_ASSERT(n_impossible > 1000);
    arena_free(arena);
    regex_matcher_free(w.matcher);
}

/* More paths under each other than a search follows: the answer is the same, from all routes. */
static void a_request_that_fits_too_many_keys_is_tried_on_all(void)
{
    static struct text text;
    struct generation generation = {.refs = 1};
    struct head request = {.method_text = STR("GET"), .host = STR("h")};
    struct arena *arena = arena_new(4096, 0);
    struct txn t = {.arena = arena, .request = &request, .generation = &generation};
    struct config *config;

    text.n = 0;
    put(&text, "frontend f {\nbind *:80\n");
    for (unsigned i = 0; i < 200; i++) {
        put(&text, "route r%u when header.none and path under ", i);
        for (unsigned j = 0; j < i + 1; j++)
            put(&text, "/a");
        put(&text, " { respond 200 }\n");
    }
    put(&text, "route last when path ends-with b { respond 200 }\n}\n");
    config = load((struct str){text.bytes, text.n});
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    generation.config = config;
    t.frontend = &config->frontends[0];
    text.n = 0;
    for (unsigned j = 0; j < 150; j++)
        put(&text, "/a");
    put(&text, "/b");
    t.path = (struct str){text.bytes, text.n};
    CU_ASSERT_PTR_EQUAL(route_find(&t), config->frontends[0].routes[200]);
    t.path.n -= 2;
    CU_ASSERT_PTR_NULL(route_find(&t));
    config_unref(config);
    arena_free(arena);
}

UNIT_SUITE(conditions)
{
    UNIT_TEST(the_index_finds_what_the_order_says);
    UNIT_TEST(what_is_told_of_conditions_is_true);
    UNIT_TEST(a_request_that_fits_too_many_keys_is_tried_on_all);
}

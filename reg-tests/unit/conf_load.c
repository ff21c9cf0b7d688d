/*
 * The compiler from end to end, on files in memory: what the run time gets to see.
 */
#include "conf/load.h"

#include "base/pool.h"
#include "conf/dump.h"
#include "unit.h"

/* Load one text; NULL where it has errors. */
static struct config *load(const char *text)
{
    const struct files_entry entries[] = {
        {"x.cfg",         str_of(text)},
        {"/pages/a.html", STR("<p>")  },
        {"/pages/bytes",  {"a\0b", 3} },
        {"/www",          STR_EMPTY   }
    };
    static const char *const variables[] = {"SIZE=5M", "FD=7", NULL};
    struct diags *diags = diags_new();
    struct files_memory files;
    struct config *config;

    files_memory_init(&files, entries, 4, variables);
    config = config_load("x.cfg", &files.files, diags);
    if (config != NULL)
        CU_ASSERT_EQUAL(diags_n_errors(diags), 0);
    diags_free(diags);
    return config;
}

#define BACKEND "backend app { server a 127.0.0.1:3000 }\n"

static void the_defaults_are_those_of_the_manual(void)
{
    struct config *c = load("frontend f { bind *:80; route r { use-backend app } }\n" BACKEND);
    const struct policy *p;

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    p = c->frontends[0].policy;
    CU_ASSERT_EQUAL(c->global.workers, CONFIG_WORKERS_AUTO);
    CU_ASSERT_EQUAL(c->global.poller, POLLER_EPOLL);
    CU_ASSERT_EQUAL(c->global.max_connections, 10000);
    CU_ASSERT_EQUAL(c->global.shutdown_timeout_ms, 30000);
    CU_ASSERT_EQUAL(c->global.log.kind, LOG_STDERR);
    CU_ASSERT_EQUAL(c->global.log_level, LOG_INFO);
    CU_ASSERT_FALSE(c->global.server_header);
    CU_ASSERT_EQUAL(p->request_buffering, REQUEST_HOLD);
    CU_ASSERT_EQUAL(p->request_memory_bytes, 128 << 10);
    CU_ASSERT(p->response_buffering == RESPONSE_ON);
    CU_ASSERT_EQUAL(p->response_memory_bytes, 128 << 10);
    CU_ASSERT_EQUAL(p->response_max_bytes, 1 << 30);
    CU_ASSERT_EQUAL(p->max_body_bytes, SIZE_UNLIMITED);
    CU_ASSERT_EQUAL(p->hold_ms, 30000);
    CU_ASSERT_FALSE(p->hold_all);
    CU_ASSERT_EQUAL(p->retry_attempts, 3);
    CU_ASSERT(p->retry_on_reset && p->retry_on_empty && !p->retry_on_timeout);
    CU_ASSERT_EQUAL(p->replay, REPLAY_SAFE);
    CU_ASSERT_EQUAL(p->timeout_ms[TIMEOUT_CLIENT_HEADER], 10000);
    CU_ASSERT_EQUAL(p->timeout_ms[TIMEOUT_CLIENT_BODY], 60000);
    CU_ASSERT_EQUAL(p->timeout_ms[TIMEOUT_CLIENT_IDLE], 75000);
    CU_ASSERT_EQUAL(p->timeout_ms[TIMEOUT_CONNECT], 5000);
    CU_ASSERT_EQUAL(p->timeout_ms[TIMEOUT_SERVER_IDLE], 60000);
    CU_ASSERT_EQUAL(p->error_pages->n_keys, 0);
    CU_ASSERT_EQUAL(p->forwarded, FORWARDED_APPEND);
    CU_ASSERT_PTR_NULL(p->access_log);
    CU_ASSERT_EQUAL(c->backends[0].keepalive, 32);
    CU_ASSERT_EQUAL(c->backends[0].keepalive_idle_ms, 60000);
    CU_ASSERT_EQUAL(c->n_spools, 1);
    CU_ASSERT(c->spools[0].is_built_in);
    CU_ASSERT_EQUAL(c->spools[0].reserve_bytes, 1 << 30);
    CU_ASSERT_PTR_EQUAL(p->request_spool, &c->spools[0]);
    CU_ASSERT_PTR_EQUAL(c->frontends[0].routes[0]->policy, p);
    config_unref(c);
}

static void the_innermost_setting_wins(void)
{
    struct config *c =
        load("defaults { hold 1s; timeout connect 1s; retry 5 on 503; max-body ${env.SIZE} }\n"
             "frontend f { bind *:80; hold 2s all\n"
             "  route a when path == /a { hold 3s; timeout connect 2s; retry 2; use-backend app }\n"
             "  route b { use-backend app } }\n" BACKEND);
    const struct policy *a;
    const struct policy *b;

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    a = c->frontends[0].routes[0]->policy;
    b = c->frontends[0].routes[1]->policy;
    CU_ASSERT_EQUAL(a->hold_ms, 3000);
    CU_ASSERT_FALSE(a->hold_all); /* as a whole: `all` is not merged in */
    CU_ASSERT_EQUAL(b->hold_ms, 2000);
    CU_ASSERT(b->hold_all);
    CU_ASSERT_EQUAL(a->timeout_ms[TIMEOUT_CONNECT], 2000);
    CU_ASSERT_EQUAL(b->timeout_ms[TIMEOUT_CONNECT], 1000);
    CU_ASSERT_EQUAL(a->timeout_ms[TIMEOUT_SERVER_READ], 60000);
    CU_ASSERT_EQUAL(a->retry_attempts, 2);
    CU_ASSERT(a->retry_on_reset && a->n_retry_statuses == 0);
    CU_ASSERT(!b->retry_on_reset && b->n_retry_statuses == 1 && b->retry_statuses[0] == 503);
    CU_ASSERT_EQUAL(b->max_body_bytes, 5 << 20);
    config_unref(c);
}

static void rules_add_up_outermost_first(void)
{
    struct config *c = load("defaults { http-request set-header A 1; deny 10.0.0.0/8 }\n"
                            "frontend f { bind *:80; http-request del-header host2; allow all\n"
                            "  route a { http-request add-header C \"x${host}\"; deny when host == "
                            "x 404; use-backend app } }\n" BACKEND);
    const struct policy *p;

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    p = c->frontends[0].routes[0]->policy;
    CU_ASSERT_EQUAL_FATAL(p->n_request_rules, 3);
    CU_ASSERT(str_eq(p->request_rules[0]->name, STR("A")));
    CU_ASSERT_EQUAL(p->request_rules[1]->kind, RULE_DEL_HEADER);
    CU_ASSERT_EQUAL(p->request_rules[2]->value.n_ops, 2);
    CU_ASSERT_EQUAL(p->request_rules[2]->value.ops[1].var.id, VAR_ID_HOST);
    CU_ASSERT_EQUAL_FATAL(p->n_access_rules, 3);
    CU_ASSERT(!p->access_rules[0]->is_allow && p->access_rules[0]->n_nets == 1);
    CU_ASSERT(p->access_rules[1]->is_allow && p->access_rules[1]->for_all);
    CU_ASSERT(p->access_rules[2]->for_all && p->access_rules[2]->when != NULL);
    CU_ASSERT_EQUAL(p->access_rules[2]->status, 404);
    CU_ASSERT_EQUAL(c->frontends[0].policy->n_request_rules, 2);
    config_unref(c);
}

static void a_single_status_comes_before_its_class(void)
{
    struct config *c =
        load("defaults { error-page 404 text a; error-page 500 501 => 200 text s }\n"
             "frontend f { bind *:80; error-page 4xx file /pages/a.html; error-page 501 route s\n"
             "  route s { internal; respond 200 } route a { use-backend app } }\n" BACKEND);
    const struct error_pages *pages;

    CU_ASSERT_PTR_NULL(c); /* `}` needs a line end or `;` behind it */
    c = load("defaults { error-page 404 text a; error-page 500 501 => 200 text s }\n"
             "frontend f { bind *:80; error-page 4xx file /pages/a.html; error-page 501 route s\n"
             "  route s { internal; respond 200 }; route a { use-backend app } }\n" BACKEND);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    pages = c->frontends[0].routes[1]->policy->error_pages;
    CU_ASSERT_EQUAL(error_pages_find(pages, 404)->kind, ERROR_PAGE_TEXT);
    CU_ASSERT_EQUAL(error_pages_find(pages, 403)->kind, ERROR_PAGE_FILE);
    CU_ASSERT(str_eq(error_pages_find(pages, 403)->body, STR("<p>")));
    CU_ASSERT(str_eq(error_pages_find(pages, 403)->content_type, STR("text/html; charset=utf-8")));
    CU_ASSERT_EQUAL(error_pages_find(pages, 500)->status, 200);
    CU_ASSERT_EQUAL(error_pages_find(pages, 501)->kind, ERROR_PAGE_ROUTE);
    CU_ASSERT_PTR_EQUAL(error_pages_find(pages, 501)->route, c->frontends[0].routes[0]);
    CU_ASSERT_PTR_NULL(error_pages_find(pages, 502));
    config_unref(c);
}

static void conditions_are_trees_of_checked_tests(void)
{
    struct config *c =
        load("frontend f { bind *:80\n"
             "route a when path under /a and (method in (GET, HEAD) or not header.X-Y) "
             "{ respond 200 } }\n");
    const struct expr *e;

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    e = c->frontends[0].routes[0]->when;
    CU_ASSERT_EQUAL_FATAL(e->op, EXPR_AND);
    CU_ASSERT_EQUAL_FATAL(e->n_items, 2);
    CU_ASSERT_EQUAL(e->items[0]->op, EXPR_UNDER);
    CU_ASSERT_EQUAL_FATAL(e->items[1]->op, EXPR_OR);
    CU_ASSERT_EQUAL(e->items[1]->items[0]->op, EXPR_IN);
    CU_ASSERT_EQUAL(e->items[1]->items[0]->n_values, 2);
    CU_ASSERT_EQUAL_FATAL(e->items[1]->items[1]->op, EXPR_NOT);
    e = e->items[1]->items[1]->items[0];
    CU_ASSERT_EQUAL(e->op, EXPR_IS_SET);
    CU_ASSERT_EQUAL(e->var.id, VAR_ID_HEADER);
    CU_ASSERT(str_eq(e->var.argument, STR("x-y")));
    config_unref(c);
}

static void descriptors_come_from_the_environment(void)
{
    struct config *c =
        load("frontend f { bind fd@${FD}; bind fd@${env.FD}0; route a { respond 200 } }\n");

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(c->frontends[0].binds[0].kind, BIND_FD);
    CU_ASSERT_EQUAL(c->frontends[0].binds[0].fd, 7);
    CU_ASSERT(str_eq(c->frontends[0].binds[0].text, STR("fd@7")));
    CU_ASSERT_EQUAL(c->frontends[0].binds[1].fd, 70);
    config_unref(c);
}

static void names_of_servers_are_resolved(void)
{
    struct config *c = load("frontend f { bind *:80; route a { use-backend b } }\n"
                            "backend b { server a db.example:81 }\n");

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(addr_port(&c->backends[0].servers[0].addr), 81);
    CU_ASSERT(str_eq(c->backends[0].servers[0].full_name, STR("b/a")));
    CU_ASSERT(str_eq(c->backends[0].servers[0].address, STR("db.example:81")));
    config_unref(c);
    CU_ASSERT_PTR_NULL(load("frontend f { bind *:80; route a { use-backend b } }\n"
                            "backend b { server a db.invalid:81 }\n"));
}

static void places_are_kept_for_messages(void)
{
    struct config *c = load("\n\nfrontend f {\n bind *:80\n route a { respond 200 }\n}\n");

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(c->frontends[0].place.line, 3);
    CU_ASSERT_EQUAL(c->frontends[0].binds[0].place.line, 4);
    CU_ASSERT_EQUAL(c->frontends[0].routes[0]->place.line, 5);
    CU_ASSERT(str_eq(c->frontends[0].routes[0]->place.file, STR("x.cfg")));
    CU_ASSERT(str_eq(c->frontends[0].routes[0]->full_name, STR("f/a")));
    config_unref(c);
}

static void a_directory_is_one_for_all_that_name_it(void)
{
    struct config *c = load("frontend f { bind *:80\n"
                            "route a when path == /a { files /www }\n"
                            "route b when path == /b { files /www// { strip /b/ } }\n"
                            "route c { internal; files /www { index x; fallback /404.html } }\n"
                            "}\n");
    const struct config_frontend *f;

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    f = &c->frontends[0];
    CU_ASSERT_EQUAL(c->n_directories, 1);
    CU_ASSERT(str_eq(c->directories[0].path, STR("/www")));
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(f->routes[i]->action, ACTION_FILES);
        CU_ASSERT_PTR_EQUAL(f->routes[i]->directory, &c->directories[0]);
    }
    CU_ASSERT(str_eq(f->routes[0]->index, STR("index.html")));
    CU_ASSERT(f->routes[0]->strip.n == 0 && f->routes[0]->fallback.n == 0);
    CU_ASSERT(str_eq(f->routes[1]->strip, STR("/b")));
    CU_ASSERT(str_eq(f->routes[2]->index, STR("x")));
    CU_ASSERT(str_eq(f->routes[2]->fallback, STR("/404.html")));
    config_unref(c);
}

static void references_count(void)
{
    struct config *c = load("frontend f { bind *:80; route a { respond 200 } }\n");

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_PTR_EQUAL(config_ref(c), c);
    config_unref(c);
    CU_ASSERT_EQUAL(c->n_frontends, 1);
    config_unref(c);
    config_unref(NULL);
}

/* Every default of the table compiles, and every row is documented. */
static void the_formats_of_the_access_log_compile(void)
{
    struct config *c =
        load("frontend f { bind *:80; access-log stdout\n"
             "route a when path == /a { access-log stdout format common; respond 200 }\n"
             "route b when path == /b { access-log stdout format combined; respond 200 }\n"
             "route c { access-log off; respond 200 } }\n");

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT(c->frontends[0].policy->access_log_format->line.n_ops > 10);
    CU_ASSERT(c->frontends[0].routes[0]->policy->access_log_format->line.n_ops > 10);
    CU_ASSERT(c->frontends[0].routes[1]->policy->access_log_format->line.n_ops > 10);
    CU_ASSERT_PTR_NULL(c->frontends[0].routes[2]->policy->access_log);
    config_unref(c);
}

UNIT_SUITE(conf_load)
{
    UNIT_TEST(the_defaults_are_those_of_the_manual);
    UNIT_TEST(the_innermost_setting_wins);
    UNIT_TEST(rules_add_up_outermost_first);
    UNIT_TEST(a_single_status_comes_before_its_class);
    UNIT_TEST(conditions_are_trees_of_checked_tests);
    UNIT_TEST(descriptors_come_from_the_environment);
    UNIT_TEST(names_of_servers_are_resolved);
    UNIT_TEST(places_are_kept_for_messages);
    UNIT_TEST(a_directory_is_one_for_all_that_name_it);
    UNIT_TEST(references_count);
    UNIT_TEST(the_formats_of_the_access_log_compile);
}

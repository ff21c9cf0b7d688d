/*
 * explain - what becomes of a request, and why.
 */
#include "proc/explain.h"

#include "base/panic.h"
#include "conf/dump.h"
#include "conf/load.h"
#include "proc/explain_request.h"
#include "proxy/client.h"
#include "proxy/expr_eval.h"
#include "proxy/render.h"
#include "proxy/rewrite.h"
#include "proxy/route.h"
#include "proxy/static.h"
#include "proxy/worker.h"

#include <stdio.h>

#define EXPLAIN_BLOCK_BYTES 65536
/* Values and conditions longer than this are cut: the file has the whole. */
#define SHOWN_MAX 72
/* Where the facts behind conditions and the places behind names begin. */
#define FACT_COLUMN 48

static struct config *compile(const struct options *o)
{
    struct diags *diags = diags_new();
    struct config *c;

    if (diags == NULL) {
        fputs("holdfast: out of memory\n", stderr);
        return NULL;
    }
    c = config_load_explained(o->config_path, &files_disk, diags);
    if (c == NULL)
        diags_print(diags, stderr);
    diags_free(diags);
    return c;
}

/* Print a text that may be long, on one line; returns the columns that it takes. */
static int print_short(struct str text)
{
    int n = 0;

    for (size_t i = 0; i < text.n && n < SHOWN_MAX; i++, n++)
        putchar((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? '?' : text.p[i]);
    if (text.n <= SHOWN_MAX)
        return n;
    fputs("...", stdout);
    return n + 3;
}

static void print_blanks(int from, int to)
{
    do
        putchar(' ');
    while (++from < to);
}

static void print_place(int column, const struct config_place *place)
{
    print_blanks(column, FACT_COLUMN);
    printf("%.*s:%u\n", STR_ARG(place->file), place->line);
}

/* --- conditions --- */

static void print_verdict(unsigned depth, const char *word)
{
    printf("    %-5s%*s", word, (int)(2 * depth), "");
}

/* What the variable of a test is, behind the test. */
static void print_fact(struct txn *t, const struct expr *e, int column)
{
    struct str value = var_text(t, &e->var);
    const struct var_row *row = &var_rows[e->var.id];

    print_blanks(column, FACT_COLUMN);
    printf("%s%s%.*s ", row->name, row->has_argument ? "." : "", STR_ARG(e->var.argument));
    if (value.n == 0) {
        puts("is not there");
        return;
    }
    fputs("is '", stdout);
    print_short(value);
    puts("'");
}

static void explain_expr(struct txn *t, const struct expr *e, unsigned depth, bool is_tried);

/* The items of `and` up to the first that fails, of `or` up to the first that holds; then the rest.
 */
static void explain_items(struct txn *t, const struct expr *e, unsigned depth)
{
    bool is_tried = true;

    for (size_t i = 0; i < e->n_items; i++) {
        explain_expr(t, e->items[i], depth, is_tried);
        if (is_tried && expr_holds(t, e->items[i]) == (e->op == EXPR_OR))
            is_tried = false;
    }
}

static void explain_group(struct txn *t, const struct expr *e, unsigned depth, const char *words)
{
    print_verdict(depth, expr_holds(t, e) ? "yes" : "no");
    printf("%s%.*s\n", words, STR_ARG(e->acl));
    explain_items(t, e, depth + 1);
}

/* Depth: that of parentheses and acls, which the loader bounds. */
static void explain_expr(struct txn *t, const struct expr *e, unsigned depth, bool is_tried)
{
    bool holds;
    int column;

    if (!is_tried) {
        print_verdict(depth, "-");
        print_short(expr_dump(e, t->arena));
        putchar('\n');
        return;
    }
    switch ((unsigned)e->op) {
    case EXPR_AND: explain_group(t, e, depth, "all of"); return;
    case EXPR_OR: explain_group(t, e, depth, "any of"); return;
    case EXPR_NOT: explain_group(t, e, depth, "not"); return;
    case EXPR_ACL: explain_group(t, e, depth, "acl "); return;
    }
    holds = expr_holds(t, e);
    print_verdict(depth, t->fault_expr == e ? "?" : holds ? "yes" : "no");
    column = 9 + (int)(2 * depth) + print_short(expr_dump(e, t->arena));
    print_fact(t, e, column);
}

/* A condition: what must all hold stands line by line, without a heading. */
static void explain_when(struct txn *t, const struct expr *when)
{
    if (when->op == EXPR_AND)
        explain_items(t, when, 0);
    else
        explain_expr(t, when, 0, true);
}

/* --- routes --- */

static void say_undecided(const struct txn *t)
{
    struct str pattern = t->fault_expr->values[0].text;

    fputs("    the expression '", stdout);
    print_short(pattern);
    printf("' is given up: %s; the client gets 500\n",
           t->worker->matcher == NULL ? "no memory is left" : regex_fault_text(t->worker->matcher));
}

/* Who is the client by the policy in force? Said where it is news. */
static void explain_client(struct txn *t)
{
    struct endpoint before = t->client;
    char text[ADDR_TEXT_MAX];

    client_find(t);
    if (!endpoint_eq(&before, &t->client))
        printf("    by trusted-proxies the client is %.*s\n", (int)ip_text(&t->client.ip, text),
               text);
}

static bool explain_route(struct txn *t, const struct config_route *r)
{
    const char *word;
    bool takes;

    expr_forget(t);
    t->has_budget = false; /* what is shown is tried more than once */
    takes = !r->is_internal && expr_holds(t, r->when);
    word = r->is_internal          ? "internal"
           : t->fault_expr != NULL ? "cannot be decided"
           : takes                 ? "takes it"
                                   : "passed by";
    t->fault_expr = NULL; /* it is found again below, where it is shown */
    print_place(printf("route %.*s: %s", STR_ARG(r->name), word), &r->place);
    if (r->is_internal)
        puts("    only an error page leads here");
    else if (r->when == NULL)
        puts("    yes  it has no condition");
    else
        explain_when(t, r->when);
    return takes;
}

/* The routes up to the one that takes the request. False: there is none, or it cannot be told. */
static bool explain_routes(struct txn *t)
{
    const struct config_frontend *f = t->frontend;

    for (size_t i = 0; i < f->n_routes && t->route == NULL; i++) {
        if (explain_route(t, f->routes[i]))
            t->route = f->routes[i];
        if (t->fault_expr != NULL) {
            say_undecided(t);
            return false;
        }
    }
    if (t->route == NULL) {
        puts("no route takes it: the client gets 404");
        return false;
    }
    t->policy = t->route->policy;
    explain_client(t);
    return true;
}

/* --- allow and deny --- */

static void print_rule(const struct access_rule *r, struct txn *t)
{
    int column = printf("    ");

    print_place(column + print_short(access_rule_dump(r, t->arena)), &r->place);
}

/* Is the client let in? */
static bool explain_access(struct txn *t)
{
    const struct policy *p = t->policy;
    const struct access_rule *decides;
    unsigned refusal;

    if (p->n_access_rules == 0)
        return true;
    decides = route_rule(t);
    refusal = route_refusal(t);
    puts(decides == NULL ? "no allow or deny names it: it is let in" : "this rule decides:");
    if (decides != NULL)
        print_rule(decides, t);
    if (t->fault_expr != NULL)
        say_undecided(t);
    else if (refusal != 0)
        printf("    it is refused: the client gets %u\n", refusal);
    return refusal == 0 && t->fault_expr == NULL;
}

/* --- what is done --- */

static void explain_server(const struct config_server *s)
{
    printf("    server %.*s %.*s", STR_ARG(s->name), STR_ARG(s->address));
    if (s->weight != 1)
        printf(" weight %u", s->weight);
    printf("%s%s\n", s->is_backup ? " backup" : "", s->is_disabled ? " disabled" : "");
}

static void explain_backend(struct txn *t)
{
    static const char *const modes[] = {"hold", "tee", "stream", "resumable"};
    const struct config_backend *b = t->route->backend;
    const struct head *h = t->request;
    bool has_body = h->has_body && !(h->has_length && h->body_length == 0);

    print_place(printf("it goes to backend %.*s", STR_ARG(b->name)), &b->place);
    for (size_t i = 0; i < b->n_servers; i++)
        explain_server(&b->servers[i]);
    txn_choose_mode(t, has_body);
    if (has_body)
        printf("    its body: %s (%s)\n", modes[t->mode], t->mode_reason);
    if (has_body && h->has_length && h->body_length > t->policy->max_body_bytes) {
        puts("    its body is larger than max-body: the client gets 413");
        return;
    }
    puts("a server is sent:");
    if (!rewrite_request(t)) {
        printf("    nothing: a rule of http-request gives no value that can be sent; the client "
               "gets %u\n",
               reasons[t->reason == REASON_NONE ? REASON_INTERNAL : t->reason].status);
        return;
    }
    printf("    %.*s %.*s\n    Host: %.*s\n", STR_ARG(t->outgoing->method_text),
           STR_ARG(t->outgoing->target), STR_ARG(t->outgoing->authority));
    for (size_t i = 0; i < t->outgoing->n_fields; i++)
        printf("    %.*s: %.*s\n", STR_ARG(t->outgoing->fields[i].name),
               STR_ARG(t->outgoing->fields[i].value));
}

/* Which file it would be; the disk is not asked. */
static void explain_files(struct txn *t)
{
    const struct config_route *r = t->route;
    const char *path = static_path(t, r);

    print_place(printf("it is answered with a file"), &r->place);
    if (t->request->method != METHOD_GET && t->request->method != METHOD_HEAD) {
        puts("    only GET and HEAD are: the client gets 405");
        return;
    }
    if (path == NULL)
        puts("    a file of this name is never served");
    else
        printf("    %.*s/%s\n", STR_ARG(r->directory->path), path);
    if (r->fallback.n > 0)
        printf("    or else %.*s%.*s\n", STR_ARG(r->directory->path), STR_ARG(r->fallback));
    else
        puts("    or else 404");
}

static void explain_action(struct txn *t)
{
    const struct config_route *r = t->route;
    struct str text;

    switch (r->action) {
    case ACTION_BACKEND: explain_backend(t); return;
    case ACTION_STATUS_PAGE: puts("the client gets 200: the status page"); return;
    case ACTION_RESPOND:
    case ACTION_REDIRECT:
        text = template_render(t, &r->text,
                               r->action == ACTION_REDIRECT ? RENDER_LOCATION : RENDER_PLAIN);
        printf("the client gets %u%s", r->status, text.n == 0 ? "" : ": ");
        print_short(text);
        putchar('\n');
        return;
    case ACTION_FILES: explain_files(t); return;
    }
}

static void explain_settings(struct txn *t)
{
    struct str written = policy_dump(t->policy, false, t->arena);
    struct str built_in = policy_dump(t->policy, true, t->arena);

    puts(written.n == 0 ? "no setting is written anywhere"
                        : "settings in force, and where they stand:");
    printf("%.*s", STR_ARG(written));
    puts("built in:");
    printf("%.*s", STR_ARG(built_in));
}

static void explain_txn(struct txn *t)
{
    char text[ADDR_TEXT_MAX];

    print_place(printf("frontend %.*s", STR_ARG(t->frontend->name)), &t->frontend->place);
    printf("    %.*s %.*s for %.*s, from %.*s\n", STR_ARG(t->request->method_text),
           STR_ARG(t->request->target), STR_ARG(t->request->authority),
           (int)ip_text(&t->sender.ip, text), text);
    explain_client(t);
    putchar('\n');
    if (explain_routes(t)) {
        putchar('\n');
        if (explain_access(t))
            explain_action(t);
    }
    putchar('\n');
    explain_settings(t);
}

/* A transaction without connections, and a worker without listeners. */
static int explain_config(const struct options *o, struct config *c, struct worker *w,
                          struct arena *a)
{
    struct generation generation = {.refs = 1, .worker = w, .config = c};
    struct txn t = {.worker = w, .arena = a, .generation = &generation};
    unsigned port;
    const char *why = explain_request_read(o, &t, &port);

    if (why != NULL) {
        fprintf(stderr, "holdfast: %s\n", why);
        return 1;
    }
    t.frontend = explain_request_frontend(c, o, port);
    if (t.frontend == NULL)
        return 1;
    t.policy = t.frontend->policy;
    explain_txn(&t);
    return 0;
}

int explain(const struct options *o)
{
    static struct worker w; /* large, and one a process */
    const struct worker_setup setup = {.poller = POLLER_POLL, .panic_fd = -1};
    struct config *c = compile(o);
    struct arena *a = arena_new(EXPLAIN_BLOCK_BYTES, 0);
    int status = 1;

    if (c != NULL && a != NULL && worker_init(&w, &setup)) {
        status = explain_config(o, c, &w, a);
        worker_reset(&w);
    }
    arena_free(a);
    config_unref(c);
    return status;
}

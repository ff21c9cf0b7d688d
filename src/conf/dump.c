/*
 * dump - a configuration after inheritance, in the language itself.
 *
 * Two passes: the first only counts, so that the text is one allocation of the right size.
 */
#include "conf/dump.h"

#include "base/panic.h"
#include "conf/quantity.h"
#include "conf/resolve.h"
#include "conf/word.h"

struct dump {
    char *out; /* NULL: count only */
    size_t n;
    unsigned depth;
};

static void put(struct dump *d, struct str text)
{
    if (d->out != NULL && text.n > 0)
        memcpy(d->out + d->n, text.p, text.n);
    d->n += text.n;
}

static void put_text(struct dump *d, const char *text)
{
    put(d, str_of(text));
}

static void put_number(struct dump *d, uint64_t number)
{
    char digits[STR_U64_MAX];

    put(d, (struct str){digits, str_put_u64(digits, number)});
}

static void put_size(struct dump *d, uint64_t bytes)
{
    char text[QUANTITY_TEXT_MAX];

    put(d, (struct str){text, quantity_put_size(text, bytes)});
}

static void put_duration(struct dump *d, uint64_t ms)
{
    char text[QUANTITY_TEXT_MAX];

    put(d, (struct str){text, quantity_put_duration(text, ms)});
}

/* The inside of a "string". */
static void put_escaped(struct dump *d, struct str text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        char hex[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};

        if (c == '\n')
            put_text(d, "\\n");
        else if (c == '\t')
            put_text(d, "\\t");
        else if (c == '\r')
            put_text(d, "\\r");
        else if (c == '"' || c == '\\' || c == '$')
            put(d, (struct str){(char[]){'\\', (char)c}, 2});
        else if (c < ' ' || c >= 0x7f)
            put(d, (struct str){hex, 4});
        else
            put(d, str_slice(text, i, i + 1));
    }
}

/* A word that means text: bare where it can be. */
static void put_word(struct dump *d, struct str text)
{
    if (word_is_bare(text)) {
        put(d, text);
        return;
    }
    put_text(d, "\"");
    put_escaped(d, text);
    put_text(d, "\"");
}

static void put_variable(struct dump *d, const struct var_ref *var)
{
    put_text(d, var_rows[var->id].name);
    if (var->argument.n > 0) {
        put_text(d, ".");
        put(d, var->argument);
    }
}

/* Always a string: a log line must not read as the name of a format. */
static void put_template(struct dump *d, const struct template *t)
{
    put_text(d, "\"");
    for (size_t i = 0; i < t->n_ops; i++) {
        if (!t->ops[i].is_variable) {
            put_escaped(d, t->ops[i].literal);
            continue;
        }
        put_text(d, "${");
        put_variable(d, &t->ops[i].var);
        put_text(d, "}");
    }
    put_text(d, "\"");
}

/* Start a line with its directive. */
static void put_directive(struct dump *d, const char *name)
{
    for (unsigned i = 0; i < d->depth; i++)
        put_text(d, "    ");
    put_text(d, name);
}

static void end_line(struct dump *d)
{
    put_text(d, "\n");
}

static void open_block(struct dump *d)
{
    put_text(d, " {\n");
    d->depth++;
}

static void close_block(struct dump *d)
{
    d->depth--;
    put_directive(d, "}\n");
}

/* ` word value`, where value is more than a word of the form. */
static void put_option(struct dump *d, const char *name)
{
    put_text(d, " ");
    put_text(d, name);
    put_text(d, " ");
}

static void put_values(struct dump *d, const struct expr *e)
{
    for (size_t i = 0; i < e->n_values; i++) {
        put_text(d, i == 0 ? "" : ", ");
        put_word(d, e->values[i].text);
    }
}

static void put_test(struct dump *d, const struct expr *e, const char *name)
{
    put_variable(d, &e->var);
    put_option(d, name);
    put_values(d, e);
}

static void put_expr(struct dump *d, const struct expr *e);

/* An item that binds less tightly than what it stands in gets its parentheses. */
static void put_item(struct dump *d, const struct expr *e, bool in_parentheses)
{
    put_text(d, in_parentheses ? "(" : "");
    put_expr(d, e);
    put_text(d, in_parentheses ? ")" : "");
}

static void put_items(struct dump *d, const struct expr *e, const char *joint)
{
    for (size_t i = 0; i < e->n_items; i++) {
        enum expr_op op = e->items[i]->op;

        if (i > 0)
            put_option(d, joint);
        put_item(d, e->items[i], op == EXPR_OR || op == e->op);
    }
}

/* Depth: NESTING_MAX of the filter. */
static void put_expr(struct dump *d, const struct expr *e)
{
    switch (e->op) {
    case EXPR_AND: put_items(d, e, "and"); return;
    case EXPR_OR: put_items(d, e, "or"); return;
    case EXPR_NOT:
        put_text(d, "not ");
        put_item(d, e->items[0], e->items[0]->op == EXPR_AND || e->items[0]->op == EXPR_OR);
        return;
    case EXPR_IS_SET: put_variable(d, &e->var); return;
    case EXPR_EQ: put_test(d, e, "=="); return;
    case EXPR_NE: put_test(d, e, "!="); return;
    case EXPR_IN:
        put_variable(d, &e->var);
        put_text(d, " in (");
        put_values(d, e);
        put_text(d, ")");
        return;
    case EXPR_UNDER: put_test(d, e, "under"); return;
    case EXPR_STARTS_WITH: put_test(d, e, "starts-with"); return;
    }
    unreachable("no such operator");
}

static void put_when(struct dump *d, const struct expr *when)
{
    if (when == NULL)
        return;
    put_text(d, " when ");
    put_expr(d, when);
}

static void put_log(struct dump *d, const struct config_log *log)
{
    put_text(d, " ");
    switch (log->kind) {
    case LOG_STDERR: put_text(d, "stderr"); return;
    case LOG_STDOUT: put_text(d, "stdout"); return;
    case LOG_SYSLOG: put_text(d, "syslog@"); break;
    case LOG_FILE: break;
    }
    put_word(d, log->where);
}

static void put_on_off(struct dump *d, const char *name, bool is_on)
{
    put_directive(d, name);
    put_text(d, is_on ? " on\n" : " off\n");
}

static void dump_global(struct dump *d, const struct config_global *g)
{
    put_text(d, "global");
    open_block(d);
    put_directive(d, "workers ");
    put_number(d, g->workers);
    end_line(d);
    put_directive(d, g->poller == POLLER_POLL ? "poller poll\n" : "poller epoll\n");
    if (g->has_user) {
        put_directive(d, "user ");
        put_word(d, g->user);
        put_text(d, g->group.n > 0 ? " " : "");
        put(d, g->group);
        end_line(d);
    }
    if (g->pid_file.n > 0) {
        put_directive(d, "pid-file ");
        put_word(d, g->pid_file);
        end_line(d);
    }
    put_directive(d, "max-connections ");
    put_number(d, g->max_connections);
    end_line(d);
    put_directive(d, "log");
    put_log(d, &g->log);
    put_option(d, "level");
    put_text(d, log_level_names[g->log_level]);
    put_option(d, "format");
    put_text(d, g->log_format == LOG_JSON ? "json\n" : "text\n");
    put_directive(d, "shutdown-timeout ");
    put_duration(d, g->shutdown_timeout_ms);
    end_line(d);
    put_on_off(d, "server-header", g->server_header);
    close_block(d);
}

static void dump_spool(struct dump *d, const struct config_spool *s)
{
    if (s->is_built_in)
        return;
    put_text(d, "\nspool ");
    put(d, s->name);
    open_block(d);
    put_directive(d, "path ");
    put_word(d, s->path);
    end_line(d);
    if (s->n_levels > 0)
        put_directive(d, "levels");
    for (unsigned i = 0; i < s->n_levels; i++) {
        put_text(d, " ");
        put_number(d, s->levels[i]);
    }
    if (s->n_levels > 0)
        end_line(d);
    if (s->has_quota) {
        put_directive(d, "quota ");
        put_size(d, s->quota_bytes);
        end_line(d);
    }
    put_directive(d, "reserve ");
    put_size(d, s->reserve_bytes);
    end_line(d);
    close_block(d);
}

static void put_spool(struct dump *d, const struct config_spool *spool)
{
    if (spool->is_built_in)
        return;
    put_option(d, "spool");
    put(d, spool->name);
}

static void dump_backend(struct dump *d, const struct config_backend *b)
{
    put_text(d, "\nbackend ");
    put(d, b->name);
    open_block(d);
    put_directive(d, "balance roundrobin\n");
    put_directive(d, "keepalive ");
    put_number(d, b->keepalive);
    put_option(d, "idle");
    put_duration(d, b->keepalive_idle_ms);
    end_line(d);
    for (size_t i = 0; i < b->n_servers; i++) {
        put_directive(d, "server ");
        put(d, b->servers[i].name);
        put_text(d, " ");
        put_word(d, b->servers[i].address);
        end_line(d);
    }
    close_block(d);
}

/*
 * The policies: each compares with `outer`, the policy of the frontend around (NULL: none), and writes
 * what differs. Rule lists of a route start with those of its frontend.
 */
static void dump_buffering(struct dump *d, const struct policy *p, const struct policy *outer)
{
    if (outer == NULL || p->request_buffering != outer->request_buffering ||
        p->request_memory_bytes != outer->request_memory_bytes ||
        p->request_spool != outer->request_spool) {
        put_directive(d, "request-buffering ");
        put_text(d, p->request_buffering == REQUEST_HOLD ? "hold" : "stream");
        put_option(d, "memory");
        put_size(d, p->request_memory_bytes);
        put_spool(d, p->request_spool);
        end_line(d);
    }
    if (outer != NULL && p->response_buffering == outer->response_buffering &&
        p->response_memory_bytes == outer->response_memory_bytes &&
        p->response_max_bytes == outer->response_max_bytes &&
        p->response_spool == outer->response_spool)
        return;
    put_directive(d, "response-buffering ");
    if (!p->response_buffering) {
        put_text(d, "off\n");
        return;
    }
    put_text(d, "on memory ");
    put_size(d, p->response_memory_bytes);
    put_spool(d, p->response_spool);
    put_option(d, "max");
    put_size(d, p->response_max_bytes);
    end_line(d);
}

static bool same_retry(const struct policy *a, const struct policy *b)
{
    return a->retry_attempts == b->retry_attempts && a->retry_on_reset == b->retry_on_reset &&
           a->retry_on_timeout == b->retry_on_timeout && a->retry_on_empty == b->retry_on_empty &&
           a->n_retry_statuses == b->n_retry_statuses &&
           memcmp(a->retry_statuses, b->retry_statuses,
                  a->n_retry_statuses * sizeof(*a->retry_statuses)) == 0;
}

static void dump_retry(struct dump *d, const struct policy *p, const struct policy *outer)
{
    if (outer != NULL && same_retry(p, outer))
        return;
    put_directive(d, "retry ");
    put_number(d, p->retry_attempts);
    put_text(d, " on");
    put_text(d, p->retry_on_reset ? " reset" : "");
    put_text(d, p->retry_on_timeout ? " timeout" : "");
    put_text(d, p->retry_on_empty ? " empty-response" : "");
    for (size_t i = 0; i < p->n_retry_statuses; i++) {
        put_text(d, " ");
        put_number(d, p->retry_statuses[i]);
    }
    end_line(d);
}

static void dump_timing(struct dump *d, const struct policy *p, const struct policy *outer)
{
    static const char *const replays[] = {"replay safe\n", "replay always\n", "replay never\n"};

    if (outer == NULL || p->max_body_bytes != outer->max_body_bytes) {
        put_directive(d, "max-body ");
        put_size(d, p->max_body_bytes);
        end_line(d);
    }
    if (outer == NULL || p->hold_ms != outer->hold_ms || p->hold_all != outer->hold_all) {
        put_directive(d, "hold ");
        put_duration(d, p->hold_ms);
        put_text(d, p->hold_all ? " all\n" : "\n");
    }
    dump_retry(d, p, outer);
    if (outer == NULL || p->replay != outer->replay)
        put_directive(d, replays[p->replay]);
    for (size_t i = 0; i < TIMEOUT_N; i++) {
        if (outer != NULL && p->timeout_ms[i] == outer->timeout_ms[i])
            continue;
        put_directive(d, "timeout ");
        put_text(d, timeout_names[i]);
        put_text(d, " ");
        if (p->timeout_ms[i] == TIMEOUT_NEVER)
            put_text(d, "never");
        else
            put_duration(d, p->timeout_ms[i]);
        end_line(d);
    }
}

static void dump_error_page(struct dump *d, unsigned status, const struct error_page *page)
{
    put_directive(d, "error-page ");
    put_number(d, status);
    put_text(d, status < 10 ? "xx" : "");
    if (page->status != 0) {
        put_option(d, "=>");
        put_number(d, page->status);
        put_text(d, page->any_method ? " any-method" : "");
    }
    switch (page->kind) {
    case ERROR_PAGE_FILE:
        put_option(d, "file");
        put_word(d, page->path);
        break;
    case ERROR_PAGE_TEXT:
        put_option(d, "text");
        put_template(d, &page->text);
        break;
    case ERROR_PAGE_REDIRECT:
        put_option(d, "redirect");
        put_template(d, &page->text);
        break;
    case ERROR_PAGE_ROUTE:
        put_option(d, "route");
        put(d, page->route->name);
        break;
    }
    end_line(d);
}

/* The page that a set has for exactly this key, or NULL. */
static const struct error_page *page_of(const struct error_pages *set, unsigned key)
{
    for (size_t i = 0; i < set->n_keys; i++)
        if (set->keys[i].status_or_class == key)
            return set->keys[i].page;
    return NULL;
}

static void dump_error_pages(struct dump *d, const struct policy *p, const struct policy *outer)
{
    for (size_t i = 0; i < p->error_pages->n_keys; i++) {
        const struct error_page_key *key = &p->error_pages->keys[i];

        if (outer == NULL || page_of(outer->error_pages, key->status_or_class) != key->page)
            dump_error_page(d, key->status_or_class, key->page);
    }
}

static void dump_header_rules(struct dump *d, const char *directive, const struct header_rule *rules,
                              size_t from, size_t n)
{
    static const char *const kinds[] = {"set-header", "add-header", "del-header"};

    for (size_t i = from; i < n; i++) {
        put_directive(d, directive);
        put_option(d, kinds[rules[i].kind]);
        put_word(d, rules[i].name);
        if (rules[i].kind != HEADER_DEL) {
            put_text(d, " ");
            put_template(d, &rules[i].value);
        }
        end_line(d);
    }
}

static void put_net(struct dump *d, const struct cidr *net)
{
    char text[ADDR_TEXT_MAX];
    struct addr addr = {.n = sizeof(addr.at.v6)};
    bool is_v4 = net->bits >= 96 && memcmp(net->base.bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;

    addr.at.v6.sin6_family = AF_INET6;
    memcpy(&addr.at.v6.sin6_addr, net->base.bytes, 16);
    if (is_v4) {
        addr = (struct addr){.n = sizeof(addr.at.v4)};
        addr.at.v4.sin_family = AF_INET;
        memcpy(&addr.at.v4.sin_addr, net->base.bytes + 12, 4);
    }
    put_text(d, " ");
    put(d, (struct str){text, addr_host_text(&addr, text)});
    if (net->bits == 128)
        return;
    put_text(d, "/");
    put_number(d, net->bits - (is_v4 ? 96 : 0));
}

static void dump_access_rules(struct dump *d, const struct policy *p, size_t from)
{
    for (size_t i = from; i < p->n_access_rules; i++) {
        const struct access_rule *rule = &p->access_rules[i];

        put_directive(d, rule->is_allow ? "allow" : "deny");
        put_text(d, rule->for_all ? " all" : "");
        for (size_t n = 0; !rule->for_all && n < rule->n_nets; n++)
            put_net(d, &rule->nets[n]);
        put_when(d, rule->when);
        if (!rule->is_allow) {
            put_text(d, " ");
            put_number(d, rule->status);
        }
        end_line(d);
    }
}

static bool same_template(const struct template *a, const struct template *b)
{
    for (size_t i = 0; i < a->n_ops && a->n_ops == b->n_ops; i++)
        if (a->ops[i].is_variable != b->ops[i].is_variable ||
            !str_eq(a->ops[i].literal, b->ops[i].literal) ||
            a->ops[i].var.id != b->ops[i].var.id ||
            !str_eq(a->ops[i].var.argument, b->ops[i].var.argument))
            return false;
    return a->n_ops == b->n_ops;
}

static bool same_log(const struct policy *a, const struct policy *b)
{
    if (a->access_log == NULL || b->access_log == NULL)
        return a->access_log == b->access_log;
    return a->access_log->kind == b->access_log->kind &&
           str_eq(a->access_log->where, b->access_log->where) &&
           same_template(&a->access_log_line, &b->access_log_line);
}

static void dump_access_log(struct dump *d, const struct policy *p, const struct policy *outer)
{
    if (outer != NULL && same_log(p, outer))
        return;
    put_directive(d, "access-log");
    if (p->access_log == NULL) {
        put_text(d, " off\n");
        return;
    }
    put_log(d, p->access_log);
    put_option(d, "format");
    put_template(d, &p->access_log_line);
    end_line(d);
}

static void dump_policy(struct dump *d, const struct policy *p, const struct policy *outer)
{
    static const char *const modes[] = {"append", "replace", "off"};

    if (p == outer)
        return;
    dump_buffering(d, p, outer);
    dump_timing(d, p, outer);
    dump_error_pages(d, p, outer);
    if (outer == NULL || p->intercept_errors != outer->intercept_errors)
        put_on_off(d, "intercept-errors", p->intercept_errors);
    dump_header_rules(d, "http-request", p->request_rules,
                      outer == NULL ? 0 : outer->n_request_rules, p->n_request_rules);
    dump_header_rules(d, "http-response", p->response_rules,
                      outer == NULL ? 0 : outer->n_response_rules, p->n_response_rules);
    if (outer == NULL || p->forwarded != outer->forwarded) {
        put_directive(d, "forwarded-headers ");
        put_text(d, modes[p->forwarded]);
        end_line(d);
    }
    dump_access_rules(d, p, outer == NULL ? 0 : outer->n_access_rules);
    dump_access_log(d, p, outer);
}

static void dump_bind(struct dump *d, const struct config_bind *bind)
{
    put_directive(d, "bind ");
    put_word(d, bind->text);
    open_block(d);
    put_directive(d, "backlog ");
    put_number(d, bind->backlog);
    end_line(d);
    if (bind->has_mode) {
        char octal[] = {'m', 'o', 'd', 'e', ' ', '0', (char)('0' + (bind->mode >> 6 & 7)),
                        (char)('0' + (bind->mode >> 3 & 7)), (char)('0' + (bind->mode & 7)),
                        '\n', '\0'};

        put_directive(d, octal);
    }
    close_block(d);
}

static void dump_action(struct dump *d, const struct config_route *route)
{
    switch (route->action) {
    case ACTION_BACKEND:
        put_directive(d, "use-backend ");
        put(d, route->backend->name);
        end_line(d);
        return;
    case ACTION_RESPOND:
        put_directive(d, "respond ");
        put_number(d, route->status);
        put_text(d, " ");
        put_template(d, &route->text);
        open_block(d);
        put_directive(d, "content-type ");
        put_word(d, route->content_type);
        end_line(d);
        close_block(d);
        return;
    case ACTION_REDIRECT:
        put_directive(d, "redirect ");
        put_number(d, route->status);
        put_text(d, " ");
        put_template(d, &route->text);
        end_line(d);
        return;
    }
}

static void dump_route(struct dump *d, const struct config_route *route)
{
    put_directive(d, "route ");
    put(d, route->name);
    put_when(d, route->when);
    open_block(d);
    if (route->is_internal)
        put_directive(d, "internal\n");
    dump_policy(d, route->policy, route->frontend->policy);
    dump_action(d, route);
    close_block(d);
}

static void dump_frontend(struct dump *d, const struct config_frontend *f)
{
    put_text(d, "\nfrontend ");
    put(d, f->name);
    open_block(d);
    for (size_t i = 0; i < f->n_binds; i++)
        dump_bind(d, &f->binds[i]);
    dump_policy(d, f->policy, NULL);
    for (size_t i = 0; i < f->n_routes; i++)
        dump_route(d, f->routes[i]);
    close_block(d);
}

static void dump_config(struct dump *d, const struct config *config)
{
    dump_global(d, &config->global);
    for (size_t i = 0; i < config->n_spools; i++)
        dump_spool(d, &config->spools[i]);
    for (size_t i = 0; i < config->n_frontends; i++)
        dump_frontend(d, &config->frontends[i]);
    for (size_t i = 0; i < config->n_backends; i++)
        dump_backend(d, &config->backends[i]);
}

struct str config_dump(const struct config *config, struct arena *a)
{
    struct dump counted = {.out = NULL};
    struct dump written = {.out = NULL};

    dump_config(&counted, config);
    written.out = arena_text(a, counted.n + 1);
    if (written.out == NULL)
        return STR_EMPTY;
    dump_config(&written, config);
    assert(written.n == counted.n);
    written.out[written.n] = '\0';
    return (struct str){written.out, written.n};
}

/*
 * build_policy - a complete struct policy out of a layer.
 */
#include "conf/build.h"

#include "base/panic.h"
#include "conf/log_format.h"
#include "conf/suggest.h"
#include "http/media_type.h"

/* An error page is sent from memory. */
#define ERROR_PAGE_MAX ((size_t)1 << 20)
/* A slow start is nobody's fault. */
#define RATE_GRACE_MS 10000

/* The spool that a setting names; the first of the file where it names none. */
static const struct config_spool *find_spool(const struct build *b, const struct setting *s)
{
    const struct arg *arg = args_find(&s->args, "spool");
    const struct config_spool *spool = arg == NULL ? NULL : names_find(&b->spools, arg->text);

    return spool != NULL ? spool : b->config->spools;
}

static void check_spool(struct build *b, const struct setting *s)
{
    const struct arg *arg = args_find(&s->args, "spool");
    struct suggestion suggestion;

    if (arg == NULL || b->top->is_incomplete || names_find(&b->spools, arg->text) != NULL)
        return;
    suggestion = suggest_start(arg->text);
    for (size_t i = 0; i < b->config->n_spools; i++)
        suggest_offer(&suggestion, b->config->spools[i].name);
    diag_error(b->compile->diags, arg->at->span, "there is no spool '%.*s'%s", STR_ARG(arg->text),
               suggest_text(&suggestion));
}

static void check_error_page(struct build *b, const struct setting *s)
{
    const struct arg *status = args_find(&s->args, "=>");
    bool is_redirect = args_has(&s->args, "redirect");

    if (status == NULL)
        return;
    if (is_redirect && (status->number < 301 || status->number > 308 ||
                        (status->number > 303 && status->number < 307)))
        diag_error(b->compile->diags, status->at->span,
                   "a redirect has the status 301, 302, 303, 307 or 308");
    else if (!is_redirect && status->number / 100 == 3)
        diag_error(b->compile->diags, status->at->span,
                   "a status 3xx needs a place to go to: use 'redirect'");
}

void build_check_policy(struct build *b, const struct scope *scope)
{
    for (const struct setting *s = scope->first; s != NULL; s = s->next) {
        if (s->is_bad)
            continue;
        if (s->row->id == SETTING_REQUEST_BUFFERING || s->row->id == SETTING_RESPONSE_BUFFERING)
            check_spool(b, s);
        if (s->row->id == SETTING_ERROR_PAGE)
            check_error_page(b, s);
    }
}

static void read_page(struct build *b, struct error_page *page, const struct arg *path)
{
    struct compile *c = b->compile;
    const char *why =
        c->files->read(c->files, path->text, ERROR_PAGE_MAX, c->scratch.arena, &page->body);

    page->path = path->text;
    page->content_type = media_type_of(path->text);
    if (why == NULL)
        page->body = store_str(&c->keep, page->body);
    else
        diag_error(c->diags, path->at->span, "cannot read '%.*s': %s", STR_ARG(path->text), why);
}

/* `route NAME`: an internal route of the frontend in hand that answers by itself. */
static void link_page(struct build *b, struct error_page *page, const struct arg *name)
{
    const struct config_route *route = names_find(&b->routes, name->text);
    struct diags *d = b->compile->diags;
    struct span span = name->at->span;

    page->route = route;
    if (route == NULL && b->frontend_scope->is_incomplete)
        return;
    if (route == NULL)
        diag_error(d, span, "there is no route '%.*s' in frontend '%.*s'", STR_ARG(name->text),
                   STR_ARG(b->frontend->name));
    else if (!route->is_internal)
        diag_error(d, span, "an error page leads only to a route that is 'internal'; '%.*s' is not",
                   STR_ARG(route->full_name));
    else if (route->action == ACTION_BACKEND || route->action == ACTION_STATUS_PAGE)
        diag_error(d, span,
                   "an error page leads to no %s: '%.*s' needs 'respond', 'redirect' or "
                   "'files'",
                   route->action == ACTION_BACKEND ? "backend" : "status page",
                   STR_ARG(route->full_name));
}

/* The page of a setting: made once, or for `route` once for each frontend. */
static const struct error_page *build_page(struct build *b, const struct setting *s)
{
    const struct arg *status = args_find(&s->args, "=>");
    const struct arg *what = s->args.last;
    struct error_page *page;

    if (s->built->page != NULL &&
        (s->built->page->kind != ERROR_PAGE_ROUTE || s->built->frontend == b->frontend))
        return s->built->page;
    page = store_new(&b->compile->keep, struct error_page);
    page->status = status == NULL ? 0 : (unsigned)status->number;
    page->any_method = args_has(&s->args, "any-method");
    page->content_type = STR("text/plain");
    page->place = build_place(b, s->statement->words.first->span);
    page->text = what->template;
    if (args_has(&s->args, "file")) {
        page->kind = ERROR_PAGE_FILE;
        read_page(b, page, what);
    } else if (args_has(&s->args, "text")) {
        page->kind = ERROR_PAGE_TEXT;
    } else if (args_has(&s->args, "redirect")) {
        page->kind = ERROR_PAGE_REDIRECT;
    } else {
        page->kind = ERROR_PAGE_ROUTE;
        link_page(b, page, what);
    }
    *s->built = (struct setting_built){page, b->frontend, s->built->is_warned};
    return page;
}

static const struct error_pages *build_pages(struct build *b, const struct layer *layer)
{
    struct error_pages *pages = store_new(&b->compile->keep, struct error_pages);
    struct error_page_key *keys = store_zalloc(&b->compile->keep, layer->n_pages, sizeof(*keys));

    for (size_t i = 0; i < layer->n_pages; i++)
        keys[i] = (struct error_page_key){layer->pages[i].status_or_class,
                                          build_page(b, layer->pages[i].setting)};
    *pages = (struct error_pages){keys, layer->n_pages};
    return pages;
}

/* The word of a setting whose form is `a|b|c`, as an index into names. */
static unsigned choose(const struct setting *s, const char *const *names, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (args_has(&s->args, names[i]))
            return i;
    unreachable("the form lets no other word through");
}

static const struct http_rule *make_http_rule(struct build *b, const struct setting *s)
{
    static const char *const kinds[] = {"set-header", "add-header", "del-header",
                                        "set-path",   "set-query",  "set-status"};
    struct http_rule *rule = store_new(&b->compile->keep, struct http_rule);
    const struct arg *first = s->args.first->next;

    rule->kind = (enum http_rule_kind)choose(s, kinds, 6);
    rule->place = build_place(b, s->statement->span);
    if (first->type == FORM_FIELD) {
        rule->name = first->text;
        rule->id = field_find(first->text);
    }
    if (s->args.last->type == FORM_TEMPLATE)
        rule->value = s->args.last->template;
    if (rule->kind == RULE_SET_STATUS)
        rule->status = (unsigned)s->args.last->number;
    return rule;
}

static const struct access_rule *make_access_rule(struct build *b, const struct setting *s)
{
    struct access_rule *rule = store_new(&b->compile->keep, struct access_rule);
    struct cidr *nets = store_zalloc(&b->compile->keep, s->args.n, sizeof(*nets));

    *rule = (struct access_rule){
        .is_allow = s->row->id == SETTING_ALLOW,
        .nets = nets,
        .when = s->when,
        .status = 403,
        .place = build_place(b, s->statement->span),
    };
    for (const struct arg *arg = s->args.first; arg != NULL; arg = arg->next) {
        if (arg->type == FORM_CODE)
            rule->status = (unsigned)arg->number;
        else if (str_eq(arg->text, STR("all")))
            rule->for_all = true;
        else
            nets[rule->n_nets++] = arg->net;
    }
    rule->for_all = rule->for_all || rule->n_nets == 0;
    return rule;
}

/* A list of pointers to rules. Each rule is made once, and so is each list, wherever they hold. */
static const void *build_rules(struct build *b, struct layer_rules *rules)
{
    const void **list;

    if (rules->built != NULL)
        return rules->built;
    list = store_zalloc(&b->compile->keep, rules->n, sizeof(*list));
    for (size_t i = 0; i < rules->n; i++) {
        struct setting *s = (struct setting *)rules->list[i];
        bool is_access = s->row->id == SETTING_ALLOW || s->row->id == SETTING_DENY;

        if (s->built_rule == NULL)
            s->built_rule = is_access ? (const void *)make_access_rule(b, s)
                                      : (const void *)make_http_rule(b, s);
        list[i] = s->built_rule;
    }
    rules->built = list;
    return list;
}

static void build_buffering(struct build *b, struct policy *p, const struct layer *layer)
{
    const struct scope *defaults = b->policy_defaults;
    const struct setting *request = layer->settings[SETTING_REQUEST_BUFFERING];
    const struct setting *response = layer->settings[SETTING_RESPONSE_BUFFERING];

    p->request_buffering = args_has(&request->args, "hold")   ? REQUEST_HOLD
                           : args_has(&request->args, "tee")  ? REQUEST_TEE
                           : args_has(&request->args, "auto") ? REQUEST_AUTO
                                                              : REQUEST_STREAM;
    p->request_memory_bytes = build_option(request, defaults, "memory")->number;
    p->request_spool = find_spool(b, request);
    p->response_buffering = args_has(&response->args, "on")     ? RESPONSE_ON
                            : args_has(&response->args, "auto") ? RESPONSE_AUTO
                                                                : RESPONSE_OFF;
    p->response_memory_bytes = build_option(response, defaults, "memory")->number;
    p->response_max_bytes = build_option(response, defaults, "max")->number;
    p->response_spool = find_spool(b, response);
    p->max_body_bytes = layer->settings[SETTING_MAX_BODY]->args.first->number;
}

/* Where nobody says how long a server may think, it is as long as it may take to go on. */
static const struct setting *timeout_of(const struct layer *layer, size_t i)
{
    return layer->timeouts[i] != NULL ? layer->timeouts[i] : layer->timeouts[TIMEOUT_SERVER_READ];
}

static void build_timeouts(struct policy *p, const struct layer *layer)
{
    for (size_t i = 0; i < TIMEOUT_N; i++)
        p->timeout_ms[i] = (uint32_t)timeout_of(layer, i)->args.last->number;
}

/* How patient the proxy is with a client that sends. */
static void build_patience(struct build *b, struct policy *p, const struct layer *layer)
{
    const struct setting *rate = layer->settings[SETTING_MIN_BODY_RATE];
    const struct setting *lingering = layer->settings[SETTING_LINGERING];
    const struct arg *grace = args_find(&rate->args, "grace");

    if (!args_has(&rate->args, "off")) {
        p->min_body_rate = rate->args.first->number;
        p->min_body_rate_grace_ms = grace == NULL ? RATE_GRACE_MS : (uint32_t)grace->number;
    }
    p->linger_ms = (uint32_t)lingering->args.first->number;
    p->linger_bytes = build_option(lingering, b->policy_defaults, "max")->number;
}

/* `retry N on WORD…`: without `on`, the words of the default. */
static void build_retry(struct build *b, struct policy *p, const struct setting *s)
{
    const struct arg *on = build_option(s, b->policy_defaults, "on");
    uint16_t *statuses = store_zalloc(&b->compile->keep, s->args.n, sizeof(*statuses));

    p->retry_attempts = (unsigned)s->args.first->number;
    p->retry_statuses = statuses;
    for (; on != NULL; on = on->next) {
        if (str_eq(on->text, STR("reset")))
            p->retry_on_reset = true;
        else if (str_eq(on->text, STR("timeout")))
            p->retry_on_timeout = true;
        else if (str_eq(on->text, STR("empty-response")))
            p->retry_on_empty = true;
        else
            statuses[p->n_retry_statuses++] = (uint16_t)on->number;
    }
}

static void build_access_log(struct build *b, struct policy *p, const struct setting *s)
{
    const struct arg *format = args_find(&s->args, "format");
    struct config_log *log;

    if (args_has(&s->args, "off"))
        return;
    log = store_new(&b->compile->keep, struct config_log);
    *log = build_log(b, s->args.first);
    p->access_log = log;
    p->access_log_format = log_format_find(b->compile, format);
}

/* The built-in defaults are a text of their own, in which no line has a number. */
static struct config_place origin_of(struct build *b, const struct setting *s)
{
    struct config_place place = {STR(""), 0};

    if (s != NULL)
        place = build_place(b, s->statement->span);
    if (str_eq(place.file, STR(RESOLVE_BUILT_IN)))
        place.line = 0;
    return place;
}

static const struct policy_origins *build_origins(struct build *b, const struct layer *layer)
{
    struct policy_origins *origins;

    if (!b->compile->wants_origins)
        return NULL;
    origins = store_new(&b->compile->keep, struct policy_origins);
    for (size_t i = 0; i < SETTING_N; i++)
        origins->settings[i] = origin_of(b, layer->settings[i]);
    for (size_t i = 0; i < TIMEOUT_N; i++)
        origins->timeouts[i] = origin_of(b, timeout_of(layer, i));
    return origins;
}

static const struct policy *make_policy(struct build *b, struct layer *layer)
{
    static const char *const replays[] = {"safe", "always", "never"};
    static const char *const modes[] = {"append", "replace", "off"};
    struct policy *p = store_new(&b->compile->keep, struct policy);
    const struct setting *hold = layer->settings[SETTING_HOLD];

    build_buffering(b, p, layer);
    build_patience(b, p, layer);
    p->hold_ms = (uint32_t)hold->args.first->number;
    p->hold_all = args_has(&hold->args, "all");
    build_retry(b, p, layer->settings[SETTING_RETRY]);
    p->replay = (enum replay_when)choose(layer->settings[SETTING_REPLAY], replays, 3);
    build_timeouts(p, layer);
    p->error_pages = build_pages(b, layer);
    p->intercept_errors = args_has(&layer->settings[SETTING_INTERCEPT_ERRORS]->args, "on");
    p->request_rules = build_rules(b, &layer->request_rules);
    p->n_request_rules = layer->request_rules.n;
    p->response_rules = build_rules(b, &layer->response_rules);
    p->n_response_rules = layer->response_rules.n;
    p->forwarded =
        (enum forwarded_mode)choose(layer->settings[SETTING_FORWARDED_HEADERS], modes, 3);
    p->trusted_proxies = build_peers(b, layer->settings[SETTING_TRUSTED_PROXIES]->args.first);
    p->access_rules = build_rules(b, &layer->access_rules);
    p->n_access_rules = layer->access_rules.n;
    build_access_log(b, p, layer->settings[SETTING_ACCESS_LOG]);
    p->origins = build_origins(b, layer);
    return p;
}

const struct policy *build_policy(struct build *b, struct layer *layer)
{
    if (layer->built == NULL || layer->built_for != b->frontend) {
        layer->built = make_policy(b, layer);
        layer->built_for = b->frontend;
    }
    return layer->built;
}

/*
 * lint - what is legal in a configuration and will surprise.
 *
 * Settings of policies are looked at by where they are in force: one that could have an effect on
 * some route is in order, however many others it means nothing to.
 */
#include "conf/lint.h"

#include "conf/acl.h"
#include "conf/implies.h"
#include "conf/let.h"
#include "conf/lint_routes.h"
#include "conf/log_format.h"
#include "conf/quantity.h"

/* --- what nothing uses --- */

static void warn_unused(struct build *b, const struct setting *s, const char *what)
{
    diag_warning(b->compile->diags, setting_span(s), "%s '%.*s'", what, STR_ARG(setting_name(s)));
}

static void lint_backends(struct build *b)
{
    size_t i = 0;

    for (const struct setting *s = build_first(b->top, SETTING_BACKEND); s != NULL;
         s = build_next(s))
        if (!b->is_backend_used[i++])
            warn_unused(b, s, "no route uses the backend");
}

static bool spool_is_used(const struct build *b, const struct config_spool *spool)
{
    for (const struct built_layer *l = b->layers; l != NULL; l = l->next)
        if (l->policy->request_spool == spool || l->policy->response_spool == spool)
            return true;
    return false;
}

static void lint_names(struct build *b)
{
    const struct compile *c = b->compile;
    size_t i = 0;

    for (const struct setting *s = build_first(b->top, SETTING_SPOOL); s != NULL; s = build_next(s))
        if (!spool_is_used(b, &b->config->spools[i++]))
            warn_unused(b, s, "nothing is held in the spool");
    for (const struct setting *s = build_first(b->top, SETTING_ACL); s != NULL; s = build_next(s))
        if (!acl_is_used(c, s))
            warn_unused(b, s, "no condition uses the acl");
    for (const struct setting *s = build_first(b->top, SETTING_POLICY); s != NULL;
         s = build_next(s))
        if (!resolve_is_used(c, s))
            warn_unused(b, s, "no frontend or route uses the policy");
    for (const struct setting *s = build_first(b->top, SETTING_LOG_FORMAT); s != NULL;
         s = build_next(s))
        if (!log_format_is_used(c, s))
            warn_unused(b, s, "no access log uses the format");
    for (const struct setting *s = build_first(b->top, SETTING_LET); s != NULL; s = build_next(s))
        if (!let_is_used(c, s))
            warn_unused(b, s, "no word below uses the value");
}

/* --- the disks of spools --- */

static void lint_spool(struct build *b, const struct config_spool *spool, const struct setting *s)
{
    const struct setting *path = scope_first(s->block, SETTING_SPOOL_PATH);
    const struct setting *quota = scope_first(s->block, SETTING_QUOTA);
    const struct files *files = b->compile->files;
    char text[QUANTITY_TEXT_MAX];
    struct files_disk disk;

    if (path == NULL || !files->disk(files, spool->path, &disk))
        return;
    if (disk.doubt != NULL)
        diag_warning(b->compile->diags, setting_span(path), "the spool '%.*s' is %s",
                     STR_ARG(spool->name), disk.doubt);
    if (quota != NULL && spool->quota_bytes > disk.total_bytes)
        diag_warning(b->compile->diags, setting_span(quota),
                     "the quota is above the size of the disk, which is %.*s",
                     (int)quantity_put_size(text, disk.total_bytes >> 20 << 20), text);
}

static void lint_spools(struct build *b)
{
    size_t i = 0;

    for (const struct setting *s = build_first(b->top, SETTING_SPOOL); s != NULL; s = build_next(s))
        lint_spool(b, &b->config->spools[i++], s);
}

/* --- settings that can have no effect --- */

/* Why a setting means nothing to a frontend or route; NULL: it may mean something. */
typedef const char *(*effect_fn)(const struct built_layer *l);

static bool is_proxied(const struct built_layer *l)
{
    return l->route != NULL && l->route->action == ACTION_BACKEND;
}

/* A frontend's own policy is in force where no route is found: nothing is proxied there. */
static const char *of_proxied(const struct built_layer *l)
{
    return is_proxied(l) ? NULL : "no route where it is in force goes to a backend";
}

static const char *of_hold(const struct built_layer *l)
{
    if (!is_proxied(l))
        return of_proxied(l);
    if (l->policy->request_buffering == REQUEST_STREAM && !l->policy->hold_all)
        return "where it is in force requests are streamed: what is not kept cannot wait";
    return NULL;
}

static const char *of_retry(const struct built_layer *l)
{
    if (!is_proxied(l))
        return of_proxied(l);
    return l->policy->replay == REPLAY_NEVER ? "where it is in force there is 'replay never'"
                                             : NULL;
}

static const char *of_intercept(const struct built_layer *l)
{
    if (!is_proxied(l))
        return of_proxied(l);
    if (!l->policy->intercept_errors)
        return NULL;
    return l->policy->error_pages->n_keys == 0 ? "where it is in force there is no error page"
                                               : NULL;
}

/* What is timed before a request has a route is the frontend's business. */
static const char *of_frontend(const struct built_layer *l)
{
    return l->route == NULL ? NULL
                            : "it is over before a route is found: it belongs in the frontend";
}

static const char *of_body_timeout(const struct built_layer *l)
{
    const struct policy *p = l->policy;

    if (!is_proxied(l))
        return of_proxied(l);
    if (p->timeout_ms[TIMEOUT_CLIENT_BODY] >= p->timeout_ms[TIMEOUT_REQUEST_BODY_TOTAL] &&
        p->timeout_ms[TIMEOUT_CLIENT_BODY] != TIMEOUT_NEVER)
        return "it cannot fire: 'timeout request-body-total' is shorter";
    return NULL;
}

static const char *of_rate(const struct built_layer *l)
{
    const struct policy *p = l->policy;

    if (!is_proxied(l))
        return of_proxied(l);
    if (p->min_body_rate != 0 &&
        p->min_body_rate_grace_ms >= p->timeout_ms[TIMEOUT_REQUEST_BODY_TOTAL])
        return "it is never looked at: 'timeout request-body-total' is shorter than its grace";
    return NULL;
}

static const char *of_connect(const struct built_layer *l)
{
    const struct policy *p = l->policy;

    if (!is_proxied(l))
        return of_proxied(l);
    if (p->hold_all && p->hold_ms > 0 && p->timeout_ms[TIMEOUT_CONNECT] >= p->hold_ms &&
        p->timeout_ms[TIMEOUT_CONNECT] != TIMEOUT_NEVER)
        return "it cannot fire: 'hold', which runs meanwhile, is shorter";
    return NULL;
}

static const char *of_server_idle(const struct built_layer *l)
{
    uint32_t ms = l->policy->timeout_ms[TIMEOUT_SERVER_IDLE];

    if (!is_proxied(l))
        return of_proxied(l);
    if (l->route->backend->keepalive == 0)
        return "it cannot fire: the backend keeps no connection idle";
    return ms != TIMEOUT_NEVER && ms > l->route->backend->keepalive_idle_ms
               ? "it cannot fire: 'idle' of the backend's 'keepalive' is shorter"
               : NULL;
}

static const char *of_anything(const struct built_layer *l)
{
    (void)l;
    return NULL;
}

static effect_fn effect_of_timeout(enum timeout_what what)
{
    switch (what) {
    case TIMEOUT_CLIENT_HEADER:
    case TIMEOUT_CLIENT_IDLE: return of_frontend;
    case TIMEOUT_CLIENT_BODY: return of_body_timeout;
    case TIMEOUT_CLIENT_WRITE: return of_anything;
    case TIMEOUT_CONNECT: return of_connect;
    case TIMEOUT_SERVER_IDLE: return of_server_idle;
    case TIMEOUT_SERVER_READ:
    case TIMEOUT_SERVER_WRITE:
    case TIMEOUT_SERVER_THINK:
    case TIMEOUT_UPGRADED:
    case TIMEOUT_REQUEST_BODY_TOTAL: return of_proxied;
    case TIMEOUT_N: break;
    }
    return of_anything;
}

static enum timeout_what timeout_of(const struct setting *s)
{
    unsigned i = 0;

    while (i < TIMEOUT_N && !str_eq(setting_name(s), str_of(timeout_names[i])))
        i++;
    return (enum timeout_what)i;
}

static effect_fn effect_of(const struct setting *s)
{
    switch ((unsigned)s->row->id) {
    case SETTING_TIMEOUT: return effect_of_timeout(timeout_of(s));
    case SETTING_HOLD: return of_hold;
    case SETTING_RETRY: return of_retry;
    case SETTING_INTERCEPT_ERRORS: return of_intercept;
    case SETTING_MIN_BODY_RATE: return of_rate;
    case SETTING_REQUEST_BUFFERING:
    case SETTING_RESPONSE_BUFFERING:
    case SETTING_MAX_BODY:
    case SETTING_REPLAY:
    case SETTING_HTTP_REQUEST:
    case SETTING_FORWARDED_HEADERS: return of_proxied;
    default: return of_anything;
    }
}

/* What is in force of a row; timeouts each by itself. NULL: something else is. */
static bool is_in_force(const struct layer *layer, const struct setting *s)
{
    if (s->row->id == SETTING_TIMEOUT)
        return layer->timeouts[timeout_of(s)] == s;
    if (s->row->id != SETTING_HTTP_REQUEST)
        return layer->settings[s->row->id] == s;
    for (size_t i = 0; i < layer->request_rules.n; i++)
        if (layer->request_rules.list[i] == s)
            return true;
    return false;
}

/* Warn if the setting means nothing anywhere. */
static void lint_setting(struct build *b, const struct setting *s, struct built_layer *from)
{
    effect_fn why_not = effect_of(s);
    const char *reason = "everything within sets another";

    if (why_not == of_anything || s->is_bad)
        return;
    for (const struct built_layer *l = from; l != NULL; l = l->next) {
        const char *one;

        /* Where no route is found nothing but the connection itself is timed. */
        if (!is_in_force(l->layer, s) || (l->route == NULL && why_not != of_frontend))
            continue;
        one = why_not(l);
        if (one == NULL)
            return;
        reason = one;
    }
    diag_warning(b->compile->diags, s->statement->words.first->span, "this '%s' has no effect: %s",
                 s->row->name, reason);
}

static void lint_scope(struct build *b, const struct scope *scope, struct built_layer *from)
{
    for (const struct setting *s = scope->first; s != NULL; s = s->next)
        lint_setting(b, s, from);
}

/* The settings of a route can be in force in it alone, those of a frontend in its routes too. */
static void lint_settings(struct build *b)
{
    const struct setting *defaults = scope_first(b->top, SETTING_DEFAULTS);

    if (defaults != NULL)
        lint_scope(b, defaults->block, b->layers);
    for (const struct setting *s = build_first(b->top, SETTING_POLICY); s != NULL;
         s = build_next(s))
        if (resolve_is_used(b->compile, s)) /* else that has been said */
            lint_scope(b, s->block, b->layers);
    for (struct built_layer *l = b->layers; l != NULL; l = l->next) {
        struct built_layer *keep = l->next;

        if (l->route != NULL)
            l->next = NULL;
        lint_scope(b, l->setting->block, l);
        l->next = keep;
    }
}

/* --- error pages that hide a loss --- */

/* May the route take a request whose body would be lost? */
static bool takes_uploads(const struct config_route *r)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH"};

    if (r->action != ACTION_BACKEND)
        return false;
    for (size_t i = 0; i < 3; i++) {
        struct expr_value value = {.text = str_of(methods[i])};
        struct expr is_method = {
            .op = EXPR_EQ, .var = {.id = VAR_ID_METHOD}, .values = &value, .n_values = 1};
        const struct expr *const both[] = {&is_method, r->when};
        struct expr and = {.op = EXPR_AND, .items = both, .n_items = 2};

        if (r->when == NULL || !expr_is_impossible(&and))
            return true;
    }
    return false;
}

static bool hides_loss(const struct error_page *page)
{
    bool redirects = page->kind == ERROR_PAGE_REDIRECT ||
                     (page->kind == ERROR_PAGE_ROUTE && page->route != NULL &&
                      page->route->action == ACTION_REDIRECT);

    return page->any_method && (redirects || page->status / 100 == 2);
}

/* One warning a page, at the first route that it can hurt. */
static void lint_page(struct build *b, const struct setting *s, const struct built_layer *l)
{
    const struct arg *status = args_find(&s->args, "=>");

    if (s->built->is_warned || l->setting->is_bad || l->setting->block->is_incomplete ||
        !hides_loss(s->built->page) || !takes_uploads(l->route))
        return;
    s->built->is_warned = true;
    diag_warning(b->compile->diags, status == NULL ? setting_span(s) : status->at->span,
                 "with 'any-method' a client whose upload was lost is told that all is well");
    diag_note(b->compile->diags, setting_span(l->setting), "this route takes uploads");
}

static void lint_pages(struct build *b)
{
    for (const struct built_layer *l = b->layers; l != NULL; l = l->next)
        for (size_t i = 0; l->route != NULL && i < l->layer->n_pages; i++)
            lint_page(b, l->layer->pages[i].setting, l);
}

void lint(struct build *b, const struct source *main)
{
    bool has_errors = b->top->is_incomplete || diags_n_errors(b->compile->diags) > 0;

    for (const struct built_layer *l = b->layers; l != NULL; l = l->next)
        if (l->route == NULL)
            lint_routes(b, l->setting, l->frontend);
    lint_spools(b);
    lint_pages(b);
    if (has_errors) /* what nothing uses may be meant by what was not understood */
        return;
    if (b->config->n_frontends == 0) {
        diag_warning(b->compile->diags, (struct span){main->base, main->base},
                     "there is no frontend: nothing will be served");
        return;
    }
    lint_backends(b);
    lint_names(b);
    lint_settings(b);
}

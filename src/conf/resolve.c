/*
 * resolve - who inherits what: all of it, in this one place.
 */
#include "conf/resolve.h"

#include "base/panic.h"
#include "conf/parse.h"
#include "conf/suggest.h"

#define DEFAULTS_MAX 4096
/* Policies that use policies. */
#define CHAIN_MAX 64

const char *const timeout_names[TIMEOUT_N] = {
    [TIMEOUT_CLIENT_HEADER] = "client-header",
    [TIMEOUT_CLIENT_BODY] = "client-body",
    [TIMEOUT_CLIENT_WRITE] = "client-write",
    [TIMEOUT_CLIENT_IDLE] = "client-idle",
    [TIMEOUT_CONNECT] = "connect",
    [TIMEOUT_SERVER_READ] = "server-read",
    [TIMEOUT_SERVER_WRITE] = "server-write",
    [TIMEOUT_SERVER_IDLE] = "server-idle",
    [TIMEOUT_SERVER_THINK] = "server-think",
    [TIMEOUT_UPGRADED] = "upgraded",
    [TIMEOUT_REQUEST_BODY_TOTAL] = "request-body-total",
};

/* Add `name default` for each of the defaults of a row, which are split by `;`. */
static size_t put_defaults(char *out, size_t n, const struct setting_row *row)
{
    struct str rest = str_of(row->initial);
    struct str name = str_of(row->name);

    while (rest.n > 0) {
        const char *mark = memchr(rest.p, ';', rest.n);
        size_t length = mark == NULL ? rest.n : (size_t)(mark - rest.p);

        assert(n + name.n + length + 2 <= DEFAULTS_MAX);
        memcpy(out + n, name.p, name.n);
        n += name.n;
        out[n++] = ' ';
        memcpy(out + n, rest.p, length);
        n += length;
        out[n++] = '\n';
        rest = str_slice(rest, mark == NULL ? length : length + 1, rest.n);
    }
    return n;
}

const struct scope *resolve_defaults(struct compile *c, enum place place)
{
    struct scope *scope = store_new(&c->scratch, struct scope);
    char text[DEFAULTS_MAX];
    size_t n = 0;
    size_t n_errors = diags_n_errors(c->diags);
    const struct source *source;
    const struct ast_block *block;
    bool brace_fault;

    for (size_t i = 0; i < SETTING_N; i++)
        if (setting_rows[i].initial != NULL && setting_stands_in(&setting_rows[i], place))
            n = put_defaults(text, n, &setting_rows[i]);
    source = source_add(c->sources, STR(RESOLVE_BUILT_IN), STR(""), STR(""), (struct str){text, n});
    if (source == NULL)
        store_fail(&c->scratch);
    scope->place = place;
    block = parse(c, source, &brace_fault);
    for (const struct ast_statement *at = block->first; at != NULL; at = at->next)
        check_statement(c, scope, at, false);
    assert(diags_n_errors(c->diags) == n_errors);
    return scope;
}

static bool is_policy(const struct setting_row *row)
{
    return setting_stands_in(row, PLACE_DEFAULTS);
}

static bool has_policy(const struct scope *scope)
{
    for (size_t i = 0; i < SETTING_N; i++)
        if (scope_first(scope, i) != NULL && is_policy(&setting_rows[i]))
            return true;
    return false;
}

static void layer_timeout(struct layer *layer, const struct setting *s)
{
    for (size_t i = 0; i < TIMEOUT_N; i++)
        if (str_eq(setting_name(s), str_of(timeout_names[i])))
            layer->timeouts[i] = s;
}

/* The page replaces the one for the same status or class; the others stay. */
static void layer_page(struct compile *c, struct layer *layer, const struct setting *s,
                       unsigned status)
{
    for (size_t i = 0; i < layer->n_pages; i++)
        if (layer->pages[i].status_or_class == status) {
            layer->pages[i].setting = s;
            return;
        }
    layer->pages = store_grow(&c->scratch, layer->pages, layer->n_pages, layer->n_pages + 1,
                              sizeof(*layer->pages));
    layer->pages[layer->n_pages++] = (struct layer_page){status, s};
}

/* Each layer has its own array of pages: it may replace some of them. */
static void layer_pages(struct compile *c, struct layer *layer, const struct setting *s)
{
    layer->pages = store_grow(&c->scratch, layer->pages, layer->n_pages, layer->n_pages,
                              sizeof(*layer->pages));
    for (const struct arg *arg = s->args.first; arg != NULL && arg->type == FORM_STATUS;
         arg = arg->next)
        layer_page(c, layer, s, (unsigned)arg->number);
}

/* Room for all rules of the scope is made by the first of them. */
static void layer_rule(struct compile *c, struct layer_rules *rules,
                       const struct layer_rules *outer, const struct scope *scope,
                       const struct setting *s)
{
    if (rules->list == outer->list) {
        size_t n = 0;

        for (const struct setting *at = scope->first; at != NULL; at = at->next)
            n++;
        rules->list =
            store_grow(&c->scratch, outer->list, outer->n, outer->n + n, sizeof(*rules->list));
    }
    rules->list[rules->n++] = s;
}

static void layer_add(struct compile *c, struct layer *layer, const struct layer *outer,
                      const struct scope *scope, const struct setting *s)
{
    switch (s->row->id) {
    case SETTING_TIMEOUT: layer_timeout(layer, s); return;
    case SETTING_ERROR_PAGE: layer_pages(c, layer, s); return;
    case SETTING_HTTP_REQUEST:
        layer_rule(c, &layer->request_rules, &outer->request_rules, scope, s);
        return;
    case SETTING_HTTP_RESPONSE:
        layer_rule(c, &layer->response_rules, &outer->response_rules, scope, s);
        return;
    case SETTING_ALLOW:
    case SETTING_DENY: layer_rule(c, &layer->access_rules, &outer->access_rules, scope, s); return;
    default: layer->settings[s->row->id] = s; return;
    }
}

/* A policy by its name, and the layer that it made last: routes in a row make the same again. */
struct named_policy {
    const struct setting *setting;
    bool is_used;
    unsigned chain; /* the number of the chain that it was last seen in */
    struct layer *outer;
    struct layer *layer;
    struct named_policy *next;
};

void resolve_add_policy(struct compile *c, const struct setting *s)
{
    struct named_policy *p = store_new(&c->scratch, struct named_policy);

    p->setting = s;
    if (names_add(&c->policies, &c->scratch, setting_name(s), p) != NULL)
        return; /* the checker has said that there are two */
    p->next = c->policy_list;
    c->policy_list = p;
}

bool resolve_is_used(const struct compile *c, const struct setting *policy)
{
    const struct named_policy *p = names_find(&c->policies, setting_name(policy));

    return p != NULL && p->is_used;
}

static void report_unknown(struct compile *c, const struct setting *use)
{
    struct str name = setting_name(use);
    struct suggestion s = suggest_start(name);

    for (const struct named_policy *p = c->policy_list; p != NULL; p = p->next)
        suggest_offer(&s, setting_name(p->setting));
    diag_error(c->diags, setting_span(use), "there is no policy '%.*s'%s", STR_ARG(name),
               suggest_text(&s));
}

/* The policy that a use-policy names; NULL, and the setting is bad: there is none. */
static struct named_policy *find_policy(struct compile *c, struct setting *use)
{
    struct named_policy *p;

    if (use == NULL || use->is_bad)
        return NULL;
    p = names_find(&c->policies, setting_name(use));
    if (p == NULL) {
        use->is_bad = true;
        if (!c->is_incomplete)
            report_unknown(c, use);
        return NULL;
    }
    p->is_used = true;
    return p;
}

static struct setting *use_of(const struct scope *scope)
{
    return (struct setting *)scope_first(scope, SETTING_USE_POLICY);
}

/* Follow the chain that starts in a policy; a policy that comes twice closes a loop. */
static void check_chain(struct compile *c, struct named_policy *start, unsigned number)
{
    struct named_policy *p = start;
    struct setting *use = NULL;

    for (unsigned depth = 0; p != NULL && p->chain != number && depth <= CHAIN_MAX; depth++) {
        p->chain = number;
        use = use_of(p->setting->block);
        p = find_policy(c, use);
    }
    if (p == NULL)
        return;
    use->is_bad = true;
    if (p->chain != number) {
        diag_error(c->diags, setting_span(use), "policies use each other more than %d deep",
                   CHAIN_MAX);
        return;
    }
    diag_error(c->diags, setting_span(use), "the policy '%.*s' would use itself",
               STR_ARG(setting_name(p->setting)));
    diag_note(c->diags, setting_span(p->setting), "it is this one");
}

void resolve_policies(struct compile *c)
{
    unsigned number = 0;

    for (struct named_policy *p = c->policy_list; p != NULL; p = p->next)
        if (use_of(p->setting->block) != NULL)
            check_chain(c, p, ++number);
    for (struct named_policy *p = c->policy_list; p != NULL; p = p->next)
        p->is_used = false; /* by other policies: that alone has no effect */
}

static struct layer *resolve_policy(struct compile *c, struct layer *outer, struct setting *use)
{
    struct named_policy *p = find_policy(c, use);

    if (p == NULL)
        return outer;
    if (p->layer == NULL || p->outer != outer) {
        p->layer = resolve_layer(c, outer, p->setting->block);
        p->outer = outer;
    }
    return p->layer;
}

/* Depth: that of a chain of policies, which resolve_policies has seen to end. */
struct layer *resolve_layer(struct compile *c, struct layer *outer, const struct scope *scope)
{
    static const struct layer nothing;
    struct layer *layer;

    outer = resolve_policy(c, outer, use_of(scope));
    if (outer != NULL && !has_policy(scope))
        return outer;
    layer = store_new(&c->scratch, struct layer);
    *layer = outer == NULL ? nothing : *outer;
    layer->built = NULL;
    for (const struct setting *s = scope->first; s != NULL; s = s->next)
        if (is_policy(s->row) && !s->is_bad)
            layer_add(c, layer, outer == NULL ? &nothing : outer, scope, s);
    return layer;
}

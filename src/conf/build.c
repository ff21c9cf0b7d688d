/*
 * build - from checked scopes to struct config.
 *
 * Spools and backends come first: policies and routes name them. Every table has its final size
 * before a pointer into it is taken.
 */
#include "conf/build.h"

#include "base/panic.h"
#include "conf/lint.h"
#include "conf/log_format.h"
#include "conf/matches.h"
#include "conf/route_index.h"
#include "conf/suggest.h"

#define SPOOL_LEVELS_MAX 3

struct config_place build_place(struct build *b, struct span span)
{
    const struct sources *sources = b->compile->sources;
    const struct source *source = source_of(sources, span.from);
    size_t i = 0;

    if (source == NULL)
        return (struct config_place){STR(""), 0};
    while (sources->list[i] != source)
        i++;
    if (b->file_names[i].p == NULL)
        b->file_names[i] = store_str(&b->compile->keep, source->name);
    return (struct config_place){b->file_names[i], source_line(sources, span)};
}

const struct setting *build_setting(const struct scope *scope, const struct scope *defaults,
                                    enum setting_id id)
{
    const struct setting *s = scope == NULL ? NULL : scope_first(scope, id);

    return s != NULL && !s->is_bad ? s : scope_first(defaults, id);
}

const struct arg *build_option(const struct setting *s, const struct scope *defaults,
                               const char *key)
{
    const struct arg *arg = args_find(&s->args, key);
    const struct setting *fallback = scope_first(defaults, s->row->id);

    return arg != NULL || fallback == NULL ? arg : args_find(&fallback->args, key);
}

struct peers build_peers(struct build *b, const struct arg *first)
{
    struct peers peers = {.n_nets = 0};
    struct cidr *nets;
    size_t n = 0;

    for (const struct arg *arg = first; arg != NULL && arg->type == FORM_PEER; arg = arg->next)
        n++;
    nets = store_zalloc(&b->compile->keep, n, sizeof(*nets));
    for (const struct arg *arg = first; arg != NULL && arg->type == FORM_PEER; arg = arg->next) {
        if (str_eq(arg->text, STR("unix")))
            peers.has_unix = true;
        else
            nets[peers.n_nets++] = arg->net;
    }
    peers.nets = nets;
    return peers;
}

struct config_log build_log(struct build *b, const struct arg *target)
{
    (void)b;
    if (str_eq(target->text, STR("stderr")))
        return (struct config_log){LOG_STDERR, STR("")};
    if (str_eq(target->text, STR("stdout")))
        return (struct config_log){LOG_STDOUT, STR("")};
    if (str_starts_with(target->text, STR("syslog@")))
        return (struct config_log){LOG_SYSLOG, str_slice(target->text, 7, target->text.n)};
    return (struct config_log){LOG_FILE, target->text};
}

size_t build_count(const struct scope *scope, enum setting_id id)
{
    size_t n = 0;

    for (const struct setting *s = scope->first; s != NULL; s = s->next)
        n += s->row->id == id;
    return n;
}

const struct setting *build_first(const struct scope *scope, enum setting_id id)
{
    return scope_first(scope, id);
}

const struct setting *build_next(const struct setting *s)
{
    enum setting_id id = s->row->id;

    do
        s = s->next;
    while (s != NULL && s->row->id != id);
    return s;
}

static void build_user(struct build *b, struct config_global *g, const struct setting *s)
{
    const struct files *files = b->compile->files;
    const struct arg *user = s->args.first;

    g->has_user = true;
    g->user = user->text;
    g->group = user->next == NULL ? STR("") : user->next->text;
    if (!files->user(files, user->text.p, &g->uid, &g->gid))
        diag_error(b->compile->diags, user->at->span, "this system has no user '%.*s'",
                   STR_ARG(user->text));
    if (user->next != NULL && !files->group(files, user->next->text.p, &g->gid))
        diag_error(b->compile->diags, user->next->at->span, "this system has no group '%.*s'",
                   STR_ARG(user->next->text));
}

static void build_error_log(struct build *b, struct config_global *g, const struct setting *s)
{
    const struct scope *defaults = b->global_defaults;
    const struct setting *level =
        args_has(&s->args, "level") ? s : scope_first(defaults, SETTING_LOG);
    const struct setting *format =
        args_has(&s->args, "format") ? s : scope_first(defaults, SETTING_LOG);

    g->log = build_log(b, s->args.first);
    g->log_format = args_has(&format->args, "json") ? LOG_JSON : LOG_TEXT;
    for (unsigned i = 0; i < LOG_N_LEVELS; i++)
        if (args_has(&level->args, log_level_names[i]))
            g->log_level = (enum log_level)i;
}

static void build_global(struct build *b)
{
    const struct setting *section = scope_first(b->top, SETTING_GLOBAL);
    const struct scope *scope = section == NULL ? NULL : section->block;
    const struct scope *defaults = b->global_defaults;
    struct config_global *g = &b->config->global;
    const struct setting *user = build_setting(scope, defaults, SETTING_USER);
    const struct setting *pid_file = build_setting(scope, defaults, SETTING_PID_FILE);
    const struct setting *workers = build_setting(scope, defaults, SETTING_WORKERS);
    const struct setting *poller = build_setting(scope, defaults, SETTING_POLLER);
    const struct setting *header = build_setting(scope, defaults, SETTING_SERVER_HEADER);

    g->workers = args_has(&workers->args, "auto") ? CONFIG_WORKERS_AUTO
                                                  : (unsigned)workers->args.first->number;
    g->poller = args_has(&poller->args, "poll") ? POLLER_POLL : POLLER_EPOLL;
    g->max_connections =
        (unsigned)build_setting(scope, defaults, SETTING_MAX_CONNECTIONS)->args.first->number;
    g->shutdown_timeout_ms =
        (uint32_t)build_setting(scope, defaults, SETTING_SHUTDOWN_TIMEOUT)->args.first->number;
    g->server_header = args_has(&header->args, "on");
    g->pid_file = pid_file == NULL ? STR("") : pid_file->args.first->text;
    if (g->pid_file.n > CONFIG_PID_FILE_MAX)
        diag_error(b->compile->diags, setting_span(pid_file),
                   "the path of the pid file has %zu bytes; at most %d leave room for that of the "
                   "socket beside it",
                   g->pid_file.n, CONFIG_PID_FILE_MAX);
    build_error_log(b, g, build_setting(scope, defaults, SETTING_LOG));
    if (user != NULL)
        build_user(b, g, user);
}

static void build_levels(struct build *b, struct config_spool *spool, const struct setting *s)
{
    for (const struct arg *arg = s->args.first; arg != NULL; arg = arg->next) {
        if (spool->n_levels == SPOOL_LEVELS_MAX) {
            diag_error(b->compile->diags, arg->at->span, "there are at most %d levels",
                       SPOOL_LEVELS_MAX);
            return;
        }
        spool->levels[spool->n_levels++] = (unsigned)arg->number;
    }
}

static void build_spool(struct build *b, struct config_spool *spool, const struct setting *s)
{
    const struct scope *defaults = b->spool_defaults;
    const struct setting *path = build_setting(s->block, defaults, SETTING_SPOOL_PATH);
    const struct setting *levels = build_setting(s->block, defaults, SETTING_LEVELS);
    const struct setting *quota = build_setting(s->block, defaults, SETTING_QUOTA);

    spool->name = setting_name(s);
    spool->place = build_place(b, s->statement->span);
    spool->reserve_bytes = build_setting(s->block, defaults, SETTING_RESERVE)->args.first->number;
    names_add(&b->spools, &b->compile->scratch, spool->name, spool);
    if (path != NULL)
        spool->path = path->args.first->text;
    else if (!s->is_bad && !s->block->is_incomplete)
        diag_error(b->compile->diags, setting_span(s), "the spool '%.*s' needs a 'path'",
                   STR_ARG(spool->name));
    if (levels != NULL)
        build_levels(b, spool, levels);
    if (quota != NULL) {
        spool->has_quota = true;
        spool->quota_bytes = quota->args.first->number;
    }
}

/* The spool that is there without a section: that of whoever will write to it. */
static void build_own_spool(struct build *b, struct config_spool *spool)
{
    struct compile *c = b->compile;
    const struct config_global *g = &b->config->global;
    const char *temporary = c->files->environment(c->files, "TMPDIR");
    uid_t uid = g->has_user ? g->uid : c->files->user_id(c->files);

    if (temporary == NULL || temporary[0] != '/')
        temporary = "/var/tmp";
    spool->name = STR("default");
    spool->is_built_in = true;
    spool->place = (struct config_place){STR("(built in)"), 0};
    spool->reserve_bytes = scope_first(b->spool_defaults, SETTING_RESERVE)->args.first->number;
    spool->path = STR("/var/spool/holdfast");
    if (!c->files->can_spool(c->files, spool->path, uid, g->gid))
        spool->path = store_printf(&c->keep, "%s/holdfast-%u", temporary, (unsigned)uid);
    names_add(&b->spools, &c->scratch, spool->name, spool);
}

static void build_spools(struct build *b)
{
    size_t n = build_count(b->top, SETTING_SPOOL);
    struct config_spool *spools = store_zalloc(&b->compile->keep, n + 1, sizeof(*spools));

    b->config->spools = spools;
    b->config->n_spools = n == 0 ? 1 : n;
    if (n == 0)
        build_own_spool(b, spools);
    for (const struct setting *s = build_first(b->top, SETTING_SPOOL); s != NULL; s = build_next(s))
        build_spool(b, spools++, s);
}

static const struct config_backend *find_backend(struct build *b, const struct arg *name)
{
    const struct config_backend *backend = names_find(&b->backends, name->text);
    struct suggestion s;

    if (backend != NULL) {
        b->is_backend_used[backend->index] = true;
        return backend;
    }
    if (b->top->is_incomplete)
        return NULL;
    s = suggest_start(name->text);
    for (size_t i = 0; i < b->config->n_backends; i++)
        suggest_offer(&s, b->config->backends[i].name);
    diag_error(b->compile->diags, name->at->span, "there is no backend '%.*s'%s",
               STR_ARG(name->text), suggest_text(&s));
    return NULL;
}

static void build_action(struct build *b, struct config_route *route, const struct setting *s)
{
    const struct setting *type;
    uint64_t status = 0;

    if (s->is_bad)
        return;
    switch (s->row->id) {
    case SETTING_USE_BACKEND:
        route->action = ACTION_BACKEND;
        route->backend = find_backend(b, s->args.first);
        return;
    case SETTING_STATUS_PAGE: route->action = ACTION_STATUS_PAGE; return;
    case SETTING_RESPOND:
        type = build_setting(s->block, b->respond_defaults, SETTING_CONTENT_TYPE);
        route->action = ACTION_RESPOND;
        route->status = (unsigned)s->args.first->number;
        route->content_type = type->args.first->text;
        break;
    case SETTING_FILES: build_files(b, route, s); return;
    default:
        route->action = ACTION_REDIRECT;
        str_to_u64(s->args.first->text, 599, &status);
        route->status = (unsigned)status;
        break;
    }
    if (s->args.n > 1)
        route->text = s->args.last->template;
}

/* Exactly one action. */
static void build_actions(struct build *b, struct config_route *route, const struct setting *s)
{
    const struct setting *action = NULL;

    for (const struct setting *at = s->block->first; at != NULL; at = at->next) {
        enum setting_id id = at->row->id;

        if (id != SETTING_USE_BACKEND && id != SETTING_RESPOND && id != SETTING_REDIRECT &&
            id != SETTING_FILES && id != SETTING_STATUS_PAGE)
            continue;
        if (action == NULL) {
            action = at;
            build_action(b, route, at);
        } else if (action->row != at->row) { /* twice the same has been reported */
            diag_error(b->compile->diags, at->statement->words.first->span,
                       "a route has one action, but this one has '%s' too", action->row->name);
            diag_note(b->compile->diags, action->statement->words.first->span, "the first is here");
        }
    }
    if (action == NULL && !s->is_bad && !s->block->is_incomplete)
        diag_error(b->compile->diags, setting_span(s),
                   "the route '%.*s' does nothing: expected 'use-backend', 'respond', 'redirect', "
                   "'files' or 'status-page'",
                   STR_ARG(route->name));
}

static void build_route(struct build *b, struct config_route *route, const struct setting *s)
{
    *route = (struct config_route){
        .name = setting_name(s),
        .frontend = b->frontend,
        .when = s->when,
        .is_internal = scope_first(s->block, SETTING_INTERNAL) != NULL,
        .text = {NULL, 0},
        .place = build_place(b, s->statement->span),
    };
    route->full_name = store_printf(&b->compile->keep, "%.*s/%.*s", STR_ARG(b->frontend->name),
                                    STR_ARG(route->name));
    names_add(&b->routes, &b->compile->scratch, route->name, route);
    build_actions(b, route, s);
    build_check_policy(b, s->block);
}

static void note_layer(struct build *b, const struct setting *s, const struct layer *layer,
                       const struct config_route *route, const struct policy *policy)
{
    struct built_layer *l = store_new(&b->compile->scratch, struct built_layer);

    *l = (struct built_layer){s, layer, b->frontend, route, policy, NULL};
    *b->layers_end = l;
    b->layers_end = &l->next;
}

/* The routes of the frontend that `owner` opens. */
static void build_routes(struct build *b, struct layer *outer, const struct setting *owner)
{
    const struct scope *scope = owner->block;
    struct store *keep = &b->compile->keep;
    size_t n = build_count(scope, SETTING_ROUTE);
    struct config_route *routes = store_zalloc(keep, n, sizeof(*routes));
    const struct config_route **list = store_zalloc(keep, n, sizeof(*list));
    size_t i = 0;

    b->frontend->routes = list;
    b->frontend->n_routes = n;
    for (const struct setting *s = build_first(scope, SETTING_ROUTE); s != NULL; s = build_next(s)) {
        list[i] = &routes[i];
        build_route(b, &routes[i++], s);
    }
    if (n >= ROUTE_INDEX_MIN)
        b->frontend->index = route_index_new(keep, &b->compile->scratch, list, n);
    b->frontend->policy = build_policy(b, outer);
    note_layer(b, owner, outer, NULL, b->frontend->policy);
    i = 0;
    for (const struct setting *s = build_first(scope, SETTING_ROUTE); s != NULL; s = build_next(s)) {
        struct layer *layer = resolve_layer(b->compile, outer, s->block);

        routes[i].policy = build_policy(b, layer);
        note_layer(b, s, layer, &routes[i], routes[i].policy);
        i++;
    }
}

static void build_acls(struct build *b)
{
    size_t n = build_count(b->top, SETTING_ACL);
    struct config_acl *acls = store_zalloc(&b->compile->keep, n, sizeof(*acls));

    b->config->acls = acls;
    b->config->n_acls = n;
    for (const struct setting *s = build_first(b->top, SETTING_ACL); s != NULL; s = build_next(s))
        *acls++ = (struct config_acl){setting_name(s), s->when, build_place(b, s->statement->span)};
}

static void build_matches(struct build *b)
{
    size_t n = matches_count(b->compile);
    bool *is_raw = store_zalloc(&b->compile->keep, n, sizeof(*is_raw));

    for (unsigned i = 0; i < n; i++)
        is_raw[i] = matches_is_raw(b->compile, i);
    b->config->match_is_raw = is_raw;
    b->config->n_matches = n;
}

static void build_log_formats(struct build *b)
{
    size_t n = build_count(b->top, SETTING_LOG_FORMAT);
    const struct config_log_format **list = store_zalloc(&b->compile->keep, n, sizeof(*list));

    b->config->log_formats = list;
    for (const struct setting *s = build_first(b->top, SETTING_LOG_FORMAT); s != NULL; s = build_next(s))
        if (!s->is_bad)
            list[b->config->n_log_formats++] = log_format_of(b->compile, s);
}

static void build_frontends(struct build *b, struct layer *outer)
{
    size_t n = build_count(b->top, SETTING_FRONTEND);
    struct config_frontend *frontends = store_zalloc(&b->compile->keep, n, sizeof(*frontends));

    b->config->frontends = frontends;
    b->config->n_frontends = n;
    for (const struct setting *s = build_first(b->top, SETTING_FRONTEND); s != NULL; s = build_next(s)) {
        b->frontend = frontends++;
        b->frontend_scope = s->block;
        b->routes = (struct names){.n = 0};
        b->frontend->name = setting_name(s);
        b->frontend->place = build_place(b, s->statement->span);
        build_binds(b, b->frontend, s);
        build_check_policy(b, s->block);
        build_routes(b, resolve_layer(b->compile, outer, s->block), s);
    }
}

struct config *build(struct compile *c, const struct scope *top, const struct source *main)
{
    struct config *config = store_new(&c->keep, struct config);
    struct build b = {.compile = c, .config = config, .top = top};
    const struct setting *defaults = scope_first(top, SETTING_DEFAULTS);
    struct layer *layer;

    b.layers_end = &b.layers;
    b.file_names = store_zalloc(&c->scratch, SOURCE_FILES_MAX, sizeof(struct str));
    b.policy_defaults = resolve_defaults(c, PLACE_DEFAULTS);
    b.global_defaults = resolve_defaults(c, PLACE_GLOBAL);
    b.spool_defaults = resolve_defaults(c, PLACE_SPOOL);
    b.bind_defaults = resolve_defaults(c, PLACE_BIND);
    b.respond_defaults = resolve_defaults(c, PLACE_RESPOND);
    b.files_defaults = resolve_defaults(c, PLACE_FILES);
    b.backend_defaults = resolve_defaults(c, PLACE_BACKEND);
    config->refs = 1;
    config->arena = c->keep.arena;
    config->path = store_str(&c->keep, main->name);
    build_matches(&b);
    config->regexes = c->regexes;
    build_global(&b);
    build_acls(&b);
    build_log_formats(&b);
    build_spools(&b);
    build_backends(&b);
    build_directories(&b);
    for (const struct setting *s = build_first(top, SETTING_POLICY); s != NULL; s = build_next(s))
        build_check_policy(&b, s->block);
    layer = resolve_layer(c, NULL, b.policy_defaults);
    if (defaults != NULL) {
        build_check_policy(&b, defaults->block);
        layer = resolve_layer(c, layer, defaults->block);
    }
    build_frontends(&b, layer);
    lint(&b, main);
    return config;
}

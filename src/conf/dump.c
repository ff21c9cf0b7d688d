/*
 * dump - a configuration after inheritance, in the language itself.
 */
#include "conf/dump.h"

#include "base/panic.h"
#include "conf/dump_policy.h"

static void dump_global(struct dump *d, const struct config_global *g)
{
    dump_text(d, "global");
    dump_open(d);
    dump_directive(d, "workers ");
    if (g->workers == CONFIG_WORKERS_AUTO)
        dump_text(d, "auto");
    else
        dump_number(d, g->workers);
    dump_end_line(d);
    dump_directive(d, g->poller == POLLER_POLL ? "poller poll\n" : "poller epoll\n");
    if (g->has_user) {
        dump_directive(d, "user ");
        dump_word(d, g->user);
        dump_text(d, g->group.n > 0 ? " " : "");
        dump_str(d, g->group);
        dump_end_line(d);
    }
    if (g->pid_file.n > 0) {
        dump_directive(d, "pid-file ");
        dump_word(d, g->pid_file);
        dump_end_line(d);
    }
    dump_directive(d, "max-connections ");
    dump_number(d, g->max_connections);
    dump_end_line(d);
    dump_directive(d, "log");
    dump_log(d, &g->log);
    dump_option(d, "level");
    dump_text(d, log_level_names[g->log_level]);
    dump_option(d, "format");
    dump_text(d, g->log_format == LOG_JSON ? "json\n" : "text\n");
    dump_directive(d, "shutdown-timeout ");
    dump_duration(d, g->shutdown_timeout_ms);
    dump_end_line(d);
    dump_on_off(d, "server-header", g->server_header);
    dump_close(d);
}

static void dump_spool(struct dump *d, const struct config_spool *s)
{
    if (s->is_built_in)
        return;
    dump_text(d, "\nspool ");
    dump_str(d, s->name);
    dump_open(d);
    dump_directive(d, "path ");
    dump_word(d, s->path);
    dump_end_line(d);
    if (s->n_levels > 0)
        dump_directive(d, "levels");
    for (unsigned i = 0; i < s->n_levels; i++) {
        dump_text(d, " ");
        dump_number(d, s->levels[i]);
    }
    if (s->n_levels > 0)
        dump_end_line(d);
    if (s->has_quota) {
        dump_directive(d, "quota ");
        dump_size(d, s->quota_bytes);
        dump_end_line(d);
    }
    dump_directive(d, "reserve ");
    dump_size(d, s->reserve_bytes);
    dump_end_line(d);
    dump_close(d);
}

static void dump_server(struct dump *d, const struct config_server *s)
{
    dump_directive(d, "server ");
    dump_str(d, s->name);
    dump_text(d, " ");
    dump_word(d, s->address);
    if (s->weight != 1) {
        dump_option(d, "weight");
        dump_number(d, s->weight);
    }
    dump_text(d, s->is_backup ? " backup" : "");
    dump_text(d, s->is_disabled ? " disabled" : "");
    dump_end_line(d);
}

static void dump_backend(struct dump *d, const struct config_backend *b)
{
    static const char *const balances[] = {[BALANCE_ROUNDROBIN] = "roundrobin",
                                           [BALANCE_LEASTCONN] = "leastconn",
                                           [BALANCE_RANDOM] = "random",
                                           [BALANCE_HASH] = "hash "};

    dump_text(d, "\nbackend ");
    dump_str(d, b->name);
    dump_open(d);
    dump_directive(d, "balance ");
    dump_text(d, balances[b->balance]);
    if (b->balance == BALANCE_HASH)
        dump_variable(d, &b->hash);
    dump_end_line(d);
    dump_directive(d, "keepalive ");
    dump_number(d, b->keepalive);
    dump_option(d, "idle");
    dump_duration(d, b->keepalive_idle_ms);
    dump_end_line(d);
    if (b->send_proxy != 0) {
        dump_directive(d, "send-proxy v");
        dump_number(d, b->send_proxy);
        dump_end_line(d);
    }
    for (size_t i = 0; i < b->n_servers; i++)
        dump_server(d, &b->servers[i]);
    dump_close(d);
}

static void dump_bind(struct dump *d, const struct config_bind *bind)
{
    dump_directive(d, "bind ");
    dump_word(d, bind->text);
    dump_open(d);
    dump_directive(d, "backlog ");
    dump_number(d, bind->backlog);
    dump_end_line(d);
    if (bind->accepts_proxy) {
        dump_directive(d, "accept-proxy");
        dump_text(d, peers_are_none(&bind->proxy_sources) ? "" : " from");
        if (!peers_are_none(&bind->proxy_sources))
            dump_peers(d, &bind->proxy_sources);
        dump_end_line(d);
    }
    if (bind->has_mode) {
        dump_directive(d, "mode 0");
        for (int shift = 6; shift >= 0; shift -= 3)
            dump_number(d, bind->mode >> shift & 7);
        dump_end_line(d);
    }
    dump_close(d);
}

static void dump_line(struct dump *d, const char *name, struct str value)
{
    if (value.n == 0)
        return;
    dump_directive(d, name);
    dump_text(d, " ");
    dump_word(d, value);
    dump_end_line(d);
}

static void dump_files(struct dump *d, const struct config_route *route)
{
    dump_directive(d, "files ");
    dump_word(d, route->directory->path);
    dump_open(d);
    dump_line(d, "index", route->index);
    dump_line(d, "strip", route->strip);
    dump_line(d, "fallback", route->fallback);
    dump_close(d);
}

static void dump_action(struct dump *d, const struct config_route *route)
{
    switch (route->action) {
    case ACTION_BACKEND:
        dump_directive(d, "use-backend ");
        dump_str(d, route->backend->name);
        dump_end_line(d);
        return;
    case ACTION_STATUS_PAGE: dump_directive(d, "status-page\n"); return;
    case ACTION_RESPOND:
        dump_directive(d, "respond ");
        dump_number(d, route->status);
        dump_text(d, " ");
        dump_template(d, &route->text);
        dump_open(d);
        dump_directive(d, "content-type ");
        dump_word(d, route->content_type);
        dump_end_line(d);
        dump_close(d);
        return;
    case ACTION_REDIRECT:
        dump_directive(d, "redirect ");
        dump_number(d, route->status);
        dump_text(d, " ");
        dump_template(d, &route->text);
        dump_end_line(d);
        return;
    case ACTION_FILES: dump_files(d, route); return;
    }
}

static void dump_route(struct dump *d, const struct config_route *route)
{
    dump_directive(d, "route ");
    dump_str(d, route->name);
    dump_when(d, route->when);
    dump_open(d);
    if (route->is_internal)
        dump_directive(d, "internal\n");
    dump_policy(d, route->policy, route->frontend->policy);
    dump_action(d, route);
    dump_close(d);
}

static void dump_names(struct dump *d, const struct config *config)
{
    for (size_t i = 0; i < config->n_acls; i++) {
        dump_text(d, i == 0 ? "\nacl " : "acl ");
        dump_str(d, config->acls[i].name);
        dump_when(d, config->acls[i].when);
        dump_end_line(d);
    }
    for (size_t i = 0; i < config->n_log_formats; i++) {
        dump_text(d, i == 0 ? "\nlog-format " : "log-format ");
        dump_str(d, config->log_formats[i]->name);
        dump_text(d, " ");
        dump_template(d, &config->log_formats[i]->line);
        dump_end_line(d);
    }
}

static void dump_frontend(struct dump *d, const struct config_frontend *f)
{
    dump_text(d, "\nfrontend ");
    dump_str(d, f->name);
    dump_open(d);
    for (size_t i = 0; i < f->n_binds; i++)
        dump_bind(d, &f->binds[i]);
    dump_policy(d, f->policy, NULL);
    for (size_t i = 0; i < f->n_routes; i++)
        dump_route(d, f->routes[i]);
    dump_close(d);
}

static void dump_config(struct dump *d, const struct config *config)
{
    dump_global(d, &config->global);
    for (size_t i = 0; i < config->n_spools; i++)
        dump_spool(d, &config->spools[i]);
    dump_names(d, config);
    for (size_t i = 0; i < config->n_frontends; i++)
        dump_frontend(d, &config->frontends[i]);
    for (size_t i = 0; i < config->n_backends; i++)
        dump_backend(d, &config->backends[i]);
}

/* What is to be written, and how: one member is set. */
struct subject {
    const struct config *config;
    const struct expr *expr;
    const struct access_rule *rule;
    const struct policy *policy;
    bool is_built_in; /* of the policy: what nobody wrote, rather than what somebody did */
};

static void dump_subject(struct dump *d, const struct subject *s)
{
    if (s->config != NULL)
        dump_config(d, s->config);
    if (s->expr != NULL)
        dump_expr(d, s->expr);
    if (s->rule != NULL)
        dump_access_rule(d, s->rule);
    if (s->policy != NULL)
        dump_policy(d, s->policy, NULL);
}

static struct dump dump_start(const struct subject *s)
{
    return (struct dump){.depth = s->policy != NULL ? 1 : 0,
                         .with_origins = s->policy != NULL,
                         .which = s->is_built_in ? DUMP_BUILT_IN : DUMP_WRITTEN};
}

/* Written twice: to count, and to fill. A line that is left out may have been longer than the text. */
static struct str dump_all(const struct subject *s, struct arena *a)
{
    struct dump counted = dump_start(s);
    struct dump written = dump_start(s);

    dump_subject(&counted, s);
    written.out = arena_text(a, counted.most + 1);
    if (written.out == NULL)
        return STR_EMPTY;
    dump_subject(&written, s);
    assert(written.n == counted.n);
    written.out[written.n] = '\0';
    return (struct str){written.out, written.n};
}

struct str config_dump(const struct config *config, struct arena *a)
{
    return dump_all(&(struct subject){.config = config}, a);
}

struct str expr_dump(const struct expr *e, struct arena *a)
{
    return dump_all(&(struct subject){.expr = e}, a);
}

struct str access_rule_dump(const struct access_rule *r, struct arena *a)
{
    return dump_all(&(struct subject){.rule = r}, a);
}

struct str policy_dump(const struct policy *p, bool is_built_in, struct arena *a)
{
    return dump_all(&(struct subject){.policy = p, .is_built_in = is_built_in}, a);
}

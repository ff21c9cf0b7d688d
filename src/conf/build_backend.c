/*
 * build_backend - backends and their servers.
 */
#include "conf/build.h"

#include "io/proxy_protocol.h"

/* The two halves of HOST:PORT, which the checker has seen to be there. */
static const char *resolve_server(struct build *b, struct str text, struct addr *addr)
{
    const char *colon = memrchr(text.p, ':', text.n);
    struct str host = str_slice(text, 0, (size_t)(colon - text.p));
    uint64_t port = 0;

    str_to_u64(str_slice(text, host.n + 1, text.n), 65535, &port);
    return b->compile->files->resolve(b->compile->files, host, (unsigned)port, addr);
}

static void build_server(struct build *b, const struct config_backend *backend,
                         struct config_server *server, const struct setting *s)
{
    const struct arg *address = s->args.first == NULL ? NULL : s->args.first->next;
    const struct arg *weight = args_find(&s->args, "weight");
    const char *why = NULL;

    if (s->is_bad)
        return;
    server->name = setting_name(s);
    server->full_name =
        store_printf(&b->compile->keep, "%.*s/%.*s", STR_ARG(backend->name), STR_ARG(server->name));
    server->address = address->text;
    server->weight = weight == NULL ? 1 : (unsigned)weight->number;
    server->is_backup = args_has(&s->args, "backup");
    server->is_disabled = args_has(&s->args, "disabled");
    server->place = build_place(b, s->statement->span);
    if (str_starts_with(address->text, STR("unix@")))
        addr_unix(str_slice(address->text, 5, address->text.n), &server->addr);
    else if (!addr_parse(address->text, &server->addr))
        why = resolve_server(b, address->text, &server->addr);
    if (why != NULL)
        diag_error(b->compile->diags, address->at->span, "cannot resolve '%.*s': %s",
                   STR_ARG(address->text), why);
}

static void build_balance(struct config_backend *backend, const struct setting *s)
{
    static const char *const names[] = {[BALANCE_ROUNDROBIN] = "roundrobin",
                                        [BALANCE_LEASTCONN] = "leastconn",
                                        [BALANCE_RANDOM] = "random",
                                        [BALANCE_HASH] = "hash"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (args_has(&s->args, names[i]))
            backend->balance = (enum balance_kind)i;
    if (backend->balance == BALANCE_HASH)
        backend->hash = s->args.last->var;
}

static unsigned build_send_proxy(const struct setting *s)
{
    if (s == NULL)
        return 0;
    return args_has(&s->args, "v1") ? PROXY_V1 : PROXY_V2;
}

static void warn_all_disabled(struct build *b, const struct config_backend *backend,
                              const struct setting *s)
{
    for (size_t i = 0; i < backend->n_servers; i++)
        if (backend->servers[i].weight > 0 && !backend->servers[i].is_disabled)
            return;
    if (backend->n_servers > 0 && !s->block->is_incomplete)
        diag_warning(b->compile->diags, setting_span(s),
                     "no server of the backend '%.*s' takes requests: each is 'disabled' or has "
                     "the weight 0",
                     STR_ARG(backend->name));
}

static void build_backend(struct build *b, struct config_backend *backend, const struct setting *s)
{
    const struct setting *keepalive =
        build_setting(s->block, b->backend_defaults, SETTING_KEEPALIVE);
    struct config_server *servers;
    size_t n = build_count(s->block, SETTING_SERVER);

    backend->name = setting_name(s);
    backend->place = build_place(b, s->statement->span);
    build_balance(backend, build_setting(s->block, b->backend_defaults, SETTING_BALANCE));
    backend->keepalive = (unsigned)keepalive->args.first->number;
    backend->keepalive_idle_ms =
        (uint32_t)build_option(keepalive, b->backend_defaults, "idle")->number;
    backend->send_proxy =
        build_send_proxy(build_setting(s->block, b->backend_defaults, SETTING_SEND_PROXY));
    names_add(&b->backends, &b->compile->scratch, backend->name, backend);
    servers = store_zalloc(&b->compile->keep, n, sizeof(*servers));
    backend->servers = servers;
    backend->n_servers = n;
    if (n == 0 && !s->is_bad && !s->block->is_incomplete)
        diag_error(b->compile->diags, setting_span(s), "the backend '%.*s' has no 'server'",
                   STR_ARG(backend->name));
    if (n > CONFIG_SERVERS_MAX)
        diag_error(b->compile->diags, setting_span(s),
                   "the backend '%.*s' has %zu servers: at most %d", STR_ARG(backend->name), n,
                   CONFIG_SERVERS_MAX);
    for (const struct setting *server = build_first(s->block, SETTING_SERVER); server != NULL;
         server = build_next(server))
        build_server(b, backend, servers++, server);
    warn_all_disabled(b, backend, s);
}

void build_backends(struct build *b)
{
    size_t n = build_count(b->top, SETTING_BACKEND);
    struct config_backend *backends = store_zalloc(&b->compile->keep, n, sizeof(*backends));

    b->config->backends = backends;
    b->config->n_backends = n;
    b->is_backend_used = store_zalloc(&b->compile->scratch, n, sizeof(bool));
    for (const struct setting *s = build_first(b->top, SETTING_BACKEND); s != NULL; s = build_next(s)) {
        backends->index = (size_t)(backends - b->config->backends);
        build_backend(b, backends++, s);
    }
}

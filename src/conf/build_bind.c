/*
 * build_bind - the addresses that a frontend accepts on.
 */
#include "conf/build.h"

/* Two sockets cannot have one address; port 0 is a new one each time. */
static void check_bind(struct build *b, const struct config_bind *bind, const struct setting *s)
{
    char text[ADDR_TEXT_MAX];
    struct str key = bind->text;
    const struct setting *first;

    if (bind->kind == BIND_SOCKET) {
        key.n = addr_text(&bind->addr, text);
        key = store_str(&b->compile->scratch, (struct str){text, key.n});
        if (bind->addr.at.any.sa_family != AF_UNIX && addr_port(&bind->addr) == 0)
            return;
    }
    first = names_add(&b->binds, &b->compile->scratch, key, (void *)s);
    if (first == NULL)
        return;
    diag_error(b->compile->diags, setting_span(s), "the address '%.*s' is bound already",
               STR_ARG(key));
    diag_note(b->compile->diags, setting_span(first), "the first is here");
}

/* Only from this machine? Of an inherited socket nobody knows. */
static bool is_local(const struct config_bind *bind)
{
    struct cidr loopback;
    struct cidr loopback_v6;
    struct ip ip;

    cidr_parse(STR("127.0.0.0/8"), &loopback);
    cidr_parse(STR("::1"), &loopback_v6);
    return bind->kind == BIND_FD || !addr_ip(&bind->addr, &ip) || cidr_holds(&loopback, &ip) ||
           cidr_holds(&loopback_v6, &ip);
}

static void build_accept_proxy(struct build *b, struct config_bind *bind, const struct setting *s)
{
    if (s == NULL)
        return;
    bind->accepts_proxy = true;
    bind->proxy_sources = build_peers(b, args_find(&s->args, "from"));
    if (peers_are_none(&bind->proxy_sources) && !is_local(bind))
        diag_warning(b->compile->diags, s->statement->span,
                     "whoever can connect here can claim any address; 'accept-proxy from "
                     "(ADDRESS, ...)' says whose word is taken");
}

static void build_bind(struct build *b, struct config_bind *bind, const struct setting *s)
{
    const struct setting *mode = build_setting(s->block, b->bind_defaults, SETTING_MODE);

    if (s->is_bad)
        return;
    bind->text = setting_name(s);
    bind->place = build_place(b, s->statement->span);
    bind->backlog =
        (unsigned)build_setting(s->block, b->bind_defaults, SETTING_BACKLOG)->args.first->number;
    if (mode != NULL) {
        bind->has_mode = true;
        bind->mode = (mode_t)mode->args.first->number;
    }
    if (str_starts_with(bind->text, STR("fd@"))) {
        bind->kind = BIND_FD;
        bind->fd = s->args.first->number <= INT32_MAX ? (int)s->args.first->number : -1;
    } else if (str_starts_with(bind->text, STR("unix@"))) {
        addr_unix(str_slice(bind->text, 5, bind->text.n), &bind->addr);
    } else {
        addr_parse(bind->text, &bind->addr);
    }
    build_accept_proxy(b, bind, build_setting(s->block, b->bind_defaults, SETTING_ACCEPT_PROXY));
    if (mode != NULL && !str_starts_with(bind->text, STR("unix@")))
        diag_warning(b->compile->diags, mode->statement->span,
                     "'mode' means nothing here: only unix sockets have permissions");
    check_bind(b, bind, s);
}

void build_binds(struct build *b, struct config_frontend *frontend, const struct setting *s)
{
    size_t n = build_count(s->block, SETTING_BIND);
    struct config_bind *binds = store_zalloc(&b->compile->keep, n, sizeof(*binds));

    frontend->binds = binds;
    frontend->n_binds = n;
    if (n == 0 && !s->is_bad && !s->block->is_incomplete)
        diag_error(b->compile->diags, setting_span(s), "the frontend '%.*s' has no 'bind'",
                   STR_ARG(frontend->name));
    for (const struct setting *bind = build_first(s->block, SETTING_BIND); bind != NULL;
         bind = build_next(bind))
        build_bind(b, binds++, bind);
}

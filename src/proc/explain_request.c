/*
 * explain_request - from the words of a command line to a transaction that could be tried.
 */
#include "proc/explain_request.h"

#include "http/h1_head.h"
#include "http/uri.h"

#include <stdio.h>

static bool names_host(const char *field)
{
    return strlen(field) > 4 && str_eq_nocase((struct str){field, 5}, STR("host:"));
}

/* The request as a client would send it. p == NULL: no memory. */
static struct str request_text(const struct options *o, struct arena *a, struct str authority,
                               struct str target)
{
    struct str fields = STR("");
    bool has_host = false;

    for (unsigned i = 0; i < o->n_fields; i++) {
        has_host = has_host || names_host(o->fields[i]);
        fields = arena_printf(a, "%.*s%s\r\n", STR_ARG(fields), o->fields[i]);
    }
    return arena_printf(a, "%s %.*s HTTP/1.1\r\n%s%.*s%s%.*s\r\n", o->operands[0], STR_ARG(target),
                        has_host ? "" : "Host: ", has_host ? 0 : (int)authority.n, authority.p,
                        has_host ? "" : "\r\n", STR_ARG(fields));
}

/* The URL's authority and target; a path alone is of `localhost`. */
static void split_url(struct str url, struct str *authority, struct str *target, unsigned *port)
{
    *authority = STR("localhost");
    *target = url;
    *port = 0;
    if (!uri_absolute(url, authority, target, port))
        return;
    if (target->n == 0)
        *target = STR("/");
}

static const char *read_client(const struct options *o, struct txn *t)
{
    t->sender.is_ip = true;
    t->sender.port = 50000; /* any that a client could have */
    if (!ip_parse(str_of(o->from == NULL ? "127.0.0.1" : o->from), &t->sender.ip))
        return "--from takes an address such as 192.0.2.1";
    t->client = t->sender;
    return NULL;
}

static const char *refusal(struct arena *a, enum http_fault fault)
{
    struct str text = arena_printf(a, "this request is refused with %u: %s",
                                   http_faults[fault].status, http_faults[fault].text);

    return text.p == NULL ? http_faults[fault].text : text.p;
}

const char *explain_request_read(const struct options *o, struct txn *t, unsigned *port)
{
    struct head *h = arena_alloc(t->arena, sizeof(*h));
    struct framing framing;
    struct str authority;
    struct str target;
    struct str text;
    enum http_fault fault;

    split_url(str_of(o->operands[1]), &authority, &target, port);
    text = request_text(o, t->arena, authority, target);
    if (h == NULL || text.p == NULL)
        return "out of memory";
    head_init(h, t->arena, false);
    fault = h1_parse_request(text, h, &framing);
    if (fault != FAULT_NONE)
        return refusal(t->arena, fault);
    if (h->port != 0)
        *port = h->port;
    t->request = h;
    t->path = h->target;
    if (!str_eq(h->target, STR("*")) && !uri_path(h->target, t->arena, &t->path))
        return refusal(t->arena, FAULT_TARGET);
    return read_client(o, t);
}

static bool frontend_has_port(const struct config_frontend *f, unsigned port)
{
    for (size_t i = 0; i < f->n_binds; i++)
        if (f->binds[i].kind == BIND_SOCKET && f->binds[i].addr.at.any.sa_family != AF_UNIX &&
            addr_port(&f->binds[i].addr) == port)
            return true;
    return false;
}

static bool is_meant(const struct config_frontend *f, const struct options *o, unsigned port)
{
    return o->frontend != NULL ? str_eq(f->name, str_of(o->frontend)) : frontend_has_port(f, port);
}

static void say_frontends(const struct config *c)
{
    for (size_t i = 0; i < c->n_frontends; i++) {
        const struct config_frontend *f = &c->frontends[i];

        fprintf(stderr, "    %.*s", STR_ARG(f->name));
        for (size_t j = 0; j < f->n_binds; j++)
            fprintf(stderr, "%s%.*s", j == 0 ? ": " : ", ", STR_ARG(f->binds[j].text));
        fputc('\n', stderr);
    }
}

const struct config_frontend *explain_request_frontend(const struct config *c,
                                                       const struct options *o, unsigned port)
{
    const struct config_frontend *found = NULL;
    size_t n_found = 0;

    for (size_t i = 0; i < c->n_frontends; i++) {
        if (!is_meant(&c->frontends[i], o, port))
            continue;
        found = &c->frontends[i];
        n_found++;
    }
    if (n_found == 1)
        return found;
    if (n_found == 0 && o->frontend == NULL && c->n_frontends == 1)
        return &c->frontends[0];
    if (o->frontend != NULL)
        fprintf(stderr, "holdfast: there is no frontend '%s', but\n", o->frontend);
    else if (port == 0)
        fputs("holdfast: the URL names no port; say with --frontend which frontend it comes to:\n",
              stderr);
    else
        fprintf(stderr, "holdfast: %s frontend has port %u; say with --frontend which it comes to:\n",
                n_found == 0 ? "no" : "more than one", port);
    say_frontends(c);
    return NULL;
}

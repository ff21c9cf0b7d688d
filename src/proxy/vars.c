/*
 * vars - what a variable is worth for a transaction.
 */
#include "proxy/vars.h"

#include "base/clock.h"
#include "base/panic.h"
#include "http/uri.h"
#include "io/sock.h"
#include "proxy/worker.h"

#include <openssl/evp.h>

static struct str number_text(struct txn *t, uint64_t number)
{
    char *p = arena_text(t->arena, STR_U64_MAX);

    if (p == NULL)
        return STR_EMPTY;
    return (struct str){p, str_put_u64(p, number)};
}

static struct str seconds_text(struct txn *t, uint64_t ms)
{
    return arena_printf(t->arena, "%llu.%03u", (unsigned long long)(ms / 1000),
                        (unsigned)(ms % 1000));
}

static struct addr local_addr(const struct txn *t)
{
    if (t->front_conn == NULL)
        return (struct addr){.n = 0};
    return sock_local(t->front_conn->wire.watch.fd);
}

/* The far end of the client's connection itself. Whom a PROXY header came from is not kept. */
static struct endpoint peer_of(const struct txn *t)
{
    struct addr a = {.n = 0};

    if (!t->sender_is_announced)
        return t->sender;
    if (t->front_conn != NULL)
        a = sock_peer(t->front_conn->wire.watch.fd);
    return addr_endpoint(&a);
}

/* `cookie.NAME`: the first pair of that name in the Cookie fields (RFC 6265 4.2.1). */
static struct str cookie_in(struct str fields, struct str name)
{
    while (fields.n > 0) {
        const char *semicolon = memchr(fields.p, ';', fields.n);
        size_t n = semicolon == NULL ? fields.n : (size_t)(semicolon - fields.p);
        struct str pair = str_trim(str_slice(fields, 0, n));

        if (pair.n > name.n && pair.p[name.n] == '=' && str_eq(str_slice(pair, 0, name.n), name))
            return str_slice(pair, name.n + 1, pair.n);
        fields = str_slice(fields, n < fields.n ? n + 1 : n, fields.n);
    }
    return STR_EMPTY;
}

static struct str cookie_text(const struct txn *t, struct str name)
{
    for (size_t i = 0; i < t->request->n_fields; i++) {
        const struct field *f = &t->request->fields[i];
        struct str value;

        if (f->id != FIELD_COOKIE)
            continue;
        value = cookie_in(f->value, name);
        if (value.p != NULL)
            return value;
    }
    return STR_EMPTY;
}

static struct str header_text(const struct head *h, const struct var_ref *v)
{
    const struct field *f;

    if (h == NULL)
        return STR_EMPTY;
    /* Not a field above the codec: it has the request's authority. */
    if (v->field == FIELD_HOST && !h->is_response)
        return h->authority;
    f = head_find(h, v->field, v->argument);
    return f == NULL ? STR_EMPTY : f->value;
}

/* An id is 16 bytes of a digest over a key of the process and a counter: nobody can guess the
 * next. */
static struct str request_id_text(struct txn *t)
{
    struct worker *w = t->worker;
    unsigned char seed[16];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char *p;

    if (t->request_id.n > 0)
        return t->request_id;
    memcpy(seed, w->request_id_key, 8);
    memcpy(seed + 8, &w->request_counter, 8);
    w->request_counter++;
    p = arena_text(t->arena, 32);
    if (p == NULL || EVP_Digest(seed, sizeof(seed), digest, &n, EVP_sha256(), NULL) != 1)
        return STR_EMPTY;
    for (unsigned i = 0; i < 16; i++) {
        p[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        p[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    t->request_id = (struct str){p, 32};
    return t->request_id;
}

/* The times of the attempts, comma-separated, `-` for one that did not come so far (nginx's
 * form). */
static struct str attempt_times(struct txn *t, enum var_id id)
{
    struct str all = STR_EMPTY;

    for (const struct attempt *a = t->attempts; a != NULL; a = a->next) {
        uint64_t at = id == VAR_ID_UPSTREAM_CONNECT_TIME  ? a->connected_ms
                      : id == VAR_ID_UPSTREAM_HEADER_TIME ? a->header_ms
                                                          : a->ended_ms;
        struct str one = at == 0 ? STR("-") : seconds_text(t, at - a->started_ms);

        all = all.n == 0 ? one : arena_printf(t->arena, "%.*s, %.*s", STR_ARG(all), STR_ARG(one));
    }
    return all;
}

static uint64_t held_ms(const struct txn *t)
{
    if (t->hold_since_ms == 0)
        return t->held_ms;
    return t->held_ms + (loop_now(t->worker->loop) - t->hold_since_ms);
}

static uint64_t duration_ms(const struct txn *t)
{
    uint64_t end = t->ended_ms != 0 ? t->ended_ms : loop_now(t->worker->loop);

    return end - t->started_ms;
}

bool var_number(struct txn *t, const struct var_ref *v, uint64_t *number)
{
    struct addr a;
    struct endpoint e;

    switch ((unsigned)v->id) {
    case VAR_ID_CLIENT_PORT: *number = t->client.port; return t->client.port != 0;
    case VAR_ID_PEER_PORT:
        e = peer_of(t);
        *number = e.port;
        return e.port != 0;
    case VAR_ID_LOCAL_PORT:
        a = local_addr(t);
        *number = a.n == 0 ? 0 : addr_port(&a);
        return a.n != 0;
    case VAR_ID_PORT:
        *number = t->request->port != 0 ? t->request->port : t->scheme_is_https ? 443 : 80;
        return true;
    case VAR_ID_CONTENT_LENGTH:
        *number = t->request->body_length;
        return t->request->has_body && t->request->has_length;
    case VAR_ID_STATUS: *number = t->status; return t->status != 0;
    case VAR_ID_ATTEMPTS: *number = t->n_attempts; return true;
    case VAR_ID_SPOOLED_BYTES: *number = t->request_body.spooled_bytes; return true;
    case VAR_ID_RESPONSE_BYTES: *number = t->response_bytes; return true;
    case VAR_ID_REQUEST_BYTES: *number = t->request_body.in_bytes; return true;
    case VAR_ID_REQUEST_LENGTH:
        *number = t->request->wire_bytes + t->request_body.in_bytes;
        return true;
    case VAR_ID_DURATION: *number = duration_ms(t); return true;
    default: return false;
    }
}

bool var_ip(struct txn *t, const struct var_ref *v, struct ip *ip)
{
    struct addr a;
    struct endpoint e;

    if (v->id == VAR_ID_LOCAL_IP) {
        a = local_addr(t);
        return a.n != 0 && addr_ip(&a, ip);
    }
    e = v->id == VAR_ID_PEER_IP ? peer_of(t) : t->client;
    *ip = e.ip;
    return e.is_ip;
}

/* What the kernel alone knows is gone with the client's connection. */
static bool is_forgotten(const struct txn *t, const struct var_ref *v)
{
    return t->front_conn == NULL && (v->id == VAR_ID_LOCAL_IP ||
                                     (v->id == VAR_ID_PEER_IP && t->sender_is_announced));
}

static struct str address_text(struct txn *t, const struct var_ref *v)
{
    char text[ADDR_TEXT_MAX];
    struct ip ip;

    if (!var_ip(t, v, &ip))
        return is_forgotten(t, v) ? STR_EMPTY : STR("unix");
    return arena_str(t->arena, (struct str){text, ip_text(&ip, text)});
}

static struct str version_text(const struct txn *t)
{
    return t->request->minor == 0 ? STR("HTTP/1.0") : STR("HTTP/1.1");
}

static struct str query_argument(struct txn *t, struct str name)
{
    struct str value;

    if (!uri_query_argument(uri_query(t->request->target), name, t->arena, &value))
        return STR_EMPTY;
    return value;
}

static struct str mode_text(const struct txn *t)
{
    static const char *const words[] = {
        [MODE_HOLD] = "hold",
        [MODE_TEE] = "tee",
        [MODE_STREAM] = "stream",
        [MODE_RESUMABLE] = "resumable",
    };

    if (!t->has_request_body && t->request->upgrade.n == 0)
        return STR_EMPTY; /* nothing was buffered in any way */
    return t->mode_reason == NULL ? STR_EMPTY : str_of(words[t->mode]);
}

static struct str wall_text(struct txn *t, struct str (*text)(uint64_t wall_ms))
{
    return arena_str(t->arena, text(loop_wall(t->worker->loop)));
}

static struct str time_msec_text(struct txn *t)
{
    return seconds_text(t, loop_wall(t->worker->loop));
}

struct str var_text(struct txn *t, const struct var_ref *v)
{
    uint64_t number;

    switch (v->id) {
    case VAR_ID_CLIENT_IP:
    case VAR_ID_PEER_IP:
    case VAR_ID_LOCAL_IP: return address_text(t, v);
    case VAR_ID_METHOD: return t->request->method_text;
    case VAR_ID_SCHEME: return t->scheme_is_https ? STR("https") : STR("http");
    case VAR_ID_HOST: return t->request->host;
    case VAR_ID_VERSION: return version_text(t);
    case VAR_ID_PATH: return t->path;
    case VAR_ID_URI: return t->request->target;
    case VAR_ID_RAW_PATH: return uri_raw_path(t->request->target);
    case VAR_ID_QUERY: return uri_query(t->request->target);
    case VAR_ID_QUERY_ARG: return query_argument(t, v->argument);
    case VAR_ID_HEADER: return header_text(t->request, v);
    case VAR_ID_COOKIE: return cookie_text(t, v->argument);
    case VAR_ID_REQUEST_ID: return request_id_text(t);
    case VAR_ID_MATCH: return t->matches == NULL ? STR_EMPTY : t->matches[v->match];
    case VAR_ID_FRONTEND: return t->frontend->name;
    case VAR_ID_ROUTE: return t->route == NULL ? STR_EMPTY : t->route->full_name;
    case VAR_ID_BACKEND:
        return t->route == NULL || t->route->backend == NULL ? STR_EMPTY : t->route->backend->name;
    case VAR_ID_TIME_LOCAL: return wall_text(t, clock_local_text);
    case VAR_ID_TIME_ISO8601: return wall_text(t, clock_iso8601_text);
    case VAR_ID_TIME_MSEC: return time_msec_text(t);
    case VAR_ID_SERVER: return t->server_name;
    case VAR_ID_RESPONSE_HEADER: return header_text(t->response, v);
    case VAR_ID_HOLD_TIME: return seconds_text(t, held_ms(t));
    case VAR_ID_REQUEST_TIME: return seconds_text(t, duration_ms(t));
    case VAR_ID_UPSTREAM_CONNECT_TIME:
    case VAR_ID_UPSTREAM_HEADER_TIME:
    case VAR_ID_UPSTREAM_RESPONSE_TIME: return attempt_times(t, v->id);
    case VAR_ID_BUFFERING: return mode_text(t);
    case VAR_ID_BUFFERING_REASON: return str_of(t->mode_reason);
    case VAR_ID_TERMINATION: return str_of(reasons[t->reason].word);
    case VAR_ID_CLIENT_PORT:
    case VAR_ID_PEER_PORT:
    case VAR_ID_LOCAL_PORT:
    case VAR_ID_PORT:
    case VAR_ID_CONTENT_LENGTH:
    case VAR_ID_STATUS:
    case VAR_ID_ATTEMPTS:
    case VAR_ID_SPOOLED_BYTES:
    case VAR_ID_RESPONSE_BYTES:
    case VAR_ID_REQUEST_BYTES:
    case VAR_ID_REQUEST_LENGTH:
    case VAR_ID_DURATION:
    case VAR_ID_N: break;
    }
    return var_number(t, v, &number) ? number_text(t, number) : STR_EMPTY;
}

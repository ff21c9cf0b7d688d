/*
 * rewrite - the heads that leave the proxy: rules, forwarding fields.
 */
#include "proxy/rewrite.h"

#include "http/h1_head.h"
#include "http/uri.h"
#include "proxy/render.h"

static bool field_rule_apply(struct txn *t, struct head *h, const struct http_rule *r)
{
    struct str value;

    if (r->kind == RULE_DEL_HEADER) {
        head_remove(h, r->id, r->name);
        return true;
    }
    value = str_trim(template_render(t, &r->value, RENDER_PLAIN));
    if (!field_is_value(value))
        return false;
    /* The request's Host is its authority: see http/head.h. */
    if (r->id == FIELD_HOST && !h->is_response)
        return head_set_authority(h, value) == FAULT_NONE;
    return r->kind == RULE_SET_HEADER ? head_set(h, r->name, value, r->id)
                                      : head_add(h, r->name, value, r->id);
}

/* What clients may send as a target servers may be sent, though RFC 3986 would have it encoded. */
static bool target_is_sound(struct str target)
{
    for (size_t i = 0; i < target.n; i++)
        if ((unsigned char)target.p[i] <= ' ' || target.p[i] == 0x7f || target.p[i] == '#')
            return false;
    return target.n > 0 && target.n <= H1_TARGET_MAX && target.p[0] == '/';
}

/* `OPTIONS *` has neither path nor query. */
static bool target_rule_apply(struct txn *t, struct head *h, const struct http_rule *r)
{
    bool is_path = r->kind == RULE_SET_PATH;
    struct str part = template_render(t, &r->value, is_path ? RENDER_PATH : RENDER_QUERY);
    struct str path = is_path ? part : uri_raw_path(h->target);
    struct str query = is_path ? uri_query(h->target) : part;
    struct str target;

    if (str_eq(h->target, STR("*")))
        return true;
    if (part.p == NULL || memchr(path.p, '?', path.n) != NULL)
        return false;
    target =
        arena_printf(t->arena, "%.*s%s%.*s", STR_ARG(path), query.n > 0 ? "?" : "", STR_ARG(query));
    if (!target_is_sound(target))
        return false;
    h->target = target;
    return true;
}

/* A response without content keeps its status: another would promise some. */
static bool status_rule_apply(struct txn *t, struct head *h, const struct http_rule *r)
{
    if (h->status >= 200 && h->status != 204 && h->status != 205 && h->status != 304)
        h->status = r->status;
    t->status = h->status;
    return true;
}

/* An answer of ours keeps its status: it says what became of the request. */
static bool rule_apply(struct txn *t, struct head *h, const struct http_rule *r, bool is_relayed)
{
    switch (r->kind) {
    case RULE_SET_HEADER:
    case RULE_ADD_HEADER:
    case RULE_DEL_HEADER: return field_rule_apply(t, h, r);
    case RULE_SET_PATH:
    case RULE_SET_QUERY: return target_rule_apply(t, h, r);
    case RULE_SET_STATUS: return !is_relayed || status_rule_apply(t, h, r);
    }
    return false;
}

/*
 * A rule that cannot be applied is an error of the exchange; to an answer of ours (!is_relayed) it
 * is left out.
 */
static bool rules_apply(struct txn *t, struct head *h, const struct http_rule *rules, size_t n,
                        bool is_relayed)
{
    for (size_t i = 0; i < n; i++)
        if (!rule_apply(t, h, &rules[i], is_relayed) && is_relayed)
            return false;
    return true;
}

/* All values of a field of the request in one, comma-separated (RFC 9110 5.3), and `last`
 * behind. */
static struct str list_with(struct txn *t, enum field_id id, struct str last)
{
    struct str list = STR_EMPTY;

    for (size_t i = 0; i < t->request->n_fields; i++) {
        const struct field *f = &t->request->fields[i];

        if (f->id != id || f->value.n == 0)
            continue;
        list = list.n == 0 ? f->value
                           : arena_printf(t->arena, "%.*s, %.*s", STR_ARG(list), STR_ARG(f->value));
    }
    return list.n == 0 ? last : arena_printf(t->arena, "%.*s, %.*s", STR_ARG(list), STR_ARG(last));
}

static bool set_known(struct head *h, enum field_id id, struct str value)
{
    return value.p != NULL && head_set(h, field_name(id), value, id);
}

/* To a server that makes variables of field names, X_Forwarded_For is X-Forwarded-For. */
static bool is_lookalike(struct str name)
{
    static const struct str ours[] = {
        {"X-Forwarded-For",   15},
        {"X-Forwarded-Proto", 17},
        {"X-Forwarded-Host",  16},
        {"X-Real-IP",         9 }
    };

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        size_t at = 0;

        while (at < name.n && name.n == ours[i].n &&
               str_lower_char(name.p[at] == '_' ? '-' : name.p[at]) ==
                   str_lower_char(ours[i].p[at]))
            at++;
        if (at == ours[i].n && name.n == ours[i].n)
            return true;
    }
    return false;
}

static void drop_lookalikes(struct head *h)
{
    for (size_t i = h->n_fields; head_may_have(h, FIELD_OTHER) && i-- > 0;) {
        struct str name = h->fields[i].name;

        if (h->fields[i].id == FIELD_OTHER && memchr(name.p, '_', name.n) != NULL &&
            is_lookalike(name)) {
            head_remove(h, FIELD_OTHER, name);
            i = i < h->n_fields ? i : h->n_fields;
        }
    }
}

static struct str endpoint_text(struct txn *t, const struct endpoint *e)
{
    char text[ADDR_TEXT_MAX];

    if (!e->is_ip)
        return STR("unix");
    return arena_str(t->arena, (struct str){text, ip_text(&e->ip, text)});
}

/*
 * `append` goes on with what a trusted proxy has said of the client, scheme and host. What anybody
 * else says of himself is no news: it is replaced, and `replace` believes nobody's.
 */
static bool add_forwarding(struct txn *t, struct head *h)
{
    bool appends = t->policy->forwarded == FORWARDED_APPEND && t->sender_is_trusted;
    struct str via = t->request->minor == 0 ? STR("1.0 holdfast") : STR("1.1 holdfast");
    struct str scheme = t->scheme_is_https ? STR("https") : STR("http");
    struct str address;

    if (t->policy->forwarded == FORWARDED_OFF)
        return true;
    drop_lookalikes(h);
    address = endpoint_text(t, appends ? &t->sender : &t->client);
    if (!set_known(h, FIELD_X_FORWARDED_FOR,
                   appends ? list_with(t, FIELD_X_FORWARDED_FOR, address) : address))
        return false;
    if ((!appends || head_find(h, FIELD_X_FORWARDED_PROTO, STR_EMPTY) == NULL) &&
        !set_known(h, FIELD_X_FORWARDED_PROTO, scheme))
        return false;
    if (t->request->authority.n > 0 &&
        (!appends || head_find(h, FIELD_X_FORWARDED_HOST, STR_EMPTY) == NULL) &&
        !set_known(h, FIELD_X_FORWARDED_HOST, t->request->authority))
        return false;
    /* RFC 9110 7.6.3: a gateway adds itself to Via of a request. */
    return set_known(h, FIELD_VIA, list_with(t, FIELD_VIA, via));
}

/* RFC 9110 7.6.2: one less for the next; that there are any left is seen before (txn_front.c). */
static bool count_forward(struct txn *t, struct head *h)
{
    const struct field *f = head_find(h, FIELD_MAX_FORWARDS, STR_EMPTY);
    uint64_t left;
    char *p;

    if (f == NULL || (h->method != METHOD_OPTIONS && h->method != METHOD_TRACE) ||
        !str_to_u64(f->value, UINT32_MAX, &left) || left == 0)
        return true;
    p = arena_text(t->arena, STR_U64_MAX);
    return p != NULL && set_known(h, FIELD_MAX_FORWARDS, (struct str){p, str_put_u64(p, left - 1)});
}

bool rewrite_request(struct txn *t)
{
    struct head *h = arena_alloc(t->arena, sizeof(*h));

    if (h == NULL)
        return false;
    *h = *t->request;
    /* The fields are copied: the request stays as it came, for conditions and logs. Four may be
     * added. */
    h->fields_max = HEAD_FIELDS_MAX + HEAD_FIELDS_OURS;
    h->fields_room = h->n_fields + 4;
    h->fields = arena_alloc(t->arena, h->fields_room * sizeof(*h->fields));
    if (h->fields == NULL)
        return false;
    if (h->n_fields > 0)
        memcpy(h->fields, t->request->fields, h->n_fields * sizeof(*h->fields));
    t->outgoing = h;
    return count_forward(t, h) && add_forwarding(t, h) &&
           rules_apply(t, h, t->policy->request_rules, t->policy->n_request_rules, true);
}

bool rewrite_response(struct txn *t, struct head *h)
{
    h->fields_max = HEAD_FIELDS_MAX + HEAD_FIELDS_OURS;
    return rules_apply(t, h, t->policy->response_rules, t->policy->n_response_rules, true);
}

void rewrite_answer(struct txn *t, struct head *h)
{
    h->fields_max = HEAD_FIELDS_MAX + HEAD_FIELDS_OURS;
    rules_apply(t, h, t->policy->response_rules, t->policy->n_response_rules, false);
}

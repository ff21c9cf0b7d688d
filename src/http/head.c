/*
 * head - the first part of a message, in a form that knows no protocol version.
 */
#include "http/head.h"

#include "base/panic.h"
#include "http/uri.h"

/* Most messages have fewer: one allocation for the fields. */
#define HEAD_FIELDS_FIRST 16

void head_init(struct head *h, struct arena *a, bool is_response)
{
    *h = (struct head){
        .arena = a,
        .is_response = is_response,
        .minor = 1,
        .fields_max = HEAD_FIELDS_MAX,
    };
}

/* Room for one more field: twice as much as before. The old array stays behind in the arena. */
static bool head_grow(struct head *h)
{
    size_t room = h->fields_room == 0 ? HEAD_FIELDS_FIRST : 2 * h->fields_room;
    struct field *fields;

    if (room > h->fields_max)
        room = h->fields_max;
    fields = arena_alloc(h->arena, room * sizeof(*fields));
    if (fields == NULL)
        return false;
    if (h->n_fields > 0)
        memcpy(fields, h->fields, h->n_fields * sizeof(*fields));
    h->fields = fields;
    h->fields_room = room;
    return true;
}

_Static_assert(FIELD_N <= 64, "ids_seen has a bit for each id");

static inline void head_put(struct head *h, struct str name, struct str value, enum field_id id)
{
    h->fields[h->n_fields++] = (struct field){name, value, id};
    h->ids_seen |= UINT64_C(1) << id;
}

__attribute__((noinline)) static bool head_add_growing(struct head *h, struct str name,
                                                       struct str value, enum field_id id)
{
    if (h->n_fields >= h->fields_max || !head_grow(h))
        return false;
    head_put(h, name, value, id);
    return true;
}

/* The common case stands alone here, without a call: it runs for every field of every message. */
bool head_add(struct head *h, struct str name, struct str value, enum field_id id)
{
    if (h->n_fields == h->fields_room)
        return head_add_growing(h, name, value, id);
    head_put(h, name, value, id);
    return true;
}

static bool field_has_name(const struct field *f, enum field_id id, struct str name)
{
    return f->id == id && (id != FIELD_OTHER || str_eq_nocase(f->name, name));
}

const struct field *head_find(const struct head *h, enum field_id id, struct str name)
{
    if (!head_may_have(h, id))
        return NULL;
    for (size_t i = 0; i < h->n_fields; i++)
        if (field_has_name(&h->fields[i], id, name))
            return &h->fields[i];
    return NULL;
}

struct str head_value(const struct head *h, enum field_id id)
{
    const struct field *f;

    assert(id != FIELD_OTHER);
    f = head_find(h, id, STR_EMPTY);
    return f == NULL ? STR_EMPTY : f->value;
}

void head_remove(struct head *h, enum field_id id, struct str name)
{
    size_t n_kept = 0;

    if (!head_may_have(h, id))
        return;
    for (size_t i = 0; i < h->n_fields; i++)
        if (!field_has_name(&h->fields[i], id, name))
            h->fields[n_kept++] = h->fields[i];
    h->n_fields = n_kept;
}

bool head_set(struct head *h, struct str name, struct str value, enum field_id id)
{
    head_remove(h, id, name);
    return head_add(h, name, value, id);
}

enum http_fault head_set_authority(struct head *h, struct str text)
{
    enum http_fault fault = uri_authority(text, h->arena, &h->host, &h->port);

    h->authority = h->host;
    if (h->port != 0)
        h->authority.n = text.n; /* uri_authority: the port stands behind the host */
    h->host = uri_host_name(h->host);
    return fault;
}

enum method method_find(struct str text)
{
    switch (text.n) {
    case 3:
        if (str_eq(text, STR("GET")))
            return METHOD_GET;
        return str_eq(text, STR("PUT")) ? METHOD_PUT : METHOD_OTHER;
    case 4:
        if (str_eq(text, STR("POST")))
            return METHOD_POST;
        return str_eq(text, STR("HEAD")) ? METHOD_HEAD : METHOD_OTHER;
    case 5:
        if (str_eq(text, STR("PATCH")))
            return METHOD_PATCH;
        return str_eq(text, STR("TRACE")) ? METHOD_TRACE : METHOD_OTHER;
    case 6: return str_eq(text, STR("DELETE")) ? METHOD_DELETE : METHOD_OTHER;
    case 7:
        if (str_eq(text, STR("OPTIONS")))
            return METHOD_OPTIONS;
        return str_eq(text, STR("CONNECT")) ? METHOD_CONNECT : METHOD_OTHER;
    }
    return METHOD_OTHER;
}

bool method_is_idempotent(enum method m)
{
    switch (m) {
    case METHOD_GET:
    case METHOD_HEAD:
    case METHOD_PUT:
    case METHOD_DELETE:
    case METHOD_OPTIONS:
    case METHOD_TRACE: return true;
    case METHOD_OTHER:
    case METHOD_POST:
    case METHOD_CONNECT:
    case METHOD_PATCH: return false;
    }
    unreachable("no such method");
}

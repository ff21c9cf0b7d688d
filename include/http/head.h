/*
 * head - the first part of a message, in a form that knows no protocol version.
 *
 * A codec fills it from the wire and writes the wire from it; what the wire said about framing and
 * connections is in the members below and never among the fields. So nothing between two codecs can
 * smuggle: there is no Content-Length to forge, no Connection to abuse.
 *
 * Life: a head and all it points at lie in one arena (a transaction's), and die with it.
 * Fields are added by head_add alone, which keeps ids_seen.
 * Invariants:  n_fields <= fields_max;  no field of kind HOP or FRAMING is in fields;
 *              a field is in fields  =>  the bit of its id is in ids_seen;
 *              has_body == false  =>  has_length == false;  names_length  =>  has_body == false.
 */
#ifndef HOLDFAST_HTTP_HEAD_H
#define HOLDFAST_HTTP_HEAD_H

#include "base/arena.h"
#include "http/fault.h"
#include "http/field.h"

/* The fields of one message. nginx takes any number, haproxy 101, httpd 100. */
#define HEAD_FIELDS_MAX 100
/* What rules and forwarding may add to a message that came with all of its fields. */
#define HEAD_FIELDS_OURS 64

/* The methods that the program treats by name; all others are forwarded as METHOD_OTHER. */
enum method {
    METHOD_OTHER,
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_CONNECT,
    METHOD_OPTIONS,
    METHOD_TRACE,
    METHOD_PATCH,
};

struct head {
    struct arena *arena;
    bool is_response;
    unsigned minor; /* of HTTP/1.minor as spoken by the peer */

    /* a request */
    enum method method;
    struct str method_text;
    struct str target;  /* origin form as received (`/p?q`), or `*` */
    struct str host;    /* lower case, without port; brackets kept on IPv6; empty if HTTP/1.0 had none */
    unsigned port;      /* as written in the authority; 0: none */
    struct str authority; /* host with its port as written, what a server is sent as Host */
    bool expects_continue; /* Expect: 100-continue, from HTTP/1.1 */
    struct str upgrade; /* the one protocol asked for (or agreed to, in a 101); empty: none */

    /* a response */
    unsigned status;

    /* both */
    struct field *fields;
    size_t n_fields;
    size_t fields_room;
    size_t fields_max; /* HEAD_FIELDS_MAX of a peer; HEAD_FIELDS_OURS more once rules apply */
    uint64_t ids_seen;    /* a bit for each field_id ever added: no need to look for others */
    bool has_body;        /* a body follows, possibly empty */
    bool has_length;      /* and this is its length */
    uint64_t body_length;
    bool names_length;    /* no body, yet a Content-Length: HEAD and 304 (RFC 9110 8.6) */
    uint64_t named_length;
    bool ends_with_connection; /* a response without length whose end is the connection's */
    bool keep_alive;      /* the peer lets the connection go on after this message */
    size_t wire_bytes;    /* of the head on the wire */
};

/* An empty head in arena a. */
void head_init(struct head *h, struct arena *a, bool is_response);

/*
 * Append a field; name and value are not copied and must live as long as the arena. Returns false
 * when the head is full or memory is out.
 */
bool head_add(struct head *h, struct str name, struct str value, enum field_id id);

/* May a field of this id be there? False is certain, true is not. */
static inline bool head_may_have(const struct head *h, enum field_id id)
{
    return (h->ids_seen >> id & 1) != 0;
}

/* The first field of this name, or NULL. With FIELD_OTHER the name is compared, else the id. */
const struct field *head_find(const struct head *h, enum field_id id, struct str name);

/* The value of the first field with this id; empty where there is none. */
struct str head_value(const struct head *h, enum field_id id);

/* Remove all fields of this name. Order of the others is kept. */
void head_remove(struct head *h, enum field_id id, struct str name);

/* Remove all fields of this name and append one; as head_add. */
bool head_set(struct head *h, struct str name, struct str value, enum field_id id);

/*
 * Set authority, host and port from the text of an authority or Host (uri_authority has the rules).
 * Copied into the arena only where it has capitals; else it must live as long as the arena.
 */
enum http_fault head_set_authority(struct head *h, struct str text);

/* The method's id by its text (case counts, RFC 9110 9.1). */
enum method method_find(struct str text);

/* Is the method idempotent (RFC 9110 9.2.2)? METHOD_OTHER is not. */
bool method_is_idempotent(enum method m);

#endif

/*
 * h1_head - the head of an HTTP/1 message: finding its end, parsing it, writing it.
 *
 * Parsing is a row of small decisions after one scan, in an order that matters: the framing is
 * decided from the fields as they came, before Connection may take any of them away; and what one
 * hop says to the next is taken out last. What is left is the version-neutral head.
 *
 * Writing trusts nobody: fields come from rules, from peers and from other codecs, and not one of
 * them may end a line.
 *
 * Elsewhere: the bytes of a line (grammar/http1.re), the body's end (framing.c), hosts (uri.c).
 */
#include "http/h1_head.h"

#include "base/panic.h"
#include "http/http1_scan.h"
#include "http/status.h"
#include "http/uri.h"
#include "http/word.h"

/* Connection may name this many things; each is looked for among all fields. */
#define CONNECTION_OPTIONS_MAX HEAD_FIELDS_MAX

/* What the Connection fields of a message say (RFC 9110 7.6.1). */
struct connection_options {
    size_t n;
    bool close;
    bool keep_alive;
    bool upgrade;
};

/*
 * Between two calls *scanned is either behind the empty lines that may stand before a request (RFC
 * 9112 2.2), on the line feed whose successor had not come yet, or at the end of what had come.
 * Only in the first case does a line feed stand before it.
 */
size_t h1_head_end(const char *p, size_t n, size_t *scanned)
{
    size_t at = *scanned;

    if (at == 0 || p[at - 1] == '\n') {
        while (n - at >= 2 && p[at] == '\r' && p[at + 1] == '\n')
            at += 2;
        *scanned = at;
        if (n - at < 2)
            return 0;
    }
    while (at < n) {
        const char *feed = memchr(p + at, '\n', n - at);

        if (feed == NULL)
            break;
        at = (size_t)(feed - p) + 1;
        if (at < n && p[at] == '\n')
            return at + 1;
        if (n - at >= 2 && p[at] == '\r' && p[at + 1] == '\n')
            return at + 2;
        if (at == n || (p[at] == '\r' && at + 1 == n)) {
            *scanned = at - 1;
            return 0;
        }
    }
    *scanned = n;
    return 0;
}

/* The part of a comma-separated list before the first comma, which is taken off the list. */
static struct str list_take(struct str *list)
{
    const char *comma = memchr(list->p, ',', list->n);
    struct str item = *list;

    if (comma == NULL) {
        *list = STR_EMPTY;
        return str_trim(item);
    }
    item.n = (size_t)(comma - item.p);
    *list = str_slice(*list, item.n + 1, list->n);
    return str_trim(item);
}

/* May Connection not take these away, since servers take a proxy's word for them? */
static bool field_is_protected(struct str name)
{
    struct str family = STR("X-Forwarded-");

    if (name.n > family.n && str_eq_nocase(str_slice(name, 0, family.n), family))
        return true;
    return str_eq_nocase(name, STR("Forwarded")) || str_eq_nocase(name, STR("X-Real-IP"));
}

/* Mark the fields of this name, which is not in fields.def, by an empty name for fields_strip. */
static void fields_mark(struct head *h, struct str name)
{
    if (name.n == 0 || field_is_protected(name))
        return;
    for (size_t i = 0; i < h->n_fields; i++)
        if (h->fields[i].id == FIELD_OTHER && str_eq_nocase(h->fields[i].name, name))
            h->fields[i].name = STR_EMPTY;
}

/*
 * Read one Connection field. False: more options than anybody needs. A name that fields.def has is
 * either for one hop, and goes anyway, or for all recipients: naming it is an attack (RFC 9110
 * 7.6.1: a sender MUST NOT), and it stays. Two options have the name of their field.
 */
static bool connection_read(struct head *h, struct str list, struct connection_options *options)
{
    while (list.n > 0) {
        struct str option = list_take(&list);
        enum field_id id = field_find(option);

        if (options->n++ == CONNECTION_OPTIONS_MAX)
            return false;
        if (id == FIELD_KEEP_ALIVE)
            options->keep_alive = true;
        else if (id == FIELD_UPGRADE)
            options->upgrade = true;
        else if (str_eq_nocase(option, STR("close")))
            options->close = true;
        else if (id == FIELD_OTHER)
            fields_mark(h, option);
    }
    return true;
}

/* What would smuggle more requests past all that read the first one: HTTP itself, plain or in TLS. */
static bool is_hidden_http(struct str name)
{
    static const struct str names[] = {{"h2c", 3}, {"h2", 2}, {"http", 4}, {"tls", 3}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

/*
 * The one protocol of an Upgrade field: "name" or "name/version". None for a list: we would have
 * to choose.
 */
static struct str upgrade_protocol(struct str value)
{
    const char *slash;
    size_t n;

    if (value.n == 0)
        return STR_EMPTY;
    slash = memchr(value.p, '/', value.n);
    n = slash == NULL ? value.n : (size_t)(slash - value.p);
    if (!field_is_token(str_slice(value, 0, n)) || is_hidden_http(str_slice(value, 0, n)))
        return STR_EMPTY;
    if (slash != NULL && !field_is_token(str_slice(value, n + 1, value.n)))
        return STR_EMPTY;
    return value;
}

/* What Connection and Upgrade say, and what follows: keep_alive, upgrade, fields marked. */
static enum http_fault head_read_connection(struct head *h)
{
    struct connection_options options = {.n = 0};

    if (head_may_have(h, FIELD_CONNECTION))
        for (size_t i = 0; i < h->n_fields; i++)
            if (h->fields[i].id == FIELD_CONNECTION &&
                !connection_read(h, h->fields[i].value, &options))
                return FAULT_HEAD_TOO_LARGE;

    /* RFC 9112 9.3: close is stronger; HTTP/1.0 goes on only where it says so. */
    h->keep_alive = !options.close && (h->minor > 0 || options.keep_alive);
    /* RFC 9110 7.8: in HTTP/1.0 to be ignored; behind a body nobody agrees where it would start. */
    if (options.upgrade && h->minor > 0 &&
        (!h->has_body || (h->has_length && h->body_length == 0)))
        h->upgrade = upgrade_protocol(head_value(h, FIELD_UPGRADE));
    return FAULT_NONE;
}

/* A bit for each id of the fields that end at this hop. */
static const uint64_t one_hop_ids = 0
#define X(id, name, kind) | (uint64_t)(FIELD_KIND_##kind != FIELD_KIND_END) << FIELD_##id
#include "grammar/fields.def"
#undef X
    ;

/* Take out what is marked, what is for one hop or for framing, and Host (authority has it). */
static void fields_strip(struct head *h)
{
    uint64_t strip = one_hop_ids | (uint64_t)!h->is_response << FIELD_HOST;
    size_t n_kept = 0;

    for (size_t i = 0; i < h->n_fields; i++) {
        const struct field *field = &h->fields[i];

        if (field->name.n == 0 || (strip >> field->id & 1) != 0)
            continue;
        if (n_kept != i)
            h->fields[n_kept] = *field;
        n_kept++;
    }
    h->n_fields = n_kept;
    h->ids_seen &= ~strip;
}

static void head_set_framing(struct head *h, const struct framing *f)
{
    h->has_body = f->kind != FRAMING_NONE;
    h->has_length = f->kind == FRAMING_LENGTH;
    h->body_length = h->has_length ? f->length : 0;
    h->names_length = f->names_length;
    h->named_length = f->names_length ? f->length : 0;
    h->ends_with_connection = f->kind == FRAMING_CONNECTION;
}

/*
 * What an origin server wants to see of an absolute-form target: `/` before a bare query, `*` for
 * OPTIONS of the whole server (RFC 9112 3.2.1, 3.2.4).
 */
static struct str origin_form(const struct head *h, struct str rest)
{
    if (rest.n == 0)
        return h->method == METHOD_OPTIONS ? STR("*") : STR("/");
    if (rest.p[0] == '?')
        return arena_printf(h->arena, "/%.*s", STR_ARG(rest));
    return rest;
}

/* The value of the one Host field; p == NULL where there is none. RFC 9112 3.2. */
static enum http_fault host_find(const struct head *h, struct str *host)
{
    *host = STR_EMPTY;
    for (size_t i = 0; i < h->n_fields; i++) {
        if (h->fields[i].id != FIELD_HOST)
            continue;
        if (host->p != NULL)
            return FAULT_HOST_REPEATED;
        *host = h->fields[i].value;
    }
    return host->p == NULL && h->minor > 0 ? FAULT_HOST_MISSING : FAULT_NONE;
}

static unsigned port_or(unsigned port, unsigned default_port)
{
    return port == 0 ? default_port : port;
}

/*
 * An absolute-form target: its authority counts (RFC 9112 3.2.2). A Host that means another one is
 * refused, since a server behind us might believe that one.
 */
static enum http_fault head_read_absolute(struct head *h, struct str target, struct str host)
{
    struct str authority;
    struct str other;
    struct str rest;
    unsigned other_port;
    unsigned default_port;
    enum http_fault fault;

    if (!uri_absolute(target, &authority, &rest, &default_port))
        return FAULT_TARGET;
    if (authority.n == 0)
        return FAULT_HOST_SYNTAX; /* RFC 9110 4.2.1: an empty host is invalid */
    h->target = origin_form(h, rest);
    if (h->target.p == NULL)
        return FAULT_MEMORY;
    fault = head_set_authority(h, authority);
    if (fault != FAULT_NONE || host.p == NULL)
        return fault;

    fault = uri_authority(host, h->arena, &other, &other_port);
    if (fault != FAULT_NONE)
        return fault;
    if (!str_eq(uri_host_name(other), h->host) ||
        port_or(other_port, default_port) != port_or(h->port, default_port))
        return FAULT_HOST_MISMATCH;
    return FAULT_NONE;
}

/* Which form the target has, and whose it is: target, host, port, authority. RFC 9112 3.2. */
static enum http_fault head_read_target(struct head *h, struct str target)
{
    struct str host;
    enum http_fault fault = host_find(h, &host);

    if (fault != FAULT_NONE)
        return fault;
    h->target = target;
    if (target.p[0] == '/')
        return head_set_authority(h, host);
    if (target.p[0] != '*')
        return head_read_absolute(h, target, host);
    if (target.n != 1 || h->method != METHOD_OPTIONS)
        return FAULT_TARGET;
    return head_set_authority(h, host);
}

/* RFC 9110 10.1.1. HTTP/1.0 had no Expect, and without content there is nothing to wait for. */
static enum http_fault head_read_expect(struct head *h)
{
    if (h->minor == 0 || !head_may_have(h, FIELD_EXPECT))
        return FAULT_NONE;
    for (size_t i = 0; i < h->n_fields; i++) {
        if (h->fields[i].id != FIELD_EXPECT)
            continue;
        if (!str_eq_nocase(h->fields[i].value, STR("100-continue")))
            return FAULT_EXPECTATION;
        h->expects_continue = h->has_body && (!h->has_length || h->body_length > 0);
    }
    return FAULT_NONE;
}

/* RFC 9110 2.5: a higher minor version is understood as the highest we know. */
static enum http_fault head_read_version(struct head *h, unsigned major, unsigned minor)
{
    h->minor = minor > 0 ? 1 : 0;
    return major == 1 ? FAULT_NONE : FAULT_VERSION;
}

static enum http_fault head_read_request_line(struct head *h, const struct http1_request_line *line)
{
    h->method_text = line->method;
    h->method = method_find(line->method);
    h->target = line->target;
    if (line->target.n > H1_TARGET_MAX)
        return FAULT_TARGET_TOO_LONG;
    return h->method == METHOD_CONNECT ? FAULT_CONNECT : FAULT_NONE;
}

enum http_fault h1_parse_request(struct str text, struct head *h, struct framing *f)
{
    struct http1_request_line line;
    enum http_fault fault;

    *f = (struct framing){.kind = FRAMING_NONE};
    h->wire_bytes = text.n;
    if (text.n > H1_HEAD_MAX)
        return FAULT_HEAD_TOO_LARGE;
    if ((fault = http1_scan_request(text, &line, h)) != FAULT_NONE ||
        (fault = head_read_version(h, line.major, line.minor)) != FAULT_NONE ||
        (fault = head_read_request_line(h, &line)) != FAULT_NONE ||
        (fault = framing_of_request(h, f)) != FAULT_NONE)
        return fault;
    head_set_framing(h, f);
    if ((fault = head_read_target(h, line.target)) != FAULT_NONE ||
        (fault = head_read_expect(h)) != FAULT_NONE ||
        (fault = head_read_connection(h)) != FAULT_NONE)
        return fault;
    fields_strip(h);
    return FAULT_NONE;
}

enum http_fault h1_parse_response(struct str text, enum method asked, struct head *h,
                                  struct framing *f)
{
    struct http1_status_line line;
    enum http_fault fault;

    *f = (struct framing){.kind = FRAMING_NONE};
    h->wire_bytes = text.n;
    if (text.n > H1_HEAD_MAX)
        return FAULT_HEAD_TOO_LARGE;
    if ((fault = http1_scan_response(text, &line, h)) != FAULT_NONE ||
        (fault = head_read_version(h, line.major, line.minor)) != FAULT_NONE)
        return fault;
    h->status = line.status;
    if (line.status < 100 || line.status > 599)
        return FAULT_STATUS_LINE;
    if ((fault = framing_of_response(h, asked, f)) != FAULT_NONE)
        return fault;
    head_set_framing(h, f);
    if ((fault = head_read_connection(h)) != FAULT_NONE)
        return fault;
    if (h->ends_with_connection)
        h->keep_alive = false;
    fields_strip(h);
    return FAULT_NONE;
}

void h1_parse_line_for_log(struct str text, struct str *method, struct str *target)
{
    const char *end;
    const char *space;

    *method = STR_EMPTY;
    *target = STR_EMPTY;
    while (text.n >= 2 && text.p[0] == '\r' && text.p[1] == '\n')
        text = str_slice(text, 2, text.n);
    end = text.n == 0 ? NULL : memchr(text.p, '\n', text.n);
    if (end == NULL)
        return;
    if (end > text.p && end[-1] == '\r')
        end--;
    space = memchr(text.p, ' ', (size_t)(end - text.p));
    if (space == NULL)
        return;
    *method = (struct str){text.p, (size_t)(space - text.p)};
    text = (struct str){space + 1, (size_t)(end - space) - 1};
    space = memchr(text.p, ' ', text.n);
    *target = space == NULL ? text : str_slice(text, 0, (size_t)(space - text.p));
}

/* A run of output from `at`, never past `end`. Once `fits` is false, all of it is worth nothing. */
struct writer {
    char *at;
    char *end;
    bool fits;
};

static void put_str(struct writer *w, struct str s)
{
    if ((size_t)(w->end - w->at) < s.n) {
        w->fits = false;
        return;
    }
    if (s.n > 0)
        memcpy(w->at, s.p, s.n);
    w->at += s.n;
}

/* May s be written into a line? In words while there is no control at all, else byte by byte. */
static bool stays_on_line(struct str s)
{
    if (s.n >= WORD_BYTES) {
        size_t last = s.n - WORD_BYTES;
        size_t i = 0;

        while (i < last && word_controls(word_load(s.p + i)) == 0)
            i += WORD_BYTES;
        if (i >= last && word_controls(word_load(s.p + last)) == 0)
            return true;
    }
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
            return false;
    return true;
}

/* A part of the start line or of Host: a space would end it as surely as a line feed. */
static void put_word(struct writer *w, struct str s)
{
    if (!stays_on_line(s) || (s.n > 0 && memchr(s.p, ' ', s.n) != NULL))
        w->fits = false;
    put_str(w, s);
}

/* One field line. A field that the codec alone may write is left out, whoever put it there. */
static void put_field(struct writer *w, const struct field *field, uint64_t left_out)
{
    size_t room = (size_t)(w->end - w->at);
    bool is_known = field->id != FIELD_OTHER;
    enum field_id id = is_known ? field->id : field_find(field->name);

    if ((left_out >> id & 1) != 0)
        return;
    if (room < 4 || field->name.n > room - 4 || field->value.n > room - 4 - field->name.n ||
        !(is_known || field_is_token(field->name)) || !stays_on_line(field->value)) {
        w->fits = false;
        return;
    }
    memcpy(w->at, field->name.p, field->name.n);
    w->at += field->name.n;
    *w->at++ = ':';
    *w->at++ = ' ';
    if (field->value.n > 0)
        memcpy(w->at, field->value.p, field->value.n);
    w->at += field->value.n;
    *w->at++ = '\r';
    *w->at++ = '\n';
}

static void put_length(struct writer *w, uint64_t length)
{
    char digits[STR_U64_MAX];

    put_str(w, STR("Content-Length: "));
    put_str(w, (struct str){digits, str_put_u64(digits, length)});
    put_str(w, STR("\r\n"));
}

/* What the codec decided, and the empty line. */
static size_t put_framing(struct writer *w, const struct head *h, const struct h1_framing_out *f,
                          const char *start)
{
    assert(!(f->has_length && f->is_chunked));
    if (f->has_length)
        put_length(w, f->length);
    if (f->is_chunked)
        put_str(w, STR("Transfer-Encoding: chunked\r\n"));
    if (f->expect)
        put_str(w, STR("Expect: 100-continue\r\n"));
    if (f->upgrade && h->upgrade.n > 0) {
        put_str(w, STR("Connection: upgrade\r\nUpgrade: "));
        put_word(w, h->upgrade);
        put_str(w, STR("\r\n"));
    } else if (f->close) {
        put_str(w, STR("Connection: close\r\n"));
    } else if (f->keep_alive) {
        put_str(w, STR("Connection: keep-alive\r\n"));
    }
    put_str(w, STR("\r\n"));
    return w->fits ? (size_t)(w->at - start) : 0;
}

size_t h1_write_request(const struct head *h, const struct h1_framing_out *f, char *out,
                        size_t room)
{
    struct writer w = {out, out + room, true};

    assert(!h->is_response);
    if (!field_is_token(h->method_text) || h->target.n == 0)
        return 0;
    put_str(&w, h->method_text);
    put_str(&w, STR(" "));
    put_word(&w, h->target);
    put_str(&w, STR(" HTTP/1.1\r\nHost: "));
    put_word(&w, h->authority);
    put_str(&w, STR("\r\n"));
    for (size_t i = 0; i < h->n_fields; i++)
        put_field(&w, &h->fields[i], one_hop_ids | UINT64_C(1) << FIELD_HOST);
    return put_framing(&w, h, f, out);
}

size_t h1_write_response(const struct head *h, const struct h1_framing_out *f, char *out,
                         size_t room)
{
    struct writer w = {out, out + room, true};
    char digits[STR_U64_MAX];

    assert(h->is_response && h->status >= 100 && h->status <= 999);
    put_str(&w, STR("HTTP/1.1 "));
    put_str(&w, (struct str){digits, str_put_u64(digits, h->status)});
    put_str(&w, STR(" "));
    put_str(&w, status_phrase(h->status));
    put_str(&w, STR("\r\n"));
    for (size_t i = 0; i < h->n_fields; i++)
        put_field(&w, &h->fields[i], one_hop_ids);
    if (!h->has_body && h->names_length && !f->has_length && !f->is_chunked)
        put_length(&w, h->named_length);
    return put_framing(&w, h, f, out);
}

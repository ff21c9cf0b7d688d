/*
 * uri - request targets, hosts, paths and queries (RFC 3986, RFC 9112 3.2).
 *
 * What two readers could take for two things is refused: a host that must be decoded first, an
 * encoded slash, a backslash (a slash to some servers). What has one normal form is brought to it.
 */
#include "http/uri.h"

#include <arpa/inet.h>

#define PORT_MAX    65535
#define PORT_DIGITS 5

/* Which bytes a host may have, and which of them are capitals. */
enum host_byte { HOST_SMALL = 1, HOST_CAPITAL = 2 };

/*
 * reg-name of RFC 3986 3.2.2 without two of its parts: percent-encoding (one server decodes it, the
 * next does not) and the comma (some see a list of hosts). IPv4 addresses are reg-names too.
 */
static const unsigned char host_bytes[256] = {
    ['a' ... 'z'] = HOST_SMALL, ['0' ... '9'] = HOST_SMALL, ['A' ... 'Z'] = HOST_CAPITAL,
    ['-'] = HOST_SMALL,         ['.'] = HOST_SMALL,         ['_'] = HOST_SMALL,
    ['~'] = HOST_SMALL,         ['!'] = HOST_SMALL,         ['$'] = HOST_SMALL,
    ['&'] = HOST_SMALL,         ['('] = HOST_SMALL,         [')'] = HOST_SMALL,
    ['*'] = HOST_SMALL,         ['+'] = HOST_SMALL,         [';'] = HOST_SMALL,
    ['\''] = HOST_SMALL,        ['='] = HOST_SMALL,
};

/* How many bytes at the front of text make a reg-name. */
static size_t reg_name_length(struct str text, bool *has_capitals)
{
    unsigned seen = 0;
    size_t n = 0;

    for (; n < text.n; n++) {
        unsigned kind = host_bytes[(unsigned char)text.p[n]];

        if (kind == 0)
            break;
        seen |= kind;
    }
    *has_capitals = (seen & HOST_CAPITAL) != 0;
    return n;
}

/*
 * Likewise for "[" IPv6address "]"; 0 where text does not start with one. Zones and IPvFuture mean
 * nothing to a server and are none.
 */
static size_t ipv6_literal_length(struct str text, bool *has_capitals)
{
    const char *bracket = memchr(text.p, ']', text.n);
    char address_text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t n;

    if (bracket == NULL || bracket - text.p > INET6_ADDRSTRLEN)
        return 0;
    n = (size_t)(bracket - text.p) - 1;
    if (memchr(text.p + 1, '\0', n) != NULL)
        return 0;
    memcpy(address_text, text.p + 1, n);
    address_text[n] = '\0';
    *has_capitals = true; /* or not: a copy does no harm */
    return inet_pton(AF_INET6, address_text, &address) == 1 ? n + 2 : 0;
}

/* What stands behind a host: nothing, or a colon and a port, maybe empty (RFC 3986 3.2.3). */
static bool port_read(struct str text, unsigned *port)
{
    uint64_t number;

    if (text.n == 0)
        return true;
    if (text.p[0] != ':' || text.n > 1 + PORT_DIGITS)
        return false;
    text = str_slice(text, 1, text.n);
    if (text.n == 0)
        return true;
    if (!str_to_u64(text, PORT_MAX, &number) || number == 0)
        return false;
    *port = (unsigned)number;
    return true;
}

/* A copy of text in lower case; p == NULL: no memory. */
static struct str lower_copy(struct str text, struct arena *a)
{
    char *copy = arena_text(a, text.n);

    if (copy == NULL)
        return STR_EMPTY;
    for (size_t i = 0; i < text.n; i++)
        copy[i] = str_lower_char(text.p[i]);
    return (struct str){copy, text.n};
}

enum http_fault uri_authority(struct str text, struct arena *a, struct str *host, unsigned *port)
{
    bool has_capitals;
    size_t n;

    *host = STR_EMPTY;
    *port = 0;
    if (text.n == 0)
        return FAULT_NONE;
    n = text.p[0] == '[' ? ipv6_literal_length(text, &has_capitals)
                         : reg_name_length(text, &has_capitals);
    if (n == 0 || !port_read(str_slice(text, n, text.n), port))
        return memchr(text.p, '@', text.n) == NULL ? FAULT_HOST_SYNTAX : FAULT_HOST_USERINFO;
    if (has_capitals)
        text = lower_copy(text, a);
    if (text.p == NULL)
        return FAULT_MEMORY;
    *host = str_slice(text, 0, n);
    return FAULT_NONE;
}

/* Take the prefix off the front of text, without regard to case. */
static bool take_nocase(struct str *text, struct str prefix)
{
    if (text->n < prefix.n || !str_eq_nocase(str_slice(*text, 0, prefix.n), prefix))
        return false;
    *text = str_slice(*text, prefix.n, text->n);
    return true;
}

bool uri_absolute(struct str target, struct str *authority, struct str *rest,
                  unsigned *default_port)
{
    size_t n = 0;

    if (take_nocase(&target, STR("http://")))
        *default_port = 80;
    else if (take_nocase(&target, STR("https://")))
        *default_port = 443;
    else
        return false;

    while (n < target.n && target.p[n] != '/' && target.p[n] != '?')
        n++;
    *authority = str_slice(target, 0, n);
    *rest = str_slice(target, n, target.n);
    return true;
}

struct str uri_raw_path(struct str target)
{
    const char *mark = target.n == 0 ? NULL : memchr(target.p, '?', target.n);

    return mark == NULL ? target : str_slice(target, 0, (size_t)(mark - target.p));
}

struct str uri_query(struct str target)
{
    struct str path = uri_raw_path(target);

    return path.n == target.n ? STR_EMPTY : str_slice(target, path.n + 1, target.n);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = str_lower_char(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the escape at text.p[at] stands for, or -1 where it is not "%" HEXDIG HEXDIG. */
static int escape_value(struct str text, size_t at)
{
    int high;
    int low;

    if (text.n - at < 3)
        return -1;
    high = hex_value(text.p[at + 1]);
    low = hex_value(text.p[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Is the path its own normal form? Nearly all are, and then nothing is copied. */
static bool path_is_normal(struct str path)
{
    char last = '\0';

    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];

        if (c == '%' || c == '\\' || (last == '/' && (c == '/' || c == '.')))
            return false;
        last = c;
    }
    return true;
}

/*
 * Decode, once. False for an escape that is none, and for bytes that must not come out of one: a
 * control is never meant, and a slash or backslash would divide the path for some readers only.
 */
static bool path_decode(struct str path, char *out, size_t *n_out)
{
    size_t n = 0;

    for (size_t i = 0; i < path.n; i++) {
        int c = (unsigned char)path.p[i];

        if (c == '%') {
            c = escape_value(path, i);
            if (c < 0x20 || c == 0x7f || c == '/')
                return false;
            i += 2;
        }
        if (c == '\\')
            return false;
        out[n++] = (char)c;
    }
    *n_out = n;
    return true;
}

/*
 * Does the text hold an overlong UTF-8 sequence, the old disguise of a slash or a dot (RFC 3629 3)?
 * Other bytes that are not UTF-8 pass: paths in ISO 8859-1 are still about.
 */
static bool has_overlong(const char *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        unsigned char lead = (unsigned char)p[i];
        unsigned char next = (unsigned char)p[i + 1];

        if (lead < 0xc0 || next < 0x80 || next > 0xbf)
            continue;
        if (lead <= 0xc1 || (lead == 0xe0 && next < 0xa0) || (lead == 0xf0 && next < 0x90))
            return true;
    }
    return false;
}

/* The segment that starts at p[at], up to the next slash or the end. */
static struct str segment_at(const char *p, size_t n, size_t at)
{
    const char *slash = memchr(p + at, '/', n - at);

    return (struct str){p + at, slash == NULL ? n - at : (size_t)(slash - p) - at};
}

/*
 * Remove dot segments (RFC 3986 5.2.4) and empty ones, in place. p[0] is a slash. What is kept is
 * `/segment` each time, so `..` takes back to the last slash and never past the first.
 */
static size_t path_remove_dots(char *p, size_t n)
{
    size_t kept = 0;
    bool ends_in_slash = true;

    for (size_t at = 1; at <= n;) {
        struct str segment = segment_at(p, n, at);
        size_t next = at + segment.n + 1;

        ends_in_slash = true;
        if (str_eq(segment, STR(".."))) {
            while (kept > 0 && p[--kept] != '/')
                continue;
        } else if (segment.n > 0 && !str_eq(segment, STR("."))) {
            p[kept] = '/';
            memmove(p + kept + 1, segment.p, segment.n);
            kept += 1 + segment.n;
            ends_in_slash = false;
        }
        at = next;
    }
    if (ends_in_slash)
        p[kept++] = '/';
    return kept;
}

bool uri_path(struct str target, struct arena *a, struct str *path)
{
    struct str raw = uri_raw_path(target);
    char *text;
    size_t n;

    if (raw.n == 0 || raw.p[0] != '/')
        return false;
    if (path_is_normal(raw)) {
        *path = raw;
        return true;
    }
    text = arena_text(a, raw.n);
    if (text == NULL || !path_decode(raw, text, &n) || has_overlong(text, n))
        return false;
    *path = (struct str){text, path_remove_dots(text, n)};
    return true;
}

/* Take one character of a query's name or value off the front. A bad escape stands for itself. */
static char query_take(struct str *text)
{
    char c = text->p[0];
    size_t n = 1;

    if (c == '+') {
        c = ' ';
    } else if (c == '%') {
        int value = escape_value(*text, 0);

        if (value >= 0) {
            c = (char)value;
            n = 3;
        }
    }
    *text = str_slice(*text, n, text->n);
    return c;
}

static bool query_name_is(struct str encoded, struct str name)
{
    size_t i = 0;

    while (encoded.n > 0 && i < name.n)
        if (query_take(&encoded) != name.p[i++])
            return false;
    return encoded.n == 0 && i == name.n;
}

static bool query_decode(struct str encoded, struct arena *a, struct str *value)
{
    char *text = arena_text(a, encoded.n);
    size_t n = 0;

    if (text == NULL)
        return false;
    while (encoded.n > 0)
        text[n++] = query_take(&encoded);
    *value = (struct str){text, n};
    return true;
}

/* What stands before the first `mark`, which is taken off the front of text with it. */
static struct str take_until(struct str *text, char mark)
{
    const char *found = text->n == 0 ? NULL : memchr(text->p, mark, text->n);
    struct str before = *text;

    if (found == NULL) {
        *text = STR_EMPTY;
        return before;
    }
    before.n = (size_t)(found - text->p);
    *text = str_slice(*text, before.n + 1, text->n);
    return before;
}

static bool is_unreserved(char c)
{
    char lower = str_lower_char(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

bool uri_is_target_char(char c)
{
    return is_unreserved(c) || (c != '\0' && strchr("!$&'()*+,;=:@/?%", c) != NULL);
}

size_t uri_encode(enum uri_part part, struct str text, char *out)
{
    const char *plain = part == URI_PATH ? "!$&'()*+,;=:@/" : "!$'()*,;:@/?";
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (is_unreserved(text.p[i]) || (c != '\0' && strchr(plain, c) != NULL)) {
            out[n++] = text.p[i];
            continue;
        }
        out[n++] = '%';
        out[n++] = "0123456789ABCDEF"[c >> 4];
        out[n++] = "0123456789ABCDEF"[c & 15];
    }
    return n;
}

bool uri_query_argument(struct str query, struct str name, struct arena *a, struct str *value)
{
    while (query.n > 0) {
        struct str argument = take_until(&query, '&');
        struct str encoded_name = take_until(&argument, '=');

        if (query_name_is(encoded_name, name))
            return query_decode(argument, a, value);
    }
    return false;
}

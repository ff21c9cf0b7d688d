/*
 * proxy_protocol - HAProxy's PROXY header, versions 1 and 2: who a connection is made for.
 */
#include "io/proxy_protocol.h"

#include <arpa/inet.h>
#include <string.h>

/* Version 2 (2.2): 12 bytes of signature, version and command, family, 16 bits of length. */
#define V2_SIGNATURE    "\r\n\r\n\0\r\nQUIT\n"
#define V2_FIXED_BYTES  16
#define V2_LOCAL        0x20
#define V2_PROXY        0x21
#define V2_UNSPEC       0x00
#define V2_TCP4         0x11
#define V2_TCP6         0x21
#define V2_UNIX         0x31
#define V2_TCP4_BYTES   12
#define V2_TCP6_BYTES   36
#define V2_UNIX_BYTES   216
#define TLV_FIXED_BYTES 3

static enum proxy_result bad(const char **why, const char *text)
{
    *why = text;
    return PROXY_BAD;
}

static struct str prefix_v1(void)
{
    return STR("PROXY ");
}

static struct str prefix_v2(void)
{
    return STR(V2_SIGNATURE);
}

/* Could the bytes begin with the prefix, once there are enough of them? */
static bool may_begin(struct str bytes, struct str prefix)
{
    size_t n = bytes.n < prefix.n ? bytes.n : prefix.n;

    return memcmp(bytes.p, prefix.p, n) == 0;
}

/* --- version 1: a line of text --- */

/* Take the next word, which one blank or the end follows. */
static struct str word_next(struct str *line)
{
    const char *blank = line->n == 0 ? NULL : memchr(line->p, ' ', line->n);
    size_t n = blank == NULL ? line->n : (size_t)(blank - line->p);
    struct str word = str_slice(*line, 0, n);

    *line = str_slice(*line, blank == NULL ? n : n + 1, line->n);
    return word;
}

static bool read_ip(struct str word, bool is_v6, struct endpoint *e)
{
    bool has_colon = word.n > 0 && memchr(word.p, ':', word.n) != NULL;

    e->is_ip = true;
    return has_colon == is_v6 && ip_parse(word, &e->ip);
}

static bool read_port(struct str word, struct endpoint *e)
{
    uint64_t port;

    if ((word.n > 1 && word.p[0] == '0') || !str_to_u64(word, 65535, &port))
        return false;
    e->port = (uint16_t)port;
    return true;
}

/* Four words behind the family, and a fifth where there is nothing more. */
static bool read_line(struct str line, bool is_v6, struct proxy_header *h)
{
    struct str words[4];

    for (size_t i = 0; i < 4; i++)
        words[i] = word_next(&line);
    h->has_addresses = true;
    return line.n == 0 && line.p == words[3].p + words[3].n && read_ip(words[0], is_v6, &h->source) &&
           read_ip(words[1], is_v6, &h->target) && read_port(words[2], &h->source) &&
           read_port(words[3], &h->target);
}

static enum proxy_result read_v1(struct str bytes, struct proxy_header *h, size_t *used,
                                 const char **why)
{
    size_t most = bytes.n < PROXY_V1_MAX ? bytes.n : PROXY_V1_MAX;
    const char *end = memchr(bytes.p, '\n', most);
    struct str line;
    struct str family;

    if (end == NULL)
        return bytes.n < PROXY_V1_MAX ? PROXY_MORE : bad(why, "its line has more than 107 bytes");
    *used = (size_t)(end + 1 - bytes.p);
    if (end[-1] != '\r') /* the prefix stands before it */
        return bad(why, "its line does not end in CRLF");
    line = str_slice(bytes, prefix_v1().n, *used - 2);
    family = word_next(&line);
    if (str_eq(family, STR("UNKNOWN")))
        return PROXY_OK; /* whatever follows is to be ignored */
    if (!str_eq(family, STR("TCP4")) && !str_eq(family, STR("TCP6")))
        return bad(why, "its family is none of TCP4, TCP6 and UNKNOWN");
    return read_line(line, str_eq(family, STR("TCP6")), h) ? PROXY_OK
                                                          : bad(why, "malformed address or port");
}

/* --- version 2: bytes --- */

static unsigned read_u16(const char *p)
{
    return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static struct endpoint endpoint_v4(const char *address, const char *port)
{
    struct addr a = {.n = sizeof(a.at.v4)};

    a.at.v4.sin_family = AF_INET;
    memcpy(&a.at.v4.sin_addr, address, 4);
    memcpy(&a.at.v4.sin_port, port, 2);
    return addr_endpoint(&a);
}

static struct endpoint endpoint_v6(const char *address, const char *port)
{
    struct endpoint e = {.port = (uint16_t)read_u16(port), .is_ip = true};

    memcpy(e.ip.bytes, address, 16);
    return e;
}

/* Do the extensions (type, 16 bits of length, that many bytes) fill what is left? */
static bool extensions_fit(struct str left)
{
    while (left.n >= TLV_FIXED_BYTES) {
        size_t n = TLV_FIXED_BYTES + read_u16(left.p + 1);

        if (n > left.n)
            return false;
        left = str_slice(left, n, left.n);
    }
    return left.n == 0;
}

static size_t addresses_bytes(unsigned family)
{
    switch (family) {
    case V2_TCP4: return V2_TCP4_BYTES;
    case V2_TCP6: return V2_TCP6_BYTES;
    case V2_UNIX: return V2_UNIX_BYTES;
    default: return 0;
    }
}

static enum proxy_result read_addresses(unsigned family, struct str block, struct proxy_header *h,
                                        const char **why)
{
    size_t n = addresses_bytes(family);
    const char *p = block.p;

    if (n == 0)
        return bad(why, "its family is none that a stream can have");
    if (block.n < n)
        return bad(why, "its length has no room for the addresses");
    if (!extensions_fit(str_slice(block, n, block.n)))
        return bad(why, "its extensions do not fill its length");
    h->has_addresses = true;
    if (family == V2_TCP4) {
        h->source = endpoint_v4(p, p + 8);
        h->target = endpoint_v4(p + 4, p + 10);
    } else if (family == V2_TCP6) {
        h->source = endpoint_v6(p, p + 32);
        h->target = endpoint_v6(p + 16, p + 34);
    } /* else a unix socket: an endpoint without an address */
    return PROXY_OK;
}

static enum proxy_result read_v2(struct str bytes, struct proxy_header *h, size_t *used,
                                 const char **why)
{
    unsigned command;
    unsigned family;

    if (bytes.n < V2_FIXED_BYTES)
        return PROXY_MORE;
    command = (unsigned char)bytes.p[12];
    family = (unsigned char)bytes.p[13];
    *used = V2_FIXED_BYTES + read_u16(bytes.p + 14);
    if (command != V2_LOCAL && command != V2_PROXY)
        return bad(why, "neither version 2 nor a command that it has");
    if (*used > PROXY_HEADER_MAX)
        return bad(why, "it is longer than 16 KiB");
    if (bytes.n < *used)
        return PROXY_MORE;
    /* The proxy's own connection, or one whose ends it cannot say: all else is to be ignored. */
    if (command == V2_LOCAL || family == V2_UNSPEC)
        return PROXY_OK;
    return read_addresses(family, str_slice(bytes, V2_FIXED_BYTES, *used), h, why);
}

enum proxy_result proxy_header_read(const char *p, size_t n, struct proxy_header *h, size_t *used,
                                    const char **why)
{
    struct str bytes = {p, n};

    *h = (struct proxy_header){.has_addresses = false};
    if (n == 0)
        return PROXY_MORE;
    if (may_begin(bytes, prefix_v1()))
        return n < prefix_v1().n ? PROXY_MORE : read_v1(bytes, h, used, why);
    if (may_begin(bytes, prefix_v2()))
        return n < prefix_v2().n ? PROXY_MORE : read_v2(bytes, h, used, why);
    return bad(why, "there is none");
}

/* --- writing --- */

static bool is_v4(const struct endpoint *e)
{
    return memcmp(e->ip.bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;
}

static size_t put(char *out, struct str text)
{
    memcpy(out, text.p, text.n);
    return text.n;
}

/* An address and a blank; in a line of TCP6 an IPv4 address is a mapped one. */
static size_t put_ip(char *out, const struct endpoint *e, bool as_v6)
{
    char text[ADDR_TEXT_MAX];
    size_t n = as_v6 && is_v4(e) ? put(out, STR("::ffff:")) : 0;

    n += put(out + n, (struct str){text, ip_text(&e->ip, text)});
    out[n] = ' ';
    return n + 1;
}

static size_t write_v1(char *out, const struct endpoint *source, const struct endpoint *target)
{
    bool as_v6 = !is_v4(source) || !is_v4(target);
    size_t n = put(out, as_v6 ? STR("PROXY TCP6 ") : STR("PROXY TCP4 "));

    n += put_ip(out + n, source, as_v6);
    n += put_ip(out + n, target, as_v6);
    n += str_put_u64(out + n, source->port);
    out[n++] = ' ';
    n += str_put_u64(out + n, target->port);
    return n + put(out + n, STR("\r\n"));
}

static size_t put_u16(char *out, unsigned number)
{
    out[0] = (char)(number >> 8);
    out[1] = (char)number;
    return 2;
}

static size_t write_v2(char *out, const struct endpoint *source, const struct endpoint *target)
{
    bool as_v6 = !is_v4(source) || !is_v4(target);
    size_t skip = as_v6 ? 0 : 12;
    size_t n = put(out, prefix_v2());

    out[n++] = V2_PROXY;
    out[n++] = as_v6 ? V2_TCP6 : V2_TCP4;
    n += put_u16(out + n, as_v6 ? V2_TCP6_BYTES : V2_TCP4_BYTES);
    n += put(out + n, (struct str){(const char *)source->ip.bytes + skip, 16 - skip});
    n += put(out + n, (struct str){(const char *)target->ip.bytes + skip, 16 - skip});
    n += put_u16(out + n, source->port);
    return n + put_u16(out + n, target->port);
}

size_t proxy_header_write(char *out, enum proxy_version version, const struct proxy_header *h)
{
    struct endpoint target = h->target;
    size_t n;

    if (!h->has_addresses || !h->source.is_ip) {
        if (version == PROXY_V1)
            return put(out, STR("PROXY UNKNOWN\r\n"));
        n = put(out, prefix_v2());
        n += put(out + n, STR("\x21\0\0\0"));
        return n;
    }
    if (!target.is_ip) { /* of the source's family */
        target = (struct endpoint){.is_ip = true};
        if (is_v4(&h->source))
            memset(target.ip.bytes + 10, 0xff, 2);
    }
    return version == PROXY_V1 ? write_v1(out, &h->source, &target)
                               : write_v2(out, &h->source, &target);
}

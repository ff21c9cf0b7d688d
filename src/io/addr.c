/*
 * addr - socket addresses and networks, as values and as text.
 */
#include "io/addr.h"

#include "base/panic.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>

/* Room for a host name (RFC 1035: 255) and its NUL. */
#define HOST_TEXT_MAX 256

#define PATH_MAX_BYTES (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

/* The C library wants terminated text. */
static bool terminate(struct str text, char *out, size_t room)
{
    if (text.n == 0 || text.n >= room || memchr(text.p, '\0', text.n) != NULL)
        return false;
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return true;
}

static void set_v4(struct addr *a, struct in_addr host, unsigned port)
{
    *a = (struct addr){.n = sizeof(a->at.v4)};
    a->at.v4.sin_family = AF_INET;
    a->at.v4.sin_addr = host;
    a->at.v4.sin_port = htons((uint16_t)port);
}

static void set_v6(struct addr *a, struct in6_addr host, unsigned port)
{
    *a = (struct addr){.n = sizeof(a->at.v6)};
    a->at.v6.sin6_family = AF_INET6;
    a->at.v6.sin6_addr = host;
    a->at.v6.sin6_port = htons((uint16_t)port);
}

/* `::1`, or `fe80::1%eth0`: a link-local address needs its interface. */
static bool parse_v6(struct str text, struct in6_addr *host, unsigned *zone)
{
    char name[HOST_TEXT_MAX];
    char *percent;

    *zone = 0;
    if (!terminate(text, name, sizeof(name)))
        return false;
    percent = strchr(name, '%');
    if (percent != NULL) {
        *percent = '\0';
        *zone = if_nametoindex(percent + 1);
        if (*zone == 0)
            return false;
    }
    return inet_pton(AF_INET6, name, host) == 1;
}

/* Split HOST:PORT at its last colon; a bracketed host loses its brackets. */
static bool split(struct str text, struct str *host, unsigned *port, bool *is_bracketed)
{
    const char *colon = text.n == 0 ? NULL : memrchr(text.p, ':', text.n);
    uint64_t number;

    if (colon == NULL)
        return false;
    *host = str_slice(text, 0, (size_t)(colon - text.p));
    if (!str_to_u64(str_slice(text, host->n + 1, text.n), 65535, &number))
        return false;
    *port = (unsigned)number;
    *is_bracketed = host->n >= 2 && host->p[0] == '[' && host->p[host->n - 1] == ']';
    if (*is_bracketed)
        *host = str_slice(*host, 1, host->n - 1);
    return true;
}

bool addr_parse(struct str text, struct addr *a)
{
    char name[HOST_TEXT_MAX];
    struct in6_addr v6;
    struct in_addr v4;
    struct str host;
    unsigned port;
    unsigned zone;
    bool is_bracketed;

    if (!split(text, &host, &port, &is_bracketed))
        return false;
    if (is_bracketed) {
        if (!parse_v6(host, &v6, &zone))
            return false;
        set_v6(a, v6, port);
        a->at.v6.sin6_scope_id = zone;
        return true;
    }
    if (str_eq(host, STR("*"))) {
        set_v4(a, (struct in_addr){htonl(INADDR_ANY)}, port);
        return true;
    }
    if (!terminate(host, name, sizeof(name)) || inet_pton(AF_INET, name, &v4) != 1)
        return false;
    set_v4(a, v4, port);
    return true;
}

bool addr_unix(struct str path, struct addr *a)
{
    if (path.n == 0 || path.n > PATH_MAX_BYTES || memchr(path.p, '\0', path.n) != NULL)
        return false;
    *a = (struct addr){.n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1)};
    a->at.un.sun_family = AF_UNIX;
    memcpy(a->at.un.sun_path, path.p, path.n);
    return true;
}

const char *addr_resolve(struct str host, unsigned port, struct addr *a)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char name[HOST_TEXT_MAX];
    int failure;

    if (!terminate(host, name, sizeof(name)))
        return "not a host name";
    failure = getaddrinfo(name, NULL, &wanted, &found);
    if (failure != 0)
        return gai_strerror(failure);
    assert(found->ai_addrlen <= sizeof(a->at));
    *a = (struct addr){.n = found->ai_addrlen};
    memcpy(&a->at, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (a->at.any.sa_family == AF_INET6)
        a->at.v6.sin6_port = htons((uint16_t)port);
    else
        a->at.v4.sin_port = htons((uint16_t)port);
    return NULL;
}

size_t addr_host_text(const struct addr *a, char *out)
{
    char zone[IF_NAMESIZE];
    const struct sockaddr_in6 *v6 = &a->at.v6;
    size_t n;

    if (a->n == 0 || a->at.any.sa_family == AF_UNIX) {
        memcpy(out, "unix", 4);
        return a->n == 0 ? 0 : 4;
    }
    if (a->at.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a->at.v4.sin_addr, out, ADDR_TEXT_MAX);
        return strlen(out);
    }
    inet_ntop(AF_INET6, &v6->sin6_addr, out, ADDR_TEXT_MAX);
    n = strlen(out);
    if (v6->sin6_scope_id == 0)
        return n;
    out[n++] = '%';
    if (if_indextoname(v6->sin6_scope_id, zone) == NULL)
        return n + str_put_u64(out + n, v6->sin6_scope_id);
    memcpy(out + n, zone, strlen(zone));
    return n + strlen(zone);
}

static size_t unix_text(const struct addr *a, char *out)
{
    size_t n = strnlen(a->at.un.sun_path, PATH_MAX_BYTES);

    memcpy(out, "unix@", 5);
    memcpy(out + 5, a->at.un.sun_path, n);
    return n + 5;
}

size_t addr_text(const struct addr *a, char *out)
{
    char host[ADDR_TEXT_MAX];
    size_t length;
    size_t n = 0;

    if (a->n == 0)
        return 0;
    if (a->at.any.sa_family == AF_UNIX)
        return unix_text(a, out);
    length = addr_host_text(a, host);
    if (a->at.any.sa_family == AF_INET6)
        out[n++] = '[';
    memcpy(out + n, host, length);
    n += length;
    if (a->at.any.sa_family == AF_INET6)
        out[n++] = ']';
    out[n++] = ':';
    return n + str_put_u64(out + n, addr_port(a));
}

unsigned addr_port(const struct addr *a)
{
    if (a->n > 0 && a->at.any.sa_family == AF_INET)
        return ntohs(a->at.v4.sin_port);
    if (a->n > 0 && a->at.any.sa_family == AF_INET6)
        return ntohs(a->at.v6.sin6_port);
    return 0;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    if (a->n == 0 || b->n == 0)
        return a->n == b->n;
    if (a->at.any.sa_family != b->at.any.sa_family)
        return false;
    if (a->at.any.sa_family == AF_INET)
        return a->at.v4.sin_port == b->at.v4.sin_port &&
               a->at.v4.sin_addr.s_addr == b->at.v4.sin_addr.s_addr;
    if (a->at.any.sa_family == AF_INET6)
        return a->at.v6.sin6_port == b->at.v6.sin6_port &&
               a->at.v6.sin6_scope_id == b->at.v6.sin6_scope_id &&
               memcmp(&a->at.v6.sin6_addr, &b->at.v6.sin6_addr, 16) == 0;
    return strncmp(a->at.un.sun_path, b->at.un.sun_path, PATH_MAX_BYTES) == 0;
}

/* RFC 4291 2.5.5.2. */
static void map_v4(const struct in_addr *v4, struct ip *ip)
{
    memset(ip->bytes, 0, 10);
    memset(ip->bytes + 10, 0xff, 2);
    memcpy(ip->bytes + 12, v4, 4);
}

bool addr_ip(const struct addr *a, struct ip *ip)
{
    if (a->n == 0 || a->at.any.sa_family == AF_UNIX)
        return false;
    if (a->at.any.sa_family == AF_INET)
        map_v4(&a->at.v4.sin_addr, ip);
    else
        memcpy(ip->bytes, &a->at.v6.sin6_addr, 16);
    return true;
}

/* As ip_parse; says which family the text was of. */
static bool parse_ip(struct str text, struct ip *ip, bool *is_v4)
{
    char name[HOST_TEXT_MAX];
    struct in_addr v4;

    if (!terminate(text, name, sizeof(name)))
        return false;
    *is_v4 = inet_pton(AF_INET, name, &v4) == 1;
    if (*is_v4)
        map_v4(&v4, ip);
    return *is_v4 || inet_pton(AF_INET6, name, ip->bytes) == 1;
}

bool ip_parse(struct str text, struct ip *ip)
{
    bool is_v4;

    return parse_ip(text, ip, &is_v4);
}

/* The port behind a host: nothing, or a colon and a number from 1 to 65535. */
static bool parse_port(struct str text, uint16_t *port)
{
    uint64_t number = 0;

    if (text.n > 0 && (text.p[0] != ':' || !str_to_u64(str_slice(text, 1, text.n), 65535, &number) ||
                       number == 0))
        return false;
    *port = (uint16_t)number;
    return true;
}

bool endpoint_parse(struct str text, struct endpoint *e)
{
    const char *colon = text.n == 0 ? NULL : memchr(text.p, ':', text.n);
    const char *close = text.n == 0 ? NULL : memchr(text.p, ']', text.n);
    struct str host = text;
    bool is_v4;

    *e = (struct endpoint){.is_ip = true};
    if (text.n > 0 && text.p[0] == '[') {
        if (close == NULL)
            return false;
        host = str_slice(text, 1, (size_t)(close - text.p));
        return parse_ip(host, &e->ip, &is_v4) && !is_v4 &&
               parse_port(str_slice(text, host.n + 2, text.n), &e->port);
    }
    if (colon != NULL && memchr(colon + 1, ':', text.n - (size_t)(colon + 1 - text.p)) == NULL)
        host = str_slice(text, 0, (size_t)(colon - text.p)); /* one colon alone is no IPv6 */
    return parse_ip(host, &e->ip, &is_v4) && parse_port(str_slice(text, host.n, text.n), &e->port);
}

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
    return a->is_ip == b->is_ip && a->port == b->port &&
           memcmp(a->ip.bytes, b->ip.bytes, sizeof(a->ip.bytes)) == 0;
}

struct endpoint addr_endpoint(const struct addr *a)
{
    struct endpoint e = {.port = (uint16_t)addr_port(a)};

    e.is_ip = addr_ip(a, &e.ip);
    return e;
}

bool cidr_parse(struct str text, struct cidr *net)
{
    const char *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
    struct str host = slash == NULL ? text : str_slice(text, 0, (size_t)(slash - text.p));
    uint64_t bits;
    bool is_v4;

    if (!parse_ip(host, &net->base, &is_v4))
        return false;
    bits = is_v4 ? 32 : 128;
    if (slash != NULL && !str_to_u64(str_slice(text, host.n + 1, text.n), bits, &bits))
        return false;
    net->bits = (unsigned)bits + (is_v4 ? 96 : 0);
    for (unsigned i = net->bits; i < 128; i++)
        if ((net->base.bytes[i / 8] & (0x80U >> i % 8)) != 0)
            return false;
    return true;
}

bool cidr_holds(const struct cidr *net, const struct ip *ip)
{
    unsigned whole = net->bits / 8;
    unsigned rest = net->bits % 8;
    unsigned mask = 0xff00U >> rest & 0xffU;

    if (memcmp(net->base.bytes, ip->bytes, whole) != 0)
        return false;
    return rest == 0 || ((net->base.bytes[whole] ^ ip->bytes[whole]) & mask) == 0;
}

/* inet_ntop(3) formats with printf(3): 1,900 instructions for each request's X-Forwarded-For. */
size_t ip_text(const struct ip *ip, char *out)
{
    static const unsigned char v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    size_t n = 0;

    if (memcmp(ip->bytes, v4_prefix, sizeof(v4_prefix)) != 0) {
        inet_ntop(AF_INET6, ip->bytes, out, ADDR_TEXT_MAX);
        return strlen(out);
    }
    for (unsigned i = 12; i < 16; i++) {
        n += str_put_u64(out + n, ip->bytes[i]);
        if (i < 15)
            out[n++] = '.';
    }
    return n;
}

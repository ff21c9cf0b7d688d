/*
 * addr - socket addresses and networks, as values and as text.
 */
#ifndef HOLDFAST_IO_ADDR_H
#define HOLDFAST_IO_ADDR_H

#include "base/str.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

/* An IPv4, IPv6 or unix address; n == 0: none. */
struct addr {
    socklen_t n;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    } at;
};

/* An IP address as 16 bytes, IPv4 mapped (::ffff:a.b.c.d, RFC 4291 2.5.5.2), so that one compare
 * does. */
struct ip {
    unsigned char bytes[16];
};

/* Who is at one end of a connection. */
struct endpoint {
    struct ip ip;
    uint16_t port; /* 0: not known */
    bool is_ip;    /* else a unix socket, and the others are 0 */
};

/* A block of addresses: those that agree with `base` in the first `bits` of its 128. */
struct cidr {
    struct ip base;
    unsigned bits;
};

/* Room for any address as text: a bracketed IPv6 address with zone and port, or a unix path. */
#define ADDR_TEXT_MAX 128

/*
 * Read a numeric HOST:PORT: `127.0.0.1:80`, `[::1]:80`, `*:80` (any address, IPv4). Host names are
 * not looked up. Returns false for anything else.
 */
bool addr_parse(struct str text, struct addr *a);

/* The address of a unix socket at path. False where the path is empty or too long (107 bytes). */
bool addr_unix(struct str path, struct addr *a);

/*
 * Resolve HOST:PORT with getaddrinfo(3); blocks: at load only. The first answer is taken. Returns
 * NULL on success, else the reason as a text that needs no freeing.
 */
const char *addr_resolve(struct str host, unsigned port, struct addr *a);

/* Write the address as text (`1.2.3.4:80`, `[::1]:80`, `unix@/path`) at out, room ADDR_TEXT_MAX. */
size_t addr_text(const struct addr *a, char *out);

/* The host alone, without port or brackets (`unix` for a unix socket). Room ADDR_TEXT_MAX. */
size_t addr_host_text(const struct addr *a, char *out);

/* The port, or 0 where there is none. */
unsigned addr_port(const struct addr *a);

/* Same family, host, port or path? */
bool addr_eq(const struct addr *a, const struct addr *b);

/* The IP of the address. False for a unix socket. */
bool addr_ip(const struct addr *a, struct ip *ip);

/* Write the IP as text, IPv4 where it is a mapped one, at out, room ADDR_TEXT_MAX. Returns the
 * length. */
size_t ip_text(const struct ip *ip, char *out);

/* Read a numeric IPv4 or IPv6 address without port or brackets. */
bool ip_parse(struct str text, struct ip *ip);

/*
 * Read an endpoint as X-Forwarded-For has them: an IP address alone, `1.2.3.4:80`, `[::1]`,
 * `[::1]:80`. Returns false for anything else.
 */
bool endpoint_parse(struct str text, struct endpoint *e);

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b);

/* The endpoint of a socket address. */
struct endpoint addr_endpoint(const struct addr *a);

/*
 * Read `10.0.0.0/8`, `2001:db8::/32`, or an address alone (all its bits). Bits beyond the prefix
 * must be 0: returns false for `10.1.0.0/8` and for whatever is no network.
 */
bool cidr_parse(struct str text, struct cidr *net);

bool cidr_holds(const struct cidr *net, const struct ip *ip);

#endif

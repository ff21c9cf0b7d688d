/*
 * proxy_protocol - HAProxy's PROXY header, versions 1 and 2: who a connection is made for.
 *
 * A proxy that passes on bytes and no HTTP says so in the first bytes of its connection. The header
 * is read strictly: what is not exactly as the specification has it (haproxy.org, proxy-protocol.txt,
 * 2.1 and 2.2) is no header. Who may send one is the caller's business.
 */
#ifndef HOLDFAST_IO_PROXY_PROTOCOL_H
#define HOLDFAST_IO_PROXY_PROTOCOL_H

#include "io/addr.h"

/* The whole of a header that is read. Version 2 could have 64 KiB of extensions; none are known
 * beyond some hundred bytes, and the longest with a certificate in it have a few thousand. */
#define PROXY_HEADER_MAX 16384
/* The longest line of version 1, with its end (2.1). */
#define PROXY_V1_MAX 107
/* Room for any header that proxy_header_write makes. */
#define PROXY_WRITE_MAX PROXY_V1_MAX

enum proxy_version { PROXY_V1 = 1, PROXY_V2 = 2 };

struct proxy_header {
    bool has_addresses; /* else LOCAL, UNKNOWN or UNSPEC: the connection speaks for itself */
    struct endpoint source;
    struct endpoint target; /* of one family with the source */
};

enum proxy_result {
    PROXY_MORE, /* it is not whole yet */
    PROXY_OK,
    PROXY_BAD,
};

/*
 * Read the header that the n bytes at p begin with. OK: *h and *used, its length, are set, and it
 * is the same for any more bytes. MORE: call again with all of them and more; never from
 * PROXY_HEADER_MAX on. BAD: *why says what is wrong, as a text to be put behind `PROXY header: `; no
 * bytes could follow that would mend it. Extensions of version 2 must fill its length exactly and
 * are not looked at (the checksum neither: TCP has its own).
 */
enum proxy_result proxy_header_read(const char *p, size_t n, struct proxy_header *h, size_t *used,
                                    const char **why);

/*
 * Write a header at out, room PROXY_WRITE_MAX, and return its length. Without addresses, or where
 * the source is no IP address, it says that the source is not known (UNKNOWN, UNSPEC). A target that
 * is no IP address is written as the zero address.
 */
size_t proxy_header_write(char *out, enum proxy_version version, const struct proxy_header *h);

#endif

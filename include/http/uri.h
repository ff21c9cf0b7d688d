/*
 * uri - request targets, hosts, paths and queries (RFC 3986, RFC 9112 3.2).
 */
#ifndef HOLDFAST_HTTP_URI_H
#define HOLDFAST_HTTP_URI_H

#include "base/arena.h"
#include "http/fault.h"

/*
 * Split an authority (host [":" port]) strictly: reg-name, IPv4 or bracketed IPv6; port 1..65535
 * or an empty one; no user information. *host is lower case (brackets kept), in arena a or in text
 * itself; *port is 0 where none is given. An empty text gives an empty host (legal in Host, RFC
 * 9110 7.2). Behind the host, in the memory it points into, stands the port as it was written, so
 * that {host->p, text.n} is the whole in lower case.
 *
 * A reg-name with percent-encoding or a comma is refused though RFC 3986 has both: readers differ
 * on whether the one is decoded and the other ends a list.
 */
enum http_fault uri_authority(struct str text, struct arena *a, struct str *host, unsigned *port);

/*
 * Split an absolute-form target (RFC 9112 3.2.2): authority, and what stands behind it, which may
 * be empty or a bare query. *default_port is that of the scheme. False for anything but http and
 * https.
 */
bool uri_absolute(struct str target, struct str *authority, struct str *rest,
                  unsigned *default_port);

/* The path of an origin-form target, as received, and its query without `?` (empty if none). */
struct str uri_raw_path(struct str target);
struct str uri_query(struct str target);

/*
 * The path that routes match: percent-decoded, dot segments removed, slashes merged. Starts with
 * `/` and never leaves it. Bytes in arena a, or in the target itself where nothing had to change.
 * Returns false for no path (`*`), a bad escape, an encoded NUL or control, and what a server
 * might decode to another path: an encoded slash, a backslash in any form, overlong UTF-8. Also
 * without memory.
 */
bool uri_path(struct str target, struct arena *a, struct str *path);

/* May this character stand in a path or query as it is (RFC 3986 3.3, 3.4)? `%` and `?` may. */
bool uri_is_target_char(char c);

/*
 * Append to out (room for 3 * text.n bytes) text in which all is percent-encoded (RFC 3986 2.1)
 * but what stands for itself in a path, or in the name or value of a query's argument. Returns the
 * length.
 */
enum uri_part { URI_PATH, URI_ARGUMENT };
size_t uri_encode(enum uri_part part, struct str text, char *out);

/* One argument of a query, decoded (`+` is a space), first of its name. False where there is
 * none. */
bool uri_query_argument(struct str query, struct str name, struct arena *a, struct str *value);

#endif

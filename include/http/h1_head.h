/*
 * h1_head - the head of an HTTP/1 message: finding its end, parsing it, writing it.
 *
 * The scanner is grammar/http1.re, one call for a whole head. It is strict (RFC 9112): CRLF alone
 * ends a line, no folding, no white space before the colon, no controls.
 */
#ifndef HOLDFAST_HTTP_H1_HEAD_H
#define HOLDFAST_HTTP_H1_HEAD_H

#include "http/framing.h"

/* The whole head. A longer one is 431 (414 where the request line alone is longer than its
 * bound). */
#define H1_HEAD_MAX   (32 * 1024)
#define H1_TARGET_MAX (8 * 1024)

/*
 * Look for the end of a head in the n bytes at p. *scanned (0 at first) remembers how far earlier
 * calls have looked, so that a head which drips in costs one pass. Returns the head's length with
 * its empty line, or 0: not there yet. A bare LF LF ends it as well, so that the parser can refuse
 * it.
 */
size_t h1_head_end(const char *p, size_t n, size_t *scanned);

/*
 * Parse a whole request head. The bytes of text must live as long as the head's arena. On
 * FAULT_NONE the head is complete (method to wire_bytes), *f is its framing, and hop-by-hop and
 * framing fields are gone from it, together with those that Connection names (but for a protected
 * set: RFC 9110 7.6.1). Field Host is taken out too: authority has it.
 */
enum http_fault h1_parse_request(struct str text, struct head *h, struct framing *f);

/* Parse a whole response head to a request of method `asked`; likewise. */
enum http_fault h1_parse_response(struct str text, enum method asked, struct head *h,
                                  struct framing *f);

/*
 * Parse what can be told of a request that is refused: method and target if its line is whole, for
 * the log. Never fails.
 */
void h1_parse_line_for_log(struct str text, struct str *method, struct str *target);

/* How the writer frames the message, decided by the codec. */
struct h1_framing_out {
    bool has_length; /* write Content-Length */
    uint64_t length;
    bool is_chunked;  /* write Transfer-Encoding: chunked */
    bool close;       /* write Connection: close */
    bool keep_alive;  /* write Connection: keep-alive (to an HTTP/1.0 client that asked) */
    bool expect;      /* write Expect: 100-continue */
    bool upgrade;     /* write Upgrade, from the head, and Connection: upgrade */
};

/*
 * Write a head as HTTP/1.1 at out. Returns its length, or 0 where room is too small or a part
 * holds CR, LF or NUL (nothing of ours may split a message, whatever its source). A request:
 * method, target, Host from authority, fields, framing. A response: status, fields, framing.
 */
size_t h1_write_request(const struct head *h, const struct h1_framing_out *f, char *out, size_t room);
size_t h1_write_response(const struct head *h, const struct h1_framing_out *f, char *out,
                         size_t room);

#endif

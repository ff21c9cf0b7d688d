/*
 * framing - where a message ends: RFC 9112 section 6 as one decision table.
 *
 * The table is stricter than the RFC wherever two readers could disagree: what is ambiguous is
 * refused, never interpreted. Each row of framing.c names its clause and has a test.
 */
#ifndef HOLDFAST_HTTP_FRAMING_H
#define HOLDFAST_HTTP_FRAMING_H

#include "http/fault.h"
#include "http/head.h"

/* The largest length we take, 2^53 - 1: what a JSON number and a JavaScript server can still
 * count. */
#define FRAMING_LENGTH_MAX ((1ULL << 53) - 1)

enum framing_kind {
    FRAMING_NONE,       /* no body */
    FRAMING_LENGTH,     /* exactly `length` bytes */
    FRAMING_CHUNKED,    /* until the last chunk */
    FRAMING_CONNECTION, /* until the connection ends; responses alone */
};

struct framing {
    enum framing_kind kind;
    uint64_t length;
    bool names_length; /* NONE, yet a Content-Length: the `length` that GET would have had */
};

/*
 * Decide from the head as parsed (FRAMING fields still in it). Sets *f; returns FAULT_NONE or what
 * is wrong, and then the connection must end.
 */
enum http_fault framing_of_request(const struct head *h, struct framing *f);

/* Likewise of a response to a request of method `asked`. 1xx, 204, 304 and HEAD have no body. */
enum http_fault framing_of_response(const struct head *h, enum method asked, struct framing *f);

#endif

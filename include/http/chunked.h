/*
 * chunked - the chunked transfer coding, incoming (RFC 9112 7.1).
 *
 * A byte-driven decoder that keeps no bytes: it is told of input and says which part of it is
 * data. Strict: sizes are 1*HEXDIG of at most 13 digits, lines end in CRLF, extensions are
 * checked, bounded and dropped, trailers are checked, bounded and dropped.
 */
#ifndef HOLDFAST_HTTP_CHUNKED_H
#define HOLDFAST_HTTP_CHUNKED_H

#include "base/str.h"
#include "http/fault.h"

#define CHUNK_SIZE_DIGITS_MAX 13   /* 2^52: no sum of sizes wraps in 64 bits */
#define CHUNK_EXTENSIONS_MAX  4096 /* bytes of all extensions of one message (CVE-2023-39326) */
#define CHUNK_TRAILERS_MAX    8192 /* bytes of the trailer section */

struct chunked {
    unsigned char state; /* private */
    unsigned char n_digits;
    unsigned extension_bytes;
    unsigned trailer_bytes;
    uint64_t left; /* of the data of this chunk */
};

/* Start at the first byte of a chunked body. */
void chunked_init(struct chunked *c);

/* What chunked_step found at the start of the input. */
enum chunked_step {
    CHUNKED_MORE,  /* all n bytes were framing; give more */
    CHUNKED_DATA,  /* after *used bytes of framing stand *data bytes of content (> 0, within n) */
    CHUNKED_END,   /* the message ended after *used bytes */
    CHUNKED_FAULT, /* *fault says what is wrong; the connection must end */
};

/*
 * Take in up to n bytes at p. Sets *used to the bytes of framing consumed and, on CHUNKED_DATA,
 * *data to the bytes of content that follow them in the input: the caller takes these, says how
 * many with chunked_took, and comes again with what is behind them.
 */
enum chunked_step chunked_step(struct chunked *c, const char *p, size_t n, size_t *used,
                               size_t *data, enum http_fault *fault);

/* The caller took n bytes of content, from the input or straight from the socket. n <=
 * chunked_left. */
void chunked_took(struct chunked *c, size_t n);

/* Bytes of content still to come in the chunk at hand: what may be read straight into the body. */
uint64_t chunked_left(const struct chunked *c);

#endif

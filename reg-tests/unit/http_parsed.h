/*
 * http_parsed - a head parsed from a literal, for the tests of http.
 */
#ifndef HOLDFAST_UNIT_HTTP_PARSED_H
#define HOLDFAST_UNIT_HTTP_PARSED_H

#include "base/panic.h"
#include "http/h1_head.h"

#include <stdio.h>
#include <stdlib.h>

struct parsed {
    struct arena *arena;
    char *bytes; /* exactly as long as the text, so that a sanitizer sees a read past its end */
    struct head head;
    struct framing framing;
    enum http_fault fault;
};

static inline struct str parsed_open(struct parsed *p, struct str text, bool is_response)
{
    *p = (struct parsed){.arena = arena_new(4096, 0), .bytes = malloc(text.n)};
    assert(p->arena != NULL && (p->bytes != NULL || text.n == 0));
    if (text.n > 0)
        memcpy(p->bytes, text.p, text.n);
    head_init(&p->head, p->arena, is_response);
    return (struct str){p->bytes, text.n};
}

static inline void parsed_request(struct parsed *p, struct str text)
{
    struct str copy = parsed_open(p, text, false);

    p->fault = h1_parse_request(copy, &p->head, &p->framing);
}

static inline void parsed_response(struct parsed *p, struct str text, enum method asked)
{
    struct str copy = parsed_open(p, text, true);

    p->fault = h1_parse_response(copy, asked, &p->head, &p->framing);
}

static inline void parsed_close(struct parsed *p)
{
    arena_free(p->arena);
    free(p->bytes);
}

/* Print what was expected and what came, for a row that failed. */
static inline void parsed_explain(const char *clause, enum http_fault wanted, enum http_fault got)
{
    printf("\n    %s: wanted \"%s\", got \"%s\"\n", clause, http_faults[wanted].text,
           http_faults[got].text);
}

#endif

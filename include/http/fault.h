/*
 * fault - what can be wrong with a message of HTTP. The rows are grammar/http_faults.def.
 */
#ifndef HOLDFAST_HTTP_FAULT_H
#define HOLDFAST_HTTP_FAULT_H

enum http_fault {
#define X(id, status, text) FAULT_##id,
#include "grammar/http_faults.def"
#undef X
    FAULT_N
};

struct http_fault_row {
    unsigned status; /* for the client that sent such a request */
    const char *text;
};

extern const struct http_fault_row http_faults[FAULT_N];

#endif

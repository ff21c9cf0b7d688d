/*
 * reason - why a transaction ended. The rows are reason.def.
 */
#ifndef HOLDFAST_PROXY_REASON_H
#define HOLDFAST_PROXY_REASON_H

enum reason {
#define X(id, status, word, text) REASON_##id,
#include "proxy/reason.def"
#undef X
    REASON_N
};

struct reason_row {
    unsigned status;
    const char *word;
    const char *text;
};

extern const struct reason_row reasons[REASON_N];

#endif

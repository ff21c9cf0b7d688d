/*
 * reason - why a transaction ended.
 */
#include "proxy/reason.h"

const struct reason_row reasons[REASON_N] = {
#define X(id, status, word, text) [REASON_##id] = {status, word, text},
#include "proxy/reason.def"
#undef X
};

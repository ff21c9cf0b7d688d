/*
 * fault - what can be wrong with a message of HTTP.
 */
#include "http/fault.h"

const struct http_fault_row http_faults[FAULT_N] = {
#define X(id, status, text) [FAULT_##id] = {status, text},
#include "grammar/http_faults.def"
#undef X
};

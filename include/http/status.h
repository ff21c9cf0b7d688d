/*
 * status - the reason phrases of RFC 9110 and its registry.
 */
#ifndef HOLDFAST_HTTP_STATUS_H
#define HOLDFAST_HTTP_STATUS_H

#include "base/str.h"

/* The phrase of a status; `Unknown` for one that is not registered. */
struct str status_phrase(unsigned status);

#endif

/*
 * clock - what time it is.
 *
 * Deadlines are in milliseconds of CLOCK_MONOTONIC and never in wall time. The wall time exists for
 * logs and Date fields alone, and is formatted once a second.
 */
#ifndef HOLDFAST_BASE_CLOCK_H
#define HOLDFAST_BASE_CLOCK_H

#include "base/str.h"

/* Milliseconds of CLOCK_MONOTONIC. Costs a vDSO call; the loop reads it once an iteration. */
uint64_t clock_monotonic_ms(void);

/* Milliseconds since 1970-01-01 UTC. */
uint64_t clock_wall_ms(void);

/* Room for each text below, without a terminating NUL. */
#define CLOCK_HTTP_LEN    29 /* Sun, 06 Nov 1994 08:49:37 GMT     (RFC 9110 5.6.7) */
#define CLOCK_LOCAL_LEN   26 /* 06/Nov/1994:08:49:37 +0000        (the common log format) */
#define CLOCK_ISO8601_LEN 25 /* 1994-11-06T08:49:37+00:00 */

/*
 * The three texts for the second in wall_ms. They point at a static buffer that is formatted anew
 * only when the second has changed: copy them before the next call.
 */
struct str clock_http_text(uint64_t wall_ms);
struct str clock_local_text(uint64_t wall_ms);
struct str clock_iso8601_text(uint64_t wall_ms);

#endif

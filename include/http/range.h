/*
 * range - which bytes a Range field asks for (RFC 9110 14).
 */
#ifndef HOLDFAST_HTTP_RANGE_H
#define HOLDFAST_HTTP_RANGE_H

#include "base/str.h"

enum range_kind {
    RANGE_WHOLE,        /* nothing that is served in part: the field is ignored (14.2) */
    RANGE_PART,         /* 206 with these bytes */
    RANGE_UNSATISFIABLE /* 416 */
};

struct range {
    uint64_t from;
    uint64_t n; /* > 0 */
};

/*
 * Read the value of a Range field for a representation of size_bytes. Sets *r for RANGE_PART alone.
 *
 * One range of bytes is served: `a-b`, `a-`, `-n`. Several are RANGE_WHOLE, which a server may
 * always answer (14.2), and which many small overlapping ranges cannot make expensive; so is what
 * is malformed or has another unit. Of an empty representation `-n` is RANGE_WHOLE: it can be
 * satisfied (14.1.2), but no Content-Range can say how.
 */
enum range_kind range_read(struct str value, uint64_t size_bytes, struct range *r);

#endif

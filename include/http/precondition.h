/*
 * precondition - If-Match and its kin against what is there (RFC 9110 13).
 */
#ifndef HOLDFAST_HTTP_PRECONDITION_H
#define HOLDFAST_HTTP_PRECONDITION_H

#include "http/head.h"

/* What tells one version of a representation from another (RFC 9110 8.8). */
struct validators {
    struct str etag;    /* with its quotes, without `W/` */
    bool is_weak;       /* it may have changed, or change, without a change of these */
    int64_t modified_s; /* as Last-Modified says it */
};

enum precondition {
    PRECONDITION_HOLDS,
    PRECONDITION_NOT_MODIFIED, /* 304 */
    PRECONDITION_FAILED        /* 412 */
};

/*
 * Evaluate the fields of a GET or HEAD for a representation that is there, in the order of RFC 9110
 * 13.2.2. A date that is none is ignored (13.1.3, 13.1.4). now_s: the time of day, see date_read.
 */
enum precondition precondition_evaluate(const struct head *request, const struct validators *v,
                                        int64_t now_s);

/*
 * Does the request's Range count? Not where If-Range names another version (RFC 9110 13.1.5), by
 * strong comparison or by just this date, nor where there are two of either field.
 */
bool precondition_range_counts(const struct head *request, const struct validators *v,
                               int64_t now_s);

#endif

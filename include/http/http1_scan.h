/*
 * http1_scan - the scanner of HTTP/1 heads, made from grammar/http1.re.
 *
 * Private to h1_head.c. The scanner knows which bytes may stand where (RFC 9112 2 to 5) and nothing
 * of what they mean: versions, lengths and hosts are h1_head.c's to judge.
 */
#ifndef HOLDFAST_HTTP_HTTP1_SCAN_H
#define HOLDFAST_HTTP_HTTP1_SCAN_H

#include "http/fault.h"
#include "http/head.h"

struct http1_request_line {
    struct str method;
    struct str target;
    unsigned major;
    unsigned minor;
};

struct http1_status_line {
    unsigned major;
    unsigned minor;
    unsigned status;
};

/*
 * Scan a whole head in one call: the start line into *line, all field lines into h. Text is what
 * h1_head_end measured, from the first byte to the empty line; the parts point into it. Text that
 * is not one whole head is a fault.
 */
enum http_fault http1_scan_request(struct str text, struct http1_request_line *line,
                                   struct head *h);
enum http_fault http1_scan_response(struct str text, struct http1_status_line *line,
                                    struct head *h);

#endif

/*
 * report - what came of a reload: each line goes to the error log, and is kept for who asked for
 * it.
 */
#ifndef HOLDFAST_PROC_REPORT_H
#define HOLDFAST_PROC_REPORT_H

#include "conf/config.h"
#include "conf/diag.h"
#include "conf/files.h"

/* Lines beyond this are in the log alone. */
#define REPORT_MAX 16384

struct report {
    size_t n;
    char text[REPORT_MAX];
};

/* Forget all lines. */
void report_reset(struct report *r);

/* An error, in one line; an `error: ` at its start is left to the log's own word for it. */
void report_error(struct report *r, struct str line);

/* The same of several lines, each ended by a line end. */
void report_errors(struct report *r, struct str lines);

/* A warning without a place. */
void report_warning(struct report *r, const char *text);

/* For worker_prepare and its like: `to` is the report. */
void report_failure(void *to, const struct config_place *place, const char *text);

/* What a compilation had to say, in its order: errors, or of one that succeeded warnings. NULL: it
 * had no memory to say anything. */
void report_diags(struct report *r, struct diags *diags, bool has_failed);

/* Compile, and report all that there is to say. One reference, the caller's; NULL: an error. */
struct config *report_compile(struct report *r, const char *path, const struct files *files);

/* What a living process cannot take over is said, not silently kept; `start` is of the
 * configuration that it started with, and stays in force. */
void report_fixed(struct report *r, const struct config_global *start,
                  const struct config_global *new);

/* One line of a failure of the start, to standard error; `to` is ignored. */
void report_print_failure(void *to, const struct config_place *place, const char *text);

#endif

/*
 * diag - what is wrong with a configuration, and what is dubious: all of it, in the file's order.
 *
 *     uploads.cfg:14:25: error: expected a duration such as 30s, got '30'
 *        14 |         timeout connect 30
 *           |                         ^~
 *
 * The diags of a load own the texts that they quote, so they can be printed when the load is over.
 *
 * Limits: DIAG_KEEP_MAX are kept, DIAG_PRINT_MAX errors and as many warnings printed; the rest is
 * counted. Where memory
 * is out the text of a diagnostic is lost, never the fact that there was an error.
 */
#ifndef HOLDFAST_CONF_DIAG_H
#define HOLDFAST_CONF_DIAG_H

#include "conf/source.h"

#include <stdio.h>

#define DIAG_PRINT_MAX 50
#define DIAG_KEEP_MAX  20000

struct diags;

typedef void (*diags_line_fn)(void *arg, struct str line);

/* An empty set. Returns NULL without memory. Free with diags_free (NULL is allowed). */
struct diags *diags_new(void);
void diags_free(struct diags *d);

/* The texts that its spans lie in; they live as long as d. */
struct sources *diags_sources(struct diags *d);

/* An error at a span, as printf(3); what is printed must be single-line text. */
void diag_error(struct diags *d, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Something legal that will surprise. */
void diag_warning(struct diags *d, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A second place that explains the error or warning made last. */
void diag_note(struct diags *d, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

size_t diags_n_errors(const struct diags *d);
size_t diags_n_warnings(const struct diags *d);

/* Print all to f, sorted by place, the form above. */
void diags_print(struct diags *d, FILE *f);

/* The same, one call for each line, without line ends: for a log. */
void diags_each_line(struct diags *d, diags_line_fn line, void *arg);

#endif

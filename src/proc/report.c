/*
 * report - what came of a reload.
 */
#include "proc/report.h"

#include "base/log.h"
#include "conf/load.h"

#include <stdio.h>

#define LINE_MAX_BYTES 1024

void report_reset(struct report *r)
{
    r->n = 0;
}

static void report_keep(struct report *r, struct str line)
{
    if (line.n + 1 > sizeof(r->text) - r->n)
        return;
    memcpy(r->text + r->n, line.p, line.n);
    r->n += line.n;
    r->text[r->n++] = '\n';
}

static void report_line(struct report *r, enum log_level level, struct str line)
{
    static const struct str word = {"error: ", 7};

    report_keep(r, line);
    if (str_starts_with(line, word)) /* one without a place: the log says so too */
        line = str_slice(line, word.n, line.n);
    log_message(level, "%.*s", STR_ARG(line));
}

void report_error(struct report *r, struct str line)
{
    report_line(r, LOG_ERROR, line);
}

void report_errors(struct report *r, struct str lines)
{
    while (lines.n > 0) {
        const char *end = memchr(lines.p, '\n', lines.n);
        size_t n = end == NULL ? lines.n : (size_t)(end - lines.p);

        report_error(r, str_slice(lines, 0, n));
        lines = str_slice(lines, n < lines.n ? n + 1 : n, lines.n);
    }
}

void report_warning(struct report *r, const char *text)
{
    char line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof(line), "warning: %s", text);

    if (n > 0)
        report_keep(r, str_of(line));
    log_message(LOG_WARNING, "%s", text);
}

void report_failure(void *to, const struct config_place *place, const char *text)
{
    char line[LINE_MAX_BYTES];
    int n;

    if (place == NULL)
        n = snprintf(line, sizeof(line), "error: %s", text);
    else
        n = snprintf(line, sizeof(line), "%.*s:%u: error: %s", STR_ARG(place->file), place->line,
                     text);
    if (n > 0)
        report_error(to, str_of(line));
}

/* Where the lines of a compilation go: where it succeeded they are warnings. */
struct diag_sink {
    struct report *report;
    enum log_level level;
};

static void report_diag(void *to, struct str line)
{
    const struct diag_sink *sink = to;

    report_line(sink->report, sink->level, line);
}

void report_diags(struct report *r, struct diags *diags, bool has_failed)
{
    struct diag_sink sink = {r, has_failed ? LOG_ERROR : LOG_WARNING};

    if (diags == NULL)
        report_error(r, STR("error: out of memory"));
    else
        diags_each_line(diags, report_diag, &sink);
}

struct config *report_compile(struct report *r, const char *path, const struct files *files)
{
    struct diags *diags = diags_new();
    struct config *c = diags == NULL ? NULL : config_load(path, files, diags);

    report_diags(r, diags, c == NULL);
    diags_free(diags);
    return c;
}

void report_fixed(struct report *r, const struct config_global *start,
                  const struct config_global *new)
{
    if (start->workers != new->workers)
        report_warning(r, "`workers` takes effect at the next start");
    if (start->poller != new->poller)
        report_warning(r, "`poller` takes effect at the next start");
    if (start->has_user != new->has_user || start->uid != new->uid || start->gid != new->gid)
        report_warning(r, "`user` takes effect at the next start");
    if (!str_eq(start->pid_file, new->pid_file))
        report_warning(r, "`pid-file` takes effect at the next start");
}

void report_print_failure(void *to, const struct config_place *place, const char *text)
{
    (void)to;
    if (place == NULL)
        fprintf(stderr, "holdfast: error: %s\n", text);
    else
        fprintf(stderr, "%.*s:%u: error: %s\n", STR_ARG(place->file), place->line, text);
}

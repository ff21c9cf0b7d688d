/*
 * options - the command line.
 */
#ifndef HOLDFAST_PROC_OPTIONS_H
#define HOLDFAST_PROC_OPTIONS_H

#include "base/json.h"

enum command {
    COMMAND_RUN,
    COMMAND_CHECK,
    COMMAND_DUMP,
    COMMAND_EXPLAIN,
    COMMAND_SIGNAL,
    COMMAND_FMT,
    COMMAND_KEYWORDS,
    COMMAND_VERSION,
    COMMAND_HELP
};

/* Fields of the request of `explain`. */
#define OPTIONS_FIELDS_MAX 64


struct options {
    enum command command;
    const char *config_path; /* NULL where the command needs none */
    const char *pid_path;    /* -p; NULL: the configuration's */
    const char *signal_name; /* -s: one of reload, stop, quit, reopen */
    bool is_daemon;          /* -D */
    bool is_master;          /* -W: with a master, whatever the configuration says of workers */
    bool is_debug;           /* -d: foreground, and every message of the error log */
    bool is_verbose;         /* -vv */
    bool is_quiet;           /* -q */
    bool is_strict;          /* --strict: a warning is as bad as an error */
    bool is_check;           /* --check, --diff, --write of fmt */
    bool is_diff;
    bool is_write;
    const char *from;        /* --from; NULL: not given */
    const char *frontend;    /* --frontend; likewise */
    const char *fields[OPTIONS_FIELDS_MAX]; /* -H */
    unsigned n_fields;
    char *const *operands;   /* what stands behind the options */
    unsigned n_operands;
};

/*
 * Read the command line. False: it is wrong, and standard error has been told how (exit with 2).
 * The texts are argv's, whose operands come to stand last.
 */
bool options_parse(int argc, char **argv, struct options *o);

/* The usage text, to standard output. */
void options_print_help(void);

/* Write the member `commands`, the rows that options_parse reads, into the object open in j. */
void options_write(struct json *j);

#endif

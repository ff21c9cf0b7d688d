/*
 * daemon - the start that all ways of running have in common: signals, configuration, descriptors,
 * background, pid file. Then one process serves (single.h), or a master with workers (master.h).
 */
#ifndef HOLDFAST_PROC_DAEMON_H
#define HOLDFAST_PROC_DAEMON_H

#include "base/pack.h"
#include "proc/inherited.h"
#include "proc/options.h"
#include "proc/pid_file.h"

/* What the common start has made. It outlives the serving. */
struct start {
    const struct options *options;
    struct config *config; /* one reference, the caller's */
    struct pack answers;   /* what compiling it has asked (conf/files_record.h) */
    struct inherited inherited;
    struct inherited_opener opener; /* opens by path, and inherited descriptors */
    struct pid_file pid_file;
};

/*
 * Open the pid file that the options or the configuration name, and say on standard error why not.
 * Without one it is true.
 */
bool start_open_pid_file(struct start *s);

/* Run until a signal ends it. Returns the exit status: 0 after a signal (130 after INT with -W), 1
 * where it could not start, or could not go on. */
int daemon_run(const struct options *o);

#endif

/*
 * process - what the process has from its environment: descriptors, rights, a number in a file.
 */
#ifndef HOLDFAST_PROC_PROCESS_H
#define HOLDFAST_PROC_PROCESS_H

#include "conf/config.h"

/* Where standard input, output or error is closed, open /dev/null there: else a socket would take
 * its place. */
void process_fill_standard_fds(void);

/* Raise the soft limit of open files to the hard one. */
void process_raise_limits(void);

/*
 * Become the configuration's user and group for good, and never gain rights again (no-new-privs).
 * Without a user, or when we are not root, only the latter. False with errno.
 */
bool process_drop_rights(const struct config_global *g);

/* The same for a worker under a master, which moreover holds no capability, and, where we may say so,
 * has none in its bounding set. */
bool process_drop_to_worker(const struct config_global *g);

/* The most workers there may be; grammar/settings.def has the same bound. */
#define PROCESS_WORKERS_MAX 256

/* How many workers the configuration wants, 0: none, and no master. HOLDFAST_WORKERS overrides it. */
unsigned process_n_workers(const struct config_global *g);

/* HOLDFAST_POLLER overrides `poller`: the test suite runs every scenario under both. */
enum poller_kind process_poller(const struct config_global *g);

/*
 * Go into the background (-D). The parent waits, and exits 0 when the child calls
 * process_is_ready, 1 when it ends before that. Returns in the child alone; false with errno.
 */
bool process_to_background(void);

/*
 * For a worker that is forked before the start is over: what it needs to give up the terminal later
 * without opening anything (-1: it is not to), and to do so.
 */
int process_leave_terminal_fd(void);
void process_leave_terminal(int *null);

/* The start is over: let the parent go, and give up the terminal. Harmless without a parent that
 * waits. */
void process_is_ready(void);

/* Say on standard error what could not be done and why (errno). Returns false. */
bool process_say_errno(const char *what);

#endif

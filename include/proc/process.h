/*
 * process - what the process has from its environment: descriptors, rights, a number in a file.
 */
#ifndef HOLDFAST_PROC_PROCESS_H
#define HOLDFAST_PROC_PROCESS_H

#include "conf/config.h"

/*
 * Close every inherited descriptor above standard error that no `bind fd@N` of the configuration
 * names: a stray copy of somebody's socket would keep it open as long as we live.
 */
void process_close_strays(const struct config *c);

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

/*
 * Go into the background (-D). The parent waits, and exits 0 when the child calls
 * process_is_ready, 1 when it ends before that. Returns in the child alone; false with errno.
 */
bool process_to_background(void);

/* The start is over: let the parent go, and give up the terminal. Harmless without a parent that
 * waits. */
void process_is_ready(void);

/*
 * The pid file: opened while we still have the rights to, written when all else is done, removed
 * (or, where we no longer may, emptied) at the end. process_open_pid returns a descriptor, or -1
 * with errno.
 */
int process_open_pid(const char *path);
bool process_write_pid(int fd);
void process_remove_pid(int fd, const char *path);

#endif

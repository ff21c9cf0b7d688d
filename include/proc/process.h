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

/* Raise the soft limit of open files to the hard one. */
void process_raise_limits(void);

/*
 * Become the configuration's user and group for good, and never gain rights again (no-new-privs).
 * Without a user, or when we are not root, only the latter. False with errno.
 */
bool process_drop_rights(const struct config_global *g);

/* Go into the background (-D). Returns in the child alone; the parent exits 0. False with errno. */
bool process_to_background(void);

/* Write our number to path, replacing what is there; remove it at the end. False with errno. */
bool process_write_pid(const char *path);
void process_remove_pid(const char *path);

#endif

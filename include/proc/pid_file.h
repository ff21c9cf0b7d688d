/*
 * pid_file - the number of the process, and the proof that it lives.
 *
 * The file is locked (fcntl(2)) for as long as its process lives, so that a number that was left
 * behind is never taken for a process that happens to have it now, and two instances never share a
 * file. It is written last of all steps of the start: whoever finds a number may send a signal.
 */
#ifndef HOLDFAST_PROC_PID_FILE_H
#define HOLDFAST_PROC_PID_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct pid_file {
    char path[PATH_MAX]; /* empty: none */
    int fd;
};

/* Make and lock the file, while we have the rights to; nothing is written yet. False with errno;
 * EBUSY: another instance has it. */
bool pid_file_open(struct pid_file *p, const char *path);

/* Write our number. False with errno. */
bool pid_file_write(struct pid_file *p);

/* Remove the file, or, where we no longer may, empty it. Harmless without one. */
void pid_file_remove(struct pid_file *p);

/* The process that has the file at `path` now; 0: nobody, -1 with errno: it cannot be opened. */
pid_t pid_file_owner(const char *path);

#endif

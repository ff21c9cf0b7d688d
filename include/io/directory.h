/*
 * directory - a directory whose files are given away, and nothing outside of it.
 *
 * It is known by one descriptor that can do nothing but have files opened below it. A path is
 * resolved by the kernel in one step that cannot leave it (openat2(2), RESOLVE_BENEATH): no `..`, no
 * symbolic link to an absolute path or out of it, no link of /proc, and no race with somebody who
 * renames things meanwhile. A kernel without that call is refused when the directory is opened.
 */
#ifndef HOLDFAST_IO_DIRECTORY_H
#define HOLDFAST_IO_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Open a directory. Returns its descriptor, or -1 with errno; ENOSYS and EPERM also where the
 * kernel, or a filter of system calls, has no openat2. Links in `path` are followed. Blocks on the
 * disk.
 */
int directory_open(const char *path);

/* An open file, read only. */
struct file {
    int fd; /* -1: closed, given away, or a directory */
    bool is_directory;
    uint64_t size_bytes;
    int64_t modified_s; /* since 1970 */
    uint32_t modified_ns;
};

/*
 * Open the file at a relative path below the directory; `.` is the directory itself. Of a directory
 * *f says only that it is one. False with errno, ENOENT also for what is neither (a device, a FIFO,
 * a socket), EXDEV where the path would lead out. Waits for nobody, but may block on the disk.
 */
bool directory_find(int directory_fd, const char *path, struct file *f);

/* Harmless for a file that is closed. */
void file_close(struct file *f);

#endif

/*
 * pid_file - the number of the process, and the proof that it lives.
 */
#include "proc/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each time an instance has ended at that very moment. */
#define TRIES_MAX 10

/* Somebody who ends removes the file, maybe between our opening and our locking it. */
static bool is_at_path(int fd, const char *path)
{
    struct stat ours;
    struct stat there;

    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

/* The file, locked; -1 with errno. */
static int open_locked(const char *path)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return -1;
    if (fcntl(fd, F_SETLK, &whole) != 0) {
        int saved = errno == EAGAIN || errno == EACCES ? EBUSY : errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

bool pid_file_open(struct pid_file *p, const char *path)
{
    if (strlen(path) >= sizeof(p->path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (int i = 0; i < TRIES_MAX; i++) {
        p->fd = open_locked(path);
        if (p->fd < 0)
            return false;
        if (is_at_path(p->fd, path)) {
            strcpy(p->path, path);
            return ftruncate(p->fd, 0) == 0;
        }
        close(p->fd);
    }
    errno = EBUSY;
    return false;
}

bool pid_file_write(struct pid_file *p)
{
    return p->path[0] == '\0' || dprintf(p->fd, "%d\n", getpid()) > 0;
}

void pid_file_remove(struct pid_file *p)
{
    if (p->path[0] == '\0')
        return;
    if (unlink(p->path) != 0 && ftruncate(p->fd, 0) != 0) {
        /* it stays, and names a process that is gone; its lock goes with us */
    }
    close(p->fd);
    p->path[0] = '\0';
}

pid_t pid_file_owner(const char *path)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int asked;

    if (fd < 0)
        return -1;
    asked = fcntl(fd, F_GETLK, &whole);
    close(fd);
    if (asked != 0)
        return -1;
    return whole.l_type == F_UNLCK ? 0 : whole.l_pid;
}

/*
 * directory - a directory whose files are given away, and nothing outside of it.
 */
#include "io/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel gives up a path with `..` in a link when something is renamed meanwhile. */
#define OPEN_TRIES_MAX 8

/* The C library has no function for it. */
static int open_beneath(int directory_fd, const char *path, uint64_t flags)
{
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int fd = -1;

    for (int tries = 0; fd < 0 && tries < OPEN_TRIES_MAX; tries++) {
        fd = (int)syscall(SYS_openat2, directory_fd, path, &how, sizeof(how));
        if (fd < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
    }
    return fd;
}

int directory_open(const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int probe;
    int saved;

    if (fd < 0)
        return -1;
    probe = open_beneath(fd, ".", O_PATH);
    saved = errno;
    if (probe >= 0) {
        close(probe);
        return fd;
    }
    close(fd);
    errno = saved;
    return -1;
}

static bool fail(int fd, int error)
{
    close(fd);
    errno = error;
    return false;
}

bool directory_find(int directory_fd, const char *path, struct file *f)
{
    struct stat st;
    /* A FIFO that nobody writes to is not waited for, and no terminal becomes ours. */
    int fd = open_beneath(directory_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

    *f = (struct file){.fd = -1};
    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0)
        return fail(fd, errno);
    if (S_ISDIR(st.st_mode)) {
        close(fd);
        f->is_directory = true;
        return true;
    }
    if (!S_ISREG(st.st_mode))
        return fail(fd, ENOENT);
    f->fd = fd;
    f->size_bytes = (uint64_t)st.st_size;
    f->modified_s = st.st_mtim.tv_sec;
    f->modified_ns = (uint32_t)st.st_mtim.tv_nsec;
    return true;
}

void file_close(struct file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

/*
 * spool - bytes that did not fit in memory.
 */
#include "io/spool.h"

#include "base/list.h"
#include "base/panic.h"
#include "base/pool.h"
#include "io/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Bodies of unknown length are promised room in steps of this size. */
#define SPOOL_STEP_BYTES ((uint64_t)64 << 20)

#define SPOOL_PATH_MAX 4096

/* What an unprivileged user may have (/proc/sys/fs/pipe-max-size). */
#define SPOOL_PIPE_BYTES (1 << 20)

/* Not in every linux/magic.h. */
#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

struct spool_store {
    unsigned refs;
    int dir_fd;
    int pipe[2]; /* -1: not opened, or not to be had */
    bool has_no_pipe;
    bool has_tmpfile;
    unsigned levels[SPOOL_LEVELS_MAX];
    unsigned n_levels;
    uint64_t quota_bytes;
    uint64_t reserve_bytes;
    struct ledger *ledger;
    struct ledger_row *own;  /* of the ledger; another store of this directory may share it */
    uint64_t promised_bytes; /* ours of it */
    ino_t ledger_inode;      /* what the ledger is known by; 0: it is ours alone */
    unsigned name_counter;
    size_t path_n;
    char path[];
};

static uint64_t free_bytes(int dir_fd)
{
    struct statvfs fs;

    if (fstatvfs(dir_fd, &fs) != 0)
        return 0;
    return (uint64_t)fs.f_bavail * fs.f_frsize;
}

/* mkdir(1) -p, the last directory 0700. *is_new: that one was not there. */
static bool make_directories(char *path, bool *is_new)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        int made;

        *slash = '\0';
        made = mkdir(path, 0755);
        *slash = '/';
        if (made != 0 && errno != EEXIST)
            return false;
    }
    *is_new = mkdir(path, 0700) == 0;
    return *is_new || errno == EEXIST;
}

/* A directory that was there is left as it is: it must be the user's, or one that the user may
 * write to. */
static bool directory_give(int dir_fd, const struct spool_setup *setup, bool is_new)
{
    struct stat st;

    if (!setup->has_owner)
        return true;
    if (is_new)
        return fchown(dir_fd, setup->uid, setup->gid) == 0;
    if (fstat(dir_fd, &st) != 0)
        return false;
    errno = EACCES;
    return st.st_uid == setup->uid || (st.st_mode & S_IWOTH) ||
           (st.st_gid == setup->gid && (st.st_mode & S_IWGRP));
}

static int open_named_in(int dir_fd, unsigned counter)
{
    char name[64];
    int fd;

    snprintf(name, sizeof(name), ".spool-%d-%u", getpid(), counter);
    fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlinkat(dir_fd, name, 0);
    return fd;
}

/* Where a file must have a name for a moment, hashed directories keep each directory small. */
static int open_named(struct spool_store *s)
{
    unsigned counter = s->name_counter++;
    unsigned hash = counter * 2654435761u; /* Knuth's multiplicative hash */
    int dir_fd = s->dir_fd;
    int fd;

    for (unsigned i = 0; i < s->n_levels; i++) {
        char name[16];
        int below;

        snprintf(name, sizeof(name), "%0*x", (int)s->levels[i],
                 hash & ((1u << (4 * s->levels[i])) - 1));
        hash >>= 4 * s->levels[i];
        if (mkdirat(dir_fd, name, 0700) != 0 && errno != EEXIST) {
            below = -1;
        } else {
            below = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        }
        if (dir_fd != s->dir_fd)
            close(dir_fd);
        if (below < 0)
            return -1;
        dir_fd = below;
    }
    fd = open_named_in(dir_fd, counter);
    if (dir_fd != s->dir_fd)
        close(dir_fd);
    return fd;
}

static int open_unnamed(const struct spool_store *s)
{
    return openat(s->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int store_open_file(struct spool_store *s)
{
    return s->has_tmpfile ? open_unnamed(s) : open_named(s);
}

/* Find out once which kind of file the directory can hold; a directory that holds none is
 * refused. */
static bool store_try(struct spool_store *s)
{
    int fd = getenv("HOLDFAST_NO_TMPFILE") == NULL ? open_unnamed(s) : -1;

    s->has_tmpfile = fd >= 0;
    if (fd < 0)
        fd = open_named_in(s->dir_fd, s->name_counter++);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

int spool_directory_open(const struct spool_setup *setup)
{
    char path[SPOOL_PATH_MAX];
    bool is_new;
    int fd;

    if (setup->path.n == 0 || setup->path.n >= SPOOL_PATH_MAX) {
        errno = setup->path.n == 0 ? ENOENT : ENAMETOOLONG;
        return -1;
    }
    memcpy(path, setup->path.p, setup->path.n);
    path[setup->path.n] = '\0';
    if (!make_directories(path, &is_new))
        return -1;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_new ? O_NOFOLLOW : 0));
    if (fd >= 0 && !directory_give(fd, setup, is_new)) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

uint64_t spool_directory_quota(int dir_fd)
{
    return free_bytes(dir_fd) / 2;
}

/* A store without descriptors; NULL without memory. */
static struct spool_store *store_new(const struct spool_setup *setup)
{
    struct spool_store *s = memory_get(sizeof(*s) + setup->path.n + 1);

    if (s == NULL)
        return NULL;
    *s = (struct spool_store){
        .refs = 1,
        .dir_fd = -1,
        .pipe = {-1, -1},
        .path_n = setup->path.n,
    };
    memcpy(s->path, setup->path.p, setup->path.n);
    s->path[s->path_n] = '\0';
    return s;
}

/* The store has its directory and its ledger, or one of them is missing (errno says why). */
static struct spool_store *store_complete(struct spool_store *s, const struct spool_setup *setup,
                                          unsigned row)
{
    if (s->dir_fd >= 0 && s->ledger != NULL && row < s->ledger->n_rows && store_try(s)) {
        s->own = &s->ledger->rows[row];
        spool_store_adjust(s, setup);
        return s;
    }
    int saved = errno;

    spool_store_unref(s);
    errno = saved;
    return NULL;
}

struct spool_store *spool_store_open(const struct spool_setup *setup)
{
    int dir_fd = spool_directory_open(setup);
    struct spool_store *s;

    if (dir_fd < 0)
        return NULL;
    s = store_new(setup);
    if (s == NULL) {
        close(dir_fd);
        errno = ENOMEM;
        return NULL;
    }
    s->dir_fd = dir_fd;
    s->ledger = ledger_new(spool_directory_quota(dir_fd));
    return store_complete(s, setup, 0);
}

struct spool_store *spool_store_adopt(const struct spool_setup *setup, int dir_fd, int ledger_fd,
                                      unsigned row)
{
    struct spool_store *s = store_new(setup);
    struct stat st;

    if (s == NULL)
        return NULL;
    if (fstat(ledger_fd, &st) == 0) {
        s->ledger_inode = st.st_ino;
        s->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
        s->ledger = ledger_map(ledger_fd);
    }
    return store_complete(s, setup, row);
}

bool spool_store_has(const struct spool_store *s, int ledger_fd)
{
    struct stat st;

    return s->ledger_inode != 0 && fstat(ledger_fd, &st) == 0 && st.st_ino == s->ledger_inode;
}

struct spool_store *spool_store_ref(struct spool_store *s)
{
    s->refs++;
    return s;
}

static void store_close_pipe(struct spool_store *s)
{
    if (s->pipe[0] < 0)
        return;
    close(s->pipe[0]);
    close(s->pipe[1]);
    s->pipe[0] = -1;
    s->pipe[1] = -1;
}

void spool_store_unref(struct spool_store *s)
{
    if (s == NULL || --s->refs > 0)
        return;
    assert(s->promised_bytes == 0);
    ledger_unmap(s->ledger);
    if (s->dir_fd >= 0)
        close(s->dir_fd);
    store_close_pipe(s);
    memory_put(s);
}

void spool_store_adjust(struct spool_store *s, const struct spool_setup *setup)
{
    s->quota_bytes = setup->has_quota ? setup->quota_bytes : s->ledger->default_quota_bytes;
    s->reserve_bytes = setup->reserve_bytes;
    memcpy(s->levels, setup->levels, sizeof(s->levels));
    s->n_levels = setup->n_levels;
}

bool spool_directory_is_at(int dir_fd, const char *path)
{
    struct stat ours;
    struct stat there;

    if (fstat(dir_fd, &ours) != 0 || ours.st_nlink == 0)
        return false;
    if (stat(path, &there) != 0)
        return errno == EACCES; /* rights have been given up since */
    return there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

struct str spool_store_path(const struct spool_store *s)
{
    return (struct str){s->path, s->path_n};
}

int spool_store_directory(const struct spool_store *s)
{
    return s->dir_fd;
}

const char *spool_directory_doubt(int dir_fd)
{
    struct statfs fs;
    struct stat st;

    if (fstat(dir_fd, &st) == 0 && (st.st_mode & S_IWOTH))
        return "a directory that everybody may write to";
    return fstatfs(dir_fd, &fs) == 0 ? spool_doubt(&fs) : NULL;
}

const char *spool_doubt(const struct statfs *fs)
{
    switch ((unsigned long)fs->f_type) {
    case TMPFS_MAGIC: return "on tmpfs: held bodies take memory";
    case NFS_SUPER_MAGIC: return "on NFS: slow, and without unnamed files";
    case FUSE_SUPER_MAGIC: return "on FUSE: its answer to a full disk may come too late";
    default: return NULL;
    }
}

struct spool_figures spool_store_figures(const struct spool_store *s)
{
    struct ledger_figures sum = ledger_sum(s->ledger);

    return (struct spool_figures){
        .promised_bytes = sum.promised_bytes,
        .written_bytes = sum.written_bytes,
        .quota_bytes = s->quota_bytes,
        .n_files = sum.n_files,
    };
}

void spool_init(struct spool *s, struct spool_store *store)
{
    *s = (struct spool){.fd = -1, .store = store == NULL ? NULL : spool_store_ref(store)};
}

/* More, or with what is negative less. */
static void store_promise(struct spool_store *store, uint64_t more)
{
    store->promised_bytes += more;
    ledger_add(&store->own->promised_bytes, more);
}

void spool_clear(struct spool *s)
{
    if (s->fd >= 0) {
        close(s->fd);
        ledger_add(&s->store->own->n_files, (uint64_t)-1);
        ledger_add(&s->store->own->written_bytes, -s->size_bytes);
    }
    if (s->store != NULL)
        store_promise(s->store, -s->promised_bytes);
    s->fd = -1;
    s->size_bytes = 0;
    s->promised_bytes = 0;
}

void spool_reset(struct spool *s)
{
    spool_clear(s);
    spool_store_unref(s->store);
    s->store = NULL;
}

/* May all that is promised, with what has just been entered, stay so? Sets errno. */
static bool store_has_room(const struct spool_store *store)
{
    struct ledger_figures all = ledger_sum(store->ledger);
    /* Promised and not yet on the disk. Others go on while we add up. */
    uint64_t outstanding =
        all.promised_bytes > all.written_bytes ? all.promised_bytes - all.written_bytes : 0;
    uint64_t room;

    errno = EDQUOT;
    if (all.promised_bytes > store->quota_bytes)
        return false;
    errno = ENOSPC;
    room = free_bytes(store->dir_fd);
    return room >= store->reserve_bytes && room - store->reserve_bytes >= outstanding;
}

bool spool_admit(struct spool *s, uint64_t total_bytes)
{
    struct spool_store *store = s->store;
    uint64_t more;

    if (total_bytes <= s->promised_bytes)
        return true;
    errno = ENOSPC;
    if (store == NULL)
        return false;
    more = total_bytes - s->promised_bytes;
    if (store->own->promised_bytes > UINT64_MAX - more ||
        store->own->promised_bytes + more > store->quota_bytes) {
        errno = EDQUOT;
        return false;
    }
    store_promise(store, more);
    if (!store_has_room(store)) {
        int saved = errno;

        store_promise(store, -more);
        errno = saved;
        return false;
    }
    s->promised_bytes = total_bytes;
    return true;
}

void spool_settle(struct spool *s)
{
    if (s->store == NULL)
        return;
    store_promise(s->store, -(s->promised_bytes - s->size_bytes));
    s->promised_bytes = s->size_bytes;
}

static bool spool_open(struct spool *s)
{
    s->fd = store_open_file(s->store);
    if (s->fd < 0)
        return false;
    ledger_add(&s->store->own->n_files, 1);
    return true;
}

static bool write_all(int fd, const char *p, size_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t wrote = pwrite(fd, p, n, (off_t)at);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            errno = wrote == 0 ? ENOSPC : errno;
            return false;
        }
        p += wrote;
        n -= (size_t)wrote;
        at += (uint64_t)wrote;
    }
    return true;
}

/* A body of unknown length asks for a step; where only less is left, for what it needs now. */
static bool spool_admit_more(struct spool *s, uint64_t size)
{
    return size <= s->promised_bytes || spool_admit(s, size + SPOOL_STEP_BYTES) ||
           spool_admit(s, size);
}

static bool spool_make_ready(struct spool *s, size_t n)
{
    return spool_admit_more(s, s->size_bytes + n) && (s->fd >= 0 || spool_open(s));
}

/* n bytes were to be written behind the end. */
static bool spool_wrote(struct spool *s, size_t n, bool ok)
{
    if (!ok) {
        int saved = errno;

        if (s->size_bytes == 0)
            spool_clear(s); /* fd < 0 <=> size_bytes == 0 */
        errno = saved;
        return false;
    }
    s->size_bytes += n;
    ledger_add(&s->store->own->written_bytes, n);
    return true;
}

bool spool_append(struct spool *s, const void *p, size_t n)
{
    if (n == 0)
        return true;
    if (!spool_make_ready(s, n))
        return false;
    return spool_wrote(s, n, write_all(s->fd, p, n, s->size_bytes));
}

int spool_pipe(struct spool *s)
{
    struct spool_store *store = s->store;

    if (store->pipe[0] < 0 && !store->has_no_pipe) {
        store->has_no_pipe = getenv("HOLDFAST_NO_SPLICE") != NULL;
        if (store->has_no_pipe || pipe2(store->pipe, O_NONBLOCK | O_CLOEXEC) != 0)
            return -1; /* without descriptors: asked again another time */
        fcntl(store->pipe[1], F_SETPIPE_SZ, SPOOL_PIPE_BYTES); /* refused: it works as it is */
    }
    return store->pipe[1];
}

static bool splice_all(int pipe_fd, int fd, size_t n, uint64_t at)
{
    off_t offset = (off_t)at;

    while (n > 0) {
        ssize_t moved = splice(pipe_fd, NULL, fd, &offset, n, SPLICE_F_MOVE);

        if (moved < 0 && errno == EINTR)
            continue;
        if (moved <= 0) {
            errno = moved == 0 ? ENOSPC : errno;
            return false;
        }
        n -= (size_t)moved;
    }
    return true;
}

bool spool_append_pipe(struct spool *s, size_t n)
{
    bool ok = spool_make_ready(s, n) &&
              spool_wrote(s, n, splice_all(s->store->pipe[0], s->fd, n, s->size_bytes));

    if (!ok) {
        int saved = errno;

        store_close_pipe(s->store); /* with what is left in it */
        errno = saved;
    }
    return ok;
}

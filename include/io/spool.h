/*
 * spool - bytes that did not fit in memory.
 *
 * A store is a directory with a quota; a spool is one unnamed file in it (O_TMPFILE, else a file
 * that is unlinked as soon as it is made), written at the end and read anywhere before it. It is
 * opened by the first append and closed by reset, so an unused spool costs nothing, and it is gone
 * with the process.
 *
 * Quota is admission, not backpressure: bytes are promised to a spool before they come
 * (spool_admit), and all promises of a store together, those of other processes that share its ledger
 * too, stay below its quota and leave its reserve free on the disk.
 *
 * Invariants:  fd < 0  <=>  size_bytes == 0;  size_bytes <= promised_bytes. Elsewhere:   when to
 * spill (io/body.c), how long to wait (proxy/txn.c).
 */
#ifndef HOLDFAST_IO_SPOOL_H
#define HOLDFAST_IO_SPOOL_H

#include "base/str.h"

#include <sys/types.h>

#define SPOOL_LEVELS_MAX 3

struct spool_store;

struct spool_setup {
    struct str path;
    unsigned levels[SPOOL_LEVELS_MAX]; /* hex digits a level of directories, for named files alone */
    unsigned n_levels;
    bool has_quota;
    uint64_t quota_bytes; /* else half of what is free when the store is opened */
    uint64_t reserve_bytes;
    bool has_owner; /* this user will write: a new directory is given to it (we are still root) */
    uid_t uid;
    gid_t gid;
};

/*
 * Make the directory (0700) where it is missing, give it to its owner, and open it. A directory that
 * is there must be the owner's, or one that the owner may write to. Returns a descriptor, or -1 with
 * errno set.
 */
int spool_directory_open(const struct spool_setup *setup);

/* Half of what is free there: the quota where none is set. */
uint64_t spool_directory_quota(int dir_fd);

/*
 * Open a store: make the directory (0700) where it is missing, look whether a file can be written
 * in it. Returns a store with one reference, or NULL with errno set. `path` is copied. May block
 * on the disk.
 */
struct spool_store *spool_store_open(const struct spool_setup *setup);

/*
 * The same of a directory that another process has opened, with a ledger that it shares with us
 * (io/ledger.h), in which `row` is ours. The descriptors stay the caller's.
 */
struct spool_store *spool_store_adopt(const struct spool_setup *setup, int dir_fd, int ledger_fd,
                                      unsigned row);

/* Was the store adopted with this ledger? */
bool spool_store_has(const struct spool_store *s, int ledger_fd);

struct spool_store *spool_store_ref(struct spool_store *s);
void spool_store_unref(struct spool_store *s);

/* Take over the quota, reserve and levels of a new generation. */
void spool_store_adjust(struct spool_store *s, const struct spool_setup *setup);

struct str spool_store_path(const struct spool_store *s);

/* Is the directory still the one at its path, or has somebody removed or replaced it? Where we may
 * not look any more, it counts as the one. */
bool spool_directory_is_at(int dir_fd, const char *path);

/* What is dubious about a spool's directory (memory, a network, open to everybody), in words; NULL:
 * nothing. */
const char *spool_directory_doubt(int dir_fd);

/* The descriptor of the store's directory; it stays the store's. */
int spool_store_directory(const struct spool_store *s);

/* The same of a file system alone, as statfs(2) describes it. */
struct statfs;
const char *spool_doubt(const struct statfs *fs);

struct spool_figures {
    uint64_t promised_bytes;
    uint64_t written_bytes;
    uint64_t quota_bytes;
    uint64_t n_files;
};

/* Of all processes that share the store. */
struct spool_figures spool_store_figures(const struct spool_store *s);

struct spool {
    struct spool_store *store; /* one reference while it is set */
    int fd;
    uint64_t size_bytes;
    uint64_t promised_bytes;
};

/* A spool in a store (NULL: none, and nothing can be admitted). Nothing is opened. */
void spool_init(struct spool *s, struct spool_store *store);

/* Close the file, give back what was promised, drop the store. */
void spool_reset(struct spool *s);

/* Close the file and give back its room, but stay in the store: the bytes have all been read. */
void spool_clear(struct spool *s);

/*
 * Promise that the spool may grow to total_bytes. False with errno ENOSPC (EDQUOT) where quota or
 * reserve would be passed; nothing has changed then.
 */
bool spool_admit(struct spool *s, uint64_t total_bytes);

/*
 * The store's pipe, for moving bytes from a socket to a spool without copying them to us
 * (splice(2)). It is empty between two calls of the program. Returns its writing end, or -1: there
 * is none to be had.
 */
int spool_pipe(struct spool *s);

/* Append the n bytes that are in the pipe; as spool_append. */
bool spool_append_pipe(struct spool *s, size_t n);

/* No more will come: give back what was promised beyond what was written. */
void spool_settle(struct spool *s);

/*
 * Append all n bytes at p. What was not promised is admitted first. Returns false with errno set;
 * the spool is as before, but may have a longer file behind its size. Blocks on the disk.
 */
bool spool_append(struct spool *s, const void *p, size_t n);

#endif

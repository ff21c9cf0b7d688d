/*
 * files - the one seam between a load and the world: files, directories, environment, names.
 *
 * Compiling a configuration is a function of its text and of the answers given here. files_disk
 * asks the machine; files_memory answers from a table, for tests and fuzzers; conf/files_record.h
 * gives again what another has answered.
 */
#ifndef HOLDFAST_CONF_FILES_H
#define HOLDFAST_CONF_FILES_H

#include "base/arena.h"
#include "io/addr.h"

#include <sys/types.h>

/* The disk that a directory lies on. */
struct files_disk {
    uint64_t total_bytes;
    const char *doubt; /* why held bodies should not be there, as "on tmpfs: …"; NULL: no doubt */
};

struct files {
    /*
     * The bytes of a file, at most limit_bytes of them, in arena a. Returns NULL on success, else
     * the reason as a text that needs no freeing.
     */
    const char *(*read)(const struct files *f, struct str path, size_t limit_bytes, struct arena *a,
                        struct str *text);

    /*
     * The files that a pattern of the shell matches, by name, in arena a. *n may be 0. False
     * without memory.
     */
    bool (*match)(const struct files *f, struct str pattern, struct arena *a, struct str **paths,
                  size_t *n);

    /* What the file is, by whatever name: two paths of one file give the same; a missing one its path. */
    struct str (*identity)(const struct files *f, struct str path, struct arena *a);

    /*
     * Is path a directory that this user may write to, or one that we could make for them? Of
     * others than ourselves the group is gid, and nothing but owner, group and mode counts.
     */
    bool (*can_spool)(const struct files *f, struct str path, uid_t uid, gid_t gid);

    /*
     * Is path a directory whose files can be served? NULL if so, else the reason. Where we may not
     * look, it counts as one: who has it open already may go on with it (proxy/generation.c).
     */
    const char *(*find_directory)(const struct files *f, struct str path);

    /*
     * The disk that path lies on, or would once it is made. False: not known. Only for warnings:
     * what a configuration means never depends on it.
     */
    bool (*disk)(const struct files *f, struct str path, struct files_disk *disk);

    /* The working directory, without a slash at its end. */
    struct str (*directory)(const struct files *f, struct arena *a);

    /* The value of an environment variable; NULL where it is not set. */
    const char *(*environment)(const struct files *f, const char *name);

    /* Look up a user or group of the system. False where there is none. */
    bool (*user)(const struct files *f, const char *name, uid_t *uid, gid_t *gid);
    bool (*group)(const struct files *f, const char *name, gid_t *gid);

    /* Who we are: whose directory a spool without a section is. */
    uid_t (*user_id)(const struct files *f);

    /* As addr_resolve. */
    const char *(*resolve)(const struct files *f, struct str host, unsigned port, struct addr *a);
};

extern const struct files files_disk;

/* The bytes that a descriptor gives until its end; as read of files. */
const char *files_read_fd(int fd, size_t limit_bytes, struct arena *a, struct str *text);

/* A file, or with text.p == NULL a directory that may be written to. */
struct files_entry {
    const char *path;
    struct str text;
};

/*
 * Files in memory. Paths are compared as text, the working directory is `/`, no variable is set but
 * those given as NAME=VALUE, the one user and group is `nobody`, and every host name resolves to
 * 127.0.0.1 but those that end in `.invalid`.
 */
struct files_memory {
    struct files files; /* first: the functions get its address */
    const struct files_entry *entries;
    size_t n_entries;
    const char *const *variables; /* NULL-terminated, or NULL */
};

/* Set up; entries and variables are not copied. Nothing to free. */
void files_memory_init(struct files_memory *m, const struct files_entry *entries, size_t n_entries,
                       const char *const *variables);

#endif

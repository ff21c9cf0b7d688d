/*
 * files - the one seam between a load and the world.
 */
#include "conf/files.h"

#include "io/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MATCHES_MAX 10000

/* How long the next byte of a pipe is waited for. */
#define PIPE_PATIENCE_MS 5000

/* The system wants terminated paths; one with a NUL inside names nothing. */
static bool path_terminate(struct str path, char out[PATH_MAX])
{
    if (path.n == 0 || path.n >= PATH_MAX || memchr(path.p, '\0', path.n) != NULL)
        return false;
    memcpy(out, path.p, path.n);
    out[path.n] = '\0';
    return true;
}

/* A pipe is opened so that it never blocks; its writer may be slower than we are. Its end counts. */
static bool wait_for_writer(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    return poll(&poll_fd, 1, PIPE_PATIENCE_MS) > 0;
}

/* Files without a length (pipes, /proc) are read too: to the limit, and no further. */
static const char *read_all(int fd, size_t size, size_t limit_bytes, struct arena *a,
                            struct str *text)
{
    size_t room = size > 0 ? size + 1 : 4096;
    char *p = arena_text(a, room);
    size_t n = 0;

    for (;;) {
        ssize_t got;

        if (p == NULL)
            return "out of memory";
        if (n == room) {
            char *larger = arena_text(a, 2 * room);

            if (larger != NULL)
                memcpy(larger, p, n);
            p = larger;
            room *= 2;
            continue;
        }
        got = read(fd, p + n, room - n);
        if (got < 0 && (errno == EINTR || (errno == EAGAIN && wait_for_writer(fd))))
            continue;
        if (got < 0)
            return strerror(errno);
        if (got == 0)
            break;
        n += (size_t)got;
        if (n > limit_bytes)
            return "the file is too large";
    }
    *text = (struct str){p, n};
    return NULL;
}

static const char *disk_read(const struct files *f, struct str path, size_t limit_bytes,
                             struct arena *a, struct str *text)
{
    char name[PATH_MAX];
    struct stat st;
    const char *why;
    int fd;

    (void)f;
    if (!path_terminate(path, name))
        return "not a path";
    /* A FIFO without a writer must not stop the load. */
    fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return strerror(errno);
    if (fstat(fd, &st) != 0)
        why = strerror(errno);
    else if (S_ISDIR(st.st_mode))
        why = strerror(EISDIR);
    else if (st.st_size > 0 && (uint64_t)st.st_size > limit_bytes)
        why = "the file is too large";
    else
        why = read_all(fd, st.st_size > 0 ? (size_t)st.st_size : 0, limit_bytes, a, text);
    if (why == NULL && S_ISFIFO(st.st_mode) && text->n == 0)
        why = "nobody writes to this pipe";
    close(fd);
    return why;
}

const char *files_read_fd(int fd, size_t limit_bytes, struct arena *a, struct str *text)
{
    return read_all(fd, 0, limit_bytes, a, text);
}

static bool disk_match(const struct files *f, struct str pattern, struct arena *a,
                       struct str **paths, size_t *n)
{
    char name[PATH_MAX];
    glob_t found = {0};
    bool ok = true;

    (void)f;
    *n = 0;
    *paths = NULL;
    if (!path_terminate(pattern, name) || glob(name, 0, NULL, &found) != 0) {
        globfree(&found);
        return true;
    }
    *paths = arena_zalloc(a, found.gl_pathc, sizeof(struct str));
    for (size_t i = 0; *paths != NULL && i < found.gl_pathc && i < MATCHES_MAX; i++) {
        (*paths)[i] = arena_str(a, str_of(found.gl_pathv[i]));
        ok = ok && (*paths)[i].p != NULL;
        *n = i + 1;
    }
    ok = ok && *paths != NULL;
    globfree(&found);
    return ok;
}

static struct str disk_identity(const struct files *f, struct str path, struct arena *a)
{
    char name[PATH_MAX];
    struct stat st;

    (void)f;
    if (!path_terminate(path, name) || stat(name, &st) != 0)
        return arena_str(a, path);
    return arena_printf(a, "%llx:%llx", (unsigned long long)st.st_dev,
                        (unsigned long long)st.st_ino);
}

/* May this user make files in a directory? */
static bool may_fill(const char *name, const struct stat *st, uid_t uid, gid_t gid)
{
    mode_t needed = S_IWOTH | S_IXOTH;

    if (uid == geteuid())
        return access(name, W_OK | X_OK) == 0;
    if (uid == 0)
        return true;
    if (st->st_uid == uid)
        needed = S_IWUSR | S_IXUSR;
    else if (st->st_gid == gid)
        needed = S_IWGRP | S_IXGRP;
    return (st->st_mode & needed) == needed;
}

static bool disk_can_spool(const struct files *f, struct str path, uid_t uid, gid_t gid)
{
    char name[PATH_MAX];
    struct stat st;
    char *slash;

    (void)f;
    if (!path_terminate(path, name))
        return false;
    if (stat(name, &st) == 0)
        return S_ISDIR(st.st_mode) && may_fill(name, &st, uid, gid);
    slash = strrchr(name, '/');
    if (slash == NULL || slash == name)
        return false;
    *slash = '\0';
    return stat(name, &st) == 0 && S_ISDIR(st.st_mode) && access(name, W_OK | X_OK) == 0;
}

static const char *disk_find_directory(const struct files *f, struct str path)
{
    char name[PATH_MAX];
    struct stat st;

    (void)f;
    if (!path_terminate(path, name))
        return "not a path";
    if (stat(name, &st) != 0)
        return errno == EACCES ? NULL : strerror(errno);
    return S_ISDIR(st.st_mode) ? NULL : strerror(ENOTDIR);
}

/* The nearest directory above a path that is not there yet is where it would be made. */
static bool disk_disk(const struct files *f, struct str path, struct files_disk *disk)
{
    char name[PATH_MAX];
    struct statfs fs;

    (void)f;
    if (!path_terminate(path, name) || name[0] != '/')
        return false;
    while (statfs(name, &fs) != 0) {
        char *slash = strrchr(name, '/');

        if (strcmp(name, "/") == 0)
            return false;
        slash[slash == name ? 1 : 0] = '\0';
    }
    *disk = (struct files_disk){(uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize, spool_doubt(&fs)};
    return true;
}

static struct str disk_directory(const struct files *f, struct arena *a)
{
    char name[PATH_MAX];

    (void)f;
    if (getcwd(name, sizeof(name)) == NULL || strcmp(name, "/") == 0)
        return arena_str(a, STR(""));
    return arena_str(a, str_of(name));
}

static const char *disk_environment(const struct files *f, const char *name)
{
    (void)f;
    return getenv(name);
}

static bool disk_user(const struct files *f, const char *name, uid_t *uid, gid_t *gid)
{
    const struct passwd *entry = getpwnam(name);

    (void)f;
    if (entry == NULL)
        return false;
    *uid = entry->pw_uid;
    *gid = entry->pw_gid;
    return true;
}

static bool disk_group(const struct files *f, const char *name, gid_t *gid)
{
    const struct group *entry = getgrnam(name);

    (void)f;
    if (entry == NULL)
        return false;
    *gid = entry->gr_gid;
    return true;
}

static uid_t disk_user_id(const struct files *f)
{
    (void)f;
    return geteuid();
}

static const char *disk_resolve(const struct files *f, struct str host, unsigned port,
                                struct addr *a)
{
    (void)f;
    return addr_resolve(host, port, a);
}

const struct files files_disk = {
    .read = disk_read,
    .match = disk_match,
    .identity = disk_identity,
    .can_spool = disk_can_spool,
    .find_directory = disk_find_directory,
    .disk = disk_disk,
    .directory = disk_directory,
    .environment = disk_environment,
    .user = disk_user,
    .group = disk_group,
    .user_id = disk_user_id,
    .resolve = disk_resolve,
};

/* The members of a files_memory, whose first member f is. */
static const struct files_memory *memory_of(const struct files *f)
{
    return (const struct files_memory *)f;
}

static const struct files_entry *memory_find(const struct files *f, struct str path)
{
    const struct files_memory *m = memory_of(f);

    for (size_t i = 0; i < m->n_entries; i++)
        if (str_eq(str_of(m->entries[i].path), path))
            return &m->entries[i];
    return NULL;
}

static const char *memory_read(const struct files *f, struct str path, size_t limit_bytes,
                               struct arena *a, struct str *text)
{
    const struct files_entry *entry = memory_find(f, path);

    (void)a;
    if (entry == NULL)
        return strerror(ENOENT);
    if (entry->text.p == NULL)
        return strerror(EISDIR);
    if (entry->text.n > limit_bytes)
        return "the file is too large";
    *text = entry->text;
    return NULL;
}

static int path_compare(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static bool memory_match(const struct files *f, struct str pattern, struct arena *a,
                         struct str **paths, size_t *n)
{
    const struct files_memory *m = memory_of(f);
    char name[PATH_MAX];

    *n = 0;
    *paths = arena_zalloc(a, m->n_entries, sizeof(struct str));
    if (*paths == NULL)
        return false;
    if (!path_terminate(pattern, name))
        return true;
    for (size_t i = 0; i < m->n_entries; i++)
        if (fnmatch(name, m->entries[i].path, FNM_PATHNAME | FNM_PERIOD) == 0)
            (*paths)[(*n)++] = str_of(m->entries[i].path);
    qsort(*paths, *n, sizeof(struct str), path_compare);
    return true;
}

static struct str memory_identity(const struct files *f, struct str path, struct arena *a)
{
    (void)f;
    return arena_str(a, path);
}

static bool memory_can_spool(const struct files *f, struct str path, uid_t uid, gid_t gid)
{
    const struct files_entry *entry = memory_find(f, path);

    (void)uid;
    (void)gid;
    return entry != NULL && entry->text.p == NULL;
}

static const char *memory_find_directory(const struct files *f, struct str path)
{
    const struct files_entry *entry = memory_find(f, path);

    if (entry == NULL)
        return strerror(ENOENT);
    return entry->text.p == NULL ? NULL : strerror(ENOTDIR);
}

static bool memory_disk(const struct files *f, struct str path, struct files_disk *disk)
{
    (void)f;
    (void)path;
    (void)disk;
    return false;
}

static struct str memory_directory(const struct files *f, struct arena *a)
{
    (void)f;
    return arena_str(a, STR(""));
}

static const char *memory_environment(const struct files *f, const char *name)
{
    const struct files_memory *m = memory_of(f);
    size_t n = strlen(name);

    for (size_t i = 0; m->variables != NULL && m->variables[i] != NULL; i++)
        if (strncmp(m->variables[i], name, n) == 0 && m->variables[i][n] == '=')
            return m->variables[i] + n + 1;
    return NULL;
}

static bool memory_user(const struct files *f, const char *name, uid_t *uid, gid_t *gid)
{
    (void)f;
    *uid = 65534;
    *gid = 65534;
    return strcmp(name, "nobody") == 0;
}

static bool memory_group(const struct files *f, const char *name, gid_t *gid)
{
    (void)f;
    *gid = 65534;
    return strcmp(name, "nobody") == 0;
}

static uid_t memory_user_id(const struct files *f)
{
    (void)f;
    return 65534;
}

static const char *memory_resolve(const struct files *f, struct str host, unsigned port,
                                  struct addr *a)
{
    (void)f;
    if (str_ends_with(host, STR(".invalid")))
        return "Name or service not known";
    *a = (struct addr){.n = sizeof(a->at.v4)};
    a->at.v4.sin_family = AF_INET;
    a->at.v4.sin_port = htons((uint16_t)port);
    a->at.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return NULL;
}

void files_memory_init(struct files_memory *m, const struct files_entry *entries, size_t n_entries,
                       const char *const *variables)
{
    *m = (struct files_memory){
        .files = {.read = memory_read,
                  .match = memory_match,
                  .identity = memory_identity,
                  .can_spool = memory_can_spool,
                  .find_directory = memory_find_directory,
                  .disk = memory_disk,
                  .directory = memory_directory,
                  .environment = memory_environment,
                  .user = memory_user,
                  .group = memory_group,
                  .user_id = memory_user_id,
                  .resolve = memory_resolve},
        .entries = entries,
        .n_entries = n_entries,
        .variables = variables,
    };
}

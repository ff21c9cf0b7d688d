/*
 * fmt_tool - the canonical layout of files.
 */
#include "proc/fmt_tool.h"

#include "conf/files.h"
#include "conf/fmt.h"
#include "proc/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_BLOCK_BYTES ((size_t)64 << 10)

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

static bool is_usage_right(const struct options *o)
{
    const char *fault = NULL;

    if (o->is_write && (o->is_check || o->is_diff))
        fault = "--write goes with neither --check nor --diff";
    for (unsigned i = 0; o->is_write && fault == NULL && i < o->n_operands; i++)
        if (is_stdin(o->operands[i]))
            fault = "--write cannot write to standard input";
    if (fault != NULL)
        fprintf(stderr, "holdfast: %s (-h: help)\n", fault);
    return fault == NULL;
}

/* Read a file or standard input. NULL on success, else why not. */
static const char *read_text(const char *path, struct arena *a, struct str *text)
{
    if (is_stdin(path))
        return files_read_fd(STDIN_FILENO, SOURCE_FILE_MAX, a, text);
    return files_disk.read(&files_disk, str_of(path), SOURCE_FILE_MAX, a, text);
}

static bool write_all(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text = str_slice(text, (size_t)n, text.n);
    }
    return true;
}

/* A new file is whose the old one was before it is filled: nobody else gets to read it. */
static bool take_owner(int fd, const struct stat *old)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return false;
    if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
        fchown(fd, old->st_uid, old->st_gid) != 0)
        return false;
    return fchmod(fd, old->st_mode & 07777) == 0;
}

/* The rename lasts once the directory is on disk; where that cannot be asked for, it is done. */
static void sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* Put text in the place of the file at path, which has no links in it: all of it or nothing. */
static bool replace(const char *path, struct str text)
{
    char directory[PATH_MAX];
    char temporary[PATH_MAX];
    struct stat st;
    bool is_done;
    int why;
    int fd;

    if (stat(path, &st) != 0)
        return false;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return false;
    }
    snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(path, '/') - path + 1), path);
    if (snprintf(temporary, sizeof(temporary), "%s.holdfast-fmt-XXXXXX", directory) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return false;
    is_done = take_owner(fd, &st) && write_all(fd, text) && fsync(fd) == 0;
    is_done = close(fd) == 0 && is_done;
    if (is_done && rename(temporary, path) == 0) {
        sync_directory(directory);
        return true;
    }
    why = errno;
    unlink(temporary);
    errno = why;
    return false;
}

static bool write_file(const char *path, struct str text)
{
    char real[PATH_MAX];

    if (realpath(path, real) != NULL && replace(real, text))
        return true;
    fprintf(stderr, "holdfast: cannot write '%s': %s\n", path, strerror(errno));
    return false;
}

/* Do what was asked for with a file whose text is `before` and should be `after`. */
static bool give(const struct options *o, const char *path, struct str before, struct str after,
                 struct arena *a)
{
    bool is_changed = !str_eq(before, after);

    if (o->is_write)
        return !is_changed || write_file(path, after);
    if (!o->is_check && !o->is_diff) {
        fwrite(after.p, 1, after.n, stdout);
        return true;
    }
    if (is_changed && o->is_diff && !diff_print(stdout, path, before, after, a)) {
        fprintf(stderr, "holdfast: %s: out of memory\n", path);
        return false;
    }
    if (is_changed && !o->is_diff)
        printf("%s:%zu: not formatted\n", path, diff_first_line(before, after));
    return !is_changed || !o->is_check;
}

static bool format_file(const struct options *o, const char *path)
{
    struct arena *a = arena_new(TEXT_BLOCK_BYTES, 0);
    struct diags *diags = diags_new();
    struct str before;
    struct str after;
    bool is_done = false;
    const char *why = a == NULL || diags == NULL ? "out of memory" : read_text(path, a, &before);

    if (why != NULL)
        fprintf(stderr, "holdfast: cannot read '%s': %s\n", path, why);
    else if (fmt_text(str_of(path), before, diags, a, &after))
        is_done = give(o, path, before, after, a);
    else
        diags_print(diags, stderr);
    diags_free(diags);
    arena_free(a);
    return is_done;
}

int fmt_tool(const struct options *o)
{
    int status = 0;

    if (!is_usage_right(o))
        return 2;
    for (unsigned i = 0; i < o->n_operands; i++)
        if (!format_file(o, o->operands[i]))
            status = 1;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "holdfast: cannot write: %s\n", strerror(errno));
        status = 1;
    }
    return status;
}

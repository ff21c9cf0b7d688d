/*
 * io_spool - stores and spools: both kinds of file, promises, quota, reserve, and a disk that is full.
 */
#include "io/spool.h"

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

static char dir[64];
static char bytes[1 << 16];

static void make_dir(void)
{
    strcpy(dir, "/tmp/holdfast-unit-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL(mkdtemp(dir));
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 31 >> 3);
}

/* Directories are removed, files are counted: there must be none. */
static unsigned empty_dir(const char *path)
{
    DIR *d = opendir(path);
    unsigned n_files = 0;
    const struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char inside[512];

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(inside, sizeof(inside), "%s/%s", path, e->d_name);
        if (e->d_type == DT_DIR)
            n_files += empty_dir(inside);
        else
            n_files++;
        remove(inside);
    }
    if (d != NULL)
        closedir(d);
    return n_files;
}

static void remove_dir(void)
{
    CU_ASSERT_EQUAL(empty_dir(dir), 0);
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static struct spool_store *open_quota(uint64_t quota, uint64_t reserve)
{
    struct spool_setup setup = {.has_quota = true, .quota_bytes = quota, .reserve_bytes = reserve};
    struct spool_store *s;

    setup.path = str_of(dir);
    s = spool_store_open(&setup);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    return s;
}

static void expect_figures(const struct spool_store *s, uint64_t promised, uint64_t written,
                           unsigned n_files)
{
    struct spool_figures f = spool_store_figures(s);

    CU_ASSERT_EQUAL(f.promised_bytes, promised);
    CU_ASSERT_EQUAL(f.written_bytes, written);
    CU_ASSERT_EQUAL(f.n_files, n_files);
}

static bool holds_bytes(const struct spool *s, uint64_t at, size_t n, const char *wanted)
{
    char got[1 << 12];

    while (n > 0) {
        size_t part = n < sizeof(got) ? n : sizeof(got);

        if (pread(s->fd, got, part, (off_t)at) != (ssize_t)part || memcmp(got, wanted, part) != 0)
            return false;
        at += part;
        wanted += part;
        n -= part;
    }
    return true;
}

/* --- stores --- */

static void missing_directories_are_made(void)
{
    char path[160];
    struct spool_setup setup = {.has_quota = true, .quota_bytes = MIB};
    struct spool_store *s;
    struct stat st;

    make_dir();
    snprintf(path, sizeof(path), "%s/a/b/c", dir);
    setup.path = str_of(path);
    s = spool_store_open(&setup);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0700);
    CU_ASSERT(str_eq(spool_store_path(s), str_of(path)));
    CU_ASSERT_EQUAL(spool_store_figures(s).quota_bytes, MIB);
    spool_store_unref(s);
    remove_dir();
}

static void what_is_no_directory_is_refused(void)
{
    struct spool_setup setup = {.path = STR("/dev/null/spool")};

    CU_ASSERT_PTR_NULL(spool_store_open(&setup));
    CU_ASSERT_EQUAL(errno, ENOTDIR);
    setup.path = STR("/dev/null");
    CU_ASSERT_PTR_NULL(spool_store_open(&setup));
    CU_ASSERT_EQUAL(errno, ENOTDIR);
    setup.path = STR_EMPTY;
    CU_ASSERT_PTR_NULL(spool_store_open(&setup));
    setup.path = STR("/proc/self"); /* nothing can be made there */
    CU_ASSERT_PTR_NULL(spool_store_open(&setup));
    CU_ASSERT(errno != 0);
}

static void quota_is_half_of_what_is_free(void)
{
    struct spool_setup setup = {.has_quota = false};
    struct spool_store *s;
    struct statvfs fs;
    uint64_t quota;
    uint64_t half;

    make_dir();
    setup.path = str_of(dir);
    s = spool_store_open(&setup);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    quota = spool_store_figures(s).quota_bytes;
    CU_ASSERT_EQUAL(statvfs(dir, &fs), 0);
    half = (uint64_t)fs.f_bavail * fs.f_frsize / 2;
    CU_ASSERT(quota > half / 2 && quota < half * 2); /* others use the disk as well */
    setup.has_quota = true;
    setup.quota_bytes = 12345;
    spool_store_adjust(s, &setup);
    CU_ASSERT_EQUAL(spool_store_figures(s).quota_bytes, 12345);
    spool_store_unref(s);
    remove_dir();
}

/* --- files --- */

static void append_and_read_back(struct spool *s)
{
    uint64_t size = 0;

    for (size_t n = 1; n < sizeof(bytes); n = n * 3 + 1) {
        CU_ASSERT(spool_append(s, bytes, n));
        CU_ASSERT(holds_bytes(s, size, n, bytes));
        size += n;
        CU_ASSERT_EQUAL(s->size_bytes, size);
    }
    CU_ASSERT(spool_append(s, NULL, 0));
    CU_ASSERT(holds_bytes(s, 0, 1, bytes));
}

static void spool_has_no_name(bool named, unsigned n_levels)
{
    struct spool_setup setup = {.has_quota = true, .quota_bytes = 1024 * MIB};
    struct spool_store *store;
    struct spool some[20];
    char link[64];
    char target[256];
    ssize_t n;

    make_dir();
    setup.path = str_of(dir);
    setup.n_levels = n_levels;
    setup.levels[0] = 1;
    setup.levels[1] = 2;
    if (named)
        setenv("HOLDFAST_NO_TMPFILE", "1", 1);
    store = spool_store_open(&setup);
    unsetenv("HOLDFAST_NO_TMPFILE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(store);
    for (size_t i = 0; i < 20; i++) {
        spool_init(&some[i], store);
        CU_ASSERT(some[i].fd < 0);
        append_and_read_back(&some[i]);
        CU_ASSERT(fcntl(some[i].fd, F_GETFD) & FD_CLOEXEC);
        snprintf(link, sizeof(link), "/proc/self/fd/%d", some[i].fd);
        n = readlink(link, target, sizeof(target) - 1);
        CU_ASSERT(n > 9 && memcmp(target + n - 9, "(deleted)", 9) == 0);
    }
    CU_ASSERT_EQUAL(spool_store_figures(store).n_files, 20);
    for (size_t i = 0; i < 20; i++)
        spool_reset(&some[i]);
    expect_figures(store, 0, 0, 0);
    spool_store_unref(store);
    remove_dir(); /* which finds no file in any level */
}

static void unnamed_files(void)
{
    spool_has_no_name(false, 0);
    spool_has_no_name(false, 2);
}

static void named_files_are_unlinked_at_once(void)
{
    spool_has_no_name(true, 0);
    spool_has_no_name(true, 1);
    spool_has_no_name(true, 2);
}

static void hashed_levels_spread(void)
{
    struct spool_setup setup = {.has_quota = true, .quota_bytes = MIB, .n_levels = 2};
    struct spool_store *store;
    unsigned n_dirs = 0;

    make_dir();
    setup.path = str_of(dir);
    setup.levels[0] = 1;
    setup.levels[1] = 2;
    setenv("HOLDFAST_NO_TMPFILE", "1", 1);
    store = spool_store_open(&setup);
    unsetenv("HOLDFAST_NO_TMPFILE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(store);
    for (unsigned i = 0; i < 64; i++) {
        struct spool s;

        spool_init(&s, store);
        CU_ASSERT(spool_append(&s, "x", 1));
        spool_reset(&s);
    }
    for (unsigned i = 0; i < 16; i++) {
        char name[96];
        struct stat st;

        snprintf(name, sizeof(name), "%s/%x", dir, i);
        n_dirs += stat(name, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700;
    }
    CU_ASSERT(n_dirs >= 10);
    spool_store_unref(store);
    remove_dir();
}

static void cleared_spool_can_be_used_again(void)
{
    struct spool_store *store;
    struct spool s;

    make_dir();
    store = open_quota(1024 * MIB, 0);
    spool_init(&s, store);
    CU_ASSERT(spool_append(&s, "one", 3));
    spool_clear(&s);
    CU_ASSERT(s.fd < 0 && s.size_bytes == 0 && s.promised_bytes == 0);
    expect_figures(store, 0, 0, 0);
    CU_ASSERT(spool_append(&s, "two", 3));
    CU_ASSERT(holds_bytes(&s, 0, 3, "two"));
    spool_store_unref(store); /* the spool has a reference of its own */
    spool_reset(&s);
    spool_reset(&s);
    remove_dir();
}

static void without_a_store_nothing_is_admitted(void)
{
    struct spool s;

    spool_init(&s, NULL);
    CU_ASSERT(spool_admit(&s, 0));
    CU_ASSERT(!spool_admit(&s, 1));
    CU_ASSERT(!spool_append(&s, "x", 1));
    CU_ASSERT(s.fd < 0);
    spool_reset(&s);
}

/* --- promises --- */

/* Two bodies that do not fit together: the second is refused at its head, and neither waits. */
static void quota_is_admission(void)
{
    struct spool_store *store;
    struct spool a;
    struct spool b;

    make_dir();
    store = open_quota(100 * KIB, 0);
    spool_init(&a, store);
    spool_init(&b, store);
    CU_ASSERT(spool_admit(&a, 60 * KIB));
    errno = 0;
    CU_ASSERT(!spool_admit(&b, 60 * KIB));
    CU_ASSERT_EQUAL(errno, EDQUOT);
    expect_figures(store, 60 * KIB, 0, 0);
    CU_ASSERT(spool_admit(&b, 40 * KIB));
    CU_ASSERT(!spool_admit(&b, 40 * KIB + 1));
    CU_ASSERT(spool_admit(&b, 10)); /* less than what it has been promised */
    CU_ASSERT_EQUAL(b.promised_bytes, 40 * KIB);
    CU_ASSERT(spool_append(&a, bytes, 60 * KIB)); /* a promise is kept */
    expect_figures(store, 100 * KIB, 60 * KIB, 1);
    CU_ASSERT(!spool_append(&a, bytes, 1));
    spool_reset(&a);
    expect_figures(store, 40 * KIB, 0, 0);
    CU_ASSERT(spool_admit(&b, 100 * KIB));
    spool_reset(&b);
    expect_figures(store, 0, 0, 0);
    spool_store_unref(store);
    remove_dir();
}

static void huge_promises_do_not_wrap(void)
{
    struct spool_store *store;
    struct spool a;
    struct spool b;

    make_dir();
    store = open_quota(UINT64_MAX, 0);
    spool_init(&a, store);
    spool_init(&b, store);
    CU_ASSERT(spool_admit(&a, MIB));
    CU_ASSERT(!spool_admit(&b, UINT64_MAX));
    CU_ASSERT(!spool_admit(&b, UINT64_MAX - MIB));
    CU_ASSERT(!spool_admit(&a, UINT64_MAX));
    expect_figures(store, MIB, 0, 0);
    spool_reset(&a);
    spool_reset(&b);
    spool_store_unref(store);
    remove_dir();
}

/* What was not promised is promised in steps, and by the byte where only less is left. */
static void unknown_lengths_are_promised_in_steps(void)
{
    struct spool_store *store;
    struct spool s;

    make_dir();
    store = open_quota(1024 * MIB, 0);
    spool_init(&s, store);
    CU_ASSERT(spool_append(&s, bytes, 10));
    CU_ASSERT_EQUAL(s.promised_bytes, 64 * MIB + 10);
    spool_reset(&s);
    spool_store_unref(store);

    store = open_quota(100, 0);
    spool_init(&s, store);
    CU_ASSERT(spool_append(&s, bytes, 60));
    CU_ASSERT_EQUAL(s.promised_bytes, 60);
    CU_ASSERT(spool_append(&s, bytes, 40));
    CU_ASSERT(!spool_append(&s, bytes, 1));
    CU_ASSERT_EQUAL(errno, EDQUOT);
    CU_ASSERT_EQUAL(s.size_bytes, 100);
    CU_ASSERT(holds_bytes(&s, 60, 40, bytes));
    spool_reset(&s);
    spool_store_unref(store);
    remove_dir();
}

static void reserve_is_never_touched(void)
{
    struct spool_store *store;
    struct statvfs fs;
    struct spool s;
    uint64_t room;

    make_dir();
    CU_ASSERT_EQUAL(statvfs(dir, &fs), 0);
    room = (uint64_t)fs.f_bavail * fs.f_frsize;
    store = open_quota(UINT64_MAX, room * 2);
    spool_init(&s, store);
    errno = 0;
    CU_ASSERT(!spool_admit(&s, 1));
    CU_ASSERT_EQUAL(errno, ENOSPC);
    CU_ASSERT(!spool_append(&s, "x", 1));
    CU_ASSERT(s.fd < 0);
    spool_reset(&s);
    spool_store_unref(store);

    store = open_quota(UINT64_MAX, room / 2); /* half of the disk, and other users of it */
    spool_init(&s, store);
    CU_ASSERT(spool_admit(&s, room / 4));
    CU_ASSERT(!spool_admit(&s, room / 4 * 3));
    spool_reset(&s);
    spool_store_unref(store);
    remove_dir();
}

/* --- a disk that refuses --- */

/* RLIMIT_FSIZE stands in for the full disk: the write fails half-way, what was there stays. */
static void failed_write_leaves_the_spool_as_it_was(void)
{
    struct rlimit before;
    struct rlimit small;
    struct spool_store *store;
    struct spool s;

    make_dir();
    store = open_quota(1024 * MIB, 0);
    spool_init(&s, store);
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 10000, .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
    CU_ASSERT(spool_append(&s, bytes, 6000));
    errno = 0;
    CU_ASSERT(!spool_append(&s, bytes, 6000));
    CU_ASSERT_EQUAL(errno, EFBIG);
    CU_ASSERT_EQUAL(s.size_bytes, 6000);
    CU_ASSERT(holds_bytes(&s, 0, 6000, bytes));
    CU_ASSERT_EQUAL(spool_store_figures(store).written_bytes, 6000);
    CU_ASSERT(spool_append(&s, bytes + 100, 4000)); /* over what the failed one left behind */
    CU_ASSERT(holds_bytes(&s, 6000, 4000, bytes + 100));
    spool_reset(&s);

    small.rlim_cur = 0;
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
    spool_init(&s, store);
    CU_ASSERT(spool_admit(&s, 100));
    CU_ASSERT(!spool_append(&s, bytes, 100));
    CU_ASSERT(s.fd < 0 && s.size_bytes == 0);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    CU_ASSERT(spool_append(&s, bytes, 100));
    spool_reset(&s);
    expect_figures(store, 0, 0, 0);
    spool_store_unref(store);
    remove_dir();
}

/* The real thing, where we may mount one: a disk of 128 KiB. */
static void full_disk_gives_its_room_back(void)
{
    struct spool_store *store;
    struct spool a;
    struct spool b;

    make_dir();
    if (mount("none", dir, "tmpfs", 0, "size=128k") != 0) {
        remove_dir();
        return;
    }
    store = open_quota(UINT64_MAX, 0);
    CU_ASSERT_PTR_NOT_NULL(spool_directory_doubt(spool_store_directory(store)));
    spool_init(&a, store);
    spool_init(&b, store);
    CU_ASSERT(!spool_admit(&a, 200 * KIB));
    CU_ASSERT_EQUAL(errno, ENOSPC);
    CU_ASSERT(spool_admit(&a, 100 * KIB));
    CU_ASSERT(!spool_admit(&b, 100 * KIB)); /* free, but promised */
    CU_ASSERT_EQUAL(errno, ENOSPC);
    CU_ASSERT(spool_append(&a, bytes, 60 * KIB));
    CU_ASSERT(spool_append(&a, bytes, 40 * KIB));
    CU_ASSERT(!spool_append(&b, bytes, 60 * KIB));
    CU_ASSERT_EQUAL(errno, ENOSPC);
    spool_reset(&a);
    CU_ASSERT(spool_append(&b, bytes, 60 * KIB));
    spool_reset(&b);
    expect_figures(store, 0, 0, 0);
    spool_store_unref(store);
    CU_ASSERT_EQUAL(umount(dir), 0);
    remove_dir();
}

UNIT_SUITE(io_spool)
{
    UNIT_TEST(missing_directories_are_made);
    UNIT_TEST(what_is_no_directory_is_refused);
    UNIT_TEST(quota_is_half_of_what_is_free);
    UNIT_TEST(unnamed_files);
    UNIT_TEST(named_files_are_unlinked_at_once);
    UNIT_TEST(hashed_levels_spread);
    UNIT_TEST(cleared_spool_can_be_used_again);
    UNIT_TEST(without_a_store_nothing_is_admitted);
    UNIT_TEST(quota_is_admission);
    UNIT_TEST(huge_promises_do_not_wrap);
    UNIT_TEST(unknown_lengths_are_promised_in_steps);
    UNIT_TEST(reserve_is_never_touched);
    UNIT_TEST(failed_write_leaves_the_spool_as_it_was);
    UNIT_TEST(full_disk_gives_its_room_back);
}

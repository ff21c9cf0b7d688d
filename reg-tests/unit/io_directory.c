/*
 * io_directory - files below a directory, and no way out of it; bodies that are parts of files.
 */
#include "unit.h"

#include "io/body.h"
#include "io/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char top[] = "/tmp/holdfast-directory.XXXXXX";
static char place[64]; /* top/www */

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void put_socket(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    close(fd);
}

static bool link_to(const char *target, const char *path)
{
    return symlink(target, path) == 0;
}

/* A tree with all that somebody might try, in the working directory. */
static int make_tree(void)
{
    int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char absolute[128];

    strcpy(top + strlen(top) - 6, "XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(top));
    snprintf(place, sizeof(place), "%s/www", top);
    snprintf(absolute, sizeof(absolute), "%s/a.txt", place);
    CU_ASSERT_EQUAL_FATAL(mkdir(place, 0755), 0);
    CU_ASSERT_EQUAL_FATAL(chdir(place), 0);
    put("../secret", "secret");
    put("a.txt", "hello\n");
    put("empty", "");
    CU_ASSERT_EQUAL(mkdir("sub", 0755), 0);
    put("sub/b.txt", "b\n");
    CU_ASSERT_EQUAL(mkfifo("fifo", 0644), 0);
    put_socket("socket");
    CU_ASSERT(link_to("a.txt", "in"));
    CU_ASSERT(link_to("../a.txt", "sub/in"));
    CU_ASSERT(link_to("../secret", "out"));
    CU_ASSERT(link_to("../../secret", "sub/out"));
    CU_ASSERT(link_to("..", "up"));
    CU_ASSERT(link_to(absolute, "absolute"));
    CU_ASSERT(link_to("/etc/passwd", "passwd"));
    CU_ASSERT(link_to("/proc/self/cwd/a.txt", "proc"));
    CU_ASSERT(link_to("loop", "loop"));
    CU_ASSERT(link_to("nowhere", "dangling"));
    return before;
}

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *where)
{
    (void)st;
    (void)what;
    (void)where;
    return remove(path);
}

static void remove_tree(int before)
{
    CU_ASSERT_EQUAL(fchdir(before), 0);
    close(before);
    CU_ASSERT_EQUAL(nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void nothing_leads_out_of_a_directory(void)
{
    static const struct {
        const char *path;
        int error; /* 0: it is there; -1: a directory */
    } rows[] = {
        {"a.txt", 0},
        {"./a.txt", 0},
        {"sub/b.txt", 0},
        {"sub/../a.txt", 0},
        {"in", 0},
        {"sub/in", 0},
        {".", -1},
        {"sub", -1},
        {"sub/", -1},
        {"up", EXDEV},
        {"up/secret", EXDEV},
        {"out", EXDEV},
        {"sub/out", EXDEV},
        {"..", EXDEV},
        {"../secret", EXDEV},
        {"../www/a.txt", EXDEV},
        {"sub/../../secret", EXDEV},
        {"absolute", EXDEV},
        {"passwd", EXDEV},
        {"proc", EXDEV},
        {"/etc/passwd", EXDEV},
        {"/", EXDEV},
        {"loop", ELOOP},
        {"dangling", ENOENT},
        {"none", ENOENT},
        {"", ENOENT},
        {"a.txt/", ENOTDIR},
        {"a.txt/x", ENOTDIR},
        {"fifo", ENOENT},
        {"socket", ENXIO},
    };
    int before = make_tree();
    int directory = directory_open(place);

    CU_ASSERT_FATAL(directory >= 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct file f;
        bool found = directory_find(directory, rows[i].path, &f);
        int got = !found ? errno : f.is_directory ? -1 : 0;

        if (got != rows[i].error)
            printf("\n    `%s`: wanted %d, got %d\n", rows[i].path, rows[i].error, got);
        CU_ASSERT_EQUAL(got, rows[i].error);
        CU_ASSERT_EQUAL(f.fd >= 0, got == 0);
        file_close(&f);
        CU_ASSERT_EQUAL(f.fd, -1);
    }
    close(directory);
    remove_tree(before);
}

static void a_file_says_its_size_and_time(void)
{
    const struct timespec times[2] = {{0, 0}, {784111777, 123456789}};
    int before = make_tree();
    int directory = directory_open(place);
    struct file f;

    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, "a.txt", times, 0), 0);
    CU_ASSERT_FATAL(directory_find(directory, "a.txt", &f));
    CU_ASSERT_EQUAL(f.size_bytes, 6);
    CU_ASSERT_EQUAL(f.modified_s, 784111777);
    CU_ASSERT_EQUAL(f.modified_ns, 123456789);
    file_close(&f);
    CU_ASSERT_FATAL(directory_find(directory, "empty", &f));
    CU_ASSERT_EQUAL(f.size_bytes, 0);
    file_close(&f);
    close(directory);
    remove_tree(before);
}

/* The descriptor is the directory, wherever it is moved, until it is opened anew. */
static void a_directory_is_what_was_opened(void)
{
    int before = make_tree();
    int directory = directory_open(place);
    struct file f;

    CU_ASSERT_EQUAL(chdir(".."), 0);
    CU_ASSERT_EQUAL(rename("www", "old"), 0);
    CU_ASSERT(directory_find(directory, "a.txt", &f));
    file_close(&f);
    CU_ASSERT_EQUAL(directory_open(place), -1);
    CU_ASSERT_EQUAL(errno, ENOENT);
    CU_ASSERT_EQUAL(directory_open("old/a.txt"), -1);
    CU_ASSERT_EQUAL(errno, ENOTDIR);
    close(directory);
    remove_tree(before);
}

static void a_part_of_a_file_is_a_body(void)
{
    int before = make_tree();
    struct loop *loop = loop_new(LOOP_POLL);
    int fd = open("a.txt", O_RDONLY | O_CLOEXEC);
    int number = fd;
    struct body_piece piece;
    struct bufs bufs;
    struct body b;

    bufs_init(&bufs, 1 << 20);
    body_init_file_take(&b, loop, &bufs, &fd, 1, 4);
    CU_ASSERT_EQUAL(fd, -1);
    CU_ASSERT(b.state == BODY_COMPLETE && b.has_length && b.length == 4);
    CU_ASSERT_EQUAL(body_unread(&b), 4);
    piece = body_peek(&b);
    CU_ASSERT(piece.kind == BODY_PIECE_FILE && piece.fd == number);
    CU_ASSERT(piece.at == 1 && piece.n == 4);
    body_consume(&b, 3);
    body_check(&b);
    piece = body_peek(&b);
    CU_ASSERT(piece.at == 4 && piece.n == 1);
    CU_ASSERT_FALSE(body_is_drained(&b));
    CU_ASSERT_FALSE(body_can_rewind(&b));
    body_consume(&b, 1);
    CU_ASSERT(body_is_drained(&b));
    CU_ASSERT_EQUAL(body_peek(&b).kind, BODY_PIECE_NONE);
    CU_ASSERT_EQUAL(fcntl(number, F_GETFD), FD_CLOEXEC);
    body_reset(&b);
    CU_ASSERT_EQUAL(fcntl(number, F_GETFD), -1);
    body_reset(&b); /* once more: no harm */
    bufs_reset(&bufs);
    loop_free(loop);
    remove_tree(before);
}

UNIT_SUITE(io_directory)
{
    UNIT_TEST(nothing_leads_out_of_a_directory);
    UNIT_TEST(a_file_says_its_size_and_time);
    UNIT_TEST(a_directory_is_what_was_opened);
    UNIT_TEST(a_part_of_a_file_is_a_body);
}

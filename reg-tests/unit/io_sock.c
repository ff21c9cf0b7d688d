/*
 * io_sock - listening on paths and ports, taking over, connecting, asking.
 */
#include "io/sock.h"

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static char path[128];

static void make_dir(void)
{
    strcpy(dir, "/tmp/holdfast-unit-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/sock", dir);
}

static void remove_dir(void)
{
    unlink(path);
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static unsigned count_files(void)
{
    DIR *d = opendir(dir);
    unsigned n = 0;

    while (d != NULL && readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2; /* . and .. */
}

static struct addr path_addr(void)
{
    struct addr a;

    CU_ASSERT(addr_unix(str_of(path), &a));
    return a;
}

static struct addr port_addr(int listener)
{
    struct addr a = sock_local(listener);

    CU_ASSERT(a.n > 0);
    return a;
}

static int listen_port(void)
{
    struct addr a;
    int fd;

    CU_ASSERT(addr_parse(STR("127.0.0.1:0"), &a));
    fd = sock_listen(&a, 8, false, 0);
    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

static bool can_connect(const struct addr *a)
{
    int fd;
    bool ok = sock_connect(a, &fd) != SOCK_CONNECT_FAILED;

    if (ok)
        close(fd);
    return ok;
}

static void expect_flags(int fd)
{
    CU_ASSERT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CU_ASSERT(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void path_can_be_connected_to(void)
{
    struct addr a;
    struct stat st;
    int fd;

    make_dir();
    a = path_addr();
    fd = sock_listen(&a, 8, true, 0640);
    CU_ASSERT_FATAL(fd >= 0);
    expect_flags(fd);
    CU_ASSERT(stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0640);
    CU_ASSERT_EQUAL(count_files(), 1); /* no PATH.PID.tmp */
    CU_ASSERT(can_connect(&a));
    close(fd);
    remove_dir();
}

static void stale_path_is_replaced(void)
{
    struct addr a;
    int stale;
    int fd;

    make_dir();
    a = path_addr();
    stale = sock_listen(&a, 8, false, 0);
    close(stale);
    CU_ASSERT(!can_connect(&a));
    fd = sock_listen(&a, 8, false, 0);
    CU_ASSERT(fd >= 0);
    CU_ASSERT(can_connect(&a));
    CU_ASSERT_EQUAL(count_files(), 1);
    close(fd);
    remove_dir();
}

/* A second start by mistake does not take the path from under the first, nor remove anything else. */
static void living_path_is_left_alone(void)
{
    struct addr a;
    struct addr peer;
    int old;
    int fd = -1;
    int client;

    make_dir();
    a = path_addr();
    old = sock_listen(&a, 8, false, 0);
    CU_ASSERT_FATAL(old >= 0);
    CU_ASSERT_EQUAL(sock_listen(&a, 8, false, 0), -1);
    CU_ASSERT_EQUAL(errno, EADDRINUSE);
    while (sock_accept(old, &fd, &peer) == SOCK_ACCEPT_OK)
        close(fd); /* the look whether anybody answers */
    CU_ASSERT_EQUAL(sock_connect(&a, &client), SOCK_CONNECT_DONE);
    CU_ASSERT_EQUAL(sock_accept(old, &fd, &peer), SOCK_ACCEPT_OK);
    expect_flags(fd);
    close(fd);
    close(client);
    close(old);
    remove_dir();
}

static void other_file_is_left_alone(void)
{
    struct addr a;
    int fd;

    make_dir();
    a = path_addr();
    fd = open(a.at.un.sun_path, O_CREAT | O_WRONLY, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    CU_ASSERT_EQUAL(sock_listen(&a, 8, false, 0), -1);
    CU_ASSERT_EQUAL(errno, EEXIST);
    CU_ASSERT_EQUAL(access(a.at.un.sun_path, F_OK), 0);
    remove_dir();
}

static void failure_to_listen_leaves_nothing(void)
{
    char long_path[108];
    struct addr a;

    make_dir();
    snprintf(path, sizeof(path), "%s/none/sock", dir);
    a = path_addr();
    CU_ASSERT_EQUAL(sock_listen(&a, 8, false, 0), -1);
    CU_ASSERT_EQUAL(errno, ENOENT);
    CU_ASSERT_EQUAL(count_files(), 0);
    snprintf(path, sizeof(path), "%s/sub", dir);
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    a = path_addr(); /* a directory stands in the way of the rename */
    CU_ASSERT_EQUAL(sock_listen(&a, 8, false, 0), -1);
    CU_ASSERT_EQUAL(count_files(), 1);
    rmdir(path);
    memset(long_path, 'x', sizeof(long_path));
    CU_ASSERT(!addr_unix((struct str){long_path, 108}, &a));
    CU_ASSERT(addr_unix((struct str){long_path, 107}, &a)); /* no room for .PID.tmp */
    CU_ASSERT_EQUAL(sock_listen(&a, 8, false, 0), -1);
    CU_ASSERT_EQUAL(errno, ENAMETOOLONG);
    remove_dir();
}

static void port_that_is_taken_is_told(void)
{
    int fd = listen_port();
    struct addr a = port_addr(fd);

    expect_flags(fd);
    CU_ASSERT_EQUAL(sock_listen(&a, 8, false, 0), -1);
    CU_ASSERT_EQUAL(errno, EADDRINUSE);
    close(fd);
}

static void listening_sockets_alone_are_adopted(void)
{
    int listener = listen_port();
    int other = socket(AF_INET, SOCK_STREAM, 0);
    int fds[2];
    int file = open("/dev/null", O_RDONLY);

    fcntl(listener, F_SETFD, 0);
    fcntl(listener, F_SETFL, 0);
    CU_ASSERT_EQUAL(sock_adopt(listener), listener);
    expect_flags(listener);
    CU_ASSERT_EQUAL(sock_adopt(other), -1);
    CU_ASSERT_EQUAL(errno, EINVAL);
    CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CU_ASSERT_EQUAL(sock_adopt(fds[0]), -1);
    CU_ASSERT_EQUAL(errno, EINVAL);
    CU_ASSERT_EQUAL(sock_adopt(file), -1);
    CU_ASSERT_EQUAL(errno, ENOTSOCK);
    CU_ASSERT_EQUAL(sock_adopt(1 << 20), -1);
    CU_ASSERT_EQUAL(errno, EBADF);
    close(listener);
    close(other);
    close(fds[0]);
    close(fds[1]);
    close(file);
}

static void accepted_peers_have_addresses(void)
{
    int listener = listen_port();
    struct addr a = port_addr(listener);
    enum sock_accept r = SOCK_ACCEPT_AGAIN;
    struct addr peer;
    struct addr mine;
    int client;
    int fd = -1;

    CU_ASSERT_EQUAL(sock_accept(listener, &fd, &peer), SOCK_ACCEPT_AGAIN);
    CU_ASSERT(sock_connect(&a, &client) != SOCK_CONNECT_FAILED);
    expect_flags(client);
    for (unsigned i = 0; i < 1000 && r == SOCK_ACCEPT_AGAIN; i++)
        r = sock_accept(listener, &fd, &peer);
    CU_ASSERT_EQUAL_FATAL(r, SOCK_ACCEPT_OK);
    expect_flags(fd);
    mine = sock_local(client);
    CU_ASSERT(addr_eq(&peer, &mine));
    mine = sock_local(fd);
    CU_ASSERT(addr_eq(&mine, &a));
    CU_ASSERT_EQUAL(sock_local(1 << 20).n, 0);
    close(client);
    close(fd);
    close(listener);
}

static bool is_connected_within(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, ms) == 1 && sock_error(fd) == 0;
}

/* Who has begun to connect gets in, who begins later waits for the next socket. */
static void leaving_port_begins_nothing(void)
{
    int seconds = 5;
    int listener = listen_port();
    struct addr a = port_addr(listener);
    struct addr peer;
    int queued;
    int under_way;
    int late;
    int fd = -1;

    CU_ASSERT(sock_connect(&a, &queued) != SOCK_CONNECT_FAILED);
    CU_ASSERT(is_connected_within(queued, 5000));
    /* The kernel keeps the handshake open, until there are bytes. */
    CU_ASSERT_EQUAL(setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)),
                    0);
    CU_ASSERT(sock_connect(&a, &under_way) != SOCK_CONNECT_FAILED);
    CU_ASSERT(is_connected_within(under_way, 5000));
    sock_ignore_new(listener);
    CU_ASSERT(sock_connect(&a, &late) == SOCK_CONNECT_PENDING);
    CU_ASSERT_EQUAL(sock_accept(listener, &fd, &peer), SOCK_ACCEPT_OK);
    close(fd);
    CU_ASSERT_EQUAL(sock_accept(listener, &fd, &peer), SOCK_ACCEPT_AGAIN);
    CU_ASSERT_EQUAL(send(under_way, "x", 1, MSG_NOSIGNAL), 1);
    CU_ASSERT_EQUAL(sock_accept(listener, &fd, &peer), SOCK_ACCEPT_OK);
    close(fd);
    close(listener);
    listener = sock_listen(&a, 8, false, 0);
    CU_ASSERT(listener >= 0);
    CU_ASSERT(is_connected_within(late, 5000));
    close(queued);
    close(under_way);
    close(late);
    close(listener);
}

static void want_of_descriptors_is_told_apart(void)
{
    int listener = listen_port();
    struct addr a = port_addr(listener);
    enum sock_accept r = SOCK_ACCEPT_AGAIN;
    struct rlimit before;
    struct rlimit none;
    struct addr peer;
    int client;
    int fd = -1;

    CU_ASSERT(sock_connect(&a, &client) != SOCK_CONNECT_FAILED);
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (unsigned i = 0; i < 1000 && r == SOCK_ACCEPT_AGAIN; i++)
        r = sock_accept(listener, &fd, &peer);
    CU_ASSERT_EQUAL(r, SOCK_ACCEPT_NO_FD);
    CU_ASSERT_EQUAL(sock_connect(&a, &fd), SOCK_CONNECT_FAILED);
    CU_ASSERT_EQUAL(errno, EMFILE);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT_EQUAL(sock_accept(listener, &fd, &peer), SOCK_ACCEPT_OK);
    close(fd);
    close(client);
    close(listener);
}

static void refused_paths_fail_at_once(void)
{
    struct addr a;
    int fd;

    make_dir();
    a = path_addr();
    CU_ASSERT_EQUAL(sock_connect(&a, &fd), SOCK_CONNECT_FAILED);
    CU_ASSERT_EQUAL(errno, ENOENT);
    CU_ASSERT_EQUAL(fd, -1);
    close(sock_listen(&a, 8, false, 0));
    CU_ASSERT_EQUAL(sock_connect(&a, &fd), SOCK_CONNECT_FAILED);
    CU_ASSERT_EQUAL(errno, ECONNREFUSED);
    CU_ASSERT_EQUAL(fd, -1);
    remove_dir();
}

/* Bytes that the peer's kernel has taken are acknowledged; those of a full window are not. */
static void unacknowledged_bytes_are_counted(void)
{
    static char bytes[1 << 16];
    int listener = listen_port();
    struct addr a = port_addr(listener);
    size_t n = 0;
    int client;

    CU_ASSERT(sock_connect(&a, &client) != SOCK_CONNECT_FAILED);
    CU_ASSERT(sock_unacknowledged(client, &n));
    CU_ASSERT_EQUAL(n, 0);
    while (send(client, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        continue;
    CU_ASSERT(sock_unacknowledged(client, &n));
    CU_ASSERT(n > 0);
    close(client);
    close(listener);
    CU_ASSERT(!sock_unacknowledged(client, &n));
}

/* What has not left: never more than what is unacknowledged; unknown of a unix socket. */
static void unsent_bytes_are_counted(void)
{
    static char bytes[1 << 16];
    int listener = listen_port();
    struct addr a = port_addr(listener);
    size_t unsent = 7;
    size_t n = 0;
    int client;
    int fds[2];

    CU_ASSERT(sock_connect(&a, &client) != SOCK_CONNECT_FAILED);
    CU_ASSERT(sock_unsent(client, &unsent));
    CU_ASSERT_EQUAL(unsent, 0);
    while (send(client, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        continue;
    CU_ASSERT(sock_unsent(client, &unsent));
    CU_ASSERT(sock_unacknowledged(client, &n));
    CU_ASSERT(unsent > 0 && unsent <= n);
    close(client);
    close(listener);
    CU_ASSERT(!sock_unsent(client, &unsent));
    CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CU_ASSERT(!sock_unsent(fds[0], &unsent));
    close(fds[0]);
    close(fds[1]);
}

/* The proof on which a replay rests: after a reset the count is still there. */
static void unacknowledged_bytes_outlive_a_reset(void)
{
    static char bytes[1 << 16];
    int listener = listen_port();
    struct addr a = port_addr(listener);
    enum sock_accept r = SOCK_ACCEPT_AGAIN;
    struct addr peer;
    size_t n = 0;
    int client;
    int fd = -1;

    CU_ASSERT(sock_connect(&a, &client) != SOCK_CONNECT_FAILED);
    for (unsigned i = 0; i < 1000 && r == SOCK_ACCEPT_AGAIN; i++)
        r = sock_accept(listener, &fd, &peer);
    CU_ASSERT_EQUAL_FATAL(r, SOCK_ACCEPT_OK);
    while (send(client, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        continue;
    sock_set_reset_on_close(fd);
    close(fd);
    CU_ASSERT(sock_unacknowledged(client, &n));
    CU_ASSERT(n > 0);
    CU_ASSERT_EQUAL(sock_error(client), ECONNRESET);
    close(client);
    close(listener);
    CU_ASSERT_EQUAL(sock_error(client), EBADF);
}

UNIT_SUITE(io_sock)
{
    UNIT_TEST(path_can_be_connected_to);
    UNIT_TEST(stale_path_is_replaced);
    UNIT_TEST(living_path_is_left_alone);
    UNIT_TEST(other_file_is_left_alone);
    UNIT_TEST(failure_to_listen_leaves_nothing);
    UNIT_TEST(port_that_is_taken_is_told);
    UNIT_TEST(listening_sockets_alone_are_adopted);
    UNIT_TEST(accepted_peers_have_addresses);
    UNIT_TEST(leaving_port_begins_nothing);
    UNIT_TEST(want_of_descriptors_is_told_apart);
    UNIT_TEST(refused_paths_fail_at_once);
    UNIT_TEST(unacknowledged_bytes_are_counted);
    UNIT_TEST(unsent_bytes_are_counted);
    UNIT_TEST(unacknowledged_bytes_outlive_a_reset);
}

/*
 * tunnel - both ends of tunnels through a proxy: what goes in at one end comes out at the other, at
 * once in both directions, and each direction ends by itself.
 *
 *     tunnel --listen 127.0.0.1:0 --front PATH [--bytes N] [--between COMMAND]
 *
 * Is the server that the proxy at the socket file PATH, which is waited for, passes everything to,
 * and its client. Each case asks for an upgrade to `test/1`, gets 101, and sends pieces of random
 * sizes; each byte that arrives is looked at. --between: run COMMAND when half of a case's bytes
 * have come through. Prints a line for each case; exit status 0: all is well.
 *
 * The line "listening on ADDRESS:PORT" on stdout says that connections are accepted.
 */
#include "examples/upload-demo/http_conn.h"

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>

#define WAIT_MS   20000
#define PIECE_MAX 70000

/* One end of a tunnel: what it is to send and what has come. */
struct end {
    const char *name;
    int fd;
    unsigned pattern; /* of the bytes that it sends */
    size_t n;         /* how many */
    size_t sent;
    bool waits; /* sends only when the other end has sent its last */
    bool has_shut;
    size_t got;
    bool has_end; /* of what it gets */
};

struct tunnel_case {
    const char *name;
    size_t from_client; /* in hundredths of --bytes */
    size_t from_server;
    size_t with_head; /* bytes that leave in one call with the 101 */
    bool client_waits;
    bool server_waits;
    bool server_reads_late; /* only when the client has had its end */
};

static const struct tunnel_case cases[] = {
    {"both ways at once",        100, 100, 0,    false, false, false},
    {"bytes with the 101",       1,   1,   5000, false, false, false},
    {"the client ends first",    100, 100, 0,    false, true,  false},
    {"the server ends first",    100, 100, 0,    true,  false, false},
    {"only the client sends",    100, 0,   0,    false, false, false},
    {"only the server sends",    0,   100, 0,    false, false, false},
    {"nobody sends",             0,   0,   0,    false, false, false},
    {"the server reads at last", 100, 1,   0,    false, false, true },
};

static const char *front;
static const char *between;
static size_t n_bytes = 1000000;
static uint64_t chance;

static _Noreturn void fail(const char *what, const struct end *e)
{
    printf("FAILED: %s: %s: %zu of %zu sent, %zu received\n", what, e->name, e->sent, e->n, e->got);
    exit(1);
}

static size_t below(size_t n)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(chance >> 33) % n;
}

static char byte_of(unsigned pattern, size_t i)
{
    return (char)((i * 2654435761u + (i >> 9) * 40503u + pattern * 2246822519u) >> 11);
}

static void fill(char *p, const struct end *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = byte_of(e->pattern, e->sent + i);
}

static int connect_to_front(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timespec pause = {.tv_nsec = 10000000};
    struct stat is_there;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", front);
    for (int i = 0; i < WAIT_MS / 10 && stat(front, &is_there) != 0; i++)
        nanosleep(&pause, NULL);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        http_die(front);
    return fd;
}

/* Read one head, byte by byte: what lies behind it stays. */
static void read_head(const struct end *e, char *head, size_t size, const char *wanted)
{
    size_t n = 0;

    head[0] = '\0';
    while (n + 1 < size && strstr(head, "\r\n\r\n") == NULL) {
        if (recv(e->fd, head + n, 1, 0) != 1)
            fail("no head", e);
        head[++n] = '\0';
    }
    if (strcasestr(head, wanted) == NULL || strcasestr(head, "\r\nUpgrade: test/1\r\n") == NULL)
        fail(head, e);
}

/* Ask for the upgrade at one end and agree at the other. */
static void open_tunnel(int listener, const struct tunnel_case *k, struct end *client,
                        struct end *server)
{
    static const char request[] = "GET /tunnel HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n"
                                  "Upgrade: test/1\r\n\r\n";
    static const char response[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                                   "Upgrade: test/1\r\n\r\n";
    char text[8192 + sizeof(response)];
    size_t n = k->with_head < server->n ? k->with_head : server->n;

    client->fd = connect_to_front();
    if (!http_send_all(client->fd, request, sizeof(request) - 1))
        fail("asking", client);
    server->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (server->fd < 0)
        http_die("accept");
    read_head(server, text, sizeof(text), "GET /tunnel HTTP/1.1");
    memcpy(text, response, sizeof(response) - 1);
    fill(text + sizeof(response) - 1, server, n);
    if (!http_send_all(server->fd, text, sizeof(response) - 1 + n))
        fail("answering", server);
    server->sent = n;
    read_head(client, text, sizeof(text), "HTTP/1.1 101 ");
}

static bool may_send(const struct end *e)
{
    return !e->has_shut && (!e->waits || e->has_end);
}

static void send_some(struct end *e)
{
    static char piece[PIECE_MAX];
    size_t n = 1 + below(PIECE_MAX);
    ssize_t sent = 0;

    n = n < e->n - e->sent ? n : e->n - e->sent;
    fill(piece, e, n);
    if (n > 0)
        sent = send(e->fd, piece, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        fail("send", e);
    e->sent += sent > 0 ? (size_t)sent : 0;
    if (e->sent < e->n)
        return;
    shutdown(e->fd, SHUT_WR);
    e->has_shut = true;
}

static void receive_some(struct end *e, const struct end *other)
{
    static char piece[PIECE_MAX];
    ssize_t n = recv(e->fd, piece, 1 + below(PIECE_MAX), MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n < 0)
        fail(strerror(errno), e);
    for (ssize_t i = 0; i < n; i++)
        if (piece[i] != byte_of(other->pattern, e->got + (size_t)i))
            fail("another byte than was sent", e);
    e->got += (size_t)n;
    if (n > 0)
        return;
    e->has_end = true;
    if (!other->has_shut || e->got != other->n)
        fail("the end came too soon", e);
}

static void run_case(int listener, const struct tunnel_case *k)
{
    struct end ends[2] = {
        {.name = "client",
         .pattern = 1,
         .n = n_bytes * k->from_client / 100,
         .waits = k->client_waits},
        {.name = "server",
         .pattern = 2,
         .n = n_bytes * k->from_server / 100,
         .waits = k->server_waits},
    };
    struct pollfd fds[2];
    bool reads[2];
    bool has_run = false;

    open_tunnel(listener, k, &ends[0], &ends[1]);
    while (!ends[0].has_end || !ends[1].has_end) {
        for (size_t i = 0; i < 2; i++) {
            fds[i].fd = ends[i].has_end && ends[i].has_shut ? -1 : ends[i].fd;
            reads[i] = !ends[i].has_end && (i == 0 || !k->server_reads_late || ends[0].has_end);
            fds[i].events = (short)((reads[i] ? POLLIN : 0) | (may_send(&ends[i]) ? POLLOUT : 0));
        }
        if (poll(fds, 2, WAIT_MS) == 0)
            fail("nothing moves at one end", ends[0].has_end ? &ends[1] : &ends[0]);
        for (size_t i = 0; i < 2; i++) {
            if ((fds[i].revents & POLLOUT) && may_send(&ends[i]))
                send_some(&ends[i]);
            if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) && reads[i])
                receive_some(&ends[i], &ends[1 - i]);
        }
        if (between != NULL && !has_run &&
            ends[0].got + ends[1].got >= (ends[0].n + ends[1].n) / 2) {
            has_run = true;
            if (system(between) != 0)
                fail(between, &ends[0]);
        }
    }
    close(ends[0].fd);
    close(ends[1].fd);
    printf("passed: %s\n", k->name);
}

static _Noreturn void usage(void)
{
    fputs("usage: tunnel --listen ADDRESS:PORT --front PATH [--bytes N] [--between COMMAND]\n",
          stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen",  required_argument, NULL, 'l'},
        {"front",   required_argument, NULL, 'f'},
        {"bytes",   required_argument, NULL, 'n'},
        {"between", required_argument, NULL, 'b'},
        {NULL,      0,                 NULL, 0  },
    };
    const char *where = NULL;
    int option;
    int listener;

    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt_long(argc, argv, "l:f:n:b:", options, NULL)) != -1) {
        switch (option) {
        case 'l': where = optarg; break;
        case 'f': front = optarg; break;
        case 'n': n_bytes = strtoul(optarg, NULL, 10); break;
        case 'b': between = optarg; break;
        default: usage();
        }
    }
    if (where == NULL || front == NULL)
        usage();
    listener = http_listen_tcp(where);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        run_case(listener, &cases[i]);
    return 0;
}

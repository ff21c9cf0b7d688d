/*
 * load - makes a fixed amount of work for a proxy and prints one line of figures.
 *
 *     load get  ADDRESS:PORT CONNECTIONS REQUESTS
 *         small GETs on keep-alive connections, each with one request under way:
 *         "requests=N seconds=S per_second=N reconnects=N"
 *     load put  ADDRESS:PORT BYTES
 *         one upload: "status=N bytes=N seconds=S", the time up to the end of the answer
 *     load down ADDRESS:PORT PATH TIMES
 *         the same download again and again on one connection: "requests=N bytes=N seconds=S", all
 *         bytes of content together
 *     load idle ADDRESS:PORT CONNECTIONS
 *         connections that each do one request, one after the other, and then stay open:
 *         "idle=N" when all are there; they are closed at the end of standard input
 *
 * The work is fixed and not the time, so that two proxies can be compared by what it cost them.
 * An answer other than 200 (put: any is printed) or a broken connection ends the program with
 * status 1; a keep-alive connection that is closed between two requests is opened anew and counted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_BYTES    4096
#define PIECE_BYTES     (1024 * 1024)
#define MAX_EVENTS      256
#define MAX_CONNECTIONS 20000

struct user {
    int fd;
    size_t got; /* bytes of the answer that have been received */
    char answer[ANSWER_BYTES + 1];
};

struct run {
    struct sockaddr_in to;
    int epoll;
    unsigned long wanted; /* requests: in all, sent, answered */
    unsigned long sent;
    unsigned long answered;
    unsigned long reconnects;
};

static const char get_request[] = "GET /small HTTP/1.1\r\n"
                                  "Host: bench.example\r\n"
                                  "User-Agent: load\r\n"
                                  "Accept: */*\r\n"
                                  "\r\n";

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static unsigned long number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (end == text || *end != '\0') {
        fprintf(stderr, "load: %s: not a number\n", text);
        exit(2);
    }
    return n;
}

static struct sockaddr_in address_of(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(text, ':');
    char host[64];

    snprintf(host, sizeof(host), "%.*s", colon == NULL ? 0 : (int)(colon - text), text);
    if (colon == NULL || inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        fprintf(stderr, "load: %s: not an address such as 127.0.0.1:8080\n", text);
        exit(2);
    }
    address.sin_port = htons((uint16_t)number(colon + 1));
    return address;
}

static int connect_to(const struct sockaddr_in *to)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        die("connect");
    return fd;
}

static void send_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            die("send");
        data += sent;
        n -= (size_t)sent;
    }
}

/* Is the answer complete? Its status is then in *status. */
static bool answer_is_complete(const struct user *u, unsigned *status)
{
    static const char name[] = "\r\nContent-Length:";
    const char *end = strstr(u->answer, "\r\n\r\n");
    const char *field = strcasestr(u->answer, name);
    size_t body;

    if (end == NULL)
        return false;
    if (field == NULL || field > end || sscanf(u->answer, "HTTP/1.%*c %u", status) != 1) {
        fprintf(stderr, "load: an answer without Content-Length:\n%s\n", u->answer);
        exit(1);
    }
    body = strtoul(field + sizeof(name) - 1, NULL, 10);
    return u->got >= (size_t)(end - u->answer) + 4 + body;
}

/* Receive more of the answer. Returns false at the end of the connection. */
static bool receive(struct user *u)
{
    ssize_t got = recv(u->fd, u->answer + u->got, ANSWER_BYTES - u->got, 0);

    if (got < 0)
        die("recv");
    u->got += (size_t)got;
    u->answer[u->got] = '\0';
    return got > 0;
}

/* Block until the answer is complete, and return its status. */
static unsigned wait_for_answer(struct user *u)
{
    unsigned status = 0;

    u->got = 0;
    do {
        if (!receive(u)) {
            fprintf(stderr, "load: the connection was closed without a whole answer\n");
            exit(1);
        }
    } while (!answer_is_complete(u, &status));
    return status;
}

static void must_be_200(unsigned status)
{
    if (status != 200) {
        fprintf(stderr, "load: answered with %u\n", status);
        exit(1);
    }
}

/* Send the next request, if one is left to send. */
static void user_ask(struct run *run, struct user *u)
{
    u->got = 0;
    if (run->sent == run->wanted)
        return;
    run->sent++;
    send_all(u->fd, get_request, sizeof(get_request) - 1);
}

static void user_open(struct run *run, struct user *u)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = u};

    u->fd = connect_to(&run->to);
    if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, u->fd, &event) < 0)
        die("epoll_ctl");
    user_ask(run, u);
}

static void user_read(struct run *run, struct user *u)
{
    unsigned status = 0;

    if (!receive(u)) {
        if (u->got > 0) {
            fprintf(stderr, "load: closed in the middle of an answer\n");
            exit(1);
        }
        close(u->fd);
        run->reconnects++;
        run->sent--;
        user_open(run, u);
        return;
    }
    if (!answer_is_complete(u, &status))
        return;
    must_be_200(status);
    run->answered++;
    user_ask(run, u);
}

static int run_get(const struct sockaddr_in *to, unsigned long n_users, unsigned long n_requests)
{
    struct epoll_event events[MAX_EVENTS];
    struct run run = {.to = *to, .epoll = epoll_create1(EPOLL_CLOEXEC), .wanted = n_requests};
    struct user *users = calloc(n_users, sizeof(*users));
    double began = seconds_now();
    double seconds;

    if (users == NULL || run.epoll < 0)
        die("start");
    for (unsigned long i = 0; i < n_users; i++)
        user_open(&run, &users[i]);
    while (run.answered < run.wanted) {
        int n = epoll_wait(run.epoll, events, MAX_EVENTS, 30000);

        if (n == 0 || (n < 0 && errno != EINTR))
            die("no answer in 30 s");
        for (int i = 0; i < n; i++)
            user_read(&run, events[i].data.ptr);
    }
    seconds = seconds_now() - began;
    printf("requests=%lu seconds=%.3f per_second=%.0f reconnects=%lu\n", run.answered, seconds,
           (double)run.answered / seconds, run.reconnects);
    free(users);
    return 0;
}

static int run_put(const struct sockaddr_in *to, unsigned long n_bytes)
{
    static struct user u;
    char *piece = malloc(PIECE_BYTES);
    char head[256];
    double began = seconds_now();
    unsigned status;

    if (piece == NULL)
        die("malloc");
    for (size_t i = 0; i < PIECE_BYTES; i++)
        piece[i] = (char)(i * 2654435761U >> 13);
    u.fd = connect_to(to);
    snprintf(head, sizeof(head),
             "PUT /upload/bench HTTP/1.1\r\nHost: bench.example\r\nContent-Length: %lu\r\n\r\n",
             n_bytes);
    send_all(u.fd, head, strlen(head));
    for (unsigned long left = n_bytes; left > 0;) {
        size_t n = left < PIECE_BYTES ? left : PIECE_BYTES;

        send_all(u.fd, piece, n);
        left -= n;
    }
    status = wait_for_answer(&u);
    printf("status=%u bytes=%lu seconds=%.3f\n", status, n_bytes, seconds_now() - began);
    free(piece);
    return status != 200;
}

/* One download; the content is dropped. Returns its length. */
static unsigned long download(struct user *u, const char *request, char *piece)
{
    unsigned status = 0;
    unsigned long length;
    unsigned long left;
    const char *end;

    send_all(u->fd, request, strlen(request));
    u->got = 0;
    u->answer[0] = '\0';
    while (strstr(u->answer, "\r\n\r\n") == NULL)
        if (u->got == ANSWER_BYTES || !receive(u))
            die("no head");
    (void)answer_is_complete(u, &status);
    must_be_200(status);
    end = strstr(u->answer, "\r\n\r\n") + 4;
    length = strtoul(strcasestr(u->answer, "\r\nContent-Length:") + 17, NULL, 10);
    left = length - (u->got - (unsigned long)(end - u->answer));
    while (left > 0) {
        ssize_t got = recv(u->fd, piece, PIECE_BYTES, 0);

        if (got <= 0)
            die("recv");
        left -= (unsigned long)got;
    }
    return length;
}

static int run_down(const struct sockaddr_in *to, const char *path, unsigned long times)
{
    static struct user u;
    char *piece = malloc(PIECE_BYTES);
    unsigned long n_bytes = 0;
    char request[1024];
    double began;

    if (piece == NULL)
        die("malloc");
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: bench.example\r\n\r\n", path);
    u.fd = connect_to(to);
    began = seconds_now();
    for (unsigned long i = 0; i < times; i++)
        n_bytes += download(&u, request, piece);
    printf("requests=%lu bytes=%lu seconds=%.3f\n", times, n_bytes, seconds_now() - began);
    free(piece);
    return 0;
}

static int run_idle(const struct sockaddr_in *to, unsigned long n_users)
{
    static struct user u;
    char byte;

    for (unsigned long i = 0; i < n_users; i++) {
        u.fd = connect_to(to); /* stays open: nobody needs its number again */
        send_all(u.fd, get_request, sizeof(get_request) - 1);
        must_be_200(wait_for_answer(&u));
    }
    printf("idle=%lu\n", n_users);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    return 0;
}

static _Noreturn void usage(void)
{
    fputs("usage: load get ADDRESS:PORT CONNECTIONS REQUESTS\n"
          "       load put ADDRESS:PORT BYTES\n"
          "       load down ADDRESS:PORT PATH TIMES\n"
          "       load idle ADDRESS:PORT CONNECTIONS\n",
          stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    struct sockaddr_in to;

    if (argc < 4)
        usage();
    to = address_of(argv[2]);
    if (strcmp(argv[1], "down") == 0 && argc == 5)
        return run_down(&to, argv[3], number(argv[4]));
    if (number(argv[3]) < 1 || (strcmp(argv[1], "put") != 0 && number(argv[3]) > MAX_CONNECTIONS))
        usage();
    if (strcmp(argv[1], "get") == 0 && argc == 5)
        return run_get(&to, number(argv[3]), number(argv[4]));
    if (strcmp(argv[1], "put") == 0 && argc == 4)
        return run_put(&to, number(argv[3]));
    if (strcmp(argv[1], "idle") == 0 && argc == 4)
        return run_idle(&to, number(argv[3]));
    usage();
}

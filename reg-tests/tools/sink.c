/*
 * sink - a backend that costs next to nothing, for measuring the proxy in front of it.
 *
 *     sink --listen 127.0.0.1:0
 *
 * Answers every request with 128 bytes once its body is in. Bodies need a Content-Length; they are
 * discarded in the kernel (MSG_TRUNC), neither copied nor looked at. One thread, epoll, keep-alive.
 *
 * Limits: a head fits in HEAD_BYTES; no pipelining; no chunked bodies: all as our load makers and
 * the measured proxies have it, anything else ends the connection.
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
#include <unistd.h>

#define HEAD_BYTES    4096
#define DISCARD_BYTES (4 * 1024 * 1024)
#define MAX_EVENTS    256

struct peer {
    int fd;
    size_t got;    /* bytes of the head that have been received */
    uint64_t left; /* bytes of the body that are still to come */
    char head[HEAD_BYTES + 1];
};

static const char answer[] = "HTTP/1.1 200 OK\r\n"
                             "Server: sink\r\n"
                             "Content-Type: application/octet-stream\r\n"
                             "Content-Length: 128\r\n"
                             "\r\n"
                             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

/* Returns false when the connection is of no more use. */
static bool peer_answer(struct peer *p)
{
    p->got = 0;
    return send(p->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(answer) - 1;
}

/* Take what there is of the body. Returns false when the connection is of no more use. */
static bool peer_discard(struct peer *p)
{
    while (p->left > 0) {
        size_t n = p->left < DISCARD_BYTES ? (size_t)p->left : DISCARD_BYTES;
        ssize_t got = recv(p->fd, NULL, n, MSG_TRUNC | MSG_DONTWAIT);

        if (got < 0 && errno == EAGAIN)
            return true;
        if (got <= 0)
            return false;
        p->left -= (uint64_t)got;
    }
    return peer_answer(p);
}

/* A whole head is there: what of the body came with it, and what is still to come? */
static bool peer_begin(struct peer *p, size_t head_bytes)
{
    static const char name[] = "\r\nContent-Length:";
    const char *field = strcasestr(p->head, name);
    uint64_t body = field == NULL ? 0 : strtoull(field + sizeof(name) - 1, NULL, 10);
    size_t came = p->got - head_bytes;

    if (came > body)
        return false;
    p->left = body - came;
    return p->left == 0 ? peer_answer(p) : peer_discard(p);
}

/* Returns false when the connection is of no more use. */
static bool peer_read(struct peer *p)
{
    const char *end;
    ssize_t got;

    if (p->left > 0)
        return peer_discard(p);
    got = recv(p->fd, p->head + p->got, HEAD_BYTES - p->got, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return true;
    if (got <= 0)
        return false;
    p->got += (size_t)got;
    p->head[p->got] = '\0';
    end = strstr(p->head, "\r\n\r\n");
    return end == NULL || peer_begin(p, (size_t)(end - p->head) + 4);
}

static void accept_peer(int epoll, int listener)
{
    struct peer *p = calloc(1, sizeof(*p));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};

    if (p == NULL)
        die("calloc");
    p->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (p->fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &event) < 0)
        die("accept");
}

static int listen_at(const char *where)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    const char *colon = strrchr(where, ':');
    char host[64];
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(host, sizeof(host), "%.*s", colon == NULL ? 0 : (int)(colon - where), where);
    if (colon == NULL || inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        fprintf(stderr, "%s: not an address such as 127.0.0.1:3000\n", where);
        exit(2);
    }
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        die(where);
    printf("listening on %s:%u\n", host, ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[MAX_EVENTS];
    struct epoll_event first = {.events = EPOLLIN, .data.ptr = NULL};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener;

    if (argc != 3 || strcmp(argv[1], "--listen") != 0) {
        fputs("usage: sink --listen ADDRESS:PORT\n", stderr);
        return 2;
    }
    listener = listen_at(argv[2]);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &first) < 0)
        die("epoll");
    for (;;) {
        int n = epoll_wait(epoll, events, MAX_EVENTS, -1);

        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < n; i++) {
            struct peer *p = events[i].data.ptr;

            if (p == NULL) {
                accept_peer(epoll, listener);
            } else if (!peer_read(p)) {
                close(p->fd);
                free(p);
            }
        }
    }
}

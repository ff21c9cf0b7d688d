/*
 * http_conn - the server's end of one HTTP/1.1 connection, with blocking calls.
 *
 * Just the HTTP that an upload server behind a proxy needs: one thread per connection, a head, a
 * body with Content-Length or in chunks that is read piece by piece and never kept, an answer,
 * keep-alive.
 *
 * Limits: a head fits in HTTP_BUFFER bytes; no HTTP/2, TLS or time-outs: the proxy in front has
 * them.
 */
#ifndef UPLOAD_DEMO_HTTP_CONN_H
#define UPLOAD_DEMO_HTTP_CONN_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#define HTTP_BUFFER  (64 * 1024)
#define HTTP_BACKLOG 1024

struct http_conn {
    int fd;
    size_t start; /* bytes[start..end) are received and not yet used */
    size_t end;
    char bytes[HTTP_BUFFER];
};

struct http_request {
    char method[16];
    char target[2048];
    bool keep_alive;
    bool expects_continue;
    bool is_chunked;
    bool body_ended;
    bool in_chunk;              /* a chunk's line has been read, and its closing CRLF has not */
    uint64_t left;              /* bytes still to come of the body, or of the current chunk */
    uint64_t bytes;             /* bytes of the body that have been read */
    char head[HTTP_BUFFER + 1]; /* as received, ends with the empty line and a NUL */
};

/* Send all n bytes. Returns false when the peer is gone. */
static inline bool http_send_all(int fd, const void *data, size_t n)
{
    const char *at = data;

    while (n > 0) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* Receive more bytes. Returns false at the end, on an error, or when the buffer is full. */
static inline bool http_fill(struct http_conn *c)
{
    ssize_t got;

    if (c->start > 0) {
        memmove(c->bytes, c->bytes + c->start, c->end - c->start);
        c->end -= c->start;
        c->start = 0;
    }
    if (c->end == sizeof(c->bytes))
        return false;
    do {
        got = recv(c->fd, c->bytes + c->end, sizeof(c->bytes) - c->end, 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0)
        return false;
    c->end += (size_t)got;
    return true;
}

/*
 * Take everything up to and including `mark` off the connection. Returns its length with *text at
 * its first byte (valid until the next call), or 0 when the connection ended first.
 */
static inline size_t http_take_until(struct http_conn *c, const char *mark, const char **text)
{
    size_t mark_bytes = strlen(mark);

    for (;;) {
        const char *from = c->bytes + c->start;
        const char *found = memmem(from, c->end - c->start, mark, mark_bytes);

        if (found != NULL) {
            size_t n = (size_t)(found - from) + mark_bytes;

            *text = from;
            c->start += n;
            return n;
        }
        if (!http_fill(c))
            return 0;
    }
}

/* Copy the value of a field of the head into out. Returns false when the head has none. */
static inline bool http_field(const struct http_request *r, const char *name, char *out,
                              size_t size)
{
    size_t name_bytes = strlen(name);
    const char *line = strstr(r->head, "\r\n");

    for (; line != NULL && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
        const char *field = line + 2;

        if (strncasecmp(field, name, name_bytes) == 0 && field[name_bytes] == ':') {
            const char *value = field + name_bytes + 1;

            value += strspn(value, " \t");
            snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
            return true;
        }
    }
    return false;
}

/* What the head says about the body and the connection. */
static inline void http_read_framing(struct http_request *r, bool is_http10)
{
    char value[128];

    r->keep_alive = !is_http10;
    if (http_field(r, "Connection", value, sizeof(value)))
        r->keep_alive = strcasestr(value, "close") == NULL &&
                        (!is_http10 || strcasestr(value, "keep-alive") != NULL);
    r->expects_continue =
        http_field(r, "Expect", value, sizeof(value)) && strcasecmp(value, "100-continue") == 0;
    r->is_chunked = http_field(r, "Transfer-Encoding", value, sizeof(value));
    if (!r->is_chunked && http_field(r, "Content-Length", value, sizeof(value)))
        r->left = strtoull(value, NULL, 10);
    r->body_ended = !r->is_chunked && r->left == 0;
}

/* Read the head of the next request. Returns false at the end, or if it is no HTTP/1. */
static inline bool http_read_head(struct http_conn *c, struct http_request *r)
{
    char version[16];
    const char *text;
    size_t n = http_take_until(c, "\r\n\r\n", &text);

    if (n == 0)
        return false;
    memset(r, 0, offsetof(struct http_request, head));
    memcpy(r->head, text, n);
    r->head[n] = '\0';
    if (sscanf(r->head, "%15s %2047s %15s", r->method, r->target, version) != 3)
        return false;
    http_read_framing(r, strcmp(version, "HTTP/1.0") == 0);
    return true;
}

/* Step to the next chunk; after the last one, over the trailers. Returns false when broken. */
static inline bool http_next_chunk(struct http_conn *c, struct http_request *r)
{
    const char *line;
    char *end;

    if (r->in_chunk && http_take_until(c, "\r\n", &line) != 2)
        return false;
    if (http_take_until(c, "\r\n", &line) == 0)
        return false;
    r->left = strtoull(line, &end, 16);
    if (end == line)
        return false;
    r->in_chunk = true;
    if (r->left > 0)
        return true;
    for (size_t n = 0; n != 2;) { /* trailers, up to an empty line */
        n = http_take_until(c, "\r\n", &line);
        if (n == 0)
            return false;
    }
    r->body_ended = true;
    return true;
}

/*
 * The next piece of the body: its length, with *data at it (valid until the next call); 0 at the
 * end of the body; -1 when the client left before it. The first call answers 100-continue.
 */
static inline ssize_t http_read_body(struct http_conn *c, struct http_request *r, const char **data)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    size_t n;

    if (r->expects_continue && !http_send_all(c->fd, go_on, sizeof(go_on) - 1))
        return -1;
    r->expects_continue = false;
    if (!r->body_ended && r->left == 0 && !http_next_chunk(c, r))
        return -1;
    if (r->body_ended)
        return 0;
    if (c->start == c->end && !http_fill(c))
        return -1;
    n = c->end - c->start;
    if (n > r->left)
        n = (size_t)r->left;
    *data = c->bytes + c->start;
    c->start += n;
    r->left -= n;
    r->bytes += n;
    if (r->left == 0 && !r->is_chunked)
        r->body_ended = true;
    return (ssize_t)n;
}

/* Read the body to its end and forget it. Returns false when the client left before the end. */
static inline bool http_skip_body(struct http_conn *c, struct http_request *r)
{
    const char *data;
    ssize_t n;

    do {
        n = http_read_body(c, r, &data);
    } while (n > 0);
    return n == 0;
}

static inline const char *http_reason(unsigned status)
{
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Content Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Other";
    }
}

/* Send the head of an answer of n bytes; with `body`, the body in the same call. */
static inline bool http_answer(struct http_conn *c, const struct http_request *r, unsigned status,
                               const char *type, const void *body, uint64_t n)
{
    char out[4096];
    int head = snprintf(out, sizeof(out),
                        "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n%s\r\n",
                        status, http_reason(status), type, (unsigned long long)n,
                        r->keep_alive ? "" : "Connection: close\r\n");
    size_t length = (size_t)head;

    if (strcmp(r->method, "HEAD") == 0 || body == NULL)
        return http_send_all(c->fd, out, length);
    if (n > sizeof(out) - length)
        return http_send_all(c->fd, out, length) && http_send_all(c->fd, body, (size_t)n);
    memcpy(out + length, body, (size_t)n);
    return http_send_all(c->fd, out, length + (size_t)n);
}

/* Answer with a line of text. */
static inline bool http_answer_text(struct http_conn *c, const struct http_request *r,
                                    unsigned status, const char *text)
{
    return http_answer(c, r, status, "text/plain", text, strlen(text));
}

/* Answer with n bytes: the alphabet, again and again. */
static inline bool http_answer_bytes(struct http_conn *c, const struct http_request *r, uint64_t n)
{
    char piece[26 * 1024];

    if (!http_answer(c, r, 200, "application/octet-stream", NULL, n))
        return false;
    if (strcmp(r->method, "HEAD") == 0)
        return true;
    for (size_t i = 0; i < sizeof(piece); i++)
        piece[i] = (char)('a' + i % 26);
    while (n > 0) {
        size_t part = n < sizeof(piece) ? (size_t)n : sizeof(piece);

        if (!http_send_all(c->fd, piece, part))
            return false;
        n -= part;
    }
    return true;
}

/* End the program with a message about a system call that failed. */
static inline _Noreturn void http_die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/* Listen on ADDRESS:PORT (IPv4; port 0 takes a free one) and print the line that says where. */
static inline int http_listen_tcp(const char *where)
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
    /* A server that was killed comes back on its port at once. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, HTTP_BACKLOG) < 0 || getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        http_die(where);
    printf("listening on %s:%u\n", host, ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* Listen on a socket file; one that a killed server left behind is replaced. */
static inline int http_listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path)) {
        fprintf(stderr, "%s: too long for the path of a socket\n", path);
        exit(2);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, HTTP_BACKLOG) < 0)
        http_die(path);
    printf("listening on unix@%s\n", path);
    fflush(stdout);
    return fd;
}

/* One thread of http_serve: what it listens on, and who serves a connection. */
struct http_listener {
    int fd;
    void (*serve)(struct http_conn *c);
};

struct http_job {
    struct http_conn *conn;
    void (*serve)(struct http_conn *c);
};

static inline void *http_run_job(void *argument)
{
    struct http_job job = *(struct http_job *)argument;

    free(argument);
    job.serve(job.conn);
    close(job.conn->fd);
    free(job.conn);
    return NULL;
}

static inline void http_start_job(int fd, void (*serve)(struct http_conn *c))
{
    struct http_job *job = malloc(sizeof(*job));
    struct http_conn *conn = malloc(sizeof(*conn));
    pthread_t thread;

    if (job == NULL || conn == NULL)
        http_die("malloc");
    conn->fd = fd;
    conn->start = 0;
    conn->end = 0;
    *job = (struct http_job){.conn = conn, .serve = serve};
    errno = pthread_create(&thread, NULL, http_run_job, job);
    if (errno != 0)
        http_die("pthread_create");
    pthread_detach(thread);
}

/* Accept for ever, a thread for each connection. */
static inline void *http_serve(void *argument)
{
    const struct http_listener *listener = argument;

    for (;;) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            http_start_job(fd, listener->serve);
        else if (errno != EINTR && errno != ECONNABORTED)
            http_die("accept");
    }
}

#endif

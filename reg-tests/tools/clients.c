/*
 * clients - clients of every kind at once, which notice everything: for what happens to a proxy
 * while it serves. Also the server behind it.
 *
 *     clients --listen 127.0.0.1:0 --front PLACE [--keep N] [--close N] [--pause MS] [--idle N]
 *             [--tunnels N] [--uploads N --bytes N --rate N]
 *
 * Prints "listening on ADDRESS:PORT" (the server), and, when all are connected to the proxy at
 * PLACE, a socket file or ADDRESS:PORT, "ready". Goes on until its standard input ends; then
 * uploads come to their end, and each connection that was to stay is used once more. The last line
 * has the figures, each a NAME=NUMBER.
 *
 *     keep, close   one request after the other, --pause after each, on one connection or each on
 *                   its own, for /own and /app in turn. An answer has status 200 and the same text in
 *                   its fields X-One and X-Two; that of /own in its body too. requests, mixed: fields
 *                   that differ; refused: connect(2) has failed; broken: anything else; versions:
 *                   changes of the text that one connection has seen
 *     idle          one request, and one at the end:      idle, idle_lost
 *     tunnels       upgraded, a byte each way every 50 ms: tunnels, tunnels_lost
 *     uploads       of --bytes at --rate bytes a second:   uploads, uploads_lost
 */
#include "examples/upload-demo/http_conn.h"

#include <getopt.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

#define WAIT_S          60
#define PIECES_A_SECOND 20

static const char *front;
static unsigned n_keep, n_close, n_idle, n_tunnels, n_uploads;
static long pause_ms;
static uint64_t upload_bytes = 1 << 20;
static uint64_t upload_rate = 1 << 20;

static atomic_bool is_over;
static atomic_ulong requests, mixed, refused, broken, versions;
static atomic_ulong idle_lost, tunnels_lost, uploads_lost;

/* --- the server --- */

static void echo(struct http_conn *c)
{
    static const char head[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                               "Upgrade: test/1\r\n\r\n";

    if (!http_send_all(c->fd, head, sizeof(head) - 1))
        return;
    while (c->start < c->end || http_fill(c)) {
        if (!http_send_all(c->fd, c->bytes + c->start, c->end - c->start))
            return;
        c->start = c->end;
    }
}

static void serve(struct http_conn *c)
{
    static _Thread_local struct http_request r;
    char text[32];

    while (http_read_head(c, &r)) {
        if (http_field(&r, "Upgrade", text, sizeof(text))) {
            echo(c);
            return;
        }
        if (!http_skip_body(c, &r))
            return;
        snprintf(text, sizeof(text), "%llu", (unsigned long long)r.bytes);
        if (!http_answer_text(c, &r, 200, text) || !r.keep_alive)
            return;
    }
}

/* --- one exchange --- */

union front_address {
    struct sockaddr any;
    struct sockaddr_un file;
    struct sockaddr_in ip;
};

static socklen_t front_address(union front_address *a)
{
    const char *colon = strrchr(front, ':');
    char host[64];

    memset(a, 0, sizeof(*a));
    if (front[0] == '/') {
        a->file.sun_family = AF_UNIX;
        snprintf(a->file.sun_path, sizeof(a->file.sun_path), "%s", front);
        return sizeof(a->file);
    }
    snprintf(host, sizeof(host), "%.*s", colon == NULL ? 0 : (int)(colon - front), front);
    a->ip.sin_family = AF_INET;
    if (inet_pton(AF_INET, host, &a->ip.sin_addr) != 1) {
        fprintf(stderr, "%s: neither a path nor an address such as 127.0.0.1:3000\n", front);
        exit(2);
    }
    a->ip.sin_port = htons((uint16_t)atoi(colon + 1));
    return sizeof(a->ip);
}

/* -1: it has been refused. */
static int connected(void)
{
    union front_address address;
    socklen_t length = front_address(&address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        http_die("socket");
    if (connect(fd, &address.any, length) == 0)
        return fd;
    close(fd);
    return -1;
}

static void connect_to_front(struct http_conn *c)
{
    struct timeval wait = {.tv_sec = WAIT_S};
    int on = 1;

    c->start = 0;
    c->end = 0;
    c->fd = connected();
    if (c->fd < 0) {
        atomic_fetch_add(&refused, 1);
        return;
    }
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* a socket file has none */
}

struct answer {
    unsigned status;
    bool keep_alive;
    char one[32];
    char two[32];
    char body[64];
};

static bool read_answer(struct http_conn *c, struct answer *a)
{
    static _Thread_local struct http_request r;
    const char *text;
    char length[32];
    size_t n = http_take_until(c, "\r\n\r\n", &text);
    size_t left;

    memset(a, 0, sizeof(*a));
    if (n == 0)
        return false;
    memcpy(r.head, text, n);
    r.head[n] = '\0';
    if (sscanf(r.head, "HTTP/1.1 %u", &a->status) != 1)
        return false;
    a->keep_alive =
        !http_field(&r, "Connection", length, sizeof(length)) || strcasecmp(length, "close") != 0;
    http_field(&r, "X-One", a->one, sizeof(a->one));
    http_field(&r, "X-Two", a->two, sizeof(a->two));
    left = http_field(&r, "Content-Length", length, sizeof(length)) ? strtoul(length, NULL, 10) : 0;
    if (left >= sizeof(a->body))
        return false;
    while (c->end - c->start < left)
        if (!http_fill(c))
            return false;
    memcpy(a->body, c->bytes + c->start, left);
    c->start += left;
    return true;
}

/* A request without a body, and its answer. */
static bool ask(struct http_conn *c, const char *path, bool keeps, struct answer *a)
{
    char text[256];
    int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: holdfast\r\n%s\r\n", path,
                     keeps ? "" : "Connection: close\r\n");

    return http_send_all(c->fd, text, (size_t)n) && read_answer(c, a);
}

/* --- requests without end --- */

static bool is_mixed(const struct answer *a, bool is_own)
{
    return strcmp(a->one, a->two) != 0 || a->one[0] == '\0' ||
           (is_own && strcmp(a->one, a->body) != 0);
}

static void one_request(struct http_conn *c, bool keeps, bool is_own, char last[32])
{
    struct answer a;

    if (c->fd < 0)
        connect_to_front(c);
    if (c->fd < 0)
        return;
    if (!ask(c, is_own ? "/own" : "/app", keeps, &a) || a.status != 200) {
        atomic_fetch_add(&broken, 1);
        a.keep_alive = false;
    } else {
        atomic_fetch_add(&requests, 1);
        if (is_mixed(&a, is_own))
            atomic_fetch_add(&mixed, 1);
        if (last[0] != '\0' && strcmp(last, a.one) != 0)
            atomic_fetch_add(&versions, 1);
        snprintf(last, 32, "%s", a.one);
        if (keeps && !a.keep_alive) /* nobody has asked for that */
            atomic_fetch_add(&broken, 1);
    }
    if (keeps && a.keep_alive)
        return;
    close(c->fd);
    c->fd = -1;
    last[0] = '\0';
}

static void sleep_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static void *request_thread(void *keeps)
{
    struct http_conn *c = malloc(sizeof(*c));
    char last[32] = "";

    if (c == NULL)
        http_die("malloc");
    c->fd = -1;
    for (bool is_own = true; !atomic_load(&is_over); is_own = !is_own) {
        one_request(c, keeps != NULL, is_own, last);
        if (pause_ms > 0)
            sleep_ms(pause_ms);
    }
    if (c->fd >= 0)
        close(c->fd);
    free(c);
    return NULL;
}

/* --- connections that stay --- */

static struct http_conn *open_conns(unsigned n)
{
    struct http_conn *conns = calloc(n == 0 ? 1 : n, sizeof(*conns));

    if (conns == NULL)
        http_die("calloc");
    for (unsigned i = 0; i < n; i++)
        connect_to_front(&conns[i]);
    return conns;
}

static void close_conns(struct http_conn *conns, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (conns[i].fd >= 0)
            close(conns[i].fd);
    free(conns);
}

static void use_idle(struct http_conn *conns)
{
    struct answer a;

    for (unsigned i = 0; i < n_idle; i++)
        if (conns[i].fd < 0 || !ask(&conns[i], "/own", true, &a) || a.status != 200 ||
            !a.keep_alive)
            atomic_fetch_add(&idle_lost, 1);
}

static bool upgrade(struct http_conn *c)
{
    static const char head[] = "GET /app HTTP/1.1\r\nHost: holdfast\r\nConnection: upgrade\r\n"
                               "Upgrade: test/1\r\n\r\n";
    struct answer a;

    return c->fd >= 0 && http_send_all(c->fd, head, sizeof(head) - 1) && read_answer(c, &a) &&
           a.status == 101;
}

/* A byte there and back. */
static bool ping(struct http_conn *c, char byte)
{
    return http_send_all(c->fd, &byte, 1) && (c->start < c->end || http_fill(c)) &&
           c->bytes[c->start++] == byte;
}

static void *tunnels_thread(void *argument)
{
    struct http_conn *conns = argument;
    bool is_last = false;

    for (char byte = 'a'; !is_last; byte = byte == 'z' ? 'a' : (char)(byte + 1)) {
        is_last = atomic_load(&is_over); /* then once more */
        for (unsigned i = 0; i < n_tunnels; i++)
            if (conns[i].fd >= 0 && !ping(&conns[i], byte)) {
                atomic_fetch_add(&tunnels_lost, 1);
                close(conns[i].fd);
                conns[i].fd = -1;
            }
        sleep_ms(50);
    }
    return NULL;
}

static void open_tunnels(struct http_conn *conns)
{
    for (unsigned i = 0; i < n_tunnels; i++)
        if (!upgrade(&conns[i])) {
            atomic_fetch_add(&tunnels_lost, 1);
            if (conns[i].fd >= 0)
                close(conns[i].fd);
            conns[i].fd = -1;
        }
}

static bool upload(struct http_conn *c)
{
    size_t piece = (size_t)(upload_rate / PIECES_A_SECOND + 1);
    char *bytes = calloc(1, piece);
    char text[256];
    struct answer a;
    bool ok = bytes != NULL;
    int n = snprintf(text, sizeof(text),
                     "PUT /app HTTP/1.1\r\nHost: holdfast\r\nContent-Length: %llu\r\n\r\n",
                     (unsigned long long)upload_bytes);

    ok = ok && c->fd >= 0 && http_send_all(c->fd, text, (size_t)n);
    for (uint64_t left = upload_bytes; ok && left > 0;) {
        size_t part = left < piece ? (size_t)left : piece;

        ok = http_send_all(c->fd, bytes, part);
        left -= part;
        sleep_ms(1000 / PIECES_A_SECOND);
    }
    free(bytes);
    return ok && read_answer(c, &a) && a.status == 200 &&
           strtoull(a.body, NULL, 10) == upload_bytes;
}

static void *upload_thread(void *argument)
{
    if (!upload(argument))
        atomic_fetch_add(&uploads_lost, 1);
    return NULL;
}

/* --- all of it --- */

static pthread_t start(void *(*run)(void *argument), void *argument)
{
    pthread_t thread;

    errno = pthread_create(&thread, NULL, run, argument);
    if (errno != 0)
        http_die("pthread_create");
    return thread;
}

static void *server_thread(void *listener)
{
    return http_serve(listener);
}

static void run(void)
{
    pthread_t *threads = calloc(n_keep + n_close + n_uploads + 1, sizeof(*threads));
    struct http_conn *idle = open_conns(n_idle);
    struct http_conn *tunnels = open_conns(n_tunnels);
    struct http_conn *uploads = open_conns(n_uploads);
    unsigned n = 0;
    char byte;

    if (threads == NULL)
        http_die("calloc");
    use_idle(idle);
    open_tunnels(tunnels);
    threads[n++] = start(tunnels_thread, tunnels);
    for (unsigned i = 0; i < n_uploads; i++)
        threads[n++] = start(upload_thread, &uploads[i]);
    for (unsigned i = 0; i < n_keep + n_close; i++)
        threads[n++] = start(request_thread, i < n_keep ? &is_over : NULL);
    puts("ready");
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    use_idle(idle);
    close_conns(idle, n_idle);
    close_conns(tunnels, n_tunnels);
    close_conns(uploads, n_uploads);
    free(threads);
    printf("requests=%lu mixed=%lu refused=%lu broken=%lu versions=%lu idle=%u idle_lost=%lu "
           "tunnels=%u tunnels_lost=%lu uploads=%u uploads_lost=%lu\n",
           atomic_load(&requests), atomic_load(&mixed), atomic_load(&refused), atomic_load(&broken),
           atomic_load(&versions), n_idle, atomic_load(&idle_lost), n_tunnels,
           atomic_load(&tunnels_lost), n_uploads, atomic_load(&uploads_lost));
}

static void wait_for_front(void)
{
    int fd = connected();

    for (int i = 0; i < WAIT_S * 100 && fd < 0; i++) {
        sleep_ms(10);
        fd = connected();
    }
    if (fd >= 0)
        close(fd);
}

static _Noreturn void usage(void)
{
    fputs("usage: clients --listen ADDRESS:PORT --front PLACE [--keep N] [--close N] [--idle N]\n"
          "               [--tunnels N] [--uploads N --bytes N --rate N]\n",
          stderr);
    exit(2);
}

static unsigned number(void)
{
    return (unsigned)strtoul(optarg, NULL, 10);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen",  required_argument, NULL, 'l'},
        {"front",   required_argument, NULL, 'f'},
        {"keep",    required_argument, NULL, 'k'},
        {"close",   required_argument, NULL, 'c'},
        {"idle",    required_argument, NULL, 'i'},
        {"tunnels", required_argument, NULL, 't'},
        {"uploads", required_argument, NULL, 'u'},
        {"bytes",   required_argument, NULL, 'n'},
        {"rate",    required_argument, NULL, 'r'},
        {"pause",   required_argument, NULL, 'p'},
        {NULL,      0,                 NULL, 0  },
    };
    static struct http_listener listener = {.serve = serve};
    const char *where = NULL;
    struct rlimit files;
    int option;

    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'l': where = optarg; break;
        case 'f': front = optarg; break;
        case 'k': n_keep = number(); break;
        case 'c': n_close = number(); break;
        case 'i': n_idle = number(); break;
        case 't': n_tunnels = number(); break;
        case 'u': n_uploads = number(); break;
        case 'n': upload_bytes = strtoull(optarg, NULL, 10); break;
        case 'p': pause_ms = (long)number(); break;
        case 'r': upload_rate = strtoull(optarg, NULL, 10); break;
        default: usage();
        }
    }
    if (where == NULL || front == NULL || optind < argc)
        usage();
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    listener.fd = http_listen_tcp(where);
    start(server_thread, &listener);
    wait_for_front();
    run();
    return 0;
}

/*
 * replay_property - is a request ever sent twice where `replay` forbids it?
 *
 *     replay_property HOLDFAST [--requests N] [--seed S] [--max-body BYTES]
 *
 * Starts HOLDFAST in front of servers of its own and sends it N random requests: methods, sizes,
 * lengths and chunks, every way of buffering, every `replay`, fresh and kept connections, clients
 * that leave. The servers fail at random points (before they read, after the head, after k bytes of
 * the body, after all of it, within the answer) by a FIN, a reset or silence, and some read on long
 * after the proxy has given them up. What each request met is counted, and must obey:
 *
 *   safe   a request of a method that is not idempotent, without an Idempotency-Key, which a server
 *          has read whole, is not seen by any server again;
 *   never  no server sees a request that another has seen;
 *   all    no more attempts than `retry` and one free one for a stale connection; no body is taken
 *          for whole that is not, byte for byte, what the client has sent to its end; each client
 *          has exactly one answer, whole and its own, or sees that it is broken.
 *
 * What a request is and how the servers fail follows from the seed, which is printed; when things
 * happen does not. Exit status 0: all kept, 1: a rule was broken (each is printed).
 */
#include "examples/upload-demo/http_conn.h"

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define N_CLIENTS         8
#define N_PLANS           6 /* of attempts that may fail; the one after them goes well */
#define RETRY_ATTEMPTS    4
#define SERVER_TIMEOUT_MS 300
#define LATE_MS           700 /* when a server reads on that has been given up */
#define CLIENT_WAIT_MS    20000
#define ANSWER_MAX        200000
/* So much of an early answer has left before a close with bytes unread resets the connection; one
 * that the end of the connection ends is cut by that reset. */
#define SURELY_SENT 16384

enum where {
    AT_ACCEPT, /* a connection is closed before a byte of it is read */
    AT_HEAD,
    IN_BODY,
    AT_LATE, /* reads on after a while: does it still get what it was not to have? */
    AFTER_BODY,
    IN_ANSWER,
    EARLY, /* 401 before the body is read */
    WELL,
};

enum how { BY_FIN, BY_RESET, BY_SILENCE, BY_SHUTDOWN };

enum framing { LENGTH, CHUNKED, UNTIL_CLOSE };

static const char *const methods[] = {"GET", "DELETE", "PUT", "POST", "PATCH", "FROB"};
#define N_METHODS            6
#define FIRST_WITH_BODY      2
#define FIRST_NOT_REPEATABLE 3
static const char *const modes[] = {"hold", "tee", "stream", "auto"};
static const char *const replays[] = {"safe", "never", "always"};
enum replay { SAFE, NEVER, ALWAYS };
static const char *const backends[] = {"tcp", "two", "unix"};
#define UNIX 2

struct plan {
    enum where where;
    enum how how;
    size_t at;
};

/* One request: what it is (written before it is sent), and what came of it (under `lock`). */
struct request {
    unsigned id;
    unsigned method;
    unsigned mode;
    enum replay replay;
    unsigned backend;
    bool has_key;
    bool is_chunked;
    bool is_fresh;
    size_t n;        /* bytes of the body */
    size_t leave_at; /* the client leaves after so many of them; SIZE_MAX: it stays */
    struct plan plans[N_PLANS];
    enum framing answer_framing;
    size_t answer_n;

    pthread_mutex_t lock;
    unsigned n_seen;
    unsigned n_whole;
    unsigned n_seen_after_whole;
    unsigned n_early;
    unsigned n_wrong;
};

static struct request *requests;
static unsigned n_requests = 400;
static uint64_t seed;
static size_t max_body = 3000000;
static char work[64];
static atomic_uint next_request;
static atomic_uint n_faults;
static atomic_uint n_answered;
static atomic_uint n_refused;
static atomic_uint n_broken;
static atomic_int n_serving;
static atomic_int n_to_drop; /* connections to close as soon as they are accepted */
static pid_t proxy;

/* --- chance --- */

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t n)
{
    return n == 0 ? 0 : (size_t)(draw(state) % n);
}

static bool in_percent(uint64_t *state, unsigned percent)
{
    return below(state, 100) < percent;
}

/* Small ones often, large ones too: each power of two is as likely as the next. */
static size_t draw_size(uint64_t *state, size_t most)
{
    size_t bits = 1;

    while (bits < 63 && ((size_t)1 << bits) < most)
        bits++;
    most = most < ((size_t)1 << bits) ? most : (size_t)1 << bits;
    return below(state, ((size_t)1 << below(state, bits + 1)) + 1) % (most + 1);
}

static void draw_plan(uint64_t *state, const struct request *q, struct plan *p)
{
    static const enum where wheres[] = {
        AT_ACCEPT, AT_HEAD, IN_BODY, IN_BODY, IN_BODY, AFTER_BODY, AFTER_BODY, IN_ANSWER,
        IN_ANSWER, EARLY,   WELL,    WELL,    WELL,    WELL,       AT_LATE,    AT_LATE};

    p->where = wheres[below(state, sizeof(wheres) / sizeof(wheres[0]))];
    p->how = in_percent(state, 7) ? BY_SILENCE
                                  : (enum how[]){BY_FIN, BY_RESET, BY_SHUTDOWN}[below(state, 3)];
    p->at = below(state, (p->where == IN_ANSWER ? q->answer_n : q->n) + 1);
}

static void draw_request(struct request *q, unsigned id)
{
    uint64_t state = seed * 0x2545f4914f6cdd1du + id;

    q->id = id;
    pthread_mutex_init(&q->lock, NULL);
    q->method = (unsigned)below(&state, N_METHODS);
    q->mode = (unsigned)below(&state, 4);
    q->replay = in_percent(&state, 70) ? SAFE : in_percent(&state, 50) ? NEVER : ALWAYS;
    q->backend = (unsigned)below(&state, 3);
    q->has_key = in_percent(&state, 15);
    q->is_chunked = in_percent(&state, 50);
    q->is_fresh = in_percent(&state, 40);
    q->n = q->method < FIRST_WITH_BODY ? 0
           : in_percent(&state, 25)    ? below(&state, max_body)
                                       : draw_size(&state, max_body);
    q->leave_at = q->n > 1 && in_percent(&state, 8) ? below(&state, q->n - 1) : SIZE_MAX;
    q->answer_framing = (enum framing)below(&state, 3);
    q->answer_n = draw_size(&state, ANSWER_MAX);
    for (size_t i = 0; i < N_PLANS; i++)
        draw_plan(&state, q, &q->plans[i]);
}

/* Byte i of what belongs to request `id`: no two requests and no two parts of one are alike. */
static char byte_of(unsigned id, size_t i)
{
    return (char)((i * 2654435761u + (i >> 9) * 40503u + id * 2246822519u) >> 11);
}

static bool is_pattern(unsigned id, size_t from, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != byte_of(id, from + i))
            return false;
    return true;
}

__attribute__((format(printf, 2, 3))) static void fault(const struct request *q, const char *format,
                                                        ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    atomic_fetch_add(&n_faults, 1U);
    printf("request %u (%s, %zu bytes%s, %s, replay %s, backend %s%s%s): %s\n", q->id,
           methods[q->method], q->n, q->is_chunked ? " in chunks" : "", modes[q->mode],
           replays[q->replay], backends[q->backend], q->has_key ? ", with a key" : "",
           q->leave_at != SIZE_MAX ? ", client leaves" : "", text);
    printf("    answer of %zu bytes, framing %d\n", q->answer_n, (int)q->answer_framing);
    for (unsigned i = 0; i < q->n_seen && i < N_PLANS; i++)
        printf("    attempt %u: where %d, how %d, at %zu\n", i + 1, (int)q->plans[i].where,
               (int)q->plans[i].how, q->plans[i].at);
}

static void sleep_ms(long ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&wait, NULL);
}

/* --- servers --- */

static void reset_on_close(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* End the connection in the way that the plan wants; the caller closes it. */
static void break_connection(int fd, enum how how)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    switch (how) {
    case BY_FIN: break;
    case BY_RESET: reset_on_close(fd); break;
    case BY_SILENCE: poll(&p, 1, 10 * SERVER_TIMEOUT_MS); break;
    case BY_SHUTDOWN:
        shutdown(fd, SHUT_WR);
        sleep_ms(20);
        break;
    }
}

static void note_whole(struct request *q, bool is_right)
{
    pthread_mutex_lock(&q->lock);
    q->n_whole++;
    if (!is_right)
        q->n_wrong++;
    pthread_mutex_unlock(&q->lock);
}

/* Read up to `limit` bytes of the body. False: it broke. At its end it has been delivered. */
static bool read_part(struct http_conn *c, struct http_request *r, struct request *q, size_t limit)
{
    bool is_right = true;
    const char *data;

    while (r->bytes < limit || limit == SIZE_MAX) {
        ssize_t n = http_read_body(c, r, &data);

        if (n < 0)
            return false;
        if (n == 0) {
            note_whole(q, is_right && r->bytes == q->n);
            return true;
        }
        is_right = is_right && is_pattern(q->id, (size_t)(r->bytes - (uint64_t)n), data, (size_t)n);
    }
    return true;
}

/* Send the first n bytes of the answer's content, each piece as a chunk where it is chunked. */
static bool send_content(int fd, const struct request *q, size_t n)
{
    char piece[8192 + 16];
    char head[16];

    for (size_t at = 0; at < n;) {
        size_t part = n - at < 8192 ? n - at : 8192;
        int head_n = snprintf(head, sizeof(head), "%zx\r\n", part);

        for (size_t i = 0; i < part; i++)
            piece[i] = byte_of(q->id, at + i);
        if (q->answer_framing == CHUNKED && !http_send_all(fd, head, (size_t)head_n))
            return false;
        memcpy(piece + part, "\r\n", 2);
        if (!http_send_all(fd, piece, part + (q->answer_framing == CHUNKED ? 2 : 0)))
            return false;
        at += part;
    }
    return true;
}

/* Answer with `n` of the answer_n bytes. True: whole, and the connection goes on. */
static bool answer(int fd, const struct request *q, size_t n, unsigned status)
{
    char length[64] = "Connection: close\r\n";
    char head[512];
    int head_n;

    if (q->answer_framing == LENGTH)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", q->answer_n);
    else if (q->answer_framing == CHUNKED)
        snprintf(length, sizeof(length), "Transfer-Encoding: chunked\r\n");
    head_n = snprintf(head, sizeof(head), "HTTP/1.1 %u Fine\r\nX-Id: %u\r\nX-Size: %zu\r\n%s\r\n",
                      status, q->id, q->answer_n, length);
    if (!http_send_all(fd, head, (size_t)head_n) || !send_content(fd, q, n) || n < q->answer_n)
        return false;
    if (q->answer_framing == CHUNKED)
        return http_send_all(fd, "0\r\n\r\n", 5);
    return q->answer_framing == LENGTH;
}

static const struct plan *note_seen(struct request *q)
{
    static const struct plan well = {.where = WELL, .how = BY_SILENCE};
    unsigned attempt;

    pthread_mutex_lock(&q->lock);
    attempt = q->n_seen++;
    if (q->n_whole > 0)
        q->n_seen_after_whole++;
    if (attempt < N_PLANS && q->plans[attempt].where == EARLY)
        q->n_early++;
    pthread_mutex_unlock(&q->lock);
    return attempt < N_PLANS ? &q->plans[attempt] : &well;
}

/*
 * An answer that only the end of the connection ends is cut by a reset, which alone is seen as
 * such; a unix socket has none.
 */
static void break_answer(int fd, const struct request *q, enum how how)
{
    if (q->answer_framing == UNTIL_CLOSE)
        how = how == BY_SILENCE || q->backend == UNIX ? BY_SILENCE : BY_RESET;
    break_connection(fd, how);
}

/* Returns whether the connection goes on. */
static bool serve_request(struct http_conn *c, struct http_request *r, struct request *q)
{
    const struct plan *p = note_seen(q);

    if (r->body_ended)
        note_whole(q, q->n == 0);
    switch (p->where) {
    case AT_ACCEPT:
    case AT_HEAD: break_connection(c->fd, p->how); return false;
    case IN_BODY:
        if (!r->body_ended && read_part(c, r, q, p->at))
            break_connection(c->fd, p->how);
        return false;
    case EARLY:
        return answer(c->fd, q, q->answer_n, 401) && p->how != BY_FIN &&
               (r->body_ended || read_part(c, r, q, SIZE_MAX));
    case AT_LATE: sleep_ms(LATE_MS); break;
    case AFTER_BODY:
    case IN_ANSWER:
    case WELL: break;
    }
    if (!r->body_ended && !read_part(c, r, q, SIZE_MAX))
        return false;
    if (p->where == AFTER_BODY) {
        break_connection(c->fd, p->how);
        return false;
    }
    if (p->where == IN_ANSWER && p->at < q->answer_n) {
        answer(c->fd, q, p->at, 200);
        break_answer(c->fd, q, p->how);
        return false;
    }
    /* A connection that ends unannounced behind its answer is met by the next request. */
    return answer(c->fd, q, q->answer_n, 200) && p->how != BY_FIN;
}

static void serve(struct http_conn *c)
{
    struct http_request *r = malloc(sizeof(*r));
    bool goes_on = r != NULL;

    if (atomic_fetch_sub(&n_to_drop, 1) > 0) {
        if (c->fd % 2 == 0)
            reset_on_close(c->fd);
        goes_on = false;
    } else {
        atomic_fetch_add(&n_to_drop, 1);
    }
    while (goes_on && http_read_head(c, r)) {
        char id[32];

        if (!http_field(r, "X-Id", id, sizeof(id)) || strtoul(id, NULL, 10) >= n_requests)
            break;
        atomic_fetch_add(&n_serving, 1);
        goes_on = serve_request(c, r, &requests[strtoul(id, NULL, 10)]);
        atomic_fetch_sub(&n_serving, 1);
    }
    free(r);
}

/* --- clients --- */

struct client {
    int fd;
    char *in; /* what has come of the answer */
    size_t in_n;
    size_t in_room;
    char *out;
    size_t out_n;
    size_t out_sent;
    size_t leave_at; /* in bytes of out; SIZE_MAX: never */
    bool has_ended;
};

/* What a client makes of the bytes so far. */
struct verdict {
    unsigned status;
    bool is_whole;
    bool has_id;
    bool closes;
    size_t n; /* bytes of the answer with its head */
};

static void put(struct client *c, const void *p, size_t n)
{
    memcpy(c->out + c->out_n, p, n);
    c->out_n += n;
}

static void put_text(struct client *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put_text(struct client *c, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    c->out_n += (size_t)vsprintf(c->out + c->out_n, format, arguments);
    va_end(arguments);
}

static void put_body(struct client *c, const struct request *q)
{
    uint64_t state = q->id;
    size_t at = 0;

    while (at < q->n) {
        size_t part = q->is_chunked ? 1 + below(&state, 1 + below(&state, 100000)) : q->n;

        part = part < q->n - at ? part : q->n - at;
        if (q->is_chunked)
            put_text(c, "%zx\r\n", part);
        for (size_t i = 0; i < part; i++)
            c->out[c->out_n++] = byte_of(q->id, at + i);
        at += part;
        if (q->is_chunked)
            put(c, "\r\n", 2);
        if (at >= q->leave_at && c->leave_at == SIZE_MAX && at < q->n)
            c->leave_at = c->out_n;
    }
    if (q->is_chunked)
        put(c, "0\r\n\r\n", 5);
}

static void put_request(struct client *c, const struct request *q)
{
    size_t head_n;

    /* The smallest chunks are the dearest: a byte of content may take seven. */
    c->out = malloc(1024 + q->n * 8);
    if (c->out == NULL)
        http_die("malloc");
    c->out_n = 0;
    c->out_sent = 0;
    c->leave_at = SIZE_MAX;
    put_text(c, "%s /%s/%s/%s/%u HTTP/1.1\r\nHost: test\r\nX-Id: %u\r\n", methods[q->method],
             modes[q->mode], replays[q->replay], backends[q->backend], q->id, q->id);
    if (q->has_key)
        put_text(c, "Idempotency-Key: \"%u\"\r\n", q->id);
    if (q->method < FIRST_WITH_BODY) {
        put_text(c, "\r\n");
        return;
    }
    if (q->is_chunked)
        put_text(c, "Transfer-Encoding: chunked\r\n\r\n");
    else
        put_text(c, "Content-Length: %zu\r\n\r\n", q->n);
    head_n = c->out_n;
    put_body(c, q);
    if (q->leave_at != SIZE_MAX && c->leave_at == SIZE_MAX)
        c->leave_at = head_n + (q->is_chunked ? 0 : q->leave_at);
}

static void hang_up(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void connect_client(struct client *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    hang_up(c);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/front.sock", work);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        http_die(address.sun_path);
}

/* The value of a field in the head that ends at `end`; NULL: none. */
static const char *field_in(const char *head, const char *end, const char *name)
{
    size_t n = strlen(name);

    for (const char *line = head; (line = memmem(line, (size_t)(end - line), "\r\n", 2)) != NULL;
         line++)
        if ((size_t)(end - line) > n + 3 && strncasecmp(line + 2, name, n) == 0 &&
            line[2 + n] == ':')
            return line + 3 + n + strspn(line + 3 + n, " ");
    return NULL;
}

/* Go over the chunks from `at`, and check that they are request q's. True: up to the end. */
static bool read_chunks(const struct request *q, struct client *c, size_t at, struct verdict *v)
{
    size_t content = 0;

    for (;;) {
        const char *line = c->in + at;
        const char *end = memmem(line, c->in_n - at, "\r\n", 2);
        size_t n;

        if (end == NULL)
            return false;
        n = strtoul(line, NULL, 16);
        at = (size_t)(end - c->in) + 2;
        if (c->in_n < at + n + 2)
            return false;
        v->n = at + n + 2;
        if (v->has_id && !is_pattern(q->id, content, c->in + at, n))
            fault(q, "the answer's content is not what the server sent");
        content += n;
        at += n + 2;
        if (n == 0)
            break;
    }
    if (v->has_id && content != q->answer_n)
        fault(q, "an answer of %zu bytes ends as whole after %zu", q->answer_n, content);
    return true;
}

static bool read_plain(const struct request *q, struct client *c, size_t at, size_t n,
                       struct verdict *v)
{
    if (c->in_n < at + n)
        return false;
    v->n = at + n;
    if (v->has_id && (n != q->answer_n || !is_pattern(q->id, 0, c->in + at, n)))
        fault(q, "an answer of %zu bytes came as %zu, or others", q->answer_n, n);
    return true;
}

/* What the bytes so far amount to. Interim responses are cut out. */
static void judge(const struct request *q, struct client *c, struct verdict *v)
{
    const char *end;
    const char *value;
    size_t at;

    *v = (struct verdict){.status = 0};
    for (;;) {
        end = memmem(c->in, c->in_n, "\r\n\r\n", 4);
        if (end == NULL)
            return;
        at = (size_t)(end - c->in) + 4;
        end += 2;
        if (strncmp(c->in, "HTTP/1.1 1", 10) != 0)
            break;
        memmove(c->in, c->in + at, c->in_n - at);
        c->in_n -= at;
    }
    v->status = (unsigned)strtoul(c->in + 9, NULL, 10);
    value = field_in(c->in, end, "X-Id");
    v->has_id = value != NULL;
    if (value != NULL && strtoul(value, NULL, 10) != q->id)
        fault(q, "has the answer to request %lu", strtoul(value, NULL, 10));
    value = field_in(c->in, end, "Connection");
    v->closes = value != NULL && strncmp(value, "close", 5) == 0;
    if (field_in(c->in, end, "Transfer-Encoding") != NULL)
        v->is_whole = read_chunks(q, c, at, v);
    else if ((value = field_in(c->in, end, "Content-Length")) != NULL)
        v->is_whole = read_plain(q, c, at, strtoul(value, NULL, 10), v);
    else if (c->has_ended)
        v->is_whole = read_plain(q, c, at, c->in_n - at, v);
}

static void receive(struct client *c)
{
    ssize_t got;

    if (c->in_room - c->in_n < 65536) {
        c->in_room = c->in_room * 2 + 131072;
        c->in = realloc(c->in, c->in_room);
        if (c->in == NULL)
            http_die("realloc");
    }
    got = recv(c->fd, c->in + c->in_n, c->in_room - c->in_n, MSG_DONTWAIT);
    if (got > 0)
        c->in_n += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        c->has_ended = true;
}

static void send_some(struct client *c)
{
    size_t end = c->leave_at < c->out_n ? c->leave_at : c->out_n;
    ssize_t sent =
        send(c->fd, c->out + c->out_sent, end - c->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent > 0)
        c->out_sent += (size_t)sent;
    else if (errno != EAGAIN && errno != EINTR)
        c->out_sent = c->out_n; /* what has been answered is still there to be read */
}

/* Send the request and read until its answer is whole, or it ends. False: the client has left. */
static bool exchange(const struct request *q, struct client *c, struct verdict *v)
{
    struct pollfd p = {.fd = c->fd};

    c->in_n = 0;
    c->has_ended = false;
    for (;;) {
        if (c->leave_at != SIZE_MAX && c->out_sent >= c->leave_at)
            return false;
        p.events = (short)(POLLIN | (c->out_sent < c->out_n ? POLLOUT : 0));
        if (poll(&p, 1, CLIENT_WAIT_MS) == 0) {
            fault(q, "no answer within %d ms", CLIENT_WAIT_MS);
            c->has_ended = true;
            v->status = 1;
            return true;
        }
        if (p.revents & POLLOUT)
            send_some(c);
        if (!(p.revents & (POLLIN | POLLHUP | POLLERR)))
            continue;
        receive(c);
        judge(q, c, v);
        if (v->is_whole || c->has_ended)
            return true;
    }
}

/* Exactly one answer: whole, or visibly broken where a server broke off in its own. */
static void check_answer(struct request *q, const struct client *c, const struct verdict *v)
{
    bool may_break = false;
    bool is_delivered;

    for (size_t i = 0; i < N_PLANS; i++)
        may_break |= q->plans[i].where == IN_ANSWER ||
                     (q->plans[i].where == EARLY &&
                      (q->answer_n > SURELY_SENT || q->answer_framing == UNTIL_CLOSE));
    pthread_mutex_lock(&q->lock);
    is_delivered = q->n_whole > 0 || q->n_early > 0;
    pthread_mutex_unlock(&q->lock);
    if (!v->is_whole) {
        atomic_fetch_add(&n_broken, 1U);
        if (v->status == 0)
            fault(q, "no answer at all, %zu bytes of %zu sent", c->out_sent, c->out_n);
        else if (!may_break)
            fault(q, "an answer with status %u is broken", v->status);
        return;
    }
    if (c->in_n > v->n)
        fault(q, "%zu bytes behind the answer", c->in_n - v->n);
    if (!v->has_id) {
        atomic_fetch_add(&n_refused, 1U);
        if (v->status < 502 || v->status > 504)
            fault(q, "the proxy says %u", v->status);
        return;
    }
    atomic_fetch_add(&n_answered, 1U);
    if (!is_delivered)
        fault(q, "status %u, and no server has had it", v->status);
}

static void run_request(struct client *c, struct request *q)
{
    struct verdict v = {.status = 0};
    struct pollfd p;

    for (size_t i = 0; i < N_PLANS; i++)
        if (q->plans[i].where == AT_ACCEPT && i == 0)
            atomic_fetch_add(&n_to_drop, 1);
    p = (struct pollfd){.fd = c->fd, .events = POLLIN};
    if (c->fd < 0 || q->is_fresh || poll(&p, 1, 0) != 0)
        connect_client(c);
    put_request(c, q);
    if (!exchange(q, c, &v)) {
        if (q->id % 2 == 0)
            reset_on_close(c->fd);
        hang_up(c);
    } else {
        check_answer(q, c, &v);
        /* An answer before the end of the request: the rest of it is not worth the wait. */
        if (!v.is_whole || v.closes || c->has_ended || c->out_sent < c->out_n)
            hang_up(c);
    }
    free(c->out);
}

static void *run_client(void *unused)
{
    struct client c = {.fd = -1};
    unsigned id;

    while ((id = atomic_fetch_add(&next_request, 1U)) < n_requests)
        run_request(&c, &requests[id]);
    hang_up(&c);
    free(c.in);
    return unused;
}

/* --- the proxy --- */

static void write_routes(FILE *f)
{
    for (size_t m = 0; m < 4; m++)
        for (size_t r = 0; r < 3; r++)
            for (size_t b = 0; b < 3; b++)
                fprintf(f,
                        "    route %s-%s-%s when path under /%s/%s/%s {\n"
                        "        request-buffering %s\n        replay %s\n        use-backend %s\n "
                        "   }\n",
                        modes[m], replays[r], backends[b], modes[m], replays[r], backends[b],
                        modes[m], replays[r], backends[b]);
}

static void write_config(const char *path, const unsigned *ports)
{
    FILE *f = fopen(path, "w");

    if (f == NULL)
        http_die(path);
    fprintf(f,
            "spool main { path %s/spool }\nfrontend www {\n    bind unix@%s/front.sock\n    hold "
            "4s all\n"
            "    retry %d on reset empty-response timeout\n    timeout server-read %dms\n"
            "    timeout server-write %dms\n    timeout server-think %dms\n",
            work, work, RETRY_ATTEMPTS, SERVER_TIMEOUT_MS, SERVER_TIMEOUT_MS, SERVER_TIMEOUT_MS);
    write_routes(f);
    fprintf(f,
            "}\nbackend tcp { server a 127.0.0.1:%u }\n"
            "backend two {\n    server a 127.0.0.1:%u\n    server b 127.0.0.1:%u\n}\n"
            "backend unix { server u unix@%s/server.sock }\n",
            ports[0], ports[0], ports[1], work);
    fclose(f);
}

/* Start a listener on a free port, and its threads. Returns the port. */
static unsigned start_server(struct http_listener *l, const char *unix_path)
{
    struct sockaddr_in address;
    socklen_t n = sizeof(address);
    pthread_t thread;

    l->fd = unix_path != NULL ? http_listen_unix(unix_path) : http_listen_tcp("127.0.0.1:0");
    l->serve = serve;
    if (pthread_create(&thread, NULL, http_serve, l) != 0)
        http_die("pthread_create");
    pthread_detach(thread);
    if (unix_path != NULL || getsockname(l->fd, (struct sockaddr *)&address, &n) != 0)
        return 0;
    return ntohs(address.sin_port);
}

static void start_proxy(const char *program, const char *config)
{
    char path[sizeof(work) + 16];
    struct stat is_there;

    proxy = fork();
    if (proxy < 0)
        http_die("fork");
    if (proxy == 0) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int log;

        snprintf(path, sizeof(path), "%s/log", work);
        log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (null >= 0 && log >= 0 && dup2(null, 0) == 0 && dup2(log, 2) == 2)
            execl(program, program, "-f", config, (char *)NULL);
        _exit(127);
    }
    snprintf(path, sizeof(path), "%s/front.sock", work);
    for (int i = 0; i < 1000 && stat(path, &is_there) != 0; i++)
        sleep_ms(10);
}

static void stop_proxy(void)
{
    int status = -1;

    kill(proxy, SIGTERM);
    if (waitpid(proxy, &status, 0) != proxy || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        printf("the proxy ended with status %#x\n", (unsigned)status);
        atomic_fetch_add(&n_faults, 1U);
    }
}

/* --- the rules --- */

static void check_request(const struct request *q)
{
    bool may_repeat = q->method < FIRST_NOT_REPEATABLE || q->has_key;

    if (q->replay == SAFE && !may_repeat && q->n_seen_after_whole > 0)
        fault(q, "was had whole %u times, and seen %u times after the first", q->n_whole,
              q->n_seen_after_whole);
    if (q->replay == SAFE && !may_repeat && q->n_whole > 1)
        fault(q, "was had whole %u times", q->n_whole);
    if (q->replay == NEVER && q->n_seen > 1)
        fault(q, "was seen %u times", q->n_seen);
    if (q->n_seen > RETRY_ATTEMPTS + 1)
        fault(q, "was seen %u times, retry is %d", q->n_seen, RETRY_ATTEMPTS);
    if (q->n_wrong > 0)
        fault(q, "a body was taken for whole that is not");
    if (q->leave_at != SIZE_MAX && q->n_whole > 0)
        fault(q, "the client left within it, and a server had it whole");
}

static void check_all(void)
{
    unsigned n_again = 0;
    unsigned n_whole = 0;

    /* A server that reads late may still be at it. */
    for (int i = 0; i < 1000 && atomic_load(&n_serving) > 0; i++)
        sleep_ms(10);
    for (unsigned id = 0; id < n_requests; id++) {
        check_request(&requests[id]);
        n_again += requests[id].n_seen > 1;
        n_whole += requests[id].n_whole > 0;
    }
    printf("%u requests: %u answered, %u refused, %u broken; %u had whole, %u sent again\n",
           n_requests, atomic_load(&n_answered), atomic_load(&n_refused), atomic_load(&n_broken),
           n_whole, n_again);
    if (atomic_load(&n_answered) < n_requests / 3 || n_again < n_requests / 20) {
        printf("too little went well for this to say anything\n");
        atomic_fetch_add(&n_faults, 1U);
    }
}

static void remove_work(void)
{
    char command[sizeof(work) + 16];

    snprintf(command, sizeof(command), "rm -rf %s", work);
    if (system(command) != 0)
        perror(work);
}

static const char *read_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"requests", required_argument, NULL, 'n'},
        {"seed",     required_argument, NULL, 's'},
        {"max-body", required_argument, NULL, 'm'},
        {NULL,       0,                 NULL, 0  },
    };
    int option;

    seed = (uint64_t)time(NULL);
    while ((option = getopt_long(argc, argv, "n:s:m:", options, NULL)) != -1) {
        if (option == 'n')
            n_requests = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 's')
            seed = strtoull(optarg, NULL, 10);
        else if (option == 'm')
            max_body = strtoul(optarg, NULL, 10);
    }
    if (optind != argc - 1 || n_requests == 0) {
        fputs("usage: replay_property HOLDFAST [--requests N] [--seed S] [--max-body BYTES]\n",
              stderr);
        exit(2);
    }
    return argv[optind];
}

int main(int argc, char **argv)
{
    static struct http_listener listeners[3];
    const char *program = read_options(argc, argv);
    pthread_t clients[N_CLIENTS];
    char path[sizeof(work) + 16];
    unsigned ports[2];

    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(work, sizeof(work), "/tmp/replay_property.XXXXXX");
    requests = calloc(n_requests, sizeof(*requests));
    if (requests == NULL || mkdtemp(work) == NULL)
        http_die(work);
    printf("seed %llu\n", (unsigned long long)seed);
    for (unsigned id = 0; id < n_requests; id++)
        draw_request(&requests[id], id);
    ports[0] = start_server(&listeners[0], NULL);
    ports[1] = start_server(&listeners[1], NULL);
    snprintf(path, sizeof(path), "%s/server.sock", work);
    start_server(&listeners[2], path);
    snprintf(path, sizeof(path), "%s/cfg", work);
    write_config(path, ports);
    start_proxy(program, path);
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (pthread_create(&clients[i], NULL, run_client, NULL) != 0)
            http_die("pthread_create");
    for (size_t i = 0; i < N_CLIENTS; i++)
        pthread_join(clients[i], NULL);
    check_all();
    stop_proxy();
    if (atomic_load(&n_faults) == 0)
        remove_work();
    else
        printf("%u faults with seed %llu; see %s\n", atomic_load(&n_faults),
               (unsigned long long)seed, work);
    return atomic_load(&n_faults) == 0 ? 0 : 1;
}

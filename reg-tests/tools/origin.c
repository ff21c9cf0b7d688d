/*
 * origin - a server that misbehaves on request, for scenarios whose bodies are too big for
 * varnishtest.
 *
 *     origin --listen 127.0.0.1:0 [--unix PATH] [--die-after N] [--delay MS]
 *
 * The first segment of the path says what to do; any method will do. N and MS are numbers, TIMES
 * says for how many requests of this path it holds (without it: always); after that the path is
 * /upload.
 *
 *     /upload/NAME          read the body, answer 200 {"bytes": N, "sha256": "..."}
 *     /delay/MS             the same, MS milliseconds after the body
 *     /early/CODE           answer CODE before the body is read, and close at once
 *     /linger/CODE          answer CODE before the body is read, then discard the body
 *     /fail/CODE/TIMES      read the body, answer CODE
 *     /empty/TIMES          read the body, close without an answer
 *     /reset/N/TIMES        reset the connection after N bytes of the body
 *     /exit/N               the process dies after N bytes of the body
 *     /stall/N              read N bytes of the body, then nothing more, for ever
 *     /slow/N               read the body at N bytes a second
 *     /bytes/N              answer N bytes
 *     /cut/N/TIMES          announce N bytes, send half of them, close
 *     /echo                 answer with the head of the request as it came
 *     /count                connections, requests, complete and broken bodies, bytes of bodies so
 *                           far; requests for /count are not counted
 *     /health               200
 *
 * --die-after N: as /exit/N for whatever body comes. --delay MS: as /delay/MS for every answer.
 * The line "listening on ADDRESS:PORT" on stdout says that connections are accepted.
 */
#include "examples/upload-demo/http_conn.h"

#include <getopt.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <time.h>

#define MAX_PATHS 256 /* paths with TIMES that one test may use */

struct counts {
    atomic_ulong connections;
    atomic_ulong requests;
    atomic_ulong complete;
    atomic_ulong broken;
    atomic_ulong body_bytes;
};

static struct counts counts;
static uint64_t die_after = UINT64_MAX;
static uint64_t delay_ms;

/* How often each path with TIMES has been asked for. */
static struct {
    pthread_mutex_t lock;
    size_t n;
    struct {
        char path[sizeof(((struct http_request *)NULL)->target)];
        unsigned long hits;
    } paths[MAX_PATHS];
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The path, taken apart: /WORD/FIRST/SECOND. */
struct order {
    char word[64];
    uint64_t first;
    uint64_t second;
    int n_numbers;
};

/* What came of a body. */
struct receipt {
    char json[256];
    bool is_complete;
};

static void sleep_ms(uint64_t ms)
{
    struct timespec wait = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&wait, &wait) < 0 && errno == EINTR)
        continue;
}

/* The number of requests for this path, with this one. */
static unsigned long hits_of(const char *path)
{
    unsigned long hits = 1;
    size_t i = 0;

    pthread_mutex_lock(&seen.lock);
    while (i < seen.n && strcmp(seen.paths[i].path, path) != 0)
        i++;
    if (i == seen.n && i < MAX_PATHS)
        snprintf(seen.paths[seen.n++].path, sizeof(seen.paths[i].path), "%s", path);
    if (i < MAX_PATHS)
        hits = ++seen.paths[i].hits;
    pthread_mutex_unlock(&seen.lock);
    return hits;
}

static void read_order(const struct http_request *r, struct order *o)
{
    unsigned long long first = 0;
    unsigned long long second = 0;

    memset(o, 0, sizeof(*o));
    if (sscanf(r->target, "/%63[^/?]", o->word) != 1)
        return;
    o->n_numbers = sscanf(r->target + 1 + strlen(o->word), "/%llu/%llu", &first, &second);
    o->first = first;
    o->second = second;
}

/* Close so that the peer gets a reset, whatever is still on its way. */
static void reset_connection(struct http_conn *c)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Read up to `limit` bytes of the body. Returns false when it ended or broke before. */
static bool read_part(struct http_conn *c, struct http_request *r, uint64_t limit)
{
    const char *data;

    while (r->bytes < limit)
        if (http_read_body(c, r, &data) <= 0)
            return false;
    return true;
}

static void write_receipt(struct receipt *receipt, EVP_MD_CTX *digest, uint64_t bytes)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int at = snprintf(receipt->json, sizeof(receipt->json), "{\"bytes\": %llu, \"sha256\": \"",
                      (unsigned long long)bytes);

    EVP_DigestFinal_ex(digest, sum, &n);
    for (unsigned i = 0; i < n; i++)
        at += snprintf(receipt->json + at, sizeof(receipt->json) - (size_t)at, "%02x", sum[i]);
    snprintf(receipt->json + at, sizeof(receipt->json) - (size_t)at, "\"}\n");
}

/* Read the whole body, at most rate bytes a second (0: as fast as it comes), and sum it up. */
static void read_whole(struct http_conn *c, struct http_request *r, uint64_t rate,
                       struct receipt *receipt)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    const char *data;
    ssize_t n;

    if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        http_die("sha256");
    while ((n = http_read_body(c, r, &data)) > 0) {
        EVP_DigestUpdate(digest, data, (size_t)n);
        atomic_fetch_add(&counts.body_bytes, (unsigned long)n);
        if (r->bytes >= die_after)
            _exit(0);
        if (rate > 0)
            sleep_ms((uint64_t)n * 1000 / rate);
    }
    receipt->is_complete = n == 0;
    atomic_fetch_add(receipt->is_complete ? &counts.complete : &counts.broken, 1UL);
    write_receipt(receipt, digest, r->bytes);
    EVP_MD_CTX_free(digest);
}

/* Read the body; answer with its receipt, or with another status. */
static bool serve_upload(struct http_conn *c, struct http_request *r, unsigned status,
                         uint64_t wait_ms, uint64_t rate)
{
    struct receipt receipt;

    read_whole(c, r, rate, &receipt);
    if (!receipt.is_complete)
        return false;
    sleep_ms(wait_ms);
    return http_answer(c, r, status, "application/json", receipt.json, strlen(receipt.json)) &&
           r->keep_alive;
}

/* Answer before the body has been read. Abrupt: what the client still sends meets a reset. */
static bool serve_early(struct http_conn *c, struct http_request *r, unsigned status, bool lingers)
{
    r->expects_continue = false;
    r->keep_alive = lingers;
    if (!http_answer_text(c, r, status, "an early answer\n"))
        return false;
    return lingers && http_skip_body(c, r);
}

/* The ways to break a connection after n bytes of the body. */
static bool serve_break(struct http_conn *c, struct http_request *r, const char *how, uint64_t n)
{
    if (!read_part(c, r, n))
        return false;
    if (strcmp(how, "exit") == 0)
        _exit(0);
    if (strcmp(how, "stall") == 0)
        for (;;)
            pause();
    reset_connection(c);
    return false;
}

/* Announce n bytes and send half of them. */
static bool serve_cut(struct http_conn *c, struct http_request *r, uint64_t n)
{
    char half[1024];

    if (!http_skip_body(c, r) || !http_answer(c, r, 200, "text/plain", NULL, n))
        return false;
    memset(half, '.', sizeof(half));
    for (uint64_t left = n / 2; left > 0;) {
        size_t part = left < sizeof(half) ? (size_t)left : sizeof(half);

        if (!http_send_all(c->fd, half, part))
            return false;
        left -= part;
    }
    return false;
}

static bool serve_count(struct http_conn *c, struct http_request *r)
{
    char text[256];

    if (!http_skip_body(c, r))
        return false;
    snprintf(text, sizeof(text),
             "connections %lu\nrequests %lu\ncomplete %lu\nbroken %lu\nbytes %lu\n",
             atomic_load(&counts.connections), atomic_load(&counts.requests),
             atomic_load(&counts.complete), atomic_load(&counts.broken),
             atomic_load(&counts.body_bytes));
    return http_answer_text(c, r, 200, text) && r->keep_alive;
}

/* Orders that need no body but skip one that is there. */
static bool serve_answer(struct http_conn *c, struct http_request *r, const struct order *o)
{
    if (!http_skip_body(c, r))
        return false;
    sleep_ms(delay_ms);
    if (strcmp(o->word, "bytes") == 0)
        return http_answer_bytes(c, r, o->first) && r->keep_alive;
    if (strcmp(o->word, "echo") == 0)
        return http_answer_text(c, r, 200, r->head) && r->keep_alive;
    return http_answer_text(c, r, 200, "healthy\n") && r->keep_alive;
}

/* Returns whether the connection can serve another request. */
static bool serve_order(struct http_conn *c, struct http_request *r, const struct order *o)
{
    unsigned long hits = hits_of(r->target);
    bool is_due_first = o->n_numbers < 1 || hits <= o->first;
    bool is_due_second = o->n_numbers < 2 || hits <= o->second;
    struct receipt receipt;

    if (strcmp(o->word, "early") == 0 || strcmp(o->word, "linger") == 0)
        return serve_early(c, r, (unsigned)o->first, o->word[0] == 'l');
    if (strcmp(o->word, "fail") == 0 && is_due_second)
        return serve_upload(c, r, (unsigned)o->first, delay_ms, 0);
    if (strcmp(o->word, "empty") == 0 && is_due_first) {
        read_whole(c, r, 0, &receipt);
        return false;
    }
    if (strcmp(o->word, "exit") == 0 || strcmp(o->word, "stall") == 0 ||
        (strcmp(o->word, "reset") == 0 && is_due_second))
        return serve_break(c, r, o->word, o->first);
    if (strcmp(o->word, "cut") == 0 && is_due_second)
        return serve_cut(c, r, o->first);
    if (strcmp(o->word, "slow") == 0)
        return serve_upload(c, r, 200, delay_ms, o->first);
    if (strcmp(o->word, "bytes") == 0 || strcmp(o->word, "echo") == 0 ||
        strcmp(o->word, "health") == 0)
        return serve_answer(c, r, o);
    return serve_upload(c, r, 200, strcmp(o->word, "delay") == 0 ? o->first : delay_ms, 0);
}

static void serve(struct http_conn *c)
{
    struct http_request *r = malloc(sizeof(*r));
    struct order o;
    bool goes_on = r != NULL;

    atomic_fetch_add(&counts.connections, 1UL);
    while (goes_on && http_read_head(c, r)) {
        read_order(r, &o);
        if (strcmp(o.word, "count") == 0) {
            goes_on = serve_count(c, r);
            continue;
        }
        atomic_fetch_add(&counts.requests, 1UL);
        goes_on = serve_order(c, r, &o);
    }
    free(r);
}

static _Noreturn void usage(void)
{
    fputs("usage: origin --listen ADDRESS:PORT [--unix PATH] [--die-after N] [--delay MS]\n",
          stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen",    required_argument, NULL, 'l'},
        {"unix",      required_argument, NULL, 'u'},
        {"die-after", required_argument, NULL, 'a'},
        {"delay",     required_argument, NULL, 'd'},
        {NULL,        0,                 NULL, 0  },
    };
    static struct http_listener listeners[2];
    pthread_t threads[2];
    size_t n_listeners = 0;
    int option;

    while ((option = getopt_long(argc, argv, "l:u:a:d:", options, NULL)) != -1) {
        if (option == 'a')
            die_after = strtoull(optarg, NULL, 10);
        else if (option == 'd')
            delay_ms = strtoull(optarg, NULL, 10);
        else if ((option != 'l' && option != 'u') || n_listeners == 2)
            usage();
        else
            listeners[n_listeners++] = (struct http_listener){
                .fd = option == 'l' ? http_listen_tcp(optarg) : http_listen_unix(optarg),
                .serve = serve,
            };
    }
    if (n_listeners == 0)
        usage();
    for (size_t i = 0; i < n_listeners; i++)
        if (pthread_create(&threads[i], NULL, http_serve, &listeners[i]) != 0)
            http_die("pthread_create");
    for (size_t i = 0; i < n_listeners; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

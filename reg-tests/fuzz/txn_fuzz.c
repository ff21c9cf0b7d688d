/*
 * txn_fuzz - a whole worker in one process, between clients and servers that do as the input says.
 *
 * The input is a script: the first byte chooses the poller and who listens, every further step is a byte (which step)
 * and an argument byte. Clients and servers are sockets of the harness, all non-blocking, so every
 * order of bytes, ends, resets, refusals, timeouts, reloads and turns of the loop can come up.
 *
 * What must hold: no assert of the program fails; no client reads anything but HTTP/1.1; when nothing
 * moves, the loop waits; when all peers are gone, every connection and transaction goes too; a reset
 * worker has all of its memory back.
 *
 * Time stands still but for the steps that move it: link with -Wl,--wrap=clock_monotonic_ms.
 */
#include "base/clock.h"
#include "base/panic.h"
#include "conf/load.h"
#include "io/spool.h"
#include "proxy/generation.h"
#include "proxy/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
uint64_t __wrap_clock_monotonic_ms(void);

#define N_CLIENTS 4
#define N_SERVERS 2
#define N_CONNS   4 /* of a server */
#define STEPS_MAX 400
#define SETTLE    40 /* turns in which everything must be over */
#define TURNS_MAX 1000
/* Of a client that pours; a torture build moves seven bytes at a time. */
#ifdef HOLDFAST_TORTURE
#define POUR_BYTES ((size_t)4096)
#else
#define POUR_BYTES sizeof(filler)
#endif

/* A socket of the harness, and what it is about to send. */
struct peer {
    int fd; /* -1: none */
    const char *text;
    size_t left;
    bool has_read;
};

struct server {
    struct sockaddr_storage addr;
    socklen_t addr_n;
    int fd; /* -1: not listening */
    struct peer conns[N_CONNS];
};

static struct {
    struct worker worker;
    struct config *configs[2];
    struct peer clients[N_CLIENTS];
    struct server servers[N_SERVERS];
    struct sockaddr_un front_unix;
    struct sockaddr_in front_tcp;
    const uint8_t *data;
    size_t size;
    bool is_draining;
    bool has_refused;
    bool looks_at_waiting;
    bool has_unseen_end; /* a client's FIN may wait behind bytes that nobody reads */
} f;

static char dir[64];
static char filler[65536];
static uint64_t now_ms = 1000000;

uint64_t __wrap_clock_monotonic_ms(void)
{
    return now_ms;
}

/* --- the configuration --- */

static const char config_before[] =
    "global { log /dev/null level debug format json; server-header on }\n"
    "spool s { path %s/spool; quota 2500K; reserve 0 }\n"
    "defaults {\n"
    "  timeout client-header 10s\n"
    "  timeout server-read 20s\n"
    "  access-log /dev/null format \"${client-ip} ${uri} ${status} ${termination} ${server}"
    " ${attempts} ${hold-time} ${upstream-header-time} ${spooled-bytes} ${response-bytes}"
    " ${buffering} ${buffering-reason}\"\n"
    "  retry 3 on reset empty-response timeout 503\n"
    "}\n"
    "frontend f {\n"
    "  bind unix@%s/front\n"
    "  bind 127.0.0.1:%u\n"
    "  http-request set-header X-Ip \"${client-ip}-${request-id}\"\n"
    "  http-request del-header X-Drop\n"
    "  http-response set-header X-Server \"${server}-${attempts}\"\n"
    "  error-page 5xx text \"${status} ${route} ${path}\\n\"\n"
    "  error-page 404 route gone\n"
    "  error-page 413 redirect https://${host}/large\n"
    "  route gone { internal; respond 200 \"gone ${uri}\" }\n"
    "  route held when path under /h {\n"
    "    request-buffering hold memory 16K spool s; hold 30s all; use-backend b\n"
    "  }\n"
    "  route streamed when path under /s {\n"
    "    request-buffering stream memory 16K; response-buffering off; use-backend b\n"
    "  }\n"
    "  route small when path under /m { max-body 1000; replay never; use-backend b }\n"
    "  route once when path under /o {\n"
    "    hold 0; retry 1; intercept-errors on; use-backend b\n"
    "  }\n"
    "  route denied when path under /n { deny all; use-backend b }\n"
    "  route answered when path == /r { respond 200 \"hello ${header.X-Name}\" }\n"
    "  route moved when path == /d { redirect 302 \"https://${host}${uri}\" }\n"
    "  route always when path under /a {\n"
    "    replay always; response-buffering on memory 16K spool s max 64K; use-backend b\n"
    "  }\n"
    "  route teed when path under /t {\n"
    "    request-buffering tee memory 16K spool s; hold 30s all; max-body 400000\n"
    "    response-buffering auto memory 16K spool s; lingering 1s max 64K\n"
    "    timeout request-body-total 60s; timeout server-think 5s; use-backend b\n"
    "  }\n"
    "  route chosen when path under /u {\n"
    "    request-buffering auto memory 16K spool s; response-buffering auto memory 16K spool s\n"
    "    timeout upgraded 20s; lingering 1s max 64K; use-backend b\n"
    "  }\n"
    "  route patient when path under /p {\n"
    "    request-buffering auto memory 16K spool s; response-buffering off; replay always\n"
    "    min-body-rate 1K/s grace 5s; timeout request-body-total 30s; timeout server-think 1s\n"
    "    timeout upgraded 5s; retry 5 on reset empty-response timeout 503; use-backend b\n"
    "  }\n"
    "  route tunnelled when path under /w {\n"
    "    request-buffering stream memory 16K; response-buffering auto memory 16K spool s\n"
    "    min-body-rate 1K/s; timeout upgraded never; lingering 1s max 64K; use-backend b\n"
    "  }\n"
    "}\n"
    "backend b { server one unix@%s/one; server two 127.0.0.1:%u; keepalive 2 idle 5s }\n";

/* After a reload: no second bind, one server less, the routes in another order. */
static const char config_after[] =
    "global { log /dev/null level error; max-connections 3 }\n"
    "spool s { path %s/spool; quota 1M; reserve 0 }\n"
    "frontend f {\n"
    "  bind unix@%s/front\n"
    "  access-log /dev/null format combined\n"
    "  route all { request-buffering hold memory 16K spool s; hold 10s; use-backend b }\n"
    "}\n"
    "backend b { server one unix@%s/one; keepalive 0 }\n";

static struct config *compile(const char *text)
{
    char spool[96];
    struct files_entry entries[3] = {{"/fuzz.cfg", str_of(text)}, {dir, STR_EMPTY}};
    struct files_memory files;
    struct diags *diags = diags_new();
    struct config *c;

    snprintf(spool, sizeof(spool), "%s/spool", dir);
    entries[2].path = spool;
    files_memory_init(&files, entries, 3, NULL);
    c = config_load("/fuzz.cfg", &files.files, diags);
    if (c == NULL)
        diags_print(diags, stderr);
    diags_free(diags);
    assert(c != NULL);
    return c;
}

/* --- the world --- */

static int new_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    assert(fd >= 0);
    if (family == AF_INET)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return fd;
}

static struct sockaddr_un unix_addr(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", dir, name);
    return a;
}

/* A port that is free now. */
static struct sockaddr_in tcp_addr(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof(a);
    int fd = new_socket(AF_INET);

    assert(bind(fd, (struct sockaddr *)&a, n) == 0);
    assert(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
    close(fd);
    return a;
}

static void remove_dir(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", dir);
}

static void set_up_servers(void)
{
    struct sockaddr_un one = unix_addr("one");
    struct sockaddr_in two = tcp_addr();

    memcpy(&f.servers[0].addr, &one, sizeof(one));
    f.servers[0].addr_n = sizeof(one);
    memcpy(&f.servers[1].addr, &two, sizeof(two));
    f.servers[1].addr_n = sizeof(two);
    f.front_unix = unix_addr("front");
    f.front_tcp = tcp_addr();
}

static void set_up(void)
{
    static char text[8192];
    unsigned front_port;
    unsigned server_port;

    signal(SIGPIPE, SIG_IGN);
    strcpy(dir, "/tmp/holdfast-fuzz-XXXXXX");
    assert(mkdtemp(dir) != NULL);
    atexit(remove_dir);
    memset(filler, 'f', sizeof(filler));
    set_up_servers();
    front_port = ntohs(f.front_tcp.sin_port);
    server_port = ntohs(((struct sockaddr_in *)&f.servers[1].addr)->sin_port);
    snprintf(text, sizeof(text), config_before, dir, dir, front_port, dir, server_port);
    f.configs[0] = compile(text);
    snprintf(text, sizeof(text), config_after, dir, dir, dir);
    f.configs[1] = compile(text);
}

/* --- peers --- */

static void peer_close(struct peer *p, bool by_reset)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    if (p->fd < 0)
        return;
    if (by_reset)
        setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(p->fd);
    p->fd = -1;
}

static void peer_open(struct peer *p, int fd)
{
    peer_close(p, true);
    *p = (struct peer){.fd = fd};
}

static void peer_choose(struct peer *p, const char *text)
{
    p->text = text;
    p->left = strlen(text);
}

static void peer_send_raw(const struct peer *p, const void *bytes, size_t n)
{
    if (p->fd >= 0 && n > 0 && send(p->fd, bytes, n, MSG_NOSIGNAL) < 0 && errno == EBADF)
        unreachable("a socket of the harness was closed by somebody else");
}

static void peer_send(struct peer *p, size_t n)
{
    ssize_t sent;

    if (p->fd < 0 || p->left == 0)
        return;
    sent = send(p->fd, p->text, n < p->left ? n : p->left, MSG_NOSIGNAL);
    if (sent > 0) {
        p->text += sent;
        p->left -= (size_t)sent;
    }
}

static size_t peer_read(struct peer *p, char *out, size_t n)
{
    ssize_t got = p->fd < 0 ? 0 : recv(p->fd, out, n, 0);

    return got < 0 ? 0 : (size_t)got;
}

static void client_read(struct peer *p, size_t n)
{
    static const char start[] = "HTTP/1.1 ";
    static char out[65536];
    size_t got = peer_read(p, out, n < sizeof(out) ? n : sizeof(out));

    if (got == 0 || p->has_read)
        return;
    p->has_read = true;
    if (memcmp(out, start, got < sizeof(start) - 1 ? got : sizeof(start) - 1) != 0)
        unreachable("a client reads what is not HTTP");
}

static void client_connect(struct peer *p, bool by_tcp)
{
    int fd = new_socket(by_tcp ? AF_INET : AF_UNIX);
    const void *addr = by_tcp ? (const void *)&f.front_tcp : &f.front_unix;
    socklen_t n = by_tcp ? sizeof(f.front_tcp) : sizeof(f.front_unix);

    peer_open(p, fd);
    if (connect(fd, addr, n) != 0 && errno != EINPROGRESS)
        peer_close(p, false);
}

static void server_stop(struct server *s)
{
    if (s->fd < 0)
        return;
    close(s->fd);
    s->fd = -1;
    if (s->addr.ss_family == AF_UNIX)
        unlink(((struct sockaddr_un *)&s->addr)->sun_path);
}

static void server_listen(struct server *s)
{
    if (s->fd >= 0)
        return;
    s->fd = new_socket(s->addr.ss_family);
    if (bind(s->fd, (struct sockaddr *)&s->addr, s->addr_n) != 0 || listen(s->fd, 4) != 0)
        server_stop(s);
}

static void server_accept(struct server *s, unsigned slot)
{
    int fd = s->fd < 0 ? -1 : accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        peer_open(&s->conns[slot], fd);
}

/* --- what they say --- */

static const char *const requests[] = {
    "GET /h HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /s HTTP/1.1\r\nHost: a\r\n\r\nGET /r HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /h HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /h HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
    "PUT /s HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
    "PUT /h HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "PUT /s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "PUT /h HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "PUT /s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n",
    "POST /m HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
    "POST /h HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "POST /s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "GET /o HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n",
    "GET /a HTTP/1.0\r\n\r\n",
    "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /r HTTP/1.1\r\nHost: a\r\nX-Name: n\r\n\r\n",
    "POST /r HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n",
    "GET /d?x=y HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /n HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /bad HTTP/1.1\r\n\r\n",
    "POST /h HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "PUT /h HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n",
    "POST /h HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nContent-Length: 600000\r\n\r\n",
    "\r\n\r\nPUT /s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /h HTTP/1.1\r\nHost: b\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
};

/* Every way to carry a body. */
static const char *const bodies[] = {
    "PUT /t HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /t HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
    "PUT /t HTTP/1.1\r\nHost: a\r\nContent-Length: 390000\r\n\r\n",
    "PUT /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "PUT /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "PUT /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n", /* beyond max-body */
    "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 400001\r\n\r\n",
    "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n",
    "POST /t HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n",
    "POST /t HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 400001\r\n\r\n",
    "POST /t HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "GET /t HTTP/1.1\r\nHost: a\r\n\r\n",
    "PUT /t HTTP/1.0\r\nContent-Length: 70000\r\n\r\n",
    "PUT /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n",
    "GET /u HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "GET /u HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x, y\r\n\r\nbytes of the tunnel",
    "POST /u HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 9\r\n\r\nhel",
    "PUT /u HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
    "PUT /u HTTP/1.1\r\nHost: a\r\nIncremental: ?1\r\nContent-Length: 70000\r\n\r\n",
    "PUT /u HTTP/1.1\r\nHost: a\r\nIncremental: ?0\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "PUT /u HTTP/1.1\r\nHost: a\r\nIncremental: ?1;a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "PATCH /u HTTP/1.1\r\nHost: a\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Length: 70000\r\n\r\n",
    "PATCH /u HTTP/1.1\r\nHost: a\r\nUpload-Offset: 9\r\nContent-Length: 500000\r\n\r\n",
    "POST /u HTTP/1.1\r\nHost: a\r\nUpload-Complete: ?0\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "PATCH /u HTTP/1.1\r\nHost: a\r\nUpload-Offset: 0\r\nExpect: 100-continue\r\nContent-Length: 90000\r\n\r\n",
    "PATCH /u HTTP/1.1\r\nHost: a\r\nTus-Resumable: 1.0.0\r\nContent-Length: 3\r\n\r\nabc",
    "PUT /u HTTP/1.1\r\nHost: a\r\nContent-Length: 16384\r\n\r\n",
    "PUT /u HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n",
    "PUT /u HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n", /* beyond the quota */
    "PUT /u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "GET /u HTTP/1.1\r\nHost: a\r\n\r\nPUT /t HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "POST /p HTTP/1.1\r\nHost: a\r\nUpload-Complete: ?1\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "POST /p HTTP/1.1\r\nHost: a\r\nIncremental: ?1\r\nContent-Length: 200000\r\n\r\n",
    "GET /p HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "GET /w HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "POST /w HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 70000\r\n\r\n",
    "POST /w HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n",
    "GET /w HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "TRACE /t HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\nOPTIONS /u HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1\r\n\r\n",
    "\r\n0\r\n\r\n",
    "0\r\n\r\nGET /t HTTP/1.1\r\nHost: a\r\n\r\n",
};

static const char *const responses[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
    "HTTP/1.1 200 OK\r\n\r\nuntil the end",
    "HTTP/1.0 200 OK\r\n\r\nuntil the end",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy",
    "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 413 Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "rubbish\r\n\r\n",
    "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
    "\r\n0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nbytes of the tunnel",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n",
    "HTTP/1.1 200 OK\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: 5\r\n\r\n",
    "HTTP/1.1 401 Who\r\nContent-Length: 100000\r\n\r\n",
    "HTTP/1.1 413 Large\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
};

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* --- steps --- */

static uint8_t next_byte(void)
{
    if (f.size == 0)
        return 0;
    f.size--;
    return *f.data++;
}

static void turn(void)
{
    loop_turn(f.worker.loop, 0);
}

static void pass_time(uint8_t arg)
{
    static const uint64_t steps[] = {1, 10, 50, 100, 500, 1000, 5000, 10000, 30000, 75000};

    now_ms += steps[arg % N_OF(steps)];
    turn();
}

static void failed(void *to, const struct config_place *place, const char *text)
{
    (void)to;
    (void)place;
    (void)text; /* an address may be taken for a moment by the harness itself */
}

static void reload(uint8_t arg)
{
    if (!f.is_draining && worker_prepare(&f.worker, f.configs[arg % 2], failed, NULL))
        worker_commit(&f.worker);
}

/* Everybody who listens accepts and reads: a script reaches the deep states with few bytes. */
static void serve_all(void)
{
    static char out[65536];

    turn();
    for (unsigned s = 0; s < N_SERVERS; s++)
        for (unsigned c = 0; c < N_CONNS; c++) {
            struct peer *p = &f.servers[s].conns[c];

            if (p->fd < 0)
                server_accept(&f.servers[s], c);
            peer_read(p, out, sizeof(out));
        }
    turn();
}

/* A client that sends as fast as it can: enough of it is spliced to the spool. */
static void pour(struct peer *p)
{
    for (unsigned i = 0; i < 16 && p->fd >= 0; i++) {
        for (unsigned j = 0; j < 4; j++)
            peer_send_raw(p, filler, POUR_BYTES);
        turn();
    }
}

/* A server that sends as fast as it can: a large response, or its side of a tunnel. */
static void pour_back(struct peer *p)
{
    for (unsigned i = 0; i < 16 && p->fd >= 0; i++) {
        peer_send_raw(p, filler, POUR_BYTES);
        turn();
    }
}

static void send_interims(const struct peer *p, unsigned n)
{
    static const char interim[] = "HTTP/1.1 104 Upload\r\nUpload-Offset: 123456\r\n\r\n";

    for (unsigned i = 0; i < n; i++) {
        peer_send_raw(p, interim, sizeof(interim) - 1);
        if (i % 32 == 31)
            turn();
    }
}

static void client_step(uint8_t step, uint8_t arg)
{
    struct peer *p = &f.clients[arg % N_CLIENTS];
    size_t rest = arg / N_CLIENTS;

    switch (step) {
    case 0: client_connect(p, (rest & 7) == 7); return;
    case 1:
        peer_choose(p, requests[rest % N_OF(requests)]);
        peer_send(p, rest >= 32 ? rest : SIZE_MAX);
        return;
    case 2: peer_send(p, 1 + rest * rest / 4); return;
    case 3: peer_send_raw(p, f.data, f.size < rest % 24 ? f.size : rest % 24); return;
    case 4: peer_send_raw(p, filler, 1 + rest * 1040); return;
    case 5:
        if (p->fd >= 0)
            shutdown(p->fd, SHUT_WR);
        return;
    case 6:
        f.has_unseen_end |= !(rest & 1);
        peer_close(p, (rest & 1) != 0);
        return;
    case 7: client_read(p, 1 + rest * 1040); return;
    }
}

static void server_step(uint8_t step, uint8_t arg)
{
    static char out[65536];
    struct server *s = &f.servers[arg % N_SERVERS];
    struct peer *p = &s->conns[arg / N_SERVERS % N_CONNS];
    size_t rest = arg / (N_SERVERS * N_CONNS);

    switch (step) {
    case 0: server_accept(s, arg / N_SERVERS % N_CONNS); return;
    case 1: peer_read(p, out, 1 + rest * 2080); return;
    case 2:
        peer_choose(p, responses[rest % N_OF(responses)]);
        peer_send(p, SIZE_MAX);
        return;
    case 3:
        peer_choose(p, responses[next_byte() % N_OF(responses)]);
        peer_send(p, 1 + rest);
        return;
    case 4: peer_send(p, 1 + rest * rest); return;
    case 5: peer_send_raw(p, filler, 1 + rest * 2080); return;
    case 6: peer_close(p, (rest & 1) != 0); return;
    case 7:
        if (p->fd >= 0)
            shutdown(p->fd, rest & 1 ? SHUT_RDWR : SHUT_WR);
        return;
    case 8: server_stop(s); return;
    case 9: server_listen(s); return;
    }
}

static void world_step(uint8_t step, uint8_t arg)
{
    switch (step) {
    case 0: turn(); return;
    case 1:
        if (arg < 128)
            turn();
        else
            pour(&f.clients[arg % N_CLIENTS]);
        return;
    case 2: serve_all(); return;
    case 3: pass_time(arg); return;
    case 4: reload(arg); return;
    case 5: worker_reopen_logs(&f.worker); return;
    case 6:
        if (arg == 1 && !f.is_draining) { /* seldom: it is the end */
            f.is_draining = true;
            worker_drain(&f.worker);
        } else if (arg == 2 && f.is_draining && !f.has_refused) { /* shutdown-timeout */
            f.has_refused = true;
            worker_refuse(&f.worker);
        }
        return;
    }
}

static void body_step(uint8_t step, uint8_t arg)
{
    struct server *s = &f.servers[arg % N_SERVERS];
    struct peer *back = &s->conns[arg / N_SERVERS % N_CONNS];
    size_t rest = arg / (N_SERVERS * N_CONNS);

    switch (step) {
    case 0:
        peer_choose(&f.clients[arg % N_CLIENTS], bodies[arg / N_CLIENTS % N_OF(bodies)]);
        peer_send(&f.clients[arg % N_CLIENTS], SIZE_MAX);
        return;
    case 1: pour_back(back); return;
    case 2: send_interims(back, 1 + (unsigned)rest * 20); return;
    case 3:
        peer_choose(back, responses[N_OF(responses) - 1 - rest % N_OF(responses)]);
        peer_send(back, SIZE_MAX);
        return;
    }
}

static void one_step(void)
{
    uint8_t step = next_byte() % 29;
    uint8_t arg = next_byte();

    if (step < 8)
        client_step(step, arg);
    else if (step < 18)
        server_step((uint8_t)(step - 8), arg);
    else if (step < 25)
        world_step((uint8_t)(step - 18), arg);
    else
        body_step((uint8_t)(step - 25), arg);
}

/* --- beginning and end --- */

static void begin(uint8_t mode)
{
    for (unsigned c = 0; c < N_CLIENTS; c++)
        f.clients[c].fd = -1;
    for (unsigned s = 0; s < N_SERVERS; s++) {
        f.servers[s].fd = -1;
        for (unsigned c = 0; c < N_CONNS; c++)
            f.servers[s].conns[c].fd = -1;
        if (!(mode & (2u << s)))
            server_listen(&f.servers[s]);
    }
    f.is_draining = false;
    f.has_refused = false;
    f.looks_at_waiting = (mode & 8) != 0;
    f.has_unseen_end = false;
    assert(worker_init(&f.worker, &(struct worker_setup){
                                      .poller = mode & 1 ? POLLER_POLL : POLLER_EPOLL,
                                      .opener = &opener_paths,
                                      .panic_fd = -1,
                                  }));
    assert(worker_prepare(&f.worker, f.configs[0], failed, NULL));
    worker_commit(&f.worker);
}

static void close_all_peers(void)
{
    for (unsigned c = 0; c < N_CLIENTS; c++)
        peer_close(&f.clients[c], true);
    for (unsigned s = 0; s < N_SERVERS; s++) {
        server_stop(&f.servers[s]);
        for (unsigned c = 0; c < N_CONNS; c++)
            peer_close(&f.servers[s].conns[c], true);
    }
}

static uint64_t real_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Whatever the peers have left undone, the loop comes to wait for them. It costs a millisecond. */
static void expect_waiting(void)
{
    if (!f.looks_at_waiting)
        return;
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        uint64_t before = real_us();

        loop_turn(f.worker.loop, 1);
        if (real_us() - before > 500)
            return;
    }
    unreachable("the loop spins");
}

static void settle(uint64_t ms)
{
    now_ms += ms;
    for (unsigned i = 0; i < SETTLE; i++)
        turn();
}

/* On a busy machine the kernel hands on a reset over TCP a little later. */
static void await_resets(void)
{
    for (unsigned i = 0; i < TURNS_MAX && row_get(&f.worker.row->n_fronts) > 0 && !f.has_unseen_end; i++)
        loop_turn(f.worker.loop, 1);
}

/* Nobody is left: whatever still lives has been forgotten. */
static void expect_quiet(void)
{
    settle(0);
    settle(2000); /* the longest pause before a request is sent again */
    await_resets();
    assert(row_get(&f.worker.row->n_fronts) == 0 || f.has_unseen_end);
    settle(3600000); /* all timers of exchanges */
    settle(3600000); /* those of lingering behind them, of probes and of idle ones */
    assert(row_get(&f.worker.row->n_fronts) == 0);
    assert(list_is_empty(&f.worker.txns));
    expect_waiting();
    assert(f.worker.bufs.used_bytes == 0);
}

/* No exchange, no promise. */
static void expect_empty_spools(void)
{
    for (size_t i = 0; i < f.worker.current->config->n_spools; i++) {
        struct spool_figures figures = spool_store_figures(f.worker.current->stores[i]);

        assert(figures.promised_bytes == 0 && figures.written_bytes == 0 && figures.n_files == 0);
    }
}

static void end(void)
{
    expect_waiting();
    close_all_peers();
    expect_quiet();
    expect_empty_spools();
    for (unsigned i = 0; i < TXN_STATE_N; i++)
        assert(row_get(&f.worker.row->n_in_state[i]) == 0);
    log_use(NULL, LOG_N_LEVELS, LOG_TEXT); /* the sink goes with the worker */
    worker_reset(&f.worker);
    assert(f.configs[0]->refs == 1 && f.configs[1]->refs == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (dir[0] == '\0')
        set_up();
    f.data = data;
    f.size = size;
    begin(next_byte());
    for (unsigned i = 0; i < STEPS_MAX && f.size > 0; i++)
        one_step();
    end();
    return 0;
}

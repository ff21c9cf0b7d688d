/*
 * http1_cases - plays the cases of reg-tests/http1 against a holdfast of its own.
 *
 *     http1_cases HOLDFAST FILE SETTING...
 *
 * HOLDFAST is started with one frontend, one backend and each SETTING (a policy, in quotes) in the
 * frontend. This process is both the client and the server: it sends what a case says, answers what
 * the case says, and compares what each side has seen. One line for each case that fails; the last
 * line is "N passed, N failed". Exit status 0: none has failed.
 *
 * After each case comes a fence: a request of our own, on the client's connection where that must
 * serve on, else on a new one. Its answer must be its own (nothing was left over from the case),
 * and what the proxy would have sent to the server because of the case has arrived before it: so
 * "nothing reached the server" needs no waiting.
 *
 * Both sides speak TCP, since a reset cannot be seen on a unix socket. Nothing sleeps but the wait for
 * the end of holdfast.
 * The form of the cases: reg-tests/http1/README.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS       3000 /* for anything that must happen; what fails costs as much */
#define CHECKS_MAX    32   /* of one case */
#define RESPONSES_MAX 4096
#define REQUESTS_MAX  16 /* that one case brings to the server */
#define CONNS_MAX     32 /* of the server */
#define SHOWN_MAX     300
#define DEATHS_MAX    5 /* of holdfast: after that the cases are given up */

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "http1_cases: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* --- texts: bytes of any kind, which grow --- */

struct text {
    char *p;
    size_t n;
    size_t room;
};

static void text_add(struct text *t, const void *p, size_t n)
{
    if (t->n + n >= t->room) { /* bytes come one by one */
        t->room = 2 * (t->n + n) + 64;
        t->p = realloc(t->p, t->room);
        if (t->p == NULL)
            die("memory");
    }
    if (n > 0)
        memcpy(t->p + t->n, p, n);
    t->n += n;
    t->p[t->n] = '\0';
}

__attribute__((format(printf, 2, 3))) static void text_print(struct text *t, const char *format,
                                                             ...)
{
    char line[1024];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    text_add(t, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static void text_reset(struct text *t)
{
    free(t->p);
    *t = (struct text){.n = 0};
}

/* The bytes as a case would write them; long ones are cut. */
static void text_add_escaped(struct text *t, const char *p, size_t n)
{
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
        unsigned char c = (unsigned char)p[i];

        if (c == '\r' || c == '\n')
            text_print(t, c == '\r' ? "\\r" : "\\n");
        else if (c < 0x20 || c >= 0x7f || c == '\\')
            text_print(t, "\\x%02X", c);
        else
            text_add(t, &p[i], 1);
    }
    if (n > SHOWN_MAX)
        text_print(t, "... (%zu bytes)", n);
}

static unsigned hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c | 0x20);

    if (at == NULL) {
        errno = EINVAL;
        die("\\x without two digits");
    }
    return (unsigned)(at - digits);
}

/* `{UNIT*COUNT}` up to end: where UNIT ends and COUNT begins, and the closing brace. */
static bool find_repetition(const char *p, const char *end, const char **star, const char **close)
{
    unsigned depth = 1;

    for (*close = p; *close < end; (*close)++) {
        depth += **close == '{';
        depth -= **close == '}';
        if (depth == 0)
            break;
    }
    if (*close == end)
        return false;
    *star = *close - 1;
    while (*star > p && **star >= '0' && **star <= '9')
        (*star)--;
    return **star == '*' && *star + 1 < *close && *star > p;
}

/* Append what the text from p to end stands for: \r \n \t \\ \xHH and {UNIT*COUNT}. */
static void unescape(struct text *t, const char *p, const char *end)
{
    const char *star;
    const char *close;
    char c;

    for (; p < end; p++) {
        if (*p == '{' && find_repetition(p + 1, end, &star, &close)) {
            for (unsigned long i = strtoul(star + 1, NULL, 10); i > 0; i--)
                unescape(t, p + 1, star);
            p = close;
        } else if (*p == '\\' && p + 3 < end && p[1] == 'x') {
            c = (char)(hex_digit(p[2]) << 4 | hex_digit(p[3]));
            text_add(t, &c, 1);
            p += 3;
        } else if (*p == '\\' && p + 1 < end) {
            p++;
            c = *p == 'r' ? '\r' : *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
            text_add(t, &c, 1);
        } else {
            text_add(t, p, 1);
        }
    }
}

/* --- cases --- */

enum check_kind {
    CHECK_EXPECT,  /* statuses, and what becomes of the client's connection */
    CHECK_FRAMING, /* of the last response */
    CHECK_BODY,    /* likewise */
    CHECK_BODIES,  /* of all final responses */
    CHECK_SEEN,    /* this line is in a head that the client gets */
    CHECK_UNSEEN,  /* no field of this name is */
    CHECK_SERVER,  /* one request at the server, in order */
    CHECK_HAS,     /* this line is in the head of that request */
    CHECK_LACKS,   /* no field of this name is */
};

static const char *const check_words[] = {
    "expect", "framing", "body", "bodies", "seen", "unseen", "server", "has", "lacks",
};
#define N_CHECK_WORDS (sizeof(check_words) / sizeof(check_words[0]))

struct check {
    enum check_kind kind;
    char *wanted;
    size_t request; /* of SERVER, HAS, LACKS: which */
};

enum server_end { SERVER_STAYS, SERVER_CLOSES, SERVER_RESETS };

struct test_case {
    char *name;
    char *clause;
    struct text send; /* by the client, at once */
    struct text then; /* by the client, when it has got a response */
    bool shuts;       /* the client shuts its side behind them */
    struct text answer;
    bool has_answer;
    bool is_early;     /* the answer comes with the request's head */
    struct text final; /* by the server, behind an early answer, when it has the whole request */
    enum server_end end;
    struct text late; /* by the server, when the client has its responses */
    struct check checks[CHECKS_MAX];
    size_t n_checks;
    size_t n_requests; /* that must reach the server */
    bool counts_requests;
};

static struct test_case *cases;
static size_t n_cases;

static _Noreturn void bad_line(const char *line)
{
    fprintf(stderr, "http1_cases: cannot read: %s\n", line);
    exit(2);
}

static bool add_check(struct test_case *c, const char *key, const char *value)
{
    size_t kind = 0;
    struct check *check = &c->checks[c->n_checks];

    while (kind < N_CHECK_WORDS && strcmp(check_words[kind], key) != 0)
        kind++;
    if (kind == N_CHECK_WORDS || c->n_checks == CHECKS_MAX)
        return false;
    if (kind == CHECK_SERVER) {
        c->counts_requests = true;
        if (strcmp(value, "nothing") == 0)
            return true;
        c->n_requests++;
    }
    if ((kind == CHECK_HAS || kind == CHECK_LACKS) && c->n_requests == 0)
        return false;
    *check = (struct check){(enum check_kind)kind, strdup(value), c->n_requests - 1};
    c->n_checks++;
    return true;
}

static void add_line(struct test_case *c, const char *key, const char *value)
{
    const char *end = value + strlen(value);

    if (strcmp(key, "clause") == 0)
        c->clause = strdup(value);
    else if (strcmp(key, "send") == 0)
        unescape(&c->send, value, end);
    else if (strcmp(key, "then") == 0)
        unescape(&c->then, value, end);
    else if (strcmp(key, "shuts") == 0)
        c->shuts = true;
    else if (strcmp(key, "answer") == 0)
        unescape(&c->answer, value, end);
    else if (strcmp(key, "early") == 0)
        c->is_early = true;
    else if (strcmp(key, "final") == 0)
        unescape(&c->final, value, end);
    else if (strcmp(key, "closes") == 0)
        c->end = SERVER_CLOSES;
    else if (strcmp(key, "resets") == 0)
        c->end = SERVER_RESETS;
    else if (strcmp(key, "late") == 0)
        unescape(&c->late, value, end);
    else if (!add_check(c, key, value))
        bad_line(key);
    if (strcmp(key, "answer") == 0) {
        c->has_answer = true;
        text_add(&c->answer, "", 0); /* nothing at all is an answer too */
    }
}

/* A line of a case: `KEY VALUE` or `MODE:KEY VALUE`, which holds in that mode alone. */
static void read_line(char *line, const char *mode)
{
    char *key = line;
    char *value = line + strcspn(line, " ");
    char *colon;

    if (*value != '\0')
        *value++ = '\0';
    value += strspn(value, " ");
    colon = strchr(key, ':');
    if (colon != NULL) {
        *colon = '\0';
        if (strcmp(key, mode) != 0)
            return;
        key = colon + 1;
    }
    if (strcmp(key, "name") == 0) {
        cases = realloc(cases, (n_cases + 1) * sizeof(*cases));
        if (cases == NULL)
            die("memory");
        cases[n_cases++] = (struct test_case){.name = strdup(value)};
        return;
    }
    if (n_cases == 0)
        bad_line(line);
    add_line(&cases[n_cases - 1], key, value);
}

static void read_cases(const char *path, const char *mode)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    if (f == NULL)
        die(path);
    while ((n = getline(&line, &room, f)) > 0) {
        if (line[n - 1] == '\n')
            line[--n] = '\0';
        if (n > 0 && line[0] != '#')
            read_line(line, mode);
    }
    free(line);
    fclose(f);
    for (size_t i = 0; i < n_cases; i++)
        if (cases[i].send.n == 0)
            text_print(&cases[i].send, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

/* --- messages, read as strictly as they must be written --- */

enum framing { FRAMED_NONE, FRAMED_LENGTH, FRAMED_CHUNKED, FRAMED_BY_END };

static const char *const framing_words[] = {"none", "length", "chunked", "end"};

struct message {
    size_t head_n;   /* 0: not all of the head is there */
    unsigned status; /* of a response */
    bool is_whole;
    size_t n; /* of the message, as far as it is there */
    enum framing framing;
    uint64_t length;
    struct text body;
    const char *fault; /* NULL: none */
};

/* The number of fields of this name in a head. *value points at the last one's value. */
static size_t find_field(const char *head, size_t n, const char *name, const char **value)
{
    size_t name_n = strlen(name);
    size_t found = 0;

    for (const char *at = memchr(head, '\n', n); at != NULL && at + 1 < head + n;
         at = memchr(at + 1, '\n', n - (size_t)(at + 1 - head))) {
        if (n - (size_t)(at + 1 - head) > name_n && strncasecmp(at + 1, name, name_n) == 0 &&
            at[1 + name_n] == ':') {
            *value = at + 2 + name_n;
            *value += strspn(*value, " ");
            found++;
        }
    }
    return found;
}

/* What is wrong with the lines of a head? */
static const char *head_fault(const char *head, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (head[i] == '\n' && (i == 0 || head[i - 1] != '\r'))
            return "bare LF";
        if (head[i] == '\r' && head[i + 1] != '\n')
            return "bare CR";
        if (head[i] == '\0')
            return "NUL";
        if (head[i] == '\n' && (head[i + 1] == ' ' || head[i + 1] == '\t'))
            return "folded line";
        if (head[i] == ':' && (head[i - 1] == ' ' || head[i - 1] == '\t') && head[i - 2] == '\n')
            return "blank before a colon";
    }
    return NULL;
}

static void read_framing(struct message *m, const char *p)
{
    const char *value = NULL;
    size_t n_codings = find_field(p, m->head_n, "Transfer-Encoding", &value);
    size_t n_lengths;

    if (n_codings > 0 && strncmp(value, "chunked\r\n", 9) != 0)
        m->fault = "another coding";
    n_lengths = find_field(p, m->head_n, "Content-Length", &value);
    if (n_codings + n_lengths > 1)
        m->fault = "several lengths or codings";
    m->framing = n_codings > 0 ? FRAMED_CHUNKED : n_lengths > 0 ? FRAMED_LENGTH : FRAMED_NONE;
    if (n_lengths > 0)
        m->length = strtoull(value, NULL, 10);
}

static void read_chunks(struct message *m, const char *p, size_t n)
{
    for (;;) {
        const char *line = p + m->n;
        const char *end = memmem(line, n - m->n, "\r\n", 2);
        char *digits_end;
        unsigned long long size;

        if (end == NULL)
            return;
        size = strtoull(line, &digits_end, 16);
        if (digits_end != end || digits_end == line) {
            m->fault = "chunk size";
            return;
        }
        if (n - (size_t)(end + 2 - p) < size + 2)
            return;
        text_add(&m->body, end + 2, size);
        if (memcmp(end + 2 + size, "\r\n", 2) != 0) {
            m->fault = "chunk end";
            return;
        }
        m->n = (size_t)(end + 4 - p) + size;
        if (size == 0) {
            m->is_whole = true;
            return;
        }
    }
}

/* Read the body, if one may follow. `ended`: no more bytes will come, and in good order. */
static void read_body(struct message *m, const char *p, size_t n, bool has_none, bool ended)
{
    size_t there = n - m->n;

    if (has_none || (m->framing == FRAMED_LENGTH && there >= m->length))
        m->is_whole = true;
    if (has_none || m->framing == FRAMED_NONE)
        return;
    if (m->framing == FRAMED_CHUNKED) {
        read_chunks(m, p, n);
        return;
    }
    if (m->framing == FRAMED_BY_END)
        m->is_whole = ended;
    else if (there > m->length)
        there = m->length;
    text_add(&m->body, p + m->n, there);
    m->n += there;
}

static bool read_head(struct message *m, const char *p, size_t n)
{
    const char *end = n == 0 ? NULL : memmem(p, n, "\r\n\r\n", 4);

    *m = (struct message){.n = 0};
    if (end == NULL)
        return false;
    m->head_n = (size_t)(end - p) + 4;
    m->n = m->head_n;
    m->fault = head_fault(p, m->head_n);
    read_framing(m, p);
    return true;
}

static void read_request(struct message *m, const char *p, size_t n)
{
    if (read_head(m, p, n))
        read_body(m, p, n, m->framing == FRAMED_NONE, false);
}

static void read_response(struct message *m, const char *p, size_t n, bool to_head, bool ended)
{
    bool has_none;

    if (!read_head(m, p, n))
        return;
    if (strncmp(p, "HTTP/1.1 ", 9) != 0 || p[12] != ' ')
        m->fault = "status line";
    else
        m->status = (unsigned)atoi(p + 9);
    has_none = to_head || m->status < 200 || m->status == 204 || m->status == 304;
    if (!has_none && m->framing == FRAMED_NONE)
        m->framing = FRAMED_BY_END;
    read_body(m, p, n, has_none, ended);
}

/* --- the play: one case and its two sides --- */

struct client {
    int fd; /* -1: none */
    struct text out;
    size_t sent;
    bool shuts;
    bool first_is_head;
    struct text in;
    bool has_ended;
    bool was_reset;
    size_t n_responses;        /* whole ones, interim ones among them */
    size_t n_read;             /* bytes of these */
    struct message *responses; /* the last may be cut */
    size_t *starts;            /* of their heads in `in` */
};

struct seen {
    struct text head;
    struct text body;
    enum framing framing;
    bool is_whole;
    bool is_broken;
    const char *fault;
};

struct conn {
    int fd;
    struct text in;
    size_t at;
    struct seen *request; /* that is being read; NULL: none, or the fence */
    bool has_begun;
    bool is_answered;
    bool is_tunnel;
};

struct play {
    const struct test_case *c;
    unsigned fence;
    struct client client;
    struct client fence_client;
    struct conn conns[CONNS_MAX];
    size_t n_conns;
    struct conn *last; /* that has answered the case */
    struct seen seen[REQUESTS_MAX];
    size_t n_seen;
};

static int proxy_fd;
static int proxy_port;
static int server_fd;
static int server_port;

static int listen_on_loopback(int *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, n) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &n) < 0)
        die("listen");
    *port = ntohs(addr.sin_port);
    return fd;
}

static void client_connect(struct client *c)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)proxy_port),
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int one = 1;

    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    c->responses = calloc(RESPONSES_MAX, sizeof(*c->responses));
    c->starts = calloc(RESPONSES_MAX, sizeof(*c->starts));
    if (c->fd < 0 || c->responses == NULL || c->starts == NULL ||
        connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    for (size_t i = 0; c->responses != NULL && i < RESPONSES_MAX; i++)
        text_reset(&c->responses[i].body);
    free(c->responses);
    free(c->starts);
    text_reset(&c->out);
    text_reset(&c->in);
    *c = (struct client){.fd = -1};
}

static bool client_wants_to_send(const struct client *c)
{
    return c->fd >= 0 && c->sent < c->out.n;
}

static void client_send(struct client *c)
{
    while (client_wants_to_send(c)) {
        ssize_t n =
            send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        /* The proxy may have stopped reading: what it has to say is still read. */
        c->sent = n < 0 ? c->out.n : c->sent + (size_t)n;
    }
    if (c->fd >= 0 && c->shuts && c->sent == c->out.n) {
        shutdown(c->fd, SHUT_WR);
        c->shuts = false;
    }
}

/* Read the responses that are there; a cut one stands behind the whole ones. */
static void client_parse(struct client *c)
{
    while (c->n_responses + 1 < RESPONSES_MAX) {
        struct message *m = &c->responses[c->n_responses];
        const char *p = c->in.p + c->n_read;
        bool to_head = c->first_is_head;

        for (size_t i = 0; i < c->n_responses; i++)
            to_head &= c->responses[i].status < 200;
        if (c->n_responses > 0 && m[-1].status == 101)
            return;
        text_reset(&m->body);
        read_response(m, p, c->in.n - c->n_read, to_head, c->has_ended && !c->was_reset);
        c->starts[c->n_responses] = c->n_read;
        if (!m->is_whole || m->fault != NULL)
            return;
        c->n_read += m->n;
        c->n_responses++;
    }
}

static void client_receive(struct client *c)
{
    char bytes[65536];
    ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        c->has_ended = true;
        c->was_reset = n < 0;
    } else {
        text_add(&c->in, bytes, (size_t)n);
    }
    client_parse(c);
}

static void conn_close(struct conn *conn, bool resets)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    if (conn->request != NULL && !conn->request->is_whole)
        conn->request->is_broken = true;
    if (resets)
        setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(conn->fd);
    text_reset(&conn->in);
    conn->fd = -1;
    conn->request = NULL;
}

static void conn_send(struct conn *conn, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(conn->fd, p, n, MSG_NOSIGNAL);

        if (sent <= 0)
            return; /* the proxy is gone: it will be seen by what it does */
        p += sent;
        n -= (size_t)sent;
    }
}

static void send_text(struct conn *conn, const struct text *t)
{
    conn_send(conn, t->p, t->n);
}

/* The answer that says whose it is: its body is the target. */
static void answer_plainly(struct conn *conn, const char *target, size_t n)
{
    struct text t = {.n = 0};

    text_print(&t, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
    if (strncmp(conn->in.p + conn->at, "HEAD ", 5) != 0)
        text_add(&t, target, n);
    send_text(conn, &t);
    text_reset(&t);
}

static void conn_answer(struct play *play, struct conn *conn)
{
    const struct test_case *c = play->c;
    const char *target = strchr(conn->in.p + conn->at, ' ');
    size_t n = target == NULL ? 0 : strcspn(target + 1, " \r");

    conn->is_answered = true;
    if (conn->request == NULL || !c->has_answer) {
        answer_plainly(conn, target == NULL ? "" : target + 1, n);
        return;
    }
    play->last = conn;
    send_text(conn, &c->answer);
    conn->is_tunnel = memmem(c->answer.p, c->answer.n, "HTTP/1.1 101", 12) != NULL;
}

static void conn_begin(struct play *play, struct conn *conn, const struct message *m)
{
    const char *head = conn->in.p + conn->at;
    const char *value;

    conn->has_begun = true;
    conn->is_answered = false;
    conn->request = NULL;
    if (memmem(head, m->head_n, " /fence/", 8) != NULL)
        return;
    if (play->n_seen == REQUESTS_MAX) {
        conn_close(conn, false);
        return;
    }
    conn->request = &play->seen[play->n_seen++];
    text_add(&conn->request->head, head, m->head_n);
    conn->request->framing = m->framing;
    if (play->c->is_early) {
        conn_answer(play, conn);
        if (play->c->end != SERVER_STAYS)
            conn_close(conn, play->c->end == SERVER_RESETS);
    } else if (find_field(head, m->head_n, "Expect", &value) > 0) {
        conn_send(conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
}

static void conn_finish(struct play *play, struct conn *conn, const struct message *m)
{
    const struct test_case *c = play->c;
    bool is_the_cases = conn->request != NULL;

    if (conn->request != NULL) {
        text_add(&conn->request->body, m->body.p, m->body.n);
        conn->request->is_whole = true;
    }
    if (!conn->is_answered)
        conn_answer(play, conn);
    else
        send_text(conn, &c->final);
    conn->at += m->n;
    conn->has_begun = false;
    conn->request = NULL;
    if (is_the_cases && c->end != SERVER_STAYS)
        conn_close(conn, c->end == SERVER_RESETS);
}

static void conn_serve(struct play *play, struct conn *conn)
{
    while (conn->fd >= 0 && conn->at < conn->in.n) {
        const char *p = conn->in.p + conn->at;
        struct message m;

        if (conn->is_tunnel) {
            conn_send(conn, p, conn->in.n - conn->at);
            conn->at = conn->in.n;
            return;
        }
        read_request(&m, p, conn->in.n - conn->at);
        if (m.head_n > 0 && !conn->has_begun)
            conn_begin(play, conn, &m);
        if (conn->request != NULL && m.fault != NULL)
            conn->request->fault = m.fault;
        if (conn->fd >= 0 && m.is_whole)
            conn_finish(play, conn, &m);
        text_reset(&m.body);
        if (!m.is_whole)
            return;
    }
}

static void conn_receive(struct play *play, struct conn *conn)
{
    char bytes[65536];
    ssize_t n = recv(conn->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        conn_close(conn, false);
        return;
    }
    text_add(&conn->in, bytes, (size_t)n);
    conn_serve(play, conn);
}

static void server_accept(struct play *play)
{
    struct timeval limit = {.tv_sec = WAIT_MS / 1000};
    int one = 1;
    int fd = accept4(server_fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (play->n_conns == CONNS_MAX) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    play->conns[play->n_conns++] = (struct conn){.fd = fd};
}

/* Let both sides do what they can; wait for at most so long until one can do anything. */
static void play_once(struct play *play, int wait_ms)
{
    struct client *clients[] = {&play->client, &play->fence_client};
    struct pollfd fds[3 + CONNS_MAX];
    size_t n_conns = play->n_conns;

    for (size_t i = 0; i < 2; i++)
        fds[i] = (struct pollfd){
            .fd = clients[i]->has_ended ? -1 : clients[i]->fd,
            .events = (short)(POLLIN | (client_wants_to_send(clients[i]) ? POLLOUT : 0)),
        };
    fds[2] = (struct pollfd){.fd = server_fd, .events = POLLIN};
    for (size_t i = 0; i < n_conns; i++)
        fds[3 + i] = (struct pollfd){.fd = play->conns[i].fd, .events = POLLIN};
    if (poll(fds, 3 + n_conns, wait_ms) <= 0)
        return;
    for (size_t i = 0; i < n_conns; i++)
        if (fds[3 + i].revents != 0)
            conn_receive(play, &play->conns[i]);
    if (fds[2].revents != 0)
        server_accept(play);
    for (size_t i = 0; i < 2; i++) {
        if (fds[i].revents & POLLOUT)
            client_send(clients[i]);
        if (fds[i].revents & ~POLLOUT)
            client_receive(clients[i]);
    }
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Play on until the client has n whole responses, or its connection has ended. */
static bool play_until_responses(struct play *play, struct client *c, size_t n)
{
    int64_t end = now_ms() + WAIT_MS;

    while (c->n_responses < n && !c->has_ended && now_ms() < end)
        play_once(play, (int)(end - now_ms()));
    return c->n_responses >= n;
}

static void play_until_end(struct play *play, struct client *c)
{
    int64_t end = now_ms() + WAIT_MS;

    while (!c->has_ended && now_ms() < end)
        play_once(play, (int)(end - now_ms()));
}

/* Each request that has reached the server is whole, or its connection is closed. */
static bool requests_are_settled(const struct play *play)
{
    for (size_t i = 0; i < play->n_seen; i++)
        if (!play->seen[i].is_whole && !play->seen[i].is_broken)
            return false;
    return true;
}

static void play_until_settled(struct play *play)
{
    int64_t end = now_ms() + WAIT_MS;

    while (!requests_are_settled(play) && now_ms() < end)
        play_once(play, (int)(end - now_ms()));
}

static void client_say(struct client *c, const void *p, size_t n)
{
    text_add(&c->out, p, n);
    client_send(c);
}

static void client_ask_fence(struct client *c, unsigned fence)
{
    char text[100];

    client_say(c, text,
               (size_t)snprintf(text, sizeof(text), "GET /fence/%u HTTP/1.1\r\nHost: fence\r\n\r\n",
                                fence));
}

static bool is_fence(const struct message *m, unsigned fence)
{
    char text[32];

    snprintf(text, sizeof(text), "/fence/%u", fence);
    return m->is_whole && m->status == 200 && m->body.n == strlen(text) &&
           memcmp(m->body.p, text, m->body.n) == 0;
}

/* The statuses that the case names, and the word at its end. */
static size_t wanted_responses(const struct test_case *c, const char **ending)
{
    size_t n = 0;

    *ending = "";
    for (size_t i = 0; i < c->n_checks; i++) {
        const char *at = c->checks[i].wanted;

        if (c->checks[i].kind != CHECK_EXPECT)
            continue;
        for (; *at != '\0'; at += strspn(at, " ")) {
            size_t word_n = strcspn(at, " ");
            const char *star = memchr(at, '*', word_n);

            if (at[word_n] == '\0')
                *ending = at;
            else if (strncmp(at, "none", 4) != 0)
                n += star == NULL ? 1 : strtoul(star + 1, NULL, 10);
            at += word_n;
        }
    }
    return n;
}

/* The bytes that come back through a tunnel. */
static bool tunnel_echoes(struct play *play)
{
    struct client *c = &play->client;
    int64_t end = now_ms() + WAIT_MS;

    client_say(c, "echo", 4);
    while (c->in.n < c->n_read + 4 && !c->has_ended && now_ms() < end)
        play_once(play, (int)(end - now_ms()));
    return c->in.n == c->n_read + 4 && memcmp(c->in.p + c->n_read, "echo", 4) == 0;
}

/* What becomes of the client's connection, once it has n responses; returned as the case's word. */
static const char *find_ending(struct play *play, const char *wanted, size_t n)
{
    struct client *c = &play->client;

    if (strcmp(wanted, "tunnels") == 0 && tunnel_echoes(play))
        return "tunnels";
    if (strcmp(wanted, "serves") == 0 && !c->has_ended) {
        client_ask_fence(c, play->fence);
        if (play_until_responses(play, c, n + 1) && is_fence(&c->responses[n], play->fence)) {
            c->n_responses = n;
            return "serves";
        }
    } else if (strcmp(wanted, "broken") == 0 && n > 0 && c->n_responses == n &&
               c->responses[n - 1].status == 502) {
        return "replaced";
    } else {
        play_until_end(play, c);
    }
    if (!c->has_ended)
        return "stays";
    if (c->n_read < c->in.n)
        return "breaks";
    return c->was_reset ? "is-reset" : "closes";
}

static void play_responses(struct play *play, size_t n)
{
    const struct test_case *c = play->c;

    client_say(&play->client, c->send.p, c->send.n);
    if (c->then.n > 0 && play_until_responses(play, &play->client, 1)) {
        play->client.shuts = c->shuts;
        client_say(&play->client, c->then.p, c->then.n);
    }
    play_until_responses(play, &play->client, n);
    if (c->late.n > 0 && play->last != NULL && play->last->fd >= 0)
        send_text(play->last, &c->late);
}

/* Play the case; *ending is what became of the client's connection. False: the fence was not
 * served. */
static bool play_case(struct play *play, const char **ending)
{
    const char *wanted;
    size_t n = wanted_responses(play->c, &wanted);
    bool ok;

    client_connect(&play->client);
    play->client.first_is_head = play->c->send.n > 5 && memcmp(play->c->send.p, "HEAD ", 5) == 0;
    play->client.shuts = play->c->shuts && play->c->then.n == 0;
    play_responses(play, n);
    *ending = find_ending(play, wanted, n);
    if (strcmp(*ending, "serves") == 0)
        return true;
    if (play->client.has_ended || strcmp(*ending, "tunnels") == 0) {
        close(play->client.fd);
        play->client.fd = -1;
    }
    client_connect(&play->fence_client);
    client_ask_fence(&play->fence_client, play->fence);
    ok = play_until_responses(play, &play->fence_client, 1) &&
         is_fence(&play->fence_client.responses[0], play->fence);
    play_until_settled(play);
    return ok;
}

static void play_close(struct play *play)
{
    client_close(&play->client);
    client_close(&play->fence_client);
    for (size_t i = 0; i < play->n_conns; i++)
        if (play->conns[i].fd >= 0)
            conn_close(&play->conns[i], false);
    for (size_t i = 0; i < play->n_seen; i++) {
        text_reset(&play->seen[i].head);
        text_reset(&play->seen[i].body);
    }
}

/* --- what a check finds: the same words as the case's --- */

static void find_statuses(const struct client *c, const char *ending, struct text *got)
{
    bool is_cut = c->responses[c->n_responses].head_n > 0 && c->n_read < c->in.n;
    size_t n = c->n_responses + (is_cut && strcmp(ending, "serves") != 0);

    for (size_t i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && c->responses[i].status == c->responses[i + run].status;)
            run++;
        if (run < 4)
            run = 1;
        text_print(got, run == 1 ? "%u " : "%u*%zu ", c->responses[i].status, run);
        if (c->responses[i].fault != NULL)
            text_print(got, "(%s) ", c->responses[i].fault);
    }
    if (n == 0)
        text_print(got, "none ");
    text_print(got, "%s", ending);
}

/* The last response of the case, whole or cut; NULL: none. */
static const struct message *last_response(const struct client *c, const char *ending)
{
    if (strcmp(ending, "breaks") == 0 && c->responses[c->n_responses].head_n > 0)
        return &c->responses[c->n_responses];
    return c->n_responses == 0 ? NULL : &c->responses[c->n_responses - 1];
}

static void find_bodies(const struct client *c, struct text *got)
{
    for (size_t i = 0; i < c->n_responses; i++)
        if (c->responses[i].status >= 200)
            text_print(got, "%s%.*s", got->n == 0 ? "" : " ", (int)c->responses[i].body.n,
                       c->responses[i].body.p);
}

/* Is the line in the head, whole? */
static bool has_line(const char *head, size_t n, const char *line)
{
    struct text t = {.n = 0};
    bool found;

    text_add(&t, "\r\n", 2);
    unescape(&t, line, line + strlen(line));
    text_add(&t, "\r\n", 2);
    found = memmem(head, n, t.p, t.n) != NULL;
    text_reset(&t);
    return found;
}

/* A line that must be in one of the client's heads, or a name that must be in none. */
static void find_seen(const struct client *c, const struct check *check, const char *ending,
                      struct text *got)
{
    size_t n = c->n_responses + (strcmp(ending, "breaks") == 0);
    const char *value;
    bool found = false;

    for (size_t i = 0; i < n; i++) {
        const struct message *m = &c->responses[i];
        const char *head = c->in.p + c->starts[i];

        if (m->head_n == 0)
            continue;
        found |= check->kind == CHECK_SEEN ? has_line(head, m->head_n, check->wanted)
                                           : find_field(head, m->head_n, check->wanted, &value) > 0;
    }
    if (check->kind == CHECK_UNSEEN)
        text_print(got, found ? "it is there" : "%s", check->wanted);
    else if (found)
        text_print(got, "%s", check->wanted);
    else
        text_add(got, c->in.p, c->in.n);
}

static void find_request(const struct play *play, size_t i, struct text *got)
{
    const struct seen *s = &play->seen[i];

    if (i >= play->n_seen) {
        text_print(got, "nothing");
        return;
    }
    text_add(got, s->head.p, strcspn(s->head.p, "\r"));
    if (got->n > 9 && memcmp(got->p + got->n - 9, " HTTP/1.1", 9) == 0)
        got->n -= 9;
    if (s->fault != NULL)
        text_print(got, " malformed: %s", s->fault);
    else if (!s->is_whole)
        text_print(got, s->is_broken ? " broken" : " unfinished");
    else
        text_print(got, " %s", framing_words[s->framing]);
    if (s->is_whole && s->body.n > 0) {
        text_add(got, " ", 1);
        text_add(got, s->body.p, s->body.n);
    }
}

static void find_in_request(const struct play *play, const struct check *check, struct text *got)
{
    const struct seen *s = &play->seen[check->request];
    const char *value;
    bool is_there = check->request < play->n_seen;

    if (is_there && check->kind == CHECK_HAS && has_line(s->head.p, s->head.n, check->wanted))
        text_print(got, "%s", check->wanted);
    else if (is_there && check->kind == CHECK_LACKS &&
             find_field(s->head.p, s->head.n, check->wanted, &value) == 0)
        text_print(got, "%s", check->wanted);
    else
        text_add(got, s->head.p, s->head.n);
}

static void find_got(const struct play *play, const struct check *check, const char *ending,
                     struct text *got)
{
    const struct message *last = last_response(&play->client, ending);

    switch (check->kind) {
    case CHECK_EXPECT: find_statuses(&play->client, ending, got); break;
    case CHECK_FRAMING:
        text_print(got, "%s", last == NULL ? "" : framing_words[last->framing]);
        break;
    case CHECK_BODY:
        if (last != NULL)
            text_add(got, last->body.p, last->body.n);
        break;
    case CHECK_BODIES: find_bodies(&play->client, got); break;
    case CHECK_SEEN:
    case CHECK_UNSEEN: find_seen(&play->client, check, ending, got); break;
    case CHECK_SERVER: find_request(play, check->request, got); break;
    case CHECK_HAS:
    case CHECK_LACKS: find_in_request(play, check, got); break;
    }
    text_add(got, "", 0);
}

static bool ends_with(const struct text *t, const char *end)
{
    size_t n = strlen(end);

    return t->n >= n && memcmp(t->p + t->n - n, end, n) == 0;
}

/*
 * Are they the same but for `x` in a status, which stands for any digit? `refused` is what a
 * request comes to whose body turns out to be bad: where it was held the server has seen nothing of
 * it, else nothing or a broken part.
 */
static bool is_wanted(const struct check *check, const struct text *wanted, const struct text *got,
                      const char *mode)
{
    bool is_expect = check->kind == CHECK_EXPECT;

    if (check->kind == CHECK_SERVER && strcmp(wanted->p, "refused") == 0)
        return strcmp(got->p, "nothing") == 0 ||
               (strcmp(mode, "hold") != 0 && ends_with(got, " broken"));
    if (is_expect && ends_with(wanted, " broken"))
        return ends_with(got, " breaks") || ends_with(got, " 502 replaced") ||
               strcmp(got->p, "502 replaced") == 0;
    if (wanted->n != got->n)
        return false;
    for (size_t i = 0; i < got->n; i++) {
        bool is_digit = got->p[i] >= '0' && got->p[i] <= '9';

        if (wanted->p[i] != got->p[i] && !(is_expect && wanted->p[i] == 'x' && is_digit))
            return false;
    }
    return true;
}

static void report(const struct test_case *c, const char *what, const struct text *wanted,
                   const struct text *got)
{
    struct text line = {.n = 0};

    text_print(&line, "FAILED: %s (%s): %s: expected '", c->name, c->clause, what);
    text_add_escaped(&line, wanted->p, wanted->n);
    text_print(&line, "', got '");
    text_add_escaped(&line, got->p, got->n);
    text_print(&line, "'");
    puts(line.p);
    text_reset(&line);
}

/* The word `counted` of a request's framing: chunks, or a length where all had come before they
 * left. */
static void read_wanted(const struct check *check, const char *mode, const struct text *got,
                        struct text *wanted)
{
    const char *text = check->wanted;
    const char *word = check->kind == CHECK_SERVER ? strstr(text, " counted") : NULL;

    if (check->kind == CHECK_SEEN || check->kind == CHECK_HAS) {
        text_print(wanted, "%s", text); /* it is unescaped where it is looked for */
        return;
    }
    if (word != NULL) {
        unescape(wanted, text, word);
        text_print(wanted, strcmp(mode, "hold") == 0 || strstr(got->p, " length") != NULL
                               ? " length"
                               : " chunked");
        text = word + strlen(" counted");
    }
    unescape(wanted, text, text + strlen(text));
    text_add(wanted, "", 0);
}

static bool compare(const struct play *play, const char *mode, const char *ending)
{
    const struct test_case *c = play->c;
    bool ok = true;

    for (size_t i = 0; i < c->n_checks; i++) {
        struct text wanted = {.n = 0};
        struct text got = {.n = 0};

        if (strcmp(ending, "replaced") == 0 && c->checks[i].kind != CHECK_EXPECT)
            continue; /* about the response that the client was spared */
        find_got(play, &c->checks[i], ending, &got);
        read_wanted(&c->checks[i], mode, &got, &wanted);
        if (ok && !is_wanted(&c->checks[i], &wanted, &got, mode)) {
            report(c, check_words[c->checks[i].kind], &wanted, &got);
            ok = false;
        }
        text_reset(&wanted);
        text_reset(&got);
    }
    if (ok && c->counts_requests && play->n_seen > c->n_requests) {
        struct text nothing = {.p = "nothing more", .n = 12};
        struct text got = {.n = 0};

        find_request(play, c->n_requests, &got);
        report(c, "server", &nothing, &got);
        text_reset(&got);
        ok = false;
    }
    return ok;
}

/* Fields for one hop that no request may have at the server, unless the case says so. */
static bool requests_are_clean(const struct play *play)
{
    static const char *const names[] = {
        "Keep-Alive",     "Proxy-Connection", "TE", "Trailer", "Proxy",
        "HTTP2-Settings", "Transfer-Coding"};
    struct text none = {.p = "", .n = 0};
    const char *value;

    for (size_t i = 0; i < play->n_seen; i++) {
        const struct text *head = &play->seen[i].head;
        bool ok = find_field(head->p, head->n, "Host", &value) == 1 &&
                  find_field(head->p, head->n, "Connection", &value) ==
                      find_field(head->p, head->n, "Upgrade", &value);

        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
            ok &= find_field(head->p, head->n, names[k], &value) == 0;
        if (!ok) {
            report(play->c, "one Host and no field for one hop at the server", &none, head);
            return false;
        }
    }
    return true;
}

/* --- holdfast --- */

static pid_t holdfast;
static unsigned n_deaths;
static char directory[] = "/tmp/http1_cases.XXXXXX";
static char config[sizeof(directory) + 16];

static void write_config(char **settings, int n_settings)
{
    FILE *f;

    if (mkdtemp(directory) == NULL)
        die("temporary directory");
    snprintf(config, sizeof(config), "%s/holdfast.cfg", directory);
    f = fopen(config, "w");
    if (f == NULL)
        die(config);
    fprintf(f, "global { log stderr level error }\n");
    fprintf(f, "spool main { path %s/spool; reserve 0 }\n", directory);
    fprintf(f, "frontend www {\n    bind fd@%d\n    retry 1\n    hold 1s\n", proxy_fd);
    fprintf(f, "    trusted-proxies (127.0.0.1)\n"); /* what it forwards is seen to be kept */
    for (int i = 0; i < n_settings; i++)
        fprintf(f, "    %s\n", settings[i]);
    fprintf(f, "    route all { use-backend app }\n}\n");
    fprintf(f, "backend app { server app 127.0.0.1:%d }\n", server_port);
    if (fclose(f) != 0)
        die(config);
}

/* It accepts on a socket that listens already: nobody has to wait for it. */
static void start_holdfast(const char *path)
{
    holdfast = fork();
    if (holdfast < 0)
        die("fork");
    if (holdfast > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not outlive this process, whatever ends that */
    execl(path, "holdfast", "-f", config, (char *)NULL);
    die(path);
}

/* Has it ended? Then a new one is started for the cases to come. */
static bool holdfast_lives(const char *path)
{
    int status;

    if (waitpid(holdfast, &status, WNOHANG) == 0)
        return true;
    printf("holdfast has ended with status %d\n", status);
    n_deaths++;
    start_holdfast(path);
    return false;
}

static bool stop_holdfast(void)
{
    int64_t end = now_ms() + WAIT_MS;
    struct timespec pause = {.tv_nsec = 1000000};
    int status;

    kill(holdfast, SIGTERM);
    while (waitpid(holdfast, &status, WNOHANG) == 0) {
        if (now_ms() > end) {
            kill(holdfast, SIGKILL);
            waitpid(holdfast, &status, 0);
            puts("FAILED: holdfast does not end on SIGTERM: a connection or a transaction is left "
                 "over");
            return false;
        }
        nanosleep(&pause, NULL);
    }
    if (status != 0)
        printf("FAILED: holdfast has ended with status %d\n", status);
    return status == 0;
}

static void remove_directory(void)
{
    char command[sizeof(directory) + 16];

    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    if (system(command) != 0)
        die(directory);
}

static bool run_case(const char *path, const struct test_case *c, unsigned number, const char *mode)
{
    struct play play = {.c = c, .fence = number, .client = {.fd = -1}, .fence_client = {.fd = -1}};
    const char *ending = "";
    bool is_fenced = play_case(&play, &ending);
    bool ok = compare(&play, mode, ending) && requests_are_clean(&play);

    if (ok && !is_fenced) {
        struct text wanted = {.p = "served", .n = 6};

        report(c, "the next request", &wanted, &play.fence_client.in);
        ok = false;
    }
    play_close(&play);
    return holdfast_lives(path) && ok;
}

int main(int argc, char **argv)
{
    unsigned n_passed = 0;
    unsigned n_failed = 0;
    const char *mode;

    if (argc < 4) {
        fputs("usage: http1_cases HOLDFAST FILE SETTING...\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    mode = strrchr(argv[3], ' ') == NULL ? argv[3] : strrchr(argv[3], ' ') + 1;
    read_cases(argv[2], mode);
    proxy_fd = listen_on_loopback(&proxy_port);
    server_fd = listen_on_loopback(&server_port);
    fcntl(server_fd, F_SETFD, FD_CLOEXEC);
    write_config(argv + 3, argc - 3);
    start_holdfast(argv[1]);
    for (unsigned i = 0; i < n_cases && n_deaths < DEATHS_MAX; i++) {
        bool ok = run_case(argv[1], &cases[i], i, mode);

        n_passed += ok;
        n_failed += !ok;
    }
    if (!stop_holdfast())
        n_failed++;
    remove_directory();
    printf("%u passed, %u failed\n", n_passed, n_failed);
    return n_failed > 0;
}

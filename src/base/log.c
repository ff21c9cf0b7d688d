/*
 * log - lines for people: the error log and the access logs.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define LOG_MESSAGE_MAX 2000
#define LOG_PIPE_LINE   4096 /* PIPE_BUF: a poll that says "room" promises this much (pipe(7)) */

const char *const log_level_names[LOG_N_LEVELS] = {
    [LOG_DEBUG] = "debug",     [LOG_INFO] = "info",   [LOG_NOTICE] = "notice",
    [LOG_WARNING] = "warning", [LOG_ERROR] = "error",
};

struct log_sink {
    enum log_kind kind;
    int fd;
    bool may_block; /* a pipe, a terminal: asked with poll(2) before each line */
    uint64_t n_lost;
    uint64_t n_reported;
    size_t where_n;
    char where[]; /* NUL-terminated */
};

static struct log_sink stderr_sink = {.kind = LOG_STDERR, .fd = STDERR_FILENO, .may_block = true};

static struct {
    struct log_sink *sink;
    enum log_level least;
    enum log_format format;
} error_log = {.sink = &stderr_sink, .least = LOG_INFO, .format = LOG_TEXT};

static int syslog_connect_unix(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(addr.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(addr.sun_path, path);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int syslog_connect_udp(const char *where)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    const char *colon = strrchr(where, ':');
    char host[64];
    size_t n = colon == NULL ? strlen(where) : (size_t)(colon - where);
    int fd = -1;

    if (n >= 2 && where[0] == '[' && where[n - 1] == ']') {
        where++;
        n -= 2;
    }
    if (n >= sizeof(host)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(host, where, n);
    host[n] = '\0';
    if (getaddrinfo(host, colon == NULL ? "514" : colon + 1, &hints, &found) != 0) {
        errno = EINVAL;
        return -1;
    }
    fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static int sink_connect(enum log_kind kind, const char *where)
{
    switch (kind) {
    case LOG_STDERR: return STDERR_FILENO;
    case LOG_STDOUT: return STDOUT_FILENO;
    case LOG_FILE: return open(where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    case LOG_SYSLOG:
        return where[0] == '/' ? syslog_connect_unix(where) : syslog_connect_udp(where);
    }
    return -1;
}

static bool fd_may_block(int fd)
{
    struct stat st;

    return fstat(fd, &st) != 0 || !S_ISREG(st.st_mode);
}

/* A sink that writes to fd, which is its own from now on; NULL: no memory, or fd is none. */
static struct log_sink *sink_new(enum log_kind kind, struct str where, int fd)
{
    struct log_sink *s = fd < 0 ? NULL : memory_get(sizeof(*s) + where.n + 1);

    if (s == NULL)
        return NULL;
    *s = (struct log_sink){.kind = kind, .fd = fd, .where_n = where.n};
    if (where.n > 0)
        memcpy(s->where, where.p, where.n);
    s->where[where.n] = '\0';
    s->may_block = kind != LOG_SYSLOG && fd_may_block(fd);
    return s;
}

static bool kind_has_own_fd(enum log_kind kind)
{
    return kind == LOG_FILE || kind == LOG_SYSLOG;
}

struct log_sink *log_open(enum log_kind kind, struct str where)
{
    char path[PATH_MAX];
    struct log_sink *s;
    int fd;

    if (where.n >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    if (where.n > 0)
        memcpy(path, where.p, where.n);
    path[where.n] = '\0';
    fd = sink_connect(kind, path);
    s = sink_new(kind, where, fd);
    if (s == NULL && fd >= 0) {
        if (kind_has_own_fd(kind))
            close(fd);
        errno = ENOMEM;
    }
    return s;
}

struct log_sink *log_adopt(enum log_kind kind, struct str where, int fd)
{
    struct log_sink *s;

    if (!kind_has_own_fd(kind))
        return log_open(kind, where);
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    s = sink_new(kind, where, fd);
    if (s == NULL && fd >= 0) {
        close(fd);
        errno = ENOMEM;
    }
    return s;
}

void log_close(struct log_sink *s)
{
    if (s == NULL)
        return;
    if (kind_has_own_fd(s->kind))
        close(s->fd);
    memory_put(s);
}

bool log_is(const struct log_sink *s, enum log_kind kind, struct str where)
{
    return s->kind == kind && str_eq((struct str){s->where, s->where_n}, where);
}

const char *log_name(const struct log_sink *s)
{
    return s->where_n > 0 ? s->where : s->kind == LOG_STDOUT ? "stdout" : "stderr";
}

int log_fd(const struct log_sink *s)
{
    return s->fd;
}

bool log_give(const struct log_sink *s, uid_t uid, gid_t gid)
{
    return s->kind != LOG_FILE || fchown(s->fd, uid, gid) == 0;
}

/* Write to fd, which is the sink's own from now on. */
static bool sink_take(struct log_sink *s, int fd)
{
    if (fd < 0)
        return false;
    close(s->fd);
    s->fd = fd;
    s->may_block = fd_may_block(fd);
    return true;
}

bool log_reopen(struct log_sink *s)
{
    return s->kind != LOG_FILE || sink_take(s, sink_connect(s->kind, s->where));
}

bool log_renew(struct log_sink *s, int fd)
{
    return s->kind != LOG_FILE || sink_take(s, fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

uint64_t log_lost(const struct log_sink *s)
{
    return s->n_lost;
}

static bool sink_has_room(const struct log_sink *s)
{
    struct pollfd ask = {.fd = s->fd, .events = POLLOUT};

    return !s->may_block || (poll(&ask, 1, 0) == 1 && (ask.revents & POLLOUT) != 0);
}

static bool sink_write(struct log_sink *s, struct str line)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)line.p, line.n}, {(void *)(uintptr_t) "\n", 1}};

    if (s->may_block && line.n >= LOG_PIPE_LINE)
        parts[0].iov_len = LOG_PIPE_LINE - 1;
    if (!sink_has_room(s))
        return false;
    return writev(s->fd, parts, 2) > 0;
}

/* RFC 5424 6.2.1: facility daemon (3), severity by level. */
static unsigned syslog_priority(enum log_level level)
{
    static const unsigned severities[LOG_N_LEVELS] = {7, 6, 5, 4, 3};

    return 3 * 8 + severities[level];
}

static bool sink_send(struct log_sink *s, enum log_level level, struct str line)
{
    char head[64];
    int n = snprintf(head, sizeof(head), "<%u>holdfast[%d]: ", syslog_priority(level), getpid());
    struct iovec parts[2] = {{head, (size_t)n}, {(void *)(uintptr_t)line.p, line.n}};

    return writev(s->fd, parts, 2) > 0;
}

static bool sink_put(struct log_sink *s, enum log_level level, struct str line)
{
    return s->kind == LOG_SYSLOG ? sink_send(s, level, line) : sink_write(s, line);
}

void log_line(struct log_sink *s, enum log_level level, struct str line)
{
    if (!sink_put(s, level, line)) {
        s->n_lost++;
        return;
    }
    if (s->n_lost != s->n_reported) {
        uint64_t lost = s->n_lost - s->n_reported;

        s->n_reported = s->n_lost;
        log_message(LOG_WARNING, "log %s: %llu lines were lost: it could not take them",
                    log_name(s), (unsigned long long)lost);
    }
}

void log_use(struct log_sink *s, enum log_level least, enum log_format format)
{
    error_log.sink = s == NULL ? &stderr_sink : s;
    error_log.least = least;
    error_log.format = format;
}

bool log_wants(enum log_level level)
{
    return level >= error_log.least;
}

void log_message(enum log_level level, const char *format, ...)
{
    char message[LOG_MESSAGE_MAX];
    char escaped[2 * LOG_MESSAGE_MAX];
    char line[sizeof(escaped) + 128];
    struct str when;
    va_list args;
    size_t n;
    int length;

    if (!log_wants(level))
        return;
    va_start(args, format);
    length = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (length < 0)
        return;
    n = (size_t)length < sizeof(message) ? (size_t)length : sizeof(message) - 1;

    when = clock_iso8601_text(clock_wall_ms());
    if (error_log.format == LOG_JSON) {
        n = log_escape_json(escaped, sizeof(escaped), (struct str){message, n});
        length = snprintf(line, sizeof(line),
                          "{\"time\":\"%.*s\",\"level\":\"%s\",\"message\":\"%.*s\"}", STR_ARG(when), log_level_names[level], (int)n, escaped);
    } else {
        length = snprintf(line, sizeof(line), "%.*s %s: %.*s", STR_ARG(when),
                          log_level_names[level], (int)n, message);
    }
    if (length > 0)
        log_line(error_log.sink, level, (struct str){line, (size_t)length});
}

static size_t put_escape(char *out, size_t room, const char *text, size_t n)
{
    if (n > room)
        return 0;
    memcpy(out, text, n);
    return n;
}

/* The length of the UTF-8 sequence at s (RFC 3629), or 0 where there is none. */
static size_t utf8_length(struct str s)
{
    const unsigned char *u = (const unsigned char *)s.p;
    size_t n;

    if (u[0] < 0x80)
        return 1;
    n = u[0] > 0xf4 || u[0] < 0xc2 ? 0 : u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    if (n == 0 || n > s.n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
        (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
        return 0;
    return n;
}

size_t log_escape_json(char *out, size_t room, struct str s)
{
    size_t at = 0;

    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = utf8_length(str_slice(s, i, s.n));
        size_t put;

        if (c == '"' || c == '\\') {
            char text[2] = {'\\', (char)c};
            put = put_escape(out + at, room - at, text, 2);
        } else if (c < 0x20 || c == 0x7f || n == 0) {
            char text[8];
            int length = snprintf(text, sizeof(text), "\\u%04x", c);
            put = put_escape(out + at, room - at, text, (size_t)length);
            n = 1;
        } else {
            put = put_escape(out + at, room - at, s.p + i, n);
        }
        if (put == 0)
            break;
        at += put;
        i += n;
    }
    return at;
}

size_t log_escape_text(char *out, size_t room, struct str s)
{
    size_t at = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        char text[8];
        size_t put;

        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') {
            int length = snprintf(text, sizeof(text), "\\x%02x", c);
            put = put_escape(out + at, room - at, text, (size_t)length);
        } else {
            put = put_escape(out + at, room - at, s.p + i, 1);
        }
        if (put == 0)
            break;
        at += put;
    }
    return at;
}

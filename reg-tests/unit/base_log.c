/*
 * base_log - escapes, whole lines, lines that are lost and counted, and reopening.
 */
#include "base/log.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[64];
static char path[128];
static char got[1 << 17];

static void make_dir(void)
{
    strcpy(dir, "/tmp/holdfast-unit-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/log", dir);
}

static void remove_dir(void)
{
    unlink(path);
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static struct str read_some(int fd)
{
    ssize_t n = read(fd, got, sizeof(got));

    return (struct str){got, n < 0 ? 0 : (size_t)n};
}

static struct str read_file(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct str s;

    if (fd < 0)
        return STR_EMPTY;
    s = read_some(fd);
    close(fd);
    return s;
}

static struct str escaped(size_t (*escape)(char *, size_t, struct str), size_t room, struct str s)
{
    static char out[256];

    return (struct str){out, escape(out, room, s)};
}

static void text_escapes(void)
{
    CU_ASSERT(str_eq(escaped(log_escape_text, 256, STR("a b~")), STR("a b~")));
    CU_ASSERT(str_eq(escaped(log_escape_text, 256, STR("\"\\\r\n\0\x7f\x80\xff")),
                     STR("\\x22\\x5c\\x0d\\x0a\\x00\\x7f\\x80\\xff")));
    CU_ASSERT(str_eq(escaped(log_escape_text, 3, STR("a\nb")), STR("a")));
    CU_ASSERT(str_eq(escaped(log_escape_text, 5, STR("a\nb")), STR("a\\x0a")));
    CU_ASSERT_EQUAL(escaped(log_escape_text, 0, STR("a")).n, 0);
    CU_ASSERT_EQUAL(escaped(log_escape_text, 256, STR_EMPTY).n, 0);
}

static void json_escapes(void)
{
    CU_ASSERT(str_eq(escaped(log_escape_json, 256, STR("a\"b\\c")), STR("a\\\"b\\\\c")));
    CU_ASSERT(str_eq(escaped(log_escape_json, 256, STR("\n\0\x1f\x7f")),
                     STR("\\u000a\\u0000\\u001f\\u007f")));
    CU_ASSERT(str_eq(escaped(log_escape_json, 256, STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")),
                     STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    CU_ASSERT(str_eq(escaped(log_escape_json, 7, STR("a\n")), STR("a\\u000a")));
    CU_ASSERT(str_eq(escaped(log_escape_json, 6, STR("a\n")), STR("a")));
    CU_ASSERT(str_eq(escaped(log_escape_json, 2, STR("a\xc3\xa9")), STR("a")));
}

/* RFC 3629: overlong forms, surrogates, beyond U+10FFFF, cut sequences. */
static void what_is_not_utf8_is_escaped(void)
{
    static const char *const bad[] = {
        "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98",
        "\xc3(",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct str s = escaped(log_escape_json, 256, str_of(bad[i]));

        CU_ASSERT(str_starts_with(s, STR("\\u00")));
        for (size_t j = 0; j < s.n; j++)
            CU_ASSERT((unsigned char)s.p[j] < 0x80);
    }
}

static void lines_go_to_the_file(void)
{
    struct log_sink *s;
    struct stat st;

    make_dir();
    s = log_open(LOG_FILE, str_of(path));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT(log_is(s, LOG_FILE, str_of(path)));
    CU_ASSERT(!log_is(s, LOG_FILE, STR("/else")));
    CU_ASSERT(!log_is(s, LOG_SYSLOG, str_of(path)));
    log_line(s, LOG_INFO, STR("one"));
    log_line(s, LOG_INFO, STR_EMPTY);
    log_line(s, LOG_INFO, STR("three"));
    CU_ASSERT(str_eq(read_file(path), STR("one\n\nthree\n")));
    CU_ASSERT_EQUAL(log_lost(s), 0);
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 0137) == 0);
    log_close(s);
    s = log_open(LOG_FILE, str_of(path));
    log_line(s, LOG_INFO, STR("four"));
    CU_ASSERT(str_eq(read_file(path), STR("one\n\nthree\nfour\n")));
    log_close(s);
    log_close(NULL);
    remove_dir();
}

static void reopening_follows_a_rename(void)
{
    char old[160];
    struct log_sink *s;

    make_dir();
    snprintf(old, sizeof(old), "%s.1", path);
    s = log_open(LOG_FILE, str_of(path));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    log_line(s, LOG_INFO, STR("old"));
    CU_ASSERT_EQUAL(rename(path, old), 0);
    log_line(s, LOG_INFO, STR("still old"));
    CU_ASSERT(log_reopen(s));
    log_line(s, LOG_INFO, STR("new"));
    CU_ASSERT(str_eq(read_file(old), STR("old\nstill old\n")));
    CU_ASSERT(str_eq(read_file(path), STR("new\n")));
    log_close(s);
    unlink(old);
    remove_dir();
}

static void failed_reopening_keeps_the_old_file(void)
{
    char moved[96];
    char inside[160];
    struct log_sink *s;

    make_dir();
    snprintf(moved, sizeof(moved), "%s.away", dir);
    snprintf(inside, sizeof(inside), "%s/log", moved);
    s = log_open(LOG_FILE, str_of(path));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(rename(dir, moved), 0);
    CU_ASSERT(!log_reopen(s));
    log_line(s, LOG_INFO, STR("kept"));
    CU_ASSERT(str_eq(read_file(inside), STR("kept\n")));
    log_close(s);
    CU_ASSERT_EQUAL(rename(moved, dir), 0);
    remove_dir();
}

static void what_cannot_be_opened_says_why(void)
{
    errno = 0;
    CU_ASSERT_PTR_NULL(log_open(LOG_FILE, STR("/nowhere/at/all")));
    CU_ASSERT_EQUAL(errno, ENOENT);
    CU_ASSERT_PTR_NULL(log_open(LOG_SYSLOG, STR("/nowhere/at/all")));
    CU_ASSERT_EQUAL(errno, ENOENT);
    CU_ASSERT_PTR_NULL(log_open(LOG_SYSLOG, STR("not-an-address:514")));
    CU_ASSERT_EQUAL(errno, EINVAL);
}

/* A full fifo: lines are lost and counted, nobody waits, and the first that goes through tells. */
static void lost_lines_are_counted_and_told(void)
{
    static char line[1000];
    struct log_sink *s;
    struct log_sink *errors;
    char told[160];
    struct str text;
    uint64_t lost;
    int reader;

    make_dir();
    snprintf(told, sizeof(told), "%s/errors", dir);
    CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
    reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    s = log_open(LOG_FILE, str_of(path));
    errors = log_open(LOG_FILE, str_of(told));
    CU_ASSERT_FATAL(s != NULL && errors != NULL);
    log_use(errors, LOG_INFO, LOG_TEXT);
    memset(line, 'x', sizeof(line));
    for (unsigned i = 0; i < 200 && log_lost(s) < 5; i++)
        log_line(s, LOG_INFO, (struct str){line, sizeof(line)});
    lost = log_lost(s);
    CU_ASSERT_EQUAL(lost, 5);
    CU_ASSERT_EQUAL(read_file(told).n, 0);
    text = read_some(reader);
    CU_ASSERT(text.n > 0 && text.n % (sizeof(line) + 1) == 0); /* whole lines alone */
    log_line(s, LOG_INFO, STR("through"));
    log_line(s, LOG_INFO, STR("again"));
    CU_ASSERT_EQUAL(log_lost(s), lost);
    text = read_file(told);
    CU_ASSERT(str_contains(text, STR(" 5 lines were lost")));
    CU_ASSERT_PTR_EQUAL(memchr(text.p, '\n', text.n), text.p + text.n - 1); /* told once */
    log_use(NULL, LOG_INFO, LOG_TEXT);
    log_close(errors);
    log_close(s);
    close(reader);
    unlink(told);
    remove_dir();
}

/* A line that a pipe could take only in parts would be mixed with others: it is cut. */
static void a_pipe_gets_lines_of_at_most_4096(void)
{
    static char line[9000];
    struct log_sink *s;
    struct str text;
    int reader;

    make_dir();
    CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
    reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    s = log_open(LOG_FILE, str_of(path));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    memset(line, 'x', sizeof(line));
    log_line(s, LOG_INFO, (struct str){line, sizeof(line)});
    text = read_some(reader);
    CU_ASSERT_EQUAL(text.n, 4096);
    CU_ASSERT_EQUAL(text.p[4095], '\n');
    log_close(s);
    close(reader);
    remove_dir();
}

static void error_log_has_levels_and_forms(void)
{
    struct log_sink *s;
    struct str text;

    make_dir();
    s = log_open(LOG_FILE, str_of(path));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    log_use(s, LOG_WARNING, LOG_TEXT);
    CU_ASSERT(log_wants(LOG_WARNING) && log_wants(LOG_ERROR) && !log_wants(LOG_NOTICE));
    log_message(LOG_NOTICE, "unseen");
    log_message(LOG_ERROR, "seen %d", 7);
    text = read_file(path);
    CU_ASSERT(str_ends_with(text, STR(" error: seen 7\n")) && !str_contains(text, STR("unseen")));
    log_use(s, LOG_DEBUG, LOG_JSON);
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    log_message(LOG_DEBUG, "a \"b\"\n%s", "\xff");
    text = read_file(path);
    CU_ASSERT(str_starts_with(text, STR("{\"time\":\"")));
    CU_ASSERT(str_ends_with(
        text, STR("\",\"level\":\"debug\",\"message\":\"a \\\"b\\\"\\u000a\\u00ff\"}\n")));
    log_use(NULL, LOG_INFO, LOG_TEXT);
    log_close(s);
    remove_dir();
}

static void messages_are_cut(void)
{
    static char long_text[9000];
    struct log_sink *s;
    struct str text;

    make_dir();
    s = log_open(LOG_FILE, str_of(path));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    memset(long_text, '\n', sizeof(long_text) - 1);
    log_use(s, LOG_INFO, LOG_JSON);
    log_message(LOG_INFO, "%s", long_text);
    text = read_file(path);
    CU_ASSERT(str_ends_with(text, STR("\\u000a\"}\n")));
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    memset(long_text, 'x', sizeof(long_text) - 1);
    log_use(s, LOG_INFO, LOG_TEXT);
    log_message(LOG_INFO, "%s", long_text);
    text = read_file(path);
    CU_ASSERT(text.n > 1990 && text.n < 2060);
    log_use(NULL, LOG_INFO, LOG_TEXT);
    log_close(s);
    remove_dir();
}

/* RFC 5424 6.2.1: facility 3, severities 7 to 3. */
static void syslog_gets_datagrams_with_priority(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char wanted[64];
    struct log_sink *s;
    int fd;

    make_dir();
    strcpy(addr.sun_path, path);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    s = log_open(LOG_SYSLOG, str_of(path));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    log_line(s, LOG_ERROR, STR("bad"));
    snprintf(wanted, sizeof(wanted), "<27>holdfast[%d]: bad", getpid());
    CU_ASSERT(str_eq(read_some(fd), str_of(wanted)));
    log_line(s, LOG_DEBUG, STR("fine"));
    snprintf(wanted, sizeof(wanted), "<31>holdfast[%d]: fine", getpid());
    CU_ASSERT(str_eq(read_some(fd), str_of(wanted)));
    for (unsigned i = 0; i < 5000 && log_lost(s) == 0; i++)
        log_line(s, LOG_INFO, STR("full"));
    CU_ASSERT_EQUAL(log_lost(s), 1);
    log_close(s);
    close(fd);
    remove_dir();
}

UNIT_SUITE(base_log)
{
    UNIT_TEST(text_escapes);
    UNIT_TEST(json_escapes);
    UNIT_TEST(what_is_not_utf8_is_escaped);
    UNIT_TEST(lines_go_to_the_file);
    UNIT_TEST(reopening_follows_a_rename);
    UNIT_TEST(failed_reopening_keeps_the_old_file);
    UNIT_TEST(what_cannot_be_opened_says_why);
    UNIT_TEST(lost_lines_are_counted_and_told);
    UNIT_TEST(a_pipe_gets_lines_of_at_most_4096);
    UNIT_TEST(error_log_has_levels_and_forms);
    UNIT_TEST(messages_are_cut);
    UNIT_TEST(syslog_gets_datagrams_with_priority);
}

/*
 * log - lines for people: the error log and the access logs.
 *
 * A sink takes whole lines and never blocks the caller: a file is written at once; a pipe or
 * terminal only while it has room; syslog is one datagram. A line that finds no room is lost and
 * counted, and the count is reported by the sink's next line that goes through.
 *
 * The error log is one of the two mutable globals of the program (panic's sink is the other).
 */
#ifndef HOLDFAST_BASE_LOG_H
#define HOLDFAST_BASE_LOG_H

#include "base/str.h"

#include <sys/types.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERROR, LOG_N_LEVELS };

/* The words of the configuration: debug info notice warning error. */
extern const char *const log_level_names[LOG_N_LEVELS];

enum log_kind { LOG_STDERR, LOG_STDOUT, LOG_FILE, LOG_SYSLOG };

/* How a line of the error log is wrapped. An access log's lines are its template's. */
enum log_format { LOG_TEXT, LOG_JSON };

struct log_sink;

/*
 * Open a sink. `where` is a path for LOG_FILE (created 0640, appended to), and for LOG_SYSLOG a
 * path to a datagram socket (/dev/log) or ADDRESS:PORT for UDP; else ignored. Returns NULL with
 * errno set. Close with log_close.
 */
struct log_sink *log_open(enum log_kind kind, struct str where);
void log_close(struct log_sink *s);

/*
 * A sink of that kind and place which another process has opened: fd is copied and stays the
 * caller's (for LOG_STDERR and LOG_STDOUT it is not looked at). NULL with errno set.
 */
struct log_sink *log_adopt(enum log_kind kind, struct str where, int fd);

/* Write to a copy of fd from now on: another process has opened the file anew. Returns success. */
bool log_renew(struct log_sink *s, int fd);

/* Is this sink of that kind and place? A reload keeps sinks that are still named. */
bool log_is(const struct log_sink *s, enum log_kind kind, struct str where);

/* What the sink is called in messages: its path or address, or `stderr`, `stdout`. */
const char *log_name(const struct log_sink *s);

/* The sink's descriptor, for what must be written without it (a panic). */
int log_fd(const struct log_sink *s);

/* Give a file to a user, so that it can be opened anew when we are that user. False with errno. */
bool log_give(const struct log_sink *s, uid_t uid, gid_t gid);

/* Open a file's path anew (after logrotate). On failure the old descriptor stays. Returns
 * success. */
bool log_reopen(struct log_sink *s);

/*
 * Write one line, without its line end. Never blocks but on a disk. The level is used by syslog
 * alone (facility daemon).
 */
void log_line(struct log_sink *s, enum log_level level, struct str line);

/* Lines lost so far because the sink could not take them. */
uint64_t log_lost(const struct log_sink *s);

/*
 * Where log_message goes from now on; the start is standard error, text, from LOG_INFO up. The sink
 * stays the caller's and must outlive its use here.
 */
void log_use(struct log_sink *s, enum log_level least, enum log_format format);

/* One line to the error log: time, level, message as printf(3), cut at 2,000 bytes. */
void log_message(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Would a message of this level be written? */
bool log_wants(enum log_level level);

/*
 * Write s as the inside of a JSON string (quotes, controls and bytes that are not UTF-8 escaped)
 * into out, as much as fits room without cutting an escape. Returns the length.
 */
size_t log_escape_json(char *out, size_t room, struct str s);

/* As log_escape_json, for text logs: controls, quotes, backslashes and bytes over 0x7e as \xHH. */
size_t log_escape_text(char *out, size_t room, struct str s);

#endif

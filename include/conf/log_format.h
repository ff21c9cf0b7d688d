/*
 * log_format - the lines of access logs: ours, and those of `log-format`.
 */
#ifndef HOLDFAST_CONF_LOG_FORMAT_H
#define HOLDFAST_CONF_LOG_FORMAT_H

#include "conf/check.h"
#include "conf/config.h"

/* The name of the format where an `access-log` names none. */
#define LOG_FORMAT_DEFAULT "default"

/* Note a `log-format` that has passed the checker; the name of one of ours is reported. */
void log_format_add(struct compile *c, const struct setting *s);

/*
 * The format that an argument of type FORMAT asks for (NULL: the default one), in c's keeping: one
 * of ours, one of the file, or the text itself. NULL: there is none of this name, as reported.
 */
const struct config_log_format *log_format_find(struct compile *c, const struct arg *arg);

/* The format that a `log-format` made. NULL: none, as reported. */
const struct config_log_format *log_format_of(const struct compile *c, const struct setting *s);

/* Was the format of this setting asked for? */
bool log_format_is_used(const struct compile *c, const struct setting *s);

/* The names and texts of ours, for the manual. False: there are no more. */
bool log_format_row(size_t i, const char **name, const char **text);

#endif

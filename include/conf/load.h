/*
 * load - the whole compiler: a path in, a configuration or its faults out.
 */
#ifndef HOLDFAST_CONF_LOAD_H
#define HOLDFAST_CONF_LOAD_H

#include "conf/config.h"
#include "conf/diag.h"
#include "conf/files.h"

/* Includes within includes. */
#define LOAD_INCLUDE_MAX 16

/*
 * Read the file at path and all that it includes, and compile them. Asks the world only through
 * `files` and touches no live object. May block: it reads files and resolves names.
 *
 * Returns a config with one reference, the caller's; NULL if there was any error. Errors, and
 * warnings in either case, are in diags, which must be new and may be kept as long as one likes.
 */
struct config *config_load(const char *path, const struct files *files, struct diags *diags);

/* The same, with the origins of each policy, for `explain`: they take more memory than the rest. */
struct config *config_load_explained(const char *path, const struct files *files,
                                     struct diags *diags);

/*
 * The path of `pid-file` in the configuration at path, NUL-terminated in `pid_path` (of `room` bytes):
 * errors elsewhere in it do not matter. False: it has none, or is so wrong that nobody can tell;
 * what is wrong is in diags, which must be new.
 */
bool config_pid_file(const char *path, const struct files *files, struct diags *diags,
                     char *pid_path, size_t room);

#endif

/*
 * tools - what the program does with a configuration besides running it. Each returns an exit
 * status: 0, or 1 where something is wrong, which has been said on standard error.
 */
#ifndef HOLDFAST_PROC_TOOLS_H
#define HOLDFAST_PROC_TOOLS_H

#include "conf/config.h"
#include "conf/files.h"
#include "proc/options.h"

/*
 * Compile the file of -f; all that there is to say about it goes to standard error. One reference,
 * the caller's; NULL if there was any error, or with --strict any warning.
 */
struct config *tools_compile(const struct options *o, const struct files *files);

/* `-c`: compile the file and say whether it is valid. */
int tools_check(const struct options *o);

/* `keywords`: print the language and the command line as one JSON object (doc/keywords.md). */
int tools_keywords(void);

/* `dump`: compile the file and print it after inheritance. */
int tools_dump(const struct options *o);

#endif

/*
 * fmt_tool - the canonical layout of files: printed, asked for, shown as a difference, or written.
 *
 * Each file is read for itself. One that has faults is reported and left as it is, and the next one
 * is looked at.
 *
 * Limits: a file that is written is replaced by a new one of the same owner and mode; hard links to
 * the old one keep the old text.
 */
#ifndef HOLDFAST_PROC_FMT_TOOL_H
#define HOLDFAST_PROC_FMT_TOOL_H

#include "proc/options.h"

/*
 * `fmt`. Returns the exit status: 0; 1 where a file could not be read, laid out or written, or with
 * --check is not in this layout; 2 where the command line makes no sense.
 */
int fmt_tool(const struct options *o);

#endif

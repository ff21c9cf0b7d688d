/*
 * diff - two texts beside each other, line by line, in the unified form of diff(1) and patch(1).
 *
 * The shortest way from one to the other is found (Myers, "An O(ND) difference algorithm") as long
 * as it is short; of texts that have little in common each stretch of EDITS_MAX edits is the best
 * that could be found for itself, so that time grows with the length of the texts alone.
 */
#ifndef HOLDFAST_PROC_DIFF_H
#define HOLDFAST_PROC_DIFF_H

#include "base/arena.h"

#include <stdio.h>

/*
 * Print what leads from before to after, both of them called name; nothing where they are the same.
 * Memory is arena's. False: there was not enough.
 */
bool diff_print(FILE *f, const char *name, struct str before, struct str after,
                struct arena *arena);

/* The first line that differs, counted from 1. */
size_t diff_first_line(struct str before, struct str after);

#endif

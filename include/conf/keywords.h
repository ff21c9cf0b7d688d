/*
 * keywords - the whole language as JSON, from the tables that the checker reads.
 *
 * What editors, completions and the manual know of the language they have from here, so none of
 * them falls behind. doc/keywords.md describes the members; their order, and that of the rows, is
 * that of the tables.
 */
#ifndef HOLDFAST_CONF_KEYWORDS_H
#define HOLDFAST_CONF_KEYWORDS_H

#include "base/json.h"

/* Write the members `places` to `log-formats` into the object that is open in j. */
void keywords_write(struct json *j);

#endif

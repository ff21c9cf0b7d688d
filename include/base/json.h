/*
 * json - a JSON text, written as it is made.
 *
 * The writer puts the commas and the line ends; who uses it keeps the order: in an object each
 * value follows its key. The outer two levels have a line for each item, what lies deeper stays on
 * one, so that a row of a table is a line of the text.
 *
 * Limits: JSON_DEPTH_MAX levels. Errors of the stream are the caller's to ask for (ferror).
 */
#ifndef HOLDFAST_BASE_JSON_H
#define HOLDFAST_BASE_JSON_H

#include "base/str.h"

#include <stdio.h>

#define JSON_DEPTH_MAX 8

struct json {
    FILE *out;
    unsigned depth;
    bool has_item[JSON_DEPTH_MAX + 1]; /* of each level that is open: a comma comes first */
    bool has_key;                      /* the next value belongs to a key */
    char close[JSON_DEPTH_MAX + 1];
};

/* A writer to out, which stays the caller's. */
struct json json_start(FILE *out);

/* An object or an array, as a value; json_close ends the innermost, and the text with the last. */
void json_open_object(struct json *j);
void json_open_array(struct json *j);
void json_close(struct json *j);

/* The key of the value that comes next. Keys are ours: they need no escape. */
void json_key(struct json *j, const char *key);

/* Values. The bytes of a text that are not UTF-8 are escaped one by one. */
void json_text(struct json *j, struct str text);
void json_number(struct json *j, uint64_t number);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);

/* A key with a text; NULL becomes null. */
void json_member(struct json *j, const char *key, const char *text);

#endif

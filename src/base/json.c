/*
 * json - a JSON text, written as it is made.
 */
#include "base/json.h"

#include "base/log.h"
#include "base/panic.h"

#define LINES_DEPTH 2  /* levels with a line for each item */
#define PIECE_BYTES 64 /* of a text, escaped at a time */

struct json json_start(FILE *out)
{
    return (struct json){.out = out};
}

static void put_line(struct json *j)
{
    if (j->depth > LINES_DEPTH)
        return;
    fputc('\n', j->out);
    for (unsigned i = 0; i < j->depth; i++)
        fputs("  ", j->out);
}

/* What stands before an item: nothing where it is the value of a key. */
static void put_separator(struct json *j)
{
    if (j->has_key) {
        j->has_key = false;
        return;
    }
    if (j->has_item[j->depth])
        fputs(j->depth > LINES_DEPTH ? ", " : ",", j->out);
    if (j->depth > 0)
        put_line(j);
    j->has_item[j->depth] = true;
}

static void open(struct json *j, char mark, char partner)
{
    assert(j->depth < JSON_DEPTH_MAX);
    put_separator(j);
    fputc(mark, j->out);
    j->depth++;
    j->has_item[j->depth] = false;
    j->close[j->depth] = partner;
}

void json_open_object(struct json *j)
{
    open(j, '{', '}');
}

void json_open_array(struct json *j)
{
    open(j, '[', ']');
}

void json_close(struct json *j)
{
    bool is_empty = !j->has_item[j->depth];
    char partner = j->close[j->depth];

    assert(j->depth > 0 && !j->has_key);
    j->depth--;
    if (!is_empty && j->depth < LINES_DEPTH)
        put_line(j);
    fputc(partner, j->out);
    if (j->depth == 0)
        fputc('\n', j->out);
}

void json_key(struct json *j, const char *key)
{
    assert(j->close[j->depth] == '}' && !j->has_key);
    put_separator(j);
    fprintf(j->out, "\"%s\": ", key);
    j->has_key = true;
}

/* The end of a piece of text that starts at `from`: not in the middle of a character. */
static size_t piece_end(struct str text, size_t from)
{
    size_t end = from + PIECE_BYTES;

    if (end >= text.n)
        return text.n;
    for (size_t back = 0; back < 3 && ((unsigned char)text.p[end] & 0xc0) == 0x80; back++)
        end--;
    return end;
}

void json_text(struct json *j, struct str text)
{
    char escaped[6 * PIECE_BYTES]; /* \u00XX for each byte */

    put_separator(j);
    fputc('"', j->out);
    for (size_t from = 0, end; from < text.n; from = end) {
        size_t n;

        end = piece_end(text, from);
        n = log_escape_json(escaped, sizeof(escaped), str_slice(text, from, end));
        fwrite(escaped, 1, n, j->out);
    }
    fputc('"', j->out);
}

void json_number(struct json *j, uint64_t number)
{
    char digits[STR_U64_MAX];

    put_separator(j);
    fwrite(digits, 1, str_put_u64(digits, number), j->out);
}

void json_bool(struct json *j, bool value)
{
    put_separator(j);
    fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j)
{
    put_separator(j);
    fputs("null", j->out);
}

void json_member(struct json *j, const char *key, const char *text)
{
    json_key(j, key);
    if (text == NULL)
        json_null(j);
    else
        json_text(j, str_of(text));
}

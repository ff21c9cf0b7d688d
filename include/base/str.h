/*
 * str - a run of bytes with its length: the text type of the whole program.
 *
 * A str points into memory that somebody else owns and says nothing about its life; the struct it
 * stands in does. It may hold NUL bytes and is not terminated. An empty str may have p == NULL.
 */
#ifndef HOLDFAST_BASE_STR_H
#define HOLDFAST_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

/* A str of a string literal. */
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_EMPTY    ((struct str){NULL, 0})

/* For printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).n, (s).p

/* The str of a NUL-terminated string; NULL gives the empty str. */
static inline struct str str_of(const char *text)
{
    return (struct str){text, text == NULL ? 0 : strlen(text)};
}

static inline struct str str_slice(struct str s, size_t from, size_t to)
{
    return (struct str){s.p + from, to - from};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts_with(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends_with(struct str s, struct str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* ASCII alone: locale never decides what a protocol means. */
static inline char str_lower_char(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Equal without regard to ASCII case. */
bool str_eq_nocase(struct str a, struct str b);

/* Order as memcmp(3) does, the shorter first among equals. */
int str_compare(struct str a, struct str b);

/* Does s contain part? The empty part is in everything. */
bool str_contains(struct str s, struct str part);

/* s without leading and trailing spaces and tabs (OWS, RFC 9110 5.6.3). */
struct str str_trim(struct str s);

/*
 * Read s, all of it, as a decimal number: 1*DIGIT, no sign, no blanks.
 * Returns false, and leaves *number alone, for anything else and for what is above max.
 */
bool str_to_u64(struct str s, uint64_t max, uint64_t *number);

/* Room for any 64-bit number in decimal. */
#define STR_U64_MAX 20

/* Write number in decimal at out (room for STR_U64_MAX bytes). Returns the length. Not
 * terminated. */
size_t str_put_u64(char *out, uint64_t number);

/* Write number in lower-case hexadecimal at out (room for 16 bytes). Returns the length. */
size_t str_put_hex(char *out, uint64_t number);

/*
 * How many single-character edits (insert, delete, replace, swap of neighbours) lead from a to b,
 * for "did you mean". Counts past `limit` are reported as limit + 1; names over 64 bytes too.
 */
unsigned str_distance(struct str a, struct str b, unsigned limit);

#endif

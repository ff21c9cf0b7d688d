/*
 * form - what may follow a directive, and the values found there.
 *
 * A form is the text of a column in settings.def, in the notation of the manual:
 *
 *     word            itself                       TYPE         a value of this type
 *     a|b|c           one of these words           TYPE...      one or more
 *     [ sequence ]    may stand there; several in a row may stand in any order
 *     { a / b }       one of these sequences, told apart by their first word
 *     (TYPE, ...)     a list in parentheses, one or more
 *     when EXPRESSION the condition, which the grammar has taken already
 *
 * The values become a flat list of arguments; each knows the word that introduced it (its key).
 */
#ifndef HOLDFAST_CONF_FORM_H
#define HOLDFAST_CONF_FORM_H

#include "conf/expr.h"
#include "conf/settings.h"
#include "conf/word.h"

/* The types, one row each: X(ID, "as the form writes it", "as an error says it"). */
#define FORM_TYPES                                                                                 \
    X(COUNT, "COUNT", "a whole number")                                                            \
    X(SIZE, "SIZE", "a size such as 128K")                                                         \
    X(MEMORY, "MEMORY", "an amount of memory such as 128K")                                        \
    X(RATE, "RATE", "a rate such as 500/s or 1K/s")                                                \
    X(DURATION, "DURATION", "a duration such as 30s")                                              \
    X(TIMEOUT, "TIMEOUT", "a duration such as 30s")                                                \
    X(OCTAL, "OCTAL", "permissions such as 0660")                                                  \
    X(NAME, "NAME", "a name")                                                                      \
    X(TEXT, "TEXT", "a text")                                                                      \
    X(VALUE, "VALUE", "a value")                                                                   \
    X(PATH, "PATH", "a path")                                                                      \
    X(PATTERN, "PATTERN", "a path")                                                                \
    X(TEMPLATE, "TEMPLATE", "a text")                                                              \
    X(FORMAT, "FORMAT", "the text or the name of a log format")                                    \
    X(CODE, "CODE", "a status such as 404")                                                        \
    X(STATUS, "STATUS", "a status such as 404 or 5xx")                                             \
    X(FAILURE, "FAILURE", "reset, timeout, empty-response or a status such as 503")                \
    X(FIELD, "FIELD", "the name of a header field")                                                \
    X(WHO, "WHO", "an address, a block such as 10.0.0.0/8, or 'all'")                              \
    X(PEER, "PEER", "an address, a block such as 10.0.0.0/8, or 'unix'")                           \
    X(VARIABLE, "VARIABLE", "a variable such as client-ip")                                        \
    X(TARGET, "TARGET", "a target such as stderr or logs/web.log")                                 \
    X(BIND_ADDRESS, "BIND-ADDRESS", "an address such as *:8080, [::1]:80 or unix@/path")           \
    X(ADDRESS, "ADDRESS", "an address such as 127.0.0.1:3000, name:80 or unix@/path")

enum form_type {
    FORM_WORD, /* a word of the form itself */
#define X(id, name, expected) FORM_##id,
    FORM_TYPES
#undef X
        FORM_N
};

/* One value. Which members mean something follows from the type. */
struct arg {
    enum form_type type;
    const char *key; /* the word of the form before it, "" at the start; not terminated by NUL */
    size_t key_length;
    const struct ast_word *at;
    struct str text; /* kept with the config; paths are absolute */
    uint64_t number; /* COUNT, sizes, durations, OCTAL, CODE; STATUS: 4 or 5 for a class */
    struct template template;
    struct cidr net; /* WHO; PEER: but for the text `unix` */
    struct var_ref var; /* VARIABLE */
    struct arg *next;
};

struct args {
    struct arg *first;
    struct arg *last;
    size_t n;
    bool is_bad; /* a fault has been reported */
};

/*
 * Match the words behind the directive of a statement with the row's form. Faults are reported, one
 * a statement where the structure is wrong, one a value else.
 */
struct args form_match(struct compile *c, const struct setting_row *row,
                       const struct ast_statement *statement);

/* The first argument with this key, or NULL. */
const struct arg *args_find(const struct args *args, const char *key);

/* Is this word of the form there? */
bool args_has(const struct args *args, const char *word);

#endif

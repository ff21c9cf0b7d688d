/*
 * token - the words and marks of a file, and the lexer that finds them (grammar/config.re).
 */
#ifndef HOLDFAST_CONF_TOKEN_H
#define HOLDFAST_CONF_TOKEN_H

#include "conf/compile.h"

enum token_kind {
    TOKEN_BARE,      /* a bare word */
    TOKEN_STRING,    /* "...": escapes and ${} count */
    TOKEN_RAW,       /* '...' */
    TOKEN_LINE,      /* a line end; the filter drops it or makes it TOKEN_STOP */
    TOKEN_SEMICOLON, /* likewise */
    TOKEN_STOP,      /* the end of a statement */
    TOKEN_OPEN,      /* { */
    TOKEN_CLOSE,     /* } */
    TOKEN_LEFT,      /* ( */
    TOKEN_RIGHT,     /* ) */
    TOKEN_COMMA,
    TOKEN_COMMENT, /* `#` to the end of its line; only in lists that keep the layout */
    TOKEN_JOIN,    /* a backslash before a line end; likewise */
    TOKEN_END,     /* of the file */
};

struct token {
    enum token_kind kind;
    struct span span;
    bool is_poisoned; /* already reported, or invented: nobody may complain about it again */
};

struct tokens {
    struct token *list;
    size_t n;
    size_t room;
    bool keeps_layout;    /* with comments and joins, for which a load has no use */
    bool has_lost_braces; /* an open string ran over some: those that lack a partner are no news */
};

/* Make room, in an empty list, for as many as there will probably be. */
void tokens_reserve(struct compile *c, struct tokens *t, size_t room);

/*
 * Words and marks of one file: SOURCE_FILE_MAX of them do not occur in a text of that length that
 * means something, and take much memory.
 */
#define TOKENS_MAX ((size_t)4 << 20)

/* Append one token. */
void token_add(struct compile *c, struct tokens *t, struct token token);

/*
 * Report the bytes that no text holds. A file with a NUL is none at all: one error, and false.
 */
bool tokens_check_bytes(struct compile *c, struct source *source);

/*
 * Split a text into tokens, the last of which is TOKEN_END. Faults are reported. tokens must be
 * empty; its keeps_layout is the caller's to set.
 */
void lex(struct compile *c, const struct source *source, struct tokens *tokens);

static inline bool token_is_word(const struct token *t)
{
    return t->kind <= TOKEN_RAW;
}

#endif

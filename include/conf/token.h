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
    TOKEN_END, /* of the file */
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
    bool has_lost_braces; /* an open string ran over some: those that lack a partner are no news */
};

/* Make room, in an empty list, for as many as there will probably be. */
void tokens_reserve(struct compile *c, struct tokens *t, size_t room);

/* Append one token. */
void token_add(struct compile *c, struct tokens *t, struct token token);

/* Split a text into tokens, the last of which is TOKEN_END. Faults are reported. */
void lex(struct compile *c, const struct source *source, struct tokens *tokens);

static inline bool token_is_word(const struct token *t)
{
    return t->kind <= TOKEN_RAW;
}

#endif

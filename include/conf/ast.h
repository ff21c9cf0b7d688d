/*
 * ast - what a file says, before anybody asks whether it makes sense: statements, words,
 * conditions.
 *
 * All nodes lie in the scratch arena of the load. Lists keep their end, so that appending is one
 * step.
 */
#ifndef HOLDFAST_CONF_AST_H
#define HOLDFAST_CONF_AST_H

#include "conf/token.h"

/* A word, or a list `(a, b)` of them (LIST has no text of its own). */
struct ast_word {
    enum ast_word_kind { AST_BARE, AST_STRING, AST_RAW, AST_LIST } kind;
    struct span span;
    bool is_poisoned;
    const struct ast_word *items; /* LIST: the first; they are linked by next */
    struct ast_word *next;
};

struct ast_words {
    struct ast_word *first;
    struct ast_word *last;
    size_t n;
};

/* A condition. A poisoned one was reported by the parser. */
struct ast_expr {
    enum ast_expr_kind {
        AST_AND,
        AST_OR,
        AST_NOT,
        AST_TEST,  /* word operator values */
        AST_FILE,  /* word in file values[0] */
        AST_ALONE, /* word */
        AST_POISONED
    } kind;
    struct span span;
    bool is_group;          /* it stood in parentheses */
    struct ast_expr *items; /* AND, OR, NOT: a list */
    struct ast_expr *items_end;
    size_t n_items;
    const struct ast_word *variable;
    const struct ast_word *op;
    struct ast_words values;
    struct ast_expr *next;
};

struct ast_block {
    struct span open; /* its brace */
    struct ast_statement *first;
    struct ast_statement *last;
};

/* `word… [when EXPRESSION [word]] [{ … }]` */
struct ast_statement {
    struct span span;       /* of its words */
    bool is_poisoned;       /* its words make no sense, and the parser has said so */
    struct ast_words words; /* the first is the directive; empty: see ast_lost */
    struct ast_expr *when;
    struct ast_word *tail; /* the word behind the condition */
    struct ast_block *block;
    struct ast_statement *next;
};

struct ast_word *ast_word(struct compile *c, const struct token *token);
struct ast_words ast_words(struct ast_word *first);
struct ast_words ast_words_add(struct ast_words words, struct ast_word *word);

/* `( items )`; without items: the parser found none and has said so. */
struct ast_word *ast_list(struct compile *c, struct span span, struct ast_words items);

/* `left and right`, `left or right`: one flat list for a run of the same kind. */
struct ast_expr *ast_join(struct compile *c, enum ast_expr_kind kind, struct ast_expr *left,
                          struct ast_expr *right);

/* `not item`; two of them are none. */
struct ast_expr *ast_not(struct compile *c, struct span span, struct ast_expr *item);

/* `variable operator values`; without op and values: `variable` alone. */
struct ast_expr *ast_test(struct compile *c, struct span span, const struct ast_word *variable,
                          const struct ast_word *op, struct ast_words values);

/* `variable in file path`. */
struct ast_expr *ast_test_file(struct compile *c, struct span span, const struct ast_word *variable,
                               const struct ast_word *op, struct ast_word *path);
struct ast_expr *ast_poisoned(struct compile *c, struct span span);

/* `( item )`: its span takes the parentheses in. */
struct ast_expr *ast_group(struct compile *c, struct span span, struct ast_expr *item);

/* `words`, with a block or NULL. */
struct ast_statement *ast_statement(struct compile *c, struct ast_words words,
                                    struct ast_block *block);

/* `route name [when …]`, `acl name when …`; name == NULL: the parser has said that there is none. */
struct ast_statement *ast_named(struct compile *c, struct ast_word *head, struct ast_word *name,
                                struct ast_expr *when, struct ast_block *block);

/* `allow who… [when …] [code]`, `deny …`. */
struct ast_statement *ast_access(struct compile *c, struct ast_word *head, struct ast_words who,
                                 struct ast_expr *when, struct ast_word *tail,
                                 struct ast_block *block);

/*
 * A statement that could not be understood: without words, so that it is known to have been there.
 */
struct ast_statement *ast_lost(struct compile *c);

struct ast_block *ast_block(struct compile *c);
struct ast_block *ast_block_open(struct ast_block *block, struct span open);

/* Append a statement; NULL (an empty one) is left out. */
struct ast_block *ast_block_add(struct ast_block *block, struct ast_statement *statement);

/* The bytes of a word as they stand in the file. */
struct str ast_text(const struct compile *c, const struct ast_word *word);

#endif

/*
 * ast - what a file says, before anybody asks whether it makes sense.
 */
#include "conf/ast.h"

#include "base/panic.h"

static enum ast_word_kind word_kind(const struct token *token)
{
    if (token->kind == TOKEN_STRING)
        return AST_STRING;
    return token->kind == TOKEN_RAW ? AST_RAW : AST_BARE;
}

struct ast_word *ast_word(struct compile *c, const struct token *token)
{
    struct ast_word *word = store_new(&c->scratch, struct ast_word);

    word->kind = word_kind(token);
    word->span = token->span;
    word->is_poisoned = token->is_poisoned;
    return word;
}

struct ast_words ast_words(struct ast_word *first)
{
    return (struct ast_words){first, first, first == NULL ? 0 : 1};
}

struct ast_words ast_words_add(struct ast_words words, struct ast_word *word)
{
    if (words.n == 0)
        return ast_words(word);
    words.last->next = word;
    words.last = word;
    words.n++;
    return words;
}

struct ast_word *ast_list(struct compile *c, struct span span, struct ast_words items)
{
    struct ast_word *word = store_new(&c->scratch, struct ast_word);

    word->kind = AST_LIST;
    word->span = span;
    word->items = items.first;
    word->is_poisoned = items.n == 0;
    return word;
}

static struct ast_expr *expr_new(struct compile *c, enum ast_expr_kind kind, struct span span)
{
    struct ast_expr *e = store_new(&c->scratch, struct ast_expr);

    e->kind = kind;
    e->span = span;
    return e;
}

static void expr_add(struct ast_expr *e, struct ast_expr *item)
{
    if (e->items == NULL)
        e->items = item;
    else
        e->items_end->next = item;
    e->items_end = item;
    e->n_items++;
    e->span = span_join(e->span, item->span);
}

struct ast_expr *ast_join(struct compile *c, enum ast_expr_kind kind, struct ast_expr *left,
                          struct ast_expr *right)
{
    struct ast_expr *e = left;

    if (left->kind != kind || left->is_group) {
        e = expr_new(c, kind, left->span);
        expr_add(e, left);
    }
    expr_add(e, right);
    return e;
}

struct ast_expr *ast_not(struct compile *c, struct span span, struct ast_expr *item)
{
    struct ast_expr *e;

    if (item->kind == AST_NOT)
        return item->items;
    e = expr_new(c, AST_NOT, span);
    expr_add(e, item);
    return e;
}

struct ast_expr *ast_test(struct compile *c, struct span span, const struct ast_word *variable,
                          const struct ast_word *op, struct ast_words values)
{
    struct ast_expr *e = expr_new(c, op == NULL ? AST_ALONE : AST_TEST, span);

    e->variable = variable;
    e->op = op;
    e->values = values;
    return e;
}

struct ast_expr *ast_test_file(struct compile *c, struct span span, const struct ast_word *variable,
                               const struct ast_word *op, struct ast_word *path)
{
    struct ast_expr *e = ast_test(c, span, variable, op, ast_words(path));

    e->kind = AST_FILE;
    return e;
}

struct ast_expr *ast_poisoned(struct compile *c, struct span span)
{
    return expr_new(c, AST_POISONED, span);
}

struct ast_expr *ast_group(struct compile *c, struct span span, struct ast_expr *item)
{
    struct ast_expr *group;

    /* `(a and b) and c`: a node of its own, so that only what was written flat becomes one list. */
    group = expr_new(c, item->kind, span);
    *group = *item;
    group->span = span;
    group->is_group = true;
    return group;
}

static struct ast_statement *statement_new(struct compile *c, struct ast_words words,
                                           struct ast_block *block)
{
    struct ast_statement *s = store_new(&c->scratch, struct ast_statement);

    assert(words.n > 0);
    s->span = (struct span){words.first->span.from, words.last->span.to};
    s->words = words;
    s->block = block;
    return s;
}

struct ast_statement *ast_statement(struct compile *c, struct ast_words words,
                                    struct ast_block *block)
{
    return statement_new(c, words, block);
}

struct ast_statement *ast_named(struct compile *c, struct ast_word *head, struct ast_word *name,
                                struct ast_expr *when, struct ast_block *block)
{
    struct ast_words words = ast_words(head);
    struct ast_statement *s;

    if (name != NULL)
        words = ast_words_add(words, name);
    s = statement_new(c, words, block);
    s->is_poisoned = name == NULL;
    s->when = when;
    return s;
}

struct ast_statement *ast_access(struct compile *c, struct ast_word *head, struct ast_words who,
                                 struct ast_expr *when, struct ast_word *tail,
                                 struct ast_block *block)
{
    struct ast_words words = ast_words(head);
    struct ast_statement *s;

    if (who.n > 0) {
        head->next = who.first;
        words = (struct ast_words){head, who.last, who.n + 1};
    }
    s = statement_new(c, words, block);
    s->when = when;
    s->tail = tail;
    return s;
}

struct ast_statement *ast_lost(struct compile *c)
{
    struct ast_statement *s = store_new(&c->scratch, struct ast_statement);

    s->is_poisoned = true;
    return s;
}

struct ast_block *ast_block(struct compile *c)
{
    return store_new(&c->scratch, struct ast_block);
}

struct ast_block *ast_block_open(struct ast_block *block, struct span open)
{
    block->open = open;
    return block;
}

struct ast_block *ast_block_add(struct ast_block *block, struct ast_statement *statement)
{
    if (statement == NULL)
        return block;
    if (block->first == NULL)
        block->first = statement;
    else
        block->last->next = statement;
    block->last = statement;
    return block;
}

struct str ast_text(const struct compile *c, const struct ast_word *word)
{
    return source_text(c->sources, word->span);
}

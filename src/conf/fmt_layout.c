/*
 * fmt_layout - from the tokens of a file to the lines of its canonical form.
 */
#include "conf/fmt_layout.h"

#include "base/panic.h"
#include "conf/filter.h"
#include "conf/fmt_lines.h"

#include <limits.h>

#define INDENT 4

/* How far a tab of the source leads, when words are found to stand under each other. */
#define TAB 8

/* Where a token stands in the source. Columns count from 0. */
struct position {
    size_t line;
    unsigned column;
};

struct layout {
    struct compile *compile;
    const struct source *source;
    const struct token *at; /* the token in hand */
    struct fmt_lines lines;

    const char *scan;        /* up to here, positions are known */
    struct position start;   /* of the token in hand */
    struct position end;     /* of the last token that was put out */
    struct position comment; /* of the last comment that was put behind or below something */

    unsigned depth;        /* of blocks with a line for each statement */
    unsigned inline_depth; /* of blocks on one line */
    unsigned parens;
    unsigned paren_indent[NESTING_MAX]; /* of the line of each `(` that is open */
    unsigned indent;                    /* of the line in hand */

    enum token_kind last;   /* what was put out last; TOKEN_END: nothing */
    unsigned n_ends;        /* line ends since then */
    bool is_statement_over; /* the next word starts a statement */
    bool is_line_over;      /* the next piece starts a line */
    bool is_joined;         /* a backslash before it */
    bool has_opened;        /* nothing stands in the innermost bracket so far */
    bool has_backslash;     /* the last word ends in one: a line end right behind it would join */
};

static struct str token_text(const struct layout *l, const struct token *t)
{
    struct str text = source_text(l->compile->sources, t->span);

    while (t->kind == TOKEN_COMMENT && strchr(" \t\r", text.p[text.n - 1]) != NULL)
        text.n--;
    return text;
}

/* Find where the token in hand stands: on from the one before it. */
static void locate(struct layout *l)
{
    const char *to = l->source->text.p + (l->at->span.from - l->source->base);

    for (; l->scan < to; l->scan++) {
        if (*l->scan == '\n')
            l->start = (struct position){l->start.line + 1, 0};
        else if (*l->scan == '\t')
            l->start.column += TAB - l->start.column % TAB;
        else if (((unsigned char)*l->scan & 0xc0) != 0x80 && *l->scan != '\r')
            l->start.column++;
    }
}

/* Where the next token can start at the soonest. A tab in a string counts one. */
static void step_over(struct layout *l)
{
    struct str text = source_text(l->compile->sources, l->at->span);

    if (l->at->kind == TOKEN_LINE || l->at->kind == TOKEN_JOIN)
        return;
    l->start.column += (unsigned)source_characters(text);
    l->scan += text.n;
}

/* The blanks that the author had before the token in hand, as far as the line has them. */
static unsigned gap(const struct layout *l)
{
    if (l->start.line != l->end.line || l->start.column < l->end.column)
        return FMT_GAP_NONE;
    return l->start.column - l->end.column;
}

static void begin_line(struct layout *l, unsigned indent, bool is_after_blank)
{
    fmt_lines_begin(&l->lines, indent, is_after_blank);
    l->indent = indent;
    l->is_line_over = false;
    l->is_statement_over = false;
    l->is_joined = false;
}

/* Where a line starts whose first piece is of this kind, or a comment. */
static unsigned indent_of(const struct layout *l, enum token_kind kind)
{
    if (l->parens > 0 && kind == TOKEN_RIGHT)
        return l->paren_indent[l->parens - 1];
    if (l->parens > 0)
        return l->paren_indent[l->parens - 1] + INDENT;
    return l->depth * INDENT + (l->is_statement_over ? 0 : INDENT);
}

static bool is_apart(enum token_kind last, enum token_kind kind)
{
    return last != TOKEN_LEFT && kind != TOKEN_RIGHT && kind != TOKEN_COMMA;
}

/* Put the token in hand out, on a line of its own or behind what is there. */
static void put(struct layout *l)
{
    enum token_kind kind = l->at->kind;
    struct str text = token_text(l, l->at);

    if (l->is_statement_over || l->is_line_over) {
        bool closes = kind == TOKEN_CLOSE || kind == TOKEN_RIGHT;

        if (l->is_joined)
            fmt_lines_join(&l->lines);
        begin_line(l, indent_of(l, kind), l->n_ends > 1 && !l->has_opened && !closes);
    }
    fmt_lines_add(&l->lines, text, is_apart(l->last, kind), gap(l));
    l->end = (struct position){l->start.line, l->start.column + (unsigned)source_characters(text)};
    l->last = kind;
    l->n_ends = 0;
    l->has_opened = false;
    l->has_backslash = kind == TOKEN_BARE && text.p[text.n - 1] == '\\';
}

/* A comma goes where its value is, and the line end that was between them behind it. */
static void put_comma(struct layout *l)
{
    bool moves = l->is_line_over && l->last != TOKEN_COMMENT;

    if (moves)
        l->is_line_over = false;
    put(l);
    l->is_line_over = moves;
}

static void put_left(struct layout *l)
{
    put(l);
    assert(l->parens < NESTING_MAX);
    l->paren_indent[l->parens++] = l->indent;
    l->has_opened = true;
}

static void put_right(struct layout *l)
{
    put(l);
    l->parens--;
}

/* Does this comment stand straight below the one that was put out just before it? */
static bool is_below(const struct layout *l)
{
    return l->last == TOKEN_COMMENT && l->n_ends == 1 && l->start.line == l->comment.line + 1 &&
           l->start.column == l->comment.column && indent_of(l, TOKEN_COMMENT) <= l->indent;
}

/*
 * Behind what stands on its line, below another, or alone. In parentheses a backslash at the end of
 * the last word needs it there, so that no line end comes right behind it.
 */
static void put_comment(struct layout *l)
{
    struct str text = token_text(l, l->at);
    bool is_behind = l->last != TOKEN_END && l->last != TOKEN_COMMENT &&
                     (l->n_ends == 0 || (l->parens > 0 && l->has_backslash));

    if (is_behind) {
        fmt_lines_comment(&l->lines, text, gap(l));
        l->comment = l->start;
    } else if (is_below(l)) {
        fmt_lines_comment_below(&l->lines, text);
        l->comment = l->start;
    } else {
        begin_line(l, indent_of(l, TOKEN_COMMENT), l->n_ends > 1 && !l->has_opened);
        fmt_lines_comment(&l->lines, text, FMT_GAP_NONE);
        l->comment = (struct position){0, UINT_MAX};
        l->has_opened = false;
        l->is_statement_over = l->parens == 0;
    }
    l->last = TOKEN_COMMENT;
    l->has_backslash = false;
    l->n_ends = 0;
}

static void end_statement(struct layout *l)
{
    l->is_statement_over = true;
    l->is_line_over = false;
    l->is_joined = false;
}

/* The `}` of the `{` at t if there is nothing between, else NULL. */
static const struct token *find_close_of_empty(const struct token *t)
{
    do
        t++;
    while (t->kind == TOKEN_LINE || t->kind == TOKEN_SEMICOLON || t->kind == TOKEN_JOIN);
    return t->kind == TOKEN_CLOSE ? t : NULL;
}

/* Does the block at `open` stand on one line, with one statement at most, and have room there? */
static bool stays_on_line(const struct layout *l, const struct token *open)
{
    size_t width = l->lines.width;
    enum token_kind last = TOKEN_OPEN;
    unsigned depth = 1;

    for (const struct token *t = open + 1; depth > 0; t++) {
        if (t->kind == TOKEN_LINE || t->kind == TOKEN_JOIN || t->kind == TOKEN_COMMENT)
            return false;
        depth += t->kind == TOKEN_OPEN;
        depth -= t->kind == TOKEN_CLOSE;
        if (t->kind == TOKEN_SEMICOLON) {
            last = last == TOKEN_OPEN ? last : TOKEN_SEMICOLON;
            continue;
        }
        if (last == TOKEN_SEMICOLON && t->kind != TOKEN_CLOSE)
            return false;
        width += source_characters(token_text(l, t)) + is_apart(last, t->kind);
        last = t->kind;
        if (width > FMT_WIDTH)
            return false;
    }
    return true;
}

static void put_open(struct layout *l)
{
    const struct token *close = find_close_of_empty(l->at);

    l->is_line_over = false;
    l->is_joined = false;
    put(l);
    if (close != NULL) {
        l->at = close;
        locate(l);
        put(l);
    } else if (l->inline_depth > 0 || stays_on_line(l, l->at)) {
        l->inline_depth++;
    } else {
        l->depth++;
        end_statement(l);
        l->has_opened = true;
    }
}

static void put_close(struct layout *l)
{
    l->is_line_over = false;
    l->is_joined = false;
    if (l->inline_depth > 0) {
        l->inline_depth--;
    } else {
        l->depth--;
        end_statement(l);
    }
    put(l);
}

/* The line of the source ends: so does the statement, or in parentheses only the line. */
static void take_line_end(struct layout *l)
{
    l->n_ends++;
    if (l->parens == 0)
        end_statement(l);
    else
        l->is_line_over = !l->has_backslash;
}

/* In a block on one line it stands before or behind the only statement. */
static void take_semicolon(struct layout *l)
{
    if (l->inline_depth == 0)
        end_statement(l);
}

/* A join between two words stays; all others say nothing. In parentheses it is a line end. */
static void take_join(struct layout *l)
{
    if (l->parens > 0)
        l->is_line_over = !l->has_backslash;
    else if (!l->is_statement_over)
        l->is_line_over = l->is_joined = true;
}

static void take(struct layout *l)
{
    switch (l->at->kind) {
    case TOKEN_BARE:
    case TOKEN_STRING:
    case TOKEN_RAW: put(l); return;
    case TOKEN_LINE: take_line_end(l); return;
    case TOKEN_SEMICOLON: take_semicolon(l); return;
    case TOKEN_OPEN: put_open(l); return;
    case TOKEN_CLOSE: put_close(l); return;
    case TOKEN_LEFT: put_left(l); return;
    case TOKEN_RIGHT: put_right(l); return;
    case TOKEN_COMMA: put_comma(l); return;
    case TOKEN_COMMENT: put_comment(l); return;
    case TOKEN_JOIN: take_join(l); return;
    case TOKEN_STOP:
    case TOKEN_END: break;
    }
    unreachable("no such token comes from the lexer, or it ends the walk");
}

struct str fmt_layout(struct compile *c, const struct source *source, const struct tokens *tokens)
{
    struct layout l = {.compile = c,
                       .source = source,
                       .at = tokens->list,
                       .scan = source->text.p,
                       .last = TOKEN_END,
                       .is_statement_over = true,
                       .has_opened = true};

    fmt_lines_init(&l.lines, &c->scratch);
    for (; l.at->kind != TOKEN_END; l.at++) {
        locate(&l);
        take(&l);
        step_over(&l);
    }
    return fmt_lines_end(&l.lines);
}

/*
 * filter - between lexer and grammar: brackets that match, line ends that mean something.
 *
 * Where a `}` is missing shows only far behind it. Two signs are used: a section head cannot stand
 * in a block, and people indent. Both count only while the file as a whole has a brace too few, so
 * a balanced file is never "repaired".
 */
#include "conf/filter.h"

#include "base/panic.h"
#include "conf/settings.h"

/* Looking ahead for a `)` that never comes costs a scan; this many are all that a file gets. */
#define SCANS_MAX 100

struct opener {
    struct span span;
    unsigned indent; /* of the line that it stands on */
};

struct filter {
    struct compile *compile;
    const struct token *in; /* the next token to look at */
    const struct token *first;
    struct tokens *out;
    struct opener open[NESTING_MAX];
    unsigned depth;
    unsigned parens;
    const struct token *invent_right; /* where the missing `)` belong */
    long balance;                     /* `{` less `}` of the whole file, less those repaired */
    struct span suspect;              /* the brace that seems to lack its partner */
    bool has_suspect;
    bool poison_next; /* the next word was reported for where it stands */
    bool poison_rest; /* so were all words of the statement that are still to come */
    size_t statement; /* where it starts in out */
    bool is_muted;    /* braces were lost: faults of them are repaired, not reported */
    bool has_poison;  /* the lexer has complained about the statement */
    const struct token *invent_open; /* where the missing `{` of a block on one line belongs */
    bool lacks_open;                 /* the statement should open a block, and does not */
    bool has_brace_fault;
    unsigned n_scans;
};

static void emit(struct filter *f, enum token_kind kind, struct span span, bool is_poisoned)
{
    token_add(f->compile, f->out, (struct token){kind, span, is_poisoned});
}

static enum token_kind last_kind(const struct filter *f)
{
    return f->out->n == 0 ? TOKEN_STOP : f->out->list[f->out->n - 1].kind;
}

/* End the statement, if there is one to end. */
static void emit_stop(struct filter *f, struct span span)
{
    if (last_kind(f) != TOKEN_STOP && last_kind(f) != TOKEN_OPEN)
        emit(f, TOKEN_STOP, span, false);
}

static bool is_stop(const struct token *t)
{
    return t->kind == TOKEN_LINE || t->kind == TOKEN_SEMICOLON || t->kind == TOKEN_END;
}

static bool is_first_on_line(const struct filter *f, const struct token *t)
{
    return t == f->first || t[-1].kind == TOKEN_LINE;
}

/* A statement that only the top level knows starts at t. */
static bool is_section_head(const struct filter *f, const struct token *t)
{
    return is_first_on_line(f, t) && settings_is_section(source_text(f->compile->sources, t->span));
}

/* Does the statement at t stand for nothing without a block? */
static bool head_needs_block(const struct filter *f, const struct token *t)
{
    return settings_needs_block(source_text(f->compile->sources, t->span));
}

/* Does the statement at t open a block, on its line or the next? */
static bool opens_block(const struct token *t)
{
    while (!is_stop(t) && t->kind != TOKEN_OPEN && t->kind != TOKEN_CLOSE)
        t++;
    while (t->kind == TOKEN_LINE)
        t++;
    return t->kind == TOKEN_OPEN;
}

/* Close `n` blocks that nobody closed; one error, at the brace that is most likely to blame. */
static void invent_closes(struct filter *f, unsigned n, struct span at)
{
    struct span blame = f->has_suspect ? f->suspect : f->open[f->depth - 1].span;

    if (!f->is_muted)
        diag_error(f->compile->diags, blame, "this '{' has no '}'");
    f->has_brace_fault = true;
    f->has_suspect = false;
    f->balance -= (long)n;
    while (n-- > 0) {
        emit_stop(f, at);
        emit(f, TOKEN_CLOSE, at, true);
        f->depth--;
    }
    emit_stop(f, at);
}

/* Leave out a block that is nested too deep, with all that is in it. */
static void skip_block(struct filter *f)
{
    unsigned depth = 0;

    diag_error(f->compile->diags, f->in->span, "blocks nest more than %d deep", NESTING_MAX);
    do {
        if (f->in->kind == TOKEN_OPEN)
            depth++;
        if (f->in->kind == TOKEN_CLOSE)
            depth--;
        f->balance -= f->in->kind == TOKEN_OPEN;
        f->balance += f->in->kind == TOKEN_CLOSE;
        f->in++;
    } while (depth > 0 && f->in->kind != TOKEN_END);
}

static void open_block(struct filter *f)
{
    const struct token *t = f->in;

    if (f->depth == NESTING_MAX) {
        skip_block(f);
        return;
    }
    if (last_kind(f) == TOKEN_STOP && f->out->n > 0 && f->out->list[f->out->n - 1].is_poisoned) {
        /* take_line has said that the brace is late */
        f->out->n--;
    } else if (last_kind(f) == TOKEN_STOP || last_kind(f) == TOKEN_OPEN) {
        if (!f->poison_next)
            diag_error(f->compile->diags, t->span, "expected a directive before '{'");
        f->poison_next = false;
        emit(f, TOKEN_BARE, t->span, true);
    }
    f->open[f->depth++] = (struct opener){t->span, source_indent(f->compile->sources, t->span)};
    emit(f, TOKEN_OPEN, t->span, false);
    f->in++;
}

/* Open a block that nobody opened, before the token in hand. */
static void invent_open(struct filter *f, const char *before)
{
    struct span span = f->in->span;

    f->invent_open = NULL;
    f->lacks_open = false;
    if (f->depth == NESTING_MAX)
        return;
    if (!f->has_poison && !f->is_muted)
        diag_error(f->compile->diags, span, "expected '{' before %s", before);
    f->has_brace_fault = true;
    f->balance++;
    f->open[f->depth++] = (struct opener){span, source_indent(f->compile->sources, span)};
    emit(f, TOKEN_OPEN, span, true);
}

static void close_block(struct filter *f)
{
    const struct token *t = f->in;
    bool leads = is_first_on_line(f, t);
    unsigned indent = source_indent(f->compile->sources, t->span);

    if (f->lacks_open)
        invent_open(f, "'}'");
    f->in++;
    if (f->depth == 0 || (f->balance < 0 && leads && indent > f->open[f->depth - 1].indent)) {
        if (f->depth == 0 && f->has_brace_fault)
            return;
        if (!f->is_muted)
            diag_error(f->compile->diags, t->span, "this '}' has no '{'");
        f->has_brace_fault = true;
        f->balance++;
        return;
    }
    if (leads && !f->has_suspect && indent < f->open[f->depth - 1].indent) {
        f->suspect = f->open[f->depth - 1].span;
        f->has_suspect = f->balance > 0;
    }
    emit_stop(f, t->span);
    emit(f, TOKEN_CLOSE, t->span, false);
    f->depth--;
    if (!is_stop(f->in) && f->in->kind != TOKEN_CLOSE) {
        diag_error(f->compile->diags, f->in->span, "expected a line end or ';' after '}'");
        emit_stop(f, t->span);
        f->poison_next = true;
    }
}

/*
 * A line or statement ends. A brace that opens the next line belongs to this one; a section head
 * that opens no block, in a file with a `}` too many, lacks its `{`.
 */
static void take_line(struct filter *f)
{
    const struct token *t = f->in;
    const struct token *next = t;

    while (next->kind == TOKEN_LINE)
        next++;
    if (t->kind == TOKEN_LINE && next->kind == TOKEN_OPEN &&
        (last_kind(f) <= TOKEN_RAW || last_kind(f) == TOKEN_RIGHT)) {
        diag_error(f->compile->diags, next->span,
                   "'{' belongs on the line of the directive that it opens");
        emit(f, TOKEN_STOP, t->span, true);
        f->in = next;
        return;
    }
    if (f->lacks_open)
        invent_open(f, "the end of the line");
    f->lacks_open = false;
    emit_stop(f, t->span);
    f->in = t->kind == TOKEN_LINE ? next : t + 1;
}

/* Where the block of the statement in hand starts, if it closes on the same line: NULL if not. */
static const struct token *find_directive(const struct filter *f)
{
    const struct token *found = NULL;
    const struct token *t = f->in + 1;
    enum place opens = settings_opens(source_text(f->compile->sources, f->in->span));
    bool has_name = opens != PLACE_GLOBAL && opens != PLACE_DEFAULTS;

    for (; !is_stop(t) && t->kind != TOKEN_CLOSE; t++) {
        const struct setting_row *row;

        if (found != NULL || (t == f->in + 1 && has_name) || t->kind != TOKEN_BARE)
            continue;
        row = settings_find(source_text(f->compile->sources, t->span), opens);
        if (row != NULL && setting_stands_in(row, opens))
            found = t;
    }
    return t->kind == TOKEN_CLOSE || t->kind == TOKEN_SEMICOLON ? found : NULL;
}

/* A statement starts: see whether it tells that a brace is missing before or in it. */
static void start_statement(struct filter *f)
{
    f->lacks_open = false;
    f->invent_open = NULL;
    f->has_poison = false;
    f->poison_rest = false;
    f->statement = f->out->n;
    if (f->balance == 0 || f->in->kind != TOKEN_BARE || f->in->is_poisoned)
        return;
    if (f->balance < 0) {
        f->lacks_open = head_needs_block(f, f->in) && !opens_block(f->in);
        f->invent_open = f->lacks_open ? find_directive(f) : NULL;
    } else if (f->depth > 0 && is_section_head(f, f->in) && opens_block(f->in))
        invent_closes(f, f->depth, f->in->span);
}

static bool is_text(const struct filter *f, const struct token *t, const char *text)
{
    return t >= f->first && t->kind == TOKEN_BARE &&
           str_eq(source_text(f->compile->sources, t->span), str_of(text));
}

/* What may follow a closed list in a condition. */
static bool is_joint(const struct filter *f, const struct token *t)
{
    return is_text(f, t, "and") || is_text(f, t, "or");
}

/*
 * Does the word at t read as a part of a condition that goes on over the line end beside it? In a
 * list of values nothing but a comma does.
 */
static bool continues(const struct filter *f, const struct token *t, bool is_list)
{
    static const char *const words[] = {
        "and", "or", "not", "==", "!=", "in", "under", "starts-with"};
    struct str text;

    if (t->kind != TOKEN_BARE || is_list)
        return !token_is_word(t);
    text = source_text(f->compile->sources, t->span);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_eq(text, str_of(words[i])))
            return true;
    return false;
}

/*
 * At a `(` that is in no other: find its `)`. If there is none before a mark that never stands in
 * parentheses, the missing ones belong at the first line end with two values across it, else right
 * before that mark.
 */
static void find_right(struct filter *f)
{
    const struct token *suspect = NULL;
    const struct token *innermost[NESTING_MAX];
    const struct token *t = f->in;
    unsigned depth = 0;
    bool is_list = is_text(f, t - 1, "in"); /* the statement's first word is before us */

    f->invent_right = NULL;
    if (f->n_scans >= SCANS_MAX)
        return;
    do {
        if (t->kind == TOKEN_LEFT && depth++ < NESTING_MAX)
            innermost[depth - 1] = t;
        if (t->kind == TOKEN_RIGHT)
            depth--;
        if (is_list && suspect == NULL && token_is_word(t - 1) && is_joint(f, t))
            suspect = t;
        if (t->kind == TOKEN_LINE && suspect == NULL) {
            const struct token *next = t;

            while (next->kind == TOKEN_LINE)
                next++;
            if (!continues(f, t - 1, is_list) && !continues(f, next, is_list))
                suspect = is_joint(f, next) ? next : t;
            t = next - 1;
        }
        t++;
    } while (depth > 0 && t->kind != TOKEN_OPEN && t->kind != TOKEN_CLOSE &&
             t->kind != TOKEN_SEMICOLON && t->kind != TOKEN_END);
    if (depth == 0)
        return;
    f->n_scans++;
    f->invent_right = suspect != NULL ? suspect : t;
    diag_error(f->compile->diags, innermost[(depth < NESTING_MAX ? depth : NESTING_MAX) - 1]->span,
               "this '(' has no ')'");
}

static void invent_rights(struct filter *f)
{
    for (; f->parens > 0; f->parens--)
        emit(f, TOKEN_RIGHT, f->in->span, true);
    f->invent_right = NULL;
}

static void take_left(struct filter *f)
{
    if (f->parens == 0)
        find_right(f);
    if (f->parens < NESTING_MAX) {
        emit(f, TOKEN_LEFT, f->in->span, false);
        f->parens++;
        f->in++;
        return;
    }
    diag_error(f->compile->diags, f->in->span, "parentheses nest more than %d deep", NESTING_MAX);
    for (unsigned depth = 0; f->in->kind != TOKEN_END && f->in != f->invent_right; f->in++) {
        depth += f->in->kind == TOKEN_LEFT;
        if (f->in->kind == TOKEN_RIGHT && --depth == 0)
            break;
        if (f->in->kind == TOKEN_OPEN || f->in->kind == TOKEN_CLOSE)
            return;
    }
    emit(f, TOKEN_BARE, f->in->span, true);
    f->in += f->in->kind == TOKEN_RIGHT;
}

/*
 * A mark that makes no sense where it stands: the statement is a riddle from here to both ends, but
 * for its directive, which says what its block is.
 */
static void statement_fault(struct filter *f, const char *what)
{
    if (!f->has_poison)
        diag_error(f->compile->diags, f->in->span, "%s", what);
    for (size_t i = f->out->n; i > f->statement + 1; i--)
        f->out->list[i - 1].is_poisoned = true;
    f->has_poison = true;
    f->poison_rest = true;
}

static void take_right(struct filter *f)
{
    if (f->parens > 0) {
        emit(f, TOKEN_RIGHT, f->in->span, false);
        f->parens--;
    } else {
        statement_fault(f, "this ')' has no '('");
    }
    f->in++;
}

static void take_comma(struct filter *f)
{
    if (f->parens > 0)
        emit(f, TOKEN_COMMA, f->in->span, false);
    else
        statement_fault(f, "',' stands only inside parentheses");
    f->in++;
}

static void take_token(struct filter *f)
{
    bool is_end_of_parens =
        f->in->kind == TOKEN_OPEN || f->in->kind == TOKEN_CLOSE || f->in->kind == TOKEN_SEMICOLON;

    if (f->parens > 0 && (f->in == f->invent_right || is_end_of_parens))
        invent_rights(f);
    if (f->parens > 0 && f->in->kind == TOKEN_LINE) {
        f->in++;
        return;
    }
    if (last_kind(f) == TOKEN_STOP || last_kind(f) == TOKEN_OPEN)
        start_statement(f);
    switch (f->in->kind) {
    case TOKEN_OPEN: open_block(f); return;
    case TOKEN_CLOSE: close_block(f); return;
    case TOKEN_LEFT: take_left(f); return;
    case TOKEN_RIGHT: take_right(f); return;
    case TOKEN_COMMA: take_comma(f); return;
    case TOKEN_LINE:
    case TOKEN_SEMICOLON: take_line(f); return;
    case TOKEN_BARE:
    case TOKEN_STRING:
    case TOKEN_RAW:
        f->has_poison = f->has_poison || f->in->is_poisoned;
        if (f->in == f->invent_open)
            invent_open(f, "this directive");
        emit(f, f->in->kind, f->in->span, f->in->is_poisoned || f->poison_next || f->poison_rest);
        f->poison_next = false;
        f->in++;
        return;
    case TOKEN_STOP:
    case TOKEN_COMMENT:
    case TOKEN_JOIN:
    case TOKEN_END: break;
    }
    unreachable("no such token comes from the lexer, or it has been taken by filter()");
}

bool filter(struct compile *c, const struct tokens *in, struct tokens *out)
{
    struct filter f = {.compile = c,
                       .in = in->list,
                       .first = in->list,
                       .out = out,
                       .is_muted = in->has_lost_braces};

    tokens_reserve(c, out, in->n + 16);
    for (size_t i = 0; i < in->n; i++)
        f.balance += (in->list[i].kind == TOKEN_OPEN) - (in->list[i].kind == TOKEN_CLOSE);
    while (f.in->kind != TOKEN_END)
        take_token(&f);
    invent_rights(&f);
    emit_stop(&f, f.in->span);
    if (f.depth > 0)
        invent_closes(&f, f.depth, f.in->span);
    emit(&f, TOKEN_END, f.in->span, false);
    return f.has_brace_fault || f.is_muted;
}

/*
 * fmt - the canonical layout of one file.
 */
#include "conf/fmt.h"

#include "base/panic.h"
#include "conf/filter.h"
#include "conf/fmt_layout.h"
#include "conf/parse.h"

#define SCRATCH_BLOCK ((size_t)64 << 10)
#define SCRATCH_MAX   ((size_t)1 << 30)

static struct source *add_source(struct compile *c, struct str name, struct str text,
                                 const char *fault)
{
    struct source *source = source_add(c->sources, name, name, STR(""), text);

    if (source == NULL)
        diag_error(c->diags, SPAN_NONE, "cannot format '%.*s': %s", STR_ARG(name), fault);
    return source;
}

/* What the grammar sees of a text: layout and comments are gone, statements are ended alike. */
static struct tokens statements_of(struct compile *c, const struct source *source)
{
    struct tokens lexed = {.n = 0};
    struct tokens filtered = {.n = 0};

    lex(c, source, &lexed);
    filter(c, &lexed, &filtered);
    return filtered;
}

static struct tokens comments_of(struct compile *c, const struct source *source)
{
    struct tokens lexed = {.keeps_layout = true};
    struct tokens comments = {.n = 0};

    lex(c, source, &lexed);
    for (size_t i = 0; i < lexed.n; i++)
        if (lexed.list[i].kind == TOKEN_COMMENT)
            token_add(c, &comments, lexed.list[i]);
    return comments;
}

/* The text that must not change: of a comment all but the blanks at its end, of an end nothing. */
static struct str lasting_text(const struct compile *c, const struct token *t)
{
    struct str text = source_text(c->sources, t->span);

    if (t->kind == TOKEN_STOP || t->kind == TOKEN_END)
        return STR_EMPTY;
    while (t->kind == TOKEN_COMMENT && strchr(" \t\r", text.p[text.n - 1]) != NULL)
        text.n--;
    return text;
}

static bool are_alike(const struct compile *c, const struct tokens *a, const struct tokens *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++)
        if (a->list[i].kind != b->list[i].kind ||
            !str_eq(lasting_text(c, &a->list[i]), lasting_text(c, &b->list[i])))
            return false;
    return a->n == b->n;
}

/* Whoever overwrites a file with the result relies on this, so it is looked at each time. */
static bool says_the_same(struct compile *c, const struct source *before,
                          const struct source *after)
{
    struct arena_mark mark = arena_mark(c->scratch.arena);
    struct tokens a = statements_of(c, before);
    struct tokens b = statements_of(c, after);
    bool is_same = are_alike(c, &a, &b);

    arena_rewind(c->scratch.arena, mark);
    a = comments_of(c, before);
    b = comments_of(c, after);
    is_same = is_same && are_alike(c, &a, &b);
    arena_rewind(c->scratch.arena, mark);
    return is_same;
}

/* Does the grammar take the text? */
static bool check(struct compile *c, struct source *source)
{
    struct arena_mark mark = arena_mark(c->scratch.arena);
    bool has_brace_fault;

    if (!tokens_check_bytes(c, source))
        return false;
    parse(c, source, &has_brace_fault);
    arena_rewind(c->scratch.arena, mark);
    return diags_n_errors(c->diags) == 0;
}

/* The text in its layout, as a second source; NULL where there is too much of it. */
static const struct source *lay_out(struct compile *c, const struct source *before)
{
    struct arena_mark mark = arena_mark(c->scratch.arena);
    struct tokens tokens = {.keeps_layout = true};
    const struct source *after = NULL;

    lex(c, before, &tokens);
    if (diags_n_errors(c->diags) == 0)
        after = add_source(c, before->name, fmt_layout(c, before, &tokens),
                           "the result would be too large a file");
    arena_rewind(c->scratch.arena, mark);
    return after;
}

/* Each step gives its memory back: of a large file, one step's is much. */
static bool format(struct compile *c, struct str name, struct str text, struct str *out)
{
    struct source *before = add_source(c, name, text, "the file is too large");
    const struct source *after;

    if (before == NULL || !check(c, before))
        return false;
    after = lay_out(c, before);
    if (after == NULL)
        return false;
    assert_about(says_the_same(c, before, after), "fmt has changed more than the layout");
    *out = store_str(&c->keep, after->text);
    return true;
}

bool fmt_text(struct str name, struct str text, struct diags *diags, struct arena *arena,
              struct str *out)
{
    struct arena *scratch = arena_new(SCRATCH_BLOCK, SCRATCH_MAX);
    jmp_buf no_memory;
    struct compile c = {
        .diags = diags,
        .sources = diags_sources(diags),
        .scratch = {scratch, &no_memory},
        .keep = {arena,   &no_memory},
    };
    bool is_done = false;

    if (scratch == NULL || setjmp(no_memory) != 0)
        diag_error(diags, SPAN_NONE, "out of memory");
    else
        is_done = format(&c, name, text, out);
    arena_free(scratch);
    if (!is_done || diags_n_errors(diags) > 0) {
        *out = STR_EMPTY;
        return false;
    }
    return true;
}

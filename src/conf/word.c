/*
 * word - what the words of a file mean.
 */
#include "conf/word.h"

#include "conf/let.h"

struct reader {
    struct compile *compile;
    struct word *word;
    struct word_part **end;
    const char *at;
    const char *stop;
    const char *base; /* where the word starts */
    char *literal;    /* the part in hand: room for the whole word */
    size_t n;
};

static struct span reader_span(const struct reader *r, const char *from, const char *to)
{
    uint32_t base = r->word->at->span.from;

    return (struct span){base + (uint32_t)(from - r->base), base + (uint32_t)(to - r->base)};
}

static void add_part(struct reader *r, struct word_part part)
{
    struct word_part *copy = store_new(&r->compile->scratch, struct word_part);

    *copy = part;
    *r->end = copy;
    r->end = &copy->next;
}

static void end_literal(struct reader *r)
{
    if (r->n == 0)
        return;
    add_part(r, (struct word_part){
                    .text = store_str(&r->compile->scratch, (struct str){r->literal, r->n})});
    r->n = 0;
}

const char *word_environment(struct compile *c, struct str name)
{
    struct str terminated = store_str(&c->scratch, name);

    return c->files->environment(c->files, terminated.p);
}

/* Names of variables hold no white space, or they would not be found anyway. */
static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == ' ' || text.p[i] == '\t')
            return false;
    return text.n > 0;
}

/* Set but empty takes the default, as in a shell; without a default it must be set. */
static void read_environment(struct reader *r, struct str name, struct span span)
{
    const char *colon = memmem(name.p, name.n, ":-", 2);
    struct str variable = name;
    struct str value = STR_EMPTY;
    const char *set;

    if (colon != NULL) {
        variable.n = (size_t)(colon - name.p);
        value = str_slice(name, variable.n + 2, name.n);
    }
    if (!is_name(variable)) {
        diag_error(r->compile->diags, span, "expected ${env.NAME} or ${env.NAME:-default}");
        r->word->is_bad = true;
        return;
    }
    set = word_environment(r->compile, variable);
    if (set != NULL && (*set != '\0' || colon == NULL))
        value = str_of(set);
    if (set == NULL && colon == NULL) {
        diag_error(r->compile->diags, span,
                   "the environment variable '%.*s' is not set; ${env.%.*s:-default} gives it a "
                   "default",
                   STR_ARG(variable), STR_ARG(variable));
        r->word->is_bad = true;
    }
    end_literal(r);
    if (value.n > 0)
        add_part(r, (struct word_part){.text = store_str(&r->compile->scratch, value)});
}

/* At `${`. */
static void read_reference(struct reader *r)
{
    const char *from = r->at;
    const char *close = memchr(from, '}', (size_t)(r->stop - from));
    struct span span;
    struct str value;
    struct str name;

    if (close == NULL) {
        diag_error(r->compile->diags, reader_span(r, from, from + 2), "'${' without '}'");
        r->word->is_bad = true;
        r->at = r->stop;
        return;
    }
    r->at = close + 1;
    span = reader_span(r, from, r->at);
    name = (struct str){from + 2, (size_t)(close - from) - 2};
    if (str_starts_with(name, STR("env."))) {
        read_environment(r, str_slice(name, 4, name.n), span);
        return;
    }
    end_literal(r);
    if (let_find(r->compile, name, &value)) {
        r->word->is_bad = r->word->is_bad || value.p == NULL; /* its fault has been reported */
        if (value.n > 0)
            add_part(r, (struct word_part){.text = value});
        return;
    }
    r->word->has_variable = true;
    add_part(r, (struct word_part){true, name, span, NULL});
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = str_lower_char(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* At a backslash of a "string"; the lexer saw to it that a character follows. */
static void read_escape(struct reader *r)
{
    static const char names[] = "ntr\"\\$";
    static const char values[] = "\n\t\r\"\\$";
    const char *from = r->at;
    const char *found = strchr(names, from[1]);
    int high;
    int low;

    r->at += 2;
    if (found != NULL && from[1] != '\0') {
        r->literal[r->n++] = values[found - names];
        return;
    }
    high = from[1] == 'x' && r->stop - from > 3 ? hex_digit(from[2]) : -1;
    low = high >= 0 ? hex_digit(from[3]) : -1;
    if (low >= 0) {
        r->at += 2;
        r->literal[r->n++] = (char)(high << 4 | low);
        return;
    }
    while (r->at < r->stop && ((unsigned char)*r->at & 0xc0) == 0x80)
        r->at++;
    diag_error(r->compile->diags, reader_span(r, from, r->at),
               "unknown escape; expected \\n, \\t, \\r, \\\", \\\\, \\$ or \\xHH (between ' and ' a "
               "backslash is itself)");
    r->word->is_bad = true;
}

static void read_parts(struct reader *r)
{
    enum ast_word_kind kind = r->word->at->kind;

    while (r->at < r->stop) {
        if (kind != AST_RAW && r->stop - r->at >= 2 && r->at[0] == '$' && r->at[1] == '{')
            read_reference(r);
        else if (kind == AST_STRING && *r->at == '\\')
            read_escape(r);
        else
            r->literal[r->n++] = *r->at++;
    }
    end_literal(r);
}

/* The text of a word without variables. */
static struct str join_parts(struct compile *c, const struct word *word)
{
    size_t n = 0;
    char *p;

    if (word->parts == NULL)
        return STR("");
    if (word->parts->next == NULL)
        return word->parts->text;
    for (const struct word_part *part = word->parts; part != NULL; part = part->next)
        n += part->text.n;
    p = store_zalloc(&c->scratch, n + 1, 1);
    n = 0;
    for (const struct word_part *part = word->parts; part != NULL; part = part->next) {
        memcpy(p + n, part->text.p, part->text.n);
        n += part->text.n;
    }
    return (struct str){p, n};
}

/* Does the word mean its own text, as nearly all do? */
static bool is_plain(enum ast_word_kind kind, struct str text)
{
    return kind == AST_RAW || (memchr(text.p, '$', text.n) == NULL &&
                               (kind == AST_BARE || memchr(text.p, '\\', text.n) == NULL));
}

static void read_plain(struct compile *c, struct word *word, struct str text)
{
    word->text = text;
    if (text.n == 0)
        return;
    word->parts = store_new(&c->scratch, struct word_part);
    word->parts->text = text;
}

struct word word_read(struct compile *c, const struct ast_word *at)
{
    struct word word = {.at = at, .is_bad = at->is_poisoned};
    struct str text = at->kind == AST_LIST ? STR_EMPTY : ast_text(c, at);
    struct reader r = {.compile = c, .word = &word, .end = &word.parts, .base = text.p};

    if (word.is_bad || text.n == 0)
        return word;
    r.at = text.p;
    r.stop = text.p + text.n;
    if (at->kind != AST_BARE) {
        r.at++;
        r.stop--;
    }
    text = (struct str){r.at, (size_t)(r.stop - r.at)};
    if (is_plain(at->kind, text)) {
        read_plain(c, &word, text);
        return word;
    }
    r.literal = store_zalloc(&c->scratch, text.n, 1);
    read_parts(&r);
    if (!word.has_variable)
        word.text = join_parts(c, &word);
    return word;
}

struct str word_path(struct compile *c, const struct ast_word *at, struct str text)
{
    struct str directory = source_of(c->sources, at->span.from)->directory;

    if (str_starts_with(text, STR("./")))
        text = str_slice(text, 2, text.n);
    if (str_starts_with(text, STR("/")))
        return store_str(&c->keep, text);
    if (directory.n > 0)
        text = store_printf(&c->scratch, "%.*s/%.*s", STR_ARG(directory), STR_ARG(text));
    if (str_starts_with(text, STR("/")))
        return store_str(&c->keep, text);
    directory = c->files->directory(c->files, c->scratch.arena);
    return store_printf(&c->keep, "%.*s/%.*s", STR_ARG(directory), STR_ARG(text));
}

bool word_is_bare(struct str text)
{
    static const char marks[] = "{}();,\"'\\$";

    if (text.n == 0 || text.p[0] == '#')
        return false;
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] >= 0x7f ||
            strchr(marks, text.p[i]) != NULL)
            return false;
    return true;
}

bool word_is_raw(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || (unsigned char)text.p[i] >= 0x7f || text.p[i] == '\'')
            return false;
    return text.n > 0;
}

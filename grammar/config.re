/*
 * The lexer of the configuration: bytes to words and marks.
 *
 * The text ends in a NUL and holds no other (conf/source.h), so one sentinel ends every rule.
 * What a word means (escapes, ${}) is found later, by conf/word.h: here only its two ends.
 */
#include "conf/token.h"

#include "base/panic.h"

/* People's files have a token in so many bytes, or fewer tokens. */
#define BYTES_PER_TOKEN 4

struct lexer {
    struct compile *compile;
    const struct source *source;
    struct tokens *tokens;
    const char *at;
    bool has_fault; /* a fault of this line has been reported: its other words are poisoned */
};

static struct span lexer_span(const struct lexer *l, const char *from, const char *to)
{
    return (struct span){l->source->base + (uint32_t)(from - l->source->text.p),
                         l->source->base + (uint32_t)(to - l->source->text.p)};
}

static bool at_line_end(const char *p)
{
    return *p == '\n' || *p == '\0' || (p[0] == '\r' && p[1] == '\n');
}

static bool starts_word(char c)
{
    return c != '\0' && strchr(" \t\r\n{}();,", c) == NULL;
}

/* A word of a line with a fault: its braces were perhaps not meant to be in a string. */
static void lexer_lose_braces(struct lexer *l, const char *from)
{
    for (const char *p = from; p < l->at; p++)
        if (*p == '{' || *p == '}')
            l->tokens->has_lost_braces = true;
}

/* Leave out the rest of the text. What lacks a partner there is no news. */
static void lexer_give_up(struct lexer *l, struct span span)
{
    diag_error(l->compile->diags, span, "a file has no more than %zu words and marks", TOKENS_MAX);
    l->tokens->has_lost_braces = true;
    l->at = l->source->text.p + l->source->text.n;
}

static void lexer_add(struct lexer *l, enum token_kind kind, const char *from, bool is_poisoned)
{
    struct token token = {kind, lexer_span(l, from, l->at), is_poisoned};

    if (l->tokens->n == TOKENS_MAX && kind != TOKEN_END) {
        lexer_give_up(l, token.span);
        return;
    }

    if (kind == TOKEN_LINE)
        l->has_fault = false;
    if (kind <= TOKEN_RAW && l->has_fault) {
        token.is_poisoned = true;
        lexer_lose_braces(l, from);
    }
    if (kind <= TOKEN_RAW && memchr(from, SOURCE_BAD, (size_t)(l->at - from)) != NULL)
        token.is_poisoned = true;
    token_add(l->compile, l->tokens, token);
}

static void lexer_add_layout(struct lexer *l, enum token_kind kind, const char *from)
{
    if (l->tokens->keeps_layout)
        lexer_add(l, kind, from, false);
}

/* One quote too many or too few upsets all that follows on its line: one error tells it. */
static void lexer_fault(struct lexer *l, const char *from, const char *to, const char *what)
{
    if (!l->has_fault)
        diag_error(l->compile->diags, lexer_span(l, from, to), "%s", what);
    l->has_fault = true;
}

/* Two words that touch are a fault of the second; both are kept. */
static void lexer_add_word(struct lexer *l, enum token_kind kind, const char *from)
{
    lexer_add(l, kind, from, false);
    if (!starts_word(*l->at) || *l->at == '\\')
        return;
    lexer_fault(l, l->at, l->at + 1, "expected a blank between two words");
}

/*
 * Take the rest of the line into one word that nobody complains about again. Braces at its end are
 * left out: whoever forgot the quote did not forget those.
 */
static void lexer_skip_line(struct lexer *l, const char *from)
{
    const char *least = l->at;

    while (!at_line_end(l->at))
        l->at++;
    while (l->at > least && strchr(" \t{}", l->at[-1]) != NULL)
        l->at--;
    lexer_add(l, TOKEN_BARE, from, true);
}

/* A bare word: a backslash that joins two lines is no part of it, and `${` must be whole. */
static void lexer_add_bare(struct lexer *l, const char *from)
{
    if (l->at[-1] == '$' && *l->at == '{') {
        lexer_fault(l, l->at - 1, l->at + 1, "'${' without '}' on the same line");
        lexer_skip_line(l, from);
        return;
    }
    if (l->at[-1] == '\\' && at_line_end(l->at) && *l->at != '\0')
        l->at--;
    if (l->at > from)
        lexer_add_word(l, TOKEN_BARE, from);
}

static void lexer_add_open_string(struct lexer *l, const char *from)
{
    lexer_fault(l, from, l->at, "the string that starts here does not end on its line");
    lexer_skip_line(l, from);
}

/* How the scanner reads: `marker` is where it goes back to when a longer rule fails. */
#define YYPEEK()    ((unsigned char)*l->at)
#define YYSKIP()    (l->at++)
#define YYBACKUP()  (marker = l->at)
#define YYRESTORE() (l->at = marker)

void lex(struct compile *c, const struct source *source, struct tokens *tokens)
{
    struct lexer lexer = {c, source, tokens, source->text.p, false};
    struct lexer *l = &lexer;

    tokens_reserve(c, tokens, source->text.n / BYTES_PER_TOKEN + 64);
    for (;;) {
        const char *start = l->at;
        const char *marker;

        /*!re2c
        re2c:yyfill:enable = 0;
        re2c:flags:input = custom;
        re2c:define:YYCTYPE = "unsigned char";

        line      = "\r"? "\n";
        first     = [^ \t\r\n\x00{}();,"'#$];
        reference = "${" [^}\r\n\x00]* "}";
        bare      = (first | reference | "$") (first | "#" | reference | "$")*;
        string    = ["] ([^"\\\r\n\x00] | "\\" [^\r\n\x00])* ["];
        raw       = ['] [^'\r\n\x00]* ['];

        [ \t]+           { continue; }
        "\\" line        { lexer_add_layout(l, TOKEN_JOIN, start); continue; }
        "#" [^\n\x00]*   { lexer_add_layout(l, TOKEN_COMMENT, start); continue; }
        line             { lexer_add(l, TOKEN_LINE, start, false); continue; }
        ";"              { lexer_add(l, TOKEN_SEMICOLON, start, false); continue; }
        "{"              { lexer_add(l, TOKEN_OPEN, start, false); continue; }
        "}"              { lexer_add(l, TOKEN_CLOSE, start, false); continue; }
        "("              { lexer_add(l, TOKEN_LEFT, start, false); continue; }
        ")"              { lexer_add(l, TOKEN_RIGHT, start, false); continue; }
        ","              { lexer_add(l, TOKEN_COMMA, start, false); continue; }
        bare             { lexer_add_bare(l, start); continue; }
        string           { lexer_add_word(l, TOKEN_STRING, start); continue; }
        raw              { lexer_add_word(l, TOKEN_RAW, start); continue; }
        ["']             { lexer_add_open_string(l, start); continue; }
        "\x00"           { break; }
        *                { unreachable("every byte starts a token"); }
        */
    }
    l->at = source->text.p + source->text.n;
    lexer_add(l, TOKEN_END, l->at, false);
}

/*
 * The structure of the configuration: statements, blocks, conditions. What a directive means is not
 * known here (settings.def): every keyword is a word, and only `route`, `acl`, `allow` and `deny`,
 * which take a condition, have rules of their own.
 *
 * The tokens come from the filter, so brackets balance and each statement ends in STOP. Recovery is
 * at STOP and `{`: the rest of a statement is lost, its block is not.
 */
%code requires {
#include "conf/parse.h"
}

%code {
#include "base/panic.h"
#include "conf/filter.h"
#include "conf/expr.h"
#include "conf/suggest.h"

/*
 * The stacks are the parser's own arrays and never grow: the filter bounds the nesting, so only a
 * silly number of `not` can get here. Nothing is allocated, so leaving by longjmp loses nothing.
 */
#define YYINITDEPTH 1000
#define YYMAXDEPTH  1000

#define YYLLOC_DEFAULT(current, rhs, n)                                                            \
    ((current) = (n) > 0 ? span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n))                           \
                         : span_after(YYRHSLOC(rhs, 0)))

static int config_lex(CONFIG_STYPE *value, struct span *span, struct parse *p);
static void config_error(const struct span *span, struct parse *p, const char *message);
}

%define api.pure full
%define api.prefix {config_}
%define api.location.type {struct span}
%define api.token.prefix {T_}
%define parse.error custom
%define parse.lac full
%expect 0
%lex-param { struct parse *p }
%parse-param { struct parse *p }
%initial-action { @$ = (struct span){0, 0}; }

%union {
    struct ast_word *word;
    struct ast_words words;
    struct ast_expr *expr;
    struct ast_block *block;
    struct ast_statement *statement;
}

%token END 0 "the end of the file"
%token STOP  "the end of the statement"
%token OPEN  "'{'"
%token CLOSE "'}'"
%token LEFT  "'('"
%token RIGHT "')'"
%token COMMA "','"
%token <word> WORD   "a word"
%token <word> STRING "a string"
%token <word> NUMBER "a number"
%token <word> AND "'and'"
%token <word> OR  "'or'"
%token <word> NOT "'not'"
%token <word> OPERATOR "an operator"
%token <word> IN "'in'"
%token <word> FILE_ "'file'"
%token <word> WHEN  "'when'"
%token <word> ROUTE "'route'"
%token <word> ACL   "'acl'"
%token <word> ALLOW "'allow'"
%token <word> DENY  "'deny'"

%type <word> head any_word argument access named tail
%type <words> plain wants list items
%type <expr> when or and not test
%type <block> statements block ending
%type <statement> statement

%%

file:
    statements                      { p->file = $1; }
;

statements:
    %empty                          { $$ = ast_block(p->compile); }
|   statements statement            { $$ = ast_block_add($1, $2); }
;

statement:
    plain ending                    { $$ = ast_statement(p->compile, $1, $2); }
|   named any_word ending           { $$ = ast_named(p->compile, $1, $2, NULL, $3); }
|   named any_word when ending      { $$ = ast_named(p->compile, $1, $2, $3, $4); }
|   named error ending              { $$ = ast_named(p->compile, $1, NULL, NULL, $3); }
|   access wants ending             { $$ = ast_access(p->compile, $1, $2, NULL, NULL, $3); }
|   access wants when tail ending   { $$ = ast_access(p->compile, $1, $2, $3, $4, $5); }
|   STOP                            { $$ = NULL; }
|   error ending                    { $$ = ast_lost(p->compile); yyerrok; }
;

ending:
    STOP                            { $$ = NULL; }
|   block STOP                      { $$ = $1; }
;

block:
    OPEN statements CLOSE           { $$ = ast_block_open($2, @1); }
;

/* The directives without a condition: words, and nothing known about them here. */
plain:
    head                            { $$ = ast_words($1); }
|   plain argument                  { $$ = ast_words_add($1, $2); }
;

argument:
    any_word
|   list                            { $$ = ast_list(p->compile, @1, $1); }
;

list:
    LEFT items RIGHT                { $$ = $2; }
|   LEFT error RIGHT                { $$ = ast_words(NULL); }
;

items:
    any_word                        { $$ = ast_words($1); }
|   items COMMA any_word            { $$ = ast_words_add($1, $3); }
;

/* What has a name and a condition. */
named:
    ROUTE
|   ACL
;

access:
    ALLOW
|   DENY
;

/* Everything before `when`, so that nobody's address may be called `when`. */
wants:
    %empty                          { $$ = ast_words(NULL); }
|   wants WORD                      { $$ = ast_words_add($1, $2); }
|   wants STRING                    { $$ = ast_words_add($1, $2); }
|   wants NUMBER                    { $$ = ast_words_add($1, $2); }
;

tail:
    %empty                          { $$ = NULL; }
|   NUMBER
;

when:
    WHEN or                         { $$ = $2; }
|   WHEN error                      { $$ = ast_poisoned(p->compile, @1); }
;

or:
    and
|   or OR and                       { $$ = ast_join(p->compile, AST_OR, $1, $3); }
;

and:
    not
|   and AND not                     { $$ = ast_join(p->compile, AST_AND, $1, $3); }
;

not:
    test
|   NOT not                         { $$ = ast_not(p->compile, @$, $2); }
|   LEFT or RIGHT                   { $$ = ast_group(p->compile, @$, $2); }
|   LEFT error RIGHT                { $$ = ast_poisoned(p->compile, @$); }
;

test:
    WORD                            { $$ = ast_test(p->compile, @$, $1, NULL, ast_words(NULL)); }
|   WORD OPERATOR any_word          { $$ = ast_test(p->compile, @$, $1, $2, ast_words($3)); }
|   WORD IN list                    { $$ = ast_test(p->compile, @$, $1, $2, $3); }
|   WORD IN FILE_ any_word          { $$ = ast_test_file(p->compile, @$, $1, $2, $4); }
;

/* What a statement may start with: `route`, `acl`, `allow` and `deny` have rules of their own. */
head:
    WORD
|   STRING
|   NUMBER
|   AND
|   OR
|   NOT
|   OPERATOR
|   IN
|   FILE_
|   WHEN
;

any_word:
    head
|   ROUTE
|   ACL
|   ALLOW
|   DENY
;

%%

/*
 * The bare words that mean something to the grammar, beside the operators of operators.def.
 * Elsewhere they are words like others.
 */
static const struct {
    const char *text;
    int kind;
} keywords[] = {
    {"and", T_AND},   {"or", T_OR},     {"not", T_NOT}, {"in", T_IN},       {"file", T_FILE_},
    {"when", T_WHEN}, {"route", T_ROUTE}, {"acl", T_ACL}, {"allow", T_ALLOW}, {"deny", T_DENY},
};

static int keyword_kind(struct str text)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (str_eq(text, str_of(keywords[i].text)))
            return keywords[i].kind;
    for (size_t i = 0; i < OPERATOR_N; i++)
        if (str_eq(text, str_of(operator_rows[i].name)))
            return T_OPERATOR;
    return T_WORD;
}

bool parse_is_keyword(struct str text)
{
    return keyword_kind(text) != T_WORD;
}

static bool is_number(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > 0;
}

static int word_kind(const struct parse *p, const struct token *token)
{
    struct str text = source_text(p->compile->sources, token->span);

    if (token->kind != TOKEN_BARE)
        return T_STRING;
    return is_number(text) ? T_NUMBER : keyword_kind(text);
}

static int config_lex(CONFIG_STYPE *value, struct span *span, struct parse *p)
{
    const struct token *token = p->at;

    *span = token->span;
    switch (token->kind) {
    case TOKEN_BARE:
    case TOKEN_STRING:
    case TOKEN_RAW:
        p->at++;
        value->word = ast_word(p->compile, token);
        return word_kind(p, token);
    case TOKEN_STOP: p->at++; return T_STOP;
    case TOKEN_OPEN: p->at++; return T_OPEN;
    case TOKEN_CLOSE: p->at++; return T_CLOSE;
    case TOKEN_LEFT: p->at++; return T_LEFT;
    case TOKEN_RIGHT: p->at++; return T_RIGHT;
    case TOKEN_COMMA: p->at++; return T_COMMA;
    case TOKEN_END: return T_END;
    case TOKEN_LINE:
    case TOKEN_SEMICOLON:
    case TOKEN_COMMENT:
    case TOKEN_JOIN: break;
    }
    unreachable("the filter lets no line ends through, and is given no comments");
}

/* Only for what is no syntax error: the stacks are full. */
static void config_error(const struct span *span, struct parse *p, const char *message)
{
    (void)message;
    diag_error(p->compile->diags, *span, "this is nested too deeply");
}

/* A list of what could stand here, as a person would say it. */
struct expected {
    char text[256];
    size_t n;
    const char *names[YYNTOKENS];
    int n_names;
};

static void expected_add(struct expected *e, const char *text)
{
    size_t n = strlen(text);

    if (n > sizeof(e->text) - e->n)
        n = sizeof(e->text) - e->n;
    memcpy(e->text + e->n, text, n);
    e->n += n;
}

static const char *expected_name(yysymbol_kind_t kind)
{
    if (kind == YYSYMBOL_STOP)
        return "the end of the line";
    return yysymbol_name(kind);
}

static bool expects(const yysymbol_kind_t *kinds, int n, yysymbol_kind_t kind)
{
    for (int i = 0; i < n; i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

/* Where any word may stand, the twenty kinds of words are one thing: a value. */
static void expected_collect(struct expected *e, const yysymbol_kind_t *kinds, int n)
{
    bool any_word = expects(kinds, n, YYSYMBOL_DENY);
    bool word = expects(kinds, n, YYSYMBOL_WORD);

    if (any_word)
        e->names[e->n_names++] = "a value";
    else if (word)
        e->names[e->n_names++] = "a variable";
    for (int i = 0; i < n; i++) {
        bool is_word = kinds[i] >= YYSYMBOL_WORD && kinds[i] <= YYSYMBOL_DENY;

        if (kinds[i] == YYSYMBOL_WORD || (any_word && is_word))
            continue;
        e->names[e->n_names++] = expected_name(kinds[i]);
    }
    for (int i = 0; i < e->n_names; i++) {
        if (i > 0)
            expected_add(e, i + 1 == e->n_names ? " or " : ", ");
        expected_add(e, e->names[i]);
    }
}

/* All operators, as `==, != or ~`. */
static void expected_operators(struct expected *e)
{
    for (size_t i = 0; i < OPERATOR_N; i++) {
        if (i > 0)
            expected_add(e, i + 1 == OPERATOR_N ? " or " : ", ");
        expected_add(e, operator_rows[i].name);
    }
}

/* What other languages call an operator of ours. */
static struct str operator_elsewhere(struct str word)
{
    static const struct {
        const char *theirs;
        const char *ours;
    } rows[] = {
        {"=", "=="},       {"is", "=="},      {"eq", "=="},      {"equals", "=="},
        {"ne", "!="},      {"<>", "!="},      {"lt", "<"},       {"le", "<="},
        {"=<", "<="},      {"gt", ">"},       {"ge", ">="},      {"=>", ">="},
        {"=~", "~"},       {"~*", "~"},       {"matches", "~"},  {"regex", "~"},
        {"beg", "starts-with"},               {"begins-with", "starts-with"},
        {"end", "ends-with"},                 {"sub", "contains"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (str_eq(word, str_of(rows[i].theirs)))
            return str_of(rows[i].ours);
    return STR_EMPTY;
}

static void report_operator(struct parse *p, struct span span)
{
    struct suggestion s = suggest_start(source_text(p->compile->sources, span));
    struct expected e = {.n = 0};

    for (size_t i = 0; i < OPERATOR_N; i++)
        suggest_offer(&s, str_of(operator_rows[i].name));
    if (operator_elsewhere(s.word).n > 0)
        s.nearest = operator_elsewhere(s.word);
    expected_operators(&e);
    diag_error(p->compile->diags, span, "unknown operator '%.*s'; expected %.*s%s", STR_ARG(s.word),
               (int)e.n, e.text, suggest_text(&s));
}

/* What the fault probably comes from. */
static const char *hint(const struct parse *p, yysymbol_kind_t got, struct str text)
{
    bool touches = p->at - p->first > 1 && token_is_word(&p->at[-2]) &&
                   p->at[-2].span.to == p->at[-1].span.from;

    if (str_eq(text, STR("&&")))
        return "; did you mean 'and'?";
    if (str_eq(text, STR("||")))
        return "; did you mean 'or'?";
    if (got == YYSYMBOL_LEFT && touches)
        return " (a pattern with parentheses stands between ' and ')";
    return "";
}

static int yyreport_syntax_error(const yypcontext_t *at, struct parse *p)
{
    yysymbol_kind_t kinds[YYNTOKENS];
    int n = yypcontext_expected_tokens(at, kinds, YYNTOKENS);
    yysymbol_kind_t got = yypcontext_token(at);
    struct span span = *yypcontext_location(at);
    struct expected e = {.n = 0};
    struct str text;

    if (p->at > p->first && p->at[-1].is_poisoned && got != YYSYMBOL_YYEOF)
        return 0;
    if (got == YYSYMBOL_WORD && expects(kinds, n, YYSYMBOL_OPERATOR) &&
        !expects(kinds, n, YYSYMBOL_WORD)) {
        report_operator(p, span);
        return 0;
    }
    if (expects(kinds, n, YYSYMBOL_CLOSE))
        expected_add(&e, "a directive");
    else
        expected_collect(&e, kinds, n);
    if (got == YYSYMBOL_STOP || got == YYSYMBOL_YYEOF) {
        diag_error(p->compile->diags, span, "expected %.*s before the end of the line", (int)e.n,
                   e.text);
        return 0;
    }
    text = source_text(p->compile->sources, span);
    diag_error(p->compile->diags, span, "expected %.*s, got '%.*s'%s", (int)e.n, e.text,
               STR_ARG(text), hint(p, got, text));
    return 0;
}

struct ast_block *parse(struct compile *c, const struct source *source, bool *has_brace_fault)
{
    struct tokens lexed = {.n = 0};
    struct tokens filtered = {.n = 0};
    struct parse p = {.compile = c};

    lex(c, source, &lexed);
    *has_brace_fault = filter(c, &lexed, &filtered);
    p.first = filtered.list;
    p.at = filtered.list;
    config_parse(&p);
    return p.file == NULL ? ast_block(c) : p.file;
}

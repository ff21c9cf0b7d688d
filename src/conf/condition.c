/*
 * condition - `when …`: types checked, operands in the form that the type asks for.
 */
#include "conf/condition.h"

#include "base/panic.h"
#include "conf/acl.h"
#include "conf/config.h"
#include "conf/matches.h"
#include "conf/quantity.h"
#include "conf/value_set.h"
#include "conf/variable.h"
#include "conf/word.h"

const struct operator_row operator_rows[OPERATOR_N] = {
#define X(id, name, types, takes, doc) {name, EXPR_##id, types, takes, doc},
#include "grammar/operators.def"
#undef X
};

static const char *const type_names[] = {
    [VAR_TEXT] = "a text",           [VAR_PATH] = "a path",         [VAR_NUMBER] = "a number",
    [VAR_SIZE] = "a size",           [VAR_DURATION] = "a duration", [VAR_ADDRESS] = "an address",
    [VAR_TIMES] = "a list of times",
};

static const struct operator_row *operator_find(struct str name)
{
    for (size_t i = 0; i < OPERATOR_N; i++)
        if (str_eq(name, str_of(operator_rows[i].name)))
            return &operator_rows[i];
    unreachable("the grammar lets no other operator through");
}

static bool fail(struct compile *c, const struct ast_word *at, const char *expected)
{
    struct str text = ast_text(c, at);

    diag_error(c->diags, at->span, "expected %s, got '%.*s'", expected, STR_ARG(text));
    return false;
}

/* What is compared as a whole: a value that the variable cannot have would never be met. */
static bool is_whole(enum expr_op op)
{
    return op == EXPR_EQ || op == EXPR_NE || op == EXPR_IN;
}

static bool has_dot_segment(struct str path)
{
    static const char *const dots[] = {"/./", "/../"};

    for (size_t i = 0; i < 2; i++)
        if (str_contains(path, str_of(dots[i])) ||
            str_ends_with(path, (struct str){dots[i], strlen(dots[i]) - 1}))
            return true;
    return false;
}

/* What routes match has been decoded, its slashes merged, its dot segments removed. */
static const char *check_path(enum expr_op op, struct str text)
{
    if (!is_whole(op) && op != EXPR_UNDER)
        return NULL;
    if (!str_starts_with(text, STR("/")))
        return "a path, which starts with '/'";
    if (str_contains(text, STR("//")) || has_dot_segment(text))
        return "a path without '//', '.' and '..': they are removed before it is compared";
    return NULL;
}

static bool is_one_of(struct str text, const char *const *list)
{
    for (; *list != NULL; list++)
        if (str_eq(text, str_of(*list)))
            return true;
    return false;
}

static const char *check_host(struct str text)
{
    if (text.n > 0 && text.p[0] == '[')
        return text.p[text.n - 1] == ']' ? NULL : "a host without port";
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':')
            return "a host without port";
        if (text.p[i] == '*')
            return "a host without '*' ('ends-with .example.org' takes all below)";
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == '/')
            return "a host";
    }
    return NULL;
}

/* The texts of which more is known than that they are text. */
static const char *check_text(const struct expr *e, struct str text)
{
    static const char *const schemes[] = {"http", "https", NULL};
    static const char *const versions[] = {"HTTP/1.0", "HTTP/1.1", NULL};

    if (!is_whole(e->op))
        return NULL;
    switch ((unsigned)e->var.id) {
    case VAR_ID_HOST: return check_host(text);
    case VAR_ID_SCHEME: return is_one_of(text, schemes) ? NULL : "http or https";
    case VAR_ID_VERSION: return is_one_of(text, versions) ? NULL : "HTTP/1.0 or HTTP/1.1";
    case VAR_ID_URI:
    case VAR_ID_RAW_PATH:
        return str_starts_with(text, STR("/")) || str_eq(text, STR("*")) ? NULL
                                                                         : "what starts with '/'";
    case VAR_ID_QUERY: return str_starts_with(text, STR("?")) ? "a query, without its '?'" : NULL;
    default: return NULL;
    }
}

static const char *parse_address(enum expr_op op, struct expr_value *value)
{
    if (!cidr_parse(value->text, &value->net)) {
        if (cidr_has_host_bits(value->text))
            return "a block whose address ends where its prefix does, such as 10.0.0.0/8";
        return op == EXPR_IN ? "an address or a block such as 10.0.0.0/8"
                             : "an address such as 192.0.2.1";
    }
    return op == EXPR_IN || value->net.bits == 128 ? NULL : "one address ('in' takes blocks)";
}

static bool is_port(const struct expr *e)
{
    return str_ends_with(str_of(var_rows[e->var.id].name), STR("port"));
}

/* What is expected in place of a value of this test, or NULL and the value. */
static const char *parse_value(const struct expr *e, struct expr_value *value)
{
    struct str text = value->text;

    switch (var_rows[e->var.id].type) {
    case VAR_TEXT: return check_text(e, text);
    case VAR_PATH: return check_path(e->op, text);
    case VAR_NUMBER:
        if (quantity_count(text, &value->number) != QUANTITY_OK)
            return "a whole number";
        return is_port(e) && value->number > 65535 ? "a port, which is at most 65535" : NULL;
    case VAR_SIZE:
        return quantity_size(text, &value->number) == QUANTITY_OK ? NULL : "a size such as 128K";
    case VAR_DURATION:
        return quantity_duration(text, &value->number) == QUANTITY_OK ? NULL
                                                                      : "a duration such as 30s";
    case VAR_ADDRESS: return parse_address(e->op, value);
    case VAR_TIMES: break;
    }
    unreachable("no operator takes a list of times");
}

/* Methods have case (RFC 9110 9.1), and clients write those that everybody knows in capitals. */
static void warn_of_method(struct compile *c, const struct ast_word *at, const struct expr *e,
                           struct str text)
{
    static const char *const known[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};

    if ((unsigned)e->var.id != VAR_ID_METHOD || !is_whole(e->op))
        return;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_eq_nocase(text, str_of(known[i])) && !str_eq(text, str_of(known[i])))
            diag_warning(c->diags, at->span, "methods have case: '%.*s' is not '%s'", STR_ARG(text),
                         known[i]);
}

/* Values of what has no case are kept in one. */
static struct str fold(const struct var_ref *var, char *text, size_t n)
{
    for (size_t i = 0; var_rows[var->id].fold_case && i < n; i++)
        text[i] = str_lower_char(text[i]);
    return (struct str){text, n};
}

/* Read one operand of a test. */
static bool read_value(struct compile *c, const struct ast_word *at, const struct expr *e,
                       struct expr_value *value)
{
    struct word word = word_read(c, at);
    const char *expected;

    if (word.is_bad)
        return false;
    if (word.has_variable)
        return fail(c, at, "a value that is known when the file is loaded");
    value->text = store_str(&c->keep, word.text);
    if (e->op != EXPR_MATCHES)
        fold(&e->var, (char *)value->text.p, value->text.n);
    expected = parse_value(e, value);
    warn_of_method(c, at, e, value->text);
    return expected == NULL || fail(c, at, expected);
}

static void set_add(struct compile *c, struct value_set *set, enum var_type type,
                    const struct expr_value *value)
{
    if (type == VAR_ADDRESS)
        value_set_add_net(set, &c->keep, &value->net);
    else
        value_set_add_text(set, &c->keep, value->text);
}

/* Many values are looked up, but for numbers: nobody lists hundreds of those. */
static const struct value_set *make_set(struct compile *c, const struct expr *e)
{
    enum var_type type = var_rows[e->var.id].type;
    struct value_set *set;

    if (e->n_values <= VALUE_SET_MIN || (VAR_BIT(type) & ON_NUMBER) != 0)
        return NULL;
    set = value_set_new(&c->keep);
    for (size_t i = 0; i < e->n_values; i++)
        set_add(c, set, type, &e->values[i]);
    return set;
}

/* An expression that is freed with the config. */
static void keep_regex(struct compile *c, struct regex *regex)
{
    struct regex_link *link;

    /* Where there is no memory for the link the load ends here, and the expression with it. */
    link = arena_zalloc(c->keep.arena, 1, sizeof(*link));
    if (link == NULL) {
        regex_free(regex);
        store_fail(&c->keep);
    }
    *link = (struct regex_link){regex, c->regexes};
    c->regexes = link;
}

/* Text of a URI that nobody has decoded. */
static bool is_raw(const struct var_ref *var)
{
    return var->id == VAR_ID_URI || var->id == VAR_ID_RAW_PATH || var->id == VAR_ID_QUERY;
}

static bool name_groups(struct compile *c, struct expr *e, struct span span)
{
    struct expr_group *groups = store_zalloc(&c->keep, REGEX_GROUPS_MAX, sizeof(*groups));
    struct str name;
    unsigned number;
    unsigned n = 0;

    e->groups = groups;
    while (n < REGEX_GROUPS_MAX && regex_group(e->regex, n, &name, &number)) {
        groups[n].number = number;
        if (!matches_define(c, name, is_raw(&e->var), span, &groups[n].match))
            return false;
        n++;
    }
    e->n_groups = n;
    return true;
}

/* The span of the byte at `at` of a pattern, where the word means what it says; else all of it. */
static struct span pattern_span(struct compile *c, const struct ast_word *word, struct str pattern,
                                size_t at)
{
    struct str text = ast_text(c, word);
    uint32_t quote = word->kind == AST_BARE ? 0 : 1;
    uint32_t from = word->span.from + quote + (uint32_t)at;

    if (text.n != pattern.n + 2 * quote ||
        !str_eq(str_slice(text, quote, quote + pattern.n), pattern))
        return word->span;
    return (struct span){from, from + 1 < word->span.to ? from + 1 : word->span.to};
}

static bool read_regex(struct compile *c, const struct ast_word *at, struct expr *e)
{
    struct regex_fault fault;
    struct regex *regex = regex_new(e->values[0].text, &fault);

    if (regex == NULL) {
        diag_error(c->diags, pattern_span(c, at, e->values[0].text, fault.at),
                   "in the regular expression: %s", fault.text);
        return false;
    }
    keep_regex(c, regex);
    if (!regex_is_compiled(regex) && !c->has_interpreted_regex) {
        diag_warning(
            c->diags, at->span,
            "regular expressions will be interpreted, which is slower: the system grants no "
            "memory for compiled ones");
        c->has_interpreted_regex = true;
    }
    e->regex = regex;
    return name_groups(c, e, at->span);
}

/* Variable and operator of a test, checked against each other. NULL: reported. */
static struct expr *test_new(struct compile *c, const struct ast_expr *e)
{
    const struct operator_row *row = operator_find(ast_text(c, e->op));
    struct expr *result = store_new(&c->keep, struct expr);
    struct str name = ast_text(c, e->variable);
    enum var_type type;

    *result = (struct expr){.op = row->op, .n_tests = 1};
    if (acl_is_known(c, name)) {
        diag_error(c->diags, e->op->span, "'%.*s' is an acl: it stands alone", STR_ARG(name));
        return NULL;
    }
    if (!variable_find(c, name, e->variable->span, PHASE_REQUEST, &result->var))
        return NULL;
    type = var_rows[result->var.id].type;
    if ((row->types & VAR_BIT(type)) == 0) {
        diag_error(c->diags, e->op->span, "'%s' takes %s, but '%.*s' is %s", row->name, row->takes,
                   STR_ARG(name), type_names[type]);
        return NULL;
    }
    return result;
}

static const struct expr *compile_test(struct compile *c, const struct ast_expr *e)
{
    struct expr *result = test_new(c, e);
    struct expr_value *values = store_zalloc(&c->keep, e->values.n, sizeof(*values));
    bool ok = true;

    if (result == NULL)
        return NULL;
    result->values = values;
    result->n_values = e->values.n;
    for (const struct ast_word *at = e->values.first; at != NULL; at = at->next)
        ok = read_value(c, at, result, values++) && ok;
    if (!ok || e->values.n == 0)
        return NULL;
    if (result->op == EXPR_MATCHES && !read_regex(c, e->values.first, result))
        return NULL;
    if (result->op == EXPR_IN)
        result->set = make_set(c, result);
    return result;
}

/* Take the next line off a text, without blanks around it. */
static struct str take_line(struct str *text)
{
    const char *end = memchr(text->p, '\n', text->n);
    struct str line = {text->p, end == NULL ? text->n : (size_t)(end - text->p)};

    *text = str_slice(*text, end == NULL ? text->n : line.n + 1, text->n);
    if (str_ends_with(line, STR("\r")))
        line.n--;
    return str_trim(line);
}

/* A file of values as the lines that errors quote. NULL: there are too many sources already. */
static struct source *values_source(struct compile *c, struct str path, struct str text)
{
    return source_add(c->sources, path, STR_EMPTY, STR_EMPTY, text);
}

/* Bytes that no text holds. False: there are some, as reported. */
static bool check_bytes(struct compile *c, struct source *source)
{
    struct span span;
    const char *why;
    size_t at = 0;
    bool ok = true;

    while ((why = source_next_bad(source, &at, &span)) != NULL) {
        diag_error(c->diags, span, "%s", why);
        ok = false;
    }
    return ok;
}

/* One value a line; empty lines and those that start with `#` are none. */
static bool read_lines(struct compile *c, struct expr *e, struct value_set *set,
                       const struct source *source)
{
    enum var_type type = var_rows[e->var.id].type;
    struct str text = source->text;
    bool ok = true;

    while (text.n > 0) {
        struct expr_value value = {.text = take_line(&text)};
        uint32_t from = source->base + (uint32_t)(value.text.p - source->text.p);
        const char *expected;

        if (value.text.n == 0 || value.text.p[0] == '#')
            continue;
        value.text = store_str(&c->keep, value.text);
        fold(&e->var, (char *)value.text.p, value.text.n);
        expected = parse_value(e, &value);
        if (expected == NULL) {
            set_add(c, set, type, &value);
            continue;
        }
        diag_error(c->diags, (struct span){from, from + (uint32_t)value.text.n},
                   "expected %s, got '%.*s'", expected,
                   (int)(value.text.n < 80 ? value.text.n : 80), value.text.p);
        ok = false;
    }
    return ok;
}

static const struct expr *compile_file(struct compile *c, const struct ast_expr *e)
{
    struct expr *result = test_new(c, e);
    struct word word = word_read(c, e->values.first);
    struct value_set *set;
    struct source *source;
    struct str text;
    const char *why;

    if (result == NULL || word.is_bad)
        return NULL;
    if (word.has_variable || word.text.n == 0) {
        fail(c, e->values.first, "the path of a file");
        return NULL;
    }
    if ((VAR_BIT(var_rows[result->var.id].type) & ON_NUMBER) != 0) {
        diag_error(c->diags, e->op->span, "'in file' takes a text or an address, but '%.*s' is %s",
                   STR_ARG(ast_text(c, e->variable)), type_names[var_rows[result->var.id].type]);
        return NULL;
    }
    result->file = word_path(c, e->values.first, word.text);
    why = c->files->read(c->files, result->file, SOURCE_FILE_MAX, c->scratch.arena, &text);
    if (why != NULL) {
        diag_error(c->diags, e->values.first->span, "cannot read '%.*s': %s", STR_ARG(result->file),
                   why);
        return NULL;
    }
    set = value_set_new(&c->keep);
    result->set = set;
    source = values_source(c, result->file, text);
    if (source == NULL) {
        diag_error(c->diags, e->values.first->span, "cannot read '%.*s': that is too much in all",
                   STR_ARG(result->file));
        return NULL;
    }
    if (check_bytes(c, source) && read_lines(c, result, set, source))
        return result;
    diag_note(c->diags, e->values.first->span, "the file is named here");
    return NULL;
}

static const struct expr *compile_acl(struct compile *c, struct str name, struct span span)
{
    const struct expr *when = acl_find(c, name, span);
    const struct expr **items = store_zalloc(&c->keep, 1, sizeof(*items));
    struct expr *result = store_new(&c->keep, struct expr);

    if (when == NULL)
        return NULL;
    if (when->n_acls == ACL_DEPTH_MAX) {
        diag_error(c->diags, span, "acls name each other more than %d deep", ACL_DEPTH_MAX);
        return NULL;
    }
    items[0] = when;
    *result = (struct expr){.op = EXPR_ACL,
                            .items = items,
                            .n_items = 1,
                            .n_tests = when->n_tests,
                            .n_acls = when->n_acls + 1,
                            .acl = store_str(&c->keep, name)};
    return result;
}

static const struct expr *compile_alone(struct compile *c, const struct ast_expr *e)
{
    struct expr *result = store_new(&c->keep, struct expr);
    struct str name = ast_text(c, e->variable);

    if (acl_is_known(c, name))
        return compile_acl(c, name, e->variable->span);
    *result = (struct expr){.op = EXPR_IS_SET, .n_tests = 1};
    if (!variable_find(c, name, e->variable->span, PHASE_REQUEST, &result->var))
        return NULL;
    return result;
}

static const struct expr *compile_items(struct compile *c, const struct ast_expr *e,
                                        enum expr_op op)
{
    struct expr *result = store_new(&c->keep, struct expr);
    const struct expr **items = store_zalloc(&c->keep, e->n_items, sizeof(*items));
    size_t n_tests = 0;
    unsigned n_acls = 0;
    bool ok = true;
    size_t n = 0;

    for (const struct ast_expr *item = e->items; item != NULL; item = item->next, n++) {
        items[n] = condition_compile(c, item);
        ok = ok && items[n] != NULL;
        n_tests += ok ? items[n]->n_tests : 0;
        n_acls = ok && items[n]->n_acls > n_acls ? items[n]->n_acls : n_acls;
    }
    if (ok && n_tests > EXPR_TESTS_MAX) {
        diag_error(c->diags, e->span, "with its acls written out this has more than %d tests",
                   EXPR_TESTS_MAX);
        return NULL;
    }
    *result =
        (struct expr){.op = op, .items = items, .n_items = n, .n_tests = n_tests, .n_acls = n_acls};
    return ok ? result : NULL;
}

const struct expr *condition_compile(struct compile *c, const struct ast_expr *e)
{
    switch (e->kind) {
    case AST_AND: return compile_items(c, e, EXPR_AND);
    case AST_OR: return compile_items(c, e, EXPR_OR);
    case AST_NOT: return compile_items(c, e, EXPR_NOT);
    case AST_TEST: return compile_test(c, e);
    case AST_FILE: return compile_file(c, e);
    case AST_ALONE: return compile_alone(c, e);
    case AST_POISONED: return NULL;
    }
    unreachable("no such kind of condition");
}

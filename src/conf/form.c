/*
 * form - what may follow a directive: matching words with a form.
 *
 * Matching never goes back: which branch a word belongs to shows in the word itself. The depth of
 * the recursion is that of the brackets in settings.def.
 */
#include "conf/form.h"

#include "base/panic.h"
#include "conf/suggest.h"
#include "conf/value.h"

#define GROUPS_MAX   6
#define EXPECTED_MAX 256
/* All lists of the language are of addresses. */
#define LIST_EXPECTED "a list such as (10.0.0.0/8)"

struct match {
    struct compile *compile;
    const struct setting_row *row;
    const struct ast_statement *statement;
    struct word *words; /* behind the directive */
    size_t n_words;
    size_t at;
    struct str key; /* the word of the form matched last */
    bool is_full;   /* all options of the last row of them are there */
    struct args args;
};

/* One element of a form, and what follows it. */
struct element {
    enum element_kind {
        ELEMENT_END,
        ELEMENT_WORDS,
        ELEMENT_TYPE,
        ELEMENT_LIST,
        ELEMENT_OPTION,
        ELEMENT_CHOICE
    } kind;
    struct str text; /* `a|b`, the type's name, or what stands in the brackets */
    enum form_type type;
    bool repeats;
};

static const struct type_row {
    const char *name;
    const char *expected;
} types[FORM_N] = {
#define X(id, name, expected) [FORM_##id] = {name, expected},
    FORM_TYPES
#undef X
};

static struct str skip_blanks(struct str form)
{
    while (form.n > 0 && form.p[0] == ' ')
        form = str_slice(form, 1, form.n);
    return form;
}

static bool opens(char c)
{
    return c == '[' || c == '{' || c == '(';
}

static bool closes(char c)
{
    return c == ']' || c == '}' || c == ')';
}

/* What stands between the bracket at the start of form and its partner. */
static struct str bracketed(struct str form)
{
    unsigned depth = 0;

    for (size_t i = 0; i < form.n; i++) {
        depth += opens(form.p[i]);
        depth -= closes(form.p[i]);
        if (depth == 0)
            return str_slice(form, 1, i);
    }
    unreachable("a form in settings.def has a bracket without partner");
}

/* The type of this name; FORM_WORD: none. */
static enum form_type type_find(struct str name)
{
    for (unsigned i = FORM_WORD + 1; i < FORM_N; i++)
        if (str_eq(name, str_of(types[i].name)))
            return (enum form_type)i;
    return FORM_WORD;
}

static void element_name(struct element *e, struct str text)
{
    e->text = text;
    if (str_ends_with(text, STR("..."))) {
        e->repeats = true;
        e->text.n -= 3;
    }
    e->type = type_find(e->text);
    e->kind = e->type == FORM_WORD ? ELEMENT_WORDS : ELEMENT_TYPE;
}

/* `TYPE, ...` */
static void element_list(struct element *e)
{
    e->kind = ELEMENT_LIST;
    e->type = type_find(str_slice(e->text, 0, e->text.n - strlen(", ...")));
    assert(str_ends_with(e->text, STR(", ...")) && e->type != FORM_WORD);
}

/* Take the first element off a form. */
static struct element form_next(struct str *form)
{
    struct element e = {.kind = ELEMENT_END};
    size_t n = 0;

    *form = skip_blanks(*form);
    if (form->n == 0)
        return e;
    if (opens(form->p[0])) {
        e.kind = form->p[0] == '[' ? ELEMENT_OPTION : ELEMENT_CHOICE;
        e.text = bracketed(*form);
        if (form->p[0] == '(')
            element_list(&e);
        *form = str_slice(*form, e.text.n + 2, form->n);
        return e;
    }
    while (n < form->n && form->p[n] != ' ')
        n++;
    element_name(&e, str_slice(*form, 0, n));
    *form = str_slice(*form, n, form->n);
    return e;
}

/* Split `a|b`, or `a / b` of a choice, at its first mark that is in no bracket. */
static struct str alternative_next(struct str *text, char mark)
{
    unsigned depth = 0;
    size_t n = 0;
    struct str first;

    for (; n < text->n && (depth > 0 || text->p[n] != mark); n++) {
        depth += opens(text->p[n]);
        depth -= closes(text->p[n]);
    }
    first = str_slice(*text, 0, n);
    *text = str_slice(*text, n < text->n ? n + 1 : n, text->n);
    return first;
}

/* Is the part of a form that `when` introduces, which the grammar has taken already. */
static bool is_when(struct str form)
{
    return str_starts_with(skip_blanks(form), STR("when "));
}

/* The words of a form that text could be: for errors. */
struct expected {
    char text[EXPECTED_MAX];
    size_t n;
    size_t n_items;
    struct suggestion suggestion;
};

static void expected_put(struct expected *e, struct str text)
{
    if (text.n > sizeof(e->text) - e->n)
        text.n = sizeof(e->text) - e->n;
    memcpy(e->text + e->n, text.p, text.n);
    e->n += text.n;
}

static void expected_add(struct expected *e, struct str text, bool is_word)
{
    if (e->n_items++ > 0)
        expected_put(e, STR(", "));
    expected_put(e, is_word ? STR("'") : STR(""));
    expected_put(e, text);
    expected_put(e, is_word ? STR("'") : STR(""));
    if (is_word)
        suggest_offer(&e->suggestion, text);
}

/* All that a form may start with. */
static void expected_collect(struct expected *e, struct str form)
{
    struct element element = form_next(&form);
    struct str text = element.text;

    switch (element.kind) {
    case ELEMENT_END: return;
    case ELEMENT_WORDS:
        while (text.n > 0)
            expected_add(e, alternative_next(&text, '|'), true);
        return;
    case ELEMENT_TYPE: expected_add(e, str_of(types[element.type].expected), false); return;
    case ELEMENT_LIST: expected_add(e, STR(LIST_EXPECTED), false); return;
    case ELEMENT_OPTION:
        if (!is_when(text))
            expected_collect(e, text);
        expected_collect(e, form);
        return;
    case ELEMENT_CHOICE:
        while (text.n > 0)
            expected_collect(e, alternative_next(&text, '/'));
        return;
    }
}

/* `a, b or c` reads better than `a, b, c`. */
static void expected_finish(struct expected *e)
{
    char *comma = e->n_items < 2 ? NULL : memrchr(e->text, ',', e->n);

    if (comma == NULL || e->n + 2 > sizeof(e->text))
        return;
    memmove(comma + 3, comma + 1, e->n - (size_t)(comma + 1 - e->text));
    memcpy(comma, " or", 3);
    e->n += 2;
}

/* The word in hand is not what the form wants next. */
static void report(struct match *m, struct str form)
{
    const struct ast_word *last = m->statement->words.last;
    struct expected e = {.n = 0};
    struct str text;

    m->args.is_bad = true;
    if (m->at < m->n_words)
        e.suggestion = suggest_start(m->words[m->at].text);
    expected_collect(&e, form);
    expected_finish(&e);
    if (m->at == m->n_words) {
        diag_error(m->compile->diags, span_after(last->span), "'%s' needs %.*s here", m->row->name,
                   (int)e.n, e.text);
        return;
    }
    text = ast_text(m->compile, m->words[m->at].at);
    if (e.n_items == 0)
        diag_error(m->compile->diags, m->words[m->at].at->span,
                   "'%s' takes nothing more, got '%.*s'", m->row->name, STR_ARG(text));
    else
        diag_error(m->compile->diags, m->words[m->at].at->span, "expected %.*s, got '%.*s'%s",
                   (int)e.n, e.text, STR_ARG(text),
                   e.n_items > 1 ? suggest_text(&e.suggestion) : "");
}

static void arg_add(struct match *m, enum form_type type, struct str text,
                    const struct word *word)
{
    struct arg *arg = store_new(&m->compile->scratch, struct arg);

    *arg = (struct arg){.type = type,
                        .key = m->key.p,
                        .key_length = m->key.n,
                        .at = word->at,
                        .text = text};
    if (type != FORM_WORD &&
        !value_read(m->compile, m->row, word, types[type].expected, arg))
        m->args.is_bad = true;
    if (m->args.first == NULL)
        m->args.first = arg;
    else
        m->args.last->next = arg;
    m->args.last = arg;
    m->args.n++;
}

static void match_add(struct match *m, enum form_type type, struct str text)
{
    arg_add(m, type, text, &m->words[m->at]);
    m->at++;
}

static bool is_list(const struct match *m)
{
    return m->at < m->n_words && m->words[m->at].at->kind == AST_LIST;
}

/* The alternative of `a|b` that the word in hand is; empty: none. */
static struct str find_word(const struct match *m, struct str alternatives)
{
    const struct word *word = &m->words[m->at];

    while (m->at < m->n_words && !word->has_variable && alternatives.n > 0) {
        struct str one = alternative_next(&alternatives, '|');

        if (str_eq(one, word->text))
            return one;
    }
    return STR_EMPTY;
}

/* Can the word in hand start this form? */
static bool fits(const struct match *m, struct str form)
{
    struct element e = form_next(&form);

    if (m->at == m->n_words)
        return false;
    switch (e.kind) {
    case ELEMENT_END: return false;
    case ELEMENT_WORDS: return find_word(m, e.text).n > 0;
    case ELEMENT_TYPE: return value_fits(e.type, &m->words[m->at]);
    case ELEMENT_LIST: return is_list(m);
    case ELEMENT_OPTION: return fits(m, e.text) || fits(m, form);
    case ELEMENT_CHOICE:
        while (e.text.n > 0)
            if (fits(m, alternative_next(&e.text, '/')))
                return true;
        return false;
    }
    unreachable("no such kind of element");
}

static bool match_form(struct match *m, struct str form);

static bool match_words(struct match *m, const struct element *e, struct str whole)
{
    struct str word = find_word(m, e->text);

    if (word.n == 0) {
        report(m, whole);
        return false;
    }
    /* A word alone is its own key; one of several is a value under the key before it. */
    if (memchr(e->text.p, '|', e->text.n) == NULL)
        m->key = word;
    match_add(m, FORM_WORD, word);
    return true;
}

static bool match_type(struct match *m, const struct element *e, struct str rest, struct str whole)
{
    if (m->at == m->n_words) {
        report(m, whole);
        return false;
    }
    match_add(m, e->type, STR_EMPTY);
    while (e->repeats && m->at < m->n_words && !fits(m, rest) &&
           value_fits(e->type, &m->words[m->at]))
        match_add(m, e->type, STR_EMPTY);
    return true;
}

static bool match_list(struct match *m, enum form_type type, struct str whole)
{
    if (!is_list(m)) {
        report(m, whole);
        return false;
    }
    for (const struct ast_word *at = m->words[m->at].at->items; at != NULL; at = at->next) {
        struct word *word = store_new(&m->compile->scratch, struct word);

        *word = word_read(m->compile, at);
        if (word->is_bad)
            m->args.is_bad = true;
        else
            arg_add(m, type, STR_EMPTY, word);
    }
    m->at++;
    return true;
}

/* Is it told by a word of the form, so that a second one is no other value? */
static bool starts_with_word(struct str form)
{
    return form_next(&form).kind == ELEMENT_WORDS;
}

/* `[a] [b] [c]`: each at most once, in any order. Moves *form behind them. */
static bool match_options(struct match *m, struct str *form)
{
    struct str groups[GROUPS_MAX];
    bool used[GROUPS_MAX] = {false};
    struct str key = m->key;
    size_t n = 0;

    for (struct str next = *form; n < GROUPS_MAX; *form = next) {
        struct element e = form_next(&next);

        if (e.kind != ELEMENT_OPTION)
            break;
        groups[n++] = e.text;
    }
    for (size_t i = 0; i < n; i++) {
        if (is_when(groups[i]) || !fits(m, groups[i]) || (used[i] && !starts_with_word(groups[i])))
            continue;
        m->key = key;
        if (used[i]) {
            diag_error(m->compile->diags, m->words[m->at].at->span, "'%.*s' stands here twice",
                       STR_ARG(m->words[m->at].text));
            m->args.is_bad = true;
            return false;
        }
        used[i] = true;
        if (!match_form(m, groups[i]))
            return false;
        i = (size_t)-1; /* look at all groups again for the next word */
    }
    m->key = key;
    m->is_full = true;
    for (size_t i = 0; i < n; i++)
        m->is_full = m->is_full && (used[i] || is_when(groups[i]));
    return true;
}

static bool match_choice(struct match *m, struct str choice, struct str whole)
{
    for (struct str rest = choice; rest.n > 0;) {
        struct str one = alternative_next(&rest, '/');

        if (fits(m, one))
            return match_form(m, one);
    }
    report(m, whole);
    return false;
}

/* A condition that must be there. */
static bool match_when(struct match *m)
{
    if (m->statement->when != NULL)
        return true;
    diag_error(m->compile->diags, span_after(m->statement->words.last->span),
               "'%s' needs 'when' and a condition here", m->row->name);
    m->args.is_bad = true;
    return false;
}

static bool match_form(struct match *m, struct str form)
{
    for (;;) {
        struct str whole = form;
        struct element e = form_next(&form);
        bool ok = true;

        if (is_when(whole))
            return match_when(m);
        switch (e.kind) {
        case ELEMENT_END: return true;
        case ELEMENT_WORDS: ok = match_words(m, &e, whole); break;
        case ELEMENT_TYPE: ok = match_type(m, &e, form, whole); break;
        case ELEMENT_LIST: ok = match_list(m, e.type, whole); break;
        case ELEMENT_CHOICE: ok = match_choice(m, e.text, whole); break;
        case ELEMENT_OPTION:
            form = whole;
            ok = match_options(m, &form);
            break;
        }
        if (!ok)
            return false;
    }
}

/* What the form would still take where a word is left over: its options at the end. */
static struct str form_tail(struct str form)
{
    struct str tail = form;

    for (;;) {
        struct element e = form_next(&form);

        if (e.kind == ELEMENT_END)
            return tail;
        if (e.kind != ELEMENT_OPTION)
            tail = form;
    }
}

static void read_words(struct match *m)
{
    const struct ast_word *at = m->statement->words.first->next;

    m->words = store_zalloc(&m->compile->scratch, m->statement->words.n, sizeof(*m->words));
    for (; at != NULL; at = at->next) {
        m->words[m->n_words] = word_read(m->compile, at);
        m->args.is_bad = m->args.is_bad || m->words[m->n_words++].is_bad;
    }
    if (m->statement->tail != NULL)
        m->words[m->n_words++] = word_read(m->compile, m->statement->tail);
}

struct args form_match(struct compile *c, const struct setting_row *row,
                       const struct ast_statement *statement)
{
    struct match m = {.compile = c, .row = row, .statement = statement, .key = STR("")};
    struct str form = str_of(row->form);

    read_words(&m);
    if (m.args.is_bad)
        return m.args;
    if (match_form(&m, form) && m.at < m.n_words && !m.args.is_bad)
        report(&m, m.is_full ? STR_EMPTY : form_tail(form));
    return m.args;
}

const struct arg *args_find(const struct args *args, const char *key)
{
    for (const struct arg *arg = args->first; arg != NULL; arg = arg->next)
        if (arg->type != FORM_WORD && str_eq((struct str){arg->key, arg->key_length}, str_of(key)))
            return arg;
    return NULL;
}

bool args_has(const struct args *args, const char *word)
{
    for (const struct arg *arg = args->first; arg != NULL; arg = arg->next)
        if (arg->type == FORM_WORD && str_eq(arg->text, str_of(word)))
            return true;
    return false;
}

/*
 * check - does every directive stand where it may, with what it takes, and once?
 */
#include "conf/check.h"

#include "base/panic.h"
#include "conf/acl.h"
#include "conf/condition.h"
#include "conf/let.h"
#include "conf/log_format.h"
#include "conf/matches.h"
#include "conf/resolve.h"
#include "conf/suggest.h"

struct scope *check_top(struct compile *c)
{
    struct scope *scope = store_new(&c->scratch, struct scope);

    scope->place = PLACE_TOP;
    return scope;
}

const struct setting *scope_first(const struct scope *scope, enum setting_id id)
{
    const struct setting *s = scope->first;

    if ((scope->seen[id / 64] >> id % 64 & 1) == 0)
        return NULL;
    while (s != NULL && s->row->id != id)
        s = s->next;
    return s;
}

struct str setting_name(const struct setting *s)
{
    return s->args.first == NULL ? STR("") : s->args.first->text;
}

struct span setting_span(const struct setting *s)
{
    return s->args.first == NULL ? s->statement->words.first->span : s->args.first->at->span;
}

/* A word that is near to one of another place. */
static bool report_elsewhere(struct compile *c, enum place place, const struct ast_word *at,
                             struct str name)
{
    struct suggestion s = suggest_start(name);
    const struct setting_row *row;
    unsigned i = 0;

    for (size_t j = 0; j < SETTING_N; j++)
        suggest_offer(&s, str_of(setting_rows[j].name));
    if (s.nearest.n == 0)
        return false;
    row = settings_find(s.nearest, PLACE_TOP);
    while (i + 1 < PLACE_N && !setting_stands_in(row, (enum place)i))
        i++;
    diag_error(c->diags, at->span, "unknown directive '%.*s' %s; did you mean '%.*s', which stands %s?",
               STR_ARG(name), place_rows[place].name, STR_ARG(s.nearest), place_rows[i].name);
    return true;
}

static void report_unknown(struct compile *c, enum place place, const struct ast_word *at,
                           struct str name)
{
    struct suggestion s = suggest_start(name);
    const char *only[3];
    size_t n = 0;

    for (size_t i = 0; i < SETTING_N; i++) {
        if (!setting_stands_in(&setting_rows[i], place))
            continue;
        suggest_offer(&s, str_of(setting_rows[i].name));
        if (n < 3)
            only[n] = setting_rows[i].name;
        n++;
    }
    if (n == 1)
        diag_error(c->diags, at->span, "unknown directive '%.*s' %s; expected '%s'", STR_ARG(name),
                   place_rows[place].name, only[0]);
    else if (n == 2)
        diag_error(c->diags, at->span, "unknown directive '%.*s' %s; expected '%s' or '%s'",
                   STR_ARG(name), place_rows[place].name, only[0], only[1]);
    else if (n == 3 && suggest_text(&s)[0] == '\0')
        diag_error(c->diags, at->span, "unknown directive '%.*s' %s; expected '%s', '%s' or '%s'",
                   STR_ARG(name), place_rows[place].name, only[0], only[1], only[2]);
    else if (s.nearest.n > 0 || !report_elsewhere(c, place, at, name))
        diag_error(c->diags, at->span, "unknown directive '%.*s' %s%s", STR_ARG(name),
                   place_rows[place].name, suggest_text(&s));
}

/* `'server' may not stand in a frontend; it stands in a backend`. */
static void report_misplaced(struct compile *c, enum place place, const struct ast_word *at,
                             struct str name)
{
    struct str where = STR("");
    const char *joint = "";

    for (size_t i = PLACE_N; i-- > 0;) {
        const struct setting_row *row = settings_find(name, (enum place)i);

        if (!setting_stands_in(row, (enum place)i))
            continue;
        where = store_printf(&c->scratch, "%s%s%.*s", place_rows[i].name, joint, STR_ARG(where));
        joint = joint[0] == '\0' ? " or " : ", ";
    }
    diag_error(c->diags, at->span, "'%.*s' may not stand %s; it stands %.*s", STR_ARG(name),
               place_rows[place].name, STR_ARG(where));
}

static const struct setting_row *find_row(struct compile *c, struct scope *scope,
                                          const struct ast_statement *statement,
                                          bool is_misplaced_ok)
{
    enum place place = scope->place;
    const struct ast_word *head = statement->words.first;
    struct word word = word_read(c, head);
    const struct setting_row *row;

    if (word.is_bad && !statement->is_poisoned)
        return NULL;
    if (statement->is_poisoned)
        word.text = ast_text(c, head);
    if (word.has_variable) {
        diag_error(c->diags, head->span, "expected a directive");
        return NULL;
    }
    row = settings_find(word.text, place);
    if (row != NULL && setting_stands_in(row, place))
        return row;
    if (row == NULL)
        report_unknown(c, place, head, word.text);
    else if (!is_misplaced_ok)
        report_misplaced(c, place, head, word.text);
    /* What belongs further out will be missed there. */
    while (row != NULL && scope->outer != NULL) {
        scope = scope->outer;
        scope->is_incomplete = true;
    }
    return NULL;
}

static void report_twice(struct compile *c, const struct setting *s, const struct setting *first,
                         struct str what)
{
    diag_error(c->diags,
               s->row->repeats == REPEATS_ONCE ? s->statement->words.first->span : setting_span(s),
               "%.*s", STR_ARG(what));
    diag_note(c->diags,
              first->row->repeats == REPEATS_ONCE ? first->statement->words.first->span
                                                  : setting_span(first),
              "the first is here");
}

static void check_once(struct compile *c, const struct setting *s, const struct setting *first)
{
    report_twice(c, s, first,
                 store_printf(&c->scratch, "'%s' stands twice in this block", s->row->name));
}

/* Sections and routes have names; a timeout is told by its first word. */
static void check_name(struct compile *c, struct scope *scope, struct setting *s)
{
    struct str name = setting_name(s);
    struct str key = store_printf(&c->scratch, "%s %.*s", s->row->name, STR_ARG(name));
    const struct setting *first = names_add(&scope->names, &c->scratch, key, s);

    if (first == NULL)
        return;
    s->is_bad = true; /* what is said of the first would only be said again */
    report_twice(c, s, first,
                 store_printf(&c->scratch,
                              s->row->id == SETTING_TIMEOUT ? "'%s %.*s' stands twice in this block"
                              : strchr("aeiou", s->row->name[0]) != NULL
                                  ? "there is an %s '%.*s' already"
                                  : "there is a %s '%.*s' already",
                              s->row->name, STR_ARG(name)));
}

static void check_statuses(struct compile *c, struct scope *scope, struct setting *s)
{
    for (const struct arg *arg = s->args.first; arg != NULL && arg->type == FORM_STATUS;
         arg = arg->next) {
        struct str key = store_printf(&c->scratch, "status %.*s", STR_ARG(arg->text));
        const struct setting *first = names_add(&scope->names, &c->scratch, key, s);

        if (first == NULL)
            continue;
        diag_error(c->diags, arg->at->span, "there is an error page for %.*s in this block already",
                   STR_ARG(arg->text));
        diag_note(c->diags, first->statement->words.first->span, "the first is here");
    }
}

static void check_repeats(struct compile *c, struct scope *scope, struct setting *s)
{
    enum setting_id id = s->row->id;
    const struct setting *first = scope_first(scope, id);

    scope->seen[id / 64] |= (uint64_t)1 << id % 64;
    switch (s->row->repeats) {
    case REPEATS_ONCE:
        if (first != NULL)
            check_once(c, s, first);
        return;
    case REPEATS_BY_NAME:
        if (!s->is_bad)
            check_name(c, scope, s);
        return;
    case REPEATS_BY_STATUS:
        if (!s->is_bad)
            check_statuses(c, scope, s);
        return;
    case REPEATS_MANY: return;
    }
}

/* Of all blocks that may be left out and were. */
static const struct scope empty_scope;

static void check_block(struct compile *c, struct scope *outer, struct setting *s,
                        bool is_misplaced_ok)
{
    const struct ast_block *block = s->statement->block;
    struct scope *scope;

    if (s->row->opens == PLACE_NONE) {
        if (block != NULL)
            diag_error(c->diags, block->open, "'%s' takes no block", s->row->name);
        return;
    }
    if (block == NULL && place_rows[s->row->opens].is_optional_block) {
        s->block = &empty_scope;
        return;
    }
    scope = store_new(&c->scratch, struct scope);
    scope->place = s->row->opens;
    scope->outer = outer;
    s->block = scope;
    if (block == NULL && !place_rows[s->row->opens].is_optional_block) {
        scope->is_incomplete = true;
        if (!s->is_bad)
            diag_error(c->diags, span_after(s->statement->span), "'%s' needs a block: expected '{'",
                       s->row->name);
    }
    if (block == NULL)
        return;
    for (const struct ast_statement *at = block->first; at != NULL; at = at->next)
        check_statement(c, scope, at, is_misplaced_ok);
}

/* What has a condition waits for check_conditions. */
static void note_condition(struct compile *c, struct setting *s)
{
    if (s->statement->when == NULL)
        return;
    *c->conditions_end = s;
    c->conditions_end = &s->next_condition;
}

void check_conditions(struct compile *c)
{
    for (struct setting *s = c->conditions; s != NULL; s = s->next_condition) {
        if (s->row->id == SETTING_ACL)
            s->when = s->is_bad ? NULL : acl_compile(c, s);
        else
            s->when = condition_compile(c, s->statement->when);
        s->is_bad = s->is_bad || s->when == NULL;
    }
    matches_check(c);
}

/* What others name: a `let` from here on, an acl or a policy everywhere. */
static void note_name(struct compile *c, const struct setting *s)
{
    if (s->row->id == SETTING_LET && s->args.n > 0)
        let_add(c, s);
    if (s->row->id == SETTING_ACL && s->args.n > 0)
        acl_add(c, s);
    if (s->row->id == SETTING_LOG_FORMAT && !s->is_bad)
        log_format_add(c, s);
    if (s->row->id == SETTING_POLICY && s->args.n > 0)
        resolve_add_policy(c, s);
}

const struct setting *check_statement(struct compile *c, struct scope *scope,
                                      const struct ast_statement *statement, bool is_misplaced_ok)
{
    const struct setting_row *row = NULL;
    struct setting *s;

    if (statement->words.n > 0)
        row = find_row(c, scope, statement, is_misplaced_ok);
    if (row == NULL) {
        scope->is_incomplete = true;
        return NULL;
    }
    s = store_new(&c->scratch, struct setting);
    if (row->repeats == REPEATS_BY_STATUS)
        s->built = store_new(&c->scratch, struct setting_built);
    s->row = row;
    s->statement = statement;
    s->is_bad = statement->is_poisoned;
    if (!s->is_bad) {
        s->args = form_match(c, row, statement);
        s->is_bad = s->args.is_bad;
    }
    note_condition(c, s);
    note_name(c, s);
    scope->is_incomplete = scope->is_incomplete || s->is_bad;
    check_repeats(c, scope, s);
    check_block(c, scope, s, is_misplaced_ok);
    if (scope->first == NULL)
        scope->first = s;
    else
        scope->last->next = s;
    scope->last = s;
    return s;
}

/*
 * keywords - the whole language as JSON.
 */
#include "conf/keywords.h"

#include "conf/expr.h"
#include "conf/form.h"
#include "conf/log_format.h"

/* The one type of a form that is no value: the grammar reads it. */
#define EXPRESSION "EXPRESSION"

static const struct {
    const char *name;
    const char *expected;
} types[] = {
#define X(id, name, expected) {name, expected},
    FORM_TYPES
#undef X
    {EXPRESSION, "a condition"},
};

static const char *const repeats_names[] = {
    [REPEATS_ONCE] = "once",
    [REPEATS_BY_NAME] = "by-name",
    [REPEATS_BY_STATUS] = "by-status",
    [REPEATS_MANY] = "many",
};

static const char *const var_types[] = {
    [VAR_TEXT] = "text",         [VAR_PATH] = "path",         [VAR_NUMBER] = "number",
    [VAR_SIZE] = "size",         [VAR_DURATION] = "duration", [VAR_ADDRESS] = "address",
    [VAR_TIMES] = "times",
};

static const char *const var_phases[] = {
    [PHASE_REQUEST] = "request",
    [PHASE_RESPONSE] = "response",
    [PHASE_END] = "end",
};

/* A place is called as the directive whose block it is. */
static const char *place_name(enum place place)
{
    for (size_t i = 0; i < SETTING_N; i++)
        if (setting_rows[i].opens == place)
            return setting_rows[i].name;
    return "top";
}

/* What a directive's block is to it: `none`, `optional` or `needed`. */
static const char *block_name(enum place opens)
{
    if (opens == PLACE_NONE)
        return "none";
    return place_rows[opens].is_optional_block ? "optional" : "needed";
}

static void write_places(struct json *j)
{
    json_key(j, "places");
    json_open_array(j);
    for (unsigned place = 0; place < PLACE_N; place++) {
        json_open_object(j);
        json_member(j, "name", place_name((enum place)place));
        json_member(j, "where", place_rows[place].name);
        json_close(j);
    }
    json_close(j);
}

static bool in_token(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Take the next word or type off a form; empty: there is none. */
static struct str form_token(struct str *form)
{
    size_t from = 0;
    size_t to;

    while (from < form->n && !in_token(form->p[from]))
        from++;
    for (to = from; to < form->n && in_token(form->p[to]);)
        to++;
    *form = (struct str){form->p + to, form->n - to};
    return (struct str){form->p - (to - from), to - from};
}

static bool is_type(struct str token)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (str_eq(token, str_of(types[i].name)))
            return true;
    return false;
}

/* The words of a form, or its types, each once. */
static void write_tokens(struct json *j, const char *key, const char *form, bool want_types)
{
    struct str rest = str_of(form);
    struct str token;

    json_key(j, key);
    json_open_array(j);
    while ((token = form_token(&rest)).n > 0) {
        struct str before = str_of(form);
        struct str earlier = form_token(&before);

        while (earlier.p != token.p && !str_eq(earlier, token))
            earlier = form_token(&before);
        if (earlier.p == token.p && is_type(token) == want_types)
            json_text(j, token);
    }
    json_close(j);
}

/* `client-header 10s; client-body 60s`: an array; empty where there is no default. */
static void write_defaults(struct json *j, const char *initial)
{
    struct str rest = str_of(initial);

    json_key(j, "defaults");
    json_open_array(j);
    while (rest.n > 0) {
        const char *end = memchr(rest.p, ';', rest.n);
        size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

        json_text(j, str_trim(str_slice(rest, 0, n)));
        rest = str_slice(rest, end == NULL ? n : n + 1, rest.n);
    }
    json_close(j);
}

/* The least and the most of a COUNT. */
static void write_bounds(struct json *j, const struct setting_row *row)
{
    json_key(j, "bounds");
    if (!str_contains(str_of(row->form), STR("COUNT"))) {
        json_null(j);
        return;
    }
    json_open_array(j);
    json_number(j, row->least);
    json_number(j, row->most);
    json_close(j);
}

static void write_directive(struct json *j, const struct setting_row *row)
{
    json_open_object(j);
    json_member(j, "name", row->name);
    json_key(j, "places");
    json_open_array(j);
    for (unsigned place = 0; place < PLACE_N; place++)
        if (setting_stands_in(row, (enum place)place))
            json_text(j, str_of(place_name((enum place)place)));
    json_close(j);
    json_member(j, "opens", row->opens == PLACE_NONE ? NULL : place_name(row->opens));
    json_member(j, "block", block_name(row->opens));
    json_member(j, "repeats", repeats_names[row->repeats]);
    json_member(j, "form", row->form);
    write_tokens(j, "words", row->form, false);
    write_tokens(j, "types", row->form, true);
    write_defaults(j, row->initial);
    write_bounds(j, row);
    json_member(j, "doc", row->doc);
    json_close(j);
}

static void write_directives(struct json *j)
{
    json_key(j, "directives");
    json_open_array(j);
    for (size_t i = 0; i < SETTING_N; i++)
        write_directive(j, &setting_rows[i]);
    json_close(j);
}

static void write_types(struct json *j)
{
    json_key(j, "types");
    json_open_array(j);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        json_open_object(j);
        json_member(j, "name", types[i].name);
        json_member(j, "expected", types[i].expected);
        json_close(j);
    }
    json_close(j);
}

static void write_variables(struct json *j)
{
    json_key(j, "variables");
    json_open_array(j);
    for (size_t i = 0; i < VAR_ID_N; i++) {
        json_open_object(j);
        json_member(j, "name", var_rows[i].name);
        json_member(j, "type", var_types[var_rows[i].type]);
        json_member(j, "phase", var_phases[var_rows[i].phase]);
        json_key(j, "argument");
        json_bool(j, var_rows[i].has_argument);
        json_key(j, "ignores-case");
        json_bool(j, var_rows[i].fold_case);
        json_member(j, "doc", var_rows[i].doc);
        json_close(j);
    }
    json_close(j);
}

static void write_operators(struct json *j)
{
    json_key(j, "operators");
    json_open_array(j);
    for (size_t i = 0; i < OPERATOR_N; i++) {
        json_open_object(j);
        json_member(j, "name", operator_rows[i].name);
        json_key(j, "types");
        json_open_array(j);
        for (unsigned type = 0; type < sizeof(var_types) / sizeof(var_types[0]); type++)
            if ((operator_rows[i].types & VAR_BIT(type)) != 0)
                json_text(j, str_of(var_types[type]));
        json_close(j);
        json_member(j, "takes", operator_rows[i].takes);
        json_member(j, "doc", operator_rows[i].doc);
        json_close(j);
    }
    json_close(j);
}

static void write_log_formats(struct json *j)
{
    const char *name;
    const char *text;

    json_key(j, "log-formats");
    json_open_array(j);
    for (size_t i = 0; log_format_row(i, &name, &text); i++) {
        json_open_object(j);
        json_member(j, "name", name);
        json_member(j, "template", text);
        json_close(j);
    }
    json_close(j);
}

void keywords_write(struct json *j)
{
    write_places(j);
    write_directives(j);
    write_types(j);
    write_variables(j);
    write_operators(j);
    write_log_formats(j);
}

/*
 * condition - `when …`: types checked, operands in the form that the type asks for.
 */
#include "conf/condition.h"

#include "base/panic.h"
#include "conf/quantity.h"
#include "conf/variable.h"
#include "conf/word.h"

#define BIT(type) (1U << (type))
#define ON_TEXT   (BIT(VAR_TEXT) | BIT(VAR_PATH))
#define ON_NUMBER (BIT(VAR_NUMBER) | BIT(VAR_SIZE) | BIT(VAR_DURATION))

static const struct operator_row {
    const char *name;
    enum expr_op op;
    unsigned types; /* of the variables that it takes */
    const char *takes;
} operators[] = {
    {"==",          EXPR_EQ,          ON_TEXT | ON_NUMBER | BIT(VAR_ADDRESS), "a single value"},
    {"!=",          EXPR_NE,          ON_TEXT | ON_NUMBER | BIT(VAR_ADDRESS), "a single value"},
    {"in",          EXPR_IN,          ON_TEXT | ON_NUMBER | BIT(VAR_ADDRESS), "a single value"},
    {"under",       EXPR_UNDER,       BIT(VAR_PATH),                          "a path"        },
    {"starts-with", EXPR_STARTS_WITH, ON_TEXT,                                "a text"        },
};

static const char *const type_names[] = {
    [VAR_TEXT] = "a text",           [VAR_PATH] = "a path",         [VAR_NUMBER] = "a number",
    [VAR_SIZE] = "a size",           [VAR_DURATION] = "a duration", [VAR_ADDRESS] = "an address",
    [VAR_TIMES] = "a list of times",
};

static const struct operator_row *operator_find(struct str name)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (str_eq(name, str_of(operators[i].name)))
            return &operators[i];
    unreachable("the grammar lets no other operator through");
}

static bool fail(struct compile *c, const struct ast_word *at, const char *expected)
{
    struct str text = ast_text(c, at);

    diag_error(c->diags, at->span, "expected %s, got '%.*s'", expected, STR_ARG(text));
    return false;
}

static bool read_path(struct compile *c, const struct ast_word *at, enum expr_op op,
                      const struct expr_value *value)
{
    if (op != EXPR_STARTS_WITH && !str_starts_with(value->text, STR("/")))
        return fail(c, at, "a path, which starts with '/'");
    return true;
}

static bool read_address(struct compile *c, const struct ast_word *at, enum expr_op op,
                         struct expr_value *value)
{
    if (!cidr_parse(value->text, &value->net))
        return fail(c, at,
                    op == EXPR_IN ? "an address or a block such as 10.0.0.0/8"
                                  : "an address such as 192.0.2.1");
    if (op != EXPR_IN && value->net.bits != 128)
        return fail(c, at, "one address ('in' takes blocks)");
    return true;
}

/* Read one operand of a variable of this type. */
static bool read_value(struct compile *c, const struct ast_word *at, enum var_type type,
                       enum expr_op op, struct expr_value *value)
{
    struct word word = word_read(c, at);

    if (word.is_bad)
        return false;
    if (word.has_variable)
        return fail(c, at, "a value that is known when the file is loaded");
    value->text = store_str(&c->keep, word.text);
    switch (type) {
    case VAR_TEXT: return true;
    case VAR_PATH: return read_path(c, at, op, value);
    case VAR_NUMBER:
        return quantity_count(value->text, &value->number) == QUANTITY_OK ||
               fail(c, at, "a whole number");
    case VAR_SIZE:
        return quantity_size(value->text, &value->number) == QUANTITY_OK ||
               fail(c, at, "a size such as 128K");
    case VAR_DURATION:
        return quantity_duration(value->text, &value->number) == QUANTITY_OK ||
               fail(c, at, "a duration such as 30s");
    case VAR_ADDRESS: return read_address(c, at, op, value);
    case VAR_TIMES: break;
    }
    unreachable("no operator takes a list of times");
}

static const struct expr *compile_test(struct compile *c, const struct ast_expr *e)
{
    struct expr *result = store_new(&c->keep, struct expr);
    struct expr_value *values = store_zalloc(&c->keep, e->values.n, sizeof(*values));
    const struct operator_row *row = operator_find(ast_text(c, e->op));
    struct str name = ast_text(c, e->variable);
    enum var_type type;
    bool ok = true;

    *result = (struct expr){.op = row->op, .values = values, .n_values = e->values.n};
    if (!variable_find(c, name, e->variable->span, PHASE_REQUEST, &result->var))
        return NULL;
    type = var_rows[result->var.id].type;
    if ((row->types & BIT(type)) == 0) {
        diag_error(c->diags, e->op->span, "'%s' takes %s, but '%.*s' is %s", row->name, row->takes,
                   STR_ARG(name), type_names[type]);
        return NULL;
    }
    for (const struct ast_word *at = e->values.first; at != NULL; at = at->next)
        ok = read_value(c, at, type, row->op, values++) && ok;
    return ok && e->values.n > 0 ? result : NULL;
}

static const struct expr *compile_alone(struct compile *c, const struct ast_expr *e)
{
    struct expr *result = store_new(&c->keep, struct expr);

    result->op = EXPR_IS_SET;
    if (!variable_find(c, ast_text(c, e->variable), e->variable->span, PHASE_REQUEST, &result->var))
        return NULL;
    return result;
}

static const struct expr *compile_items(struct compile *c, const struct ast_expr *e,
                                        enum expr_op op)
{
    struct expr *result = store_new(&c->keep, struct expr);
    const struct expr **items = store_zalloc(&c->keep, e->n_items, sizeof(*items));
    bool ok = true;
    size_t n = 0;

    for (const struct ast_expr *item = e->items; item != NULL; item = item->next, n++) {
        items[n] = condition_compile(c, item);
        ok = ok && items[n] != NULL;
    }
    *result = (struct expr){.op = op, .items = items, .n_items = n};
    return ok ? result : NULL;
}

const struct expr *condition_compile(struct compile *c, const struct ast_expr *e)
{
    switch (e->kind) {
    case AST_AND: return compile_items(c, e, EXPR_AND);
    case AST_OR: return compile_items(c, e, EXPR_OR);
    case AST_NOT: return compile_items(c, e, EXPR_NOT);
    case AST_TEST: return compile_test(c, e);
    case AST_ALONE: return compile_alone(c, e);
    case AST_POISONED: return NULL;
    }
    unreachable("no such kind of condition");
}

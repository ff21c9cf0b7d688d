/*
 * expr - conditions and templates as the run time sees them: checked trees and op lists.
 *
 * A variable is an id of grammar/variables.def, with an argument where its row asks for one. What a
 * variable is worth for a given request is the business of proxy/vars.c.
 */
#ifndef HOLDFAST_CONF_EXPR_H
#define HOLDFAST_CONF_EXPR_H

#include "base/str.h"
#include "http/field.h"
#include "io/addr.h"

/* What a value is; decides which operators a condition may use. */
enum var_type { VAR_TEXT, VAR_PATH, VAR_NUMBER, VAR_SIZE, VAR_DURATION, VAR_ADDRESS, VAR_TIMES };

/* When a value is known: with the request's head, with the response's head, or at the end. */
enum var_phase { PHASE_REQUEST, PHASE_RESPONSE, PHASE_END };

/* One row a variable; X(ID, name, type, phase, has_argument, fold_case, doc). */
enum var_id {
#define X(id, name, type, phase, has_argument, fold_case, doc) VAR_ID_##id,
#include "grammar/variables.def"
#undef X
    VAR_ID_N
};

struct var_row {
    const char *name; /* without the argument: "header" for header.NAME */
    enum var_type type;
    enum var_phase phase;
    bool has_argument;
    bool fold_case; /* == compares without regard to case (host) */
    const char *doc;
};

extern const struct var_row var_rows[VAR_ID_N];

struct var_ref {
    enum var_id id;
    struct str argument;      /* NAME of header.NAME, lower case; empty where there is none */
    enum field_id field;      /* of the argument, for the variables that name a field */
};

/* One operand, in the form that its variable's type asks for. */
struct expr_value {
    struct str text;  /* TEXT, PATH; and for all, as written */
    uint64_t number;  /* NUMBER, SIZE (bytes), DURATION (ms) */
    struct cidr net;  /* ADDRESS */
};

enum expr_op {
    EXPR_AND,         /* all of items */
    EXPR_OR,          /* any of items */
    EXPR_NOT,         /* not items[0] */
    EXPR_IS_SET,      /* var is there and not empty */
    EXPR_EQ,          /* var == values[0] */
    EXPR_NE,          /* var != values[0] */
    EXPR_IN,          /* var is one of values */
    EXPR_UNDER,       /* var is values[0] or lies below it */
    EXPR_STARTS_WITH, /* var starts with values[0] */
};

struct expr {
    enum expr_op op;
    const struct expr *const *items; /* AND, OR, NOT */
    size_t n_items;
    struct var_ref var; /* the tests */
    const struct expr_value *values;
    size_t n_values;
};

/* Parts of one template, so that filling it in needs no more than a table on the stack. */
#define TEMPLATE_PARTS_MAX 128

/* A text with variables: `https://${host}${uri}`. */
struct template_op {
    bool is_variable;
    struct str literal;
    struct var_ref var;
};

struct template {
    const struct template_op *ops;
    size_t n_ops;
};

#endif

/*
 * expr - conditions and templates as the run time sees them: checked trees and op lists.
 *
 * Limits: a condition, with the acls in it written out, has EXPR_TESTS_MAX tests at most and nests
 * no deeper than parentheses (conf/filter.h) times acls (conf/acl.h) do.
 *
 * A variable is an id of grammar/variables.def, with an argument where its row asks for one. What a
 * variable is worth for a given request is the business of proxy/vars.c.
 */
#ifndef HOLDFAST_CONF_EXPR_H
#define HOLDFAST_CONF_EXPR_H

#include "base/regex.h"
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
    struct str argument; /* NAME of header.NAME, lower case; empty where there is none */
    enum field_id field; /* of the argument, for the variables that name a field */
    unsigned match; /* of match.NAME: its place among the names of groups of the configuration */
};

/* Kinds of types that an operator takes. */
#define VAR_BIT(type) (1U << (type))
#define ON_PATH       VAR_BIT(VAR_PATH)
#define ON_TEXT       (VAR_BIT(VAR_TEXT) | ON_PATH)
#define ON_NUMBER     (VAR_BIT(VAR_NUMBER) | VAR_BIT(VAR_SIZE) | VAR_BIT(VAR_DURATION))
#define ON_ADDRESS    VAR_BIT(VAR_ADDRESS)

enum expr_op {
    EXPR_AND,                                     /* all of items */
    EXPR_OR,                                      /* any of items */
    EXPR_NOT,                                     /* not items[0] */
    EXPR_ACL,                                     /* items[0], under the name `acl` */
    EXPR_IS_SET,                                  /* var is there and not empty */
#define X(id, name, types, takes, doc) EXPR_##id, /* var OPERATOR values */
#include "grammar/operators.def"
#undef X
    EXPR_OP_N
};

struct operator_row {
    const char *name;
    enum expr_op op;
    unsigned types; /* VAR_BIT of each */
    const char *takes;
    const char *doc;
};

#define OPERATOR_N (EXPR_OP_N - EXPR_IS_SET - 1)
extern const struct operator_row operator_rows[OPERATOR_N];

/* Tests of one condition. Nobody writes as many; acls that use acls could grow beyond all bounds.
 */
#define EXPR_TESTS_MAX 20000

/* One operand, in the form that its variable's type asks for. */
struct expr_value {
    struct str text; /* TEXT, PATH; and for all, as written */
    uint64_t number; /* NUMBER, SIZE (bytes), DURATION (ms) */
    struct cidr net; /* ADDRESS */
};

/* A named group of a regular expression, and its place among the names of the configuration. */
struct expr_group {
    unsigned number;
    unsigned match;
};

struct expr {
    enum expr_op op;
    const struct expr *const *items; /* AND, OR, NOT, ACL */
    size_t n_items;
    size_t n_tests;     /* in all that is below */
    struct str acl;     /* ACL: its name */
    struct var_ref var; /* the tests */
    const struct expr_value *values;
    size_t n_values;
    struct str file;             /* IN: where the values come from; empty: from the condition */
    const struct value_set *set; /* IN: the values again where there are many; else NULL */
    const struct regex *regex;   /* MATCHES */
    const struct expr_group *groups;
    size_t n_groups;
};

/* Parts of one template, so that filling it in needs no more than a table on the stack. */
#define TEMPLATE_PARTS_MAX 128

/* A text with variables: `https://${host}${uri}`. */
struct template_op {
    bool is_variable;
    struct str literal;
    struct var_ref var;
};

struct template
{
    const struct template_op *ops;
    size_t n_ops;
};

#endif

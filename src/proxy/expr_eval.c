/*
 * expr_eval - does a condition hold for a transaction?
 */
#include "proxy/expr_eval.h"

#include "base/log.h"
#include "base/panic.h"
#include "conf/value_set.h"
#include "proxy/worker.h"

void expr_forget(struct txn *t)
{
    if (t->matches != NULL)
        memset(t->matches, 0, t->generation->config->n_matches * sizeof(*t->matches));
}

void expr_log_fault(const struct txn *t, struct str where)
{
    const struct expr *e = t->fault_expr;

    log_message(LOG_ERROR, "%.*s: the regular expression '%.*s' on %s is given up: %s",
                STR_ARG(where), STR_ARG(e->values[0].text), var_rows[e->var.id].name,
                t->worker->matcher == NULL ? "no memory is left"
                                           : regex_fault_text(t->worker->matcher));
}

/* Is path the prefix itself, or below it? `/a` holds `/a` and `/a/b`, not `/ab`; `/` holds all. */
static bool path_is_under(struct str path, struct str prefix)
{
    while (prefix.n > 0 && prefix.p[prefix.n - 1] == '/')
        prefix.n--;
    if (!str_starts_with(path, prefix))
        return false;
    return path.n == prefix.n || path.p[prefix.n] == '/';
}

static bool ip_is_one_of(struct txn *t, const struct expr *e)
{
    struct ip ip;

    if (!var_ip(t, &e->var, &ip))
        return false;
    if (e->set != NULL)
        return value_set_has_ip(e->set, &ip);
    for (size_t i = 0; i < e->n_values; i++)
        if (cidr_holds(&e->values[i].net, &ip))
            return true;
    return false;
}

static bool number_is_one_of(struct txn *t, const struct expr *e)
{
    uint64_t number;

    if (!var_number(t, &e->var, &number))
        return false;
    for (size_t i = 0; i < e->n_values; i++)
        if (number == e->values[i].number)
            return true;
    return false;
}

static bool text_is_one_of(struct txn *t, const struct expr *e)
{
    struct str text = var_text(t, &e->var);

    if (e->set != NULL)
        return value_set_has_text(e->set, text);
    for (size_t i = 0; i < e->n_values; i++)
        if (str_eq(text, e->values[i].text))
            return true;
    return false;
}

/* Is the variable one of the values, by its type? */
static bool is_one_of(struct txn *t, const struct expr *e)
{
    unsigned type = VAR_BIT(var_rows[e->var.id].type);

    if ((type & ON_ADDRESS) != 0)
        return ip_is_one_of(t, e);
    return (type & ON_NUMBER) != 0 ? number_is_one_of(t, e) : text_is_one_of(t, e);
}

/* A number that is not there is neither more nor less than anything. */
static bool number_compares(struct txn *t, const struct expr *e)
{
    uint64_t limit = e->values[0].number;
    uint64_t number;

    if (!var_number(t, &e->var, &number))
        return false;
    switch (e->op) {
    case EXPR_LT: return number < limit;
    case EXPR_LE: return number <= limit;
    case EXPR_GT: return number > limit;
    default: return number >= limit;
    }
}

/* Keep what the groups of the match held. False: no memory. */
static bool keep_groups(struct txn *t, const struct expr *e, struct str subject)
{
    size_t n = t->generation->config->n_matches;

    if (t->matches == NULL) {
        t->matches = arena_zalloc(t->arena, n, sizeof(*t->matches));
        if (t->matches == NULL)
            return false;
    }
    for (size_t i = 0; i < e->n_groups; i++)
        t->matches[e->groups[i].match] =
            regex_held(t->worker->matcher, subject, e->groups[i].number);
    return true;
}

static bool regex_holds(struct txn *t, const struct expr *e)
{
    struct worker *w = t->worker;
    struct str subject = var_text(t, &e->var);
    enum regex_result result = REGEX_FAULT;

    if (w->matcher == NULL)
        w->matcher = regex_matcher_new();
    if (w->matcher != NULL)
        result = regex_match(w->matcher, e->regex, subject);
    if (result == REGEX_FAULT ||
        (result == REGEX_MATCHES && e->n_groups > 0 && !keep_groups(t, e, subject)))
        t->fault_expr = e;
    return result == REGEX_MATCHES && t->fault_expr == NULL;
}

static bool all_hold(struct txn *t, const struct expr *e)
{
    for (size_t i = 0; i < e->n_items; i++)
        if (!expr_holds(t, e->items[i]))
            return false;
    return true;
}

static bool any_holds(struct txn *t, const struct expr *e)
{
    for (size_t i = 0; i < e->n_items; i++)
        if (expr_holds(t, e->items[i]))
            return true;
    return false;
}

/* Depth: that of parentheses and acls, which the loader bounds. */
bool expr_holds(struct txn *t, const struct expr *e)
{
    if (e == NULL)
        return true;
    if (t->fault_expr != NULL)
        return false;
    switch (e->op) {
    case EXPR_AND: return all_hold(t, e);
    case EXPR_OR: return any_holds(t, e);
    case EXPR_NOT: return !expr_holds(t, e->items[0]) && t->fault_expr == NULL;
    case EXPR_ACL: return expr_holds(t, e->items[0]);
    case EXPR_IS_SET: return var_text(t, &e->var).n > 0;
    case EXPR_EQ:
    case EXPR_IN: return is_one_of(t, e);
    case EXPR_NE: return !is_one_of(t, e);
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE: return number_compares(t, e);
    case EXPR_UNDER: return path_is_under(var_text(t, &e->var), e->values[0].text);
    case EXPR_STARTS_WITH: return str_starts_with(var_text(t, &e->var), e->values[0].text);
    case EXPR_ENDS_WITH: return str_ends_with(var_text(t, &e->var), e->values[0].text);
    case EXPR_CONTAINS: return str_contains(var_text(t, &e->var), e->values[0].text);
    case EXPR_MATCHES: return regex_holds(t, e);
    case EXPR_OP_N: break;
    }
    unreachable("no such operator");
}

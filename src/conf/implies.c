/*
 * implies - what can be told of conditions without a request.
 */
#include "conf/implies.h"

/* Comparisons of two tests that one question may cost: enough for what people write. */
#define STEPS_MAX 5000

static bool is_same_variable(const struct expr *a, const struct expr *b)
{
    return a->var.id == b->var.id && str_eq(a->var.argument, b->var.argument);
}

static bool is_test(const struct expr *e)
{
    return e->op >= EXPR_IS_SET;
}

/* One of its values, all of which are known. */
static bool names_values(const struct expr *e)
{
    return e->op == EXPR_EQ || (e->op == EXPR_IN && e->file.n == 0);
}

static unsigned type_of(const struct expr *e)
{
    return VAR_BIT(var_rows[e->var.id].type);
}

/* --- one test on one value --- */

static bool path_is_under(struct str path, struct str prefix)
{
    while (prefix.n > 0 && prefix.p[prefix.n - 1] == '/')
        prefix.n--;
    return str_starts_with(path, prefix) && (path.n == prefix.n || path.p[prefix.n] == '/');
}

/* Are all addresses of a block in another? */
static bool net_is_in(const struct cidr *net, const struct cidr *other)
{
    return net->bits >= other->bits && cidr_holds(other, &net->base);
}

static bool value_is(const struct expr *e, const struct expr_value *v, const struct expr_value *w)
{
    if ((type_of(e) & ON_ADDRESS) != 0)
        return net_is_in(&v->net, &w->net);
    return (type_of(e) & ON_NUMBER) != 0 ? v->number == w->number : str_eq(v->text, w->text);
}

static bool value_is_one_of(const struct expr *e, const struct expr_value *v)
{
    for (size_t i = 0; i < e->n_values; i++)
        if (value_is(e, v, &e->values[i]))
            return true;
    return false;
}

enum answer { NO, YES, UNKNOWN };

static enum answer answer(bool holds)
{
    return holds ? YES : NO;
}

/*
 * Does the test hold for a variable of this value? A block of addresses is a value for which a test
 * may hold in part: then it is not known.
 */
static enum answer test_value(const struct expr *e, const struct expr_value *v)
{
    const struct expr_value *w = e->values;
    bool is_net = (type_of(e) & ON_ADDRESS) != 0;

    switch ((unsigned)e->op) {
    case EXPR_IS_SET: return answer(v->text.n > 0);
    case EXPR_EQ:
    case EXPR_IN:
        if (e->file.n > 0)
            return UNKNOWN;
        if (value_is_one_of(e, v))
            return YES;
        for (size_t i = 0; is_net && i < e->n_values; i++)
            if (net_is_in(&e->values[i].net, &v->net))
                return UNKNOWN;
        return NO;
    case EXPR_NE: return is_net ? UNKNOWN : answer(!value_is(e, v, w));
    case EXPR_LT: return answer(v->number < w->number);
    case EXPR_LE: return answer(v->number <= w->number);
    case EXPR_GT: return answer(v->number > w->number);
    case EXPR_GE: return answer(v->number >= w->number);
    case EXPR_UNDER: return answer(path_is_under(v->text, w->text));
    case EXPR_STARTS_WITH: return answer(str_starts_with(v->text, w->text));
    case EXPR_ENDS_WITH: return answer(str_ends_with(v->text, w->text));
    case EXPR_CONTAINS: return answer(str_contains(v->text, w->text));
    default: return UNKNOWN;
    }
}

/* What the test is for all values that another names: UNKNOWN where they differ. */
static enum answer test_values(const struct expr *e, const struct expr *values)
{
    enum answer all = test_value(e, &values->values[0]);

    for (size_t i = 1; i < values->n_values; i++)
        if (test_value(e, &values->values[i]) != all)
            return UNKNOWN;
    return all;
}

/* --- two tests of one variable --- */

/* Both are about how a text begins or ends, or what is in it: what a says, b says too. */
static bool text_implies(const struct expr *a, const struct expr *b)
{
    struct str said = a->values[0].text;
    struct str asked = b->op == EXPR_IS_SET ? STR("") : b->values[0].text;

    while (a->op == EXPR_UNDER && said.n > 0 && said.p[said.n - 1] == '/')
        said.n--;
    switch ((unsigned)b->op) {
    case EXPR_IS_SET: return said.n > 0;
    case EXPR_UNDER:
        return (a->op == EXPR_UNDER && path_is_under(said, asked)) ||
               (a->op == EXPR_STARTS_WITH && path_is_under(said, asked) && said.n > asked.n);
    case EXPR_STARTS_WITH:
        return (a->op == EXPR_STARTS_WITH || a->op == EXPR_UNDER) && str_starts_with(said, asked);
    case EXPR_ENDS_WITH: return a->op == EXPR_ENDS_WITH && str_ends_with(said, asked);
    case EXPR_CONTAINS: return str_contains(said, asked);
    default: return false;
    }
}

/* `< 5` says `<= 5` and `< 6`. */
static bool number_implies(const struct expr *a, const struct expr *b)
{
    uint64_t said = a->values[0].number;
    uint64_t asked = b->op == EXPR_IS_SET ? 0 : b->values[0].number;
    bool is_below = a->op == EXPR_LT || a->op == EXPR_LE;
    bool asks_below = b->op == EXPR_LT || b->op == EXPR_LE;
    bool asks_equal = b->op == EXPR_LE || b->op == EXPR_GE;
    bool says_equal = a->op == EXPR_LE || a->op == EXPR_GE;

    if (b->op == EXPR_IS_SET)
        return true;
    if (b->op == EXPR_NE)
        return is_below ? asked > said || (asked == said && !says_equal)
                        : asked < said || (asked == said && !says_equal);
    if (b->op < EXPR_LT || b->op > EXPR_GE || is_below != asks_below)
        return false;
    if (said == asked)
        return asks_equal || !says_equal;
    return is_below ? said < asked : said > asked;
}

static bool test_implies(const struct expr *a, const struct expr *b)
{
    if (!is_same_variable(a, b))
        return false;
    if (names_values(a))
        return test_values(b, a) == YES;
    switch ((unsigned)a->op) {
    case EXPR_IS_SET: return b->op == EXPR_IS_SET;
    case EXPR_NE: return b->op == EXPR_NE && value_is(a, &a->values[0], &b->values[0]);
    case EXPR_IN: return b->op == EXPR_IN && str_eq(a->file, b->file);
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE: return number_implies(a, b);
    case EXPR_MATCHES: return b->op == EXPR_MATCHES && str_eq(a->values[0].text, b->values[0].text);
    default: return text_implies(a, b);
    }
}

/* Can two tests of one variable surely not both hold? */
static bool tests_exclude(const struct expr *a, const struct expr *b)
{
    if (!is_same_variable(a, b))
        return false;
    if (names_values(a))
        return test_values(b, a) == NO;
    if (names_values(b))
        return test_values(a, b) == NO;
    if (a->op == EXPR_UNDER && b->op == EXPR_UNDER)
        return !path_is_under(a->values[0].text, b->values[0].text) &&
               !path_is_under(b->values[0].text, a->values[0].text);
    if ((a->op == EXPR_LT || a->op == EXPR_LE) && (b->op == EXPR_GT || b->op == EXPR_GE))
        return a->values[0].number < b->values[0].number;
    if ((b->op == EXPR_LT || b->op == EXPR_LE) && (a->op == EXPR_GT || a->op == EXPR_GE))
        return b->values[0].number < a->values[0].number;
    return false;
}

/* --- conditions --- */

static const struct expr *without_acl(const struct expr *e)
{
    while (e->op == EXPR_ACL)
        e = e->items[0];
    return e;
}

static bool implies(const struct expr *a, const struct expr *b, unsigned *steps);

static bool implies_all(const struct expr *a, const struct expr *b, unsigned *steps)
{
    for (size_t i = 0; i < b->n_items; i++)
        if (!implies(a, b->items[i], steps))
            return false;
    return true;
}

static bool implies_any(const struct expr *a, const struct expr *b, unsigned *steps)
{
    for (size_t i = 0; i < b->n_items; i++)
        if (implies(a, b->items[i], steps))
            return true;
    return false;
}

static bool all_imply(const struct expr *a, const struct expr *b, unsigned *steps)
{
    for (size_t i = 0; i < a->n_items; i++)
        if (!implies(a->items[i], b, steps))
            return false;
    return true;
}

static bool any_implies(const struct expr *a, const struct expr *b, unsigned *steps)
{
    for (size_t i = 0; i < a->n_items; i++)
        if (implies(a->items[i], b, steps))
            return true;
    return false;
}

/* Depth: that of both conditions; steps bounds the width. */
static bool implies(const struct expr *a, const struct expr *b, unsigned *steps)
{
    a = without_acl(a);
    b = without_acl(b);
    if (a == b)
        return true;
    if ((*steps)++ > STEPS_MAX)
        return false;
    if (b->op == EXPR_AND)
        return implies_all(a, b, steps);
    if (a->op == EXPR_OR)
        return all_imply(a, b, steps);
    if (b->op == EXPR_OR && implies_any(a, b, steps))
        return true;
    if (a->op == EXPR_AND)
        return any_implies(a, b, steps);
    if (a->op == EXPR_NOT && b->op == EXPR_NOT)
        return implies(b->items[0], a->items[0], steps);
    if (b->op == EXPR_NOT) {
        const struct expr *refused = without_acl(b->items[0]);

        return is_test(a) && is_test(refused) && tests_exclude(a, refused);
    }
    return is_test(a) && is_test(b) && test_implies(a, b);
}

bool expr_implies(const struct expr *a, const struct expr *b)
{
    unsigned steps = 0;

    if (b == NULL)
        return true;
    return a != NULL && implies(a, b, &steps);
}

static bool parts_exclude(const struct expr *a, const struct expr *b, unsigned *steps);

/* Of an `and` one item is enough to exclude b, of an `or` it takes all. */
static bool group_excludes(const struct expr *a, const struct expr *b, unsigned *steps)
{
    for (size_t i = 0; i < a->n_items; i++)
        if (parts_exclude(a->items[i], b, steps) == (a->op == EXPR_AND))
            return a->op == EXPR_AND;
    return a->op == EXPR_OR;
}

/* Do two parts of an `and` exclude each other? Depth: that of both; steps bounds the width. */
static bool parts_exclude(const struct expr *a, const struct expr *b, unsigned *steps)
{
    a = without_acl(a);
    b = without_acl(b);
    if ((*steps)++ > STEPS_MAX)
        return false;
    if (a->op == EXPR_AND || a->op == EXPR_OR)
        return group_excludes(a, b, steps);
    if (b->op == EXPR_AND || b->op == EXPR_OR)
        return group_excludes(b, a, steps);
    if (a->op == EXPR_NOT)
        return implies(b, a->items[0], steps);
    if (b->op == EXPR_NOT)
        return implies(a, b->items[0], steps);
    return is_test(a) && is_test(b) && tests_exclude(a, b);
}

static bool is_impossible(const struct expr *e, unsigned *steps)
{
    bool all = true;

    e = without_acl(e);
    if (e->op != EXPR_AND && e->op != EXPR_OR)
        return false;
    for (size_t i = 0; i < e->n_items; i++) {
        bool one = is_impossible(e->items[i], steps);

        if (one && e->op == EXPR_AND)
            return true;
        all = all && one;
    }
    if (e->op == EXPR_OR)
        return all;
    for (size_t i = 0; i < e->n_items; i++)
        for (size_t j = i + 1; j < e->n_items && *steps < STEPS_MAX; j++, (*steps)++)
            if (parts_exclude(e->items[i], e->items[j], steps))
                return true;
    return false;
}

bool expr_is_impossible(const struct expr *e)
{
    unsigned steps = 0;

    return is_impossible(e, &steps);
}

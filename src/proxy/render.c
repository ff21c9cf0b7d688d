/*
 * render - templates filled in for a transaction.
 */
#include "proxy/render.h"

#include "base/log.h"
#include "base/panic.h"
#include "http/uri.h"

/* Values of a log line show what is not there, and hold no control characters or quotes. */
static struct str log_value(struct txn *t, struct str value)
{
    char *p;

    if (value.n == 0)
        return STR("-");
    p = arena_text(t->arena, value.n * 4);
    if (p == NULL)
        return STR("-");
    return (struct str){p, log_escape_text(p, value.n * 4, value)};
}

/* `0.001, -` as `[0.001,null]`. */
static struct str json_times(struct txn *t, struct str times)
{
    char *p = arena_text(t->arena, 4 * times.n + 2);
    size_t n = 0;

    if (p == NULL)
        return STR("null");
    p[n++] = '[';
    for (size_t i = 0; i < times.n; i++) {
        if (times.p[i] == '-') {
            memcpy(p + n, "null", 4);
            n += 4;
        } else if (times.p[i] != ' ') {
            p[n++] = times.p[i];
        }
    }
    p[n++] = ']';
    return (struct str){p, n};
}

static struct str json_text(struct txn *t, struct str value)
{
    char *p = value.n == 0 ? NULL : arena_text(t->arena, 6 * value.n + 2);
    size_t n;

    if (p == NULL)
        return STR("null");
    p[0] = '"';
    n = log_escape_json(p + 1, 6 * value.n, value);
    p[n + 1] = '"';
    return (struct str){p, n + 2};
}

/* A whole value of JSON (RFC 8259); what is not there is null. */
static struct str json_value(struct txn *t, const struct var_ref *v)
{
    struct str text = var_text(t, v);
    bool is_number = (VAR_BIT(var_rows[v->id].type) & ON_NUMBER) != 0 ||
                     v->id == VAR_ID_REQUEST_TIME || v->id == VAR_ID_HOLD_TIME ||
                     v->id == VAR_ID_TIME_MSEC;

    if (var_rows[v->id].type == VAR_TIMES)
        return json_times(t, text);
    if (is_number)
        return text.n == 0 ? STR("null") : text;
    return json_text(t, text);
}

/* Is the value text of a URI as it was received, which is encoded already? */
static bool is_raw(const struct txn *t, const struct var_ref *v)
{
    if (v->id == VAR_ID_MATCH)
        return t->generation->config->match_is_raw[v->match];
    return v->id == VAR_ID_RAW_PATH || v->id == VAR_ID_QUERY || v->id == VAR_ID_URI;
}

static struct str uri_value(struct txn *t, const struct var_ref *v, enum uri_part part)
{
    struct str value = var_text(t, v);
    char *p;

    if (value.n == 0 || is_raw(t, v))
        return value;
    p = arena_text(t->arena, 3 * value.n);
    return p == NULL ? STR_EMPTY : (struct str){p, uri_encode(part, value, p)};
}

static struct str op_text(struct txn *t, const struct template_op *op, enum render_as as)
{
    if (!op->is_variable)
        return op->literal;
    switch (as) {
    case RENDER_PLAIN: break;
    case RENDER_LOG: return log_value(t, var_text(t, &op->var));
    case RENDER_JSON: return json_value(t, &op->var);
    case RENDER_PATH: return uri_value(t, &op->var, URI_PATH);
    case RENDER_QUERY: return uri_value(t, &op->var, URI_ARGUMENT);
    }
    return var_text(t, &op->var);
}

struct str template_render(struct txn *t, const struct template *tm, enum render_as as)
{
    struct str parts[TEMPLATE_PARTS_MAX];
    size_t n_parts = tm->n_ops;
    size_t n = 0;
    char *p;

    assert(n_parts <= TEMPLATE_PARTS_MAX); /* the loader's bound */
    if (n_parts == 0)
        return STR("");
    if (n_parts == 1 && !tm->ops[0].is_variable)
        return tm->ops[0].literal;
    for (size_t i = 0; i < n_parts; i++) {
        parts[i] = op_text(t, &tm->ops[i], as);
        n += parts[i].n;
    }
    p = arena_text(t->arena, n);
    if (p == NULL)
        return STR_EMPTY;
    n = 0;
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].n > 0)
            memcpy(p + n, parts[i].p, parts[i].n);
        n += parts[i].n;
    }
    return (struct str){p, n};
}

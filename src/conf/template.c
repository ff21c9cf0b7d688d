/*
 * template - texts with variables, to op lists.
 */
#include "conf/template.h"

#include "conf/suggest.h"
#include "conf/variable.h"

/* The log formats that have a name. `common` and `combined` are Apache's, field by field. */
const struct log_format_row log_format_rows[] = {
    {"default",  "${client-ip} [${time-iso8601}] \"${method} ${uri} ${version}\" ${status} "
                "${response-bytes} ${route} ${backend}/${server} ${attempts} ${request-time} "
                "${hold-time} ${spooled-bytes} ${termination}"                      },
    {"common",   "${client-ip} - - [${time-local}] \"${method} ${uri} ${version}\" ${status} "
               "${response-bytes}"                                                   },
    {"combined", "${client-ip} - - [${time-local}] \"${method} ${uri} ${version}\" ${status} "
                 "${response-bytes} \"${header.referer}\" \"${header.user-agent}\""},
};

const size_t log_format_rows_n = sizeof(log_format_rows) / sizeof(log_format_rows[0]);

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (((unsigned char)text.p[i] < ' ' && text.p[i] != '\t') || text.p[i] == 0x7f)
            return true;
    return false;
}

bool template_compile(struct compile *c, const struct word *word, enum var_phase phase,
                      bool one_line, struct template *t)
{
    struct template_op *ops;
    size_t n = 0;
    bool ok = !word->is_bad;

    for (const struct word_part *part = word->parts; part != NULL; part = part->next)
        n++;
    if (n > TEMPLATE_PARTS_MAX) {
        diag_error(c->diags, word->at->span,
                   "a text has at most %d variables and parts between them", TEMPLATE_PARTS_MAX);
        return false;
    }
    ops = store_zalloc(&c->keep, n, sizeof(*ops));
    *t = (struct template){ops, n};
    for (const struct word_part *part = word->parts; part != NULL; part = part->next, ops++) {
        ops->is_variable = part->is_variable;
        if (part->is_variable) {
            ok = variable_find(c, part->text, part->span, phase, &ops->var) && ok;
            continue;
        }
        ops->literal = store_str(&c->keep, part->text);
        if (one_line && has_control(part->text)) {
            diag_error(c->diags, word->at->span, "a header field holds no line ends or controls");
            ok = false;
        }
    }
    return ok;
}

/* A format of ours: split at `${`. What it names is in variables.def, or a test of ours fails. */
static bool compile_text(struct compile *c, struct str text, struct template *t)
{
    struct template_op *ops = store_zalloc(&c->keep, text.n, sizeof(*ops));
    size_t n = 0;

    while (text.n > 0) {
        const char *dollar = memmem(text.p, text.n, "${", 2);
        size_t literal = dollar == NULL ? text.n : (size_t)(dollar - text.p);
        const char *close;

        if (literal > 0)
            ops[n++].literal = store_str(&c->keep, str_slice(text, 0, literal));
        if (dollar == NULL)
            break;
        close = memchr(dollar, '}', text.n - literal);
        ops[n].is_variable = true;
        if (!variable_find(c, (struct str){dollar + 2, (size_t)(close - dollar) - 2}, SPAN_NONE,
                           PHASE_END, &ops[n++].var))
            return false;
        text = str_slice(text, (size_t)(close - text.p) + 1, text.n);
    }
    *t = (struct template){ops, n};
    return true;
}

bool template_default_log(struct compile *c, struct template *t)
{
    return compile_text(c, str_of(log_format_rows[0].text), t);
}

bool template_compile_log(struct compile *c, const struct word *word, struct template *t)
{
    struct suggestion s;

    if (word->is_bad)
        return false;
    if (word->at->kind != AST_BARE || word->has_variable)
        return template_compile(c, word, PHASE_END, true, t);
    s = suggest_start(word->text);
    for (size_t i = 0; i < log_format_rows_n; i++) {
        if (str_eq(word->text, str_of(log_format_rows[i].name)))
            return compile_text(c, str_of(log_format_rows[i].text), t);
        suggest_offer(&s, str_of(log_format_rows[i].name));
    }
    diag_error(c->diags, word->at->span,
               "unknown log format '%.*s'; expected default, common, combined or a string%s",
               STR_ARG(word->text), suggest_text(&s));
    return false;
}

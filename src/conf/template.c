/*
 * template - texts with variables, to op lists.
 */
#include "conf/template.h"

#include "conf/variable.h"

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
            diag_error(c->diags, word->at->span, "this is one line: it holds no line ends or controls");
            ok = false;
        }
    }
    return ok;
}

/*
 * token - the growing array behind lexer and filter, and what the lexer never meets.
 */
#include "conf/token.h"

void tokens_reserve(struct compile *c, struct tokens *t, size_t room)
{
    t->room = room;
    t->list = store_zalloc(&c->scratch, room, sizeof(*t->list));
}

void token_add(struct compile *c, struct tokens *t, struct token token)
{
    if (t->n == t->room) {
        t->room = t->room == 0 ? 256 : 2 * t->room;
        t->list = store_grow(&c->scratch, t->list, t->n, t->room, sizeof(token));
    }
    t->list[t->n++] = token;
}

bool tokens_check_bytes(struct compile *c, struct source *source)
{
    const char *nul = memchr(source->text.p, '\0', source->text.n);
    struct span span;
    const char *why;
    size_t at = 0;

    if (nul != NULL) {
        span.from = source->base + (uint32_t)(nul - source->text.p);
        span.to = span.from + 1;
        diag_error(c->diags, span, "a NUL byte: this is not a text file");
    }
    while ((why = source_next_bad(source, &at, &span)) != NULL)
        if (nul == NULL)
            diag_error(c->diags, span, "%s", why);
    return nul == NULL;
}

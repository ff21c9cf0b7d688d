/*
 * token - the growing array behind lexer and filter.
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

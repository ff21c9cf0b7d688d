/*
 * suggest - "did you mean": the known word that is nearest to one that is not known.
 */
#ifndef HOLDFAST_CONF_SUGGEST_H
#define HOLDFAST_CONF_SUGGEST_H

#include "base/str.h"

struct suggestion {
    struct str word;    /* what was written */
    struct str nearest; /* empty: nothing is near */
    unsigned distance;  /* of nearest, or one more than is still near */
    char text[128];
};

struct suggestion suggest_start(struct str word);

/* Offer a known word; it is kept, by reference, if it is nearer than those before. */
void suggest_offer(struct suggestion *s, struct str known);

/* `; did you mean 'x'?`, or the empty text. Lives as long as s. */
const char *suggest_text(struct suggestion *s);

#endif

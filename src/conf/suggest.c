/*
 * suggest - "did you mean".
 */
#include "conf/suggest.h"

#include <stdio.h>

/* A third of the letters may differ, one of a short word, none of a letter alone or a number. */
static unsigned near_enough(struct str word)
{
    if (word.n < 2 || (word.p[0] >= '0' && word.p[0] <= '9'))
        return 0;
    return word.n < 6 ? 1 : (unsigned)(word.n < 24 ? word.n / 3 : 8);
}

struct suggestion suggest_start(struct str word)
{
    return (struct suggestion){.word = word, .distance = near_enough(word) + 1};
}

void suggest_offer(struct suggestion *s, struct str known)
{
    unsigned distance;

    if (s->distance == 0 || known.n > s->word.n + s->distance || s->word.n > known.n + s->distance)
        return;
    distance = str_distance(s->word, known, s->distance);
    if (distance >= s->distance)
        return;
    s->distance = distance;
    s->nearest = known;
}

const char *suggest_text(struct suggestion *s)
{
    s->text[0] = '\0';
    if (s->nearest.n > 0)
        snprintf(s->text, sizeof(s->text), "; did you mean '%.*s'?", STR_ARG(s->nearest));
    return s->text;
}

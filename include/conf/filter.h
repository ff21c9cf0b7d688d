/*
 * filter - between lexer and grammar: brackets that match, line ends that mean something.
 *
 * Line ends inside parentheses vanish, all others and `;` become TOKEN_STOP, one a statement. Every
 * bracket that is missing is reported once, at its partner, and invented where it belongs, so the
 * grammar only ever sees text that is balanced, and one missing mark is one error.
 *
 * Limits: blocks and parentheses nest NESTING_MAX deep; what is deeper is reported and left out.
 * With that, no walk over a tree of the language can go deeper.
 */
#ifndef HOLDFAST_CONF_FILTER_H
#define HOLDFAST_CONF_FILTER_H

#include "conf/token.h"

/* The language needs four levels of blocks; people need fewer parentheses than this. */
#define NESTING_MAX 32

/* Make out of in, which keeps no layout. Returns whether a brace had to be added or left out. */
bool filter(struct compile *c, const struct tokens *in, struct tokens *out);

#endif

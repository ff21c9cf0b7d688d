/*
 * parse - from the text of one file to its tree (grammar/config.y drives, lex and filter feed it).
 */
#ifndef HOLDFAST_CONF_PARSE_H
#define HOLDFAST_CONF_PARSE_H

#include "conf/ast.h"

/* What the grammar's actions and its token source share: the generated parser is given this. */
struct parse {
    struct compile *compile;
    const struct token *first;
    const struct token *at; /* the next token */
    struct ast_block *file; /* the result */
};

/*
 * Parse a file that has been added to the sources. Faults are reported; what could be understood is
 * returned, never NULL. *has_brace_fault says that a brace was missing or too many: what stands
 * where is then a guess, and nobody should complain about misplaced directives.
 */
struct ast_block *parse(struct compile *c, const struct source *source, bool *has_brace_fault);

/* Does the bare word mean something to the grammar of conditions: an operator, `and`, `when`, …? */
bool parse_is_keyword(struct str text);

#endif

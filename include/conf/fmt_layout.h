/*
 * fmt_layout - from the tokens of a file to the lines of its canonical form.
 *
 *   - One statement a line, 4 blanks for each block around it. `;` becomes a line end.
 *   - A block on one line stays there if it holds no more than one statement and ends before
 *     FMT_WIDTH; an empty one is `{ }`. All others have a line for each statement.
 *   - In parentheses the author's line ends stay, and 4 blanks are added to the line of the `(`.
 *     A comma stands behind its value.
 *   - A line joined by a backslash stays so between the words of a statement, 4 blanks further in.
 *   - Empty lines: one at most, none where a block or a parenthesis starts or ends.
 *   - A comment behind something stays behind it, a comment alone stays alone, indented as what
 *     would stand there; one that goes on straight below another goes on straight below it.
 *
 * What these rules look at is in the text that they make as it was in the source, so laying that
 * out again changes nothing.
 */
#ifndef HOLDFAST_CONF_FMT_LAYOUT_H
#define HOLDFAST_CONF_FMT_LAYOUT_H

#include "conf/token.h"

/*
 * Lay out a source. tokens: all of it, with the layout, without faults of brackets or quotes. The
 * text is scratch.
 */
struct str fmt_layout(struct compile *c, const struct source *source, const struct tokens *tokens);

#endif

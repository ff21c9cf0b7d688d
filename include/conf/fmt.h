/*
 * fmt - the canonical layout of one file.
 *
 * A function of the text alone: nothing is included, nothing is looked up, and what the directives
 * mean is not asked. Every word, mark and comment comes out in its order, byte for byte, but for
 * the blanks at the end of a comment; only blanks, line ends, `;` and joins change. Laying out what
 * came out changes nothing.
 *
 * Elsewhere: what the layout is (conf/fmt_layout.h, conf/fmt_lines.h); files (proc/fmt_tool.h).
 */
#ifndef HOLDFAST_CONF_FMT_H
#define HOLDFAST_CONF_FMT_H

#include "conf/diag.h"

/*
 * Lay out a text. diags, which must be new, calls it name and gets a copy of it.
 *
 * Returns true and the result in arena. False if the text is no structure of statements, blocks and
 * conditions, or is too large, or memory is out: diags has the errors, and *out is empty.
 */
bool fmt_text(struct str name, struct str text, struct diags *diags, struct arena *arena,
              struct str *out);

#endif

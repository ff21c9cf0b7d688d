/*
 * word - what the words of a file mean: escapes undone, `${env.NAME}` and `${let}` filled in.
 *
 * A word is a run of parts: literal text, and references `${NAME}` that are filled for each
 * request. `${env.NAME}`, `${env.NAME:-default}` and the names of `let` are filled here and are
 * literal text to everybody else.
 */
#ifndef HOLDFAST_CONF_WORD_H
#define HOLDFAST_CONF_WORD_H

#include "conf/ast.h"

struct word_part {
    bool is_variable;
    struct str text;  /* literal, or the name between `${` and `}` */
    struct span span; /* of the reference */
    struct word_part *next;
};

struct word {
    const struct ast_word *at;
    struct word_part *parts; /* NULL: the empty word */
    struct str text;         /* all of it, if there is no variable */
    bool has_variable;
    bool is_bad; /* a fault in it has been reported */
};

/* Read a word; faults are reported. The result lies in the scratch arena. */
struct word word_read(struct compile *c, const struct ast_word *at);

/* The value of an environment variable by its name, NULL where it is not set. */
const char *word_environment(struct compile *c, struct str name);

/*
 * A path that stands in a file, made absolute: relative ones start from the directory of the file,
 * and that from the working directory. In c's keeping, or text itself.
 */
struct str word_path(struct compile *c, const struct ast_word *at, struct str text);

/* May text stand bare in a file and mean itself? Else it must be quoted. */
bool word_is_bare(struct str text);

/* May text stand between `'`? */
bool word_is_raw(struct str text);

#endif

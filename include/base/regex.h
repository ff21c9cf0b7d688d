/*
 * regex - regular expressions that cannot run away: PCRE2 behind bounds.
 *
 * Patterns and subjects are bytes, not UTF-8; `.` matches every byte and `$` the end alone, so that
 * no line end in a subject slips past a condition. Compiled to machine code where the system grants
 * memory for it, else interpreted.
 *
 * Budget:  one match takes REGEX_STEPS_MAX steps and REGEX_STACK_MAX bytes at most; what would take
 *          more is a fault, never an answer.
 */
#ifndef HOLDFAST_BASE_REGEX_H
#define HOLDFAST_BASE_REGEX_H

#include "base/str.h"

/* A step is a position tried or gone back to: some 10 ns, so that a match ends within 10 ms. */
#define REGEX_STEPS_MAX 500000
/* For what a match has to come back to. Allocated at the first match that needs it. */
#define REGEX_STACK_MAX ((size_t)1 << 20)
/* Groups, named ones included, of one expression. */
#define REGEX_GROUPS_MAX 32
/* Bytes of a pattern. */
#define REGEX_PATTERN_MAX 4096

struct regex;
struct regex_matcher;

/* Where a pattern is wrong, and why. */
struct regex_fault {
    size_t at; /* offset in the pattern */
    char text[160];
};

/* Compile a pattern. NULL: *fault says why. Free with regex_free (NULL is allowed). */
struct regex *regex_new(struct str pattern, struct regex_fault *fault);
void regex_free(struct regex *r);

/* Is it machine code? False: the system denies memory that may be executed, or PCRE2 has no JIT. */
bool regex_is_compiled(const struct regex *r);

/*
 * The i-th named group, in the order of their names: its name, which lives as long as r, and the
 * number of its group. False: there are no more.
 */
bool regex_group(const struct regex *r, unsigned i, struct str *name, unsigned *number);

/* What a match needs besides the expression: one for each thread. NULL: no memory. */
struct regex_matcher *regex_matcher_new(void);
void regex_matcher_free(struct regex_matcher *m);

enum regex_result { REGEX_MATCHES, REGEX_DIFFERS, REGEX_FAULT };

/*
 * Look for the expression anywhere in subject. REGEX_FAULT: it would have taken too long, or there
 * was no memory; regex_fault_text says which.
 */
enum regex_result regex_match(struct regex_matcher *m, const struct regex *r, struct str subject);

/* What a group held in the last match that succeeded: a slice of its subject; p == NULL: nothing.
 */
struct str regex_held(const struct regex_matcher *m, struct str subject, unsigned number);

/* Why the last match failed with REGEX_FAULT. */
const char *regex_fault_text(const struct regex_matcher *m);

#endif

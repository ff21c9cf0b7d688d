/*
 * expr_eval - does a condition hold for a transaction?
 *
 * What the named groups of regular expressions held is kept for `match.NAME`: of the last match of
 * each name since expr_forget.
 */
#ifndef HOLDFAST_PROXY_EXPR_EVAL_H
#define HOLDFAST_PROXY_EXPR_EVAL_H

#include "proxy/vars.h"

/*
 * Does the condition hold? NULL always does. A regular expression that ran out of its bounds is
 * noted in t->fault_expr; then the result is false and means nothing: the request must fail.
 */
bool expr_holds(struct txn *t, const struct expr *e);

/* Forget what groups held: they belong to a condition that did not take the request. */
void expr_forget(struct txn *t);

/* Log that t->fault_expr could not be decided, for what `where` is. */
void expr_log_fault(const struct txn *t, struct str where);

#endif

/*
 * vars - what a variable is worth for a transaction.
 *
 * Values are made on demand in the transaction's arena or point at what is there. A variable that
 * has no value gives the empty text.
 */
#ifndef HOLDFAST_PROXY_VARS_H
#define HOLDFAST_PROXY_VARS_H

#include "conf/expr.h"
#include "proxy/txn.h"

/* The text of a variable; empty: not there, or no memory. */
struct str var_text(struct txn *t, const struct var_ref *v);

/* The number of a NUMBER, SIZE or DURATION; false: it has none. */
bool var_number(struct txn *t, const struct var_ref *v, uint64_t *number);

/* The address of an ADDRESS; false: it has none (a unix socket). */
bool var_ip(struct txn *t, const struct var_ref *v, struct ip *ip);

#endif

/*
 * access_log - one line a transaction, when it is over.
 */
#ifndef HOLDFAST_PROXY_ACCESS_LOG_H
#define HOLDFAST_PROXY_ACCESS_LOG_H

#include "proxy/txn.h"

/* Write the line that the policy asks for. A log that cannot take it loses and counts it. */
void access_log_write(struct txn *t);

#endif

/*
 * explain_request - from the words of a command line to a transaction that could be tried.
 */
#ifndef HOLDFAST_PROC_EXPLAIN_REQUEST_H
#define HOLDFAST_PROC_EXPLAIN_REQUEST_H

#include "proc/options.h"
#include "proxy/txn.h"

/*
 * Read METHOD, URL, the fields and the client's address as a client's request, by the parser that
 * serves: sets t's request, path and client, in t's arena. *port is the URL's, its scheme's, or 0.
 * Returns NULL, or what is wrong as a text that lives as long as the arena.
 */
const char *explain_request_read(const struct options *o, struct txn *t, unsigned *port);

/*
 * The frontend that a request to this port comes to. NULL: none or more than one, and standard error
 * has been told.
 */
const struct config_frontend *explain_request_frontend(const struct config *c,
                                                       const struct options *o, unsigned port);

#endif

/*
 * explain - `holdfast explain`: what becomes of a request, and why.
 *
 * Which frontend and route takes it, why those before did not, whether it is let in, what a server
 * would be sent, and every setting in force with the place where it was written. The request is
 * built and tried by the code that serves; nothing is opened, connected to or sent.
 */
#ifndef HOLDFAST_PROC_EXPLAIN_H
#define HOLDFAST_PROC_EXPLAIN_H

#include "proc/options.h"

/*
 * Explain the request of o's operands, METHOD and URL, on the configuration of -f, on standard
 * output. Returns the exit status: 1 where the configuration or the request is wrong, or no frontend
 * can be told; standard error says so.
 */
int explain(const struct options *o);

#endif

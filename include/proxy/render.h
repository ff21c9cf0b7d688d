/*
 * render - templates filled in for a transaction.
 */
#ifndef HOLDFAST_PROXY_RENDER_H
#define HOLDFAST_PROXY_RENDER_H

#include "proxy/vars.h"

/* How the values of variables are written; literal text always stands as it is. */
enum render_as {
    RENDER_PLAIN,
    RENDER_LOG,  /* as in a text log (log_escape_text); `-` where there is none */
    RENDER_JSON, /* as a whole value of JSON */
    RENDER_PATH, /* percent-encoded but for text of a URI as received: the path of a request line */
    RENDER_QUERY, /* likewise, as part of an argument of a query */
};

/* Fill in a template, in t's arena. p == NULL: no memory. */
struct str template_render(struct txn *t, const struct template *tm, enum render_as as);

#endif

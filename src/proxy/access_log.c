/*
 * access_log - one line a transaction, when it is over.
 */
#include "proxy/access_log.h"

#include "proxy/render.h"

void access_log_write(struct txn *t)
{
    struct log_sink *sink = generation_log(t->generation, t->policy->access_log);
    struct str line;

    if (sink == NULL || t->request == NULL)
        return;
    line = template_render(t, &t->policy->access_log_format->line,
                           t->policy->access_log_format->is_json ? RENDER_JSON : RENDER_LOG);
    if (line.p != NULL)
        log_line(sink, LOG_INFO, line);
}

/*
 * replay - may a request be sent again?
 */
#include "proxy/replay.h"

bool replay_is_allowed(const struct replay_facts *f)
{
    if (f->response_began || !f->can_rewind)
        return false;
    switch (f->replay) {
    case REPLAY_NEVER: return false;
    case REPLAY_ALWAYS: return true;
    case REPLAY_SAFE: break;
    }
    return method_is_idempotent(f->method) || f->has_idempotency_key || !f->may_be_delivered;
}

bool replay_is_retried(const struct policy *p, enum reason why)
{
    switch ((unsigned)why) {
    case REASON_SERVER_RESET: return p->retry_on_reset;
    case REASON_SERVER_EMPTY: return p->retry_on_empty;
    case REASON_SERVER_TIMEOUT:
    case REASON_SERVER_WRITE_TIMEOUT: return p->retry_on_timeout;
    default: return false;
    }
}

bool replay_status_is_retried(const struct policy *p, unsigned status)
{
    for (size_t i = 0; i < p->n_retry_statuses; i++)
        if (p->retry_statuses[i] == status)
            return true;
    return false;
}

/*
 * replay - may a request be sent again? One function decides, from facts alone.
 */
#ifndef HOLDFAST_PROXY_REPLAY_H
#define HOLDFAST_PROXY_REPLAY_H

#include "conf/config.h"
#include "http/head.h"
#include "proxy/reason.h"

struct replay_facts {
    enum replay_when replay;
    enum method method;
    bool has_idempotency_key;
    bool may_be_delivered; /* can the server have had the whole request? */
    bool response_began;   /* a byte of the final response has gone to the client */
    bool can_rewind;       /* byte 0 of the body is still there (or there is no body) */
};

/*
 * Is it allowed to send the request once more? `safe`: nothing of a response has gone out, and the
 * method is idempotent (RFC 9110 9.2.2), or the request bears an Idempotency-Key, or the server
 * cannot have had all of it.
 */
bool replay_is_allowed(const struct replay_facts *f);

/* Is this reason, or this status of a response, one that the policy retries on? */
bool replay_is_retried(const struct policy *p, enum reason why);
bool replay_status_is_retried(const struct policy *p, unsigned status);

#endif

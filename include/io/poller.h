/*
 * poller - how a loop waits: epoll(7), or poll(2) as the portable reference.
 *
 * Private to the loop. Four functions each; what they find goes into watch->ready and
 * watch->on_ready.
 */
#ifndef HOLDFAST_IO_POLLER_H
#define HOLDFAST_IO_POLLER_H

#include "io/loop.h"

/* Events taken from one wait: enough to share the call among busy connections, few enough that
 * tasks and timers get their turn. */
#define POLLER_EVENTS_MAX 256

struct poller;

struct poller_ops {
    struct poller *(*open)(void); /* NULL with errno */
    void (*close)(struct poller *p);
    bool (*add)(struct poller *p, struct watch *w); /* false with errno */
    void (*remove)(struct poller *p, struct watch *w);
    /* Wait up to timeout_ms (-1: for ever); then call after_wait(loop), then the ready watches. */
    void (*wait)(struct poller *p, int timeout_ms, void (*after_wait)(struct loop *l), struct loop *l);
};

extern const struct poller_ops poller_epoll;
extern const struct poller_ops poller_poll;

#endif

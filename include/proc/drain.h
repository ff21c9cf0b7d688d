/*
 * drain - the end of a worker: what is under way is finished, within a bound.
 *
 * When the bound is over, who still waits for an answer gets 503, and half a second for it to
 * leave.
 */
#ifndef HOLDFAST_PROC_DRAIN_H
#define HOLDFAST_PROC_DRAIN_H

#include "proxy/worker.h"

struct drain {
    struct worker *worker;
    struct timer timer;
    bool has_begun;
    bool has_refused; /* the bound is over: only what is being written still goes out */
};

/* Set up; w->on_drained is taken: it stops the loop. */
void drain_init(struct drain *d, struct worker *w);
void drain_reset(struct drain *d);

/* Begin, for at most `most_ms` (UINT32_MAX: without a bound); again: with this bound from now on.
 */
void drain_start(struct drain *d, uint32_t most_ms);

#endif

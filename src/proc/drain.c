/*
 * drain - the end of a worker: what is under way is finished, within a bound.
 */
#include "proc/drain.h"

#include "base/log.h"

/* After the bound, for the 503s to leave. */
#define REFUSE_MS 500

static void on_drained(struct worker *w)
{
    loop_stop(w->loop);
}

static void on_bound(struct timer *t)
{
    struct drain *d = list_owner(t, struct drain, timer);

    if (d->has_refused) {
        loop_stop(d->worker->loop);
        return;
    }
    log_message(LOG_WARNING,
                "shutdown-timeout: %u connections are not finished; held requests get 503",
                (unsigned)row_get(&d->worker->row->n_fronts));
    d->has_refused = true;
    loop_timer_set(d->worker->loop, &d->timer, REFUSE_MS);
    worker_refuse(d->worker);
}

void drain_init(struct drain *d, struct worker *w)
{
    *d = (struct drain){.worker = w};
    timer_init(&d->timer, on_bound);
    w->on_drained = on_drained;
}

void drain_reset(struct drain *d)
{
    loop_timer_remove(d->worker->loop, &d->timer);
}

void drain_start(struct drain *d, uint32_t most_ms)
{
    bool is_first = !d->has_begun;

    d->has_begun = true;
    if (!d->has_refused)
        loop_timer_set(d->worker->loop, &d->timer, most_ms);
    if (is_first)
        worker_drain(d->worker);
}

/*
 * timer - deadlines, in an intrusive heap.
 *
 * A timer that moves later only writes its deadline; the heap is corrected when the stale entry
 * comes up. So an idle timeout that is pushed back by every read costs one store.
 *
 * Invariants:  heap[t->slot] == t for every timer in the heap;  key_ms <= deadline_ms. Limits:
 * one deadline a timer; times are milliseconds of the loop's monotonic clock.
 */
#ifndef HOLDFAST_IO_TIMER_H
#define HOLDFAST_IO_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct timer {
    uint64_t deadline_ms; /* TIMER_NEVER: stopped */
    uint64_t key_ms;      /* where the heap has it */
    void (*fire)(struct timer *t);
    size_t slot; /* 0: not in the heap */
};

struct timers {
    struct timer **heap; /* heap[1..n] */
    size_t n;
    size_t room;
};

/* An empty heap; nothing is allocated. Reset frees it: no timer may be set then. */
void timers_init(struct timers *ts);
void timers_reset(struct timers *ts);

/* A stopped timer that will call fire(t). */
void timer_init(struct timer *t, void (*fire)(struct timer *t));

/*
 * Set the deadline, replacing an earlier one. Returns false when memory is out and the timer was
 * in no heap: then it is stopped.
 */
bool timer_set(struct timers *ts, struct timer *t, uint64_t deadline_ms);

/* Stop without touching the heap; the entry goes when it comes up. */
void timer_stop(struct timer *t);

/* Stop and leave the heap: before the memory of t is freed. */
void timer_remove(struct timers *ts, struct timer *t);

static inline bool timer_is_set(const struct timer *t)
{
    return t->deadline_ms != TIMER_NEVER;
}

/* The earliest entry of the heap, stale or not; TIMER_NEVER where there is none. */
uint64_t timers_next(const struct timers *ts);

/* Stop and fire every timer whose deadline is <= now_ms. A callback may set, stop and remove
 * timers. */
void timers_fire(struct timers *ts, uint64_t now_ms);

#endif

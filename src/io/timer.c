/*
 * timer - deadlines, in an intrusive heap.
 */
#include "io/timer.h"

#include "base/panic.h"
#include "base/pool.h"

#define HEAP_ROOM_FIRST 64

void timers_init(struct timers *ts)
{
    *ts = (struct timers){0};
}

void timers_reset(struct timers *ts)
{
    assert(ts->n == 0);
    memory_put(ts->heap);
    timers_init(ts);
}

void timer_init(struct timer *t, void (*fire)(struct timer *t))
{
    *t = (struct timer){.deadline_ms = TIMER_NEVER, .fire = fire};
}

static void heap_place(struct timers *ts, struct timer *t, size_t slot)
{
    ts->heap[slot] = t;
    t->slot = slot;
}

static void heap_up(struct timers *ts, struct timer *t)
{
    size_t slot = t->slot;

    while (slot > 1 && ts->heap[slot / 2]->key_ms > t->key_ms) {
        heap_place(ts, ts->heap[slot / 2], slot);
        slot /= 2;
    }
    heap_place(ts, t, slot);
}

static void heap_down(struct timers *ts, struct timer *t)
{
    size_t slot = t->slot;

    for (;;) {
        size_t child = slot * 2;

        if (child > ts->n)
            break;
        if (child < ts->n && ts->heap[child + 1]->key_ms < ts->heap[child]->key_ms)
            child++;
        if (ts->heap[child]->key_ms >= t->key_ms)
            break;
        heap_place(ts, ts->heap[child], slot);
        slot = child;
    }
    heap_place(ts, t, slot);
}

static bool heap_make_room(struct timers *ts)
{
    size_t room = ts->room == 0 ? HEAP_ROOM_FIRST : ts->room * 2;
    struct timer **heap;

    if (ts->n + 1 < ts->room)
        return true;
    heap = memory_resize(ts->heap, room * sizeof(*heap));
    if (heap == NULL)
        return false;
    ts->heap = heap;
    ts->room = room;
    return true;
}

bool timer_set(struct timers *ts, struct timer *t, uint64_t deadline_ms)
{
    if (t->slot == 0) {
        if (!heap_make_room(ts)) {
            t->deadline_ms = TIMER_NEVER;
            return false;
        }
        t->deadline_ms = deadline_ms;
        t->key_ms = deadline_ms;
        heap_place(ts, t, ++ts->n);
        heap_up(ts, t);
        return true;
    }
    t->deadline_ms = deadline_ms;
    if (deadline_ms < t->key_ms) {
        t->key_ms = deadline_ms;
        heap_up(ts, t);
    }
    return true;
}

void timer_stop(struct timer *t)
{
    t->deadline_ms = TIMER_NEVER;
}

void timer_remove(struct timers *ts, struct timer *t)
{
    size_t slot = t->slot;
    struct timer *last;

    t->deadline_ms = TIMER_NEVER;
    if (slot == 0)
        return;
    assert(ts->heap[slot] == t);
    t->slot = 0;
    last = ts->heap[ts->n--];
    if (last == t)
        return;
    heap_place(ts, last, slot);
    heap_up(ts, last);
    heap_down(ts, last);
}

uint64_t timers_next(const struct timers *ts)
{
    return ts->n == 0 ? TIMER_NEVER : ts->heap[1]->key_ms;
}

void timers_fire(struct timers *ts, uint64_t now_ms)
{
    while (ts->n > 0 && ts->heap[1]->key_ms <= now_ms) {
        struct timer *t = ts->heap[1];

        if (t->deadline_ms > now_ms && t->deadline_ms != TIMER_NEVER) {
            t->key_ms = t->deadline_ms;
            heap_down(ts, t);
            continue;
        }
        bool is_due = t->deadline_ms != TIMER_NEVER;

        timer_remove(ts, t);
        if (is_due)
            t->fire(t);
    }
}

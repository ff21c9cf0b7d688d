/*
 * io_timer - order, lazy moves, callbacks that change the heap, and random use against a plain list.
 */
#include "io/timer.h"

#include "base/list.h"
#include "unit.h"

#include <stdio.h>

#define MANY   200
#define ROUNDS 20000

struct alarm {
    struct timer timer;
    uint64_t wanted; /* the model: TIMER_NEVER where it is stopped */
    unsigned n_fired;
};

static struct alarm alarms[MANY];
static struct timers ts;
static uint64_t now;
static unsigned order[MANY];
static unsigned n_order;
static bool is_early; /* one fired that was not due */
static uint64_t seed;

static uint64_t draw(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static void fired(struct timer *t)
{
    struct alarm *a = list_owner(t, struct alarm, timer);

    is_early |= a->wanted > now;
    a->wanted = TIMER_NEVER;
    a->n_fired++;
    if (n_order < MANY)
        order[n_order++] = (unsigned)(a - alarms);
}

static void begin(void (*fire)(struct timer *t))
{
    timers_init(&ts);
    now = 0;
    n_order = 0;
    is_early = false;
    seed = 88172645463325252;
    for (size_t i = 0; i < MANY; i++) {
        timer_init(&alarms[i].timer, fire);
        alarms[i].wanted = TIMER_NEVER;
        alarms[i].n_fired = 0;
    }
}

static void end(void)
{
    for (size_t i = 0; i < MANY; i++)
        timer_remove(&ts, &alarms[i].timer);
    timers_reset(&ts);
}

static void set(size_t i, uint64_t deadline)
{
    alarms[i].wanted = deadline;
    CU_ASSERT(timer_set(&ts, &alarms[i].timer, deadline));
}

static void fire_at(uint64_t ms)
{
    now = ms;
    timers_fire(&ts, ms);
}

/* What must hold of the heap at any time (timer.h). */
static bool heap_is_sound(void)
{
    for (size_t i = 1; i <= ts.n; i++) {
        const struct timer *t = ts.heap[i];

        if (t->slot != i || t->key_ms > t->deadline_ms)
            return false;
        if (i > 1 && ts.heap[i / 2]->key_ms > t->key_ms)
            return false;
    }
    return true;
}

static void fire_in_order_of_deadline(void)
{
    begin(fired);
    for (size_t i = 0; i < MANY; i++)
        set(i, (i * 7919) % MANY);
    CU_ASSERT(heap_is_sound());
    CU_ASSERT_EQUAL(timers_next(&ts), 0);
    fire_at(MANY);
    CU_ASSERT_EQUAL(n_order, MANY);
    for (size_t i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL((order[i] * 7919) % MANY, i);
    CU_ASSERT_EQUAL(timers_next(&ts), TIMER_NEVER);
    end();
}

static void deadline_itself_is_due(void)
{
    begin(fired);
    set(0, 10);
    fire_at(9);
    CU_ASSERT_EQUAL(alarms[0].n_fired, 0);
    CU_ASSERT(timer_is_set(&alarms[0].timer));
    fire_at(10);
    CU_ASSERT_EQUAL(alarms[0].n_fired, 1);
    CU_ASSERT(!timer_is_set(&alarms[0].timer));
    fire_at(1000);
    CU_ASSERT_EQUAL(alarms[0].n_fired, 1);
    end();
}

/* Moving later touches the deadline alone: the heap learns of it when the entry comes up. */
static void moving_later_is_lazy(void)
{
    begin(fired);
    set(0, 10);
    set(0, 500);
    CU_ASSERT_EQUAL(timers_next(&ts), 10);
    CU_ASSERT(heap_is_sound());
    fire_at(10);
    CU_ASSERT_EQUAL(alarms[0].n_fired, 0);
    CU_ASSERT_EQUAL(timers_next(&ts), 500);
    fire_at(500);
    CU_ASSERT_EQUAL(alarms[0].n_fired, 1);
    end();
}

static void moving_earlier_is_seen_at_once(void)
{
    begin(fired);
    set(0, 500);
    set(1, 300);
    set(0, 200);
    CU_ASSERT_EQUAL(timers_next(&ts), 200);
    fire_at(200);
    CU_ASSERT_EQUAL(alarms[0].n_fired, 1);
    CU_ASSERT_EQUAL(alarms[1].n_fired, 0);
    end();
}

static void stopped_timer_is_quiet_and_can_be_set_again(void)
{
    begin(fired);
    set(0, 10);
    timer_stop(&alarms[0].timer);
    CU_ASSERT(!timer_is_set(&alarms[0].timer));
    set(0, 20); /* its entry of 10 is still there */
    timer_stop(&alarms[0].timer);
    fire_at(15);
    CU_ASSERT_EQUAL(alarms[0].n_fired, 0);
    CU_ASSERT_EQUAL(ts.n, 0);
    set(0, 30);
    timer_stop(&alarms[0].timer);
    set(0, 25);
    fire_at(25);
    CU_ASSERT_EQUAL(alarms[0].n_fired, 1);
    end();
}

static void removing_is_harmless_for_what_is_not_there(void)
{
    begin(fired);
    timer_remove(&ts, &alarms[0].timer);
    set(0, 10);
    timer_remove(&ts, &alarms[0].timer);
    timer_remove(&ts, &alarms[0].timer);
    CU_ASSERT_EQUAL(ts.n, 0);
    fire_at(10);
    CU_ASSERT_EQUAL(alarms[0].n_fired, 0);
    end();
}

/* Each that fires takes the next one out and sets the one after it anew. */
static void meddling(struct timer *t)
{
    struct alarm *a = list_owner(t, struct alarm, timer);
    size_t i = (size_t)(a - alarms);

    fired(t);
    timer_remove(&ts, &alarms[(i + 1) % MANY].timer);
    alarms[(i + 1) % MANY].wanted = TIMER_NEVER;
    if (a->n_fired == 1)
        set((i + 2) % MANY, now + 5);
    if (a->n_fired == 1)
        set(i, now + 7);
}

static void callbacks_may_set_and_remove(void)
{
    begin(meddling);
    for (size_t i = 0; i < MANY; i++)
        set(i, i / 10);
    for (uint64_t ms = 0; ms < 100; ms++) {
        fire_at(ms);
        CU_ASSERT(heap_is_sound());
    }
    CU_ASSERT(!is_early);
    for (size_t i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL(alarms[i].wanted, TIMER_NEVER);
    end();
}

/* The model: whoever is wanted by now has fired, nobody else has. */
static bool all_due_have_fired(void)
{
    uint64_t next = TIMER_NEVER;

    for (size_t i = 0; i < MANY; i++) {
        if (alarms[i].wanted <= now)
            return false;
        if (alarms[i].wanted != alarms[i].timer.deadline_ms)
            return false;
        next = alarms[i].wanted < next ? alarms[i].wanted : next;
    }
    return timers_next(&ts) <= next;
}

static void random_step(void)
{
    size_t i = draw(MANY);

    switch (draw(8)) {
    case 0:
        timer_stop(&alarms[i].timer);
        alarms[i].wanted = TIMER_NEVER;
        break;
    case 1:
        timer_remove(&ts, &alarms[i].timer);
        alarms[i].wanted = TIMER_NEVER;
        break;
    case 2: fire_at(now + draw(20)); break;
    default: set(i, now + 1 + draw(300)); break;
    }
}

static void random_use_agrees_with_a_list(void)
{
    bool ok = true;

    begin(fired);
    for (unsigned i = 0; i < ROUNDS && ok; i++) {
        n_order = 0;
        random_step();
        ok = all_due_have_fired() && !is_early && heap_is_sound();
        if (!ok)
            printf("\n    in step %u\n", i);
    }
    CU_ASSERT(ok);
    end();
}

/* Due at different times, fired together: still in the order of their deadlines, moved ones too. */
static void late_firing_keeps_the_order(void)
{
    uint64_t last = 0;
    bool ok = true;

    begin(fired);
    for (size_t i = 0; i < MANY; i++)
        set(i, 1 + draw(50));
    for (size_t i = 0; i < MANY; i += 3)
        set(i, 60 + i);
    for (size_t i = 0; i < MANY; i++)
        order[i] = 0;
    fire_at(1000);
    CU_ASSERT_EQUAL(n_order, MANY);
    for (size_t i = 0; i < n_order; i++) {
        uint64_t key = alarms[order[i]].timer.key_ms;

        ok &= key >= last;
        last = key;
    }
    CU_ASSERT(ok);
    end();
}

UNIT_SUITE(io_timer)
{
    UNIT_TEST(fire_in_order_of_deadline);
    UNIT_TEST(deadline_itself_is_due);
    UNIT_TEST(moving_later_is_lazy);
    UNIT_TEST(moving_earlier_is_seen_at_once);
    UNIT_TEST(stopped_timer_is_quiet_and_can_be_set_again);
    UNIT_TEST(removing_is_harmless_for_what_is_not_there);
    UNIT_TEST(callbacks_may_set_and_remove);
    UNIT_TEST(random_use_agrees_with_a_list);
    UNIT_TEST(late_firing_keeps_the_order);
}

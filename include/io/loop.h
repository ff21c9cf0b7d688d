/*
 * loop - the one blocking call, and the order of everything after it.
 *
 *     wait -> read the clock -> ready watches -> tasks, first come first served -> timers -> graveyard
 *
 * A watch says what its owner wants and remembers what is ready. Under epoll a descriptor is
 * registered once, edge-triggered, for both directions; what the owner does not want yet stays noted in
 * `ready`, so pausing and resuming cost no system call. Under poll the set is made from `want`.
 * Objects that are closed go to the graveyard and are freed when no callback is on the stack.
 *
 * Limits: one thread; TASKS_PER_ITERATION tasks before descriptors are looked at again.
 */
#ifndef HOLDFAST_IO_LOOP_H
#define HOLDFAST_IO_LOOP_H

#include "base/list.h"
#include "io/timer.h"

struct loop;

enum {
    EVENT_IN = 1,  /* bytes, a connection, or the end can be read */
    EVENT_OUT = 2, /* there is room to write, or a connect has ended */
    EVENT_HUP = 4, /* the peer has shut its side (POLLRDHUP); set in `ready` for good */
    EVENT_ERR = 8, /* both sides are gone or the socket failed (POLLHUP, POLLERR); likewise */
};

struct watch {
    int fd;
    unsigned char want;  /* EVENT_IN, EVENT_OUT: what the owner would act on */
    unsigned char ready; /* what is believed ready; the owner clears a bit on EAGAIN or a short read */
    bool is_registered;
    bool is_level; /* a listener or signalfd: reported for as long as it is ready */
    size_t poll_slot;
    void (*on_ready)(struct watch *w);
};

struct task {
    struct list link;
    void (*run)(struct task *t);
};

/* An object that waits to be freed. */
struct grave {
    struct list link;
    void (*bury)(struct grave *g);
};

enum loop_poller { LOOP_EPOLL, LOOP_POLL };

/* Make a loop. Returns NULL with errno set. Free with loop_free: nothing may be registered or
 * set. */
struct loop *loop_new(enum loop_poller poller);
void loop_free(struct loop *l);

/* Run until loop_stop. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* One iteration, waiting at most `most_ms` (for tests and for shutting down). */
void loop_turn(struct loop *l, uint64_t most_ms);

/* Milliseconds of CLOCK_MONOTONIC and of the wall, read once an iteration. */
uint64_t loop_now(const struct loop *l);
uint64_t loop_wall(const struct loop *l);

/* Set t to fire `in_ms` from now; UINT32_MAX stops it. */
void loop_timer_set(struct loop *l, struct timer *t, uint32_t in_ms);
void loop_timer_remove(struct loop *l, struct timer *t);

/* A watch of fd, not registered. With is_level it is reported while ready, else on each edge. */
void watch_init(struct watch *w, int fd, bool is_level, void (*on_ready)(struct watch *w));

/*
 * Start watching. Edge-triggered watches report what is ready already. Returns false with errno set
 * (no memory, no room in the kernel's table).
 */
bool watch_register(struct loop *l, struct watch *w);

/* Stop watching; before the descriptor is closed. Harmless for one that is not registered. */
void watch_remove(struct loop *l, struct watch *w);

void task_init(struct task *t, void (*run)(struct task *t));

/* Run t after the ready watches of this iteration; posting it twice runs it once. */
void task_post(struct loop *l, struct task *t);
void task_cancel(struct task *t);

/* Free g's object with g->bury when the callbacks of this iteration are done. */
void loop_bury(struct loop *l, struct grave *g);

#endif

/*
 * loop - the one blocking call, and the order of everything after it.
 */
#include "io/loop.h"

#include "base/clock.h"
#include "base/panic.h"
#include "base/pool.h"
#include "io/poller.h"

#include <limits.h>

/* A task that posts itself again must not starve descriptors and timers. */
#define TASKS_PER_ITERATION 1024

struct loop {
    const struct poller_ops *ops;
    struct poller *poller;
    struct timers timers;
    struct list tasks;
    struct list graves;
    uint64_t now_ms;
    uint64_t wall_ms;
    bool is_stopping;
};

static void loop_read_clock(struct loop *l)
{
    l->now_ms = clock_monotonic_ms();
    l->wall_ms = clock_wall_ms();
}

struct loop *loop_new(enum loop_poller poller)
{
    struct loop *l = memory_get(sizeof(*l));

    if (l == NULL)
        return NULL;
    *l = (struct loop){.ops = poller == LOOP_EPOLL ? &poller_epoll : &poller_poll};
    list_init(&l->tasks);
    list_init(&l->graves);
    timers_init(&l->timers);
    l->poller = l->ops->open();
    if (l->poller == NULL) {
        memory_put(l);
        return NULL;
    }
    loop_read_clock(l);
    return l;
}

static void loop_empty_graveyard(struct loop *l)
{
    for (struct list *link = list_pop_front(&l->graves); link != NULL;
         link = list_pop_front(&l->graves)) {
        struct grave *g = list_owner(link, struct grave, link);

        g->bury(g);
    }
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    loop_empty_graveyard(l);
    l->ops->close(l->poller);
    timers_reset(&l->timers);
    memory_put(l);
}

static int loop_wait_ms(const struct loop *l, uint64_t most_ms)
{
    uint64_t next = timers_next(&l->timers);
    uint64_t wait = most_ms;

    if (!list_is_empty(&l->tasks))
        return 0;
    if (next != TIMER_NEVER) {
        uint64_t until = next > l->now_ms ? next - l->now_ms : 0;

        wait = until < wait ? until : wait;
    }
    return wait > INT_MAX ? -1 : (int)wait;
}

static void loop_run_tasks(struct loop *l)
{
    for (unsigned i = 0; i < TASKS_PER_ITERATION; i++) {
        struct list *link = list_pop_front(&l->tasks);
        struct task *t;

        if (link == NULL)
            return;
        t = list_owner(link, struct task, link);
        t->run(t);
    }
}

void loop_turn(struct loop *l, uint64_t most_ms)
{
    l->ops->wait(l->poller, loop_wait_ms(l, most_ms), loop_read_clock, l);
    loop_run_tasks(l);
    timers_fire(&l->timers, l->now_ms);
    loop_empty_graveyard(l);
}

void loop_run(struct loop *l)
{
    l->is_stopping = false;
    while (!l->is_stopping)
        loop_turn(l, UINT64_MAX);
}

void loop_stop(struct loop *l)
{
    l->is_stopping = true;
}

uint64_t loop_now(const struct loop *l)
{
    return l->now_ms;
}

uint64_t loop_wall(const struct loop *l)
{
    return l->wall_ms;
}

void loop_timer_set(struct loop *l, struct timer *t, uint32_t in_ms)
{
    if (in_ms == UINT32_MAX)
        timer_stop(t);
    else
        timer_set(&l->timers, t, l->now_ms + in_ms);
}

void loop_timer_remove(struct loop *l, struct timer *t)
{
    timer_remove(&l->timers, t);
}

void watch_init(struct watch *w, int fd, bool is_level, void (*on_ready)(struct watch *w))
{
    *w = (struct watch){.fd = fd, .is_level = is_level, .on_ready = on_ready};
}

bool watch_register(struct loop *l, struct watch *w)
{
    assert(!w->is_registered);
    w->is_registered = l->ops->add(l->poller, w);
    return w->is_registered;
}

void watch_remove(struct loop *l, struct watch *w)
{
    if (!w->is_registered)
        return;
    l->ops->remove(l->poller, w);
    w->is_registered = false;
}

void task_init(struct task *t, void (*run)(struct task *t))
{
    list_init(&t->link);
    t->run = run;
}

void task_post(struct loop *l, struct task *t)
{
    if (list_is_empty(&t->link))
        list_push_back(&l->tasks, &t->link);
}

void task_cancel(struct task *t)
{
    list_unlink(&t->link);
}

void loop_bury(struct loop *l, struct grave *g)
{
    list_push_back(&l->graves, &g->link);
}

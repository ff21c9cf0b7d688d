/*
 * io_loop - the order of an iteration, and what callbacks may do to it. Every test runs under both
 * pollers.
 */
#include "io/loop.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_PAIRS 8

static char story[64]; /* what ran, a letter each */
static size_t n_story;

static void tell(char c)
{
    if (n_story + 1 < sizeof(story))
        story[n_story++] = c;
    story[n_story] = '\0';
}

static void forget_story(void)
{
    n_story = 0;
    story[0] = '\0';
}

static void expect_story(const char *wanted)
{
    if (strcmp(story, wanted) != 0)
        printf("\n    wanted `%s`, got `%s`\n", wanted, story);
    CU_ASSERT_STRING_EQUAL(story, wanted);
    forget_story();
}

static void under_both(void (*test)(struct loop *l))
{
    static const enum loop_poller pollers[] = {LOOP_EPOLL, LOOP_POLL};

    for (size_t i = 0; i < 2; i++) {
        struct loop *l = loop_new(pollers[i]);

        CU_ASSERT_PTR_NOT_NULL_FATAL(l);
        forget_story();
        test(l);
        loop_free(l);
    }
    loop_free(NULL);
}

/* --- tasks --- */

struct letter {
    struct task task;
    struct loop *loop;
    char name;
    struct task *posts; /* when it runs; NULL: none */
    struct task *cancels;
};

static void letter_runs(struct task *t)
{
    struct letter *a = list_owner(t, struct letter, task);

    tell(a->name);
    if (a->posts != NULL)
        task_post(a->loop, a->posts);
    if (a->cancels != NULL)
        task_cancel(a->cancels);
}

static void letter_init(struct letter *a, struct loop *l, char name)
{
    *a = (struct letter){.loop = l, .name = name};
    task_init(&a->task, letter_runs);
}

static void tasks_are_first_come_first_served(struct loop *l)
{
    struct letter a, b, c;

    letter_init(&a, l, 'a');
    letter_init(&b, l, 'b');
    letter_init(&c, l, 'c');
    a.posts = &a.task; /* behind those that wait */
    task_post(l, &c.task);
    task_post(l, &a.task);
    task_post(l, &c.task); /* keeps its place, runs once */
    task_post(l, &b.task);
    a.cancels = &b.task;
    task_cancel(&c.task);
    task_cancel(&c.task);
    task_post(l, &c.task);
    a.posts = NULL;
    loop_turn(l, 0);
    expect_story("ac");
    loop_turn(l, 0);
    expect_story("");
}

static void task_may_post_itself(struct loop *l)
{
    struct letter a, b;

    letter_init(&a, l, 'a');
    letter_init(&b, l, 'b');
    b.posts = &a.task;
    task_post(l, &b.task);
    loop_turn(l, 0);
    expect_story("ba");
    a.posts = &a.task;
    task_post(l, &a.task);
    loop_turn(l, 0); /* comes back although there is always one more */
    forget_story();
    task_cancel(&a.task);
    loop_turn(l, 0);
    expect_story("");
}

static void tasks(void)
{
    under_both(tasks_are_first_come_first_served);
    under_both(task_may_post_itself);
}

/* --- the order of an iteration --- */

struct scene {
    struct loop *loop;
    struct watch watch;
    struct letter task;
    struct timer timer;
    struct grave grave;
    int fds[2];
};

static void scene_ready(struct watch *w)
{
    struct scene *s = list_owner(w, struct scene, watch);
    char byte[8];

    tell('w');
    w->ready = 0;
    CU_ASSERT(read(w->fd, byte, sizeof(byte)) > 0);
    task_post(s->loop, &s->task.task);
    loop_timer_set(s->loop, &s->timer, 0);
    loop_bury(s->loop, &s->grave);
}

static void scene_fires(struct timer *t)
{
    (void)t;
    tell('f');
}

static void scene_buried(struct grave *g)
{
    (void)g;
    tell('g');
}

static void order_of_an_iteration(struct loop *l)
{
    struct scene s = {.loop = l};

    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s.fds), 0);
    letter_init(&s.task, l, 't');
    timer_init(&s.timer, scene_fires);
    s.grave.bury = scene_buried;
    watch_init(&s.watch, s.fds[0], true, scene_ready);
    s.watch.want = EVENT_IN;
    CU_ASSERT(watch_register(l, &s.watch));
    CU_ASSERT_EQUAL(write(s.fds[1], "x", 1), 1);
    loop_turn(l, 1000);
    expect_story("wtfg");
    loop_timer_remove(l, &s.timer);
    watch_remove(l, &s.watch);
    watch_remove(l, &s.watch);
    close(s.fds[0]);
    close(s.fds[1]);
}

static void graves_are_emptied_last(void)
{
    under_both(order_of_an_iteration);
}

/* --- timers --- */

static void never_stops_a_timer(struct loop *l)
{
    struct scene s = {.loop = l};

    timer_init(&s.timer, scene_fires);
    loop_timer_set(l, &s.timer, 0);
    loop_timer_set(l, &s.timer, UINT32_MAX);
    loop_turn(l, 0);
    expect_story("");
    CU_ASSERT(!timer_is_set(&s.timer));
    loop_timer_set(l, &s.timer, 1);
    for (unsigned i = 0; i < 1000 && n_story == 0; i++)
        loop_turn(l, UINT64_MAX); /* wakes by itself */
    expect_story("f");
    loop_timer_remove(l, &s.timer);
}

static void timers(void)
{
    under_both(never_stops_a_timer);
}

/* --- watches that remove watches --- */

static struct crowd {
    struct loop *loop;
    struct watch watches[N_PAIRS];
    int fds[N_PAIRS][2];
    bool is_removed[N_PAIRS];
    int kill_offset; /* each that is called removes the one this far from it */
    bool adds;       /* and registers itself anew */
    unsigned n_called;
    bool met_removed;
} crowd;

static void crowd_ready(struct watch *w)
{
    int i = (int)(w - crowd.watches);
    int victim = (i + crowd.kill_offset + N_PAIRS) % N_PAIRS;

    crowd.n_called++;
    crowd.met_removed |= crowd.is_removed[i];
    w->ready = 0;
    watch_remove(crowd.loop, &crowd.watches[victim]);
    crowd.is_removed[victim] = true;
    if (!crowd.adds)
        return;
    watch_remove(crowd.loop, w);
    crowd.is_removed[i] = !watch_register(crowd.loop, w);
}

static void crowd_begin(struct loop *l, int kill_offset, bool is_level)
{
    crowd = (struct crowd){.loop = l, .kill_offset = kill_offset};
    for (size_t i = 0; i < N_PAIRS; i++) {
        int *fds = crowd.fds[i];

        CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        watch_init(&crowd.watches[i], fds[0], is_level, crowd_ready);
        crowd.watches[i].want = EVENT_IN;
        CU_ASSERT(watch_register(l, &crowd.watches[i]));
        CU_ASSERT_EQUAL(write(fds[1], "x", 1), 1);
    }
}

static void crowd_end(void)
{
    for (size_t i = 0; i < N_PAIRS; i++) {
        watch_remove(crowd.loop, &crowd.watches[i]);
        close(crowd.fds[i][0]);
        close(crowd.fds[i][1]);
    }
}

static void removed_watch_is_not_called(struct loop *l)
{
    for (int offset = 0; offset < N_PAIRS; offset++) {
        crowd_begin(l, offset, true);
        loop_turn(l, 1000);
        CU_ASSERT(!crowd.met_removed);
        CU_ASSERT(crowd.n_called >= N_PAIRS / 2);
        CU_ASSERT(offset == 0 || crowd.n_called < N_PAIRS);
        crowd_end();
    }
}

static void watch_that_comes_back_is_called_once(struct loop *l)
{
    for (int offset = 1; offset < N_PAIRS; offset++) {
        crowd_begin(l, offset, false);
        crowd.adds = true;
        loop_turn(l, 1000);
        CU_ASSERT(!crowd.met_removed);
        CU_ASSERT(crowd.n_called < N_PAIRS);
        crowd_end();
    }
}

static void watches_may_remove_each_other(void)
{
    under_both(removed_watch_is_not_called);
    under_both(watch_that_comes_back_is_called_once);
}

/* --- what is reported --- */

static unsigned n_calls;

static void count_ready(struct watch *w)
{
    (void)w;
    n_calls++;
}

/* Registering reports what is ready already; what is ready and known is not reported again. */
static void edges_are_reported_once(struct loop *l)
{
    struct watch w;
    int fds[2];

    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    CU_ASSERT_EQUAL(write(fds[1], "x", 1), 1);
    watch_init(&w, fds[0], false, count_ready);
    w.want = EVENT_IN | EVENT_OUT;
    CU_ASSERT(watch_register(l, &w));
    n_calls = 0;
    loop_turn(l, 1000);
    CU_ASSERT_EQUAL(n_calls, 1);
    CU_ASSERT_EQUAL(w.ready, EVENT_IN | EVENT_OUT);
    for (unsigned i = 0; i < 10; i++)
        loop_turn(l, 0);
    CU_ASSERT_EQUAL(n_calls, 1);
    w.ready &= (unsigned char)~EVENT_IN;
    CU_ASSERT_EQUAL(write(fds[1], "y", 1), 1);
    loop_turn(l, 1000);
    CU_ASSERT(w.ready & EVENT_IN);
    watch_remove(l, &w);
    close(fds[0]);
    close(fds[1]);
}

/* First its side, then both: each is noted although nothing is wanted, and neither spins the loop. */
static void ends_are_noticed_without_wanting(struct loop *l)
{
    struct watch w;
    int fds[2];

    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    watch_init(&w, fds[0], false, count_ready);
    CU_ASSERT(watch_register(l, &w));
    loop_turn(l, 0);
    n_calls = 0;
    shutdown(fds[1], SHUT_WR);
    loop_turn(l, 100);
    CU_ASSERT_EQUAL(w.ready & (EVENT_HUP | EVENT_ERR), EVENT_HUP);
    CU_ASSERT_EQUAL(n_calls, 1);
    for (unsigned i = 0; i < 10; i++)
        loop_turn(l, 0);
    CU_ASSERT_EQUAL(n_calls, 1);
    close(fds[1]);
    loop_turn(l, 100);
    CU_ASSERT_EQUAL(w.ready & (EVENT_HUP | EVENT_ERR), EVENT_HUP | EVENT_ERR);
    n_calls = 0;
    for (unsigned i = 0; i < 10; i++)
        loop_turn(l, 0);
    CU_ASSERT_EQUAL(n_calls, 0);
    watch_remove(l, &w);
    close(fds[0]);
}

/* A level watch is called for as long as it is ready. */
static void level_is_reported_each_time(struct loop *l)
{
    struct watch w;
    int fds[2];

    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    watch_init(&w, fds[0], true, count_ready);
    w.want = EVENT_IN;
    CU_ASSERT(watch_register(l, &w));
    CU_ASSERT_EQUAL(write(fds[1], "x", 1), 1);
    n_calls = 0;
    for (unsigned i = 0; i < 3; i++)
        loop_turn(l, 1000);
    CU_ASSERT_EQUAL(n_calls, 3);
    watch_remove(l, &w);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(n_calls, 3);
    CU_ASSERT(watch_register(l, &w));
    loop_turn(l, 1000);
    CU_ASSERT_EQUAL(n_calls, 4);
    watch_remove(l, &w);
    close(fds[0]);
    close(fds[1]);
}

static void what_is_reported(void)
{
    under_both(edges_are_reported_once);
    under_both(level_is_reported_each_time);
}

static void ends_are_noticed(void)
{
    under_both(ends_are_noticed_without_wanting);
}

/* Many more than the first room of any table. */
static void many_watches_under(struct loop *l)
{
    static struct watch watches[300];
    static int fds[300][2];

    n_calls = 0;
    for (size_t i = 0; i < 300; i++) {
        CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds[i]), 0);
        watch_init(&watches[i], fds[i][0], false, count_ready);
        watches[i].want = EVENT_IN;
        CU_ASSERT(watch_register(l, &watches[i]));
        CU_ASSERT_EQUAL(write(fds[i][1], "x", 1), 1);
    }
    for (unsigned i = 0; i < 4; i++)
        loop_turn(l, 0);
    for (size_t i = 0; i < 300; i++) {
        CU_ASSERT(watches[i].ready & EVENT_IN);
        watch_remove(l, &watches[(i * 7) % 300]);
    }
    for (size_t i = 0; i < 300; i++) {
        watch_remove(l, &watches[i]);
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

static void many_watches(void)
{
    under_both(many_watches_under);
}

static void failure_to_register_is_told(struct loop *l)
{
    struct watch w;

    watch_init(&w, 1 << 20, false, count_ready); /* no such descriptor */
    if (watch_register(l, &w)) {                 /* poll(2) finds out when it waits */
        n_calls = 0;
        loop_turn(l, 0);
        CU_ASSERT_EQUAL(n_calls, 1);
        CU_ASSERT(w.ready & EVENT_ERR);
    }
    watch_remove(l, &w);
}

static void bad_descriptors(void)
{
    under_both(failure_to_register_is_told);
}

static void stop_now(struct timer *t)
{
    struct scene *s = list_owner(t, struct scene, timer);

    loop_stop(s->loop);
}

static void run_until_stopped(struct loop *l)
{
    struct scene s = {.loop = l};

    timer_init(&s.timer, stop_now);
    loop_timer_set(l, &s.timer, 0);
    loop_run(l);
    CU_ASSERT(loop_now(l) > 0 && loop_wall(l) > 1700000000000);
    loop_timer_remove(l, &s.timer);
}

static void running(void)
{
    under_both(run_until_stopped);
}

UNIT_SUITE(io_loop)
{
    UNIT_TEST(tasks);
    UNIT_TEST(graves_are_emptied_last);
    UNIT_TEST(timers);
    UNIT_TEST(watches_may_remove_each_other);
    UNIT_TEST(what_is_reported);
    UNIT_TEST(ends_are_noticed);
    UNIT_TEST(many_watches);
    UNIT_TEST(bad_descriptors);
    UNIT_TEST(running);
}

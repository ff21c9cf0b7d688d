/*
 * io_job - the loop goes on while a job runs, and hears of its end once.
 */
#include "io/job.h"

#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

struct sum {
    struct job job;
    int gate[2]; /* the job waits for a byte */
    bool has_run;
    unsigned n_done;
    bool was_above; /* its priority was not below the loop's */
};

static void run(struct job *j)
{
    struct sum *s = list_owner(j, struct sum, job);
    char byte;

    s->was_above = getpriority(PRIO_PROCESS, 0) <= 0;
    s->has_run = read(s->gate[0], &byte, 1) == 1;
}

static void done(struct job *j)
{
    list_owner(j, struct sum, job)->n_done++;
}

static void begin(struct sum *s)
{
    *s = (struct sum){.has_run = false};
    CU_ASSERT_EQUAL_FATAL(pipe(s->gate), 0);
}

static void end(struct sum *s, struct loop *l)
{
    close(s->gate[0]);
    close(s->gate[1]);
    loop_free(l);
}

static void the_loop_goes_on(enum loop_poller poller)
{
    struct loop *l = loop_new(poller);
    struct sum s;

    begin(&s);
    CU_ASSERT_TRUE_FATAL(job_start(&s.job, l, run, done));
    for (unsigned i = 0; i < 3; i++)
        loop_turn(l, 1);
    CU_ASSERT_TRUE(s.job.is_running);
    CU_ASSERT_EQUAL(s.n_done, 0);
    CU_ASSERT_EQUAL(write(s.gate[1], "", 1), 1);
    while (s.n_done == 0)
        loop_turn(l, 1000);
    CU_ASSERT_TRUE(s.has_run);
    CU_ASSERT_FALSE(s.job.is_running);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(s.n_done, 1);
    CU_ASSERT_FALSE(s.was_above);
    CU_ASSERT_EQUAL(getpriority(PRIO_PROCESS, 0), 0); /* ours is as it was */
    end(&s, l);
}

static void its_end_is_heard(void)
{
    the_loop_goes_on(LOOP_EPOLL);
    the_loop_goes_on(LOOP_POLL);
}

static void one_that_is_left_is_not_heard(void)
{
    static struct sum s; /* as long as the thread */
    struct loop *l = loop_new(LOOP_EPOLL);
    struct pollfd at_end;

    begin(&s);
    CU_ASSERT_TRUE_FATAL(job_start(&s.job, l, run, done));
    at_end = (struct pollfd){.fd = s.job.end.fd, .events = POLLIN};
    job_leave(&s.job);
    CU_ASSERT_EQUAL(write(s.gate[1], "", 1), 1);
    CU_ASSERT_EQUAL(poll(&at_end, 1, 10000), 1);
    loop_turn(l, 0);
    CU_ASSERT_TRUE(s.has_run);
    CU_ASSERT_EQUAL(s.n_done, 0);
    end(&s, l);
}

static void without_a_descriptor_there_is_none(void)
{
    struct loop *l = loop_new(LOOP_EPOLL);
    struct rlimit before;
    struct rlimit few;
    struct sum s;

    begin(&s);
    getrlimit(RLIMIT_NOFILE, &before);
    few = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    CU_ASSERT_FALSE(job_start(&s.job, l, run, done));
    CU_ASSERT_EQUAL(errno, EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    CU_ASSERT_FALSE(s.job.is_running);
    job_leave(&s.job);
    end(&s, l);
}

UNIT_SUITE(io_job)
{
    UNIT_TEST(its_end_is_heard);
    UNIT_TEST(one_that_is_left_is_not_heard);
    UNIT_TEST(without_a_descriptor_there_is_none);
}

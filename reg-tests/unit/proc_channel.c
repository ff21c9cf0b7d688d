/*
 * proc_channel - messages with texts and descriptors, and a side that does not listen.
 */
#include "proc/channel.h"

#include "unit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static char room[CHANNEL_TEXT_MAX];

static void a_message_arrives_with_its_descriptors(void)
{
    struct message out = {.kind = MESSAGE_DESCRIPTORS, .number = 42, .text = STR("hello")};
    struct message in;
    int ends[2];

    CU_ASSERT_FATAL(channel_open(ends));
    while (out.n_fds < CHANNEL_FDS_MAX)
        out.fds[out.n_fds++] = STDERR_FILENO;
    CU_ASSERT(channel_send(ends[0], &out));
    CU_ASSERT_EQUAL(channel_receive(ends[1], &in, room), CHANNEL_MESSAGE);
    CU_ASSERT_EQUAL(in.kind, MESSAGE_DESCRIPTORS);
    CU_ASSERT_EQUAL(in.number, 42);
    CU_ASSERT(str_eq(in.text, STR("hello")));
    CU_ASSERT_EQUAL(in.n_fds, CHANNEL_FDS_MAX);
    CU_ASSERT(fcntl(in.fds[0], F_GETFD) & FD_CLOEXEC);
    message_close_fds(&in);
    CU_ASSERT_EQUAL(channel_receive(ends[1], &in, room), CHANNEL_AGAIN);
    close(ends[0]);
    CU_ASSERT_EQUAL(channel_receive(ends[1], &in, room), CHANNEL_ENDED);
    close(ends[1]);
}

static void messages_keep_their_bounds(void)
{
    static char text[CHANNEL_TEXT_MAX];
    struct message out = {
        .kind = MESSAGE_REFUSED, .text = {text, sizeof(text)}
    };
    struct message in;
    int ends[2];

    CU_ASSERT_FATAL(channel_open(ends));
    CU_ASSERT(channel_send(ends[0], &out));
    out.text.n = 0;
    out.kind = MESSAGE_READY;
    CU_ASSERT(channel_send(ends[0], &out));
    CU_ASSERT_EQUAL(channel_receive(ends[1], &in, room), CHANNEL_MESSAGE);
    CU_ASSERT_EQUAL(in.text.n, sizeof(text));
    CU_ASSERT_EQUAL(channel_receive(ends[1], &in, room), CHANNEL_MESSAGE);
    CU_ASSERT_EQUAL(in.kind, MESSAGE_READY);
    close(ends[0]);
    close(ends[1]);
}

/* It is not waited for: some hundred messages fit, and then one fails. */
static void who_does_not_listen_is_noticed(void)
{
    struct message out = {.kind = MESSAGE_COMMIT};
    int ends[2];
    unsigned n = 0;

    CU_ASSERT_FATAL(channel_open(ends));
    while (n < 1000000 && channel_send(ends[0], &out))
        n++;
    CU_ASSERT(n >= 100 && n < 1000000);
    close(ends[0]);
    close(ends[1]);
}

static void what_is_no_message_is_refused(void)
{
    struct message in;
    int ends[2];

    CU_ASSERT_FATAL(channel_open(ends));
    CU_ASSERT_EQUAL(write(ends[0], "x", 1), 1);
    CU_ASSERT_EQUAL(channel_receive(ends[1], &in, room), CHANNEL_BROKEN);
    close(ends[0]);
    close(ends[1]);
}

/* Who has no room for descriptors hears all the rest. */
static void a_message_may_lose_its_descriptors(void)
{
    struct message out = {.kind = MESSAGE_LOG, .number = 7, .text = STR("/a/log"), .n_fds = 2};
    struct message in;
    struct rlimit before;
    struct rlimit few;
    int ends[2];

    CU_ASSERT_FATAL(channel_open(ends));
    out.fds[0] = STDERR_FILENO;
    out.fds[1] = STDERR_FILENO;
    CU_ASSERT(channel_send(ends[0], &out));
    getrlimit(RLIMIT_NOFILE, &before);
    few = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    CU_ASSERT_EQUAL(channel_receive(ends[1], &in, room), CHANNEL_CUT);
    setrlimit(RLIMIT_NOFILE, &before);
    CU_ASSERT_EQUAL(in.kind, MESSAGE_LOG);
    CU_ASSERT_EQUAL(in.number, 7);
    CU_ASSERT(str_eq(in.text, STR("/a/log")));
    CU_ASSERT_EQUAL(in.n_fds, 0);
    close(ends[0]);
    close(ends[1]);
}

UNIT_SUITE(proc_channel)
{
    UNIT_TEST(a_message_arrives_with_its_descriptors);
    UNIT_TEST(messages_keep_their_bounds);
    UNIT_TEST(who_does_not_listen_is_noticed);
    UNIT_TEST(a_message_may_lose_its_descriptors);
    UNIT_TEST(what_is_no_message_is_refused);
}

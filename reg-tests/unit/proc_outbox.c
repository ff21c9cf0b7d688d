/*
 * proc_outbox - what does not leave at once leaves later, whole and in its order.
 */
#include "proc/outbox.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_LOGS 100

static char room[CHANNEL_TEXT_MAX];

static unsigned count_fds(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* A channel that takes a few messages and then says EAGAIN. */
static void open_narrow(int ends[2])
{
    int bytes = 1;

    CU_ASSERT_FATAL(channel_open(ends));
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)); /* the kernel's least */
}

static bool put_number(struct outbox *o, uint64_t number)
{
    struct message m = {.kind = MESSAGE_ABORT, .number = number};

    return outbox_put(o, &m);
}

static void what_waits_keeps_its_order(void)
{
    struct outbox o;
    struct message m;
    uint64_t expected = 0;
    bool is_sent = false;
    bool has_waited = false;
    int ends[2];

    open_narrow(ends);
    outbox_init(&o);
    for (uint64_t i = 0; i < OUTBOX_MAX; i++)
        CU_ASSERT(put_number(&o, i));
    CU_ASSERT_FALSE(put_number(&o, OUTBOX_MAX));
    CU_ASSERT_EQUAL(errno, ENOBUFS);
    while (!is_sent) {
        is_sent = outbox_send(&o, ends[0]);
        if (!is_sent) {
            CU_ASSERT_FATAL(outbox_may_retry(errno));
            has_waited = true;
        }
        while (channel_receive(ends[1], &m, room) == CHANNEL_MESSAGE)
            CU_ASSERT_EQUAL(m.number, expected++);
    }
    CU_ASSERT(has_waited);
    CU_ASSERT_EQUAL(expected, OUTBOX_MAX);
    CU_ASSERT(outbox_is_empty(&o));
    close(ends[0]);
    close(ends[1]);
}

/* The caller may close and overwrite its own as soon as they are put. */
static void a_message_is_copied(void)
{
    char text[] = "/var/log/holdfast.log";
    unsigned before = count_fds();
    struct outbox o;
    struct message m = {
        .kind = MESSAGE_LOG, .text = {text, sizeof(text) - 1},
             .n_fds = 1
    };
    struct message got;
    char bytes[8];
    int ends[2];

    outbox_init(&o);
    CU_ASSERT_FATAL(channel_open(ends));
    m.fds[0] = memfd_create("log", 0);
    CU_ASSERT_EQUAL(write(m.fds[0], "a line", 6), 6);
    CU_ASSERT(outbox_put(&o, &m));
    message_close_fds(&m);
    memset(text, 'x', sizeof(text));
    CU_ASSERT(outbox_send(&o, ends[0]));
    CU_ASSERT_EQUAL_FATAL(channel_receive(ends[1], &got, room), CHANNEL_MESSAGE);
    CU_ASSERT(str_eq(got.text, STR("/var/log/holdfast.log")));
    CU_ASSERT_EQUAL_FATAL(got.n_fds, 1);
    CU_ASSERT_EQUAL(pread(got.fds[0], bytes, sizeof(bytes), 0), 6);
    message_close_fds(&got);
    close(ends[0]);
    close(ends[1]);
    CU_ASSERT_EQUAL(count_fds(), before);
}

static void nothing_is_left_of_what_is_forgotten(void)
{
    unsigned before = count_fds();
    struct outbox o;
    struct parcel p = {.number = 1, .text_fd = STDERR_FILENO};
    struct parcel other = {.number = 2, .text_fd = STDERR_FILENO};
    struct message m = {.kind = MESSAGE_LOG, .fds = {STDERR_FILENO}, .n_fds = 1};
    int ends[2];

    outbox_init(&o);
    CU_ASSERT_FATAL(channel_open(ends));
    CU_ASSERT(outbox_put(&o, &m));
    CU_ASSERT(outbox_put_parcel(&o, &p));
    CU_ASSERT(outbox_put_parcel(&o, &other));
    outbox_forget_parcel(&o, &p);
    CU_ASSERT_EQUAL(o.n, 2);
    CU_ASSERT(outbox_send(&o, ends[0]));
    CU_ASSERT_EQUAL(channel_receive(ends[1], &m, room), CHANNEL_MESSAGE);
    CU_ASSERT_EQUAL(m.kind, MESSAGE_LOG);
    message_close_fds(&m);
    CU_ASSERT_EQUAL(channel_receive(ends[1], &m, room), CHANNEL_MESSAGE);
    CU_ASSERT_EQUAL(m.kind, MESSAGE_PREPARE);
    CU_ASSERT_EQUAL(m.number, 2);
    message_close_fds(&m);
    CU_ASSERT_EQUAL(channel_receive(ends[1], &m, room), CHANNEL_AGAIN);
    CU_ASSERT(outbox_put(&o, &m));
    outbox_reset(&o);
    CU_ASSERT(outbox_is_empty(&o));
    close(ends[0]);
    close(ends[1]);
    CU_ASSERT_EQUAL(count_fds(), before);
}

/* Descriptors of many messages, into a channel that takes a few at a time. */
static void a_parcel_goes_on_where_it_was(void)
{
    static struct resource logs[N_LOGS * 4];
    struct resource *all[N_LOGS * 4];
    struct parcel p = {.number = 7, .text_fd = STDERR_FILENO, .resources = all};
    struct outbox o;
    struct message m;
    size_t n = 0;
    bool is_sent = false;
    unsigned n_begun = 0;
    int ends[2];

    for (; p.n_resources < N_LOGS * 4; p.n_resources++) {
        logs[p.n_resources] = (struct resource){
            .fds = {STDERR_FILENO, STDIN_FILENO},
              .n_fds = 2
        };
        all[p.n_resources] = &logs[p.n_resources];
    }
    open_narrow(ends);
    outbox_init(&o);
    for (uint64_t i = 0; i < OUTBOX_MAX - 1; i++)
        CU_ASSERT(put_number(&o, i)); /* before it, so that it meets a full channel */
    CU_ASSERT(outbox_put_parcel(&o, &p));
    while (!is_sent) {
        is_sent = outbox_send(&o, ends[0]);
        CU_ASSERT_FATAL(is_sent || outbox_may_retry(errno));
        while (channel_receive(ends[1], &m, room) == CHANNEL_MESSAGE) {
            n_begun += m.kind == MESSAGE_PREPARE;
            n += m.kind == MESSAGE_DESCRIPTORS ? m.n_fds : 0;
            CU_ASSERT(m.kind == MESSAGE_ABORT || m.number == 7);
            message_close_fds(&m);
        }
    }
    CU_ASSERT_EQUAL(n_begun, 1);
    CU_ASSERT_EQUAL(n, 2 * p.n_resources);
    close(ends[0]);
    close(ends[1]);
}

static void who_has_gone_is_not_waited_for(void)
{
    struct outbox o;
    int ends[2];

    outbox_init(&o);
    CU_ASSERT_FATAL(channel_open(ends));
    close(ends[1]);
    CU_ASSERT(put_number(&o, 1));
    CU_ASSERT_FALSE(outbox_send(&o, ends[0]));
    CU_ASSERT_FALSE(outbox_may_retry(errno));
    outbox_reset(&o);
    close(ends[0]);
}

UNIT_SUITE(proc_outbox)
{
    UNIT_TEST(what_waits_keeps_its_order);
    UNIT_TEST(a_message_is_copied);
    UNIT_TEST(nothing_is_left_of_what_is_forgotten);
    UNIT_TEST(a_parcel_goes_on_where_it_was);
    UNIT_TEST(who_has_gone_is_not_waited_for);
}

/*
 * child - a worker as its master sees it.
 */
#include "proc/child.h"

#include "base/log.h"
#include "base/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is read of a report: an assertion with 64 frames is a third of it. */
#define PANIC_TEXT_MAX 16384
#define LINE_MAX_BYTES 1024
/* Messages taken at one wake: a worker that has gone mad must not keep the master from the others.
 */
#define MESSAGES_PER_WAKE 64
/* What could not be told is tried again: the others, or the kernel, are done with theirs by then.
 */
#define TELL_AGAIN_MS 10
/* A worker that SIGKILL has ended before it was so old may be no victim from outside. */
#define YOUNG_MS 100

static void tell_again_fired(struct timer *t);

bool children_init(struct children *all, struct loop *loop, unsigned n)
{
    *all = (struct children){.loop = loop, .n = n};
    all->rows = rows_new(n);
    all->all = memory_get(n * sizeof(struct child));
    if (all->rows == NULL || all->all == NULL)
        return false;
    timer_init(&all->tell_again, tell_again_fired);
    for (unsigned i = 0; i < n; i++) {
        all->all[i] =
            (struct child){.children = all, .index = i, .channel = {.fd = -1}, .panic_fd = -1};
        outbox_init(&all->all[i].outbox);
    }
    return true;
}

static void child_close(struct child *c)
{
    if (c->channel.fd >= 0) {
        watch_remove(c->children->loop, &c->channel);
        close(c->channel.fd);
    }
    if (c->panic_fd >= 0)
        close(c->panic_fd);
    outbox_reset(&c->outbox);
    c->channel.fd = -1;
    c->panic_fd = -1;
}

void children_reset(struct children *all)
{
    for (unsigned i = 0; all->all != NULL && i < all->n; i++)
        child_close(&all->all[i]);
    loop_timer_remove(all->loop, &all->tell_again);
    memory_put(all->all);
    rows_free(all->rows);
    all->all = NULL;
    all->rows = NULL;
}

/* --- being told --- */

static void child_on_ready(struct watch *w)
{
    struct child *c = list_owner(w, struct child, channel);
    char room[CHANNEL_TEXT_MAX];
    struct message m;

    w->ready = 0;
    for (unsigned i = 0; i < MESSAGES_PER_WAKE; i++) {
        switch (channel_receive(w->fd, &m, room)) {
        case CHANNEL_MESSAGE:
            message_close_fds(&m); /* a worker has nothing to give us */
            c->children->on_message(c, &m);
            if (c->channel.fd < 0)
                return;
            break;
        case CHANNEL_AGAIN: return;
        case CHANNEL_ENDED:
        case CHANNEL_CUT:
        case CHANNEL_BROKEN: /* it ends, or is not itself any more: SIGCHLD says when it is over */
            watch_remove(c->children->loop, &c->channel);
            return;
        }
    }
}

/* --- forking --- */

static _Noreturn void be_worker(struct child *c, int channel)
{
    struct worker_process_setup setup = {
        .global = c->children->global,
        .rows = c->children->rows,
        .index = c->index,
        .channel = channel,
        .panic_fd = c->panic_fd,
        .is_debug = c->children->is_debug,
    };

    exit(worker_process_run(&setup));
}

static bool open_ends(struct child *c, int ends[2])
{
    c->panic_fd = memfd_create("holdfast-panic", MFD_CLOEXEC);
    if (c->panic_fd < 0)
        return false;
    if (channel_open(ends))
        return true;
    close(c->panic_fd);
    c->panic_fd = -1;
    return false;
}

bool child_fork(struct child *c)
{
    int ends[2];
    int saved;

    if (!open_ends(c, ends))
        return false;
    c->pid = fork();
    if (c->pid == 0)
        be_worker(c, ends[1]);
    saved = errno;
    close(ends[1]);
    watch_init(&c->channel, ends[0], true, child_on_ready);
    c->channel.want = EVENT_IN;
    c->started_ms = loop_now(c->children->loop);
    c->ready = 0;
    c->refused = UINT64_MAX;
    c->in_force = 0;
    if (c->pid > 0 && watch_register(c->children->loop, &c->channel))
        return true;
    if (c->pid > 0) { /* it cannot be heard: no worker of ours */
        saved = errno;
        kill(c->pid, SIGKILL);
        waitpid(c->pid, NULL, 0);
    }
    c->pid = 0;
    child_close(c);
    errno = saved;
    return false;
}

/* --- telling --- */

/* One whose channel has ended is about to be reaped. */
static bool child_hears(const struct child *c)
{
    return c->pid > 0 && c->channel.is_registered;
}

static void child_cannot_be_told(struct child *c)
{
    outbox_reset(&c->outbox);
    if (errno == EPIPE || errno == ECONNRESET)
        return; /* it has gone: SIGCHLD will say so */
    log_message(LOG_ERROR, "worker %u (process %d) does not take what it is told: %s; it is killed",
                c->index, c->pid, strerror(errno));
    kill(c->pid, SIGKILL);
}

static void child_tell(struct child *c)
{
    if (outbox_send(&c->outbox, c->channel.fd))
        return;
    c->send_error = errno;
    if (outbox_may_retry(errno))
        loop_timer_set(c->children->loop, &c->children->tell_again, TELL_AGAIN_MS);
    else
        child_cannot_be_told(c);
}

static void tell_again_fired(struct timer *t)
{
    struct children *all = list_owner(t, struct children, tell_again);

    for (unsigned i = 0; i < all->n; i++)
        if (child_hears(&all->all[i]))
            child_tell(&all->all[i]);
}

void child_send(struct child *c, const struct message *m)
{
    if (!child_hears(c))
        return;
    if (outbox_put(&c->outbox, m))
        child_tell(c);
    else
        child_cannot_be_told(c);
}

void child_send_parcel(struct child *c, const struct parcel *p)
{
    c->refused = UINT64_MAX; /* it is asked anew */
    if (!child_hears(c))
        return;
    if (outbox_put_parcel(&c->outbox, p))
        child_tell(c);
    else
        child_cannot_be_told(c);
}

bool child_is_deaf(const struct child *c)
{
    return !outbox_is_empty(&c->outbox) && c->send_error != EAGAIN; /* EAGAIN: it does not read */
}

void children_forget_parcel(struct children *all, const struct parcel *p)
{
    for (unsigned i = 0; i < all->n; i++)
        outbox_forget_parcel(&all->all[i].outbox, p);
}

void children_send(struct children *all, const struct message *m)
{
    for (unsigned i = 0; i < all->n; i++)
        child_send(&all->all[i], m);
}

void children_kill(struct children *all, int number)
{
    for (unsigned i = 0; i < all->n; i++)
        if (all->all[i].pid > 0)
            kill(all->all[i].pid, number);
}

unsigned children_alive(const struct children *all)
{
    unsigned n = 0;

    for (unsigned i = 0; i < all->n; i++)
        n += all->all[i].pid > 0;
    return n;
}

/* --- deaths --- */

static void log_panic(const struct child *c)
{
    char text[PANIC_TEXT_MAX];
    ssize_t got = pread(c->panic_fd, text, sizeof(text), 0);
    struct str rest = {text, got > 0 ? (size_t)got : 0};

    while (rest.n > 0) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);
        char line[LINE_MAX_BYTES];
        size_t length = log_escape_text(line, sizeof(line), str_slice(rest, 0, n));

        log_message(LOG_ERROR, "worker %u: %.*s", c->index, (int)length, line);
        rest = str_slice(rest, n < rest.n ? n + 1 : n, rest.n);
    }
}

static void log_death(const struct child *c, int status)
{
    if (WIFSIGNALED(status))
        log_message(LOG_ERROR, "worker %u (process %d) died of signal %d (%s)", c->index, c->pid,
                    WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0 || !c->children->is_ending)
        log_message(LOG_ERROR, "worker %u (process %d) ended with status %d", c->index, c->pid,
                    WEXITSTATUS(status));
    log_panic(c);
}

bool child_is_at_fault(const struct child *c, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return !c->children->is_ending; /* else it was told to */
    return !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL ||
           loop_now(c->children->loop) - c->started_ms < YOUNG_MS;
}

static void count_death(struct children *all)
{
    unsigned at = all->n_deaths++ % DEATHS_MAX;
    uint64_t now = loop_now(all->loop);
    uint64_t before = all->deaths_ms[(at + 1) % DEATHS_MAX]; /* the first of the last five */

    all->deaths_ms[at] = now;
    if (all->n_deaths < DEATHS_MAX || now - before > DEATHS_MS || all->is_given_up)
        return;
    all->is_given_up = true;
    log_message(LOG_ERROR,
                "%u workers died in %u s: no more are replaced until the next reload; %u are left",
                DEATHS_MAX, DEATHS_MS / 1000, children_alive(all));
}

void children_reap(struct children *all)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child *c = NULL;

        for (unsigned i = 0; i < all->n; i++)
            if (all->all[i].pid == pid)
                c = &all->all[i];
        if (c == NULL) {
            all->on_stranger(all, pid, status);
            continue;
        }
        log_death(c, status);
        c->pid = 0;
        if (child_is_at_fault(c, status))
            count_death(all);
        row_clear(&all->rows->row[c->index]);
        child_close(c);
        all->on_death(c, status);
    }
}

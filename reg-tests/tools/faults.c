/*
 * faults - what makes $(BUILD)/holdfast-faults: the whole of holdfast, with workers that fail where
 * a test wants them to.
 *
 * The linker puts us before the functions below (--wrap), so that the program itself has no word
 * about faults. HOLDFAST_FAULTS names a directory. A file WHAT in it is one fault: the first worker
 * that comes to it removes the file and fails. A file WHAT.N is for the worker with row N, each
 * time it comes there, as long as the file is there.
 *
 *     refuse            does not prepare a bundle, and says why
 *     refuse-twice      likewise, and says it twice
 *     refuse-done       refuses a bundle after it has said that it is in force
 *     die-compiling     aborts where it compiles a bundle, in a thread beside the one that serves
 *     die-preparing     aborts once it has prepared a bundle, before it says so
 *     die-committing    aborts when it is told to commit
 *     stop-committing   stops (SIGSTOP) when it is told to commit
 *     bad-move          a request enters a state that it may not enter: an assertion fails
 *     hold-compiling.N  adds a line to the file, and compiles no further while it is there
 *     leave             ends with status 0 when a request enters a state
 *
 * The first bundle that a worker prepares is spared: a successor has to come to serve.
 *
 * The master looks at one file, and leaves it: `impatient`: it waits 2 seconds for an answer of its
 * workers where it would wait 30.
 */
#include "base/log.h"
#include "io/loop.h"
#include "proc/bundle.h"
#include "proc/channel.h"
#include "proc/worker_process.h"
#include "proxy/txn.h"
#include "proxy/worker.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_MS   30000 /* ANSWER_MS of proc/master.c */
#define IMPATIENCE_MS 2000

static int row = -1; /* a worker's; -1: this is the master */
static bool serves;  /* the first bundle is in force */
static bool says_it_twice;

static void path_of(char path[PATH_MAX], const char *what)
{
    const char *directory = getenv("HOLDFAST_FAULTS");

    snprintf(path, PATH_MAX, "%s/%s", directory == NULL ? "/nowhere" : directory, what);
}

/* Is this the fault that this worker is to have here? */
static bool is_met(const char *what)
{
    char path[PATH_MAX];
    char mine[64];

    path_of(path, what);
    if (row >= 0 && unlink(path) == 0)
        return true;
    snprintf(mine, sizeof(mine), "%s.%d", what, row);
    path_of(path, mine);
    return row >= 0 && access(path, F_OK) == 0;
}

/* --- what the linker puts in front of the functions of these names --- */

int __real_worker_process_run(const struct worker_process_setup *setup);
int __wrap_worker_process_run(const struct worker_process_setup *setup);
int __wrap_worker_process_run(const struct worker_process_setup *setup)
{
    row = (int)setup->index;
    return __real_worker_process_run(setup);
}

typedef void (*failed_fn)(void *to, const struct config_place *place, const char *text);

bool __real_worker_prepare(struct worker *w, struct config *c, failed_fn failed, void *to);
bool __wrap_worker_prepare(struct worker *w, struct config *c, failed_fn failed, void *to);
bool __wrap_worker_prepare(struct worker *w, struct config *c, failed_fn failed, void *to)
{
    bool is_prepared;

    if (!serves)
        return __real_worker_prepare(w, c, failed, to);
    says_it_twice = is_met("refuse-twice");
    if (says_it_twice || is_met("refuse")) {
        failed(to, NULL, "this worker does not feel like it");
        return false;
    }
    is_prepared = __real_worker_prepare(w, c, failed, to);
    if (is_met("die-preparing"))
        abort();
    return is_prepared;
}

static void hold_compiling(void)
{
    char path[PATH_MAX];
    char mine[64];
    int fd;

    snprintf(mine, sizeof(mine), "hold-compiling.%d", row);
    path_of(path, mine);
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "here\n", 5) != 5)
        abort();
    close(fd);
    while (access(path, F_OK) == 0)
        usleep(1000);
}

struct config *__real_bundle_compile(struct bundle *b, failed_fn failed, void *to);
struct config *__wrap_bundle_compile(struct bundle *b, failed_fn failed, void *to);
struct config *__wrap_bundle_compile(struct bundle *b, failed_fn failed, void *to)
{
    struct config *c;

    if (!serves)
        return __real_bundle_compile(b, failed, to);
    if (is_met("die-compiling"))
        abort();
    c = __real_bundle_compile(b, failed, to);
    hold_compiling();
    return c;
}

void __real_worker_commit(struct worker *w);
void __wrap_worker_commit(struct worker *w);
void __wrap_worker_commit(struct worker *w)
{
    if (is_met("die-committing"))
        abort();
    if (is_met("stop-committing"))
        raise(SIGSTOP);
    __real_worker_commit(w);
    serves = true;
}

bool __real_channel_send(int fd, const struct message *m);
bool __wrap_channel_send(int fd, const struct message *m);
bool __wrap_channel_send(int fd, const struct message *m)
{
    struct message refusal = {
        .kind = MESSAGE_REFUSED, .number = m->number, .text = STR("error: on second thoughts\n")};
    bool is_sent = __real_channel_send(fd, m);

    if ((m->kind == MESSAGE_REFUSED && says_it_twice) ||
        (m->kind == MESSAGE_DONE && is_met("refuse-done")))
        __real_channel_send(fd, &refusal);
    return is_sent;
}

void __real_txn_enter(struct txn *t, enum txn_state next);
void __wrap_txn_enter(struct txn *t, enum txn_state next);
void __wrap_txn_enter(struct txn *t, enum txn_state next)
{
    if (is_met("leave"))
        _exit(0);
    /* No state follows itself. */
    __real_txn_enter(t, is_met("bad-move") ? t->state : next);
}

void __real_loop_timer_set(struct loop *l, struct timer *t, uint32_t in_ms);
void __wrap_loop_timer_set(struct loop *l, struct timer *t, uint32_t in_ms);
void __wrap_loop_timer_set(struct loop *l, struct timer *t, uint32_t in_ms)
{
    char path[PATH_MAX];

    path_of(path, "impatient");
    if (row < 0 && in_ms == PATIENCE_MS && access(path, F_OK) == 0)
        in_ms = IMPATIENCE_MS;
    __real_loop_timer_set(l, t, in_ms);
}

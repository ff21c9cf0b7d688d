/*
 * reload - the way of a configuration into force: in all workers, or in none.
 *
 *     LOADING -> PREPARING -> COMMITTING -> SERVING;   any failure before COMMITTING -> SERVING
 *
 * The first configuration goes the same way, but for LOADING, while the master is STARTING. Decided
 * is in one place, commit_if_prepared; what is undone before it, in forget_proposal.
 */
#include "base/log.h"
#include "base/pool.h"
#include "conf/files_record.h"
#include "proc/master_state.h"
#include "proc/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

/* Reading the file, and asking name servers. */
#define LOAD_MS 100000
/* A worker that has said nothing of a bundle after this long never will, */
#define ANSWER_MS 30000
/* and one that says no more than that it is busy, for this long, is not to be believed. */
#define PREPARE_MS 600000
/* Workers may die meanwhile, unless the bundle is what kills them: so many by their own fault, or
 * so many in all, since a kernel that is out of memory kills from outside. */
#define FAULTS_MAX 2
#define DIED_MAX   5

#define LINE_MAX_BYTES 256

/* --- over --- */

void reload_if_wanted(struct master *m)
{
    if (m->wants_reload || control_is_asked(&m->control))
        reload_ask(m);
}

/* The reload is over, whatever came of it: what was asked for meanwhile is due. */
static void settle(struct master *m, bool is_done)
{
    m->phase = SERVING;
    if (is_done)
        log_message(LOG_NOTICE, "reload: the new configuration is in force");
    else
        log_message(LOG_ERROR, "reload: failed; the old configuration stays in force");
    notify_ready(is_done ? "Serving" : "Reload failed; the old configuration is in force");
    control_answer(&m->control, is_done, &m->report);
    if (m->wants_reopen)
        master_reopen_logs(m);
    reload_if_wanted(m);
}

/* --- loaded --- */

static void fail_to_load(struct master *m, const char *why)
{
    char text[LINE_MAX_BYTES];

    snprintf(text, sizeof(text), "cannot load the configuration: %s", why);
    report_failure(&m->report, NULL, text);
    settle(m, false);
}

void reload_ask(struct master *m)
{
    m->wants_reload = m->phase != SERVING && m->phase != STOPPING;
    if (m->phase != SERVING)
        return;
    m->phase = LOADING;
    control_begin(&m->control);
    notify_reloading();
    report_reset(&m->report);
    control_renew(&m->control, &m->report);
    loop_timer_set(m->loop, &m->bound, LOAD_MS);
    if (!loader_start(&m->loader, m->start->options->config_path))
        fail_to_load(m, strerror(errno));
}

/* The world has been asked: what is compiled from its answers is what the workers will compile. */
static void propose_loaded(struct master *m, const struct pack *answers)
{
    struct generation_errors errors = {.failed = report_failure, .to = &m->report};
    struct files_replayer replayer;
    struct unpack rest;
    bool has_strayed;
    struct config *c;

    unpack_init(&rest, (struct str){answers->bytes, answers->n});
    files_replayer_init(&replayer, &rest, &has_strayed);
    c = report_compile(&m->report, m->start->options->config_path, &replayer.files);
    m->phase = PREPARING;
    if (c == NULL || !reload_propose(m, c, answers, &errors))
        settle(m, false);
}

void reload_on_loaded(struct master *m, int status)
{
    struct pack answers;
    const char *why;

    timer_stop(&m->bound);
    pack_init(&answers);
    why = loader_take(&m->loader, status, &answers);
    if (why == NULL)
        propose_loaded(m, &answers);
    else
        fail_to_load(m, why);
    pack_reset(&answers);
}

/* --- proposed, and forgotten --- */

static void send_proposal(struct master *m)
{
    m->proposed_ms = loop_now(m->loop);
    m->n_died = 0;
    m->n_faults = 0;
    loop_timer_set(m->loop, &m->bound, ANSWER_MS);
    for (unsigned i = 0; i < m->children.n; i++)
        child_send_parcel(&m->children.all[i], &m->proposed);
}

bool reload_propose(struct master *m, struct config *c, const struct pack *answers,
                    struct generation_errors *errors)
{
    if (resources_prepare(&m->resources, c, errors)) {
        if (parcel_make(&m->proposed, ++m->last_number, &m->resources,
                        m->start->options->config_path, answers)) {
            m->pending = c;
            send_proposal(m);
            return true;
        }
        generation_error(errors, NULL, "cannot make a bundle for the workers: %s", strerror(errno));
    }
    resources_cancel(&m->resources);
    config_unref(c);
    return false;
}

static void forget_proposal(struct master *m)
{
    timer_stop(&m->bound);
    children_forget_parcel(&m->children, &m->proposed);
    master_tell_all(m, MESSAGE_ABORT, m->proposed.number);
    resources_cancel(&m->resources);
    parcel_reset(&m->proposed);
    config_unref(m->pending);
    m->pending = NULL;
}

void reload_drop(struct master *m)
{
    if (m->pending != NULL)
        forget_proposal(m);
    loader_stop(&m->loader);
}

/* What stood in the way has been reported. */
static void give_up_proposal(struct master *m)
{
    bool is_start = m->phase == STARTING;

    forget_proposal(m);
    if (is_start)
        master_stop(m, 1);
    else
        settle(m, false);
}

/* --- decided --- */

/* Has this worker prepared the proposal or, after the decision, committed it? */
static bool child_has_answered(const struct master *m, const struct child *c)
{
    return m->phase == COMMITTING ? c->in_force == m->in_force.number
                                  : c->ready == m->proposed.number;
}

static bool all_have_answered(const struct master *m)
{
    for (unsigned i = 0; i < m->children.n; i++)
        if (m->children.all[i].pid > 0 && !child_has_answered(m, &m->children.all[i]))
            return false;
    return true;
}

static void settle_if_committed(struct master *m)
{
    if (m->phase != COMMITTING || !all_have_answered(m))
        return;
    timer_stop(&m->bound);
    if (m->has_started)
        settle(m, true);
    else
        master_started(m);
}

/* Every worker has prepared it: the one decision. */
static void commit_if_prepared(struct master *m)
{
    if ((m->phase != STARTING && m->phase != PREPARING) || !all_have_answered(m))
        return;
    if (m->has_started)
        report_fixed(&m->report, &m->start->config->global, &m->pending->global);
    log_use(NULL, LOG_INFO, LOG_TEXT); /* the sink in use may be closed with its configuration */
    parcel_reset(&m->in_force);
    m->in_force = m->proposed;
    m->proposed = (struct parcel){.text_fd = -1};
    config_unref(m->current);
    m->current = m->pending;
    m->pending = NULL;
    resources_commit(&m->resources, m->current);
    loop_timer_set(m->loop, &m->sweep_again, SWEEP_AGAIN_MS);
    master_use_log(m);
    m->phase = COMMITTING;
    loop_timer_set(m->loop, &m->bound, ANSWER_MS);
    master_tell_all(m, MESSAGE_COMMIT, m->in_force.number);
    m->children.is_given_up = false;
    m->children.n_deaths = 0;
    master_respawn_all(m);
    settle_if_committed(m);
}

/* --- what the workers say --- */

/* A worker's words, without what would forge lines or move a terminal's cursor. NULL: no memory. */
static char *printable(struct str text)
{
    char *copy = memory_get(text.n + 1);

    for (size_t i = 0; copy != NULL && i < text.n; i++) {
        bool is_control = (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f;

        copy[i] = is_control && text.p[i] != '\n' && text.p[i] != '\t' ? '?' : text.p[i];
    }
    return copy;
}

static void report_refusal(struct master *m, struct str text)
{
    char *copy = printable(text);
    struct str reasons = {copy, copy == NULL ? 0 : text.n};

    if (m->phase != STARTING)
        report_errors(&m->report, reasons);
    else
        fprintf(stderr, "%s%.*s", str_starts_with(reasons, STR("error:")) ? "holdfast: " : "",
                STR_ARG(reasons));
    memory_put(copy);
}

/* May this child refuse what it names? Once, and not what it has taken. */
static bool may_refuse(struct child *c, uint64_t number)
{
    if (c->refused == number || c->in_force == number) {
        log_message(LOG_ERROR, "worker %u (%d) refuses out of turn; it is killed", c->index,
                    (int)c->pid);
        kill(c->pid, SIGKILL);
        return false;
    }
    c->refused = number;
    return true;
}

/* The first refusal of a bundle decides; a successor may refuse what is in force. */
static void refused(struct master *m, struct child *c, const struct message *message)
{
    bool is_undecided = m->phase == STARTING || m->phase == PREPARING;
    bool is_proposal = is_undecided && message->number == m->proposed.number;

    if (!may_refuse(c, message->number))
        return;
    if (is_proposal || message->number == m->in_force.number)
        report_refusal(m, message->text);
    if (is_proposal)
        give_up_proposal(m);
}

/* It is slow, and not silent. */
static void is_busy(struct master *m, uint64_t number)
{
    if (m->phase == PREPARING && number == m->proposed.number &&
        loop_now(m->loop) - m->proposed_ms < PREPARE_MS)
        loop_timer_set(m->loop, &m->bound, ANSWER_MS);
}

void reload_on_message(struct child *c, const struct message *message)
{
    struct master *m = list_owner(c->children, struct master, children);

    switch (message->kind) {
    case MESSAGE_BUSY: is_busy(m, message->number); return;
    case MESSAGE_READY:
        c->ready = message->number;
        commit_if_prepared(m);
        return;
    case MESSAGE_DONE:
        c->in_force = message->number;
        settle_if_committed(m);
        return;
    case MESSAGE_REFUSED: refused(m, c, message); return;
    case MESSAGE_PREPARE:
    case MESSAGE_DESCRIPTORS:
    case MESSAGE_COMMIT:
    case MESSAGE_ABORT:
    case MESSAGE_LOG:
    case MESSAGE_DRAIN:
    case MESSAGE_END:
    case MESSAGE_N: return;
    }
}

/* --- what becomes of them --- */

/* Its successor has the generation in force, and is asked like all others. */
static void died_while_preparing(struct master *m, struct child *c, int status)
{
    m->n_died++;
    m->n_faults += child_is_at_fault(c, status);
    if (m->n_faults < FAULTS_MAX && m->n_died < DIED_MAX && !m->children.is_given_up) {
        master_respawn(m, c);
        loop_timer_set(m->loop, &m->bound, ANSWER_MS);
        if (children_alive(&m->children) > 0)
            commit_if_prepared(m); /* without it, where there is no successor yet */
        return;
    }
    report_error(&m->report, STR("error: a worker died when it was given the new configuration"));
    forget_proposal(m);
    m->phase = SERVING; /* for the successor */
    master_respawn(m, c);
    settle(m, false);
}

void reload_on_death(struct master *m, struct child *c, int status)
{
    switch (m->phase) {
    case STARTING: master_stop(m, 1); return;
    case PREPARING: died_while_preparing(m, c, status); return;
    case COMMITTING:
        master_respawn(m, c);
        settle_if_committed(m);
        return;
    case SERVING:
    case LOADING: master_respawn(m, c); return;
    case STOPPING: return;
    }
}

/* --- waited for too long --- */

/*
 * Who has been asked and has not answered will not serve either: its clients are lost, but the next
 * reload is not. Who could not be asked, because descriptors do not get through, serves on.
 */
static void kill_silent(struct master *m)
{
    for (unsigned i = 0; i < m->children.n; i++) {
        const struct child *c = &m->children.all[i];

        if (c->pid <= 0 || child_has_answered(m, c))
            continue;
        if (child_is_deaf(c)) {
            log_message(LOG_ERROR, "worker %u (%d) cannot be told: %s", c->index, (int)c->pid,
                        strerror(c->send_error));
            continue;
        }
        log_message(LOG_ERROR, "worker %u (%d) does not answer; it is killed", c->index,
                    (int)c->pid);
        kill(c->pid, SIGKILL);
    }
}

void reload_on_bound(struct master *m)
{
    switch (m->phase) {
    case LOADING:
        loader_stop(&m->loader);
        fail_to_load(m, "a disk or a name server does not answer");
        return;
    case STARTING:
    case PREPARING:
        report_failure(&m->report, NULL, "a worker does not answer");
        kill_silent(m);
        give_up_proposal(m);
        return;
    case COMMITTING: /* it would go on with the old generation; its successor is waited for */
        kill_silent(m);
        loop_timer_set(m->loop, &m->bound, ANSWER_MS);
        return;
    case SERVING:
    case STOPPING: return;
    }
}

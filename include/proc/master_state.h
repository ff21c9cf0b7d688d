/*
 * master_state - what a master is made of; for proc/master.c and proc/reload.c alone.
 *
 * master.c has the process: its start, its workers, its signals, its end. reload.c has the way of a
 * configuration into force. Each calls the other by the functions below.
 */
#ifndef HOLDFAST_PROC_MASTER_STATE_H
#define HOLDFAST_PROC_MASTER_STATE_H

#include "proc/child.h"
#include "proc/control.h"
#include "proc/daemon.h"
#include "proc/loader.h"
#include "proc/report.h"
#include "proc/resources.h"
#include "proc/signals.h"

/* Bodies in a spool that is no longer configured: how often they are looked for. */
#define SWEEP_AGAIN_MS 1000

enum phase { STARTING, SERVING, LOADING, PREPARING, COMMITTING, STOPPING };

struct master {
    struct start *start;
    struct loop *loop;
    struct signals signals;
    struct control control;
    struct resources resources;
    struct children children;
    enum phase phase;
    struct timer bound; /* of whatever the phase waits for */
    struct timer fork_again;
    uint64_t fork_logged_ms;  /* when the log has last heard of it; 0: never */
    struct timer sweep_again; /* spools that have been left */
    struct timer alive;       /* the service manager's watchdog */
    uint32_t alive_every_ms;
    int exit_status;
    bool has_bound;     /* while STOPPING: shutdown-timeout */
    bool is_ending_now; /* likewise: the workers have been told so */

    bool has_started;       /* the first generation is in force */
    struct config *current; /* NULL before that */
    struct parcel in_force; /* its bundle */
    struct loader loader;   /* while LOADING */
    struct config *pending; /* while STARTING or PREPARING */
    struct parcel proposed; /* likewise */
    uint64_t last_number;
    uint64_t proposed_ms; /* when, by the loop's clock */
    unsigned n_died;      /* workers since then, */
    unsigned n_faults;    /* and of them by their own fault */
    bool wants_reload;    /* asked for meanwhile */
    bool wants_reopen;
    struct report report; /* of the reload under way, or of the last */
};

/* --- of reload.c --- */

/* Somebody wants the file to be read again: now, or after what is going on. */
void reload_ask(struct master *m);

/* What was asked for meanwhile is due. */
void reload_if_wanted(struct master *m);

/* The loader has ended with this status. */
void reload_on_loaded(struct master *m, int status);

/*
 * Open what c names, make a bundle of it with the answers that it was compiled from, and ask all
 * workers to prepare it. Takes the reference to c. False: `errors` has been told why, and nothing
 * is left.
 */
bool reload_propose(struct master *m, struct config *c, const struct pack *answers,
                    struct generation_errors *errors);

/* Forget the reload that is under way, if one is, and tell the workers so. */
void reload_drop(struct master *m);

/* A worker has said something; one has died, and its place is empty; m->bound has fired: in any
 * phase but STOPPING. */
void reload_on_message(struct child *c, const struct message *message);
void reload_on_death(struct master *m, struct child *c, int status);
void reload_on_bound(struct master *m);

/* --- of master.c --- */

/* The first configuration is in force in all workers. */
void master_started(struct master *m);

/* Use the log of the configuration in force; open all anew, now or after the reload. */
void master_use_log(struct master *m);
void master_reopen_logs(struct master *m);

/* Fill an empty place, or all that are, with workers of the generation in force; while one is
 * prepared they are asked like all others. */
void master_respawn(struct master *m, struct child *c);
void master_respawn_all(struct master *m);

void master_tell_all(struct master *m, enum message_kind kind, uint64_t number);
void master_stop(struct master *m, int exit_status);

#endif

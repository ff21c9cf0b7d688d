/*
 * child - a worker as its master sees it: a process, a channel, and what it last said.
 *
 * Invariants:  pid == 0  =>  there is no such process, and its row counts nothing;
 *              channel.fd < 0  =>  nothing can be told to it.
 */
#ifndef HOLDFAST_PROC_CHILD_H
#define HOLDFAST_PROC_CHILD_H

#include "io/loop.h"
#include "proc/outbox.h"
#include "proc/worker_process.h"

struct children;

struct child {
    struct children *children;
    unsigned index; /* of its row */
    pid_t pid;
    struct watch channel;
    struct outbox outbox;
    int send_error; /* why the outbox was last not empty */
    int panic_fd;   /* memory that it writes the report of a panic to */
    uint64_t started_ms;
    uint64_t refused;  /* the number of the bundle that it has refused last; UINT64_MAX: none */
    uint64_t ready;    /* the number of the bundle that it has prepared, */
    uint64_t in_force; /* and of the one that it has committed; 0: none */
};

/* Deaths of their own fault in DEATHS_MS after which no worker is replaced. */
#define DEATHS_MAX 5
#define DEATHS_MS  10000

struct children {
    struct loop *loop;
    struct rows *rows;
    const struct config_global *global; /* of the configuration that we started with */
    bool is_debug;
    unsigned n;
    struct child *all;              /* n of them */
    struct timer tell_again;        /* while an outbox is not empty */
    uint64_t deaths_ms[DEATHS_MAX]; /* of the last deaths, in a ring */
    unsigned n_deaths;
    bool is_ending;   /* they are told to end */
    bool is_given_up; /* too many deaths: no more replacements until the next reload */
    void (*on_message)(struct child *c, const struct message *m);
    void (*on_death)(struct child *c, int status);
    /* A process that is no worker has ended: as process 1 we are everybody's parent. */
    void (*on_stranger)(struct children *all, pid_t pid, int status);
};

/* Make n empty places and their rows. False with errno. */
bool children_init(struct children *all, struct loop *loop, unsigned n);
void children_reset(struct children *all);

/*
 * Fork a worker into an empty place. Returns in the master alone: false with errno where there is
 * no worker. It has no bundle yet.
 */
bool child_fork(struct child *c);

/*
 * Tell it something: at once, or as soon as there is room (proc/outbox.h); a parcel must stay as it
 * is until then, or be forgotten. One that does not take what it is told is killed: its death will
 * be noticed.
 */
void child_send(struct child *c, const struct message *m);
void child_send_parcel(struct child *c, const struct parcel *p);

/* Has it not even been told everything, through no fault of its own? child->send_error says why. */
bool child_is_deaf(const struct child *c);

/* What is left of it is not to be sent to anybody. */
void children_forget_parcel(struct children *all, const struct parcel *p);

/* How many live. */
unsigned children_alive(const struct children *all);

/* Collect those that have died: each is logged, its row cleared, and on_death called. */
void children_reap(struct children *all);

/* A worker has died with this status: of its own fault? SIGKILL comes from outside, and says nothing
 * about it, unless it was hardly there. */
bool child_is_at_fault(const struct child *c, int status);

/* Tell all who live. */
void children_send(struct children *all, const struct message *m);
void children_kill(struct children *all, int number);

#endif

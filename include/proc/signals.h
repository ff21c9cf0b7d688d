/*
 * signals - blocked from the first line of the program on, and read from a descriptor in the loop:
 * none is lost, none comes before we can take it, and none interrupts anything.
 */
#ifndef HOLDFAST_PROC_SIGNALS_H
#define HOLDFAST_PROC_SIGNALS_H

#include "io/loop.h"

struct signals {
    struct watch watch;
    void (*on_signal)(struct signals *s, int number);
};

/*
 * Block HUP, USR1, TERM, QUIT, INT and CHLD; ignore PIPE, WINCH, TTIN, TTOU and USR2. Once, first
 * of all.
 */
void signals_block(void);

/*
 * A worker's: those of the terminal or the process group are the master's to act on, and are
 * ignored; none is blocked.
 */
void signals_leave_to_master(void);

/* Read the blocked signals in this loop. False with errno. */
bool signals_watch(struct signals *s, struct loop *loop,
                   void (*on_signal)(struct signals *s, int number));
void signals_end(struct signals *s, struct loop *loop);

#endif

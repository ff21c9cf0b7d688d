/*
 * outbox - what a master has still to tell a worker, or a worker its master, in its order.
 *
 * Nearly always everything leaves at once. What the kernel has no room for stays here: a worker
 * that is slow to read (EAGAIN), no memory for the moment (ENOBUFS, ENOMEM), or more descriptors on
 * their way, in all of the user's channels, than RLIMIT_NOFILE (ETOOMANYREFS, unix(7)), which ends
 * as soon as workers have received theirs.
 *
 * Limits:  OUTBOX_MAX messages and parcels.
 */
#ifndef HOLDFAST_PROC_OUTBOX_H
#define HOLDFAST_PROC_OUTBOX_H

#include "base/list.h"
#include "proc/bundle.h"

#define OUTBOX_MAX 64

struct outbox {
    struct list waiting;
    size_t n;
};

void outbox_init(struct outbox *o);

/* Forget all. */
void outbox_reset(struct outbox *o);

bool outbox_is_empty(const struct outbox *o);

/*
 * Put something at the end. A message is copied, and its descriptors are duplicated; a parcel is
 * not, and must stay as it is until it is sent or forgotten. False with errno: it is full
 * (ENOBUFS), or there is no memory or descriptor for it.
 */
bool outbox_put(struct outbox *o, const struct message *m);
bool outbox_put_parcel(struct outbox *o, const struct parcel *p);

/* The parcel is not to be sent, or not to its end. */
void outbox_forget_parcel(struct outbox *o, const struct parcel *p);

/*
 * Send as much as will go. True: all of it. False with errno; where outbox_may_retry(errno) the
 * rest waits for another call, else the channel is of no use any more.
 */
bool outbox_send(struct outbox *o, int channel);
bool outbox_may_retry(int error);

#endif

/*
 * channel - the one kind of message between a master and a worker.
 *
 * A channel is a pair of sockets that keep the bounds of messages (SOCK_SEQPACKET). A message is a
 * kind, a number, a text, and descriptors (SCM_RIGHTS), at most CHANNEL_FDS_MAX: the kernel takes
 * no more than 253 at once, so many descriptors go in many messages.
 *
 * Nothing here waits: channel_send fails with EAGAIN where the other side has left half a megabyte
 * unread, and proc/outbox.h sends later what could not be sent at once.
 */
#ifndef HOLDFAST_PROC_CHANNEL_H
#define HOLDFAST_PROC_CHANNEL_H

#include "base/str.h"

/* From the master, then from a worker. `number` is the bundle's, unless it says otherwise. */
enum message_kind {
    MESSAGE_PREPARE,     /* compile this bundle and open nothing: one descriptor, its text */
    MESSAGE_DESCRIPTORS, /* more of the descriptors that the text of the bundle names, in order */
    MESSAGE_COMMIT,      /* the bundle that is prepared is in force now */
    MESSAGE_ABORT,       /* forget it */
    MESSAGE_LOG,         /* a log was opened anew: number: its kind; text: where; one descriptor */
    MESSAGE_DRAIN,       /* finish what is under way; number: milliseconds, or UINT32_MAX */
    MESSAGE_END,         /* end now */

    MESSAGE_BUSY,    /* the bundle is still compiled */
    MESSAGE_READY,   /* it is prepared */
    MESSAGE_REFUSED, /* it cannot be; text: why, one line each */
    MESSAGE_DONE,    /* it is in force */
    MESSAGE_N
};

#define CHANNEL_FDS_MAX  128
#define CHANNEL_TEXT_MAX 8192

struct message {
    enum message_kind kind;
    uint64_t number;
    struct str text;
    int fds[CHANNEL_FDS_MAX];
    size_t n_fds;
};

/* A pair of ends, both non-blocking and close-on-exec. False with errno. */
bool channel_open(int ends[2]);

/* Send a message; its descriptors stay the caller's. False with errno. */
bool channel_send(int fd, const struct message *m);

enum channel_got {
    CHANNEL_MESSAGE,
    CHANNEL_AGAIN, /* there is none now */
    CHANNEL_ENDED, /* the other side has gone */
    CHANNEL_CUT,   /* a message without its descriptors: we have no room for them */
    CHANNEL_BROKEN /* no message of ours */
};

/*
 * Receive a message. Its text lies in `room` (CHANNEL_TEXT_MAX bytes); its descriptors are the
 * caller's to close. On CHANNEL_CUT it has none, and on CHANNEL_BROKEN there is no message.
 */
enum channel_got channel_receive(int fd, struct message *m, char *room);

/* Close the descriptors of a message that was received. */
void message_close_fds(struct message *m);

#endif

/*
 * control - where `holdfast -s reload` asks for a reload, and hears what came of it.
 *
 * A unix socket beside the pid file (PIDFILE.control, mode 0600). Who connects sends one line,
 * `reload`; when the reload that began after it is over, it is answered `done` or `failed` in the
 * first line, then with every line that the error log has of it, and the connection is closed. So
 * an answer never speaks of an older reload, however many ask at a time. An instance that ends
 * answers `failed` at once.
 *
 * Limits: CONTROL_CLIENTS_MAX at a time. Who has been silent for a second makes room for the next;
 * where all wait for an answer, the next waits in the socket's queue, as where descriptors have run
 * out.
 */
#ifndef HOLDFAST_PROC_CONTROL_H
#define HOLDFAST_PROC_CONTROL_H

#include "io/loop.h"
#include "io/sock.h"
#include "proc/report.h"

#define CONTROL_SUFFIX      ".control"
#define CONTROL_CLIENTS_MAX 16

struct control {
    struct loop *loop; /* NULL: there is no socket */
    struct watch watch;
    struct list clients;
    unsigned n_clients;
    struct timer accept_again; /* while accepting pauses */
    bool is_ending; /* there are no more reloads */
    struct addr addr;
    struct sock_identity identity;
    void (*on_reload)(struct control *c); /* somebody waits for a reload */
};

/*
 * The address of the socket beside this pid file. False: its path would be longer than a socket's
 * may be (107 bytes).
 */
bool control_addr(const char *pid_path, struct addr *addr);

/* Listen. False with errno. The loop must outlive it. */
bool control_open(struct control *c, struct loop *loop, const char *pid_path,
                  void (*on_reload)(struct control *c));

/* Somebody may have removed the socket: then make it anew. Where that fails the report is given a
 * warning. Harmless without one. */
void control_renew(struct control *c, struct report *report);

/* Close all and remove the socket. Harmless without one. */
void control_close(struct control *c);

/* Does anybody wait for a reload that has not begun? */
bool control_is_asked(const struct control *c);

/* A reload begins: it is what those who wait have asked for. */
void control_begin(struct control *c);

/* It is over: tell them. */
void control_answer(struct control *c, bool is_done, const struct report *report);

/* The instance is shutting down: who waits is told so, and who asks from now on, at once. */
void control_end(struct control *c);

#endif

/*
 * signals - blocked from the first line of the program on, and read from a descriptor in the loop.
 */
#include "proc/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int handled[] = {SIGHUP, SIGUSR1, SIGTERM, SIGQUIT, SIGINT, SIGCHLD};
static const int ignored[] = {SIGPIPE, SIGWINCH, SIGTTIN, SIGTTOU, SIGUSR2};

static void handled_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
        sigaddset(set, handled[i]);
}

void signals_block(void)
{
    sigset_t set;

    handled_set(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
}

void signals_leave_to_master(void)
{
    sigset_t set;

    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
        signal(handled[i], SIG_IGN);
    handled_set(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void signals_on_ready(struct watch *w)
{
    struct signals *s = list_owner(w, struct signals, watch);
    struct signalfd_siginfo info;

    w->ready = 0;
    while (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        s->on_signal(s, (int)info.ssi_signo);
}

bool signals_watch(struct signals *s, struct loop *loop,
                   void (*on_signal)(struct signals *s, int number))
{
    sigset_t set;
    int fd;

    handled_set(&set);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return false;
    s->on_signal = on_signal;
    watch_init(&s->watch, fd, true, signals_on_ready);
    s->watch.want = EVENT_IN;
    return watch_register(loop, &s->watch);
}

void signals_end(struct signals *s, struct loop *loop)
{
    watch_remove(loop, &s->watch);
    close(s->watch.fd);
}

/*
 * poller_epoll - waiting by epoll(7), edge-triggered, each descriptor registered once.
 *
 * A watch that is removed while its event still lies in the batch is struck from the batch, so that
 * no callback meets freed memory.
 */
#include "io/poller.h"

#include "base/panic.h"
#include "base/pool.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

struct poller {
    int fd;
    int n_events;
    int at; /* index of the event being served */
    struct epoll_event events[POLLER_EVENTS_MAX];
};

static struct poller *epoll_open(void)
{
    struct poller *p = memory_get(sizeof(*p));

    if (p == NULL)
        return NULL;
    p->n_events = 0;
    p->at = 0;
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    if (p->fd < 0) {
        memory_put(p);
        return NULL;
    }
    return p;
}

static void epoll_close(struct poller *p)
{
    close(p->fd);
    memory_put(p);
}

static bool epoll_add(struct poller *p, struct watch *w)
{
    struct epoll_event e = {.data.ptr = w};

    /* Of several processes on one listening socket, one is woken (epoll_ctl(2): EPOLLEXCLUSIVE). */
    e.events = w->is_level ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    return epoll_ctl(p->fd, EPOLL_CTL_ADD, w->fd, &e) == 0;
}

static void epoll_remove(struct poller *p, struct watch *w)
{
    epoll_ctl(p->fd, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = p->at; i < p->n_events; i++)
        if (p->events[i].data.ptr == w)
            p->events[i].data.ptr = NULL;
}

static unsigned char epoll_ready(uint32_t events)
{
    unsigned ready = 0;

    if (events & EPOLLIN)
        ready |= EVENT_IN;
    if (events & EPOLLOUT)
        ready |= EVENT_OUT;
    if (events & EPOLLRDHUP)
        ready |= EVENT_IN | EVENT_HUP;
    if (events & (EPOLLHUP | EPOLLERR))
        ready |= EVENT_IN | EVENT_OUT | EVENT_HUP | EVENT_ERR;
    return (unsigned char)ready;
}

static void epoll_wait_for(struct poller *p, int timeout_ms, void (*after_wait)(struct loop *l),
                           struct loop *l)
{
    int n = epoll_wait(p->fd, p->events, POLLER_EVENTS_MAX, timeout_ms);

    after_wait(l);
    assert(n >= 0 || errno == EINTR); /* else the descriptor is not ours any more */
    p->n_events = n < 0 ? 0 : n;      /* EINTR: the next turn waits again */
    for (p->at = 0; p->at < p->n_events; p->at++) {
        struct watch *w = p->events[p->at].data.ptr;

        if (w == NULL)
            continue;
        w->ready |= epoll_ready(p->events[p->at].events);
        w->on_ready(w);
    }
    p->n_events = 0;
}

const struct poller_ops poller_epoll = {
    .open = epoll_open,
    .close = epoll_close,
    .add = epoll_add,
    .remove = epoll_remove,
    .wait = epoll_wait_for,
};

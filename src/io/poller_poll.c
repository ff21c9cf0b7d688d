/*
 * poller_poll - waiting by poll(2), the portable reference.
 *
 * The set holds every registered descriptor; before each wait its events are made from what the
 * owner wants and does not know to be ready. Even where nothing is wanted a failure is reported,
 * once: then the descriptor is masked (negative), or its POLLHUP would spin the loop.
 */
#include "io/poller.h"

#include "base/panic.h"
#include "base/pool.h"

#include <errno.h>
#include <poll.h>

#define SET_ROOM_FIRST 64

struct poller {
    struct pollfd *set;
    struct watch **watches;
    size_t n;
    size_t room;
};

static struct poller *poll_open(void)
{
    struct poller *p = memory_get(sizeof(*p));

    if (p != NULL)
        *p = (struct poller){0};
    return p;
}

static void poll_close(struct poller *p)
{
    memory_put(p->set);
    memory_put(p->watches);
    memory_put(p);
}

static bool poll_make_room(struct poller *p)
{
    size_t room = p->room == 0 ? SET_ROOM_FIRST : p->room * 2;
    struct pollfd *set;
    struct watch **watches;

    if (p->n < p->room)
        return true;
    set = memory_resize(p->set, room * sizeof(*set));
    if (set != NULL)
        p->set = set;
    watches = memory_resize(p->watches, room * sizeof(struct watch *));
    if (watches != NULL)
        p->watches = watches;
    if (set == NULL || watches == NULL) {
        errno = ENOMEM;
        return false;
    }
    p->room = room;
    return true;
}

static bool poll_add(struct poller *p, struct watch *w)
{
    if (!poll_make_room(p))
        return false;
    w->poll_slot = p->n;
    p->watches[p->n] = w;
    p->set[p->n] = (struct pollfd){.fd = -1};
    p->n++;
    return true;
}

/* The last one moves into the gap; a result that it has already got moves with it. */
static void poll_remove(struct poller *p, struct watch *w)
{
    size_t slot = w->poll_slot;

    assert(slot < p->n && p->watches[slot] == w);
    p->n--;
    p->watches[slot] = p->watches[p->n];
    p->set[slot] = p->set[p->n];
    p->watches[slot]->poll_slot = slot;
}

static void poll_prepare(struct poller *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct watch *w = p->watches[i];
        unsigned ask = w->is_level ? w->want : (unsigned)(w->want & ~w->ready);
        short events = 0;

        if (ask & EVENT_IN)
            events |= POLLIN;
        if (ask & EVENT_OUT)
            events |= POLLOUT;
        if (!(w->ready & EVENT_HUP))
            events |= POLLRDHUP;
        p->set[i].events = events;
        p->set[i].revents = 0;
        p->set[i].fd = w->ready & EVENT_ERR ? -1 : w->fd;
    }
}

static unsigned char poll_ready(short events)
{
    unsigned ready = 0;

    if (events & POLLIN)
        ready |= EVENT_IN;
    if (events & POLLOUT)
        ready |= EVENT_OUT;
    if (events & POLLRDHUP)
        ready |= EVENT_IN | EVENT_HUP;
    if (events & (POLLHUP | POLLERR | POLLNVAL))
        ready |= EVENT_IN | EVENT_OUT | EVENT_HUP | EVENT_ERR;
    return (unsigned char)ready;
}

static void poll_wait_for(struct poller *p, int timeout_ms, void (*after_wait)(struct loop *l),
                          struct loop *l)
{
    poll_prepare(p);
    if (poll(p->set, p->n, timeout_ms) < 0) {
        after_wait(l);
        return;
    }
    after_wait(l);
    /* Backwards: a removal moves the last entry down, and those behind have been served. */
    for (size_t i = p->n; i-- > 0;) {
        struct watch *w;

        if (i >= p->n || p->set[i].revents == 0)
            continue;
        w = p->watches[i];
        w->ready |= poll_ready(p->set[i].revents);
        p->set[i].revents = 0;
        w->on_ready(w);
    }
}

const struct poller_ops poller_poll = {
    .open = poll_open,
    .close = poll_close,
    .add = poll_add,
    .remove = poll_remove,
    .wait = poll_wait_for,
};

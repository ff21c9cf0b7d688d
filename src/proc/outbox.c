/*
 * outbox - what one end of a channel has still to tell the other, in its order.
 */
#include "proc/outbox.h"

#include "base/pool.h"

#include <errno.h>
#include <fcntl.h>

struct outgoing {
    struct list link;
    const struct parcel *parcel; /* NULL: a message */
    struct parcel_progress progress;
    struct message message; /* its text and descriptors are ours */
    char text[];
};

void outbox_init(struct outbox *o)
{
    list_init(&o->waiting);
    o->n = 0;
}

static void outgoing_free(struct outbox *o, struct outgoing *out)
{
    message_close_fds(&out->message);
    list_unlink(&out->link);
    memory_put(out);
    o->n--;
}

void outbox_reset(struct outbox *o)
{
    list_each(at, keep, &o->waiting) outgoing_free(o, list_owner(at, struct outgoing, link));
}

bool outbox_is_empty(const struct outbox *o)
{
    return o->n == 0;
}

/* At the end; NULL with errno. */
static struct outgoing *outgoing_new(struct outbox *o, struct str text)
{
    struct outgoing *out = NULL;

    errno = ENOBUFS;
    if (o->n < OUTBOX_MAX)
        out = memory_get(sizeof(*out) + text.n);
    if (out == NULL)
        return NULL;
    *out = (struct outgoing){.parcel = NULL};
    if (text.n > 0)
        memcpy(out->text, text.p, text.n);
    list_push_back(&o->waiting, &out->link);
    o->n++;
    return out;
}

bool outbox_put(struct outbox *o, const struct message *m)
{
    struct outgoing *out = outgoing_new(o, m->text);

    if (out == NULL)
        return false;
    out->message = (struct message){
        .kind = m->kind, .number = m->number, .text = {out->text, m->text.n}
    };
    for (size_t i = 0; i < m->n_fds; i++) {
        int fd = fcntl(m->fds[i], F_DUPFD_CLOEXEC, 0);

        if (fd < 0) {
            int saved = errno;

            outgoing_free(o, out);
            errno = saved;
            return false;
        }
        out->message.fds[out->message.n_fds++] = fd;
    }
    return true;
}

bool outbox_put_parcel(struct outbox *o, const struct parcel *p)
{
    struct outgoing *out = outgoing_new(o, STR(""));

    if (out != NULL)
        out->parcel = p;
    return out != NULL;
}

void outbox_forget_parcel(struct outbox *o, const struct parcel *p)
{
    list_each(at, keep, &o->waiting)
    {
        struct outgoing *out = list_owner(at, struct outgoing, link);

        if (out->parcel == p)
            outgoing_free(o, out);
    }
}

bool outbox_may_retry(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == ETOOMANYREFS;
}

static bool outgoing_send(struct outgoing *out, int channel)
{
    if (out->parcel == NULL)
        return channel_send(channel, &out->message);
    return parcel_send(out->parcel, channel, &out->progress);
}

bool outbox_send(struct outbox *o, int channel)
{
    list_each(at, keep, &o->waiting)
    {
        struct outgoing *out = list_owner(at, struct outgoing, link);

        if (!outgoing_send(out, channel))
            return false;
        outgoing_free(o, out);
    }
    return true;
}

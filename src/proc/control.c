/*
 * control - where `holdfast -s reload` asks for a reload, and hears what came of it.
 */
#include "proc/control.h"

#include "base/log.h"
#include "base/pool.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES    64
#define WARNING_MAX_BYTES 256
/* How long accepting pauses where there is no descriptor or no place, if none is free before. */
#define ACCEPT_AGAIN_MS 100
/* Who has not asked after so long makes room for others. */
#define SILENT_MS 1000

struct client {
    struct list link; /* control->clients, in the order of their coming */
    struct control *control;
    struct watch watch;
    struct grave grave;
    uint64_t came_ms;
    enum { CLIENT_TALKS, CLIENT_WAITS, CLIENT_TAKEN } state;
    size_t n;
    char line[LINE_MAX_BYTES];
};

_Static_assert(CONFIG_PID_FILE_MAX + sizeof(CONTROL_SUFFIX ".4194304.tmp") <=
                   sizeof(((struct addr *)NULL)->at.un.sun_path),
               "a pid file that the checker takes has a socket beside it");

bool control_addr(const char *pid_path, struct addr *addr)
{
    char path[sizeof(addr->at.un.sun_path)];
    int n = snprintf(path, sizeof(path), "%s" CONTROL_SUFFIX, pid_path);

    return n > 0 && (size_t)n < sizeof(path) && addr_unix(str_of(path), addr);
}

/* --- accepting pauses --- */

static void accept_pause(struct control *c)
{
    watch_remove(c->loop, &c->watch);
    loop_timer_set(c->loop, &c->accept_again, ACCEPT_AGAIN_MS);
}

static void accept_resume(struct control *c)
{
    if (!c->watch.is_registered && !watch_register(c->loop, &c->watch))
        loop_timer_set(c->loop, &c->accept_again, ACCEPT_AGAIN_MS);
}

static void accept_again_fired(struct timer *t)
{
    accept_resume(list_owner(t, struct control, accept_again));
}

/* --- clients --- */

static void client_bury(struct grave *g)
{
    memory_put(list_owner(g, struct client, grave));
}

static void client_close(struct client *cl)
{
    struct control *c = cl->control;

    watch_remove(c->loop, &cl->watch);
    close(cl->watch.fd);
    list_unlink(&cl->link);
    c->n_clients--;
    loop_bury(c->loop, &cl->grave);
    accept_resume(c);
}

/* Answer and close. The answer fits in an empty socket; who does not take it has gone. */
static void client_answer(struct client *cl, struct str first, struct str text)
{
    struct iovec parts[2] = {
        {(void *)(uintptr_t)first.p, first.n},
        {(void *)(uintptr_t)text.p,  text.n }
    };
    struct msghdr out = {.msg_iov = parts, .msg_iovlen = 2};

    if (sendmsg(cl->watch.fd, &out, MSG_NOSIGNAL) < 0) {
        /* see above */
    }
    client_close(cl);
}

static void client_refuse(struct client *cl)
{
    client_answer(cl, STR("failed\n"), STR("error: the instance is shutting down\n"));
}

static void client_line(struct client *cl, struct str line)
{
    if (!str_eq(line, STR("reload"))) {
        client_answer(cl, STR("failed\n"), STR("unknown command: the only one is 'reload'\n"));
        return;
    }
    if (cl->control->is_ending) {
        client_refuse(cl);
        return;
    }
    cl->state = CLIENT_WAITS;
    cl->control->on_reload(cl->control);
}

static void client_on_ready(struct watch *w)
{
    struct client *cl = list_owner(w, struct client, watch);
    ssize_t got = recv(w->fd, cl->line + cl->n, sizeof(cl->line) - cl->n, MSG_DONTWAIT);
    const char *end;

    w->ready = 0;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || cl->state != CLIENT_TALKS) {
        client_close(cl);
        return;
    }
    cl->n += (size_t)got;
    end = memchr(cl->line, '\n', cl->n);
    if (end != NULL)
        client_line(cl, (struct str){cl->line, (size_t)(end - cl->line)});
    else if (cl->n == sizeof(cl->line))
        client_close(cl);
}

/* Who waits for an answer keeps its place: it would take the end of the connection for our end. */
static bool has_room(struct control *c)
{
    if (c->n_clients < CONTROL_CLIENTS_MAX)
        return true;
    list_each(at, keep, &c->clients)
    {
        struct client *cl = list_owner(at, struct client, link);

        if (cl->state == CLIENT_TALKS && loop_now(c->loop) - cl->came_ms >= SILENT_MS) {
            client_close(cl);
            return true;
        }
    }
    return false;
}

static void accept_one(struct control *c, int fd)
{
    struct client *cl = memory_get(sizeof(*cl));

    if (cl == NULL) {
        close(fd);
        return;
    }
    *cl =
        (struct client){.control = c, .came_ms = loop_now(c->loop), .grave = {.bury = client_bury}};
    list_init(&cl->grave.link);
    list_init(&cl->link);
    watch_init(&cl->watch, fd, true, client_on_ready);
    cl->watch.want = EVENT_IN;
    list_push_back(&c->clients, &cl->link);
    c->n_clients++;
    if (!watch_register(c->loop, &cl->watch))
        client_close(cl);
}

static void control_on_ready(struct watch *w)
{
    struct control *c = list_owner(w, struct control, watch);
    struct addr peer;
    int fd;

    w->ready = 0;
    if (!has_room(c)) {
        accept_pause(c);
        return;
    }
    switch (sock_accept(w->fd, &fd, &peer)) {
    case SOCK_ACCEPT_OK: accept_one(c, fd); return;
    case SOCK_ACCEPT_NO_FD: accept_pause(c); return;
    case SOCK_ACCEPT_AGAIN:
    case SOCK_ACCEPT_FAILED: return;
    }
}

/* --- the socket --- */

bool control_open(struct control *c, struct loop *loop, const char *pid_path,
                  void (*on_reload)(struct control *c))
{
    int fd;

    *c = (struct control){.on_reload = on_reload};
    list_init(&c->clients);
    timer_init(&c->accept_again, accept_again_fired);
    if (!control_addr(pid_path, &c->addr)) {
        errno = ENAMETOOLONG;
        return false;
    }
    fd = sock_listen(&c->addr, CONTROL_CLIENTS_MAX, true, 0600);
    if (fd < 0)
        return false;
    sock_path_identity(&c->addr, &c->identity);
    watch_init(&c->watch, fd, true, control_on_ready);
    c->watch.want = EVENT_IN;
    if (!watch_register(loop, &c->watch)) {
        close(fd);
        return false;
    }
    c->loop = loop;
    return true;
}

void control_renew(struct control *c, struct report *report)
{
    char text[WARNING_MAX_BYTES];
    int fd;

    if (c->loop == NULL || sock_is_at_path(&c->addr, &c->identity))
        return;
    fd = sock_listen(&c->addr, CONTROL_CLIENTS_MAX, true, 0600);
    if (fd < 0) {
        snprintf(text, sizeof(text), "cannot listen at %s: %s", c->addr.at.un.sun_path,
                 strerror(errno));
        report_warning(report, text);
        return;
    }
    sock_path_identity(&c->addr, &c->identity);
    watch_remove(c->loop, &c->watch);
    close(c->watch.fd);
    c->watch.fd = fd;
    accept_resume(c);
}

void control_close(struct control *c)
{
    if (c->loop == NULL)
        return;
    list_each(at, keep, &c->clients) client_close(list_owner(at, struct client, link));
    loop_timer_remove(c->loop, &c->accept_again);
    watch_remove(c->loop, &c->watch);
    close(c->watch.fd);
    sock_unlink(&c->addr, &c->identity);
    c->loop = NULL;
}

/* --- what is asked, and answered --- */

bool control_is_asked(const struct control *c)
{
    if (c->loop == NULL)
        return false;
    list_each(at, keep, (struct list *)(uintptr_t)&c->clients)
    {
        if (list_owner(at, struct client, link)->state == CLIENT_WAITS)
            return true;
    }
    return false;
}

void control_begin(struct control *c)
{
    if (c->loop == NULL)
        return;
    list_each(at, keep, &c->clients)
    {
        struct client *cl = list_owner(at, struct client, link);

        if (cl->state == CLIENT_WAITS)
            cl->state = CLIENT_TAKEN;
    }
}

void control_answer(struct control *c, bool is_done, const struct report *report)
{
    if (c->loop == NULL)
        return;
    list_each(at, keep, &c->clients)
    {
        struct client *cl = list_owner(at, struct client, link);

        if (cl->state == CLIENT_TAKEN)
            client_answer(cl, is_done ? STR("done\n") : STR("failed\n"),
                          (struct str){report->text, report->n});
    }
}

void control_end(struct control *c)
{
    c->is_ending = true;
    if (c->loop == NULL)
        return;
    list_each(at, keep, &c->clients)
    {
        struct client *cl = list_owner(at, struct client, link);

        if (cl->state != CLIENT_TALKS)
            client_refuse(cl);
    }
}

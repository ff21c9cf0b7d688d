/*
 * resources - what the master holds open for all workers.
 */
#include "proc/resources.h"

#include "base/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void resources_init(struct resources *r, const struct opener *opener, unsigned n_rows)
{
    *r = (struct resources){.opener = opener, .n_rows = n_rows};
    list_init(&r->all);
}

static void resource_unlink_path(struct resource *s)
{
    if (s->unlinks)
        sock_unlink(&s->addr, &s->identity);
    s->unlinks = false;
}

static void resource_close(struct resource *s)
{
    list_unlink(&s->link);
    resource_unlink_path(s);
    if (s->sink != NULL)
        log_close(s->sink); /* with its descriptor */
    else
        for (size_t i = 0; i < s->n_fds; i++)
            close(s->fds[i]);
    ledger_unmap(s->ledger);
    memory_put(s);
}

void resources_reset(struct resources *r)
{
    list_each(at, keep, &r->all) resource_close(list_owner(at, struct resource, link));
}

static struct resource *resource_find(const struct resources *r, enum resource_kind kind,
                                      enum log_kind log_kind, struct str name)
{
    list_each(at, keep, (struct list *)(uintptr_t)&r->all)
    {
        struct resource *s = list_owner(at, struct resource, link);

        if (s->kind == kind && s->log_kind == log_kind && !s->is_left &&
            str_eq((struct str){s->name, s->name_n}, name))
            return s;
    }
    return NULL;
}

/* One without descriptors; NULL without memory. */
static struct resource *resource_new(struct resources *r, enum resource_kind kind, struct str name)
{
    struct resource *s = memory_get(sizeof(*s) + name.n + 1);

    if (s == NULL)
        return NULL;
    *s = (struct resource){.kind = kind, .is_new = true, .is_kept = true, .name_n = name.n};
    if (name.n > 0)
        memcpy(s->name, name.p, name.n);
    s->name[name.n] = '\0';
    list_push_front(&r->all, &s->link); /* before an old one of the same name */
    return s;
}

/* Close what could not be completed, and keep errno. */
static bool resource_fail(struct resource *s)
{
    int saved = errno;

    resource_close(s);
    errno = saved;
    return false;
}

/* --- opening --- */

/* Sockets that the commit will close, and whose port a new one has to have before. */
static size_t leaving_with_port(const struct resources *r, unsigned port, int fds[SOCK_BESIDE_MAX])
{
    size_t n = 0;

    list_each(at, keep, (struct list *)(uintptr_t)&r->all)
    {
        const struct resource *s = list_owner(at, struct resource, link);

        if (s->kind == RESOURCE_BIND && !s->is_kept && port != 0 && addr_port(&s->addr) == port &&
            n < SOCK_BESIDE_MAX)
            fds[n++] = s->fds[0];
    }
    return n;
}

/* It listens from the commit on: until then its clients are those of the socket that it replaces.
 */
static int bind_beside(const struct resources *r, struct resource *s, const struct addr *addr)
{
    int leaving[SOCK_BESIDE_MAX];
    size_t n = leaving_with_port(r, addr_port(addr), leaving);

    s->listens_late = n > 0;
    return n > 0 ? sock_bind_beside(addr, leaving, n) : -1;
}

static bool open_bind(struct resources *r, const struct config_bind *b)
{
    struct resource *s = resource_new(r, RESOURCE_BIND, b->text);
    int fd = s == NULL ? -1 : r->opener->bind(r->opener, b);

    if (s == NULL)
        return false;
    if (fd < 0 && errno == EADDRINUSE)
        fd = bind_beside(r, s, &b->addr);
    if (fd < 0)
        return resource_fail(s);
    s->fds[s->n_fds++] = fd;
    s->addr = b->addr;
    s->unlinks = b->kind == BIND_SOCKET && b->addr.at.any.sa_family == AF_UNIX &&
                 sock_path_identity(&b->addr, &s->identity);
    return true;
}

/* A unix socket whose file was removed is made anew: the old one is closed at the commit. */
static bool bind_is_there(const struct resource *s)
{
    return !s->unlinks || sock_is_at_path(&s->addr, &s->identity);
}

static void keep_binds(struct resources *r, const struct config_frontend *f)
{
    for (size_t i = 0; i < f->n_binds; i++) {
        struct resource *s = resource_find(r, RESOURCE_BIND, 0, f->binds[i].text);

        if (s != NULL && bind_is_there(s))
            s->is_kept = true;
    }
}

/* What stays is marked (keep_binds): what does not may have the port of a new one. */
static void prepare_binds(struct resources *r, const struct config_frontend *f,
                          struct generation_errors *errors)
{
    for (size_t i = 0; i < f->n_binds; i++) {
        const struct config_bind *b = &f->binds[i];
        struct resource *s = resource_find(r, RESOURCE_BIND, 0, b->text);

        if ((s == NULL || !s->is_kept) && !open_bind(r, b))
            generation_bind_error(errors, b);
    }
}

static bool open_log(struct resources *r, const struct config_log *log)
{
    struct resource *s = resource_new(r, RESOURCE_LOG, log->where);

    if (s == NULL)
        return false;
    s->log_kind = log->kind;
    s->sink = r->opener->log(r->opener, log);
    if (s->sink == NULL)
        return resource_fail(s);
    opener_give_log(r->opener, s->sink);
    s->fds[s->n_fds++] = log_fd(s->sink);
    return true;
}

static void prepare_log(struct resources *r, const struct config_log *log,
                        struct generation_errors *errors)
{
    struct resource *s;

    if (log == NULL)
        return;
    s = resource_find(r, RESOURCE_LOG, log->kind, log->where);
    if (s != NULL)
        s->is_kept = true;
    else if (!open_log(r, log))
        generation_error(errors, NULL, "cannot open log '%.*s': %s", STR_ARG(log->where),
                         strerror(errno));
}

/* The spool of that very directory, under whatever name: one that has been left, most likely. */
static const struct resource *find_directory(const struct resources *r, const struct stat *st)
{
    list_each(at, keep, (struct list *)(uintptr_t)&r->all)
    {
        const struct resource *s = list_owner(at, struct resource, link);

        if (s->ledger != NULL && s->device == st->st_dev && s->inode == st->st_ino)
            return s;
    }
    return NULL;
}

/* A directory has one ledger, as long as there is a body in it. */
static int open_ledger(const struct resources *r, struct resource *s)
{
    const struct resource *same;
    struct stat st;

    if (fstat(s->fds[0], &st) != 0)
        return -1;
    s->device = st.st_dev;
    s->inode = st.st_ino;
    same = find_directory(r, &st);
    if (same != NULL)
        return fcntl(same->fds[1], F_DUPFD_CLOEXEC, 0);
    return ledger_make(r->n_rows, spool_directory_quota(s->fds[0]));
}

static bool open_spool(struct resources *r, const struct config_spool *spool)
{
    struct spool_setup setup = opener_store_setup(r->opener, spool);
    struct resource *s = resource_new(r, RESOURCE_SPOOL, spool->path);
    int fd;

    if (s == NULL)
        return false;
    fd = spool_directory_open(&setup);
    if (fd < 0)
        return resource_fail(s);
    s->fds[s->n_fds++] = fd;
    fd = open_ledger(r, s);
    if (fd < 0)
        return resource_fail(s);
    s->fds[s->n_fds++] = fd;
    s->ledger = ledger_map(fd);
    if (s->ledger == NULL)
        return resource_fail(s);
    opener_warn_of_store(spool, s->fds[0]);
    return true;
}

/* A directory that somebody has removed is made anew, and one that is there in its place is taken:
 * the old one is left at the commit. */
static void prepare_spool(struct resources *r, const struct config_spool *spool,
                          struct generation_errors *errors)
{
    struct resource *s = resource_find(r, RESOURCE_SPOOL, 0, spool->path);

    if (s != NULL && spool_directory_is_at(s->fds[0], s->name)) {
        s->is_kept = true;
        return;
    }
    if (!open_spool(r, spool))
        generation_spool_error(errors, r->opener, spool);
}

/*
 * A path of files means what is there now: it is opened anew by every reload. Where we may not look
 * any more, the old one goes on.
 */
static void prepare_directory(struct resources *r, const struct config_directory *d,
                              struct generation_errors *errors)
{
    struct resource *old = resource_find(r, RESOURCE_DIRECTORY, 0, d->path);
    int fd = old != NULL && old->is_new ? -1 : r->opener->directory(r->opener, d->path);
    struct resource *s = NULL;

    if (old != NULL && (old->is_new || (fd < 0 && errno == EACCES))) {
        old->is_kept = true;
        return;
    }
    if (fd >= 0)
        s = resource_new(r, RESOURCE_DIRECTORY, d->path);
    if (s != NULL) {
        s->fds[s->n_fds++] = fd;
        return;
    }
    generation_error(errors, &d->place, "cannot serve files of '%.*s': %s", STR_ARG(d->path),
                     errno == ENOSYS ? "this kernel has no openat2(2)" : strerror(errno));
    if (fd >= 0)
        close(fd);
}

bool resources_prepare(struct resources *r, const struct config *c,
                       struct generation_errors *errors)
{
    unsigned before = errors->n;

    list_each(at, keep, &r->all) list_owner(at, struct resource, link)->is_kept = false;
    prepare_log(r, &c->global.log, errors);
    for (size_t i = 0; i < c->n_frontends; i++) {
        const struct config_frontend *f = &c->frontends[i];

        prepare_log(r, f->policy->access_log, errors);
        for (size_t j = 0; j < f->n_routes; j++)
            prepare_log(r, f->routes[j]->policy->access_log, errors);
    }
    for (size_t i = 0; i < c->n_spools; i++)
        prepare_spool(r, &c->spools[i], errors);
    for (size_t i = 0; i < c->n_directories; i++)
        prepare_directory(r, &c->directories[i], errors);
    for (size_t i = 0; i < c->n_frontends; i++)
        keep_binds(r, &c->frontends[i]);
    for (size_t i = 0; i < c->n_frontends; i++)
        prepare_binds(r, &c->frontends[i], errors);
    return errors->n == before;
}

void resources_cancel(struct resources *r)
{
    list_each(at, keep, &r->all)
    {
        struct resource *s = list_owner(at, struct resource, link);

        if (s->is_new)
            resource_close(s);
    }
}

/* --- going on --- */

static void listen_late(const struct resources *r, struct resource *s, const struct config_bind *b)
{
    int leaving[SOCK_BESIDE_MAX];
    size_t n = leaving_with_port(r, addr_port(&b->addr), leaving);

    s->listens_late = false;
    opener_listen_late(s->fds[0], b, leaving, n);
}

static void adjust_binds(struct resources *r, const struct config_frontend *f)
{
    for (size_t i = 0; i < f->n_binds; i++) {
        const struct config_bind *b = &f->binds[i];
        struct resource *s = resource_find(r, RESOURCE_BIND, 0, b->text);

        if (s != NULL && s->listens_late)
            listen_late(r, s, b);
        else if (s != NULL && !s->is_new)
            opener_adjust_bind(s->fds[0], b, s->unlinks);
    }
}

/* Requests that began before may use it for as long as they last. */
static bool may_be_left(const struct resource *s)
{
    return s->ledger != NULL || (s->kind == RESOURCE_LOG && s->log_kind == LOG_FILE);
}

/* The workers let in who waits in the queue: nobody is to come behind them. Not at an inherited
 * socket, which somebody else may listen on. */
static void ignore_new_clients(const struct resource *s)
{
    if (s->kind == RESOURCE_BIND && addr_port(&s->addr) != 0)
        sock_ignore_new(s->fds[0]);
}

void resources_commit(struct resources *r, const struct config *c)
{
    for (size_t i = 0; i < c->n_frontends; i++)
        adjust_binds(r, &c->frontends[i]); /* first: who takes over a port misses no client */
    list_each(at, keep, &r->all)
    {
        struct resource *s = list_owner(at, struct resource, link);

        s->is_new = false;
        s->is_left = s->is_left || (!s->is_kept && may_be_left(s));
        if (s->is_kept || s->is_left)
            continue;
        ignore_new_clients(s);
        resource_close(s);
    }
}

/* Is it named again, and that decided? Then the ledger is no longer its alone. */
static bool has_successor(const struct resources *r, const struct resource *left)
{
    list_each(at, keep, (struct list *)(uintptr_t)&r->all)
    {
        const struct resource *s = list_owner(at, struct resource, link);

        if (s->ledger != NULL && !s->is_left && !s->is_new && s->device == left->device &&
            s->inode == left->inode)
            return true;
    }
    return false;
}

static bool is_of_use(const struct resources *r, const struct resource *left,
                      bool has_old_generations)
{
    if (left->kind == RESOURCE_LOG)
        return has_old_generations;
    return !ledger_is_empty(left->ledger) && !has_successor(r, left);
}

bool resources_sweep(struct resources *r, bool has_old_generations)
{
    bool is_more = false;

    list_each(at, keep, &r->all)
    {
        struct resource *s = list_owner(at, struct resource, link);

        if (s->is_left && !is_of_use(r, s, has_old_generations))
            resource_close(s);
        else
            is_more = is_more || s->is_left;
    }
    return is_more;
}

/* As listeners_drain says, a client that comes now is better off without an answer for a second. */
void resources_close_binds(struct resources *r)
{
    list_each(at, keep, &r->all)
    {
        struct resource *s = list_owner(at, struct resource, link);

        if (s->kind != RESOURCE_BIND)
            continue;
        ignore_new_clients(s);
        resource_close(s);
    }
}

struct log_sink *resources_log(const struct resources *r, const struct config_log *log)
{
    struct resource *s = resource_find(r, RESOURCE_LOG, log->kind, log->where);

    return s == NULL ? NULL : s->sink;
}

void resources_reopen_logs(struct resources *r,
                           void (*renewed)(void *to, const struct resource *log), void *to)
{
    list_each(at, keep, &r->all)
    {
        struct resource *s = list_owner(at, struct resource, link);

        if (s->kind != RESOURCE_LOG || s->log_kind != LOG_FILE)
            continue;
        if (!log_reopen(s->sink)) {
            log_message(LOG_ERROR, "cannot reopen log '%s': %s; the old file is written on",
                        s->name, strerror(errno));
            continue;
        }
        opener_give_log(r->opener, s->sink);
        s->fds[0] = log_fd(s->sink);
        renewed(to, s);
    }
}

void resources_clear_row(struct resources *r, unsigned row)
{
    list_each(at, keep, &r->all)
    {
        struct resource *s = list_owner(at, struct resource, link);

        if (s->ledger != NULL)
            ledger_clear(s->ledger, row);
    }
}

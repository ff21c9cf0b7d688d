/*
 * generation - a configuration bound to the live objects that it names.
 */
#include "proxy/generation.h"

#include "base/panic.h"
#include "base/pool.h"
#include "proxy/opener.h"
#include "proxy/server.h"
#include "proxy/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERROR_TEXT_MAX 512

void generation_error(struct generation_errors *errors, const struct config_place *place,
                      const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    errors->n++;
    if (place != NULL && place->line == 0)
        place = NULL; /* what is built in stands in no file */
    if (errors->failed != NULL)
        errors->failed(errors->to, place, text);
}

void generation_bind_error(struct generation_errors *errors, const struct config_bind *b)
{
    int error = errno;
    struct str name = str_slice(b->text, 3, b->text.n); /* behind fd@ */

    if (b->kind == BIND_FD && error == ENOENT)
        generation_error(errors, &b->place,
                         "cannot listen on '%.*s': no inherited socket is called '%.*s'",
                         STR_ARG(b->text), STR_ARG(name));
    else if (b->kind == BIND_FD && error == EBADF)
        generation_error(errors, &b->place,
                         "cannot listen on '%.*s': not inherited, or closed at the start, since "
                         "nothing named it",
                         STR_ARG(b->text));
    else
        generation_error(errors, &b->place, "cannot listen on '%.*s': %s", STR_ARG(b->text),
                         strerror(error));
}

/* Is it the owner of the spool's directory that is in the way? */
static bool spool_is_of_another(const struct opener *o, const struct config_spool *spool,
                                struct stat *st)
{
    return errno == EACCES && o->start != NULL && o->start->has_user &&
           stat(spool->path.p, st) == 0 && st->st_uid != o->start->uid;
}

void generation_spool_error(struct generation_errors *errors, const struct opener *o,
                            const struct config_spool *spool)
{
    int error = errno;
    struct stat st;

    if (!spool_is_of_another(o, spool, &st)) {
        generation_error(errors, &spool->place, "cannot use spool '%.*s' at '%.*s': %s",
                         STR_ARG(spool->name), STR_ARG(spool->path), strerror(error));
        return;
    }
    /* A number: a worker opens no file to find a name. */
    generation_error(errors, &spool->place,
                     "cannot use spool '%.*s' at '%.*s': it belongs to user number %u, and user "
                     "%.*s may not write to it: chown it, or choose another path",
                     STR_ARG(spool->name), STR_ARG(spool->path), (unsigned)st.st_uid,
                     STR_ARG(o->start->user));
}

static struct log_ref *log_ref_open(const struct opener *o, const struct config_log *log)
{
    struct log_ref *r = memory_get(sizeof(*r));

    if (r == NULL)
        return NULL;
    r->refs = 1;
    r->sink = o->log(o, log);
    if (r->sink == NULL) {
        int saved = errno;

        memory_put(r);
        errno = saved;
        return NULL;
    }
    return r;
}

static void log_ref_drop(struct log_ref *r)
{
    if (r == NULL || --r->refs > 0)
        return;
    log_close(r->sink);
    memory_put(r);
}

static struct log_ref *log_find(const struct generation *g, const struct config_log *log)
{
    for (size_t i = 0; g != NULL && i < g->n_logs; i++)
        if (log_is(g->logs[i]->sink, log->kind, log->where))
            return g->logs[i];
    return NULL;
}

struct log_sink *generation_log(const struct generation *g, const struct config_log *log)
{
    struct log_ref *r = log == NULL ? NULL : log_find(g, log);

    return r == NULL ? NULL : r->sink;
}

static bool bind_log(struct generation *g, const struct config_log *log,
                     const struct generation *before, struct generation_errors *errors)
{
    const struct opener *opener = g->worker->opener;
    struct log_ref **logs;
    struct log_ref *r;

    if (log == NULL || log_find(g, log) != NULL)
        return true;
    logs = memory_resize(g->logs, (g->n_logs + 1) * sizeof(struct log_ref *));
    if (logs == NULL)
        return false;
    g->logs = logs;
    r = log_find(before, log);
    if (r != NULL)
        r->refs++;
    else
        r = log_ref_open(opener, log);
    if (r != NULL && r->refs == 1 && opener->is_owner)
        opener_give_log(opener, r->sink);
    if (r == NULL) {
        generation_error(errors, NULL, "cannot open log '%.*s': %s", STR_ARG(log->where),
                         strerror(errno));
        return false;
    }
    g->logs[g->n_logs++] = r;
    return true;
}

static bool bind_logs(struct generation *g, const struct generation *before,
                      struct generation_errors *errors)
{
    const struct config *c = g->config;
    bool ok = bind_log(g, &c->global.log, before, errors);

    for (size_t i = 0; i < c->n_frontends; i++) {
        const struct config_frontend *f = &c->frontends[i];

        ok &= bind_log(g, f->policy->access_log, before, errors);
        for (size_t j = 0; j < f->n_routes; j++)
            ok &= bind_log(g, f->routes[j]->policy->access_log, before, errors);
    }
    return ok;
}

/*
 * The store of that directory, of whatever generation: one that was removed lives on with the
 * bodies that it holds, and what they take counts where it comes back.
 */
static struct spool_store *store_find(const struct worker *w, struct str path)
{
    list_each(at, keep, (struct list *)(uintptr_t)&w->generations)
    {
        const struct generation *g = list_owner(at, struct generation, link);

        for (size_t i = 0; i < g->config->n_spools; i++)
            if (str_eq(spool_store_path(g->stores[i]), path) &&
                w->opener->keeps_store(w->opener, g->stores[i]))
                return g->stores[i];
    }
    return NULL;
}

/* Spools of one directory are one store: what is promised there is promised once. */
static struct spool_store *store_of_path(const struct generation *g, size_t n, struct str path)
{
    for (size_t i = 0; i < n; i++)
        if (g->stores[i] != NULL && str_eq(spool_store_path(g->stores[i]), path))
            return g->stores[i];
    return NULL;
}

static bool bind_stores(struct generation *g, struct generation_errors *errors)
{
    const struct opener *opener = g->worker->opener;
    const struct config *c = g->config;
    bool ok = true;

    g->stores = memory_get((c->n_spools + 1) * sizeof(struct spool_store *));
    if (g->stores == NULL)
        return false;
    for (size_t i = 0; i < c->n_spools; i++)
        g->stores[i] = NULL;
    for (size_t i = 0; i < c->n_spools; i++) {
        const struct config_spool *spool = &c->spools[i];
        struct spool_setup setup = opener_store_setup(opener, spool);
        struct spool_store *known = store_of_path(g, i, spool->path);

        if (known == NULL)
            known = store_find(g->worker, spool->path);
        g->stores[i] = known != NULL ? spool_store_ref(known) : opener->store(opener, &setup);
        if (g->stores[i] == NULL) {
            generation_spool_error(errors, opener, spool);
            ok = false;
        } else if (known == NULL && opener->is_owner) {
            opener_warn_of_store(spool, spool_store_directory(g->stores[i]));
        }
    }
    return ok;
}

/*
 * Open a directory of files. A path means what is there now: a tree that was replaced is seen after
 * a reload. Where we may not look any more (rights were dropped), the one of `before` goes on.
 */
static int directory_bind(const struct opener *o, const struct config_directory *d,
                          const struct generation *before)
{
    int fd = o->directory(o, d->path);

    if (fd >= 0 || errno != EACCES || before == NULL)
        return fd;
    for (size_t i = 0; i < before->config->n_directories; i++)
        if (str_eq(before->config->directories[i].path, d->path))
            return fcntl(before->directories[i], F_DUPFD_CLOEXEC, 0);
    return -1;
}

static bool bind_directories(struct generation *g, const struct generation *before,
                             struct generation_errors *errors)
{
    const struct config *c = g->config;
    bool ok = true;

    g->directories = memory_get((c->n_directories + 1) * sizeof(int));
    if (g->directories == NULL)
        return false;
    for (size_t i = 0; i < c->n_directories; i++) {
        const struct config_directory *d = &c->directories[i];

        g->directories[i] = directory_bind(g->worker->opener, d, before);
        if (g->directories[i] >= 0)
            continue;
        generation_error(errors, &d->place, "cannot serve files of '%.*s': %s", STR_ARG(d->path),
                         errno == ENOSYS ? "this kernel has no openat2(2)" : strerror(errno));
        ok = false;
    }
    return ok;
}

static bool bind_backends(struct generation *g, struct generation_errors *errors)
{
    const struct config *c = g->config;

    g->backends = memory_get((c->n_backends + 1) * sizeof(struct backend_state *));
    if (g->backends == NULL)
        return false;
    for (size_t i = 0; i < c->n_backends; i++)
        g->backends[i] = NULL;
    for (size_t i = 0; i < c->n_backends; i++) {
        g->backends[i] = backend_state_get(g->worker, c->backends[i].name);
        if (g->backends[i] == NULL) {
            generation_error(errors, &c->backends[i].place, "out of memory");
            return false;
        }
    }
    return true;
}

struct generation *generation_new(struct worker *w, struct config *c, struct generation *before,
                                  struct generation_errors *errors)
{
    struct generation *g = memory_get(sizeof(*g));
    bool ok;

    if (g == NULL) {
        generation_error(errors, NULL, "out of memory");
        return NULL;
    }
    *g = (struct generation){.refs = 1, .worker = w, .config = config_ref(c)};
    list_init(&g->link);
    ok = bind_logs(g, before, errors);
    ok &= bind_stores(g, errors);
    ok &= bind_directories(g, before, errors);
    ok &= bind_backends(g, errors);
    if (ok) {
        list_push_front(&w->generations, &g->link);
        row_add(&w->row->n_generations, 1);
        return g;
    }
    if (errors->n == 0)
        generation_error(errors, NULL, "out of memory");
    generation_unref(g);
    return NULL;
}

struct generation *generation_ref(struct generation *g)
{
    g->refs++;
    return g;
}

void generation_unref(struct generation *g)
{
    if (g == NULL || --g->refs > 0)
        return;
    if (!list_is_empty(&g->link))
        row_add(&g->worker->row->n_generations, (uint64_t)-1);
    list_unlink(&g->link);
    for (size_t i = 0; g->backends != NULL && i < g->config->n_backends; i++)
        backend_state_unref(g->backends[i]);
    for (size_t i = 0; g->stores != NULL && i < g->config->n_spools; i++)
        spool_store_unref(g->stores[i]);
    for (size_t i = 0; g->directories != NULL && i < g->config->n_directories; i++)
        if (g->directories[i] >= 0)
            close(g->directories[i]);
    for (size_t i = 0; i < g->n_logs; i++)
        log_ref_drop(g->logs[i]);
    memory_put(g->backends);
    memory_put(g->stores);
    memory_put(g->directories);
    memory_put(g->logs);
    config_unref(g->config);
    memory_put(g);
}

struct spool_store *generation_store(const struct generation *g, const struct config_spool *spool)
{
    size_t index = (size_t)(spool - g->config->spools);

    assert(index < g->config->n_spools);
    return g->stores[index];
}

void generation_reopen_logs(struct generation *g)
{
    for (size_t i = 0; i < g->n_logs; i++)
        if (!log_reopen(g->logs[i]->sink))
            log_message(LOG_ERROR, "cannot reopen log '%s': %s; the old file is written on",
                        log_name(g->logs[i]->sink), strerror(errno));
}

void generation_renew_log(struct generation *g, enum log_kind kind, struct str where, int fd)
{
    const struct config_log log = {kind, where};
    struct log_ref *r = log_find(g, &log);

    if (r != NULL && !log_renew(r->sink, fd))
        log_message(LOG_ERROR, "cannot reopen log '%s': %s; the old file is written on",
                    log_name(r->sink), strerror(errno));
}

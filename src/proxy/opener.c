/*
 * opener - the one seam between a generation and what it opens.
 */
#include "proxy/opener.h"

#include "io/directory.h"
#include "io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A copy is adopted: the inherited descriptor stays for a later bind that names it again. */
static int adopt_copy(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    int saved;

    if (copy < 0 || sock_adopt(copy) >= 0)
        return copy;
    saved = errno;
    close(copy);
    errno = saved;
    return -1;
}

static int paths_bind(const struct opener *o, const struct config_bind *b)
{
    (void)o;
    return b->kind == BIND_FD ? adopt_copy(b->fd)
                              : sock_listen(&b->addr, b->backlog, b->has_mode, b->mode);
}

/* But for the file of a unix socket, which the listener looks for, nobody can take it from us. */
static bool paths_keep_bind(const struct opener *o, const struct config_bind *b, int known)
{
    (void)o;
    (void)b;
    (void)known;
    return true;
}

static struct log_sink *paths_log(const struct opener *o, const struct config_log *log)
{
    (void)o;
    return log_open(log->kind, log->where);
}

static bool paths_keep_store(const struct opener *o, const struct spool_store *known)
{
    (void)o;
    return spool_directory_is_at(spool_store_directory(known), spool_store_path(known).p);
}

static int paths_directory(const struct opener *o, struct str path)
{
    (void)o;
    return directory_open(path.p); /* NUL-terminated, as every text of an arena */
}

static struct spool_store *paths_store(const struct opener *o, const struct spool_setup *setup)
{
    (void)o;
    return spool_store_open(setup);
}

const struct opener opener_paths = {
    .is_owner = true,
    .bind = paths_bind,
    .keeps_bind = paths_keep_bind,
    .log = paths_log,
    .keeps_store = paths_keep_store,
    .directory = paths_directory,
    .store = paths_store,
};

struct spool_setup opener_store_setup(const struct opener *o, const struct config_spool *spool)
{
    bool has_owner = o->start != NULL && o->start->has_user;
    struct spool_setup setup = {
        .path = spool->path,
        .n_levels = spool->n_levels,
        .has_quota = spool->has_quota,
        .quota_bytes = spool->quota_bytes,
        .reserve_bytes = spool->reserve_bytes,
        .has_owner = has_owner,
        .uid = has_owner ? o->start->uid : 0,
        .gid = has_owner ? o->start->gid : 0,
    };

    memcpy(setup.levels, spool->levels, sizeof(setup.levels));
    return setup;
}

void opener_adjust_bind(int fd, const struct config_bind *b, bool owns_path)
{
    if (b->kind != BIND_SOCKET)
        return;
    if (listen(fd, (int)b->backlog) != 0 ||
        (b->has_mode && owns_path && chmod(b->addr.at.un.sun_path, b->mode) != 0))
        log_message(LOG_WARNING, "reload: cannot change backlog or mode of '%.*s': %s",
                    STR_ARG(b->text), strerror(errno));
}

void opener_listen_late(int fd, const struct config_bind *b, const int *others, size_t n_others)
{
    if (!sock_listen_beside(fd, b->backlog, others, n_others))
        log_message(LOG_ERROR, "reload: cannot listen on '%.*s': %s", STR_ARG(b->text),
                    strerror(errno));
}

void opener_give_log(const struct opener *o, const struct log_sink *sink)
{
    const struct config_global *g = o->start;

    if (g != NULL && g->has_user && geteuid() == 0 && !log_give(sink, g->uid, g->gid))
        log_message(LOG_WARNING, "cannot give log '%s' to user %.*s: %s", log_name(sink),
                    STR_ARG(g->user), strerror(errno));
}

void opener_warn_of_store(const struct config_spool *spool, int dir_fd)
{
    const char *doubt = spool_directory_doubt(dir_fd);

    if (doubt != NULL)
        log_message(LOG_WARNING, "spool %.*s at %.*s: %s", STR_ARG(spool->name),
                    STR_ARG(spool->path), doubt);
}

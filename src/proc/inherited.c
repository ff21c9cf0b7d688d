/*
 * inherited - descriptors that were open when the program started.
 */
#include "proc/inherited.h"

#include "base/pool.h"

#include <errno.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <unistd.h>

/* SD_LISTEN_FDS_START of sd_listen_fds(3). */
#define LISTEN_FIRST (STDERR_FILENO + 1)

static void read_activation(struct inherited *in)
{
    const char *count = getenv("LISTEN_FDS");
    const char *whose = getenv("LISTEN_PID");
    uint64_t n = 0;
    uint64_t pid = 0;

    in->named_first = LISTEN_FIRST;
    in->named_end = LISTEN_FIRST;
    if (count == NULL || whose == NULL || !str_to_u64(str_of(whose), INT32_MAX, &pid) ||
        pid != (uint64_t)getpid() || !str_to_u64(str_of(count), INT32_MAX / 2, &n))
        return; /* they were passed to somebody else, whose environment we have */
    in->named_end += (int)n;
    in->names = getenv("LISTEN_FDNAMES");
}

/* The first descriptor of that name; -1: none. */
static int find_name(const struct inherited *in, struct str name)
{
    struct str rest = str_of(in->names);

    for (int fd = in->named_first; fd < in->named_end && rest.n > 0; fd++) {
        const char *colon = memchr(rest.p, ':', rest.n);
        size_t n = colon == NULL ? rest.n : (size_t)(colon - rest.p);

        if (str_eq(str_slice(rest, 0, n), name))
            return fd;
        rest = str_slice(rest, n < rest.n ? n + 1 : n, rest.n);
    }
    return -1;
}

static int number_of(const struct inherited *in, const struct config_bind *b)
{
    return b->fd >= 0 ? b->fd : find_name(in, str_slice(b->text, 3, b->text.n)); /* fd@NAME */
}

static int compare_fds(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void close_others(const struct inherited *in)
{
    unsigned from = STDERR_FILENO + 1;

    for (size_t i = 0; i < in->n; i++) {
        unsigned kept = (unsigned)in->fds[i];

        if (kept > from)
            close_range(from, kept - 1, 0);
        if (kept >= from)
            from = kept + 1;
    }
    close_range(from, ~0u, 0);
}

bool inherited_keep(struct inherited *in, const struct config *c)
{
    size_t n_binds = 1;

    *in = (struct inherited){.fds = NULL};
    read_activation(in);
    for (size_t i = 0; i < c->n_frontends; i++)
        n_binds += c->frontends[i].n_binds;
    in->fds = memory_get(n_binds * sizeof(int));
    if (in->fds == NULL)
        return false;
    for (size_t i = 0; i < c->n_frontends; i++)
        for (size_t j = 0; j < c->frontends[i].n_binds; j++) {
            const struct config_bind *b = &c->frontends[i].binds[j];
            int fd = b->kind == BIND_FD ? number_of(in, b) : -1;

            if (fd >= 0)
                in->fds[in->n++] = fd;
        }
    qsort(in->fds, in->n, sizeof(int), compare_fds);
    close_others(in);
    return true;
}

void inherited_reset(struct inherited *in)
{
    memory_put(in->fds);
    in->fds = NULL;
    in->n = 0;
}

int inherited_find(const struct inherited *in, const struct config_bind *b)
{
    int fd = number_of(in, b);

    if (fd >= 0 && bsearch(&fd, in->fds, in->n, sizeof(int), compare_fds) != NULL)
        return fd;
    errno = fd < 0 ? ENOENT : EBADF;
    return -1;
}

static int inherited_bind(const struct opener *o, const struct config_bind *b)
{
    const struct inherited_opener *own = (const struct inherited_opener *)o;
    struct config_bind found = *b;

    if (b->kind == BIND_FD)
        found.fd = inherited_find(own->inherited, b);
    return b->kind == BIND_FD && found.fd < 0 ? -1 : opener_paths.bind(&opener_paths, &found);
}

void inherited_opener_init(struct inherited_opener *o, const struct inherited *in,
                           const struct config_global *start)
{
    *o = (struct inherited_opener){.opener = opener_paths, .inherited = in};
    o->opener.start = start;
    o->opener.bind = inherited_bind;
}

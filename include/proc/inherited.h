/*
 * inherited - descriptors that were open when the program started.
 *
 * Those that a `bind fd@N` or `bind fd@NAME` of the first configuration names are kept, for as long
 * as the process lives: a later configuration may name them again. All others are closed at the
 * start: a stray copy of somebody's socket would keep it open as long as we live. Names are those
 * of socket activation (sd_listen_fds(3)): $LISTEN_FDS, $LISTEN_FDNAMES, $LISTEN_PID.
 */
#ifndef HOLDFAST_PROC_INHERITED_H
#define HOLDFAST_PROC_INHERITED_H

#include "conf/config.h"
#include "proxy/opener.h"

struct inherited {
    int *fds; /* that are kept, ascending */
    size_t n;
    int named_first;   /* the first descriptor of socket activation */
    int named_end;     /* behind its last; named_first: there is none */
    const char *names; /* of those: joined by colons; NULL: they have none */
};

/* Keep what c names and close the rest above standard error. False: no memory. */
bool inherited_keep(struct inherited *in, const struct config *c);
void inherited_reset(struct inherited *in);

/* The kept descriptor of a BIND_FD; -1 with errno. EBADF: it was not there at the start, or was
 * closed; ENOENT: none has that name. */
int inherited_find(const struct inherited *in, const struct config_bind *b);

/* opener_paths, but that binds to descriptors are looked up here. */
struct inherited_opener {
    struct opener opener; /* first: the functions get its address */
    const struct inherited *inherited;
};
void inherited_opener_init(struct inherited_opener *o, const struct inherited *in,
                           const struct config_global *start);

#endif

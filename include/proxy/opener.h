/*
 * opener - the one seam between a generation and what it opens: sockets, logs, directories.
 *
 * opener_paths opens by path. A worker under a master opens nothing by path: its opener (proc/)
 * finds by name the descriptors that the master has opened and sent.
 */
#ifndef HOLDFAST_PROXY_OPENER_H
#define HOLDFAST_PROXY_OPENER_H

#include "base/log.h"
#include "conf/config.h"
#include "io/spool.h"

struct opener {
    /* What it opens is ours alone: files of sockets are ours to remove and to change, new logs to
     * give to the configured user, doubts about a directory to tell. */
    bool is_owner;

    /* What has the `user` who serves, and whom new logs and directories are given to: that of the
     * configuration that the process started with, whatever a later one says. NULL: it stays who it
     * is. */
    const struct config_global *start;

    /* A listening socket, the caller's; -1 with errno. */
    int (*bind)(const struct opener *o, const struct config_bind *b);

    /* Is the socket that an older generation has of this bind still the one to be used? */
    bool (*keeps_bind)(const struct opener *o, const struct config_bind *b, int known);

    /* A log, the caller's; NULL with errno. */
    struct log_sink *(*log)(const struct opener *o, const struct config_log *log);

    /* Is a store of the same path, which an older generation has, still the one to be used? */
    bool (*keeps_store)(const struct opener *o, const struct spool_store *known);

    /* The descriptor of a directory of files (io/directory.h), the caller's; -1 with errno. */
    int (*directory)(const struct opener *o, struct str path);

    /* A store, the caller's; NULL with errno. */
    struct spool_store *(*store)(const struct opener *o, const struct spool_setup *setup);
};

extern const struct opener opener_paths;

/* What spool_store_open wants to know of this spool. */
struct spool_setup opener_store_setup(const struct opener *o, const struct config_spool *spool);

/*
 * What a living bind may take over from a new configuration: backlog, and the mode of the socket's
 * file where that is ours (`owns_path`). Logs what fails.
 */
void opener_adjust_bind(int fd, const struct config_bind *b, bool owns_path);

/* The second half of sock_bind_beside, at the commit. Logs what fails: somebody else has come to
 * listen there since. */
void opener_listen_late(int fd, const struct config_bind *b, const int *others, size_t n_others);

/* Give a new log to the user who serves, while we are root: whoever we shall be has to open it anew
 * one day. Logs what fails. */
void opener_give_log(const struct opener *o, const struct log_sink *sink);

/* Log what is dubious about a spool's directory. */
void opener_warn_of_store(const struct config_spool *spool, int dir_fd);

#endif

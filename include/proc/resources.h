/*
 * resources - what the master holds open for all workers: sockets, logs, spools, directories of
 * files.
 *
 * A resource is known by its kind and name (the bind's text, the log's place, the path of a spool
 * or directory) and lives as long as configurations name it. A reload opens what is new first
 * (resources_prepare), which may fail and then changes nothing; then either half of it is undone
 * (resources_cancel), or what is no longer named is closed (resources_commit).
 *
 * What requests that are under way still need stays (resources_sweep): a log file, to be reopened
 * with the others; a spool, until its last body has gone, so that what is in it still counts where
 * the same directory is named again meanwhile.
 */
#ifndef HOLDFAST_PROC_RESOURCES_H
#define HOLDFAST_PROC_RESOURCES_H

#include "base/list.h"
#include "conf/config.h"
#include "io/ledger.h"
#include "io/sock.h"
#include "proxy/generation.h"
#include "proxy/opener.h"

enum resource_kind { RESOURCE_BIND, RESOURCE_LOG, RESOURCE_SPOOL, RESOURCE_DIRECTORY };

/* Descriptors of one resource: a spool has a directory and a ledger. */
#define RESOURCE_FDS_MAX 2

struct resource {
    struct list link;
    enum resource_kind kind;
    enum log_kind log_kind; /* RESOURCE_LOG */
    struct log_sink *sink;  /* RESOURCE_LOG: has the descriptor */
    struct ledger *ledger;  /* RESOURCE_SPOOL */
    dev_t device;           /* likewise: of its directory */
    ino_t inode;
    int fds[RESOURCE_FDS_MAX];
    size_t n_fds;
    bool is_new;       /* opened by a prepare that is not committed */
    bool is_kept;      /* named by the configuration that was prepared last */
    bool is_left;      /* no configuration names it, and requests may still use it */
    bool listens_late; /* bound beside a socket that goes: listens from the commit on */
    bool unlinks;      /* a unix socket of ours, known by its identity */
    struct addr addr;
    struct sock_identity identity;
    size_t name_n;
    char name[];
};

struct resources {
    struct list all;
    const struct opener *opener; /* by path */
    unsigned n_rows;             /* of ledgers: one a worker */
};

void resources_init(struct resources *r, const struct opener *opener, unsigned n_rows);

/* Close everything; remove the files of our sockets. */
void resources_reset(struct resources *r);

/* Open what c names and is not there. False: errors has grown, and resources_cancel must follow. */
bool resources_prepare(struct resources *r, const struct config *c,
                       struct generation_errors *errors);
void resources_cancel(struct resources *r);

/* Take over what c says of binds that live; close what it does not name. */
void resources_commit(struct resources *r, const struct config *c);

/*
 * Close what has been left and is of no use any more, some time after a commit: spools that are
 * empty (bodies of requests that began before it have been entered by then); logs, where no worker
 * has_old_generations. True: something is left, so the caller asks again.
 */
bool resources_sweep(struct resources *r, bool has_old_generations);

/* Close the listening sockets (what waits in their queues is the workers' to let in) and remove
 * their files. */
void resources_close_binds(struct resources *r);

/* The sink of a log that is open; NULL: there is none. */
struct log_sink *resources_log(const struct resources *r, const struct config_log *log);

/* Open log files anew, give them to the user, and call `renewed` for each. Logs what fails. */
void resources_reopen_logs(struct resources *r,
                           void (*renewed)(void *to, const struct resource *log), void *to);

/* The worker of this row has died: its part of each ledger is nobody's. */
void resources_clear_row(struct resources *r, unsigned row);

#endif

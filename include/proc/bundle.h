/*
 * bundle - one generation on its way from the master to a worker.
 *
 * A bundle is a text and descriptors. The text, a sealed memfd, has the names of the descriptors in
 * their order, the path of the configuration, and every answer that compiling it asked for
 * (conf/files_record.h): files, environment, users, host names. So a worker compiles what the
 * master has compiled, and opens what it names without opening anything.
 */
#ifndef HOLDFAST_PROC_BUNDLE_H
#define HOLDFAST_PROC_BUNDLE_H

#include "base/pack.h"
#include "proc/channel.h"
#include "proc/resources.h"

/* --- the master's side --- */

struct parcel {
    uint64_t number;
    int text_fd;                 /* -1: there is no parcel */
    struct resource **resources; /* those that the configuration names; they outlive the parcel */
    size_t n_resources;
};

/* Make a parcel of the resources that are kept and of the answers of a load. False with errno. */
bool parcel_make(struct parcel *p, uint64_t number, const struct resources *r, const char *path,
                 const struct pack *answers);
void parcel_reset(struct parcel *p);

/* How far a parcel has been sent down one channel; all zero at the start. */
struct parcel_progress {
    bool has_begun;
    size_t n_resources;
};

/*
 * Send it, or what is left of it: MESSAGE_PREPARE and as many MESSAGE_DESCRIPTORS as it takes.
 * False with errno: progress says how far it came.
 */
bool parcel_send(const struct parcel *p, int channel, struct parcel_progress *progress);

/* --- the worker's side --- */

struct bundle_entry {
    enum resource_kind kind;
    enum log_kind log_kind;
    struct str name; /* in the text */
    size_t first_fd;
    size_t n_fds;
};

struct bundle {
    struct opener opener; /* first: finds the descriptors below */
    uint64_t number;
    struct str text; /* mapped; empty: there is no bundle */
    struct unpack rest;
    struct str path;
    struct bundle_entry *entries;
    size_t n_entries;
    int *fds; /* owned */
    size_t n_fds;
    size_t n_fds_wanted;
    unsigned row; /* of ledgers: ours */
};

/* Begin with a MESSAGE_PREPARE, whose descriptor is taken. False with errno: nothing is left. */
bool bundle_begin(struct bundle *b, struct message *m, unsigned row);

/* Take the descriptors of a MESSAGE_DESCRIPTORS; false: they are not this bundle's. */
bool bundle_add(struct bundle *b, struct message *m);

/* Are all descriptors there? */
bool bundle_is_whole(const struct bundle *b);

/* Compile it. One reference, the caller's; NULL: `failed` has been told why, as by worker_prepare.
 */
struct config *bundle_compile(struct bundle *b,
                              void (*failed)(void *to, const struct config_place *place,
                                             const char *text),
                              void *to);

/* Forget it: close what nobody has copied. Harmless without one. */
void bundle_reset(struct bundle *b);

#endif

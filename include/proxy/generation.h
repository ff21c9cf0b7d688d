/*
 * generation - a configuration bound to the live objects that it names.
 *
 * The config is immutable and knows names; sockets, pools, spools and logs live longer than it. A
 * generation holds both together: one reference to the config, one to each live object. Its holders
 * are the worker, each listener and each transaction, and nobody else.
 */
#ifndef HOLDFAST_PROXY_GENERATION_H
#define HOLDFAST_PROXY_GENERATION_H

#include "base/list.h"
#include "conf/config.h"
#include "io/spool.h"

struct backend_state;
struct opener;
struct worker;

struct generation {
    struct list link; /* worker->generations */
    unsigned refs;
    struct worker *worker;
    struct config *config;
    struct backend_state **backends; /* by config_backend.index; set at commit */
    struct spool_store **stores;     /* in the order of config->spools */
    int *directories;                /* open, in the order of config->directories */
    struct log_ref **logs;           /* the access logs and, first, the error log */
    size_t n_logs;
};

/* An open log, shared by the generations that name it. */
struct log_ref {
    unsigned refs;
    struct log_sink *sink;
};

/* What cannot be done is told here; see worker_prepare. */
struct generation_errors {
    void (*failed)(void *to, const struct config_place *place, const char *text);
    void *to;
    unsigned n;
};

void generation_error(struct generation_errors *errors, const struct config_place *place,
                      const char *format, ...) __attribute__((format(printf, 3, 4)));

/* An address cannot be listened on: tell why, by errno. */
void generation_bind_error(struct generation_errors *errors, const struct config_bind *b);

/*
 * A spool cannot be opened: tell why, by errno. Where the directory is there and not that of the
 * user who serves, whose it is and what to do.
 */
void generation_spool_error(struct generation_errors *errors, const struct opener *o,
                            const struct config_spool *spool);

/*
 * Bind c: spools and logs are opened, or taken over from `before` (NULL: none) where it has the
 * same; directories of files are opened anew, since another may have taken their place. Backends are bound by generation_bind_backends, which cannot fail for other reasons than
 * memory. Returns NULL where memory is out or errors->n grew.
 */
struct generation *generation_new(struct worker *w, struct config *c, struct generation *before,
                                  struct generation_errors *errors);
struct generation *generation_ref(struct generation *g);
void generation_unref(struct generation *g);

/* The store of a spool of this generation's config. */
struct spool_store *generation_store(const struct generation *g, const struct config_spool *spool);

/* The sink of a log of this generation's config; NULL where log is NULL. */
struct log_sink *generation_log(const struct generation *g, const struct config_log *log);

/* Give the logs of the generation new descriptors. */
void generation_reopen_logs(struct generation *g);

/* The same of one log that another process has opened anew; fd stays the caller's. */
void generation_renew_log(struct generation *g, enum log_kind kind, struct str where, int fd);

#endif

/*
 * build - from checked scopes to struct config: names to pointers, layers to complete policies.
 */
#ifndef HOLDFAST_CONF_BUILD_H
#define HOLDFAST_CONF_BUILD_H

#include "conf/resolve.h"

/* What the two halves of build share. */
struct build {
    struct compile *compile;
    struct config *config;
    const struct scope *top;
    struct str *file_names; /* of each source, as the config keeps them */

    /* What the column `default` says, for the places that have settings of their own. */
    const struct scope *policy_defaults;
    const struct scope *global_defaults;
    const struct scope *spool_defaults;
    const struct scope *bind_defaults;
    const struct scope *respond_defaults;
    const struct scope *files_defaults;
    const struct scope *backend_defaults;

    struct names spools;   /* name to struct config_spool */
    struct names backends; /* name to struct config_backend */
    struct names binds;    /* address to struct setting */
    struct names directories; /* path to struct config_directory */
    struct config_directory *next_directory; /* in the config's table */
    bool *is_backend_used; /* by index */

    struct config_frontend *frontend; /* in hand */
    const struct scope *frontend_scope;
    struct names routes; /* of it: name to struct config_route */

    struct built_layer *layers; /* of all frontends and routes, for the warnings */
    struct built_layer **layers_end;
};

/* What a frontend or route was made of. */
struct built_layer {
    const struct setting *setting; /* its `frontend` or `route` */
    const struct layer *layer;
    const struct config_frontend *frontend;
    const struct config_route *route; /* NULL: of the frontend itself */
    const struct policy *policy;
    struct built_layer *next;
};

/*
 * Build the config of the top scope in c's keeping. What names lead nowhere and the like is
 * reported; the result is of use only if there was no error at all.
 */
struct config *build(struct compile *c, const struct scope *top, const struct source *main);

/* The first setting of a row in a scope, and the next one of the same row. NULL: no more. */
const struct setting *build_first(const struct scope *scope, enum setting_id id);
const struct setting *build_next(const struct setting *s);

/* How many settings of a row stand in a scope. */
size_t build_count(const struct scope *scope, enum setting_id id);

/* All backends, by index, with their servers; names are resolved. What is wrong is reported. */
void build_backends(struct build *b);

/* The binds of a frontend, whose setting is s. */
void build_binds(struct build *b, struct config_frontend *frontend, const struct setting *s);

/* The place of a span, for messages at run time. */
struct config_place build_place(struct build *b, struct span span);

/* The setting of a row in scope, else in defaults; NULL where neither has it or it is bad. */
const struct setting *build_setting(const struct scope *scope, const struct scope *defaults,
                                    enum setting_id id);

/* The argument with a key, of the setting, else of the row's default. May be NULL. */
const struct arg *build_option(const struct setting *s, const struct scope *defaults,
                               const char *key);

/* The list `(ADDRESS, …)` that starts with an argument of type PEER; none for NULL. */
struct peers build_peers(struct build *b, const struct arg *first);

/* A log's target from an argument of type TARGET. */
struct config_log build_log(struct build *b, const struct arg *target);

/* The action of a route that is a `files`. */
void build_files(struct build *b, struct config_route *route, const struct setting *s);

/* Room for the directories of all `files` of the configuration. */
void build_directories(struct build *b);

/* A complete policy out of a layer, for the frontend in hand: one for all that share the layer. */
const struct policy *build_policy(struct build *b, struct layer *layer);

/*
 * Report what is wrong with the policy settings of one block, each of which many layers may share.
 */
void build_check_policy(struct build *b, const struct scope *scope);

#endif

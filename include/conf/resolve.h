/*
 * resolve - who inherits what: all of it, in this one place.
 *
 * A layer is the sum of the policy settings that hold in a block: those of the layer around it,
 * each replaced as a whole where the block says otherwise. Rule lists alone add up, outermost
 * first. A policy that a block uses is a layer of its own, just outside of it. The outermost layer
 * is the column `default` of settings.def.
 */
#ifndef HOLDFAST_CONF_RESOLVE_H
#define HOLDFAST_CONF_RESOLVE_H

#include "conf/check.h"
#include "conf/config.h"

struct policy;

/* Rules of one kind, outermost first. */
struct layer_rules {
    const struct setting **list;
    size_t n;
};

/* One status, or a class (4, 5), and the error page that holds for it. */
struct layer_page {
    unsigned status_or_class;
    const struct setting *setting;
};

/* What the source of the column `default` is called. */
#define RESOLVE_BUILT_IN "(built in)"

struct layer {
    const struct setting *settings[SETTING_N]; /* those that stand once; NULL: none */
    const struct setting *timeouts[TIMEOUT_N];
    struct layer_page *pages;
    size_t n_pages;
    struct layer_rules request_rules;
    struct layer_rules response_rules;
    struct layer_rules access_rules;

    /* What build made of it last, and for which frontend: many routes may share a layer. */
    const struct policy *built;
    const struct config_frontend *built_for;
};

/* The words of `timeout`. */
extern const char *const timeout_names[TIMEOUT_N];

/*
 * The scope that the column `default` amounts to for a place: the same language, read by the same
 * code. Its source is added to the load's under a name of its own.
 */
const struct scope *resolve_defaults(struct compile *c, enum place place);

/* Note a policy that has passed the checker. */
void resolve_add_policy(struct compile *c, const struct setting *s);

/*
 * Check the chains that `use-policy` makes: unknown names and loops are reported, and the settings
 * concerned are bad then. Comes before the first resolve_layer.
 */
void resolve_policies(struct compile *c);

/* Was the policy of this setting used? */
bool resolve_is_used(const struct compile *c, const struct setting *policy);

/*
 * The layer of a block within `outer` (NULL: nothing). `outer` itself if the block has no policy.
 * Blocks that differ from `outer` in nothing but the policy that they use share a layer.
 */
struct layer *resolve_layer(struct compile *c, struct layer *outer, const struct scope *scope);

#endif

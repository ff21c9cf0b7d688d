/*
 * settings - the directives of the language as a table, from grammar/settings.def.
 */
#ifndef HOLDFAST_CONF_SETTINGS_H
#define HOLDFAST_CONF_SETTINGS_H

#include "base/str.h"

/* What a statement may stand in. */
enum place {
    PLACE_TOP,
    PLACE_GLOBAL,
    PLACE_SPOOL,
    PLACE_DEFAULTS,
    PLACE_POLICY,
    PLACE_FRONTEND,
    PLACE_ROUTE,
    PLACE_BACKEND,
    PLACE_BIND,
    PLACE_RESPOND,
    PLACE_FILES,
    PLACE_NONE, /* of a directive that opens no block */
};

#define PLACE_N PLACE_NONE

enum setting_repeats { REPEATS_ONCE, REPEATS_BY_NAME, REPEATS_BY_STATUS, REPEATS_MANY };

enum setting_id {
#define X(id, name, places, opens, repeats, form, initial, least, most, doc) SETTING_##id,
#include "grammar/settings.def"
#undef X
    SETTING_N
};

struct setting_row {
    enum setting_id id;
    const char *name;
    unsigned places; /* a bit for each place */
    enum place opens;
    enum setting_repeats repeats;
    const char *form;
    const char *initial; /* NULL: none */
    uint64_t least;
    uint64_t most;
    const char *doc;
};

extern const struct setting_row setting_rows[SETTING_N];

struct place_row {
    const char *name;       /* as in "may stand in a frontend" */
    bool is_optional_block; /* what opens it may do without */
};

extern const struct place_row place_rows[PLACE_N];

/* The row of this name that may stand in place; else any of this name; else NULL. */
const struct setting_row *settings_find(struct str name, enum place place);

bool setting_stands_in(const struct setting_row *row, enum place place);

/* Is name a directive that opens a block at the top level? */
bool settings_is_section(struct str name);

/* The place that the block of this directive is; PLACE_NONE for what opens none. */
enum place settings_opens(struct str name);

/* Is name a directive that makes no sense without a block? */
bool settings_needs_block(struct str name);

#endif

/*
 * settings - the directives of the language as a table.
 */
#include "conf/settings.h"

#define IN_TOP      (1U << PLACE_TOP)
#define IN_GLOBAL   (1U << PLACE_GLOBAL)
#define IN_SPOOL    (1U << PLACE_SPOOL)
#define IN_FRONTEND (1U << PLACE_FRONTEND)
#define IN_ROUTE    (1U << PLACE_ROUTE)
#define IN_BACKEND  (1U << PLACE_BACKEND)
#define IN_BIND     (1U << PLACE_BIND)
#define IN_RESPOND  (1U << PLACE_RESPOND)
#define IN_FILES    (1U << PLACE_FILES)
#define IN_NAMED_POLICY (1U << PLACE_POLICY)
#define IN_POLICY   (1U << PLACE_DEFAULTS | IN_NAMED_POLICY | IN_FRONTEND | IN_ROUTE)

const struct setting_row setting_rows[SETTING_N] = {
#define X(id, name, places, opens, repeats, form, initial, least, most, doc)                       \
    {SETTING_##id, name, places, PLACE_##opens, REPEATS_##repeats, form, initial, least, most, doc},
#include "grammar/settings.def"
#undef X
};

const struct place_row place_rows[PLACE_N] = {
    [PLACE_TOP] = {"at the top level",          false},
    [PLACE_GLOBAL] = {"in 'global'",               false},
    [PLACE_SPOOL] = {"in a spool",                false},
    [PLACE_DEFAULTS] = {"in 'defaults'",             false},
    [PLACE_POLICY] = {"in a policy",               false},
    [PLACE_FRONTEND] = {"in a frontend",             false},
    [PLACE_ROUTE] = {"in a route",                false},
    [PLACE_BACKEND] = {"in a backend",              false},
    [PLACE_BIND] = {"in the block of 'bind'",    true },
    [PLACE_RESPOND] = {"in the block of 'respond'", true },
    [PLACE_FILES] = {"in the block of 'files'",   true },
};

bool setting_stands_in(const struct setting_row *row, enum place place)
{
    return (row->places & 1U << place) != 0;
}

const struct setting_row *settings_find(struct str name, enum place place)
{
    const struct setting_row *elsewhere = NULL;

    for (size_t i = 0; i < SETTING_N; i++) {
        const struct setting_row *row = &setting_rows[i];

        if (!str_eq(str_of(row->name), name))
            continue;
        if (setting_stands_in(row, place))
            return row;
        elsewhere = row;
    }
    return elsewhere;
}

bool settings_is_section(struct str name)
{
    const struct setting_row *row = settings_find(name, PLACE_TOP);

    return row != NULL && setting_stands_in(row, PLACE_TOP) && row->opens != PLACE_NONE;
}

enum place settings_opens(struct str name)
{
    const struct setting_row *row = settings_find(name, PLACE_TOP);

    return row == NULL ? PLACE_NONE : row->opens;
}

bool settings_needs_block(struct str name)
{
    enum place opens = settings_opens(name);

    return opens != PLACE_NONE && !place_rows[opens].is_optional_block;
}

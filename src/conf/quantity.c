/*
 * quantity - numbers with units.
 */
#include "conf/quantity.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* Small to large: the writers look for the last one that divides. */
static const struct unit size_units[] = {
    {"",  1                },
    {"K", (uint64_t)1 << 10},
    {"M", (uint64_t)1 << 20},
    {"G", (uint64_t)1 << 30},
    {"T", (uint64_t)1 << 40},
};

static const struct unit duration_units[] = {
    {"ms", 1       },
    {"s",  1000    },
    {"m",  60000   },
    {"h",  3600000 },
    {"d",  86400000},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The digits at the start of text, and what follows them. */
static enum quantity_result split(struct str text, uint64_t *number, struct str *unit)
{
    size_t n = 0;

    while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
        n++;
    *unit = str_slice(text, n, text.n);
    if (n == 0)
        return QUANTITY_MALFORMED;
    return str_to_u64(str_slice(text, 0, n), UINT64_MAX, number) ? QUANTITY_OK : QUANTITY_TOO_LARGE;
}

static enum quantity_result scale(uint64_t number, uint64_t factor, uint64_t most, uint64_t *result)
{
    if (number > most / factor)
        return QUANTITY_TOO_LARGE;
    *result = number * factor;
    return QUANTITY_OK;
}

enum quantity_result quantity_size(struct str text, uint64_t *bytes)
{
    enum quantity_result result;
    uint64_t number = 0;
    struct str unit;

    if (str_eq(text, STR("unlimited"))) {
        *bytes = UINT64_MAX;
        return QUANTITY_OK;
    }
    result = split(text, &number, &unit);
    if (result == QUANTITY_MALFORMED)
        return result;
    if (unit.n == 3 && str_eq_nocase(str_slice(unit, 1, 3), STR("iB")))
        unit.n = 1;
    for (size_t i = 0; i < COUNT(size_units); i++)
        if (str_eq_nocase(unit, str_of(size_units[i].name)))
            return result != QUANTITY_OK ? result
                                         : scale(number, size_units[i].factor, INT64_MAX, bytes);
    return QUANTITY_MALFORMED;
}

enum quantity_result quantity_duration(struct str text, uint64_t *ms)
{
    uint64_t number = 0;
    struct str unit;
    enum quantity_result result = split(text, &number, &unit);

    if (result == QUANTITY_MALFORMED)
        return result;
    if (unit.n == 0 && result == QUANTITY_OK && number == 0) {
        *ms = 0;
        return QUANTITY_OK;
    }
    for (size_t i = 0; i < COUNT(duration_units); i++)
        if (str_eq(unit, str_of(duration_units[i].name)))
            return result != QUANTITY_OK
                       ? result
                       : scale(number, duration_units[i].factor, QUANTITY_MS_MAX, ms);
    return QUANTITY_MALFORMED;
}

enum quantity_result quantity_count(struct str text, uint64_t *number)
{
    struct str unit;
    uint64_t value = 0;
    enum quantity_result result = split(text, &value, &unit);

    if (result == QUANTITY_MALFORMED || unit.n > 0)
        return QUANTITY_MALFORMED;
    *number = value;
    return result;
}

enum quantity_result quantity_octal(struct str text, uint64_t *mode)
{
    uint64_t value = 0;

    if (text.n < 3 || text.n > 4)
        return QUANTITY_MALFORMED;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '7')
            return QUANTITY_MALFORMED;
        value = value * 8 + (uint64_t)(text.p[i] - '0');
    }
    if (value > 0777)
        return QUANTITY_TOO_LARGE;
    *mode = value;
    return QUANTITY_OK;
}

static size_t put(char *out, uint64_t number, const struct unit *units, size_t n_units)
{
    size_t at = n_units - 1;
    size_t n;

    while (at > 0 && (number == 0 || number % units[at].factor != 0))
        at--;
    n = str_put_u64(out, number / units[at].factor);
    memcpy(out + n, units[at].name, strlen(units[at].name));
    return n + strlen(units[at].name);
}

size_t quantity_put_size(char *out, uint64_t bytes)
{
    if (bytes == UINT64_MAX) {
        memcpy(out, "unlimited", 9);
        return 9;
    }
    return put(out, bytes, size_units, COUNT(size_units));
}

size_t quantity_put_duration(char *out, uint64_t ms)
{
    if (ms == 0) {
        out[0] = '0';
        return 1;
    }
    return put(out, ms, duration_units, COUNT(duration_units));
}

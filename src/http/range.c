/*
 * range - which bytes a Range field asks for (RFC 9110 14).
 */
#include "http/range.h"

/* Take 1*DIGIT off the front; what does not fit is as large as a number can be. */
static bool take_number(struct str *s, uint64_t *number)
{
    size_t n = 0;

    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    if (n == 0)
        return false;
    if (!str_to_u64(str_slice(*s, 0, n), UINT64_MAX, number))
        *number = UINT64_MAX;
    *s = str_slice(*s, n, s->n);
    return true;
}

/* `-n`: the last n bytes, or all where there are fewer (RFC 9110 14.1.2). */
static enum range_kind read_suffix(struct str s, uint64_t size, struct range *r)
{
    uint64_t n;

    if (!take_number(&s, &n) || s.n > 0)
        return RANGE_WHOLE;
    if (n == 0)
        return RANGE_UNSATISFIABLE;
    if (size == 0)
        return RANGE_WHOLE;
    if (n > size)
        n = size;
    *r = (struct range){size - n, n};
    return RANGE_PART;
}

/* `a-b`, `a-` */
static enum range_kind read_positions(struct str s, uint64_t size, struct range *r)
{
    uint64_t first;
    uint64_t last = UINT64_MAX;

    if (!take_number(&s, &first) || s.n == 0 || s.p[0] != '-')
        return RANGE_WHOLE;
    s = str_slice(s, 1, s.n);
    if (s.n > 0 && (!take_number(&s, &last) || s.n > 0))
        return RANGE_WHOLE;
    if (last < first) /* RFC 9110 14.1.1: invalid */
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    if (last > size - 1)
        last = size - 1;
    *r = (struct range){first, last - first + 1};
    return RANGE_PART;
}

/* The one range of a list that may have empty members (RFC 9110 5.6.1.2); p == NULL: not one. */
static struct str only_member(struct str list)
{
    struct str only = STR_EMPTY;

    while (list.n > 0) {
        const char *comma = memchr(list.p, ',', list.n);
        size_t n = comma == NULL ? list.n : (size_t)(comma - list.p);
        struct str member = str_trim(str_slice(list, 0, n));

        if (member.n > 0 && only.p != NULL)
            return STR_EMPTY;
        if (member.n > 0)
            only = member;
        list = str_slice(list, comma == NULL ? n : n + 1, list.n);
    }
    return only;
}

enum range_kind range_read(struct str value, uint64_t size_bytes, struct range *r)
{
    static const struct str unit = {"bytes=", 6};
    struct str one;

    /* RFC 9110 14.1: names of units without regard to case */
    if (value.n < unit.n || !str_eq_nocase(str_slice(value, 0, unit.n), unit))
        return RANGE_WHOLE;
    one = only_member(str_slice(value, unit.n, value.n));
    if (one.p == NULL)
        return RANGE_WHOLE;
    if (one.p[0] == '-')
        return read_suffix(str_slice(one, 1, one.n), size_bytes, r);
    return read_positions(one, size_bytes, r);
}

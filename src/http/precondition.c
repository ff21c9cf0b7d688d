/*
 * precondition - If-Match and its kin against what is there (RFC 9110 13).
 */
#include "http/precondition.h"

#include "http/date.h"

#define ANY_CONDITION                                                                              \
    (UINT64_C(1) << FIELD_IF_MATCH | UINT64_C(1) << FIELD_IF_NONE_MATCH |                          \
     UINT64_C(1) << FIELD_IF_MODIFIED_SINCE | UINT64_C(1) << FIELD_IF_UNMODIFIED_SINCE)

enum comparison { COMPARE_STRONG, COMPARE_WEAK };

/* Take an entity-tag (RFC 9110 8.8.3) off the front; *tag is without `W/`. */
static bool take_etag(struct str *s, struct str *tag, bool *is_weak)
{
    struct str rest = *s;
    const char *end;

    *is_weak = str_starts_with(rest, STR("W/"));
    if (*is_weak)
        rest = str_slice(rest, 2, rest.n);
    if (rest.n < 2 || rest.p[0] != '"')
        return false;
    end = memchr(rest.p + 1, '"', rest.n - 1);
    if (end == NULL)
        return false;
    *tag = str_slice(rest, 0, (size_t)(end - rest.p) + 1);
    *s = str_slice(rest, tag->n, rest.n);
    return true;
}

static bool etag_matches(struct str tag, bool is_weak, const struct validators *v,
                         enum comparison how)
{
    if (how == COMPARE_STRONG && (is_weak || v->is_weak))
        return false;
    return str_eq(tag, v->etag);
}

/* Is the representation's among the tags of one field line? What is malformed names nothing. */
static bool line_matches(struct str list, const struct validators *v, enum comparison how)
{
    struct str tag;
    bool is_weak;

    if (str_eq(list, STR("*")))
        return true;
    while (list.n > 0) {
        if (list.p[0] == ',' || list.p[0] == ' ' || list.p[0] == '\t') {
            list = str_slice(list, 1, list.n);
            continue;
        }
        if (!take_etag(&list, &tag, &is_weak))
            return false;
        if (etag_matches(tag, is_weak, v, how))
            return true;
    }
    return false;
}

/* The same for all lines of a field, which are one list (RFC 9110 5.3). */
static bool list_matches(const struct head *h, enum field_id id, const struct validators *v,
                         enum comparison how)
{
    for (size_t i = 0; i < h->n_fields; i++)
        if (h->fields[i].id == id && line_matches(h->fields[i].value, v, how))
            return true;
    return false;
}

/* The value of a field that may stand once; p == NULL: it is missing, or there are two. */
static struct str only_value(const struct head *h, enum field_id id)
{
    struct str value = STR_EMPTY;

    if (!head_may_have(h, id))
        return value;
    for (size_t i = 0; i < h->n_fields; i++) {
        if (h->fields[i].id != id)
            continue;
        if (value.p != NULL)
            return STR_EMPTY;
        value = h->fields[i].value;
    }
    return value;
}

static bool only_date(const struct head *h, enum field_id id, int64_t now_s, int64_t *date)
{
    return date_read(only_value(h, id), now_s, date);
}

enum precondition precondition_evaluate(const struct head *request, const struct validators *v,
                                        int64_t now_s)
{
    int64_t date;

    if ((request->ids_seen & ANY_CONDITION) == 0)
        return PRECONDITION_HOLDS;
    /* RFC 9110 13.2.2, steps 1 and 2 */
    if (head_find(request, FIELD_IF_MATCH, STR_EMPTY) != NULL) {
        if (!list_matches(request, FIELD_IF_MATCH, v, COMPARE_STRONG))
            return PRECONDITION_FAILED;
    } else if (only_date(request, FIELD_IF_UNMODIFIED_SINCE, now_s, &date) &&
               v->modified_s > date) {
        return PRECONDITION_FAILED;
    }
    /* steps 3 and 4 */
    if (head_find(request, FIELD_IF_NONE_MATCH, STR_EMPTY) != NULL)
        return list_matches(request, FIELD_IF_NONE_MATCH, v, COMPARE_WEAK)
                   ? PRECONDITION_NOT_MODIFIED
                   : PRECONDITION_HOLDS;
    if (only_date(request, FIELD_IF_MODIFIED_SINCE, now_s, &date) && v->modified_s <= date)
        return PRECONDITION_NOT_MODIFIED;
    return PRECONDITION_HOLDS;
}

bool precondition_range_counts(const struct head *request, const struct validators *v,
                               int64_t now_s)
{
    struct str value;
    struct str tag;
    bool is_weak;
    int64_t date;

    if (only_value(request, FIELD_RANGE).p == NULL)
        return false;
    if (head_find(request, FIELD_IF_RANGE, STR_EMPTY) == NULL)
        return true;
    value = only_value(request, FIELD_IF_RANGE);
    if (take_etag(&value, &tag, &is_weak))
        return value.n == 0 && etag_matches(tag, is_weak, v, COMPARE_STRONG);
    /* RFC 9110 13.1.5: a date must be a strong validator, and the same, not just no older. */
    return !v->is_weak && date_read(value, now_s, &date) && date == v->modified_s;
}

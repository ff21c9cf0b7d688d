/*
 * condition_fuzz - any bytes as the date, the range and the conditions of a request for a file.
 *
 * A date that is taken is written in the first form, and that is read as the same second. A range
 * that is taken lies within the file. A condition that names the file's own tag, strongly, is
 * never one that fails.
 */
#include "base/panic.h"
#include "http/date.h"
#include "http/media_type.h"
#include "http/precondition.h"
#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1795564800)

static void check_date(struct str text)
{
    char written[DATE_TEXT_LEN];
    int64_t seconds;
    int64_t again;

    if (!date_read(text, NOW, &seconds))
        return;
    date_write(seconds, written);
    if (seconds > INT64_C(253402300799)) /* the leap second of the last day */
        return;
    assert(date_read((struct str){written, DATE_TEXT_LEN}, NOW, &again) && again == seconds);
}

static void check_range(struct str text, uint64_t size)
{
    struct range r;

    if (range_read(text, size, &r) == RANGE_PART)
        assert(r.n > 0 && r.from < size && r.n <= size - r.from);
}

/* Lines of `letter value`: one of the fields each. */
static void add_lines(struct head *h, struct str text)
{
    static const enum field_id ids[] = {FIELD_IF_MATCH,          FIELD_IF_NONE_MATCH,
                                        FIELD_IF_MODIFIED_SINCE, FIELD_IF_UNMODIFIED_SINCE,
                                        FIELD_IF_RANGE,          FIELD_RANGE};

    while (text.n > 0) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        enum field_id id = ids[(unsigned char)text.p[0] % 6];

        if (n > 0)
            head_add(h, field_name(id), str_trim(str_slice(text, 1, n)), id);
        text = str_slice(text, end == NULL ? n : n + 1, text.n);
    }
}

static void check_conditions(struct str text, bool is_weak)
{
    const struct validators v = {STR("\"v1\""), is_weak, 784111777};
    struct arena *a = arena_new(4096, 0);
    struct head h;
    enum precondition result;
    bool counts;

    head_init(&h, a, false);
    add_lines(&h, text);
    result = precondition_evaluate(&h, &v, NOW);
    counts = precondition_range_counts(&h, &v, NOW);
    assert(!counts || head_may_have(&h, FIELD_RANGE));
    assert(result != PRECONDITION_FAILED || head_may_have(&h, FIELD_IF_MATCH) ||
           head_may_have(&h, FIELD_IF_UNMODIFIED_SINCE));
    assert(result != PRECONDITION_NOT_MODIFIED || head_may_have(&h, FIELD_IF_NONE_MATCH) ||
           head_may_have(&h, FIELD_IF_MODIFIED_SINCE));
    /* the file's own tag in front: nothing behind it can undo that */
    head_remove(&h, FIELD_IF_MATCH, STR_EMPTY);
    if (head_add(&h, field_name(FIELD_IF_MATCH), STR("\"v1\""), FIELD_IF_MATCH) && !is_weak)
        assert(precondition_evaluate(&h, &v, NOW) != PRECONDITION_FAILED);
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};

    check_date(text);
    check_range(text, 0);
    check_range(text, 10);
    check_range(text, UINT64_MAX);
    check_conditions(text, false);
    check_conditions(text, true);
    assert(media_type_of(text).n > 0);
    return 0;
}

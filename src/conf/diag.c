/*
 * diag - what is wrong with a configuration, and what is dubious: all of it, in the file's order.
 */
#include "conf/diag.h"

#include "base/panic.h"
#include "base/pool.h"

#include <stdlib.h>

/* Lines longer than this are shown in part, around the fault. */
#define LINE_SHOWN_MAX 160
#define LINE_BEFORE    60
#define LINE_OUT_MAX   (4 * LINE_SHOWN_MAX + 512)

#define TEXT_BLOCK_BYTES ((size_t)16 << 10)

struct diag {
    enum diag_kind { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE } kind;
    struct span span;
    struct str text;
    size_t order; /* keeps the sort stable */
    struct diag *notes;
    struct diag **notes_end;
    struct diag *next; /* among the notes of one diagnostic */
};

struct diags {
    struct arena *arena;
    struct sources sources;
    struct diag **list;
    size_t n;
    size_t room;
    size_t n_errors;
    size_t n_warnings;
    struct diag *last; /* NULL: the last one was not kept, nor are its notes */
};

static const char *const diag_kind_names[] = {"error", "warning", "note"};

struct diags *diags_new(void)
{
    struct arena *arena = arena_new(TEXT_BLOCK_BYTES, 0);
    struct diags *d = arena == NULL ? NULL : arena_zalloc(arena, 1, sizeof(*d));

    if (d == NULL) {
        arena_free(arena);
        return NULL;
    }
    d->arena = arena;
    sources_init(&d->sources, arena);
    return d;
}

void diags_free(struct diags *d)
{
    if (d == NULL)
        return;
    memory_put(d->list);
    arena_free(d->arena);
}

struct sources *diags_sources(struct diags *d)
{
    return &d->sources;
}

static struct diag *diag_new(struct diags *d, enum diag_kind kind, struct span span,
                             const char *format, va_list args)
{
    struct diag *one = arena_zalloc(d->arena, 1, sizeof(*one));

    if (one == NULL)
        return NULL;
    *one = (struct diag){.kind = kind, .span = span, .order = d->n};
    one->text = arena_vprintf(d->arena, format, args);
    one->notes_end = &one->notes;
    return one->text.p == NULL ? NULL : one;
}

static bool diags_grow(struct diags *d)
{
    size_t room = d->room == 0 ? 64 : 2 * d->room;
    struct diag **list;

    if (d->n < d->room)
        return true;
    list = memory_resize(d->list, room * sizeof(struct diag *));
    if (list == NULL)
        return false;
    d->list = list;
    d->room = room;
    return true;
}

static void diag_add(struct diags *d, enum diag_kind kind, struct span span, const char *format,
                     va_list args)
{
    d->last = NULL;
    if (d->n >= DIAG_KEEP_MAX || !diags_grow(d))
        return;
    d->last = diag_new(d, kind, span, format, args);
    if (d->last != NULL)
        d->list[d->n++] = d->last;
}

void diag_error(struct diags *d, struct span span, const char *format, ...)
{
    va_list args;

    d->n_errors++;
    va_start(args, format);
    diag_add(d, DIAG_ERROR, span, format, args);
    va_end(args);
}

void diag_warning(struct diags *d, struct span span, const char *format, ...)
{
    va_list args;

    d->n_warnings++;
    va_start(args, format);
    diag_add(d, DIAG_WARNING, span, format, args);
    va_end(args);
}

void diag_note(struct diags *d, struct span span, const char *format, ...)
{
    struct diag *note;
    va_list args;

    if (d->last == NULL)
        return;
    va_start(args, format);
    note = diag_new(d, DIAG_NOTE, span, format, args);
    va_end(args);
    if (note == NULL)
        return;
    *d->last->notes_end = note;
    d->last->notes_end = &note->next;
}

size_t diags_n_errors(const struct diags *d)
{
    return d->n_errors;
}

size_t diags_n_warnings(const struct diags *d)
{
    return d->n_warnings;
}

/* One line of output under construction; what does not fit is cut. */
struct line {
    char bytes[LINE_OUT_MAX];
    size_t n;
};

static void line_add(struct line *l, struct str s)
{
    size_t n = s.n < sizeof(l->bytes) - l->n ? s.n : sizeof(l->bytes) - l->n;

    memcpy(l->bytes + l->n, s.p, n);
    l->n += n;
}

static void line_send(struct line *l, diags_line_fn fn, void *arg)
{
    fn(arg, (struct str){l->bytes, l->n});
    l->n = 0;
}

static void line_number(struct line *l, size_t number, size_t width)
{
    char digits[STR_U64_MAX];
    size_t n = str_put_u64(digits, number);

    while (width-- > n)
        line_add(l, STR(" "));
    line_add(l, (struct str){digits, n});
}

/* The part of a line that is shown, and where the fault starts in it: whole characters. */
static struct str line_window(struct str text, size_t *at)
{
    size_t from = 0;
    size_t to = text.n;

    if (text.n <= LINE_SHOWN_MAX)
        return text;
    if (*at > LINE_BEFORE)
        from = *at - LINE_BEFORE;
    if (to - from > LINE_SHOWN_MAX)
        to = from + LINE_SHOWN_MAX;
    while (from > 0 && ((unsigned char)text.p[from] & 0xc0) == 0x80)
        from--;
    while (to < text.n && ((unsigned char)text.p[to] & 0xc0) == 0x80)
        to--;
    *at -= from;
    return str_slice(text, from, to);
}

/* `   14 | text`, then the caret and its tail under the fault. */
static void print_quote(const struct source_place *place, struct span span, diags_line_fn fn,
                        void *arg)
{
    struct line l = {.n = 0};
    size_t at = place->line_from;
    struct str text = line_window(place->line_text, &at);
    size_t end = at + (span.to - span.from);
    size_t width;

    line_number(&l, place->line, 5);
    line_add(&l, STR(" | "));
    for (size_t i = 0; i < text.n; i++)
        line_add(&l, text.p[i] == SOURCE_BAD ? STR("?") : str_slice(text, i, i + 1));
    line_send(&l, fn, arg);

    if (end > text.n)
        end = text.n;
    width = end > at ? source_characters(str_slice(text, at, end)) : 1;
    line_add(&l, STR("      | "));
    for (size_t i = 0; i < at; i++)
        if (text.p[i] == '\t')
            line_add(&l, STR("\t"));
        else if (((unsigned char)text.p[i] & 0xc0) != 0x80)
            line_add(&l, STR(" "));
    line_add(&l, STR("^"));
    while (width-- > 1)
        line_add(&l, STR("~"));
    line_send(&l, fn, arg);
}

static void print_one(const struct diags *d, const struct diag *one, diags_line_fn fn, void *arg)
{
    struct line l = {.n = 0};
    struct source_place place;
    bool placed = source_place(&d->sources, one->span, &place);

    if (placed) {
        line_add(&l, place.source->name);
        line_add(&l, STR(":"));
        line_number(&l, place.line, 0);
        line_add(&l, STR(":"));
        line_number(&l, place.column, 0);
        line_add(&l, STR(": "));
    }
    line_add(&l, str_of(diag_kind_names[one->kind]));
    line_add(&l, STR(": "));
    for (size_t i = 0; i < one->text.n; i++)
        line_add(&l, one->text.p[i] == SOURCE_BAD ? STR("?") : str_slice(one->text, i, i + 1));
    line_send(&l, fn, arg);
    if (placed)
        print_quote(&place, one->span, fn, arg);
}

static int diag_compare(const void *a, const void *b)
{
    const struct diag *x = *(struct diag *const *)a;
    const struct diag *y = *(struct diag *const *)b;

    if (x->span.from != y->span.from)
        return x->span.from < y->span.from ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* How many more there are than were printed. */
static void print_rest(size_t n, size_t n_printed, const char *what, diags_line_fn fn, void *arg)
{
    struct line l = {.n = 0};

    if (n == n_printed)
        return;
    line_add(&l, n_printed == 0 ? STR("") : STR("and "));
    line_number(&l, n - n_printed, 0);
    line_add(&l, n_printed == 0 ? STR(" ") : STR(" more "));
    line_add(&l, str_of(what));
    line_add(&l, n_printed == 0 ? STR("; no memory to say which") : STR(""));
    line_send(&l, fn, arg);
}

void diags_each_line(struct diags *d, diags_line_fn fn, void *arg)
{
    size_t n_printed[] = {[DIAG_ERROR] = 0, [DIAG_WARNING] = 0};

    if (d->n > 0)
        qsort(d->list, d->n, sizeof(struct diag *), diag_compare);
    for (size_t i = 0; i < d->n && n_printed[DIAG_ERROR] < DIAG_PRINT_MAX; i++) {
        const struct diag *one = d->list[i];

        if (n_printed[one->kind] == DIAG_PRINT_MAX)
            continue;
        n_printed[one->kind]++;
        print_one(d, one, fn, arg);
        for (const struct diag *note = one->notes; note != NULL; note = note->next)
            print_one(d, note, fn, arg);
    }
    print_rest(d->n_errors, n_printed[DIAG_ERROR], "errors", fn, arg);
    if (n_printed[DIAG_ERROR] < DIAG_PRINT_MAX)
        print_rest(d->n_warnings, n_printed[DIAG_WARNING], "warnings", fn, arg);
}

static void print_line(void *arg, struct str line)
{
    FILE *f = arg;

    fwrite(line.p, 1, line.n, f);
    fputc('\n', f);
}

void diags_print(struct diags *d, FILE *f)
{
    diags_each_line(d, print_line, f);
}

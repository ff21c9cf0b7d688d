/*
 * diff - two texts beside each other, line by line.
 */
#include "proc/diff.h"

#include "base/panic.h"

/* How many edits are looked ahead: time and memory of one stretch go with its square. */
#define EDITS_MAX 256

/* Lines without a change that are shown around one. */
#define CONTEXT 3

struct side {
    struct str *lines; /* with their line ends */
    bool *is_changed;  /* deleted, or inserted */
    size_t n;
};

/*
 * The search from (x, y) on: reached[d][k] is how far in `before` one comes with d edits on the
 * diagonal k (x - y, from the start), -d <= k <= d.
 */
struct search {
    struct side *before;
    struct side *after;
    size_t x;
    size_t y;
    size_t (*reached)[2 * EDITS_MAX + 1];
};

static bool side_init(struct side *s, struct str text, struct arena *a)
{
    const char *end = text.p + text.n;
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n' || i + 1 == text.n;
    s->n = n;
    s->lines = arena_zalloc(a, n + 1, sizeof(*s->lines));
    s->is_changed = arena_zalloc(a, n + 1, sizeof(*s->is_changed));
    if (s->lines == NULL || s->is_changed == NULL)
        return false;
    n = 0;
    for (const char *p = text.p; p < end; n++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *next = newline == NULL ? end : newline + 1;

        s->lines[n] = (struct str){p, (size_t)(next - p)};
        p = next;
    }
    return true;
}

static bool is_same(const struct search *s, size_t x, size_t y)
{
    return str_eq(s->before->lines[x], s->after->lines[y]);
}

/* Along a diagonal as far as the lines are the same. */
static size_t slide(const struct search *s, size_t x, size_t y)
{
    while (x < s->before->n && y < s->after->n && is_same(s, x, y)) {
        x++;
        y++;
    }
    return x;
}

/* Where diagonal k is entered with d edits: by an insertion from k + 1, or a deletion from k - 1. */
static size_t enter(const struct search *s, long d, long k, bool *is_insertion)
{
    const size_t *last = s->reached[d - 1] + EDITS_MAX;

    *is_insertion = k == -d || (k != d && last[k - 1] < last[k + 1]);
    return *is_insertion ? last[k + 1] : last[k - 1] + 1;
}

/* The line of `after` that belongs to x on diagonal k. It is past the end where k leads there. */
static size_t y_of(const struct search *s, size_t x, long k)
{
    return (size_t)((long)(x - s->x) - k + (long)s->y);
}

/* One edit more on all diagonals. Returns whether the end was reached, and where it is furthest. */
static bool search_step(struct search *s, long d, long *best)
{
    size_t *reached = s->reached[d] + EDITS_MAX;
    size_t furthest = 0;

    for (long k = -d; k <= d; k += 2) {
        bool is_insertion;
        size_t x = d == 0 ? s->x : enter(s, d, k, &is_insertion);
        size_t y = y_of(s, x, k);

        x = slide(s, x, y);
        y = y_of(s, x, k);
        reached[k] = x;
        if (x <= s->before->n && y <= s->after->n && x + y >= furthest) {
            furthest = x + y;
            *best = k;
        }
        if (x == s->before->n && y == s->after->n)
            return true;
    }
    return false;
}

/* Mark the edits of the way to diagonal k at d, and go on from its end. */
static void search_take(struct search *s, long d, long k)
{
    size_t end_x = s->reached[d][k + EDITS_MAX];
    size_t end_y = y_of(s, end_x, k);

    for (; d > 0; d--) {
        bool is_insertion;
        size_t x = enter(s, d, k, &is_insertion);

        if (is_insertion)
            s->after->is_changed[y_of(s, x, k) - 1] = true;
        else
            s->before->is_changed[x - 1] = true;
        k += is_insertion ? 1 : -1;
    }
    s->x = end_x;
    s->y = end_y;
}

static void search_run(struct search *s)
{
    while (s->x < s->before->n || s->y < s->after->n) {
        long best = 0;
        long d = 0;

        while (!search_step(s, d, &best) && d < EDITS_MAX)
            d++;
        search_take(s, d, best);
    }
}

static bool is_change(const struct side *before, const struct side *after, size_t x, size_t y)
{
    return (x < before->n && before->is_changed[x]) || (y < after->n && after->is_changed[y]);
}

static void print_line(FILE *f, char mark, struct str line)
{
    fputc(mark, f);
    fwrite(line.p, 1, line.n, f);
    if (line.p[line.n - 1] != '\n')
        fputs("\n\\ No newline at end of file\n", f);
}

/* Step over one line, or over all those that stand for each other. Returns whether they changed. */
static bool step(const struct side *before, const struct side *after, size_t *x, size_t *y)
{
    if (!is_change(before, after, *x, *y)) {
        ++*x;
        ++*y;
        return false;
    }
    while (*x < before->n && before->is_changed[*x])
        ++*x;
    while (*y < after->n && after->is_changed[*y])
        ++*y;
    return true;
}

static void print_range(FILE *f, char mark, size_t from, size_t to)
{
    fprintf(f, "%c%zu", mark, from + (to > from));
    if (to - from != 1)
        fprintf(f, ",%zu", to - from);
}

/* One stretch of changes that are no further apart than their context, from (x, y) to its end. */
static void print_hunk(FILE *f, const struct side *before, const struct side *after, size_t *x,
                       size_t *y)
{
    size_t lead = *x < CONTEXT ? *x : CONTEXT;
    size_t from_x = *x - lead;
    size_t from_y = *y - lead;
    size_t to_x = *x;
    size_t to_y = *y;
    size_t trail = 0;

    while ((*x < before->n || *y < after->n) && *x - to_x <= 2 * CONTEXT)
        if (step(before, after, x, y)) {
            to_x = *x;
            to_y = *y;
        }
    trail = before->n - to_x < CONTEXT ? before->n - to_x : CONTEXT;
    fputs("@@ ", f);
    print_range(f, '-', from_x, to_x + trail);
    fputc(' ', f);
    print_range(f, '+', from_y, to_y + trail);
    fputs(" @@\n", f);
    while (from_x < to_x + trail || from_y < to_y + trail) {
        bool is_common = !is_change(before, after, from_x, from_y);

        if (is_common)
            print_line(f, ' ', before->lines[from_x++]);
        from_y += is_common;
        while (from_x < before->n && before->is_changed[from_x])
            print_line(f, '-', before->lines[from_x++]);
        while (from_y < after->n && after->is_changed[from_y])
            print_line(f, '+', after->lines[from_y++]);
    }
    *x = to_x;
    *y = to_y;
}

bool diff_print(FILE *f, const char *name, struct str before, struct str after, struct arena *arena)
{
    struct side a;
    struct side b;
    struct search s = {.before = &a, .after = &b};
    size_t x = 0;
    size_t y = 0;

    if (str_eq(before, after))
        return true;
    s.reached = arena_zalloc(arena, EDITS_MAX + 1, sizeof(*s.reached));
    if (s.reached == NULL || !side_init(&a, before, arena) || !side_init(&b, after, arena))
        return false;
    search_run(&s);
    fprintf(f, "--- %s\n+++ %s\n", name, name);
    while (x < a.n || y < b.n)
        if (is_change(&a, &b, x, y))
            print_hunk(f, &a, &b, &x, &y);
        else
            step(&a, &b, &x, &y);
    return true;
}

size_t diff_first_line(struct str before, struct str after)
{
    size_t line = 1;

    for (size_t i = 0; i < before.n && i < after.n && before.p[i] == after.p[i]; i++)
        line += before.p[i] == '\n';
    return line;
}

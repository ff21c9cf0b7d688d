/*
 * fmt_lines - the lines of a file on their way out.
 */
#include "conf/fmt_lines.h"

#include "base/panic.h"

#include <limits.h>
#include <stdlib.h>

/* Room for one element more in an array of the run. */
static void *grow(struct fmt_lines *l, void *array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return array;
    *room = *room == 0 ? 64 : 2 * *room;
    return store_grow(l->store, array, n, *room, size);
}

/* A line without pieces has its place among them all the same: the array is there from the start. */
void fmt_lines_init(struct fmt_lines *l, struct store *store)
{
    *l = (struct fmt_lines){.store = store};
    l->pieces = grow(l, NULL, 0, &l->pieces_room, sizeof(*l->pieces));
}

static void put(struct fmt_lines *l, const char *text, size_t n)
{
    if (n > l->out_room - l->n_out) {
        l->out_room = 2 * (l->n_out + n);
        l->out = store_grow(l->store, l->out, l->n_out, l->out_room, 1);
    }
    memcpy(l->out + l->n_out, text, n);
    l->n_out += n;
}

static void put_blanks(struct fmt_lines *l, size_t n)
{
    while (n-- > 0)
        put(l, " ", 1);
}

/* A piece in the order in which pieces are placed. */
struct order {
    uint32_t source;
    size_t line;
    size_t piece;
};

static int order_compare(const void *a, const void *b)
{
    const struct order *x = a;
    const struct order *y = b;

    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* The leftmost column that a piece can have, once the piece before it has its own. */
static uint32_t leftmost(const struct fmt_lines *l, const struct order *at)
{
    const struct fmt_piece *piece = &l->pieces[at->piece];

    if (at->piece == l->lines[at->line].first)
        return 0;
    return piece[-1].column + piece[-1].width + piece->is_apart;
}

/*
 * Place the pieces of one column of the source: those that the author moved there go as far right
 * as the others of the column must be. One that was there by itself is not moved.
 */
static void place_column(struct fmt_lines *l, const struct order *at, size_t n)
{
    uint32_t column = 0;

    for (size_t i = 0; i < n; i++) {
        struct fmt_piece *piece = &l->pieces[at[i].piece];

        piece->column = leftmost(l, &at[i]);
        if (piece->is_apart && piece->column > column)
            column = piece->column;
    }
    for (size_t i = 0; i < n; i++)
        if (l->pieces[at[i].piece].is_wide)
            l->pieces[at[i].piece].column = column;
}

/*
 * Place all pieces of the run, column after column: in each line the source's columns rise, so a
 * piece finds the one before it placed.
 */
static void place_pieces(struct fmt_lines *l)
{
    struct order *order = store_zalloc(l->store, l->n_pieces + 1, sizeof(*order));
    size_t n = 0;
    size_t from = 0;

    for (size_t line = 0; line < l->n_lines; line++)
        for (size_t i = 0; i < l->lines[line].n; i++, n++)
            order[n] = (struct order){l->pieces[n].source, line, n};
    assert(n == l->n_pieces);
    qsort(order, n, sizeof(*order), order_compare);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && order[i].source == order[from].source)
            continue;
        place_column(l, order + from, i - from);
        from = i;
    }
}

/* As place_pieces for a run in which nothing can be aligned: most of them. */
static void place_in_line(struct fmt_lines *l)
{
    for (size_t line = 0; line < l->n_lines; line++)
        for (size_t i = 0; i < l->lines[line].n; i++) {
            struct order at = {0, line, l->lines[line].first + i};

            l->pieces[at.piece].column = leftmost(l, &at);
        }
}

/* Where a line ends, without its comment. */
static uint32_t line_end(const struct fmt_lines *l, const struct fmt_line *line)
{
    const struct fmt_piece *end = &l->pieces[line->first + line->n];

    return line->n == 0 ? 0 : end[-1].column + end[-1].width;
}

/* Does the comment of a line share the column of its run? Long lines would push all others away. */
static bool shares_column(const struct fmt_lines *l, const struct fmt_line *line)
{
    return line->comment.p != NULL && line->n > 0 &&
           line->indent + line_end(l, line) + 2 <= FMT_WIDTH;
}

/* The column that a line asks for: where the author had its comment, or right behind it. */
static uint32_t wanted_column(const struct fmt_lines *l, const struct fmt_line *line)
{
    return line->comment_from > 0 ? line->comment_from : line_end(l, line) + 1;
}

static uint32_t comment_column(const struct fmt_lines *l)
{
    uint32_t longest = 0;
    uint32_t column = UINT32_MAX;

    for (size_t i = 0; i < l->n_lines; i++)
        if (shares_column(l, &l->lines[i]) && line_end(l, &l->lines[i]) > longest)
            longest = line_end(l, &l->lines[i]);
    for (size_t i = 0; i < l->n_lines; i++) {
        const struct fmt_line *line = &l->lines[i];
        uint32_t wanted = wanted_column(l, line);

        if (shares_column(l, line) && wanted > longest && line->indent + wanted <= FMT_WIDTH &&
            wanted < column)
            column = wanted;
    }
    return column == UINT32_MAX ? longest + 2 : column;
}

static void place_comments(struct fmt_lines *l)
{
    uint32_t column = comment_column(l);

    for (size_t i = 0; i < l->n_lines; i++) {
        struct fmt_line *line = &l->lines[i];

        if (line->n == 0)
            line->comment_at = line->is_below ? line[-1].comment_at : 0;
        else
            line->comment_at = shares_column(l, line) ? column : line_end(l, line) + 2;
    }
}

/* A word that starts with the bytes of a byte order mark would lose them at the start of the file. */
static bool starts_with_mark(const struct fmt_lines *l, const struct fmt_line *line)
{
    return line->n > 0 && l->pieces[line->first].n_bytes >= 3 &&
           memcmp(l->pieces[line->first].text, "\xef\xbb\xbf", 3) == 0;
}

static void put_line(struct fmt_lines *l, const struct fmt_line *line)
{
    const struct fmt_piece *pieces = l->pieces + line->first;
    uint32_t column = 0;

    if (line->is_after_blank || (l->n_out == 0 && starts_with_mark(l, line)))
        put(l, "\n", 1);
    put_blanks(l, line->indent);
    for (size_t i = 0; i < line->n; i++) {
        put_blanks(l, pieces[i].column - column);
        put(l, pieces[i].text, pieces[i].n_bytes);
        column = pieces[i].column + pieces[i].width;
    }
    if (line->comment.p != NULL) {
        put_blanks(l, line->comment_at - column);
        put(l, line->comment.p, line->comment.n);
    } else if (line->is_joined) {
        put(l, " \\", 2);
    } else if (l->out[l->n_out - 1] == '\\') {
        /* The last word ends in a backslash, which must not join the next line. */
        put(l, ";", 1);
    }
    put(l, "\n", 1);
}

/* Lay out the run in hand. */
static void end_run(struct fmt_lines *l)
{
    bool is_wide = false;

    for (size_t i = 0; i < l->n_pieces; i++)
        is_wide = is_wide || l->pieces[i].is_wide;
    if (is_wide && l->n_lines > 1)
        place_pieces(l);
    else
        place_in_line(l);
    place_comments(l);
    for (size_t i = 0; i < l->n_lines; i++)
        put_line(l, &l->lines[i]);
    l->n_lines = 0;
    l->n_pieces = 0;
}

static struct fmt_line *last_line(struct fmt_lines *l)
{
    assert(l->n_lines > 0);
    return &l->lines[l->n_lines - 1];
}

static void add_line(struct fmt_lines *l, struct fmt_line line)
{
    l->lines = grow(l, l->lines, l->n_lines, &l->lines_room, sizeof(*l->lines));
    l->lines[l->n_lines++] = line;
}

void fmt_lines_begin(struct fmt_lines *l, unsigned indent, bool is_after_blank)
{
    if (l->n_lines > 0 && (is_after_blank || indent != last_line(l)->indent))
        end_run(l);
    add_line(l, (struct fmt_line){.first = l->n_pieces,
                                  .indent = indent,
                                  .is_after_blank = is_after_blank && l->n_out > 0});
    l->width = indent;
}

void fmt_lines_add(struct fmt_lines *l, struct str text, bool is_apart, unsigned gap)
{
    struct fmt_line *line = last_line(l);
    struct fmt_piece piece = {.text = text.p, .n_bytes = (uint32_t)text.n, .is_apart = is_apart};

    assert(line->comment.p == NULL);
    piece.width = (uint32_t)source_characters(text);
    if (line->n > 0) {
        const struct fmt_piece *before = &l->pieces[l->n_pieces - 1];

        piece.source = before->source + before->width + (gap == FMT_GAP_NONE ? is_apart : gap);
        piece.is_wide = is_apart && gap != FMT_GAP_NONE && gap > 1;
    } else {
        piece.is_apart = false;
    }
    l->pieces = grow(l, l->pieces, l->n_pieces, &l->pieces_room, sizeof(piece));
    l->pieces[l->n_pieces++] = piece;
    line->n++;
    l->width += piece.is_apart + piece.width;
}

void fmt_lines_comment(struct fmt_lines *l, struct str text, unsigned gap)
{
    struct fmt_line *line = last_line(l);
    const struct fmt_piece *end = &l->pieces[l->n_pieces];

    assert(line->comment.p == NULL);
    line->comment = text;
    if (line->n > 0 && gap != FMT_GAP_NONE && gap > 1)
        line->comment_from = end[-1].source + end[-1].width + gap;
}

void fmt_lines_comment_below(struct fmt_lines *l, struct str text)
{
    struct fmt_line *above = last_line(l);

    assert(above->comment.p != NULL);
    add_line(l,
             (struct fmt_line){
                 .first = l->n_pieces, .indent = above->indent, .is_below = true, .comment = text});
}

void fmt_lines_join(struct fmt_lines *l)
{
    last_line(l)->is_joined = true;
}

struct str fmt_lines_end(struct fmt_lines *l)
{
    end_run(l);
    return (struct str){l->out == NULL ? "" : l->out, l->n_out};
}

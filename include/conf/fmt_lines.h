/*
 * fmt_lines - the lines of a file on their way out: words and comments in columns.
 *
 * A line is pieces (words and marks) and perhaps a comment behind them. Lines that follow each
 * other with one indentation and no empty line between are a run, and a run is laid out at once:
 *
 *   Columns.   A word behind two blanks or more that stood under or above others of its run does so
 *              again, as far left as they all can. Everything else is one blank apart.
 *   Comments.  Those behind lines of a run share a column: the leftmost of those that the author
 *              chose and that all fit before.
 *
 * Both are fixed points: what comes out goes through a second time unchanged, because words of one
 * column stay in one column, and the longest neighbour of it stays one blank away.
 *
 * Columns are counted in characters from the first piece of the line. All memory is scratch.
 */
#ifndef HOLDFAST_CONF_FMT_LINES_H
#define HOLDFAST_CONF_FMT_LINES_H

#include "conf/compile.h"

/* Blocks on one line, and comments in columns, end before this one if they can. */
#define FMT_WIDTH 100

/* Where the source does not say how far a piece is from the one before it. */
#define FMT_GAP_NONE UINT_MAX

struct fmt_piece {
    const char *text;
    uint32_t n_bytes;
    uint32_t width;  /* in characters */
    uint32_t source; /* its column as the author had it */
    uint32_t column; /* its column as it will be */
    bool is_apart;   /* a blank before it, or more: it can be moved */
    bool is_wide;    /* the author moved it: two blanks or more before it */
};

struct fmt_line {
    size_t first; /* its pieces in the run */
    size_t n;
    unsigned indent;
    bool is_after_blank;   /* an empty line before it */
    bool is_joined;        /* a backslash behind it */
    bool is_below;         /* a comment alone, below that of the line before it */
    struct str comment;    /* p == NULL: none */
    uint32_t comment_from; /* its column as the author had it; 0: a blank behind the line */
    uint32_t comment_at;   /* its column as it will be */
};

struct fmt_lines {
    struct store *store;
    char *out;
    size_t n_out;
    size_t out_room;
    struct fmt_piece *pieces; /* of the run in hand */
    size_t n_pieces;
    size_t pieces_room;
    struct fmt_line *lines; /* likewise; the last one is being written */
    size_t n_lines;
    size_t lines_room;
    size_t width; /* of the last line, as if all blanks were single */
};

/* Nothing yet; memory is taken from store. */
void fmt_lines_init(struct fmt_lines *l, struct store *store);

/* End the line in hand, if any, and begin one. An empty line before the first one is left out. */
void fmt_lines_begin(struct fmt_lines *l, unsigned indent, bool is_after_blank);

/*
 * Put a piece behind the line in hand. is_apart: with a blank between. gap: the blanks that the
 * author had there.
 */
void fmt_lines_add(struct fmt_lines *l, struct str text, bool is_apart, unsigned gap);

/*
 * Put a comment behind the line in hand, which has none, or onto it, if there is nothing else. Only
 * fmt_lines_begin and fmt_lines_comment_below may follow.
 */
void fmt_lines_comment(struct fmt_lines *l, struct str text, unsigned gap);

/* A line of its own for a comment that goes on below that of the line in hand, which has one. */
void fmt_lines_comment_below(struct fmt_lines *l, struct str text);

/* The line in hand goes on in the next one: a backslash behind it. */
void fmt_lines_join(struct fmt_lines *l);

/* End the last line. The text is scratch. */
struct str fmt_lines_end(struct fmt_lines *l);

#endif

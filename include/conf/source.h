/*
 * source - the texts of the files that make up a configuration, and places in them.
 *
 * All texts of one load share one row of offsets: a span is two numbers, whatever file it lies in,
 * and the order of spans is the order in which the files were read. Columns count characters
 * from 1.
 *
 * Bad bytes (NUL, controls, malformed UTF-8) are reported when a text is added and stand in it as
 * SOURCE_BAD from then on, so that nothing behind this module ever meets them.
 */
#ifndef HOLDFAST_CONF_SOURCE_H
#define HOLDFAST_CONF_SOURCE_H

#include "base/arena.h"

/* A bad byte, as the lexer sees it. No legal text holds it. */
#define SOURCE_BAD '\x01'

/* One file, and all files of a load: a typical one is 10K. A span must fit 32 bits. */
#define SOURCE_FILE_MAX  ((size_t)16 << 20)
#define SOURCE_TOTAL_MAX ((size_t)64 << 20)
#define SOURCE_FILES_MAX 1000

/* Nobody indents further; asking for it must not cost a walk over a long line. */
#define SOURCE_INDENT_MAX 255

/* Bytes from..to-1 of the row of all texts. */
struct span {
    uint32_t from;
    uint32_t to;
};

/* No place in any text. */
#define SPAN_NONE ((struct span){UINT32_MAX, UINT32_MAX})

struct source {
    struct str name;     /* as the user would say it: the path given, or relative to the includer */
    struct str identity; /* the same for all names of a file: finds loops */
    struct str directory;  /* what relative paths in it start from; empty: the working directory */
    struct str text;       /* followed by a NUL */
    uint32_t base;         /* offset of its first byte */
    const uint32_t *lines; /* offset in text of the start of each line */
    size_t n_lines;
};

struct sources {
    struct arena *arena;
    const struct source *list[SOURCE_FILES_MAX];
    size_t n;
    uint32_t n_bytes; /* the next base */
};

/* A span for people. */
struct source_place {
    const struct source *source;
    unsigned line;
    unsigned column;
    struct str line_text; /* without its line end */
    size_t line_from;     /* offset in line_text */
};

/* An empty set; texts and tables go to arena, which must outlive it. */
void sources_init(struct sources *s, struct arena *arena);

/*
 * Add a text. name, identity and directory are copied, text is copied without its BOM. Returns NULL
 * when there are too many files or bytes, or no memory.
 */
struct source *source_add(struct sources *s, struct str name, struct str identity,
                          struct str directory, struct str text);

/*
 * The next bad byte of the text at or after *at: replaces the run of bad bytes that it starts by
 * SOURCE_BAD, gives its span and what is wrong, moves *at behind it. NULL when there is none.
 */
const char *source_next_bad(struct source *source, size_t *at, struct span *span);

/* The source that holds an offset; NULL for SPAN_NONE. */
const struct source *source_of(const struct sources *s, uint32_t offset);

/* The bytes of a span. It must lie in one source. */
struct str source_text(const struct sources *s, struct span span);

/* Line and column of the span's start. False for SPAN_NONE. */
bool source_place(const struct sources *s, struct span span, struct source_place *place);

/* The line of the span's start, counted from 1; 0 for SPAN_NONE. Costs a binary search. */
unsigned source_line(const struct sources *s, struct span span);

/* How many blanks its line starts with, up to SOURCE_INDENT_MAX. */
unsigned source_indent(const struct sources *s, struct span span);

/* How many characters text holds: bytes that do not continue a UTF-8 sequence. */
size_t source_characters(struct str text);

/* The span from the start of a to the end of b. */
static inline struct span span_join(struct span a, struct span b)
{
    return (struct span){a.from, b.to > a.from ? b.to : a.to};
}

/* The place just behind a span: where something is missing. */
static inline struct span span_after(struct span a)
{
    return (struct span){a.to, a.to};
}

#endif

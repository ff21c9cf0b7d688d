/*
 * source - the texts of the files that make up a configuration, and places in them.
 */
#include "conf/source.h"

#include "base/panic.h"

void sources_init(struct sources *s, struct arena *arena)
{
    *s = (struct sources){.arena = arena};
}

/* A table of where each line starts: finding a line is a binary search, and every route asks. */
static bool source_index(struct source *source, struct arena *a)
{
    size_t n = 1;
    uint32_t *lines;

    for (size_t i = 0; i < source->text.n; i++)
        n += source->text.p[i] == '\n';
    lines = arena_zalloc(a, n, sizeof(*lines));
    if (lines == NULL)
        return false;
    source->n_lines = 1;
    for (size_t i = 0; i < source->text.n; i++)
        if (source->text.p[i] == '\n')
            lines[source->n_lines++] = (uint32_t)(i + 1);
    source->lines = lines;
    return true;
}

struct source *source_add(struct sources *s, struct str name, struct str identity,
                          struct str directory, struct str text)
{
    struct source *source;

    if (str_starts_with(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.n);
    if (s->n == SOURCE_FILES_MAX || text.n > SOURCE_FILE_MAX ||
        text.n > SOURCE_TOTAL_MAX - s->n_bytes)
        return NULL;
    source = arena_zalloc(s->arena, 1, sizeof(*source));
    if (source == NULL)
        return NULL;
    source->name = arena_str(s->arena, name);
    source->identity = arena_str(s->arena, identity);
    source->directory = arena_str(s->arena, directory);
    source->text = arena_str(s->arena, text);
    source->base = s->n_bytes;
    if (source->name.p == NULL || source->identity.p == NULL || source->directory.p == NULL ||
        source->text.p == NULL || !source_index(source, s->arena))
        return NULL;
    s->n_bytes += (uint32_t)text.n + 1; /* the end of a text is a place of its own */
    s->list[s->n++] = source;
    return source;
}

/* The length of the well-formed UTF-8 character at p (Unicode 3.9, table 3-7), or 0. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (length == 0 || p[0] > 0xf4 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

/* What is wrong with the character at i, or NULL and its length. */
static const char *source_fault(struct str text, size_t i, size_t *length)
{
    const unsigned char *p = (const unsigned char *)text.p + i;

    *length = 1;
    if (*p == '\t' || *p == '\n' || (*p == '\r' && i + 1 < text.n && p[1] == '\n'))
        return NULL;
    if (*p == '\r')
        return "a carriage return without a line feed";
    if (*p < 0x20 || *p == 0x7f)
        return "a control character";
    *length = utf8_length(p, text.n - i);
    if (*length > 0)
        return NULL;
    *length = 1;
    return "this is not UTF-8";
}

const char *source_next_bad(struct source *source, size_t *at, struct span *span)
{
    char *bytes = (char *)source->text.p; /* our own copy, made by source_add */
    const char *why = NULL;
    size_t length;
    size_t i = *at;

    while (i < source->text.n && (why = source_fault(source->text, i, &length)) == NULL)
        i += length;
    if (why == NULL)
        return NULL;
    span->from = source->base + (uint32_t)i;
    while (i < source->text.n && source_fault(source->text, i, &length) != NULL)
        bytes[i++] = SOURCE_BAD;
    span->to = source->base + (uint32_t)i;
    *at = i;
    return why;
}

const struct source *source_of(const struct sources *s, uint32_t offset)
{
    size_t low = 0;
    size_t high = s->n;

    if (offset >= s->n_bytes)
        return NULL;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (s->list[middle]->base <= offset)
            low = middle;
        else
            high = middle;
    }
    return s->list[low];
}

struct str source_text(const struct sources *s, struct span span)
{
    const struct source *source = source_of(s, span.from);

    assert(source != NULL && span.to >= span.from);
    assert(span.to - source->base <= source->text.n);
    return str_slice(source->text, span.from - source->base, span.to - source->base);
}

size_t source_characters(struct str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return n;
}

/* The line, counted from 0, that holds the byte at `at` of a text. */
static size_t find_line(const struct source *source, size_t at)
{
    size_t low = 0;
    size_t high = source->n_lines;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (source->lines[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

unsigned source_line(const struct sources *s, struct span span)
{
    const struct source *source = source_of(s, span.from);

    return source == NULL ? 0 : (unsigned)find_line(source, span.from - source->base) + 1;
}

unsigned source_indent(const struct sources *s, struct span span)
{
    const struct source *source = source_of(s, span.from);
    const char *line;
    unsigned n = 0;

    if (source == NULL)
        return 0;
    line = source->text.p + source->lines[find_line(source, span.from - source->base)];
    while (n < SOURCE_INDENT_MAX && (line[n] == ' ' || line[n] == '\t'))
        n++;
    return n;
}

bool source_place(const struct sources *s, struct span span, struct source_place *place)
{
    const struct source *source = source_of(s, span.from);
    size_t line;
    size_t at;
    size_t end;

    if (source == NULL)
        return false;
    at = span.from - source->base;
    line = find_line(source, at);
    end = line + 1 < source->n_lines ? source->lines[line + 1] - 1 : source->text.n;
    if (end > source->lines[line] && source->text.p[end - 1] == '\r')
        end--;
    if (at > end)
        at = end;
    *place = (struct source_place){
        .source = source,
        .line = (unsigned)line + 1,
        .line_text = str_slice(source->text, source->lines[line], end),
        .line_from = at - source->lines[line],
    };
    place->column =
        (unsigned)source_characters(str_slice(place->line_text, 0, place->line_from)) + 1;
    return true;
}

/*
 * chunked - the chunked transfer coding, incoming (RFC 9112 7.1).
 *
 * A table of states and kinds of bytes: what is not in the table is a fault, and the fault is the
 * state's. Content never goes through the table; it is counted.
 *
 * Invariants:  state is DATA  =>  left > 0;  left > 0  =>  state is SIZE to DATA.
 * Elsewhere:   what happens to the content (the codec).
 */
#include "http/chunked.h"

#include "base/panic.h"

enum chunk_state {
    CHUNK_REFUSED, /* not a state: what the table says where a byte may not stand */
    CHUNK_SIZE_FIRST,
    CHUNK_SIZE,
    CHUNK_NAME_FIRST, /* of an extension, behind `;` */
    CHUNK_NAME,
    CHUNK_NAME_END,    /* blank behind the name */
    CHUNK_VALUE_FIRST, /* behind `=` */
    CHUNK_VALUE,
    CHUNK_QUOTED,
    CHUNK_QUOTED_PAIR, /* behind a backslash in a quoted value */
    CHUNK_QUOTED_END,
    CHUNK_VALUE_END, /* blank behind a value */
    CHUNK_EXTENSION_LF,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER_FIRST,
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
    CHUNK_END,
    CHUNK_STATE_N
};

enum chunk_byte {
    BYTE_CONTROL, /* all that may stand nowhere */
    BYTE_HEX,     /* 0-9 a-f A-F */
    BYTE_TOKEN,   /* the rest of tchar */
    BYTE_BLANK,   /* space, tab */
    BYTE_SEMICOLON,
    BYTE_COLON,
    BYTE_EQUALS,
    BYTE_QUOTE,
    BYTE_BACKSLASH,
    BYTE_TEXT, /* other visible bytes, and obs-text */
    BYTE_CR,
    BYTE_LF,
    BYTE_KIND_N
};

/* clang-format off */
static const unsigned char byte_kinds[256] = {
    ['\t'] = BYTE_BLANK,
    ['\n'] = BYTE_LF,
    ['\r'] = BYTE_CR,
    [' '] = BYTE_BLANK,
    ['!'] = BYTE_TOKEN,
    ['"'] = BYTE_QUOTE,
    ['#' ... '\''] = BYTE_TOKEN,
    ['(' ... ')'] = BYTE_TEXT,
    ['*' ... '+'] = BYTE_TOKEN,
    [','] = BYTE_TEXT,
    ['-' ... '.'] = BYTE_TOKEN,
    ['/'] = BYTE_TEXT,
    ['0' ... '9'] = BYTE_HEX,
    [':'] = BYTE_COLON,
    [';'] = BYTE_SEMICOLON,
    ['<'] = BYTE_TEXT,
    ['='] = BYTE_EQUALS,
    ['>' ... '@'] = BYTE_TEXT,
    ['A' ... 'F'] = BYTE_HEX,
    ['G' ... 'Z'] = BYTE_TOKEN,
    ['['] = BYTE_TEXT,
    ['\\'] = BYTE_BACKSLASH,
    [']'] = BYTE_TEXT,
    ['^' ... '`'] = BYTE_TOKEN,
    ['a' ... 'f'] = BYTE_HEX,
    ['g' ... 'z'] = BYTE_TOKEN,
    ['{'] = BYTE_TEXT,
    ['|'] = BYTE_TOKEN,
    ['}'] = BYTE_TEXT,
    ['~'] = BYTE_TOKEN,
    [0x80 ... 0xff] = BYTE_TEXT,
};
/* clang-format on */

struct chunk_row {
    enum http_fault fault; /* of a byte that is not listed */
    unsigned char next[BYTE_KIND_N];
};

/* clang-format off */
/* All that may stand in a quoted string or a field value as it is. */
#define TEXT_TO(state)                                                                             \
    [BYTE_HEX] = (state), [BYTE_TOKEN] = (state), [BYTE_BLANK] = (state), [BYTE_TEXT] = (state),   \
    [BYTE_SEMICOLON] = (state), [BYTE_COLON] = (state), [BYTE_EQUALS] = (state)

static const struct chunk_row chunk_rows[CHUNK_STATE_N] = {
    /* RFC 9112 7.1: 1*HEXDIG, and at once `;` or the line's end: blanks have fooled readers */
    [CHUNK_SIZE_FIRST] = {FAULT_CHUNK_SIZE, {[BYTE_HEX] = CHUNK_SIZE}},
    [CHUNK_SIZE] = {FAULT_CHUNK_SIZE,
                    {[BYTE_HEX] = CHUNK_SIZE,
                     [BYTE_SEMICOLON] = CHUNK_NAME_FIRST,
                     [BYTE_CR] = CHUNK_SIZE_LF}},
    [CHUNK_SIZE_LF] = {FAULT_CHUNK_SIZE, {[BYTE_LF] = CHUNK_DATA}},

    /* RFC 9112 7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) */
    [CHUNK_NAME_FIRST] = {FAULT_CHUNK_EXTENSION,
                          {[BYTE_BLANK] = CHUNK_NAME_FIRST,
                           [BYTE_HEX] = CHUNK_NAME,
                           [BYTE_TOKEN] = CHUNK_NAME}},
    [CHUNK_NAME] = {FAULT_CHUNK_EXTENSION,
                    {[BYTE_HEX] = CHUNK_NAME,
                     [BYTE_TOKEN] = CHUNK_NAME,
                     [BYTE_BLANK] = CHUNK_NAME_END,
                     [BYTE_EQUALS] = CHUNK_VALUE_FIRST,
                     [BYTE_SEMICOLON] = CHUNK_NAME_FIRST,
                     [BYTE_CR] = CHUNK_EXTENSION_LF}},
    [CHUNK_NAME_END] = {FAULT_CHUNK_EXTENSION,
                        {[BYTE_BLANK] = CHUNK_NAME_END,
                         [BYTE_EQUALS] = CHUNK_VALUE_FIRST,
                         [BYTE_SEMICOLON] = CHUNK_NAME_FIRST}},
    [CHUNK_VALUE_FIRST] = {FAULT_CHUNK_EXTENSION,
                           {[BYTE_BLANK] = CHUNK_VALUE_FIRST,
                            [BYTE_HEX] = CHUNK_VALUE,
                            [BYTE_TOKEN] = CHUNK_VALUE,
                            [BYTE_QUOTE] = CHUNK_QUOTED}},
    [CHUNK_VALUE] = {FAULT_CHUNK_EXTENSION,
                     {[BYTE_HEX] = CHUNK_VALUE,
                      [BYTE_TOKEN] = CHUNK_VALUE,
                      [BYTE_BLANK] = CHUNK_VALUE_END,
                      [BYTE_SEMICOLON] = CHUNK_NAME_FIRST,
                      [BYTE_CR] = CHUNK_EXTENSION_LF}},
    [CHUNK_QUOTED] = {FAULT_CHUNK_EXTENSION,
                      {TEXT_TO(CHUNK_QUOTED),
                       [BYTE_BACKSLASH] = CHUNK_QUOTED_PAIR,
                       [BYTE_QUOTE] = CHUNK_QUOTED_END}},
    [CHUNK_QUOTED_PAIR] = {FAULT_CHUNK_EXTENSION,
                           {TEXT_TO(CHUNK_QUOTED),
                            [BYTE_BACKSLASH] = CHUNK_QUOTED,
                            [BYTE_QUOTE] = CHUNK_QUOTED}},
    [CHUNK_QUOTED_END] = {FAULT_CHUNK_EXTENSION,
                          {[BYTE_BLANK] = CHUNK_VALUE_END,
                           [BYTE_SEMICOLON] = CHUNK_NAME_FIRST,
                           [BYTE_CR] = CHUNK_EXTENSION_LF}},
    [CHUNK_VALUE_END] = {FAULT_CHUNK_EXTENSION,
                         {[BYTE_BLANK] = CHUNK_VALUE_END,
                          [BYTE_SEMICOLON] = CHUNK_NAME_FIRST}},
    [CHUNK_EXTENSION_LF] = {FAULT_CHUNK_EXTENSION, {[BYTE_LF] = CHUNK_DATA}},

    /* The bytes of DATA itself are counted and not looked at. */
    [CHUNK_DATA_CR] = {FAULT_CHUNK_END, {[BYTE_CR] = CHUNK_DATA_LF}},
    [CHUNK_DATA_LF] = {FAULT_CHUNK_END, {[BYTE_LF] = CHUNK_SIZE_FIRST}},

    /* RFC 9112 7.1.2: field lines as in a head, then the empty line */
    [CHUNK_TRAILER_FIRST] = {FAULT_TRAILER,
                             {[BYTE_HEX] = CHUNK_TRAILER_NAME,
                              [BYTE_TOKEN] = CHUNK_TRAILER_NAME,
                              [BYTE_CR] = CHUNK_END_LF}},
    [CHUNK_TRAILER_NAME] = {FAULT_TRAILER,
                            {[BYTE_HEX] = CHUNK_TRAILER_NAME,
                             [BYTE_TOKEN] = CHUNK_TRAILER_NAME,
                             [BYTE_COLON] = CHUNK_TRAILER_VALUE}},
    [CHUNK_TRAILER_VALUE] = {FAULT_TRAILER,
                             {TEXT_TO(CHUNK_TRAILER_VALUE),
                              [BYTE_BACKSLASH] = CHUNK_TRAILER_VALUE,
                              [BYTE_QUOTE] = CHUNK_TRAILER_VALUE,
                              [BYTE_CR] = CHUNK_TRAILER_LF}},
    [CHUNK_TRAILER_LF] = {FAULT_TRAILER, {[BYTE_LF] = CHUNK_TRAILER_FIRST}},
    [CHUNK_END_LF] = {FAULT_TRAILER, {[BYTE_LF] = CHUNK_END}},
};
/* clang-format on */

void chunked_init(struct chunked *c)
{
    *c = (struct chunked){.state = CHUNK_SIZE_FIRST};
}

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 0x20) - 'a' + 10;
}

/* The byte is legal and leads to `next`: count it, and see whether it is one too many. */
static enum http_fault chunked_count(struct chunked *c, enum chunk_state next, char byte)
{
    if (next == CHUNK_SIZE) {
        if (c->n_digits++ == CHUNK_SIZE_DIGITS_MAX)
            return FAULT_CHUNK_TOO_LARGE;
        c->left = c->left << 4 | hex_digit(byte);
    } else if (next >= CHUNK_NAME_FIRST && next <= CHUNK_EXTENSION_LF) {
        if (c->extension_bytes++ == CHUNK_EXTENSIONS_MAX)
            return FAULT_CHUNK_EXTENSION;
    } else if (next >= CHUNK_TRAILER_FIRST && next <= CHUNK_END_LF) {
        if (c->trailer_bytes++ == CHUNK_TRAILERS_MAX)
            return FAULT_TRAILER;
    }
    return FAULT_NONE;
}

/* One byte of framing. */
static enum http_fault chunked_byte(struct chunked *c, char byte)
{
    const struct chunk_row *row = &chunk_rows[c->state];
    enum chunk_state next = row->next[byte_kinds[(unsigned char)byte]];
    enum http_fault fault;

    if (next == CHUNK_REFUSED)
        return row->fault;
    fault = chunked_count(c, next, byte);
    if (fault != FAULT_NONE)
        return fault;
    if (next == CHUNK_DATA) {
        c->n_digits = 0;
        if (c->left == 0)
            next = CHUNK_TRAILER_FIRST; /* the last chunk, RFC 9112 7.1 */
    }
    c->state = (unsigned char)next;
    return FAULT_NONE;
}

enum chunked_step chunked_step(struct chunked *c, const char *p, size_t n, size_t *used,
                               size_t *data, enum http_fault *fault)
{
    *data = 0;
    for (*used = 0; *used < n; (*used)++) {
        if (c->state == CHUNK_DATA) {
            *data = c->left < n - *used ? (size_t)c->left : n - *used;
            return CHUNKED_DATA;
        }
        if (c->state == CHUNK_END)
            return CHUNKED_END;
        *fault = chunked_byte(c, p[*used]);
        if (*fault != FAULT_NONE)
            return CHUNKED_FAULT;
    }
    return c->state == CHUNK_END ? CHUNKED_END : CHUNKED_MORE;
}

void chunked_took(struct chunked *c, size_t n)
{
    assert(n <= chunked_left(c));
    if (n == 0)
        return;
    c->left -= n;
    if (c->left == 0)
        c->state = CHUNK_DATA_CR;
}

uint64_t chunked_left(const struct chunked *c)
{
    return c->state == CHUNK_DATA ? c->left : 0;
}

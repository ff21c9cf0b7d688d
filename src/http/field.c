/*
 * field - the names of header fields.
 *
 * A look-up picks the one known name with this length and first letter (where two share both, a later
 * one) and compares with it alone. A test finds each row by its name, so that a row without a case
 * here does not go unnoticed.
 */
#include "http/field.h"

#include "base/panic.h"
#include "http/word.h"

/* What a byte may be part of. */
enum byte_class {
    BYTE_TOKEN = 1, /* tchar, RFC 9110 5.6.2 */
    BYTE_VALUE = 2, /* field-vchar, space or tab, RFC 9110 5.5 */
};

/* clang-format off */
static const unsigned char byte_classes[256] = {
    ['\t'] = BYTE_VALUE,
    [' '] = BYTE_VALUE,
    ['!'] = BYTE_TOKEN | BYTE_VALUE,
    ['"'] = BYTE_VALUE,
    ['#' ... '\''] = BYTE_TOKEN | BYTE_VALUE,
    ['(' ... ')'] = BYTE_VALUE,
    ['*' ... '+'] = BYTE_TOKEN | BYTE_VALUE,
    [','] = BYTE_VALUE,
    ['-' ... '.'] = BYTE_TOKEN | BYTE_VALUE,
    ['/'] = BYTE_VALUE,
    ['0' ... '9'] = BYTE_TOKEN | BYTE_VALUE,
    [':' ... '@'] = BYTE_VALUE,
    ['A' ... 'Z'] = BYTE_TOKEN | BYTE_VALUE,
    ['[' ... ']'] = BYTE_VALUE,
    ['^' ... 'z'] = BYTE_TOKEN | BYTE_VALUE,
    ['{'] = BYTE_VALUE,
    ['|'] = BYTE_TOKEN | BYTE_VALUE,
    ['}'] = BYTE_VALUE,
    ['~'] = BYTE_TOKEN | BYTE_VALUE,
    [0x80 ... 0xff] = BYTE_VALUE,
};
/* clang-format on */

struct name_row {
    struct str name;
    enum field_kind kind;
};

static const struct name_row names[FIELD_N] = {
/* clang-format off */
#define X(id, text, kind) [FIELD_##id] = {{text, sizeof(text) - 1}, FIELD_KIND_##kind},
/* clang-format on */
#include "grammar/fields.def"
#undef X
};

/* The only known name that a text of this length with this first letter (twice: and a later one)
 * can be. */
static enum field_id field_candidate(struct str name, char first)
{
    switch (name.n) {
    case 2: return FIELD_TE;
    case 3: return FIELD_VIA;
    case 4: return first == 'h' ? FIELD_HOST : first == 'd' ? FIELD_DATE : FIELD_ETAG;
    case 5: return first == 'r' ? FIELD_RANGE : FIELD_PROXY;
    case 6:
        if (first == 's')
            return FIELD_SERVER;
        return first == 'a' ? FIELD_ACCEPT : first == 'c' ? FIELD_COOKIE : FIELD_EXPECT;
    case 7: return first == 'u' ? FIELD_UPGRADE : first == 't' ? FIELD_TRAILER : FIELD_REFERER;
    case 8:
        if (first == 'l')
            return FIELD_LOCATION;
        return str_lower_char(name.p[3]) == 'r' ? FIELD_IF_RANGE : FIELD_IF_MATCH;
    case 10:
        return first == 'u' ? FIELD_USER_AGENT : first == 'c' ? FIELD_CONNECTION : FIELD_KEEP_ALIVE;
    case 11: return first == 'i' ? FIELD_INCREMENTAL : FIELD_RETRY_AFTER;
    case 12: return first == 'm' ? FIELD_MAX_FORWARDS : FIELD_CONTENT_TYPE;
    case 13:
        if (first == 'c')
            return FIELD_CACHE_CONTROL;
        if (first == 'i')
            return FIELD_IF_NONE_MATCH;
        if (first == 't' || first == 'u')
            return first == 't' ? FIELD_TUS_RESUMABLE : FIELD_UPLOAD_OFFSET;
        return first == 'a' ? FIELD_AUTHORIZATION : FIELD_LAST_MODIFIED;
    case 14: return first == 'c' ? FIELD_CONTENT_LENGTH : FIELD_HTTP2_SETTINGS;
    case 15:
        if (first == 'u')
            return FIELD_UPLOAD_COMPLETE;
        return first == 'x' ? FIELD_X_FORWARDED_FOR : FIELD_IDEMPOTENCY_KEY;
    case 16:
        if (first == 'x')
            return FIELD_X_FORWARDED_HOST;
        return first == 'c' ? FIELD_CONTENT_ENCODING : FIELD_PROXY_CONNECTION;
    case 17:
        if (first == 't' || first == 'i')
            return first == 't' ? FIELD_TRANSFER_ENCODING : FIELD_IF_MODIFIED_SINCE;
        return str_lower_char(name.p[2]) == 'a' ? FIELD_X_ACCEL_BUFFERING : FIELD_X_FORWARDED_PROTO;
    case 19: return FIELD_IF_UNMODIFIED_SINCE;
    }
    return FIELD_OTHER;
}

/* Do two texts of n bytes agree? Without a call, since most names come as we spell them. */
static inline bool equal_exactly(const char *a, const char *b, size_t n)
{
    if (n >= WORD_BYTES) {
        for (size_t i = 0; i + WORD_BYTES < n; i += WORD_BYTES)
            if (word_load(a + i) != word_load(b + i))
                return false;
        return word_load(a + n - WORD_BYTES) == word_load(b + n - WORD_BYTES);
    }
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* Likewise without regard to case: HTTP/2 sends every name in lower case. */
static bool equal_nocase(const char *a, const char *b, size_t n)
{
    if (n < WORD_BYTES)
        return str_eq_nocase((struct str){a, n}, (struct str){b, n});
    for (size_t i = 0; i + WORD_BYTES < n; i += WORD_BYTES)
        if (word_lower(word_load(a + i)) != word_lower(word_load(b + i)))
            return false;
    a += n - WORD_BYTES;
    b += n - WORD_BYTES;
    return word_lower(word_load(a)) == word_lower(word_load(b));
}

__attribute__((noinline)) static enum field_id field_find_nocase(struct str name, enum field_id id)
{
    return equal_nocase(name.p, names[id].name.p, name.n) ? id : FIELD_OTHER;
}

enum field_id field_find(struct str name)
{
    struct str known;
    enum field_id id;
    char first;

    if (name.n == 0)
        return FIELD_OTHER;
    first = (char)(name.p[0] | 0x20); /* all names start with a letter */
    id = field_candidate(name, first);
    known = names[id].name;
    if (known.n != name.n || (known.p[0] | 0x20) != first)
        return FIELD_OTHER;
    return equal_exactly(name.p, known.p, name.n) ? id : field_find_nocase(name, id);
}

struct str field_name(enum field_id id)
{
    assert(id > FIELD_OTHER && id < FIELD_N);
    return names[id].name;
}

enum field_kind field_kind(enum field_id id)
{
    assert(id < FIELD_N);
    return names[id].kind;
}

static bool all_bytes_are(struct str text, enum byte_class class)
{
    for (size_t i = 0; i < text.n; i++)
        if ((byte_classes[(unsigned char)text.p[i]] & class) == 0)
            return false;
    return true;
}

bool field_is_token(struct str text)
{
    return text.n > 0 && all_bytes_are(text, BYTE_TOKEN);
}

bool field_is_value(struct str text)
{
    return all_bytes_are(text, BYTE_VALUE) && str_trim(text).n == text.n;
}

/*
 * http_chunked - chunked bodies, legal and not, whole, byte by byte, and cut in two everywhere.
 */
#include "http_parsed.h"
#include "unit.h"

#include "http/chunked.h"

struct chunked_row {
    const char *clause;
    struct str text;
    enum http_fault fault; /* FAULT_NONE: ends well; FAULT_TRUNCATED: more is wanted */
    const char *content;
};

#define ROW(clause, text, fault, content)                                                          \
    {                                                                                              \
        clause, {text, sizeof(text) - 1}, FAULT_##fault, content                                   \
    }

/* clang-format off */
static const struct chunked_row chunked_rows[] = {
    ROW("no content", "0\r\n\r\n", NONE, ""),
    ROW("one chunk", "5\r\nhello\r\n0\r\n\r\n", NONE, "hello"),
    ROW("two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", NONE, "hello world"),
    ROW("hexadecimal", "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", NONE,
        "01234567890123456789a"),
    ROW("zeros", "0005\r\nhello\r\n000\r\n\r\n", NONE, "hello"),
    ROW("line ends in the content", "4\r\n\r\n\r\n\r\n0\r\n\r\n", NONE, "\r\n\r\n"),
    ROW("what follows is not touched", "0\r\n\r\nGET /", NONE, ""),
    ROW("cut in the content", "5\r\nhel", TRUNCATED, "hel"),
    ROW("cut before the last chunk", "5\r\nhello\r\n", TRUNCATED, "hello"),
    ROW("cut before the end", "0\r\n", TRUNCATED, ""),

    /* the size */
    ROW("13 digits", "0000000000005\r\nhello\r\n0\r\n\r\n", NONE, "hello"),
    ROW("14 digits", "00000000000005\r\nhello\r\n0\r\n\r\n", CHUNK_TOO_LARGE, ""),
    ROW("2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n", CHUNK_TOO_LARGE, ""),
    ROW("none", "\r\n\r\n", CHUNK_SIZE, ""),
    ROW("none but an extension", ";a\r\n\r\n", CHUNK_SIZE, ""),
    ROW("0x", "0x5\r\nhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("plus", "+5\r\nhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("minus", "-5\r\nhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("blank before", " 5\r\nhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("blank behind", "5 \r\nhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("tab behind", "5\t\r\nhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("blank before an extension", "5 ;a\r\nhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("underscore", "1_0\r\n", CHUNK_SIZE, ""),
    ROW("not hexadecimal", "5g\r\n", CHUNK_SIZE, ""),
    ROW("LF", "5\nhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("CR", "5\rhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("CR CR LF", "5\r\r\nhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("LF CR", "5\n\rhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),
    ROW("NUL", "5\0\r\nhello\r\n0\r\n\r\n", CHUNK_SIZE, ""),

    /* extensions: dropped, and looked at */
    ROW("a name", "5;a\r\nhello\r\n0\r\n\r\n", NONE, "hello"),
    ROW("a value", "5;a=b\r\nhello\r\n0;c=d;e\r\n\r\n", NONE, "hello"),
    ROW("a quoted value", "5;a=\"b;\\\"=\t\344 \"\r\nhello\r\n0\r\n\r\n", NONE, "hello"),
    ROW("a quote and a name", "5;a=\"\";b\r\nhello\r\n0\r\n\r\n", NONE, "hello"),
    ROW("blanks inside", "5; a = b ;\tc\r\nhello\r\n0\r\n\r\n", NONE, "hello"),
    ROW("no name", "5;\r\nhello\r\n0\r\n\r\n", CHUNK_EXTENSION, ""),
    ROW("no value", "5;a=\r\nhello\r\n0\r\n\r\n", CHUNK_EXTENSION, ""),
    ROW("blank at the end", "5;a \r\nhello\r\n0\r\n\r\n", CHUNK_EXTENSION, ""),
    ROW("LF", "5;a\nhello\r\n0\r\n\r\n", CHUNK_EXTENSION, ""),
    ROW("CR", "5;a\rb\r\nhello\r\n0\r\n\r\n", CHUNK_EXTENSION, ""),
    ROW("LF in quotes", "5;a=\"\nb\"\r\nhello\r\n0\r\n\r\n", CHUNK_EXTENSION, ""),
    ROW("CR LF in quotes", "5;a=\"\r\nhello\r\n0\r\n\r\n", CHUNK_EXTENSION, ""),
    ROW("NUL", "5;a=\"\0\"\r\nhello\r\n0\r\n\r\n", CHUNK_EXTENSION, ""),
    ROW("LF behind a backslash", "5;a=\"\\\n\"\r\nhello\r\n0\r\n\r\n", CHUNK_EXTENSION, ""),
    ROW("text behind quotes", "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n", CHUNK_EXTENSION, ""),

    /* the end of the content */
    ROW("too short a size", "4\r\nhello\r\n0\r\n\r\n", CHUNK_END, "hell"),
    ROW("LF behind the content", "5\r\nhello\n0\r\n\r\n", CHUNK_END, "hello"),
    ROW("CR behind the content", "5\r\nhello\r0\r\n\r\n", CHUNK_END, "hello"),
    ROW("nothing behind the content", "5\r\nhello0\r\n\r\n", CHUNK_END, "hello"),

    /* trailers: dropped, and looked at */
    ROW("a field", "0\r\nX: y\r\n\r\n", NONE, ""),
    ROW("two fields", "0\r\nA:\"\\\"\r\nX:\ty \344\r\n\r\n", NONE, ""),
    ROW("no name", "0\r\n: y\r\n\r\n", TRAILER, ""),
    ROW("no colon", "0\r\nX\r\n\r\n", TRAILER, ""),
    ROW("blank before the colon", "0\r\nX : y\r\n\r\n", TRAILER, ""),
    ROW("folded", "0\r\nX: y\r\n z\r\n\r\n", TRAILER, ""),
    ROW("LF", "0\r\nX: y\n\r\n", TRAILER, ""),
    ROW("CR", "0\r\nX: y\rz\r\n\r\n", TRAILER, ""),
    ROW("NUL", "0\r\nX: y\0\r\n\r\n", TRAILER, ""),
    ROW("a LF for the last line", "0\r\n\n", TRAILER, ""),
    ROW("a CR for the last line", "0\r\n\rX", TRAILER, ""),
    ROW("the next request too early", "0\r\nGET / HTTP/1.1\r\n", TRAILER, ""),
};
/* clang-format on */

struct outcome {
    enum http_fault fault;
    size_t used;
    char content[256];
    size_t n;
};

/* Feed one piece; true: go on. */
static bool feed(struct chunked *c, struct str piece, struct outcome *o)
{
    while (piece.n > 0) {
        size_t used;
        size_t data;
        enum chunked_step step = chunked_step(c, piece.p, piece.n, &used, &data, &o->fault);

        assert(used + data <= piece.n);
        assert((step == CHUNKED_DATA) == (data > 0));
        o->used += used + data;
        if (step == CHUNKED_END)
            o->fault = FAULT_NONE;
        if (step == CHUNKED_END || step == CHUNKED_FAULT)
            return false;
        memcpy(o->content + o->n, piece.p + used, data);
        o->n += data;
        chunked_took(c, data);
        piece = str_slice(piece, used + data, piece.n);
    }
    return true;
}

/* Feed text in pieces of n bytes, the first of `first`. */
static struct outcome decode(struct str text, size_t first, size_t n)
{
    struct outcome o = {.n = 0};
    struct chunked c;

    chunked_init(&c);
    for (size_t at = 0; at < text.n;) {
        size_t piece = at == 0 ? first : n;

        if (piece > text.n - at)
            piece = text.n - at;
        if (!feed(&c, str_slice(text, at, at + piece), &o))
            return o;
        at += piece;
    }
    o.fault = FAULT_TRUNCATED;
    return o;
}

static void check_outcome(const struct chunked_row *row, const struct outcome *o, size_t used)
{
    struct str content = {o->content, o->n};

    if (o->fault != row->fault)
        parsed_explain(row->clause, row->fault, o->fault);
    CU_ASSERT_EQUAL(o->fault, row->fault);
    CU_ASSERT(str_eq(content, str_of(row->content)));
    CU_ASSERT_EQUAL(o->used, used);
}

static void cuts_change_nothing(void)
{
    for (size_t i = 0; i < sizeof(chunked_rows) / sizeof(chunked_rows[0]); i++) {
        const struct chunked_row *row = &chunked_rows[i];
        struct outcome whole = decode(row->text, row->text.n, row->text.n);
        struct outcome cut = decode(row->text, 1, 1);

        check_outcome(row, &whole, whole.used);
        check_outcome(row, &cut, whole.used);
        for (size_t at = 1; at < row->text.n; at++) {
            cut = decode(row->text, at, row->text.n);
            check_outcome(row, &cut, whole.used);
        }
    }
}

static void end_leaves_what_follows(void)
{
    struct outcome o = decode(STR("3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n"), 100, 100);

    CU_ASSERT_EQUAL(o.fault, FAULT_NONE);
    CU_ASSERT_EQUAL(o.used, 13);
}

/* Content may be read past the decoder, straight into its place. */
static void left_counts_what_was_read_elsewhere(void)
{
    struct chunked c;
    size_t used;
    size_t data;
    enum http_fault fault;

    chunked_init(&c);
    CU_ASSERT_EQUAL(chunked_left(&c), 0);
    CU_ASSERT_EQUAL(chunked_step(&c, "fffffffffffff\r\n", 15, &used, &data, &fault), CHUNKED_MORE);
    CU_ASSERT_EQUAL(used, 15);
    CU_ASSERT_EQUAL(chunked_left(&c), (UINT64_C(1) << 52) - 1);
    chunked_took(&c, (UINT64_C(1) << 52) - 3);
    CU_ASSERT_EQUAL(chunked_left(&c), 2);
    CU_ASSERT_EQUAL(chunked_step(&c, "ab\r\n0\r\n\r\n", 9, &used, &data, &fault), CHUNKED_DATA);
    CU_ASSERT_EQUAL(used, 0);
    CU_ASSERT_EQUAL(data, 2);
    chunked_took(&c, 2);
    CU_ASSERT_EQUAL(chunked_left(&c), 0);
    CU_ASSERT_EQUAL(chunked_step(&c, "\r\n0\r\n\r\n", 7, &used, &data, &fault), CHUNKED_END);
    CU_ASSERT_EQUAL(used, 7);
    CU_ASSERT_EQUAL(chunked_step(&c, "GET", 3, &used, &data, &fault), CHUNKED_END);
    CU_ASSERT_EQUAL(used, 0);
}

/* Feed `part` until the decoder refuses; returns the bytes it took. */
static size_t fed_until_fault(const char *front, const char *part, enum http_fault wanted)
{
    struct outcome o = {.n = 0};
    struct chunked c;

    chunked_init(&c);
    CU_ASSERT(feed(&c, str_of(front), &o));
    for (size_t i = 0; i < 100000; i++) {
        o.n = 0;
        if (!feed(&c, str_of(part), &o))
            break;
    }
    CU_ASSERT_EQUAL(o.fault, wanted);
    return o.used - strlen(front);
}

static void extensions_and_trailers_are_bounded(void)
{
    size_t used = fed_until_fault("5;a", "a", FAULT_CHUNK_EXTENSION);

    CU_ASSERT(used >= CHUNK_EXTENSIONS_MAX - 2 && used <= CHUNK_EXTENSIONS_MAX);
    /* over many chunks as well: one byte of content for each extension */
    used = fed_until_fault("1;a\r\nx\r\n", "1;a=b\r\nx\r\n", FAULT_CHUNK_EXTENSION);
    CU_ASSERT(used < 3 * CHUNK_EXTENSIONS_MAX);
    used = fed_until_fault("0\r\n", "X: y\r\n", FAULT_TRAILER);
    CU_ASSERT(used <= CHUNK_TRAILERS_MAX);
}

UNIT_SUITE(http_chunked)
{
    UNIT_TEST(cuts_change_nothing);
    UNIT_TEST(end_leaves_what_follows);
    UNIT_TEST(left_counts_what_was_read_elsewhere);
    UNIT_TEST(extensions_and_trailers_are_bounded);
}

/*
 * http_response - heads of responses, legal and not: one row each, with its clause.
 */
#include "http_parsed.h"
#include "unit.h"

#define OK "HTTP/1.1 200 OK\r\n"

struct response_row {
    const char *clause;
    struct str text;
    enum method asked;
    enum http_fault fault;
    enum framing_kind kind;
};

#define ROW(clause, text, asked, fault, kind)                                                      \
    {                                                                                              \
        clause, {text, sizeof(text) - 1}, METHOD_##asked, FAULT_##fault, FRAMING_##kind            \
    }

/* clang-format off */
static const struct response_row response_rows[] = {
    /* the status line: RFC 9112 4 */
    ROW("plain", OK "Content-Length: 2\r\n\r\n", GET, NONE, LENGTH),
    ROW("no phrase", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n", GET, NONE, LENGTH),
    ROW("no phrase and no space", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n", GET, NONE, LENGTH),
    ROW("obs-text and tab in the phrase", "HTTP/1.1 200 \344\t!\r\n\r\n", GET, NONE, CONNECTION),
    ROW("1.0", "HTTP/1.0 200 OK\r\n\r\n", GET, NONE, CONNECTION),
    ROW("1.9", "HTTP/1.9 200 OK\r\nContent-Length: 2\r\n\r\n", GET, NONE, LENGTH),
    ROW("2.0", "HTTP/2.0 200 OK\r\n\r\n", GET, VERSION, NONE),
    ROW("0.9", "HTTP/0.9 200 OK\r\n\r\n", GET, VERSION, NONE),
    ROW("case counts", "http/1.1 200 OK\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("another protocol", "ICY 200 OK\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("no status line", "<html>\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("an empty line before it", "\r\n" OK "\r\n", GET, STATUS_LINE, NONE),
    ROW("a space before it", " " OK "\r\n", GET, STATUS_LINE, NONE),
    ROW("two digits", "HTTP/1.1 20 OK\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("four digits", "HTTP/1.1 2000 OK\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("no digits", "HTTP/1.1 OK\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("sign", "HTTP/1.1 +20 OK\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("phrase at once", "HTTP/1.1 200OK\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("two spaces", "HTTP/1.1  200 OK\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("tab", "HTTP/1.1\t200 OK\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("0xx", "HTTP/1.1 099 OK\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("100", "HTTP/1.1 100 Continue\r\n\r\n", GET, NONE, NONE),
    ROW("599", "HTTP/1.1 599 x\r\n\r\n", GET, NONE, CONNECTION),
    ROW("600", "HTTP/1.1 600 x\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("999", "HTTP/1.1 999 x\r\n\r\n", GET, STATUS_LINE, NONE),
    ROW("LF", "HTTP/1.1 200 OK\n\r\n", GET, BARE_LF, NONE),
    ROW("CR", "HTTP/1.1 200 OK\rX: y\r\n\r\n", GET, BARE_CR, NONE),
    ROW("NUL in the phrase", "HTTP/1.1 200 O\0K\r\n\r\n", GET, STATUS_LINE, NONE),

    /* field lines: RFC 9112 5 */
    ROW("blank before the colon", OK "X : y\r\n\r\n", GET, FIELD_NAME, NONE),
    ROW("folded", OK "X: y\r\n z\r\n\r\n", GET, LINE_FOLDING, NONE),
    ROW("LF ends a line", OK "X: y\n\r\n", GET, BARE_LF, NONE),
    ROW("LF LF", OK "X: y\n\n", GET, BARE_LF, NONE),
    ROW("bare CR", OK "X: y\rz\r\n\r\n", GET, BARE_CR, NONE),
    ROW("NUL", OK "X: y\0\r\n\r\n", GET, FIELD_VALUE, NONE),
    ROW("no name", OK ": y\r\n\r\n", GET, FIELD_NAME, NONE),
    ROW("no colon", OK "X\r\n\r\n", GET, FIELD_LINE, NONE),

    /* framing, as responses meet it (http_framing has the table) */
    ROW("6.3 (8)", OK "\r\n", GET, NONE, CONNECTION),
    ROW("6.3 (4)", OK "Transfer-Encoding: Chunked\r\n\r\n", GET, NONE, CHUNKED),
    ROW("6.3 (3)", OK "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", GET,
        LENGTH_AND_CODING, NONE),
    ROW("6.3 (5) two lengths", OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\n", GET,
        LENGTH_REPEATED, NONE),
    ROW("6.3 (5) two equal lengths", OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\n", GET,
        LENGTH_REPEATED, NONE),
    ROW("6.3 (5) a list", OK "Content-Length: 2, 2\r\n\r\n", GET, LENGTH_SYNTAX, NONE),
    ROW("6.1 coding in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", GET,
        CODING_IN_1_0, NONE),
    ROW("6.3 (4) other", OK "Transfer-Encoding: gzip, chunked\r\n\r\n", GET, CODING_UNKNOWN,
        NONE),
    ROW("6.3 (1) HEAD", OK "Content-Length: 2\r\n\r\n", HEAD, NONE, NONE),
    ROW("6.3 (1) HEAD and a coding", OK "Transfer-Encoding: chunked\r\n\r\n", HEAD, NONE, NONE),
    ROW("6.3 (1) 304", "HTTP/1.1 304 x\r\nContent-Length: 2\r\n\r\n", GET, NONE, NONE),
    ROW("6.3 (1) 204", "HTTP/1.1 204 x\r\n\r\n", GET, NONE, NONE),
    ROW("6.3 (1) 101", "HTTP/1.1 101 x\r\nConnection: a\r\nA: b\r\n\r\n", GET, NONE, NONE),
    ROW("6.1 204 and a coding", "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", GET,
        CODING_WITHOUT_BODY, NONE),
};
/* clang-format on */

static void responses_are_taken_or_refused(void)
{
    for (size_t i = 0; i < sizeof(response_rows) / sizeof(response_rows[0]); i++) {
        const struct response_row *row = &response_rows[i];
        struct parsed p;

        parsed_response(&p, row->text, row->asked);
        if (p.fault != row->fault)
            parsed_explain(row->clause, row->fault, p.fault);
        CU_ASSERT_EQUAL(p.fault, row->fault);
        CU_ASSERT_EQUAL(p.framing.kind, row->kind);
        parsed_close(&p);
    }
}

static void head_says_what_follows(void)
{
    struct parsed p;

    parsed_response(&p, STR(OK "Content-Length: 7\r\n\r\n"), METHOD_GET);
    CU_ASSERT(p.head.has_body && p.head.has_length && p.head.keep_alive);
    CU_ASSERT(!p.head.ends_with_connection && !p.head.names_length);
    CU_ASSERT_EQUAL(p.head.body_length, 7);
    CU_ASSERT_EQUAL(p.head.n_fields, 0);
    parsed_close(&p);

    parsed_response(&p, STR(OK "\r\n"), METHOD_GET);
    CU_ASSERT(p.head.has_body && !p.head.has_length);
    CU_ASSERT(p.head.ends_with_connection && !p.head.keep_alive);
    parsed_close(&p);

    parsed_response(&p, STR(OK "Content-Length: 7\r\n\r\n"), METHOD_HEAD);
    CU_ASSERT(!p.head.has_body && !p.head.has_length && p.head.keep_alive);
    CU_ASSERT(p.head.names_length);
    CU_ASSERT_EQUAL(p.head.named_length, 7);
    parsed_close(&p);

    parsed_response(&p, STR("HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n"), METHOD_HEAD);
    CU_ASSERT(!p.head.has_body && !p.head.names_length);
    parsed_close(&p);

    parsed_response(&p,
                    STR("HTTP/1.0 200 x\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"),
                    METHOD_GET);
    CU_ASSERT(p.head.has_body && p.head.has_length && p.head.keep_alive);
    CU_ASSERT_EQUAL(p.head.status, 200);
    CU_ASSERT_EQUAL(p.head.minor, 0);
    parsed_close(&p);
}

/* What Connection names goes, a Set-Cookie and a Host (which means nothing here) stay. */
static void response_keeps_end_to_end_fields(void)
{
    struct parsed p;

    parsed_response(&p,
                    STR(OK "Set-Cookie: a\r\nConnection: close, x, Date\r\nX: 1\r\nDate: d\r\n"
                           "Set-Cookie: b\r\nHost: h\r\nTrailer: X\r\nUpgrade: h2c\r\n\r\n"),
                    METHOD_GET);
    CU_ASSERT_EQUAL(p.fault, FAULT_NONE);
    CU_ASSERT_EQUAL(p.head.n_fields, 4);
    CU_ASSERT(str_eq(p.head.fields[0].value, STR("a")));
    CU_ASSERT(str_eq(head_value(&p.head, FIELD_DATE), STR("d")));
    CU_ASSERT(str_eq(p.head.fields[2].value, STR("b")));
    CU_ASSERT(str_eq(head_value(&p.head, FIELD_HOST), STR("h")));
    CU_ASSERT_FALSE(p.head.keep_alive);
    parsed_close(&p);
}

static void switching_names_its_protocol(void)
{
    struct parsed p;

    parsed_response(&p,
                    STR("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Accept: a\r\n\r\n"),
                    METHOD_GET);
    CU_ASSERT_EQUAL(p.fault, FAULT_NONE);
    CU_ASSERT(str_eq(p.head.upgrade, STR("websocket")));
    CU_ASSERT_EQUAL(p.head.n_fields, 1);
    parsed_close(&p);
}

UNIT_SUITE(http_response)
{
    UNIT_TEST(responses_are_taken_or_refused);
    UNIT_TEST(head_says_what_follows);
    UNIT_TEST(response_keeps_end_to_end_fields);
    UNIT_TEST(switching_names_its_protocol);
}

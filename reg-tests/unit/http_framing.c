/*
 * http_framing - every row of the two tables of framing.c, and the forms that its facts are made
 * of.
 */
#include "http_parsed.h"
#include "unit.h"

#define CL   FIELD_CONTENT_LENGTH
#define TE   FIELD_TRANSFER_ENCODING
#define BOTH FAULT_LENGTH_AND_CODING
#define TWO  FAULT_CODING_REPEATED

struct framing_case {
    const char *clause;
    struct {
        enum field_id id; /* FIELD_OTHER: none */
        const char *value;
    } fields[2];
    unsigned minor;
    enum http_fault fault;
    enum framing_kind kind;
    uint64_t length;
    unsigned status; /* of a response */
    enum method asked;
};

/* clang-format off */
static const struct framing_case request_cases[] = {
    /* the rows of the table */
    {"6.3 (7)", {{0}}, 1, FAULT_NONE, FRAMING_NONE, 0, 0, 0},
    {"6.3 (6)", {{CL, "5"}}, 1, FAULT_NONE, FRAMING_LENGTH, 5, 0, 0},
    {"6.3 (6) in 1.0", {{CL, "5"}}, 0, FAULT_NONE, FRAMING_LENGTH, 5, 0, 0},
    {"6.3 (4)", {{TE, "chunked"}}, 1, FAULT_NONE, FRAMING_CHUNKED, 0, 0, 0},
    {"6.3 (4) case", {{TE, "cHuNkEd"}}, 1, FAULT_NONE, FRAMING_CHUNKED, 0, 0, 0},
    {"6.3 (5) bad", {{CL, "x"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"6.3 (5) two", {{CL, "5"}, {CL, "6"}}, 1, FAULT_LENGTH_REPEATED, FRAMING_NONE, 0, 0, 0},
    {"6.3 (5) equal", {{CL, "5"}, {CL, "5"}}, 1, FAULT_LENGTH_REPEATED, FRAMING_NONE, 0, 0, 0},
    {"6.3 (4) other", {{TE, "gzip"}}, 1, FAULT_CODING_NOT_LAST, FRAMING_NONE, 0, 0, 0},
    {"6.1 in 1.0", {{TE, "chunked"}}, 0, FAULT_CODING_IN_1_0, FRAMING_NONE, 0, 0, 0},
    {"6.3 (3)", {{CL, "5"}, {TE, "chunked"}}, 1, BOTH, FRAMING_NONE, 0, 0, 0},
    {"6.3 (3) in 1.0", {{CL, "5"}, {TE, "chunked"}}, 0, BOTH, FRAMING_NONE, 0, 0, 0},
    {"6.3 (3)", {{TE, "identity"}, {CL, "5"}}, 1, BOTH, FRAMING_NONE, 0, 0, 0},
    {"6.1 two", {{TE, "chunked"}, {TE, "chunked"}}, 1, TWO, FRAMING_NONE, 0, 0, 0},
    {"6.1 two", {{TE, "gzip"}, {TE, "chunked"}}, 1, TWO, FRAMING_NONE, 0, 0, 0},

    /* what a length is not */
    {"empty", {{CL, ""}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"plus", {{CL, "+5"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"minus", {{CL, "-5"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"minus zero", {{CL, "-0"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"hexadecimal", {{CL, "0x5"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"point", {{CL, "5.0"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"exponent", {{CL, "5e0"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"inner blank", {{CL, "5 5"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"list", {{CL, "5, 5"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"comma", {{CL, "5,"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"quotes", {{CL, "\"5\""}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"underscore", {{CL, "1_0"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"2^53 - 1", {{CL, "9007199254740991"}}, 1, FAULT_NONE, FRAMING_LENGTH, 9007199254740991, 0, 0},
    {"2^53", {{CL, "9007199254740992"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"2^64", {{CL, "18446744073709551616"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"2^64 + 5", {{CL, "18446744073709551621"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 0, 0},
    {"zeros in front", {{CL, "00005"}}, 1, FAULT_NONE, FRAMING_LENGTH, 5, 0, 0},

    /* what `chunked` is not */
    {"list", {{TE, "chunked, chunked"}}, 1, FAULT_CODING_UNKNOWN, FRAMING_NONE, 0, 0, 0},
    {"not last", {{TE, "chunked, identity"}}, 1, FAULT_CODING_NOT_LAST, FRAMING_NONE, 0, 0, 0},
    {"empty item", {{TE, ", chunked"}}, 1, FAULT_CODING_UNKNOWN, FRAMING_NONE, 0, 0, 0},
    {"empty", {{TE, ""}}, 1, FAULT_CODING_NOT_LAST, FRAMING_NONE, 0, 0, 0},
    {"quotes", {{TE, "\"chunked\""}}, 1, FAULT_CODING_NOT_LAST, FRAMING_NONE, 0, 0, 0},
    {"parameter", {{TE, "chunked;a=b"}}, 1, FAULT_CODING_NOT_LAST, FRAMING_NONE, 0, 0, 0},
    {"longer", {{TE, "xchunked"}}, 1, FAULT_CODING_NOT_LAST, FRAMING_NONE, 0, 0, 0},
    {"shorter", {{TE, "chunk"}}, 1, FAULT_CODING_NOT_LAST, FRAMING_NONE, 0, 0, 0},
    {"identity", {{TE, "identity"}}, 1, FAULT_CODING_NOT_LAST, FRAMING_NONE, 0, 0, 0},
    {"vertical tab", {{TE, "\vchunked"}}, 1, FAULT_CODING_NOT_LAST, FRAMING_NONE, 0, 0, 0},
};
/* clang-format on */

/* clang-format off */
static const struct framing_case response_cases[] = {
    {"6.3 (8)", {{0}}, 1, FAULT_NONE, FRAMING_CONNECTION, 0, 200, METHOD_GET},
    {"6.3 (8) in 1.0", {{0}}, 0, FAULT_NONE, FRAMING_CONNECTION, 0, 200, METHOD_GET},
    {"6.3 (6)", {{CL, "5"}}, 1, FAULT_NONE, FRAMING_LENGTH, 5, 200, METHOD_GET},
    {"6.3 (4)", {{TE, "chunked"}}, 1, FAULT_NONE, FRAMING_CHUNKED, 0, 200, METHOD_GET},
    {"6.3 (1) HEAD", {{CL, "5"}}, 1, FAULT_NONE, FRAMING_NONE, 5, 200, METHOD_HEAD},
    {"6.3 (1) HEAD", {{0}}, 1, FAULT_NONE, FRAMING_NONE, 0, 200, METHOD_HEAD},
    {"6.3 (1) HEAD", {{TE, "chunked"}}, 1, FAULT_NONE, FRAMING_NONE, 0, 200, METHOD_HEAD},
    {"6.3 (1) 304", {{CL, "5"}}, 1, FAULT_NONE, FRAMING_NONE, 5, 304, METHOD_GET},
    {"6.3 (1) 304", {{TE, "chunked"}}, 1, FAULT_NONE, FRAMING_NONE, 0, 304, METHOD_GET},
    {"6.3 (1) 204", {{CL, "5"}}, 1, FAULT_NONE, FRAMING_NONE, 0, 204, METHOD_GET},
    {"6.3 (1) 100", {{CL, "5"}}, 1, FAULT_NONE, FRAMING_NONE, 0, 100, METHOD_GET},
    {"6.3 (1) 103", {{0}}, 1, FAULT_NONE, FRAMING_NONE, 0, 103, METHOD_GET},
    {"6.3 (1) 199", {{0}}, 0, FAULT_NONE, FRAMING_NONE, 0, 199, METHOD_GET},
    {"6.1 204", {{TE, "chunked"}}, 1, FAULT_CODING_WITHOUT_BODY, FRAMING_NONE, 0, 204, METHOD_GET},
    {"6.1 100", {{TE, "chunked"}}, 1, FAULT_CODING_WITHOUT_BODY, FRAMING_NONE, 0, 100, METHOD_HEAD},
    {"6.3 (5)", {{CL, "5x"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 200, METHOD_GET},
    {"6.3 (5) 204", {{CL, "5x"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 204, METHOD_GET},
    {"6.3 (5) HEAD", {{CL, "-5"}}, 1, FAULT_LENGTH_SYNTAX, FRAMING_NONE, 0, 200, METHOD_HEAD},
    {"6.3 (5)", {{CL, "5"}, {CL, "5"}}, 1, FAULT_LENGTH_REPEATED, FRAMING_NONE, 0, 200, METHOD_GET},
    {"6.3 (5)", {{CL, "5"}, {CL, "6"}}, 1, FAULT_LENGTH_REPEATED, FRAMING_NONE, 0, 304, METHOD_GET},
    {"6.3 (4)", {{TE, "gzip"}}, 1, FAULT_CODING_UNKNOWN, FRAMING_NONE, 0, 200, METHOD_GET},
    {"6.1 1.0", {{TE, "chunked"}}, 0, FAULT_CODING_IN_1_0, FRAMING_NONE, 0, 200, METHOD_GET},
    {"6.3 (3)", {{TE, "chunked"}, {CL, "5"}}, 1, BOTH, FRAMING_NONE, 0, 200, METHOD_GET},
    {"6.1 two", {{TE, "chunked"}, {TE, "chunked"}}, 1, TWO, FRAMING_NONE, 0, 200, METHOD_GET},
};
/* clang-format on */

static void check_case(const struct framing_case *c, bool is_response)
{
    struct arena *a = arena_new(4096, 0);
    struct framing f = {.kind = FRAMING_CONNECTION, .length = 42};
    enum http_fault fault;
    struct head h;

    head_init(&h, a, is_response);
    h.minor = c->minor;
    h.status = c->status;
    for (size_t i = 0; i < 2 && c->fields[i].id != FIELD_OTHER; i++)
        CU_ASSERT(
            head_add(&h, field_name(c->fields[i].id), str_of(c->fields[i].value), c->fields[i].id));
    fault = is_response ? framing_of_response(&h, c->asked, &f) : framing_of_request(&h, &f);
    if (fault != c->fault)
        parsed_explain(c->clause, c->fault, fault);
    CU_ASSERT_EQUAL(fault, c->fault);
    CU_ASSERT_EQUAL(f.kind, c->kind);
    CU_ASSERT_EQUAL(f.length, c->length);
    CU_ASSERT_EQUAL(f.names_length, c->kind == FRAMING_NONE && c->length > 0);
    arena_free(a);
}

static void requests_end_where_the_table_says(void)
{
    for (size_t i = 0; i < sizeof(request_cases) / sizeof(request_cases[0]); i++)
        check_case(&request_cases[i], false);
}

static void responses_end_where_the_table_says(void)
{
    for (size_t i = 0; i < sizeof(response_cases) / sizeof(response_cases[0]); i++)
        check_case(&response_cases[i], true);
}

/* Framing depends on no method: a body on GET, HEAD, OPTIONS or TRACE is a body. */
static void method_does_not_matter(void)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "DELETE", "BREW"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        char text[100];
        struct parsed p;

        snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
                 methods[i]);
        parsed_request(&p, str_of(text));
        CU_ASSERT_EQUAL(p.fault, FAULT_NONE);
        CU_ASSERT_EQUAL(p.framing.kind, FRAMING_LENGTH);
        CU_ASSERT_EQUAL(p.head.body_length, 5);
        parsed_close(&p);
    }
}

UNIT_SUITE(http_framing)
{
    UNIT_TEST(requests_end_where_the_table_says);
    UNIT_TEST(responses_end_where_the_table_says);
    UNIT_TEST(method_does_not_matter);
}

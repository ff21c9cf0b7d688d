/*
 * http_write - heads as they are written, and what is never written.
 */
#include "http_parsed.h"
#include "unit.h"

static char out[2048];

static void expect_out(size_t n, const char *wanted)
{
    if (!str_eq((struct str){out, n}, str_of(wanted)))
        printf("\n    wanted `%s`, got `%.*s`\n", wanted, (int)n, out);
    CU_ASSERT(str_eq((struct str){out, n}, str_of(wanted)));
}

static struct head make_request(struct arena *a)
{
    struct head h;

    head_init(&h, a, false);
    h.method_text = STR("PUT");
    h.target = STR("/a?b");
    h.authority = STR("a.example:81");
    CU_ASSERT(head_add(&h, STR("x-ONE"), STR("1"), FIELD_OTHER));
    CU_ASSERT(head_add(&h, STR("Via"), STR(""), FIELD_VIA));
    return h;
}

static struct head make_response(struct arena *a, unsigned status)
{
    struct head h;

    head_init(&h, a, true);
    h.status = status;
    CU_ASSERT(head_add(&h, STR("Date"), STR("d"), FIELD_DATE));
    return h;
}

static void request_is_written(void)
{
    struct arena *a = arena_new(1024, 0);
    struct head h = make_request(a);
    struct h1_framing_out f = {.close = false};

    expect_out(h1_write_request(&h, &f, out, sizeof(out)),
               "PUT /a?b HTTP/1.1\r\nHost: a.example:81\r\nx-ONE: 1\r\nVia: \r\n\r\n");
    f = (struct h1_framing_out){.has_length = true, .length = 1234567890123, .expect = true};
    expect_out(h1_write_request(&h, &f, out, sizeof(out)),
               "PUT /a?b HTTP/1.1\r\nHost: a.example:81\r\nx-ONE: 1\r\nVia: \r\n"
               "Content-Length: 1234567890123\r\nExpect: 100-continue\r\n\r\n");
    f = (struct h1_framing_out){.is_chunked = true, .close = true};
    expect_out(h1_write_request(&h, &f, out, sizeof(out)),
               "PUT /a?b HTTP/1.1\r\nHost: a.example:81\r\nx-ONE: 1\r\nVia: \r\n"
               "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    h.upgrade = STR("websocket");
    f = (struct h1_framing_out){.upgrade = true};
    expect_out(h1_write_request(&h, &f, out, sizeof(out)),
               "PUT /a?b HTTP/1.1\r\nHost: a.example:81\r\nx-ONE: 1\r\nVia: \r\n"
               "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    arena_free(a);
}

static void response_is_written(void)
{
    struct arena *a = arena_new(1024, 0);
    struct head h = make_response(a, 201);
    struct h1_framing_out f = {.has_length = true, .keep_alive = true};

    expect_out(
        h1_write_response(&h, &f, out, sizeof(out)),
        "HTTP/1.1 201 Created\r\nDate: d\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    h.status = 299;
    f = (struct h1_framing_out){.is_chunked = true};
    expect_out(h1_write_response(&h, &f, out, sizeof(out)),
               "HTTP/1.1 299 Unknown\r\nDate: d\r\nTransfer-Encoding: chunked\r\n\r\n");
    arena_free(a);
}

/* RFC 9110 8.6: a response to HEAD says the length that GET would have. */
static void named_length_is_written_without_a_body(void)
{
    struct arena *a = arena_new(1024, 0);
    struct head h = make_response(a, 200);
    struct h1_framing_out f = {.close = false};

    h.names_length = true;
    h.named_length = 12;
    expect_out(h1_write_response(&h, &f, out, sizeof(out)),
               "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 12\r\n\r\n");
    arena_free(a);
}

/* Room of one byte less than needed, and of every smaller size. */
static void room_is_respected(void)
{
    struct arena *a = arena_new(1024, 0);
    struct head request = make_request(a);
    struct head response = make_response(a, 200);
    struct h1_framing_out f = {.has_length = true, .length = 5, .close = true};
    size_t n_request = h1_write_request(&request, &f, out, sizeof(out));
    size_t n_response = h1_write_response(&response, &f, out, sizeof(out));

    for (size_t room = 0; room <= n_request; room++) {
        char *exact = malloc(room);

        CU_ASSERT_EQUAL(h1_write_request(&request, &f, exact, room), room == n_request ? room : 0);
        free(exact);
    }
    for (size_t room = 0; room <= n_response; room++) {
        char *exact = malloc(room);

        CU_ASSERT_EQUAL(h1_write_response(&response, &f, exact, room),
                        room == n_response ? room : 0);
        free(exact);
    }
    arena_free(a);
}

static const struct str line_breakers[] = {
    {"\r",                 1 },
    {"\n",                 1 },
    {"\0",                 1 },
    {"a\r\nX: y",          7 },
    {"0123456789\n",       11},
    {"01234567\r01234567", 17},
    {"\t\t\t\t\t\t\t\t\0", 9 },
};

/* CVE-2023-25690: no part of a head may end a line, whatever its source. */
static void nothing_splits_a_line(void)
{
    struct arena *a = arena_new(4096, 0);
    struct h1_framing_out f = {.upgrade = true};

    for (size_t i = 0; i < sizeof(line_breakers) / sizeof(line_breakers[0]); i++) {
        struct str bad = line_breakers[i];
        struct head h = make_request(a);

        h.method_text = bad;
        CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
        h = make_request(a);
        h.target = bad;
        CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
        h = make_request(a);
        h.authority = bad;
        CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
        h = make_request(a);
        h.upgrade = bad;
        CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
        h = make_request(a);
        CU_ASSERT(head_add(&h, STR("X"), bad, FIELD_OTHER));
        CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
        h = make_request(a);
        CU_ASSERT(head_add(&h, bad, STR("x"), FIELD_OTHER));
        CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
        h = make_response(a, 302);
        CU_ASSERT(head_add(&h, STR("Location"), bad, FIELD_LOCATION));
        CU_ASSERT_EQUAL(h1_write_response(&h, &f, out, sizeof(out)), 0);
    }
    arena_free(a);
}

static void words_have_no_spaces(void)
{
    struct arena *a = arena_new(1024, 0);
    struct h1_framing_out f = {.close = false};
    struct head h = make_request(a);

    h.target = STR("/a b");
    CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
    h.target = STR_EMPTY;
    CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
    h = make_request(a);
    h.method_text = STR("G ET");
    CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
    h = make_request(a);
    CU_ASSERT(head_add(&h, STR("X Y"), STR("z"), FIELD_OTHER));
    CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
    h = make_request(a);
    CU_ASSERT(head_add(&h, STR("X:"), STR("z"), FIELD_OTHER));
    CU_ASSERT_EQUAL(h1_write_request(&h, &f, out, sizeof(out)), 0);
    arena_free(a);
}

/* Framing is the codec's: no rule and no peer puts a second one beside it, by id or by name. */
static void framing_fields_are_left_out(void)
{
    struct arena *a = arena_new(4096, 0);
    struct h1_framing_out f = {.has_length = true, .length = 3};
    struct head h = make_request(a);

    CU_ASSERT(head_add(&h, STR("Content-Length"), STR("7"), FIELD_CONTENT_LENGTH));
    CU_ASSERT(head_add(&h, STR("content-length"), STR("7"), FIELD_OTHER));
    CU_ASSERT(head_add(&h, STR("Transfer-Encoding"), STR("chunked"), FIELD_OTHER));
    CU_ASSERT(head_add(&h, STR("Connection"), STR("close"), FIELD_CONNECTION));
    CU_ASSERT(head_add(&h, STR("Proxy"), STR("x"), FIELD_PROXY));
    CU_ASSERT(head_add(&h, STR("HOST"), STR("evil"), FIELD_OTHER));
    CU_ASSERT(head_add(&h, STR("Host"), STR("evil"), FIELD_HOST));
    expect_out(h1_write_request(&h, &f, out, sizeof(out)),
               "PUT /a?b HTTP/1.1\r\nHost: a.example:81\r\nx-ONE: 1\r\nVia: \r\n"
               "Content-Length: 3\r\n\r\n");
    arena_free(a);
}

/* What is parsed and written is parsed again to the same head. */
static void written_request_is_read_back(void)
{
    struct h1_framing_out f = {.is_chunked = true};
    struct parsed first;
    struct parsed second;
    size_t n;

    parsed_request(&first,
                   STR("POST http://A:81/x HTTP/1.1\r\nHost: a:81\r\nConnection: b\r\nB: 1\r\n"
                       "C:  2 \r\nTransfer-Encoding: chunked\r\n\r\n"));
    CU_ASSERT_EQUAL(first.fault, FAULT_NONE);
    n = h1_write_request(&first.head, &f, out, sizeof(out));
    expect_out(n, "POST /x HTTP/1.1\r\nHost: a:81\r\nC: 2\r\nTransfer-Encoding: chunked\r\n\r\n");
    parsed_request(&second, (struct str){out, n});
    CU_ASSERT_EQUAL(second.fault, FAULT_NONE);
    CU_ASSERT_EQUAL(second.framing.kind, FRAMING_CHUNKED);
    CU_ASSERT(str_eq(second.head.authority, first.head.authority));
    CU_ASSERT_EQUAL(second.head.n_fields, 1);
    parsed_close(&first);
    parsed_close(&second);
}

UNIT_SUITE(http_write)
{
    UNIT_TEST(request_is_written);
    UNIT_TEST(response_is_written);
    UNIT_TEST(named_length_is_written_without_a_body);
    UNIT_TEST(room_is_respected);
    UNIT_TEST(nothing_splits_a_line);
    UNIT_TEST(words_have_no_spaces);
    UNIT_TEST(framing_fields_are_left_out);
    UNIT_TEST(written_request_is_read_back);
}

/*
 * http_head - names of fields, lists of fields, methods, phrases.
 */
#include "http_parsed.h"
#include "unit.h"

#include "http/status.h"
#include "http/word.h"

#include <ctype.h>

static void each_known_name_is_found(void)
{
    for (enum field_id id = FIELD_OTHER + 1; id < FIELD_N; id++) {
        struct str name = field_name(id);
        char other_case[64];

        CU_ASSERT_EQUAL(field_find(name), id);
        for (size_t i = 0; i < name.n; i++)
            other_case[i] = (char)tolower((unsigned char)name.p[i]);
        CU_ASSERT_EQUAL(field_find((struct str){other_case, name.n}), id);
        for (size_t i = 0; i < name.n; i++)
            other_case[i] = (char)toupper((unsigned char)name.p[i]);
        CU_ASSERT_EQUAL(field_find((struct str){other_case, name.n}), id);

        /* one byte changed, at each place and to each byte, is another name */
        for (size_t i = 0; i < name.n; i++)
            for (int c = 0; c < 256; c++) {
                memcpy(other_case, name.p, name.n);
                other_case[i] = (char)c;
                if (tolower(c) != tolower((unsigned char)name.p[i]))
                    CU_ASSERT_NOT_EQUAL(field_find((struct str){other_case, name.n}), id);
            }
    }
}

static void other_names_are_other(void)
{
    static const char *const names[] = {"",
                                        "x",
                                        "TT",
                                        "Hosts",
                                        "Hos",
                                        "X-Request-Id",
                                        "Sec-WebSocket-Key",
                                        "Content-Lengt",
                                        "Content-Length-",
                                        "Set-Cookie",
                                        "Accept-Encoding",
                                        "Date ",
                                        "content_length"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        CU_ASSERT_EQUAL(field_find(str_of(names[i])), FIELD_OTHER);
    CU_ASSERT_EQUAL(field_kind(FIELD_OTHER), FIELD_KIND_END);
    CU_ASSERT_EQUAL(field_kind(FIELD_TE), FIELD_KIND_HOP);
    CU_ASSERT_EQUAL(field_kind(FIELD_CONTENT_LENGTH), FIELD_KIND_FRAMING);
}

/* RFC 9110 5.6.2 and 5.5, byte by byte against the text of the grammar. */
static void bytes_have_their_class(void)
{
    for (int c = 0; c < 256; c++) {
        char text[3] = {'a', (char)c, 'a'};
        struct str s = {text, sizeof(text)};
        bool is_tchar =
            (c < 128 && isalnum(c)) || (c != 0 && c < 128 && strchr("!#$%&'*+-.^_`|~", c) != NULL);

        CU_ASSERT_EQUAL(field_is_token(s), is_tchar);
        CU_ASSERT_EQUAL(field_is_value(s), c == '\t' || (c >= ' ' && c != 127));
    }
    CU_ASSERT_FALSE(field_is_token(STR_EMPTY));
    CU_ASSERT(field_is_value(STR_EMPTY));
    CU_ASSERT_FALSE(field_is_value(STR(" a")));
    CU_ASSERT_FALSE(field_is_value(STR("a\t")));
}

/* Each byte at each place of a word, with every neighbour that could carry into it. */
static void words_mark_the_first_control(void)
{
    static const char neighbours[] = {'\0', '\n', '\x1f', ' ', 'A', 'Z', '\x7f', '\x80', '\xff'};

    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < WORD_BYTES; at++)
            for (size_t k = 0; k < sizeof(neighbours); k++) {
                char text[WORD_BYTES];
                uint64_t marks;
                bool is_control = c < 0x20 || c == 0x7f;

                memset(text, 'a', sizeof(text));
                text[at] = (char)c;
                if (at + 1 < WORD_BYTES)
                    text[at + 1] = neighbours[k];
                marks = word_controls(word_load(text));
                if (is_control)
                    CU_ASSERT(marks != 0 && word_first(marks) == at);
                if (!is_control && marks != 0)
                    CU_ASSERT_EQUAL(word_first(marks), at + 1);
                CU_ASSERT_EQUAL(word_lower(word_load(text)) >> 8 * at & 0xff,
                                (unsigned char)str_lower_char((char)c));
            }
}

static struct field *field_at(struct head *h, size_t i)
{
    CU_ASSERT_FATAL(i < h->n_fields);
    return &h->fields[i];
}

static void fields_keep_their_order(void)
{
    struct arena *a = arena_new(1024, 0);
    struct head h;

    head_init(&h, a, false);
    CU_ASSERT(head_add(&h, STR("A"), STR("1"), FIELD_OTHER));
    CU_ASSERT(head_add(&h, STR("Via"), STR("2"), FIELD_VIA));
    CU_ASSERT(head_add(&h, STR("a"), STR("3"), FIELD_OTHER));
    CU_ASSERT(head_add(&h, STR("B"), STR("4"), FIELD_OTHER));

    CU_ASSERT(str_eq(head_find(&h, FIELD_OTHER, STR("a"))->value, STR("1")));
    CU_ASSERT(str_eq(head_value(&h, FIELD_VIA), STR("2")));
    CU_ASSERT_PTR_NULL(head_find(&h, FIELD_OTHER, STR("Via")));
    CU_ASSERT_PTR_NULL(head_find(&h, FIELD_DATE, STR_EMPTY));
    CU_ASSERT_EQUAL(head_value(&h, FIELD_DATE).n, 0);

    CU_ASSERT(head_set(&h, STR("A"), STR("5"), FIELD_OTHER));
    CU_ASSERT_EQUAL(h.n_fields, 3);
    CU_ASSERT(str_eq(field_at(&h, 0)->value, STR("2")));
    CU_ASSERT(str_eq(field_at(&h, 1)->value, STR("4")));
    CU_ASSERT(str_eq(field_at(&h, 2)->value, STR("5")));

    head_remove(&h, FIELD_VIA, STR_EMPTY);
    CU_ASSERT_EQUAL(h.n_fields, 2);
    CU_ASSERT_PTR_NULL(head_find(&h, FIELD_VIA, STR_EMPTY));
    CU_ASSERT(head_add(&h, STR("via"), STR("6"), FIELD_VIA));
    CU_ASSERT(str_eq(head_value(&h, FIELD_VIA), STR("6")));
    arena_free(a);
}

static void head_is_bounded(void)
{
    struct arena *a = arena_new(1024, 0);
    struct head h;

    head_init(&h, a, false);
    for (size_t i = 0; i < HEAD_FIELDS_MAX; i++)
        CU_ASSERT(head_add(&h, STR("A"), STR("1"), FIELD_OTHER));
    CU_ASSERT_FALSE(head_add(&h, STR("A"), STR("1"), FIELD_OTHER));
    CU_ASSERT_EQUAL(h.n_fields, HEAD_FIELDS_MAX);
    head_remove(&h, FIELD_OTHER, STR("a"));
    CU_ASSERT_EQUAL(h.n_fields, 0);
    arena_free(a);
}

static void no_memory_is_a_fault(void)
{
    struct str text = STR("GET / HTTP/1.1\r\nHost: A\r\n\r\n");
    struct arena *a = arena_new(0, 1);
    struct framing f;
    struct head h;

    head_init(&h, a, false);
    CU_ASSERT_EQUAL(h1_parse_request(text, &h, &f), FAULT_MEMORY);
    CU_ASSERT_EQUAL(head_set_authority(&h, STR("A")), FAULT_MEMORY);
    CU_ASSERT_EQUAL(head_set_authority(&h, STR("a")), FAULT_NONE);
    arena_free(a);
}

static void methods_are_known_by_case(void)
{
    CU_ASSERT_EQUAL(method_find(STR("GET")), METHOD_GET);
    CU_ASSERT_EQUAL(method_find(STR("HEAD")), METHOD_HEAD);
    CU_ASSERT_EQUAL(method_find(STR("POST")), METHOD_POST);
    CU_ASSERT_EQUAL(method_find(STR("PUT")), METHOD_PUT);
    CU_ASSERT_EQUAL(method_find(STR("DELETE")), METHOD_DELETE);
    CU_ASSERT_EQUAL(method_find(STR("CONNECT")), METHOD_CONNECT);
    CU_ASSERT_EQUAL(method_find(STR("OPTIONS")), METHOD_OPTIONS);
    CU_ASSERT_EQUAL(method_find(STR("TRACE")), METHOD_TRACE);
    CU_ASSERT_EQUAL(method_find(STR("PATCH")), METHOD_PATCH);
    CU_ASSERT_EQUAL(method_find(STR("get")), METHOD_OTHER);
    CU_ASSERT_EQUAL(method_find(STR("")), METHOD_OTHER);
    CU_ASSERT_EQUAL(method_find(STR("PROPFIND")), METHOD_OTHER);
    CU_ASSERT(method_is_idempotent(METHOD_PUT));
    CU_ASSERT_FALSE(method_is_idempotent(METHOD_POST));
    CU_ASSERT_FALSE(method_is_idempotent(METHOD_PATCH));
    CU_ASSERT_FALSE(method_is_idempotent(METHOD_OTHER));
}

static void statuses_have_phrases(void)
{
    CU_ASSERT(str_eq(status_phrase(200), STR("OK")));
    CU_ASSERT(str_eq(status_phrase(507), STR("Insufficient Storage")));
    CU_ASSERT(str_eq(status_phrase(299), STR("Unknown")));
    CU_ASSERT(str_eq(status_phrase(0), STR("Unknown")));
    CU_ASSERT(str_eq(status_phrase(599), STR("Unknown")));
    CU_ASSERT(str_eq(status_phrase(4000000000), STR("Unknown")));
}

UNIT_SUITE(http_head)
{
    UNIT_TEST(each_known_name_is_found);
    UNIT_TEST(other_names_are_other);
    UNIT_TEST(bytes_have_their_class);
    UNIT_TEST(words_mark_the_first_control);
    UNIT_TEST(fields_keep_their_order);
    UNIT_TEST(head_is_bounded);
    UNIT_TEST(no_memory_is_a_fault);
    UNIT_TEST(methods_are_known_by_case);
    UNIT_TEST(statuses_have_phrases);
}

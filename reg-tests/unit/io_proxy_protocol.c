/*
 * io_proxy_protocol - the PROXY header, rule by rule.
 */
#include "io/proxy_protocol.h"

#include "unit.h"

#include <stdio.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define HEADER(bytes) ((struct str){SIGNATURE bytes, sizeof(SIGNATURE bytes) - 1})

static enum proxy_result result_of(struct str bytes)
{
    struct proxy_header h;
    const char *why;
    size_t used;

    return proxy_header_read(bytes.p, bytes.n, &h, &used, &why);
}

static bool endpoint_is(const struct endpoint *e, const char *ip, unsigned port)
{
    char out[ADDR_TEXT_MAX];

    return e->is_ip && e->port == port &&
           str_eq((struct str){out, ip_text(&e->ip, out)}, str_of(ip));
}

/* Is it a whole header, and not yet one without its last byte? */
static bool reads(struct str bytes, struct proxy_header *h)
{
    const char *why = NULL;
    size_t used = 0;

    for (size_t n = 0; n < bytes.n; n++)
        if (result_of(str_slice(bytes, 0, n)) != PROXY_MORE)
            return false;
    return proxy_header_read(bytes.p, bytes.n, h, &used, &why) == PROXY_OK && used == bytes.n;
}

static void a_line_is_read(void)
{
    struct proxy_header h;

    CU_ASSERT(reads(STR("PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n"), &h));
    CU_ASSERT(h.has_addresses && endpoint_is(&h.source, "192.0.2.1", 56324) &&
              endpoint_is(&h.target, "203.0.113.9", 443));
    CU_ASSERT(reads(STR("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"), &h));
    CU_ASSERT(endpoint_is(&h.source, "2001:db8::1", 1) && endpoint_is(&h.target, "::1", 65535));
    CU_ASSERT(reads(STR("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"), &h));
    CU_ASSERT(reads(STR("PROXY TCP4 0.0.0.0 255.255.255.255 0 0\r\n"), &h));
    CU_ASSERT(h.source.port == 0);
}

static void unknown_says_nothing(void)
{
    struct proxy_header h;

    CU_ASSERT(reads(STR("PROXY UNKNOWN\r\n"), &h));
    CU_ASSERT_FALSE(h.has_addresses);
    CU_ASSERT(reads(STR("PROXY UNKNOWN ffff::1 x 1 any \t thing\r\n"), &h));
    CU_ASSERT_FALSE(h.has_addresses);
    CU_ASSERT_EQUAL(result_of(STR("PROXY UNKNOWNX\r\n")), PROXY_BAD);
}

static void a_line_is_strict(void)
{
    static const char *const lines[] = {
        "PROXY\r\n",
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
        "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
        "PROXY TCP4\t192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n",
        "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 -2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 0x1 2\r\n",
        "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 ::2 1 2\r\n",
        "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY TCP6 ::1%lo ::2 1 2\r\n",
        "PROXY TCP6 [::1] [::2] 1 2\r\n",
        "PROXY TCP6 :::1 ::2 1 2\r\n",
        "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
        "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        " PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "\r\nPROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROPFIND / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\n",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        CU_ASSERT_EQUAL(result_of(str_of(lines[i])), PROXY_BAD);
    CU_ASSERT_EQUAL(result_of((struct str){"PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n", 37}), PROXY_BAD);
    CU_ASSERT_EQUAL(result_of(STR("G")), PROXY_BAD);
    CU_ASSERT_EQUAL(result_of(STR("PR")), PROXY_MORE);
    CU_ASSERT_EQUAL(result_of(STR("")), PROXY_MORE);
}

static void a_line_has_107_bytes_at_most(void)
{
    char line[PROXY_V1_MAX + 1] = "PROXY UNKNOWN ";
    struct proxy_header h;

    memset(line + 14, 'x', sizeof(line) - 14);
    memcpy(line + PROXY_V1_MAX - 2, "\r\n", 2);
    CU_ASSERT(reads((struct str){line, PROXY_V1_MAX}, &h));
    memcpy(line + PROXY_V1_MAX - 2, "x\r\n", 3);
    CU_ASSERT_EQUAL(result_of((struct str){line, PROXY_V1_MAX - 1}), PROXY_MORE);
    CU_ASSERT_EQUAL(result_of((struct str){line, PROXY_V1_MAX}), PROXY_BAD);
    CU_ASSERT_EQUAL(result_of((struct str){line, PROXY_V1_MAX + 1}), PROXY_BAD);
}

static void version_2_is_read(void)
{
    struct proxy_header h;

    CU_ASSERT(reads(HEADER("\x21\x11\0\x0c\xc0\0\x02\x01\xcb\0\x71\x09\xdc\x04\x01\xbb"), &h));
    CU_ASSERT(h.has_addresses && endpoint_is(&h.source, "192.0.2.1", 56324) &&
              endpoint_is(&h.target, "203.0.113.9", 443));
    CU_ASSERT(reads(HEADER("\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x01\xff\xff"), &h));
    CU_ASSERT(endpoint_is(&h.source, "2001:db8::1", 1) && endpoint_is(&h.target, "::1", 65535));
}

static void version_2_may_come_by_a_unix_socket(void)
{
    static char bytes[16 + 216] = SIGNATURE "\x21\x31\0\xd8/run/a.sock";
    struct proxy_header h;

    CU_ASSERT(reads((struct str){bytes, sizeof(bytes)}, &h));
    CU_ASSERT(h.has_addresses && !h.source.is_ip && h.source.port == 0);
}

static void version_2_may_say_nothing(void)
{
    struct proxy_header h;

    CU_ASSERT(reads(HEADER("\x20\0\0\0"), &h));
    CU_ASSERT_FALSE(h.has_addresses);
    CU_ASSERT(reads(HEADER("\x20\x11\0\x05xxxxx"), &h)); /* LOCAL: all of it is ignored */
    CU_ASSERT_FALSE(h.has_addresses);
    CU_ASSERT(reads(HEADER("\x21\0\0\x03\x04\0\0"), &h));
    CU_ASSERT_FALSE(h.has_addresses);
}

static void extensions_end_exactly(void)
{
#define TCP4(length) "\x21\x11\0" length "\xc0\0\x02\x01\xcb\0\x71\x09\xdc\x04\x01\xbb"
    struct proxy_header h;

    CU_ASSERT(reads(HEADER(TCP4("\x0f") "\x04\0\0"), &h));
    CU_ASSERT(reads(HEADER(TCP4("\x17") "\x01\0\x02h2\xea\0\x03xyz"), &h));
    CU_ASSERT(endpoint_is(&h.source, "192.0.2.1", 56324));
    CU_ASSERT_EQUAL(result_of(HEADER(TCP4("\x0d") "\x04")), PROXY_BAD);
    CU_ASSERT_EQUAL(result_of(HEADER(TCP4("\x0e") "\x04\0")), PROXY_BAD);
    CU_ASSERT_EQUAL(result_of(HEADER(TCP4("\x0f") "\x04\0\x01")), PROXY_BAD);
    CU_ASSERT_EQUAL(result_of(HEADER(TCP4("\x10") "\x04\0\0\x04")), PROXY_BAD);
    CU_ASSERT_EQUAL(result_of(HEADER(TCP4("\x10") "\x04\xff\xff\x01")), PROXY_BAD);
#undef TCP4
}

static void version_2_is_strict(void)
{
    static const char twelve[] = "\xc0\0\x02\x01\xcb\0\x71\x09\xdc\x04\x01\xbb";
    static const char wrong[][4] = {
        {0x11, 0x11, 0, 12}, /* version 1 in this form */
        {0x31, 0x11, 0, 12}, /* version 3 */
        {0x22, 0x11, 0, 12}, /* no such command */
        {0x2f, 0x11, 0, 12},
        {0x21, 0x12, 0, 12}, /* datagrams */
        {0x21, 0x10, 0, 12},
        {0x21, 0x01, 0, 12},
        {0x21, 0x41, 0, 12},
        {0x21, 0x11, 0, 11}, /* no room for the addresses */
        {0x21, 0x11, 0, 0},
        {0x21, 0x21, 0, 12},
        {0x21, 0x31, 0, 12},
        {0x21, 0x11, 0x40, 0}, /* too long */
        {0x20, 0x11, 0x40, 0},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char bytes[28];

        memcpy(bytes, SIGNATURE, 12);
        memcpy(bytes + 12, wrong[i], 4);
        memcpy(bytes + 16, twelve, 12);
        CU_ASSERT_EQUAL(result_of((struct str){bytes, sizeof(bytes)}), PROXY_BAD);
    }
    CU_ASSERT_EQUAL(result_of(STR("\r\n\r\nGET")), PROXY_BAD);
    CU_ASSERT_EQUAL(result_of(STR("\r\n\r\n")), PROXY_MORE);
}

static void the_longest_header_is_read(void)
{
    static char bytes[PROXY_HEADER_MAX] = SIGNATURE "\x20";
    struct proxy_header h;
    const char *why;
    size_t used;

    bytes[14] = (char)((PROXY_HEADER_MAX - 16) >> 8);
    bytes[15] = (char)((PROXY_HEADER_MAX - 16) & 255);
    CU_ASSERT_EQUAL(result_of((struct str){bytes, PROXY_HEADER_MAX - 1}), PROXY_MORE);
    CU_ASSERT_EQUAL(proxy_header_read(bytes, PROXY_HEADER_MAX, &h, &used, &why), PROXY_OK);
    CU_ASSERT_EQUAL(used, PROXY_HEADER_MAX);
}

static void what_follows_is_left_alone(void)
{
    struct str bytes = STR("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n");
    struct proxy_header h;
    const char *why;
    size_t used = 0;

    CU_ASSERT_EQUAL(proxy_header_read(bytes.p, bytes.n, &h, &used, &why), PROXY_OK);
    CU_ASSERT_EQUAL(used, 36);
}

static bool writes(enum proxy_version version, const char *source, const char *target,
                   struct str expected)
{
    char out[PROXY_WRITE_MAX];
    struct proxy_header h = {.has_addresses = true};

    return (source[0] == '\0' || endpoint_parse(str_of(source), &h.source)) &&
           (target[0] == '\0' || endpoint_parse(str_of(target), &h.target)) &&
           str_eq((struct str){out, proxy_header_write(out, version, &h)}, expected);
}

static void headers_are_written(void)
{
    CU_ASSERT(writes(PROXY_V1, "192.0.2.1:56324", "203.0.113.9:443",
                     STR("PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n")));
    CU_ASSERT(writes(PROXY_V1, "[2001:db8::1]:1", "::1",
                     STR("PROXY TCP6 2001:db8::1 ::1 1 0\r\n")));
    CU_ASSERT(writes(PROXY_V1, "[2001:db8::1]:1", "192.0.2.1:80",
                     STR("PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 1 80\r\n")));
    CU_ASSERT(writes(PROXY_V1, "192.0.2.1", "", STR("PROXY TCP4 192.0.2.1 0.0.0.0 0 0\r\n")));
    CU_ASSERT(writes(PROXY_V1, "2001:db8::1", "", STR("PROXY TCP6 2001:db8::1 :: 0 0\r\n")));
    CU_ASSERT(writes(PROXY_V1, "", "192.0.2.1:80", STR("PROXY UNKNOWN\r\n")));
    CU_ASSERT(writes(PROXY_V2, "192.0.2.1:56324", "203.0.113.9:443",
                     HEADER("\x21\x11\0\x0c\xc0\0\x02\x01\xcb\0\x71\x09\xdc\x04\x01\xbb")));
    CU_ASSERT(writes(PROXY_V2, "[2001:db8::1]:1", "[::1]:65535",
                     HEADER("\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                            "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x01\xff\xff")));
    CU_ASSERT(writes(PROXY_V2, "", "", HEADER("\x21\0\0\0")));
}

UNIT_SUITE(io_proxy_protocol)
{
    UNIT_TEST(a_line_is_read);
    UNIT_TEST(unknown_says_nothing);
    UNIT_TEST(a_line_is_strict);
    UNIT_TEST(a_line_has_107_bytes_at_most);
    UNIT_TEST(version_2_is_read);
    UNIT_TEST(version_2_may_come_by_a_unix_socket);
    UNIT_TEST(version_2_may_say_nothing);
    UNIT_TEST(extensions_end_exactly);
    UNIT_TEST(version_2_is_strict);
    UNIT_TEST(the_longest_header_is_read);
    UNIT_TEST(what_follows_is_left_alone);
    UNIT_TEST(headers_are_written);
}

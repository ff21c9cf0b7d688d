/*
 * Addresses and networks: text to value and back.
 */
#include "io/addr.h"

#include "unit.h"

static bool text_is(const char *text, const char *expected)
{
    char out[ADDR_TEXT_MAX];
    struct addr a;

    if (!addr_parse(str_of(text), &a))
        return false;
    return str_eq((struct str){out, addr_text(&a, out)}, str_of(expected));
}

static void addresses_are_read_and_written(void)
{
    CU_ASSERT(text_is("127.0.0.1:80", "127.0.0.1:80"));
    CU_ASSERT(text_is("*:8080", "0.0.0.0:8080"));
    CU_ASSERT(text_is("[::1]:0", "[::1]:0"));
    CU_ASSERT(text_is("[2001:DB8:0:0::1]:65535", "[2001:db8::1]:65535"));
    CU_ASSERT(text_is("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:1"));
}

static void what_is_no_address_is_refused(void)
{
    static const char *const bad[] = {
        "",           "80",         ":80",        "127.0.0.1",      "127.0.0.1:",
        "1.2.3:80",   "::1:80",     "[::1]",      "[127.0.0.1]:80", "[::1]:65536",
        "a:80",       "1.2.3.4:-1", "1.2.3.4:+1", "[*]:80",         "[::1%no-such-interface]:80",
        "1.2.3.4 :80"};
    struct addr a;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(addr_parse(str_of(bad[i]), &a));
}

static void unix_paths_are_bounded(void)
{
    char path[109];
    char out[ADDR_TEXT_MAX];
    struct addr a;

    memset(path, 'x', sizeof(path));
    CU_ASSERT_FALSE(addr_unix(STR(""), &a));
    CU_ASSERT_FALSE(addr_unix((struct str){path, 108}, &a));
    CU_ASSERT_FALSE(addr_unix((struct str){"a\0b", 3}, &a));
    CU_ASSERT(addr_unix((struct str){path, 107}, &a));
    CU_ASSERT_EQUAL(addr_text(&a, out), 112);
    CU_ASSERT_EQUAL(addr_port(&a), 0);
    CU_ASSERT_EQUAL(addr_host_text(&a, out), 4);
}

static void equal_addresses_are_equal(void)
{
    struct addr a;
    struct addr b;
    struct addr none = {.n = 0};

    CU_ASSERT(addr_parse(STR("127.0.0.1:80"), &a) && addr_parse(STR("127.0.0.1:81"), &b));
    CU_ASSERT_FALSE(addr_eq(&a, &b));
    CU_ASSERT(addr_eq(&a, &a));
    CU_ASSERT(addr_eq(&none, &none));
    CU_ASSERT_FALSE(addr_eq(&a, &none));
    CU_ASSERT(addr_parse(STR("[::1]:80"), &b));
    CU_ASSERT_FALSE(addr_eq(&a, &b));
    CU_ASSERT(addr_unix(STR("/a"), &a) && addr_unix(STR("/ab"), &b));
    CU_ASSERT_FALSE(addr_eq(&a, &b));
}

static bool holds(const char *net, const char *address)
{
    struct cidr c;
    struct ip ip;

    return cidr_parse(str_of(net), &c) && ip_parse(str_of(address), &ip) && cidr_holds(&c, &ip);
}

static void networks_hold_their_addresses(void)
{
    CU_ASSERT(holds("10.0.0.0/8", "10.255.0.1"));
    CU_ASSERT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
    CU_ASSERT(holds("0.0.0.0/0", "1.2.3.4"));
    CU_ASSERT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
    CU_ASSERT(holds("::/0", "1.2.3.4"));
    CU_ASSERT(holds("2001:db8::/33", "2001:db8:7fff::1"));
    CU_ASSERT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
    CU_ASSERT(holds("192.0.2.1", "192.0.2.1"));
    CU_ASSERT(holds("192.0.2.1/32", "::ffff:192.0.2.1"));
    CU_ASSERT_FALSE(holds("192.0.2.1", "192.0.2.2"));
}

static void what_is_no_network_is_refused(void)
{
    static const char *const bad[] = {"",           "10.1.0.0/8", "10.0.0.0/33", "10.0.0.0/", "/8",
                                      "10.0.0.0/a", "::1/127",    "::/129",      "10/8",      "x"};
    struct cidr c;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(cidr_parse(str_of(bad[i]), &c));
}

static bool endpoint_is(const char *text, const char *ip, unsigned port)
{
    char out[ADDR_TEXT_MAX];
    struct endpoint e;

    return endpoint_parse(str_of(text), &e) && e.is_ip && e.port == port &&
           str_eq((struct str){out, ip_text(&e.ip, out)}, str_of(ip));
}

static void endpoints_are_read(void)
{
    CU_ASSERT(endpoint_is("192.0.2.1", "192.0.2.1", 0));
    CU_ASSERT(endpoint_is("192.0.2.1:65535", "192.0.2.1", 65535));
    CU_ASSERT(endpoint_is("2001:DB8::1", "2001:db8::1", 0));
    CU_ASSERT(endpoint_is("[2001:db8::1]", "2001:db8::1", 0));
    CU_ASSERT(endpoint_is("[2001:db8::1]:80", "2001:db8::1", 80));
    CU_ASSERT(endpoint_is("::", "::", 0));
    CU_ASSERT(endpoint_is("::ffff:192.0.2.1", "192.0.2.1", 0));
}

static void what_is_no_endpoint_is_refused(void)
{
    static const char *const bad[] = {
        "",           "unknown",      "_hidden",     "192.0.2.1:",  "192.0.2.1:0", "192.0.2.1:65536",
        "192.0.2",    "192.0.2.01",   "[192.0.2.1]", "[::1",        "[::1]80",     "[::1]:",
        "[::1]:x",    "::1]",         "[]",          "[]:80",       ":80",         "192.0.2.1:80:80",
        "192.0.2.1 ", "fe80::1%eth0", "[:80]:80",    "host:80",     "\"192.0.2.1\""};
    struct endpoint e;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(endpoint_parse(str_of(bad[i]), &e));
    CU_ASSERT_FALSE(endpoint_parse((struct str){"::1\0", 4}, &e));
}

static void the_resolver_knows_localhost(void)
{
    struct addr a;

    CU_ASSERT_PTR_NULL(addr_resolve(STR("localhost"), 80, &a));
    CU_ASSERT_EQUAL(addr_port(&a), 80);
    CU_ASSERT_PTR_NOT_NULL(addr_resolve(STR(""), 80, &a));
    CU_ASSERT_PTR_NOT_NULL(addr_resolve((struct str){"local\0host", 10}, 80, &a));
}

UNIT_SUITE(io_addr)
{
    UNIT_TEST(addresses_are_read_and_written);
    UNIT_TEST(what_is_no_address_is_refused);
    UNIT_TEST(unix_paths_are_bounded);
    UNIT_TEST(equal_addresses_are_equal);
    UNIT_TEST(networks_hold_their_addresses);
    UNIT_TEST(what_is_no_network_is_refused);
    UNIT_TEST(endpoints_are_read);
    UNIT_TEST(what_is_no_endpoint_is_refused);
    UNIT_TEST(the_resolver_knows_localhost);
}

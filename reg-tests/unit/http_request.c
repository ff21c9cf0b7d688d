/*
 * http_request - heads of requests, legal and not: one row each, with its clause.
 */
#include "unit.h"

#include "http_parsed.h"

#define H   "Host: a.example\r\n"
#define GET "GET / HTTP/1.1\r\n"

struct request_row {
    const char *clause;
    struct str text;
    enum http_fault fault;
};

#define ROW(clause, text, fault)                                                                   \
    {                                                                                              \
        clause, {text, sizeof(text) - 1}, FAULT_##fault                                            \
    }

/* clang-format off */
static const struct request_row request_rows[] = {
    /* the request line: RFC 9112 3 */
    ROW("plain", GET H "\r\n", NONE),
    ROW("9112 2.2: an empty line before it", "\r\n" GET H "\r\n", NONE),
    ROW("9112 2.2: two empty lines", "\r\n\r\n" GET H "\r\n", NONE),
    ROW("9112 2.2: a bare LF before it", "\n" GET H "\r\n", BARE_LF),
    ROW("9112 2.2: white space before it", " " GET H "\r\n", METHOD),
    ROW("9112 3: any method", "BREW / HTTP/1.1\r\n" H "\r\n", NONE),
    ROW("9110 9.1: methods are tokens", "GE(T / HTTP/1.1\r\n" H "\r\n", METHOD),
    ROW("9110 9.1: case counts", "get / HTTP/1.1\r\n" H "\r\n", NONE),
    ROW("no method", " / HTTP/1.1\r\n" H "\r\n", METHOD),
    ROW("tab for a space", "GET\t/ HTTP/1.1\r\n" H "\r\n", METHOD),
    ROW("two spaces before the target", "GET  / HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("two spaces behind the target", "GET /  HTTP/1.1\r\n" H "\r\n", VERSION_SYNTAX),
    ROW("a space in the target", "GET /a b HTTP/1.1\r\n" H "\r\n", VERSION_SYNTAX),
    ROW("tab behind the target", "GET /\tHTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("method alone", "GET\r\n" H "\r\n", REQUEST_LINE),
    ROW("HTTP/0.9", "GET /\r\n\r\n", REQUEST_LINE),
    ROW("no target", "GET HTTP/1.1\r\n" H "\r\n", REQUEST_LINE),
    ROW("no version", "GET / \r\n" H "\r\n", VERSION_SYNTAX),
    ROW("blank behind the version", "GET / HTTP/1.1 \r\n" H "\r\n", VERSION_SYNTAX),
    ROW("more behind the version", "GET / HTTP/1.1 x\r\n" H "\r\n", VERSION_SYNTAX),
    ROW("LF ends the line", "GET / HTTP/1.1\n" H "\r\n", BARE_LF),
    ROW("CR in the line", "GET / HTTP/1.1\r" H "\r\n", BARE_CR),
    ROW("CR CR LF", "GET / HTTP/1.1\r\r\n" H "\r\n", BARE_CR),
    ROW("CR in the target", "GET /\r HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("NUL in the target", "GET /\0 HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("control in the target", "GET /\001 HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("DEL in the target", "GET /\177 HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("obs-text in the target", "GET /\303\244 HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("3986: fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("what browsers send raw", "GET /?q={\"a|b\"}^`<> HTTP/1.1\r\n" H "\r\n", NONE),

    /* the version: RFC 9112 2.3, RFC 9110 2.5 */
    ROW("1.0", "GET / HTTP/1.0\r\n\r\n", NONE),
    ROW("1.2 is taken as 1.1", "GET / HTTP/1.2\r\n" H "\r\n", NONE),
    ROW("1.9 needs Host as well", "GET / HTTP/1.9\r\n\r\n", HOST_MISSING),
    ROW("2.0", "GET / HTTP/2.0\r\n" H "\r\n", VERSION),
    ROW("0.9", "GET / HTTP/0.9\r\n" H "\r\n", VERSION),
    ROW("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", VERSION),
    ROW("two digits", "GET / HTTP/1.10\r\n" H "\r\n", VERSION_SYNTAX),
    ROW("two digits before the dot", "GET / HTTP/01.1\r\n" H "\r\n", VERSION_SYNTAX),
    ROW("case counts", "GET / http/1.1\r\n" H "\r\n", VERSION_SYNTAX),
    ROW("no number", "GET / HTTP/\r\n" H "\r\n", VERSION_SYNTAX),
    ROW("one number", "GET / HTTP/1\r\n" H "\r\n", VERSION_SYNTAX),
    ROW("comma", "GET / HTTP/1,1\r\n" H "\r\n", VERSION_SYNTAX),
    ROW("other protocol", "GET / HTCPCP/1.1\r\n" H "\r\n", VERSION_SYNTAX),

    /* the form of the target: RFC 9112 3.2 */
    ROW("origin-form", "GET /a/b?c=d HTTP/1.1\r\n" H "\r\n", NONE),
    ROW("no form", "GET a/b HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("a bare query", "GET ?a HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("asterisk-form", "OPTIONS * HTTP/1.1\r\n" H "\r\n", NONE),
    ROW("asterisk with GET", "GET * HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("asterisk and more", "OPTIONS */a HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("authority-form", "CONNECT a.example:443 HTTP/1.1\r\n" H "\r\n", CONNECT),
    ROW("CONNECT in another form", "CONNECT / HTTP/1.1\r\n" H "\r\n", CONNECT),
    ROW("authority-form with GET", "GET a.example:443 HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("absolute-form", "GET http://a.example/x HTTP/1.1\r\n" H "\r\n", NONE),
    ROW("absolute-form of https", "GET https://a.example/x HTTP/1.1\r\n" H "\r\n", NONE),
    ROW("scheme without case", "GET HTTP://A.EXAMPLE/x HTTP/1.1\r\n" H "\r\n", NONE),
    ROW("another scheme", "GET ftp://a.example/x HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("no authority", "GET http:///x HTTP/1.1\r\n" H "\r\n", HOST_SYNTAX),
    ROW("scheme alone", "GET http:// HTTP/1.1\r\n" H "\r\n", HOST_SYNTAX),
    ROW("scheme and path", "GET http:/x HTTP/1.1\r\n" H "\r\n", TARGET),
    ROW("another Host", "GET http://b.example/ HTTP/1.1\r\n" H "\r\n", HOST_MISMATCH),
    ROW("another port", "GET http://a.example:81/ HTTP/1.1\r\n" H "\r\n", HOST_MISMATCH),
    ROW("the port of the scheme", "GET http://a.example:80/ HTTP/1.1\r\n" H "\r\n", NONE),
    ROW("the port of another scheme", "GET https://a.example:80/ HTTP/1.1\r\n" H "\r\n",
        HOST_MISMATCH),
    ROW("empty Host beside it", "GET http://a.example/ HTTP/1.1\r\nHost:\r\n\r\n", HOST_MISMATCH),
    ROW("malformed Host beside it", "GET http://a.example/ HTTP/1.1\r\nHost: a b\r\n\r\n",
        HOST_SYNTAX),
    ROW("no Host beside it", "GET http://a.example/ HTTP/1.1\r\n\r\n", HOST_MISSING),
    ROW("no Host beside it in 1.0", "GET http://a.example/ HTTP/1.0\r\n\r\n", NONE),
    ROW("user information", "GET http://u@a.example/ HTTP/1.1\r\n" H "\r\n", HOST_USERINFO),
    ROW("user and password", "GET http://u:p@a.example/ HTTP/1.1\r\n" H "\r\n", HOST_USERINFO),
    ROW("backslash in authority", "GET http://a.example\\b/ HTTP/1.1\r\n" H "\r\n", HOST_SYNTAX),

    /* Host: RFC 9112 3.2, RFC 9110 7.2 */
    ROW("missing in 1.1", GET "\r\n", HOST_MISSING),
    ROW("missing in 1.0", "GET / HTTP/1.0\r\n\r\n", NONE),
    ROW("empty", GET "Host:\r\n\r\n", NONE),
    ROW("two, equal", GET H H "\r\n", HOST_REPEATED),
    ROW("two, different", GET H "hOST: b\r\n\r\n", HOST_REPEATED),
    ROW("two in 1.0", "GET / HTTP/1.0\r\n" H H "\r\n", HOST_REPEATED),
    ROW("a list", GET "Host: a, b\r\n\r\n", HOST_SYNTAX),
    ROW("user information", GET "Host: u@a\r\n\r\n", HOST_USERINFO),
    ROW("path", GET "Host: a/b\r\n\r\n", HOST_SYNTAX),
    ROW("port", GET "Host: a:8080\r\n\r\n", NONE),
    ROW("port out of range", GET "Host: a:65536\r\n\r\n", HOST_SYNTAX),
    ROW("IPv6", GET "Host: [::1]:8080\r\n\r\n", NONE),

    /* field lines: RFC 9112 5 */
    ROW("no blank before the value", GET "Host:a\r\n\r\n", NONE),
    ROW("blanks around the value", GET "Host: \t a \t \r\n\r\n", NONE),
    ROW("empty value", GET H "X:\r\n\r\n", NONE),
    ROW("blank value", GET H "X: \t \r\n\r\n", NONE),
    ROW("obs-text", GET H "X: \344\366\374\r\n\r\n", NONE),
    ROW("tab inside", GET H "X: a\tb\r\n\r\n", NONE),
    ROW("5.1: blank before the colon", GET "Host : a\r\n\r\n", FIELD_NAME),
    ROW("5.1: tab before the colon", GET "Host\t: a\r\n\r\n", FIELD_NAME),
    ROW("5.2: folded", GET H "X: a\r\n b\r\n\r\n", LINE_FOLDING),
    ROW("5.2: folded by a tab", GET H "X: a\r\n\tb\r\n\r\n", LINE_FOLDING),
    ROW("2.2: blank before the first field", GET " Host: a\r\n\r\n", LINE_FOLDING),
    ROW("no name", GET H ": a\r\n\r\n", FIELD_NAME),
    ROW("no colon", GET H "X\r\n\r\n", FIELD_LINE),
    ROW("no colon, LF", GET H "X\n\r\n", FIELD_LINE),
    ROW("name with a space", GET H "X Y: a\r\n\r\n", FIELD_NAME),
    ROW("name with a bracket", GET H "X(: a\r\n\r\n", FIELD_NAME),
    ROW("name with obs-text", GET H "X\344: a\r\n\r\n", FIELD_NAME),
    ROW("name with NUL", GET H "X\0: a\r\n\r\n", FIELD_NAME),
    ROW("name with CR", GET H "X\r: a\r\n\r\n", FIELD_NAME),
    ROW("name with a slash", GET H "a/b: c\r\n\r\n", FIELD_NAME),
    ROW("all of tchar", GET H "!#$%&'*+-.^_`|~09azAZ: a\r\n\r\n", NONE),
    ROW("2.2: LF ends a line", GET H "X: a\nY: b\r\n\r\n", BARE_LF),
    ROW("LF LF ends the head", GET H "X: a\n\n", BARE_LF),
    ROW("2.2: bare CR", GET H "X: a\rY: b\r\n\r\n", BARE_CR),
    ROW("CR CR LF", GET H "X: a\r\r\n\r\n", BARE_CR),
    ROW("bare CR at once", GET H "X:\rTransfer-Encoding: chunked\r\n\r\n", BARE_CR),
    ROW("CR line", GET H "\rX: a\r\n\r\n", BARE_CR),
    ROW("NUL", GET H "X: a\0b\r\n\r\n", FIELD_VALUE),
    ROW("VT", GET H "X: \013chunked\r\n\r\n", FIELD_VALUE),
    ROW("FF", GET H "X: \014chunked\r\n\r\n", FIELD_VALUE),
    ROW("ESC, far in", GET H "X: 0123456789abcdef0123456789\033[m\r\n\r\n", FIELD_VALUE),
    ROW("DEL", GET H "X: a\177\r\n\r\n", FIELD_VALUE),

    /* framing: RFC 9112 6 (http_framing has the table) */
    ROW("length", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n", NONE),
    ROW("both", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        LENGTH_AND_CODING),
    ROW("Connection cannot take the framing away",
        "POST / HTTP/1.1\r\n" H "Connection: transfer-encoding\r\nContent-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\n\r\n",
        LENGTH_AND_CODING),

    /* Expect: RFC 9110 10.1.1 */
    ROW("100-continue", "PUT / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
        NONE),
    ROW("another expectation", "PUT / HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n", EXPECTATION),
    ROW("a list", "PUT / HTTP/1.1\r\n" H "Expect: 100-continue, x\r\n\r\n", EXPECTATION),
    ROW("nothing", "PUT / HTTP/1.1\r\n" H "Expect:\r\n\r\n", EXPECTATION),
    ROW("in 1.0 it means nothing", "PUT / HTTP/1.0\r\n" H "Expect: x\r\n\r\n", NONE),

    /* what is no whole head */
    ROW("nothing", "", REQUEST_LINE),
    ROW("only empty lines", "\r\n\r\n", REQUEST_LINE),
    ROW("no empty line", GET H, FIELD_LINE),
    ROW("no line end", "GET / HTTP/1.1", REQUEST_LINE),
    ROW("more than a head", GET H "\r\nGET / HTTP/1.1\r\n", FIELD_LINE),
};
/* clang-format on */

#define N_REQUEST_ROWS (sizeof(request_rows) / sizeof(request_rows[0]))

static void requests_are_taken_or_refused(void)
{
    for (size_t i = 0; i < N_REQUEST_ROWS; i++) {
        const struct request_row *row = &request_rows[i];
        struct parsed p;

        parsed_request(&p, row->text);
        if (p.fault != row->fault)
            parsed_explain(row->clause, row->fault, p.fault);
        CU_ASSERT_EQUAL(p.fault, row->fault);
        CU_ASSERT_EQUAL(p.head.wire_bytes, row->text.n);
        parsed_close(&p);
    }
}

/* The end is found at the same place however the bytes come in. */
static void end_is_found_byte_by_byte(void)
{
    for (size_t i = 0; i < N_REQUEST_ROWS; i++) {
        struct str text = request_rows[i].text;
        size_t scanned = 0;
        size_t at_once = h1_head_end(text.p, text.n, &scanned);
        size_t dripped = 0;

        scanned = 0;
        for (size_t n = 0; n <= text.n && dripped == 0; n++) {
            dripped = h1_head_end(text.p, n, &scanned);
            CU_ASSERT(scanned <= n);
        }
        if (dripped != at_once)
            printf("\n    %s: %zu at once, %zu dripped\n", request_rows[i].clause, at_once,
                   dripped);
        CU_ASSERT_EQUAL(dripped, at_once);
    }
}

static size_t end_of(struct str text)
{
    size_t scanned = 0;

    return h1_head_end(text.p, text.n, &scanned);
}

static void end_stands_behind_the_empty_line(void)
{
    CU_ASSERT_EQUAL(end_of(STR_EMPTY), 0);
    CU_ASSERT_EQUAL(end_of(STR("GET / HTTP/1.1\r\n\r")), 0);
    CU_ASSERT_EQUAL(end_of(STR("GET / HTTP/1.1\r\n\r\nbody\r\n\r\n")), 18);
    CU_ASSERT_EQUAL(end_of(STR("\r\n\r\n\r\n")), 0);
    CU_ASSERT_EQUAL(end_of(STR("\r\n\r\nGET / HTTP/1.1\r\n\r\n")), 22);
    CU_ASSERT_EQUAL(end_of(STR("A\n\nB")), 3);
    CU_ASSERT_EQUAL(end_of(STR("A\n\r\nB")), 4);
    CU_ASSERT_EQUAL(end_of(STR("A\r\n\n")), 4);
}

static void expect_str(struct str got, const char *wanted)
{
    if (!str_eq(got, str_of(wanted)))
        printf("\n    wanted `%s`, got `%.*s`\n", wanted, STR_ARG(got));
    CU_ASSERT(str_eq(got, str_of(wanted)));
}

struct target_row {
    const char *text;
    const char *target;
    const char *host;
    const char *authority;
    unsigned port;
};

/* clang-format off */
static const struct target_row target_rows[] = {
    {GET "Host: a.example\r\n\r\n", "/", "a.example", "a.example", 0},
    {GET "Host: A.Example:8080\r\n\r\n", "/", "a.example", "a.example:8080", 8080},
    {GET "Host: a.example:\r\n\r\n", "/", "a.example", "a.example", 0},
    {GET "Host: A:\r\n\r\n", "/", "a", "a", 0},
    {GET "Host: a:0080\r\n\r\n", "/", "a", "a:0080", 80},
    {GET "Host: [2001:DB8::1]:81\r\n\r\n", "/", "[2001:db8::1]", "[2001:db8::1]:81", 81},
    {GET "Host:\r\n\r\n", "/", "", "", 0},
    {"GET /a?b HTTP/1.0\r\n\r\n", "/a?b", "", "", 0},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*", "a", "a", 0},
    {"GET http://A:81/x?y HTTP/1.1\r\nHost: a:81\r\n\r\n", "/x?y", "a", "a:81", 81},
    {"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "/", "a", "a", 0},
    {"GET http://a? HTTP/1.1\r\nHost: a\r\n\r\n", "/?", "a", "a", 0},
    {"GET http://a?x=/y HTTP/1.1\r\nHost: a\r\n\r\n", "/?x=/y", "a", "a", 0},
    {"OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", "*", "a", "a", 0},
    {"OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "/", "a", "a", 0},
    {"OPTIONS http://a?x HTTP/1.1\r\nHost: a\r\n\r\n", "/?x", "a", "a", 0},
    {"GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "/", "a", "a:80", 80},
};
/* clang-format on */

static void targets_get_one_form(void)
{
    for (size_t i = 0; i < sizeof(target_rows) / sizeof(target_rows[0]); i++) {
        const struct target_row *row = &target_rows[i];
        struct parsed p;

        parsed_request(&p, str_of(row->text));
        CU_ASSERT_EQUAL(p.fault, FAULT_NONE);
        expect_str(p.head.target, row->target);
        expect_str(p.head.host, row->host);
        expect_str(p.head.authority, row->authority);
        CU_ASSERT_EQUAL(p.head.port, row->port);
        parsed_close(&p);
    }
}

struct keep_alive_row {
    const char *text;
    bool keep_alive;
};

/* RFC 9112 9.3 */
/* clang-format off */
static const struct keep_alive_row keep_alive_rows[] = {
    {GET H "\r\n", true},
    {GET H "Connection: close\r\n\r\n", false},
    {GET H "Connection: Close\r\n\r\n", false},
    {GET H "Connection: keep-alive\r\n\r\n", true},
    {GET H "Connection: keep-alive, close\r\n\r\n", false},
    {GET H "Connection: keep-alive\r\nConnection: x ,\tclose\r\n\r\n", false},
    {GET H "Connection: closed\r\n\r\n", true},
    {GET H "Proxy-Connection: close\r\n\r\n", true},
    {"GET / HTTP/1.0\r\n\r\n", false},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
    {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
    {"GET / HTTP/1.0\r\nKeep-Alive: 300\r\n\r\n", false},
};
/* clang-format on */

static void connection_decides_on_keep_alive(void)
{
    for (size_t i = 0; i < sizeof(keep_alive_rows) / sizeof(keep_alive_rows[0]); i++) {
        struct parsed p;

        parsed_request(&p, str_of(keep_alive_rows[i].text));
        CU_ASSERT_EQUAL(p.fault, FAULT_NONE);
        CU_ASSERT_EQUAL(p.head.keep_alive, keep_alive_rows[i].keep_alive);
        parsed_close(&p);
    }
}

/* The names of the fields that are left, each with a space behind it. */
static void expect_fields(const struct head *h, const char *wanted)
{
    char names[1024];
    size_t n = 0;

    for (size_t i = 0; i < h->n_fields; i++)
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%.*s ", STR_ARG(h->fields[i].name));
    expect_str((struct str){names, n}, wanted);
}

struct strip_row {
    const char *text;
    const char *left;
};

/* RFC 9110 7.6.1 */
/* clang-format off */
static const struct strip_row strip_rows[] = {
    {GET "A: 1\r\n" H "B: 2\r\n\r\n", "A B "},
    {GET H "Keep-Alive: 1\r\nTE: trailers\r\nTrailer: X\r\nProxy-Connection: a\r\nProxy: b\r\n"
     "C: 1\r\n\r\n",
     "C "},
    {GET H "X: 1\r\nConnection: x\r\nY: 2\r\n\r\n", "Y "},
    {GET H "Connection: X , ,y\r\nX: 1\r\nx: 2\r\nY: 2\r\n\r\n", ""},
    {GET H "Connection: accept\r\nAccept: a\r\n\r\n", "Accept "},
    {GET H "Connection: Cookie, authorization, via, host, Content-Type\r\n"
     "Via: 1.1 a\r\nCookie: a\r\nAuthorization: b\r\nContent-Type: c\r\n\r\n",
     "Via Cookie Authorization Content-Type "},
    {GET H "Connection: X-Forwarded-For, x-forwarded-server, forwarded, x-real-ip\r\n"
     "X-Forwarded-For: a\r\nX-Forwarded-Server: b\r\nForwarded: for=c\r\nX-Real-IP: d\r\n\r\n",
     "X-Forwarded-For X-Forwarded-Server Forwarded X-Real-IP "},
    {GET H "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: a\r\n"
     "X: b\r\n\r\n",
     "X "},
};
/* clang-format on */

static void hop_by_hop_fields_are_removed(void)
{
    for (size_t i = 0; i < sizeof(strip_rows) / sizeof(strip_rows[0]); i++) {
        struct parsed p;

        parsed_request(&p, str_of(strip_rows[i].text));
        CU_ASSERT_EQUAL(p.fault, FAULT_NONE);
        expect_fields(&p.head, strip_rows[i].left);
        parsed_close(&p);
    }
}

struct upgrade_row {
    const char *text;
    const char *upgrade;
};

/* RFC 9110 7.8 */
/* clang-format off */
static const struct upgrade_row upgrade_rows[] = {
    {GET H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "websocket"},
    {GET H "Connection: keep-alive, upgrade\r\nUpgrade: IRC/6.9\r\n\r\n", "IRC/6.9"},
    {GET H "Upgrade: websocket\r\n\r\n", ""},
    {GET H "Connection: upgrade\r\n\r\n", ""},
    {GET H "Connection: upgrade\r\nUpgrade: H2C\r\n\r\n", ""},
    {GET H "Connection: upgrade\r\nUpgrade: h2c, websocket\r\n\r\n", ""},
    {GET H "Connection: upgrade\r\nUpgrade: a b\r\n\r\n", ""},
    {GET H "Connection: upgrade\r\nUpgrade: a/\r\n\r\n", ""},
    {GET H "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\n", ""},
    {"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", ""},
};
/* clang-format on */

static void upgrade_is_one_protocol_without_a_body(void)
{
    for (size_t i = 0; i < sizeof(upgrade_rows) / sizeof(upgrade_rows[0]); i++) {
        struct parsed p;

        parsed_request(&p, str_of(upgrade_rows[i].text));
        CU_ASSERT_EQUAL(p.fault, FAULT_NONE);
        expect_str(p.head.upgrade, upgrade_rows[i].upgrade);
        CU_ASSERT_PTR_NULL(head_find(&p.head, FIELD_UPGRADE, STR_EMPTY));
        parsed_close(&p);
    }
}

struct expect_row {
    const char *text;
    bool expects_continue;
};

/* clang-format off */
static const struct expect_row expect_rows[] = {
    {"PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", true},
    {"PUT / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n", true},
    {"PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", false},
    {"PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n", false},
    {"PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", false},
};
/* clang-format on */

static void expectations_need_content(void)
{
    for (size_t i = 0; i < sizeof(expect_rows) / sizeof(expect_rows[0]); i++) {
        struct parsed p;

        parsed_request(&p, str_of(expect_rows[i].text));
        CU_ASSERT_EQUAL(p.fault, FAULT_NONE);
        CU_ASSERT_EQUAL(p.head.expects_continue, expect_rows[i].expects_continue);
        CU_ASSERT_EQUAL(p.head.n_fields, 0);
        parsed_close(&p);
    }
}

/* A request with this many copies of `part` between its two ends. */
static enum http_fault fault_of_many(const char *front, const char *part, size_t n,
                                     const char *back)
{
    size_t n_part = strlen(part);
    char *text = malloc(strlen(front) + n * n_part + strlen(back));
    struct parsed p;
    size_t at = strlen(front);

    memcpy(text, front, at);
    for (size_t i = 0; i < n; i++, at += n_part)
        memcpy(text + at, part, n_part);
    memcpy(text + at, back, strlen(back));
    parsed_request(&p, (struct str){text, at + strlen(back)});
    parsed_close(&p);
    free(text);
    return p.fault;
}

static void sizes_are_bounded(void)
{
    const char *end = " HTTP/1.1\r\n" H "\r\n";

    CU_ASSERT_EQUAL(fault_of_many("GET /", "a", H1_TARGET_MAX - 1, end), FAULT_NONE);
    CU_ASSERT_EQUAL(fault_of_many("GET /", "a", H1_TARGET_MAX, end), FAULT_TARGET_TOO_LONG);
    CU_ASSERT_EQUAL(fault_of_many(GET H, "X: y\r\n", HEAD_FIELDS_MAX - 1, "\r\n"), FAULT_NONE);
    CU_ASSERT_EQUAL(fault_of_many(GET H, "X: y\r\n", HEAD_FIELDS_MAX, "\r\n"),
                    FAULT_TOO_MANY_FIELDS);
    CU_ASSERT_EQUAL(fault_of_many(GET H "X: ", "y", 32000, "\r\n\r\n"), FAULT_NONE);
    CU_ASSERT_EQUAL(fault_of_many(GET H "X: ", "y", H1_HEAD_MAX, "\r\n\r\n"), FAULT_HEAD_TOO_LARGE);
    CU_ASSERT_EQUAL(fault_of_many(GET H "Connection: ", "a,", HEAD_FIELDS_MAX, "\r\n\r\n"),
                    FAULT_NONE);
    CU_ASSERT_EQUAL(fault_of_many(GET H "Connection: ", "a,", HEAD_FIELDS_MAX + 1, "\r\n\r\n"),
                    FAULT_HEAD_TOO_LARGE);
}

static void line_is_told_to_the_log(void)
{
    struct str method;
    struct str target;

    h1_parse_line_for_log(STR("\r\nGET /a#b HTTP/3.14\r\nHost"), &method, &target);
    expect_str(method, "GET");
    expect_str(target, "/a#b");
    h1_parse_line_for_log(STR("GET /\r\n"), &method, &target);
    expect_str(method, "GET");
    expect_str(target, "/");
    h1_parse_line_for_log(STR("\026\003\001\n"), &method, &target);
    expect_str(method, "");
    h1_parse_line_for_log(STR("GET / HTTP"), &method, &target);
    expect_str(method, "");
    h1_parse_line_for_log(STR_EMPTY, &method, &target);
    expect_str(target, "");
}

UNIT_SUITE(http_request)
{
    UNIT_TEST(requests_are_taken_or_refused);
    UNIT_TEST(end_is_found_byte_by_byte);
    UNIT_TEST(end_stands_behind_the_empty_line);
    UNIT_TEST(targets_get_one_form);
    UNIT_TEST(connection_decides_on_keep_alive);
    UNIT_TEST(hop_by_hop_fields_are_removed);
    UNIT_TEST(upgrade_is_one_protocol_without_a_body);
    UNIT_TEST(expectations_need_content);
    UNIT_TEST(sizes_are_bounded);
    UNIT_TEST(line_is_told_to_the_log);
}

/*
 * http1 - the scanner of HTTP/1 heads (RFC 9112 2 to 5, RFC 9110 5).
 *
 * Its one idea: every prefix of a legal line is a rule too, and names the fault of the byte that
 * follows it. So the scanner never looks back, and each refusal says what is wrong.
 *
 * Strict: CR LF alone ends a line, a field line never goes on in the next, nothing stands between a
 * name and its colon. What RFC 9112 lets a recipient repair is refused here, because another reader
 * may repair it differently.
 *
 * Bounds:    a text ends in LF, no rule goes on past a LF, and the end is looked at before each
 *            line: that keeps the cursor inside without a check for every byte.
 * Elsewhere: what versions, methods, hosts and lengths mean (http/h1_head.c, http/framing.c).
 */
#include "http/http1_scan.h"
#include "http/word.h"

/*!re2c
    re2c:yyfill:enable = 0;
    re2c:define:YYCTYPE = "unsigned char";
    re2c:yych:conversion = 1;
    re2c:define:YYCURSOR = at;
    re2c:define:YYMARKER = mark;
    re2c:flags:bit-vectors = 1;

    crlf    = "\r\n";
    digit   = [0-9];
    tchar   = [-!#$%&'*+.^_`|~0-9A-Za-z];   // RFC 9110 5.6.2
    token   = tchar+;
    text    = [\t\x20-\x7e\x80-\xff]+;      // RFC 9110 5.5, with obs-text
    target  = ([\x21-\x7e] \ [#])+;         // RFC 3986, and | " { } ^ ` as browsers send them
    version = "HTTP/" digit "." digit;
*/

static unsigned digit_at(const char *p)
{
    return (unsigned)(*p - '0');
}

static struct str text_between(const char *from, const char *to)
{
    return (struct str){from, (size_t)(to - from)};
}

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Go on over plain text, which the rule `text` would take one byte at a time. */
static const char *skip_text(const char *at, const char *end)
{
    while ((size_t)(end - at) >= WORD_BYTES) {
        uint64_t controls = word_controls(word_load(at));

        if (controls != 0)
            return at + word_first(controls);
        at += WORD_BYTES;
    }
    return at;
}

/* A value without the white space behind it (RFC 9112 5.1). */
static struct str value_between(const char *from, const char *to)
{
    while (from < to && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    return text_between(from, to);
}

static enum http_fault add_field(struct head *h, struct str name, struct str value)
{
    if (head_add(h, name, value, field_find(name)))
        return FAULT_NONE;
    return h->n_fields == HEAD_FIELDS_MAX ? FAULT_TOO_MANY_FIELDS : FAULT_MEMORY;
}

/* The rest of a field line, behind its colon. *next is the line after it. */
static enum http_fault scan_value(const char *at, const char *end, struct str *value,
                                  const char **next)
{
    const char *start = skip_blanks(at);

    at = skip_text(start, end);
    /*!re2c:value
    text? crlf {
        *value = value_between(start, at - 2);
        *next = at;
        return FAULT_NONE;
    }
    text? "\n"  { return FAULT_BARE_LF; }
    text? "\r"  { return FAULT_BARE_CR; }
    text        { return FAULT_FIELD_VALUE; }
    *           { return FAULT_FIELD_VALUE; }
    */
}

/* The field lines and the empty line, which must be the last thing before end. */
static enum http_fault scan_fields(const char *at, const char *end, struct head *h)
{
    while (at < end) {
        const char *start = at;
        enum http_fault fault;
        struct str name;
        struct str value;

        /*!re2c:field
        crlf                { return at == end ? FAULT_NONE : FAULT_FIELD_LINE; }
        token ":"           { goto named; }
        token "\r"? "\n"    { return FAULT_FIELD_LINE; }
        token "\r"?         { return FAULT_FIELD_NAME; }
        [ \t]               { return FAULT_LINE_FOLDING; }
        "\n"                { return FAULT_BARE_LF; }
        "\r"                { return FAULT_BARE_CR; }
        *                   { return FAULT_FIELD_NAME; }
        */
    named:
        name = text_between(start, at - 1);
        if ((fault = scan_value(at, end, &value, &at)) != FAULT_NONE ||
            (fault = add_field(h, name, value)) != FAULT_NONE)
            return fault;
    }
    return FAULT_FIELD_LINE;
}

enum http_fault http1_scan_request(struct str text, struct http1_request_line *line,
                                   struct head *h)
{
    const char *at = text.p;
    const char *end = text.p + text.n;

    *line = (struct http1_request_line){.major = 0};
    if (text.n == 0 || end[-1] != '\n')
        return FAULT_REQUEST_LINE;
    while (at < end) {
        const char *start = at;
        const char *mark;
        const char *method_end;
        const char *target_end;
        /*!stags:re2c:request format = "const char *@@;\n"; */

        /*!re2c:request
        // RFC 9112 2.2: empty lines before a request are passed over.
        crlf { continue; }

        token @method_end " " target @target_end " " version crlf {
            line->method = text_between(start, method_end);
            line->target = text_between(method_end + 1, target_end);
            line->major = digit_at(at - 5);
            line->minor = digit_at(at - 3);
            return scan_fields(at, end, h);
        }
        token " " target " " version "\n"   { return FAULT_BARE_LF; }
        token " " target " " version "\r"   { return FAULT_BARE_CR; }
        token " " target " " version?       { return FAULT_VERSION_SYNTAX; }
        token " " target "\r"? "\n"         { return FAULT_REQUEST_LINE; }
        token " " target? "\r"?             { return FAULT_TARGET; }
        token "\r"? "\n"                    { return FAULT_REQUEST_LINE; }
        token "\r"?                         { return FAULT_METHOD; }
        "\n"                                { return FAULT_BARE_LF; }
        *                                   { return FAULT_METHOD; }
        */
    }
    return FAULT_REQUEST_LINE;
}

enum http_fault http1_scan_response(struct str text, struct http1_status_line *line,
                                    struct head *h)
{
    const char *at = text.p;
    const char *end = text.p + text.n;
    const char *start = at;
    const char *mark;

    *line = (struct http1_status_line){.major = 0};
    if (text.n == 0 || end[-1] != '\n')
        return FAULT_STATUS_LINE;

    /*!re2c:response
    // The phrase is for people and may be missing; many servers leave out its space as well.
    version " " digit{3} (" " text?)? crlf {
        line->major = digit_at(start + 5);
        line->minor = digit_at(start + 7);
        line->status = 100 * digit_at(start + 9) + 10 * digit_at(start + 10) + digit_at(start + 11);
        return scan_fields(at, end, h);
    }
    version " " digit{3} (" " text?)? "\n"   { return FAULT_BARE_LF; }
    version " " digit{3} (" " text?)? "\r"   { return FAULT_BARE_CR; }
    version " " digit{3} (" " text?)?        { return FAULT_STATUS_LINE; }
    *                                       { return FAULT_STATUS_LINE; }
    */
}

/*
 * status - the reason phrases of RFC 9110 and its registry.
 *
 * Nothing depends on a phrase (RFC 9112 4: a client SHOULD ignore it); it is for people who read
 * wire dumps.
 */
#include "http/status.h"

#define PHRASE(text)                                                                               \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct str phrases[] = {
    [100] = PHRASE("Continue"),
    [101] = PHRASE("Switching Protocols"),
    [102] = PHRASE("Processing"),
    [103] = PHRASE("Early Hints"),
    [104] = PHRASE("Upload Resumption Supported"),
    [200] = PHRASE("OK"),
    [201] = PHRASE("Created"),
    [202] = PHRASE("Accepted"),
    [203] = PHRASE("Non-Authoritative Information"),
    [204] = PHRASE("No Content"),
    [205] = PHRASE("Reset Content"),
    [206] = PHRASE("Partial Content"),
    [207] = PHRASE("Multi-Status"),
    [208] = PHRASE("Already Reported"),
    [226] = PHRASE("IM Used"),
    [300] = PHRASE("Multiple Choices"),
    [301] = PHRASE("Moved Permanently"),
    [302] = PHRASE("Found"),
    [303] = PHRASE("See Other"),
    [304] = PHRASE("Not Modified"),
    [305] = PHRASE("Use Proxy"),
    [307] = PHRASE("Temporary Redirect"),
    [308] = PHRASE("Permanent Redirect"),
    [400] = PHRASE("Bad Request"),
    [401] = PHRASE("Unauthorized"),
    [402] = PHRASE("Payment Required"),
    [403] = PHRASE("Forbidden"),
    [404] = PHRASE("Not Found"),
    [405] = PHRASE("Method Not Allowed"),
    [406] = PHRASE("Not Acceptable"),
    [407] = PHRASE("Proxy Authentication Required"),
    [408] = PHRASE("Request Timeout"),
    [409] = PHRASE("Conflict"),
    [410] = PHRASE("Gone"),
    [411] = PHRASE("Length Required"),
    [412] = PHRASE("Precondition Failed"),
    [413] = PHRASE("Content Too Large"),
    [414] = PHRASE("URI Too Long"),
    [415] = PHRASE("Unsupported Media Type"),
    [416] = PHRASE("Range Not Satisfiable"),
    [417] = PHRASE("Expectation Failed"),
    [421] = PHRASE("Misdirected Request"),
    [422] = PHRASE("Unprocessable Content"),
    [423] = PHRASE("Locked"),
    [424] = PHRASE("Failed Dependency"),
    [425] = PHRASE("Too Early"),
    [426] = PHRASE("Upgrade Required"),
    [428] = PHRASE("Precondition Required"),
    [429] = PHRASE("Too Many Requests"),
    [431] = PHRASE("Request Header Fields Too Large"),
    [451] = PHRASE("Unavailable For Legal Reasons"),
    [500] = PHRASE("Internal Server Error"),
    [501] = PHRASE("Not Implemented"),
    [502] = PHRASE("Bad Gateway"),
    [503] = PHRASE("Service Unavailable"),
    [504] = PHRASE("Gateway Timeout"),
    [505] = PHRASE("HTTP Version Not Supported"),
    [506] = PHRASE("Variant Also Negotiates"),
    [507] = PHRASE("Insufficient Storage"),
    [508] = PHRASE("Loop Detected"),
    [510] = PHRASE("Not Extended"),
    [511] = PHRASE("Network Authentication Required"),
};

struct str status_phrase(unsigned status)
{
    if (status >= sizeof(phrases) / sizeof(phrases[0]) || phrases[status].n == 0)
        return STR("Unknown");
    return phrases[status];
}

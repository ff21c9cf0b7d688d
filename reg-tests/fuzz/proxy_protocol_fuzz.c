/*
 * proxy_protocol_fuzz - any bytes as a PROXY header.
 *
 * What is read from all of the bytes is read from any part that holds the header; any smaller part
 * wants more; what is bad of a part stays bad. A header that is read is written in both versions and
 * read again as the same.
 */
#include "base/panic.h"
#include "io/proxy_protocol.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum proxy_result result;
    struct proxy_header header;
    size_t used;
};

/* Read exactly n bytes: the copy ends where they do, so that a read beyond them is seen. */
static struct outcome outcome_of(const uint8_t *data, size_t n)
{
    struct outcome o = {.used = 0};
    const char *why = NULL;
    char *copy = malloc(n == 0 ? 1 : n);

    if (n > 0)
        memcpy(copy, data, n);
    o.result = proxy_header_read(copy, n, &o.header, &o.used, &why);
    assert(o.result != PROXY_BAD || why != NULL);
    assert(o.result != PROXY_OK || (o.used > 0 && o.used <= n && o.used <= PROXY_HEADER_MAX));
    assert(o.result != PROXY_MORE || n < PROXY_HEADER_MAX);
    free(copy);
    return o;
}

static void check_endpoints(const struct endpoint *a, const struct endpoint *b)
{
    assert(a->is_ip == b->is_ip && a->port == b->port && memcmp(&a->ip, &b->ip, sizeof(a->ip)) == 0);
}

static void check_part(const uint8_t *data, size_t n, const struct outcome *whole)
{
    struct outcome part = outcome_of(data, n);

    if (whole->result == PROXY_OK)
        assert(part.result == (n < whole->used ? PROXY_MORE : PROXY_OK));
    if (whole->result == PROXY_MORE)
        assert(part.result == PROXY_MORE);
    if (part.result == PROXY_BAD)
        assert(whole->result == PROXY_BAD);
    if (part.result != PROXY_OK)
        return;
    assert(part.used == whole->used && part.header.has_addresses == whole->header.has_addresses);
    check_endpoints(&part.header.source, &whole->header.source);
    check_endpoints(&part.header.target, &whole->header.target);
}

static void check_written(const struct proxy_header *h, enum proxy_version version)
{
    char out[PROXY_WRITE_MAX];
    size_t n = proxy_header_write(out, version, h);
    struct outcome o;

    assert(n <= sizeof(out));
    o = outcome_of((const uint8_t *)out, n);
    assert(o.result == PROXY_OK && o.used == n);
    assert(o.header.has_addresses == (h->has_addresses && h->source.is_ip));
    if (!o.header.has_addresses)
        return;
    check_endpoints(&o.header.source, &h->source);
    check_endpoints(&o.header.target, &h->target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = outcome_of(data, size);
    size_t step = size < 512 ? 1 : size / 61;

    for (size_t n = 0; n < size; n += step)
        check_part(data, n, &whole);
    if (whole.result == PROXY_OK) {
        check_part(data, whole.used - 1, &whole);
        check_part(data, whole.used, &whole);
        check_written(&whole.header, PROXY_V1);
        check_written(&whole.header, PROXY_V2);
    }
    return 0;
}

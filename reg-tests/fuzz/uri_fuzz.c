/*
 * uri_fuzz - any bytes as a target, an authority and a query.
 *
 * A path that is taken has no dot segment, no empty segment, no control and no backslash.
 * An authority that is taken is taken again in lower case, and means the same.
 */
#include "base/panic.h"
#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(struct str path)
{
    assert(path.n > 0 && path.p[0] == '/');
    assert(!str_contains(path, STR("//")) && !str_contains(path, STR("/./")));
    assert(!str_contains(path, STR("/../")) && !str_ends_with(path, STR("/..")));
    assert(!str_ends_with(path, STR("/.")) && !str_contains(path, STR("\\")));
}

static void check_authority(struct str text, struct arena *a)
{
    struct str host;
    struct str again;
    unsigned port;
    unsigned port_again;

    if (uri_authority(text, a, &host, &port) != FAULT_NONE)
        return;
    assert(host.n <= text.n && port <= 65535);
    assert(text.n == 0 || host.n > 0);
    for (size_t i = 0; i < host.n; i++)
        assert(str_lower_char(host.p[i]) == host.p[i] && host.p[i] > ' ' && host.p[i] < 127);
    if (port != 0)
        host.n = text.n;
    assert(uri_authority(host, a, &again, &port_again) == FAULT_NONE);
    assert(port == port_again && str_starts_with(host, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(4096, 0);
    struct str text = {(const char *)data, size};
    struct str path;
    struct str value;

    if (uri_path(text, a, &path)) {
        check_path(path);
        assert(path.n <= text.n);
    }
    check_authority(text, a);
    (void)uri_query_argument(uri_query(text), STR("a"), a, &value);
    (void)uri_query_argument(text, STR("a b"), a, &value);
    arena_free(a);
    return 0;
}

/*
 * pack - numbers and texts as a run of bytes, and back.
 */
#include "base/pack.h"

#include "base/pool.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACK_FIRST_BYTES 4096

void pack_init(struct pack *p)
{
    *p = (struct pack){.bytes = NULL};
}

void pack_reset(struct pack *p)
{
    memory_put(p->bytes);
    pack_init(p);
}

static void pack_bytes(struct pack *p, const void *bytes, size_t n)
{
    size_t room = p->room == 0 ? PACK_FIRST_BYTES : p->room;
    char *larger;

    if (p->has_failed || n == 0)
        return;
    while (room - p->n < n)
        room *= 2;
    if (room != p->room) {
        larger = memory_resize(p->bytes, room);
        if (larger == NULL) {
            p->has_failed = true;
            return;
        }
        p->bytes = larger;
        p->room = room;
    }
    memcpy(p->bytes + p->n, bytes, n);
    p->n += n;
}

void pack_u64(struct pack *p, uint64_t number)
{
    pack_bytes(p, &number, sizeof(number));
}

void pack_str(struct pack *p, struct str text)
{
    pack_u64(p, text.n);
    pack_bytes(p, text.p, text.n);
    pack_bytes(p, "", 1);
}

bool pack_write(const struct pack *p, int fd)
{
    for (size_t at = 0; at < p->n;) {
        ssize_t wrote = write(fd, p->bytes + at, p->n - at);

        if (wrote < 0 && errno != EINTR)
            return false;
        at += wrote < 0 ? 0 : (size_t)wrote;
    }
    return true;
}

bool pack_read(struct pack *p, int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return false;
    p->room = (size_t)st.st_size + 1;
    p->bytes = memory_get(p->room);
    if (p->bytes == NULL)
        return false;
    while (p->n < (size_t)st.st_size) {
        ssize_t got = pread(fd, p->bytes + p->n, (size_t)st.st_size - p->n, (off_t)p->n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got == 0 ? EIO : errno;
            pack_reset(p);
            return false;
        }
        p->n += (size_t)got;
    }
    return true;
}

void unpack_init(struct unpack *u, struct str bytes)
{
    *u = (struct unpack){.rest = bytes};
}

uint64_t unpack_u64(struct unpack *u)
{
    uint64_t number = 0;

    if (u->has_failed || u->rest.n < sizeof(number)) {
        u->has_failed = true;
        return 0;
    }
    memcpy(&number, u->rest.p, sizeof(number));
    u->rest = str_slice(u->rest, sizeof(number), u->rest.n);
    return number;
}

struct str unpack_str(struct unpack *u)
{
    uint64_t n = unpack_u64(u);
    struct str text;

    if (u->has_failed || u->rest.n <= n) {
        u->has_failed = true;
        return STR("");
    }
    text = str_slice(u->rest, 0, (size_t)n);
    u->rest = str_slice(u->rest, (size_t)n + 1, u->rest.n);
    return text;
}

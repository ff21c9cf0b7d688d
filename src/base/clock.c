/*
 * clock - what time it is.
 */
#include "base/clock.h"

#include <time.h>

static struct {
    uint64_t second;
    char http[CLOCK_HTTP_LEN + 1];
    char local[CLOCK_LOCAL_LEN + 1];
    char iso8601[CLOCK_ISO8601_LEN + 1];
} texts = {.second = UINT64_MAX};

static uint64_t clock_ms(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

/* The program never calls setlocale(3), so the names are the C locale's: what HTTP wants. */
static void texts_format(uint64_t second)
{
    time_t t = (time_t)second;
    struct tm utc;
    struct tm local;
    char *zone;

    gmtime_r(&t, &utc);
    localtime_r(&t, &local);
    strftime(texts.http, sizeof(texts.http), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    strftime(texts.local, sizeof(texts.local), "%d/%b/%Y:%H:%M:%S %z", &local);
    strftime(texts.iso8601, sizeof(texts.iso8601), "%Y-%m-%dT%H:%M:%S%z", &local);
    zone = texts.iso8601 + CLOCK_ISO8601_LEN - 3; /* +0000 becomes +00:00 */
    memmove(zone + 1, zone, 2);
    *zone = ':';
    texts.second = second;
}

struct str clock_http_text(uint64_t wall_ms)
{
    if (wall_ms / 1000 != texts.second)
        texts_format(wall_ms / 1000);
    return (struct str){texts.http, CLOCK_HTTP_LEN};
}

struct str clock_local_text(uint64_t wall_ms)
{
    if (wall_ms / 1000 != texts.second)
        texts_format(wall_ms / 1000);
    return (struct str){texts.local, CLOCK_LOCAL_LEN};
}

struct str clock_iso8601_text(uint64_t wall_ms)
{
    if (wall_ms / 1000 != texts.second)
        texts_format(wall_ms / 1000);
    return (struct str){texts.iso8601, CLOCK_ISO8601_LEN};
}

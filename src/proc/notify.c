/*
 * notify - telling the service manager how we are.
 *
 * A datagram of lines NAME=VALUE to the socket that $NOTIFY_SOCKET names; without the variable
 * nobody wants to hear. What cannot be sent is lost: there is nothing to be done about it.
 */
#include "proc/notify.h"

#include "base/str.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void notify(const char *lines)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = path == NULL ? 0 : strlen(path);
    int fd;

    if (n < 2 || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(to.sun_path, path, n);
    if (path[0] == '@') /* an abstract address (unix(7)) */
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    if (sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (struct sockaddr *)&to,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0) {
        /* see above */
    }
    close(fd);
}

void notify_ready(const char *status)
{
    char lines[256];

    snprintf(lines, sizeof(lines), "READY=1\nMAINPID=%d\nSTATUS=%s", getpid(), status);
    notify(lines);
}

void notify_reloading(void)
{
    char lines[128];
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=Reloading",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    notify(lines);
}

void notify_stopping(void)
{
    notify("STOPPING=1\nSTATUS=Shutting down");
}

void notify_alive(void)
{
    notify("WATCHDOG=1");
}

uint32_t notify_alive_every_ms(void)
{
    const char *every = getenv("WATCHDOG_USEC");
    const char *whose = getenv("WATCHDOG_PID");
    uint64_t us = 0;
    uint64_t pid = 0;

    if (every == NULL || !str_to_u64(str_of(every), (uint64_t)UINT32_MAX * 1000, &us))
        return 0;
    if (whose != NULL && (!str_to_u64(str_of(whose), INT32_MAX, &pid) || pid != (uint64_t)getpid()))
        return 0;
    return us > 0 && us < 2000 ? 1 : (uint32_t)(us / 2000);
}

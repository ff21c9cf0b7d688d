/*
 * notify - telling the service manager how we are (sd_notify(3), without its library).
 */
#ifndef HOLDFAST_PROC_NOTIFY_H
#define HOLDFAST_PROC_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* We serve; `status` is a line for people. */
void notify_ready(const char *status);

/* A reload has begun; notify_ready ends it, whatever came of it. */
void notify_reloading(void);

/* We are about to end. */
void notify_stopping(void);

/* We live (WATCHDOG=1). */
void notify_alive(void);

/* How often the service manager wants to hear so: milliseconds, half of its limit; 0: never. */
uint32_t notify_alive_every_ms(void);

#endif

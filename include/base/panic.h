/*
 * panic - the end of a process that found itself to be wrong.
 *
 * assert() is ours and is on in every build: a proxy that goes on with a broken invariant can hand
 * one client's bytes to another. A failed assertion prints the expression, one line about the
 * object in hand (where the caller gave one) and a backtrace to the panic sink, then aborts.
 *
 * Limits: nothing here allocates or takes a lock, so a panic may be raised anywhere.
 */
#ifndef HOLDFAST_BASE_PANIC_H
#define HOLDFAST_BASE_PANIC_H

#include <stddef.h>

#undef assert

/* Panic unless e holds. Always compiled in. */
#define assert(e) ((e) ? (void)0 : panic_at(#e, __FILE__, __LINE__, __func__, NULL))

/* As assert, and prints `line`, one line that describes the object, with the report. */
#define assert_about(e, line)                                                                      \
    ((e) ? (void)0 : panic_at(#e, __FILE__, __LINE__, __func__, (line)))

/* Panic: this place cannot be reached. */
#define unreachable(why) panic_at(why, __FILE__, __LINE__, __func__, NULL)

/*
 * Print the report and abort(3). Does not return. `about` may be NULL.
 */
_Noreturn void panic_at(const char *expression, const char *file, int line, const char *function,
                        const char *about);

/*
 * Load now what a backtrace needs (it comes from a shared object that is opened at its first use):
 * afterwards a panic opens nothing.
 */
void panic_prepare(void);

/*
 * Report fatal signals (SEGV, BUS, ILL, FPE, ABRT from outside) like a failed assertion, with a
 * backtrace, before they end the process as they would have; a stack that is full too, if it is that
 * of the thread that calls this. Where a sanitizer has its own reports, those of the first four are
 * left to it.
 */
void panic_catch_signals(void);

/*
 * Send the report to this descriptor as well as to standard error; -1 (the start value) for
 * standard error alone. The descriptor stays the caller's.
 */
void panic_set_fd(int fd);

#endif

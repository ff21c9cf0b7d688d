/*
 * panic - the end of a process that found itself to be wrong.
 *
 * Writes with write(2) and backtrace_symbols_fd(3) alone: the heap may be what is broken.
 */
#include "base/panic.h"

#include <execinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Deep enough for any call chain of ours; the array lives on the stack. */
#define PANIC_FRAMES_MAX 64

static int panic_fd = -1;

void panic_set_fd(int fd)
{
    panic_fd = fd;
}

void panic_prepare(void)
{
    void *frame;

    backtrace(&frame, 1);
}

static void panic_put(const char *text)
{
    size_t n = strlen(text);

    /* A report that cannot be written is lost: there is nobody left to tell. */
    if (write(STDERR_FILENO, text, n) < 0) {
    }
    if (panic_fd >= 0 && write(panic_fd, text, n) < 0) {
    }
}

static void panic_put_number(int number)
{
    char digits[16];
    size_t at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 && at > 0);
    panic_put(digits + at);
}

void panic_at(const char *expression, const char *file, int line, const char *function,
              const char *about)
{
    void *frames[PANIC_FRAMES_MAX];
    int n_frames;

    panic_put("holdfast: panic: ");
    panic_put(expression);
    panic_put("\n  in ");
    panic_put(function);
    panic_put(" at ");
    panic_put(file);
    panic_put(":");
    panic_put_number(line);
    panic_put("\n");
    if (about != NULL) {
        panic_put("  about ");
        panic_put(about);
        panic_put("\n");
    }

    n_frames = backtrace(frames, PANIC_FRAMES_MAX);
    backtrace_symbols_fd(frames, n_frames, STDERR_FILENO);
    if (panic_fd >= 0)
        backtrace_symbols_fd(frames, n_frames, panic_fd);
    abort();
}

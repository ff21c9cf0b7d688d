/*
 * panic - the end of a process that found itself to be wrong.
 *
 * Writes with write(2) and backtrace_symbols_fd(3) alone: the heap may be what is broken.
 */
#include "base/panic.h"

#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Deep enough for any call chain of ours; the array lives on the stack. */
#define PANIC_FRAMES_MAX 64

/* For the report of a stack that is full: backtrace(3) and its unwinder take a part of this. */
#define PANIC_STACK_BYTES (128 * 1024)

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

static void panic_put_backtrace(void)
{
    void *frames[PANIC_FRAMES_MAX];
    int n_frames = backtrace(frames, PANIC_FRAMES_MAX);

    backtrace_symbols_fd(frames, n_frames, STDERR_FILENO);
    if (panic_fd >= 0)
        backtrace_symbols_fd(frames, n_frames, panic_fd);
}

/* The default action again, so that abort(3) and a second fault end the process. */
static void on_fatal_signal(int number)
{
    signal(number, SIG_DFL);
    panic_put("holdfast: panic: signal ");
    panic_put_number(number);
    panic_put("\n");
    panic_put_backtrace();
    raise(number);
}

#ifndef __SANITIZE_ADDRESS__
/* A signal that comes for want of stack has none of its own: it gets another. */
static void catch_faults(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    static char memory[PANIC_STACK_BYTES];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};
    const struct sigaction action = {.sa_handler = on_fatal_signal, .sa_flags = SA_ONSTACK};

    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
}
#endif

void panic_catch_signals(void)
{
#ifndef __SANITIZE_ADDRESS__
    catch_faults();
#endif
    signal(SIGABRT, on_fatal_signal);
}

void panic_at(const char *expression, const char *file, int line, const char *function,
              const char *about)
{
    signal(SIGABRT, SIG_DFL); /* the report is made here */
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
    panic_put_backtrace();
    abort();
}

/*
 * base_panic - the report of a process that is at its end.
 */
#include "base/panic.h"

#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __SANITIZE_ADDRESS__ /* it has reports of its own */

static volatile char sink;

/* Deeper than any stack is; the depth keeps the compiler from seeing that there is no end. */
static int fill_the_stack(unsigned depth)
{
    volatile char frame[4096];

    frame[depth % sizeof(frame)] = (char)depth;
    sink = frame[0];
    return depth == 0 ? 0 : fill_the_stack(depth - 1) + frame[depth % sizeof(frame)];
}

static _Noreturn void overflow(int report)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    panic_set_fd(report);
    panic_prepare();
    panic_catch_signals();
    _exit(fill_the_stack(~0u));
}

static void a_stack_that_is_full_is_reported(void)
{
    char text[16384];
    int report = memfd_create("report", MFD_CLOEXEC);
    pid_t child = fork();
    int status = 0;
    ssize_t got;

    if (child == 0)
        overflow(report);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    got = pread(report, text, sizeof(text) - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "holdfast: panic: signal 11\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "unit(")); /* frames of ours */
    close(report);
}

UNIT_SUITE(base_panic)
{
    UNIT_TEST(a_stack_that_is_full_is_reported);
}

#endif

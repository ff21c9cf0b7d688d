/*
 * no_exec_memory - run a program in a process that may not make memory executable, as under systemd's
 * MemoryDenyWriteExecute: no_exec_memory COMMAND [ARG...]. Exit status 77 where the kernel has no such rule
 * (PR_SET_MDWE, Linux 6.3).
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SET_MDWE         65
#define REFUSE_EXEC_GAIN 1UL

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: no_exec_memory COMMAND [ARG...]\n", stderr);
        return 2;
    }
    if (prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0UL, 0UL, 0UL) != 0)
        return 77;
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 1;
}

/*
 * unit - runs every suite, or the one named by the first argument. Closes with "N passed, N failed",
 * counted by test.
 */
#include "unit.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#define SUITES_MAX 64

static struct {
    const char *name;
    unit_suite_fn fill;
} suites[SUITES_MAX];
static unsigned n_suites;

void unit_register(const char *name, unit_suite_fn fill)
{
    if (n_suites < SUITES_MAX) {
        suites[n_suites].name = name;
        suites[n_suites].fill = fill;
        n_suites++;
    }
}

int main(int argc, char **argv)
{
    unsigned n_run;
    unsigned n_failed;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    for (unsigned i = 0; i < n_suites; i++) {
        if (argc > 1 && strcmp(argv[1], suites[i].name) != 0)
            continue;
        suites[i].fill(CU_add_suite(suites[i].name, NULL, NULL));
    }
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    n_run = CU_get_number_of_tests_run();
    n_failed = CU_get_number_of_tests_failed();
    CU_cleanup_registry();
    printf("%u passed, %u failed\n", n_run - n_failed, n_failed);
    return n_failed > 0 || n_run == 0;
}

/*
 * unit - how a file of tests joins the one unit-test program.
 *
 *     static void body_takes_what_fits(void) { ... CU_ASSERT_EQUAL(...); ... }
 *
 *     UNIT_SUITE(body)
 *     {
 *         UNIT_TEST(body_takes_what_fits);
 *     }
 */
#ifndef HOLDFAST_UNIT_H
#define HOLDFAST_UNIT_H

#include <CUnit/CUnit.h>

typedef void (*unit_suite_fn)(CU_pSuite suite);

/* Called before main by UNIT_SUITE. */
void unit_register(const char *name, unit_suite_fn fill);

#define UNIT_SUITE(name)                                                                           \
    static void unit_fill_##name(CU_pSuite suite);                                                 \
    __attribute__((constructor)) static void unit_join_##name(void)                                \
    {                                                                                              \
        unit_register(#name, unit_fill_##name);                                                    \
    }                                                                                              \
    static void unit_fill_##name(CU_pSuite suite)

#define UNIT_TEST(function) CU_add_test(suite, #function, function)

#endif

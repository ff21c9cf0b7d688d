/*
 * proxy_row - what workers count, and the requests that they hold.
 */
#include "proxy/row.h"

#include "unit.h"

static void rows_are_added_up(void)
{
    struct rows *rows = rows_new(3);

    CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
    row_add(&rows->row[0].n_fronts, 5);
    row_add(&rows->row[2].n_fronts, 2);
    row_add(&rows->row[2].n_fronts, (uint64_t)-1);
    CU_ASSERT_EQUAL(rows_fronts(rows), 6);
    row_clear(&rows->row[0]);
    CU_ASSERT_EQUAL(rows_fronts(rows), 1);
    rows_free(rows);
}

/* What is there now goes with the dead; what was counted in all stays true. */
static void totals_outlive_a_worker(void)
{
    struct rows *rows = rows_new(1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
    row_add(&rows->row[0].n_requests, 7);
    row_add(&rows->row[0].n_in_state[TXN_QUEUE], 1);
    row_clear(&rows->row[0]);
    CU_ASSERT_EQUAL(row_get(&rows->row[0].n_requests), 7);
    CU_ASSERT_EQUAL(row_get(&rows->row[0].n_in_state[TXN_QUEUE]), 0);
    rows_free(rows);
}

static void held_requests_are_described(void)
{
    struct rows *rows = rows_new(1);
    struct row_held *held[ROW_HELD_MAX];
    struct row_held copy;
    char name[ROW_ROUTE_MAX + 10];

    CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
    CU_ASSERT(!row_read_held(&rows->row[0].held[0], &copy));
    memset(name, 'n', sizeof(name));
    for (unsigned i = 0; i < ROW_HELD_MAX; i++)
        held[i] = row_hold(&rows->row[0], (struct str){name, i == 0 ? sizeof(name) : 3}, i);
    CU_ASSERT_PTR_NULL(row_hold(&rows->row[0], STR("one/more"), 1));
    CU_ASSERT(row_read_held(held[0], &copy));
    CU_ASSERT_EQUAL(copy.route_n, ROW_ROUTE_MAX);
    CU_ASSERT(row_read_held(held[5], &copy));
    CU_ASSERT_EQUAL(copy.since_ms, 5);
    CU_ASSERT_EQUAL(copy.route_n, 3);
    row_release(held[5]);
    CU_ASSERT(!row_read_held(held[5], &copy));
    CU_ASSERT_PTR_EQUAL(row_hold(&rows->row[0], STR("one/more"), 1), held[5]);
    atomic_fetch_add(&held[5]->version, 1); /* its writer is in the middle, or has died there */
    CU_ASSERT(!row_read_held(held[5], &copy));
    row_clear(&rows->row[0]);
    CU_ASSERT(!row_read_held(held[5], &copy));
    CU_ASSERT_PTR_NOT_NULL(row_hold(&rows->row[0], STR("a/b"), 1));
    CU_ASSERT(row_read_held(held[0], &copy));
    rows_free(rows);
}

UNIT_SUITE(proxy_row)
{
    UNIT_TEST(rows_are_added_up);
    UNIT_TEST(totals_outlive_a_worker);
    UNIT_TEST(held_requests_are_described);
}

/*
 * io_ledger - promises of several processes in one ledger, played by several stores of one process.
 */
#include "io/ledger.h"

#include "io/spool.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

static char dir[64];

static struct spool_setup setup_of(uint64_t quota_bytes)
{
    return (struct spool_setup){.path = str_of(dir), .has_quota = true, .quota_bytes = quota_bytes};
}

static void the_quota_is_that_of_all(void)
{
    struct spool_setup setup;
    struct spool_store *first;
    struct spool_store *second;
    struct spool a;
    struct spool b;
    int dir_fd;
    int ledger_fd;

    strcpy(dir, "/tmp/holdfast-unit-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    setup = setup_of(10 * MIB);
    dir_fd = spool_directory_open(&setup);
    ledger_fd = ledger_make(2, spool_directory_quota(dir_fd));
    CU_ASSERT_FATAL(dir_fd >= 0 && ledger_fd >= 0);
    first = spool_store_adopt(&setup, dir_fd, ledger_fd, 0);
    second = spool_store_adopt(&setup, dir_fd, ledger_fd, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_PTR_NULL(spool_store_adopt(&setup, dir_fd, ledger_fd, 2));
    spool_init(&a, first);
    spool_init(&b, second);
    CU_ASSERT(spool_admit(&a, 6 * MIB));
    CU_ASSERT(!spool_admit(&b, 5 * MIB));
    CU_ASSERT_EQUAL(errno, EDQUOT);
    CU_ASSERT_EQUAL(spool_store_figures(second).promised_bytes, 6 * MIB);
    CU_ASSERT(spool_admit(&b, 4 * MIB));
    CU_ASSERT(spool_append(&b, "hello", 5));
    CU_ASSERT_EQUAL(spool_store_figures(first).written_bytes, 5);
    CU_ASSERT_EQUAL(spool_store_figures(first).n_files, 1);
    spool_reset(&a);
    CU_ASSERT_EQUAL(spool_store_figures(second).promised_bytes, 4 * MIB);
    spool_reset(&b);
    CU_ASSERT_EQUAL(spool_store_figures(first).promised_bytes, 0);
    CU_ASSERT_EQUAL(spool_store_figures(first).n_files, 0);
    spool_store_unref(first);
    spool_store_unref(second);
    close(dir_fd);
    close(ledger_fd);
    rmdir(dir);
}

static void the_row_of_the_dead_is_cleared(void)
{
    int fd = ledger_make(3, 7);
    struct ledger *ours = ledger_map(fd);
    struct ledger *theirs = ledger_map(fd);

    CU_ASSERT_PTR_NOT_NULL_FATAL(ours);
    CU_ASSERT_PTR_NOT_NULL_FATAL(theirs);
    close(fd);
    CU_ASSERT_EQUAL(theirs->default_quota_bytes, 7);
    ledger_add(&theirs->rows[1].promised_bytes, 100);
    ledger_add(&theirs->rows[1].n_files, 2);
    ledger_add(&theirs->rows[2].promised_bytes, 5);
    CU_ASSERT_EQUAL(ledger_sum(ours).promised_bytes, 105);
    ledger_clear(ours, 1);
    CU_ASSERT_EQUAL(ledger_sum(theirs).promised_bytes, 5);
    CU_ASSERT_EQUAL(ledger_sum(theirs).n_files, 0);
    ledger_unmap(ours);
    ledger_unmap(theirs);
}

/* Whoever has the descriptor can write into the rows, and that is all. */
static void nobody_takes_the_ground_away(void)
{
    int fd = ledger_make(2, 7);
    struct ledger *l = ledger_map(fd);

    CU_ASSERT_PTR_NOT_NULL_FATAL(l);
    CU_ASSERT_NOT_EQUAL(ftruncate(fd, 0), 0);
    CU_ASSERT_NOT_EQUAL(ftruncate(fd, 1 << 20), 0);
    memset(l->page, 0xff, l->page_bytes);
    CU_ASSERT_EQUAL(l->n_rows, 2);
    CU_ASSERT_EQUAL(l->default_quota_bytes, 7);
    CU_ASSERT_EQUAL(ledger_sum(l).promised_bytes, UINT64_MAX);
    ledger_unmap(l);
    close(fd);
}

static void one_without_promises_or_files_is_empty(void)
{
    struct ledger *l = ledger_new(1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(l);
    CU_ASSERT(ledger_is_empty(l));
    ledger_add(&l->rows[0].promised_bytes, 1);
    CU_ASSERT_FALSE(ledger_is_empty(l));
    ledger_add(&l->rows[0].promised_bytes, (uint64_t)-1);
    ledger_add(&l->rows[0].n_files, 1);
    CU_ASSERT_FALSE(ledger_is_empty(l));
    ledger_clear(l, 0);
    CU_ASSERT(ledger_is_empty(l));
    ledger_unmap(l);
}

static void a_sum_does_not_wrap(void)
{
    struct ledger *l;
    int fd = ledger_make(2, 0);

    l = ledger_map(fd);
    close(fd);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l);
    ledger_add(&l->rows[0].promised_bytes, UINT64_MAX - 1);
    ledger_add(&l->rows[1].promised_bytes, 10);
    CU_ASSERT_EQUAL(ledger_sum(l).promised_bytes, UINT64_MAX);
    ledger_unmap(l);
}

UNIT_SUITE(io_ledger)
{
    UNIT_TEST(the_quota_is_that_of_all);
    UNIT_TEST(the_row_of_the_dead_is_cleared);
    UNIT_TEST(nobody_takes_the_ground_away);
    UNIT_TEST(one_without_promises_or_files_is_empty);
    UNIT_TEST(a_sum_does_not_wrap);
}

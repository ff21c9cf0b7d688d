/*
 * row - what a worker counts, where every process of its group can read it.
 */
#include "proxy/row.h"

#include "base/pool.h"

#include <sys/mman.h>

struct rows *rows_new(unsigned n)
{
    struct rows *rows = memory_get(sizeof(*rows));
    void *shared;

    if (rows == NULL)
        return NULL;
    shared = mmap(NULL, n * sizeof(struct row), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                  -1, 0);
    if (shared == MAP_FAILED) {
        memory_put(rows);
        return NULL;
    }
    *rows = (struct rows){n, shared};
    return rows;
}

void rows_free(struct rows *rows)
{
    if (rows == NULL)
        return;
    munmap(rows->row, rows->n * sizeof(struct row));
    memory_put(rows);
}

void row_clear(struct row *row)
{
    atomic_store(&row->n_fronts, 0);
    atomic_store(&row->n_generations, 0);
    for (unsigned i = 0; i < TXN_STATE_N; i++)
        atomic_store(&row->n_in_state[i], 0);
    for (unsigned i = 0; i < ROW_HELD_MAX; i++)
        row_release(&row->held[i]);
}

uint64_t rows_fronts(const struct rows *rows)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < rows->n; i++)
        sum += atomic_load(&rows->row[i].n_fronts);
    return sum;
}

uint64_t rows_generations(const struct rows *rows)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < rows->n; i++)
        sum += atomic_load(&rows->row[i].n_generations);
    return sum;
}

static void held_write(struct row_held *held, struct str route, uint64_t since_ms)
{
    uint32_t version = atomic_load(&held->version) | 1; /* its last writer may have died in it */

    atomic_store(&held->version, version);
    atomic_thread_fence(memory_order_seq_cst);
    held->route_n = (uint32_t)(route.n < ROW_ROUTE_MAX ? route.n : ROW_ROUTE_MAX);
    held->since_ms = since_ms;
    if (held->route_n > 0)
        memcpy(held->route, route.p, held->route_n);
    atomic_thread_fence(memory_order_seq_cst);
    atomic_store(&held->version, version + 1);
}

struct row_held *row_hold(struct row *row, struct str route, uint64_t since_ms)
{
    for (unsigned i = 0; i < ROW_HELD_MAX; i++)
        if (row->held[i].route_n == 0) {
            held_write(&row->held[i], route, since_ms);
            return &row->held[i];
        }
    return NULL;
}

void row_release(struct row_held *held)
{
    if (held != NULL)
        held_write(held, STR(""), 0);
}

bool row_read_held(const struct row_held *held, struct row_held *out)
{
    uint32_t before = atomic_load(&held->version);

    if (before & 1)
        return false;
    atomic_thread_fence(memory_order_seq_cst);
    out->route_n = held->route_n;
    out->since_ms = held->since_ms;
    memcpy(out->route, held->route, sizeof(out->route));
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load(&held->version) == before && out->route_n > 0 &&
           out->route_n <= ROW_ROUTE_MAX;
}

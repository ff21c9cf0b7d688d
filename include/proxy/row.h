/*
 * row - what a worker counts, where every process of its group can read it.
 *
 * All rows lie in one piece of shared memory, made by the master before it forks. A row has one
 * writer, its worker; everybody adds up all of them. So limits that are the whole group's
 * (max-connections) need no lock: one's own row is raised first, and lowered again where the sum is
 * too much. The master zeroes the row of a worker that has died.
 *
 * In a process of one there is one row, in memory of its own.
 */
#ifndef HOLDFAST_PROXY_ROW_H
#define HOLDFAST_PROXY_ROW_H

#include "base/str.h"
#include "proxy/txn_state.h"

#include <stdalign.h>
#include <stdatomic.h>

/* Held requests that a row describes one by one; the rest are counted alone. */
#define ROW_HELD_MAX 64
/* Of the name of a route; longer ones are cut. */
#define ROW_ROUTE_MAX 96

/*
 * A request that waits for a server. `version` is odd while the entry is written: a reader that
 * finds it odd, or changed behind the copy it made, has read nothing.
 */
struct row_held {
    _Atomic uint32_t version;
    uint32_t route_n;  /* 0: the entry is free */
    uint64_t since_ms; /* CLOCK_MONOTONIC */
    char route[ROW_ROUTE_MAX];
};

struct row {
    alignas(64) _Atomic uint64_t n_accepted; /* connections */
    _Atomic uint64_t n_handled;              /* of them: there was memory for them */
    _Atomic uint64_t n_requests;
    _Atomic uint64_t n_fronts;      /* client connections now, lingering ones too */
    _Atomic uint64_t n_generations; /* the current one, and those that old requests have */
    _Atomic uint64_t n_in_state[TXN_STATE_N];
    struct row_held held[ROW_HELD_MAX];
};

/* Only the rows themselves are shared: their number and place are each process's own. */
struct rows {
    unsigned n;
    struct row *row;
};

/* Zeroed rows, shared with the processes that are forked later; NULL with errno. */
struct rows *rows_new(unsigned n);
void rows_free(struct rows *rows);

/* The worker of this row has died: what it counted as being there now is gone. */
void row_clear(struct row *row);

/* Client connections, and generations, of all workers. */
uint64_t rows_fronts(const struct rows *rows);
uint64_t rows_generations(const struct rows *rows);

/* Add to a number of one's own row, or take away (what is negative). */
static inline void row_add(_Atomic uint64_t *number, uint64_t more)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

static inline uint64_t row_get(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

/*
 * Describe a held request in one's own row. Returns its entry, for row_release, or NULL: the row is
 * full.
 */
struct row_held *row_hold(struct row *row, struct str route, uint64_t since_ms);
void row_release(struct row_held *held);

/* Copy an entry of any row. False: it is free, or is being written. `out->version` means nothing.
 */
bool row_read_held(const struct row_held *held, struct row_held *out);

#endif

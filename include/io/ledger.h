/*
 * ledger - what each process has promised and written of one spool directory.
 *
 * A ledger lies in memory that all processes of a group map: one row each, which that process alone
 * writes, and everybody reads. There are no locks: whoever wants room enters it in its own row,
 * adds up all rows, and takes it back if the sum is too much. Two that do so at the same moment may
 * both be refused what one could have had, and the quota is never passed. The row of a process that
 * has died is zeroed by the master (its files went with it).
 *
 * In a process of one the ledger is memory of its own with one row.
 */
#ifndef HOLDFAST_IO_LEDGER_H
#define HOLDFAST_IO_LEDGER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A cache line: no two processes write to the same one. */
#define LEDGER_ALIGN 64

struct ledger_row {
    alignas(LEDGER_ALIGN) _Atomic uint64_t promised_bytes;
    _Atomic uint64_t written_bytes;
    _Atomic uint64_t n_files;
};

/*
 * What a process knows of a ledger. Only the rows lie in shared memory: how many there are, and
 * where, is nothing that another process could change.
 */
struct ledger {
    uint64_t default_quota_bytes; /* half of what was free when the directory was opened */
    uint64_t n_rows;
    struct ledger_row *rows;
    void *page; /* the mapping */
    size_t page_bytes;
};

/*
 * A ledger to be shared: a descriptor of memory (memfd_create(2)) for n_rows, sealed in its size so
 * that nobody who has it can take the ground from under the others; -1 with errno.
 */
int ledger_make(unsigned n_rows, uint64_t default_quota_bytes);

/* Map the ledger behind fd, which may be closed afterwards; NULL with errno. */
struct ledger *ledger_map(int fd);

/* A ledger of our own with one row; NULL with errno. Either kind is given back with
 * ledger_unmap, which allows NULL. */
struct ledger *ledger_new(uint64_t default_quota_bytes);
void ledger_unmap(struct ledger *l);

/* The sum of all rows; of promises, no more than UINT64_MAX. */
struct ledger_figures {
    uint64_t promised_bytes;
    uint64_t written_bytes;
    uint64_t n_files;
};
struct ledger_figures ledger_sum(const struct ledger *l);

/* Has nobody promised or written anything? */
bool ledger_is_empty(const struct ledger *l);

/* The process of this row has died. */
void ledger_clear(struct ledger *l, unsigned row);

/* Add to a number of one's own row, or (with what is negative) take away. No other writes it. */
static inline void ledger_add(_Atomic uint64_t *number, uint64_t more)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + more,
                          memory_order_seq_cst);
}

#endif

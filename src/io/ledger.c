/*
 * ledger - what each process has promised and written of one spool directory.
 */
#include "io/ledger.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t ledger_bytes(uint64_t n_rows)
{
    return sizeof(struct ledger) + (size_t)n_rows * sizeof(struct ledger_row);
}

static struct ledger *map_bytes(int fd, size_t n)
{
    struct ledger *l = mmap(NULL, n, PROT_READ | PROT_WRITE,
                            fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    return l == MAP_FAILED ? NULL : l;
}

int ledger_make(unsigned n_rows, uint64_t default_quota_bytes)
{
    int fd = memfd_create("holdfast-ledger", MFD_CLOEXEC);
    struct ledger *l = NULL;

    if (fd < 0)
        return -1;
    if (ftruncate(fd, (off_t)ledger_bytes(n_rows)) == 0)
        l = map_bytes(fd, ledger_bytes(n_rows));
    if (l == NULL) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    l->default_quota_bytes = default_quota_bytes;
    l->n_rows = n_rows;
    ledger_unmap(l);
    return fd;
}

struct ledger *ledger_map(int fd)
{
    struct stat st;
    struct ledger *l;

    if (fstat(fd, &st) != 0)
        return NULL;
    errno = EINVAL;
    if ((uint64_t)st.st_size < ledger_bytes(1))
        return NULL;
    l = map_bytes(fd, (size_t)st.st_size);
    if (l != NULL && ledger_bytes(l->n_rows) != (uint64_t)st.st_size) {
        munmap(l, (size_t)st.st_size);
        errno = EINVAL;
        return NULL;
    }
    return l;
}

struct ledger *ledger_new(uint64_t default_quota_bytes)
{
    struct ledger *l = map_bytes(-1, ledger_bytes(1));

    if (l == NULL)
        return NULL;
    l->default_quota_bytes = default_quota_bytes;
    l->n_rows = 1;
    return l;
}

void ledger_unmap(struct ledger *l)
{
    if (l != NULL)
        munmap(l, ledger_bytes(l->n_rows));
}

static uint64_t add_up_to_most(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

struct ledger_figures ledger_sum(const struct ledger *l)
{
    struct ledger_figures sum = {0};

    for (uint64_t i = 0; i < l->n_rows; i++) {
        sum.promised_bytes =
            add_up_to_most(sum.promised_bytes, atomic_load(&l->rows[i].promised_bytes));
        sum.written_bytes += atomic_load(&l->rows[i].written_bytes);
        sum.n_files += atomic_load(&l->rows[i].n_files);
    }
    return sum;
}

void ledger_clear(struct ledger *l, unsigned row)
{
    atomic_store(&l->rows[row].promised_bytes, 0);
    atomic_store(&l->rows[row].written_bytes, 0);
    atomic_store(&l->rows[row].n_files, 0);
}

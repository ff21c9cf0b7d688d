/*
 * ledger - what each process has promised and written of one spool directory.
 */
#include "io/ledger.h"

#include "base/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The shared memory: read once, when it is mapped, but for the rows. */
struct page {
    alignas(LEDGER_ALIGN) uint64_t default_quota_bytes;
    struct ledger_row rows[];
};

static size_t page_bytes(uint64_t n_rows)
{
    return sizeof(struct page) + (size_t)n_rows * sizeof(struct ledger_row);
}

static struct page *map_bytes(int fd, size_t n)
{
    struct page *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
                          fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* Its size is settled, and the first process to open it has said what the quota is. */
static bool prepare_page(int fd, unsigned n_rows, uint64_t default_quota_bytes)
{
    struct page *page;

    if (ftruncate(fd, (off_t)page_bytes(n_rows)) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return false;
    page = map_bytes(fd, page_bytes(n_rows));
    if (page == NULL)
        return false;
    page->default_quota_bytes = default_quota_bytes;
    munmap(page, page_bytes(n_rows));
    return true;
}

int ledger_make(unsigned n_rows, uint64_t default_quota_bytes)
{
    int fd = memfd_create("holdfast-ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && !prepare_page(fd, n_rows, default_quota_bytes)) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* Map n_rows of fd, or of memory of our own (fd < 0). */
static struct ledger *ledger_over(int fd, uint64_t n_rows)
{
    struct ledger *l = memory_get(sizeof(*l));
    struct page *page;

    if (l == NULL)
        return NULL;
    page = map_bytes(fd, page_bytes(n_rows));
    if (page == NULL) {
        memory_put(l);
        return NULL;
    }
    *l = (struct ledger){
        .default_quota_bytes = page->default_quota_bytes,
        .n_rows = n_rows,
        .rows = page->rows,
        .page = page,
        .page_bytes = page_bytes(n_rows),
    };
    return l;
}

struct ledger *ledger_map(int fd)
{
    struct stat st;
    uint64_t n_rows;

    if (fstat(fd, &st) != 0)
        return NULL;
    errno = EINVAL;
    if ((uint64_t)st.st_size < page_bytes(1))
        return NULL;
    n_rows = ((uint64_t)st.st_size - sizeof(struct page)) / sizeof(struct ledger_row);
    if (page_bytes(n_rows) != (uint64_t)st.st_size)
        return NULL;
    return ledger_over(fd, n_rows);
}

struct ledger *ledger_new(uint64_t default_quota_bytes)
{
    struct ledger *l = ledger_over(-1, 1);

    if (l != NULL)
        l->default_quota_bytes = default_quota_bytes;
    return l;
}

void ledger_unmap(struct ledger *l)
{
    if (l == NULL)
        return;
    munmap(l->page, l->page_bytes);
    memory_put(l);
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

bool ledger_is_empty(const struct ledger *l)
{
    struct ledger_figures sum = ledger_sum(l);

    return sum.promised_bytes == 0 && sum.n_files == 0;
}

void ledger_clear(struct ledger *l, unsigned row)
{
    atomic_store(&l->rows[row].promised_bytes, 0);
    atomic_store(&l->rows[row].written_bytes, 0);
    atomic_store(&l->rows[row].n_files, 0);
}

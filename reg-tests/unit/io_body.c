/*
 * io_body - bodies against a plain model: random writes, reads, rewinds and ends, in every mode, and
 * the promises of body.h one by one.
 */
#include "io/body.h"

#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define KIB        ((size_t)1024)
#define MODEL_SIZE (3072 * KIB)
#define CASE_MAX   (1536 * KIB) /* the longest body of a random case */
#define STEP_MAX   (300 * KIB)

/* Byte p of a body is text[from + p]. */
static char text[MODEL_SIZE];
static char scratch[STEP_MAX];

/* A body with its world, and what the model says of it. */
struct drive {
    struct loop *loop;
    struct bufs bufs;
    struct spool_store *store;
    struct body_setup setup;
    struct body b;
    struct task producer;
    struct task consumer;
    unsigned n_producer; /* runs */
    unsigned n_consumer;
    uint64_t seed;
    const char *bytes;
    uint64_t total;
    uint64_t in;
    uint64_t out;
    bool owes_wake; /* the producer was told that there is no room */
    bool stopped_keeping;
    const char *broken; /* the first promise that was not kept */
};

static void expect(struct drive *d, bool holds, const char *what)
{
    if (!holds && d->broken == NULL)
        d->broken = what;
}

static uint64_t draw(struct drive *d, uint64_t n)
{
    d->seed ^= d->seed << 13;
    d->seed ^= d->seed >> 7;
    d->seed ^= d->seed << 17;
    return d->seed % n;
}

static void producer_runs(struct task *t)
{
    list_owner(t, struct drive, producer)->n_producer++;
}

static void consumer_runs(struct task *t)
{
    list_owner(t, struct drive, consumer)->n_consumer++;
}

static void run_tasks(struct drive *d)
{
    loop_turn(d->loop, 0);
}

static struct spool_store *open_store(char *dir, uint64_t quota)
{
    struct spool_setup setup = {.has_quota = true, .quota_bytes = quota};

    setup.path = str_of(dir);
    return spool_store_open(&setup);
}

static char store_dir[] = "/tmp/holdfast-unit-body-XXXXXX";
static bool has_store_dir;

/* One directory for all stores of this suite; empty, since spools have no names. */
static struct spool_store *new_store(uint64_t quota)
{
    if (!has_store_dir)
        has_store_dir = mkdtemp(store_dir) != NULL;
    return open_store(store_dir, quota);
}

static void remove_store_dir(void)
{
    if (has_store_dir)
        CU_ASSERT_EQUAL(rmdir(store_dir), 0);
    has_store_dir = false;
    memcpy(store_dir + sizeof(store_dir) - 7, "XXXXXX", 6);
}

static void drive_open(struct drive *d, enum body_keep keep, struct spool_store *store,
                       uint64_t memory, uint64_t unread_max, size_t budget)
{
    *d = (struct drive){.loop = loop_new(LOOP_EPOLL), .store = store, .seed = 1, .bytes = text};
    bufs_init(&d->bufs, budget);
    task_init(&d->producer, producer_runs);
    task_init(&d->consumer, consumer_runs);
    d->setup = (struct body_setup){
        .loop = d->loop,
        .bufs = &d->bufs,
        .store = store,
        .keep = keep,
        .memory_bytes = memory,
        .unread_max_bytes = unread_max,
        .max_bytes = UINT64_MAX,
    };
    body_init(&d->b, &d->setup);
    body_set_producer(&d->b, &d->producer);
    body_set_consumer(&d->b, &d->consumer);
    run_tasks(d);
}

static void expect_nothing_left(struct drive *d)
{
    struct spool_figures f;

    expect(d, d->bufs.used_bytes == 0, "buffers left");
    if (d->store == NULL)
        return;
    f = spool_store_figures(d->store);
    expect(d, f.promised_bytes == 0 && f.written_bytes == 0 && f.n_files == 0, "spool room left");
}

static void drive_close(struct drive *d)
{
    body_reset(&d->b);
    expect_nothing_left(d);
    spool_store_unref(d->store);
    loop_turn(d->loop, 0);
    loop_free(d->loop);
    if (d->bufs.used_bytes == 0)
        bufs_reset(&d->bufs);
    CU_ASSERT_PTR_NULL(d->broken);
    if (d->broken != NULL)
        printf("\n    broken: %s\n", d->broken);
}

/* --- the random cases --- */

static void check_all(struct drive *d)
{
    const struct body *b = &d->b;

    body_check(b);
    expect(d, b->in_bytes == d->in && b->out_bytes == d->out, "positions");
    expect(d, b->in_bytes <= b->max_bytes, "max_bytes");
    if (b->keep == KEEP_ALL)
        expect(d, body_can_rewind(b), "all is kept");
    if (b->keep == KEEP_NOTHING && d->in == d->out && b->state != BODY_ABORTED)
        expect(d, b->memory == NULL && b->spool.fd < 0, "nothing is kept");
    expect(d, (b->spool.fd < 0) == (b->spool.size_bytes == 0), "fd and size");
    if (b->memory != NULL && b->spool.store == NULL)
        expect(d, b->memory->room <= BUF_SIZE_MIN || b->memory->room <= b->memory_bytes, "window");
    if (d->store != NULL)
        expect(d, spool_store_figures(d->store).written_bytes == b->spool.size_bytes, "written");
}

/* Fill the space that the body gives, in one or several commits. */
static uint64_t write_by_space(struct drive *d, uint64_t n)
{
    uint64_t taken = 0;

    while (taken < n && d->b.state == BODY_OPEN) {
        size_t room = 0;
        char *space = body_space(&d->b, &room);
        uint64_t part;

        if (space == NULL)
            break;
        expect(d, room > 0, "space without room");
        part = 1 + draw(d, room < n - taken ? room : n - taken);
        memcpy(space, d->bytes + d->in + taken, (size_t)part);
        if (!body_commit(&d->b, (size_t)part))
            break;
        taken += part;
    }
    return taken;
}

/* Is there a limit that a body without unread bytes may stop at? */
static bool may_stall(const struct drive *d)
{
    return d->b.keep == KEEP_ALL && d->b.spool.store == NULL;
}

static void step_write(struct drive *d)
{
    uint64_t left = d->total - d->in;
    uint64_t n = 1 + draw(d, left < STEP_MAX ? left : STEP_MAX);
    uint64_t unread = d->in - d->out;
    uint64_t took;

    d->n_consumer = 0;
    took = draw(d, 2) ? body_write(&d->b, d->bytes + d->in, (size_t)n) : write_by_space(d, n);
    d->in += took;
    expect(d, took == 0 || d->in - d->out <= d->setup.unread_max_bytes, "unread limit");
    expect(d, took > 0 || unread > 0 || d->b.state != BODY_OPEN || may_stall(d), "stalls when empty");
    d->owes_wake = took < n && d->b.state == BODY_OPEN;
    d->n_producer = 0;
    run_tasks(d);
    expect(d, took == 0 || d->n_consumer == 1, "consumer is not told of bytes");
}

static void expect_piece(struct drive *d, const struct body_piece *p, uint64_t n)
{
    const char *wanted = d->bytes + d->out;

    if (p->kind == BODY_PIECE_MEMORY) {
        expect(d, memcmp(p->p, wanted, (size_t)p->n) == 0, "bytes in memory");
        return;
    }
    if (n > STEP_MAX)
        n = STEP_MAX;
    expect(d, pread(p->fd, scratch, (size_t)n, (off_t)p->at) == (ssize_t)n, "file is short");
    expect(d, memcmp(scratch, wanted, (size_t)n) == 0, "bytes in the file");
}

static void step_read(struct drive *d)
{
    struct body_piece p = body_peek(&d->b);
    uint64_t n;

    expect(d, (p.kind == BODY_PIECE_NONE) == (d->in == d->out), "what is unread can be read");
    if (p.kind == BODY_PIECE_NONE)
        return;
    n = draw(d, 3) == 0 ? p.n : 1 + draw(d, p.n);
    expect_piece(d, &p, n);
    body_consume(&d->b, n);
    d->out += n;
    run_tasks(d);
    if (d->n_producer > 0)
        d->owes_wake = false;
    if (d->in == d->out && d->b.state == BODY_OPEN && !may_stall(d))
        expect(d, !d->owes_wake, "the producer is not woken");
}

static void step_rewind(struct drive *d)
{
    bool can = body_can_rewind(&d->b);

    expect(d, body_rewind(&d->b) == can, "rewind");
    if (can)
        d->out = 0;
    if (can && draw(d, 2))
        body_set_consumer(&d->b, &d->consumer);
    run_tasks(d);
}

static void step_stop_keeping(struct drive *d)
{
    body_stop_keeping(&d->b);
    d->stopped_keeping = true;
    run_tasks(d);
    if (d->n_producer > 0)
        d->owes_wake = false;
    expect(d, d->b.spool.size_bytes == 0 || d->b.out_bytes < d->b.kept_from + d->b.spool.size_bytes,
           "a file that was read stays");
}

static void step_end(struct drive *d)
{
    d->n_consumer = 0;
    if (d->in == d->total && draw(d, 8) != 0) {
        body_finish(&d->b);
        if (d->b.keep == KEEP_ALL && d->b.spool.size_bytes > 0 && d->b.error == 0)
            expect(d, d->b.memory == NULL, "memory beside a whole file");
    } else {
        body_abort(&d->b, BODY_FAULT_PRODUCER);
        expect(d, d->b.fault == BODY_FAULT_PRODUCER, "fault");
        body_abort(&d->b, BODY_FAULT_MEMORY);
        expect(d, d->b.fault == BODY_FAULT_PRODUCER, "the first fault stays");
    }
    run_tasks(d);
    expect(d, d->n_consumer == 1, "consumer is not told of the end");
}

static void step(struct drive *d)
{
    uint64_t dice = draw(d, 100);

    if (dice < 40 && d->b.state == BODY_OPEN && d->in < d->total)
        step_write(d);
    else if (dice < 85)
        step_read(d);
    else if (dice < 90)
        step_rewind(d);
    else if (dice < 91)
        step_stop_keeping(d);
    else if (dice >= 98 && d->b.state == BODY_OPEN && (d->in == d->total || draw(d, 20) == 0))
        step_end(d);
    check_all(d);
}

static void read_to_the_end(struct drive *d)
{
    while (d->out < d->in && d->broken == NULL)
        step_read(d);
    expect(d, body_is_drained(&d->b) == (d->b.state == BODY_COMPLETE), "drained");
    check_all(d);
}

/* The ends that a random case may come to by itself. */
static void expect_fault_has_cause(struct drive *d)
{
    switch (d->b.fault) {
    case BODY_FAULT_NONE:
    case BODY_FAULT_PRODUCER: break;
    case BODY_FAULT_TOO_LARGE:
        expect(d, d->total > d->setup.max_bytes, "too large without cause");
        break;
    case BODY_FAULT_SPOOL:
        expect(d, d->setup.keep == KEEP_ALL && d->b.error == EDQUOT, "spool without cause");
        break;
    case BODY_FAULT_MEMORY: expect(d, false, "memory without cause"); break;
    }
    if (d->b.state == BODY_COMPLETE)
        expect(d, d->in == d->total, "complete means all");
}

static void random_case(enum body_keep keep, bool has_store, uint64_t seed)
{
    static const uint64_t memories[] = {16 * KIB, 24 * KIB, 32 * KIB, 64 * KIB, 100 * KIB, 256 * KIB};
    static const uint64_t quotas[] = {(uint64_t)1 << 40, (uint64_t)1 << 40, 400 * KIB, 0};
    struct drive d = {.seed = seed * 0x9e3779b97f4a7c15 + 1};
    uint64_t memory = memories[draw(&d, 6)];
    uint64_t unread_max = !has_store || draw(&d, 2)    ? memory
                          : keep == KEEP_ALL           ? UINT64_MAX
                                                       : 1 + draw(&d, CASE_MAX);
    struct spool_store *store = has_store ? new_store(quotas[draw(&d, 4)]) : NULL;
    size_t budget = draw(&d, 4) == 0 ? 64 * KIB : 64 << 20;

    if (keep == KEEP_ALL && has_store)
        unread_max = UINT64_MAX; /* it is read when it is complete: nothing else makes room */
    seed = d.seed;
    drive_open(&d, keep, store, memory, unread_max, budget);
    d.seed = seed;
    d.total = 1 + draw(&d, draw(&d, 3) == 0 ? 40 * KIB : CASE_MAX);
    if (may_stall(&d))
        d.total = 1 + draw(&d, BUF_SIZE_MIN);
    d.bytes = text + draw(&d, MODEL_SIZE - d.total);
    if (draw(&d, 4) == 0)
        d.b.max_bytes = d.setup.max_bytes = draw(&d, 2 * d.total);
    if (draw(&d, 2))
        body_declare(&d.b, d.total);
    for (unsigned i = 0; i < 150 && d.broken == NULL; i++)
        step(&d);
    read_to_the_end(&d);
    expect_fault_has_cause(&d);
    if (d.broken != NULL)
        printf("\n    keep %d, store %d, seed %llu\n", keep, has_store, (unsigned long long)seed);
    drive_close(&d);
}

static void fill_text(void)
{
    uint64_t x = 88172645463325252;

    for (size_t i = 0; i < sizeof(text); i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(text + i, &x, 8);
    }
}

static void random_cases(enum body_keep keep, bool has_store)
{
    fill_text();
    for (uint64_t seed = 1; seed <= 250; seed++)
        random_case(keep, has_store, seed);
    remove_store_dir();
}

static void all_is_kept_in_memory(void)
{
    random_cases(KEEP_ALL, false);
}

static void all_is_kept_with_a_store(void)
{
    random_cases(KEEP_ALL, true);
}

static void a_window_without_a_store(void)
{
    random_cases(KEEP_WINDOW, false);
}

static void nothing_is_kept_without_a_store(void)
{
    random_cases(KEEP_NOTHING, false);
}

static void nothing_is_kept_with_a_store(void)
{
    random_cases(KEEP_NOTHING, true);
}

/* --- one promise each --- */

static size_t put(struct drive *d, size_t n)
{
    size_t took = body_write(&d->b, d->bytes + d->in, n);

    d->in += took;
    run_tasks(d);
    return took;
}

static void take(struct drive *d, uint64_t n)
{
    while (n > 0) {
        struct body_piece p = body_peek(&d->b);
        uint64_t part = p.n < n ? p.n : n;

        if (p.kind == BODY_PIECE_NONE)
            break;
        body_consume(&d->b, part);
        d->out += part;
        n -= part;
    }
    run_tasks(d);
}

/* A window that was filled to the brim and read to the end is as good as new. */
static void full_window_can_be_filled_again(enum body_keep keep)
{
    struct drive d;

    drive_open(&d, keep, NULL, 64 * KIB, 64 * KIB, 64 << 20);
    for (unsigned round = 0; round < 5; round++) {
        CU_ASSERT_EQUAL(put(&d, 65 * KIB), 64 * KIB);
        d.n_producer = 0;
        take(&d, 64 * KIB);
        CU_ASSERT_EQUAL(d.n_producer, 1);
    }
    drive_close(&d);
}

static void full_windows_can_be_filled_again(void)
{
    full_window_can_be_filled_again(KEEP_WINDOW);
    full_window_can_be_filled_again(KEEP_NOTHING);
}

static void producer_is_woken_at_half(void)
{
    struct drive d;

    drive_open(&d, KEEP_NOTHING, NULL, 64 * KIB, 64 * KIB, 64 << 20);
    CU_ASSERT_EQUAL(put(&d, 100 * KIB), 64 * KIB);
    d.n_producer = 0;
    take(&d, 1);
    CU_ASSERT_EQUAL(d.n_producer, 0);
    take(&d, 32 * KIB - 2);
    CU_ASSERT_EQUAL(d.n_producer, 0);
    take(&d, 1);
    CU_ASSERT_EQUAL(d.n_producer, 1);
    take(&d, 20 * KIB);
    CU_ASSERT_EQUAL(d.n_producer, 1); /* told once */
    drive_close(&d);
}

static void producer_that_was_not_refused_is_not_woken(void)
{
    struct drive d;

    drive_open(&d, KEEP_NOTHING, NULL, 64 * KIB, 64 * KIB, 64 << 20);
    d.n_producer = 0;
    CU_ASSERT_EQUAL(put(&d, 64 * KIB), 64 * KIB);
    take(&d, 64 * KIB);
    CU_ASSERT_EQUAL(d.n_producer, 0);
    drive_close(&d);
}

/* An unread limit of an odd size, smaller than a buffer. */
static void unread_limit_is_exact(void)
{
    struct drive d;
    size_t room = 0;

    drive_open(&d, KEEP_NOTHING, NULL, 64 * KIB, 1000, 64 << 20);
    CU_ASSERT_EQUAL(put(&d, 999), 999);
    CU_ASSERT_PTR_NOT_NULL(body_space(&d.b, &room));
    CU_ASSERT_EQUAL(room, 1);
    CU_ASSERT_EQUAL(put(&d, 5), 1);
    CU_ASSERT_PTR_NULL(body_space(&d.b, &room));
    take(&d, 1000);
    CU_ASSERT_EQUAL(put(&d, 5), 5);
    drive_close(&d);
}

static void body_of_max_bytes_is_taken_and_one_more_is_not(void)
{
    struct drive d;

    drive_open(&d, KEEP_ALL, new_store(1 << 30), 16 * KIB, UINT64_MAX, 64 << 20);
    d.b.max_bytes = 50 * KIB;
    CU_ASSERT_EQUAL(put(&d, 50 * KIB), 50 * KIB);
    CU_ASSERT_EQUAL(d.b.state, BODY_OPEN);
    d.n_consumer = 0;
    CU_ASSERT_EQUAL(put(&d, 1), 0);
    CU_ASSERT_EQUAL(d.b.state, BODY_ABORTED);
    CU_ASSERT_EQUAL(d.b.fault, BODY_FAULT_TOO_LARGE);
    CU_ASSERT_EQUAL(d.n_consumer, 1);
    body_check(&d.b);
    drive_close(&d);
}

/* What is said of memory_bytes: up to here there is no file. For any number, not for powers of two. */
static void memory_bytes_fit_in_memory(void)
{
    static const size_t sizes[] = {16 * KIB,  17 * KIB,  48 * KIB,   64 * KIB,
                                   100 * KIB, 128 * KIB, 1000 * KIB, 1024 * KIB};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct drive d;

        drive_open(&d, KEEP_ALL, new_store(1 << 30), sizes[i], UINT64_MAX, 64 << 20);
        CU_ASSERT_EQUAL(put(&d, sizes[i]), sizes[i]);
        if (d.b.spooled_bytes != 0)
            printf("\n    memory %zu: %llu bytes on disk\n", sizes[i],
                   (unsigned long long)d.b.spooled_bytes);
        CU_ASSERT_EQUAL(d.b.spooled_bytes, 0);
        drive_close(&d);
    }
    remove_store_dir();
}

/* A client that declares much and sends little costs little. */
static void first_piece_is_small(void)
{
    struct drive d;

    drive_open(&d, KEEP_ALL, new_store(1 << 30), 256 * KIB, UINT64_MAX, 64 << 20);
    CU_ASSERT(body_declare(&d.b, 200 * KIB));
    CU_ASSERT_EQUAL(spool_store_figures(d.store).promised_bytes, 0);
    put(&d, 1);
    CU_ASSERT_EQUAL(d.bufs.used_bytes, BUF_SIZE_MIN);
    put(&d, 20 * KIB); /* and one that does send gets its whole length at once */
    CU_ASSERT_EQUAL(d.b.memory->room, 256 * KIB);
    drive_close(&d);
}

/* Large writes cost the disk half as much as small ones; a producer that drips gets no large piece. */
static void eager_producers_get_large_pieces(void)
{
    struct drive d;

    drive_open(&d, KEEP_ALL, new_store(1 << 30), 16 * KIB, UINT64_MAX, 64 << 20);
    d.bytes = text;
    for (unsigned i = 0; i < 9; i++)
        put(&d, 300 * KIB);
    CU_ASSERT_EQUAL(d.b.memory->room, BUF_SIZE_MAX);
    drive_close(&d);

    drive_open(&d, KEEP_ALL, new_store(1 << 30), 16 * KIB, UINT64_MAX, 64 << 20);
    for (unsigned i = 0; i < 2700; i++)
        put(&d, 100);
    CU_ASSERT(d.b.memory->room <= 32 * KIB);
    drive_close(&d);
    remove_store_dir();
}

static void whole_body_on_disk_needs_no_memory(void)
{
    struct drive d;

    drive_open(&d, KEEP_ALL, new_store(1 << 30), 16 * KIB, UINT64_MAX, 64 << 20);
    put(&d, 100 * KIB);
    body_finish(&d.b);
    CU_ASSERT_EQUAL(d.bufs.used_bytes, 0);
    CU_ASSERT_EQUAL(d.b.spool.size_bytes, 100 * KIB);
    take(&d, 100 * KIB);
    CU_ASSERT(body_is_drained(&d.b));
    CU_ASSERT(body_rewind(&d.b));
    CU_ASSERT(!body_is_drained(&d.b));
    body_stop_keeping(&d.b);
    CU_ASSERT_EQUAL(body_unread(&d.b), 100 * KIB);
    d.out = 0;
    take(&d, 100 * KIB);
    CU_ASSERT(d.b.spool.fd < 0);
    CU_ASSERT(!body_rewind(&d.b));
    CU_ASSERT_EQUAL(spool_store_figures(d.store).promised_bytes, 0);
    drive_close(&d);
    remove_store_dir();
}

/* Chunked bodies are promised room in large steps; one that is complete needs no more than it has. */
static void complete_body_gives_back_what_it_did_not_need(void)
{
    struct drive d;

    drive_open(&d, KEEP_ALL, new_store(1 << 30), 16 * KIB, UINT64_MAX, 64 << 20);
    put(&d, 100 * KIB);
    body_finish(&d.b);
    CU_ASSERT_EQUAL(spool_store_figures(d.store).promised_bytes, 100 * KIB);
    drive_close(&d);
    remove_store_dir();
}

static void declared_body_that_does_not_fit_is_refused(void)
{
    struct drive d;

    drive_open(&d, KEEP_ALL, new_store(100 * KIB), 16 * KIB, UINT64_MAX, 64 << 20);
    errno = 0;
    CU_ASSERT(!body_declare(&d.b, 100 * KIB + 1));
    CU_ASSERT_EQUAL(errno, EDQUOT);
    CU_ASSERT(body_declare(&d.b, 100 * KIB));
    CU_ASSERT_EQUAL(spool_store_figures(d.store).promised_bytes, 100 * KIB);
    CU_ASSERT_EQUAL(put(&d, 100 * KIB), 100 * KIB);
    body_finish(&d.b);
    CU_ASSERT_EQUAL(d.b.state, BODY_COMPLETE);
    drive_close(&d);

    drive_open(&d, KEEP_NOTHING, new_store(0), 16 * KIB, 1 << 20, 64 << 20);
    CU_ASSERT(body_declare(&d.b, 1 << 30)); /* it can wait for its consumer */
    CU_ASSERT_EQUAL(put(&d, 17 * KIB), 16 * KIB);
    CU_ASSERT_EQUAL(d.b.state, BODY_OPEN);
    take(&d, 1);
    CU_ASSERT_EQUAL(d.n_producer, 2); /* when it was tied, and now */
    drive_close(&d);
    remove_store_dir();
}

static void kept_body_ends_when_the_disk_is_full(void)
{
    struct drive d;

    drive_open(&d, KEEP_ALL, new_store(50 * KIB), 16 * KIB, UINT64_MAX, 64 << 20);
    CU_ASSERT(put(&d, 200 * KIB) < 200 * KIB);
    CU_ASSERT_EQUAL(d.b.state, BODY_ABORTED);
    CU_ASSERT_EQUAL(d.b.fault, BODY_FAULT_SPOOL);
    CU_ASSERT_EQUAL(d.b.error, EDQUOT);
    body_check(&d.b);
    drive_close(&d);
    remove_store_dir();
}

/* The last bytes of a body that is complete stay in memory where the disk has no room for them. */
static void last_bytes_may_stay_in_memory(void)
{
    struct drive d;

    drive_open(&d, KEEP_ALL, new_store(16 * KIB), 16 * KIB, UINT64_MAX, 64 << 20);
    CU_ASSERT_EQUAL(put(&d, 20 * KIB), 20 * KIB);
    body_finish(&d.b);
    CU_ASSERT_EQUAL(d.b.state, BODY_COMPLETE);
    CU_ASSERT_EQUAL(d.b.spool.size_bytes, 16 * KIB);
    CU_ASSERT_PTR_NOT_NULL(d.b.memory);
    take(&d, 20 * KIB);
    CU_ASSERT(body_is_drained(&d.b));
    CU_ASSERT(body_rewind(&d.b));
    drive_close(&d);
    remove_store_dir();
}

static void without_memory_the_body_ends(void)
{
    struct drive d;

    drive_open(&d, KEEP_NOTHING, NULL, 16 * KIB, 16 * KIB, 0);
    d.n_consumer = 0;
    CU_ASSERT_EQUAL(put(&d, 1), 0);
    CU_ASSERT_EQUAL(d.b.state, BODY_ABORTED);
    CU_ASSERT_EQUAL(d.b.fault, BODY_FAULT_MEMORY);
    CU_ASSERT_EQUAL(d.n_consumer, 1);
    drive_close(&d);
}

static void tying_a_side_posts_its_task(void)
{
    struct drive d;

    drive_open(&d, KEEP_NOTHING, NULL, 16 * KIB, 16 * KIB, 64 << 20);
    CU_ASSERT_EQUAL(d.n_consumer, 1);
    CU_ASSERT_EQUAL(d.n_producer, 1);
    body_set_consumer(&d.b, NULL);
    body_set_producer(&d.b, NULL);
    CU_ASSERT_EQUAL(put(&d, 20 * KIB), 16 * KIB);
    take(&d, 16 * KIB);
    CU_ASSERT_EQUAL(d.n_consumer, 1);
    CU_ASSERT_EQUAL(d.n_producer, 1);
    drive_close(&d);
}

/* Byte 0 is there until its room is needed. */
static void window_keeps_byte_0_while_it_can(void)
{
    struct drive d;

    drive_open(&d, KEEP_WINDOW, NULL, 16 * KIB, 16 * KIB, 64 << 20);
    put(&d, 16 * KIB);
    take(&d, 10 * KIB);
    CU_ASSERT(body_rewind(&d.b));
    d.out = 0;
    take(&d, 10 * KIB);
    CU_ASSERT_EQUAL(put(&d, KIB), KIB);
    CU_ASSERT(!body_can_rewind(&d.b));
    CU_ASSERT(!body_rewind(&d.b));
    CU_ASSERT_EQUAL(d.b.out_bytes, 10 * KIB);
    body_stop_keeping(&d.b);
    take(&d, 7 * KIB);
    CU_ASSERT_EQUAL(d.bufs.used_bytes, 0);
    drive_close(&d);
}

/* A body that a reset has emptied is harmless to reset again. */
static void empty_body_completes(void)
{
    struct drive d;

    drive_open(&d, KEEP_ALL, NULL, 16 * KIB, UINT64_MAX, 64 << 20);
    CU_ASSERT(!body_is_drained(&d.b));
    body_finish(&d.b);
    CU_ASSERT(body_is_drained(&d.b));
    CU_ASSERT_EQUAL(body_peek(&d.b).kind, BODY_PIECE_NONE);
    CU_ASSERT(body_rewind(&d.b));
    body_reset(&d.b);
    drive_close(&d);
}

/* --- from a wire, by way of memory and of a pipe --- */

#ifdef HOLDFAST_TORTURE
#define BROOK_SIZE (100 * KIB) /* seven bytes a read, and none are spliced */
#else
#define BROOK_SIZE MODEL_SIZE
#endif

/* A body that is brought by a wire; the bytes come from `peer`. */
struct brook {
    struct drive d;
    struct wire wire;
    int peer;
    uint64_t sent;
    unsigned n_spliced;
};

static void wire_ready(struct watch *w)
{
    (void)w;
}

static void brook_open(struct brook *k, struct spool_store *store, uint64_t total)
{
    int fds[2];

    drive_open(&k->d, KEEP_ALL, store, 64 * KIB, UINT64_MAX, 64 << 20);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    k->peer = fds[1];
    k->sent = 0;
    k->n_spliced = 0;
    k->d.total = total;
    CU_ASSERT(wire_open(&k->wire, k->d.loop, fds[0], true, wire_ready));
    CU_ASSERT(wire_want(&k->wire, EVENT_IN));
    CU_ASSERT(body_declare(&k->d.b, total));
}

static void brook_close(struct brook *k)
{
    wire_close(&k->wire);
    close(k->peer);
    drive_close(&k->d);
}

static void peer_sends(struct brook *k, uint64_t n)
{
    uint64_t left = k->d.total - k->sent;
    ssize_t sent = send(k->peer, text + k->sent, (size_t)(n < left ? n : left), MSG_NOSIGNAL);

    if (sent > 0)
        k->sent += (uint64_t)sent;
}

/* As the codec reads: straight to the file where the body would rather, else through memory. */
static bool brook_reads(struct brook *k)
{
    uint64_t left = k->d.total - k->d.in;
    size_t room = 0;
    size_t got = 0;
    char *space;

    if (body_wants_splice(&k->d.b, left)) {
        enum wire_result r = body_splice(&k->d.b, &k->wire, left, &got);

        k->d.in += k->d.b.state == BODY_OPEN ? got : 0;
        k->n_spliced += got > 0;
        return r == WIRE_OK && k->d.b.state == BODY_OPEN;
    }
    space = body_space(&k->d.b, &room);
    if (space == NULL)
        return false;
    if (wire_recv(&k->wire, space, room < left ? room : (size_t)left, &got) != WIRE_OK)
        return false;
    k->d.in += got;
    return body_commit(&k->d.b, got);
}

/* The peer sends in pieces of up to `most`; true: all has come. */
static bool brook_flows(struct brook *k, uint64_t most)
{
    while (k->d.in < k->d.total) {
        uint64_t before = k->d.in;

        peer_sends(k, 1 + draw(&k->d, most));
        loop_turn(k->d.loop, 0);
        while (k->d.in < k->d.total && brook_reads(k))
            body_check(&k->d.b);
        if (k->d.b.state != BODY_OPEN || (k->d.in == before && k->sent == k->d.total))
            return false;
    }
    body_finish(&k->d.b);
    return true;
}

static void spliced_bytes_are_the_bytes(void)
{
    static const uint64_t pieces[] = {BROOK_SIZE, 300 * KIB, 150 * KIB, 20 * KIB};

    fill_text();
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct brook k;

        brook_open(&k, new_store(1 << 30), BROOK_SIZE - 1000 * i);
        CU_ASSERT(brook_flows(&k, pieces[i]));
        CU_ASSERT_EQUAL(k.d.b.spool.size_bytes, k.d.total);
#ifndef HOLDFAST_TORTURE
        CU_ASSERT_EQUAL(k.n_spliced > 0, i < 3); /* small pieces are gathered in memory */
#endif
        CU_ASSERT_EQUAL(k.d.bufs.used_bytes, 0);
        read_to_the_end(&k.d);
        CU_ASSERT(body_rewind(&k.d.b));
        k.d.out = 0;
        read_to_the_end(&k.d);
        brook_close(&k);
    }
    remove_store_dir();
}

/* An end in the middle is the wire's to tell. */
static void end_within_a_spliced_body_is_seen(void)
{
    struct brook k;

    brook_open(&k, new_store(1 << 30), BROOK_SIZE);
    while (k.sent < BROOK_SIZE / 2) {
        peer_sends(&k, 200 * KIB);
        loop_turn(k.d.loop, 0);
        while (brook_reads(&k))
            continue;
    }
    shutdown(k.peer, SHUT_WR);
    loop_turn(k.d.loop, 0);
    while (brook_reads(&k))
        continue;
    CU_ASSERT_EQUAL(k.d.in, k.sent);
    CU_ASSERT_EQUAL(k.d.b.state, BODY_OPEN);
    body_abort(&k.d.b, BODY_FAULT_PRODUCER);
    read_to_the_end(&k.d);
    brook_close(&k);
    remove_store_dir();
}

/* A disk that fails leaves nothing of one body in the pipe for the next. */
static void failed_splice_does_not_taint_the_next_body(void)
{
    struct spool_store *store = new_store(1 << 30);
    struct rlimit before;
    struct rlimit small;
    struct brook k;

    spool_store_ref(store);
    brook_open(&k, store, BROOK_SIZE);
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = BROOK_SIZE / 2 + 77, .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
    CU_ASSERT(!brook_flows(&k, BROOK_SIZE));
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    CU_ASSERT_EQUAL(k.d.b.state, BODY_ABORTED);
    CU_ASSERT_EQUAL(k.d.b.fault, BODY_FAULT_SPOOL);
    CU_ASSERT_EQUAL(k.d.b.error, EFBIG);
    body_check(&k.d.b);
    brook_close(&k);

    spool_store_ref(store);
    brook_open(&k, store, BROOK_SIZE);
    CU_ASSERT(brook_flows(&k, BROOK_SIZE));
    read_to_the_end(&k.d);
    brook_close(&k);
    spool_store_unref(store);
    remove_store_dir();
}

static void splicing_keeps_to_max_bytes(void)
{
    struct brook k;

    brook_open(&k, new_store(1 << 30), BROOK_SIZE);
    k.d.b.max_bytes = BROOK_SIZE / 2;
    CU_ASSERT(!brook_flows(&k, BROOK_SIZE));
    CU_ASSERT(k.d.b.in_bytes <= BROOK_SIZE / 2);
    CU_ASSERT_EQUAL(k.d.b.fault, BODY_FAULT_TOO_LARGE);
    brook_close(&k);
    remove_store_dir();
}

UNIT_SUITE(io_body)
{
    UNIT_TEST(all_is_kept_in_memory);
    UNIT_TEST(all_is_kept_with_a_store);
    UNIT_TEST(a_window_without_a_store);
    UNIT_TEST(nothing_is_kept_without_a_store);
    UNIT_TEST(nothing_is_kept_with_a_store);
    UNIT_TEST(full_windows_can_be_filled_again);
    UNIT_TEST(producer_is_woken_at_half);
    UNIT_TEST(producer_that_was_not_refused_is_not_woken);
    UNIT_TEST(unread_limit_is_exact);
    UNIT_TEST(body_of_max_bytes_is_taken_and_one_more_is_not);
    UNIT_TEST(memory_bytes_fit_in_memory);
    UNIT_TEST(first_piece_is_small);
    UNIT_TEST(eager_producers_get_large_pieces);
    UNIT_TEST(whole_body_on_disk_needs_no_memory);
    UNIT_TEST(complete_body_gives_back_what_it_did_not_need);
    UNIT_TEST(declared_body_that_does_not_fit_is_refused);
    UNIT_TEST(kept_body_ends_when_the_disk_is_full);
    UNIT_TEST(last_bytes_may_stay_in_memory);
    UNIT_TEST(without_memory_the_body_ends);
    UNIT_TEST(tying_a_side_posts_its_task);
    UNIT_TEST(window_keeps_byte_0_while_it_can);
    UNIT_TEST(empty_body_completes);
    UNIT_TEST(spliced_bytes_are_the_bytes);
    UNIT_TEST(end_within_a_spliced_body_is_seen);
    UNIT_TEST(failed_splice_does_not_taint_the_next_body);
    UNIT_TEST(splicing_keeps_to_max_bytes);
}

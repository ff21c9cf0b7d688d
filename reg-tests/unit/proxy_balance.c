/*
 * proxy_balance - which server is chosen: shares, evenness, and what a change moves.
 */
#include "proxy/balance.h"

#include "proxy/worker.h"
#include "unit.h"

#include <stdio.h>

#define KEYS 20000

/* A backend of servers named a, b, c, …, as a generation would make it. */
struct bench {
    struct worker worker;
    struct backend_state *backend;
    struct config_server servers[CONFIG_SERVERS_MAX];
    struct config_backend config;
    char names[CONFIG_SERVERS_MAX][8];
};

static void bench_apply(struct bench *b)
{
    CU_ASSERT_FATAL(backend_state_apply(b->backend, &b->config));
}

static void bench_init(struct bench *b, enum balance_kind kind, const unsigned *weights, size_t n)
{
    const struct worker_setup setup = {.poller = POLLER_POLL, .panic_fd = -1};

    *b = (struct bench){.config = {.balance = kind, .servers = b->servers, .n_servers = n}};
    CU_ASSERT_FATAL(worker_init(&b->worker, &setup));
    b->backend = backend_state_get(&b->worker, STR("app"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->backend);
    b->backend->random = 1;
    for (size_t i = 0; i < n; i++) {
        struct config_server *s = &b->servers[i];
        int length = snprintf(b->names[i], sizeof(b->names[i]), "app/%c", (char)('a' + i % 26));

        if (i >= 26)
            length = snprintf(b->names[i], sizeof(b->names[i]), "app/%u", (unsigned)i);
        s->full_name = (struct str){b->names[i], (size_t)length};
        s->name = str_slice(s->full_name, 4, s->full_name.n);
        s->weight = weights[i];
        CU_ASSERT_FATAL(addr_parse(STR("127.0.0.1:1"), &s->addr));
    }
    bench_apply(b);
}

static void bench_reset(struct bench *b)
{
    list_each(at, keep, &b->backend->servers)
        list_owner(at, struct server_state, link)->n_busy = 0; /* there were no connections */
    backend_state_unref(b->backend);
    worker_reset(&b->worker);
}

static struct server_state *server(struct bench *b, size_t i)
{
    list_each(at, keep, &b->backend->servers)
    {
        struct server_state *s = list_owner(at, struct server_state, link);

        if (str_eq(server_full_name(s), b->servers[i].full_name))
            return s;
    }
    return NULL;
}

static size_t index_of(const struct bench *b, const struct server_state *s)
{
    for (size_t i = 0; i < b->config.n_servers; i++)
        if (str_eq(server_full_name(s), b->servers[i].full_name))
            return i;
    return SIZE_MAX;
}

static void set_down(struct bench *b, size_t i, bool is_down)
{
    server(b, i)->is_down = is_down;
    balance_reset(b->backend);
}

/* The letter of the server chosen; `-`: none. */
static char pick_with(struct bench *b, struct balance_ask ask)
{
    struct server_state *s = balance_pick(b->backend, &ask);

    return s == NULL ? '-' : (char)('a' + index_of(b, s));
}

static char pick(struct bench *b)
{
    return pick_with(b, (struct balance_ask){.tried = 0});
}

static bool picks_are(struct bench *b, const char *expected)
{
    for (; *expected != '\0'; expected++)
        if (pick(b) != *expected)
            return false;
    return true;
}

static void equal_servers_have_their_turns(void)
{
    static const unsigned weights[] = {1, 1, 1};
    struct bench b;

    bench_init(&b, BALANCE_ROUNDROBIN, weights, 3);
    CU_ASSERT(picks_are(&b, "abcabcabc"));
    set_down(&b, 1, true);
    CU_ASSERT(picks_are(&b, "acacac"));
    /* It comes back behind nobody's turn. */
    set_down(&b, 1, false);
    CU_ASSERT(picks_are(&b, "bacbac"));
    bench_reset(&b);
}

static void weights_are_spread_evenly(void)
{
    static const unsigned weights[] = {5, 1, 1};
    struct bench b;

    bench_init(&b, BALANCE_ROUNDROBIN, weights, 3);
    CU_ASSERT(picks_are(&b, "aabacaa"));
    CU_ASSERT(picks_are(&b, "aabacaa"));
    bench_reset(&b);
}

/* Whatever the weights: in each run as long as their sum every server has exactly its share, and in
 * no part of it is one ahead of its share by a whole request or more. */
static void a_cycle_is_exact(void)
{
    uint64_t seed = 7;

    for (unsigned round = 0; round < 60; round++) {
        unsigned weights[CONFIG_SERVERS_MAX];
        unsigned counts[CONFIG_SERVERS_MAX] = {0};
        unsigned total = 0;
        size_t n = 1 + round % CONFIG_SERVERS_MAX;
        struct bench b;

        for (size_t i = 0; i < n; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            weights[i] = 1 + (unsigned)(seed >> 33) % (round % 2 == 0 ? 256u : 5u);
            total += weights[i];
        }
        bench_init(&b, BALANCE_ROUNDROBIN, weights, n);
        for (unsigned k = 1; k <= 2 * total; k++) {
            struct balance_ask ask = {.tried = 0};
            size_t i = index_of(&b, balance_pick(b.backend, &ask));

            counts[i]++;
            CU_ASSERT((counts[i] - 1) * total < k * weights[i]);
            for (size_t j = 0; k % total == 0 && j < n; j++)
                CU_ASSERT_EQUAL(counts[j], k / total * weights[j]);
        }
        bench_reset(&b);
    }
}

static void whom_nothing_can_be_sent_is_passed_over(void)
{
    static const unsigned weights[] = {1, 0, 1, 1};
    struct bench b;

    bench_init(&b, BALANCE_ROUNDROBIN, weights, 4);
    b.servers[3].is_disabled = true;
    bench_apply(&b);
    CU_ASSERT(picks_are(&b, "acac"));
    CU_ASSERT_EQUAL(pick_with(&b, (struct balance_ask){.tried = server_mark(server(&b, 0))}), 'c');
    CU_ASSERT_FALSE(backend_all_tried(b.backend, server_mark(server(&b, 0))));
    CU_ASSERT(backend_all_tried(b.backend,
                                server_mark(server(&b, 0)) | server_mark(server(&b, 2))));
    set_down(&b, 0, true);
    set_down(&b, 2, true);
    CU_ASSERT_EQUAL(pick(&b), '-');
    CU_ASSERT_PTR_NULL(balance_look(b.backend, 0, 0));
    b.servers[3].is_disabled = false; /* a reload */
    bench_apply(&b);
    CU_ASSERT_EQUAL(pick(&b), 'd');
    bench_reset(&b);
}

static void a_backup_waits_for_all_others_to_be_down(void)
{
    static const unsigned weights[] = {1, 1, 1, 1};
    struct bench b;
    uint64_t both;

    bench_init(&b, BALANCE_ROUNDROBIN, weights, 4);
    b.servers[2].is_backup = true;
    b.servers[3].is_backup = true;
    bench_apply(&b);
    both = server_mark(server(&b, 0)) | server_mark(server(&b, 1));
    CU_ASSERT(picks_are(&b, "abab"));
    /* Those that have failed the request are asked again before a backup is. */
    CU_ASSERT_EQUAL(pick_with(&b, (struct balance_ask){.asked = both}), 'a');
    set_down(&b, 0, true);
    CU_ASSERT(picks_are(&b, "bb"));
    set_down(&b, 1, true);
    CU_ASSERT(picks_are(&b, "cdcd"));
    set_down(&b, 0, false);
    CU_ASSERT(picks_are(&b, "aa"));
    bench_reset(&b);
}

static void who_has_failed_a_request_is_asked_last(void)
{
    static const enum balance_kind kinds[] = {BALANCE_ROUNDROBIN, BALANCE_LEASTCONN, BALANCE_RANDOM,
                                              BALANCE_HASH};
    static const unsigned weights[] = {1, 2, 3};

    for (size_t k = 0; k < 4; k++) {
        struct balance_ask ask = {.has_key = true, .key = 99};
        struct bench b;

        bench_init(&b, kinds[k], weights, 3);
        for (unsigned i = 0; i < 3; i++) {
            struct server_state *s = balance_pick(b.backend, &ask);

            CU_ASSERT_EQUAL(ask.asked & server_mark(s), 0);
            ask.asked |= server_mark(s);
        }
        CU_ASSERT_PTR_NOT_NULL(balance_pick(b.backend, &ask));
        bench_reset(&b);
    }
}

static void leastconn_evens_out_what_is_busy(void)
{
    static const unsigned weights[] = {1, 2, 1};
    unsigned counts[3] = {0};
    struct bench b;

    bench_init(&b, BALANCE_LEASTCONN, weights, 3);
    server(&b, 0)->n_busy = 3;
    server(&b, 1)->n_busy = 3;
    server(&b, 2)->n_busy = 1;
    CU_ASSERT_EQUAL(pick(&b), 'c'); /* 3, 1.5, 1 */
    server(&b, 2)->n_busy = 2;
    CU_ASSERT_EQUAL(pick(&b), 'b'); /* 3, 1.5, 2 */
    server(&b, 1)->n_busy = 5;
    CU_ASSERT_EQUAL(pick(&b), 'c'); /* 3, 2.5, 2 */
    for (size_t i = 0; i < 3; i++)
        server(&b, i)->n_busy = 0;
    balance_reset(b.backend);
    for (unsigned i = 0; i < 8; i++) /* equals: in turn, by weight */
        counts[pick(&b) - 'a']++;
    CU_ASSERT(counts[0] == 2 && counts[1] == 4 && counts[2] == 2);
    bench_reset(&b);
}

/* Requests that never end: each server comes to have its share, to within one. */
static void leastconn_fills_by_weight(void)
{
    static const unsigned weights[] = {1, 7, 3, 256};
    struct bench b;

    bench_init(&b, BALANCE_LEASTCONN, weights, 4);
    for (unsigned i = 0; i < 267 * 4; i++)
        server(&b, (size_t)(pick(&b) - 'a'))->n_busy++;
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(server(&b, i)->n_busy, weights[i] * 4);
    bench_reset(&b);
}

static void random_draws_by_weight(void)
{
    static const unsigned weights[] = {1, 2, 5};
    unsigned counts[3] = {0};
    struct bench b;

    bench_init(&b, BALANCE_RANDOM, weights, 3);
    for (unsigned i = 0; i < KEYS; i++)
        counts[pick(&b) - 'a']++;
    /* All idle: the first of the two drawn. Five standard deviations of a fair lot. */
    CU_ASSERT(counts[0] > KEYS / 8 - 250 && counts[0] < KEYS / 8 + 250);
    CU_ASSERT(counts[1] > KEYS / 4 - 320 && counts[1] < KEYS / 4 + 320);
    server(&b, 2)->n_busy = 6; /* 1.2 for its weight: whoever is drawn beside it is less busy */
    for (unsigned i = 0; i < 1000; i++)
        CU_ASSERT(pick(&b) != 'c');
    bench_reset(&b);
}

static void hash_of(struct bench *b, char *where)
{
    for (uint64_t key = 0; key < KEYS; key++)
        where[key] = pick_with(b, (struct balance_ask){.has_key = true, .key = key});
}

static void hash_gives_each_its_share(void)
{
    static const unsigned weights[] = {1, 1, 2, 4};
    static char where[KEYS];
    unsigned counts[4] = {0};
    struct bench b;

    bench_init(&b, BALANCE_HASH, weights, 4);
    hash_of(&b, where);
    for (unsigned i = 0; i < KEYS; i++)
        counts[where[i] - 'a']++;
    for (size_t i = 0; i < 4; i++) {
        unsigned share = KEYS / 8 * weights[i];

        CU_ASSERT(counts[i] > share - 350 && counts[i] < share + 350);
    }
    bench_reset(&b);
}

/* Down, and removed: only the keys of that server move, to where each of them goes next anyway. */
static void a_server_that_goes_moves_only_its_keys(void)
{
    static const unsigned weights[] = {3, 1, 1, 2, 1};
    static char before[KEYS];
    static char after[KEYS];
    struct bench b;

    bench_init(&b, BALANCE_HASH, weights, 5);
    hash_of(&b, before);
    for (size_t gone = 0; gone < 5; gone++) {
        struct balance_ask ask = {.has_key = true, .asked = server_mark(server(&b, gone))};

        set_down(&b, gone, true);
        hash_of(&b, after);
        set_down(&b, gone, false);
        for (ask.key = 0; ask.key < KEYS; ask.key++) {
            bool is_its = before[ask.key] == (char)('a' + gone);

            CU_ASSERT_EQUAL(after[ask.key], is_its ? pick_with(&b, ask) : before[ask.key]);
        }
    }
    b.config.n_servers = 4; /* a reload without e */
    bench_apply(&b);
    hash_of(&b, after);
    for (unsigned key = 0; key < KEYS; key++)
        CU_ASSERT(before[key] == 'e' || before[key] == after[key]);
    b.config.n_servers = 5; /* and with it again */
    bench_apply(&b);
    hash_of(&b, after);
    CU_ASSERT_EQUAL(memcmp(before, after, KEYS), 0);
    bench_reset(&b);
}

static void a_weight_that_grows_takes_and_gives_nothing_else(void)
{
    static const unsigned weights[] = {1, 1, 1};
    static char before[KEYS];
    static char after[KEYS];
    struct bench b;

    bench_init(&b, BALANCE_HASH, weights, 3);
    hash_of(&b, before);
    b.servers[1].weight = 2;
    bench_apply(&b);
    hash_of(&b, after);
    for (unsigned key = 0; key < KEYS; key++)
        CU_ASSERT(after[key] == before[key] || after[key] == 'b');
    bench_reset(&b);
}

/* Requests of other processes and of tomorrow go to the same server. */
static void keys_are_the_same_everywhere(void)
{
    static const unsigned weights[] = {1, 1, 1, 1};
    char where[9] = {0};
    struct bench b;

    CU_ASSERT_EQUAL(balance_key(STR("192.0.2.1")), balance_key(STR("192.0.2.1")));
    CU_ASSERT_NOT_EQUAL(balance_key(STR("192.0.2.1")), balance_key(STR("192.0.2.2")));
    bench_init(&b, BALANCE_HASH, weights, 4);
    for (unsigned i = 0; i < 8; i++)
        where[i] = pick_with(&b, (struct balance_ask){.has_key = true, .key = i});
    CU_ASSERT_STRING_EQUAL(where, "dcbdcccc");
    bench_reset(&b);
}

static void hash_without_a_key_is_round_robin(void)
{
    static const unsigned weights[] = {1, 1, 1};
    struct bench b;

    bench_init(&b, BALANCE_HASH, weights, 3);
    CU_ASSERT(picks_are(&b, "abcabc"));
    bench_reset(&b);
}

UNIT_SUITE(proxy_balance)
{
    UNIT_TEST(equal_servers_have_their_turns);
    UNIT_TEST(weights_are_spread_evenly);
    UNIT_TEST(a_cycle_is_exact);
    UNIT_TEST(whom_nothing_can_be_sent_is_passed_over);
    UNIT_TEST(a_backup_waits_for_all_others_to_be_down);
    UNIT_TEST(who_has_failed_a_request_is_asked_last);
    UNIT_TEST(leastconn_evens_out_what_is_busy);
    UNIT_TEST(leastconn_fills_by_weight);
    UNIT_TEST(random_draws_by_weight);
    UNIT_TEST(hash_gives_each_its_share);
    UNIT_TEST(a_server_that_goes_moves_only_its_keys);
    UNIT_TEST(a_weight_that_grows_takes_and_gives_nothing_else);
    UNIT_TEST(keys_are_the_same_everywhere);
    UNIT_TEST(hash_without_a_key_is_round_robin);
}

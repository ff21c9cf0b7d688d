/*
 * balance - which server of a backend a request goes to.
 */
#include "proxy/balance.h"

#include "base/panic.h"

#include <math.h>
#include <xxhash.h>

struct candidates {
    struct server_state *list[CONFIG_SERVERS_MAX];
    unsigned n;
};

/* Lower is better; a request goes to the best that there are. */
static unsigned rank_of(const struct server_state *s, uint64_t asked)
{
    return (s->is_backup ? 2u : 0u) + ((asked & server_mark(s)) != 0 ? 1u : 0u);
}

static void find(const struct backend_state *b, uint64_t tried, uint64_t asked,
                 struct candidates *c)
{
    unsigned best = UINT32_MAX;

    c->n = 0;
    list_each(at, keep, (struct list *)(uintptr_t)&b->servers)
    {
        struct server_state *s = list_owner(at, struct server_state, link);
        unsigned rank = rank_of(s, asked);

        if (s->is_down || s->weight == 0 || (tried & server_mark(s)) != 0 || rank > best)
            continue;
        if (rank < best)
            c->n = 0;
        best = rank;
        c->list[c->n++] = s;
    }
}

/* The same choice as find and pick_in_turn make where all are equal, without looking at all. */
static struct server_state *pick_longest_waiting(struct backend_state *b, uint64_t tried,
                                                 uint64_t asked)
{
    struct server_state *second = NULL;

    list_each(at, keep, &b->servers)
    {
        struct server_state *s = list_owner(at, struct server_state, link);

        if (s->is_down || s->weight == 0 || (tried & server_mark(s)) != 0)
            continue;
        if ((asked & server_mark(s)) == 0)
            return s;
        if (second == NULL)
            second = s;
    }
    return second;
}

static struct server_state *pick_in_turn(const struct candidates *c)
{
    struct server_state *best = c->list[0];
    int total = 0;

    for (unsigned i = 0; i < c->n; i++) {
        struct server_state *s = c->list[i];

        s->turn += (int)s->weight;
        total += (int)s->weight;
        if (s->turn > best->turn)
            best = s;
    }
    best->turn -= total;
    return best;
}

/* Has a fewer exchanges for its weight than b? */
static bool is_less_busy(const struct server_state *a, const struct server_state *b)
{
    return (uint64_t)a->n_busy * b->weight < (uint64_t)b->n_busy * a->weight;
}

static struct server_state *pick_least(const struct candidates *c)
{
    struct candidates least = {.n = 0};

    for (unsigned i = 0; i < c->n; i++) {
        struct server_state *s = c->list[i];

        if (least.n > 0 && is_less_busy(s, least.list[0]))
            least.n = 0;
        if (least.n == 0 || !is_less_busy(least.list[0], s))
            least.list[least.n++] = s;
    }
    return pick_in_turn(&least);
}

/* splitmix64: even enough for a lot, and nobody has anything to gain from guessing it. */
static uint64_t next_random(struct backend_state *b)
{
    uint64_t z = b->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Draw one by weight; `not` takes no part (NULL: all do). */
static struct server_state *draw(struct backend_state *b, const struct candidates *c,
                                 const struct server_state *not)
{
    uint64_t total = 0;
    uint64_t at;

    for (unsigned i = 0; i < c->n; i++)
        total += c->list[i] == not ? 0 : c->list[i]->weight;
    at = next_random(b) % total;
    for (unsigned i = 0; i < c->n; i++) {
        if (c->list[i] == not)
            continue;
        if (at < c->list[i]->weight)
            return c->list[i];
        at -= c->list[i]->weight;
    }
    unreachable("the weights add up to more than their total");
}

/* Two choices instead of one: the longest queue is exponentially shorter (Mitzenmacher 2001). */
static struct server_state *pick_random(struct backend_state *b, const struct candidates *c)
{
    struct server_state *first = draw(b, c, NULL);
    struct server_state *second = c->n == 1 ? first : draw(b, c, first);

    return is_less_busy(second, first) ? second : first;
}

uint64_t balance_key(struct str text)
{
    return XXH3_64bits(text.p, text.n);
}

uint64_t balance_seed(struct str server_name)
{
    return XXH3_64bits(server_name.p, server_name.n);
}

/* Of equal servers each is the highest for an equal share of the keys; a weight w counts as w of
 * them (weighted rendezvous, Schindelhauer and Schomaker 2005). */
static double score(const struct server_state *s, uint64_t key)
{
    uint64_t bits = XXH3_64bits_withSeed(&key, sizeof(key), s->seed);
    double even = ((double)(bits >> 11) + 0.5) / (double)((uint64_t)1 << 53); /* within 0..1 */

    return (double)s->weight / -log(even);
}

static struct server_state *pick_by_key(const struct candidates *c, uint64_t key)
{
    struct server_state *best = c->list[0];
    double best_score = score(best, key);

    for (unsigned i = 1; i < c->n; i++) {
        double one = score(c->list[i], key);

        if (one > best_score) {
            best = c->list[i];
            best_score = one;
        }
    }
    return best;
}

static struct server_state *pick(struct backend_state *b, const struct balance_ask *ask)
{
    struct candidates c;

    find(b, ask->tried, ask->asked, &c);
    if (c.n < 2)
        return c.n == 0 ? NULL : c.list[0];
    switch (b->balance) {
    case BALANCE_ROUNDROBIN: break;
    case BALANCE_LEASTCONN: return pick_least(&c);
    case BALANCE_RANDOM: return pick_random(b, &c);
    case BALANCE_HASH:
        if (ask->has_key)
            return pick_by_key(&c, ask->key);
        break;
    }
    return pick_in_turn(&c);
}

struct server_state *balance_pick(struct backend_state *b, const struct balance_ask *ask)
{
    struct server_state *s = b->is_even && b->balance == BALANCE_ROUNDROBIN
                                 ? pick_longest_waiting(b, ask->tried, ask->asked)
                                 : pick(b, ask);

    if (s != NULL && b->n_servers > 1) { /* behind those that have waited longer */
        list_unlink(&s->link);
        list_push_back(&b->servers, &s->link);
    }
    return s;
}

struct server_state *balance_look(const struct backend_state *b, uint64_t tried, uint64_t asked)
{
    struct candidates c;

    find(b, tried, asked, &c);
    return c.n == 0 ? NULL : c.list[0];
}

void balance_reset(struct backend_state *b)
{
    unsigned weight = 0;

    b->is_even = true;
    list_each(at, keep, &b->servers)
    {
        struct server_state *s = list_owner(at, struct server_state, link);

        s->turn = 0;
        if (s->weight == 0)
            continue;
        b->is_even = b->is_even && !s->is_backup && (weight == 0 || weight == s->weight);
        weight = s->weight;
    }
}

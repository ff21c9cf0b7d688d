/*
 * proxy_state - the table of the states of a transaction is well formed.
 */
#include "proxy/txn_state.h"

#include "base/str.h"
#include "unit.h"

static bool may_follow(unsigned from, unsigned to)
{
    return (txn_states[from].next & (1u << to)) != 0;
}

/* All states that a walk from `from` can come to, `from` too. */
static unsigned reachable(unsigned from)
{
    unsigned seen = 1u << from;

    for (unsigned round = 0; round < TXN_STATE_N; round++)
        for (unsigned s = 0; s < TXN_STATE_N; s++)
            if (seen & (1u << s))
                seen |= txn_states[s].next;
    return seen;
}

static void words_are_unique(void)
{
    for (unsigned i = 0; i < TXN_STATE_N; i++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(txn_states[i].word);
        CU_ASSERT(txn_states[i].word[0] != '\0');
        for (unsigned j = 0; j < i; j++)
            CU_ASSERT(strcmp(txn_states[i].word, txn_states[j].word) != 0);
    }
}

static void done_is_the_last_and_the_end(void)
{
    CU_ASSERT_EQUAL(TXN_ROUTE, 0);
    CU_ASSERT_EQUAL(TXN_DONE + 1, TXN_STATE_N);
    CU_ASSERT_EQUAL(txn_states[TXN_DONE].next, 0);
    for (unsigned i = 0; i < TXN_DONE; i++) {
        CU_ASSERT(txn_states[i].next != 0);
        CU_ASSERT_EQUAL(txn_states[i].next >> TXN_STATE_N, 0);
        CU_ASSERT(!may_follow(i, i));
        CU_ASSERT(!may_follow(i, TXN_ROUTE));
    }
}

static void every_state_is_reached_and_ends(void)
{
    CU_ASSERT_EQUAL(reachable(TXN_ROUTE), (1u << TXN_STATE_N) - 1);
    for (unsigned i = 0; i < TXN_STATE_N; i++)
        CU_ASSERT(reachable(i) & (1u << TXN_DONE));
    /* Every state can be the last: a process that ends finishes all of them at once. */
    for (unsigned i = 0; i < TXN_DONE; i++)
        CU_ASSERT(may_follow(i, TXN_DONE));
}

/* A reply where no response head has been sent (or one could be taken back); an abort where one has. */
static void failures_have_their_way_out(void)
{
    static const unsigned before[] = {TXN_ROUTE, TXN_RECEIVE, TXN_QUEUE, TXN_CONNECT, TXN_AWAIT};
    static const unsigned after[] = {TXN_RELAY, TXN_REPLY};

    for (unsigned i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        CU_ASSERT(may_follow(before[i], TXN_REPLY));
        CU_ASSERT(!may_follow(before[i], TXN_ABORT));
    }
    for (unsigned i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
        CU_ASSERT(may_follow(after[i], TXN_ABORT));
        /* Nothing is sent again once a response is on its way. */
        CU_ASSERT_EQUAL(reachable(after[i]) & (1u << TXN_QUEUE), 0);
    }
    CU_ASSERT(may_follow(TXN_RELAY, TXN_REPLY));
    CU_ASSERT(!may_follow(TXN_ABORT, TXN_REPLY));
}

UNIT_SUITE(proxy_state)
{
    UNIT_TEST(words_are_unique);
    UNIT_TEST(done_is_the_last_and_the_end);
    UNIT_TEST(every_state_is_reached_and_ends);
    UNIT_TEST(failures_have_their_way_out);
}

/*
 * txn_state - the states of a transaction.
 */
#include "proxy/txn_state.h"

#define BIT(state) (1u << TXN_##state)

const struct txn_state_row txn_states[TXN_STATE_N] = {
#define X(id, word, next, doc) [TXN_##id] = {word, next},
#include "proxy/txn_state.def"
#undef X
};

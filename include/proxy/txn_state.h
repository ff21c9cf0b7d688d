/*
 * txn_state - the states of a transaction. The rows are txn_state.def.
 */
#ifndef HOLDFAST_PROXY_TXN_STATE_H
#define HOLDFAST_PROXY_TXN_STATE_H

enum txn_state {
#define X(id, word, next, doc) TXN_##id,
#include "proxy/txn_state.def"
#undef X
    TXN_STATE_N
};

struct txn_state_row {
    const char *word;
    unsigned next; /* bit of each state that may follow */
};

extern const struct txn_state_row txn_states[TXN_STATE_N];

#endif

/*
 * radix - which of many keys does a text equal, lie below, or start with? In one walk along the
 * text, however many keys there are.
 *
 * A tree in which each edge is labelled with one or more bytes. What a key leads to is a pointer in
 * one of three slots, by how the key must fit. Read from their ends, texts and keys make a tree of
 * suffixes.
 */
#ifndef HOLDFAST_CONF_RADIX_H
#define HOLDFAST_CONF_RADIX_H

#include "conf/store.h"

enum radix_fit {
    RADIX_EQUAL, /* the text is the key */
    RADIX_UNDER, /* the text is the key, or goes on with a slash */
    RADIX_START, /* the text starts with the key */
    RADIX_FIT_N
};

struct radix_node;

/* Zero-initialise; nodes lie in the store given to radix_slot. */
struct radix {
    struct radix_node *root;
    bool is_backwards; /* keys and texts are read from their ends */
};

/* The slot of a key, NULL in it at first. The key is not copied. */
void **radix_slot(struct radix *r, struct store *s, struct str key, enum radix_fit fit);

/*
 * What the keys that fit text lead to, shortest key first: up to `room` of them at found. Returns
 * how many there are, which may be more than room.
 */
size_t radix_find(const struct radix *r, struct str text, void **found, size_t room);

#endif

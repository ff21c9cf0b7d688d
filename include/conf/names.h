/*
 * names - a table from text to a pointer, for a load: who is called what, and who was first.
 */
#ifndef HOLDFAST_CONF_NAMES_H
#define HOLDFAST_CONF_NAMES_H

#include "conf/store.h"

/* Zero-initialise. The table lies in the store given to names_add. */
struct names {
    struct names_slot *slots;
    size_t n_slots; /* a power of 2, or 0 */
    size_t n;
};

/*
 * Enter value under key, which is not copied. Returns NULL, or the value that is there already and
 * stays.
 */
void *names_add(struct names *t, struct store *s, struct str key, void *value);

/* The value of a key, or NULL. */
void *names_find(const struct names *t, struct str key);

#endif

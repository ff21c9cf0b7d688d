/*
 * names - a table from text to a pointer: open addressing, at most half full.
 */
#include "conf/names.h"

struct names_slot {
    struct str key;
    void *value; /* NULL: free */
};

/* FNV-1a: the keys are the administrator's own, nobody picks them to collide. */
static size_t hash(struct str key)
{
    uint64_t h = 0xcbf29ce484222325U;

    for (size_t i = 0; i < key.n; i++)
        h = (h ^ (unsigned char)key.p[i]) * 0x100000001b3U;
    return (size_t)(h ^ h >> 32);
}

static struct names_slot *find_slot(struct names_slot *slots, size_t n_slots, struct str key)
{
    size_t at = hash(key) & (n_slots - 1);

    while (slots[at].value != NULL && !str_eq(slots[at].key, key))
        at = (at + 1) & (n_slots - 1);
    return &slots[at];
}

static void names_grow(struct names *t, struct store *s)
{
    size_t n_slots = t->n_slots == 0 ? 16 : 2 * t->n_slots;
    struct names_slot *slots = store_zalloc(s, n_slots, sizeof(*slots));

    for (size_t i = 0; i < t->n_slots; i++)
        if (t->slots[i].value != NULL)
            *find_slot(slots, n_slots, t->slots[i].key) = t->slots[i];
    t->slots = slots;
    t->n_slots = n_slots;
}

void *names_add(struct names *t, struct store *s, struct str key, void *value)
{
    struct names_slot *slot;

    if (2 * t->n >= t->n_slots)
        names_grow(t, s);
    slot = find_slot(t->slots, t->n_slots, key);
    if (slot->value != NULL)
        return slot->value;
    *slot = (struct names_slot){key, value};
    t->n++;
    return NULL;
}

void *names_find(const struct names *t, struct str key)
{
    return t->n_slots == 0 ? NULL : find_slot(t->slots, t->n_slots, key)->value;
}

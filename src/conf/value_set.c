/*
 * value_set - many values of a condition's `in`.
 */
#include "conf/value_set.h"

#define KEY_BYTES (sizeof(struct ip) + 1)
#define N_LENGTHS 129

struct value_set {
    struct names names;
    unsigned char lengths[N_LENGTHS]; /* the prefix lengths in use, each once */
    size_t n_lengths;
};

/* The first `bits` of an address, and how many they are. */
static void make_key(char key[KEY_BYTES], const struct ip *ip, unsigned bits)
{
    size_t whole = bits / 8;

    memset(key, 0, KEY_BYTES);
    memcpy(key, ip->bytes, whole);
    if (bits % 8 != 0)
        key[whole] = (char)(ip->bytes[whole] & 0xff << (8 - bits % 8));
    key[KEY_BYTES - 1] = (char)bits;
}

struct value_set *value_set_new(struct store *s)
{
    return store_new(s, struct value_set);
}

void value_set_add_text(struct value_set *set, struct store *s, struct str text)
{
    names_add(&set->names, s, text, set);
}

void value_set_add_net(struct value_set *set, struct store *s, const struct cidr *net)
{
    char key[KEY_BYTES];
    bool is_new = true;

    make_key(key, &net->base, net->bits);
    names_add(&set->names, s, store_str(s, (struct str){key, KEY_BYTES}), set);
    for (size_t i = 0; i < set->n_lengths; i++)
        is_new = is_new && set->lengths[i] != net->bits;
    if (is_new)
        set->lengths[set->n_lengths++] = (unsigned char)net->bits;
}

bool value_set_has_text(const struct value_set *set, struct str text)
{
    return names_find(&set->names, text) != NULL;
}

bool value_set_has_ip(const struct value_set *set, const struct ip *ip)
{
    char key[KEY_BYTES];

    for (size_t i = 0; i < set->n_lengths; i++) {
        make_key(key, ip, set->lengths[i]);
        if (names_find(&set->names, (struct str){key, KEY_BYTES}) != NULL)
            return true;
    }
    return false;
}

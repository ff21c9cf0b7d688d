/*
 * radix - which of many keys does a text equal, lie below, or start with?
 */
#include "conf/radix.h"

struct radix_node {
    struct str edge; /* the bytes that lead here, in the order of reading */
    struct radix_node *children;
    struct radix_node
        *next; /* the next child of the same node; their edges differ in the first byte */
    void *slots[RADIX_FIT_N];
};

/* The i-th byte of a text in the order of reading. */
static char byte_at(const struct radix *r, struct str text, size_t i)
{
    return text.p[r->is_backwards ? text.n - 1 - i : i];
}

/* Bytes from..to-1 of a text in the order of reading, as the text they are. */
static struct str part_of(const struct radix *r, struct str text, size_t from, size_t to)
{
    if (text.n == 0)
        return STR("");
    return r->is_backwards ? str_slice(text, text.n - to, text.n - from)
                           : str_slice(text, from, to);
}

static struct radix_node *child_of(const struct radix *r, const struct radix_node *node, char first)
{
    struct radix_node *child = node->children;

    while (child != NULL && byte_at(r, child->edge, 0) != first)
        child = child->next;
    return child;
}

/* How many bytes of the edge does the text have from `at` on? */
static size_t shared(const struct radix *r, struct str edge, struct str text, size_t at)
{
    size_t n = 0;

    while (n < edge.n && at + n < text.n && byte_at(r, edge, n) == byte_at(r, text, at + n))
        n++;
    return n;
}

static struct radix_node *add_child(struct store *s, struct radix_node *node, struct str edge)
{
    struct radix_node *child = store_new(s, struct radix_node);

    child->edge = edge;
    child->next = node->children;
    node->children = child;
    return child;
}

/* Part an edge after n of its bytes: the node keeps the first, a new child has what was below. */
static void split(const struct radix *r, struct store *s, struct radix_node *node, size_t n)
{
    struct radix_node *rest = store_new(s, struct radix_node);

    *rest = *node;
    rest->edge = part_of(r, node->edge, n, node->edge.n);
    rest->next = NULL;
    node->edge = part_of(r, node->edge, 0, n);
    node->children = rest;
    memset(node->slots, 0, sizeof(node->slots));
}

void **radix_slot(struct radix *r, struct store *s, struct str key, enum radix_fit fit)
{
    struct radix_node *node;
    size_t at = 0;

    if (r->root == NULL)
        r->root = store_new(s, struct radix_node);
    node = r->root;
    while (at < key.n) {
        struct radix_node *child = child_of(r, node, byte_at(r, key, at));
        size_t n;

        if (child == NULL) {
            node = add_child(s, node, part_of(r, key, at, key.n));
            break;
        }
        n = shared(r, child->edge, key, at);
        if (n < child->edge.n)
            split(r, s, child, n);
        node = child;
        at += n;
    }
    return &node->slots[fit];
}

size_t radix_find(const struct radix *r, struct str text, void **found, size_t room)
{
    const struct radix_node *node = r->root;
    size_t at = 0;
    size_t n = 0;

    while (node != NULL) {
        const bool fits[RADIX_FIT_N] = {
            [RADIX_EQUAL] = at == text.n,
            [RADIX_UNDER] = at == text.n || byte_at(r, text, at) == '/',
            [RADIX_START] = true,
        };

        for (unsigned i = 0; i < RADIX_FIT_N; i++) {
            if (!fits[i] || node->slots[i] == NULL)
                continue;
            if (n < room)
                found[n] = node->slots[i];
            n++;
        }
        if (at == text.n)
            break;
        node = child_of(r, node, byte_at(r, text, at));
        if (node == NULL || shared(r, node->edge, text, at) < node->edge.n)
            break;
        at += node->edge.n;
    }
    return n;
}

/*
 * list - an intrusive, circular, doubly linked list.
 *
 * The link is embedded in its owner; a link that is in no list points at itself, so unlinking twice
 * is harmless and "is it queued?" needs no flag. Lists allocate nothing.
 */
#ifndef HOLDFAST_BASE_LIST_H
#define HOLDFAST_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

/* The struct of `type` whose member `member` is the link at `link`. */
#define list_owner(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

/* Walk a list; the current element may be unlinked or freed by the body of the loop. */
#define list_each(at, keep, head)                                                                  \
    for (struct list *at = (head)->next, *keep = at->next; at != (head); at = keep, keep = at->next)

static inline void list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

/* Of a head: has it no elements? Of a link: is it in no list? */
static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}

/* Insert link before `where`; with a head as `where` that is at the end. The link must be in no
 * list. */
static inline void list_insert_before(struct list *where, struct list *link)
{
    link->prev = where->prev;
    link->next = where;
    where->prev->next = link;
    where->prev = link;
}

static inline void list_push_back(struct list *head, struct list *link)
{
    list_insert_before(head, link);
}

static inline void list_push_front(struct list *head, struct list *link)
{
    list_insert_before(head->next, link);
}

static inline void list_unlink(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Unlink and return the first element, or NULL. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *first = head->next;

    if (first == head)
        return NULL;
    list_unlink(first);
    return first;
}

#endif

/*
 * status_page - how it is going, of all workers together: text, or JSON for `?json`.
 */
#ifndef HOLDFAST_PROXY_STATUS_PAGE_H
#define HOLDFAST_PROXY_STATUS_PAGE_H

#include "proxy/txn.h"

/* Held requests that the page describes one by one; their number is always told. */
#define STATUS_PAGE_HELD_MAX 1000

/* The page, in t's arena; p == NULL: no memory. Reads shared memory alone. */
struct str status_page_render(struct txn *t, bool as_json);

#endif

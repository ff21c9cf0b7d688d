/*
 * reply - answers of our own: respond, redirect, files, error pages, and the built-in page.
 *
 * All of them enter REPLY and are sent from memory or from a file. A reply to a request whose body
 * is still coming goes out at once; the codec drops or lingers after it.
 */
#ifndef HOLDFAST_PROXY_REPLY_H
#define HOLDFAST_PROXY_REPLY_H

#include "io/directory.h"
#include "proxy/txn.h"

#define ANSWER_FIELDS_MAX 4

/* An answer: its content is `body`, or where has_file is set, n bytes of the file from `from`. */
struct answer {
    unsigned status;
    struct str content_type;
    struct str location; /* empty: none */
    struct str body;
    bool has_file;
    struct file file;
    uint64_t from;
    uint64_t n;
    struct field fields[ANSWER_FIELDS_MAX]; /* beside Date, Server, Location and Content-Type */
    size_t n_fields;
};

/* Give the answer one more field. Both texts must live as long as the transaction. */
void answer_add(struct answer *a, struct str name, struct str value);

/* Answer the request so. The file is the transaction's from here on. */
void reply_send(struct txn *t, struct answer *a);

/* Answer as the route's respond or redirect says. */
void reply_route(struct txn *t);

/* Answer with how it is going. */
void reply_status_page(struct txn *t);

/* Answer 200 without content. */
void reply_empty(struct txn *t);

/* Answer with an error: the policy's page for the status, else the built-in one. t->reason is
 * set. */
void reply_error(struct txn *t, unsigned status);

/* Likewise with why's status, and a field that belongs to it (Allow, Content-Range). */
void reply_refuse(struct txn *t, enum reason why, struct str name, struct str value);

/* Does the policy replace this response of a server by a page of its own (intercept-errors)? */
bool reply_replaces(const struct txn *t, unsigned status);

#endif

/*
 * client - for whom a request was sent, where proxies stand before this one.
 */
#include "proxy/client.h"

/* Take the last element off a comma-separated list. */
static struct str element_last(struct str *list)
{
    const char *comma = list->n == 0 ? NULL : memrchr(list->p, ',', list->n);
    size_t from = comma == NULL ? 0 : (size_t)(comma + 1 - list->p);
    struct str last = str_slice(*list, from, list->n);

    list->n = from == 0 ? 0 : from - 1;
    return str_trim(last);
}

/* Walk one field to the left. False: the client is found, there is no need to look further. */
static bool walk_field(struct txn *t, struct str list)
{
    while (list.n > 0) {
        struct str text = element_last(&list);
        struct endpoint e;

        if (text.n == 0)
            continue; /* RFC 9110 5.6.1.2: an empty element is none */
        if (!endpoint_parse(text, &e))
            return false;
        t->client = e;
        if (!peers_hold(&t->policy->trusted_proxies, &e))
            return false;
    }
    return true;
}

void client_believe(struct txn *t)
{
    const struct head *h = t->request;

    t->client = t->sender;
    t->sender_is_trusted = peers_hold(&t->policy->trusted_proxies, &t->sender);
    /* One word alone: of a list nobody knows which connection it speaks of. */
    t->scheme_is_https = t->sender_is_trusted &&
                         str_eq_nocase(head_value(h, FIELD_X_FORWARDED_PROTO), STR("https"));
    for (size_t i = h->n_fields; t->sender_is_trusted && i-- > 0;)
        if (h->fields[i].id == FIELD_X_FORWARDED_FOR && !walk_field(t, h->fields[i].value))
            return;
}

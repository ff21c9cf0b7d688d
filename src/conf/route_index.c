/*
 * route_index - the routes that may take a request, without trying all of them.
 *
 * A tree of hosts, read from their ends, leads to trees of paths, and these to lists of routes.
 * What a condition does not ask for is the empty key that every text starts with.
 */
#include "conf/route_index.h"

#include "conf/radix.h"

/* Hosts and paths of one condition that are worth an entry each; beyond that it is asked always. */
#define KEYS_MAX    4096
#define ENTRIES_MAX 8192
/* Trees of paths that the host of one request may lead to. */
#define HOSTS_MAX 16

/* Routes by their number, in order. */
struct route_list {
    uint32_t *routes;
    size_t n;
    size_t room;
};

struct route_index {
    struct radix hosts; /* to struct radix of paths, and these to struct route_list */
    size_t n_routes;
};

/* --- what a condition asks for --- */

struct key {
    struct str text;
    enum radix_fit fit;
};

/* If the condition holds, one of these fits. */
struct keys {
    struct key *list;
    size_t n;
};

static const struct key any_key = {
    {"", 0},
    RADIX_START
};

static struct keys no_keys(void)
{
    return (struct keys){NULL, 0};
}

/* How a key of this test must fit the variable; RADIX_FIT_N: the test gives none. */
static enum radix_fit fit_of(const struct expr *e)
{
    bool is_path = e->var.id == VAR_ID_PATH;

    switch ((unsigned)e->op) {
    case EXPR_EQ: return RADIX_EQUAL;
    case EXPR_IN: return e->file.n == 0 ? RADIX_EQUAL : RADIX_FIT_N;
    case EXPR_UNDER: return RADIX_UNDER;
    case EXPR_STARTS_WITH: return is_path ? RADIX_START : RADIX_FIT_N;
    case EXPR_ENDS_WITH: return is_path ? RADIX_FIT_N : RADIX_START; /* hosts are read backwards */
    default: return RADIX_FIT_N;
    }
}

static struct keys keys_of_test(struct store *s, const struct expr *e)
{
    enum radix_fit fit = fit_of(e);
    struct keys keys = {NULL, 0};

    if (fit == RADIX_FIT_N || e->n_values > KEYS_MAX)
        return no_keys();
    keys.list = store_zalloc(s, e->n_values, sizeof(*keys.list));
    for (; keys.n < e->n_values; keys.n++) {
        struct str text = e->values[keys.n].text;

        while (fit == RADIX_UNDER && text.n > 0 && text.p[text.n - 1] == '/')
            text.n--;
        keys.list[keys.n] = (struct key){text, fit};
    }
    return keys;
}

/* Does a leave fewer routes over than b? Fewer keys do, then tighter ones, then longer ones. */
static bool is_better(const struct keys *a, const struct keys *b)
{
    if (a->n == 0 || b->n == 0)
        return b->n == 0;
    if (a->n != b->n)
        return a->n < b->n;
    if (a->list[0].fit != b->list[0].fit)
        return a->list[0].fit < b->list[0].fit;
    return a->list[0].text.n > b->list[0].text.n;
}

static struct keys keys_of(struct store *s, const struct expr *e, enum var_id var);

static struct keys keys_of_all(struct store *s, const struct expr *e, enum var_id var)
{
    struct keys best = no_keys();

    for (size_t i = 0; i < e->n_items; i++) {
        struct keys keys = keys_of(s, e->items[i], var);

        if (is_better(&keys, &best))
            best = keys;
    }
    return best;
}

/* Every alternative must give keys, or none says anything. */
static struct keys keys_of_any(struct store *s, const struct expr *e, enum var_id var)
{
    struct keys all = no_keys();

    for (size_t i = 0; i < e->n_items; i++) {
        struct keys keys = keys_of(s, e->items[i], var);

        if (keys.n == 0 || all.n + keys.n > KEYS_MAX)
            return no_keys();
        all.list = store_grow(s, all.list, all.n, all.n + keys.n, sizeof(*all.list));
        memcpy(all.list + all.n, keys.list, keys.n * sizeof(*keys.list));
        all.n += keys.n;
    }
    return all;
}

/* What the condition asks of a variable. n == 0: nothing that helps. Depth: that of the condition.
 */
static struct keys keys_of(struct store *s, const struct expr *e, enum var_id var)
{
    switch ((unsigned)e->op) {
    case EXPR_AND: return keys_of_all(s, e, var);
    case EXPR_OR: return keys_of_any(s, e, var);
    case EXPR_ACL: return keys_of(s, e->items[0], var);
    case EXPR_NOT: return no_keys();
    default: return e->var.id == var ? keys_of_test(s, e) : no_keys();
    }
}

/* --- making the index --- */

static struct keys keys_or_any(struct store *s, const struct expr *when, enum var_id var)
{
    struct keys keys = when == NULL ? no_keys() : keys_of(s, when, var);

    if (keys.n > 0)
        return keys;
    keys.list = store_zalloc(s, 1, sizeof(*keys.list));
    keys.list[0] = any_key;
    keys.n = 1;
    return keys;
}

static void list_add(struct store *s, struct route_list *list, size_t route)
{
    if (list->n > 0 && list->routes[list->n - 1] == route)
        return;
    if (list->n == list->room) {
        list->room = list->room == 0 ? 1 : 2 * list->room;
        list->routes = store_grow(s, list->routes, list->n, list->room, sizeof(*list->routes));
    }
    list->routes[list->n++] = (uint32_t)route;
}

static void index_add_entry(struct route_index *index, struct store *s, const struct key *host,
                            const struct key *path, size_t route)
{
    void **paths = radix_slot(&index->hosts, s, host->text, host->fit);
    void **list;

    if (*paths == NULL)
        *paths = store_new(s, struct radix);
    list = radix_slot(*paths, s, path->text, path->fit);
    if (*list == NULL)
        *list = store_new(s, struct route_list);
    list_add(s, *list, route);
}

static void index_add(struct route_index *index, struct store *s, struct store *scratch,
                      const struct config_route *route, size_t number)
{
    struct keys hosts = keys_or_any(scratch, route->when, VAR_ID_HOST);
    struct keys paths = keys_or_any(scratch, route->when, VAR_ID_PATH);

    if (hosts.n * paths.n > ENTRIES_MAX) { /* the condition asks for the path by itself */
        paths.list[0] = any_key;
        paths.n = 1;
    }
    for (size_t i = 0; i < hosts.n; i++)
        for (size_t j = 0; j < paths.n; j++)
            index_add_entry(index, s, &hosts.list[i], &paths.list[j], number);
}

const struct route_index *route_index_new(struct store *s, struct store *scratch,
                                          const struct config_route *const *routes, size_t n_routes)
{
    struct route_index *index = store_new(s, struct route_index);

    index->hosts.is_backwards = true;
    index->n_routes = n_routes;
    for (size_t i = 0; i < n_routes; i++)
        if (!routes[i]->is_internal)
            index_add(index, s, scratch, routes[i], i);
    return index;
}

void route_index_sample(struct store *scratch, const struct expr *when, struct str *host,
                        struct str *path)
{
    struct keys hosts = when == NULL ? no_keys() : keys_of(scratch, when, VAR_ID_HOST);
    struct keys paths = when == NULL ? no_keys() : keys_of(scratch, when, VAR_ID_PATH);

    if (hosts.n > 0)
        *host = hosts.list[0].text;
    if (paths.n > 0 && paths.list[0].text.n > 0)
        *path = paths.list[0].text;
}

/* --- searching it --- */

void route_candidates_start(struct route_candidates *c, const struct route_index *index,
                            size_t n_routes, struct str host, struct str path)
{
    void *trees[HOSTS_MAX];
    size_t n_trees;

    c->n_lists = 0;
    c->next = 0;
    c->n_routes = n_routes;
    if (index == NULL)
        return;
    n_trees = radix_find(&index->hosts, host, trees, HOSTS_MAX);
    for (size_t i = 0; i < n_trees && n_trees <= HOSTS_MAX; i++) {
        size_t room = ROUTE_LISTS_MAX - c->n_lists;
        size_t n = radix_find(trees[i], path, (void **)(c->lists + c->n_lists), room);

        if (n > room) {
            n_trees = HOSTS_MAX + 1;
            break;
        }
        c->n_lists += n;
    }
    if (n_trees > HOSTS_MAX) { /* too many to follow: all routes are tried */
        c->n_lists = 0;
        return;
    }
    memset(c->at, 0, c->n_lists * sizeof(c->at[0]));
    c->next = n_routes;
}

bool route_candidates_next(struct route_candidates *c, size_t *route)
{
    size_t least = c->next < c->n_routes ? c->next : SIZE_MAX;

    for (size_t i = 0; i < c->n_lists; i++)
        if (c->at[i] < c->lists[i]->n && c->lists[i]->routes[c->at[i]] < least)
            least = c->lists[i]->routes[c->at[i]];
    if (least == SIZE_MAX)
        return false;
    if (c->next < c->n_routes)
        c->next++;
    for (size_t i = 0; i < c->n_lists; i++)
        if (c->at[i] < c->lists[i]->n && c->lists[i]->routes[c->at[i]] == least)
            c->at[i]++;
    *route = least;
    return true;
}

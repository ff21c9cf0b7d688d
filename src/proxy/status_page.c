/*
 * status_page - how it is going, of all workers together.
 *
 * Both forms are written from the same figures, in the same order. Names are made of letters,
 * digits,
 * `_`, `.` and `-` (conf/value.c), so that neither form needs escapes.
 */
#include "proxy/status_page.h"

#include "proxy/worker.h"

#include <stdarg.h>
#include <stdio.h>

/* A line of the page is shorter than this, whatever the figures and names. */
#define LINE_BYTES ((size_t)320)

/* In the order of the page. Connections and requests in all, then what those of now are doing. */
#define FIGURES                                                                                    \
    X(ACTIVE, "active connections", "active")                                                      \
    X(ACCEPTED, "accepted", "accepted")                                                            \
    X(HANDLED, "handled", "handled")                                                               \
    X(REQUESTS, "requests", "requests")                                                            \
    X(HEADS, "reading heads", "reading_heads")                                                     \
    X(BODIES, "receiving bodies", "receiving_bodies")                                              \
    X(HELD, "held", "held")                                                                        \
    X(WAITING, "waiting for a response", "waiting")                                                \
    X(WRITING, "writing", "writing")                                                               \
    X(TUNNELS, "tunnels", "tunnels")                                                               \
    X(IDLE, "idle", "idle")

enum figure {
#define X(id, words, key) FIGURE_##id,
    FIGURES
#undef X
        FIGURE_N
};

static const struct {
    const char *words;
    const char *key;
} figure_names[FIGURE_N] = {
#define X(id, words, key) {words, key},
    FIGURES
#undef X
};

/* Which figure a transaction in this state belongs to. */
static const enum figure figure_of_state[TXN_STATE_N] = {
    [TXN_ROUTE] = FIGURE_HEADS,    [TXN_RECEIVE] = FIGURE_BODIES, [TXN_QUEUE] = FIGURE_HELD,
    [TXN_CONNECT] = FIGURE_HELD,   [TXN_AWAIT] = FIGURE_WAITING,  [TXN_RELAY] = FIGURE_WRITING,
    [TXN_TUNNEL] = FIGURE_TUNNELS, [TXN_REPLY] = FIGURE_WRITING,  [TXN_ABORT] = FIGURE_WRITING,
    [TXN_DONE] = FIGURE_WRITING,
};

struct page {
    char *p;
    size_t n;
    size_t room;
    bool as_json;
};

static void put(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct page *page, const char *format, ...)
{
    size_t left = page->room - page->n;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(page->p + page->n, left, format, args);
    va_end(args);
    if (n > 0)
        page->n += (size_t)n < left ? (size_t)n : left - 1;
}

static void add_row(uint64_t figures[FIGURE_N], const struct row *row)
{
    figures[FIGURE_ACTIVE] += row_get(&row->n_fronts);
    figures[FIGURE_ACCEPTED] += row_get(&row->n_accepted);
    figures[FIGURE_HANDLED] += row_get(&row->n_handled);
    figures[FIGURE_REQUESTS] += row_get(&row->n_requests);
    for (unsigned i = 0; i < TXN_STATE_N; i++)
        figures[figure_of_state[i]] += row_get(&row->n_in_state[i]);
}

static void put_figures(struct page *page, const struct rows *rows)
{
    uint64_t figures[FIGURE_N] = {0};
    uint64_t busy = 0;

    for (unsigned i = 0; i < rows->n; i++)
        add_row(figures, &rows->row[i]);
    figures[FIGURE_HEADS]--; /* the request for this page, which is being written */
    figures[FIGURE_WRITING]++;
    for (unsigned i = FIGURE_HEADS; i < FIGURE_IDLE; i++)
        busy += figures[i];
    /* A resumable upload may go on without its connection; rows change while they are read. */
    figures[FIGURE_IDLE] = figures[FIGURE_ACTIVE] > busy ? figures[FIGURE_ACTIVE] - busy : 0;
    for (unsigned i = 0; i < FIGURE_N; i++)
        if (page->as_json)
            put(page, "\"%s\":%llu,", figure_names[i].key, (unsigned long long)figures[i]);
        else
            put(page, "%s: %llu\n", figure_names[i].words, (unsigned long long)figures[i]);
}

static void put_spools(struct page *page, const struct generation *g)
{
    put(page, "%s", page->as_json ? "\"spools\":[" : "");
    for (size_t i = 0; i < g->config->n_spools; i++) {
        struct spool_figures f = spool_store_figures(g->stores[i]);
        struct str name = g->config->spools[i].name;
        unsigned long long bytes = f.written_bytes;
        unsigned long long files = f.n_files;
        unsigned long long promised = f.promised_bytes;
        unsigned long long quota = f.quota_bytes;

        if (page->as_json)
            put(page,
                "%s{\"name\":\"%.*s\",\"bytes\":%llu,\"files\":%llu,\"promised\":%llu,"
                "\"quota\":%llu}",
                i > 0 ? "," : "", STR_ARG(name), bytes, files, promised, quota);
        else
            put(page, "spool %.*s: %llu bytes, %llu files, %llu promised, quota %llu\n",
                STR_ARG(name), bytes, files, promised, quota);
    }
    put(page, "%s", page->as_json ? "]," : "");
}

static void put_held(struct page *page, const struct rows *rows, uint64_t now_ms)
{
    unsigned n = 0;

    put(page, "%s", page->as_json ? "\"held_requests\":[" : "");
    for (unsigned i = 0; i < rows->n; i++)
        for (unsigned j = 0; j < ROW_HELD_MAX; j++) {
            struct row_held held;
            unsigned long long age_ms;

            if (page->room - page->n < 2 * LINE_BYTES)
                break; /* a whole line, and the end */
            if (!row_read_held(&rows->row[i].held[j], &held))
                continue;
            age_ms = now_ms > held.since_ms ? now_ms - held.since_ms : 0;
            if (page->as_json)
                put(page, "%s{\"route\":\"%.*s\",\"age_ms\":%llu}", n > 0 ? "," : "",
                    (int)held.route_n, held.route, age_ms);
            else
                put(page, "held request: route %.*s, age %llu.%03llu s\n", (int)held.route_n,
                    held.route, age_ms / 1000, age_ms % 1000);
            n++;
        }
    put(page, "%s", page->as_json ? "]" : "");
}

/* Room for all that there is now; requests that come to be held meanwhile may not get their line.
 */
static size_t page_room(const struct worker *w, const struct config *c)
{
    size_t n_lines = FIGURE_N + c->n_spools + 4;
    uint64_t n_held = 0;
    size_t room;

    for (unsigned i = 0; i < w->rows->n; i++)
        n_held += row_get(&w->rows->row[i].n_in_state[TXN_QUEUE]) +
                  row_get(&w->rows->row[i].n_in_state[TXN_CONNECT]);
    n_lines += n_held < STATUS_PAGE_HELD_MAX ? (size_t)n_held : STATUS_PAGE_HELD_MAX;
    room = n_lines * LINE_BYTES;
    for (size_t i = 0; i < c->n_spools; i++)
        room += c->spools[i].name.n;
    return room;
}

struct str status_page_render(struct txn *t, bool as_json)
{
    const struct worker *w = t->worker;
    struct page page = {.as_json = as_json, .room = page_room(w, t->generation->config)};

    page.p = arena_text(t->arena, page.room);
    if (page.p == NULL)
        return STR_EMPTY;
    put(&page, "%s", as_json ? "{" : "");
    put_figures(&page, w->rows);
    put_spools(&page, t->generation);
    put_held(&page, w->rows, loop_now(w->loop));
    put(&page, "%s", as_json ? "}\n" : "");
    return (struct str){page.p, page.n};
}

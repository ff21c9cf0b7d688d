/*
 * lint_routes - routes that no request can reach.
 *
 * Whether one route takes all that another would is asked of pairs. Of many routes only those are
 * paired that a request made for the later one would lead to: the index finds them.
 */
#include "conf/lint_routes.h"

#include "conf/implies.h"
#include "conf/route_index.h"

/* Earlier routes that a route is held against. */
#define PAIRS_MAX 200

struct frontend_lint {
    struct build *b;
    const struct config_frontend *frontend;
    const struct setting **settings; /* of its routes, in order */
};

/* A condition that was reported is not the one that was meant. */
static bool is_understood(const struct setting *s)
{
    return !s->is_bad && (s->when != NULL || s->statement->when == NULL);
}

static void report_behind(struct frontend_lint *f, size_t route, size_t earlier)
{
    struct diags *d = f->b->compile->diags;
    bool takes_all = f->frontend->routes[earlier]->when == NULL;

    diag_warning(d, setting_span(f->settings[route]), "no request can reach the route '%.*s'",
                 STR_ARG(f->frontend->routes[route]->name));
    diag_note(d, setting_span(f->settings[earlier]), "%s",
              takes_all ? "this route has no 'when', so it takes all that come to it"
                        : "this route stands before it and takes all that it would");
}

/* Is there a route before this one that takes all of its requests? */
static bool find_earlier(struct frontend_lint *f, size_t route, size_t *earlier)
{
    const struct config_route *const *routes = f->frontend->routes;
    struct str host = STR("");
    struct str path = STR("/");
    struct route_candidates c;
    unsigned n = 0;

    route_index_sample(&f->b->compile->scratch, routes[route]->when, &host, &path);
    route_candidates_start(&c, f->frontend->index, f->frontend->n_routes, host, path);
    while (route_candidates_next(&c, earlier) && *earlier < route && n++ < PAIRS_MAX)
        if (!routes[*earlier]->is_internal && is_understood(f->settings[*earlier]) &&
            expr_implies(routes[route]->when, routes[*earlier]->when))
            return true;
    return false;
}

static void lint_route(struct frontend_lint *f, size_t route)
{
    const struct config_route *r = f->frontend->routes[route];
    size_t earlier;

    if (r->is_internal || !is_understood(f->settings[route]))
        return;
    if (r->when != NULL && expr_is_impossible(r->when)) {
        diag_warning(f->b->compile->diags, setting_span(f->settings[route]),
                     "no request can reach the route '%.*s': its condition contradicts itself",
                     STR_ARG(r->name));
        return;
    }
    if (find_earlier(f, route, &earlier))
        report_behind(f, route, earlier);
}

void lint_routes(struct build *b, const struct setting *owner,
                 const struct config_frontend *frontend)
{
    struct frontend_lint f = {.b = b, .frontend = frontend};
    size_t n = 0;

    f.settings = store_zalloc(&b->compile->scratch, frontend->n_routes, sizeof(*f.settings));
    for (const struct setting *s = build_first(owner->block, SETTING_ROUTE); s != NULL;
         s = build_next(s))
        f.settings[n++] = s;
    for (size_t i = 0; i < n; i++) {
        lint_route(&f, i);
        /* Behind a route that takes everything one warning is enough: the rest is behind it too. */
        if (!frontend->routes[i]->is_internal && frontend->routes[i]->when == NULL &&
            is_understood(f.settings[i])) {
            while (++i < n && frontend->routes[i]->is_internal)
                continue;
            if (i < n)
                lint_route(&f, i);
            return;
        }
    }
}

/*
 * reply - answers of our own: respond, redirect, error pages, and the built-in page.
 */
#include "proxy/reply.h"

#include "base/clock.h"
#include "http/status.h"
#include "http/uri.h"
#include "proxy/render.h"
#include "proxy/rewrite.h"
#include "proxy/status_page.h"
#include "proxy/worker.h"

struct answer {
    unsigned status;
    struct str content_type;
    struct str location; /* empty: none */
    bool is_of_now;      /* nobody is to keep it */
    struct str body;
};

static bool add_field(struct head *h, enum field_id id, struct str value)
{
    return head_add(h, field_name(id), value, id);
}

static struct head *answer_head(struct txn *t, const struct answer *a)
{
    struct head *h = arena_alloc(t->arena, sizeof(*h));
    struct str date = arena_str(t->arena, clock_http_text(loop_wall(t->worker->loop)));
    bool ok = true;

    if (h == NULL || date.p == NULL)
        return NULL;
    head_init(h, t->arena, true);
    h->status = a->status;
    h->has_length = a->status != 204 && a->status != 304;
    h->body_length = a->body.n;
    h->has_body = h->has_length && a->body.n > 0 &&
                  (t->request == NULL || t->request->method != METHOD_HEAD);
    ok &= add_field(h, FIELD_DATE, date);
    if (t->generation->config->global.server_header)
        ok &= add_field(h, FIELD_SERVER, STR("holdfast"));
    if (a->is_of_now)
        ok &= head_add(h, STR("Cache-Control"), STR("no-store"), FIELD_OTHER);
    if (a->location.n > 0)
        ok &= add_field(h, FIELD_LOCATION, a->location);
    if (a->body.n > 0)
        ok &= add_field(h, FIELD_CONTENT_TYPE, a->content_type);
    rewrite_answer(t, h);
    return ok ? h : NULL;
}

/* The bytes of the answer, in memory; they need not outlive the configuration's arena. */
static bool fill_body(struct txn *t, struct str text)
{
    struct body_setup setup = {
        .loop = t->worker->loop,
        .bufs = &t->worker->bufs,
        .keep = KEEP_NOTHING,
        .memory_bytes = BUF_SIZE_MAX,
        .unread_max_bytes = UINT64_MAX,
        .max_bytes = UINT64_MAX,
    };

    body_reset(&t->response_body);
    body_init(&t->response_body, &setup);
    body_declare(&t->response_body, text.n);
    if (body_write(&t->response_body, text.p, text.n) < text.n)
        return false;
    body_finish(&t->response_body);
    return true;
}

static void send_answer(struct txn *t, const struct answer *a)
{
    struct head *h;
    struct body *body;

    t->status = a->status; /* rules and logs may ask for it */
    timer_stop(&t->guard_timer); /* the body is not wanted any more */
    h = answer_head(t, a);
    body = h != NULL && h->has_body ? &t->response_body : NULL;

    if (h == NULL || t->front == NULL || (body != NULL && !fill_body(t, a->body))) {
        txn_finish(t, false);
        return;
    }
    t->response = h;
    /* RFC 9110 15.5.9: who was too slow is not waited for on the same connection. */
    if (reasons[t->reason].status == 408)
        t->front->conn->codec->drain(t->front->conn);
    /* Bytes of a body that is still coming are dropped, within the codec's bounds. */
    t->front->conn->codec->receive_into(t->front, NULL);
    txn_enter(t, TXN_REPLY);
    if (!t->front->conn->codec->send_head(t->front, h, body))
        txn_finish(t, false);
}

static bool route_answer(struct txn *t, const struct config_route *r, struct answer *a)
{
    struct str text = template_render(t, &r->text, RENDER_PLAIN);

    if (text.p == NULL)
        return false;
    *a = (struct answer){.status = r->status, .content_type = r->content_type};
    if (r->action == ACTION_REDIRECT)
        a->location = text;
    else
        a->body = text;
    return true;
}

void reply_route(struct txn *t)
{
    struct answer a;

    if (route_answer(t, t->route, &a) && (a.location.n == 0 || field_is_value(a.location)))
        send_answer(t, &a);
    else
        txn_fail(t, REASON_INTERNAL);
}

void reply_status_page(struct txn *t)
{
    bool as_json = str_eq(uri_query(t->request->target), STR("json"));
    struct answer a = {
        .status = 200,
        .content_type = as_json ? STR("application/json") : STR("text/plain; charset=utf-8"),
        .is_of_now = true,
        .body = status_page_render(t, as_json),
    };

    if (a.body.p != NULL)
        send_answer(t, &a);
    else
        txn_fail(t, REASON_NO_MEMORY);
}

void reply_empty(struct txn *t)
{
    struct answer a = {.status = 200};

    send_answer(t, &a);
}

/* The page that is there without a configuration: plain, short, and true. */
static struct answer builtin_answer(struct txn *t, unsigned status)
{
    struct str phrase = status_phrase(status);
    const char *text = reasons[t->reason].status == status ? reasons[t->reason].text : "";

    return (struct answer){
        .status = status,
        .content_type = STR("text/plain; charset=utf-8"),
        .body = arena_printf(t->arena, "%u %.*s\n%s%s", status, STR_ARG(phrase), text,
                             text[0] == '\0' ? "" : "\n"),
    };
}

static bool is_reading(const struct txn *t)
{
    return t->request->method == METHOD_GET || t->request->method == METHOD_HEAD;
}

/*
 * The status that goes out with a page. `=> 2xx` would tell a client that its upload had arrived:
 * for methods other than GET and HEAD the error's own status stays, unless any-method says
 * otherwise.
 */
static unsigned page_status(const struct txn *t, const struct error_page *page, unsigned status)
{
    if (page->status == 0)
        return page->kind == ERROR_PAGE_REDIRECT ? 302 : status;
    return is_reading(t) || page->any_method ? page->status : status;
}

/* For the same reason a redirect is no answer to an upload: its target might well say 200. */
static bool page_applies(const struct txn *t, const struct error_page *page)
{
    bool redirects = page->kind == ERROR_PAGE_REDIRECT ||
                     (page->kind == ERROR_PAGE_ROUTE && page->route->action == ACTION_REDIRECT);

    return !redirects || is_reading(t) || page->any_method;
}

static bool page_answer(struct txn *t, const struct error_page *page, unsigned status,
                        struct answer *a)
{
    struct str text = STR_EMPTY;

    t->status = page_status(t, page, status);
    if (page->kind == ERROR_PAGE_TEXT || page->kind == ERROR_PAGE_REDIRECT) {
        text = template_render(t, &page->text, RENDER_PLAIN);
        if (text.p == NULL)
            return false;
    }
    switch (page->kind) {
    case ERROR_PAGE_FILE: *a = (struct answer){.body = page->body}; break;
    case ERROR_PAGE_TEXT: *a = (struct answer){.body = text}; break;
    case ERROR_PAGE_REDIRECT:
        if (!field_is_value(text))
            return false;
        *a = (struct answer){.location = text};
        break;
    case ERROR_PAGE_ROUTE:
        if (!route_answer(t, page->route, a))
            return false;
        if (page->route->action == ACTION_REDIRECT)
            return field_is_value(a->location);
        a->status = t->status;
        return true;
    }
    a->status = t->status;
    a->content_type = page->content_type;
    return true;
}

void reply_error(struct txn *t, unsigned status)
{
    const struct error_page *page = error_pages_find(t->policy->error_pages, status);
    struct answer a;

    if (t->request == NULL) { /* memory was out before there was one: nothing to answer to */
        txn_finish(t, false);
        return;
    }
    if (page == NULL || !page_applies(t, page) || !page_answer(t, page, status, &a))
        a = builtin_answer(t, status);
    send_answer(t, &a);
}

bool reply_replaces(const struct txn *t, unsigned status)
{
    return t->policy->intercept_errors && status >= 400 &&
           error_pages_find(t->policy->error_pages, status) != NULL;
}

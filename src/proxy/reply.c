/*
 * reply - answers of our own: respond, redirect, files, error pages, and the built-in page.
 */
#include "proxy/reply.h"

#include "base/clock.h"
#include "base/panic.h"
#include "http/status.h"
#include "http/uri.h"
#include "proxy/render.h"
#include "proxy/rewrite.h"
#include "proxy/static.h"
#include "proxy/status_page.h"
#include "proxy/worker.h"

#include <errno.h>
#include <unistd.h>

/* A part of a file that is no larger leaves with the head, from memory, and the file is closed at
 * once. */
#define READ_MAX BUF_SIZE_MIN

void answer_add(struct answer *a, struct str name, struct str value)
{
    assert(a->n_fields < ANSWER_FIELDS_MAX);
    a->fields[a->n_fields++] = (struct field){name, value, field_find(name)};
}

static bool add_field(struct head *h, enum field_id id, struct str value)
{
    return head_add(h, field_name(id), value, id);
}

static uint64_t content_length(const struct answer *a)
{
    return a->has_file ? a->n : a->body.n;
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
    h->body_length = content_length(a);
    h->has_body = h->has_length && h->body_length > 0 &&
                  (t->request == NULL || t->request->method != METHOD_HEAD);
    ok &= add_field(h, FIELD_DATE, date);
    if (t->generation->config->global.server_header)
        ok &= add_field(h, FIELD_SERVER, STR("holdfast"));
    if (a->location.n > 0)
        ok &= add_field(h, FIELD_LOCATION, a->location);
    if (a->body.n > 0 || a->has_file)
        ok &= add_field(h, FIELD_CONTENT_TYPE, a->content_type);
    for (size_t i = 0; i < a->n_fields; i++)
        ok &= a->fields[i].value.p != NULL &&
              head_add(h, a->fields[i].name, a->fields[i].value, a->fields[i].id);
    rewrite_answer(t, h);
    return ok ? h : NULL;
}

/* An empty body in memory for n bytes. */
static void init_body(struct txn *t, uint64_t n)
{
    struct body_setup setup = {
        .loop = t->worker->loop,
        .bufs = &t->worker->bufs,
        .keep = KEEP_NOTHING,
        .memory_bytes = BUF_SIZE_MAX,
        .unread_max_bytes = UINT64_MAX,
        .max_bytes = UINT64_MAX,
    };

    body_init(&t->response_body, &setup);
    body_declare(&t->response_body, n);
}

/* The bytes of the answer; they need not outlive the configuration's arena. */
static bool fill_from_text(struct txn *t, struct str text)
{
    init_body(t, text.n);
    if (body_write(&t->response_body, text.p, text.n) < text.n)
        return false;
    body_finish(&t->response_body);
    return true;
}

/* A file that has become shorter since it was opened leaves a message that is seen to be cut. */
static bool fill_from_file(struct txn *t, const struct answer *a)
{
    ssize_t got;
    size_t room;
    char *space;

    init_body(t, a->n);
    space = body_space(&t->response_body, &room);
    if (space == NULL)
        return false;
    assert(room >= a->n);
    do
        got = pread(a->file.fd, space, (size_t)a->n, (off_t)a->from);
    while (got < 0 && errno == EINTR);
    if (got < 0 || !body_commit(&t->response_body, (size_t)got))
        return false;
    body_finish(&t->response_body);
    return true;
}

static bool fill_body(struct txn *t, struct answer *a)
{
    body_reset(&t->response_body);
    if (!a->has_file)
        return fill_from_text(t, a->body);
    if (a->n <= READ_MAX)
        return fill_from_file(t, a);
    body_init_file_take(&t->response_body, t->worker->loop, &t->worker->bufs, &a->file.fd, a->from,
                        a->n);
    return true;
}

/* Head and body of the answer; false: no memory, or a disk that cannot be read. */
static bool prepare(struct txn *t, struct answer *a, struct head **h, struct body **body)
{
    *h = answer_head(t, a);
    *body = *h != NULL && (*h)->has_body ? &t->response_body : NULL;
    return *h != NULL && (*body == NULL || fill_body(t, a));
}

void reply_send(struct txn *t, struct answer *a)
{
    struct head *h;
    struct body *body;
    bool is_ready;

    t->status = a->status; /* rules and logs may ask for it */
    timer_stop(&t->guard_timer); /* the body is not wanted any more */
    is_ready = prepare(t, a, &h, &body);
    if (a->has_file)
        file_close(&a->file);
    if (!is_ready || t->front == NULL) {
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
    struct str text;

    if (r->action == ACTION_FILES) {
        *a = (struct answer){.status = 200};
        return static_page(t, r, a);
    }
    text = template_render(t, &r->text,
                           r->action == ACTION_REDIRECT ? RENDER_LOCATION : RENDER_PLAIN);
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
        reply_send(t, &a);
    else
        txn_fail(t, REASON_INTERNAL);
}

void reply_status_page(struct txn *t)
{
    bool as_json = str_eq(uri_query(t->request->target), STR("json"));
    struct answer a = {
        .status = 200,
        .content_type = as_json ? STR("application/json") : STR("text/plain; charset=utf-8"),
        .body = status_page_render(t, as_json),
    };

    answer_add(&a, STR("Cache-Control"), STR("no-store"));
    if (a.body.p != NULL)
        reply_send(t, &a);
    else
        txn_fail(t, REASON_NO_MEMORY);
}

void reply_empty(struct txn *t)
{
    struct answer a = {.status = 200};

    reply_send(t, &a);
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
        text = template_render(t, &page->text,
                               page->kind == ERROR_PAGE_REDIRECT ? RENDER_LOCATION : RENDER_PLAIN);
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

/* name: of a field that the answer has to bear, whatever its page; empty: none. */
static void send_error(struct txn *t, unsigned status, struct str name, struct str value)
{
    const struct error_page *page = error_pages_find(t->policy->error_pages, status);
    struct answer a;

    if (t->request == NULL) { /* memory was out before there was one: nothing to answer to */
        txn_finish(t, false);
        return;
    }
    if (page == NULL || !page_applies(t, page) || !page_answer(t, page, status, &a))
        a = builtin_answer(t, status);
    if (name.n > 0)
        answer_add(&a, name, value);
    reply_send(t, &a);
}

void reply_error(struct txn *t, unsigned status)
{
    send_error(t, status, STR_EMPTY, STR_EMPTY);
}

void reply_refuse(struct txn *t, enum reason why, struct str name, struct str value)
{
    t->reason = why;
    send_error(t, reasons[why].status, name, value);
}

bool reply_replaces(const struct txn *t, unsigned status)
{
    return t->policy->intercept_errors && status >= 400 &&
           error_pages_find(t->policy->error_pages, status) != NULL;
}

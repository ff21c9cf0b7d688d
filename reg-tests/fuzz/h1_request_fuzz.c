/*
 * h1_request_fuzz - any bytes as the head of a request.
 *
 * What is taken is written anew and must be taken again, with the same meaning, and with not one
 * byte more or less: so no reader of our output can see another message in it than we did.
 */
#include "base/panic.h"
#include "http/h1_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Host and what frames a message are written beside the fields, and may be one too many. */
#define FIELDS_OF_OURS 4

static char out[2 * H1_HEAD_MAX];

static struct h1_framing_out frame_again(const struct head *h)
{
    return (struct h1_framing_out){
        .has_length = h->has_length,
        .length = h->body_length,
        .is_chunked = h->has_body && !h->has_length,
        .close = !h->keep_alive,
        .expect = h->expects_continue,
        .upgrade = h->upgrade.n > 0,
    };
}

static void check_head(const struct head *h)
{
    assert(h->n_fields <= HEAD_FIELDS_MAX);
    assert(h->has_body || !h->has_length);
    assert(h->target.n > 0 && (h->target.p[0] == '/' || str_eq(h->target, STR("*"))));
    for (size_t i = 0; i < h->n_fields; i++) {
        assert(field_is_token(h->fields[i].name) && field_is_value(h->fields[i].value));
        assert(field_kind(h->fields[i].id) == FIELD_KIND_END && h->fields[i].id != FIELD_HOST);
        assert(h->fields[i].id == field_find(h->fields[i].name));
    }
}

static void check_same(const struct head *a, const struct head *b)
{
    assert(str_eq(a->method_text, b->method_text) && str_eq(a->target, b->target));
    assert(str_eq(a->authority, b->authority) && str_eq(a->host, b->host) && a->port == b->port);
    assert(a->has_body == b->has_body && a->has_length == b->has_length);
    assert(a->body_length == b->body_length && a->expects_continue == b->expects_continue);
    assert(str_eq(a->upgrade, b->upgrade) && a->n_fields == b->n_fields);
    for (size_t i = 0; i < a->n_fields; i++) {
        assert(str_eq(a->fields[i].name, b->fields[i].name));
        assert(str_eq(a->fields[i].value, b->fields[i].value));
    }
}

static void write_and_read_back(const struct head *h, struct arena *a)
{
    struct h1_framing_out frame = frame_again(h);
    size_t n = h1_write_request(h, &frame, out, sizeof(out));
    size_t scanned = 0;
    struct framing f;
    struct head again;

    assert(n > 0 && h1_head_end(out, n, &scanned) == n);
    head_init(&again, a, false);
    if (n > H1_HEAD_MAX || h->n_fields + FIELDS_OF_OURS > HEAD_FIELDS_MAX)
        return;
    assert(h1_parse_request((struct str){out, n}, &again, &f) == FAULT_NONE);
    check_same(h, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(16384, 0);
    struct str text = {(const char *)data, size};
    struct str method;
    struct str target;
    size_t scanned = 0;
    size_t n = h1_head_end(text.p, text.n, &scanned);
    struct framing f;
    struct head h;

    h1_parse_line_for_log(text, &method, &target);
    if (n > 0)
        text.n = n;
    head_init(&h, a, false);
    if (h1_parse_request(text, &h, &f) == FAULT_NONE) {
        check_head(&h);
        write_and_read_back(&h, a);
    }
    arena_free(a);
    return 0;
}

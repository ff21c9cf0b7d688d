/*
 * h1_response_fuzz - any bytes as the head of a response. The first byte says what was asked.
 *
 * What is taken is written anew and must be taken again with the same meaning.
 */
#include "base/panic.h"
#include "http/h1_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What frames a message is written beside the fields, and may be one too many. */
#define FIELDS_OF_OURS 4

static char out[2 * H1_HEAD_MAX];

static void write_and_read_back(const struct head *h, enum method asked, struct arena *a)
{
    struct h1_framing_out frame = {
        .has_length = h->has_length,
        .length = h->body_length,
        .is_chunked = h->has_body && !h->has_length,
        .close = !h->keep_alive,
        .upgrade = h->upgrade.n > 0,
    };
    size_t n = h1_write_response(h, &frame, out, sizeof(out));
    struct framing f;
    struct head again;

    assert(n > 0);
    head_init(&again, a, true);
    if (n > H1_HEAD_MAX || h->n_fields + FIELDS_OF_OURS > HEAD_FIELDS_MAX)
        return;
    assert(h1_parse_response((struct str){out, n}, asked, &again, &f) == FAULT_NONE);
    assert(again.status == h->status && again.n_fields == h->n_fields);
    assert(again.has_body == h->has_body && again.has_length == h->has_length);
    assert(again.body_length == h->body_length && again.named_length == h->named_length);
    assert(!again.ends_with_connection);
    for (size_t i = 0; i < h->n_fields; i++) {
        assert(str_eq(again.fields[i].name, h->fields[i].name));
        assert(str_eq(again.fields[i].value, h->fields[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(16384, 0);
    enum method asked = size > 0 && data[0] == 'H' ? METHOD_HEAD : METHOD_GET;
    struct str text = {(const char *)data, size};
    size_t scanned = 0;
    size_t n;
    struct framing f;
    struct head h;

    if (size > 0)
        text = str_slice(text, 1, size);
    n = h1_head_end(text.p, text.n, &scanned);
    if (n > 0)
        text.n = n;
    head_init(&h, a, true);
    if (h1_parse_response(text, asked, &h, &f) == FAULT_NONE) {
        assert(h.status >= 100 && h.status <= 599);
        assert(h.has_body || !(h.has_length || h.ends_with_connection));
        write_and_read_back(&h, asked, a);
    }
    arena_free(a);
    return 0;
}

/*
 * chunked_fuzz - any bytes as a chunked body, whole and in pieces whose sizes the first byte gives.
 * Both must come to the same content, the same end and the same fault.
 */
#include "base/panic.h"
#include "http/chunked.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum chunked_step step;
    enum http_fault fault;
    size_t used;
    char *content;
    size_t n;
};

/* Feed one piece; false: the message ended, well or not. */
static bool feed(struct chunked *c, struct str piece, struct outcome *o)
{
    while (piece.n > 0) {
        size_t used;
        size_t data;

        o->step = chunked_step(c, piece.p, piece.n, &used, &data, &o->fault);
        assert(used <= piece.n && data <= piece.n - used && data <= chunked_left(c));
        assert((data > 0) == (o->step == CHUNKED_DATA));
        assert(o->step != CHUNKED_MORE || used == piece.n);
        o->used += used + data;
        if (o->step == CHUNKED_END || o->step == CHUNKED_FAULT)
            return false;
        if (data > 0)
            memcpy(o->content + o->n, piece.p + used, data);
        o->n += data;
        chunked_took(c, data);
        piece = str_slice(piece, used + data, piece.n);
    }
    return true;
}

static struct outcome decode(struct str text, size_t piece)
{
    struct outcome o = {.step = CHUNKED_MORE, .content = malloc(text.n)};
    struct chunked c;

    chunked_init(&c);
    for (size_t at = 0; at < text.n; at += piece)
        if (!feed(&c, str_slice(text, at, text.n - at < piece ? text.n : at + piece), &o))
            break;
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole;
    struct outcome cut;
    struct str text;

    if (size < 2)
        return 0;
    text = (struct str){(const char *)data + 1, size - 1};
    whole = decode(text, text.n);
    cut = decode(text, 1 + data[0] % 16);
    assert((whole.step == CHUNKED_END) == (cut.step == CHUNKED_END));
    assert((whole.step == CHUNKED_FAULT) == (cut.step == CHUNKED_FAULT));
    assert(whole.step != CHUNKED_FAULT || whole.fault == cut.fault);
    assert(whole.used == cut.used && whole.n == cut.n);
    assert(whole.n == 0 || memcmp(whole.content, cut.content, whole.n) == 0);
    free(whole.content);
    free(cut.content);
    return 0;
}

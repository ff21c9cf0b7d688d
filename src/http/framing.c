/*
 * framing - where a message ends: RFC 9112 section 6 as one decision table.
 *
 * First the facts are taken from the head, one bit each; then the first row whose facts all hold
 * decides. Refusals stand above decisions, so that a message which is wrong in any way is refused
 * even where a later row would know its length.
 *
 * Elsewhere: what becomes of the connection (the codec closes it after any fault, RFC 9112 6.3).
 */
#include "http/framing.h"

#include "base/panic.h"

enum framing_fact {
    HAS_LENGTH = 1,       /* Content-Length */
    LENGTH_REPEATED = 2,  /* in two fields or more, equal or not */
    LENGTH_BAD = 4,       /* not 1*DIGIT, or above FRAMING_LENGTH_MAX; a list is not a number */
    HAS_CODING = 8,       /* Transfer-Encoding */
    CODING_REPEATED = 16, /* in two fields or more */
    CODING_OTHER = 32,    /* other than `chunked` alone */
    CODING_NOT_LAST = 64, /* the last coding is other than chunked */
    SPEAKS_1_0 = 128,     /* HTTP/1.0 */
    NEVER_CONTENT = 256,  /* a response 1xx or 204 */
    DESCRIBES = 512,      /* a response to HEAD, or 304: its length is that of another message */
};

struct framing_row {
    unsigned facts; /* all of these must hold */
    enum http_fault fault;
    enum framing_kind kind;
};

/* clang-format off */
/* Each row ends in its clause of RFC 9112; (n) is an item of the list in 6.3. */
static const struct framing_row request_rows[] = {
    {CODING_REPEATED,         FAULT_CODING_REPEATED,   FRAMING_NONE},    /* 6.1: chunked once */
    {HAS_CODING | HAS_LENGTH, FAULT_LENGTH_AND_CODING, FRAMING_NONE},    /* 6.3 (3): an attack */
    {HAS_CODING | SPEAKS_1_0, FAULT_CODING_IN_1_0,     FRAMING_NONE},    /* 6.1: faulty framing */
    {CODING_NOT_LAST,         FAULT_CODING_NOT_LAST,   FRAMING_NONE},    /* 6.3 (4): 400 */
    {CODING_OTHER,            FAULT_CODING_UNKNOWN,    FRAMING_NONE},    /* 6.1: 501 */
    {LENGTH_REPEATED,         FAULT_LENGTH_REPEATED,   FRAMING_NONE},    /* 6.3 (5); if equal too */
    {LENGTH_BAD,              FAULT_LENGTH_SYNTAX,     FRAMING_NONE},    /* 6.3 (5) */
    {HAS_CODING,              FAULT_NONE,              FRAMING_CHUNKED}, /* 6.3 (4) */
    {HAS_LENGTH,              FAULT_NONE,              FRAMING_LENGTH},  /* 6.3 (6) */
    {0,                       FAULT_NONE,              FRAMING_NONE},    /* 6.3 (7) */
};

static const struct framing_row response_rows[] = {
    {CODING_REPEATED,            FAULT_CODING_REPEATED,     FRAMING_NONE},       /* 6.1 */
    {HAS_CODING | HAS_LENGTH,    FAULT_LENGTH_AND_CODING,   FRAMING_NONE},       /* 6.3 (3) */
    {HAS_CODING | SPEAKS_1_0,    FAULT_CODING_IN_1_0,       FRAMING_NONE},       /* 6.1 */
    {HAS_CODING | NEVER_CONTENT, FAULT_CODING_WITHOUT_BODY, FRAMING_NONE},       /* 6.1: MUST NOT */
    {CODING_OTHER,               FAULT_CODING_UNKNOWN,      FRAMING_NONE},       /* 6.3 (4) */
    {LENGTH_REPEATED,            FAULT_LENGTH_REPEATED,     FRAMING_NONE},       /* 6.3 (5) */
    {LENGTH_BAD,                 FAULT_LENGTH_SYNTAX,       FRAMING_NONE},       /* 6.3 (5) */
    {NEVER_CONTENT,              FAULT_NONE,                FRAMING_NONE},       /* 6.3 (1) */
    {DESCRIBES,                  FAULT_NONE,                FRAMING_NONE},       /* 6.3 (1) */
    {HAS_CODING,                 FAULT_NONE,                FRAMING_CHUNKED},    /* 6.3 (4) */
    {HAS_LENGTH,                 FAULT_NONE,                FRAMING_LENGTH},     /* 6.3 (6) */
    {0,                          FAULT_NONE,                FRAMING_CONNECTION}, /* 6.3 (8) */
};
/* clang-format on */

/* Is the last item of the list `chunked`? */
static bool ends_in_chunked(struct str codings)
{
    const char *comma = codings.n == 0 ? NULL : memrchr(codings.p, ',', codings.n);
    size_t from = comma == NULL ? 0 : (size_t)(comma - codings.p) + 1;

    return str_eq_nocase(str_trim(str_slice(codings, from, codings.n)), STR("chunked"));
}

/* The facts that both kinds of message share. Sets *length where a legal Content-Length is. */
static unsigned framing_facts(const struct head *h, uint64_t *length)
{
    unsigned facts = h->minor == 0 ? SPEAKS_1_0 : 0;

    *length = 0;
    if (!head_may_have(h, FIELD_CONTENT_LENGTH) && !head_may_have(h, FIELD_TRANSFER_ENCODING))
        return facts;
    for (size_t i = 0; i < h->n_fields; i++) {
        const struct field *field = &h->fields[i];

        if (field->id == FIELD_CONTENT_LENGTH) {
            facts |= facts & HAS_LENGTH ? LENGTH_REPEATED : HAS_LENGTH;
            if (!str_to_u64(field->value, FRAMING_LENGTH_MAX, length))
                facts |= LENGTH_BAD;
        } else if (field->id == FIELD_TRANSFER_ENCODING) {
            facts |= facts & HAS_CODING ? CODING_REPEATED : HAS_CODING;
            if (!str_eq_nocase(field->value, STR("chunked")))
                facts |= ends_in_chunked(field->value) ? CODING_OTHER : CODING_OTHER | CODING_NOT_LAST;
        }
    }
    return facts;
}

/* The last row asks for no fact, so one is always found. */
static enum http_fault framing_decide(const struct framing_row *row, unsigned facts,
                                      uint64_t length, struct framing *f)
{
    while ((facts & row->facts) != row->facts)
        row++;
    *f = (struct framing){.kind = row->kind};
    if (row->fault == FAULT_NONE && row->kind == FRAMING_LENGTH)
        f->length = length;
    return row->fault;
}

enum http_fault framing_of_request(const struct head *h, struct framing *f)
{
    uint64_t length;
    unsigned facts = framing_facts(h, &length);

    return framing_decide(request_rows, facts, length, f);
}

enum http_fault framing_of_response(const struct head *h, enum method asked, struct framing *f)
{
    uint64_t length;
    unsigned facts = framing_facts(h, &length);
    enum http_fault fault;

    if (h->status < 200 || h->status == 204)
        facts |= NEVER_CONTENT;
    if (asked == METHOD_HEAD || h->status == 304)
        facts |= DESCRIBES;

    fault = framing_decide(response_rows, facts, length, f);
    if (fault == FAULT_NONE && (facts & DESCRIBES) && (facts & HAS_LENGTH)) {
        f->names_length = !(facts & NEVER_CONTENT);
        f->length = f->names_length ? length : 0;
    }
    return fault;
}

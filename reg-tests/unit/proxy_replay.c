/*
 * proxy_replay - the whole truth table: when may a request be sent again?
 */
#include "proxy/replay.h"

#include "unit.h"

#include <stdio.h>

/* RFC 9110 9.2.2, for the methods that the program knows. */
static const struct {
    enum method method;
    bool is_idempotent;
} methods[] = {
    {METHOD_OTHER, false}, {METHOD_GET, true},     {METHOD_HEAD, true},  {METHOD_POST, false},
    {METHOD_PUT, true},    {METHOD_DELETE, true},  {METHOD_CONNECT, false},
    {METHOD_OPTIONS, true}, {METHOD_TRACE, true},  {METHOD_PATCH, false},
};

/* As issue and manual say it, in other words than the code. */
static bool expected(const struct replay_facts *f, bool is_idempotent)
{
    if (f->response_began)
        return false;
    if (!f->can_rewind)
        return false;
    if (f->replay == REPLAY_ALWAYS)
        return true;
    if (f->replay == REPLAY_NEVER)
        return false;
    if (is_idempotent || f->has_idempotency_key)
        return true;
    return !f->may_be_delivered;
}

static void check_row(size_t method, unsigned bits, enum replay_when when)
{
    struct replay_facts f = {
        .replay = when,
        .method = methods[method].method,
        .has_idempotency_key = (bits & 1) != 0,
        .may_be_delivered = (bits & 2) != 0,
        .response_began = (bits & 4) != 0,
        .can_rewind = (bits & 8) != 0,
    };
    bool got = replay_is_allowed(&f);

    if (got != expected(&f, methods[method].is_idempotent))
        printf("\n    method %zu, facts %x, replay %d: got %d\n", method, bits, when, got);
    CU_ASSERT_EQUAL(got, expected(&f, methods[method].is_idempotent));
}

static void the_whole_table(void)
{
    static const enum replay_when policies[] = {REPLAY_SAFE, REPLAY_ALWAYS, REPLAY_NEVER};

    for (size_t m = 0; m < sizeof(methods) / sizeof(methods[0]); m++)
        for (unsigned bits = 0; bits < 16; bits++)
            for (size_t p = 0; p < 3; p++)
                check_row(m, bits, policies[p]);
}

/* The rows that matter most, one by one and not by a formula. */
static void the_rows_that_lose_or_double_uploads(void)
{
    struct replay_facts f = {
        .replay = REPLAY_SAFE, .method = METHOD_POST, .may_be_delivered = true, .can_rewind = true};

    CU_ASSERT(!replay_is_allowed(&f)); /* the server may have had all of the POST */
    f.may_be_delivered = false;
    CU_ASSERT(replay_is_allowed(&f)); /* it cannot have had it */
    f.may_be_delivered = true;
    f.has_idempotency_key = true;
    CU_ASSERT(replay_is_allowed(&f));
    f.response_began = true;
    CU_ASSERT(!replay_is_allowed(&f));
    f = (struct replay_facts){.replay = REPLAY_ALWAYS, .method = METHOD_PUT, .can_rewind = false};
    CU_ASSERT(!replay_is_allowed(&f)); /* byte 0 is gone */
}

static bool is_retried_by(const struct policy *p, enum reason why)
{
    if (why == REASON_SERVER_RESET)
        return p->retry_on_reset;
    if (why == REASON_SERVER_EMPTY)
        return p->retry_on_empty;
    if (why == REASON_SERVER_TIMEOUT || why == REASON_SERVER_WRITE_TIMEOUT)
        return p->retry_on_timeout;
    return false;
}

static void reasons_are_retried_as_the_policy_says(void)
{
    for (unsigned bits = 0; bits < 8; bits++) {
        struct policy p = {
            .retry_on_reset = (bits & 1) != 0,
            .retry_on_timeout = (bits & 2) != 0,
            .retry_on_empty = (bits & 4) != 0,
        };

        for (unsigned why = 0; why < REASON_N; why++)
            CU_ASSERT_EQUAL(replay_is_retried(&p, (enum reason)why),
                            is_retried_by(&p, (enum reason)why));
    }
}

static void statuses_are_retried_as_listed(void)
{
    static const uint16_t listed[] = {502, 503, 599};
    struct policy p = {.retry_statuses = listed, .n_retry_statuses = 3};
    struct policy none = {.n_retry_statuses = 0};

    for (unsigned status = 0; status < 700; status++) {
        bool is_listed = status == 502 || status == 503 || status == 599;

        CU_ASSERT_EQUAL(replay_status_is_retried(&p, status), is_listed);
        CU_ASSERT(!replay_status_is_retried(&none, status));
    }
}

/* A status that is 0 goes with nothing that could be sent, any other with a text to send. */
static void reasons_have_a_status_and_a_text(void)
{
    for (unsigned i = 0; i < REASON_N; i++) {
        CU_ASSERT(reasons[i].word != NULL && reasons[i].word[0] != '\0');
        CU_ASSERT(reasons[i].status == 0 || (reasons[i].status >= 400 && reasons[i].status < 600));
        CU_ASSERT_EQUAL(reasons[i].status == 0, reasons[i].text[0] == '\0');
        for (unsigned j = 0; j < i; j++)
            CU_ASSERT(strcmp(reasons[i].word, reasons[j].word) != 0);
    }
}

UNIT_SUITE(proxy_replay)
{
    UNIT_TEST(the_whole_table);
    UNIT_TEST(the_rows_that_lose_or_double_uploads);
    UNIT_TEST(reasons_are_retried_as_the_policy_says);
    UNIT_TEST(statuses_are_retried_as_listed);
    UNIT_TEST(reasons_have_a_status_and_a_text);
}

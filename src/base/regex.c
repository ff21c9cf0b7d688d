/*
 * regex - regular expressions that cannot run away.
 */
#include "base/regex.h"

#include "base/pool.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

/* The stack of compiled code begins with what most matches need. */
#define STACK_FIRST ((size_t)32 << 10)

struct regex {
    pcre2_code *code;
    bool is_compiled;
};

struct regex_matcher {
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
    int error;
};

static bool regex_is_bounded(const struct regex *r, struct regex_fault *fault)
{
    uint32_t groups = 0;

    pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups <= REGEX_GROUPS_MAX)
        return true;
    fault->at = 0;
    snprintf(fault->text, sizeof(fault->text), "more than %d groups", REGEX_GROUPS_MAX);
    return false;
}

struct regex *regex_new(struct str pattern, struct regex_fault *fault)
{
    uint32_t options = PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
    struct regex *r = memory_get(sizeof(*r));
    PCRE2_SIZE at = 0;
    int error = PCRE2_ERROR_NOMEMORY;

    if (r == NULL)
        goto fail;
    *r = (struct regex){.code = NULL};
    error = PCRE2_ERROR_PATTERN_STRING_TOO_LONG;
    if (pattern.n > REGEX_PATTERN_MAX)
        goto fail;
    r->code = pcre2_compile((PCRE2_SPTR)(pattern.n == 0 ? "" : pattern.p), pattern.n, options,
                            &error, &at, NULL);
    if (r->code == NULL)
        goto fail;
    if (!regex_is_bounded(r, fault)) {
        regex_free(r);
        return NULL;
    }
    r->is_compiled = pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE) == 0;
    return r;
fail:
    fault->at = at < pattern.n ? at : pattern.n;
    pcre2_get_error_message(error, (PCRE2_UCHAR *)fault->text, sizeof(fault->text));
    regex_free(r);
    return NULL;
}

void regex_free(struct regex *r)
{
    if (r == NULL)
        return;
    pcre2_code_free(r->code);
    memory_put(r);
}

bool regex_is_compiled(const struct regex *r)
{
    return r->is_compiled;
}

/* An entry of PCRE2's table of names: the number in two bytes, the name, a NUL. */
bool regex_group(const struct regex *r, unsigned i, struct str *name, unsigned *number)
{
    uint32_t n = 0;
    uint32_t entry_bytes = 0;
    PCRE2_SPTR table;

    pcre2_pattern_info(r->code, PCRE2_INFO_NAMECOUNT, &n);
    if (i >= n)
        return false;
    pcre2_pattern_info(r->code, PCRE2_INFO_NAMEENTRYSIZE, &entry_bytes);
    pcre2_pattern_info(r->code, PCRE2_INFO_NAMETABLE, &table);
    table += (size_t)i * entry_bytes;
    *number = (unsigned)table[0] << 8 | table[1];
    *name = str_of((const char *)table + 2);
    return true;
}

struct regex_matcher *regex_matcher_new(void)
{
    struct regex_matcher *m = memory_get(sizeof(*m));

    if (m == NULL)
        return NULL;
    *m = (struct regex_matcher){
        .context = pcre2_match_context_create(NULL),
        .data = pcre2_match_data_create(REGEX_GROUPS_MAX + 1, NULL),
        .stack = pcre2_jit_stack_create(STACK_FIRST, REGEX_STACK_MAX, NULL),
    };
    if (m->context == NULL || m->data == NULL) {
        regex_matcher_free(m);
        return NULL;
    }
    pcre2_set_match_limit(m->context, REGEX_STEPS_MAX);
    pcre2_set_heap_limit(m->context, (uint32_t)(REGEX_STACK_MAX >> 10));
    if (m->stack != NULL) /* else compiled code has 32K of the thread's own stack */
        pcre2_jit_stack_assign(m->context, NULL, m->stack);
    return m;
}

void regex_matcher_free(struct regex_matcher *m)
{
    if (m == NULL)
        return;
    pcre2_jit_stack_free(m->stack);
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    memory_put(m);
}

enum regex_result regex_match(struct regex_matcher *m, const struct regex *r, struct str subject)
{
    int result = pcre2_match(r->code, (PCRE2_SPTR)(subject.n == 0 ? "" : subject.p), subject.n, 0,
                             0, m->data, m->context);

    if (result >= 0)
        return REGEX_MATCHES;
    m->error = result;
    return result == PCRE2_ERROR_NOMATCH ? REGEX_DIFFERS : REGEX_FAULT;
}

struct str regex_held(const struct regex_matcher *m, struct str subject, unsigned number)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(m->data) + 2 * (size_t)number;

    /* A look-ahead with \K can end before it starts (pcre2api(3)): nothing, as an unset group. */
    if (number > REGEX_GROUPS_MAX || ends[0] == PCRE2_UNSET || ends[1] > subject.n ||
        ends[0] > ends[1])
        return STR_EMPTY;
    if (subject.n == 0)
        return STR("");
    return str_slice(subject, ends[0], ends[1]);
}

const char *regex_fault_text(const struct regex_matcher *m)
{
    switch (m->error) {
    case PCRE2_ERROR_MATCHLIMIT: return "it takes too many steps";
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
    case PCRE2_ERROR_JIT_STACKLIMIT: return "it takes too much memory";
    case PCRE2_ERROR_NOMEMORY: return "no memory is left";
    default: return "PCRE2 reports a fault";
    }
}

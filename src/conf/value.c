/*
 * value - one word of a directive as a value.
 */
#include "conf/value.h"

#include "base/panic.h"
#include "conf/config.h"
#include "conf/quantity.h"
#include "conf/template.h"
#include "conf/variable.h"
#include "http/uri.h"

/* The largest buffer of io/buf.h: beyond it there is a file. */
#define MEMORY_MAX ((uint64_t)1 << 20)

/* What value_read hands to the readers below. */
struct value {
    struct compile *compile;
    const struct setting_row *row;
    const struct word *word;
    const char *expected;
    struct arg *arg;
};

static bool is_status(struct str text)
{
    return text.n == 3 && text.p[0] >= '1' && text.p[0] <= '9' && text.p[1] >= '0' &&
           text.p[1] <= '9' && text.p[2] >= '0' && text.p[2] <= '9';
}

static bool is_class(struct str text)
{
    return text.n == 3 && text.p[0] >= '1' && text.p[0] <= '9' &&
           str_eq(str_slice(text, 1, 3), STR("xx"));
}

bool value_fits(enum form_type type, const struct word *word)
{
    if (word->at->kind == AST_LIST)
        return false;
    if (type == FORM_CODE)
        return is_status(word->text);
    if (type == FORM_STATUS)
        return is_status(word->text) || is_class(word->text);
    if (type == FORM_WHO)
        return !is_status(word->text);
    return true;
}

static bool fail(const struct value *v)
{
    struct str text = ast_text(v->compile, v->word->at);

    if (v->word->has_variable || v->word->at->kind == AST_RAW || !str_contains(text, STR("${")))
        diag_error(v->compile->diags, v->word->at->span, "expected %s, got '%.*s'", v->expected,
                   STR_ARG(text));
    else
        diag_error(v->compile->diags, v->word->at->span, "expected %s, got '%.*s', which is '%.*s'",
                   v->expected, STR_ARG(text), STR_ARG(v->word->text));
    return false;
}

static bool fail_because(const struct value *v, const char *why)
{
    diag_error(v->compile->diags, v->word->at->span, "%s", why);
    return false;
}

static bool read_count(const struct value *v)
{
    enum quantity_result result = quantity_count(v->arg->text, &v->arg->number);
    struct str key = {v->arg->key, v->arg->key_length};
    struct str name = key.n > 0 ? key : str_of(v->row->name);
    uint64_t least = v->row->least;
    uint64_t most = v->row->most;

    if (result == QUANTITY_MALFORMED)
        return fail(v);
    if (result == QUANTITY_OK && v->arg->number >= least && v->arg->number <= most)
        return true;
    if (least == most)
        diag_error(v->compile->diags, v->word->at->span, "'%.*s' takes only %llu", STR_ARG(name),
                   (unsigned long long)least);
    else
        diag_error(v->compile->diags, v->word->at->span, "'%.*s' takes a number from %llu to %llu",
                   STR_ARG(name), (unsigned long long)least, (unsigned long long)most);
    return false;
}

static bool read_size(const struct value *v)
{
    switch (quantity_size(v->arg->text, &v->arg->number)) {
    case QUANTITY_OK: break;
    case QUANTITY_MALFORMED: return fail(v);
    case QUANTITY_TOO_LARGE: return fail_because(v, "this size does not fit 63 bits");
    }
    if (v->arg->type == FORM_MEMORY && v->arg->number > MEMORY_MAX)
        return fail_because(v,
                            "that is too much memory for one body: at most 1M (beyond it there is "
                            "the spool)");
    return true;
}

/* `N/s`: a size, and how often it comes. */
static bool read_rate(const struct value *v)
{
    struct str text = v->arg->text;

    if (!str_ends_with(text, STR("/s")))
        return fail(v);
    text.n -= 2;
    if (quantity_size(text, &v->arg->number) != QUANTITY_OK || v->arg->number == 0 ||
        v->arg->number == SIZE_UNLIMITED)
        return fail(v);
    return true;
}

static bool read_duration(const struct value *v)
{
    if (v->arg->type == FORM_TIMEOUT && str_eq(v->arg->text, STR("never"))) {
        v->arg->number = TIMEOUT_NEVER;
        return true;
    }
    switch (quantity_duration(v->arg->text, &v->arg->number)) {
    case QUANTITY_OK: break;
    case QUANTITY_MALFORMED: return fail(v);
    case QUANTITY_TOO_LARGE: return fail_because(v, "this is too long: at most 49d");
    }
    if (v->arg->type == FORM_TIMEOUT && v->arg->number == 0)
        return fail_because(v, "a timeout of 0 would fail everything; 'never' has none");
    return true;
}

static bool read_octal(const struct value *v)
{
    return quantity_octal(v->arg->text, &v->arg->number) == QUANTITY_OK || fail(v);
}

static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = str_lower_char(text.p[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr("_.-", c) != NULL)))
            return false;
    }
    return text.n > 0;
}

static bool read_name(const struct value *v)
{
    if (v->arg->text.n == 0)
        return fail(v);
    return is_name(v->arg->text) ||
           fail_because(v, "a name is made of letters, digits, '_', '.' and '-'");
}

static bool read_text(const struct value *v)
{
    return v->arg->text.n > 0 || fail(v);
}

static bool read_path(const struct value *v)
{
    if (v->arg->text.n == 0 || memchr(v->arg->text.p, '\0', v->arg->text.n) != NULL)
        return fail(v);
    if (v->arg->type == FORM_PATH)
        v->arg->text = word_path(v->compile, v->word->at, v->arg->text);
    return true;
}

static bool read_code(const struct value *v)
{
    struct str text = v->arg->text;
    bool sets_status = v->row->id == SETTING_HTTP_RESPONSE;
    bool is_error = v->row->id == SETTING_DENY || v->arg->type == FORM_FAILURE;

    if (!is_status(text) || !str_to_u64(text, 599, &v->arg->number) || v->arg->number < 200)
        return fail(v);
    if (is_error && v->arg->number < 400)
        return fail_because(v, "only a status from 400 to 599 can stand here");
    if (sets_status && (v->arg->number == 204 || v->arg->number == 205 || v->arg->number == 304))
        return fail_because(v, "a response with this status has no content, and the server's may");
    return true;
}

/* 404, or 4xx and 5xx, which are kept as 4 and 5. */
static bool read_status(const struct value *v)
{
    struct str text = v->arg->text;

    if (is_class(text) && (text.p[0] == '4' || text.p[0] == '5')) {
        v->arg->number = (uint64_t)(text.p[0] - '0');
        return true;
    }
    if (is_status(text) && str_to_u64(text, 599, &v->arg->number) && v->arg->number >= 400)
        return true;
    return fail(v);
}

static bool read_failure(const struct value *v)
{
    struct str text = v->arg->text;

    if (str_eq(text, STR("reset")) || str_eq(text, STR("timeout")) ||
        str_eq(text, STR("empty-response")))
        return true;
    return is_status(text) ? read_code(v) : fail(v);
}

static bool key_is(const struct value *v, const char *key)
{
    return str_eq((struct str){v->arg->key, v->arg->key_length}, str_of(key));
}

static bool fail_field(const struct value *v, const char *why)
{
    diag_error(v->compile->diags, v->word->at->span, "'%.*s' %s", STR_ARG(v->arg->text), why);
    return false;
}

/* Framing and connection are the codec's: a rule that forged them would smuggle. */
static bool read_field(const struct value *v)
{
    enum field_id id = field_find(v->arg->text);

    if (!field_is_token(v->arg->text))
        return fail(v);
    if (field_kind(id) == FIELD_KIND_FRAMING)
        return fail_field(v, "says where a message ends: Holdfast writes it itself");
    if (field_kind(id) == FIELD_KIND_HOP)
        return fail_field(v, "is about one connection (hop by hop): Holdfast writes it itself");
    if (id == FIELD_HOST && !key_is(v, "set-header"))
        return fail_field(v, "must be there exactly once: only 'set-header' may change it");
    return true;
}

static bool read_who(const struct value *v)
{
    return str_eq(v->arg->text, STR("all")) || cidr_parse(v->arg->text, &v->arg->net) || fail(v);
}

static bool read_peer(const struct value *v)
{
    return str_eq(v->arg->text, STR("unix")) || cidr_parse(v->arg->text, &v->arg->net) || fail(v);
}

static bool read_variable(const struct value *v)
{
    return variable_find(v->compile, v->arg->text, v->word->at->span, PHASE_REQUEST, &v->arg->var);
}

static bool read_target(const struct value *v)
{
    struct str text = v->arg->text;
    struct addr addr;

    if (str_starts_with(text, STR("syslog@"))) {
        text = str_slice(text, 7, text.n);
        return str_starts_with(text, STR("/")) || addr_parse(text, &addr) ||
               fail_because(v, "'syslog@' takes the path of a socket or an address and port");
    }
    if (text.n == 0)
        return fail(v);
    if (!str_eq(text, STR("stderr")) && !str_eq(text, STR("stdout")))
        v->arg->text = word_path(v->compile, v->word->at, text);
    return true;
}

/* `unix@PATH`, with the path made absolute. */
static bool read_unix(const struct value *v, struct str text)
{
    struct str path = str_slice(text, 5, text.n);
    struct addr addr;

    if (path.n == 0)
        return fail(v);
    path = word_path(v->compile, v->word->at, path);
    if (!addr_unix(path, &addr))
        return fail_because(v, "the path of a unix socket has at most 107 bytes");
    v->arg->text = store_printf(&v->compile->keep, "unix@%.*s", STR_ARG(path));
    return true;
}

/* The port of HOST:PORT, and the host. */
static bool split_port(struct str text, struct str *host, uint64_t *port)
{
    const char *colon = text.n == 0 ? NULL : memrchr(text.p, ':', text.n);

    if (colon == NULL || colon == text.p)
        return false;
    *host = str_slice(text, 0, (size_t)(colon - text.p));
    return str_to_u64(str_slice(text, host->n + 1, text.n), 65535, port);
}

/* `fd@3`, or `fd@web`: a name of socket activation, which is known when it is bound. */
static bool read_descriptor(const struct value *v, struct str text)
{
    bool starts_with_digit = text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9';

    if (str_to_u64(text, INT32_MAX, &v->arg->number))
        return true;
    v->arg->number = UINT64_MAX;
    if (!starts_with_digit && is_name(text))
        return true;
    return fail_because(v, "'fd@' takes the number of a descriptor, its name (of socket "
                           "activation), or ${NAME} of a variable of the environment that holds "
                           "the number");
}

static bool read_bind_address(const struct value *v)
{
    struct str text = v->arg->text;
    struct addr addr;

    if (str_starts_with(text, STR("unix@")))
        return read_unix(v, text);
    if (str_starts_with(text, STR("fd@")))
        return read_descriptor(v, str_slice(text, 3, text.n));
    return addr_parse(text, &addr) || fail(v);
}

static bool read_address(const struct value *v)
{
    struct str text = v->arg->text;
    struct str host;
    uint64_t port;

    if (str_starts_with(text, STR("unix@")))
        return read_unix(v, text);
    if (!split_port(text, &host, &port) || str_eq(host, STR("*")))
        return fail(v);
    if (port == 0)
        return fail_because(v, "a server has a port from 1 to 65535");
    return true;
}

static enum var_phase phase_of(const struct setting_row *row)
{
    if (row->id == SETTING_LOG_FORMAT)
        return PHASE_END;
    return row->id == SETTING_HTTP_RESPONSE || row->id == SETTING_ERROR_PAGE ? PHASE_RESPONSE
                                                                             : PHASE_REQUEST;
}

/* The literal parts of a path or query stand in the request line as they are. */
static bool check_target(const struct value *v)
{
    bool is_path = key_is(v, "set-path");

    for (const struct word_part *part = v->word->parts; part != NULL; part = part->next) {
        if (is_path && part->is_variable && str_eq(part->text, STR("uri")))
            return fail_because(v, "'uri' has the query in it: 'raw-path' has not");
        if (part->is_variable)
            continue;
        if (is_path && part == v->word->parts && part->text.p[0] != '/')
            return fail_because(v, "a path starts with '/'");
        if (is_path && memchr(part->text.p, '?', part->text.n) != NULL)
            return fail_because(v, "a path ends before its '?': 'set-query' sets what follows");
        for (size_t i = 0; i < part->text.n; i++)
            if (!uri_is_target_char(part->text.p[i]))
                return fail_because(v,
                                    "a blank, '#', '\"' and the like must be percent-encoded here");
    }
    return v->word->parts != NULL || !is_path || fail_because(v, "a path starts with '/'");
}

static bool read_template(const struct value *v)
{
    bool one_line = v->row->id == SETTING_HTTP_REQUEST || v->row->id == SETTING_HTTP_RESPONSE ||
                    v->row->id == SETTING_REDIRECT || v->row->id == SETTING_LOG_FORMAT ||
                    key_is(v, "redirect");
    bool is_target = key_is(v, "set-path") || key_is(v, "set-query");

    return template_compile(v->compile, v->word, phase_of(v->row), one_line, &v->arg->template) &&
           (!is_target || check_target(v));
}

/* A bare word is the name of a format, which may stand further down; build finds it. */
static bool read_format(const struct value *v)
{
    if (v->word->is_bad)
        return false;
    if (v->word->at->kind != AST_BARE || v->word->has_variable)
        return template_compile(v->compile, v->word, PHASE_END, true, &v->arg->template);
    v->arg->text = store_str(&v->compile->keep, v->word->text);
    return true;
}

/* `bind fd@${NAME}` names a variable of the environment without `env.`: HAProxy's form. */
static bool fill_descriptor(const struct value *v)
{
    const struct word_part *part = v->word->parts;
    const char *set;

    if (part->is_variable || !str_eq(part->text, STR("fd@")) || part->next == NULL ||
        part->next->next != NULL)
        return fail(v);
    set = word_environment(v->compile, part->next->text);
    if (set == NULL) {
        diag_error(v->compile->diags, part->next->span,
                   "the environment variable '%.*s' is not set", STR_ARG(part->next->text));
        return false;
    }
    v->arg->text = store_printf(&v->compile->keep, "fd@%s", set);
    return read_bind_address(v);
}

static bool fill_later(const struct value *v)
{
    const struct word_part *part = v->word->parts;

    if (v->arg->type == FORM_BIND_ADDRESS)
        return fill_descriptor(v);
    if (v->arg->type == FORM_VARIABLE) /* its name, and not what it is worth */
        return fail(v);
    while (!part->is_variable)
        part = part->next;
    diag_error(
        v->compile->diags, part->span,
        "'%s' must be known when the file is loaded; only ${env.NAME} and values of 'let' that "
        "stand above can be filled in here",
        v->row->name);
    return false;
}

bool value_read(struct compile *c, const struct setting_row *row, const struct word *word,
                const char *expected, struct arg *arg)
{
    const struct value v = {c, row, word, expected, arg};

    if (word->at->kind == AST_LIST)
        return fail(&v);
    if (arg->type == FORM_TEMPLATE)
        return read_template(&v);
    if (arg->type == FORM_FORMAT)
        return read_format(&v);
    if (word->has_variable)
        return fill_later(&v);
    arg->text = store_str(&c->keep, word->text);
    switch (arg->type) {
    case FORM_COUNT: return read_count(&v);
    case FORM_SIZE:
    case FORM_MEMORY: return read_size(&v);
    case FORM_RATE: return read_rate(&v);
    case FORM_DURATION:
    case FORM_TIMEOUT: return read_duration(&v);
    case FORM_OCTAL: return read_octal(&v);
    case FORM_NAME: return read_name(&v);
    case FORM_TEXT: return read_text(&v);
    case FORM_VALUE: return true;
    case FORM_PATH:
    case FORM_PATTERN: return read_path(&v);
    case FORM_CODE: return read_code(&v);
    case FORM_STATUS: return read_status(&v);
    case FORM_FAILURE: return read_failure(&v);
    case FORM_FIELD: return read_field(&v);
    case FORM_WHO: return read_who(&v);
    case FORM_PEER: return read_peer(&v);
    case FORM_VARIABLE: return read_variable(&v);
    case FORM_TARGET: return read_target(&v);
    case FORM_BIND_ADDRESS: return read_bind_address(&v);
    case FORM_ADDRESS: return read_address(&v);
    case FORM_TEMPLATE:
    case FORM_FORMAT:
    case FORM_WORD:
    case FORM_N: break;
    }
    unreachable("a type of form.h without a reader");
}

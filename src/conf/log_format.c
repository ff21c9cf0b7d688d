/*
 * log_format - the lines of access logs.
 */
#include "conf/log_format.h"

#include "conf/suggest.h"
#include "conf/variable.h"

/*
 * The formats that are there without being written. `common` and `combined` are Apache's, field by
 * field; of `json` each variable writes a whole value, null where it has none.
 */
static const struct log_format_row {
    const char *name;
    bool is_json;
    const char *text;
} rows[] = {
    {LOG_FORMAT_DEFAULT, false,
     "${client-ip} [${time-iso8601}] \"${method} ${uri} ${version}\" ${status} ${response-bytes} "
     "${route} ${backend}/${server} ${attempts} ${request-time} ${hold-time} ${spooled-bytes} "
     "${termination}"                                                  },
    {"common",           false,
     "${client-ip} - - [${time-local}] \"${method} ${uri} ${version}\" ${status} "
     "${response-bytes}"                                               },
    {"combined",         false,
     "${client-ip} - - [${time-local}] \"${method} ${uri} ${version}\" ${status} "
     "${response-bytes} \"${header.referer}\" \"${header.user-agent}\""},
    {"json",             true,
     "{\"time\":${time-iso8601},\"request-id\":${request-id},\"client-ip\":${client-ip},"
     "\"method\":${method},\"host\":${host},\"uri\":${uri},\"version\":${version},"
     "\"referer\":${header.referer},\"user-agent\":${header.user-agent},"
     "\"frontend\":${frontend},\"route\":${route},\"backend\":${backend},\"server\":${server},"
     "\"status\":${status},\"request-length\":${request-length},"
     "\"response-bytes\":${response-bytes},\"request-time\":${request-time},"
     "\"hold-time\":${hold-time},\"attempts\":${attempts},"
     "\"upstream-connect-time\":${upstream-connect-time},"
     "\"upstream-header-time\":${upstream-header-time},"
     "\"upstream-response-time\":${upstream-response-time},"
     "\"spooled-bytes\":${spooled-bytes},\"buffering\":${buffering},"
     "\"termination\":${termination}}"                                 },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* One of the file, or of ours once it has been asked for. */
struct named_format {
    const struct setting *setting; /* NULL: ours */
    struct config_log_format *made;
    bool is_used;
    struct named_format *next;
};

bool log_format_row(size_t i, const char **name, const char **text)
{
    if (i >= N_ROWS)
        return false;
    *name = rows[i].name;
    *text = rows[i].text;
    return true;
}

static const struct log_format_row *row_find(struct str name)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (str_eq(name, str_of(rows[i].name)))
            return &rows[i];
    return NULL;
}

static struct named_format *format_new(struct compile *c, struct str name)
{
    struct named_format *f = store_new(&c->scratch, struct named_format);

    f->made = store_new(&c->keep, struct config_log_format);
    f->made->name = name;
    f->next = c->log_format_list;
    c->log_format_list = f;
    names_add(&c->log_formats, &c->scratch, name, f);
    return f;
}

void log_format_add(struct compile *c, const struct setting *s)
{
    struct str name = setting_name(s);
    struct named_format *f;

    if (row_find(name) != NULL) {
        diag_error(c->diags, setting_span(s),
                   "the log format '%.*s' is there already: it is built in", STR_ARG(name));
        return;
    }
    if (names_find(&c->log_formats, name) != NULL)
        return; /* the checker has said that there are two */
    f = format_new(c, name);
    f->setting = s;
    f->made->line = s->args.last->template;
}

const struct config_log_format *log_format_of(const struct compile *c, const struct setting *s)
{
    const struct named_format *f = names_find(&c->log_formats, setting_name(s));

    return f == NULL ? NULL : f->made;
}

bool log_format_is_used(const struct compile *c, const struct setting *s)
{
    const struct named_format *f = names_find(&c->log_formats, setting_name(s));

    return f == NULL || f->is_used;
}

/* A text of ours, split at `${`; what it names is in variables.def, or a test of ours fails. */
static void compile_text(struct compile *c, struct str text, struct template *t)
{
    struct template_op *ops = store_zalloc(&c->keep, TEMPLATE_PARTS_MAX, sizeof(*ops));
    size_t n = 0;

    while (text.n > 0) {
        const char *dollar = memmem(text.p, text.n, "${", 2);
        size_t literal = dollar == NULL ? text.n : (size_t)(dollar - text.p);
        const char *close;

        if (literal > 0)
            ops[n++].literal = str_slice(text, 0, literal);
        if (dollar == NULL)
            break;
        close = memchr(dollar, '}', text.n - literal);
        ops[n].is_variable = true;
        variable_find(c, (struct str){dollar + 2, (size_t)(close - dollar) - 2}, SPAN_NONE,
                      PHASE_END, &ops[n++].var);
        text = str_slice(text, (size_t)(close - text.p) + 1, text.n);
    }
    *t = (struct template){ops, n};
}

static const struct config_log_format *make_row(struct compile *c, const struct log_format_row *row)
{
    struct named_format *f = format_new(c, str_of(row->name));

    f->made->is_built_in = true;
    f->made->is_json = row->is_json;
    compile_text(c, str_of(row->text), &f->made->line);
    return f->made;
}

static void report_unknown(struct compile *c, const struct arg *arg)
{
    struct suggestion s = suggest_start(arg->text);

    for (size_t i = 0; i < N_ROWS; i++)
        suggest_offer(&s, str_of(rows[i].name));
    for (const struct named_format *f = c->log_format_list; f != NULL; f = f->next)
        suggest_offer(&s, f->made->name);
    diag_error(c->diags, arg->at->span,
               "unknown log format '%.*s'; expected default, common, combined, json, the name of a "
               "'log-format' or a string%s",
               STR_ARG(arg->text), suggest_text(&s));
}

const struct config_log_format *log_format_find(struct compile *c, const struct arg *arg)
{
    struct str name = arg == NULL ? STR(LOG_FORMAT_DEFAULT) : arg->text;
    const struct log_format_row *row;
    struct config_log_format *own;
    struct named_format *f;

    if (name.n == 0) {
        own = store_new(&c->keep, struct config_log_format);
        own->line = arg->template;
        return own;
    }
    f = names_find(&c->log_formats, name);
    if (f != NULL) {
        f->is_used = true;
        return f->made;
    }
    row = row_find(name);
    if (row != NULL)
        return make_row(c, row);
    if (!c->is_incomplete)
        report_unknown(c, arg);
    return NULL;
}

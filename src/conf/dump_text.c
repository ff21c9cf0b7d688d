/*
 * dump_text - the words of the language, as dump writes them.
 */
#include "conf/dump_text.h"

#include "base/panic.h"
#include "conf/quantity.h"
#include "conf/word.h"

/* Where the comments of a dump with origins begin. */
#define PLACE_COLUMN 56

void dump_str(struct dump *d, struct str text)
{
    if (d->out != NULL && text.n > 0)
        memcpy(d->out + d->n, text.p, text.n);
    d->n += text.n;
    if (d->n > d->most)
        d->most = d->n;
}

void dump_text(struct dump *d, const char *text)
{
    dump_str(d, str_of(text));
}

void dump_number(struct dump *d, uint64_t number)
{
    char digits[STR_U64_MAX];

    dump_str(d, (struct str){digits, str_put_u64(digits, number)});
}

void dump_size(struct dump *d, uint64_t bytes)
{
    char text[QUANTITY_TEXT_MAX];

    dump_str(d, (struct str){text, quantity_put_size(text, bytes)});
}

void dump_duration(struct dump *d, uint64_t ms)
{
    char text[QUANTITY_TEXT_MAX];

    dump_str(d, (struct str){text, quantity_put_duration(text, ms)});
}

/* The inside of a "string". */
static void put_escaped(struct dump *d, struct str text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        char pair[2] = {'\\', (char)c};
        char hex[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};

        if (c == '\n')
            dump_text(d, "\\n");
        else if (c == '\t')
            dump_text(d, "\\t");
        else if (c == '\r')
            dump_text(d, "\\r");
        else if (c == '"' || c == '\\' || c == '$')
            dump_str(d, (struct str){pair, 2});
        else if (c < ' ' || c >= 0x7f)
            dump_str(d, (struct str){hex, 4});
        else
            dump_str(d, str_slice(text, i, i + 1));
    }
}

/* A word that means text: bare where it can be. */
void dump_word(struct dump *d, struct str text)
{
    if (word_is_bare(text)) {
        dump_str(d, text);
        return;
    }
    dump_text(d, "\"");
    put_escaped(d, text);
    dump_text(d, "\"");
}

/* A value of a condition: as it stands between `'` where it has marks, which keeps patterns
 * legible. */
void dump_value(struct dump *d, struct str text)
{
    if (word_is_bare(text) || !word_is_raw(text)) {
        dump_word(d, text);
        return;
    }
    dump_text(d, "'");
    dump_str(d, text);
    dump_text(d, "'");
}

void dump_variable(struct dump *d, const struct var_ref *var)
{
    dump_text(d, var_rows[var->id].name);
    if (var->argument.n > 0) {
        dump_text(d, ".");
        dump_str(d, var->argument);
    }
}

/* Always a string: a log line must not read as the name of a format. */
void dump_template(struct dump *d, const struct template *t)
{
    dump_text(d, "\"");
    for (size_t i = 0; i < t->n_ops; i++) {
        if (!t->ops[i].is_variable) {
            put_escaped(d, t->ops[i].literal);
            continue;
        }
        dump_text(d, "${");
        dump_variable(d, &t->ops[i].var);
        dump_text(d, "}");
    }
    dump_text(d, "\"");
}

/* Start a line with its directive. */
void dump_directive(struct dump *d, const char *name)
{
    d->line_start = d->n;
    for (unsigned i = 0; i < d->depth; i++)
        dump_text(d, "    ");
    dump_text(d, name);
}

void dump_setting_at(struct dump *d, enum setting_id id, const struct config_place *place)
{
    dump_directive(d, setting_rows[id].name);
    d->place = d->with_origins ? place : NULL;
}

void dump_setting(struct dump *d, enum setting_id id)
{
    dump_setting_at(d, id, d->origins == NULL ? NULL : &d->origins->settings[id]);
}

/* Where the line in hand was written, as a comment. Line 0 is that of what is built in. */
static void put_place(struct dump *d)
{
    while (d->n - d->line_start < PLACE_COLUMN)
        dump_text(d, " ");
    dump_text(d, "  # ");
    dump_str(d, d->place->file);
    dump_text(d, ":");
    dump_number(d, d->place->line);
}

void dump_end_line(struct dump *d)
{
    bool is_built_in = d->place != NULL && d->place->line == 0;

    if (d->place != NULL && d->which != DUMP_ALL && is_built_in != (d->which == DUMP_BUILT_IN)) {
        d->n = d->line_start;
        d->place = NULL;
        return;
    }
    if (d->place != NULL && !is_built_in)
        put_place(d);
    d->place = NULL;
    dump_text(d, "\n");
}

void dump_open(struct dump *d)
{
    dump_text(d, " {\n");
    d->depth++;
}

void dump_close(struct dump *d)
{
    d->depth--;
    dump_directive(d, "}\n");
}

/* ` word value`, where value is more than a word of the form. */
void dump_option(struct dump *d, const char *name)
{
    dump_text(d, " ");
    dump_text(d, name);
    dump_text(d, " ");
}

static void put_values(struct dump *d, const struct expr *e)
{
    for (size_t i = 0; i < e->n_values; i++) {
        dump_text(d, i == 0 ? "" : ", ");
        dump_value(d, e->values[i].text);
    }
}

static void put_test(struct dump *d, const struct expr *e)
{
    dump_variable(d, &e->var);
    if (e->op == EXPR_IS_SET)
        return;
    dump_option(d, operator_rows[e->op - EXPR_IS_SET - 1].name);
    if (e->file.n > 0) {
        dump_text(d, "file ");
        dump_word(d, e->file);
        return;
    }
    dump_text(d, e->op == EXPR_IN ? "(" : "");
    put_values(d, e);
    dump_text(d, e->op == EXPR_IN ? ")" : "");
}

/* An item that binds less tightly than what it stands in gets its parentheses. */
static void put_item(struct dump *d, const struct expr *e, bool in_parentheses)
{
    dump_text(d, in_parentheses ? "(" : "");
    dump_expr(d, e);
    dump_text(d, in_parentheses ? ")" : "");
}

static void put_items(struct dump *d, const struct expr *e, const char *joint)
{
    for (size_t i = 0; i < e->n_items; i++) {
        enum expr_op op = e->items[i]->op;

        if (i > 0)
            dump_option(d, joint);
        put_item(d, e->items[i], op == EXPR_OR || op == e->op);
    }
}

/* Depth: NESTING_MAX of the filter. */
void dump_expr(struct dump *d, const struct expr *e)
{
    switch (e->op) {
    case EXPR_AND: put_items(d, e, "and"); return;
    case EXPR_OR: put_items(d, e, "or"); return;
    case EXPR_NOT:
        dump_text(d, "not ");
        put_item(d, e->items[0], e->items[0]->op == EXPR_AND || e->items[0]->op == EXPR_OR);
        return;
    case EXPR_ACL: dump_str(d, e->acl); return;
    case EXPR_IS_SET:
#define X(id, name, types, takes, doc) case EXPR_##id:
#include "grammar/operators.def"
#undef X
        put_test(d, e);
        return;
    case EXPR_OP_N: break;
    }
    unreachable("no such operator");
}

void dump_when(struct dump *d, const struct expr *when)
{
    if (when == NULL)
        return;
    dump_text(d, " when ");
    dump_expr(d, when);
}

void dump_log(struct dump *d, const struct config_log *log)
{
    dump_text(d, " ");
    switch (log->kind) {
    case LOG_STDERR: dump_text(d, "stderr"); return;
    case LOG_STDOUT: dump_text(d, "stdout"); return;
    case LOG_SYSLOG: dump_text(d, "syslog@"); break;
    case LOG_FILE: break;
    }
    dump_word(d, log->where);
}

void dump_on_off(struct dump *d, const char *name, bool is_on)
{
    dump_directive(d, name);
    dump_text(d, is_on ? " on\n" : " off\n");
}

static void put_net(struct dump *d, const struct cidr *net)
{
    char text[ADDR_TEXT_MAX];
    struct addr addr = {.n = sizeof(addr.at.v6)};
    bool is_v4 =
        net->bits >= 96 && memcmp(net->base.bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;

    addr.at.v6.sin6_family = AF_INET6;
    memcpy(&addr.at.v6.sin6_addr, net->base.bytes, 16);
    if (is_v4) {
        addr = (struct addr){.n = sizeof(addr.at.v4)};
        addr.at.v4.sin_family = AF_INET;
        memcpy(&addr.at.v4.sin_addr, net->base.bytes + 12, 4);
    }
    dump_str(d, (struct str){text, addr_host_text(&addr, text)});
    if (net->bits == 128)
        return;
    dump_text(d, "/");
    dump_number(d, net->bits - (is_v4 ? 96 : 0));
}

void dump_net(struct dump *d, const struct cidr *net)
{
    dump_text(d, " ");
    put_net(d, net);
}

void dump_peers(struct dump *d, const struct peers *peers)
{
    dump_text(d, " (");
    for (size_t i = 0; i < peers->n_nets; i++) {
        dump_text(d, i == 0 ? "" : ", ");
        put_net(d, &peers->nets[i]);
    }
    if (peers->has_unix)
        dump_text(d, peers->n_nets == 0 ? "unix" : ", unix");
    dump_text(d, ")");
}

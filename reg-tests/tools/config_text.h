/*
 * config_text - configurations that nobody would write: valid, of every directive, and laid out by
 * dice.
 *
 * What a directive takes is read from grammar/settings.def, in the notation of conf/form.h, so what
 * the language learns is generated here too, as long as the types of its values are known below; a
 * directive of another type is left out. The layout does all that the lexical form allows: comments
 * and line ends everywhere, joins, tabs, `;`, words that touch marks, columns that are aligned here
 * and there. The same seed gives the same text.
 */
#ifndef HOLDFAST_CONFIG_TEXT_H
#define HOLDFAST_CONFIG_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_TEXT_MAX        (256 << 10)
#define CONFIG_TEXT_TOKENS_MAX 8192
#define CONFIG_TEXT_USED_MAX   256

struct config_text_token {
    char kind; /* 'w' a word, '.' the end of a statement, else the mark itself */
    unsigned from;
    unsigned n;
};

struct config_text {
    uint64_t random;
    char words[CONFIG_TEXT_MAX]; /* of the tokens */
    unsigned n_words;
    struct config_text_token tokens[CONFIG_TEXT_TOKENS_MAX];
    unsigned n_tokens;
    char out[CONFIG_TEXT_MAX];
    unsigned n_out;

    /* What the statement in hand may refer to. */
    unsigned n_spools;
    unsigned n_backends;
    unsigned n_policies;
    unsigned n_acls;
    bool has_internal; /* the frontend has a route `sorry` that only error pages lead to */
    unsigned port;

    /* What stands in the block in hand already: a directive, or one with its first word. */
    char used[CONFIG_TEXT_USED_MAX][64];
    unsigned n_used;

    /* The statement in hand. */
    const struct config_text_row *row;
    char key[64]; /* the word of the form that was put last */
    bool is_lost; /* something in it cannot be generated */

    /* The layout. */
    bool has_crlf;
    unsigned parens;
    unsigned depth;
    unsigned column;
};

static const struct config_text_row {
    const char *name;
    const char *places;
    const char *opens;
    const char *repeats;
    const char *form;
    uint64_t least;
    uint64_t most;
} config_text_rows[] = {
#define X(id, name, places, opens, repeats, form, initial, least, most, doc)                       \
    {name, #places, #opens, #repeats, form, least, most},
#include "grammar/settings.def"
#undef X
};

#define CONFIG_TEXT_N_ROWS (sizeof(config_text_rows) / sizeof(config_text_rows[0]))

/* 0..n-1 */
static unsigned config_text_dice(struct config_text *g, unsigned n)
{
    g->random ^= g->random << 13;
    g->random ^= g->random >> 7;
    g->random ^= g->random << 17;
    return (unsigned)((g->random >> 11) % n);
}

#define CONFIG_TEXT_ONE_OF(g, list)                                                                \
    ((list)[config_text_dice((g), (unsigned)(sizeof(list) / sizeof((list)[0])))])

/* ---- tokens ---- */

static void config_text_token(struct config_text *g, char kind, const char *text)
{
    unsigned n = (unsigned)strlen(text);

    if (g->n_tokens == CONFIG_TEXT_TOKENS_MAX || g->n_words + n > CONFIG_TEXT_MAX) {
        fputs("config_text: too much text\n", stderr);
        exit(2);
    }
    memcpy(g->words + g->n_words, text, n);
    g->tokens[g->n_tokens++] = (struct config_text_token){kind, g->n_words, n};
    g->n_words += n;
}

static void config_text_word(struct config_text *g, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void config_text_word(struct config_text *g, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    config_text_token(g, 'w', text);
}

static void config_text_mark(struct config_text *g, char mark)
{
    char text[2] = {mark, '\0'};

    config_text_token(g, mark, mark == '.' ? "" : text);
}

/* ---- values ---- */

static void config_text_template(struct config_text *g)
{
    static const char *const paths[] = {"/x${path}", "\"/y${path}\"", "'/z'"};
    static const char *const texts[] = {
        "hello",
        "\"hello, ${client-ip}\"",
        "'as it ${stands} \\'",
        "\"# no comment; { } ( ) , \\\" \\\\ \\$ \\x41\"",
        "https://${host}${uri}#a",
        "\"\"",
        "back\\slash",
        "ends-in-one\\",
        "$5",
        "\"Gr\xc3\xbc\xc3\x9f" "e\"",
        "'\ttab'",
        "${env.HOLDFAST_NOT_SET:-a default, with; marks {}",
    };

    if (strcmp(g->key, "set-path") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, paths));
    else if (strcmp(g->key, "set-query") == 0)
        config_text_word(g, "a=%u", config_text_dice(g, 10));
    else
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, texts));
}

static void config_text_name(struct config_text *g)
{
    if (strcmp(g->key, "spool") == 0 && g->n_spools > 0)
        config_text_word(g, "s%u", config_text_dice(g, g->n_spools));
    else if (strcmp(g->key, "use-backend") == 0)
        config_text_word(g, "b%u", config_text_dice(g, g->n_backends));
    else if (strcmp(g->key, "route") == 0 && g->has_internal)
        config_text_word(g, "sorry");
    else if (strcmp(g->key, "use-policy") == 0 && g->n_policies > 0)
        config_text_word(g, "p%u", config_text_dice(g, g->n_policies));
    else if (strcmp(g->key, "server") == 0)
        config_text_word(g, "a%u", g->port++);
    else
        g->is_lost = true;
}

static void config_text_count(struct config_text *g)
{
    unsigned room = (unsigned)(g->row->most - g->row->least);

    config_text_word(g, "%u",
                     (unsigned)g->row->least + config_text_dice(g, (room > 20 ? 20 : room) + 1));
}

/* A value of a type of conf/form.h. */
static void config_text_value(struct config_text *g, const char *type)
{
    static const char *const sizes[] = {"4096", "64K", "1m", "\"128KiB\"", "256k"};
    static const char *const larger[] = {"64K", "5G", "unlimited", "1T"};
    static const char *const durations[] = {"0", "30s", "'5m'", "250ms", "12h", "1d"};
    static const char *const timeouts[] = {"never", "30s", "5m", "\"10s\""};
    static const char *const codes[] = {"404", "503", "429"};
    static const char *const failures[] = {"reset", "timeout", "empty-response", "503"};
    static const char *const fields[] = {"X-A", "\"X-B\"", "X-Long-Name-Of-A-Field", "'x-c'"};
    static const char *const whos[] = {"10.0.0.0/8", "::1", "all", "'127.0.0.1'", "2001:db8::/32"};
    static const char *const targets[] = {"stderr", "stdout", "log/web.log", "syslog@/dev/log"};
    static const char *const formats[] = {"common", "combined", "\"${method} ${uri} # ${status}\""};
    static const char *const rates[] = {"500/s", "1K/s"};

    if (strcmp(type, "COUNT") == 0)
        config_text_count(g);
    else if (strcmp(type, "MEMORY") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, sizes));
    else if (strcmp(type, "SIZE") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, larger));
    else if (strcmp(type, "DURATION") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, durations));
    else if (strcmp(type, "TIMEOUT") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, timeouts));
    else if (strcmp(type, "RATE") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, rates));
    else if (strcmp(type, "CODE") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, codes));
    else if (strcmp(type, "STATUS") == 0)
        config_text_word(g, "%u", 400 + config_text_dice(g, 200));
    else if (strcmp(type, "FAILURE") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, failures));
    else if (strcmp(type, "FIELD") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, fields));
    else if (strcmp(type, "WHO") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, whos));
    else if (strcmp(type, "TARGET") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, targets));
    else if (strcmp(type, "FORMAT") == 0)
        config_text_word(g, "%s", CONFIG_TEXT_ONE_OF(g, formats));
    else if (strcmp(type, "TEMPLATE") == 0)
        config_text_template(g);
    else if (strcmp(type, "NAME") == 0)
        config_text_name(g);
    else if (strcmp(type, "OCTAL") == 0)
        config_text_word(g, "0660");
    else if (strcmp(type, "TEXT") == 0)
        config_text_word(g, "text/x-%u", config_text_dice(g, 100));
    else if (strcmp(type, "PATH") == 0)
        config_text_word(g, "/path/%u", g->port++);
    else if (strcmp(type, "ADDRESS") == 0 || strcmp(type, "BIND-ADDRESS") == 0)
        config_text_word(g, "127.0.0.1:%u", g->port++);
    else
        g->is_lost = true;
}

/* ---- conditions ---- */

static void config_text_test(struct config_text *g)
{
    static const char *const tests[] = {
        "path under /a",        "path == \"/b c\"",     "path starts-with '/#c'",
        "method != GET",        "header.X-Live == yes", "header.authorization",
        "content-length == 5M", "host == example.com",  "query.page == 'x'",
        "client-ip == ::1",     "cookie.session",       "content-length > 10M",
        "uri ~ '^/u/(.*)$'",    "uri ~ \"a\\\\.b$\"",  "path ends-with .css",
        "host contains \"x y\"", "local-port <= 1024",   "content-length < 1K",
    };
    static const char *const lists[] = {
        "method in GET,HEAD,\"PUT\"", "client-ip in 10.0.0.0/8,::1", "path in /a,/b,'/c,d'",
        "content-length in 1K,2K",    "local-port in 80,81,8080",
    };
    char text[64];
    char *rest = text;
    bool is_list = config_text_dice(g, 3) == 0;

    if (g->n_acls > 0 && config_text_dice(g, 5) == 0) {
        config_text_word(g, "c%u", config_text_dice(g, g->n_acls));
        return;
    }
    snprintf(text, sizeof(text), "%s",
             is_list ? CONFIG_TEXT_ONE_OF(g, lists) : CONFIG_TEXT_ONE_OF(g, tests));
    for (unsigned i = 0; rest != NULL && i < 2; i++)
        config_text_word(g, "%s", strsep(&rest, " "));
    if (is_list)
        config_text_mark(g, '(');
    while (rest != NULL) {
        char *end = rest[0] == '\'' ? strchr(rest + 1, '\'') + 1 : strchr(rest, is_list ? ',' : '\0');
        bool is_last = end == NULL || *end == '\0';

        config_text_word(g, "%.*s", end == NULL ? (int)strlen(rest) : (int)(end - rest), rest);
        if (!is_last)
            config_text_mark(g, ',');
        rest = is_last ? NULL : end + 1;
    }
    if (is_list)
        config_text_mark(g, ')');
}

static void config_text_condition(struct config_text *g, unsigned depth)
{
    unsigned n = 1 + config_text_dice(g, depth > 0 ? 3 : 1);
    const char *joint = config_text_dice(g, 2) == 0 ? "and" : "or";

    for (unsigned i = 0; i < n; i++) {
        bool is_group = depth > 0 && config_text_dice(g, 3) == 0;

        if (i > 0)
            config_text_word(g, "%s", joint);
        if (config_text_dice(g, 4) == 0)
            config_text_word(g, "not");
        if (!is_group) {
            config_text_test(g);
            continue;
        }
        config_text_mark(g, '(');
        config_text_condition(g, depth - 1);
        config_text_mark(g, ')');
    }
}

/* ---- statements ---- */

/* The next element of a form: a word, or one of `[ ] { } /`, without what is glued to it. */
static const char *config_text_element(const char *form, char out[256])
{
    size_t n = 0;

    while (*form == ' ')
        form++;
    if (*form != '\0' && strchr("[]{}", *form) != NULL)
        n = 1;
    else
        while (form[n] != '\0' && strchr(" []{}", form[n]) == NULL)
            n++;
    snprintf(out, 256, "%.*s", (int)n, form);
    return form + n;
}

static void config_text_element_put(struct config_text *g, char *element)
{
    char *dots = strstr(element, "...");
    unsigned n = dots == NULL ? 1 : 1 + config_text_dice(g, 3);
    unsigned n_choices = 1;

    if (dots != NULL)
        *dots = '\0';
    for (char *p = element; *p != '\0'; p++)
        n_choices += *p == '|';
    for (unsigned choice = config_text_dice(g, n_choices); choice > 0; choice--)
        element = strchr(element, '|') + 1;
    element[strcspn(element, "|")] = '\0';
    if (element[0] >= 'A' && element[0] <= 'Z') {
        for (unsigned i = 0; i < n; i++)
            config_text_value(g, element);
        return;
    }
    config_text_word(g, "%s", element);
    snprintf(g->key, sizeof(g->key), "%.60s", element);
}

/* Put what stands from form on to the end of its bracket, or skip it. Gives what is behind. */
static const char *config_text_sequence(struct config_text *g, const char *form, bool is_put);

static const char *config_text_choice(struct config_text *g, const char *form, bool is_put)
{
    unsigned n = 1;
    unsigned chosen;
    const char *p = form;

    for (; *p != '}'; p++)
        n += p[0] == ' ' && p[1] == '/' && p[2] == ' ';
    chosen = config_text_dice(g, n);
    for (unsigned i = 0; i < n; i++)
        form = config_text_sequence(g, form, is_put && i == chosen);
    return form;
}

static const char *config_text_sequence(struct config_text *g, const char *form, bool is_put)
{
    char element[256];

    for (;;) {
        form = config_text_element(form, element);
        if (element[0] == '\0' || strcmp(element, "]") == 0 || strcmp(element, "}") == 0 ||
            strcmp(element, "/") == 0)
            return form;
        if (strcmp(element, "[") == 0 && strncmp(form, "when EXPRESSION", 15) == 0) {
            form = config_text_sequence(g, form, false);
            if (is_put && config_text_dice(g, 2) == 0) {
                config_text_word(g, "when");
                config_text_condition(g, 2);
            }
        } else if (strcmp(element, "[") == 0) {
            form = config_text_sequence(g, form, is_put && config_text_dice(g, 2) == 0);
        } else if (strcmp(element, "{") == 0) {
            form = config_text_choice(g, form, is_put);
        } else if (is_put) {
            config_text_element_put(g, element);
        }
    }
}

/* Has the block got this already? Else it has now. */
static bool config_text_is_used(struct config_text *g, const char *what)
{
    for (unsigned i = 0; i < g->n_used; i++)
        if (strcmp(g->used[i], what) == 0)
            return true;
    if (g->n_used < CONFIG_TEXT_USED_MAX)
        snprintf(g->used[g->n_used++], sizeof(g->used[0]), "%s", what);
    return false;
}

/* A directive that stands once, or once for each first word: may it stand again? */
static bool config_text_is_twice(struct config_text *g, const struct config_text_token *head)
{
    char what[64];

    if (strcmp(g->row->repeats, "MANY") == 0)
        return false;
    snprintf(what, sizeof(what), "%s %.*s", g->row->name,
             strcmp(g->row->repeats, "ONCE") == 0 ? 0 : (int)head[1].n, g->words + head[1].from);
    return config_text_is_used(g, what);
}

static bool config_text_has(const struct config_text *g, unsigned from, const char *word)
{
    for (unsigned i = from; i < g->n_tokens; i++)
        if (g->tokens[i].n == strlen(word) &&
            memcmp(g->words + g->tokens[i].from, word, g->tokens[i].n) == 0)
            return true;
    return false;
}

/* What a form does not say: pages that need a file, and what goes with no other word. */
static bool config_text_is_legal(const struct config_text *g, unsigned from)
{
    if (strcmp(g->row->name, "error-page") == 0)
        return !config_text_has(g, from, "file") &&
               !(config_text_has(g, from, "=>") && config_text_has(g, from, "redirect"));
    return true;
}

/* One statement without its block; nothing if dice and directive do not go together. */
static void config_text_statement(struct config_text *g, const struct config_text_row *row)
{
    unsigned from = g->n_tokens;
    bool is_quoted;

    g->row = row;
    g->is_lost = false;
    snprintf(g->key, sizeof(g->key), "%s", row->name);
    /* `allow` and `deny` are words of the grammar only where they are bare. */
    is_quoted = config_text_dice(g, 20) == 0 && strstr(row->form, "EXPRESSION") == NULL;
    config_text_word(g, is_quoted ? "\"%s\"" : "%s", row->name);
    config_text_sequence(g, row->form, true);
    if (g->n_tokens - from == 1)
        config_text_mark(g, '.');
    if (g->is_lost || !config_text_is_legal(g, from) ||
        config_text_is_twice(g, g->tokens + from)) {
        g->n_tokens = from;
        return;
    }
    if (g->tokens[g->n_tokens - 1].kind != '.')
        config_text_mark(g, '.');
}

static const struct config_text_row *config_text_find(const char *name)
{
    for (size_t i = 0; i < CONFIG_TEXT_N_ROWS; i++)
        if (strcmp(config_text_rows[i].name, name) == 0)
            return &config_text_rows[i];
    fprintf(stderr, "config_text: no directive '%s'\n", name);
    exit(2);
}

/* Up to n statements of directives that may stand in this place and open no block. */
static void config_text_statements(struct config_text *g, const char *place, unsigned n)
{
    for (unsigned i = config_text_dice(g, n + 1); i > 0; i--) {
        const struct config_text_row *row =
            &config_text_rows[config_text_dice(g, CONFIG_TEXT_N_ROWS)];

        if (strstr(row->places, place) == NULL || strcmp(row->opens, "NONE") != 0 ||
            strcmp(row->name, "user") == 0)
            i++;
        else
            config_text_statement(g, row);
        if (config_text_dice(g, 500) == 0)
            return;
    }
}

static void config_text_open(struct config_text *g, const char *head, const char *name)
{
    config_text_word(g, "%s", head);
    if (name != NULL)
        config_text_word(g, "%s", name);
    config_text_mark(g, '{');
    g->n_used = 0;
}

static void config_text_close(struct config_text *g)
{
    config_text_mark(g, '}');
    config_text_mark(g, '.');
}

static void config_text_route(struct config_text *g, unsigned number)
{
    config_text_word(g, "route");
    config_text_word(g, "r%u", number);
    if (config_text_dice(g, 4) > 0) {
        config_text_word(g, "when");
        config_text_condition(g, 3);
    }
    config_text_mark(g, '{');
    g->n_used = 0;
    config_text_statements(g, "IN_POLICY", 4);
    if (config_text_dice(g, 3) == 0) {
        config_text_word(g, "respond");
        config_text_word(g, "200");
        config_text_template(g);
        if (config_text_dice(g, 2) == 0) {
            config_text_mark(g, '{');
            if (config_text_dice(g, 2) == 0)
                config_text_statement(g, config_text_find("content-type"));
            config_text_mark(g, '}');
        }
        config_text_mark(g, '.');
    } else {
        config_text_statement(g, config_text_find("use-backend"));
    }
    config_text_close(g);
}

static void config_text_frontend(struct config_text *g, unsigned number)
{
    char name[16];

    snprintf(name, sizeof(name), "f%u", number);
    config_text_open(g, "frontend", name);
    g->has_internal = true;
    config_text_statement(g, config_text_find("bind"));
    config_text_statements(g, "IN_POLICY", 8);
    config_text_open(g, "route", "sorry");
    config_text_word(g, "internal");
    config_text_mark(g, '.');
    config_text_word(g, "respond");
    config_text_word(g, "503");
    config_text_mark(g, '.');
    config_text_close(g);
    for (unsigned i = config_text_dice(g, 5); i > 0; i--)
        config_text_route(g, i);
    g->has_internal = false;
    config_text_close(g);
}

static void config_text_backend(struct config_text *g, unsigned number)
{
    char name[16];

    snprintf(name, sizeof(name), "b%u", number);
    config_text_open(g, "backend", name);
    for (unsigned i = 1 + config_text_dice(g, 3); i > 0; i--)
        config_text_statement(g, config_text_find("server"));
    config_text_statements(g, "IN_BACKEND", 3);
    config_text_close(g);
}

/* What has a name and is used by others: the first ones refer to nothing. */
static void config_text_names(struct config_text *g)
{
    char name[16];

    for (unsigned i = config_text_dice(g, 3); i > 0; i--) {
        config_text_word(g, "let");
        config_text_word(g, "l%u", i);
        config_text_word(g, "=");
        config_text_value(g, "TEXT");
        config_text_mark(g, '.');
    }
    for (unsigned n = config_text_dice(g, 3), i = 0; i < n; i++) {
        config_text_word(g, "acl");
        config_text_word(g, "c%u", i);
        config_text_word(g, "when");
        config_text_condition(g, 2);
        config_text_mark(g, '.');
        g->n_acls++;
    }
    for (unsigned n = config_text_dice(g, 3), i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "p%u", i);
        config_text_open(g, "policy", name);
        config_text_statements(g, "IN_POLICY", 5);
        if (i > 0)
            config_text_statement(g, config_text_find("use-policy"));
        config_text_close(g);
        g->n_policies++;
    }
    for (unsigned i = config_text_dice(g, 3); i > 0; i--) {
        config_text_word(g, "log-format");
        config_text_word(g, "g%u", i);
        config_text_word(g, "\"${method}  ${uri} # ${status}\"");
        config_text_mark(g, '.');
    }
}

static void config_text_sections(struct config_text *g)
{
    char name[16];

    g->n_spools = config_text_dice(g, 3);
    g->n_backends = 1 + config_text_dice(g, 3);
    for (unsigned i = 0; i < g->n_spools; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        config_text_open(g, "spool", name);
        config_text_statement(g, config_text_find("path"));
        config_text_statements(g, "IN_SPOOL", 3);
        config_text_close(g);
    }
    config_text_names(g);
    if (config_text_dice(g, 2) == 0) {
        config_text_open(g, "global", NULL);
        config_text_statements(g, "IN_GLOBAL", 6);
        config_text_close(g);
    }
    if (config_text_dice(g, 2) == 0) {
        config_text_open(g, "defaults", NULL);
        config_text_statements(g, "IN_POLICY", 10);
        config_text_close(g);
    }
    for (unsigned i = 0; i < g->n_backends; i++)
        config_text_backend(g, i);
    for (unsigned i = config_text_dice(g, 4); i > 0; i--)
        config_text_frontend(g, i);
}

/* ---- layout ---- */

static void config_text_put(struct config_text *g, const char *text, size_t n)
{
    if (g->n_out + n > CONFIG_TEXT_MAX) {
        fputs("config_text: too much text\n", stderr);
        exit(2);
    }
    memcpy(g->out + g->n_out, text, n);
    g->n_out += (unsigned)n;
    g->column += (unsigned)n;
}

static void config_text_blanks(struct config_text *g, unsigned least)
{
    unsigned n = least;
    unsigned to = 12 + 8 * config_text_dice(g, 4);

    switch (config_text_dice(g, 8)) {
    case 0: config_text_put(g, "\t", 1); break;
    case 1: n += config_text_dice(g, 12); break;
    case 2: n = g->column + 1 < to ? to - g->column : n; break;
    case 3: config_text_put(g, " \t ", 3); break;
    }
    while (n-- > 0)
        config_text_put(g, " ", 1);
}

static void config_text_end_line(struct config_text *g)
{
    if (config_text_dice(g, 10) == 0)
        config_text_put(g, "  ", 1 + config_text_dice(g, 2));
    if (g->has_crlf)
        config_text_put(g, "\r", 1);
    config_text_put(g, "\n", 1);
    g->column = 0;
    if (config_text_dice(g, 3) > 0)
        for (unsigned i = 4 * (g->depth + g->parens); i > 0; i--)
            config_text_put(g, " ", 1);
    config_text_blanks(g, 0);
}

static void config_text_comment(struct config_text *g)
{
    static const char *const texts[] = {
        "#",
        "# a comment",
        "#tight { ( ; \" '",
        "# trailing blanks  \t ",
        "# joins nothing \\",
        "# \xc3\xbc, characters",
        "# a comment of some length, so that lines come out that are longer than a hundred columns",
    };
    const char *text = CONFIG_TEXT_ONE_OF(g, texts);

    config_text_put(g, text, strlen(text));
    config_text_end_line(g);
}

/* A line end where one may stand, with comments and empty lines around it now and then. */
static void config_text_break(struct config_text *g)
{
    do {
        if (config_text_dice(g, 4) == 0) {
            config_text_blanks(g, 1);
            config_text_comment(g);
        } else {
            config_text_end_line(g);
        }
    } while (config_text_dice(g, 4) == 0);
}

static void config_text_join(struct config_text *g)
{
    config_text_put(g, " ", 1);
    config_text_put(g, g->has_crlf ? "\\\r\n" : "\\\n", g->has_crlf ? 3 : 2);
    g->column = 0;
    config_text_blanks(g, 0);
}

/* Between two tokens of a statement. */
static void config_text_gap(struct config_text *g, char left, char right)
{
    bool must_be = left == 'w' && right == 'w';
    unsigned dice = config_text_dice(g, 40);

    if (g->parens > 0 && dice < 6) {
        config_text_put(g, " ", 1);
        config_text_break(g);
    } else if (dice < 8) {
        config_text_join(g);
    } else if (must_be || dice < 30) {
        config_text_blanks(g, 1);
    }
}

/* Between two statements, or a statement and its block. */
static void config_text_stop(struct config_text *g, char right)
{
    unsigned dice = config_text_dice(g, 12);

    config_text_blanks(g, 1); /* a last word may end in a backslash */
    if (right == '}' && dice < 4)
        return;
    if (dice < 2)
        config_text_put(g, ";", 1);
    else if (dice == 2)
        config_text_put(g, ";;", 2);
    else
        config_text_break(g);
}

static void config_text_layout(struct config_text *g)
{
    g->has_crlf = config_text_dice(g, 8) == 0;
    if (config_text_dice(g, 8) == 0)
        config_text_put(g, "\xef\xbb\xbf", 3);
    if (config_text_dice(g, 3) == 0)
        config_text_break(g);
    for (unsigned i = 0; i < g->n_tokens; i++) {
        char kind = g->tokens[i].kind;
        char next = i + 1 < g->n_tokens ? g->tokens[i + 1].kind : '.';

        g->parens += (kind == '(') - (unsigned)(kind == ')');
        g->depth += (kind == '{') - (unsigned)(kind == '}');
        config_text_put(g, g->words + g->tokens[i].from, g->tokens[i].n);
        if (kind == '.')
            config_text_stop(g, next);
        else if (kind == '{' && config_text_dice(g, 3) > 0)
            config_text_break(g);
        else if (next != '.')
            config_text_gap(g, kind, next);
    }
}

/*
 * Make the text of a seed in g->out, g->n_out bytes of it.
 */
static inline void config_text_make(struct config_text *g, uint64_t seed)
{
    memset(g, 0, sizeof(*g));
    g->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    g->port = 1000;
    config_text_sections(g);
    config_text_layout(g);
}

#endif

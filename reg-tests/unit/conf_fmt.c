/*
 * The canonical layout: properties that hold for every text, on texts made by dice, and the forms
 * that are easy to get wrong.
 */
#include "conf/fmt.h"

#include "base/pool.h"
#include "conf/dump.h"
#include "conf/load.h"
#include "reg-tests/tools/config_text.h"
#include "unit.h"

#define N_GENERATED 2000

/* Lay out a text; STR_EMPTY with p == NULL where it has faults. */
static struct str format(struct str text, struct arena *a)
{
    struct diags *diags = diags_new();
    struct str out;
    bool is_done = fmt_text(STR("x.cfg"), text, diags, a, &out);

    CU_ASSERT_EQUAL(is_done, diags_n_errors(diags) == 0);
    diags_free(diags);
    return is_done ? out : STR_EMPTY;
}

/* The dump of the configuration that a text is; empty where it has errors. */
static struct str dump_of(struct str text, struct arena *a)
{
    const struct files_entry entry = {"x.cfg", text};
    struct diags *diags = diags_new();
    struct files_memory files;
    struct config *config;
    struct str dump = STR_EMPTY;

    files_memory_init(&files, &entry, 1, NULL);
    config = config_load("x.cfg", &files.files, diags);
    if (config != NULL)
        dump = config_dump(config, a);
    config_unref(config);
    diags_free(diags);
    return dump;
}

/* All that a layout may not touch, without asking the lexer what that is. */
static struct str squeeze(struct str text, struct arena *a)
{
    char *p = arena_text(a, text.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        if (strchr(" \t\r\n;\\", text.p[i]) == NULL)
            p[n++] = text.p[i];
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        return (struct str){p + 3, n - 3};
    return (struct str){p, n};
}

static void nothing_but_the_layout_changes(void)
{
    struct config_text *generated = memory_get(sizeof(*generated));
    struct arena *a = arena_new(1 << 20, 0);
    unsigned n_loaded = 0;

    for (unsigned seed = 0; seed < N_GENERATED; seed++) {
        struct str before;
        struct str after;
        struct str dump;
        bool ok;

        config_text_make(generated, seed);
        before = (struct str){generated->out, generated->n_out};
        after = format(before, a);
        ok = after.p != NULL && str_eq(format(after, a), after) &&
             str_eq(squeeze(before, a), squeeze(after, a));
        dump = dump_of(before, a);
        n_loaded += dump.n > 0;
        ok = ok && str_eq(dump_of(after, a), dump);
        if (!ok)
            printf("\nconf_fmt: seed %u\n", seed);
        CU_ASSERT(ok);
        arena_reset(a);
    }
    CU_ASSERT(n_loaded > N_GENERATED * 9 / 10);
    arena_free(a);
    memory_put(generated);
}

static void expect_format(const char *before, const char *after)
{
    struct arena *a = arena_new(4096, 0);
    struct str out = format(str_of(before), a);
    struct str again = format(out, a);

    if (!str_eq(out, str_of(after)))
        printf("\nconf_fmt: expected <%s>, got <%.*s>\n", after, STR_ARG(out));
    CU_ASSERT(str_eq(out, str_of(after)));
    CU_ASSERT(str_eq(again, out));
    arena_free(a);
}

static void nothing_is_nothing(void)
{
    expect_format("", "");
    expect_format("\n\n ; \n", "");
    expect_format("\xef\xbb\xbf\r\n", "");
    expect_format("\n \xef\xbb\xbfx", "\n\xef\xbb\xbfx\n"); /* a word, not the mark */
    expect_format("# a \t\r\n", "# a\n");
    expect_format("\n\n#a\n\n\n# b\\", "#a\n\n# b\\\n");
}

/* A word that ends in a backslash must not come to stand before a line end. */
static void a_last_backslash_joins_nothing(void)
{
    expect_format("a\\ \nb", "a\\;\nb\n");
    expect_format("a\\", "a\\;\n");
    expect_format("a\\;", "a\\;\n");
    expect_format("a\\ # c\nb", "a\\ # c\nb\n");
    expect_format("a\\ \\\n b", "a\\ \\\n    b\n");
    expect_format("a { b\\ }", "a { b\\ }\n");
    expect_format("a { b\\ \n }", "a {\n    b\\;\n}\n");
    expect_format("a (b\\ \n, c\\ \n)", "a (b\\, c\\)\n");
    expect_format("a (b\\ \n # d\n)", "a (b\\ # d\n)\n");
}

static void joins_stay_between_words(void)
{
    expect_format("a \\\n b\\\nc", "a \\\n    b \\\n    c\n");
    expect_format("\\\na \\\n\\\n b \\\n\nc", "a \\\n    b\nc\n");
    expect_format("a \\\n{ \\\n b }", "a {\n    b\n}\n");
    expect_format("a \\\n# b\nc", "a # b\nc\n");
    expect_format("a (b, \\\n c) \\\n d", "a (b,\n    c) \\\n    d\n");
}

static void commas_stand_behind_their_values(void)
{
    expect_format("a (b\n , c\n )", "a (b,\n    c\n)\n");
    expect_format("a (b # b\n , c # c\n )", "a (b # b\n    , c # c\n)\n");
    expect_format("a (b\n , # c\n c)", "a (b, # c\n    c)\n");
}

static void words_under_each_other_stay_so(void)
{
    expect_format("a    1\nbcd  2\n", "a   1\nbcd 2\n");
    expect_format("a    1\nbcd   2\n", "a 1\nbcd 2\n");
    expect_format("a    1\n\nbcd  2\n", "a 1\n\nbcd 2\n");
    expect_format("a    1\n# c\nbcd  2\n", "a   1\n# c\nbcd 2\n");
    expect_format("a    1  x\nbcd  22 y\n", "a   1  x\nbcd 22 y\n");
    expect_format("\ta\t1\n        bcdef   2\n", "a     1\nbcdef 2\n");
}

static void comments_share_a_column(void)
{
    expect_format("a    # 1\nbcd   # 2\n", "a    # 1\nbcd  # 2\n");
    expect_format("a # 1\nbcdefgh # 2\n", "a       # 1\nbcdefgh # 2\n");
    expect_format("a # 1\nbcdefgh# 2\n", "a # 1\nbcdefgh# 2\n"); /* `#` inside a word */
    expect_format("a  # 1\n'bcd'   # 2\nb (# 3\n c)\n",
                  "a       # 1\n'bcd'   # 2\nb (     # 3\n    c)\n");
    expect_format("a   # 1\n    # 2\n    # 3\n# 4\n", "a   # 1\n    # 2\n    # 3\n# 4\n");
    expect_format("a { # 1\n    # 2\n    b\n}\n", "a { # 1\n    # 2\n    b\n}\n");
    expect_format("a { b # 1\n } # 2\n", "a {\n    b # 1\n} # 2\n");
}

UNIT_SUITE(conf_fmt)
{
    UNIT_TEST(nothing_but_the_layout_changes);
    UNIT_TEST(nothing_is_nothing);
    UNIT_TEST(a_last_backslash_joins_nothing);
    UNIT_TEST(joins_stay_between_words);
    UNIT_TEST(commas_stand_behind_their_values);
    UNIT_TEST(words_under_each_other_stay_so);
    UNIT_TEST(comments_share_a_column);
}

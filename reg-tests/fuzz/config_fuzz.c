/*
 * config_fuzz - any text to the loader. What it accepts must dump to a text that it accepts too,
 * with the same dump.
 *
 * Build: clang -fsanitize=fuzzer,address,undefined with all of src/base and src/conf,
 * src/io/addr.c, src/http/field.c and the generated config_lexer.c and config_parser.c. Seeds: the
 * golden files of reg-tests/config.
 */
#include "base/panic.h"
#include "conf/dump.h"
#include "conf/load.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void ignore_line(void *arg, struct str line)
{
    (void)arg;
    (void)line;
}

/* Load one text beside a file to include and a page; NULL where it has errors. */
static struct config *load(struct str text)
{
    const struct files_entry entries[] = {
        {"x.cfg",      text                       },
        {"y.cfg",      STR("include x.cfg\n")     },
        {"z.cfg",      STR("spool z { path z }\n")},
        {"/page.html", STR("<p>")                 },
        {"/www",       STR_EMPTY                  }
    };
    static const char *const variables[] = {"A=1", "B=two words", "C=", NULL};
    struct diags *diags = diags_new();
    struct files_memory files;
    struct config *config;

    files_memory_init(&files, entries, 5, variables);
    config = config_load("x.cfg", &files.files, diags);
    assert((config == NULL) == (diags_n_errors(diags) > 0));
    diags_each_line(diags, ignore_line, NULL);
    diags_free(diags);
    return config;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct config *first = load((struct str){(const char *)data, n});
    struct arena *arena;
    struct config *second;
    struct str dump;
    struct str again;

    if (first == NULL)
        return 0;
    arena = arena_new(4096, 0);
    assert(arena != NULL);
    dump = config_dump(first, arena);
    second = load(dump);
    assert_about(second != NULL, dump.p);
    again = config_dump(second, arena);
    assert_about(str_eq(dump, again), dump.p);
    config_unref(first);
    config_unref(second);
    arena_free(arena);
    return 0;
}

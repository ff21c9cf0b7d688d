/*
 * config_fuzz - any text to the loader. What it accepts must dump to a text that it accepts too,
 * with the same dump.
 *
 * The text is a list of values for `in file` as well. It can include a loop, a file that has
 * faults, and one that gives names to refer to. Seeds: reg-tests/fuzz/corpus/config, from the
 * golden files and from config_text.
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

#define N_ENTRIES 9

/* Load one text beside files to include, lists of values and a page; NULL where it has errors. */
static struct config *load(struct str text)
{
    static const char names[] = "spool z { path z }\n"
                                "let z = 7\n"
                                "acl z when path under /z and header.z ~ '(?<z>z)'\n"
                                "policy z { hold ${z}s; deny when z }\n"
                                "log-format z \"${z} ${uri}\"\n";
    const struct files_entry entries[N_ENTRIES] = {
        {"x.cfg",      text                              },
        {"/x.cfg",     text                              },
        {"y.cfg",      STR("include x.cfg\n")            },
        {"z.cfg",      str_of(names)                     },
        {"bad.cfg",    STR("bogus {\n")                  },
        {"/page.html", STR("<p>")                        },
        {"/www",       STR_EMPTY                         },
        {"/hosts",     STR("a.example\n# no\n\n*.b\n")   },
        {"/addresses", STR("127.0.0.1\n10.0.0.0/8 # c\n")}
    };
    static const char *const variables[] = {"A=1", "B=two words", "C=", NULL};
    struct diags *diags = diags_new();
    struct files_memory files;
    struct config *config;

    files_memory_init(&files, entries, N_ENTRIES, variables);
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

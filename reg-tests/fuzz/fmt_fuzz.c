/*
 * fmt_fuzz - any text to the layout. It is refused with an error, or laid out: then once more
 * changes nothing, and to the loader both are the same configuration, or both are none.
 *
 * That no word, mark or comment is lost fmt_text asserts itself. Seeds: the golden files of
 * reg-tests/config.
 */
#include "base/panic.h"
#include "conf/dump.h"
#include "conf/fmt.h"
#include "conf/load.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static bool format(struct str text, struct arena *arena, struct str *out)
{
    struct diags *diags = diags_new();
    bool is_done = fmt_text(STR("x.cfg"), text, diags, arena, out);

    assert(is_done == (diags_n_errors(diags) == 0));
    diags_free(diags);
    return is_done;
}

/* The dump of what a text is to the loader; empty where it has errors. */
static struct str load(struct str text, struct arena *arena)
{
    const struct files_entry entries[] = {
        {"x.cfg",      text      },
        {"/page.html", STR("<p>")}
    };
    static const char *const variables[] = {"A=1", "B=two words", "C=", NULL};
    struct diags *diags = diags_new();
    struct files_memory files;
    struct config *config;
    struct str dump = STR_EMPTY;

    files_memory_init(&files, entries, 2, variables);
    config = config_load("x.cfg", &files.files, diags);
    if (config != NULL)
        dump = config_dump(config, arena);
    config_unref(config);
    diags_free(diags);
    return dump;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct arena *arena = arena_new(4096, 0);
    struct str text = {(const char *)data, n};
    struct str first;
    struct str second;

    assert(arena != NULL);
    if (format(text, arena, &first)) {
        assert_about(format(first, arena, &second), "the layout has faults");
        assert_about(str_eq(first, second), "the layout of the layout is another");
        assert_about(str_eq(load(text, arena), load(first, arena)),
                     "the layout means another thing");
    }
    arena_free(arena);
    return 0;
}

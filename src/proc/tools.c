/*
 * tools - what the program does with a configuration besides running it.
 */
#include "proc/tools.h"

#include "base/json.h"
#include "conf/dump.h"
#include "conf/keywords.h"
#include "conf/load.h"

#include <stdio.h>

#define DUMP_BLOCK_BYTES 65536
#define KEYWORDS_SCHEMA  1 /* grows when a member goes or changes its meaning */

struct config *tools_compile(const struct options *o, const struct files *files)
{
    struct diags *diags = diags_new();
    struct config *c;

    if (diags == NULL) {
        fputs("holdfast: out of memory\n", stderr);
        return NULL;
    }
    c = config_load(o->config_path, files, diags);
    diags_print(diags, stderr);
    if (o->is_strict && diags_n_warnings(diags) > 0) {
        config_unref(c);
        c = NULL;
    }
    diags_free(diags);
    return c;
}

int tools_check(const struct options *o)
{
    struct config *c = tools_compile(o, &files_disk);

    if (c == NULL)
        return 1;
    if (!o->is_quiet) {
        for (size_t i = 0; i < c->n_spools; i++)
            printf("spool %.*s: %.*s\n", STR_ARG(c->spools[i].name), STR_ARG(c->spools[i].path));
        puts("Configuration file is valid");
    }
    config_unref(c);
    return 0;
}

int tools_dump(const struct options *o)
{
    struct config *c = tools_compile(o, &files_disk);
    struct arena *a = arena_new(DUMP_BLOCK_BYTES, 0);
    struct str text = STR_EMPTY;

    if (c != NULL && a != NULL)
        text = config_dump(c, a);
    if (text.p != NULL)
        fwrite(text.p, 1, text.n, stdout);
    arena_free(a);
    config_unref(c);
    return text.p != NULL ? 0 : 1;
}

int tools_keywords(void)
{
    struct json j = json_start(stdout);

    json_open_object(&j);
    json_member(&j, "program", "holdfast");
    json_member(&j, "version", HOLDFAST_VERSION);
    json_key(&j, "schema");
    json_number(&j, KEYWORDS_SCHEMA);
    options_write(&j);
    keywords_write(&j);
    json_close(&j);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    perror("holdfast: standard output");
    return 1;
}

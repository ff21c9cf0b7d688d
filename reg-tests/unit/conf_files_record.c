/*
 * conf_files_record - a configuration compiled from recorded answers is the one that was recorded.
 */
#include "conf/files_record.h"

#include "conf/dump.h"
#include "conf/load.h"
#include "unit.h"

static const char main_text[] = "include \"parts/*.cfg\"\n"
                                "let my-port = 81\n"
                                "global { user nobody; log error.log }\n"
                                "frontend f {\n"
                                "    bind \"*:${env.PORT}\"\n"
                                "    error-page 404 file /pages/a.html\n"
                                "    route s when path under /s { files /www }\n"
                                "    route r { use-backend app }\n"
                                "}\n"
                                "backend app { server a host.example:3000 }\n";

static const char part_b[] = "backend b { server a 127.0.0.1:1 }\n";
static const char part_c[] = "backend c { server a 127.0.0.1:2 }\n";

static const struct files_entry entries[] = {
    {"x.cfg",         {main_text, sizeof(main_text) - 1}},
    {"parts/b.cfg",   {part_b, sizeof(part_b) - 1}      },
    {"parts/c.cfg",   {part_c, sizeof(part_c) - 1}      },
    {"/www",          {NULL, 0}                         },
    {"/pages/a.html", {"<p>", 3}                        },
};

static struct config *load(const struct files *files)
{
    struct diags *diags = diags_new();
    struct config *c = config_load("x.cfg", files, diags);

    CU_ASSERT_EQUAL(diags_n_errors(diags) > 0, c == NULL);
    diags_free(diags);
    return c;
}

/* Record a load of the files above; the record is the caller's. */
static struct config *record(struct pack *to)
{
    static const char *const variables[] = {"PORT=8080", NULL};
    struct files_recorder recorder;
    struct files_memory memory;

    files_memory_init(&memory, entries, sizeof(entries) / sizeof(entries[0]), variables);
    pack_init(to);
    files_recorder_init(&recorder, &memory.files, to);
    return load(&recorder.files);
}

static struct config *replay(struct str from, bool *has_strayed)
{
    struct files_replayer replayer;
    struct config *c;
    struct unpack u;

    unpack_init(&u, from);
    files_replayer_init(&replayer, &u, has_strayed);
    c = load(&replayer.files);
    *has_strayed = *has_strayed || u.has_failed;
    return c;
}

static void what_is_replayed_is_what_was_recorded(void)
{
    struct arena *a = arena_new(65536, 0);
    struct pack answers;
    struct config *first = record(&answers);
    struct config *second;
    bool has_strayed;

    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT(!answers.has_failed);
    second = replay((struct str){answers.bytes, answers.n}, &has_strayed);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT(!has_strayed);
    pack_reset(&answers); /* nothing of the configuration lies in it */
    CU_ASSERT(str_eq(config_dump(first, a), config_dump(second, a)));
    CU_ASSERT_EQUAL(second->n_backends, 3);
    CU_ASSERT_EQUAL(second->global.uid, 65534);
    config_unref(first);
    config_unref(second);
    arena_free(a);
}

/* Answers that were cut short, and answers to other questions: a failure each, and nothing worse.
 */
static void what_was_not_asked_is_not_answered(void)
{
    struct pack answers;
    struct config *first = record(&answers);

    for (size_t n = 0; n < answers.n; n += 13) {
        struct config *second;
        bool has_strayed;

        second = replay((struct str){answers.bytes, n}, &has_strayed);
        CU_ASSERT(has_strayed || second == NULL);
        config_unref(second);
    }
    config_unref(first);
    pack_reset(&answers);
}

UNIT_SUITE(conf_files_record)
{
    UNIT_TEST(what_is_replayed_is_what_was_recorded);
    UNIT_TEST(what_was_not_asked_is_not_answered);
}

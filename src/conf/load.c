/*
 * load - the whole compiler: a path in, a configuration or its faults out.
 */
#include "conf/load.h"

#include "base/panic.h"
#include "base/pool.h"
#include "conf/build.h"
#include "conf/parse.h"

#define SCRATCH_BLOCK ((size_t)64 << 10)
#define KEEP_BLOCK    ((size_t)32 << 10)

/* What a load may take. 10,000 routes take 80M of both together. */
#define SCRATCH_MAX ((size_t)1 << 30)
#define KEEP_MAX    ((size_t)1 << 30)

/* A load that took so much gives it back to the system: the allocator would keep it. */
#define TRIM_FROM ((size_t)4 << 20)

/* One file on the way from the main file to the one in hand. */
struct chain {
    const struct source *source;
    const struct chain *includer;
    struct span span; /* of the path in the includer that named it */
    unsigned depth;
};

struct load {
    struct compile compile;
    jmp_buf no_memory;
    struct scope *top;
    bool is_full; /* no file fits any more: the others need not be read to know it */
};

static struct str directory_of(struct str path)
{
    const char *slash = path.n == 0 ? NULL : memrchr(path.p, '/', path.n);

    if (slash == NULL)
        return STR("");
    return str_slice(path, 0, slash == path.p ? 1 : (size_t)(slash - path.p));
}

/* Read a file. `span` names it; faults are reported there. */
static struct source *read_source(struct load *l, struct str path, struct span span)
{
    struct compile *c = &l->compile;
    struct source *source;
    struct str text;
    struct str identity;
    const char *why;

    if (l->is_full)
        return NULL;
    why = c->files->read(c->files, path, SOURCE_FILE_MAX, c->scratch.arena, &text);
    if (why != NULL) {
        diag_error(c->diags, span, "cannot read '%.*s': %s", STR_ARG(path), why);
        return NULL;
    }
    identity = c->files->identity(c->files, path, c->scratch.arena);
    source = source_add(c->sources, path, identity, directory_of(path), text);
    l->is_full = source == NULL;
    if (source == NULL)
        diag_error(c->diags, span, "cannot read '%.*s': that is too much in all", STR_ARG(path));
    return source;
}

static bool is_loop(struct load *l, const struct chain *chain, struct str path, struct span span)
{
    struct compile *c = &l->compile;
    struct str identity = c->files->identity(c->files, path, c->scratch.arena);

    for (const struct chain *at = chain; at != NULL; at = at->includer) {
        if (!str_eq(at->source->identity, identity))
            continue;
        diag_error(c->diags, span, "'%.*s' would include itself", STR_ARG(path));
        for (const struct chain *link = chain; link != at; link = link->includer)
            diag_note(c->diags, link->span, "by way of this");
        return true;
    }
    return false;
}

static void load_file(struct load *l, const struct chain *chain);

static void include_file(struct load *l, const struct chain *chain, struct str path,
                         struct span span)
{
    struct chain next = {.includer = chain, .span = span, .depth = chain->depth + 1};

    if (is_loop(l, chain, path, span))
        return;
    if (next.depth > LOAD_INCLUDE_MAX) {
        diag_error(l->compile.diags, span, "files include each other more than %d deep",
                   LOAD_INCLUDE_MAX);
        return;
    }
    next.source = read_source(l, path, span);
    if (next.source != NULL)
        load_file(l, &next);
    else
        l->top->is_incomplete = true;
}

/* A plain path must exist; a pattern may match nothing. */
static void include(struct load *l, const struct chain *chain, const struct setting *s)
{
    struct compile *c = &l->compile;
    struct str path = setting_name(s);
    struct str directory = chain->source->directory;
    struct str *paths;
    size_t n;

    if (!str_starts_with(path, STR("/")) && directory.n > 0)
        path = store_printf(&c->scratch, "%.*s/%.*s", STR_ARG(directory), STR_ARG(path));
    if (strpbrk(path.p, "*?[") == NULL) {
        include_file(l, chain, path, setting_span(s));
        return;
    }
    if (!c->files->match(c->files, path, c->scratch.arena, &paths, &n))
        store_fail(&c->scratch);
    for (size_t i = 0; i < n; i++)
        include_file(l, chain, paths[i], setting_span(s));
}

/* Depth: LOAD_INCLUDE_MAX. */
static void load_file(struct load *l, const struct chain *chain)
{
    struct compile *c = &l->compile;
    const struct ast_block *block;
    bool has_brace_fault;

    if (!tokens_check_bytes(c, (struct source *)chain->source)) {
        l->top->is_incomplete = true;
        return;
    }
    block = parse(c, chain->source, &has_brace_fault);
    l->top->is_incomplete = l->top->is_incomplete || has_brace_fault;
    for (const struct ast_statement *at = block->first; at != NULL; at = at->next) {
        const struct setting *s = check_statement(c, l->top, at, has_brace_fault);

        /* Nobody reads more, and this is no configuration. */
        if (diags_n_errors(c->diags) > DIAG_KEEP_MAX)
            return;
        if (s != NULL && s->row->id == SETTING_INCLUDE && !s->is_bad)
            include(l, chain, s);
    }
}

static struct config *load(struct load *l, const char *path)
{
    struct chain chain = {.source = read_source(l, str_of(path), SPAN_NONE)};
    struct config *config;

    if (chain.source == NULL)
        return NULL;
    l->top = check_top(&l->compile);
    load_file(l, &chain);
    l->compile.is_incomplete = l->top->is_incomplete;
    check_conditions(&l->compile);
    resolve_policies(&l->compile);
    config = build(&l->compile, l->top, chain.source);
    return diags_n_errors(l->compile.diags) == 0 ? config : NULL;
}

/* Copy the pid file's path, where the file could be read so far. */
static void note_pid_file(const struct load *l, char *pid_path, size_t room)
{
    const struct setting *global = l->top == NULL ? NULL : scope_first(l->top, SETTING_GLOBAL);
    const struct setting *s = global == NULL || global->block == NULL
                                  ? NULL
                                  : scope_first(global->block, SETTING_PID_FILE);
    struct str path = s == NULL || s->is_bad ? STR("") : s->args.first->text;

    if (room == 0)
        return;
    if (path.n >= room)
        path.n = 0;
    memcpy(pid_path, path.p, path.n);
    pid_path[path.n] = '\0';
}

static struct config *load_all(const char *path, const struct files *files, struct diags *diags,
                               bool wants_origins, char *pid_path, size_t room)
{
    struct arena *scratch = arena_new(SCRATCH_BLOCK, SCRATCH_MAX);
    struct arena *keep = arena_new(KEEP_BLOCK, KEEP_MAX);
    struct config *config = NULL;
    bool is_large;
    struct load l;

    l.compile = (struct compile){
        .files = files,
        .diags = diags,
        .sources = diags_sources(diags),
        .scratch = {scratch, &l.no_memory},
        .keep = {keep,    &l.no_memory},
        .wants_origins = wants_origins,
    };
    l.compile.conditions_end = &l.compile.conditions;
    l.top = NULL;
    l.is_full = false;
    if (scratch == NULL || keep == NULL || setjmp(l.no_memory) != 0)
        diag_error(diags, SPAN_NONE, "out of memory");
    else
        config = load(&l, path);
    note_pid_file(&l, pid_path, room);
    is_large = scratch != NULL && arena_bytes(scratch) > TRIM_FROM;
    arena_free(scratch);
    if (config == NULL) {
        regexes_free(l.compile.regexes);
        arena_free(keep);
    }
    if (is_large)
        memory_trim();
    return config;
}

struct config *config_load(const char *path, const struct files *files, struct diags *diags)
{
    return load_all(path, files, diags, false, NULL, 0);
}

struct config *config_load_explained(const char *path, const struct files *files,
                                     struct diags *diags)
{
    return load_all(path, files, diags, true, NULL, 0);
}

bool config_pid_file(const char *path, const struct files *files, struct diags *diags,
                     char *pid_path, size_t room)
{
    pid_path[0] = '\0';
    config_unref(load_all(path, files, diags, false, pid_path, room));
    return pid_path[0] != '\0';
}

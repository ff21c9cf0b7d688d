/*
 * build_files - the action `files`: a directory, and what of a path is looked for in it.
 */
#include "conf/build.h"

static struct str trim_slashes_at_end(struct str path, size_t least)
{
    while (path.n > least && path.p[path.n - 1] == '/')
        path.n--;
    return path;
}

void build_directories(struct build *b)
{
    struct config_directory *list;
    size_t n = 0;

    for (const struct setting *f = b->top->first; f != NULL; f = f->next) {
        if (f->row->id != SETTING_FRONTEND)
            continue;
        for (const struct setting *r = f->block->first; r != NULL; r = r->next)
            n += r->row->id == SETTING_ROUTE && scope_first(r->block, SETTING_FILES) != NULL;
    }
    list = store_zalloc(&b->compile->keep, n, sizeof(*list));
    b->config->directories = list;
    b->next_directory = list;
}

/* The directory of this path, for all routes that name it the same. */
static const struct config_directory *find_directory(struct build *b, const struct arg *path)
{
    struct compile *c = b->compile;
    struct str text = store_str(&c->keep, trim_slashes_at_end(path->text, 1));
    struct config_directory *directory = names_find(&b->directories, text);
    const char *why;

    if (directory != NULL)
        return directory;
    why = c->files->find_directory(c->files, text);
    if (why != NULL)
        diag_error(c->diags, path->at->span, "cannot serve files of '%.*s': %s", STR_ARG(text),
                   why);
    directory = b->next_directory++;
    *directory = (struct config_directory){
        .path = text,
        .index = b->config->n_directories++,
        .place = build_place(b, path->at->span),
    };
    names_add(&b->directories, &c->scratch, text, directory);
    return directory;
}

static bool is_segment(struct str name)
{
    return memchr(name.p, '/', name.n) == NULL && memchr(name.p, '\0', name.n) == NULL &&
           !str_eq(name, STR(".")) && !str_eq(name, STR(".."));
}

/* Slashes one by one, no `.` and no `..`: as the variable `path` is. */
static bool is_normal_path(struct str path)
{
    while (path.n > 0) {
        const char *slash;
        struct str segment;

        if (path.p[0] != '/')
            return false;
        path = str_slice(path, 1, path.n);
        slash = path.n == 0 ? NULL : memchr(path.p, '/', path.n);
        segment = str_slice(path, 0, slash == NULL ? path.n : (size_t)(slash - path.p));
        if (segment.n == 0 || !is_segment(segment))
            return false;
        path = str_slice(path, segment.n, path.n);
    }
    return true;
}

static struct str build_index(struct build *b, const struct arg *name)
{
    if (!is_segment(name->text))
        diag_error(b->compile->diags, name->at->span,
                   "expected the name of a file, such as index.html, got '%.*s'",
                   STR_ARG(name->text));
    return name->text;
}

/* A path below the directory, from `/` on. */
static struct str build_path(struct build *b, const struct setting *s, const char *example)
{
    const struct arg *path;
    struct str text;

    if (s == NULL)
        return STR("");
    path = s->args.first;
    text = s->row->id == SETTING_STRIP ? trim_slashes_at_end(path->text, 0) : path->text;
    if (path->text.p[0] != '/' || !is_normal_path(text))
        diag_error(b->compile->diags, path->at->span, "expected a path such as %s, got '%.*s'",
                   example, STR_ARG(path->text));
    return text;
}

void build_files(struct build *b, struct config_route *route, const struct setting *s)
{
    const struct scope *defaults = b->files_defaults;

    route->action = ACTION_FILES;
    route->directory = find_directory(b, s->args.first);
    route->index = build_index(
        b, build_setting(s->block, defaults, SETTING_INDEX)->args.first);
    route->strip = build_path(b, build_setting(s->block, defaults, SETTING_STRIP), "/static");
    route->fallback =
        build_path(b, build_setting(s->block, defaults, SETTING_FALLBACK), "/index.html");
}

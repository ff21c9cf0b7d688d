/*
 * static - the action `files`: the file that a path names, below one directory and nowhere else.
 */
#include "proxy/static.h"

#include "base/log.h"
#include "base/panic.h"
#include "http/date.h"
#include "http/media_type.h"
#include "http/precondition.h"
#include "http/range.h"
#include "http/uri.h"
#include "proxy/worker.h"

#include <errno.h>

/* Times of files advance in ticks of the kernel, on some disks in steps of 1 or 2 s: a file that has
 * changed just now may change again and keep its time. */
#define SETTLED_S 2

/* Three numbers in hexadecimal, three marks, two quotes. */
#define ETAG_MAX 53

/* What a path names. */
enum found {
    FOUND_FILE,
    FOUND_DIRECTORY, /* with an index: the client should ask for it with a slash */
    FOUND_NOTHING,   /* 404 */
    FOUND_TROUBLE    /* see errno */
};

/* The route's directory, as this generation has it open. */
static int directory_of(const struct txn *t, const struct config_route *r)
{
    return t->generation->directories[r->directory->index];
}

/* Take the route's `strip` off the front of path. False: the path is not below it. */
static bool strip(const struct config_route *r, struct str *path)
{
    if (!str_starts_with(*path, r->strip))
        return false;
    *path = str_slice(*path, r->strip.n, path->n);
    return path->n == 0 || path->p[0] == '/';
}

/* Does a segment begin with a dot? What does is the operator's (.git, .env, .htpasswd). */
static bool is_hidden(struct str path)
{
    for (size_t at = 0; at + 1 < path.n; at++) {
        struct str rest = str_slice(path, at, path.n);

        if (rest.p[0] != '/' || rest.p[1] != '.')
            continue;
        if (!str_starts_with(rest, STR("/.well-known/")))
            return true;
    }
    return false;
}

/* A request that is answered with a page for its error may have no path at all. */
const char *static_path(struct txn *t, const struct config_route *r)
{
    struct str path = t->path;
    struct str name = STR("");

    if (path.n == 0 || path.p[0] != '/' || memchr(path.p, '\0', path.n) != NULL)
        return NULL;
    if (!strip(r, &path) || is_hidden(path))
        return NULL;
    if (path.n == 0)
        return ".";
    path = str_slice(path, 1, path.n);
    if (path.n == 0 || path.p[path.n - 1] == '/')
        name = r->index;
    return arena_printf(t->arena, "%.*s%.*s", STR_ARG(path), STR_ARG(name)).p;
}

/* Does errno say that there is no such thing, as far as a client may know? */
static bool is_not_there(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV: /* RESOLVE_BENEATH */
    case ENAMETOOLONG:
    case EACCES:
    case EPERM:
    case ENXIO:  /* a socket, a device without a driver */
    case ENODEV:
    case EINVAL: /* what the file system takes for no name */
    case EILSEQ: return true;
    default: return false;
    }
}

static enum found failed(const struct config_route *r, const char *path)
{
    int error = errno;
    bool is_refused = error == EACCES || error == EPERM;

    if (!is_not_there(error) || is_refused)
        log_message(is_refused ? LOG_INFO : LOG_ERROR, "%.*s: cannot open '%s' in %.*s: %s",
                    STR_ARG(r->full_name), path, STR_ARG(r->directory->path), strerror(error));
    errno = error;
    return is_not_there(error) ? FOUND_NOTHING : FOUND_TROUBLE;
}

static bool has_index(struct txn *t, const struct config_route *r, const char *path)
{
    struct str index = arena_printf(t->arena, "%s/%.*s", path, STR_ARG(r->index));
    struct file file;
    bool is_there;

    if (index.p == NULL || !directory_find(directory_of(t, r), index.p, &file))
        return false;
    is_there = !file.is_directory;
    file_close(&file);
    return is_there;
}

static enum found find_path(struct txn *t, const struct config_route *r, const char *path,
                            struct file *file)
{
    if (!directory_find(directory_of(t, r), path, file))
        return failed(r, path);
    if (!file->is_directory)
        return FOUND_FILE;
    if (t->path.n == 0 || t->path.p[t->path.n - 1] == '/') /* the index itself is a directory */
        return FOUND_NOTHING;
    return has_index(t, r, path) ? FOUND_DIRECTORY : FOUND_NOTHING;
}

/* *name is the file's, for its type. `redirects`: a directory without its slash is a find, too. */
static enum found find(struct txn *t, const struct config_route *r, bool redirects,
                       struct file *file, struct str *name)
{
    const char *path = static_path(t, r);
    enum found found = path == NULL ? FOUND_NOTHING : find_path(t, r, path, file);

    *name = str_of(path);
    if (found == FOUND_DIRECTORY && !redirects)
        found = FOUND_NOTHING;
    if (found != FOUND_NOTHING || r->fallback.n == 0)
        return found;
    *name = r->fallback;
    found = find_path(t, r, r->fallback.p + 1, file);
    return found == FOUND_DIRECTORY ? FOUND_NOTHING : found;
}

static void reply_trouble(struct txn *t, int error)
{
    bool is_short = error == EMFILE || error == ENFILE;

    if (error == ENOMEM)
        txn_fail(t, REASON_NO_MEMORY);
    else
        txn_fail(t, is_short ? REASON_NO_DESCRIPTORS : REASON_FILE_FAILED);
}

/*
 * The path with a slash behind it, and the query as it came. It is written from the path in its
 * normal form, of which the second byte is no slash: `//evil` would be another host's address (RFC
 * 3986 4.2).
 */
static struct str location_with_slash(struct txn *t)
{
    struct str query = uri_query(t->request->target);
    char *p = arena_text(t->arena, 3 * t->path.n + query.n + 2);
    size_t n;

    if (p == NULL)
        return STR_EMPTY;
    n = uri_encode(URI_PATH, t->path, p);
    p[n++] = '/';
    if (query.n > 0) {
        p[n++] = '?';
        memcpy(p + n, query.p, query.n);
        n += query.n;
    }
    return (struct str){p, n};
}

static void reply_with_slash(struct txn *t)
{
    struct answer a = {.status = 301, .location = location_with_slash(t)};

    if (a.location.p == NULL || !field_is_value(a.location))
        txn_fail(t, REASON_INTERNAL);
    else
        reply_send(t, &a);
}

static int64_t now_s(const struct txn *t)
{
    return (int64_t)(loop_wall(t->worker->loop) / 1000);
}

static struct str etag_of(struct txn *t, const struct file *file, bool is_weak)
{
    char *p = arena_text(t->arena, ETAG_MAX);
    size_t n = 0;

    if (p == NULL)
        return STR_EMPTY;
    p[n++] = '"';
    n += str_put_hex(p + n, (uint64_t)file->modified_s);
    p[n++] = '.';
    n += str_put_hex(p + n, file->modified_ns);
    p[n++] = '-';
    n += str_put_hex(p + n, file->size_bytes);
    if (is_weak)
        p[n++] = '~';
    p[n++] = '"';
    return (struct str){p, n};
}

/*
 * A tag of time and size is strong once the time has moved on (RFC 9110 8.8.1). Until then it is another
 * one, so that what was fetched between two changes is fetched again. A time in the future is now
 * (8.8.2.1).
 */
static struct validators validators_of(struct txn *t, const struct file *file)
{
    int64_t now = now_s(t);
    struct validators v = {.modified_s = file->modified_s < now ? file->modified_s : now};

    v.is_weak = v.modified_s >= now - SETTLED_S;
    v.etag = etag_of(t, file, v.is_weak);
    return v;
}

static void add_etag(struct txn *t, struct answer *a, const struct validators *v)
{
    answer_add(a, field_name(FIELD_ETAG),
               v->is_weak ? arena_printf(t->arena, "W/%.*s", STR_ARG(v->etag)) : v->etag);
}

static void add_modified(struct txn *t, struct answer *a, const struct validators *v)
{
    char *p = arena_text(t->arena, DATE_TEXT_LEN);

    if (p == NULL)
        return;
    date_write(v->modified_s, p);
    answer_add(a, field_name(FIELD_LAST_MODIFIED), (struct str){p, DATE_TEXT_LEN});
}

static struct str content_range(struct txn *t, const struct range *r, uint64_t size)
{
    return arena_printf(t->arena, "bytes %llu-%llu/%llu", (unsigned long long)r->from,
                        (unsigned long long)(r->from + r->n - 1), (unsigned long long)size);
}

/* Which part of the file is wanted? RFC 9110 14.2: of a HEAD, never a part. */
static enum range_kind wanted_range(const struct txn *t, const struct validators *v,
                                    uint64_t size, struct range *r)
{
    if (!head_may_have(t->request, FIELD_RANGE) || t->request->method != METHOD_GET ||
        !precondition_range_counts(t->request, v, now_s(t)))
        return RANGE_WHOLE;
    return range_read(head_value(t->request, FIELD_RANGE), size, r);
}

/* The file is there and the conditions hold: all of it, or a part. */
static void reply_content(struct txn *t, struct answer *a, const struct validators *v)
{
    uint64_t size = a->file.size_bytes;
    struct range part = {0, size};

    switch (wanted_range(t, v, size, &part)) {
    case RANGE_WHOLE: break;
    case RANGE_PART:
        a->status = 206;
        answer_add(a, STR("Content-Range"), content_range(t, &part, size));
        break;
    case RANGE_UNSATISFIABLE:
        file_close(&a->file);
        reply_refuse(t, REASON_RANGE, STR("Content-Range"),
                     arena_printf(t->arena, "bytes */%llu", (unsigned long long)size));
        return;
    }
    a->has_file = true;
    a->from = part.from;
    a->n = part.n;
    add_modified(t, a, v);
    answer_add(a, STR("Accept-Ranges"), STR("bytes"));
    reply_send(t, a);
}

static void reply_file(struct txn *t, struct file *file, struct str name)
{
    struct validators v = validators_of(t, file);
    struct answer a = {.status = 200, .content_type = media_type_of(name), .file = *file};

    if (v.etag.p == NULL) {
        file_close(file);
        txn_fail(t, REASON_NO_MEMORY);
        return;
    }
    add_etag(t, &a, &v);
    switch (precondition_evaluate(t->request, &v, now_s(t))) {
    case PRECONDITION_HOLDS: reply_content(t, &a, &v); return;
    case PRECONDITION_NOT_MODIFIED:
        /* RFC 9110 15.4.5: of the fields of a 200 only those by which caches update. */
        file_close(file);
        a.status = 304;
        reply_send(t, &a);
        return;
    case PRECONDITION_FAILED:
        file_close(file);
        txn_fail(t, REASON_PRECONDITION);
        return;
    }
}

void static_reply(struct txn *t)
{
    struct file file;
    struct str name;

    if (t->request->method != METHOD_GET && t->request->method != METHOD_HEAD) {
        reply_refuse(t, REASON_METHOD, STR("Allow"), STR("GET, HEAD"));
        return;
    }
    switch (find(t, t->route, true, &file, &name)) {
    case FOUND_FILE: reply_file(t, &file, name); return;
    case FOUND_DIRECTORY: reply_with_slash(t); return;
    case FOUND_NOTHING: txn_fail(t, REASON_NOT_FOUND); return;
    case FOUND_TROUBLE: reply_trouble(t, errno); return;
    }
}

bool static_page(struct txn *t, const struct config_route *r, struct answer *a)
{
    struct str name;

    if (find(t, r, false, &a->file, &name) != FOUND_FILE)
        return false;
    a->has_file = true;
    a->from = 0;
    a->n = a->file.size_bytes;
    a->content_type = media_type_of(name);
    return true;
}

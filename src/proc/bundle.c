/*
 * bundle - one generation on its way from the master to a worker.
 */
#include "proc/bundle.h"

#include "base/pool.h"
#include "conf/files_record.h"
#include "conf/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the master's side --- */

/* Memory that nobody can change any more. */
static int seal_text(const struct pack *head, const struct pack *answers)
{
    int fd = memfd_create("holdfast-bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int saved;

    if (fd < 0)
        return -1;
    if (pack_write(head, fd) && pack_write(answers, fd) &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static void pack_resource(struct pack *head, const struct resource *s)
{
    pack_u64(head, s->kind);
    pack_u64(head, s->log_kind);
    pack_u64(head, s->n_fds);
    pack_str(head, (struct str){s->name, s->name_n});
}

static size_t count_kept(const struct resources *r)
{
    size_t n = 0;

    list_each(at, keep, (struct list *)(uintptr_t)&r->all) n +=
        list_owner(at, struct resource, link)->is_kept;
    return n;
}

bool parcel_make(struct parcel *p, uint64_t number, const struct resources *r, const char *path,
                 const struct pack *answers)
{
    size_t n = count_kept(r);
    struct pack head;

    *p = (struct parcel){.number = number, .text_fd = -1};
    p->resources = memory_get((n + 1) * sizeof(struct resource *));
    pack_init(&head);
    pack_u64(&head, n);
    list_each(at, keep, (struct list *)(uintptr_t)&r->all)
    {
        struct resource *s = list_owner(at, struct resource, link);

        if (!s->is_kept || p->resources == NULL)
            continue;
        p->resources[p->n_resources++] = s;
        pack_resource(&head, s);
    }
    pack_str(&head, str_of(path));
    errno = ENOMEM;
    if (p->resources != NULL && !head.has_failed && !answers->has_failed)
        p->text_fd = seal_text(&head, answers);
    pack_reset(&head);
    if (p->text_fd < 0)
        parcel_reset(p);
    return p->text_fd >= 0;
}

void parcel_reset(struct parcel *p)
{
    int saved = errno;

    if (p->text_fd >= 0)
        close(p->text_fd);
    memory_put(p->resources);
    *p = (struct parcel){.text_fd = -1};
    errno = saved;
}

/* Put the descriptors of the resources from `first` on into m, as many as it takes. Returns the
 * first that is left. */
static size_t fill(const struct parcel *p, size_t first, struct message *m)
{
    size_t i = first;

    for (; i < p->n_resources && m->n_fds + p->resources[i]->n_fds <= CHANNEL_FDS_MAX; i++)
        for (size_t j = 0; j < p->resources[i]->n_fds; j++)
            m->fds[m->n_fds++] = p->resources[i]->fds[j];
    return i;
}

bool parcel_send(const struct parcel *p, int channel, struct parcel_progress *progress)
{
    struct message begin = {
        .kind = MESSAGE_PREPARE, .number = p->number, .fds = {p->text_fd}, .n_fds = 1};

    if (!progress->has_begun && !channel_send(channel, &begin))
        return false;
    progress->has_begun = true;
    while (progress->n_resources < p->n_resources) {
        struct message m = {.kind = MESSAGE_DESCRIPTORS, .number = p->number};
        size_t next = fill(p, progress->n_resources, &m);

        if (!channel_send(channel, &m))
            return false;
        progress->n_resources = next;
    }
    return true;
}

/* --- the worker's side --- */

static const struct bundle *bundle_of(const struct opener *o)
{
    return (const struct bundle *)o;
}

/* The descriptors of what the master has opened under that name; NULL with errno. */
static const int *bundle_find(const struct bundle *b, enum resource_kind kind,
                              enum log_kind log_kind, struct str name)
{
    for (size_t i = 0; i < b->n_entries; i++) {
        const struct bundle_entry *e = &b->entries[i];

        if (e->kind == kind && e->log_kind == log_kind && str_eq(e->name, name))
            return &b->fds[e->first_fd];
    }
    errno = ENOENT;
    return NULL;
}

static int bundle_bind(const struct opener *o, const struct config_bind *bind)
{
    const int *fds = bundle_find(bundle_of(o), RESOURCE_BIND, 0, bind->text);

    return fds == NULL ? -1 : fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
}

static bool bundle_keeps_bind(const struct opener *o, const struct config_bind *bind, int known)
{
    const int *fds = bundle_find(bundle_of(o), RESOURCE_BIND, 0, bind->text);

    return fds != NULL && sock_is_same(fds[0], known);
}

static struct log_sink *bundle_log(const struct opener *o, const struct config_log *log)
{
    const int *fds = bundle_find(bundle_of(o), RESOURCE_LOG, log->kind, log->where);

    return fds == NULL ? NULL : log_adopt(log->kind, log->where, fds[0]);
}

static bool bundle_keeps_store(const struct opener *o, const struct spool_store *known)
{
    const int *fds = bundle_find(bundle_of(o), RESOURCE_SPOOL, 0, spool_store_path(known));

    return fds != NULL && spool_store_has(known, fds[1]);
}

static struct spool_store *bundle_store(const struct opener *o, const struct spool_setup *setup)
{
    const int *fds = bundle_find(bundle_of(o), RESOURCE_SPOOL, 0, setup->path);

    return fds == NULL ? NULL : spool_store_adopt(setup, fds[0], fds[1], bundle_of(o)->row);
}

static int bundle_directory(const struct opener *o, struct str path)
{
    const int *fds = bundle_find(bundle_of(o), RESOURCE_DIRECTORY, 0, path);

    return fds == NULL ? -1 : fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
}

static bool map_text(struct bundle *b, int fd)
{
    struct stat st;
    void *text;

    if (fstat(fd, &st) != 0 || st.st_size == 0)
        return false;
    text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (text == MAP_FAILED)
        return false;
    b->text = (struct str){text, (size_t)st.st_size};
    return true;
}

static bool read_entries(struct bundle *b)
{
    uint64_t n = unpack_u64(&b->rest);

    if (n > b->text.n)
        return false;
    b->entries = memory_get(((size_t)n + 1) * sizeof(*b->entries));
    if (b->entries == NULL)
        return false;
    for (; b->n_entries < n; b->n_entries++) {
        struct bundle_entry *e = &b->entries[b->n_entries];

        e->kind = (enum resource_kind)unpack_u64(&b->rest);
        e->log_kind = (enum log_kind)unpack_u64(&b->rest);
        e->n_fds = (size_t)unpack_u64(&b->rest);
        e->name = unpack_str(&b->rest);
        e->first_fd = b->n_fds_wanted;
        b->n_fds_wanted += e->n_fds;
    }
    b->path = unpack_str(&b->rest);
    if (b->rest.has_failed)
        return false;
    b->fds = memory_get((b->n_fds_wanted + 1) * sizeof(int));
    return b->fds != NULL;
}

bool bundle_begin(struct bundle *b, struct message *m, unsigned row)
{
    bool ok;

    *b = (struct bundle){
        .opener = {.bind = bundle_bind,
                   .keeps_bind = bundle_keeps_bind,
                   .log = bundle_log,
                   .keeps_store = bundle_keeps_store,
                   .directory = bundle_directory,
                   .store = bundle_store},
        .number = m->number,
        .row = row,
    };
    errno = EPROTO;
    ok = m->n_fds == 1 && map_text(b, m->fds[0]);
    message_close_fds(m);
    if (!ok)
        return false;
    unpack_init(&b->rest, b->text);
    if (read_entries(b))
        return true;
    bundle_reset(b);
    errno = ENOMEM;
    return false;
}

bool bundle_add(struct bundle *b, struct message *m)
{
    if (b->text.n == 0 || m->number != b->number || m->n_fds > b->n_fds_wanted - b->n_fds) {
        message_close_fds(m);
        return false;
    }
    for (size_t i = 0; i < m->n_fds; i++)
        b->fds[b->n_fds++] = m->fds[i];
    return true;
}

bool bundle_is_whole(const struct bundle *b)
{
    return b->text.n > 0 && b->n_fds == b->n_fds_wanted;
}

#define REASON_MAX 512

/* The master has compiled it without errors, so what a worker lacks is memory, most likely, and
 * every line that needed some has failed: the first error will do. */
static void note_first_error(void *arg, struct str line)
{
    static const struct str word = {"error: ", 7};
    char *reason = arg;

    if (str_starts_with(line, word)) /* one without a place */
        line = str_slice(line, word.n, line.n);
    else if (memmem(line.p, line.n, word.p, word.n) == NULL)
        return;
    if (reason[0] == '\0')
        snprintf(reason, REASON_MAX, "a worker cannot compile what the master could: %.*s",
                 STR_ARG(line));
}

struct config *bundle_compile(struct bundle *b,
                              void (*failed)(void *to, const struct config_place *place,
                                             const char *text),
                              void *to)
{
    struct diags *diags = diags_new();
    struct files_replayer replayer;
    char reason[REASON_MAX] = "";
    bool has_strayed;
    struct config *c = NULL;

    files_replayer_init(&replayer, &b->rest, &has_strayed);
    if (diags != NULL)
        c = config_load(b->path.p, &replayer.files, diags);
    if (c == NULL) {
        if (diags != NULL)
            diags_each_line(diags, note_first_error, reason);
        failed(to, NULL, reason[0] == '\0' ? "a worker is out of memory" : reason);
    }
    diags_free(diags);
    if (c == NULL || (!has_strayed && !b->rest.has_failed))
        return c;
    config_unref(c);
    failed(to, NULL, "the configuration was not compiled as the master has compiled it");
    return NULL;
}

void bundle_reset(struct bundle *b)
{
    for (size_t i = 0; i < b->n_fds; i++)
        close(b->fds[i]);
    memory_put(b->fds);
    memory_put(b->entries);
    if (b->text.n > 0)
        munmap((void *)(uintptr_t)b->text.p, b->text.n);
    *b = (struct bundle){.number = 0};
}

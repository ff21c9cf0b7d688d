/*
 * files_record - the answers that a load was given, to give them again.
 *
 * A record is the kind of the question, what was asked about, and the answer.
 */
#include "conf/files_record.h"

/* Whoever adds a question to struct files adds it here, or workers could not compile. */
_Static_assert(sizeof(struct files) == 12 * sizeof(void (*)(void)), "a question is not recorded");

enum question {
    ASK_READ,
    ASK_MATCH,
    ASK_IDENTITY,
    ASK_CAN_SPOOL,
    ASK_FIND_DIRECTORY,
    ASK_DISK,
    ASK_DIRECTORY,
    ASK_ENVIRONMENT,
    ASK_USER,
    ASK_GROUP,
    ASK_USER_ID,
    ASK_RESOLVE,
};

/* --- noting --- */

static const struct files_recorder *recorder(const struct files *f)
{
    return (const struct files_recorder *)f;
}

static struct pack *note(const struct files *f, enum question kind, struct str about)
{
    struct pack *to = recorder(f)->to;

    pack_u64(to, kind);
    pack_str(to, about);
    return to;
}

static const char *record_read(const struct files *f, struct str path, size_t limit_bytes,
                               struct arena *a, struct str *text)
{
    const struct files *asked = recorder(f)->asked;
    const char *why = asked->read(asked, path, limit_bytes, a, text);
    struct pack *to = note(f, ASK_READ, path);

    pack_u64(to, why == NULL);
    pack_str(to, why == NULL ? *text : str_of(why));
    return why;
}

static bool record_match(const struct files *f, struct str pattern, struct arena *a,
                         struct str **paths, size_t *n)
{
    const struct files *asked = recorder(f)->asked;
    bool ok = asked->match(asked, pattern, a, paths, n);
    struct pack *to = note(f, ASK_MATCH, pattern);

    pack_u64(to, ok ? *n : 0);
    for (size_t i = 0; ok && i < *n; i++)
        pack_str(to, (*paths)[i]);
    return ok;
}

static struct str record_identity(const struct files *f, struct str path, struct arena *a)
{
    const struct files *asked = recorder(f)->asked;
    struct str identity = asked->identity(asked, path, a);

    pack_str(note(f, ASK_IDENTITY, path), identity);
    return identity;
}

static bool record_can_spool(const struct files *f, struct str path, uid_t uid, gid_t gid)
{
    const struct files *asked = recorder(f)->asked;
    bool can = asked->can_spool(asked, path, uid, gid);

    pack_u64(note(f, ASK_CAN_SPOOL, path), can);
    return can;
}

static const char *record_find_directory(const struct files *f, struct str path)
{
    const struct files *asked = recorder(f)->asked;
    const char *why = asked->find_directory(asked, path);
    struct pack *to = note(f, ASK_FIND_DIRECTORY, path);

    pack_u64(to, why == NULL);
    pack_str(to, str_of(why));
    return why;
}

static bool record_disk(const struct files *f, struct str path, struct files_disk *disk)
{
    const struct files *asked = recorder(f)->asked;
    bool ok = asked->disk(asked, path, disk);
    struct pack *to = note(f, ASK_DISK, path);

    pack_u64(to, ok);
    pack_u64(to, ok ? disk->total_bytes : 0);
    pack_str(to, ok ? str_of(disk->doubt) : STR(""));
    return ok;
}

static struct str record_directory(const struct files *f, struct arena *a)
{
    const struct files *asked = recorder(f)->asked;
    struct str directory = asked->directory(asked, a);

    pack_str(note(f, ASK_DIRECTORY, STR("")), directory);
    return directory;
}

static const char *record_environment(const struct files *f, const char *name)
{
    const struct files *asked = recorder(f)->asked;
    const char *value = asked->environment(asked, name);
    struct pack *to = note(f, ASK_ENVIRONMENT, str_of(name));

    pack_u64(to, value != NULL);
    pack_str(to, str_of(value));
    return value;
}

static bool record_user(const struct files *f, const char *name, uid_t *uid, gid_t *gid)
{
    const struct files *asked = recorder(f)->asked;
    bool ok = asked->user(asked, name, uid, gid);
    struct pack *to = note(f, ASK_USER, str_of(name));

    pack_u64(to, ok);
    pack_u64(to, ok ? *uid : 0);
    pack_u64(to, ok ? *gid : 0);
    return ok;
}

static bool record_group(const struct files *f, const char *name, gid_t *gid)
{
    const struct files *asked = recorder(f)->asked;
    bool ok = asked->group(asked, name, gid);
    struct pack *to = note(f, ASK_GROUP, str_of(name));

    pack_u64(to, ok);
    pack_u64(to, ok ? *gid : 0);
    return ok;
}

static uid_t record_user_id(const struct files *f)
{
    const struct files *asked = recorder(f)->asked;
    uid_t uid = asked->user_id(asked);

    pack_u64(note(f, ASK_USER_ID, STR("")), uid);
    return uid;
}

static const char *record_resolve(const struct files *f, struct str host, unsigned port,
                                  struct addr *a)
{
    const struct files *asked = recorder(f)->asked;
    const char *why = asked->resolve(asked, host, port, a);
    struct pack *to = note(f, ASK_RESOLVE, host);

    pack_u64(to, why == NULL);
    pack_str(to, why == NULL ? (struct str){(const char *)a, sizeof(*a)} : str_of(why));
    return why;
}

void files_recorder_init(struct files_recorder *r, const struct files *asked, struct pack *to)
{
    *r = (struct files_recorder){
        .files = {.read = record_read,
                  .match = record_match,
                  .identity = record_identity,
                  .can_spool = record_can_spool,
                  .find_directory = record_find_directory,
                  .disk = record_disk,
                  .directory = record_directory,
                  .environment = record_environment,
                  .user = record_user,
                  .group = record_group,
                  .user_id = record_user_id,
                  .resolve = record_resolve},
        .asked = asked,
        .to = to,
    };
}

/* --- answering --- */

static const char strayed[] = "this was not asked when the configuration was read";

/* The answer to this question is next; NULL: another question was asked there. */
static struct unpack *answer(const struct files *f, enum question kind, struct str about)
{
    const struct files_replayer *r = (const struct files_replayer *)f;
    uint64_t asked = unpack_u64(r->from);
    struct str asked_about = unpack_str(r->from);

    if (!*r->has_strayed && !r->from->has_failed && asked == kind && str_eq(asked_about, about))
        return r->from;
    *r->has_strayed = true;
    return NULL;
}

static const char *replay_read(const struct files *f, struct str path, size_t limit_bytes,
                               struct arena *a, struct str *text)
{
    struct unpack *from = answer(f, ASK_READ, path);
    bool ok;

    (void)limit_bytes;
    (void)a;
    if (from == NULL)
        return strayed;
    ok = unpack_u64(from) != 0;
    *text = unpack_str(from);
    return ok ? NULL : text->p;
}

static bool replay_match(const struct files *f, struct str pattern, struct arena *a,
                         struct str **paths, size_t *n)
{
    struct unpack *from = answer(f, ASK_MATCH, pattern);
    uint64_t noted = from == NULL ? 0 : unpack_u64(from);

    *n = 0;
    if (from == NULL)
        return false;
    *paths = arena_zalloc(a, (size_t)noted, sizeof(struct str));
    if (*paths == NULL)
        return false;
    while (*n < noted)
        (*paths)[(*n)++] = unpack_str(from);
    return true;
}

static struct str replay_identity(const struct files *f, struct str path, struct arena *a)
{
    struct unpack *from = answer(f, ASK_IDENTITY, path);

    (void)a;
    return from == NULL ? path : unpack_str(from);
}

static bool replay_can_spool(const struct files *f, struct str path, uid_t uid, gid_t gid)
{
    struct unpack *from = answer(f, ASK_CAN_SPOOL, path);

    (void)uid; /* an answer of before */
    (void)gid;
    return from != NULL && unpack_u64(from) != 0;
}

static const char *replay_find_directory(const struct files *f, struct str path)
{
    struct unpack *from = answer(f, ASK_FIND_DIRECTORY, path);
    bool is_one = from != NULL && unpack_u64(from) != 0;
    struct str why = from == NULL ? STR(strayed) : unpack_str(from);

    return is_one ? NULL : why.p;
}

static bool replay_disk(const struct files *f, struct str path, struct files_disk *disk)
{
    struct unpack *from = answer(f, ASK_DISK, path);
    bool ok = from != NULL && unpack_u64(from) != 0;
    struct str doubt;

    if (from == NULL)
        return false;
    disk->total_bytes = unpack_u64(from);
    doubt = unpack_str(from);
    disk->doubt = doubt.n > 0 ? doubt.p : NULL;
    return ok;
}

static struct str replay_directory(const struct files *f, struct arena *a)
{
    struct unpack *from = answer(f, ASK_DIRECTORY, STR(""));

    (void)a;
    return from == NULL ? STR("") : unpack_str(from);
}

static const char *replay_environment(const struct files *f, const char *name)
{
    struct unpack *from = answer(f, ASK_ENVIRONMENT, str_of(name));
    bool is_set = from != NULL && unpack_u64(from) != 0;
    struct str value = from == NULL ? STR("") : unpack_str(from);

    return is_set ? value.p : NULL;
}

static bool replay_user(const struct files *f, const char *name, uid_t *uid, gid_t *gid)
{
    struct unpack *from = answer(f, ASK_USER, str_of(name));
    bool ok = from != NULL && unpack_u64(from) != 0;

    if (from == NULL)
        return false;
    *uid = (uid_t)unpack_u64(from);
    *gid = (gid_t)unpack_u64(from);
    return ok;
}

static bool replay_group(const struct files *f, const char *name, gid_t *gid)
{
    struct unpack *from = answer(f, ASK_GROUP, str_of(name));
    bool ok = from != NULL && unpack_u64(from) != 0;

    if (from == NULL)
        return false;
    *gid = (gid_t)unpack_u64(from);
    return ok;
}

static uid_t replay_user_id(const struct files *f)
{
    struct unpack *from = answer(f, ASK_USER_ID, STR(""));

    return from == NULL ? 0 : (uid_t)unpack_u64(from);
}

static const char *replay_resolve(const struct files *f, struct str host, unsigned port,
                                  struct addr *a)
{
    struct unpack *from = answer(f, ASK_RESOLVE, host);
    struct str noted;
    bool ok;

    (void)port; /* it is in the address */
    if (from == NULL)
        return strayed;
    ok = unpack_u64(from) != 0;
    noted = unpack_str(from);
    if (!ok)
        return noted.p;
    if (noted.n != sizeof(*a))
        return strayed;
    memcpy(a, noted.p, sizeof(*a));
    return NULL;
}

void files_replayer_init(struct files_replayer *r, struct unpack *from, bool *has_strayed)
{
    *has_strayed = false;
    *r = (struct files_replayer){
        .files = {.read = replay_read,
                  .match = replay_match,
                  .identity = replay_identity,
                  .can_spool = replay_can_spool,
                  .find_directory = replay_find_directory,
                  .disk = replay_disk,
                  .directory = replay_directory,
                  .environment = replay_environment,
                  .user = replay_user,
                  .group = replay_group,
                  .user_id = replay_user_id,
                  .resolve = replay_resolve},
        .from = from,
        .has_strayed = has_strayed,
    };
}

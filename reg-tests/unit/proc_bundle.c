/*
 * proc_bundle - a generation on its way, with more descriptors than one message takes; and bundles
 * that are not what they say. None leaves a descriptor behind.
 */
#include "proc/bundle.h"

#include "base/pool.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUMBER 42

static char room[CHANNEL_TEXT_MAX];

static unsigned count_fds(void)
{
    DIR *fds = opendir("/proc/self/fd");
    unsigned n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(fds);
    while (readdir(fds) != NULL)
        n++;
    closedir(fds);
    return n;
}

static int some_fd(void)
{
    int fd = memfd_create("unit", MFD_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

static bool is_same_file(int a, int b)
{
    struct stat at_a, at_b;

    return fstat(a, &at_a) == 0 && fstat(b, &at_b) == 0 && at_a.st_ino == at_b.st_ino;
}

/* --- what a master would have --- */

static struct resource *add_resource(struct resources *r, enum resource_kind kind, size_t n_fds,
                                     unsigned n)
{
    char name[32];
    size_t name_n = (size_t)snprintf(name, sizeof(name), "unix@/run/%u", n);
    struct resource *s = memory_get(sizeof(*s) + name_n + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    *s = (struct resource){.kind = kind, .is_kept = true, .name_n = name_n};
    memcpy(s->name, name, name_n + 1);
    while (s->n_fds < n_fds)
        s->fds[s->n_fds++] = some_fd();
    list_push_back(&r->all, &s->link);
    return s;
}

/* A parcel of n binds, and the descriptors that a message with its text would have. */
static void make_parcel(struct parcel *p, struct resources *r, unsigned n)
{
    struct pack answers;

    resources_init(r, NULL, 1);
    for (unsigned i = 0; i < n; i++)
        add_resource(r, RESOURCE_BIND, 1, i);
    pack_init(&answers);
    pack_str(&answers, STR("what compiling asked for"));
    CU_ASSERT_FATAL(parcel_make(p, NUMBER, r, "holdfast.cfg", &answers));
    pack_reset(&answers);
}

static struct message descriptors(uint64_t number, size_t n)
{
    struct message m = {.kind = MESSAGE_DESCRIPTORS, .number = number};

    while (m.n_fds < n)
        m.fds[m.n_fds++] = some_fd();
    return m;
}

static struct message with_text_of(const struct parcel *p)
{
    struct message m = {.kind = MESSAGE_PREPARE, .number = NUMBER, .n_fds = 1};

    m.fds[0] = dup(p->text_fd);
    return m;
}

/* --- tests --- */

/* Take all that is in the channel. Returns the number of messages. */
static unsigned take_bundle(struct bundle *b, int fd)
{
    struct message m;
    unsigned n;

    for (n = 0; channel_receive(fd, &m, room) == CHANNEL_MESSAGE; n++) {
        CU_ASSERT_EQUAL(m.number, NUMBER);
        if (n == 0) {
            CU_ASSERT_EQUAL(m.kind, MESSAGE_PREPARE);
            CU_ASSERT_FATAL(bundle_begin(b, &m, 0));
        } else {
            CU_ASSERT_EQUAL(m.kind, MESSAGE_DESCRIPTORS);
            CU_ASSERT_FALSE(bundle_is_whole(b));
            CU_ASSERT(bundle_add(b, &m));
        }
    }
    return n;
}

/* Two of its descriptors belong together and would straddle two messages. */
static void many_descriptors_arrive(void)
{
    unsigned before = count_fds();
    struct resources r;
    struct bundle b;
    struct parcel p;
    struct pack answers;
    int ends[2];

    resources_init(&r, NULL, 1);
    for (unsigned i = 0; i < CHANNEL_FDS_MAX - 1; i++)
        add_resource(&r, RESOURCE_BIND, 1, i);
    add_resource(&r, RESOURCE_SPOOL, 2, 1000);
    add_resource(&r, RESOURCE_BIND, 1, 1001)->is_kept = false;
    for (unsigned i = 0; i < 2 * CHANNEL_FDS_MAX; i++)
        add_resource(&r, RESOURCE_BIND, 1, 2000 + i);
    pack_init(&answers);
    CU_ASSERT_FATAL(parcel_make(&p, NUMBER, &r, "holdfast.cfg", &answers));
    CU_ASSERT_FATAL(channel_open(ends));
    CU_ASSERT(parcel_send(&p, ends[0], &(struct parcel_progress){.n_resources = 0}));

    CU_ASSERT_EQUAL(take_bundle(&b, ends[1]), 1 + 4);
    CU_ASSERT(bundle_is_whole(&b));
    CU_ASSERT_EQUAL(b.n_fds, 3 * CHANNEL_FDS_MAX + 1);
    CU_ASSERT(str_eq(b.path, STR("holdfast.cfg")));
    list_each(at, keep, &r.all)
    {
        struct resource *s = list_owner(at, struct resource, link);
        struct config_bind bind = {
            .text = {s->name, s->name_n}
        };
        int fd = b.opener.bind(&b.opener, &bind);

        if (s->kind == RESOURCE_BIND && s->is_kept) {
            CU_ASSERT(is_same_file(fd, s->fds[0]));
            close(fd);
        } else { /* of another kind, or of an older generation alone */
            CU_ASSERT_EQUAL(fd, -1);
            CU_ASSERT_EQUAL(errno, ENOENT);
        }
    }

    bundle_reset(&b);
    parcel_reset(&p);
    resources_reset(&r);
    close(ends[0]);
    close(ends[1]);
    CU_ASSERT_EQUAL(count_fds(), before);
}

static void descriptors_of_another_bundle_are_closed(void)
{
    unsigned before = count_fds();
    struct resources r;
    struct bundle b;
    struct parcel p;
    struct message m;

    make_parcel(&p, &r, 3);
    m = with_text_of(&p);
    CU_ASSERT_FATAL(bundle_begin(&b, &m, 0));
    m = descriptors(NUMBER - 1, 3);
    CU_ASSERT_FALSE(bundle_add(&b, &m));
    m = descriptors(NUMBER, 2);
    CU_ASSERT(bundle_add(&b, &m));
    m = descriptors(NUMBER, 2); /* one too many */
    CU_ASSERT_FALSE(bundle_add(&b, &m));
    CU_ASSERT_FALSE(bundle_is_whole(&b));
    m = descriptors(NUMBER, 1);
    CU_ASSERT(bundle_add(&b, &m));
    CU_ASSERT(bundle_is_whole(&b));
    m = descriptors(NUMBER, 1);
    CU_ASSERT_FALSE(bundle_add(&b, &m));
    CU_ASSERT(bundle_is_whole(&b));
    bundle_reset(&b);
    m = descriptors(0, 1); /* there is no bundle */
    CU_ASSERT_FALSE(bundle_add(&b, &m));
    CU_ASSERT_FALSE(bundle_is_whole(&b));
    parcel_reset(&p);
    resources_reset(&r);
    CU_ASSERT_EQUAL(count_fds(), before);
}

static void half_a_bundle_is_forgotten(void)
{
    unsigned before = count_fds();
    struct resources r;
    struct bundle b;
    struct parcel p;
    struct message m;

    make_parcel(&p, &r, CHANNEL_FDS_MAX + 1);
    m = with_text_of(&p);
    CU_ASSERT_FATAL(bundle_begin(&b, &m, 0));
    m = descriptors(NUMBER, CHANNEL_FDS_MAX);
    CU_ASSERT(bundle_add(&b, &m));
    CU_ASSERT_FALSE(bundle_is_whole(&b));
    bundle_reset(&b);
    bundle_reset(&b); /* once more is harmless */
    parcel_reset(&p);
    resources_reset(&r);
    CU_ASSERT_EQUAL(count_fds(), before);
}

/* The first n bytes of the parcel's text. */
static int beginning_of_text(const struct parcel *p, size_t n)
{
    static char text[8192];
    int fd = some_fd();

    CU_ASSERT_FATAL(n <= sizeof(text));
    CU_ASSERT_EQUAL_FATAL(pread(p->text_fd, text, n, 0), (ssize_t)n);
    CU_ASSERT_EQUAL_FATAL(write(fd, text, n), (ssize_t)n);
    return fd;
}

/* What compiling asked for may be cut: that is for the compiling to notice. */
static void a_text_that_is_cut_is_refused(void)
{
    unsigned before = count_fds();
    size_t answers_n = sizeof(uint64_t) + sizeof("what compiling asked for");
    struct resources r;
    struct bundle b;
    struct parcel p;
    struct stat st;

    make_parcel(&p, &r, 3);
    CU_ASSERT_EQUAL_FATAL(fstat(p.text_fd, &st), 0);
    for (size_t n = 0; n <= (size_t)st.st_size; n++) {
        struct message m = {.kind = MESSAGE_PREPARE, .number = NUMBER, .n_fds = 1};
        bool is_cut = n < (size_t)st.st_size - answers_n;

        m.fds[0] = beginning_of_text(&p, n);
        errno = 0;
        CU_ASSERT_EQUAL(bundle_begin(&b, &m, 0), !is_cut);
        CU_ASSERT(!is_cut || errno != 0);
        CU_ASSERT_FALSE(bundle_is_whole(&b));
        bundle_reset(&b);
    }
    parcel_reset(&p);
    resources_reset(&r);
    CU_ASSERT_EQUAL(count_fds(), before);
}

static void one_descriptor_is_the_text(void)
{
    unsigned before = count_fds();
    struct resources r;
    struct bundle b;
    struct parcel p;
    struct message m = {.kind = MESSAGE_PREPARE, .number = NUMBER};

    CU_ASSERT_FALSE(bundle_begin(&b, &m, 0));
    make_parcel(&p, &r, 1);
    m = with_text_of(&p);
    m.fds[m.n_fds++] = some_fd();
    CU_ASSERT_FALSE(bundle_begin(&b, &m, 0));
    CU_ASSERT_EQUAL(errno, EPROTO);
    m = (struct message){.kind = MESSAGE_PREPARE, .number = NUMBER, .n_fds = 1};
    m.fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CU_ASSERT_FALSE(bundle_begin(&b, &m, 0));
    parcel_reset(&p);
    resources_reset(&r);
    CU_ASSERT_EQUAL(count_fds(), before);
}

/* Its seals are what workers rely on: they map it. */
static void nobody_changes_the_text(void)
{
    struct resources r;
    struct parcel p;

    make_parcel(&p, &r, 1);
    CU_ASSERT_EQUAL(pwrite(p.text_fd, "x", 1, 0), -1);
    CU_ASSERT_EQUAL(ftruncate(p.text_fd, 0), -1);
    CU_ASSERT_PTR_EQUAL(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, p.text_fd, 0), MAP_FAILED);
    parcel_reset(&p);
    resources_reset(&r);
}

UNIT_SUITE(proc_bundle)
{
    UNIT_TEST(many_descriptors_arrive);
    UNIT_TEST(descriptors_of_another_bundle_are_closed);
    UNIT_TEST(half_a_bundle_is_forgotten);
    UNIT_TEST(a_text_that_is_cut_is_refused);
    UNIT_TEST(one_descriptor_is_the_text);
    UNIT_TEST(nobody_changes_the_text);
}

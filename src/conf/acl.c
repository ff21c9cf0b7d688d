/*
 * acl - conditions under a name, compiled when the first one asks for them.
 */
#include "conf/acl.h"

#include "conf/condition.h"
#include "conf/suggest.h"
#include "conf/variable.h"

/* Made by acl_add; `user` and `span` form the chain of those being compiled. */
struct acl {
    const struct setting *setting;
    const struct expr *when; /* NULL until it is compiled, or with a fault */
    bool is_done;
    bool is_used;
    bool is_open; /* being compiled */
    struct acl *user;
    struct span span; /* where the user names it */
    struct acl *next;
};

static bool check_acl_name(struct compile *c, const struct setting *s)
{
    struct str name = setting_name(s);

    if (!variable_is_known(name) && !str_eq(name, STR("and")) && !str_eq(name, STR("or")) &&
        !str_eq(name, STR("not")))
        return true;
    if (!variable_is_known(name))
        diag_error(c->diags, setting_span(s), "an acl cannot be called '%.*s'", STR_ARG(name));
    else
        diag_error(c->diags, setting_span(s), "'%.*s' is a variable: an acl cannot have its name",
                   STR_ARG(name));
    return false;
}

void acl_add(struct compile *c, const struct setting *s)
{
    struct acl *a;

    if (!check_acl_name(c, s))
        return;
    a = store_new(&c->scratch, struct acl);
    a->setting = s;
    if (names_add(&c->acls, &c->scratch, setting_name(s), a) != NULL)
        return; /* the checker has said that there are two */
    a->next = c->acl_list;
    c->acl_list = a;
}

bool acl_is_known(const struct compile *c, struct str name)
{
    return names_find(&c->acls, name) != NULL;
}

bool acl_is_used(const struct compile *c, const struct setting *s)
{
    const struct acl *a = names_find(&c->acls, setting_name(s));

    return a != NULL && a->is_used;
}

void acl_suggest(const struct compile *c, struct suggestion *s)
{
    for (const struct acl *a = c->acl_list; a != NULL; a = a->next)
        suggest_offer(s, setting_name(a->setting));
}

const struct expr *acl_compile(struct compile *c, const struct setting *s)
{
    struct acl *a = names_find(&c->acls, setting_name(s));
    const struct expr *when;
    bool is_used;

    if (a == NULL || a->setting != s) /* its name was reported; so is what its condition lacks */
        return condition_compile(c, s->statement->when);
    is_used = a->is_used;
    when = acl_find(c, setting_name(s), setting_span(s));
    a->is_used = is_used;
    return when;
}

static void report_loop(struct compile *c, const struct acl *a, struct span span)
{
    struct str name = setting_name(a->setting);

    diag_error(c->diags, span, "the acl '%.*s' would name itself", STR_ARG(name));
    for (const struct acl *at = c->open_acl; at != a; at = at->user)
        diag_note(c->diags, at->span, "by way of this");
}

static unsigned open_depth(const struct compile *c)
{
    unsigned n = 0;

    for (const struct acl *at = c->open_acl; at != NULL; at = at->user)
        n++;
    return n;
}

/* Depth: ACL_DEPTH_MAX times that of a condition. */
const struct expr *acl_find(struct compile *c, struct str name, struct span span)
{
    struct acl *a = names_find(&c->acls, name);

    a->is_used = true;
    if (a->is_done)
        return a->when;
    if (a->is_open) {
        report_loop(c, a, span);
        return NULL;
    }
    if (open_depth(c) == ACL_DEPTH_MAX) {
        diag_error(c->diags, span, "acls name each other more than %d deep", ACL_DEPTH_MAX);
        return NULL;
    }
    a->is_open = true;
    a->user = c->open_acl;
    a->span = span;
    c->open_acl = a;
    if (a->setting->statement->when != NULL)
        a->when = condition_compile(c, a->setting->statement->when);
    c->open_acl = a->user;
    a->is_open = false;
    a->is_done = true;
    return a->when;
}

/*
 * dump_policy - a policy in the language.
 */
#include "conf/dump_policy.h"

#include "conf/resolve.h"

static void put_spool(struct dump *d, const struct config_spool *spool)
{
    if (spool->is_built_in)
        return;
    dump_option(d, "spool");
    dump_str(d, spool->name);
}

static void dump_buffering(struct dump *d, const struct policy *p, const struct policy *outer)
{
    static const char *const requests[] = {"hold", "tee", "stream", "auto"};

    if (outer == NULL || p->request_buffering != outer->request_buffering ||
        p->request_memory_bytes != outer->request_memory_bytes ||
        p->request_spool != outer->request_spool) {
        dump_setting(d, SETTING_REQUEST_BUFFERING);
        dump_text(d, " ");
        dump_text(d, requests[p->request_buffering]);
        dump_option(d, "memory");
        dump_size(d, p->request_memory_bytes);
        put_spool(d, p->request_spool);
        dump_end_line(d);
    }
    if (outer != NULL && p->response_buffering == outer->response_buffering &&
        p->response_memory_bytes == outer->response_memory_bytes &&
        p->response_max_bytes == outer->response_max_bytes &&
        p->response_spool == outer->response_spool)
        return;
    dump_setting(d, SETTING_RESPONSE_BUFFERING);
    dump_text(d, " ");
    if (p->response_buffering == RESPONSE_OFF) {
        dump_text(d, "off");
        dump_end_line(d);
        return;
    }
    dump_text(d, p->response_buffering == RESPONSE_ON ? "on memory " : "auto memory ");
    dump_size(d, p->response_memory_bytes);
    put_spool(d, p->response_spool);
    dump_option(d, "max");
    dump_size(d, p->response_max_bytes);
    dump_end_line(d);
}

static bool same_retry(const struct policy *a, const struct policy *b)
{
    return a->retry_attempts == b->retry_attempts && a->retry_on_reset == b->retry_on_reset &&
           a->retry_on_timeout == b->retry_on_timeout && a->retry_on_empty == b->retry_on_empty &&
           a->n_retry_statuses == b->n_retry_statuses &&
           memcmp(a->retry_statuses, b->retry_statuses,
                  a->n_retry_statuses * sizeof(*a->retry_statuses)) == 0;
}

static void dump_retry(struct dump *d, const struct policy *p, const struct policy *outer)
{
    if (outer != NULL && same_retry(p, outer))
        return;
    dump_setting(d, SETTING_RETRY);
    dump_text(d, " ");
    dump_number(d, p->retry_attempts);
    dump_text(d, " on");
    dump_text(d, p->retry_on_reset ? " reset" : "");
    dump_text(d, p->retry_on_timeout ? " timeout" : "");
    dump_text(d, p->retry_on_empty ? " empty-response" : "");
    for (size_t i = 0; i < p->n_retry_statuses; i++) {
        dump_text(d, " ");
        dump_number(d, p->retry_statuses[i]);
    }
    dump_end_line(d);
}

static void dump_patience(struct dump *d, const struct policy *p, const struct policy *outer)
{
    if (outer == NULL || p->min_body_rate != outer->min_body_rate ||
        p->min_body_rate_grace_ms != outer->min_body_rate_grace_ms) {
        dump_setting(d, SETTING_MIN_BODY_RATE);
        dump_text(d, " ");
        if (p->min_body_rate == 0) {
            dump_text(d, "off");
        } else {
            dump_size(d, p->min_body_rate);
            dump_text(d, "/s");
            dump_option(d, "grace");
            dump_duration(d, p->min_body_rate_grace_ms);
        }
        dump_end_line(d);
    }
    if (outer == NULL || p->linger_ms != outer->linger_ms ||
        p->linger_bytes != outer->linger_bytes) {
        dump_setting(d, SETTING_LINGERING);
        dump_text(d, " ");
        dump_duration(d, p->linger_ms);
        dump_option(d, "max");
        dump_size(d, p->linger_bytes);
        dump_end_line(d);
    }
}

static void dump_timing(struct dump *d, const struct policy *p, const struct policy *outer)
{
    const struct policy_origins *origins = d->with_origins ? p->origins : NULL;
    static const char *const replays[] = {" safe", " always", " never"};

    if (outer == NULL || p->max_body_bytes != outer->max_body_bytes) {
        dump_setting(d, SETTING_MAX_BODY);
        dump_text(d, " ");
        dump_size(d, p->max_body_bytes);
        dump_end_line(d);
    }
    dump_patience(d, p, outer);
    if (outer == NULL || p->hold_ms != outer->hold_ms || p->hold_all != outer->hold_all) {
        dump_setting(d, SETTING_HOLD);
        dump_text(d, " ");
        dump_duration(d, p->hold_ms);
        dump_text(d, p->hold_all ? " all" : "");
        dump_end_line(d);
    }
    dump_retry(d, p, outer);
    if (outer == NULL || p->replay != outer->replay) {
        dump_setting(d, SETTING_REPLAY);
        dump_text(d, replays[p->replay]);
        dump_end_line(d);
    }
    for (size_t i = 0; i < TIMEOUT_N; i++) {
        if (outer != NULL && p->timeout_ms[i] == outer->timeout_ms[i])
            continue;
        dump_setting_at(d, SETTING_TIMEOUT, origins == NULL ? NULL : &origins->timeouts[i]);
        dump_text(d, " ");
        dump_text(d, timeout_names[i]);
        dump_text(d, " ");
        if (p->timeout_ms[i] == TIMEOUT_NEVER)
            dump_text(d, "never");
        else
            dump_duration(d, p->timeout_ms[i]);
        dump_end_line(d);
    }
}

static void dump_error_page(struct dump *d, unsigned status, const struct error_page *page)
{
    dump_setting_at(d, SETTING_ERROR_PAGE, &page->place);
    dump_text(d, " ");
    dump_number(d, status);
    dump_text(d, status < 10 ? "xx" : "");
    if (page->status != 0) {
        dump_option(d, "=>");
        dump_number(d, page->status);
        dump_text(d, page->any_method ? " any-method" : "");
    }
    switch (page->kind) {
    case ERROR_PAGE_FILE:
        dump_option(d, "file");
        dump_word(d, page->path);
        break;
    case ERROR_PAGE_TEXT:
        dump_option(d, "text");
        dump_template(d, &page->text);
        break;
    case ERROR_PAGE_REDIRECT:
        dump_option(d, "redirect");
        dump_template(d, &page->text);
        break;
    case ERROR_PAGE_ROUTE:
        dump_option(d, "route");
        dump_str(d, page->route->name);
        break;
    }
    dump_end_line(d);
}

/* The page that a set has for exactly this key, or NULL. */
static const struct error_page *page_of(const struct error_pages *set, unsigned key)
{
    for (size_t i = 0; i < set->n_keys; i++)
        if (set->keys[i].status_or_class == key)
            return set->keys[i].page;
    return NULL;
}

static void dump_error_pages(struct dump *d, const struct policy *p, const struct policy *outer)
{
    for (size_t i = 0; i < p->error_pages->n_keys; i++) {
        const struct error_page_key *key = &p->error_pages->keys[i];

        if (outer == NULL || page_of(outer->error_pages, key->status_or_class) != key->page)
            dump_error_page(d, key->status_or_class, key->page);
    }
}

static void dump_http_rules(struct dump *d, enum setting_id id, const struct http_rule *rules,
                            size_t from, size_t n)
{
    static const char *const kinds[] = {"set-header", "add-header", "del-header",
                                        "set-path",   "set-query",  "set-status"};

    for (size_t i = from; i < n; i++) {
        dump_setting_at(d, id, &rules[i].place);
        dump_option(d, kinds[rules[i].kind]);
        if (rules[i].name.n > 0)
            dump_word(d, rules[i].name);
        if (rules[i].kind == RULE_SET_HEADER || rules[i].kind == RULE_ADD_HEADER)
            dump_text(d, " ");
        if (rules[i].kind == RULE_SET_STATUS)
            dump_number(d, rules[i].status);
        else if (rules[i].kind != RULE_DEL_HEADER)
            dump_template(d, &rules[i].value);
        dump_end_line(d);
    }
}

void dump_access_rule(struct dump *d, const struct access_rule *r)
{
    dump_setting_at(d, r->is_allow ? SETTING_ALLOW : SETTING_DENY, &r->place);
    dump_text(d, r->for_all ? " all" : "");
    for (size_t i = 0; !r->for_all && i < r->n_nets; i++)
        dump_net(d, &r->nets[i]);
    dump_when(d, r->when);
    if (!r->is_allow) {
        dump_text(d, " ");
        dump_number(d, r->status);
    }
}

static void dump_access_rules(struct dump *d, const struct policy *p, size_t from)
{
    for (size_t i = from; i < p->n_access_rules; i++) {
        dump_access_rule(d, &p->access_rules[i]);
        dump_end_line(d);
    }
}

static bool same_template(const struct template *a, const struct template *b)
{
    for (size_t i = 0; i < a->n_ops && a->n_ops == b->n_ops; i++)
        if (a->ops[i].is_variable != b->ops[i].is_variable ||
            !str_eq(a->ops[i].literal, b->ops[i].literal) || a->ops[i].var.id != b->ops[i].var.id ||
            !str_eq(a->ops[i].var.argument, b->ops[i].var.argument))
            return false;
    return a->n_ops == b->n_ops;
}

static bool same_log(const struct policy *a, const struct policy *b)
{
    if (a->access_log == NULL || b->access_log == NULL)
        return a->access_log == b->access_log;
    return a->access_log->kind == b->access_log->kind &&
           str_eq(a->access_log->where, b->access_log->where) &&
           str_eq(a->access_log_format->name, b->access_log_format->name) &&
           same_template(&a->access_log_format->line, &b->access_log_format->line);
}

static void dump_access_log(struct dump *d, const struct policy *p, const struct policy *outer)
{
    if (outer != NULL && same_log(p, outer))
        return;
    dump_setting(d, SETTING_ACCESS_LOG);
    if (p->access_log == NULL) {
        dump_text(d, " off");
        dump_end_line(d);
        return;
    }
    dump_log(d, p->access_log);
    dump_option(d, "format");
    if (p->access_log_format->name.n > 0)
        dump_str(d, p->access_log_format->name);
    else
        dump_template(d, &p->access_log_format->line);
    dump_end_line(d);
}

static void dump_intercept(struct dump *d, const struct policy *p)
{
    dump_setting(d, SETTING_INTERCEPT_ERRORS);
    dump_text(d, p->intercept_errors ? " on" : " off");
    dump_end_line(d);
}

static bool same_peers(const struct peers *a, const struct peers *b)
{
    for (size_t i = 0; i < a->n_nets && a->n_nets == b->n_nets; i++)
        if (a->nets[i].bits != b->nets[i].bits ||
            memcmp(&a->nets[i].base, &b->nets[i].base, sizeof(a->nets[i].base)) != 0)
            return false;
    return a->n_nets == b->n_nets && a->has_unix == b->has_unix;
}

static void dump_trusted(struct dump *d, const struct policy *p, const struct policy *outer)
{
    static const struct peers nobody = {.n_nets = 0};

    if (!d->with_origins && same_peers(&p->trusted_proxies, outer == NULL ? &nobody : &outer->trusted_proxies))
        return;
    dump_setting(d, SETTING_TRUSTED_PROXIES);
    if (peers_are_none(&p->trusted_proxies))
        dump_text(d, " none");
    else
        dump_peers(d, &p->trusted_proxies);
    dump_end_line(d);
}

void dump_policy(struct dump *d, const struct policy *p, const struct policy *outer)
{
    static const char *const modes[] = {"append", "replace", "off"};

    if (p == outer)
        return;
    d->origins = d->with_origins ? p->origins : NULL;
    dump_buffering(d, p, outer);
    dump_timing(d, p, outer);
    dump_error_pages(d, p, outer);
    if (outer == NULL || p->intercept_errors != outer->intercept_errors)
        dump_intercept(d, p);
    dump_http_rules(d, SETTING_HTTP_REQUEST, p->request_rules,
                    outer == NULL ? 0 : outer->n_request_rules, p->n_request_rules);
    dump_http_rules(d, SETTING_HTTP_RESPONSE, p->response_rules,
                    outer == NULL ? 0 : outer->n_response_rules, p->n_response_rules);
    if (outer == NULL || p->forwarded != outer->forwarded) {
        dump_setting(d, SETTING_FORWARDED_HEADERS);
        dump_text(d, " ");
        dump_text(d, modes[p->forwarded]);
        dump_end_line(d);
    }
    dump_trusted(d, p, outer);
    dump_access_rules(d, p, outer == NULL ? 0 : outer->n_access_rules);
    dump_access_log(d, p, outer);
}

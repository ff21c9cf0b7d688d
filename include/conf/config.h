/*
 * config - one immutable generation of everything that the file says.
 *
 * conf/ makes it, proxy/ and proc/ read it; they meet here and nowhere else. All of it lies in one
 * arena and is const to its readers. Inheritance is flattened: every policy is complete, nothing
 * at run time asks "is this set?". Quantities are in the units of their names; UINT64_MAX is
 * `unlimited`, TIMEOUT_NEVER is `never`.
 *
 * Life: config_load gives one reference; config_ref adds one, config_unref drops one, the last
 * frees the arena. Holders are the worker, each listener and each transaction, and nobody else.
 */
#ifndef HOLDFAST_CONF_CONFIG_H
#define HOLDFAST_CONF_CONFIG_H

#include "base/arena.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/expr.h"
#include "conf/settings.h"
#include "http/field.h"
#include "io/addr.h"

#include <sys/types.h>

#define TIMEOUT_NEVER  UINT32_MAX
#define SIZE_UNLIMITED UINT64_MAX

/* `workers auto`: as many as there are processors for us. */
#define CONFIG_WORKERS_AUTO UINT32_MAX

/* Servers of one backend: a request notes in one word which of them it has tried. */
#define CONFIG_SERVERS_MAX 64

/* The words of `timeout`, in the order of the manual. */
enum timeout_what {
    TIMEOUT_CLIENT_HEADER,
    TIMEOUT_CLIENT_BODY,
    TIMEOUT_CLIENT_WRITE,
    TIMEOUT_CLIENT_IDLE,
    TIMEOUT_CONNECT,
    TIMEOUT_SERVER_READ,
    TIMEOUT_SERVER_WRITE,
    TIMEOUT_SERVER_IDLE,
    TIMEOUT_SERVER_THINK,
    TIMEOUT_UPGRADED,
    TIMEOUT_REQUEST_BODY_TOTAL,
    TIMEOUT_N
};

enum request_buffering { REQUEST_HOLD, REQUEST_TEE, REQUEST_STREAM, REQUEST_AUTO };
enum response_buffering { RESPONSE_ON, RESPONSE_OFF, RESPONSE_AUTO };
enum replay_when { REPLAY_SAFE, REPLAY_ALWAYS, REPLAY_NEVER };
enum forwarded_mode { FORWARDED_APPEND, FORWARDED_REPLACE, FORWARDED_OFF };
enum poller_kind { POLLER_EPOLL, POLLER_POLL };
enum balance_kind { BALANCE_ROUNDROBIN, BALANCE_LEASTCONN, BALANCE_RANDOM, BALANCE_HASH };
enum action_kind {
    ACTION_BACKEND,
    ACTION_RESPOND,
    ACTION_REDIRECT,
    ACTION_FILES,
    ACTION_STATUS_PAGE
};

/* Where something stands in a file, for messages at run time. */
struct config_place {
    struct str file;
    unsigned line;
};

/* A log's target: the key under which the worker keeps the open sink across reloads. */
struct config_log {
    enum log_kind kind;
    struct str where; /* path or address; empty for stderr and stdout */
};

/* `spool NAME { … }`, or the one that is there without a section (name `default`). */
struct config_spool {
    struct str name;
    struct str path;    /* absolute */
    unsigned levels[3]; /* hex digits of each level of hashed directories: 1 or 2 */
    unsigned n_levels;
    bool has_quota;
    uint64_t quota_bytes; /* meaningful if has_quota; else half of what is free at start */
    uint64_t reserve_bytes;
    bool is_built_in; /* the one without a section */
    struct config_place place;
};

/* `(ADDRESS, …)`: whose word is taken for somebody else's address. None where it is empty. */
struct peers {
    const struct cidr *nets;
    size_t n_nets;
    bool has_unix; /* `unix`: whoever comes by a unix socket */
};

/* `files DIRECTORY`: one for all routes that name it. */
struct config_directory {
    struct str path; /* absolute */
    size_t index;    /* 0..n_directories-1 */
    struct config_place place;
};

/* `http-request`, `http-response`: one rule. */
struct http_rule {
    enum http_rule_kind {
        RULE_SET_HEADER,
        RULE_ADD_HEADER,
        RULE_DEL_HEADER,
        RULE_SET_PATH,
        RULE_SET_QUERY,
        RULE_SET_STATUS
    } kind;
    struct str name; /* of the field, for the first three */
    enum field_id id;
    struct template value; /* empty for RULE_DEL_HEADER and RULE_SET_STATUS */
    unsigned status;       /* RULE_SET_STATUS */
    struct config_place place;
};

/* A line of access logs. */
struct config_log_format {
    struct str name;  /* empty: it was written in its `access-log` */
    bool is_built_in;
    bool is_json;     /* each variable writes a whole value of JSON */
    struct template line;
};

/* `acl NAME when EXPRESSION` */
struct config_acl {
    struct str name;
    const struct expr *when;
    struct config_place place;
};

/* `allow`, `deny`: both parts must hold; the first that matches decides. */
struct access_rule {
    bool is_allow;
    bool for_all;             /* `all`, or no WHO */
    const struct cidr *nets;  /* else any of these */
    size_t n_nets;
    const struct expr *when;  /* NULL: always */
    unsigned status;          /* of a deny: 403 unless said otherwise */
    struct config_place place;
};

/* `error-page CODE… …`: one page, shared by all the codes that name it. */
struct error_page {
    enum error_page_kind {
        ERROR_PAGE_FILE,
        ERROR_PAGE_TEXT,
        ERROR_PAGE_REDIRECT,
        ERROR_PAGE_ROUTE
    } kind;
    unsigned status;        /* what the client gets; 0: the error's own status (302 for redirect) */
    bool any_method;        /* the new status also for methods other than GET and HEAD */
    struct str path;        /* FILE: where it was read from */
    struct str body;        /* FILE: the file's bytes */
    struct str content_type;
    struct template text;   /* TEXT, REDIRECT */
    const struct config_route *route; /* ROUTE: an internal route of the same frontend */
    struct config_place place;
};

/* One key of a set of error pages: a status, or a class (4 or 5, for 4xx and 5xx). */
struct error_page_key {
    unsigned status_or_class;
    const struct error_page *page;
};

struct error_pages {
    const struct error_page_key *keys;
    size_t n_keys;
};

/*
 * Where the settings of a policy were written; line 0: built in. Kept for `explain` alone. Error
 * pages and rules know their places themselves.
 */
struct policy_origins {
    struct config_place settings[SETTING_N];
    struct config_place timeouts[TIMEOUT_N];
};

/* Everything that may stand in defaults, frontend and route, complete. */
struct policy {
    enum request_buffering request_buffering;
    uint64_t request_memory_bytes;
    const struct config_spool *request_spool;

    enum response_buffering response_buffering;
    uint64_t response_memory_bytes;
    const struct config_spool *response_spool;
    uint64_t response_max_bytes; /* of memory and spool together */

    uint64_t max_body_bytes;
    uint64_t min_body_rate; /* bytes a second once the grace is over; 0: any */
    uint32_t min_body_rate_grace_ms;
    uint32_t linger_ms; /* after an answer that came before the request was in */
    uint64_t linger_bytes;

    uint32_t hold_ms;
    bool hold_all; /* requests without a body too */

    unsigned retry_attempts; /* that may send bytes of the request; at least 1 */
    bool retry_on_reset;
    bool retry_on_timeout;
    bool retry_on_empty;
    const uint16_t *retry_statuses;
    size_t n_retry_statuses;
    enum replay_when replay;

    uint32_t timeout_ms[TIMEOUT_N];

    const struct error_pages *error_pages; /* never NULL */
    bool intercept_errors;

    const struct http_rule *const *request_rules; /* those of the blocks around are shared */
    size_t n_request_rules;
    const struct http_rule *const *response_rules;
    size_t n_response_rules;

    enum forwarded_mode forwarded;
    struct peers trusted_proxies;

    const struct access_rule *const *access_rules;
    size_t n_access_rules;

    const struct config_log *access_log; /* NULL: off */
    const struct config_log_format *access_log_format; /* NULL with it */

    const struct policy_origins *origins; /* NULL but for config_load_explained */
};

struct config_route {
    struct str name;
    struct str full_name; /* FRONTEND/ROUTE */
    const struct config_frontend *frontend;
    const struct expr *when; /* NULL: takes all */
    bool is_internal;
    const struct policy *policy;

    enum action_kind action;
    const struct config_backend *backend; /* ACTION_BACKEND */
    unsigned status;                      /* ACTION_RESPOND, ACTION_REDIRECT */
    struct template text;                 /* body, or location */
    struct str content_type;              /* ACTION_RESPOND */
    const struct config_directory *directory; /* ACTION_FILES, like those that follow */
    struct str index;    /* a file's name */
    struct str strip;    /* "" or /PATH without a slash at its end */
    struct str fallback; /* "" or /PATH, below the directory */
    struct config_place place;
};

/* `bind ADDRESS { … }` */
struct config_bind {
    struct str text; /* the address as written, filled in: the key across reloads */
    enum bind_kind { BIND_SOCKET, BIND_FD } kind;
    struct addr addr; /* BIND_SOCKET: IP or unix */
    int fd;           /* BIND_FD: its number; -1: that of the name behind `fd@` in text */
    unsigned backlog;
    bool has_mode;
    mode_t mode; /* of a unix socket */
    bool accepts_proxy;         /* connections begin with a PROXY header */
    struct peers proxy_sources; /* those of these alone; none: all do */
    struct config_place place;
};

struct config_frontend {
    struct str name;
    const struct config_bind *binds;
    size_t n_binds;
    const struct config_route *const *routes; /* in the order of the file */
    size_t n_routes;
    const struct route_index *index; /* of them (conf/route_index.h); NULL: they are few */
    const struct policy *policy; /* until a route is found, and where none is */
    struct config_place place;
};

struct config_server {
    struct str name;
    struct str full_name; /* BACKEND/SERVER: the key across reloads, together with addr */
    struct str address;   /* as written */
    struct addr addr;
    unsigned weight;  /* 0: takes no requests */
    bool is_backup;   /* takes requests where no other is up */
    bool is_disabled; /* takes none at all */
    struct config_place place;
};

struct config_backend {
    struct str name;
    size_t index; /* 0..n_backends-1 */
    enum balance_kind balance;
    struct var_ref hash; /* BALANCE_HASH */
    const struct config_server *servers;
    size_t n_servers;
    unsigned keepalive; /* idle connections kept for each server; 0: none */
    uint32_t keepalive_idle_ms;
    unsigned send_proxy; /* the version of the PROXY header that connections begin with; 0: none */
    struct config_place place;
};

/* Beside the pid file lies a socket, called PATH.control, and PATH.control.PID.tmp while it is made:
 * sockaddr_un has 108 bytes, the last a NUL. */
#define CONFIG_PID_FILE_MAX 87

struct config_global {
    unsigned workers; /* 0: one process that does all; or CONFIG_WORKERS_AUTO */
    enum poller_kind poller;
    bool has_user;
    struct str user;  /* name as written */
    struct str group; /* likewise; empty: the user's own */
    uid_t uid;
    gid_t gid;
    struct str pid_file; /* empty: none */
    unsigned max_connections;
    struct config_log log;
    enum log_level log_level;
    enum log_format log_format;
    uint32_t shutdown_timeout_ms;
    bool server_header;
};

/* One compiled regular expression of a configuration. */
struct regex_link {
    struct regex *regex;
    struct regex_link *next;
};

struct config {
    unsigned refs;
    struct arena *arena;
    struct config_global global;
    const struct config_spool *spools;
    size_t n_spools;
    const struct config_directory *directories;
    size_t n_directories;
    const struct config_frontend *frontends;
    size_t n_frontends;
    const struct config_backend *backends;
    size_t n_backends;
    const struct config_acl *acls; /* in the order of the file */
    size_t n_acls;
    const struct config_log_format **log_formats; /* those of the file, likewise */
    size_t n_log_formats;
    const bool *match_is_raw;    /* of each: it only ever holds text of a URI as received */
    size_t n_matches;            /* names of groups of regular expressions: places of match.NAME */
    struct regex_link *regexes;  /* all of them, freed with the config */
    struct str path; /* of the main file */
};

struct config *config_ref(struct config *c);

/* Free all of a list; the links lie in an arena. */
void regexes_free(struct regex_link *link);

/* Drop one reference; the last frees the arena and what hangs off it. NULL is allowed. */
void config_unref(struct config *c);

static inline bool peers_are_none(const struct peers *p)
{
    return p->n_nets == 0 && !p->has_unix;
}

/* Is the far end of a connection among them? */
bool peers_hold(const struct peers *p, const struct endpoint *e);

/* The page for a status: a key of exactly this status, else one of its class, else NULL. */
const struct error_page *error_pages_find(const struct error_pages *set, unsigned status);

#endif

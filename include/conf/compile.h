/*
 * compile - what the phases of one load share.
 */
#ifndef HOLDFAST_CONF_COMPILE_H
#define HOLDFAST_CONF_COMPILE_H

#include "conf/diag.h"
#include "conf/files.h"
#include "conf/names.h"

struct setting;

struct regex_link;
/* Made by config_load, on its stack, and gone with it. */
struct compile {
    const struct files *files;
    struct diags *diags;
    struct sources *sources; /* those of diags */
    struct store scratch;    /* tokens, trees, tables: freed when the load ends */
    struct store keep;       /* what the config is made of: its arena */
    struct regex_link *regexes;
    bool has_interpreted_regex; /* the system grants no memory for machine code */

    struct names lets;       /* name to struct let, in the order of the file (conf/let.h) */
    struct let *let_list;
    struct names acls;       /* conf/acl.h */
    struct acl *acl_list;
    struct acl *open_acl;
    struct names matches;    /* conf/matches.h */
    struct match_name *match_list;
    struct match_reference *match_references;
    struct names log_formats; /* conf/log_format.h */
    struct named_format *log_format_list;
    struct names policies;   /* conf/resolve.h */
    struct named_policy *policy_list;
    bool wants_origins;      /* keep where the settings of each policy were written */
    bool is_incomplete;      /* something at the top level was not understood: do not miss it */
    struct setting *conditions; /* settings with a `when` that is not compiled yet (conf/check.h) */
    struct setting **conditions_end;
};

#endif

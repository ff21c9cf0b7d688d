/*
 * holdfast - a reverse proxy that owns each side of the exchange.
 */
#include "proc/daemon.h"
#include "proc/fmt_tool.h"
#include "proc/explain.h"
#include "proc/options.h"
#include "proc/process.h"
#include "proc/remote.h"
#include "proc/tools.h"

#include <openssl/crypto.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

static int print_version(const struct options *o)
{
    char pcre2_version[64] = "";

    puts("holdfast " HOLDFAST_VERSION);
    if (o->is_verbose) {
        pcre2_config(PCRE2_CONFIG_VERSION, pcre2_version);
        printf("pollers: epoll, poll\n%s\nPCRE2 %s\n", OpenSSL_version(OPENSSL_VERSION),
               pcre2_version);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options o;

    process_fill_standard_fds();
    if (!options_parse(argc, argv, &o))
        return 2;
    switch (o.command) {
    case COMMAND_RUN: return daemon_run(&o);
    case COMMAND_CHECK: return tools_check(&o);
    case COMMAND_DUMP: return tools_dump(&o);
    case COMMAND_SIGNAL: return remote_run(&o);
    case COMMAND_FMT: return fmt_tool(&o);
    case COMMAND_EXPLAIN: return explain(&o);
    case COMMAND_KEYWORDS: return tools_keywords();
    case COMMAND_VERSION: return print_version(&o);
    case COMMAND_HELP: options_print_help(); return 0;
    }
    return 2;
}

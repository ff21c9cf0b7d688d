/*
 * options - the command line.
 */
#include "proc/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: holdfast -f FILE            run in the foreground\n"
    "       holdfast -c -f FILE         check the configuration, say what is wrong with it\n"
    "       holdfast dump -f FILE       print the configuration after inheritance\n"
    "\n"
    "  -f FILE   the configuration file\n"
    "  -c, -t    check only: exit 0 where it is valid, else 1\n"
    "  -D        run in the background\n"
    "  -d        debug: in the foreground, with every message of the error log\n"
    "  -p FILE   write the process's number there, last of all steps of the start\n"
    "  -q        say nothing but errors\n"
    "  -v, -vv   version; libraries\n"
    "  -h        this text\n"
    "\n"
    "signals: HUP reloads the configuration; USR1 opens log files anew; TERM finishes what is\n"
    "under way, for shutdown-timeout at most (a second one: now); QUIT does so without a bound;\n"
    "INT ends now.\n";

void options_print_help(void)
{
    fputs(help, stdout);
}

static bool options_need_config(const struct options *o)
{
    if (o->config_path != NULL || o->command == COMMAND_VERSION || o->command == COMMAND_HELP)
        return true;
    fputs("holdfast: no configuration: use -f FILE (-h: help)\n", stderr);
    return false;
}

bool options_parse(int argc, char **argv, struct options *o)
{
    int letter;

    *o = (struct options){.command = COMMAND_RUN};
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0)) {
        o->command = argv[1][2] == 'h' ? COMMAND_HELP : COMMAND_VERSION;
        return true;
    }
    if (argc > 1 && strcmp(argv[1], "dump") == 0) {
        o->command = COMMAND_DUMP;
        argc--;
        argv++;
    }
    while ((letter = getopt(argc, argv, "f:cthvdDqp:")) != -1) {
        switch (letter) {
        case 'f': o->config_path = optarg; break;
        case 'c':
        case 't': o->command = COMMAND_CHECK; break;
        case 'h': o->command = COMMAND_HELP; break;
        case 'v':
            o->is_verbose = o->command == COMMAND_VERSION;
            o->command = COMMAND_VERSION;
            break;
        case 'd': o->is_debug = true; break;
        case 'D': o->is_daemon = true; break;
        case 'q': o->is_quiet = true; break;
        case 'p': o->pid_path = optarg; break;
        default: return false; /* getopt(3) has said what is wrong */
        }
    }
    if (optind < argc) {
        fprintf(stderr, "holdfast: unexpected argument '%s' (-h: help)\n", argv[optind]);
        return false;
    }
    return options_need_config(o);
}

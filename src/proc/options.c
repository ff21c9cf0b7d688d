/*
 * options - the command line.
 */
#include "proc/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: holdfast -f FILE            run in the foreground\n"
    "       holdfast -c -f FILE         check the configuration, say what is wrong with it\n"
    "       holdfast -s WORD -f FILE    tell the instance that runs: reload, stop, quit, reopen\n"
    "       holdfast dump -f FILE       print the configuration after inheritance\n"
    "       holdfast explain -f FILE METHOD URL [-H 'Name: value'] [--from IP] [--frontend NAME]\n"
    "                                   which route takes a request, why, and what holds there\n"
    "       holdfast fmt FILE...        print the files in the canonical layout; -: standard input\n"
    "       holdfast keywords           print the language as JSON: directives, variables, types\n"
    "\n"
    "  -f FILE   the configuration file\n"
    "  -c, -t    check only: exit 0 where it is valid, else 1\n"
    "  --strict  with -c: warnings fail too\n"
    "  --check   with fmt: say which files are not in this layout, and exit with 1 for them\n"
    "  --diff    with fmt: print what would change\n"
    "  --write   with fmt: write the files\n"
    "  -D        run in the background\n"
    "  -W        with a master and workers, also where the file says `workers 0`\n"
    "  -d        debug: in the foreground, with every message of the error log\n"
    "  -p FILE   write the process's number there, last of all steps of the start\n"
    "  -s WORD   reload: take over the file, and say what came of it; stop: finish what is under\n"
    "            way within shutdown-timeout; quit: without a bound; reopen: open log files anew.\n"
    "            The instance is found by its pid file: that of FILE, or -p. Exit 1 where the reload\n"
    "            failed, or there is nobody to tell\n"
    "  -q        say nothing but errors\n"
    "  -v, -vv   version; libraries\n"
    "  -h        this text\n"
    "\n"
    "signals: HUP reloads the configuration; USR1 opens log files anew; TERM finishes what is\n"
    "under way, for shutdown-timeout at most (a second one: now); QUIT does so without a bound;\n"
    "INT ends now.\n";

/* The options that are words; each stands for a letter that no other option has. */
static const struct option long_options[] = {
    {"check",    no_argument,       NULL, 'C'},
    {"diff",     no_argument,       NULL, 'U'},
    {"from",     required_argument, NULL, 'A'},
    {"frontend", required_argument, NULL, 'F'},
    {"help",     no_argument,       NULL, 'h'},
    {"strict",   no_argument,       NULL, 'S'},
    {"version",  no_argument,       NULL, 'v'},
    {"write",    no_argument,       NULL, 'w'},
    {NULL,       0,                 NULL, 0  },
};

/* Letters that stand for a long option and are none by themselves. */
#define LONG_ALONE "ACFSU"

/* What the first word of the command line may be, and what may follow it. */
static const struct command_row {
    const char *word; /* empty: no such word */
    enum command command;
    const char *letters; /* as getopt(3) wants them; those of long options too */
    unsigned operands_min;
    unsigned operands_max;
    bool needs_config;
} commands[] = {
    {"",         COMMAND_RUN,      "f:cthvdDWqp:s:S", 0, 0,        true },
    {"dump",     COMMAND_DUMP,     "f:qh",         0, 0,        true },
    {"explain",  COMMAND_EXPLAIN,  "f:qhH:A:F:",   2, 2,        true },
    {"fmt",      COMMAND_FMT,      "CUwh",         1, UINT_MAX, false},
    {"keywords", COMMAND_KEYWORDS, "h",            0, 0,        false},
};

void options_print_help(void)
{
    fputs(help, stdout);
}

/* The row of the first word; that of running if it is no command. */
static const struct command_row *command_find(int argc, char **argv)
{
    for (size_t i = 1; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].word) == 0)
            return &commands[i];
    return &commands[0];
}

static void take_field(struct options *o)
{
    if (o->n_fields < OPTIONS_FIELDS_MAX)
        o->fields[o->n_fields++] = optarg;
    else
        fprintf(stderr, "holdfast: more than %d fields: '%s' is left out\n", OPTIONS_FIELDS_MAX, optarg);
}

static void take_option(struct options *o, int letter)
{
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
    case 'W': o->is_master = true; break;
    case 's':
        o->command = COMMAND_SIGNAL;
        o->signal_name = optarg;
        break;
    case 'q': o->is_quiet = true; break;
    case 'p': o->pid_path = optarg; break;
    case 'S': o->is_strict = true; break;
    case 'C': o->is_check = true; break;
    case 'U': o->is_diff = true; break;
    case 'w': o->is_write = true; break;
    case 'A': o->from = optarg; break;
    case 'F': o->frontend = optarg; break;
    case 'H': take_field(o); break;
    }
}

static bool is_signal_name(const char *name)
{
    static const char *const names[] = {"reload", "stop", "quit", "reopen"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool options_complete(const struct command_row *row, const struct options *o)
{
    if (o->command == COMMAND_VERSION || o->command == COMMAND_HELP)
        return true;
    if (o->n_operands > row->operands_max) {
        fprintf(stderr, "holdfast: unexpected argument '%s' (-h: help)\n",
                o->operands[row->operands_max]);
        return false;
    }
    if (o->command == COMMAND_SIGNAL && !is_signal_name(o->signal_name)) {
        fprintf(stderr, "holdfast: '-s' takes reload, stop, quit or reopen, not '%s'\n",
                o->signal_name);
        return false;
    }
    if (o->n_operands < row->operands_min) {
        fprintf(stderr, "holdfast: '%s' needs more arguments (-h: help)\n", row->word);
        return false;
    }
    if (row->needs_config && o->config_path == NULL &&
        (o->command != COMMAND_SIGNAL || o->pid_path == NULL)) {
        fputs("holdfast: no configuration: use -f FILE (-h: help)\n", stderr);
        return false;
    }
    return true;
}

bool options_parse(int argc, char **argv, struct options *o)
{
    const struct command_row *row = command_find(argc, argv);
    int letter;

    *o = (struct options){.command = row->command};
    if (row->word[0] != '\0') {
        argc--;
        argv++;
    }
    for (int word = -1; (letter = getopt_long(argc, argv, row->letters, long_options, &word)) != -1;
         word = -1) {
        bool is_known = strchr(row->letters, letter) != NULL &&
                        (word >= 0 || strchr(LONG_ALONE, letter) == NULL);

        if (letter == '?')
            return false; /* getopt(3) has said what is wrong */
        if (!is_known) {
            fprintf(stderr, "holdfast: this option %s%s (-h: help)\n",
                    row->word[0] == '\0' ? "goes only with a command" : "does not go with ",
                    row->word);
            return false;
        }
        take_option(o, letter);
    }
    o->operands = argv + optind;
    o->n_operands = (unsigned)(argc - optind);
    return options_complete(row, o);
}

static const char *long_word(int letter)
{
    for (const struct option *o = long_options; o->name != NULL; o++)
        if (o->val == letter)
            return o->name;
    return NULL;
}

static void write_command(struct json *j, const struct command_row *row)
{
    json_open_object(j);
    json_member(j, "name", row->word);
    json_key(j, "operands");
    json_open_array(j);
    json_number(j, row->operands_min);
    if (row->operands_max == UINT_MAX)
        json_null(j);
    else
        json_number(j, row->operands_max);
    json_close(j);
    json_key(j, "options");
    json_open_array(j);
    for (const char *p = row->letters; *p != '\0'; p++) {
        if (*p == ':')
            continue;
        json_open_object(j);
        json_key(j, "letter");
        json_text(j, (struct str){p, 1});
        json_member(j, "word", long_word(*p));
        json_key(j, "argument");
        json_bool(j, p[1] == ':');
        json_close(j);
    }
    json_close(j);
    json_close(j);
}

void options_write(struct json *j)
{
    json_key(j, "commands");
    json_open_array(j);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        write_command(j, &commands[i]);
    json_close(j);
}

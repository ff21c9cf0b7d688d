/*
 * daemon - the start that all ways of running have in common.
 */
#include "proc/daemon.h"

#include "base/pool.h"
#include "conf/files_record.h"
#include "proc/master.h"
#include "proc/process.h"
#include "proc/signals.h"
#include "proc/single.h"
#include "proc/tools.h"

#include <errno.h>
#include <stdio.h>

bool start_open_pid_file(struct start *s)
{
    const char *path = s->options->pid_path;

    if (path == NULL && s->config->global.pid_file.n > 0)
        path = s->config->global.pid_file.p; /* NUL-terminated, as every text of an arena */
    if (path == NULL || pid_file_open(&s->pid_file, path))
        return true;
    if (errno == EBUSY)
        fprintf(stderr, "holdfast: process %d has the pid file %s\n", pid_file_owner(path), path);
    else
        process_say_errno("cannot write the pid file");
    return false;
}

static bool start_compile(struct start *s)
{
    struct files_recorder recorder;

    pack_init(&s->answers);
    files_recorder_init(&recorder, &files_disk, &s->answers);
    s->config = tools_compile(s->options, &recorder.files);
    return s->config != NULL;
}

static int start_and_serve(struct start *s)
{
    unsigned n_workers = process_n_workers(&s->config->global);

    if (!inherited_keep(&s->inherited, s->config)) {
        process_say_errno("cannot start");
        return 1;
    }
    inherited_opener_init(&s->opener, &s->inherited, &s->config->global);
    process_raise_limits();
    if (s->options->is_daemon && !process_to_background()) {
        process_say_errno("cannot go into the background");
        return 1;
    }
    if (s->options->is_master && n_workers == 0)
        n_workers = 1;
    return n_workers == 0 ? single_run(s) : master_run(s, n_workers);
}

int daemon_run(const struct options *o)
{
    static struct start start; /* large, and one a process */
    int status = 1;

    signals_block();
    memory_share();
    start.options = o;
    if (start_compile(&start))
        status = start_and_serve(&start);
    config_unref(start.config);
    pack_reset(&start.answers);
    inherited_reset(&start.inherited);
    return status;
}

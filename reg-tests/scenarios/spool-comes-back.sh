#!/bin/bash
#
# A spool that one reload takes away and another brings back, while bodies are held in it: what they take of its
# quota is not forgotten, and when they have gone, or the worker that held them, there is room again. With a
# master and in one process (workers 0).

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file $((8 * mb))
head -c $((5 * mb)) "$file" >"$work/small"
small_sum=$(sha256sum "$work/small" | cut -d ' ' -f 1)
start_origin app
app_port=$port

write_config() { # write_config DIRECTORY
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log stderr level notice; workers $n_workers }
spool main { path $1; reserve 0; quota $((10 * mb)) }
frontend www {
    bind unix@$work/front.sock
    request-buffering hold memory 16K
    hold 1m
    route status when path == /status { status-page }
    route held when path under /held { use-backend nobody }
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$app_port }
backend nobody { server a unix@$work/nobody.sock }
CONFIG
}
reload() { # reload DIRECTORY
    write_config "$work/$1"
    "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" || fail "the reload to $1"
}
upload_gets() { # upload_gets CODE WHEN
    start_upload more "$work/small" /upload/more
    finish_upload more
    expect "$1" "$code" "an upload $2"
    [ "$1" != 200 ] || expect "$small_sum" "$sum" "what the server had $2"
}
# Who has a spool file open.
holder() { spool_files -printf '%h\n' | sed -E 's,^/proc/([0-9]+)/fd$,\1,'; }
directories_of() { find "/proc/$1/fd" -lname "$work/a" | wc -l; }
has_left() { [ "$(directories_of "${pid_of[holdfast]}")" = "$1" ]; }

mkdir "$work/a" "$work/b"
for n_workers in 2 0; do
    write_config "$work/a"
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 test -s "$work/pid"
    start_upload held "$file" /held
    wait_until 20 is_sent held
    upload_gets 507 "beside the held one"

    reload b
    upload_gets 200 "to the other directory"
    reload a
    upload_gets 507 "after the spool has come back"
    ln -sfn a "$work/same"
    reload same
    [ "$n_workers" = 0 ] || upload_gets 507 "to the same directory by another name"
    reload b
    reload a
    upload_gets 507 "after it has come back again"

    if [ "$n_workers" = 2 ]; then
        kill -KILL "$(holder)"
    else
        kill_hard held
    fi
    wait_until 10 spools 0
    [ -z "${pid_of[held]-}" ] || finish_upload held
    wait_until 10 grep -qE "^spool main: 0 bytes" <(request http://holdfast/status)
    upload_gets 200 "when nothing is held any more"

    # Of one that is empty nothing is left open.
    reload b
    wait_until 10 has_left 0
    stop holdfast
    rm -f "$work/holdfast.err"
done

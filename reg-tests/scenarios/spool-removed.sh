#!/bin/bash
#
# Somebody removes the directory of the spool while holdfast runs: a reload makes it again, and what was held at
# that time is not lost, since its file is open. So when another directory is put in its place, or a symbolic link that leads
# there is changed: bodies went on into the old one.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file "$mb"
start_origin app
app_port=$port
kill_hard app

write_config() { # write_config N_WORKERS SPOOL
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; workers $1 }
spool main { path $work/$2 }
frontend www {
    bind unix@$work/front.sock
    request-buffering hold memory 16K
    hold 1m
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$app_port }
CONFIG
}

write_config auto deep/spool
start_holdfast "$work/holdfast.cfg"

start_upload before "$file" /upload/before
wait_until 20 is_sent before
rm -r "$work/deep"
start_upload without "$file" /upload/without
finish_upload without
expect 500 "$code" "an upload that finds no directory"

kill -HUP "${pid_of[holdfast]}"
wait_until 5 grep -q "configuration is in force" "$work/holdfast.err"
expect "700" "$(stat -c %a "$work/deep/spool")" "the mode of the new directory"

start_upload after "$file" /upload/after
wait_until 20 is_sent after
wait_until 5 spools 3 # the old directory is gone too, and open
start_origin app --listen "127.0.0.1:$app_port"
for name in before after; do
    finish_upload "$name"
    expect "200 $file_sum 0" "$code $sum $status" "the upload $name the reload"
done

stop holdfast

is_held_in() { spool_files -printf '%l\n' | grep -q "^$work/$1/"; }
hold_in() { # hold_in DIRECTORY NAME
    start_upload "$2" "$file" "/upload/$2"
    wait_until 20 is_sent "$2"
    is_held_in "$1" || fail "the upload $2 is not in $1: $(spool_files -printf '%l ')"
}
reload() { "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" >"$work/said" 2>&1 || fail "$1: $(cat "$work/said")"; }

for n_workers in 2 0; do
    stop app
    mkdir "$work/one" "$work/two"
    ln -sfn one "$work/link"
    write_config $n_workers link
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 test -s "$work/pid"
    hold_in one first

    ln -sfn two "$work/link"
    reload "to where the link leads"
    hold_in two second
    mv "$work/two" "$work/three"
    mkdir "$work/two"
    reload "to what is in its place"
    hold_in two third
    for directory in one three; do is_held_in $directory || fail "what was held in $directory has gone"; done

    start_origin app --listen "127.0.0.1:$app_port"
    for name in first second third; do
        finish_upload $name
        expect "200 $file_sum 0" "$code $sum $status" "the upload $name"
    done
    stop holdfast
    rm -r "$work/one" "$work/two" "$work/three"
done

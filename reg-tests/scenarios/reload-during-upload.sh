#!/bin/bash
#
# Reloads in the middle of an upload and while it is held, with good and with broken configurations: the
# upload gets its 200, and a connection that was there before serves on. A broken configuration is reported
# and changes nothing.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file $((20 * mb))
start_origin app
app_port=$port
kill_hard app

write_config() { # write_config VERSION
    cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    hold 1m
    route version when path == /version { respond 200 "$1" }
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$app_port }
CONFIG
}

version_is() { [ "$(request http://holdfast/version 2>/dev/null)" = "$1" ]; }

reload() {
    kill -HUP "${pid_of[holdfast]}"
}

write_config 0
start_holdfast "$work/holdfast.cfg"
start_upload a "$file" /upload/a --limit-rate $((10 * mb))
for i in 1 2 3; do
    write_config "$i"
    reload
    wait_until 5 version_is "$i"
done

echo "frontned www {" >"$work/holdfast.cfg"
reload
wait_until 5 grep -q "frontned" "$work/holdfast.err"
version_is 3 || fail "a broken configuration has changed something"

wait_until 20 is_sent a
write_config 4
reload
wait_until 5 version_is 4
start_origin app --listen "127.0.0.1:$app_port"
finish_upload a
expect "200 $file_sum 0" "$code $sum $status" "an upload over five reloads"

stop holdfast

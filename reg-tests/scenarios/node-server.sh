#!/bin/bash
#
# The Node.js twin of the upload server behind holdfast: an upload, one in chunks, two requests on one
# connection, and an upload for which the server comes back only after the upload has ended.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

command -v node >/dev/null || skip "no node"

start_node() {
    start_listening node node "$root/examples/upload-demo/server.js" --listen "127.0.0.1:$1"
}

make_file $((8 * mb))
start_node 0
app_port=$port

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    route all {
        hold 1m
        use-backend app
    }
}
backend app { server node 127.0.0.1:$app_port }
CONFIG
start_holdfast "$work/holdfast.cfg"

start_upload a "$file" /upload/a
finish_upload a
expect "200 $file_sum" "$code $sum" "an upload with Content-Length"

start_upload b "$file" /upload/b -H 'Transfer-Encoding: chunked'
finish_upload b
expect "200 $file_sum" "$code $sum" "an upload in chunks"

codes=$(request -o /dev/null -o /dev/null -w '%{http_code} ' http://holdfast/health http://holdfast/small)
expect "200 200 " "$codes" "two requests on one connection"

kill_hard node
start_upload c "$file" /upload/c
wait_until 20 is_sent c
start_node "$app_port"
finish_upload c
expect "200 $file_sum 0" "$code $sum $status" "an upload that waited for its server"

stop holdfast

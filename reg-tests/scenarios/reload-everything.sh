#!/bin/bash
#
# Whatever a configuration can name is added, changed and removed by reloads of living workers: binds, spools, error
# pages, routes, files of values, backends and servers, logs, files that it includes. Each takes effect with the next
# request, also on a connection that was there before the first reload.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file $((mb / 4))
start_origin one
one=$port
start_origin two
two=$port
start_origin free # a port for holdfast
front_port=$port
kill_hard free

reload() {
    cat >"$work/holdfast.cfg"
    "$build/holdfast" -s reload -q -p "$work/pid" || fail "a reload: $(cat "$work/holdfast.err")"
}
base="global { pid-file $work/pid; workers 2 }"
bind="bind 127.0.0.1:$front_port; bind unix@$work/front.sock"

cat >"$work/holdfast.cfg" <<CONFIG
$base
frontend www { $bind; route one when path == /one { respond 200 "first" } }
CONFIG
start_holdfast "$work/holdfast.cfg"
wait_until 10 test -s "$work/pid"

# One connection for all of it.
exec {conn}<>"/dev/tcp/127.0.0.1/$front_port"
ask() { # ask PATH [FIELD...]: sets $code and $body; the connection must stay
    local line length=0 field

    { printf 'GET %s HTTP/1.1\r\nHost: holdfast\r\n' "$1"
      for field in "${@:2}"; do printf '%s\r\n' "$field"; done
      printf '\r\n'; } >&"$conn"
    IFS=' ' read -r -t 30 _ code _ <&"$conn" || fail "the connection has ended before the answer to $1"
    while IFS= read -r -t 30 line <&"$conn" && [ "$line" != $'\r' ]; do
        case ${line,,} in
            content-length:*) length=$(tr -dc 0-9 <<<"$line") ;;
            connection:\ close*) fail "the connection is closed after $1" ;;
        esac
    done
    body=
    if [ "$length" -gt 0 ]; then IFS= read -r -t 30 -N "$length" body <&"$conn"; fi
}
expect_answer() { # expect_answer PATH CODE BODY WHAT
    ask "$1"
    expect "$2 $3" "$code $body" "$4"
}

expect_answer /one 200 first "before all reloads"
expect_answer /two 404 "404 Not Found
Nothing is configured for this address.
" "a route that is not there"

reload <<CONFIG
$base
frontend www {
    $bind
    bind unix@$work/added.sock
    route one when path == /one { respond 200 "second" }
    route two when path == /two { respond 200 "two" }
}
CONFIG
expect_answer /one 200 second "a route that was changed"
expect_answer /two 200 two "a route that was added"
expect two "$(curl -sS --max-time 20 --unix-socket "$work/added.sock" http://holdfast/two)" "a bind that was added"

echo "page one" >"$work/page.html"
reload <<CONFIG
$base
frontend www {
    $bind
    error-page 404 file page.html
    access-log $work/access.log format "\${path}"
    route two when path == /two { respond 200 "two" }
    route app when path under /count { use-backend app }
}
backend app { server a 127.0.0.1:$one }
CONFIG
[ ! -e "$work/added.sock" ] || fail "the file of a bind that was removed is there"
expect_answer /one 404 "page one
" "a route that was removed, an error page that was added"
ask /count
expect 200 "$code" "a backend that was added"
wait_until 5 grep -qx /one "$work/access.log"

echo "page two" >"$work/page.html"
expect_answer /one 404 "page one
" "an error page whose file has changed, before the reload"
reload <<<"$(cat "$work/holdfast.cfg")"
expect_answer /one 404 "page two
" "the same after it"

# It is removed; a condition has a file, which changes, and which another condition does not have.
pages() { # pages CONDITION
    cat <<CONFIG
$base
frontend www { $bind; route listed when $1 { respond 200 "listed" } }
CONFIG
}
expect_listed() { # expect_listed WHAT LISTED_PATH OTHER_PATH
    expect_answer "$2" 200 listed "$1: a path of the list"
    expect_answer "$3" 404 "404 Not Found
Nothing is configured for this address.
" "$1: a path that is not in it, without the page that was removed"
}
printf '/a\n/b\n' >"$work/paths.list"
pages "path in file paths.list" | reload
expect_listed "a file of values that was added" /b /c
printf '/a\n/c\n' >"$work/paths.list"
expect_listed "a file of values that has changed, before the reload" /b /c
reload <<<"$(cat "$work/holdfast.cfg")"
expect_listed "the same after it" /c /b
echo /d >"$work/other.list"
pages "path in file other.list" | reload
expect_listed "another file of values" /d /c
pages "path == /e" | reload
rm "$work/paths.list" "$work/other.list"
expect_listed "a file of values that was removed" /e /d
reload <<<"$(cat "$work/holdfast.cfg")"
expect_listed "the same after a reload without it" /e /d
pages "path in file paths.list" >"$work/holdfast.cfg"
if "$build/holdfast" -s reload -q -p "$work/pid" 2>"$work/said"; then fail "a reload with a file of values that is not there"; fi
grep -q "paths.list" "$work/said" || fail "-s reload does not say what is not there: $(cat "$work/said")"
expect_listed "after a reload that has failed" /e /a

# A server changes its address; another is added, the first is removed.
requests_of() { curl -sS --max-time 10 "http://127.0.0.1:$1/count" | sed -n 's/^requests //p'; }
config_with() { # config_with SERVERS
    cat <<CONFIG
$base
include "extra.cfg"
frontend www {
    $bind
    request-buffering hold memory 16K spool ${2-default}
    route extra when path == /extra { use-backend extra }
    route app { use-backend app }
}
backend app { $1 }
CONFIG
}
echo "backend extra { server x 127.0.0.1:$two }" >"$work/extra.cfg"
config_with "server a 127.0.0.1:$two" | sed 's/spool default//' | reload
before=$(requests_of "$two")
ask /health
expect 200 "$code" "a server with another address"
expect $((before + 1)) "$(requests_of "$two")" "requests at the new address"
config_with "server a 127.0.0.1:$two; server b 127.0.0.1:$one" | sed 's/spool default//' | reload
before=$(requests_of "$one")
for _ in 1 2 3 4; do ask /health; done
expect $((before + 2)) "$(requests_of "$one")" "requests at a server that was added, of four"
config_with "server b 127.0.0.1:$one" | sed 's/spool default//' | reload
before=$(requests_of "$two")
for _ in 1 2 3 4; do ask /health; done
expect "$before" "$(requests_of "$two")" "requests at a server that was removed"
ask /extra
expect 200 "$code" "a backend of a file that is included"

holds_in() { [ "$(spool_files -lname "$work/$1/*" | wc -l)" = 1 ]; }

# A spool is added, and used; then another takes its place.
for name in first second; do
    { echo "spool $name { path $work/$name; reserve 0 }"
      config_with "server b unix@$work/nobody.sock" "$name"; } | reload
    start_upload "$name" "$file" "/upload/$name"
    wait_until 20 is_sent "$name"
    wait_until 10 holds_in "$name"
done
# Both are held by configurations that are not in force any more; a server of theirs comes.
start sock "$build/reg-tests/tools/origin" --listen 127.0.0.1:0 --unix "$work/nobody.sock"
for name in first second; do
    finish_upload "$name"
    expect "200 $file_sum 0" "$code $sum $status" "an upload held in the spool $name"
done

exec {conn}<&-
expect 0 "$(grep -c 'died' "$work/holdfast.err" || true)" "deaths"
stop holdfast

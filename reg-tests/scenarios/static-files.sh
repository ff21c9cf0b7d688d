#!/bin/bash
#
# `files` with real sizes and real trouble: a large file whole, in parts and resumed; one that shrinks while it is sent
# (the message is cut, never filled up), one that grows (what was promised, and no more); a kernel without openat2, no
# descriptors, a bad disk; a reload after rights were dropped. No descriptor is left behind.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

# What is run under strace cannot look for leaks at its end, too.
without_leaks=${ASAN_OPTIONS:-}:detect_leaks=0
bytes=$((100 * mb))
if [[ $build == */torture ]]; then bytes=$((20 * mb)); fi
mkdir "$work/www"
chmod 711 "$work"
make_file $bytes
mv "$file" "$work/www/large"
large=$work/www/large
printf 'small\n' >"$work/www/small.txt"
head -c 40000 "$large" >"$work/www/medium" # more than is read into memory

cat >"$work/holdfast.cfg" <<CONFIG
global { workers 1 } # which is looked at
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    access-log $work/access.log format "\${uri} \${status} \${response-bytes} \${termination}"
    route stuck when path == /stuck {
        timeout client-write 500ms
        files $work/www { strip /stuck; fallback /large }
    }
    route all { files $work/www }
}
CONFIG
start_holdfast "$work/holdfast.cfg"

in_log() { grep -qE -- "$1" "$work/access.log"; }
descriptors() { find "/proc/$(workers)/fd" -type l | wc -l; }
has_descriptors() { [ "$(descriptors)" -eq "$1" ]; }
client() { # client NAME ARG...: a curl in the background
    local name=$1
    shift
    start "$name" curl --silent --max-time 60 --unix-socket "$work/front.sock" "$@"
}
code_of() { request -o /dev/null -w '%{http_code}' "$@"; }

request -o "$work/got" http://holdfast/small.txt
wait_until 5 in_log '^/small.txt 200 6 ok$'
at_rest=$(descriptors)

# A name that no file can have, and a path that is too long.
expect 404 "$(code_of "http://holdfast/$(printf 'a%.0s' {1..300})")" "a name of 300 bytes"
expect 404 "$(code_of "http://holdfast/$(printf 'a/%.0s' {1..2500})b")" "a path of 5000 bytes"

# Whole; in parts; resumed where it was cut; twice on one connection.
request -o "$work/got" http://holdfast/large
expect "$file_sum" "$(sha256sum "$work/got" | cut -d ' ' -f 1)" "the digest of the whole file"
wait_until 5 in_log "^/large 200 $bytes ok\$"
third=$((bytes / 3))
: >"$work/got"
for range in "0-$((third - 1))" "$third-$((2 * third - 1))" "$((2 * third))-"; do
    request -r "$range" http://holdfast/large >>"$work/got"
done
expect "$file_sum" "$(sha256sum "$work/got" | cut -d ' ' -f 1)" "the digest of three parts"
head -c $third "$large" >"$work/got"
request -C - -o "$work/got" http://holdfast/large
expect "$file_sum" "$(sha256sum "$work/got" | cut -d ' ' -f 1)" "the digest of a resumed file"
expect "200 1 200 0 " "$(request -w '%{http_code} %{num_connects} ' -o /dev/null http://holdfast/large \
    -o /dev/null http://holdfast/small.txt)" "two files on one connection"
wait_until 5 has_descriptors "$at_rest"

# A client that leaves in the middle, and one that does not read.
rm -f "$work/got"
client leaver --limit-rate $((bytes / 20)) -o "$work/got" http://holdfast/large
some_came() { [ -s "$work/got" ]; }
wait_until 10 some_came
kill_hard leaver
wait_until 5 in_log '^/large 200 [0-9]+ client-(gone|reset)$'
mkfifo "$work/never"
exec {never}<>"$work/never"
client stuck -o "$work/never" http://holdfast/stuck
wait_until 10 in_log '^/stuck 200 [0-9]+ client-write-timeout$'
exec {never}>&-
kill_hard stuck
wait_until 5 has_descriptors "$at_rest"

# It shrinks while it is sent: the client sees that it is cut.
cp "$large" "$work/www/shrinks"
client shrinks --limit-rate $((bytes / 4)) -o "$work/got-shrinks" http://holdfast/shrinks
some_came() { [ -s "$work/got-shrinks" ]; }
wait_until 10 some_came
truncate -s $((bytes / 50)) "$work/www/shrinks"
status=0
wait "${pid_of[shrinks]}" || status=$?
unset "pid_of[shrinks]"
expect 18 "$status" "curl's status (18: partial) for a file that shrinks"
wait_until 5 in_log '^/shrinks 200 [0-9]+ response-cut$'
# (What was on its way in the kernel may have become zeros behind the new end.)
cmp -n $((bytes / 50)) "$large" "$work/got-shrinks" || fail "bytes that the file never had"

# It grows: its length at the start is what is sent, and the connection goes on.
cp "$large" "$work/www/grows"
client grows --limit-rate $((bytes / 2)) -o "$work/got-grows" http://holdfast/grows \
    -o /dev/null -w '%{http_code} %{num_connects} ' http://holdfast/small.txt
some_came() { [ -s "$work/got-grows" ]; }
wait_until 10 some_came
printf 'more' >>"$work/www/grows"
wait "${pid_of[grows]}" || fail "curl has failed for a file that grows"
unset "pid_of[grows]"
expect "200 1 200 0 " "$(cat "$work/grows.out")" "a file that grows, and another one on its connection"
cmp "$large" "$work/got-grows" || fail "a file that grows is not sent as it was"
wait_until 5 has_descriptors "$at_rest"
stop holdfast

# With descriptors for a few clients only, the others wait for their turn; nobody fails.
head -c $((bytes / 5)) "$large" >"$work/www/fifth"
start holdfast bash -c "ulimit -n 40; exec '$build/holdfast' -f '$work/holdfast.cfg'"
wait_until 10 front_is_there
: >"$work/access.log"
for i in {1..20}; do client "one$i" -o /dev/null http://holdfast/fifth; done
for i in {1..20}; do
    wait "${pid_of[one$i]}" || fail "a client has failed for want of descriptors"
    unset "pid_of[one$i]"
done
expect 20 "$(grep -c "^/fifth 200 $((bytes / 5)) ok\$" "$work/access.log")" "files sent to twenty clients"
stop holdfast

# Faults of the kernel, put in its mouth by strace.
strace -qq -e inject=none -e trace=none true 2>/dev/null || strace -qq -e trace=none true 2>/dev/null ||
    skip "strace is missing or may not trace: the faults were not tried"
ASAN_OPTIONS=$without_leaks start_holdfast "$work/holdfast.cfg"
traced() { grep -q attached "$work/strace.err"; }
with_fault() { # with_fault SYSCALL:FAULT COMMAND...
    local inject=$1
    shift
    : >"$work/strace.err"
    start strace strace -f -o /dev/null -e "trace=${inject%%:*}" -e "inject=$inject" -p "$(workers)"
    wait_until 10 traced
    "$@"
    kill -INT "${pid_of[strace]}"
    wait "${pid_of[strace]}" 2>/dev/null || true
    unset "pid_of[strace]"
}
# shellcheck disable=SC2317 # called by name
gives() { expect "$1" "$(code_of "http://holdfast$2" 2>/dev/null || true)" "$2 with a fault"; }
# shellcheck disable=SC2317
ends_with() {
    local status=0

    request -o /dev/null "http://holdfast$2" 2>/dev/null || status=$?
    expect "$1" "$status" "curl's status for $2 with a fault"
}
at_rest=$(descriptors)
: >"$work/access.log"
with_fault openat2:error=EMFILE gives 503 /small.txt
with_fault openat2:error=ENOMEM gives 503 /small.txt
with_fault openat2:error=EIO gives 500 /small.txt
with_fault openat2:error=EACCES gives 404 /small.txt
with_fault openat2:error=EAGAIN:when=1..3 gives 200 /small.txt
with_fault openat2:error=EINTR:when=1 gives 200 /small.txt
with_fault pread64:error=EIO ends_with 52 /small.txt
with_fault pread64:retval=3 ends_with 18 /small.txt
with_fault sendfile:error=EIO:when=1 ends_with 18 /medium
with_fault sendfile:error=EINTR:when=1 ends_with 0 /medium
expect "no-descriptors no-memory file-failed not-found ok ok" \
    "$(head -n 6 "$work/access.log" | cut -d ' ' -f 4 | tr '\n' ' ' | sed 's/ $//')" "the words in the log"
grep -q "error: www/all: cannot open 'small.txt' in $work/www: Input/output error" "$work/holdfast.err" ||
    fail "a bad disk is not in the error log"
grep -q "info: www/all: cannot open 'small.txt' in $work/www: Permission denied" "$work/holdfast.err" ||
    fail "a file that may not be read is not in the error log"
expect 200 "$(code_of http://holdfast/small.txt)" "a request afterwards"
wait_until 5 has_descriptors "$at_rest"
stop holdfast

# Without openat2 nothing is served at all.
status=0
ASAN_OPTIONS=$without_leaks strace -f -o /dev/null -e trace=openat2 -e inject=openat2:error=ENOSYS \
    "$build/holdfast" -f "$work/holdfast.cfg" 2>"$work/nosys.err" </dev/null || status=$?
expect 1 "$status" "the exit status without openat2"
grep -q "holdfast.cfg:[0-9]*: error: cannot serve files of '$work/www': this kernel has no openat2(2)" \
    "$work/nosys.err" || fail "what is said without openat2: $(cat "$work/nosys.err")"

# A directory that `user` may not look for any more is the one that is open, also after a reload.
if [ "$(id -u)" = 0 ] && id -u nobody >/dev/null 2>&1; then
    mkdir -m 700 "$work/private"
    mkdir "$work/private/www"
    printf 'private\n' >"$work/private/www/a.txt"
    cat >"$work/user.cfg" <<CONFIG
global { user nobody; workers 0 }
spool main { path $work/nobodys-spool }
frontend www {
    bind unix@$work/front.sock
    route all { files $work/private/www }
}
CONFIG
    start_holdfast "$work/user.cfg"
    expect private "$(request http://holdfast/a.txt)" "a file of a directory that only root reaches"
    kill -HUP "${pid_of[holdfast]}"
    in_force() { grep -q 'the new configuration is in force' "$work/holdfast.err"; }
    wait_until 10 in_force
    expect private "$(request http://holdfast/a.txt)" "the same after a reload"
    chmod 600 "$work/private/www/a.txt"
    expect 404 "$(code_of http://holdfast/a.txt)" "a file that only root may read"
    stop holdfast
fi

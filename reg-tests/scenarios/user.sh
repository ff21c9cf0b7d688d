#!/bin/bash
#
# `user`: started by root, who sees bytes of clients becomes somebody else and gives up everything else, for good. With
# a master these are the workers; in one process (workers 0) what it needs later has been made for that user: the
# spool's directory, the log files. Of the pid file, which such a process may not remove from root's directory,
# nothing but the name stays. The spool that is there without a section is that user's too: where
# /var/spool/holdfast is root's, another is taken (the start failed).

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

[ "$(id -u)" = 0 ] || skip "not root"
uid=$(id -u nobody 2>/dev/null) || skip "no user nobody"
gid=$(id -g nobody)
other_gid=$(getent group daemon | cut -d : -f 3) || skip "no group daemon"

make_file "$mb"
chmod 711 "$work"
mkdir "$work/run"
start_origin app
app_port=$port
kill_hard app

write_config() { # write_config USER
    cat >"$work/holdfast.cfg" <<CONFIG
global {
    workers  $n_workers
    user     $1
    pid-file $work/run/pid
    log      $work/run/error.log level debug
}
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    access-log $work/run/access.log format "\${path}"
    request-buffering hold memory 16K
    hold 1m
    route here when path under /here { respond 200 "here" }
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$app_port }
CONFIG
}

has_pid() { [ -s "$work/run/pid" ] || { lives holdfast || fail "holdfast has ended"; false; }; }

# One field of /proc/PID/status, blanks as one space.
of_status() { awk -v field="$1:" '$1 == field { $1 = ""; print substr($0, 2) }' "/proc/$worker/status"; }

start_as() { # start_as USER GID
    write_config "$1"
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 has_pid
    pid=$(cat "$work/run/pid")
    expect "${pid_of[holdfast]}" "$pid" "the pid file"
    expect "$n_workers" "$(workers | grep -cvx "$pid" || true)" "workers"
    for worker in $(workers); do
        expect "$uid $uid $uid $uid" "$(of_status Uid)" "user $1: real, effective, saved and file system's user"
        expect "$2 $2 $2 $2" "$(of_status Gid)" "user $1: the groups of the same kinds"
        expect "$2" "$(of_status Groups)" "user $1: supplementary groups"
        expect 1 "$(of_status NoNewPrivs)" "user $1: no new privileges"
        for set in CapInh CapPrm CapEff CapAmb; do
            expect 0000000000000000 "$(of_status $set)" "user $1: capabilities ($set)"
        done
        if [ "$n_workers" -gt 0 ]; then expect 0000000000000000 "$(of_status CapBnd)" "user $1: the bounding set"; fi
    done
    expect "$uid:$2 700" "$(stat -c '%u:%g %a' "$work/spool")" "user $1: the spool's directory"
    expect "$uid" "$(stat -c %u "$work/run/access.log")" "user $1: the access log's owner"
    expect "$uid" "$(stat -c %u "$work/run/error.log")" "user $1: the error log's owner"
}

for n_workers in 0 2; do
    start_as nobody "$gid"

    start_upload held "$file" /upload/held
    wait_until 20 is_sent held
    spools 1 || fail "the held body is not on disk"
    start_origin app --listen "127.0.0.1:$app_port"
    finish_upload held
    expect "200 $file_sum 0" "$code $sum $status" "an upload that was held"

    # As logrotate does with `create`: the new file is like the old one. root's directory takes no file of nobody's.
    for log in access error; do
        mv "$work/run/$log.log" "$work/run/$log.1"
        cp -p "$work/run/$log.1" "$work/run/$log.log"
        : >"$work/run/$log.log"
    done
    kill -USR1 "$pid"
    is_logged_anew() {
        request -o /dev/null http://holdfast/here/after
        grep -qx /here/after "$work/run/access.log"
    }
    wait_until 10 is_logged_anew
    if grep "cannot reopen" "$work/run/error.log" "$work/run/error.1"; then fail "a log is not open"; fi

    # Nobody has created it: the master does, and gives it to the user.
    if [ "$n_workers" -gt 0 ]; then
        for log in access error; do mv "$work/run/$log.log" "$work/run/$log.2"; done
        kill -USR1 "$pid"
        wait_until 10 is_logged_anew
        wait_until 10 test -e "$work/run/error.log"
        for log in access error; do
            expect "$uid:$gid" "$(stat -c %u:%g "$work/run/$log.log")" "the owner of a new $log.log"
        done
    fi

    # It may read its configuration again. Another user comes at the next start: what a reload makes is for the one
    # who serves. (The one process, which is root no more, may not write into root's directory.)
    new=$work/$([ "$n_workers" -gt 0 ] || echo run/)
    if [ "$n_workers" = 0 ]; then chown nobody "$work/run"; fi
    sed "s|user .*|user daemon|; s|path $work/spool|path ${new}spool2|; s|access.log format|access2.log format|" \
        "$work/holdfast.cfg" >"$work/changed.cfg"
    cp "$work/changed.cfg" "$work/holdfast.cfg"
    said=$("$build/holdfast" -s reload -q -f "$work/holdfast.cfg" 2>&1) || fail "a reload that changes the user: $said"
    expect "warning: \`user\` takes effect at the next start" "$said" "what that reload says"
    expect "$uid" "$(stat -c %u "${new}spool2")" "the owner of the new spool's directory"
    expect "$uid" "$(stat -c %u "$work/run/access2.log")" "the owner of the new log"
    if [ "$n_workers" -gt 0 ]; then # nobody has created it
        mv "$work/run/error.log" "$work/run/error.3"
        kill -USR1 "$pid"
        wait_until 10 test -e "$work/run/error.log"
        expect "$uid" "$(stat -c %u "$work/run/error.log")" "the owner of a log that is opened anew"
    fi
    chown root "$work/run"

    stop holdfast
    if [ -s "$work/run/pid" ]; then fail "the pid file still has a number in it"; fi
    if [ "$n_workers" -gt 0 ] && [ -e "$work/run/pid" ]; then fail "the master leaves its pid file"; fi
    kill_hard app

    # The group may be named; a directory of the user's own is taken as it is.
    rm -r "$work/spool" "$work/run" "$work/front.sock" 2>/dev/null || true
    mkdir "$work/run"
    chmod 777 "$work/run"
    start_as "nobody daemon" "$other_gid"
    expect here "$(request http://holdfast/here)" "a request"
    stop holdfast
    if [ -e "$work/run/pid" ]; then fail "the pid file is still there"; fi

    # A directory of somebody else's is not taken, and whose it is is said.
    rm -rf "$work/run" "$work/spool" "$work/front.sock"
    mkdir "$work/run" "$work/spool"
    status=0
    timeout 20 "$build/holdfast" -f "$work/holdfast.cfg" >"$work/other.out" 2>&1 || status=$?
    expect 1 "$status" "exit status of a start with root's directory"
    grep -q "'$work/spool': it belongs to user number 0, and user nobody may not write to it: chown it, or" "$work/other.out" ||
        fail "not said whose the spool's directory is: $(cat "$work/other.out")"
    chown nobody "$work/spool"
    chmod 700 "$work/spool"
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 has_pid
    stop holdfast
    rm -rf "$work/run" "$work/spool"
    mkdir "$work/run"
done
n_workers=auto

# Who is neither root nor that user does not serve as somebody else, though it might have all the files.
rm -rf "$work/spool" "$work/run" "$work/front.sock"
mkdir -p "$work/run" "$work/own/spool"
chmod 777 "$work/run" "$work/own" "$work/own/spool"
write_config nobody
sed -i "s|$work/front.sock|$work/own/front.sock|; s|$work/spool|$work/own/spool|; /error.log/d" "$work/holdfast.cfg"
sed -i 's/access-log/#/' "$work/holdfast.cfg"
status=0
timeout 20 setpriv --reuid 1 --regid 1 --clear-groups "$build/holdfast" -f "$work/holdfast.cfg" \
    >"$work/third.out" 2>&1 || status=$?
expect 1 "$status" "exit status of a start by a third user ($(cat "$work/third.out"))"
grep -q "cannot change to the configured user" "$work/third.out" || fail "not for that: $(cat "$work/third.out")"

# Without a section, and with a /var/spool of our own, if we may make one.
rm -rf "$work/own"
# shellcheck disable=SC2016 # for the inner shell
in_own_world=(unshare --mount bash -c 'mount --bind "$0" /var/spool && exec "$@"' "$work/var-spool")
mkdir "$work/var-spool" "$work/tmp"
"${in_own_world[@]}" true 2>/dev/null || skip "no mount namespaces; the rest has passed"

write_plain_config() {
    cat >"$work/holdfast.cfg" <<CONFIG
global { workers $n_workers; user nobody; pid-file $work/run/pid }
frontend www {
    bind unix@$work/front.sock
    route all { respond 200 }
}
CONFIG
}
must_spool_at() { # must_spool_at DIRECTORY SEEN_AT WHEN
    TMPDIR=$work/tmp start holdfast "${in_own_world[@]}" "$program" -f "$work/holdfast.cfg"
    wait_until 10 has_pid
    expect "$uid 700" "$(stat -c '%u %a' "$1")" "owner and mode of the spool $3"
    is_spool "$2" || fail "the spool $3 is not $2"
}
is_spool() { [ -n "$(find "/proc/${pid_of[holdfast]}/fd" -lname "$1")" ]; }

for n_workers in 1 0; do
    rm -rf "$work/run" "$work/front.sock" "$work/tmp"
    mkdir -p "$work/run" "$work/tmp" "$work/var-spool/holdfast"
    chmod 777 "$work/run"
    chmod 700 "$work/var-spool/holdfast"
    write_plain_config
    must_spool_at "$work/tmp/holdfast-$uid" "$work/tmp/holdfast-$uid" "where root has a directory"

    # Where it is cannot be looked at any more: it goes on.
    chmod 700 "$work/tmp"
    "$build/holdfast" -s reload -q -f "$work/holdfast.cfg" >"$work/said" 2>&1 || fail "a reload: $(cat "$work/said")"
    is_spool "$work/tmp/holdfast-$uid" || fail "the spool is another after a reload"
    stop holdfast

    rm -rf "$work/front.sock"
    chown nobody "$work/var-spool/holdfast"
    must_spool_at "$work/var-spool/holdfast" /var/spool/holdfast "where nobody has one"
    stop holdfast
    rm -rf "$work/front.sock"
    rmdir "$work/var-spool/holdfast"
    must_spool_at "$work/var-spool/holdfast" /var/spool/holdfast "where there is none"
    stop holdfast
    rmdir "$work/var-spool/holdfast"
done

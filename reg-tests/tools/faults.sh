# shellcheck shell=bash disable=SC2034,SC2154 # some names are those of scenario.sh, some are for the scenario
#
# faults.sh - what scenarios whose workers fail share; sourced after scenario.sh. holdfast is holdfast-faults here
# (faults.c), with two workers, a unix socket and
# $front_port of 127.0.0.2.
#
#     start_faulty                holdfast of version 0
#     fault WHAT                  from now on (faults.c has the words); WHAT.N until `no_faults`
#     no_faults
#     reload VERSION              sets $status, of -s reload; what it has said is in $work/said
#     logged REGEX, n_logged REGEX   is there such a line in the error log, how many are there?
#     n_died SIGNAL               how many workers have died of it
#     keep_conns                  open connections until each worker has two; close_conns
#     kept                        the versions that they see now, each once; "gone": the connection has ended
#     fresh                       the versions that forty new connections see, each once
#     serve VERSION WHAT          all workers have that version and no other, to new connections and to kept ones
#     serve_after_death VERSION WHAT   likewise, but that some of the kept ones have ended; then there are others

program=$build/holdfast-faults
export HOLDFAST_FAULTS=$work/faults
mkdir "$HOLDFAST_FAULTS"
free_port
front_port=$port

write_version() {
    cat >"$work/holdfast.cfg" <<CONFIG
global { pid-file $work/pid; log $work/error.log level notice; workers 2 }
frontend www {
    bind unix@$work/front.sock
    bind 127.0.0.2:$front_port
    http-response set-header X-Version "$1"
    route own { respond 200 "$1" }
}
CONFIG
}

start_faulty() {
    write_version 0
    start_holdfast "$work/holdfast.cfg"
    wait_until 10 test -s "$work/pid"
}

fault() { : >"$HOLDFAST_FAULTS/$1"; }
no_faults() { rm -f "$HOLDFAST_FAULTS"/*; }
is_met() { [ ! -e "$HOLDFAST_FAULTS/$1" ]; }

reload() {
    write_version "$1"
    status=0
    "$build/holdfast" -s reload -f "$work/holdfast.cfg" >"$work/said" 2>&1 || status=$?
}

logged() { grep -qE "$1" "$work/error.log"; }
n_logged() { grep -cE "$1" "$work/error.log" || true; }
n_died() { n_logged "worker [01] \(process [0-9]+\) died of signal $1 "; }
has_died() { [ "$(n_died "$1")" = "$2" ]; }
both_live() { [ "$(workers | wc -l)" = 2 ]; }

# --- connections that stay ---

conns=()
trap '' PIPE # one that has ended is written to

sockets_of() { find "/proc/$1/fd" -lname 'socket:*' 2>/dev/null | wc -l; }

# Nobody is served: a worker has the sockets that every worker has, and one for each connection.
keep_conns() {
    local conn one two before

    both_live || fail "there are not two workers"
    { read -r one && read -r two; } < <(workers)
    wait_until 10 has_settled "$one" "$two"
    before=$(sockets_of "$one")
    until [ "$(sockets_of "$one")" -ge $((before + 2)) ] && [ "$(sockets_of "$two")" -ge $((before + 2)) ]; do
        [ ${#conns[@]} -lt 100 ] || fail "one worker has hardly any of ${#conns[@]} connections"
        exec {conn}<>"/dev/tcp/127.0.0.2/$front_port"
        conns+=("$conn")
        version_at "$conn" >/dev/null
    done
}
has_settled() { [ "$(sockets_of "$1")" = "$(sockets_of "$2")" ]; }

close_conns() {
    local conn

    for conn in "${conns[@]}"; do exec {conn}>&-; done
    conns=()
}

# The field's and the body's must be the same: an answer is of one version.
version_at() {
    local line field="" body=""

    { printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' >&"$1"; } 2>/dev/null || true
    while IFS= read -r -t 20 -u "$1" line 2>/dev/null && [ "$line" != $'\r' ]; do
        case ${line,,} in x-version:*) field=${line//[^0-9]/} ;; esac
    done
    if [ -n "$field" ]; then IFS= read -r -t 20 -u "$1" -N ${#field} body; fi
    if [ "$field" = "$body" ]; then echo "${field:-gone}"; else echo "$field and $body"; fi
}

kept() {
    local conn

    for conn in "${conns[@]}"; do version_at "$conn"; done | sort -u | tr '\n' ' '
}

# Many at a time, so that one worker alone cannot have them all.
fresh() {
    request --parallel --parallel-immediate --parallel-max 20 --no-progress-meter -H 'Connection: close' \
        -o /dev/null -w '%header{x-version}\n' 'http://holdfast/[1-40]' | sort -u | tr '\n' ' '
}

serve() {
    expect "$1 " "$(fresh)" "$2: what new connections see"
    expect "$1 " "$(kept)" "$2: what connections see that were there before"
}

serve_after_death() {
    wait_until 10 both_live
    expect "$1 " "$(fresh)" "$2: what new connections see"
    expect "$1 gone " "$(kept)" "$2: what is left of connections"
    close_conns
    keep_conns
    serve "$1" "$2"
}

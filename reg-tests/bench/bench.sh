#!/bin/bash
#
# bench.sh - what holdfast costs, side by side with Debian's nginx.
#
#     reg-tests/bench/bench.sh BUILD_DIR
#
# One worker each, pinned to core 0; load and backend on core 1; access logs off, no forwarded headers.
# Rounds are interleaved (holdfast, nginx, holdfast, ...); a figure is the median of its rounds, a ratio the
# median of the rounds' ratios, since the same work costs more from one moment to the next on a shared
# machine. CPU time is user and system time of all the proxy's processes (/proc/PID/task/*/schedstat).
#
# Everything runs in a network namespace of its own, with cubic or reno: a kernel whose default congestion
# control is BBR paces loopback, and then one measures pacing. A row whose tool is missing is left out and
# says so. Nothing here passes or fails: the exit status tells only whether it could be run.
#
# BENCH_QUICK=1: less of everything, under a minute. BENCH_BYTES: of an upload (500000000).
# BENCH_ONLY="PART...": of upload, get, instructions, idle, routes.
# BENCH_KEEP=DIR: the raw figures and the logs go there.

set -euo pipefail

if [ $# -ne 1 ]; then
    echo "usage: $0 BUILD_DIR" >&2
    exit 2
fi
build=$(realpath "$1")
cd "$(dirname "$0")/../.."

### a network of its own

if [ -z "${BENCH_INSIDE:-}" ]; then
    for unshare in "unshare --net" "unshare --map-root-user --net"; do
        if $unshare ip link set lo up 2>/dev/null; then
            BENCH_INSIDE=namespace exec $unshare "$0" "$build"
        fi
    done
    echo "no network namespace can be made here: the machine's own loopback is used"
    BENCH_INSIDE=machine
fi

congestion=/proc/sys/net/ipv4/tcp_congestion_control
if [ "$BENCH_INSIDE" = namespace ]; then
    ip link set lo up
    { echo cubic >$congestion || echo reno >$congestion; } 2>/dev/null || true
    # 5,000 connections at once need ports and a queue.
    { echo "10240 65000" >/proc/sys/net/ipv4/ip_local_port_range; } 2>/dev/null || true
fi
if [ "$(cat $congestion)" = bbr ]; then
    echo "congestion control is bbr, which paces: believe no time of an upload"
fi

### sizes

upload_bytes=${BENCH_BYTES:-500000000}
upload_rounds=7
get_rounds=9
get_requests=60000
traced_requests=20000
counted_requests=2000
file_bytes=10000000
file_downloads=100
idle_connections=5000
idle_rounds=2
routes_rounds=3
connections=64
if [ -n "${BENCH_QUICK:-}" ]; then
    upload_rounds=3
    get_rounds=3
    get_requests=30000
    traced_requests=8000
    counted_requests=1000
    file_downloads=30
    idle_rounds=1
    routes_rounds=1
fi
ulimit -n "$(ulimit -Hn)"
if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt $((idle_connections + 1000)) ]; then
    idle_connections=$(($(ulimit -n) - 1000))
    echo "descriptors are limited to $(ulimit -n): $idle_connections idle connections"
fi

sink_port=10101
declare -A port=([holdfast]=10102 [nginx]=10103)
declare -A static_port=([holdfast]=10104 [nginx]=10105)
ports=port # which of the two `load` uses
declare -A pid_of=()
proxies=(holdfast)
if command -v nginx >/dev/null; then
    proxies+=(nginx)
else
    echo "nginx is not installed: holdfast alone"
fi

on_proxy_core=()
on_load_core=()
if command -v taskset >/dev/null && [ "$(nproc)" -ge 2 ]; then
    on_proxy_core=(taskset -c 0)
    on_load_core=(taskset -c 1)
else
    echo "processes are not pinned (no taskset, or one core): expect noise"
fi

work=$(mktemp -d "${TMPDIR:-/var/tmp}/holdfast-bench.XXXXXX")
figures=$work/figures # lines of: row, proxy, round, value

clean_up() {
    local name pid

    for name in "${!pid_of[@]}"; do
        for pid in $(processes_of "$name"); do
            kill -KILL "$pid" 2>/dev/null || true
        done
    done
    wait 2>/dev/null || true
    if [ -n "${BENCH_KEEP:-}" ]; then
        mkdir -p "$BENCH_KEEP"
        cp "$work"/figures "$work"/*.log "$work"/*.cfg "$work"/*.conf "$BENCH_KEEP"/ 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

give_up() {
    local log

    echo "bench: $*" >&2
    for log in "$work"/*.log; do
        if [ -s "$log" ]; then
            echo "--- ${log##*/}" >&2
            tail -n 10 "$log" >&2
        fi
    done
    exit 1
}

### configurations

n_routes=0 # routes by host, none of which takes what the load maker sends, before the one that does

more_routes() {
    awk -v n=$n_routes 'BEGIN { for (i = 1; i <= n; i++)
        printf "    route h%d when host == h%d.example.org and path under /app { use-backend sink }\n", i, i }'
}

more_servers() {
    awk -v n=$n_routes -v listen="127.0.0.1:${port[nginx]}" 'BEGIN { for (i = 1; i <= n; i++)
        printf "    server { listen %s; server_name h%d.example.org; location /app { proxy_pass http://sink; } }\n",
            listen, i }'
}

write_holdfast_config() { # write_holdfast_config FILE
    cat >"$1" <<CONFIG
global {
    workers         0
    max-connections 16000
    log             stderr level error
}
spool bench { path $work/spool-holdfast }
frontend bench {
    bind 127.0.0.1:${port[holdfast]}
    access-log off
    forwarded-headers off
    timeout client-idle 10m
$(more_routes)
    route all {
        request-buffering hold spool bench
        use-backend sink
    }
}
backend sink {
    server    sink 127.0.0.1:$sink_port
    keepalive 512 idle 10m
}
CONFIG
    if [ $ports = port ]; then return; fi # valgrind does not know openat2
    cat >>"$1" <<CONFIG
frontend static {
    bind 127.0.0.1:${static_port[holdfast]}
    access-log off
    route all { files $work/files }
}
CONFIG
}

write_nginx_config() { # write_nginx_config FILE master_process
    local user=""

    if [ "$(id -u)" = 0 ]; then user="user root;"; fi
    mkdir -p "$work/spool-nginx"
    cat >"$1" <<CONFIG
daemon off;
master_process $2;
worker_processes 1;
$user
pid $work/nginx.pid;
error_log $work/nginx-error.log crit;
worker_rlimit_nofile 16384;
events { worker_connections 16384; }
http {
    access_log off;
    sendfile on;
    tcp_nodelay on;
    server_tokens off;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_body_buffer_size 1m;
    client_max_body_size 0;
    client_body_temp_path $work/spool-nginx;
    proxy_temp_path $work/nginx-proxy;
    fastcgi_temp_path $work/nginx-fastcgi;
    uwsgi_temp_path $work/nginx-uwsgi;
    scgi_temp_path $work/nginx-scgi;
    proxy_request_buffering on;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host \$http_host;
    upstream sink {
        server 127.0.0.1:$sink_port;
        keepalive 512;
        keepalive_requests 1000000000;
        keepalive_timeout 600s;
    }
    server_names_hash_max_size 65536;
    server {
        listen 127.0.0.1:${port[nginx]} backlog=1024 default_server;
        location / { proxy_pass http://sink; }
    }
    server {
        listen 127.0.0.1:${static_port[nginx]} backlog=1024;
        location / { root $work/files; }
    }
$(more_servers)
}
CONFIG
}

### processes

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

wait_for_port() { # wait_for_port NAME PORT SECONDS
    local limit=$((SECONDS + $3))

    until answers "$2"; do
        kill -0 "${pid_of[$1]}" 2>/dev/null || give_up "$1 has ended"
        if [ $SECONDS -gt $limit ]; then give_up "$1 does not accept connections"; fi
        sleep 0.05
    done
}

# The process of NAME and its children.
processes_of() {
    local pid=${pid_of[$1]}

    echo "$pid $(cat /proc/"$pid"/task/*/children 2>/dev/null || true)"
}

start_sink() {
    "${on_load_core[@]}" "$build/reg-tests/tools/sink" --listen 127.0.0.1:$sink_port \
        >"$work/sink.log" 2>&1 &
    pid_of[sink]=$!
    wait_for_port sink $sink_port 5
}

# start_proxy NAME MASTER_PROCESS [UNDER...]: UNDER is a command in front, such as valgrind.
start_proxy() {
    local name=$1 master_process=$2
    shift 2

    if [ "$name" = holdfast ]; then
        write_holdfast_config "$work/holdfast.cfg"
        set -- "$@" "$build/holdfast" -f "$work/holdfast.cfg"
    else
        write_nginx_config "$work/nginx.conf" "$master_process"
        set -- "$@" nginx -c "$work/nginx.conf"
    fi
    "${on_proxy_core[@]}" "$@" >>"$work/$name.log" 2>&1 &
    pid_of[$name]=$!
    wait_for_port "$name" "${port[$name]}" 30
}

stop_proxy() { # stop_proxy NAME
    local pid=${pid_of[$1]} limit=$((SECONDS + 10))

    kill -TERM "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        if [ $SECONDS -gt $limit ]; then
            echo "$1 does not end on SIGTERM"
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.02
    done
    wait "$pid" 2>/dev/null || true
    unset "pid_of[$1]"
}

start_proxies() {
    local name

    for name in "${proxies[@]}"; do start_proxy "$name" on; done
}

stop_proxies() {
    local name

    for name in "${proxies[@]}"; do stop_proxy "$name"; done
}

load() { # load WORD NAME ARGUMENT...: the load maker against a proxy; its line is in $said
    local word=$1 name=$2
    local -n port_of=$ports
    shift 2
    said=$("${on_load_core[@]}" timeout 60 "$build/reg-tests/tools/load" "$word" \
        "127.0.0.1:${port_of[$name]}" "$@" 2>>"$work/load.log") || give_up "load $word against $name failed"
}

said_value() { sed -nE "s/.*\b$1=([0-9.]+).*/\1/p" <<<"$said"; }

### figures

# Nanoseconds of CPU time that NAME has had, once it has come to rest (closing a spool takes time, too).
cpu_ns() {
    local pid files sum last=-1 i

    for ((i = 0; i < 40; i++)); do
        files=()
        for pid in $(processes_of "$1"); do files+=(/proc/"$pid"/task/*/schedstat); done
        sum=$(awk '{ sum += $1 } END { printf "%.0f", sum }' "${files[@]}")
        if [ "$sum" = "$last" ]; then break; fi
        last=$sum
        sleep 0.05
    done
    echo "$sum"
}

# The highest peak of resident memory among the processes of NAME, in MiB.
peak_mib() {
    local pid files=()

    for pid in $(processes_of "$1"); do files+=("/proc/$pid/status"); done
    awk '$1 == "VmHWM:" && $2 > most { most = $2 } END { printf "%.3f", most / 1024 }' "${files[@]}"
}

# Sum of the proportional memory of the processes of NAME, in KiB.
pss_kb() {
    local pid files=()

    for pid in $(processes_of "$1"); do files+=("/proc/$pid/smaps_rollup"); done
    awk '$1 == "Pss:" { sum += $2 } END { print sum + 0 }' "${files[@]}"
}

figure() { # figure ROW NAME ROUND VALUE
    echo "$1 $2 $3 $4" >>"$figures"
}

divide() { awk -v a="$1" -v b="$2" -v places="${3:-3}" 'BEGIN { printf "%.*f", places, a / b }'; }

# Print one row of the table: median of each proxy, median of the rounds' ratios, goal.
print_row() { # print_row ROW TITLE PLACES GOAL
    awk -v row="$1" -v title="$2" -v places="$3" -v goal="$4" '
        function median(list, n,    i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
                    t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
                }
            return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
        }
        $1 == row { value[$2, $3] = $4; if ($3 > rounds) rounds = $3 }
        END {
            for (i = 1; i <= rounds; i++) {
                if (("holdfast", i) in value) ours[++n_ours] = value["holdfast", i]
                if (("nginx", i) in value) theirs[++n_theirs] = value["nginx", i]
                if (("holdfast", i) in value && value["nginx", i] > 0)
                    ratios[++n_ratios] = value["holdfast", i] / value["nginx", i]
            }
            if (!n_ours && !n_theirs)
                exit
            printf "%-44s", title
            printf n_ours ? " %11." places "f" : " %11s", n_ours ? median(ours, n_ours) : "-"
            printf n_theirs ? " %11." places "f" : " %11s", n_theirs ? median(theirs, n_theirs) : "-"
            printf n_ratios ? " %7.2f" : " %7s", n_ratios ? median(ratios, n_ratios) : "-"
            printf "   %s\n", goal
        }' "$figures"
}

### the rows

# Memory that this machine has not used for a while is slow at first touch: use as much as a spool needs.
warm_memory() {
    head -c $((upload_bytes * 2)) /dev/zero >"$work/warm"
    rm "$work/warm"
}

measure_upload() { # measure_upload NAME ROUND
    local before after

    before=$(cpu_ns "$1")
    load put "$1" "$upload_bytes"
    after=$(cpu_ns "$1")
    if [ "$2" -gt 0 ]; then
        figure upload-cpu "$1" "$2" "$(awk -v ns=$((after - before)) -v bytes="$upload_bytes" \
            'BEGIN { printf "%.4f", ns / 1e9 / (bytes / 1073741824) }')"
        figure upload-wall "$1" "$2" "$(said_value seconds)"
    fi
}

bench_upload() {
    local round name

    warm_memory
    start_proxies
    for ((round = 0; round <= upload_rounds; round++)); do # round 0 warms up
        for name in "${proxies[@]}"; do measure_upload "$name" "$round"; done
    done
    for name in "${proxies[@]}"; do
        figure upload-rss "$name" 1 "$(peak_mib "$name")"
    done
    stop_proxies
    print_row upload-cpu "held upload of $((upload_bytes / 1000000)) MB: CPU s per GiB" 3 "at most nginx's"
    print_row upload-wall "  wall time, s" 3 "no longer than nginx's"
    print_row upload-rss "  peak RSS, MiB" 1 "under 8"
}

measure_get() { # measure_get NAME ROUND ROW
    local before after

    before=$(cpu_ns "$1")
    load get "$1" $connections $get_requests
    after=$(cpu_ns "$1")
    if [ "$2" -gt 0 ]; then
        figure "$3-cpu" "$1" "$2" "$(divide $((after - before)) $((get_requests * 1000)))"
        figure "$3-rate" "$1" "$2" "$(said_value per_second)"
        figure "$3-reconnects" "$1" "$2" "$(said_value reconnects)"
    fi
}

# System calls of one fixed run, by strace.
measure_calls() { # measure_calls NAME ROW
    local pids="" pid strace_pid limit=$((SECONDS + 10))

    for pid in $(processes_of "$1"); do pids+=" -p $pid"; done
    # shellcheck disable=SC2086 # words
    strace -c -U calls,name -f -o "$work/strace-$1.log" $pids 2>"$work/strace-$1.err" &
    strace_pid=$!
    until grep -q attached "$work/strace-$1.err"; do
        if ! kill -0 $strace_pid 2>/dev/null || [ $SECONDS -gt $limit ]; then
            echo "strace cannot attach to $1: no system calls"
            return
        fi
        sleep 0.02
    done
    load get "$1" $connections $traced_requests
    kill -INT $strace_pid
    wait $strace_pid 2>/dev/null || true
    figure "$2-calls" "$1" 1 "$(awk -v n=$traced_requests '$2 == "total" { printf "%.3f", $1 / n }' \
        "$work/strace-$1.log")"
}

bench_get() {
    local round name

    start_proxies
    for ((round = 0; round <= get_rounds; round++)); do
        for name in "${proxies[@]}"; do measure_get "$name" "$round" get; done
    done
    if command -v strace >/dev/null; then
        for name in "${proxies[@]}"; do measure_calls "$name" get; done
    else
        echo "strace is not installed: no system calls"
    fi
    stop_proxies
    print_row get-cpu "small keep-alive GET, 64 connections: CPU us" 2 ""
    print_row get-rate "  requests per second" 0 ""
    print_row get-calls "  system calls per request" 2 "4.2"
    if awk '$1 == "get-reconnects" && $4 > 0 { found = 1 } END { exit !found }' "$figures"; then
        print_row get-reconnects "  connections closed between requests" 0 "0"
    fi
}

measure_download() { # measure_download NAME ROUND
    local before after

    before=$(cpu_ns "$1")
    load down "$1" /large $file_downloads
    after=$(cpu_ns "$1")
    if [ "$2" -gt 0 ]; then
        figure file-cpu "$1" "$2" "$(divide $((after - before)) $((file_downloads * 1000000)))"
        figure file-wall "$1" "$2" "$(awk -v s="$(said_value seconds)" -v n=$file_downloads 'BEGIN { printf "%.3f", s * 1000 / n }')"
    fi
}

# Static files: one that leaves with its head, and one for sendfile.
bench_files() {
    local round name

    mkdir -p "$work/files"
    head -c 128 /dev/zero >"$work/files/small"
    head -c $file_bytes /dev/zero >"$work/files/large"
    ports=static_port
    start_proxies
    for ((round = 0; round <= get_rounds; round++)); do
        for name in "${proxies[@]}"; do
            measure_get "$name" "$round" static
            measure_download "$name" "$round"
        done
    done
    if command -v strace >/dev/null; then
        for name in "${proxies[@]}"; do measure_calls "$name" static; done
    fi
    stop_proxies
    ports=port
    print_row static-cpu "static file of 128 bytes: CPU us" 2 ""
    print_row static-rate "  requests per second" 0 ""
    print_row static-calls "  system calls per request" 2 "6.2"
    print_row file-cpu "static file of $((file_bytes / 1000000)) MB: CPU ms" 2 ""
    print_row file-wall "  wall time, ms" 2 ""
}

# Instructions in user space of a whole run with N requests, by callgrind.
instructions() { # instructions NAME REQUESTS
    local out=$work/callgrind-$1-$2

    start_proxy "$1" off valgrind --tool=callgrind --callgrind-out-file="$out"
    load get "$1" $connections "$2"
    stop_proxy "$1"
    total=$(awk '$1 == "totals:" { print $2 }' "$out")
}

bench_instructions() {
    local name once

    if ! command -v valgrind >/dev/null; then
        echo "valgrind is not installed: no instructions"
        return
    fi
    for name in "${proxies[@]}"; do
        instructions "$name" $counted_requests
        once=$total
        instructions "$name" $((2 * counted_requests))
        if [ -n "$once" ] && [ -n "$total" ]; then
            figure get-instructions "$name" 1 "$(divide $((total - once)) $counted_requests 0)"
        else
            echo "callgrind has left no total for $name"
        fi
    done
    print_row get-instructions "  user instructions per request" 0 "12,000 (goal 8,500)"
}

measure_idle() { # measure_idle NAME ROUND
    local before after ready limit=$((SECONDS + 60))

    start_proxy "$1" on
    load get "$1" $connections 2000
    before=$(pss_kb "$1")
    mkfifo "$work/hold-open"
    : >"$work/idle.out"
    "${on_load_core[@]}" "$build/reg-tests/tools/load" idle "127.0.0.1:${port[$1]}" $idle_connections \
        <"$work/hold-open" >"$work/idle.out" 2>>"$work/load.log" &
    pid_of[idle]=$!
    exec {ready}>"$work/hold-open"
    until grep -q '^idle=' "$work/idle.out"; do
        if ! kill -0 "${pid_of[idle]}" 2>/dev/null || [ $SECONDS -gt $limit ]; then
            give_up "load idle against $1 failed"
        fi
        sleep 0.05
    done
    after=$(pss_kb "$1")
    exec {ready}>&-
    wait "${pid_of[idle]}"
    unset "pid_of[idle]"
    rm "$work/hold-open"
    stop_proxy "$1"
    figure idle "$1" "$2" "$(divide $(((after - before) * 1024)) $idle_connections 0)"
}

bench_idle() {
    local round name

    for ((round = 1; round <= idle_rounds; round++)); do
        for name in "${proxies[@]}"; do measure_idle "$name" "$round"; done
    done
    print_row idle "idle keep-alive connection, bytes (PSS)" 0 "at most 800"
}

# CPU time that a check of the configuration takes, in milliseconds.
load_ms() { # load_ms NAME
    local times

    if [ "$1" = holdfast ]; then
        times=$(TIMEFORMAT='%U %S'; { time "${on_proxy_core[@]}" "$build/holdfast" -c -q -f "$work/holdfast.cfg" \
            >/dev/null 2>&1; } 2>&1)
    else
        times=$(TIMEFORMAT='%U %S'; { time "${on_proxy_core[@]}" nginx -t -q -c "$work/nginx.conf" \
            >/dev/null 2>&1; } 2>&1)
    fi
    awk '{ printf "%.1f", ($1 + $2) * 1000 }' <<<"$times"
}

measure_routes() { # measure_routes NAME ROUND
    local before after

    start_proxy "$1" on
    figure "routes-load-$n_routes" "$1" "$2" "$(load_ms "$1")"
    figure "routes-memory-$n_routes" "$1" "$2" "$(divide "$(pss_kb "$1")" 1024)"
    load get "$1" $connections $((get_requests / 4))
    before=$(cpu_ns "$1")
    load get "$1" $connections $get_requests
    after=$(cpu_ns "$1")
    figure "routes-cpu-$n_routes" "$1" "$2" "$(divide $((after - before)) $((get_requests * 1000)))"
    figure "routes-rate-$n_routes" "$1" "$2" "$(said_value per_second)"
    stop_proxy "$1"
}

# What many routes (nginx: servers), of which the last takes the request, cost beside one.
bench_routes() {
    local round name

    for n_routes in 1 100 10000; do
        for ((round = 1; round <= routes_rounds; round++)); do
            for name in "${proxies[@]}"; do measure_routes "$name" "$round"; done
        done
        print_row "routes-load-$n_routes" "$n_routes routes by host: loading, CPU ms" 1 ""
        print_row "routes-memory-$n_routes" "  memory once started, MiB (PSS)" 1 ""
        print_row "routes-cpu-$n_routes" "  small keep-alive GET: CPU us" 2 "as with 1 route"
        print_row "routes-rate-$n_routes" "  requests per second" 0 ""
    done
    n_routes=0
}

: >"$figures"
printf 'holdfast %s, %s; %s, %s cores, congestion control %s\n' \
    "$(cat VERSION)" "$(nginx -v 2>&1 | sed 's/.*: //' || echo 'no nginx')" \
    "$(uname -sr)" "$(nproc)" "$(cat $congestion)"
printf '\n%-44s %11s %11s %7s   %s\n' "" holdfast nginx ratio "must hold"
start_sink
for part in ${BENCH_ONLY:-upload get files instructions idle routes}; do
    "bench_$part"
done
printf '\nratio: median of the rounds, holdfast / nginx. %d s in all.\n' $SECONDS

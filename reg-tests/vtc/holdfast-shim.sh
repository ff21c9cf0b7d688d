#!/bin/sh
#
# holdfast-shim.sh - what varnishtest runs as "haproxy".
#
# varnishtest puts three lines in haproxy's language in front of each configuration: `global` and two of
# `stats socket`. They are taken out of the file that -f names (in place, so that a reload reads the same
# text), and $HOLDFAST_BINARY is run with the same arguments and descriptors, but for -d: it would send the
# error log to standard error, and scenarios wait for its lines at a syslog. POSIX shell: dash starts in a
# millisecond and keeps no descriptor of its own over exec.
#
# A test that takes too long is killed with SIGKILL; pdeathsig takes its proxy along, which would live on,
# since it takes the hang-up of its terminal for a reload.

set -eu

previous=
for argument in "$@"; do
    shift
    [ "$argument" = -d ] || set -- "$@" "$argument"
    if [ "$previous" = -f ] && [ -f "$argument" ]; then
        { read -r first && read -r second; } <"$argument" || :
        case "${first-}/${second-}" in
            "global/stats socket "*) sed -i 1,3d "$argument" ;;
        esac
    fi
    previous=$argument
done

exec setpriv --pdeathsig KILL "$HOLDFAST_BINARY" "$@"

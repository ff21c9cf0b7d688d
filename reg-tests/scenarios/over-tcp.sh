#!/bin/bash
#
# Reloads and deaths under load with clients that come over TCP, where a connection can be refused, reset or left in a queue
# in ways that a socket file does not have: the same scenarios, and nothing may be lost here either.

set -euo pipefail

export TEST_TCP=1
names=(reload-load worker-killed)
if [ -n "${TEST_LONG-}" ]; then names+=(reload-stays); fi
for name in "${names[@]}"; do
    status=0
    "$(dirname "$0")/$name.sh" "$1" || status=$?
    [ $status = 0 ] || [ $status = 77 ] || exit $status
done

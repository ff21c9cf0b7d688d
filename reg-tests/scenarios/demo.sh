#!/bin/bash
#
# `make demo` holds what it says, here with a smaller file and a shorter outage.

set -euo pipefail

# A torture build, which reads and writes a few bytes at a time, does some 2 MB/s.
megabytes=60 rate=30
if [[ $1 == */torture ]]; then megabytes=3 rate=1; fi

DEMO_MEGABYTES=$megabytes DEMO_RATE=$rate DEMO_OUTAGE=1 TMPDIR=/var/tmp \
    exec "$(dirname "$0")/../../examples/upload-demo/demo.sh" "$1"

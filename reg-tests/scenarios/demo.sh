#!/bin/bash
#
# `make demo` holds what it says, here with a smaller file and a shorter outage.

set -euo pipefail

DEMO_MEGABYTES=60 DEMO_RATE=30 DEMO_OUTAGE=1 TMPDIR=/var/tmp \
    exec "$(dirname "$0")/../../examples/upload-demo/demo.sh" "$1"

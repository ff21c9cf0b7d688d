#!/bin/bash
# doc/states.md is what `make doc/states.md` makes of the table of states.
exec "$(dirname "$0")/../states.sh" --check

#!/bin/bash
#
# `make install`: with DESTDIR and PREFIX everything lies where it belongs, and what is installed works.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make -s -C "$root" install DESTDIR="$work/root" PREFIX=/opt/holdfast BINARY="$build/holdfast" >/dev/null
is_there() { [ -f "$work/root$1" ] || fail "$1 is not installed"; }
is_there /opt/holdfast/sbin/holdfast
is_there /opt/holdfast/lib/systemd/system/holdfast.service
is_there /opt/holdfast/lib/systemd/system/holdfast.socket
is_there /opt/holdfast/lib/tmpfiles.d/holdfast.conf
is_there /opt/holdfast/lib/sysusers.d/holdfast.conf
is_there /etc/holdfast/holdfast.cfg
for page in "$root"/doc/*.[1-9]; do
    [ -e "$page" ] || continue
    is_there "/opt/holdfast/share/man/man${page##*.}/${page##*/}"
done
grep -q '^ExecStart=/opt/holdfast/sbin/holdfast -f /etc/holdfast/holdfast.cfg' \
    "$work/root/opt/holdfast/lib/systemd/system/holdfast.service" || fail "the unit runs another program"
if grep -q /usr/sbin "$work/root/opt/holdfast/lib/systemd/system/holdfast.service"; then fail "the unit names /usr/sbin"; fi
"$work/root/opt/holdfast/sbin/holdfast" -c -q -f "$work/root/etc/holdfast/holdfast.cfg"

# A configuration that is there is the operator's.
echo "# mine" >"$work/root/etc/holdfast/holdfast.cfg"
make -s -C "$root" install DESTDIR="$work/root" PREFIX=/opt/holdfast BINARY="$build/holdfast" >/dev/null
expect "# mine" "$(cat "$work/root/etc/holdfast/holdfast.cfg")" "the configuration after a second install"

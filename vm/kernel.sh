#!/bin/bash
# Get the named kernel into the cache, and print the directory that holds it (which
# does not change even if another checkout gets a newer kernel of that name):
#   image    what boots (vmlinuz, vmlinux, or the UML executable)
#   build    what a module is built against: make -C .../build M=...
#   config   the kernel's configuration
#   release  its version string
#   arch     its machine, a name of kernels/arch.conf, or um
# Usage: vm/kernel.sh NAME      names: see kernels.conf
# UPDATE=1 looks for a newer kernel; otherwise an existing one is kept.

# shellcheck source=vm/arch.sh
. "$(dirname "${BASH_SOURCE[0]}")/arch.sh"

name=${1:?usage: vm/kernel.sh NAME}
line=$(awk -v n="$name" '$1 == n' "$root/vm/kernels.conf")
if [ -z "$line" ]; then
	die "no kernel '$name'; there are:" \
	    "$(awk '/^[^#]/ { printf "%s ", $1 }' "$root/vm/kernels.conf")"
fi
read -r _ how pattern arch fragments <<<"$line"

place=$cache/kernel/$name
here()
{
	[ -e "$place/release" ] || return 1
	[ "$how" = stock ] || [ "$(cat "$place/key")" = "$(source_key)" ]
}

# shellcheck source=vm/kernel-stock.sh
[ "$how" != stock ] || . "$root/vm/kernel-stock.sh"
# shellcheck source=vm/kernel-source.sh
[ "$how" != source ] || . "$root/vm/kernel-source.sh"

if [ "${UPDATE:-0}" != 1 ] && here; then
	readlink -f "$place"
	exit 0
fi
lock "kernel-$name"
# Another run may have fetched it while this one waited for the lock.
if [ "${UPDATE:-0}" = 1 ] || ! here; then
	mkdir -p "$cache/kernel"
	"get_$how" >&2
fi
readlink -f "$place"

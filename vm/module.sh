#!/bin/bash
# Build the project's modules against a kernel; print the directory they are in.
# Usage: vm/module.sh KERNEL [VARIANT]
#   VARIANT: faults, with the module's own fault injection (fail_nth); two clients only
# Kbuild leaves its products beside the sources, so each kernel gets a mirror of
# the sources in the cache. KFLAGS adds words to the make command (W=1, C=2).
# GCOV=1: instrument the modules to count executed lines, on a kernel with GCOV_KERNEL.

# shellcheck source=vm/arch.sh
. "$(dirname "${BASH_SOURCE[0]}")/arch.sh"

name=${1:?usage: vm/module.sh KERNEL [VARIANT]}
variant=${2:-}
flags=${KFLAGS:-}
case $variant in
'')	;;
faults)	flags+=" MYALLOC_FAULT_INJECTION=y MYALLOC_PACKAGED=y" ;;
*)	die "vm/module.sh: no variant '$variant' (faults)" ;;
esac
"$root/vm/setup.sh" module
kernel=$("$root/vm/kernel.sh" "$name")
tree=$(readlink -f "$kernel")
arch=$(cat "$kernel/arch")
use_arch "$arch"
[ -z "$arch_cross" ] || flags+=" CROSS_COMPILE=$arch_cross $arch_make"
mirror=$products/module/$name${variant:+-$variant}
if [ "${GCOV:-0}" = 1 ]; then
	flags+=" MYALLOC_GCOV=y"
	mirror+=-gcov
fi
mkdir -p "$mirror/src"
lock "module-$(basename "$products")-$(basename "$mirror")"

# Objects of another kernel release are useless.
if [ "$(cat "$mirror/kernel" 2>/dev/null)" != "$tree" ]; then
	rm -rf "$mirror/src" "$mirror/key"
	mkdir -p "$mirror/src"
	echo "$tree" >"$mirror/kernel"
fi

# A changed file gets the current time, not that of the original: an object that was built
# from the previous content must not look newer than its source.
# 'P' protects the products of the last build, which have no counterpart to copy.
rsync -rlpc --delete \
	--filter='P *.o' --filter='P *.ko' --filter='P *.mod' --filter='P *.mod.c' \
	--filter='P .*.cmd' --filter='P *.a' --filter='P *.symvers' \
	--filter='P modules.order' --filter='P *.gcno' \
	--exclude='/lib/tests/' --exclude='/lib/fuzz/' --exclude='/lib/bench/' \
	--exclude='/lib/host_malloc/' \
	"$root/Kbuild" "$root/lib" "$root/mod" "$root/kunit" "$mirror/src/"

# If everything is up to date, print nothing else.
key=$(find "$mirror/src" -type f ! -name '*.o' ! -name '*.ko' ! -name '*.mod' \
	! -name '*.mod.c' ! -name '.*.cmd' ! -name '*.symvers' \
	! -name modules.order ! -name '*.gcno' -print0 | sort -z |
	xargs -0 sha256sum | { cat; echo "$flags"; } | sha256sum)
if [ "$(cat "$mirror/key" 2>/dev/null)" = "$key" ]; then
	echo "$mirror/src"
	exit 0
fi
rm -f "$mirror/key"

# Guests need no debug information, with which myalloc.ko would have 21 MB instead of 1.4.
build_module()
{
	# shellcheck disable=SC2086 # words
	make -C "$kernel/build" M="$mirror/src" ARCH="$arch_kbuild" -j"$(nproc)" \
		KCFLAGS=-g0 $flags modules 2>&1 |
		sed -e "s|$mirror/src/||g" -e "s|$tree/root/usr/src/||g"
}

step "building the modules for the kernel '$name'${variant:+ ($variant)}" "1 to 5 min" build_module
[ -e "$mirror/src/myalloc.ko" ] || die "the build did not produce myalloc.ko"
echo "$key" >"$mirror/key"
echo "$mirror/src"

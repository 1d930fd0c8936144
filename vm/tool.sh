#!/bin/bash
# Build the userspace tool, and the tests of the device that run in a guest: static,
# so that they run in a guest that has only busybox.
# Usage: vm/tool.sh [tests] [KERNEL]     results in the cache: tool/myallocctl, tool/guest/*; for a
# kernel of another machine (kernels/arch.conf): tool-DEBIAN/...

# shellcheck source=vm/arch.sh
. "$(dirname "${BASH_SOURCE[0]}")/arch.sh"

arch=x86_64 tests=''
for word; do
	case $word in
	tests)	tests=1 ;;
	*)	arch=$(arch_of "$word") ;;
	esac
done
use_arch "$arch"
to=$products/tool$(foreign_name)
"$root/vm/setup.sh" tool
mkdir -p "$to"
lock "tool-$(basename "$products")"
targets=(all) words=(O="$to")
if [ -n "$arch_cross" ]; then
	# The pages are made by programs that would have to run here.
	targets=("$to/myallocctl")
	cc=$(foreign_cc)
	words+=(CC="$cc")
fi
[ -z "$tests" ] || targets+=(guest-tests)
# make quickly finds that everything is up to date; print only if it is not.
build() { make -C "$root/userspace-tool" -j"$(nproc)" "${words[@]}" "$@"; }
if ! build -q "${targets[@]}" >/dev/null 2>&1; then
	step "building the tool" "10 to 60 s" build "${targets[@]}"
fi
[ -x "$to/myallocctl" ] || die "the build did not produce myallocctl"

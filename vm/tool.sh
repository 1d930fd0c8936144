#!/bin/bash
# Build the userspace tool, and the tests of the device that run in a guest: static,
# so that they run in a guest that has only busybox.
# Usage: vm/tool.sh [tests]     results in the cache: tool/myallocctl, tool/guest/*

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$root/vm/setup.sh" tool
mkdir -p "$products/tool"
lock "tool-$(basename "$products")"
targets=(all)
[ "${1:-}" != tests ] || targets+=(guest-tests)
# make quickly finds that everything is up to date; print only if it is not.
build() { make -C "$root/userspace-tool" -j"$(nproc)" O="$products/tool" "$@"; }
if ! build -q "${targets[@]}" >/dev/null 2>&1; then
	step "building the tool" "5 to 20 s" build "${targets[@]}"
fi
[ -x "$products/tool/myallocctl" ] || die "the build did not produce myallocctl"

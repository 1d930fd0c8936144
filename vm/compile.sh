#!/bin/bash
# Compile and link every configuration, and run nothing: the modules for each kernel of the matrix,
# the native tests for each page size, the library, the fuzzers, the tool and its tests. It finds
# within minutes errors that the last leg of the matrix would find otherwise. The last line says how
# many were built and how many were not. A kernel that is built from source or for another machine,
# and is not in the cache, is skipped: to get it takes many minutes, or compilers and emulators,
# which 'make matrix' or 'make kunit' install.
# Usage: vm/compile.sh

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

began=$SECONDS
built=0 failed=0 skipped=0
out=$products/compile

# compile NAME COMMAND...: one configuration.
compile()
{
	if "${@:2}" >/dev/null; then
		built=$((built + 1))
	else
		failed=$((failed + 1))
		say "FAILED: $1"
	fi
}

# native NAME FOLDER WORD...: make there, in a directory of its own.
native()
{
	compile "$1" step "$1" "5 to 30 s" \
		make -C "$root/$2" -j"$(nproc)" O="$out/${1//[^a-z0-9A-Z]/-}" "${@:3}"
}

# in_cache KERNEL: modules can be built for it without building the kernel.
in_cache()
{
	awk -v n="$1" '$1 == n { exit $2 != "stock" || $4 != "x86_64" }' "$root/vm/kernels.conf" ||
		[ -e "$cache/kernel/$1/release" ]
}

"$root/vm/setup.sh" native tool module
native "native suites" lib/tests SAN= build
native "native suites, pages of 16 KiB" lib/tests SAN= PAGE_SHIFT=14 build
native "native suites, pages of 64 KiB" lib/tests SAN= PAGE_SHIFT=16 build
native "the library for LD_PRELOAD" lib/host_malloc build
native "the fuzzers' inputs" lib/fuzz build
native "the tool, its pages and its tests" userspace-tool all tests guest-tests
while read -r kernel _ <&3; do
	if in_cache "$kernel"; then
		compile "modules for $kernel" "$root/vm/module.sh" "$kernel"
	else
		skipped=$((skipped + 1))
		say "    skipped: the modules for $kernel, which is not in the cache"
	fi
done 3< <(grep -E '^[^# ]' "$root/vm/kernels.conf")
compile "modules with fault injection" "$root/vm/module.sh" "${KERNEL:-6.12}" faults
say "the whole took $((SECONDS - began)) s"
printf '%d passed, %d failed, %d skipped\n' $built $failed $skipped
[ $failed = 0 ]

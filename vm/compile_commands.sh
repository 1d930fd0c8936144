#!/bin/bash
# Write compile_commands.json for editors and clangd: how kbuild compiles the modules for
# $KERNEL (6.12), and how the native tests and the tool are compiled. Builds the modules first.
# Usage: vm/compile_commands.sh

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

name=${KERNEL:-6.12}
"$root/vm/setup.sh" native tool
kernel=$("$root/vm/kernel.sh" "$name")
mirror=$("$root/vm/module.sh" "$name")
{
	make -C "$root/lib/tests" -wBn O="$products/check/lib" build
	make -C "$root/userspace-tool" -wBn O="$products/tool" all guest-tests
} 2>/dev/null | "$root/vm/compile_commands.py" "$root/compile_commands.json" "$root" "$mirror" \
	"$(readlink -f "$kernel/build")"

#!/bin/bash
# Delete everything built from this checkout. Kernels stay in the cache, as any checkout can use
# them.
# Usage: vm/clean.sh

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rm -rf "$products"
say "deleted $products; kernels stay in $cache ($(du -sh "$cache" | cut -f1))"

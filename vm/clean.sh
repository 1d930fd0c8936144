#!/bin/bash
# Delete what was built from this checkout. Kernels, which any checkout can use,
# stay in the cache.
# Usage: vm/clean.sh

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rm -rf "$products"
say "deleted $products; kernels stay in $cache ($(du -sh "$cache" | cut -f1))"

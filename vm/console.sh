#!/bin/bash
# A second terminal in the guest that 'make vm-shell' has started from this checkout.
# Usage: vm/console.sh

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

exec "$root/vm/console.py" "${SHELL_LINK:-$products/shell}/terminal"

#!/bin/bash
# Print the size of myalloc.ko for the stock kernel 6.12: the text section by 'size', and the
# machine code of each room.
# Usage: vm/size.sh

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

src=$("$root/vm/module.sh" 6.12)

# code FILES: bytes of machine code in them
code()
{
	size -A "$@" | awk '/^\.((init|exit)\.)?text/ { sum += $2 } END { print sum + 0 }'
}

echo "$(size "$src/myalloc.ko" | awk 'NR == 2 { print $1 }') bytes of text, of which code:"
# The rooms are the directories of the objects.
mapfile -t rooms < <(sed -nE 's,^.*/((lib|mod)(/[a-z_]+)*)/[a-z_0-9]*\.o$,\1,p' "$src/myalloc.mod" |
	sort -u)
for room in "${rooms[@]}"; do
	mapfile -t objects < <(sed -n "s|^\(.*/$room/[a-z_0-9]*\.o\)\$|\1|p" "$src/myalloc.mod")
	printf '%8d %s\n' "$(code "${objects[@]}")" "$room"
done
printf '%8d all\n' "$(code "$src/myalloc.ko")"

#!/bin/sh
# The tool's folders in order: a file includes and calls only those of its own folder or one
# below it, and no files need each other in a circle. Looks at the sources and the objects.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

src=$(dirname "$0")/..

# Lowest first. main.c is above all of them, the headers of uapi are below.
rooms="host dev out cmd obj"

symbols()
{
	(cd "$build/obj" && for room in $rooms; do nm -A "$room"/*.o; done; nm -A main.o)
}

# Both: a line for each pair of files of which the first needs the second.
# shellcheck disable=SC2317
includes()
{
	(cd "$src" && for room in $rooms; do grep -H '^#include "' "$room"/*.[ch]; done
		grep -H '^#include "' main.c) |
		sed -n 's|^\([^:]*\):#include "\([a-z]*/[^"]*\)"$|\1 \2|p'
}

# shellcheck disable=SC2317
calls()
{
	symbols | awk '
	{ file = $1; sub(/:.*/, "", file); kind = $(NF - 1) }
	kind == "U" { used[file " " $NF] = 1 }
	kind ~ /[TDRBC]/ { where[$NF] = file }
	END {
		for (use in used) {
			split(use, u, " ")
			if (u[2] in where)
				print u[1], where[u[2]]
		}
	}'
}

# arrows_up FILE: the pairs of which the second file's folder is above the first one's
arrows_up()
{
	awk -v rooms="$rooms" '
	function rank(file) {
		sub(/\/.*/, "", file)
		return file ~ /^main/ ? nr + 1 : at[file]
	}
	BEGIN { nr = split(rooms, room, " "); for (i = 1; i <= nr; i++) at[room[i]] = i }
	!rank($2) || rank($1) < rank($2) { printf "%s needs %s; ", $1, $2 }' "$1"
}

for kind in includes calls; do
	begin "$kind run down only"
	$kind >"$tmp/pairs"
	[ "$(wc -l <"$tmp/pairs")" -ge 50 ] || fail "only $(wc -l <"$tmp/pairs") pairs were found"
	up=$(arrows_up "$tmp/pairs")
	[ -z "$up" ] || fail "$up"

	begin "$kind form no circle"
	tsort "$tmp/pairs" >/dev/null 2>"$tmp/circles" ||
		fail "$(sed 's/^tsort: //' "$tmp/circles" | tr '\n' ' ')"
done

# who SYMBOLS: the folders or files that call one of them
who()
{
	symbols | sed -n "s|^\([^:]*\)\.o:.* U \($1\)\$|\1|p" | sort -u | tr '\n' ' '
}

begin "only dev calls the device; host/terminal asks the terminal for its size"
[ "$(who ioctl)" = "dev/dev host/terminal " ] || fail "ioctl is called by $(who ioctl)"

begin "only out prints"
who 'printf\|vprintf\|puts\|putchar\|stdout\|stderr' | tr ' ' '\n' | grep -v '^out/' >"$tmp/who"
[ ! -s "$tmp/who" ] || [ -z "$(tr -d '\n' <"$tmp/who")" ] || fail "so does $(cat "$tmp/who")"

finish

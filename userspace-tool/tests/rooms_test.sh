#!/bin/sh
# What only one of the tool's folders may do. Which of them may use which is in vm/arrows.conf, and
# checked by 'make lint'.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

symbols()
{
	(cd "$build/obj" && for room in host dev out cmd obj; do nm -A "$room"/*.o; done
		nm -A main.o)
}

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

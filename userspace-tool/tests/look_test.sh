#!/bin/sh
# Looking at memory: the picture and its forms, ranges, one place.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
unset COLUMNS

begin "map: letters, a legend and totals"
tool map
exits 0
line out " +0 MiB [-.=cPX0-9]{64}"
line out " +one letter is 16 pages"
line out " +\. free, blocks of order 9 and more"
has_not out "bad memory"
line out "  slab +8 pages, 32 KiB"
line out "  cached +1 page, 4 KiB"
[ "$(grep -c ' [-.=cPX0-9]\{64\}$' "$out")" = 16 ] || fail "not 16 lines of 64 letters"
script "set bad_page 1"
tool map
line out " +X bad memory"
script "set holes 1"
tool map
line out " +o holes: no memory now"
line out "  hole +16384 pages, 64 MiB"
has_not out "moving"

begin "map: it fits the terminal"
for columns in 20 40 80 132 200; do
	COLUMNS=$columns
	export COLUMNS
	tool map
	exits 0
	longest=$(awk 'length > max { max = length } END { print max }' "$out")
	# The legend is as long as its words.
	longest=$(grep ' MiB \| KiB ' "$out" | grep -v pages | awk 'length > max { max = length } END { print max }')
	[ "$longest" -le $columns ] || fail "$longest columns of $columns"
done
unset COLUMNS

begin "map: half blocks"
tool map --blocks
exits 0
has out "▀"
has out "██"
has out " free, blocks of order 9 and more"
[ "$(grep -c '▀' "$out")" = 16 ] || fail "$(grep -c '▀' "$out") lines"
tool map --letters
has_not out "▀"
tool map --letters --blocks
exits 2

begin "map: ranges"
while IFS=: read -r range asked; do
	tool map --range "$range"
	exits 0
	logged "ASKED $asked"
done <<END
0-15:first=0 pages=1 count=16
4+4:first=4 pages=1 count=4
0x10+0x10:first=16 pages=1 count=16
32M-48M:first=8192 pages=4 count=1024
32M+4M:first=8192 pages=1 count=1024
16000+1000000:first=16000 pages=1 count=384
END
for range in "" 7 7- -7 9-3 16384+1 4+0 5K+1 x-y 1M-1M; do
	tool map --range "$range"
	exits 2
	has err "--range '$range'"
done
tool map --range 3-20
line out " +0|.* KiB c(PPPP)33339999-----"
line out " +4 +4 +pages .* +serve\+0x10/0x20 \[web\]"
line out " +8 +1 +slab +requests, 5 of 21 *"
tool map --range 5-6
line out "  what +pages"
line out "    by +serve\+0x10/0x20 \[web\]"
line out "      alloc\+0x1/0x2 \[web\]"

begin "map: JSON and the page for a browser"
tool -j map --range 0-15
exits 0
documents 1
json /result/kinds/slab 8
json /result/cells/3/cached 1
json /result/cells/8/filled_permille 250
json /result/cells/15/filled_permille 1000
json /result/cells/0/largest_free_order 0
json /result/blocks/1/first_page 1
tool -o "$tmp/map.html" map
exits 0
grep -q '^<!DOCTYPE html>' "$tmp/map.html" || fail "no page"
! grep -q 'src=\|href=\|https\?:' "$tmp/map.html" || fail "it needs more than itself"
wrong=$(/usr/bin/python3 "$(dirname "$0")/page.py" "$tmp/map.html") || fail "$wrong"
sed -n '/^const map = /{s///;s/;$//p}' "$tmp/map.html" >"$tmp/page.json"
for pair in /page_bytes:4096 /cell_pages:1 /cells/4/pages/pages:1 /cells/4/shade:8; do
	got=$("$JSONQ" "$tmp/page.json" "${pair%:*}" 2>&1)
	[ "$got" = "${pair##*:}" ] || fail "${pair%:*} of the page is $got"
done
tool -o "$tmp/map.json" map
[ "$("$JSONQ" "$tmp/map.json" /kind)" = map ] || fail "no JSON is kept"

begin "whatis: pages, slots, addresses and handles"
tool whatis page:5
exits 0
logged "ASKED how=0 key=5 pid=0 slot=4294967295"
line out "what +pages"
line out "pages +4 pages, 16 KiB"
line out "  by +serve\+0x10/0x20 \[web\]"
has out "call stack"
tool whatis page:8.3
logged "ASKED how=0 key=8 pid=0 slot=3"
line out "state of the slot +live"
line out "cache +requests"
line out "Freed last"
line out "  by +finish\+0x8/0x10 \[web\]"
tool whatis 0xffff888012345678
logged "ASKED how=1 key=18446612682375452280 pid=0 slot=4294967295"
line out "bytes from its beginning +16"
has_not out ffff8880
tool whatis addr:0xffff888012345678
logged "ASKED how=1 key=18446612682375452280 pid=0 slot=4294967295"
tool whatis addr:0x60345678
logged "ASKED how=1 key=1614042744 pid=0 slot=4294967295"
line out "bytes from its beginning +16"
tool whatis 0x2
logged "ASKED how=2 key=2 pid=0 slot=4294967295"
line out "held for +holder"
tool -j whatis 99:0x2
logged "ASKED how=2 key=2 pid=99 slot=4294967295"
json /result/process_pid 99
json /result/kind pages
json /result/allocated/stack/1/at "serve+0x10/0x20 [web]"
json /result/freed/by null
script "set untracked 1"
tool whatis page:8.3
exits 0
has err "does not record who allocates"
tool whatis page:8.3
line out "line of a contract +frob.1"
line out "client +frob"
tool -j whatis page:8.3
json /result/contract frob.1
json /result/client frob
script "set contracts 0"
tool -j whatis page:8.3
json /result/contract null
json /result/client null

begin "whatis: what is wrong is said"
while IFS='|' read -r word code text; do
	tool whatis "$word"
	exits "$code"
	has err "$text"
done <<END
page:99999999|1|the zone has pages 0 to 16383
page:5.1|1|no slot 1 there
page:8.21|1|no slot 21 there
0x5|1|no process holds
0x5|1|'addr:0x5' asks about an address
addr:|2|expected a page
addr:x|2|expected a page
addr:1:2|2|expected a page
page:|2|expected a page
page:x|2|expected a page
page:8.|2|expected a page
12:x|2|expected a page
x|2|expected a page
0:5|2|no process has the number 0
END
for pair in "EPERM:needs CAP_SYSLOG" "EINVAL:is not memory of the zone" "ENOTUNIQ:say whose" \
	"EAGAIN:try again" "EIO:Input/output"; do
	script "fail LOOK 1 ${pair%%:*}"
	tool whatis 0xffff888012345678
	exits 1
	has err "${pair#*:}"
done

finish

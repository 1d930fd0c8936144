#!/bin/sh
# top: one frame as text, as JSON, and in a terminal of several sizes and types.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

term=$build/check/term
unset COLUMNS LC_CTYPE LANG
export LC_ALL=C

# The file of debugfs that only the kernel writes.
machine()
{
	export FAKE_ROOT="$tmp/root"
	mkdir -p "$tmp/root/sys/kernel/debug/myalloc"
	cat >"$tmp/root/sys/kernel/debug/myalloc/owners" <<-END
	owners - version: 1.0
	# what              <count> <pages|bytes> <oldest_ms> <caller>
	(pages)                    1          8          - frob_init+0x4f/0x80 [frob]
	(pages)                    2          1          - frob_init+0x4f/0x80 [frob]
	 frob_init+0x4f/0x80 [frob]
	 do_one_initcall+0x4f/0x80
	frob-request             500     288000       1200 handler+0x40/0x90 [frob]
	sessions                   5       5000          - not recorded
	(pages)              and others
	# session of        <pid> <blocks>    <pages>  <objects> <caches>    <run>
	my tool               4711        2        3          4          5       no
	END
}

# screen COLUMNSxROWS WORD...: run top in a terminal; the script is standard input
screen()
{
	size=$1
	shift
	command="top $* in $size"
	rm -f "$log"
	"$term" "$size" "$MYALLOCCTL" top "$@" >"$out" 2>"$err"
	rc=$?
	[ $rc = 0 ] || fail "$(cat "$err")"
}

begin "a frame as text, in 80 columns"
machine
script "set busy 10"
tool top --once -i 50ms
exits 0
empty err
line out "myalloc  .* on .*, [0-9]+ CPUs? +every 0.05 s  ..:..:.."
line out "\[Sc\.{76}\]"
has out "U users 0  S slabs 24.0K  c cached 48.0K  . free 63.9M  largest block 4.00M"
line out "in use, last minute +__ 0.1 % of 64.0M"
line out "13 of 13 by size"
line out "NAME +KIND +\*SIZE +LIVE ALLOC/S HIT %  GROWTH"
line out "handler\+0x40 \[frob\] \(frob-request\) +site +281K +500 +- +- +0"
line out "frob_init\+0x4f \[frob\] \(pages\) +site +36.0K +3 +- +- +0"
line out "requests +cache +16.0K +25 +[1-9][0-9]{0,3} +75.0 +\+4.00K"
line out "packets +ring +64.0K +2 +0 +- +0"
line out "frob +client +160K +3 +- +- +0"
line out "frob\.1 +contract +800K +10 +- +- +0"
line out "urgent +pool +24.0K +9 +0 +- +0"
line out "frame-0 +arena +64.0K +1.00K +0 +- +0"
line out "my tool 4711 +process +12.0K +6 +- +- +0"
has_not out "not recorded"
has_not out "others"
[ "$(awk '{ if (length > most) most = length } END { print most }' "$out")" -le 80 ] ||
	fail "a line is longer than 80"
called STAT 2
called CLOSE 1

begin "a frame in 1000, 200 and 40 columns"
machine
export COLUMNS=1000
tool top --once -i 20ms
exits 0
line out "NAME +KIND .* LAST MINUTE"
export COLUMNS=200 LC_ALL=C.UTF-8
tool top --once -i 20ms
line out "NAME +KIND +\*SIZE +LIVE +ALLOC/S +HIT % +GROWTH +FAILS +ZONE % +ALLOCS +USED % +LAST MINUTE"
line out "requests +cache .* 105 +- +██"
export COLUMNS=40
tool top --once -i 20ms
line out "requests +cache +8.00K +5"
unset COLUMNS
export LC_ALL=C

begin "sorted, filtered, of one kind"
machine
tool top --once -i 20ms --sort name --kind cache
line out "2 of 13, kind cache by name"
[ "$(grep -n '^requests' "$out" | cut -d: -f1)" -lt "$(grep -n '^sessions' "$out" | cut -d: -f1)" ] ||
	fail "not sorted by name"
tool top --once -i 20ms --sort name --reverse
[ "$(grep -n '^requests' "$out" | cut -d: -f1)" -gt "$(grep -n '^sessions' "$out" | cut -d: -f1)" ] ||
	fail "not sorted the other way"
tool top --once -i 20ms --filter '*-0'
line out "1 of 13 by size, filter \*-0"
has out "frame-0"
has_not out "frame-1"
tool top --once -i 20ms --filter frob
line out "5 of 13 by size, filter frob"
for order in size live rate hit growth fails; do
	tool top --once -i 20ms --sort $order
	exits 0
	line out "13 of 13 by $order"
done

begin "a contract: what it has set aside, the share in use, what it refused"
machine
tool -j top --once -i 20ms --kind contract
exits 0
json /result/rows/0/name frob.0
json /result/rows/0/size_bytes 819200
json /result/rows/0/live 10
json /result/rows/0/used_permille 100
json /result/rows/0/allocs null
json /result/rows/0/fails 4
json /result/rows/0/node null
script "set failed_within 3"
tool -j top --once -i 20ms --kind contract
json /result/rows/0/fails 7
tool -j top --once -i 20ms --kind pool
json /result/rows/0/used_permille 35
tool -j top --once -i 20ms --kind client
json /result/rows/0/fails 0
json /result/rows/0/used_permille null

begin "zones of several nodes: rows say the node, the head has all together"
machine
mkdir -p "$tmp/root/sys/kernel/debug/myalloc/node0" "$tmp/root/sys/kernel/debug/myalloc/node2"
sed '/session/,$d; s/frob_init/node0_init/' "$tmp/root/sys/kernel/debug/myalloc/owners" \
	>"$tmp/root/sys/kernel/debug/myalloc/node0/owners"
sed 's/frob_init/node2_init/' "$tmp/root/sys/kernel/debug/myalloc/owners" \
	>"$tmp/root/sys/kernel/debug/myalloc/node2/owners"
script "set nodes 2"
tool top --once -i 20ms
exits 0
line out "in use, last minute .* of 128M"
line out "NAME +KIND +NODE +\*SIZE .*"
line out "node 0 +node +0 +64.0K .*"
line out "node 2 +node +2 +80.0K .*"
line out "web +heap +0 .*"
line out "web +heap +2 .*"
line out "frob\.1 +contract +2 .*"
line out "node0_init\+0x4f \[frob\] \(pages\) +site +0 .*"
line out "node2_init\+0x4f \[frob\] \(pages\) +site +2 .*"
# Each file has the processes; that of the first zone is believed.
has_not out "process"
[ "$(awk '{ if (length > most) most = length } END { print most }' "$out")" -le 80 ] ||
	fail "a line is longer than 80"
logged "NODE_USE"
tool -j top --once -i 20ms --sort name --kind heap
json /result/zone/nr_pages 32768
json /result/zone/page_hits 194
json /result/orders/10/free_blocks 30
json /result/orders/10/unusable_permille 61
json /result/orders/10/extfrag_permille -1000
json /result/rows/0/name web
json /result/rows/0/node 0
json /result/rows/1/node 2
tool -j --node 2 top --once -i 20ms --sort name --kind node
json /result/zone/nr_pages 16384
json /result/rows/0/name "node 2"
json /result/rows/0/node 2
documents 1
script "set nodes 2" "fail NODE_USE 2 ENOTTY"
tool -j top --once -i 20ms
exits 1
called CLOSE 1
script "fail NODE_STAT 1 ENOTTY" "fail NODE_STAT 2 ENOTTY"
tool top --once -i 20ms
exits 0
has_not out "NODE"

begin "wrong words"
tool top --once --sort sice
exits 2
has err "size"
tool top --once --kind cahce
exits 2
has err "cache"
tool top --once --count 3
exits 2
tool top
exits 2
has err "top needs a terminal; use --once or --json"
called OPEN 0
tool top --once --filter 1234567890123456789012345678901234567890123456789012345678901234
exits 2
has err "at most 63 characters"
tool top --once -i 1ms
exits 2

begin "JSON, once and as a stream"
machine
script "set busy 10"
tool -j top --once -i 50ms --sort rate
exits 0
documents 1
json /kind top
json /result/zone/nr_pages 16384
json /result/zone/bad_frees 0
json /result/zone/allocs_per_sec 0
json /result/zone/hit_permille null
json /result/orders/3/order 3
json /result/orders/3/unusable_permille 30
json /result/call_sites true
json /result/rows/0/name requests
json /result/rows/0/kind cache
json /result/rows/0/live 25
json /result/rows/0/hit_permille 750
json /result/rows/0/growth_bytes 4096
script "set misses 1"
tool -j top --once -i 20ms
json /result/zone/hit_permille 0
script "set busy 10"
tool -j top -n 3 -i 10ms
exits 0
documents 3
tool -o "$tmp/kept" top --once -i 10ms
exits 0
has out "13 of 13"
[ "$("$JSONQ" "$tmp/kept" /kind)" = top ] || fail "the file to keep has no result"

begin "debugfs that cannot be read is told"
export FAKE_ROOT="$tmp/nothing"
tool top --once -i 10ms
exits 0
line out "10 of 10 by size; no call sites: debugfs cannot be read"
tool -j top --once -i 10ms
json /result/call_sites false

begin "every call may fail, and nothing stays open"
for call in "STAT 1" "STAT 2" "CACHE_STAT 1" "HEAP_STAT 1" "ARENA_STAT 2" "RING_STAT 1" \
	"POOL_STAT 2" "CLIENT_STAT 1" "CONTRACT_STAT 2" "NODE_STAT 1"; do
	script "fail $call EIO"
	tool -j top --once -i 10ms
	exits 1
	documents 1
	json /ok false
	called CLOSE 1
done
script "signal STAT 2 INT"
tool top --once -i 10ms
exits 0
script "signal STAT 1 INT"
tool -j top -n 5 -i 10s
exits 130
tool top --once -i 10ms --kind heap

for type in vt100 linux xterm-256color; do
	begin "a terminal of 80x24: $type"
	export TERM=$type
	machine
	script "set busy 10"
	screen 80x24 -i 50ms <<-END
	line 0 myalloc
	line 5 13 of 13 by size
	line 6 *SIZE
	line 7 frob.0
	line 8 frob.1
	wait handler+0x40
	line 23 q end
	keys n
	line 5 by name
	line 7 frame-0
	keys n
	line 5 by name, reversed
	line 7 web
	keys k
	line 5 2 of 13, kind cache
	gone frame-0
	keys kkkkkkkkkk
	line 5 13 of 13 by name
	keys /ses
	line 5 filter: ses_
	keys \r
	line 5 1 of 13
	gone frame-0
	keys \e
	line 5 13 of 13
	keys ?
	wait Any key goes back
	wait both are - for contracts
	wait would slow down each allocation
	gone frame-0
	keys x
	wait frame-0
	keys +
	line 0 every 0.1 s
	keys -
	line 0 every 0.05 s
	keys q
	exit 0
	END
	called CLOSE 1
done

begin "it moves through a table that is longer than the screen, and follows the size"
export TERM=linux
machine
screen 80x12 -i 50ms --sort name <<END
line 7 frame-0
line 10 frob.0
keys \e[B
line 7 frame-1
keys \e[4~
line 10 web
line 7 requests
keys \e[B\e[B\e[6~
pause 100
line 7 requests
line 10 web
keys \e[1~
size 200x30
line 19 web
wait LAST MINUTE
line 29 q end
size 50x15
gone LAST MINUTE
line 14 q end
keys q
exit 0
END

begin "it stops, and a signal ends it with the terminal as it was"
machine
for signal in INT TERM HUP; do
	printf '%s\n' "wait frame-0" "signal $signal" "exit 0" >"$tmp/keys"
	screen 80x24 -i 50ms <"$tmp/keys"
	called CLOSE 1
done
printf '%s\n' "wait frame-0" "keys  " "line 0 paused" "pause 200" "keys  " "gone paused" \
	"signal INT" "exit 0" >"$tmp/keys"
screen 80x24 -i 50ms <"$tmp/keys"

begin "a terminal that is not known"
export TERM=no-such-terminal
printf '%s\n' "wait set TERM" "exit 1" >"$tmp/keys"
screen 80x24 <"$tmp/keys"
called CLOSE 1
export TERM=dumb
screen 80x24 <"$tmp/keys"

begin "a reading that fails on the screen is told after it"
export TERM=vt100
script "fail STAT 3 EIO"
printf '%s\n' "wait reading the statistics" "exit 1" >"$tmp/keys"
screen 80x24 -i 20ms <"$tmp/keys"

finish

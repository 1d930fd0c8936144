#!/bin/sh
# -o prom: the text format of Prometheus, with every statistic of the list.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Each line has the form that the format asks for; each metric begins with HELP and TYPE, and its
# values are together.
sound()
{
	awk '
	/^# HELP [a-z_]+ ./ { help = $3; next }
	/^# TYPE [a-z_]+ (gauge|counter)$/ {
		if ($3 != help || seen[$3]++) print "a heading: " $0
		name = $3; type = $4; counts = name ~ /_total$/
		if (counts != (type == "counter")) print "a type: " $0
		next
	}
	/^[a-z_]+(\{[a-z]+="([^"\\]|\\.)*"(,[a-z]+="([^"\\]|\\.)*")*\})? -?[0-9]+(\.[0-9]+)?$/ {
		metric = $0; sub(/[{ ].*/, "", metric)
		if (metric != name) print "without a heading: " $0
		nr++
		next
	}
	{ print "what is this: " $0 }
	END { if (nr < 100) print "few values: " nr }' "$1" >"$tmp/unsound"
	[ ! -s "$tmp/unsound" ] || fail "$(head -5 "$tmp/unsound")"
}

begin "on standard output"
tool stat show -o prom
exits 0
empty err
sound "$out"
[ ! -e prom ] || fail "a file called prom"
line out "myalloc_nr_pages 16384"
line out "myalloc_page_size_bytes 4096"
line out 'myalloc_page_allocs_total\{order="0"\} 100'
line out 'myalloc_unusable_ratio\{order="3"\} 0.03'
line out 'myalloc_extfrag_ratio\{order="3"\} -1'
line out 'myalloc_cache_live_objects\{cache="requests"\} 5'
line out 'myalloc_cache_allocs_total\{cache="sessions"\} 105'
line out 'myalloc_heap_held_bytes\{heap="web"\} 8192'
line out 'myalloc_arena_resets_total\{arena="frame-1"\} 60'
line out 'myalloc_ring_used_bytes\{ring="packets"\} 128'
line out 'myalloc_client_pages\{client="frob"\} 40'
line out 'myalloc_contract_failed_within_total\{contract="frob.1"\} 0'
line out 'myalloc_pool_live_objects\{pool="urgent"\} 9'
cp "$out" "$tmp/first"
tool -o prom stat
cmp -s "$out" "$tmp/first" || fail "in another place it is something else"

begin "zones of several nodes: each value says of which"
script "set nodes 2"
tool stat show -o prom
exits 0
sound "$out"
line out 'myalloc_nr_pages\{node="0"\} 16384'
line out 'myalloc_cached_pages\{node="2"\} 16'
line out 'myalloc_page_allocs_total\{node="2",order="0"\} 100'
line out 'myalloc_cache_live_objects\{cache="requests",node="2"\} 5'
line out 'myalloc_contract_failed_within_total\{contract="frob.1",node="0"\} 0'
! grep -v '^#\|^myalloc_page_size_bytes' "$out" | grep -v 'node="[02]"' >"$tmp/without" ||
	fail "no node: $(head -1 "$tmp/without")"
tool stat show -o prom --node 2
sound "$out"
line out 'myalloc_nr_pages\{node="2"\} 16384'
has_not out 'node="0"'
tool stat show
has err "this is the zone of node 0, one of 2"
tool stat show --node 2
has_not err "one of 2"
script "set nodes 2" "fail NODE_STAT 1 EIO"
tool stat show -o prom
exits 1
script "set nodes 2" "fail NODE_USE 2 EIO"
tool stat show -o prom
exits 1
called CLOSE 1

begin "every statistic is there"
tool -j stat explain
grep -o '"name":"[a-z_]*"' "$out" | cut -d'"' -f4 | sort -u >"$tmp/names"
[ "$(wc -l <"$tmp/names")" -gt 60 ] || fail "few names"
while read -r name; do
	[ "$name" = id ] || grep -qE "^# TYPE myalloc_([a-z]+_)?$name(_total|_ratio)? " "$tmp/first" ||
		fail "no metric for $name"
done <"$tmp/names"

begin "to a file, beside the text for people"
tool stat -o "$tmp/myalloc.prom"
exits 0
has out "Zone"
sound "$tmp/myalloc.prom"
cmp -s "$tmp/myalloc.prom" "$tmp/first" || fail "the file has something else"
[ ! -e "$tmp/myalloc.prom.part" ] || fail "a temporary file is left"
tool -j stat -o "$tmp/myalloc.prom"
documents 1
sound "$tmp/myalloc.prom"

begin "without caches and fronts"
script "set caches 0" "set heaps 0" "set arenas 0" "set rings 0" "set pools 0" "set clients 0" \
	"set contracts 0"
tool stat -o prom
exits 0
has_not out "myalloc_cache_"
has_not out "{heap="

begin "where it has no meaning"
tool info -o prom
exits 2
has err "stat show"
called OPEN 0
tool -j stat -o prom
exits 2
has err "exclude each other"

begin "a reading that fails leaves the old file"
echo old >"$tmp/myalloc.prom"
for call in STAT CACHE_STAT HEAP_STAT ARENA_STAT RING_STAT POOL_STAT CLIENT_STAT CONTRACT_STAT; do
	script "fail $call 1 EIO"
	tool stat -o "$tmp/myalloc.prom"
	exits 1
	empty out
	[ "$(cat "$tmp/myalloc.prom")" = old ] || fail "$call: the file was changed"
done

finish

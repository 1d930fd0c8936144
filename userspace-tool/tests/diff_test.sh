#!/bin/sh
# Owners, snapshots, and what differs between two results.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

owners=$tmp/root/sys/kernel/debug/myalloc/owners
mkdir -p "$(dirname "$owners")"

fill()
{
	cat >"$owners" <<END
owners - version: 1.0
# what              <count> <pages|bytes> <oldest_ms> <caller>
(pages)                    20        320          - session_alloc+0x10/0x20 [myalloc]
 session_alloc+0x10/0x20 [myalloc]
 device_ioctl+0x1/0x2 [myalloc]
 __x64_sys_ioctl+0x3/0x4
requests                   $1        $2      1500 serve+0x10/0x20 [web]
sessions                    5       5000          - not recorded
# session of        <pid> <blocks>    <pages>  <objects> <caches>    <run>
myallocctl              77       20        320          0        0       no
END
}

begin "owners: a table"
export FAKE_ROOT="$tmp/root"
fill 10 1920
tool owners
exits 0
line out "\(pages\) +20 +1\.25 MiB +- +session_alloc\+0x10/0x20 \[myalloc\]"
line out "requests +10 +1\.88 KiB +1\.5 s +serve\+0x10/0x20 \[web\]"
has_not out "77"
tool -j owners
documents 1
json /result/owners/0/bytes 1310720
json /result/owners/0/stack "session_alloc+0x10/0x20 [myalloc];device_ioctl+0x1/0x2 [myalloc];__x64_sys_ioctl+0x3/0x4"
json /result/owners/1/oldest_ms 1500

begin "owners: folded, for flame graphs"
export FAKE_ROOT="$tmp/root"
tool owners --folded
exits 0
line out "\(pages\);__x64_sys_ioctl;device_ioctl_\[myalloc\];session_alloc_\[myalloc\] 1310720"
line out "requests;serve_\[web\] 1920"
[ "$(wc -l <"$out")" = 3 ] || fail "other lines"
! grep -qvE '^[^ ]+(;[^ ]+)+ [0-9]+$' "$out" || fail "flamegraph.pl cannot read it"

begin "owners: those of every zone, each with its node"
export FAKE_ROOT="$tmp/root"
fill 10 1920
other=$(dirname "$owners")/node2
mkdir "$other"
ln -s . "$(dirname "$owners")/node0"
sed 's/1920/999999/' "$owners" >"$other/owners"
tool owners
exits 0
line out "what +node +count +bytes +oldest +caller"
line out "\(pages\) +0 +20 +1\.25 MiB .*"
line out "\(pages\) +2 +20 +1\.25 MiB .*"
line out "requests +2 +10 +976\.6 KiB .*"
tool -j owners
json /result/owners/0/node 0
json /result/owners/2/node 2
json /result/owners/2/bytes 999999
tool -j owners --node 2
json /result/owners/1/bytes 999999
json /result/owners/1/node 2
tool -o "$tmp/zones.json" owners
sed 's/999999/9999999/' "$other/owners" >"$other/more" && mv "$other/more" "$other/owners"
tool owners --diff "$tmp/zones.json"
exits 0
line out "requests +2 +10 +9\.54 MiB +0 +9000000 .*"
[ "$(wc -l <"$out")" = 2 ] || fail "more than one has grown"
tool owners --node 5
exits 1
has err "no memory of node 5"
rm -r "$other" "$(dirname "$owners")/node0"
tool -j owners
json /result/owners/0/node null

begin "owners: what has grown"
export FAKE_ROOT="$tmp/root"
tool -o "$tmp/before.json" owners
fill 15 2880
sed -i '/^sessions/d' "$owners"
tool owners --diff "$tmp/before.json"
exits 0
line out "requests +15 +2\.81 KiB +5 +960 +serve.*"
line out "sessions +0 +0 B +-5 +-5000 +not recorded"
has_not out "(pages)"
tool -j owners --diff "$tmp/before.json"
json /result/owners/0/more_bytes 960
tool owners --diff "$tmp/before.json" --folded
exits 2
tool owners --diff "$tmp/none.json"
exits 1
tool -o "$tmp/info.json" info
tool owners --diff "$tmp/info.json"
exits 1
has err "not of 'owners'"
echo "owners - version: 2.0" >"$owners"
tool owners
exits 1
has err "unknown version"
rm "$owners"
tool owners
exits 1
has err "mount debugfs"

begin "snapshot and diff: only what has changed, the most grown first"
tool -o "$tmp/a.json" snapshot
exits 0
line out "caches +2"
tool -j snapshot
json /result/zone/free_pages 16368
json /result/orders/10/free_blocks 15
json /result/caches/0/name requests
json /result/configuration/nr_pages 16384
script "set bad_frees 7" "set cached 24" "set arenas 1"
tool -o "$tmp/b.json" snapshot
tool diff "$tmp/a.json" "$tmp/b.json"
exits 0
line out "zone.cached_pages +12 +24 +12 +100.0 %"
line out "zone.bad_frees +0 +7 +7 +-"
line out "zone.free_pages +16368 +16356 +-12 +-0.1 %"
line out "arenas\[frame-1\].held_bytes +65536 +- +-65536 +-100.0 %"
has_not out nr_pages
[ "$(awk '/^ *(zone|arenas|orders|nr_)/ { n = $4 == "-" ? -$2 : $4; if (n > last && NR > 2) bad++; last = n }
	END { print bad + 0 }' "$out")" = 0 ] || fail "not sorted by growth: $(cat "$out")"
tool -j diff "$tmp/a.json" "$tmp/b.json"
json /result/changes/0/figure zone.cached_pages
json /result/changes/0/growth 12
json /result/changes/0/growth_permille 1000
tool diff "$tmp/a.json" "$tmp/a.json"
exits 0
has_not out zone
line out "figures compared +[0-9]+"

begin "diff: two caches whose slabs have the same order are two"
tool -o "$tmp/two.json" snapshot
sed 's/"name":"requests"/"name":"replies"/' "$tmp/two.json" |
	python3 -c '
import json, sys
two, other = json.load(open(sys.argv[1])), json.load(sys.stdin)
caches = two["result"]["caches"]
more = [c for c in other["result"]["caches"] if c["name"] == "replies"]
more[0]["order"] = caches[0]["order"]
two["result"]["caches"] = caches + more
json.dump(two, open(sys.argv[2], "w"))
caches[0]["live_objects"] += 500
json.dump(two, open(sys.argv[3], "w"))' "$tmp/two.json" "$tmp/old.json" "$tmp/new.json"
tool diff "$tmp/old.json" "$tmp/new.json"
exits 0
line out "caches\[requests\]\.live_objects +5 +505 +500 .*"
has_not out replies
tool result diff "$tmp/old.json" "$tmp/new.json"
exits 0
line out "  caches\[replies\]\.live_objects .*1\.000 *"

begin "diff: refuses what is not comparable, and says why"
script "set pages 65536"
tool -o "$tmp/c.json" snapshot
tool diff "$tmp/a.json" "$tmp/c.json"
exits 1
empty out
has err "the module was loaded with another nr_pages (16384, 65536)"
tool diff --force "$tmp/a.json" "$tmp/c.json"
exits 0
line out "zone.nr_pages +16384 +65536 +49152 +300.0 %"
sed 's/"kernel":"[^"]*"/"kernel":"5.0"/' "$tmp/a.json" >"$tmp/d.json"
tool diff "$tmp/a.json" "$tmp/d.json"
exits 1
has err "the systems differ in kernel ("
sed 's/"schema":[0-9]*/"schema":1/' "$tmp/a.json" >"$tmp/d.json"
tool diff "$tmp/a.json" "$tmp/d.json"
exits 1
has err "has schema 1"
tool -o "$tmp/i.json" info
tool diff --force "$tmp/a.json" "$tmp/i.json"
exits 1
has err "of 'info'"
tool diff "$tmp/a.json"
exits 2
has err "missing files"
echo '[' >"$tmp/bad.json"
tool diff "$tmp/bad.json" "$tmp/a.json"
exits 1

# bench FILE NS...: a result whose rounds take so many ns for each operation
bench()
{
	file=$1
	shift
	rounds=$(for ns in "$@"; do printf '[%s,0,1000],' $((ns * 1000)); done)
	printf '{"schema":2,"kind":"bench run","system":{"kernel":"k"},"result":{"shapes":[{"name":"objects-64","sides":[{"name":"myalloc","rounds":[%s]}]}]}}\n' \
		"${rounds%,}" >"$file"
}

begin "diff of benchmarks: a verdict, and none where noise covers it"
bench "$tmp/a.json" 10 11 12 13 14 15 16 17 18 19 20 21
bench "$tmp/b.json" 11 12 13 14 15 16 17 18 19 20 21 22
bench "$tmp/c.json" 30 31 32 33 34 35 36 37 38 39 40 41
tool diff "$tmp/a.json" "$tmp/b.json"
exits 0
line out "objects-64 +myalloc +16.000 +17.000 +1\.06[23] +.* no difference *"
tool diff "$tmp/a.json" "$tmp/c.json"
line out "objects-64 +.* +1\.[0-9]+ to [0-9.]+ +slower *"
tool diff "$tmp/c.json" "$tmp/a.json"
line out "objects-64 +.* faster *"
tool -j diff "$tmp/a.json" "$tmp/c.json"
json /result/changes/0/verdict slower
bench "$tmp/d.json"
tool diff "$tmp/a.json" "$tmp/d.json"
exits 0
tool bench run --rounds 6 -o "$tmp/e.json" -j
tool diff "$tmp/e.json" "$tmp/e.json"
exits 0
has out "no difference"

begin "diff of benchmarks: says which shapes only one of them has, and where rounds are too few"
bench "$tmp/few.json" 10 11 12 13 14
bench "$tmp/more.json" 30 31 32 33 34
tool diff "$tmp/few.json" "$tmp/more.json"
exits 0
line out "objects-64 +.* - +too few rounds *"
sed 's/objects-64/objects-128/' "$tmp/c.json" >"$tmp/other.json"
tool diff "$tmp/a.json" "$tmp/other.json"
exits 0
line out "only in OLD +objects-64"
line out "only in NEW +objects-128"

finish

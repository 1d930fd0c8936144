#!/bin/sh
# explain and check: what a statistic means, and conditions on them.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin "explain: every statistic, and its near misses"
tool -j stat explain
sed 's/"name":/\n&/g' "$out" | sed -n 's/^"name": *"\([a-z_]*\)".*/\1/p' | sort -u >"$tmp/names"
[ "$(wc -l <"$tmp/names")" -gt 60 ] || fail "only $(wc -l <"$tmp/names") statistics"
while read -r name; do
	tool explain "$name"
	exits 0
	empty err
done <"$tmp/names"
tool explain splits
line out "zone +blocks split in two"
line out " +a count since the module was loaded"
tool explain fails
line out "cache +allocations that failed"
line out "heap +allocations that failed"
tool explain failed_within
line out "contract +requests that failed and were certainly within the declared amount: must be 0"
tool explain hard_pages
line out "client +pages above which it gets no more; 0 for no such quota"
tool explain refused
for kind in ring client contract; do
	has out "$kind"
done
tool explain object_bytes
line out "cache +bytes that the user asked for"
tool explain in_flight_pages
has out "on their way"
tool -j explain free_blocks
json /result/meanings/0/unit "one for each order"
tool explain splitz
exits 2
has err "unknown statistic 'splitz'; did you mean 'splits'?"
tool explain
exits 2
called OPEN 0

# Numbers whose names say all: a count of what they are named after, an input given back.
plain="asked_ms asked_ops asked_ops_per_thread asked_rounds cache_id checks chunk_order cpu
max_order maximum minimum node nr_arenas nr_chunks nr_clients nr_contracts nr_cpus nr_heaps
nr_pools nr_rings page_bytes page_size pages_per_block readings results rows seed size slab
threads"
plain=$(echo "$plain" | tr '\n' ' ')

begin "explain: every number of every result, unless its name says all"
tool schema
# shellcheck disable=SC2016 # Python
/usr/bin/python3 -c '
import json, sys

def walk(node):
    if isinstance(node, list):
        for value in node:
            walk(value)
    if not isinstance(node, dict):
        return
    for key, value in node.get("properties", {}).items():
        types = []
        for one in [value] + value.get("anyOf", []) if isinstance(value, dict) else []:
            types += one["type"] if isinstance(one.get("type"), list) else [one.get("type")]
        if "integer" in types or "number" in types:
            keys.add(key)
    for value in node.values():
        walk(value)

keys = set()
walk(json.load(open(sys.argv[1]))["$defs"])
print("\n".join(sorted(keys)))' "$out" >"$tmp/numbers"
[ "$(wc -l <"$tmp/numbers")" -gt 250 ] || fail "only $(wc -l <"$tmp/numbers") numbers"
while read -r name; do
	case " $plain " in
	*" $name "*) continue ;;
	esac
	tool explain "$name"
	[ "$rc" = 0 ] || fail "explain does not know '$name'"
done <"$tmp/numbers"
for name in $plain; do
	grep -qx "$name" "$tmp/numbers" || fail "no result has a number '$name'"
done

begin "explain: a name that means several things says each"
tool explain used_permille
line out "contract show, test +highest_end as a share of needed.*"
line out "top, record +of what it may hold at most, the share in use now.*"
for word in live allocs hits fails; do
	tool explain "$word"
	line out "top, record +.*"
done
tool explain live
has out "bytes of an arena"
line out "contract +pages or objects that users hold"
tool explain growth
line out "diff +the newer value less the older one.*"
for word in rate hit growth; do
	tool explain "$word"
	line out "top +[A-Z/ %]+, a word of --sort: .*"
done
tool explain count
for of in "stress run" "owners, client" "contract show" "ring read"; do
	line out "$of +(calls|blocks|requests|records) .*"
done
tool -j explain hit_permille
json /result/meanings/1/of top
tool explain fail_target
line out "stress run +allocations that were not tried because the target fill was reached: no failure"

begin "check: conditions that hold and those that do not"
while IFS='|' read -r code condition; do
	tool check "$condition"
	exits "$code"
done <<END
0|bad_frees == 0
0|bad_frees==0
0|free_pages > 100
1|free_pages < 100
0|free_pages >= 16368
0|free_pages <= 16368
1|free_pages != 16368
1|free_pages > 16368
0|free_pages < 64M
1|free_pages < 63M
0|extfrag[3] == -1000
0|unusable[3] <= 30
0|free_blocks[10] == 15
1|free_blocks[10] > 15
0|free_blocks > 15
0|req* < 1M
1|* < 1K
0|requests.live_objects >= 0
0|sessions.object_size == 1000
1|*.object_size == 1000
0|web.live_objects == 5
0|web < 8193
1|web < 8K
0|frame-?.allocs == 100
1|frob-* < 10M
1|requests.splits == 0
0|failed_within == 0
0|failed_within==0
1|failed_within > 0
0|frob.*.failed_within == 0
0|frob.0.beyond == 4
0|beyond <= 4
1|beyond < 4
0|frob.0.live <= 10
0|frob.0.set_aside == 800K
0|frob.? < 1M
1|frob.? < 800K
0|frob < 161K
1|frob < 160K
0|frob.pages == 40
0|frob.pages == 160K
0|frob.gone == 0
0|fro* < 1M
0|over == 0
1|nothing-*.failed_within == 0
END
script "set failed_within 2"
tool check "failed_within == 0"
exits 1
line out "failed_within == 0  frob.0 +2 +0 +2 +FAILS"
line out "failed_within == 0  frob.1 +0 +0 +- +holds *"
script "set contracts 0"
tool check "failed_within == 0"
exits 1
has err "nothing that is called '*' has the statistic 'failed_within'"
script
tool -j check "frob < 161K"
json /result/conditions/0/kind client
tool check "gon == 0"
exits 1
has err "no cache, heap, pool, ring, arena, client, contract or statistic is called 'gon'"
tool check "free_pages < 100" "bad_frees == 0" "web < 8K"
exits 1
line out "free_pages < 100 +zone +16368 +100 +16269 +FAILS"
line out "bad_frees == 0 +zone +0 +0 +- +holds *"
line out "web < 8K +web +8 KiB +8 KiB +1 +FAILS"
tool -j check "free_pages < 100" "bad_frees == 0"
json /result/failed 1
json /result/conditions/0/off 16269
json /result/conditions/1/off null
json /result/conditions/1/verdict holds
tool check "reqests < 1M"
exits 1
has err "did you mean 'requests'?"

begin "check: of several zones a condition has to hold in each"
script "set nodes 2" "set bad_frees 3" "set wrong_zone 1"
tool check "bad_frees == 0"
exits 1
line out "condition +of +node +value +bound +off by +verdict"
line out "bad_frees == 0 +zone +0 +0 +0 +- +holds *"
line out "bad_frees == 0 +zone +2 +3 +0 +3 +FAILS"
tool check --node 0 "bad_frees == 0"
exits 0
tool check --node 2 "bad_frees == 0"
exits 1
tool -j check "bad_frees == 0" "web < 1M"
exits 1
json /result/failed 1
json /result/conditions/0/node 0
json /result/conditions/1/node 2
json /result/conditions/1/verdict FAILS
json /result/conditions/2/name web
json /result/conditions/3/node 2
script "set nodes 2" "fail NODE_USE 2 EIO"
tool check "bad_frees == 0"
exits 1
has err "reading the statistics"
script
tool check "bad_frees == 0"
has_not out "node"
tool -j check "bad_frees == 0"
json /result/conditions/0/node null

begin "check: what cannot be read"
while IFS='|' read -r condition text; do
	tool check "$condition"
	exits 2
	empty out
	called OPEN 0
	has err "$text"
done <<END
bad_frees|no comparison in it
bad_frees = 0|equal is ==
== 0|nothing on the left
bad_frees ==|a value is missing
bad_frees == many|neither a number nor a size
bad_frees == 1X|neither a number nor a size
bad_frees == 9223372036854775808|does not fit in 63 bits
bad_frees[1] == 0|is not by order
extfrag == 0|the order is missing; write extfrag[3]
free_blocks[15] == 0|an order is written as
free_blocks[1 == 0|an order is written as
nothing[1] == 0|is not a statistic by order
END
tool check
exits 2
has err "missing condition"

finish

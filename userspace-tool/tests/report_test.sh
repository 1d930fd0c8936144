#!/bin/sh
# record and report: a history, and the page that is drawn from it.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

history=$tmp/history.json page=$tmp/page.html
export FAKE_ROOT="$tmp/root"
mkdir -p "$FAKE_ROOT/sys/kernel/debug/myalloc"
root=$FAKE_ROOT

# number PATTERN: how often it is on the page
number()
{
	grep -o -e "$1" "$page" | wc -l
}

begin "record writes a document for each reading"
export FAKE_ROOT="$root"
cat >"$root/sys/kernel/debug/myalloc/owners" <<END
owners - version: 1.0
# what              <count> <pages|bytes> <oldest_ms> <caller>
(pages)                    1          8          - init<a&b>+0x4f/0x80 [frob]
END
script "set busy 10"
tool record -o "$history" -i 100ms --for 1s
exits 0
empty out
has err "readings in '$history'"
called CLOSE 1
[ ! -e "$history.part" ] || fail "a temporary file is left"
lines=$(wc -l <"$history")
if [ "$lines" -lt 2 ] || [ "$lines" -gt 11 ]; then
	fail "$lines readings in 1 s"
fi
[ "$("$JSONQ" "$history")" = "$lines" ] || fail "not one document a line"
head -1 "$history" >"$out"
json /kind record
json /schema 2
json /system/kernel "$(uname -r)"
json /result/elapsed_ms 0
json /result/interval_ms 0
tail -1 "$history" >"$out"
json /result/rows/0/kind cache
json /result/rows/0/name requests
json /result/rows/0/live $((5 + 10 * lines))

begin "JSON on standard output, and a signal that ends it"
script "signal STAT 3 INT"
tool -j record -i 10ms --for 60s
exits 130
[ "$("$JSONQ" "$out")" = 3 ] || fail "not three documents"
tool record
exits 2
has err "-o FILE"
called OPEN 0
script "signal STAT 3 INT"
tool record -o "$tmp/short" -i 10ms
exits 0
[ "$(wc -l <"$tmp/short")" = 3 ] || fail "not three readings"
script "signal STAT 3 INT"
tool record -o "$tmp/short" -i 10ms --for 10s
exits 130
script "fail STAT 3 EIO"
tool record -o "$tmp/broken" -i 10ms --for 10s
exits 1
called CLOSE 1
script "fail OPEN 1 ENOENT"
tool record -o "$tmp/none" -i 10ms --for 10s
exits 3
[ ! -e "$tmp/none" ] || fail "a file without a reading"

begin "report draws them as one page that needs nothing else"
tool report "$history" -o "$page"
exits 0
line out "readings +$lines"
line out "page +$page"
called OPEN 0
[ "$(head -c 15 "$page")" = "<!DOCTYPE html>" ] || fail "no page of HTML"
[ "$(tail -1 "$page")" = "</html>" ] || fail "the page has no end"
for foreign in '<script' 'src=' 'href=' '@import' 'http' '<link'; do
	[ "$(number "$foreign")" = 0 ] || fail "the page has $foreign"
done
[ "$(number '[nN]an')" = 0 ] || fail "a number is none"
for title in "Memory over time" "Blocks of pages" "Fragmentation by order" \
	"Fragmentation over time" "Memory of each cache" "Live objects of each cache" \
	"Allocations of each cache" "Memory of each call site" \
	"Caches: allocations served by a magazine" "Use of each contract"; do
	[ "$(number "<h3>$title")" = 1 ] || fail "no plot '$title'"
done
[ "$(number '<figure>')" = "$(number '<figcaption>[A-Z]')" ] || fail "a plot without a caption"
[ "$(number '<figure>')" = "$(number 'role="img" aria-label')" ] || fail "a plot without a name"
grep -q "<h1>myalloc on $(uname -r), $(uname -m), [0-9-]*</h1>" "$page" || fail "the title"
grep -qF '<td>frob.1</td><td>0.78125 MiB set aside, at most 10 % of it in use, 0 requests refused</td>' "$page" ||
	fail "no table of contracts"
[ "$(number 'NUMA node')" = 0 ] || fail "nodes of a module that has one zone"
grep -qF 'init&lt;a&amp;b&gt;+0x4f [frob] (pages)' "$page" || fail "a name is not escaped"
[ "$(number 'init<')" = 0 ] || fail "a name is markup"
for colour in '#332288' '#cc6677'; do
	[ "$(number "stroke=\"$colour\"")" -ge 8 ] || fail "$colour is not one cache's in all plots"
done
for tag in svg figure table g; do
	[ "$(number "<${tag}[ >]")" = "$(number "</$tag>")" ] || fail "<$tag> is not closed"
done
tool -j report "$history" -o "$page"
documents 1
json /kind report
json /result/readings "$lines"

begin "each plot names kernel, machine and date"
[ "$(number '<figure>')" = "$(number "<small>$(uname -r), $(uname -m), [0-9]*-[0-9]*-[0-9]*</small></h3>")" ] ||
	fail "a title without its system"
[ "$(number "Size of the reserve")" = 0 ] || fail "a reserve that cannot grow has a plot of its size"

begin "what stat watch wrote is a history too: size of an elastic reserve, chunks taken and given back"
tool -o "$tmp/watch" stat watch -n 4 -i 10ms
exits 0
[ "$(wc -l <"$tmp/watch")" = 4 ] || fail "not four readings"
awk '{ sub(/"nr_pages":16384/, "\"nr_pages\":" (NR > 2 ? 32768 : 16384))
	sub(/"interval_ms":[0-9]*/, "\"interval_ms\":1000")
	sub(/"elapsed_ms":[0-9]*/, "\"elapsed_ms\":" NR * 1000)
	sub(/"grown":0/, "\"grown\":" (NR == 3 ? 16 : 0))
	sub(/"bad_frees":0/, "\"bad_frees\":1"); print }' "$tmp/watch" >"$tmp/elastic"
tool report "$tmp/elastic" -o "$page"
exits 0
line out "readings +4"
line out "time covered +4\.0 s"
for title in "Memory over time" "Size of the reserve" "Chunks taken and given back, per second"; do
	[ "$(number "<h3>$title<small>")" = 1 ] || fail "no plot '$title'"
done
[ "$(number "<h3>Fragmentation")" = 0 ] || fail "orders that nobody has written"
[ "$(number '>128 MiB over ')" = 1 ] || fail "$(grep -o '[0-9.]* MiB over ' "$page")"
grep -qF '0 page allocations failed, 4 wrong frees, 0 corruptions found' "$page" || fail "what was counted"
[ "$(number '[nN]an')" = 0 ] || fail "a number is none"
[ "$(number '<figure>')" = "$(number '<figcaption>[A-Z]')" ] || fail "a plot without a caption"
sed 's/"page_bytes":[0-9]*,//' "$tmp/watch" >"$tmp/older"
tool report "$tmp/older" -o "$tmp/none"
exits 1
has err "does not say how large a page is"
# Of 'record' the counts are since the module was loaded.
awk '{ sub(/"grown":0/, "\"grown\":" (NR == 1 ? 7 : 9)); print }' "$history" >"$tmp/grew"
tool report "$tmp/grew" -o "$page"
[ "$(number "<h3>Chunks taken and given back, per second<small>")" = 1 ] || fail "no plot of chunks"
sed 's/"grown":0/"grown":7/' "$history" >"$tmp/steady"
tool report "$tmp/steady" -o "$page"
[ "$(number "<h3>Chunks taken")" = 0 ] || fail "chunks that were taken before are drawn"

begin "no section is empty"
script "signal STAT 6 INT"
tool record -o "$tmp/idle" -i 10ms
tool report "$tmp/idle" -o "$page"
exits 0
[ "$(number "<h2>Memory")" = 1 ] || fail "no sections"
[ "$(number "<h2>Hit rate")" = 0 ] || fail "rates of allocations that nobody made"
tr -d '\n' <"$page" >"$tmp/line"
! grep -o '<h2>[^<]*</h2><h2>[^<]*' "$tmp/line" >"$tmp/empty" || fail "$(cat "$tmp/empty")"

begin "zones of several nodes: a plot of each, and names say where"
script "set nodes 2" "signal STAT 6 INT"
tool record -o "$tmp/nodes" -i 10ms
exits 0
tool report "$tmp/nodes" -o "$page"
exits 0
for title in "Memory in use on each node" "Blocks of pages of each node, per second"; do
	[ "$(number "<h3>$title")" = 1 ] || fail "no plot '$title'"
done
for name in "node 0" "node 2" "requests, node 0" "frob.1, node 2"; do
	grep -qF ">$name<" "$page" || fail "'$name' is not there"
done
[ "$(number '[nN]an')" = 0 ] || fail "a number is none"

begin "results beside the history: ratios, and the latency of single calls"
tool -o "$tmp/bench.json" bench run --rounds 4 --seed 9
sed 's/\("name":"page\/0\/pair",.*"unit":\)"ns"/\1"ns, single call"/' "$tmp/bench.json" >"$tmp/calls.json"
tool -o "$tmp/stress.json" stress run --ops 10
tool report "$history" "$tmp/bench.json" "$tmp/calls.json" "$tmp/stress.json" -o "$page"
exits 0
line out "results beside it +3"
[ "$(number "<h3>Time of others over that of myalloc")" = 2 ] || fail "no ratios"
[ "$(number "<h3>Latency of single calls: single pages, allocated and freed at once")" = 1 ] ||
	fail "no latency, or that of a mean"
[ "$(number "<h3>Latency of single calls<")" = 1 ] || fail "no latency of the stress run"
[ "$(number "<h2>Benchmark: $(uname -r), $(uname -m), [0-9-]*<")" = 2 ] || fail "a title without its system"
[ "$(number '<figure>')" = "$(number '<figcaption>[A-Z]')" ] || fail "a plot without a caption"
[ "$(number '[^a-z][nN]an[^a-z]')" = 0 ] || fail "a number is none"
[ "$(number '\binf\b')" = 0 ] || fail "a number is infinite"
for tag in svg figure table g; do
	[ "$(number "<${tag}[ >]")" = "$(number "</$tag>")" ] || fail "<$tag> is not closed"
done
# An allocator has its color and its mark in all of them.
grep -o 'ALLOCATOR("[a-z_]*", "#[0-9a-f]*"' "$(dirname "$0")/../out/allocators.h" |
	cut -d'"' -f2,4 | tr '"' ' ' >"$tmp/colors"
[ "$(cut -d' ' -f2 "$tmp/colors" | sort | uniq -d)" = "" ] || fail "two allocators have one color"
for name in slub alloc_pages myalloc; do
	color=$(awk -v name=$name '$1 == name { print $2 }' "$tmp/colors")
	grep -B1 ">$name<" "$page" | grep -q "fill=\"$color\"" || fail "$name is not $color"
done
script "set debug_kernel 1"
tool -o "$tmp/debug.json" bench run --rounds 2
tool report "$history" "$tmp/debug.json" -o "$page"
grep -q "say nothing about a production kernel" "$page" || fail "a debug kernel is not told"
tool -o "$tmp/info.json" info
tool report "$history" "$tmp/info.json" -o "$page"
exits 2
has err "is a result of 'info'"
tool report "$history" "$tmp/nothing" -o "$page"
exits 1
tool report "$history" "$history" -o "$page"
[ $rc != 0 ] || fail "a history is taken for a result"

begin "a long history is thinned out"
awk -v n=2000 '{ first = first ? first : $0 }
	END { for (i = 0; i < n; i++) { s = first; sub(/"elapsed_ms":0/, "\"elapsed_ms\":" i * 1000, s); print s } }' \
	"$history" >"$tmp/long"
tool report "$tmp/long" -o "$page"
exits 0
line out "readings +2000"
grep -q "500 points, each the mean of several readings" "$page" || fail "not thinned out"
grep -q "500 points of 4 readings each" "$page" || fail "it does not say so"
grep -q ">time, min<" "$page" || fail "the axis is not in minutes"

begin "a reserve that shrank is drawn as large as it was"
sed '1s/"nr_pages":[0-9]*/"nr_pages":262144/' "$history" >"$tmp/shrunk"
tool report "$tmp/shrunk" -o "$page"
exits 0
[ "$(number '>1024 MiB over ')" = 1 ] || fail "$(grep -o '[0-9.]* MiB over ' "$page")"

begin "a file that is not a history is refused"
while IFS='|' read -r text why; do
	printf '%b' "$text" >"$tmp/bad"
	tool report "$tmp/bad" -o "$tmp/none"
	exits 1
	has err "$why"
	[ ! -e "$tmp/none" ] || fail "a page from '$text'"
done <<END
|fewer than two readings
{}\\n|is not a history
[]\\n|is not a history
not JSON|is not JSON
{"schema":2,"kind":"stat show","result":{"zone":{}}}|is not a history
{"schema":1,"kind":"record","result":{"zone":{}}}|another schema
{"schema":2,"kind":"record","result":{"zone":{}}}|fewer than two readings
END
cat "$history" "$history" >"$tmp/twice"
tool report "$tmp/twice" -o "$tmp/none"
exits 1
has err "more than one recording"
tool report "$tmp/nothing" -o "$tmp/none"
exits 1
has err "No such file"
tool report -o "$tmp/none"
exits 2
tool report "$history"
exits 2
has err "-o report.html"

finish

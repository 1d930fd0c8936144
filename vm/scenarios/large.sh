# Blocks above the chunk, where chunks are adjacent: what the module says it got is what can be
# allocated, and the files and the tool agree.
. /guest/ktap.sh

dir=/sys/kernel/debug/myalloc
module=/guest/modules/myalloc.ko

# largest: print the order of the largest block that the module reports
largest()
{
	awk 'NR > 2 && $NF > most { most = $NF } END { print most + 0 }' $dir/reserve
}

dmesg -C 2>/dev/null
expect "the module loads" insmod $module reserve_mb=192 session_quota=100
order=$(largest)
note "the largest block has order $order"
# A machine that was just booted has its memory in one piece.
if [ "$order" -gt 10 ]; then
	ok "chunks are adjacent"
else
	not_ok "chunks are adjacent" "order $order"
fi
expect "the message at load says so" sh -c \
	"dmesg | grep -q 'the largest block has $((4 << order)) KiB'"
expect "info says so" sh -c "myallocctl info -j | grep -q '\"max_order\": *$order,'"
expect "it can be allocated" myallocctl page alloc --order "$order"
refuse "none is larger" myallocctl page alloc --order $((order + 1))
for k in 11 12; do
	expect "order $k: allocated and verified" \
		myallocctl page alloc --order $k --count 2
done
expect "fragmentation has a line for each order" \
	grep -q "^ *$order *$((1 << order)) " $dir/fragmentation
free=$(awk '$4 == "myalloc" { sum += $15 } END { print sum }' $dir/buddyinfo)
if [ "$free" = 48 ]; then
	ok "buddyinfo counts larger blocks as several of order 10"
else
	not_ok "buddyinfo counts larger blocks as several of order 10" "it says '$free'"
fi
for kind in pages mixed exhaust; do
	expect "stress with larger blocks: $kind" \
		myallocctl stress run --kind $kind --ops 20000 --threads 2
done
expect "every invariant holds" myallocctl validate
if [ "$(awk '$4 == "myalloc" { sum += $15 } END { print sum }' $dir/buddyinfo)" = "$free" ]; then
	ok "afterwards all has merged"
else
	not_ok "afterwards all has merged"
fi
expect "the module unloads" rmmod myalloc

expect "with max_order=10 it loads" insmod $module reserve_mb=64 max_order=10
if [ "$(largest)" = 10 ]; then
	ok "... and no block is larger than a chunk"
else
	not_ok "... and no block is larger than a chunk" "order $(largest)"
fi
refuse "... nor allocated" myallocctl page alloc --order 11
expect "with max_order=10 it unloads" rmmod myalloc

expect "with small chunks it loads" insmod $module reserve_mb=64 chunk_order=3
note "the largest block has order $(largest)"
if [ "$(largest)" -gt 9 ]; then
	ok "... and blocks of 2 MiB"
else
	not_ok "... and blocks of 2 MiB" "order $(largest)"
fi
expect "... stress" myallocctl stress run --kind mixed --ops 20000 --threads 2
expect "... every invariant holds" myallocctl validate
expect "with small chunks it unloads" rmmod myalloc
refuse "a largest order above 14 is refused" insmod $module max_order=15
finish

# A client builds frames in two arenas that take turns; after its first frames it takes no memory
# from the zone.
. /guest/ktap.sh

dir=/sys/kernel/debug/myalloc

# value FILE LINE COLUMN: the value in the line that begins with LINE, in the column with this
# heading
value()
{
	awk -v line="$2" -v column="<$3>" '
		$1 == "#" { for (i = 2; i <= NF; i++) if ($i == column) at = i - 1 }
		index($0, line " ") == 1 { print $at; exit }' "$1"
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16
expect "the client loads" insmod /guest/modules/myalloc_frame_loop.ko verbose=1
sleep 2
cat $dir/arenas
calls0=$(value $dir/arenas frame-0 zone_calls) calls1=$(value $dir/arenas frame-1 zone_calls)
resets=$(value $dir/arenas frame-0 resets)
expect "arenas: blocks were taken" test "$calls0" -gt 0
expect "arenas: what is held is at least what was used at most" \
	test "$(value $dir/arenas frame-0 held_bytes)" -ge "$(value $dir/arenas frame-0 peak_bytes)"
sleep 2
cat $dir/arenas
expect "arenas: frames go on" test "$(value $dir/arenas frame-0 resets)" -gt "$((resets + 10))"
expect "arenas: no frame has asked the zone since" \
	test "$calls0 $calls1" = \
	"$(value $dir/arenas frame-0 zone_calls) $(value $dir/arenas frame-1 zone_calls)"
expect "the tool lists them" sh -c "myallocctl arena list | grep -q frame-1"
expect "the tool shows one" sh -c "myallocctl arena show frame-0 | grep -q 'zone calls'"
expect "the tool says that there is none" sh -c "! myallocctl arena show none"
expect "the test passes" myallocctl arena test --ops 20000
expect "the test passes with pieces of a page at most" \
	myallocctl arena test --ops 20000 --max-size 4K
expect "the test passes with per-CPU arenas" myallocctl arena test --ops 20000 --percpu
expect "the allocator is valid while frames go on" myallocctl validate
expect "the module cannot go" sh -c '! rmmod myalloc'
expect "the client unloads" rmmod myalloc_frame_loop
expect "it has built whole frames" sh -c \
	"dmesg | grep -q 'myalloc_frame_loop: [1-9][0-9]* frames, 0 cut, 0 unsorted, 0 sprites changed'"
expect "arenas: they are gone" sh -c "! grep -q '^frame-' $dir/arenas"
expect "the benchmarks load" insmod /guest/modules/myalloc_bench.ko
expect "arenas beside the kernel's allocators" myallocctl bench run --rounds 5 'arena/*'
expect "the benchmarks unload" rmmod myalloc_bench
expect "nothing is left: the module unloads" rmmod myalloc
finish

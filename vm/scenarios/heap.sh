# A client takes memory of any size from a heap in interrupts and frees it in tasks.
. /guest/ktap.sh

dir=/sys/kernel/debug/myalloc
caches=$dir/caches

# value FILE LINE COLUMN: the value in the line that begins with LINE, in the column with this
# heading
value()
{
	awk -v line="$2" -v column="<$3>" '
		$1 == "#" { for (i = 2; i <= NF; i++) if ($i == column) at = i - 1 }
		index($0, line " ") == 1 { print $at; exit }' "$1"
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16
expect "the client loads" insmod /guest/modules/myalloc_web.ko verbose=1
expect "a class is a cache" test -d $caches/web-112
sleep 3
cat $dir/heaps $dir/heap_classes
expect "heaps: the heap has 44 classes" test "$(value $dir/heaps web classes)" = 44
expect "heaps: it has allocated" test "$(value $dir/heaps web allocs)" -gt 100
expect "heaps: what it holds is what is live and more" \
	test "$(value $dir/heaps web held_bytes)" -ge "$(value $dir/heaps web object_bytes)"
expect "heap_classes: a class that was used" test "$(value $dir/heap_classes 'web 112' allocs)" -gt 0
expect "the module cannot go" sh -c '! rmmod myalloc'
expect "the client unloads" rmmod myalloc_web
expect "it has handled requests" sh -c "dmesg | grep -q 'myalloc_web: .* requests received'"
refuse "heaps: it is gone" grep -q "^web " $dir/heaps
expect "the heap has ended" sh -c "! test -d $caches/web-112"
expect "nothing is left: the module unloads" rmmod myalloc
finish

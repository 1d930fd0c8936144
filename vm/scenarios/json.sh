# JSON that the tool prints for a real module, with an entry in each list. The documents and the
# schema are sent as files, and the host validates the documents.
# needs: timeout=900
. /guest/ktap.sh

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=48 max_mb=96 checks=U
expect "the benchmarks load" insmod /guest/modules/myalloc_bench.ko
expect "a client with a contract loads" insmod /guest/modules/myalloc_forget.ko contract=1
myallocctl cache create seen --size 200 --count 500 --hold forever >/tmp/objects 2>&1 &
objects=$!
all_there()
{
	[ "$(cat /sys/kernel/debug/myalloc/caches/seen/objects 2>/dev/null)" = 500 ]
}
wait_for all_there

mkdir -p /out/json
expect "the tool has a schema" sh -c "myallocctl schema >/out/json/schema"
count=0
while read -r words; do
	count=$((count + 1))
	# Files missing in the guest are findings, and lead to a document as well.
	case $words in
	buildinfo|doctor) status=1 ;;
	*)	status=0 ;;
	esac
	expect "myallocctl -j $words" sh -c "
		myallocctl -j $words >/out/json/$count.json </dev/null || [ \$? = $status ]"
	expect "$words prints a document" grep -q '^{' "/out/json/$count.json"
done <<END
help
info
stat show
stat watch -n 2 -i 100ms
stat explain
explain used_permille
top --once -i 100ms
-o /tmp/history record -i 100ms --for 1s
-o /tmp/report.html report /tmp/history
check bad_frees==0
map
map --range 0+16
map --range 0+512
node list
whatis page:0
whatis $objects:2
owners
reserve show
reserve grow 4M
reserve shrink 4M
page alloc -n 3 --handles
page fill --fill 60% --hold 0s
page test
page map
page walk --size 4M -n 1000
cache list
cache show seen
cache create --count 10
cache shrink
heap list
heap test
pool list
pool test
ring list
ring test
arena list
arena test
client list
client show frob
client leaks
contract plan pages:16@0,3 objects:64x100
contract create mine pages:16@0
contract list
contract show frob
contract test --requests 10000
drain
validate
stress run --ops 1000 --seed 1
stress kinds
bench list
-o /tmp/bench bench run 'object/64/*' --rounds 1 --ops 50 --seed 1
bench show /tmp/bench
bench compare /tmp/bench /tmp/bench
-o /tmp/snapshot snapshot
diff /tmp/snapshot /tmp/snapshot
diff /tmp/bench /tmp/bench
result diff /tmp/snapshot /tmp/snapshot
buildinfo
doctor
END

kill -KILL $objects
wait $objects 2>/dev/null
expect "the client unloads" rmmod myalloc_forget
expect "the benchmarks unload" rmmod myalloc_bench
expect "the module unloads" rmmod myalloc
finish

# No request within a contract fails, whatever others do; with one page less than planned, one does.
# On the kernel's command line: CONTRACT_REQUESTS=N of each adversary instead of 20,000.
. /guest/ktap.sh
. /guest/memory.sh

debug=/sys/kernel/debug/myalloc
requests=${CONTRACT_REQUESTS:-20000}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=$((8 * PAGE_KB))
expect "contracts: none has a line" test "$(grep -c . $debug/contracts)" = 2
expect "plan" myallocctl contract plan pages:2048@0,9 objects:1000x256 extents:100@5,12
myallocctl -j contract plan pages:2048@0,9 >/tmp/plan.json
expect "plan: 2048 pages in orders 0 and 9 need 3584" \
	grep -q '"needed_pages": *3584' /tmp/plan.json
expect "plan: more than the zone has is not an error" myallocctl contract plan pages:100000@0,9
refuse "plan: no order" myallocctl contract plan pages:512
refuse "create: more than the zone has" myallocctl contract create much pages:100000@0,9
myallocctl contract create held --hold forever pages:512@0-3 objects:100x64+2 >/tmp/create.txt 2>&1 &
holder=$!
n=0
while [ "$(grep -c ^held $debug/contracts)" != 2 ] && [ $n -lt 100 ]; do
	sleep 0.1
	n=$((n + 1))
done
cat $debug/contracts
expect "contracts: two lines" test "$(grep -c ^held $debug/contracts)" = 2
expect "contract_sites: nobody has asked for more" \
	test "$(grep -vc '^#' $debug/contract_sites)" = 1
refuse "create: the name is in use" myallocctl contract create held pages:16@0
expect "list" myallocctl contract list
expect "show" myallocctl contract show held
refuse "show: there is none of this name" myallocctl contract show nobody
expect "validation finds nothing beside a contract" myallocctl validate
expect "end" myallocctl contract end held
expect "the program that held it has ended" wait $holder
cat /tmp/create.txt
refuse "end: it has ended already" myallocctl contract end held
# A number of the last test's result, such as requests.
of()
{
	tr ',' '\n' </tmp/test.json | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p"
}

for adversary in random robson; do
	expect "the adversary $adversary, $requests requests" \
		myallocctl -o /tmp/test.json contract test --adversary $adversary --others greedy \
		--requests "$requests" pages:1024@0,3,6
	note "$(of requests) requests in $(of elapsed_ms) ms, of which $(of failures) failed; others failed $(of others_fails) times"
	expect "$adversary: that many requests were made" test "$(of requests)" -ge "$requests"
	expect "$adversary: none of them failed" test "$(of failures) $(of failed_within)" = "0 0"
done
note "$(of highest_end_pages) of $(of set_aside_pages) pages that are set aside were used"
expect "robson uses at least 95 % of the set-aside" \
	test $((100 * $(of highest_end_pages))) -ge $((95 * $(of set_aside_pages)))
refuse "the adversary robson, with one page less" \
	myallocctl contract test --short 1 --requests "$requests" pages:1024@0,3,6

# The same driver with memory of the kernel and of a contract, while memory is fragmented.
expect "the module unloads" rmmod myalloc
expect "the module loads with more" insmod /guest/modules/myalloc.ko reserve_mb=$((12 * PAGE_KB))
expect "the driver on kmalloc loads" insmod /guest/modules/myalloc_transfer.ko
failed=$(cat /sys/module/myalloc_transfer/parameters/failed)
note "on mempool and page allocator $failed transfers had no memory"
expect "transfers have failed" test "$failed" -gt 0
expect "it unloads" rmmod myalloc_transfer
expect "the driver on a contract loads" insmod /guest/modules/myalloc_transfer.ko contract=1
failed=$(cat /sys/module/myalloc_transfer/parameters/failed)
expect "no transfer has failed" test "$failed" = 0
expect "it unloads again" rmmod myalloc_transfer

# The same while every allocation of the kernel that may not wait fails.
transfers_failing()
{
	insmod /guest/modules/myalloc_transfer.ko transfers=10000 failing=1 "$@"
}

if failures_of_kernel; then
	failing_marked 100
	expect "the driver on kmalloc works while the kernel has no memory" transfers_failing
	failed=$(cat /sys/module/myalloc_transfer/parameters/failed)
	expect "none of 10000 transfers has memory: $failed" test "$failed" = 10000
	expect "it unloads a third time" rmmod myalloc_transfer
	expect "the driver on a contract works while the kernel has no memory" transfers_failing contract=1
	failed=$(cat /sys/module/myalloc_transfer/parameters/failed)
	failing_marked 0
	expect "each of 10000 transfers has memory: $failed have not" test "$failed" = 0
	expect "it unloads a fourth time" rmmod myalloc_transfer
else
	skip "the kernel's own fault injection" "this kernel has none"
fi
expect "validation finds nothing" myallocctl validate
expect "the module unloads again" rmmod myalloc
finish

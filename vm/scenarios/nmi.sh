# Non-maskable interrupts, triggered by QEMU's monitor, that allocate and free: during work with a
# raw lock held, and while the CPU holds the lock of the zone or of a cache. An allocation may fail
# then, a free must always work, and the statistics must be right. On a contract with a share for
# NMIs no allocation fails, while others take all other memory; nor does one of the example driver
# on a contract, while memory is fragmented and NMIs come. The same driver on the kernel's memory
# fails under the same torture.
# needs: timeout=600 nmi=1
. /guest/ktap.sh

parameters=/sys/module/myalloc_nmi/parameters
# The minimum each situation must have seen, and how many NMIs are requested at a time.
enough=25
batch=100

if [ "${GUEST_NMI:-0}" != 1 ]; then
	case $(uname -m) in
	aarch64) skip "NMIs" "they are pseudo-NMIs here, which the emulated machine's monitor cannot trigger" ;;
	*)	skip "NMIs" "no monitor that could trigger them" ;;
	esac
	finish
fi

# of PARAMETER N: print the value for the N-th situation, see mod/clients/nmi.c
of()
{
	cut -d, -f"$2" "$parameters/$1"
}

stat_of()
{
	awk -v n="$1" '$1 == n { print $2 }' /sys/kernel/debug/myalloc/stats
}

least()
{
	tr , '\n' <$parameters/seen | sort -n | head -n 1
}

# ask_for_nmis: request NMIs until there were enough in each situation; sets $asked
ask_for_nmis()
{
	asked=0
	while [ "$(least)" -lt $enough ] && [ $asked -lt 3000 ]; do
		echo "nmi $batch" >/guest/host
		asked=$((asked + batch))
		sleep 3
	done
}

# round CHECKS: load the module with these checks, with both CPUs at work
round()
{
	expect "checks=$1: the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32 checks="$1"
	expect "checks=$1: the client loads" insmod /guest/modules/myalloc_nmi.ko
	myallocctl -o /tmp/run.json stress run --kind mixed --time 600s --threads 2 >/dev/null 2>&1 &
	stress=$!
	ask_for_nmis
	kill -INT $stress
	wait $stress
	note "checks=$1: $asked NMIs were asked for; working, zone locked, cache locked, plain cache locked: seen $(cat $parameters/seen), allocations refused $(cat $parameters/refused), frees $(cat $parameters/freed); $(stat_of deferred_frees) frees of pages deferred"
	if [ "$(least)" -ge $enough ]; then
		ok "checks=$1: NMIs came in each situation"
	else
		not_ok "checks=$1: NMIs came in each situation" "seen: $(cat $parameters/seen)"
	fi
	if [ "$(of refused 2)" -ge $enough ]; then
		ok "checks=$1: with the zone locked no block can be allocated"
	else
		not_ok "checks=$1: with the zone locked no block can be allocated"
	fi
	if [ "$(of freed 2)" -ge $enough ] && [ "$(stat_of deferred_frees)" -ge $enough ]; then
		ok "checks=$1: frees with the zone locked are deferred, not refused"
	else
		not_ok "checks=$1: frees with the zone locked are deferred, not refused"
	fi
	expect "checks=$1: no free failed, nothing was overwritten" \
		test "$(cat $parameters/wrong)" = 0
	if grep -q '"verify_errors": *0' /tmp/run.json && grep -q '"free_errors": *0' /tmp/run.json; then
		ok "checks=$1: the stress beside it saw nothing wrong"
	else
		not_ok "checks=$1: the stress beside it saw nothing wrong" "$(cat /tmp/run.json)"
	fi
	expect "checks=$1: every invariant holds while they come" myallocctl validate
	expect "checks=$1: the client unloads" rmmod myalloc_nmi
	expect "checks=$1: every invariant holds" myallocctl validate
	myallocctl drain >/dev/null
	expect "checks=$1: every page is back" \
		test "$(stat_of free_pages)" = "$(stat_of nr_pages)"
	expect "checks=$1: no free was refused" test "$(stat_of bad_frees)" = 0
	expect "checks=$1: the module unloads" rmmod myalloc
}

# greedy: a stress run that takes all other memory
greedy()
{
	myallocctl -o /tmp/run.json stress run --kind exhaust --time 600s --threads 2 >/dev/null 2>&1 &
	others=$!
}

greedy_ended()
{
	kill -INT "$others"
	wait "$others"
	expect "$1: the stress beside it saw nothing wrong" \
		grep -q '"verify_errors": *0' /tmp/run.json
}

# transfers: in turn the example driver on memory of the kernel and on a contract. It fragments the
# system's memory and takes the rest of the zone.
transfers()
{
	rm -f /tmp/enough
	while [ ! -e /tmp/enough ]; do
		for kind in 0 1; do
			insmod /guest/modules/myalloc_transfer.ko contract=$kind $failing || return
			cat /sys/module/myalloc_transfer/parameters/failed >>/tmp/failed.$kind
			rmmod myalloc_transfer || return
		done
	done &
	others=$!
}

transfers_ended()
{
	touch /tmp/enough
	expect "$1: the example driver came and went" wait "$others"
	note "$1: failed of 50000 transfers, each time: on the kernel's memory" \
		"$(tr '\n' ' ' </tmp/failed.0), on a contract $(tr '\n' ' ' </tmp/failed.1)"
	refuse "$1: transfers on the kernel's memory have failed each time" grep -qx 0 /tmp/failed.0
	expect "$1: none on a contract has failed" test "$(sort -u /tmp/failed.1)" = 0
}

# promised NAME OTHERS: load the module, and the client on a contract, with these others
promised()
{
	expect "$1: the module loads" insmod /guest/modules/myalloc.ko reserve_mb=64
	expect "$1: the client loads" insmod /guest/modules/myalloc_nmi.ko contract=1
	$2
	ask_for_nmis
	expect "$1: every invariant holds while they come" myallocctl validate
	"$2_ended" "$1"
	cat /sys/kernel/debug/myalloc/contracts
	note "$1: $asked NMIs were asked for; working, zone locked, cache locked, plain cache locked: seen $(cat $parameters/seen), allocations refused $(cat $parameters/refused), frees $(cat $parameters/freed)"
	expect "$1: NMIs came in each situation" test "$(least)" -ge $enough
	expect "$1: no allocation was refused" test "$(cat $parameters/refused)" = 0,0,0,0
	expect "$1: no free failed, nothing was overwritten" test "$(cat $parameters/wrong)" = 0
	expect "$1: the client unloads" rmmod myalloc_nmi
	expect "$1: it has ended" test "$(grep -c . /sys/kernel/debug/myalloc/contracts)" = 2
	expect "$1: every invariant holds" myallocctl validate
	myallocctl drain >/dev/null
	expect "$1: every page is back" test "$(stat_of free_pages)" = "$(stat_of nr_pages)"
	expect "$1: the module unloads" rmmod myalloc
}

round -
round FZPU
promised contract greedy

# Where the kernel can, its allocations fail for the transfers, too.
failing=
if failures_of_kernel; then
	failing_marked 100
	failing=failing=1
fi
promised torture transfers
finish

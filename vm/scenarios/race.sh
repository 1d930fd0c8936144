# Two CPUs free the same memory at the same moment, 3,000 times, for each level and kind; then an
# interrupt during a free frees the same memory. No other memory may be affected, and where double
# frees are detected for certain, one of the two is refused.
# On the kernel's command line: RACE_ROUNDS=N instead of 3,000, RACE_KINDS=kind,kind instead of
# all. If the kernel dies, the remaining tests are lost: the last line names the current one.
# needs: timeout=1500
. /guest/ktap.sh

parameters=/sys/module/myalloc_race/parameters
debug=/sys/kernel/debug/myalloc
rounds=${RACE_ROUNDS:-3000}

if [ "$(nproc)" -lt 2 ]; then
	skip "frees that race" "this needs two CPUs"
	finish
fi

# Each refused free is reported, which takes time on a serial line.
echo 1 >/proc/sys/kernel/printk

# of PARAMETER: print its value in the client
of()
{
	cat "$parameters/$1"
}

# zero NAME VALUE
zero()
{
	if [ "$2" = 0 ]; then
		ok "$1"
	else
		not_ok "$1" "it is $2"
	fi
}

# race KIND EXACT HOW: EXACT is 1 where both frees must never be accepted; HOW is 1 if the
# second one is an interrupt.
race()
{
	case ,${RACE_KINDS:-$1}, in
	*",$1,"*) ;;
	*)	return ;;
	esac
	what="$1"
	[ "$3" = 0 ] || what="$1, in an interrupt"
	note "$what: now"
	expect "$what: the client loads" insmod /guest/modules/myalloc_race.ko kind="$1" \
		rounds="$rounds" interrupt="$3" || return
	note "$what: $(of ran) rounds; both frees accepted $(of both), none $(of none), then two users $(of shared)"
	if [ "$(of ran)" = "$rounds" ]; then
		ok "$what: every round had its frees"
	else
		not_ok "$what: every round had its frees"
	fi
	[ "$2" = 0 ] || zero "$what: never are both frees accepted" "$(of both)"
	zero "$what: one of the frees is always accepted" "$(of none)"
	zero "$what: nothing but that one thing is affected" "$(of harmed)"
	expect "$what: every invariant holds" myallocctl validate
	zero "$what: no object is counted as live" \
		"$(awk '$1 == "race" { n = $2 } END { print n + 0 }' $debug/slabinfo)"
	expect "$what: the client unloads" rmmod myalloc_race
	refuse "$what: its cache is gone" test -e $debug/caches/race
	myallocctl drain >/dev/null
	expect "$what: every page is back" \
		test "$(awk '$1 == "free_pages" { print $2 }' $debug/stats)" = \
		"$(awk '$1 == "nr_pages" { print $2 }' $debug/stats)"
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=32
for how in 0 1; do
	for kind in default trusting; do
		race $kind 0 $how
	done
	for kind in certain no-magazine checks zero-4k zero-32k page-0 page-3 exact; do
		race $kind 1 $how
	done
	race contract-object 0 $how
done
race heap 0 0
race lendable 1 0
race contract-page 1 0
expect "the module unloads" rmmod myalloc
finish

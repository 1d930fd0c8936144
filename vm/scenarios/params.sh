# Each invalid parameter is refused at load with a message that states valid values, and all memory
# is freed.
# needs: timeout=900
. /guest/ktap.sh
. /guest/memory.sh

module=/guest/modules/myalloc.ko
bound=$(memory_bound $((64 * PAGE_KB)))

# bad WHAT PARAMETER=VALUE...: the load is refused, one message of the module names the parameter,
# nothing is left, no memory is missing.
bad()
{
	what=$1
	word=${2%%=*}
	shift
	dmesg -c >/dev/null
	before=$(free_kb)
	refuse "$what: refused" insmod $module "$@" || rmmod myalloc
	dmesg >/tmp/said
	if grep -q "myalloc: .*$word" /tmp/said; then
		ok "$what: a sentence says why"
		note "$(sed -n 's/.*\(myalloc: .*\)/\1/p' /tmp/said | tail -n 3)"
	else
		not_ok "$what: a sentence says why" "$(tail -n 5 /tmp/said)"
	fi
	if [ ! -e /sys/kernel/debug/myalloc ] && [ ! -e /dev/myalloc ] &&
	   ! grep -q '^myalloc ' /proc/modules; then
		ok "$what: nothing stays"
	else
		not_ok "$what: nothing stays"
	fi
	lost=$((before - $(free_kb)))
	# The kernel itself allocates some pages now and then; pages lost by the module would be
	# missing again after each further load.
	for again in 2 3 4; do
		[ $lost -ge "$bound" ] || break
		note "load $((again - 1)): $lost kB are missing"
		before=$(free_kb)
		insmod $module "$@" 2>/dev/null && rmmod myalloc
		lost=$((before - $(free_kb)))
	done
	if [ $lost -lt "$bound" ]; then
		ok "$what: the memory is back"
	else
		not_ok "$what: the memory is back" "$lost kB are missing"
	fi
}

# good WHAT PARAMETER=VALUE...: loads, and unloads.
good()
{
	what=$1
	shift
	expect "$what: loads" insmod $module "$@" &&
		expect "$what: unloads" rmmod myalloc
}

# The first load makes the kernel allocate memory that it keeps.
good "no parameter"

total_mb=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
bad "a reserve larger than memory" reserve_mb=$((total_mb + 1024))
bad "a reserve of all memory" reserve_mb="$total_mb"
bad "a reserve of nothing" reserve_mb=0
bad "a negative reserve" reserve_mb=-1
bad "a reserve that is not a number" reserve_mb=many
bad "a number with something after it" reserve_mb=64x
bad "an empty reserve" reserve_mb=
bad "a reserve beyond 64 bits" reserve_mb=99999999999999999999
bad "a reserve that overflows in bytes" reserve_mb=17592186044416
bad "an unknown check letter" checks=FQ
bad "a small check letter" checks=f
bad "an unknown policy" policy=worst
bad "a node that does not exist" node=63
bad "a node below -1" node=-2
bad "a node that is not a number" node=zero
bad "a chunk order that is too large" chunk_order=30
bad "a negative chunk order" chunk_order=-1
bad "a reserve that grows in single pages" chunk_order=0 reserve_mb=16 max_mb=64
bad "a reserve that grows in chunks of half a MiB" chunk_order="$(order_of 512)" reserve_mb=16 max_mb=64
good "a reserve that grows in chunks of 1 MiB" chunk_order="$(order_of 1024)" reserve_mb=16 max_mb=64
bad "a quota of nothing" session_quota=0
bad "a quota of more than all" session_quota=101
bad "a quota that is not a number" session_quota=half

good "a small reserve" reserve_mb=4

# Half of the pages are for one file: the other half is left for other users.
half=$(pages_of 8)
expect "a quota: loads" insmod $module reserve_mb=16 session_quota=50
refuse "a quota: more is refused" myallocctl page alloc --order 0 --count $((half + 1))
cp /tmp/ktap.output /tmp/said
expect "a quota: ... with a sentence" grep -q session_quota /tmp/said
myallocctl page alloc --order 0 --count "$half" --hold forever >/dev/null 2>&1 &
holder=$!
wait_for in_use
expect "a quota: another file has its own" myallocctl page alloc --order 0 --count $((half - half / 14))
refuse "a quota: of objects too" myallocctl cache create big --size 4000 --count 2100
kill -KILL $holder
wait $holder 2>/dev/null
expect "a quota: unloads" rmmod myalloc
good "every check" reserve_mb=16 checks=FZPU
good "node 0" reserve_mb=16 node=0
good "small chunks" reserve_mb=16 chunk_order=3

# small WHAT PARAMETER=VALUE...: minimum and odd configurations: every kind of run, every page
# freed, every invariant.
small()
{
	what=$1
	shift
	expect "$what: loads" insmod $module "$@" || return
	for kind in pages objects mixed cross exhaust heap arena ring pool; do
		expect "$what: $kind" myallocctl stress run --kind $kind --ops 3000 --threads 2
	done
	expect "$what: one thread" myallocctl stress run --kind mixed --ops 3000 --threads 1
	expect "$what: blocks by the device" myallocctl page alloc --order 0 --count $((200 / PAGE_KB))
	expect "$what: every invariant holds" myallocctl validate
	expect "$what: unloads" rmmod myalloc
}

small "single pages" reserve_mb=4 chunk_order=0
small "single pages with every check" reserve_mb=4 chunk_order=0 checks=FZPU
small "1 MiB" reserve_mb=1
small "1 MiB in single pages" reserve_mb=1 chunk_order=0
small "1 MiB with every check" reserve_mb=1 checks=FZPU
for odd in 3 7 65; do
	small "$odd MiB" reserve_mb=$odd
done
small "7 MiB in chunks of 8 pages" reserve_mb=7 chunk_order=3

# node_free_kb N: print the free memory of a NUMA node
node_free_kb()
{
	awk '$3 == "MemFree:" { print $4 }' "/sys/devices/system/node/node$1/meminfo"
}

if [ -e /sys/devices/system/node/node1 ]; then
	first=$(node_free_kb 0)
	second=$(node_free_kb 1)
	expect "node 1: loads" insmod $module reserve_mb=128 node=1
	first=$((first - $(node_free_kb 0)))
	second=$((second - $(node_free_kb 1)))
	note "of node 0 $first kB were taken, of node 1 $second kB"
	if [ $second -ge 114688 ] && [ $first -lt 16384 ]; then
		ok "node 1: the reserve is there"
	else
		not_ok "node 1: the reserve is there"
	fi
	expect "node 1: a run on CPUs of both nodes" \
		myallocctl stress run --kind mixed --ops 2000 --threads 2
	expect "node 1: unloads" rmmod myalloc
else
	skip "node 1" "this machine has one node"
fi

sysfs=/sys/module/myalloc/parameters
insmod $module reserve_mb=8 && {
	expect "the default of a parameter can be read back" test "$(cat $sysfs/chunk_order)" = "$DEFAULT_CHUNK"
	expect "the reserve can be read back" test "$(cat $sysfs/reserve_mb)" = 8
	refuse "the reserve cannot be changed while loaded" \
		sh -c "echo 9 >$sysfs/reserve_mb"
	rmmod myalloc
}
finish

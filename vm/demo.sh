# shellcheck shell=dash
# The demonstration of 'make vm', a house that is lived in: load the module, let four drivers move
# in, look inside during a stress run, make a mistake and read the report, unload. The output is for
# people; the verdict is the exit status and the kernel's log.
# needs: timeout=240

fault=0
dir=/sys/kernel/debug/myalloc
tool=0
[ ! -x /guest/bin/myallocctl ] || tool=1

heading()
{
	echo
	echo "=== $*"
}

# try COMMAND...: show it, run it, remember a failure.
try()
{
	echo "\$ $*"
	"$@" 2>&1 || {
		echo "!!! status $?"
		fault=1
	}
}

# must WHAT COMMAND...: run it, and fail with WHAT if it fails.
must()
{
	local what=$1
	shift
	"$@" >/dev/null 2>&1 || {
		echo "!!! $what"
		fault=1
	}
}

memory_free()
{
	awk '$1 == "MemFree:" { print int($2 / 1024) " MB free" }' /proc/meminfo
}

# wait_until COMMAND...: for at most 20 s.
wait_until()
{
	local tries=0
	until "$@" >/dev/null 2>&1 || [ $tries = 100 ]; do
		sleep 0.2
		tries=$((tries + 1))
	done
}

# shellcheck disable=SC2317 # called by wait_until
kept_are_there()
{
	[ "$(cat "$dir/caches/example-request/objects")" -ge 500 ]
}

echo "Linux $(uname -r), $(grep -c ^processor /proc/cpuinfo) CPUs, $(memory_free)"

heading "Load the allocator: it takes 64 MB from the system, to serve from"
try insmod /guest/modules/myalloc.ko reserve_mb=64
dmesg | sed -n 's/.*\(myalloc: [0-9]* chunks\)/\1/p'
echo "now $(memory_free)"

heading "Four drivers move in: a queue of requests, a web server, packets, a game"
try insmod /guest/modules/myalloc_example.ko keep=500 track=1
try insmod /guest/modules/myalloc_web.ko
try insmod /guest/modules/myalloc_packets.ko
try insmod /guest/modules/myalloc_frame_loop.ko
wait_until kept_are_there

if [ $tool = 1 ]; then
	heading "A stress run begins beside them: pages and objects of all sizes on 2 CPUs"
	echo "\$ myallocctl stress run --kind mixed --seconds 8 --threads 2 &"
	myallocctl stress run --kind mixed --seconds 8 --threads 2 >/tmp/stress 2>&1 &
	stress=$!
	sleep 2

	heading "Who lives here? The largest holders, and who allocates most"
	try myallocctl top --once

	heading "Where is the memory now? What is zero is left out; --all shows it"
	try myallocctl stat show

	heading "What lies where? A map of the reserve: free blocks by order, slabs by fill, page users"
	try myallocctl map
fi

heading "Which sizes are free? Free blocks of 1, 2, 4 ... pages"
try cat $dir/buddyinfo

heading "What do the caches of objects hold? Those in use"
echo "\$ awk '\$2 > 0 || NR <= 2' $dir/slabinfo"
awk '$2 > 0 || NR <= 2' $dir/slabinfo | sed 's/ : tunables .*slabdata/ : .../'
must "the driver's cache is not among them" grep '^example-request *[1-9]' $dir/slabinfo

if [ $tool = 1 ]; then
	heading "The drivers' heap, ring and arenas"
	try myallocctl heap list
	try myallocctl ring list
	try myallocctl arena list
fi

heading "Who has it? Each line is a place in the code, and what was allocated there is still held"
echo "\$ cat $dir/owners"
cat $dir/owners >/tmp/owners
head -n 12 /tmp/owners
must "the driver is not among the owners" grep 'handler.*\[myalloc_example\]' /tmp/owners

if [ $tool = 1 ]; then
	heading "The stress run ends: every byte of every block was verified"
	wait "$stress" || {
		echo "!!! status $?"
		fault=1
	}
	sed -n '/^Run/,/^System/p' /tmp/stress | grep -v '^System'
fi

heading "A mistake: a driver frees a request twice. It is refused, and the report says who did it"
try rmmod myalloc_example
dmesg >/tmp/before
try insmod /guest/modules/myalloc_example.ko wrong_free=1 track=1
dmesg | sed "1,$(wc -l </tmp/before)d" | grep myalloc
try grep '^bad_frees 1$' $dir/stats
if [ $tool = 1 ]; then
	echo "Nothing was damaged by it; every invariant holds:"
	try myallocctl validate
fi

heading "The drivers move out"
for name in example web packets frame_loop; do
	try rmmod myalloc_$name
done
must "a driver is said to have left what another one holds" sh -c '! dmesg | grep "left memory behind"'

# transfer [contract=1]: the same driver on two kinds of memory; sets transfers and failed
transfer()
{
	try insmod /guest/modules/myalloc_transfer.ko "$@"
	transfers=$(cat /sys/module/myalloc_transfer/parameters/transfers)
	failed=$(cat /sys/module/myalloc_transfer/parameters/failed)
	try rmmod myalloc_transfer
}
heading "A driver that must not fail, while memory is fragmented and others are greedy"
transfer
without=$failed
transfer contract=1
echo "Of $transfers transfers $without found no memory with mempool and alloc_pages, and $failed with a contract."
if [ "$without" = 0 ] || [ "$failed" != 0 ]; then
	echo "!!! only those without a contract should have failed"
	fault=1
fi

heading "Unload the allocator: the system has its memory back"
try rmmod myalloc
echo "now $(memory_free)"

echo
if [ $fault = 0 ]; then
	echo "All was well. Try it yourself: make vm-shell"
else
	echo "NOT all was well: see the lines that begin with !!!"
fi
exit $fault

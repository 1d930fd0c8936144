# shellcheck shell=dash
# The demonstration of 'make vm': load the module, run a stress run, look inside while a driver
# holds memory, make a mistake and see the report, unload. The output is for people; the verdict
# is the exit status and the kernel's log.
# needs: timeout=240

fault=0
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

reserved()
{
	awk '$1 == "MemFree:" { print int($2 / 1024) " MB free" }' /proc/meminfo
}

echo "Linux $(uname -r), $(grep -c ^processor /proc/cpuinfo) CPUs, $(reserved)"

heading "load the module, with 64 MB for it to serve"
try insmod /guest/modules/myalloc.ko reserve_mb=64
echo "now $(reserved)"
dmesg | grep 'myalloc: ' | tail -n 5

if [ -x /guest/bin/myallocctl ]; then
	heading "ask the tool what it sees"
	try myallocctl doctor
	try myallocctl info

	heading "work it: pages and objects of all sizes on 2 CPUs for 10 s"
	try myallocctl stress run --kind mixed --seconds 10 --threads 2
fi

heading "a driver moves in: an interrupt each millisecond, the last 500 requests are kept"
try insmod /guest/modules/myalloc_example.ko keep=500 track=1
dir=/sys/kernel/debug/myalloc
tries=0
until [ "$(cat $dir/caches/example-request/objects)" -ge 500 ] || [ $tries = 100 ]; do
	sleep 0.2
	tries=$((tries + 1))
done

if [ -x /guest/bin/myallocctl ]; then
	heading "where the memory is: the statistics that are not zero"
	try myallocctl stat show
fi

heading "look inside"
for name in buddyinfo slabinfo owners; do
	try cat $dir/$name
done
grep -q 'handler.*\[myalloc_example\]' $dir/owners || {
	echo "!!! the driver is not among the owners"
	fault=1
}
# nonzero FILE...: print the lines of the other files whose value is not zero
nonzero()
{
	for file; do
		cat "$file" >/tmp/value || fault=1
		case $file in
		./*)	sed "s/^/${file#./} /" /tmp/value ;;
		*)	cat /tmp/value ;;
		esac
	done >/tmp/values
	awk '!(NF == 2 && ($2 == "0" || $2 == "-1000"))' /tmp/values
}
for name in stats pcp fragmentation reserve; do
	echo "\$ cat $dir/$name"
	nonzero $dir/$name
done
for cache in "$dir"/caches/*; do
	echo "\$ cd $cache; grep . *"
	cd "$cache" || fault=1
	nonzero ./*
	cd /
done

heading "a mistake: a driver frees an object twice"
try rmmod myalloc_example
dmesg >/tmp/before
try insmod /guest/modules/myalloc_example.ko wrong_free=1 track=1
dmesg | sed "1,$(wc -l </tmp/before)d" | grep myalloc
try grep '^bad_frees 1$' $dir/stats

if [ -x /guest/bin/myallocctl ]; then
	heading "nothing was changed by it: every invariant holds"
	try myallocctl validate
fi

heading "the driver moves out"
try rmmod myalloc_example

# transfer [contract=1]: the same driver on two kinds of memory; sets transfers and failed
transfer()
{
	try insmod /guest/modules/myalloc_transfer.ko "$@"
	transfers=$(cat /sys/module/myalloc_transfer/parameters/transfers)
	failed=$(cat /sys/module/myalloc_transfer/parameters/failed)
	try rmmod myalloc_transfer
}
heading "a driver that must not fail, while memory is fragmented and others are greedy"
transfer
without=$failed
transfer contract=1
echo "Of $transfers transfers $without found no memory with mempool and alloc_pages, and $failed with a contract."
if [ "$without" = 0 ] || [ "$failed" != 0 ]; then
	echo "!!! only those without a contract should have failed"
	fault=1
fi

heading "remove the module"
try rmmod myalloc
echo "now $(reserved)"

echo
if [ $fault = 0 ]; then
	echo "All was well."
else
	echo "NOT all was well: see the lines that begin with !!!"
fi
exit $fault

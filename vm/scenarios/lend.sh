# Pages lent to the kernel: if they are freed while a socket, a pipe, a process or others use them,
# they go to quarantine, are not overwritten, and return later. Pages still lent when the module is
# removed return to the system when their last reference is dropped.
# needs: timeout=240
. /guest/ktap.sh

if [ ! -e /guest/modules/myalloc_lend.ko ]; then
	skip "lending" "this kernel has no sockets or no block layer"
	finish
fi
parameters=/sys/module/myalloc_lend/parameters
fifo=/tmp/myalloc_lend

stat_of()
{
	awk -v n="$1" '$1 == n { print $2 }' /sys/kernel/debug/myalloc/stats
}

# round CHECKS: load the module with these checks, and lend in each way
round()
{
	local n=0 way
	expect "checks=$1: the module loads" insmod /guest/modules/myalloc.ko reserve_mb=8 checks="$1"
	expect "checks=$1: the client loads" insmod /guest/modules/myalloc_lend.ko
	for way in count skb socket pipe bio mmap gup; do
		n=$((n + 1))
		expect "checks=$1: $way: the block is kept while it is lent" \
			test "$(cut -d, -f$n $parameters/lent)" = Y
		expect "checks=$1: $way: the block comes back" \
			test "$(cut -d, -f$n $parameters/back)" = Y
	done
	expect "checks=$1: nothing was refused, overwritten or wrong" \
		test "$(cat $parameters/wrong)" = 0
	expect "checks=$1: six blocks were in quarantine" test "$(stat_of quarantines)" = 6
	expect "checks=$1: nothing is damaged" test "$(stat_of corruptions)" = 0
	expect "checks=$1: every invariant holds" myallocctl validate
	expect "checks=$1: the client unloads" rmmod myalloc_lend
	expect "checks=$1: every page is back" \
		test "$(stat_of free_pages)" = "$(stat_of nr_pages)"
	expect "checks=$1: the module unloads" rmmod myalloc
}

mkfifo $fifo
round -
round FZPU

# A page that stays in the pipe: this shell holds it open.
exec 9<>$fifo
expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=8
expect "the client loads" insmod /guest/modules/myalloc_lend.ko keep=1
expect "the client unloads" rmmod myalloc_lend
myallocctl drain >/dev/null
expect "its block is in quarantine" test "$(stat_of quarantined_pages)" = 2
expect "and shown with its owner" grep -q '^(quarantined)' /sys/kernel/debug/myalloc/owners
expect "every invariant holds" myallocctl validate
expect "the module unloads" rmmod myalloc
expect "and says what is lent" sh -c "dmesg | grep -q '2 pages are still lent to the kernel'"
expect "what lies in the pipe is as it was written" \
	test "$(dd bs=4096 count=1 <&9 2>/dev/null | tr -d '\243' | wc -c)" = 0
exec 9>&-
finish

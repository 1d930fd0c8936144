# Pages reported as bad memory, through the kernel's own file for tests: one that is free, one in a
# magazine, one that is allocated, one in a slab. Each is withdrawn, counted and shown, none is
# allocated again, and the module can be unloaded and loaded as before. Without init_on_alloc the
# kernel does not look for bad pages in the blocks that it allocates, so it would allocate the bad
# pages of a block that the module has returned.
# needs: timeout=360 append=init_on_alloc=0
. /guest/ktap.sh
. /guest/memory.sh

offline=/sys/devices/system/memory/hard_offline_page
soft=/sys/devices/system/memory/soft_offline_page
parameters=/sys/module/myalloc_bad/parameters

if [ ! -w $offline ] || [ ! -e /guest/modules/myalloc_bad.ko ]; then
	skip "bad pages" "this kernel has no hard_offline_page"
	finish
fi

stat_of()
{
	awk -v n="$1" '$1 == n { print $2 }' /sys/kernel/debug/myalloc/stats
}

# is NAME NUMBER WHEN: a statistic has this value.
is()
{
	expect "$1 is $2 $3" test "$(stat_of "$1")" = "$2"
}

# report WHAT: the kernel marks the page. It reports that it cannot recover the page, because it
# does not know the user; the mark stays.
report()
{
	phys=$(printf '0x%x' "$(cat $parameters/"$1"_phys)")
	pfn=$(printf '%x' $((phys / 1024 / PAGE_KB)))
	dmesg -c >/dev/null
	refuse "$1: the kernel cannot recover the page itself" sh -c "echo $phys >$offline"
	note "$1: it answers: $(sed 's/.*: //' /tmp/ktap.output); $(dmesg |
		sed -n 's/.*\(Memory failure: .*\)/\1/p' | tr '\n' ';')"
	expect "$1: but has marked it" sh -c "dmesg | grep -qi 'memory failure: 0x$pfn'"
}

expect "the module loads" insmod /guest/modules/myalloc.ko reserve_mb=16
expect "the client loads" insmod /guest/modules/myalloc_bad.ko
pages=$(stat_of nr_pages)
is bad_pages 0 "before any report"

refuse "a page in use cannot be taken away softly" \
	sh -c "echo $(cat $parameters/page_phys) >$soft"
note "soft_offline_page answers: $(sed 's/.*: //' /tmp/ktap.output)"
is bad_pages 0 "after a refused soft offline"

for what in free cached page object; do
	report $what
done
expect "a drain looks for bad pages" myallocctl drain
is bad_pages 2 "after a drain"
expect "every invariant holds" myallocctl validate
expect "the page with a user stays its user's, the slab its cache's" test "$(stat_of page_pages)" = 1
expect "the tool shows it" sh -c "myallocctl stat | grep -q 'bad .* 2 pages'"

expect "the page and the object are freed, and all pages allocated" \
	sh -c "echo 1 >$parameters/release"
is bad_pages 4 "after the users have freed theirs"
expect "no bad page was handed out" test "$(cat $parameters/bad)" = 0
expect "every other page was" test "$(cat $parameters/handed_out)" = $((pages - 4))
myallocctl drain >/dev/null
expect "all others are free" test "$(stat_of free_pages)" = $((pages - 4))
is bad_frees 0
is corruptions 0
expect "every invariant holds at the end" myallocctl validate
expect "each was reported" test "$(dmesg | grep -c 'is bad memory: taken out')" -ge 2

expect "the client unloads" rmmod myalloc_bad
expect "the module unloads" rmmod myalloc
# The kernel withholds the four pages, so the new reserve has none of them.
expect "the module loads again" insmod /guest/modules/myalloc.ko reserve_mb=16
myallocctl drain >/dev/null
is bad_pages 0 "after another load"
expect "and works" myallocctl stress run --ops 10000
expect "and unloads" rmmod myalloc
# Half of the available memory: the returned pages are likely to be in it.
half=$(awk '$1 == "MemAvailable:" { print int($2 / 2048) }' /proc/meminfo)
expect "the module loads with $half MiB" insmod /guest/modules/myalloc.ko reserve_mb="$half"
looked=0
while [ $looked -lt "$(stat_of nr_pages)" ]; do	# a drain looks at 4,096 pages
	myallocctl drain >/dev/null
	looked=$((looked + 4096))
done
is bad_pages 0 "after a load of half of the memory"
expect "and unloads again" rmmod myalloc
finish

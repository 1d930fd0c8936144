# A reserve of half the memory, or of LARGE_MB MiB if set on the kernel's command line: it loads,
# everything can be shown, validated and allocated, and all of it is returned to the system.
# needs: mem=2G timeout=600
. /guest/ktap.sh

free_kb()
{
	awk '$1 == "MemFree:" { print $2 }' /proc/meminfo
}

stat_of()
{
	awk -v n="$1" '$1 == n { print $2 }' /sys/kernel/debug/myalloc/stats
}

now_ms()
{
	awk '{ print int($1 * 1000) }' /proc/uptime
}

# timed WHAT COMMAND...: a test, and a note of how long it took
timed()
{
	began=$(now_ms)
	expect "$@"
	note "$1: $(($(now_ms) - began)) ms"
}

look_at_all()
{
	find /sys/kernel/debug/myalloc -type f -perm -400 -exec cat {} + >/tmp/all
}

before=$(free_kb)
mb=${LARGE_MB:-$((before / 2048))}

timed "$mb MiB: the module loads" insmod /guest/modules/myalloc.ko reserve_mb="$mb"
page_kb=$(($(myallocctl -j info | sed -n 's/.*"page_size": *\([0-9]*\).*/\1/p') / 1024))
expect "all of it is reserved" test $(($(stat_of nr_pages) * page_kb)) = $((mb * 1024))
note "metadata: $(stat_of meta_bytes) bytes, $(($(stat_of meta_bytes) * 1000 / (mb * 1048576))) per mille"
expect "metadata is at most one per cent" \
	test "$(stat_of meta_bytes)" -le $((mb * 1048576 / 100))
timed "every file can be read" look_at_all
timed "every invariant holds" myallocctl validate
timed "a stress run sees nothing wrong" \
	myallocctl stress run --kind exhaust --time 5s --threads 2
expect "every invariant still holds" myallocctl validate
timed "a drain gives everything back" myallocctl drain
expect "every page is free" test "$(stat_of free_pages)" = "$(stat_of nr_pages)"
timed "the module unloads" rmmod myalloc
after=$(free_kb)
note "$before kB were free, $after kB are"
expect "the system has its memory back" test "$after" -gt $((before - before / 20))
finish

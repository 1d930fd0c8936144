# Sourced by a scenario in the guest, after ktap.sh: how much memory the kernel has.
#
#	free_kb			MemFree when what can be reclaimed has been, in kB
#	slab_kb			SUnreclaim likewise
#	memory_bound KB		KB; at least 8 MB on a kernel that keeps what was freed
#				(KASAN's quarantine, records of kmemleak and stack depot)

reclaim()
{
	echo 3 >/proc/sys/vm/drop_caches
	# What was freed waits in per-CPU lists, and is not in MemFree there: compaction
	# empties them.
	echo 1 >/proc/sys/vm/compact_memory 2>/dev/null || :
}

meminfo()
{
	awk -v k="$1:" '$1 == k { print $2 }' /proc/meminfo
}

# Until it grows no more.
free_kb()
{
	memory_most=0
	memory_same=0
	while [ $memory_same -lt 3 ]; do
		reclaim
		memory_now=$(meminfo MemFree)
		memory_same=$((memory_same + 1))
		if [ "$memory_now" -gt $((memory_most + 256)) ]; then
			memory_most=$memory_now
			memory_same=0
		fi
		sleep 0.2
	done
	echo "$memory_most"
}

slab_kb()
{
	reclaim
	for memory_file in /sys/kernel/slab/*/shrink; do
		[ ! -w "$memory_file" ] || echo 1 >"$memory_file"
	done
	meminfo SUnreclaim
}

memory_bound()
{
	if [ -e /sys/kernel/debug/kmemleak ] && [ "$1" -lt 8192 ]; then
		echo 8192
	else
		echo "$1"
	fi
}

# Sourced by a scenario in the guest, after ktap.sh: how much memory the kernel uses.
#
#	free_kb			memory that is free, or whose user the kernel's statistics name;
#				memory from alloc_pages() or vmalloc() is not included
#	slab_kb			SUnreclaim, without empty slabs
#	memory_bound KB		KB; at least 8 MB on a kernel that keeps freed memory
#				(KASAN's quarantine, records of kmemleak and stack depot)
#
# MemFree alone says little: MBs of freed memory wait in per-CPU lists, which only
# /proc/zoneinfo shows, and caches, page tables and slabs grow and shrink.

free_kb()
{
	# Wait for deferred work of vfree() and of the last process to exit.
	sleep 0.3
	# Fold the per-CPU counters.
	cat /proc/sys/vm/stat_refresh 2>/dev/null || :
	awk '
	FILENAME == "/proc/zoneinfo" && $1 == "pages" && $2 == "free" { kb += 4 * $3 }
	FILENAME == "/proc/zoneinfo" && $1 == "count:" { kb += 4 * $2 }
	/^(Buffers|Cached|SwapCached|AnonPages|Slab|PageTables|KernelStack):/ { kb += $2 }
	END { print kb }' /proc/zoneinfo /proc/meminfo
}

slab_kb()
{
	for memory_file in /sys/kernel/slab/*/shrink; do
		[ ! -w "$memory_file" ] || echo 1 >"$memory_file"
	done
	awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo
}

memory_bound()
{
	if [ -e /sys/kernel/debug/kmemleak ] && [ "$1" -lt 8192 ]; then
		echo 8192
	else
		echo "$1"
	fi
}

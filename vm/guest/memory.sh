# Sourced by a scenario in the guest, after ktap.sh: how much memory the kernel uses.
#
#	free_kb			memory that is free, or whose user the kernel's statistics name;
#				memory from alloc_pages() or vmalloc() is not included
#	slab_kb			SUnreclaim, without empty slabs
#	memory_bound KB		KB; at least 8 MB on a kernel that keeps freed memory
#				(KASAN's quarantine, records of kmemleak and stack depot)
#	pages_of MB		pages in MB; $PAGE_KB is the size of one
#	order_of KB		log2 of the pages in KB, a power of two
#	$DEFAULT_CHUNK		log2 of the pages in a chunk, if no parameter says otherwise
#	$SMALL_CHUNK		the same of one of 4 MiB, or of the largest if that is smaller
#	pages_in_chunks		of the allocator's pages, those that are free in blocks of at
#				least $DEFAULT_CHUNK
#
# MemFree alone is not enough: MBs of freed memory are in per-CPU lists, which only /proc/zoneinfo
# shows, and caches, page tables and slabs grow and shrink.

# The auxiliary vector of each process; entry 6 is AT_PAGESZ.
PAGE_KB=$(od -An -v -t d8 -w16 /proc/self/auxv | awk '$1 == 6 { print $2 / 1024 }')

pages_of()
{
	echo $(($1 * 1024 / PAGE_KB))
}

order_of()
{
	awk -v pages=$(($1 / PAGE_KB)) 'BEGIN { while (pages > 1) { pages /= 2; n++ } print n + 0 }'
}

# The file has a column for each order of the kernel, after four words.
DEFAULT_CHUNK=$(awk '{ print NF - 5 < 10 ? NF - 5 : 10; exit }' /proc/buddyinfo)

SMALL_CHUNK=$(order_of 4096)
[ "$SMALL_CHUNK" -le "$DEFAULT_CHUNK" ] || SMALL_CHUNK=$DEFAULT_CHUNK

pages_in_chunks()
{
	awk -v chunk="$DEFAULT_CHUNK" '
	$4 == "myalloc" {
		for (i = 5 + chunk; i <= NF; i++) {
			pages = $i
			for (k = 5; k < i; k++)		# the guest has no power operator
				pages *= 2
			sum += pages
		}
	}
	END { print sum + 0 }' /sys/kernel/debug/myalloc/buddyinfo
}

free_kb()
{
	# Wait for deferred work of vfree() and of the last process to exit.
	sleep 0.3
	# Fold the per-CPU counters.
	cat /proc/sys/vm/stat_refresh 2>/dev/null || :
	awk -v page_kb="$PAGE_KB" '
	FILENAME == "/proc/zoneinfo" && $1 == "pages" && $2 == "free" { kb += page_kb * $3 }
	FILENAME == "/proc/zoneinfo" && $1 == "count:" { kb += page_kb * $2 }
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

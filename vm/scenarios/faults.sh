# The k-th allocation fails, for each possible k, while the module is loaded and in every
# command of the device: by the module's own fault injection on every kernel, and by the
# kernel's failslab and fail_page_alloc where it has them. Nothing may be lost.
# needs: timeout=900 variant=faults
# allow: .*page allocation failure
. /guest/ktap.sh
. /guest/memory.sh

module=/guest/modules/myalloc.ko

suite own fault_test own $module

# A page lost in each failed load would be 48 pages, a chunk 48 MB. The kernel itself allocates
# pages now and then, but not each time.
bound=$(memory_bound $((24 * PAGE_KB)))
lost=$bound
attempt=0
while [ $attempt -lt 3 ] && [ "$lost" -ge "$bound" ]; do
	attempt=$((attempt + 1))
	before=$(free_kb)
	k=0
	while [ $k -lt 48 ]; do
		insmod $module reserve_mb=8 chunk_order="$(order_of 1024)" fail_nth=$((k % 24 + 1)) 2>/dev/null &&
			rmmod myalloc
		k=$((k + 1))
	done
	lost=$((before - $(free_kb)))
	note "48 failed loads: $lost kB are missing, bound $bound kB"
done
if [ "$lost" -lt "$bound" ]; then
	ok "48 failed loads leave the memory where it was"
else
	not_ok "48 failed loads leave the memory where it was"
fi

if failures_of_kernel; then
	suite kernel fault_test kernel $module
else
	skip "the kernel's own fault injection" "this kernel has none"
fi
finish

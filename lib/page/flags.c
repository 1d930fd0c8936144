// SPDX-License-Identifier: GPL-2.0
/*
 * Checks of the flags of requests
 *
 * A caller that passes GFP flags, or flags of a cache, expects something that the allocator does
 * not do: __GFP_ZERO, taken as a flag of this allocator, would yield memory that is not zeroed.
 * So a request with an unknown flag is refused in the same way as by a full zone, and a report
 * names the flags and the caller. The fast path handles only MYALLOC_MAY_WAIT and leaves all
 * other flags to the slow path, so the check costs it nothing.
 *
 * MYALLOC_MAY_WAIT in a context that may not sleep would deadlock as soon as the zone is full. A
 * debug kernel reports each such request (myalloc_env_might_wait()). Other kernels check each
 * request that takes the slow path: if the kernel knows that the caller may not sleep, the
 * request is served as if it did not have the flag, and the first such request of a zone is
 * reported. Without CONFIG_PREEMPT_COUNT a kernel does not know about spinlocks.
 */
#include "env.h"
#include "page/flags.h"
#include "page/zone_report.h"

/**
 * __myalloc_flags_check() - the slow part of myalloc_flags_check()
 * @zone: the zone
 * @flags: flags of the request, other than just MYALLOC_ZERO
 * @known: as for myalloc_flags_check()
 * @caller: as for myalloc_flags_check()
 *
 * Context: any.
 * Return: as for myalloc_flags_check().
 */
noinline bool __myalloc_flags_check(struct myalloc_zone *zone, myalloc_flags_t *flags,
				    myalloc_flags_t known, unsigned long caller)
{
	myalloc_flags_t unknown = *flags & ~known;

	if (unlikely(unknown)) {
		myalloc_site_err(zone, caller, "request from %c refused: unknown flags 0x%x, allowed are 0x%x (GFP flags are not)",
				 MYALLOC_REPORT_MARK, (__force u32)unknown, (__force u32)known);
		return false;
	}
	if (likely(!(*flags & MYALLOC_MAY_WAIT) || myalloc_env_may_wait()))
		return true;
	*flags &= ~MYALLOC_MAY_WAIT;
	if (!xchg(&zone->told_wait, true))
		myalloc_site_err(zone, caller, "MYALLOC_MAY_WAIT from %c, which may not sleep: ignored; further cases are not reported",
				 MYALLOC_REPORT_MARK);
	return true;
}

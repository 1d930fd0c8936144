// SPDX-License-Identifier: GPL-2.0
/*
 * Flags of requests that a caller got wrong
 *
 * A caller who passes GFP flags, or flags of a cache, means something that the allocator does
 * not do: __GFP_ZERO would be memory that is not zero. So a flag that does not belong to a
 * request is refused, as a full zone refuses it, with a report that names the flag and the
 * caller. A fast path knows MYALLOC_MAY_WAIT only and leaves all others to the slow path; the
 * check costs it nothing.
 *
 * MYALLOC_MAY_WAIT where the caller may not sleep would be a deadlock on the day when the zone
 * is full. A debug kernel reports each such request (myalloc_env_might_wait()). In other kernels
 * every request that takes the slow path is looked at: as far as the kernel knows that it may
 * not sleep, it is served as one without the flag, and the first one of a zone is reported.
 * Where CONFIG_PREEMPT_COUNT is not set, a kernel does not know of spinlocks.
 */
#include "env.h"
#include "page/flags.h"
#include "page/zone_report.h"

/* See myalloc_flags_check(). */
noinline bool __myalloc_flags_check(struct myalloc_zone *zone, myalloc_flags_t *flags,
				    myalloc_flags_t known, unsigned long caller)
{
	myalloc_flags_t unknown = *flags & ~known;
	char from[48];

	if (unlikely(unknown)) {
		myalloc_env_symbol(from, sizeof(from), caller);
		myalloc_zone_err(zone, "request from %s refused: flags 0x%x are unknown there, known are 0x%x (GFP flags are not)",
				 from, (__force u32)unknown, (__force u32)known);
		return false;
	}
	if (likely(!(*flags & MYALLOC_MAY_WAIT) || myalloc_env_may_wait()))
		return true;
	*flags &= ~MYALLOC_MAY_WAIT;
	if (!xchg(&zone->told_wait, true)) {
		myalloc_env_symbol(from, sizeof(from), caller);
		myalloc_zone_err(zone, "MYALLOC_MAY_WAIT from %s, which may not sleep: ignored, there and from now on",
				 from);
	}
	return true;
}

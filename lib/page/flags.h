/* SPDX-License-Identifier: GPL-2.0 */
/* Flags of a request for memory, and whether it may sleep */
#ifndef MYALLOC_FLAGS_H
#define MYALLOC_FLAGS_H

#include "zone_types.h"

bool __myalloc_flags_check(struct myalloc_zone *zone, myalloc_flags_t *flags,
			   myalloc_flags_t known, unsigned long caller);

/**
 * myalloc_flags_check() - check the flags of a request
 * @zone: the zone
 * @flags: flags of the request; MYALLOC_MAY_WAIT is cleared if the caller may not sleep
 * @known: flags that such a request may have, including MYALLOC_ZERO
 * @caller: code address of the caller
 *
 * Context: any.
 * Return: false if @flags has a flag that is not in @known; this is reported.
 */
static __always_inline bool myalloc_flags_check(struct myalloc_zone *zone,
						myalloc_flags_t *flags, myalloc_flags_t known,
						unsigned long caller)
{
	return likely(!(*flags & ~MYALLOC_ZERO)) ||
	       __myalloc_flags_check(zone, flags, known, caller);
}

/**
 * myalloc_flags_might_wait() - report a caller that may not sleep although it may wait
 * @flags: flags of the request
 *
 * Called first by each request. A kernel that checks for sleeping in atomic context reports a
 * misused MYALLOC_MAY_WAIT at once; in other kernels this costs nothing.
 *
 * Context: any; with MYALLOC_MAY_WAIT, task, may sleep.
 */
static __always_inline void myalloc_flags_might_wait(myalloc_flags_t flags)
{
	if (flags & MYALLOC_MAY_WAIT)
		myalloc_env_might_wait();
}

#endif /* MYALLOC_FLAGS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* What a request for memory may ask for, and whether it may sleep. */
#ifndef MYALLOC_FLAGS_H
#define MYALLOC_FLAGS_H

#include "zone_types.h"

bool __myalloc_flags_check(struct myalloc_zone *zone, myalloc_flags_t *flags,
			   myalloc_flags_t known, unsigned long caller);

/**
 * myalloc_flags_check() - may a request with these flags go on?
 * @zone: the zone
 * @flags: of the request; MYALLOC_MAY_WAIT is taken out where the caller may not sleep
 * @known: flags that such a request may have, MYALLOC_ZERO among them
 * @caller: address of the code that asked
 *
 * Context: any.
 * Return: false if there is a flag that is not @known: reported.
 */
static __always_inline bool myalloc_flags_check(struct myalloc_zone *zone,
						myalloc_flags_t *flags, myalloc_flags_t known,
						unsigned long caller)
{
	return likely(!(*flags & ~MYALLOC_ZERO)) ||
	       __myalloc_flags_check(zone, flags, known, caller);
}

/*
 * Each request calls this first. A kernel that checks where code sleeps says at once what a
 * request with MYALLOC_MAY_WAIT does wrong; in others it costs nothing.
 */
static __always_inline void myalloc_flags_might_wait(myalloc_flags_t flags)
{
	if (flags & MYALLOC_MAY_WAIT)
		myalloc_env_might_wait();
}

#endif /* MYALLOC_FLAGS_H */

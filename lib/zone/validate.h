/* SPDX-License-Identifier: GPL-2.0 */
/* Recount everything from the ground. */
#ifndef MYALLOC_VALIDATE_H
#define MYALLOC_VALIDATE_H

#include "object/cache.h"
#include "zone/zone.h"

#define MYALLOC_FINDING_SIZE	160	/* the longest finding, about a cache's counts, has 154 */

/**
 * struct myalloc_validation - what a validation found
 * @errors: invariants broken
 * @frames: frames looked at
 * @slabs: slabs looked at
 * @objects: slots looked at
 * @first: the first finding in words, beginning with the invariant's number
 */
struct myalloc_validation {
	u64 errors;
	u64 frames;
	u64 slabs;
	u64 objects;
	char first[MYALLOC_FINDING_SIZE];
};

bool myalloc_buddy_validate(const struct myalloc_buddy *buddy,
			    struct myalloc_validation *v);
bool myalloc_cache_validate(struct myalloc_cache *cache, struct myalloc_validation *v);
bool myalloc_zone_validate(struct myalloc_zone *zone, struct myalloc_validation *v);

#endif /* MYALLOC_VALIDATE_H */

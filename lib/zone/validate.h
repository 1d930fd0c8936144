/* SPDX-License-Identifier: GPL-2.0 */
/* Validation: recount everything from the lowest-level facts. */
#ifndef MYALLOC_VALIDATE_H
#define MYALLOC_VALIDATE_H

#include "object/cache.h"
#include "zone/zone.h"

#define MYALLOC_FINDING_SIZE	160	/* bytes; the longest, about a cache's counts, has 154 */

/**
 * struct myalloc_validation - result of a validation
 * @errors: number of violated invariants
 * @frames: frames checked
 * @slabs: slabs checked
 * @objects: slots checked
 * @first: text of the first finding, beginning with the name of the invariant
 */
struct myalloc_validation {
	u64 errors;
	u64 frames;
	u64 slabs;
	u64 objects;
	char first[MYALLOC_FINDING_SIZE];
};

__printf(2, 3)
void myalloc_finding(struct myalloc_validation *v, const char *fmt, ...);
bool myalloc_buddy_validate(const struct myalloc_buddy *buddy,
			    struct myalloc_validation *v);
bool myalloc_cache_validate(struct myalloc_cache *cache, struct myalloc_validation *v);
bool myalloc_zone_validate(struct myalloc_zone *zone, struct myalloc_validation *v);

#endif /* MYALLOC_VALIDATE_H */

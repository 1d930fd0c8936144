/* SPDX-License-Identifier: GPL-2.0 */
/* What validations find, and how much they have checked. */
#ifndef MYALLOC_FINDING_H
#define MYALLOC_FINDING_H

#include "env.h"

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
bool myalloc_finding(struct myalloc_validation *v, const char *fmt, ...);

#endif /* MYALLOC_FINDING_H */

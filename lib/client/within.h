/* SPDX-License-Identifier: GPL-2.0 */
/* What users hold within contracts: see within.c. */
#ifndef MYALLOC_WITHIN_H
#define MYALLOC_WITHIN_H

#include "object/track.h"
#include "zone/zone.h"

/**
 * struct myalloc_within - a walk over the memory in use within the contracts of a zone
 * @block: called for each block and extent in use, of users or not, with the zone of its line.
 *	False ends the walk over this part of the line. NULL: lines of pages are left out
 * @object: called for each live object, under the lock of its cache. NULL: lines of objects are
 *	left out
 * @arg: argument for both
 *
 * Both are called with preemption off. The limit of the zone leads to the line
 * (myalloc_contract_part_of()).
 */
struct myalloc_within {
	myalloc_frame_fn block;
	myalloc_object_fn object;
	void *arg;
};

void myalloc_within_walk(struct myalloc_zone *zone, const struct myalloc_within *within);
void myalloc_within_name(struct myalloc_zone *zone, u32 id, char *name, size_t size);

#endif /* MYALLOC_WITHIN_H */

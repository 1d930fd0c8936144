/* SPDX-License-Identifier: GPL-2.0 */
/* The fronts of a zone: heaps, object pools, arenas, rings and contracts. See front.c. */
#ifndef MYALLOC_FRONT_H
#define MYALLOC_FRONT_H

#include "zone_types.h"

/* Called under fronts_mutex for each front; false ends the walk. */
typedef bool (*myalloc_front_fn)(struct myalloc_front *front, void *arg);

int myalloc_front_add(struct myalloc_zone *zone, struct myalloc_front *front,
		      const struct myalloc_front_kind *kind, const char *name);
void myalloc_front_remove(struct myalloc_front *front);
struct myalloc_front *myalloc_front_first(struct myalloc_zone *zone);
void myalloc_front_walk_from(struct myalloc_zone *zone, const struct myalloc_front_kind *kind,
			     u64 from, myalloc_front_fn fn, void *arg);

/**
 * myalloc_front_walk() - visit the fronts of a zone
 * @zone: the zone
 * @kind: only fronts of this kind; NULL for all
 * @fn: as for myalloc_front_walk_from()
 * @arg: argument for @fn
 *
 * Context: task, may sleep.
 */
static inline void myalloc_front_walk(struct myalloc_zone *zone,
				      const struct myalloc_front_kind *kind, myalloc_front_fn fn,
				      void *arg)
{
	myalloc_front_walk_from(zone, kind, 0, fn, arg);
}

#endif /* MYALLOC_FRONT_H */

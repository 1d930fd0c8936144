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
void myalloc_front_walk(struct myalloc_zone *zone, const struct myalloc_front_kind *kind,
			myalloc_front_fn fn, void *arg);

#endif /* MYALLOC_FRONT_H */

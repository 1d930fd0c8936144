/* SPDX-License-Identifier: GPL-2.0 */
/* Extents with an owner, for rooms above; users without one have myalloc.h. */
#ifndef MYALLOC_EXTENT_H
#define MYALLOC_EXTENT_H

#include "zone_types.h"

void *myalloc_extent_take(struct myalloc_zone *zone, u32 nr_pages, unsigned int align_order,
			  myalloc_flags_t flags, u32 owner, unsigned long caller);
int myalloc_extent_give(struct myalloc_zone *zone, void *addr, u32 nr_pages, u32 owner,
			unsigned long caller);
void *myalloc_extent_alloc(struct myalloc_zone *zone, u32 nr_pages, unsigned int align_order,
			   myalloc_flags_t flags, u32 owner, unsigned long caller);
int myalloc_extent_free(struct myalloc_zone *zone, void *addr, u32 nr_pages, u32 owner,
			unsigned long caller);
bool myalloc_extent_resize(struct myalloc_zone *zone, void *addr, u32 nr, u32 to,
			   myalloc_flags_t flags, u32 owner, unsigned long caller);
u32 myalloc_owner_add(struct myalloc_zone *zone);
void myalloc_owner_counts_for(struct myalloc_zone *zone, u32 owner, struct myalloc_client *client);
void myalloc_owner_remove(struct myalloc_zone *zone, u32 owner);

#endif /* MYALLOC_EXTENT_H */

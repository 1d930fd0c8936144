/* SPDX-License-Identifier: GPL-2.0 */
/* Blocks: the buddy system under its lock, with tags and statistics */
#ifndef MYALLOC_BLOCK_H
#define MYALLOC_BLOCK_H

#include "zone_types.h"

struct myalloc_frame *__myalloc_zone_take(struct myalloc_zone *zone, unsigned int order,
					  bool topdown, u32 tag);
void __myalloc_zone_given(struct myalloc_zone *zone, u32 idx, u32 nr);
enum myalloc_bad __myalloc_zone_give(struct myalloc_zone *zone,
				     struct myalloc_frame *frame);
void __myalloc_zone_account(struct myalloc_zone *zone);
void __myalloc_zone_mark(struct myalloc_zone *zone);
void __myalloc_block_take_bad(struct myalloc_zone *zone, u32 idx);
void __myalloc_zone_reap(struct myalloc_zone *zone, unsigned int most);
void myalloc_zone_reap_all(struct myalloc_zone *zone);
void myalloc_zone_count_fail(struct myalloc_zone *zone, unsigned int order);
struct myalloc_frame *myalloc_zone_take(struct myalloc_zone *zone, unsigned int order,
					myalloc_flags_t flags, u32 tag);
void myalloc_zone_give(struct myalloc_zone *zone, struct myalloc_frame *frame);
void myalloc_zone_defer_extent(struct myalloc_zone *zone, struct myalloc_frame *frame, u32 pages);

void myalloc_pages_post_alloc(struct myalloc_zone *zone, void *addr, size_t size,
			      myalloc_flags_t flags);
void myalloc_pages_note_free(struct myalloc_zone *zone, struct myalloc_frame *first, u32 nr,
			     unsigned long caller);
void myalloc_pages_pre_free(struct myalloc_zone *zone, void *addr, size_t size,
			    unsigned long caller);

/**
 * myalloc_frame_is_bad() - has the machine reported this page as bad?
 * @zone: the zone
 * @idx: index of the frame
 *
 * Context: any.
 * Return: true if it has; false if the zone is simulated and so has no pages.
 */
static inline bool myalloc_frame_is_bad(const struct myalloc_zone *zone, u32 idx)
{
	return !zone->simulated && myalloc_env_page_bad(myalloc_frame_addr(zone, idx));
}

#endif /* MYALLOC_BLOCK_H */

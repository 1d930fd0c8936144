/* SPDX-License-Identifier: GPL-2.0 */
/* Page magazines, and the common parts of single blocks (pages.c) and extents (extent.c) */
#ifndef MYALLOC_PCP_H
#define MYALLOC_PCP_H

#include "page/block.h"

int myalloc_pcp_init(struct myalloc_zone *zone, bool none);
void myalloc_pcp_fini(struct myalloc_zone *zone);

void *myalloc_pages_alloc_for(struct myalloc_zone *zone, unsigned int order,
			      myalloc_flags_t flags, unsigned long caller);
void *myalloc_pages_try_for(struct myalloc_zone *zone, unsigned int order,
			    myalloc_flags_t flags, unsigned long caller);
void myalloc_pages_failed(struct myalloc_zone *zone, unsigned int order, myalloc_flags_t flags,
			  unsigned long caller);
int myalloc_pages_free_for(struct myalloc_zone *zone, void *addr, unsigned int order,
			   unsigned long caller);
void myalloc_pages_trace_alloc(const struct myalloc_zone *zone, const void *addr, u32 nr_pages,
			       myalloc_flags_t flags, unsigned long caller);
void myalloc_pages_trace_free(const struct myalloc_zone *zone, const void *addr, u32 nr_pages,
			      unsigned long caller);
void myalloc_pages_trace_fail(const struct myalloc_zone *zone, u32 nr_pages,
			      myalloc_flags_t flags, unsigned long caller);
int myalloc_pages_bad_free(struct myalloc_zone *zone, const void *addr,
			   enum myalloc_frame_type as, u32 owner, const char *what,
			   unsigned long caller);

/**
 * myalloc_pages_claim() - claim a block in order to free it
 * @frame: any descriptor of the zone
 * @order: order of the block, at most MYALLOC_TOP_ORDER
 * @tag: the tag of a user's block of this order
 *
 * Context: any.
 * Return: true if such a block begins there and no other free has claimed it: then it is FREEING
 * and owned by the caller, who passes it to myalloc_zone_give(). Otherwise nothing has changed.
 */
static __always_inline bool myalloc_pages_claim(struct myalloc_frame *frame, unsigned int order,
						u32 tag)
{
	myalloc_env_point("page-checked");
	return try_cmpxchg(&frame->tag, &tag, myalloc_frame_tag(MYALLOC_FRAME_FREEING, order, 0));
}

#endif /* MYALLOC_PCP_H */

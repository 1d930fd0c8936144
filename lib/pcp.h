/* SPDX-License-Identifier: GPL-2.0 */
/* Page magazines, and what single blocks (pcp.c) and extents (run.c) have in common. */
#ifndef MYALLOC_PCP_H
#define MYALLOC_PCP_H

#include "zone.h"

int myalloc_pcp_init(struct myalloc_zone *zone, bool none);
void myalloc_pcp_fini(struct myalloc_zone *zone);
void myalloc_pcp_flush(void *zone, struct myalloc_slot *slot, u32 nr);
void myalloc_pcp_remake(struct myalloc_zone *zone, unsigned int list, int cpu);

void myalloc_pages_post_alloc(struct myalloc_zone *zone, void *addr, size_t size,
			      unsigned int flags);
void myalloc_pages_pre_free(struct myalloc_zone *zone, void *addr, size_t size);
int myalloc_pages_bad_free(struct myalloc_zone *zone, const void *addr,
			   enum myalloc_frame_type as, const char *what);

/* The tag of the first frame of a block that a user has. */
static __always_inline u32 myalloc_user_tag(unsigned int order)
{
	return myalloc_frame_tag(MYALLOC_FRAME_PAGE, order, 0);
}

#endif /* MYALLOC_PCP_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Validation of a buddy system: as a whole, or block by block by those who walk over a zone. */
#ifndef MYALLOC_VALIDATE_BUDDY_H
#define MYALLOC_VALIDATE_BUDDY_H

#include "page/block.h"
#include "zone/finding.h"

/* Free blocks that a walk has counted: their frames, and their number by order. */
struct myalloc_recount {
	u32 free;
	u32 blocks[MYALLOC_NR_ORDERS];
};

/**
 * myalloc_validate_head() - does a block begin at a frame?
 * @b: the buddy
 * @idx: index of the frame
 *
 * Context: any.
 * Return: true if one does.
 */
static inline bool myalloc_validate_head(const struct myalloc_buddy *b, u32 idx)
{
	return b->head[idx / 64] >> (idx % 64) & 1;
}

u32 myalloc_validate_block(const struct myalloc_buddy *b, u32 idx, struct myalloc_recount *r,
			   struct myalloc_validation *v);
void myalloc_validate_counts(const struct myalloc_buddy *b, const struct myalloc_recount *r,
			     struct myalloc_validation *v);
void myalloc_validate_tree(struct myalloc_zone *zone, const struct myalloc_bitmap_tree *tree,
			   unsigned int order, struct myalloc_validation *v);
bool myalloc_buddy_validate(const struct myalloc_buddy *buddy, struct myalloc_validation *v);

#endif /* MYALLOC_VALIDATE_BUDDY_H */

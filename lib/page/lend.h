/* SPDX-License-Identifier: GPL-2.0 */
/* Lendable blocks, and the quarantine for freed blocks that are still referenced */
#ifndef MYALLOC_LEND_H
#define MYALLOC_LEND_H

#include "page/block.h"

/**
 * myalloc_lent_tag() - the tag of a lendable block
 * @order: order of the block
 *
 * Context: any.
 * Return: the tag of its first frame.
 */
static __always_inline u32 myalloc_lent_tag(unsigned int order)
{
	return myalloc_frame_tag(MYALLOC_FRAME_LENT, order, 0);
}

bool myalloc_lend_referenced(const struct myalloc_zone *zone, u32 idx, u32 nr);
bool myalloc_lend_hold(struct myalloc_zone *zone, struct myalloc_frame *frame, bool lent);
bool myalloc_lend_hold_slab(struct myalloc_zone *zone, struct myalloc_frame *frame);
u32 myalloc_quarantine_poll(struct myalloc_zone *zone, u32 most);
void myalloc_quarantine_drain(struct myalloc_zone *zone);
u32 myalloc_quarantine_abandon(struct myalloc_zone *zone);

#endif /* MYALLOC_LEND_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* A buddy system on frame indices; takes no locks and allocates no memory */
#ifndef MYALLOC_BUDDY_H
#define MYALLOC_BUDDY_H

#include "base/bad_free.h"
#include "base/bitmap_tree.h"
#include "myalloc.h"

#define MYALLOC_NO_FRAME	U32_MAX

/* Where a new block is placed. Both policies are deterministic. */
enum myalloc_policy {
	MYALLOC_BEST_FIT = 0,	/* smallest sufficient free block, lowest address */
	MYALLOC_FIRST_FIT = 1,	/* sufficient free block with the lowest address */
	MYALLOC_NR_POLICIES
};

/**
 * struct myalloc_buddy - see buddy.c for the theory
 * @nr_frames: number of frames managed; indices are 0 to @nr_frames - 1
 * @nr_free: number of frames in free blocks
 * @nonempty: bit k is set while a block of order k is free
 * @top_order: order of the largest block
 * @policy: enum myalloc_policy
 * @nr_blocks: number of free blocks of each order
 * @nr_splits: blocks split since init
 * @nr_merges: pairs of buddies merged since init
 * @head: bit i is set if a block, free or not, begins at frame i
 * @free: per order k: bit i >> k is set if a free block of that order begins at frame i
 */
struct myalloc_buddy {
	u32 nr_frames;
	u32 nr_free;
	u32 nonempty;
	u8 top_order;
	u8 policy;
	u32 nr_blocks[MYALLOC_NR_ORDERS];
	u64 nr_splits;
	u64 nr_merges;
	u64 *head;
	struct myalloc_bitmap_tree free[MYALLOC_NR_ORDERS];
};

size_t myalloc_buddy_meta_size(u32 nr_frames, unsigned int top_order);
void myalloc_buddy_init(struct myalloc_buddy *buddy, u32 nr_frames,
			unsigned int top_order, enum myalloc_policy policy,
			void *meta);

u32 myalloc_buddy_alloc(struct myalloc_buddy *buddy, unsigned int order,
			bool topdown);
u32 myalloc_buddy_alloc_exact(struct myalloc_buddy *buddy, u32 nr,
			      unsigned int align_order, bool topdown);
bool myalloc_buddy_may_hold(const struct myalloc_buddy *buddy, u32 nr,
			    unsigned int align_order);
u32 myalloc_buddy_alloc_exact_in(struct myalloc_buddy *buddy, u32 slot, u32 nr,
				 unsigned int align_order, bool topdown);
int myalloc_buddy_alloc_range(struct myalloc_buddy *buddy, u32 idx, u32 nr);

enum myalloc_bad myalloc_buddy_free(struct myalloc_buddy *buddy, u32 idx,
				    unsigned int order);
enum myalloc_bad myalloc_buddy_free_exact(struct myalloc_buddy *buddy, u32 idx,
					  u32 nr);
unsigned int myalloc_buddy_piece(const struct myalloc_buddy *buddy, u32 idx, u32 nr);

/**
 * struct myalloc_block - result of myalloc_buddy_lookup()
 * @idx: first frame of the block
 * @order: log2 of its frames
 * @free: whether it is free
 */
struct myalloc_block {
	u32 idx;
	unsigned int order;
	bool free;
};

bool myalloc_buddy_lookup(const struct myalloc_buddy *buddy, u32 idx,
			  struct myalloc_block *block);
int myalloc_buddy_unusable(const struct myalloc_buddy *buddy, unsigned int order);
int myalloc_buddy_extfrag(const struct myalloc_buddy *buddy, unsigned int order);

/**
 * myalloc_buddy_largest() - order of the largest free block
 * @buddy: the buddy system
 *
 * Context: any.
 * Return: log2 of its frames; -1 if nothing is free.
 */
static inline int myalloc_buddy_largest(const struct myalloc_buddy *buddy)
{
	return fls(buddy->nonempty) - 1;
}

#endif /* MYALLOC_BUDDY_H */

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
 * struct myalloc_joined - additional state for blocks that are larger than a chunk
 * @free: trees of the orders above MYALLOC_CHUNK_MAX
 * @limit: order of the largest block that may begin at each chunk
 */
struct myalloc_joined {
	struct myalloc_bitmap_tree free[MYALLOC_TOP_ORDER - MYALLOC_CHUNK_MAX];
	u8 limit[];
};

/**
 * struct myalloc_buddy - see buddy.c for the theory
 * @nr_frames: number of frames managed; indices are 0 to @nr_frames - 1
 * @nr_free: number of frames in free blocks
 * @nonempty: bit k is set while a block of order k is free
 * @chunk_order: log2 of frames in a chunk; up to this order any aligned index may begin a block
 * @top_order: order of the largest block, at least @chunk_order
 * @policy: enum myalloc_policy
 * @nr_blocks: number of free blocks of each order
 * @nr_splits: blocks split since init
 * @nr_merges: pairs of buddies merged since init
 * @head: bit i is set if a block, free or not, begins at frame i
 * @joined: the rest if chunks are joined; NULL if @top_order is @chunk_order
 * @free: per order k: bit i >> min(k, @chunk_order) is set if a free block of that order begins at
 *	frame i
 */
struct myalloc_buddy {
	u32 nr_frames;
	u32 nr_free;
	u32 nonempty;
	u8 chunk_order;
	u8 top_order;
	u8 policy;
	u32 nr_blocks[MYALLOC_NR_ORDERS];
	u64 nr_splits;
	u64 nr_merges;
	u64 *head;
	struct myalloc_joined *joined;
	struct myalloc_bitmap_tree free[MYALLOC_CHUNK_MAX + 1];
};

size_t myalloc_buddy_meta_size(u32 nr_frames, unsigned int top_order);
void myalloc_buddy_init(struct myalloc_buddy *buddy, u32 nr_frames,
			unsigned int top_order, enum myalloc_policy policy,
			void *meta);

size_t myalloc_buddy_join_size(u32 nr_frames, unsigned int chunk_order,
			       unsigned int top_order);
void myalloc_buddy_join(struct myalloc_buddy *buddy, unsigned int top_order,
			struct myalloc_joined *joined);

/**
 * myalloc_buddy_bit() - the bit of a block in free[]
 * @buddy: the buddy system
 * @idx: a frame of the block; the first one if @order is above chunk_order
 * @order: log2 of the frames in the block
 *
 * Context: any.
 * Return: number of the bit in free[@order].
 */
static __always_inline u32 myalloc_buddy_bit(const struct myalloc_buddy *buddy, u32 idx,
					     unsigned int order)
{
	return idx >> min_t(unsigned int, order, buddy->chunk_order);
}

/**
 * myalloc_buddy_tree() - the tree of the free blocks of an order
 * @buddy: the buddy
 * @order: log2 of pages, at most top_order
 *
 * Context: any.
 * Return: the tree.
 */
static __always_inline struct myalloc_bitmap_tree *
myalloc_buddy_tree(const struct myalloc_buddy *buddy, unsigned int order)
{
	return (struct myalloc_bitmap_tree *)
	       (likely(order <= MYALLOC_CHUNK_MAX) ? &buddy->free[order] :
		&buddy->joined->free[order - MYALLOC_CHUNK_MAX - 1]);
}

/**
 * myalloc_buddy_is_free() - does a free block of an order begin at a frame?
 * @buddy: the buddy system
 * @idx: the frame, or MYALLOC_NO_FRAME
 * @order: log2 of frames, at most top_order
 *
 * Context: any.
 * Return: true if it does; false for MYALLOC_NO_FRAME and beyond the end.
 */
static inline bool myalloc_buddy_is_free(const struct myalloc_buddy *buddy, u32 idx,
					 unsigned int order)
{
	return myalloc_tree_test(myalloc_buddy_tree(buddy, order),
				 myalloc_buddy_bit(buddy, idx, order));
}

u32 myalloc_buddy_alloc(struct myalloc_buddy *buddy, unsigned int order,
			bool topdown);
u32 myalloc_buddy_alloc_exact(struct myalloc_buddy *buddy, u32 nr,
			      unsigned int align_order, bool topdown);
bool myalloc_buddy_may_hold(const struct myalloc_buddy *buddy, u32 nr,
			    unsigned int align_order);
u32 myalloc_buddy_alloc_exact_in(struct myalloc_buddy *buddy, u32 chunk, u32 nr,
				 unsigned int align_order, bool topdown);
int myalloc_buddy_alloc_range(struct myalloc_buddy *buddy, u32 idx, u32 nr);

enum myalloc_bad myalloc_buddy_free(struct myalloc_buddy *buddy, u32 idx,
				    unsigned int order);
enum myalloc_bad myalloc_buddy_free_exact(struct myalloc_buddy *buddy, u32 idx,
					  u32 nr);
u32 myalloc_buddy_other(const struct myalloc_buddy *buddy, u32 idx, unsigned int order);
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

/* SPDX-License-Identifier: GPL-2.0 */
/* A bitmap with summaries: set, clear and find take at most one step per level */
#ifndef MYALLOC_BITMAP_TREE_H
#define MYALLOC_BITMAP_TREE_H

/* 64^6 = 2^36 bits, more than a u32 index can address. */
#define MYALLOC_TREE_LEVELS	6

/* Returned by the find functions if there is no such bit */
#define MYALLOC_TREE_NONE	U32_MAX

/**
 * struct myalloc_bitmap_tree - a bitmap with several levels of summaries
 * @nr_bits: bits at the lowest level; may be 0, then no bit is ever set
 * @nr_levels: levels in use; the top level has one word
 * @lone: number of the only set bit if the summaries do not include it, otherwise
 *	MYALLOC_TREE_NONE
 * @level: the words of each level; level[0] holds the bits themselves
 */
struct myalloc_bitmap_tree {
	u32 nr_bits;
	u32 nr_levels;
	u32 lone;
	u64 *level[MYALLOC_TREE_LEVELS];
};

size_t myalloc_tree_words(u32 nr_bits);
void myalloc_tree_init(struct myalloc_bitmap_tree *tree, u32 nr_bits, u64 *words);
u32 myalloc_tree_next(const struct myalloc_bitmap_tree *tree, u32 from);
u32 myalloc_tree_last(const struct myalloc_bitmap_tree *tree);

/**
 * myalloc_tree_test() - test a bit
 * @tree: the tree
 * @bit: any value; bits beyond the end are never set
 *
 * Context: any, also beside a writer.
 * Return: true if the bit is set.
 */
static inline bool myalloc_tree_test(const struct myalloc_bitmap_tree *tree, u32 bit)
{
	return bit < tree->nr_bits && (READ_ONCE(tree->level[0][bit / 64]) >> (bit % 64) & 1);
}

/* Records in level @l and above that word @bit of level @l - 1 is nonzero. */
static __always_inline void __myalloc_tree_climb(struct myalloc_bitmap_tree *tree, u32 l, u32 bit)
{
	for (; l < tree->nr_levels; l++, bit /= 64) {
		u64 *word = &tree->level[l][bit / 64];
		u64 old = *word;

		*word = old | BIT_ULL(bit % 64);
		if (old)
			return;
	}
}

/**
 * myalloc_tree_set() - set a bit
 * @tree: the tree; the caller excludes other writers
 * @bit: number of the bit, less than nr_bits
 *
 * Climbs only as long as the words it sets a bit in were zero; does not climb at all if no other
 * bit is set.
 *
 * Context: any.
 */
static __always_inline void myalloc_tree_set(struct myalloc_bitmap_tree *tree, u32 bit)
{
	u64 *word = &tree->level[0][bit / 64];
	u64 old = *word, any = tree->level[tree->nr_levels - 1][0];

	WRITE_ONCE(*word, old | BIT_ULL(bit % 64));
	if (likely(tree->lone == MYALLOC_TREE_NONE)) {
		if (!any)
			tree->lone = bit;
		else if (!old)
			__myalloc_tree_climb(tree, 1, bit / 64);
		return;
	}
	__myalloc_tree_climb(tree, 1, tree->lone / 64);
	tree->lone = MYALLOC_TREE_NONE;
	if (!old)
		__myalloc_tree_climb(tree, 1, bit / 64);
}

/**
 * myalloc_tree_clear() - clear a bit
 * @tree: the tree; the caller excludes other writers
 * @bit: number of the bit, less than nr_bits
 *
 * Climbs only as long as the words become zero.
 *
 * Context: any.
 */
static __always_inline void myalloc_tree_clear(struct myalloc_bitmap_tree *tree, u32 bit)
{
	u32 l;

	if (tree->lone != MYALLOC_TREE_NONE) {
		if (likely(tree->lone == bit)) {
			WRITE_ONCE(tree->level[0][bit / 64], 0);
			tree->lone = MYALLOC_TREE_NONE;
		}
		return;
	}
	for (l = 0; l < tree->nr_levels; l++, bit /= 64) {
		u64 *word = &tree->level[l][bit / 64];

		WRITE_ONCE(*word, *word & ~BIT_ULL(bit % 64));
		if (*word)
			return;
	}
}

/**
 * myalloc_tree_first() - find the lowest set bit
 * @tree: the tree
 *
 * Context: any; the caller excludes writers.
 * Return: the bit's number, or MYALLOC_TREE_NONE if no bit is set.
 */
static __always_inline u32 myalloc_tree_first(const struct myalloc_bitmap_tree *tree)
{
	u32 l = tree->nr_levels, bit = 0;

	if (tree->lone != MYALLOC_TREE_NONE)
		return tree->lone;
	if (!l || !tree->level[l - 1][0])
		return MYALLOC_TREE_NONE;
	while (l--)
		bit = bit * 64 + __ffs64(tree->level[l][bit]);
	return bit;
}

#endif /* MYALLOC_BITMAP_TREE_H */

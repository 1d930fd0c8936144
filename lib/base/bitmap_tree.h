/* SPDX-License-Identifier: GPL-2.0 */
/* A summarised bitmap: set, clear and find in as many steps as it has levels. */
#ifndef MYALLOC_BITMAP_TREE_H
#define MYALLOC_BITMAP_TREE_H

/* 64^6 = 2^36 bits: more than a u32 index can name. */
#define MYALLOC_TREE_LEVELS	6

/* What the find functions return when there is no such bit. */
#define MYALLOC_TREE_NONE	U32_MAX

/**
 * struct myalloc_bitmap_tree - bits with summaries of summaries
 * @nr_bits: bits at the lowest level; 0 is allowed and never has a set bit
 * @nr_levels: levels in use; the top one has one word
 * @lone: the only bit that is set, if the summaries do not know of it; else NONE
 * @level: words of each level, [0] the bits themselves
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
 * myalloc_tree_test() - is a bit set?
 * @tree: the tree
 * @bit: any number; beyond the end no bit is set
 *
 * Return: true if the bit is set.
 */
static inline bool myalloc_tree_test(const struct myalloc_bitmap_tree *tree, u32 bit)
{
	return bit < tree->nr_bits && (tree->level[0][bit / 64] >> (bit % 64) & 1);
}

/* Tells the summaries of level @l and above that word @bit of level @l - 1 is not 0 now. */
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
 * @bit: below nr_bits
 *
 * Climbs only while it fills words that were empty; not at all if no other bit is set.
 */
static __always_inline void myalloc_tree_set(struct myalloc_bitmap_tree *tree, u32 bit)
{
	u64 *word = &tree->level[0][bit / 64];
	u64 old = *word, any = tree->level[tree->nr_levels - 1][0];

	*word = old | BIT_ULL(bit % 64);
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
 * @bit: below nr_bits
 *
 * Climbs only while it empties words.
 */
static __always_inline void myalloc_tree_clear(struct myalloc_bitmap_tree *tree, u32 bit)
{
	u32 l;

	if (tree->lone != MYALLOC_TREE_NONE) {
		if (likely(tree->lone == bit)) {
			tree->level[0][bit / 64] = 0;
			tree->lone = MYALLOC_TREE_NONE;
		}
		return;
	}
	for (l = 0; l < tree->nr_levels; l++, bit /= 64) {
		u64 *word = &tree->level[l][bit / 64];

		*word &= ~BIT_ULL(bit % 64);
		if (*word)
			return;
	}
}

/**
 * myalloc_tree_first() - the lowest set bit
 * @tree: the tree
 *
 * Return: its number, MYALLOC_TREE_NONE if no bit is set.
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

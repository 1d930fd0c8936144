// SPDX-License-Identifier: GPL-2.0
/*
 * A bitmap with summaries
 *
 * An array of bits in which the lowest set bit, overall or at or above a given position, is found
 * without a scan. Level 0 holds the bits in words of 64. Each bit of level l + 1 says whether the
 * corresponding word of level l is nonzero. The top level is a single word.
 *
 *	level 2                  [......11]
 *	level 1        [.......1][1....1..]
 *	level 0  ... [....1...][..1.....] ... [.......1]
 *
 * When only one bit is set in the whole tree, the bit is "lone": it is set in level 0 but not in
 * the summaries, and its number is stored separately. The summaries are updated when a second bit
 * is set. A buddy system that serves a stream of small requests has at most one free block of
 * most orders, and that block comes and goes with every split. Without the lone bit each of these
 * changes would touch all levels.
 *
 * Cost: with a fan-out of 64, 4 Gi bits need 6 levels. Setting or clearing a bit usually touches
 * one level, because an update climbs only when a word becomes nonzero or zero. The summaries add
 * 1/63 to the size.
 *
 * Invariants
 *	T1  Bit i of level l + 1 is set if and only if word i of level l is nonzero. Exception: if
 *	    a bit is lone, it is the only bit set in level 0 and all summaries are 0.
 *	T2  Bits at and above nr_bits are 0.
 *
 * Locking: none. The caller serialises writers against each other and against the find functions.
 *
 * Alternatives: a linear scan costs time in proportion to the size of the zone (gen_pool is an
 * example). A free list keeps its links in free memory or costs 16 bytes per block, and does not
 * order blocks by address. The tree is van Emde Boas' idea with a fixed fan-out, as in Chromium's
 * hierarchical bitsets; the kernel's sbitmap is a relative.
 */
#include "env.h"
#include "base/bitmap_tree.h"

static u32 words_of(u32 nr_bits)
{
	return nr_bits / 64 + !!(nr_bits % 64);
}

/**
 * myalloc_tree_words() - size of the memory a tree needs
 * @nr_bits: number of bits
 *
 * Context: any.
 * Return: number of u64 words for all levels together.
 */
size_t myalloc_tree_words(u32 nr_bits)
{
	size_t words = 0;

	while (nr_bits) {
		nr_bits = words_of(nr_bits);
		words += nr_bits;
		if (nr_bits == 1)
			break;
	}
	return words;
}

/**
 * myalloc_tree_init() - initialise a tree with no bit set
 * @tree: the tree
 * @nr_bits: number of bits
 * @words: zeroed memory of myalloc_tree_words(@nr_bits) words; it must stay valid for as long as
 *	the tree is in use
 *
 * Context: any.
 */
void myalloc_tree_init(struct myalloc_bitmap_tree *tree, u32 nr_bits, u64 *words)
{
	u32 l = 0;

	tree->nr_bits = nr_bits;
	tree->lone = MYALLOC_TREE_NONE;
	while (nr_bits) {
		nr_bits = words_of(nr_bits);
		tree->level[l++] = words;
		words += nr_bits;
		if (nr_bits == 1)
			break;
	}
	tree->nr_levels = l;
}

/**
 * myalloc_tree_next() - find the lowest set bit at or above a position
 * @tree: the tree
 * @from: the position, any value
 *
 * Climbs until a summary has a set bit to the right of the path, then descends.
 *
 * Context: any; the caller excludes writers.
 * Return: the bit's number, or MYALLOC_TREE_NONE if there is none.
 */
u32 myalloc_tree_next(const struct myalloc_bitmap_tree *tree, u32 from)
{
	u32 l, nr = tree->nr_bits;

	if (tree->lone != MYALLOC_TREE_NONE)
		return tree->lone >= from ? tree->lone : MYALLOC_TREE_NONE;
	for (l = 0; l < tree->nr_levels && from < nr; l++) {
		u64 word = tree->level[l][from / 64] & (~0ULL << (from % 64));

		if (word) {
			from = from / 64 * 64 + __ffs64(word);
			while (l--)
				from = from * 64 + __ffs64(tree->level[l][from]);
			return from;
		}
		from = from / 64 + 1;
		nr = words_of(nr);
	}
	return MYALLOC_TREE_NONE;
}

/**
 * myalloc_tree_last() - find the highest set bit
 * @tree: the tree
 *
 * Context: any; the caller excludes writers.
 * Return: the bit's number, or MYALLOC_TREE_NONE if no bit is set.
 */
u32 myalloc_tree_last(const struct myalloc_bitmap_tree *tree)
{
	u32 l = tree->nr_levels, bit = 0;

	if (tree->lone != MYALLOC_TREE_NONE)
		return tree->lone;
	if (!l || !tree->level[l - 1][0])
		return MYALLOC_TREE_NONE;
	while (l--)
		bit = bit * 64 + fls64(tree->level[l][bit]) - 1;
	return bit;
}

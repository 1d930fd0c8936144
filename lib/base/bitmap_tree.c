// SPDX-License-Identifier: GPL-2.0
/*
 * A summarised bitmap
 *
 * What it is: an array of bits in which the lowest set bit, from the start or
 * from a position, is found without a scan. Level 0 holds the bits in words
 * of 64. Each bit of level l + 1 says whether a word of level l is not zero.
 * The top level is a single word.
 *
 *	level 2                  [......11]
 *	level 1        [.......1][1....1..]
 *	level 0  ... [....1...][..1.....] ... [.......1]
 *
 * A bit that is set while no other is, is lone: level 0 has it, the summaries do not,
 * and it is found by its number. The summaries are told of it when a second one is
 * set. A buddy system that is asked for one small block after the other has at most
 * one free block of most orders, which comes and goes with every split: without that
 * each time all levels would change.
 *
 * Cost: with 64-way fan-out 4 Gi bits need 6 levels. Setting and clearing
 * usually touch one level, because they climb only when a word becomes
 * non-zero or zero. The summaries add 1/63 to the size.
 *
 * Invariants
 *	T1  bit i of level l + 1 is set if and only if word i of level l is not 0;
 *	    but if a bit is lone, it is the only one of level 0, and all summaries are 0.
 *	T2  bits at and above nr_bits are 0.
 *
 * Locking: none. Writers exclude each other and the find functions.
 *
 * Why not a linear scan: its cost grows with the zone (gen_pool's is the
 * example). Why not a free list: its links live in the free memory or cost 16
 * bytes a block, and give no order of addresses. This is the van Emde Boas
 * idea with a fixed fan-out, as in the kernel's sbitmap and cpumask users or
 * Chromium's hierarchical bitsets.
 */
#include "env.h"
#include "base/bitmap_tree.h"

static u32 words_of(u32 nr_bits)
{
	return nr_bits / 64 + !!(nr_bits % 64);
}

/**
 * myalloc_tree_words() - size of the memory a tree needs
 * @nr_bits: bits
 *
 * Return: number of u64 words, all levels together.
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
 * myalloc_tree_init() - make a tree with no bit set
 * @tree: the tree
 * @nr_bits: bits
 * @words: zeroed memory of myalloc_tree_words(@nr_bits) words, which the
 *	caller keeps for as long as the tree is used
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
 * myalloc_tree_next() - the lowest set bit at or above a position
 * @tree: the tree
 * @from: position, any number
 *
 * Climbs until a summary has a set bit to the right of the path, then descends.
 *
 * Return: the bit's number, MYALLOC_TREE_NONE if there is none.
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
 * myalloc_tree_last() - the highest set bit
 * @tree: the tree
 *
 * Return: its number, MYALLOC_TREE_NONE if no bit is set.
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

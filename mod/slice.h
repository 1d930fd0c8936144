/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slices: how much of a long piece of work is done before the next place to reschedule
 *
 * Nothing of this module holds a CPU for more than about 100 ms, also at the highest
 * priority and on an emulated machine. What a user may ask for in numbers is cut: where the
 * cost of one item is known, by a number; where it is not (rounds of a benchmark), by the time
 * that the slice before has taken.
 */
#ifndef MYALLOC_SLICE_H
#define MYALLOC_SLICE_H

/* What a slice of a round is to take at most, about: 1/20 of what would be too long. */
#define MYALLOC_SLICE_NS	5000000ULL

/* No slice is longer than so many times the one before: a short one may have been lucky. */
#define MYALLOC_SLICE_GROWTH	16

/* Pages that are zeroed in a row: 16 MiB with 4 KiB pages. */
#define MYALLOC_SLICE_PAGES	4096

/**
 * myalloc_slice_next() - length of the next slice
 * @last: operations of the slice before, 0 if there was none
 * @ns: time it took
 * @batch: a slice is a multiple of this, one at least; not 0
 *
 * Return: operations; at most U32_MAX, a multiple of @batch.
 */
static inline u32 myalloc_slice_next(u32 last, u64 ns, u32 batch)
{
	u64 most = (u64)max(last, batch) * MYALLOC_SLICE_GROWTH, ops = batch;

	if (last)
		ops = min(div64_u64((u64)last * MYALLOC_SLICE_NS, max_t(u64, ns, 1)), most);
	ops = min_t(u64, ops, U32_MAX);
	return max_t(u32, div64_u64(ops, batch), 1) * batch;
}

/* Blocks of @nr_pages pages that are zeroed in a row, at most @most, at least 1. */
static inline u32 myalloc_slice_blocks(u32 nr_pages, u32 most)
{
	return clamp_t(u32, MYALLOC_SLICE_PAGES / nr_pages, 1, most);
}

#endif /* MYALLOC_SLICE_H */

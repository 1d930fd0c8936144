/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slices: how much of a long piece of work to do before the next place to reschedule
 *
 * This module never holds a CPU for more than about 100 ms, even at the highest priority and on
 * an emulated machine. Work whose amount a user chooses is cut into slices: where the cost of one
 * item is known, by a fixed number; where it is not (rounds of a benchmark), by the time that the
 * previous slice took.
 */
#ifndef MYALLOC_SLICE_H
#define MYALLOC_SLICE_H

/* Target time of a slice of a round: 1/20 of the limit. */
#define MYALLOC_SLICE_NS	5000000ULL

/* Maximum growth from one slice to the next, as a short time may have been luck. */
#define MYALLOC_SLICE_GROWTH	16

/* Pages zeroed without rescheduling: 16 MiB with 4 KiB pages. */
#define MYALLOC_SLICE_PAGES	4096

/**
 * myalloc_slice_next() - compute the length of the next slice
 * @last: operations of the previous slice, 0 if there was none
 * @ns: time it took
 * @batch: a slice is a multiple of this, one at least; not 0
 *
 * Context: any.
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

/**
 * myalloc_slice_blocks() - blocks to zero without rescheduling
 * @nr_pages: pages of a block
 * @most: upper limit
 *
 * Context: any.
 * Return: the number of blocks, at least 1.
 */
static inline u32 myalloc_slice_blocks(u32 nr_pages, u32 most)
{
	return clamp_t(u32, MYALLOC_SLICE_PAGES / nr_pages, 1, most);
}

#endif /* MYALLOC_SLICE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Histograms
 *
 * Counts of values by size, in buckets whose width grows with the value, as in HdrHistogram. Each
 * power of two is divided into STEPS = 16 buckets of equal width. So the upper end of a bucket is
 * at most 1/16 = 6.25 % above any value in it, over the whole range of 64 bits, without
 * configuration and in a fixed amount of memory (7.8 KB). Values below 16 have a bucket each.
 *
 *	value 0 ... 15 | 16 17 ... 31 | 32 34 ... 62 | 64 68 ... 124 | ...
 *	width    1     |      1       |      2       |       4       | ...
 *
 * The number of a bucket is the value's exponent followed by the four bits below its leading one.
 * A shift and an addition compute it.
 *
 * Invariants
 *	H1  upper(bucket(v)) >= v, and upper(bucket(v) - 1) < v.
 *	H2  upper(bucket(v)) - v <= v / 16.
 *
 * Locking: one writer. A merge may read a histogram while it is written; the result is then a
 * snapshot in which min, max and the counts may differ by the values being added (and, on a
 * 32-bit machine, a count may be torn).
 */
#include "env.h"
#include "base/histogram.h"

#define BITS	MYALLOC_HISTOGRAM_BITS
#define STEPS	MYALLOC_HISTOGRAM_STEPS

/**
 * myalloc_histogram_bucket() - the bucket of a value
 * @value: any number
 *
 * Context: any.
 * Return: 0 to MYALLOC_HISTOGRAM_BUCKETS - 1.
 */
u32 myalloc_histogram_bucket(u64 value)
{
	u32 shift;

	if (value < STEPS)
		return value;
	shift = fls64(value) - 1 - BITS;
	/*
	 * value >> shift is STEPS to 2 * STEPS - 1, so its leading bit adds 1 to the set's
	 * number.
	 */
	return (shift << BITS) + (u32)(value >> shift);
}

/**
 * myalloc_histogram_upper() - the largest value of a bucket
 * @bucket: 0 to MYALLOC_HISTOGRAM_BUCKETS - 1
 *
 * Context: any.
 * Return: the value.
 */
u64 myalloc_histogram_upper(u32 bucket)
{
	u32 shift;

	if (bucket < STEPS)
		return bucket;
	shift = (bucket >> BITS) - 1;
	/* The bucket's first value, with all bits below the step set. */
	return ((u64)(STEPS | (bucket & (STEPS - 1))) << shift) | (BIT_ULL(shift) - 1);
}

/**
 * myalloc_histogram_init() - initialise an empty histogram
 * @histogram: the histogram
 *
 * Context: any.
 */
void myalloc_histogram_init(struct myalloc_histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min = U64_MAX;
}

/**
 * myalloc_histogram_add() - count a value
 * @histogram: the histogram
 * @value: any number
 *
 * Context: any; one caller at a time.
 */
void myalloc_histogram_add(struct myalloc_histogram *histogram, u64 value)
{
	u64 *count = &histogram->bucket[myalloc_histogram_bucket(value)];

	if (value < histogram->min)
		WRITE_ONCE(histogram->min, value);
	if (value > histogram->max)
		WRITE_ONCE(histogram->max, value);
	WRITE_ONCE(*count, *count + 1);
}

/**
 * myalloc_histogram_merge() - add the counts of one histogram to another
 * @into: the destination
 * @from: the source; may be written concurrently
 *
 * Context: any; one caller at a time for @into.
 */
void myalloc_histogram_merge(struct myalloc_histogram *into,
			     const struct myalloc_histogram *from)
{
	u32 i;

	into->min = min(into->min, READ_ONCE(from->min));
	into->max = max(into->max, READ_ONCE(from->max));
	for (i = 0; i < MYALLOC_HISTOGRAM_BUCKETS; i++)
		into->bucket[i] += READ_ONCE(from->bucket[i]);
}

/**
 * myalloc_histogram_count() - the number of values counted
 * @histogram: the histogram
 *
 * Context: any.
 * Return: the number of values, repeated values included.
 */
u64 myalloc_histogram_count(const struct myalloc_histogram *histogram)
{
	u64 count = 0;
	u32 i;

	for (i = 0; i < MYALLOC_HISTOGRAM_BUCKETS; i++)
		count += histogram->bucket[i];
	return count;
}

/**
 * myalloc_histogram_quantile() - a quantile of the values
 * @histogram: the histogram
 * @permille: the share of values at or below the result, in 1/1000, at most 1000
 *
 * Context: any.
 * Return: the upper end of the first bucket at or below whose upper end lie at least @permille of
 * the values, but not more than the largest value; 0 if the histogram is empty.
 */
u64 myalloc_histogram_quantile(const struct myalloc_histogram *histogram, u32 permille)
{
	u64 count = myalloc_histogram_count(histogram), seen = 0, rank, above;
	u32 i;

	if (!count)
		return 0;
	/* rank = count less the share above it, computed so that no product overflows. */
	above = div_u64(count, 1000) * (1000 - permille) +
		div_u64((count - div_u64(count, 1000) * 1000) * (1000 - permille), 1000);
	rank = max_t(u64, count - above, 1);
	for (i = 0; i < MYALLOC_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->bucket[i];
		if (seen >= rank)
			break;
	}
	return min(myalloc_histogram_upper(i), histogram->max);
}

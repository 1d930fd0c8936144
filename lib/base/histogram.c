// SPDX-License-Identifier: GPL-2.0
/*
 * Histograms
 *
 * What it is: counts of values by size, in buckets whose width grows with the value, as
 * in HdrHistogram. A power of two is cut into STEPS = 16 buckets of equal width, so a
 * bucket's upper end is at most 1/16 = 6.25 % above any value in it, over the whole range
 * of 64 bits, with no configuration and in fixed memory (7.8 KB). Values below 16
 * have a bucket each.
 *
 *	value 0 ... 15 | 16 17 ... 31 | 32 34 ... 62 | 64 68 ... 124 | ...
 *	width    1     |      1       |      2       |       4       | ...
 *
 * The number of a bucket is the value's exponent and the four bits below its leading
 * one, put together: a shift and an add.
 *
 * Invariants
 *	H1  upper(bucket(v)) >= v, and upper(bucket(v) - 1) < v.
 *	H2  upper(bucket(v)) - v <= v / 16.
 *
 * Locking: one writer. Others may merge from a histogram while it is written; what they
 * get is then a moment's view in which min, max and the counts may differ by the values
 * that are being added (and, on a 32-bit machine, a count may be torn).
 */
#include "env.h"
#include "base/histogram.h"

#define BITS	MYALLOC_HISTOGRAM_BITS
#define STEPS	MYALLOC_HISTOGRAM_STEPS

/**
 * myalloc_histogram_bucket() - the bucket that a value belongs to
 * @value: any number
 *
 * Return: 0 to MYALLOC_HISTOGRAM_BUCKETS - 1.
 */
u32 myalloc_histogram_bucket(u64 value)
{
	u32 shift;

	if (value < STEPS)
		return value;
	shift = fls64(value) - 1 - BITS;
	/* value >> shift is STEPS to 2 * STEPS - 1: it brings the next set's number along. */
	return (shift << BITS) + (u32)(value >> shift);
}

/**
 * myalloc_histogram_upper() - the greatest value of a bucket
 * @bucket: 0 to MYALLOC_HISTOGRAM_BUCKETS - 1
 *
 * Return: the value.
 */
u64 myalloc_histogram_upper(u32 bucket)
{
	u32 shift;

	if (bucket < STEPS)
		return bucket;
	shift = (bucket >> BITS) - 1;
	/* The bucket's first value, and all ones below the steps. */
	return ((u64)(STEPS | (bucket & (STEPS - 1))) << shift) | (BIT_ULL(shift) - 1);
}

/**
 * myalloc_histogram_init() - make it empty
 * @histogram: out
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
 * myalloc_histogram_merge() - add the counts of one to those of another
 * @into: gets them
 * @from: gives them; may be written to meanwhile
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
 * myalloc_histogram_count() - how many values were counted
 * @histogram: the histogram
 *
 * Return: the number of values, with each repetition.
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
 * myalloc_histogram_quantile() - what so many of the values do not exceed
 * @histogram: the histogram
 * @permille: how many of a thousand, at most 1000
 *
 * Return: the upper end of the first bucket up to which at least @permille of the values
 * lie, but never more than the greatest value; 0 if there are no values.
 */
u64 myalloc_histogram_quantile(const struct myalloc_histogram *histogram, u32 permille)
{
	u64 count = myalloc_histogram_count(histogram), seen = 0, rank, above;
	u32 i;

	if (!count)
		return 0;
	/* count less the share above, so that the product cannot overflow. */
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

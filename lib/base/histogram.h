/* SPDX-License-Identifier: GPL-2.0 */
/* A histogram with logarithmic buckets, used for latencies */
#ifndef MYALLOC_HISTOGRAM_H
#define MYALLOC_HISTOGRAM_H

#define MYALLOC_HISTOGRAM_BITS		4	/* log2 of buckets per power of two */
#define MYALLOC_HISTOGRAM_STEPS		BIT(MYALLOC_HISTOGRAM_BITS)
/* One set of buckets for the values below STEPS, and one for each power of two above. */
#define MYALLOC_HISTOGRAM_BUCKETS	((65 - MYALLOC_HISTOGRAM_BITS) * MYALLOC_HISTOGRAM_STEPS)

/**
 * struct myalloc_histogram - see histogram.c for the theory
 * @min: smallest value, U64_MAX if there is none
 * @max: largest value, 0 if there is none
 * @bucket: number of values in each bucket
 */
struct myalloc_histogram {
	u64 min;
	u64 max;
	u64 bucket[MYALLOC_HISTOGRAM_BUCKETS];
};

void myalloc_histogram_init(struct myalloc_histogram *histogram);
void myalloc_histogram_add(struct myalloc_histogram *histogram, u64 value);
void myalloc_histogram_merge(struct myalloc_histogram *into,
			     const struct myalloc_histogram *from);
u64 myalloc_histogram_count(const struct myalloc_histogram *histogram);
u64 myalloc_histogram_quantile(const struct myalloc_histogram *histogram, u32 permille);

u32 myalloc_histogram_bucket(u64 value);
u64 myalloc_histogram_upper(u32 bucket);

#endif /* MYALLOC_HISTOGRAM_H */

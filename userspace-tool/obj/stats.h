/* SPDX-License-Identifier: GPL-2.0 */
/*
 * books: where the zone's pages are, and whether the sum is the capacity
 */
#ifndef MYALLOCCTL_BOOKS_H
#define MYALLOCCTL_BOOKS_H

#include "obj/device.h"
#include "out/out.h"

/* Pages that the kinds of holder account for. */
static inline __u64 books_sum(const struct myalloc_stat *s)
{
	return s->free_pages + s->cached_pages + s->page_pages +
	       s->slab_pages + s->deferred_pages + s->quarantined_pages +
	       s->bad_pages;
}

static inline __u64 sum_orders(const __u64 *of_order)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < MYALLOC_ORDERS; i++)
		sum += of_order[i];
	return sum;
}

/* @part of @whole in 1/1000, 0 if there is no whole. */
static inline __u64 permille(__u64 part, __u64 whole)
{
	return whole ? (__u64)((double)part * 1000 / whole + 0.5) : 0;
}

/* A row of a table of moments: "before", "after". */
void books_row(struct out *o, const char *moment, const struct myalloc_stat *s);
/* The members of a group that shows one moment in full. */
void books_full(struct out *o, const struct myalloc_stat *s);

#endif /* MYALLOCCTL_BOOKS_H */

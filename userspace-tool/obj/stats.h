/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stats: the statistics of zones and caches, from the one list of them (uapi/stat_fields.h)
 */
#ifndef MYALLOCCTL_STATS_H
#define MYALLOCCTL_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include "myalloc.h"
#include "out/out.h"

/* What a number describes, see stat_fields.h. */
enum stat_kind {
	STAT_HOLDER, STAT_STATE, STAT_EVENT,		/* of a zone */
	STAT_TRAIT, STAT_SPACE, STAT_USE,		/* of a cache or a front */
};

enum stat_unit {
	STAT_PAGES, STAT_BYTES, STAT_NUMBER, STAT_ORDER, STAT_INDEX, STAT_ERROR,
};

/* One line of the list; @key has the name in JSON, @offset is in the struct of the interface. */
struct stat_field {
	const char *name;
	const char *key;
	const char *label;
	const char *help;
	enum stat_kind kind;
	enum stat_unit unit;
	size_t offset;
	size_t bytes;
	bool by_order;
};

/* Each ends with one that has no name. */
extern const struct stat_field zone_fields[], cache_fields[], heap_fields[], ring_fields[];
extern const struct stat_field pool_fields[];
extern const struct stat_field arena_fields[], contract_fields[];
extern const struct stat_field client_fields[];

/* The value in @stat, for @order if there is one for each. */
__s64 stats_value(const struct stat_field *f, const void *stat, unsigned int order);
/* The unit in a word, "" for a plain number. */
const char *stats_unit_name(const struct stat_field *f);

/* Adds a value to the open group or item; without @label to the JSON only. */
void stats_put(struct out *o, const struct stat_field *f, const char *label, __s64 value);
/* Adds every value that is of @kind and not by order. */
void stats_put_kind(struct out *o, const struct stat_field *fields, enum stat_kind kind,
		    const void *stat);

/* Pages that the kinds of holder account for together. */
__u64 stats_sum(const struct myalloc_stat *s);
/*
 * Adds the statistics of one zone to those of others: sums, the larger of two orders, and the
 * indices of all free blocks together.
 */
void stats_add(struct myalloc_stat *sum, const struct myalloc_stat *s);
#define STATS_ROW	"{ moment:text @zone.HOLDER largest_order:int|null }"

/* A row of a table of moments, such as "before" and "after": where the pages are. */
void stats_row(struct out *o, const char *moment, const struct myalloc_stat *s);

static inline __u64 sum_orders(const __u64 *of_order)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < MYALLOC_ORDERS; i++)
		sum += of_order[i];
	return sum;
}

/*
 * Page allocations between two looks that were hits. 0 if their number went back, which it can
 * while misses are under way: they are counted before the allocations that they belong to.
 */
static inline __u64 hits_between(const struct myalloc_stat *old, const struct myalloc_stat *new)
{
	__u64 was = sum_orders(old->page_hits), now = sum_orders(new->page_hits);

	return now > was ? now - was : 0;
}

/* @part of @whole in 1/1000, 0 if @whole is. */
static inline __u64 permille(__u64 part, __u64 whole)
{
	return whole ? (__u64)((double)part * 1000 / whole + 0.5) : 0;
}

#endif /* MYALLOCCTL_STATS_H */

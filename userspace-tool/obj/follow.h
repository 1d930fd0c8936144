/* SPDX-License-Identifier: GPL-2.0 */
/*
 * follow: changes from one sample to the next: rates, growth, the values of the last minute
 */
#ifndef MYALLOCCTL_FOLLOW_H
#define MYALLOCCTL_FOLLOW_H

#include "obj/sample.h"

#define TRAIL_POINTS	60	/* of the last minute: one a second, or one an interval if longer */

/* Values of the last minute, the newest last. */
struct trail {
	int nr;
	__u64 value[TRAIL_POINTS];
};

/*
 * A row, and its changes since the previous sample.
 * @rate: allocations per second, -1 if not known
 * @hit_permille: share of them that a magazine served, -1 if there were none or it is not known
 * @failed: allocations that failed since the previous sample
 * @growth: growth in bytes since a minute ago, or since it was first seen
 */
struct line {
	struct row row;
	__s64 rate, hit_permille, failed, growth;
	struct trail trail;
};

/*
 * @start_ms, @now_ms: times of the first and the last sample
 * @interval_ms: between the last two samples, 0 if there was only one
 * @trail: pages of the zone that are not free
 * @line: sorted as the rows of a sample are
 * @nodes: as in struct sample
 */
struct follow {
	__u64 step_ms;
	int points;
	__u64 start_ms, now_ms, interval_ms, trail_ms;
	struct myalloc_stat zone, before;
	struct trail trail;
	struct line *line;
	size_t nr, nodes;
	bool sites;
};

/* @interval_ms: the intended time between samples */
void follow_begin(struct follow *f, __u64 interval_ms);
/* Takes over the contents of @s, which is empty afterwards. */
void follow_add(struct follow *f, struct sample *s);
void follow_free(struct follow *f);

/* @count in @f->interval_ms as a number per second; 0 with one sample */
__u64 follow_per_sec(const struct follow *f, __u64 count);
/* The share of page allocations that magazines served since the previous sample, or -1. */
__s64 follow_zone_hits(const struct follow *f);

extern const char follow_form[];

/*
 * Adds it to a result, in the JSON only: the times, all zones together, the orders, and the @nr
 * rows of @lines.
 */
void follow_put(struct out *o, const struct follow *f, __u64 page_size,
		const struct line *const *lines, size_t nr);

#endif /* MYALLOCCTL_FOLLOW_H */

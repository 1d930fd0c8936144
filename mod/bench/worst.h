/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the benchmarks of the worst case: series of operations, states of the zone */
#ifndef MYALLOC_BENCH_WORST_H
#define MYALLOC_BENCH_WORST_H

#include "bench/watch.h"

/* Reschedule now and then in long untimed loops; @nr is the loop's counter. */
static inline void breathe(u32 nr)
{
	if (!(nr % 1024))
		cond_resched();
}

/* Make up to @most allocations, each between two readings of the clock. Returns their number. */
static __always_inline u32 fill_objects(struct bench_work *w, struct watch *watch,
					void *(*take)(struct bench_work *w), u32 most)
{
	u32 n;

	for (n = 0; n < most; n++) {
		watch_start(watch);
		w->object[n] = take(w);
		watch_stop(watch);
		if (!w->object[n])
			break;
		breathe(n);
	}
	return n;
}

/* Free @nr of them, from the last on. */
static __always_inline void empty_objects(struct bench_work *w, struct watch *watch,
					  void (*give)(struct bench_work *w, void *object), u32 nr)
{
	while (nr--) {
		watch_start(watch);
		give(w, w->object[nr]);
		watch_stop(watch);
		breathe(nr);
	}
}

/* worst.c */
int myalloc_bench_worst_room(struct bench_work *w);
void myalloc_bench_worst_shuffle(struct bench_work *w, u32 nr);
void myalloc_bench_worst_leave(struct bench_work *w, u32 pages);
void myalloc_bench_worst_split(struct bench_work *w);
void myalloc_bench_worst_release(struct bench_work *w);

#endif /* MYALLOC_BENCH_WORST_H */

// SPDX-License-Identifier: GPL-2.0
/* Separates a stress run's effect on the zone from that of other users. See stress.c. */
#include "env.h"

#include "object/cache.h"
#include "stress/stress_run.h"

/**
 * myalloc_stress_sum() - sum one of the counters over all threads
 * @run: the run; while it is running the sum is a snapshot
 * @which: the counter
 *
 * Context: any.
 * Return: the sum.
 */
u64 myalloc_stress_sum(const struct myalloc_stress_run *run, enum stress_count which)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < run->nr_threads; i++)
		sum += READ_ONCE(run->thread[i]->count[which]);
	return sum;
}

static bool is_ours(const struct myalloc_stress_run *run, const struct myalloc_cache *cache)
{
	u32 i;

	if (run->heap && myalloc_heap_has(run->heap, cache))
		return true;
	for (i = STRESS_WHAT_SIZES; i < STRESS_WHATS; i++)
		if (run->what[i].cache == cache)
			return true;
	return false;
}

struct others_arg {
	const struct myalloc_stress_run *run;
	struct stress_others *others;
};

static bool add_cache(struct myalloc_cache *cache, void *arg)
{
	struct others_arg *a = arg;
	struct myalloc_cache_stats stats;

	if (is_ours(a->run, cache))
		return true;
	myalloc_cache_stats(cache, &stats);
	a->others->caches++;
	a->others->object_ops += stats.allocs + stats.frees;
	return true;
}

/**
 * myalloc_stress_look_at_others() - sample the activity of other users of the zone
 * @run: the run
 * @others: out: their activity since load; the page counts include the run itself
 *
 * Context: task, sleeps.
 */
void myalloc_stress_look_at_others(struct myalloc_stress_run *run, struct stress_others *others)
{
	struct others_arg arg = { .run = run, .others = others };
	struct myalloc_zone_stats stats;
	u32 order;

	memset(others, 0, sizeof(*others));
	myalloc_zone_stats(run->job.zone, &stats);
	others->chunks = stats.grown + stats.shrunk;
	for (order = 0; order < MYALLOC_NR_ORDERS; order++) {
		others->page_allocs += stats.page_allocs[order];
		others->page_frees += stats.page_frees[order];
	}
	myalloc_zone_walk_caches(run->job.zone, add_cache, &arg);
}

/**
 * myalloc_stress_alone() - was the run the only user of the zone since it began?
 * @run: the run
 *
 * Exact while the run's own threads are idle. It does not notice a cache that was created and
 * destroyed again, which leaves nothing behind, and, in a run of allocations of any size, others'
 * pages.
 *
 * Context: task, sleeps.
 * Return: true if there was no other user.
 */
bool myalloc_stress_alone(struct myalloc_stress_run *run)
{
	struct stress_others now;

	myalloc_stress_look_at_others(run, &now);
	/* A reserve of another size has other blocks. */
	if (now.chunks != run->others.chunks)
		return false;
	/* The run does not know the blocks behind its allocations. */
	if (stress_any_size(run) || run->pool)
		return now.caches == run->others.caches &&
		       now.object_ops == run->others.object_ops;
	return now.page_allocs == run->others.page_allocs +
				  myalloc_stress_sum(run, STRESS_PAGE_ALLOCS) &&
	       now.page_frees == run->others.page_frees +
				 myalloc_stress_sum(run, STRESS_PAGE_FREES) &&
	       now.caches == run->others.caches && now.object_ops == run->others.object_ops;
}

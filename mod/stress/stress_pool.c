// SPDX-License-Identifier: GPL-2.0
/*
 * The object pool of a stress run of the kind POOL. See stress.c for the theory; the threads run as
 * those of the kind MIXED.
 *
 * The pool has an object for each entry of the threads' holds, so that no allocation may fail.
 * The target of the pages is the whole zone, which is therefore exhausted again and again.
 */
#include "env.h"

#include "stress/stress_run.h"

/**
 * myalloc_stress_pool_make() - create the object pool of a run
 * @run: the run
 * @each: objects that each thread may hold
 *
 * Context: task, may sleep.
 * Return: 0, or the error of myalloc_pool_create().
 */
int myalloc_stress_pool_make(struct myalloc_stress_run *run, u32 each)
{
	struct stress_what *what = &run->what[STRESS_WHAT_SIZES];
	char name[MYALLOC_CACHE_NAME];
	const struct myalloc_pool_args args = {
		.name = name,
		.object_size = what->bytes,
		.nr = each * run->nr_threads,
		.flags = (__force myalloc_cache_flags_t)run->params.checks,
	};
	struct myalloc_pool *pool;

	scnprintf(name, sizeof(name), "stress%llu-%u", run->job.id, what->bytes);
	pool = myalloc_pool_create(run->job.zone, &args);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	run->pool = pool;
	what->pool = pool;
	what->cache = pool->cache;
	return 0;
}

/**
 * myalloc_stress_pool_end() - destroy the object pool of a run
 * @run: the run, whose threads have ended
 *
 * Context: task, may sleep.
 */
void myalloc_stress_pool_end(struct myalloc_stress_run *run)
{
	struct myalloc_pool *pool = run->pool;

	if (!pool)
		return;
	run->pool = NULL;
	run->what[STRESS_WHAT_SIZES].pool = NULL;
	run->what[STRESS_WHAT_SIZES].cache = NULL;
	/* Objects whose free was refused keep it alive; a message was printed. */
	if (myalloc_pool_destroy(pool))
		pr_err_ratelimited("stress run %llu: the pool could not be destroyed\n",
				   run->job.id);
}

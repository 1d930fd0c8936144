// SPDX-License-Identifier: GPL-2.0
/*
 * What the sides of a benchmark work on: made alike for all, freed alike
 *
 * Each function that makes something is the begin() of a side or part of one; what it has
 * made, also in part, myalloc_bench_end() frees.
 */
#include "env.h"

#include <linux/sort.h>

#include "bench/run.h"
#include "compat.h"

/* Objects that a pool or a stack has in stock; a sheaf holds as many as our magazines. */
#define STOCK	64

/* Live objects or pages for each operation that a round is given, and the fewest. */
#define LIVE_PER_OP	4U
#define LIVE_LEAST	64U

/**
 * myalloc_bench_sides() - choose the sides of a shape
 * @shape: the shape
 * @sides: those that there may be; the last has no name
 */
void myalloc_bench_sides(struct bench_shape *shape, const struct bench_side *sides)
{
	shape->nr_sides = 0;
	for (; sides->name; sides++)
		if (!sides->absent && shape->nr_sides < ARRAY_SIZE(shape->side))
			shape->side[shape->nr_sides++] = sides;
}

/**
 * myalloc_bench_stat() - the statistics of the zone, into the run's @stat
 * @work: of the run
 *
 * Context: the job's thread; sleeps.
 * Return: 0, -ENOMEM.
 */
int myalloc_bench_stat(struct bench_work *work)
{
	return myalloc_stat_fill(&work->run->stat, work->run->job.zone);
}

/**
 * myalloc_bench_zone_pages() - pages of the zone that nobody uses
 * @work: of the run
 * @pages: out
 *
 * Context: the job's thread; sleeps.
 * Return: 0, -ENOMEM.
 */
int myalloc_bench_zone_pages(struct bench_work *work, u64 *pages)
{
	int err = myalloc_bench_stat(work);

	*pages = err ? 0 : work->run->stat.free_pages + work->run->stat.cached_pages;
	return err;
}

static void construct(void *object)
{
	*(unsigned long *)object = 0;
}

/* The flags that SLUB has for the same checks. */
static slab_flags_t slub_flags(const struct bench_shape *shape)
{
	slab_flags_t flags = SLAB_NO_MERGE;

	if (shape->checks & MYALLOC_SANITY)
		flags |= SLAB_CONSISTENCY_CHECKS;
	if (shape->checks & MYALLOC_REDZONE)
		flags |= SLAB_RED_ZONE;
	if (shape->checks & MYALLOC_POISON)
		flags |= SLAB_POISON;
	if (shape->checks & MYALLOC_OWNER)
		flags |= SLAB_STORE_USER;
	return flags;
}

/* Kernels with CONFIG_DEBUG_VM warn of two kmem_caches of one name. */
static void new_name(char name[MYALLOC_CACHE_NAME], const char *what, u32 bytes)
{
	static atomic_t number = ATOMIC_INIT(0);

	scnprintf(name, MYALLOC_CACHE_NAME, "%s-%u-%u", what, bytes, atomic_inc_return(&number));
}

/* A fresh cache of ours. */
int myalloc_bench_ours(struct bench_work *work)
{
	char name[MYALLOC_CACHE_NAME];
	struct myalloc_cache_args args = {
		.name = name,
		.object_size = work->shape->bytes,
		.flags = work->shape->checks,
		.ctor = work->shape->construct ? construct : NULL,
	};
	struct myalloc_cache *cache;

	new_name(name, "bench", work->shape->bytes);
	cache = myalloc_cache_create(work->run->job.zone, &args);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	work->cache = cache;
	return 0;
}

/* A fresh kmem_cache that is merged with no other. */
int myalloc_bench_slub(struct bench_work *work)
{
	char name[MYALLOC_CACHE_NAME];

	new_name(name, "myalloc-bench", work->shape->bytes);
	if (!myalloc_env_should_fail())
		work->kcache = kmem_cache_create(name, work->shape->bytes, 0,
						 slub_flags(work->shape),
						 work->shape->construct ? construct : NULL);
	return work->kcache ? 0 : -ENOMEM;
}

/* The same with sheaves as large as our magazines. */
int myalloc_bench_sheaf(struct bench_work *work)
{
	char name[MYALLOC_CACHE_NAME];

	new_name(name, "myalloc-bench", work->shape->bytes);
	work->kcache = myalloc_compat_sheaf_cache(name, work->shape->bytes, STOCK);
	return work->kcache ? 0 : -ENOMEM;
}

int myalloc_bench_mempool(struct bench_work *work)
{
	int err = myalloc_bench_slub(work);

	if (err)
		return err;
	if (!myalloc_env_should_fail())
		work->mempool = mempool_create_slab_pool(STOCK, work->kcache);
	return work->mempool ? 0 : -ENOMEM;
}

/* Full of numbers that stand for objects. */
int myalloc_bench_stack(struct bench_work *work)
{
	int cpu;
	u32 i;

	work->stack = myalloc_env_alloc_percpu(sizeof(struct bench_stack), sizeof(void *));
	if (!work->stack)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct bench_stack *stack = per_cpu_ptr(work->stack, cpu);

		for (i = 0; i < BENCH_STACK; i++)
			stack->slot[i] = (void *)((i + 1UL) * 64);
		stack->nr = BENCH_STACK;
	}
	return 0;
}

noinline void *myalloc_bench_pop(struct bench_work *work)
{
	struct bench_stack *stack;
	void *object = NULL;

	preempt_disable();
	stack = this_cpu_ptr(work->stack);
	if (likely(stack->nr))
		object = stack->slot[--stack->nr];
	preempt_enable();
	return object;
}

noinline void myalloc_bench_push(struct bench_work *work, void *object)
{
	struct bench_stack *stack;

	preempt_disable();
	stack = this_cpu_ptr(work->stack);
	if (likely(stack->nr < BENCH_STACK))
		stack->slot[stack->nr++] = object;
	preempt_enable();
}

/* As many pages as the zone has; gen_pool never looks behind the addresses. */
int myalloc_bench_genpool(struct bench_work *work)
{
	if (!MYALLOC_COMPAT_GENPOOL)
		return -EOPNOTSUPP;
	if (!myalloc_env_should_fail())
		work->genpool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!work->genpool)
		return -ENOMEM;
	return gen_pool_add(work->genpool, BIT(30),
			    (size_t)work->run->info.nr_pages << PAGE_SHIFT,
			    NUMA_NO_NODE);
}

/*
 * Live objects or pages of a state that a round starts from: @most, but a run that is to
 * have few operations in a round need not wait for a state of many.
 */
u32 myalloc_bench_live(const struct bench_work *work, u32 most)
{
	u64 ops = work->run->params.ops;

	return ops ? min_t(u64, most, max_t(u64, LIVE_PER_OP * ops, LIVE_LEAST)) : most;
}

int myalloc_bench_objects_room(struct bench_work *work, u32 room)
{
	work->object = myalloc_bench_zalloc(array_size(room, sizeof(*work->object)));
	if (!work->object)
		return -ENOMEM;
	work->room = room;
	return 0;
}

void myalloc_bench_shuffle(struct bench_work *work, u32 *number, u32 nr)
{
	for (; nr > 1; nr--) {
		u32 with = myalloc_random_below(&work->random, nr);

		swap(number[nr - 1], number[with]);
	}
}

static int compare_pointers(const void *a, const void *b, const void *unused)
{
	const void *x = *(void * const *)a, *y = *(void * const *)b;

	/* The kernel's sort() has no place to reschedule, and a million objects take a while. */
	cond_resched();
	return x < y ? -1 : x > y;
}

/* By address. */
void myalloc_bench_sort(void **object, u32 nr)
{
	sort_r(object, nr, sizeof(*object), compare_pointers, NULL, NULL);
}

/* The numbers 0 to @nr - 1, ascending. */
int myalloc_bench_make_order(struct bench_work *work, u32 nr)
{
	u32 i;

	work->order = myalloc_bench_zalloc(array_size(nr, sizeof(*work->order)));
	if (!work->order)
		return -ENOMEM;
	work->nr_order = nr;
	for (i = 0; i < nr; i++)
		work->order[i] = i;
	return 0;
}

/* Frees what the functions above have made; the objects are back already. */
void myalloc_bench_end(struct bench_work *work)
{
	mempool_destroy(work->mempool);
	kmem_cache_destroy(work->kcache);
	/* Objects that it did not take back keep it alive; it has said so. */
	if (work->cache)
		myalloc_cache_destroy(work->cache);
	if (MYALLOC_COMPAT_GENPOOL && work->genpool)
		gen_pool_destroy(work->genpool);
	myalloc_env_free_percpu(work->stack);
	myalloc_env_free(work->object);
	myalloc_env_free(work->order);
	myalloc_env_free(work->held);
	myalloc_env_free(work->private);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The objects under test of a benchmark: created and freed in the same way for all sides
 *
 * Each function that creates something is the begin() of a side or part of one.
 * myalloc_bench_end() frees it, even if it is only partly created.
 */
#include "env.h"

#include <linux/sort.h>

#include "bench/run.h"
#include "compat.h"

/* Objects in the stock of a pool or a stack; a sheaf holds as many as our magazines. */
#define STOCK	64

/* Live objects or pages for each operation that a round is given, and their minimum. */
#define LIVE_PER_OP	4U
#define LIVE_LEAST	64U

/**
 * myalloc_bench_sides() - choose the sides of a shape
 * @shape: the shape
 * @sides: the candidates; the last has no name. Those absent from this kernel are left out
 *
 * Context: any.
 */
void myalloc_bench_sides(struct bench_shape *shape, const struct bench_side *sides)
{
	shape->nr_sides = 0;
	for (; sides->name; sides++)
		if (!sides->absent && shape->nr_sides < ARRAY_SIZE(shape->side))
			shape->side[shape->nr_sides++] = sides;
}

/**
 * myalloc_bench_stat() - read the zone's statistics into the run's @stat
 * @work: a side of the run
 *
 * Context: the job's thread; sleeps.
 * Return: 0, -ENOMEM.
 */
int myalloc_bench_stat(struct bench_work *work)
{
	return myalloc_stat_fill(&work->run->stat, work->run->job.zone);
}

/**
 * myalloc_bench_zone_pages() - count the unused pages of the zone
 * @work: a side of the run
 * @pages: out: number of pages
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

/* SLUB's flags for the same checks. */
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

/* Unique names, as kernels with CONFIG_DEBUG_VM warn about two kmem_caches of one name. */
static void new_name(char name[MYALLOC_CACHE_NAME], const char *what, u32 bytes)
{
	static atomic_t number = ATOMIC_INIT(0);

	scnprintf(name, MYALLOC_CACHE_NAME, "%s-%u-%u", what, bytes, atomic_inc_return(&number));
}

/**
 * myalloc_bench_ours() - create a new cache of myalloc
 * @work: the side; its cache is set
 *
 * Context: the job's thread; sleeps.
 * Return: 0, or the error of myalloc_cache_create().
 */
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

/**
 * myalloc_bench_slub() - create a new kmem_cache that is not merged with others
 * @work: the side; its kcache is set
 *
 * Context: the job's thread; sleeps.
 * Return: 0, -ENOMEM.
 */
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

/**
 * myalloc_bench_sheaf() - create a kmem_cache with sheaves of the size of our magazines
 * @work: the side; its kcache is set
 *
 * Context: the job's thread; sleeps.
 * Return: 0, -ENOMEM.
 */
int myalloc_bench_sheaf(struct bench_work *work)
{
	char name[MYALLOC_CACHE_NAME];

	new_name(name, "myalloc-bench", work->shape->bytes);
	work->kcache = myalloc_compat_sheaf_cache(name, work->shape->bytes, STOCK);
	return work->kcache ? 0 : -ENOMEM;
}

/**
 * myalloc_bench_mempool() - create a mempool over a new kmem_cache
 * @work: the side; its kcache and mempool are set
 *
 * Context: the job's thread; sleeps.
 * Return: 0, -ENOMEM.
 */
int myalloc_bench_mempool(struct bench_work *work)
{
	int err = myalloc_bench_slub(work);

	if (err)
		return err;
	if (!myalloc_env_should_fail())
		work->mempool = mempool_create_slab_pool(STOCK, work->kcache);
	return work->mempool ? 0 : -ENOMEM;
}

/**
 * myalloc_bench_stack() - create per-CPU stacks, full of numbers that stand for objects
 * @work: the side; its stack is set
 *
 * Context: the job's thread; sleeps.
 * Return: 0, -ENOMEM.
 */
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

/**
 * myalloc_bench_pop() - take a pointer from this CPU's stack
 * @work: the side
 *
 * Context: task.
 * Return: the pointer, NULL if the stack is empty.
 */
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

/**
 * myalloc_bench_push() - put a pointer on this CPU's stack
 * @work: the side
 * @object: the pointer; dropped if the stack is full
 *
 * Context: task.
 */
noinline void myalloc_bench_push(struct bench_work *work, void *object)
{
	struct bench_stack *stack;

	preempt_disable();
	stack = this_cpu_ptr(work->stack);
	if (likely(stack->nr < BENCH_STACK))
		stack->slot[stack->nr++] = object;
	preempt_enable();
}

/**
 * myalloc_bench_genpool() - create a gen_pool with as many pages as the zone has
 * @work: the side; its genpool is set
 *
 * The addresses have no memory behind them, as gen_pool never accesses it.
 *
 * Context: the job's thread; sleeps.
 * Return: 0, -ENOMEM; -EOPNOTSUPP if the kernel has no gen_pool.
 */
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

/**
 * myalloc_bench_live() - number of live objects or pages from which a round starts
 * @work: the side
 * @most: the usual number
 *
 * A run with few operations in a round should not wait until a large number is built up.
 *
 * Context: any.
 * Return: the number, at most @most.
 */
u32 myalloc_bench_live(const struct bench_work *work, u32 most)
{
	u64 ops = work->run->params.ops;

	return ops ? min_t(u64, most, max_t(u64, LIVE_PER_OP * ops, LIVE_LEAST)) : most;
}

/**
 * myalloc_bench_objects_room() - allocate the array of allocations
 * @work: the side; its object and room are set
 * @room: number of entries
 *
 * Context: the job's thread; sleeps.
 * Return: 0, -ENOMEM.
 */
int myalloc_bench_objects_room(struct bench_work *work, u32 room)
{
	work->object = myalloc_bench_zalloc(array_size(room, sizeof(*work->object)));
	if (!work->object)
		return -ENOMEM;
	work->room = room;
	return 0;
}

/**
 * myalloc_bench_shuffle() - shuffle an array with the side's random stream
 * @work: the side
 * @number: the array
 * @nr: number of entries
 *
 * Context: any.
 */
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

	/* The kernel's sort() never reschedules, and sorting a million objects takes a while. */
	cond_resched();
	return x < y ? -1 : x > y;
}

/**
 * myalloc_bench_sort() - sort pointers by address
 * @object: array of pointers
 * @nr: number of entries
 *
 * Context: task, sleeps.
 */
void myalloc_bench_sort(void **object, u32 nr)
{
	sort_r(object, nr, sizeof(*object), compare_pointers, NULL, NULL);
}

/**
 * myalloc_bench_make_order() - allocate the array of positions, ascending from 0
 * @work: the side; its order and nr_order are set
 * @nr: number of entries
 *
 * Context: the job's thread; sleeps.
 * Return: 0, -ENOMEM.
 */
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

/**
 * myalloc_bench_end() - free everything that the functions above have created
 * @work: the side; its objects have already been freed
 *
 * Context: the job's thread; sleeps.
 */
void myalloc_bench_end(struct bench_work *work)
{
	mempool_destroy(work->mempool);
	kmem_cache_destroy(work->kcache);
	/* Objects whose free was refused keep the cache alive; a message was printed. */
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

// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of a stress run: checks them and fills in the defaults
 *
 * An invalid parameter is refused with -EINVAL and a message for dynamic debug. After
 * myalloc_stress_settle() every default is filled in: run->params describes the run completely,
 * and two runs with the same run->params do the same.
 */
#include "env.h"
#include "object/slab_layout.h"
#include "stress/stress_run.h"

/* The default of myalloc_stress.fill_permille. */
#define FILL_DEFAULT	500

/*
 * The default mix of sizes: powers of two, and sizes that leave a remainder in a slab, from many
 * objects in a page to one object in several pages.
 */
static const u32 default_sizes[] = { 16, 40, 64, 96, 192, 256, 500, 1024, 2048, 4096 };

/* Of allocations of any size: bytes of the largest, and about as many as one takes on average. */
static const struct {
	u32 most;
	u32 charge;
} any_size[MYALLOC_STRESS_KINDS] = {
	[MYALLOC_STRESS_HEAP] = { 128u << 10, 8192 },
	[MYALLOC_STRESS_ARENA] = { 16u << 10, 1024 },
	[MYALLOC_STRESS_RING] = { 4u << 10, 512 },
};

#define POOL_SIZE	256u

static int refuse(const char *why)
{
	pr_debug("stress run refused: %s\n", why);
	return -EINVAL;
}

static bool any(const u32 *number, u32 nr)
{
	while (nr--)
		if (number[nr])
			return true;
	return false;
}

static int check_simple(const struct myalloc_stress *p)
{
	if (p->kind >= MYALLOC_STRESS_KINDS)
		return refuse("no such kind");
	if (p->flags & ~MYALLOC_STRESS_FLAGS)
		return refuse("unknown flags");
	if (p->checks & ~MYALLOC_CHECK_ALL)
		return refuse("unknown checks");
	if (p->reserved)
		return refuse("reserved is not 0");
	if (!p->duration_ms && !p->ops)
		return refuse("neither a duration nor a number of operations");
	if (p->fill_permille > 1000)
		return refuse("a fill of more than 1000 permille");
	if (p->threads > MYALLOC_STRESS_THREADS_MAX)
		return refuse("too many threads");
	if (p->kind == MYALLOC_STRESS_CROSS && p->threads % 2)
		return refuse("cross takes pairs of threads");
	if (p->kind == MYALLOC_STRESS_RING && p->threads == 1)
		return refuse("ring takes a thread that reads, and others");
	if (p->kind == MYALLOC_STRESS_POOL && p->nr_sizes > 1)
		return refuse("pool takes one size");
	return 0;
}

static int check_sizes(const struct myalloc_stress *p)
{
	u32 i;

	if (p->nr_sizes > MYALLOC_STRESS_SIZES_MAX)
		return refuse("too many sizes");
	for (i = 0; i < p->nr_sizes; i++)
		if (!p->sizes[i] || p->sizes[i] > MYALLOC_OBJECT_MAX)
			return refuse("a size that no object has");
	if (any(p->sizes + i, MYALLOC_STRESS_SIZES_MAX - i) ||
	    any(p->size_weights + i, MYALLOC_STRESS_SIZES_MAX - i))
		return refuse("sizes or weights behind the last one in use");
	return 0;
}

/* The CPUs in the mask, or all online CPUs. */
static int settle_cpus(struct myalloc_stress_run *run)
{
	struct myalloc_stress *p = &run->params;
	u32 bits = 8 * sizeof(p->cpus), word = 8 * sizeof(p->cpus[0]), cpu;
	bool all = !(p->cpus[0] | p->cpus[1] | p->cpus[2] | p->cpus[3]);

	static_assert(ARRAY_SIZE(p->cpus) == 4);
	for (cpu = 0; cpu < bits; cpu++) {
		bool wanted = all || p->cpus[cpu / word] & BIT_ULL(cpu % word);
		bool online = cpu < nr_cpu_ids && cpu_online(cpu);

		if (!wanted || (all && !online))
			continue;
		if (!online)
			return refuse("a CPU that is not online");
		run->cpu[run->nr_cpus++] = cpu;
		p->cpus[cpu / word] |= BIT_ULL(cpu % word);
	}
	if (!run->nr_cpus)
		return refuse("no CPU");
	return 0;
}

static void settle_threads(struct myalloc_stress_run *run)
{
	struct myalloc_stress *p = &run->params;

	if (!p->threads) {
		p->threads = min_t(u32, run->nr_cpus, MYALLOC_STRESS_THREADS_MAX);
		if (p->kind == MYALLOC_STRESS_CROSS)
			p->threads = round_up(p->threads, 2);
		if (p->kind == MYALLOC_STRESS_RING)
			p->threads = max(p->threads, 2u);
	}
	run->nr_threads = p->threads;
}

/* The orders and their frequencies. */
static int settle_orders(struct myalloc_stress_run *run)
{
	struct myalloc_stress *p = &run->params;
	u32 top = run->job.zone->buddy.top_order, order;

	if (!any(p->order_weights, MYALLOC_ORDERS))
		for (order = 0; order <= top; order++)
			p->order_weights[order] = 1 << (top - order);
	if (any(p->order_weights + top + 1, MYALLOC_ORDERS - top - 1))
		return refuse("an order above that of the largest block");
	for (order = 0; order <= top; order++) {
		struct stress_what *what = &run->what[order];

		what->order = order;
		what->bytes = PAGE_SIZE << order;
		what->charge = what->bytes;
	}
	return 0;
}

/* A size that is given twice is one cache, with the sum of both weights. */
static void merge_sizes(struct myalloc_stress *p)
{
	u32 nr = 0, i, k;

	for (i = 0; i < p->nr_sizes; i++) {
		u32 size = p->sizes[i], weight = p->size_weights[i];

		for (k = 0; k < nr && p->sizes[k] != size; k++)
			;
		if (k == nr) {
			p->sizes[nr] = size;
			p->size_weights[nr++] = weight;
		} else {
			p->size_weights[k] = min_t(u64, (u64)p->size_weights[k] + weight, U32_MAX);
		}
	}
	for (i = nr; i < p->nr_sizes; i++) {
		p->sizes[i] = 0;
		p->size_weights[i] = 0;
	}
	p->nr_sizes = nr;
}

/* Does an object fit into the largest slab of the zone? With small chunks not all do. */
static bool fits(const struct myalloc_stress_run *run, u32 size)
{
	struct myalloc_slab_layout layout;

	return !myalloc_slab_layout(&layout, size, 0, run->job.zone->checks |
				    (__force myalloc_cache_flags_t)run->params.checks,
				    false, run->job.zone->chunk_order);
}

/* The one kind of allocation is any size, so those of the user have no effect. */
static int settle_any_size(struct myalloc_stress_run *run)
{
	struct stress_what *what = &run->what[STRESS_WHAT_SIZES];

	what->any = true;
	what->bytes = min_t(u32, any_size[run->params.kind].most,
			    PAGE_SIZE << run->job.zone->chunk_order);
	what->charge = any_size[run->params.kind].charge;
	return 0;
}

static_assert(ARRAY_SIZE(default_sizes) <= MYALLOC_STRESS_SIZES_MAX);

static int settle_sizes(struct myalloc_stress_run *run)
{
	struct myalloc_stress *p = &run->params;
	bool given = p->nr_sizes;
	u32 i;

	if (any_size[p->kind].most)
		return settle_any_size(run);
	if (p->kind == MYALLOC_STRESS_POOL && !given) {
		p->sizes[0] = POOL_SIZE;
		p->nr_sizes = 1;
		given = true;
	}
	for (i = 0; !given && i < ARRAY_SIZE(default_sizes); i++)
		if (fits(run, default_sizes[i]))
			p->sizes[p->nr_sizes++] = default_sizes[i];
	for (i = 0; given && i < p->nr_sizes; i++)
		if (!fits(run, p->sizes[i]))
			return refuse("a size that fits into no slab of the zone");
	if (!any(p->size_weights, p->nr_sizes))
		for (i = 0; i < p->nr_sizes; i++)
			p->size_weights[i] = 1;
	merge_sizes(p);
	for (i = 0; i < p->nr_sizes; i++) {
		struct stress_what *what = &run->what[STRESS_WHAT_SIZES + i];

		what->bytes = p->sizes[i];
		what->charge = p->sizes[i];
	}
	return 0;
}

/**
 * myalloc_stress_settle() - check the parameters and fill in the defaults
 * @run: with its zone set; params, verify, cpu, nr_cpus, nr_threads are set, and of each what
 *	everything except the cache
 * @params: parameters from the user
 *
 * Context: task.
 * Return: 0, -EINVAL.
 */
int myalloc_stress_settle(struct myalloc_stress_run *run, const struct myalloc_stress *params)
{
	struct myalloc_stress *p = &run->params;
	int err;

	*p = *params;
	err = check_simple(p);
	if (err)
		return err;
	err = check_sizes(p);
	if (err)
		return err;
	err = settle_orders(run);
	if (err)
		return err;
	err = settle_sizes(run);
	if (err)
		return err;
	err = settle_cpus(run);
	if (err)
		return err;
	settle_threads(run);
	if (!p->fill_permille)
		p->fill_permille = FILL_DEFAULT;
	while (!p->seed)
		p->seed = myalloc_env_seed();
	run->verify = !(p->flags & MYALLOC_STRESS_NO_VERIFY);
	return 0;
}

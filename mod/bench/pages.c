// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of pages: orders by patterns, and levels of fill
 *
 * The kernel's side is alloc_pages() and alloc_pages_bulk(), which allocate unmovable memory
 * without zeroing. On a kernel with init_on_alloc they zero anyway: the result says so, and the
 * shapes "zeroed" are then the ones to compare. gen_pool, which drivers use to divide their own
 * memory, is given as many pages as our zone has.
 *
 * Levels of fill: our zone and the gen_pool are filled with blocks of order 0 to 3, and then
 * random blocks are replaced until each has been replaced twice on average. The kernel's own free
 * memory cannot be brought to such a state without harm to the rest of the system, so
 * alloc_pages() is shown without a ratio there.
 */
#include "env.h"

#include <linux/gfp.h>

#include "bench/run.h"
#include "compat.h"

/* Largest order of the blocks that fill a zone. */
#define FILL_ORDER	3

enum variant {
	IN_ORDER,
	SHUFFLED,
	EMPTY,		/* magazines are drained before each round, which is one batch */
};

/* --- sides -------------------------------------------------------------------------- */

typedef void *(*take_fn)(struct bench_work *w, unsigned int order);
typedef void (*give_fn)(struct bench_work *w, void *block, unsigned int order);

static __always_inline void *ours_take(struct bench_work *w, unsigned int order)
{
	return myalloc_pages_alloc(w->run->job.zone, order, 0);
}

static __always_inline void *ours_zeroed(struct bench_work *w, unsigned int order)
{
	return myalloc_pages_alloc(w->run->job.zone, order, MYALLOC_ZERO);
}

static __always_inline void ours_give(struct bench_work *w, void *block, unsigned int order)
{
	myalloc_pages_free(w->run->job.zone, block, order);
}

static __always_inline void *kernel_take(struct bench_work *w, unsigned int order)
{
	return alloc_pages(GFP_BENCH, order);
}

static __always_inline void *kernel_zeroed(struct bench_work *w, unsigned int order)
{
	return alloc_pages(GFP_BENCH | __GFP_ZERO, order);
}

static __always_inline void kernel_give(struct bench_work *w, void *block, unsigned int order)
{
	__free_pages(block, order);
}

static __always_inline void *genpool_take(struct bench_work *w, unsigned int order)
{
	return MYALLOC_COMPAT_GENPOOL ?
	       (void *)gen_pool_alloc(w->genpool, PAGE_SIZE << order) : NULL;
}

static __always_inline void genpool_give(struct bench_work *w, void *block, unsigned int order)
{
	if (MYALLOC_COMPAT_GENPOOL)
		gen_pool_free(w->genpool, (unsigned long)block, PAGE_SIZE << order);
}

/* --- patterns ----------------------------------------------------------------------------- */

static __always_inline void pair(struct bench_work *w, u32 ops, take_fn take, give_fn give)
{
	const unsigned int order = w->shape->order;

	for (; ops; ops--) {
		void *block = take(w, order);

		if (likely(block))
			give(w, block, order);
		else
			w->fails++;
	}
}

static __always_inline void batch(struct bench_work *w, u32 ops, take_fn take, give_fn give)
{
	const u32 nr = w->shape->batch, *turn = w->order;
	const unsigned int order = w->shape->order;
	void **block = w->object;
	u32 n, i;

	for (; ops >= nr; ops -= nr) {
		for (n = 0; n < nr; n++) {
			block[n] = take(w, order);
			if (unlikely(!block[n]))
				break;
		}
		if (unlikely(n < nr)) {
			w->fails++;
			while (n--)
				give(w, block[n], order);
			continue;
		}
		for (i = 0; i < nr; i++)
			give(w, block[turn[i]], order);
	}
}

#define ROUNDS(side)								\
static void side##_pair(struct bench_work *w, u32 ops)				\
{										\
	pair(w, ops, side##_take, side##_give);					\
}										\
										\
static void side##_batch(struct bench_work *w, u32 ops)				\
{										\
	batch(w, ops, side##_take, side##_give);					\
}

ROUNDS(ours)
ROUNDS(kernel)
ROUNDS(genpool)

static void ours_zeroed_pair(struct bench_work *w, u32 ops)
{
	pair(w, ops, ours_zeroed, ours_give);
}

static void kernel_zeroed_pair(struct bench_work *w, u32 ops)
{
	pair(w, ops, kernel_zeroed, kernel_give);
}

static void ours_bulk(struct bench_work *w, u32 ops)
{
	const u32 nr = w->shape->batch;

	for (; ops >= nr; ops -= nr) {
		u32 got = myalloc_pages_alloc_bulk(w->run->job.zone, w->shape->order, 0, nr,
						   w->object);

		w->fails += nr - got;
		myalloc_pages_free_bulk(w->run->job.zone, w->shape->order, got, w->object);
	}
}

/* Modules have no bulk free of pages. The array must be cleared for the next call. */
static void kernel_bulk(struct bench_work *w, u32 ops)
{
	struct page **page = (struct page **)w->object;
	const u32 nr = w->shape->batch;
	u32 i;

	for (; ops >= nr; ops -= nr) {
		u32 got = myalloc_compat_pages_bulk(GFP_BENCH, nr, page);

		w->fails += nr - got;
		for (i = 0; i < got; i++) {
			__free_pages(page[i], 0);
			page[i] = NULL;
		}
	}
}

/* --- begin, ready, end ----------------------------------------------------------------- */

static int make_batch(struct bench_work *w)
{
	u32 nr = w->shape->batch;
	int err;

	if (!nr)
		return 0;
	err = myalloc_bench_objects_room(w, nr) ?: myalloc_bench_make_order(w, nr);
	if (!err && w->shape->variant == SHUFFLED)
		myalloc_bench_shuffle(w, w->order, nr);
	return err;
}

static int genpool_begin(struct bench_work *w)
{
	return myalloc_bench_genpool(w) ?: make_batch(w);
}

static void ours_ready(struct bench_work *w)
{
	if (w->shape->variant == EMPTY)
		myalloc_zone_drain(w->run->job.zone);
}

/* Store the order of a block in the lowest bits of its address. */
static void *mark(void *block, unsigned int order)
{
	return (void *)((unsigned long)block | order);
}

static void give_held(struct bench_work *w, u32 at, give_fn give)
{
	unsigned long held = (unsigned long)w->held[at];

	give(w, (void *)(held & PAGE_MASK), held & ~PAGE_MASK);
}

static void replace(struct bench_work *w, take_fn take, give_fn give)
{
	u32 at = myalloc_random_below(&w->random, w->nr_held);
	unsigned int order = (unsigned long)w->held[at] & ~PAGE_MASK;
	void *block;

	give_held(w, at, give);
	block = take(w, order);
	if (block)
		w->held[at] = mark(block, order);
	else
		w->held[at] = w->held[--w->nr_held];
}

/* Fill to the level of the shape, then replace blocks. */
static int fill(struct bench_work *w, take_fn take, give_fn give)
{
	u64 pages, target, used = 0;
	u32 room, steps;
	int err = myalloc_bench_zone_pages(w, &pages);

	if (err)
		return err;
	if (w->genpool)
		pages = w->run->info.nr_pages;
	target = div_u64(pages * w->shape->fill_permille, 1000);
	room = target;
	w->held = myalloc_bench_zalloc(array_size(max(room, 1U), sizeof(*w->held)));
	if (!w->held)
		return -ENOMEM;
	while (used < target && w->nr_held < room) {
		unsigned int order = myalloc_random_below(&w->random, FILL_ORDER + 1);
		void *block;

		while (order && used + BIT(order) > target)
			order--;
		block = take(w, order);
		if (!block)
			break;
		w->held[w->nr_held++] = mark(block, order);
		used += BIT(order);
		if (!(w->nr_held % 1024))
			cond_resched();
	}
	for (steps = 2 * w->nr_held; steps && w->nr_held; steps--) {
		replace(w, take, give);
		if (!(steps % 1024)) {
			cond_resched();
			if (myalloc_bench_stopped(w->run))
				break;
		}
	}
	return make_batch(w);
}

static void empty(struct bench_work *w, give_fn give)
{
	while (w->nr_held) {
		give_held(w, --w->nr_held, give);
		if (!(w->nr_held % 1024))
			cond_resched();
	}
	myalloc_bench_end(w);
}

static int ours_fill(struct bench_work *w)
{
	myalloc_zone_drain(w->run->job.zone);
	return fill(w, ours_take, ours_give);
}

static void ours_empty(struct bench_work *w)
{
	empty(w, ours_give);
}

static int genpool_fill(struct bench_work *w)
{
	return myalloc_bench_genpool(w) ?: fill(w, genpool_take, genpool_give);
}

static void genpool_empty(struct bench_work *w)
{
	empty(w, genpool_give);
}

/* --- tables ------------------------------------------------------------------------------ */

#define OURS(fn)	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = make_batch, \
			  .ready = ours_ready, .round = fn, .end = myalloc_bench_end }
#define KERNEL(side, fn) { .name = side, .begin = make_batch, .round = fn, \
			   .end = myalloc_bench_end }
#define GENPOOL(fn)	{ .name = "gen_pool", .absent = !MYALLOC_COMPAT_GENPOOL, \
			  .begin = genpool_begin, .round = fn, .end = myalloc_bench_end }

static const struct bench_side pair_sides[] = {
	OURS(ours_pair), KERNEL("alloc_pages", kernel_pair), GENPOOL(genpool_pair), { }
};

static const struct bench_side batch_sides[] = {
	OURS(ours_batch), KERNEL("alloc_pages", kernel_batch), GENPOOL(genpool_batch), { }
};

static const struct bench_side zeroed_sides[] = {
	OURS(ours_zeroed_pair), KERNEL("alloc_pages", kernel_zeroed_pair), { }
};

static const struct bench_side bulk_sides[] = {
	OURS(ours_bulk), KERNEL("pages_bulk", kernel_bulk), { }
};

#define OURS_FULL(fn)	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = ours_fill, \
			  .round = fn, .end = ours_empty }
#define KERNEL_ASIDE(fn) { .name = "alloc_pages", .flags = MYALLOC_BENCH_ASIDE, \
			   .begin = make_batch, .round = fn, .end = myalloc_bench_end }
#define GENPOOL_FULL(fn) { .name = "gen_pool", .absent = !MYALLOC_COMPAT_GENPOOL, \
			   .begin = genpool_fill, .round = fn, .end = genpool_empty }

static const struct bench_side full_pair_sides[] = {
	OURS_FULL(ours_pair), KERNEL_ASIDE(kernel_pair), GENPOOL_FULL(genpool_pair), { }
};

static const struct bench_side full_batch_sides[] = {
	OURS_FULL(ours_batch), KERNEL_ASIDE(kernel_batch), GENPOOL_FULL(genpool_batch), { }
};

static const struct {
	u32 order;
	const char *name;
	const char *what;
	u32 batch;
	enum variant variant;
	u32 fill;
	const struct bench_side *sides;
} shapes[] = {
	{ 0, "pair", "one allocated and freed at once", 0, IN_ORDER, 0, pair_sides },
	{ 0, "batch-10", "10 allocated, then freed in order", 10, IN_ORDER, 0,
	  batch_sides },
	{ 0, "batch-100", "100 allocated, then freed in order", 100, IN_ORDER, 0,
	  batch_sides },
	{ 0, "batch-1000", "1000 allocated, then freed in order", 1000, IN_ORDER, 0,
	  batch_sides },
	{ 0, "batch-1000/shuffled", "1000 allocated, then freed in random order", 1000,
	  SHUFFLED, 0, batch_sides },
	{ 0, "bulk-64", "64 allocated by one call, and freed", 64, IN_ORDER, 0,
	  bulk_sides },
	{ 0, "zeroed", "one allocated zeroed and freed at once", 0, IN_ORDER, 0,
	  zeroed_sides },
	{ 0, "empty-cache/batch-64", "64 allocated while no CPU has any cached, then freed", 64,
	  EMPTY, 0, batch_sides },
	{ 3, "pair", "one allocated and freed at once", 0, IN_ORDER, 0, pair_sides },
	{ 3, "batch-10", "10 allocated, then freed in order", 10, IN_ORDER, 0,
	  batch_sides },
	{ 3, "batch-100", "100 allocated, then freed in order", 100, IN_ORDER, 0,
	  batch_sides },
	{ 3, "empty-cache/batch-16", "16 allocated while no CPU has any cached, then freed", 16,
	  EMPTY, 0, batch_sides },
	{ 9, "pair", "one allocated and freed at once", 0, IN_ORDER, 0, pair_sides },
	{ 9, "batch-10", "10 allocated, then freed in order", 10, IN_ORDER, 0,
	  batch_sides },
	{ 9, "empty-cache/batch-4", "4 allocated while no CPU has any cached, then freed", 4,
	  EMPTY, 0, batch_sides },
	{ 0, "full-50/pair", "one allocated and freed at once, at half full", 0, IN_ORDER, 500,
	  full_pair_sides },
	{ 0, "full-50/batch-100", "100 allocated, then freed in random order, at half full", 100,
	  SHUFFLED, 500, full_batch_sides },
	{ 0, "full-90/pair", "one allocated and freed at once, at 90 % full", 0, IN_ORDER, 900,
	  full_pair_sides },
	{ 0, "full-90/batch-100", "100 allocated, then freed in random order, at 90 % full", 100,
	  SHUFFLED, 900, full_batch_sides },
	{ 0, "full-99/pair", "one allocated and freed at once, at 99 % full", 0, IN_ORDER, 990,
	  full_pair_sides },
	{ 0, "full-99/batch-100", "100 allocated, then freed in random order, at 99 % full", 100,
	  SHUFFLED, 990, full_batch_sides },
	{ 3, "full-50/batch-10", "10 allocated, then freed in random order, at half full", 10,
	  SHUFFLED, 500, full_batch_sides },
	{ 3, "full-90/batch-10", "10 allocated, then freed in random order, at 90 % full", 10,
	  SHUFFLED, 900, full_batch_sides },
};

static void describe(u32 index, struct bench_shape *shape)
{
	shape->order = shapes[index].order;
	shape->batch = shapes[index].batch;
	shape->variant = shapes[index].variant;
	shape->one_batch = shapes[index].variant == EMPTY;
	shape->fill_permille = shapes[index].fill;
	myalloc_bench_sides(shape, shapes[index].sides);
	scnprintf(shape->name, sizeof(shape->name), "page/%u/%s", shape->order,
		  shapes[index].name);
	scnprintf(shape->what, sizeof(shape->what), "blocks of order %u, %s", shape->order,
		  shapes[index].what);
}

const struct bench_family myalloc_bench_pages = {
	.nr = ARRAY_SIZE(shapes),
	.describe = describe,
};

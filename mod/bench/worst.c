// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of the worst case: the longest single operation
 *
 * A round is a series of operations, each between two readings of the clock with interrupts off
 * (where the operation allows it), and its figure is the longest. The states are the worst that
 * the allocator's structure admits:
 *
 *	fill		from an empty, drained zone of which all but a few large blocks are
 *			held, to the last block and the first failure: the series includes every
 *			refill, new slab, deepest split and last block
 *	empty		free all of that in random order: every flush, merge, empty slab
 *	new-slab	no magazine, depot or slab has an object, and the smallest free block is
 *			the largest possible: refill + new slab + deepest split
 *	refill		REFILL_SLABS slabs, each with few free slots, far apart: the longest scan
 *	flush		magazines and depot are full, and the top batch has objects of as many
 *			slabs as it has objects, each the last one in its slab
 *	flush-merge	likewise for pages: each is the last one in its chunk, so that each
 *			merges up to the largest order
 *
 * and the operations that have no fast path at all, one after the other. SLUB and alloc_pages() run
 * the same fill and empty; the other states have no counterpart.
 */
#include "env.h"

#include <linux/gfp.h>

#include "bench/worst.h"

/* Pages of the zone that a series leaves free; more would take long with small objects. */
#define LEAVE_TINY	64
#define LEAVE_SMALL	256
#define LEAVE_LARGE	1024

#define OBJECTS_MAX	(10 * 65536)
#define BULK		64
#define EXACT_PAGES	513

/* The largest of the small orders that have magazines. */
#define SMALL_ORDER	3

/* --- states of the zone ------------------------------------------------------------------- */

static u32 leave_pages(const struct bench_shape *shape)
{
	if (!shape->bytes)
		return LEAVE_LARGE;
	return shape->bytes < 64 ? LEAVE_TINY : shape->bytes < 4096 ? LEAVE_SMALL : LEAVE_LARGE;
}

static void hold(struct bench_work *w, void *block, u32 order)
{
	breathe(w->nr_held);
	w->held[w->nr_held++] = (void *)((unsigned long)block | order);
}

/**
 * myalloc_bench_worst_release() - free the blocks that keep the zone full
 * @w: the side
 *
 * Context: task, may sleep.
 */
void myalloc_bench_worst_release(struct bench_work *w)
{
	while (w->nr_held) {
		unsigned long held = (unsigned long)w->held[--w->nr_held];

		breathe(w->nr_held);
		myalloc_pages_free(w->run->job.zone, (void *)(held & PAGE_MASK), held & ~PAGE_MASK);
	}
}

/**
 * myalloc_bench_worst_leave() - hold all of the zone except a few pages
 * @w: the side
 * @leave: about how many; they are in as few blocks as possible
 *
 * Context: task, may sleep.
 */
void myalloc_bench_worst_leave(struct bench_work *w, u32 leave)
{
	struct myalloc_zone *zone = w->run->job.zone;
	u32 top = w->run->info.chunk_order, order = min_t(u32, top, ilog2(leave)), left = 0;
	void *keep[2] = { NULL, NULL };
	u32 nr, i;

	myalloc_zone_drain(zone);
	for (nr = 0; nr < ARRAY_SIZE(keep) && left < leave; nr++, left += BIT(order))
		keep[nr] = myalloc_pages_alloc(zone, order, 0);
	for (i = top + 1; i--; ) {
		void *block;

		while (w->nr_held < w->room && (block = myalloc_pages_alloc(zone, i, 0)))
			hold(w, block, i);
	}
	for (i = 0; i < nr; i++)
		if (keep[i])
			myalloc_pages_free(zone, keep[i], order);
	myalloc_zone_drain(zone);
}

/**
 * myalloc_bench_worst_split() - hold every free block smaller than the largest
 * @w: the side
 *
 * So the next request splits a largest one.
 *
 * Context: task, may sleep.
 */
void myalloc_bench_worst_split(struct bench_work *w)
{
	struct myalloc_zone *zone = w->run->job.zone;
	u32 order;

	myalloc_zone_drain(zone);
	if (myalloc_bench_stat(w)) {
		w->fails++;
		return;
	}
	for (order = 0; order < w->run->info.max_order; order++) {
		u64 nr = w->run->stat.free_blocks[order];

		for (; nr && w->nr_held < w->room; nr--) {
			/* Top-down requests bypass the magazines, so nothing is refilled. */
			void *block = myalloc_pages_alloc(zone, order, MYALLOC_TOPDOWN);

			if (block)
				hold(w, block, order);
		}
	}
}

/**
 * myalloc_bench_worst_room() - make the arrays of a side
 * @w: the side
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM.
 */
int myalloc_bench_worst_room(struct bench_work *w)
{
	u32 nr = w->run->info.nr_pages;
	int err = myalloc_bench_objects_room(w, max_t(u32, nr, OBJECTS_MAX));

	if (err)
		return err;
	w->held = myalloc_bench_zalloc(array_size(w->room, sizeof(*w->held)));
	return w->held ? 0 : -ENOMEM;
}

static int ours_begin(struct bench_work *w)
{
	return myalloc_bench_worst_room(w) ?: w->shape->bytes ? myalloc_bench_ours(w) : 0;
}

static int slub_begin(struct bench_work *w)
{
	return myalloc_bench_worst_room(w) ?: myalloc_bench_slub(w);
}

static void ready_leave(struct bench_work *w)
{
	if (w->cache)
		myalloc_cache_shrink(w->cache);
	myalloc_bench_worst_leave(w, leave_pages(w->shape));
}

/**
 * myalloc_bench_worst_shuffle() - bring allocations into random order
 * @w: the side
 * @nr: how many of w->object
 *
 * Context: task, may sleep.
 */
void myalloc_bench_worst_shuffle(struct bench_work *w, u32 nr)
{
	for (; nr > 1; nr--) {
		u32 with = myalloc_random_below(&w->random, nr);

		swap(w->object[nr - 1], w->object[with]);
		breathe(nr);
	}
}

/* --- fill and empty: objects --------------------------------------------------------------- */

static __always_inline void *ours_take(struct bench_work *w)
{
	return myalloc_cache_alloc(w->cache, 0);
}

static __always_inline void ours_give(struct bench_work *w, void *object)
{
	myalloc_cache_free(w->cache, object);
}

static __always_inline void *slub_take(struct bench_work *w)
{
	return kmem_cache_alloc(w->kcache, GFP_ATOMIC | __GFP_NOWARN);
}

static __always_inline void slub_give(struct bench_work *w, void *object)
{
	kmem_cache_free(w->kcache, object);
}

/* As many objects as myalloc's side gets before the zone is exhausted. */
static u32 slub_most(const struct bench_work *w)
{
	return min_t(u32, leave_pages(w->shape) * (PAGE_SIZE / w->shape->bytes), OBJECTS_MAX);
}

static void ours_object_fill(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked(), none = watch_task();
	u32 nr = fill_objects(w, &watch, ours_take, w->room);

	empty_objects(w, &none, ours_give, nr);
	watch_end(w, &watch);
}

static void ours_object_empty(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked(), none = watch_task();
	u32 nr = fill_objects(w, &none, ours_take, w->room);

	myalloc_bench_worst_shuffle(w, nr);
	empty_objects(w, &watch, ours_give, nr);
	watch_end(w, &watch);
}

static void slub_object_fill(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_kernel(), none = watch_task();
	u32 nr = fill_objects(w, &watch, slub_take, slub_most(w));

	empty_objects(w, &none, slub_give, nr);
	watch_end(w, &watch);
}

static void slub_object_empty(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_kernel(), none = watch_task();
	u32 nr = fill_objects(w, &none, slub_take, slub_most(w));

	myalloc_bench_worst_shuffle(w, nr);
	empty_objects(w, &watch, slub_give, nr);
	watch_end(w, &watch);
}

static void slub_ready(struct bench_work *w)
{
	kmem_cache_shrink(w->kcache);
}

/* --- fill and empty: pages --------------------------------------------------------------- */

static __always_inline void *ours_page_take(struct bench_work *w)
{
	return myalloc_pages_alloc(w->run->job.zone, w->shape->order, 0);
}

static __always_inline void ours_page_give(struct bench_work *w, void *block)
{
	myalloc_pages_free(w->run->job.zone, block, w->shape->order);
}

static __always_inline void *kernel_page_take(struct bench_work *w)
{
	return alloc_pages(GFP_ATOMIC | __GFP_NOWARN, w->shape->order);
}

static __always_inline void kernel_page_give(struct bench_work *w, void *block)
{
	__free_pages(block, w->shape->order);
}

static void ours_page_fill(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked(), none = watch_task();
	u32 nr = fill_objects(w, &watch, ours_page_take, w->room);

	empty_objects(w, &none, ours_page_give, nr);
	watch_end(w, &watch);
}

static void ours_page_empty(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked(), none = watch_task();
	u32 nr = fill_objects(w, &none, ours_page_take, w->room);

	myalloc_bench_worst_shuffle(w, nr);
	empty_objects(w, &watch, ours_page_give, nr);
	watch_end(w, &watch);
}

static u32 kernel_most(const struct bench_work *w)
{
	return max(LEAVE_LARGE >> w->shape->order, 1);
}

static void kernel_page_fill(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_kernel(), none = watch_task();
	u32 nr = fill_objects(w, &watch, kernel_page_take, kernel_most(w));

	empty_objects(w, &none, kernel_page_give, nr);
	watch_end(w, &watch);
}

static void kernel_page_empty(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_kernel(), none = watch_task();
	u32 nr = fill_objects(w, &none, kernel_page_take, kernel_most(w));

	myalloc_bench_worst_shuffle(w, nr);
	empty_objects(w, &watch, kernel_page_give, nr);
	watch_end(w, &watch);
}

/* --- states built by hand: objects ---------------------------------------------------- */

static void new_slab_ready(struct bench_work *w)
{
	myalloc_cache_shrink(w->cache);
	myalloc_bench_worst_split(w);
}

static void new_slab(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked();
	void *object;

	watch_start(&watch);
	object = ours_take(w);
	watch_stop(&watch);
	if (object)
		ours_give(w, object);
	else
		w->fails++;
	watch_end(w, &watch);
}

/* Allocate objects that fill @slabs slabs, sorted by address. Returns their number. */
static u32 fill_slabs(struct bench_work *w, u32 slabs)
{
	struct myalloc_cache_stat stat = { };
	u32 want, n;

	myalloc_cache_stat_fill(&stat, w->cache);
	w->slab_bytes = PAGE_SIZE << stat.order;
	want = min_t(u32, slabs * stat.objects_per_slab, w->room);
	for (n = 0; n < want; n++) {
		w->object[n] = ours_take(w);
		if (!w->object[n])
			break;
		breathe(n);
	}
	myalloc_bench_sort(w->object, n);
	return n;
}

/* A slab is a block aligned to its size. */
static bool same_slab(const struct bench_work *w, const void *a, const void *b)
{
	return (unsigned long)a / w->slab_bytes == (unsigned long)b / w->slab_bytes;
}

#define REFILL_SLABS	8
#define REFILL_FREE	4	/* in each slab: a batch takes all of them from four slabs */

/* Free these objects of each slab: the first, the last and two between. */
static bool refill_free(u32 at, u32 of)
{
	return !at || at == of / 3 || at == 2 * of / 3 || at == of - 1;
}

static void refill_ready(struct bench_work *w)
{
	u32 nr, from, to, i, kept = 0;

	myalloc_cache_shrink(w->cache);
	nr = fill_slabs(w, REFILL_SLABS);
	for (from = 0; from < nr; from = to) {
		for (to = from + 1; to < nr && same_slab(w, w->object[from], w->object[to]);)
			to++;
		for (i = from; i < to; i++) {
			void *object = w->object[i];

			if (refill_free(i - from, to - from))
				ours_give(w, object);
			else
				w->object[kept++] = object;
		}
	}
	w->at = kept;
	myalloc_cache_drain(w->cache);
}

static void refill(struct bench_work *w, u32 ops)
{
	new_slab(w, ops);
}

/* Free the objects that refill_ready() and flush_ready() have kept. */
static void give_kept(struct bench_work *w)
{
	while (w->at) {
		ours_give(w, w->object[--w->at]);
		breathe(w->at);
	}
	myalloc_cache_drain(w->cache);
	myalloc_bench_worst_release(w);
}

/* Number of blocks of an order that one CPU can free before it must flush. */
static u32 pages_fill(struct myalloc_zone *zone, u32 order)
{
	struct myalloc_magazine_info mags;

	myalloc_pages_magazines(zone, order, &mags);
	return mags.magazines * mags.capacity;
}

/* The same for objects. */
static u32 cache_fill(struct bench_work *w)
{
	struct myalloc_magazine_info mags;

	myalloc_cache_magazines(w->cache, &mags);
	return mags.magazines * mags.capacity;
}

/*
 * Keep one object in each slab, in the order in which they are freed. As all are of different
 * slabs, so are those at the top of the magazine that is flushed. This needs only as many slabs
 * as there are slots in the magazines.
 */
static void flush_ready(struct bench_work *w)
{
	u32 need = cache_fill(w) + 1, nr, i, kept = 0;

	myalloc_cache_shrink(w->cache);
	nr = fill_slabs(w, need);
	for (i = 0; i < nr; i++) {
		void *object = w->object[i];

		breathe(i);
		if (kept && same_slab(w, w->object[kept - 1], object))
			ours_give(w, object);
		else
			w->object[kept++] = object;
	}
	myalloc_cache_drain(w->cache);
	w->at = kept;
}

static void flush(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked();

	empty_objects(w, &watch, ours_give, w->at);
	w->at = 0;
	watch_end(w, &watch);
}

/* --- states built by hand: pages ---------------------------------------------------------- */

/*
 * Of each chunk, allocated as a block, free all pages but the first, which becomes a block of its
 * own. Returns for how many chunks this succeeded: fewer than @nr if other users take pages that
 * become free; the rest is freed then.
 */
static u32 keep_first_pages(struct bench_work *w, void **chunk, u32 nr)
{
	u32 order = w->run->info.chunk_order, rest = BIT(order) - 1, n, i;
	struct myalloc_zone *zone = w->run->job.zone;

	for (n = 0; n < nr; n++) {
		void *page;

		myalloc_pages_free(zone, chunk[n], order);
		if (myalloc_pages_alloc_range(zone, chunk[n] + PAGE_SIZE, rest, 0))
			break;
		page = myalloc_pages_alloc(zone, 0, MYALLOC_TOPDOWN);
		if (page == chunk[n])
			continue;
		if (page)
			myalloc_pages_free(zone, page, 0);
		myalloc_pages_free_exact(zone, chunk[n] + PAGE_SIZE, rest);
		break;
	}
	for (i = 0; i < n; i++)
		myalloc_pages_free_exact(zone, chunk[i] + PAGE_SIZE, rest);
	for (i = n + 1; i < nr; i++)
		myalloc_pages_free(zone, chunk[i], order);
	return n;
}

/*
 * Prepare pages such that the flushed batch has one page of each chunk, the last one there that
 * is not free. object[] lists them in the order in which to free them, from the end: the first
 * frees fill the depot.
 */
static void merge_ready(struct bench_work *w)
{
	u32 order = w->run->info.chunk_order, fillers, specials, others, nr = 0, i;
	struct myalloc_zone *zone = w->run->job.zone;
	struct myalloc_magazine_info mags;
	void *special[16];
	u64 chunks;

	w->at = 0;
	myalloc_zone_drain(zone);
	myalloc_pages_magazines(zone, 0, &mags);
	if (!mags.capacity)
		return;
	/* Keep one page of each chunk, except the chunks that supply the fillers. */
	if (myalloc_bench_stat(w)) {
		w->fails++;
		return;
	}
	chunks = w->run->stat.free_blocks[order];
	others = 1 + (mags.magazines * mags.capacity >> order);
	chunks = chunks > others ? min_t(u64, chunks - others, mags.batch) : 0;
	for (specials = 0; specials < min_t(u64, chunks, ARRAY_SIZE(special)); specials++) {
		void *block = myalloc_pages_alloc(zone, order, MYALLOC_TOPDOWN);

		if (!block)
			break;
		special[specials] = block;
	}
	fillers = mags.magazines * mags.capacity - specials + 1;
	for (i = 0; i < fillers && nr < w->room; i++) {
		w->object[nr] = myalloc_pages_alloc(zone, 0, 0);
		if (!w->object[nr])
			break;
		nr++;
	}
	specials = keep_first_pages(w, special, specials);
	myalloc_zone_drain(zone);
	/* From the end: fillers for all magazines but one, less a batch; the specials; one more. */
	for (i = 0; i < specials && nr < w->room; i++) {
		u32 at = min(mags.capacity + 1, nr);

		memmove(&w->object[at + 1], &w->object[at], (nr - at) * sizeof(void *));
		w->object[at] = special[i];
		nr++;
	}
	w->at = nr;
}

static void merge(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked();

	empty_objects(w, &watch, ours_page_give, w->at);
	w->at = 0;
	watch_end(w, &watch);
}

/* --- operations without a fast path ------------------------------------------------------- */

static void exact_alloc(struct bench_work *w, u32 ops)
{
	struct myalloc_zone *zone = w->run->job.zone;
	struct watch watch = watch_masked();
	void *addr;

	watch_start(&watch);
	addr = myalloc_pages_alloc_exact(zone, EXACT_PAGES, 0, 0);
	watch_stop(&watch);
	if (addr)
		myalloc_pages_free_exact(zone, addr, EXACT_PAGES);
	else
		w->fails++;
	watch_end(w, &watch);
}

static void exact_free(struct bench_work *w, u32 ops)
{
	struct myalloc_zone *zone = w->run->job.zone;
	struct watch watch = watch_masked();
	void *addr = myalloc_pages_alloc_exact(zone, EXACT_PAGES, 0, 0);

	watch_start(&watch);
	if (addr)
		myalloc_pages_free_exact(zone, addr, EXACT_PAGES);
	else
		w->fails++;
	watch_stop(&watch);
	watch_end(w, &watch);
}

static void page_bulk_alloc(struct bench_work *w, u32 ops)
{
	struct myalloc_zone *zone = w->run->job.zone;
	struct watch watch = watch_masked();
	u32 nr;

	watch_start(&watch);
	nr = myalloc_pages_alloc_bulk(zone, 0, 0, BULK, w->object);
	watch_stop(&watch);
	w->fails += BULK - nr;
	myalloc_pages_free_bulk(zone, 0, nr, w->object);
	watch_end(w, &watch);
}

/* Free into full magazines. */
static void page_bulk_free(struct bench_work *w, u32 ops)
{
	struct myalloc_zone *zone = w->run->job.zone;
	struct watch watch = watch_masked();
	u32 need = pages_fill(zone, 0) + BULK, nr, i;

	nr = myalloc_pages_alloc_bulk(zone, 0, 0, min(need, w->room), w->object);
	myalloc_bench_worst_shuffle(w, nr);
	for (i = nr; i > BULK; i--)
		myalloc_pages_free(zone, w->object[i - 1], 0);
	watch_start(&watch);
	myalloc_pages_free_bulk(zone, 0, i, w->object);
	watch_stop(&watch);
	watch_end(w, &watch);
}

static void by_address(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked();
	u32 nr = fill_slabs(w, 4), i;

	myalloc_bench_worst_shuffle(w, nr);
	for (i = 0; i < nr; i++) {
		watch_start(&watch);
		if (i % 2)
			myalloc_free(w->run->job.zone, w->object[i]);
		else
			myalloc_usable_size(w->run->job.zone, w->object[i]);
		watch_stop(&watch);
	}
	for (i = 0; i < nr; i += 2)
		ours_give(w, w->object[i]);
	watch_end(w, &watch);
}

/* Drain the whole zone with every magazine of this CPU full. Not bounded by a constant. */
static void zone_drain(struct bench_work *w, u32 ops)
{
	struct myalloc_zone *zone = w->run->job.zone;
	struct watch watch = watch_task();
	u32 order;

	for (order = 0; order <= SMALL_ORDER; order++) {
		u32 need = pages_fill(zone, order);
		u32 nr = myalloc_pages_alloc_bulk(zone, order, 0, min(need, w->room), w->object);

		myalloc_bench_worst_shuffle(w, nr);
		myalloc_pages_free_bulk(zone, order, nr, w->object);
	}
	watch_start(&watch);
	myalloc_zone_drain(zone);
	watch_stop(&watch);
	watch_end(w, &watch);
}

static void fill_magazines(struct bench_work *w)
{
	u32 need = cache_fill(w), nr;

	nr = myalloc_cache_alloc_bulk(w->cache, 0, min(need, w->room), w->object);
	myalloc_bench_worst_shuffle(w, nr);
	myalloc_cache_free_bulk(w->cache, nr, w->object);
}

static void cache_drain(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_task();

	fill_magazines(w);
	watch_start(&watch);
	myalloc_cache_drain(w->cache);
	watch_stop(&watch);
	watch_end(w, &watch);
}

static void cache_shrink(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_task();

	fill_magazines(w);
	watch_start(&watch);
	myalloc_cache_shrink(w->cache);
	watch_stop(&watch);
	watch_end(w, &watch);
}

static void cache_create(struct bench_work *w, u32 ops)
{
	const struct myalloc_cache_args args = { .name = "bench-create", .object_size = 64 };
	struct watch watch = watch_task();
	struct myalloc_cache *cache;

	watch_start(&watch);
	cache = myalloc_cache_create(w->run->job.zone, &args);
	watch_stop(&watch);
	if (IS_ERR(cache))
		w->fails++;
	else
		myalloc_cache_destroy(cache);
	watch_end(w, &watch);
}

static void cache_destroy(struct bench_work *w, u32 ops)
{
	const struct myalloc_cache_args args = { .name = "bench-destroy", .object_size = 64 };
	struct watch watch = watch_task();
	struct myalloc_cache *own = w->cache, *cache;

	cache = myalloc_cache_create(w->run->job.zone, &args);
	if (IS_ERR(cache)) {
		w->fails++;
		return;
	}
	w->cache = cache;
	fill_magazines(w);
	w->cache = own;
	watch_start(&watch);
	myalloc_cache_destroy(cache);
	watch_stop(&watch);
	watch_end(w, &watch);
}

/* --- tables ----------------------------------------------------------------------------------- */

static void ours_ready_small(struct bench_work *w)
{
	myalloc_bench_worst_split(w);
}

#define OURS(fn_ready, fn, fn_settle)						\
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = ours_begin,	\
	  .ready = fn_ready, .round = fn, .settle = fn_settle, .end = myalloc_bench_end }

static const struct bench_side object_fill_sides[] = {
	OURS(ready_leave, ours_object_fill, myalloc_bench_worst_release),
	{ .name = "slub", .begin = slub_begin, .ready = slub_ready, .round = slub_object_fill,
	  .end = myalloc_bench_end },
	{ }
};

static const struct bench_side object_empty_sides[] = {
	OURS(ready_leave, ours_object_empty, myalloc_bench_worst_release),
	{ .name = "slub", .begin = slub_begin, .ready = slub_ready, .round = slub_object_empty,
	  .end = myalloc_bench_end },
	{ }
};

static const struct bench_side new_slab_sides[] = {
	OURS(new_slab_ready, new_slab, myalloc_bench_worst_release), { }
};

static const struct bench_side refill_sides[] = {
	OURS(refill_ready, refill, give_kept), { }
};

static const struct bench_side flush_sides[] = {
	OURS(flush_ready, flush, give_kept), { }
};

static const struct bench_side page_fill_sides[] = {
	OURS(ready_leave, ours_page_fill, myalloc_bench_worst_release),
	{ .name = "alloc_pages", .begin = myalloc_bench_worst_room, .round = kernel_page_fill,
	  .end = myalloc_bench_end },
	{ }
};

static const struct bench_side page_empty_sides[] = {
	OURS(ready_leave, ours_page_empty, myalloc_bench_worst_release),
	{ .name = "alloc_pages", .begin = myalloc_bench_worst_room, .round = kernel_page_empty,
	  .end = myalloc_bench_end },
	{ }
};

static const struct bench_side merge_sides[] = {
	OURS(merge_ready, merge, NULL), { }
};

static const struct bench_side exact_alloc_sides[] = {
	OURS(ours_ready_small, exact_alloc, myalloc_bench_worst_release), { }
};

static const struct bench_side exact_free_sides[] = {
	OURS(ours_ready_small, exact_free, myalloc_bench_worst_release), { }
};

static const struct bench_side bulk_alloc_sides[] = {
	OURS(ours_ready_small, page_bulk_alloc, myalloc_bench_worst_release), { }
};

static const struct bench_side bulk_free_sides[] = {
	OURS(NULL, page_bulk_free, NULL), { }
};

static const struct bench_side by_address_sides[] = {
	OURS(NULL, by_address, NULL), { }
};

static const struct bench_side zone_drain_sides[] = {
	OURS(NULL, zone_drain, NULL), { }
};

static const struct bench_side cache_drain_sides[] = {
	OURS(NULL, cache_drain, NULL), { }
};

static const struct bench_side cache_shrink_sides[] = {
	OURS(NULL, cache_shrink, NULL), { }
};

static const struct bench_side cache_create_sides[] = {
	OURS(NULL, cache_create, NULL), { }
};

static const struct bench_side cache_destroy_sides[] = {
	OURS(NULL, cache_destroy, NULL), { }
};

static const u32 object_sizes[] = { 8, 64, 4096 };

static const struct {
	const char *name;
	const char *what;
	const struct bench_side *sides;
} object_shapes[] = {
	{ "fill", "allocations up to the last block and the first failure", object_fill_sides },
	{ "empty", "frees in random order until nothing is left", object_empty_sides },
	{ "new-slab", "an allocation that needs a slab of the largest block", new_slab_sides },
	{ "refill", "an allocation that refills from slabs with few free slots", refill_sides },
	{ "flush", "frees that flush objects of as many slabs", flush_sides },
};

static const u32 page_orders[] = { 0, 3, 9, 10 };

static const struct {
	const char *name;
	const char *what;
	const struct bench_side *sides;
} page_shapes[] = {
	{ "fill", "allocations up to the last block and the first failure", page_fill_sides },
	{ "empty", "frees in random order until nothing is left", page_empty_sides },
};

static const struct {
	const char *name;
	const char *what;
	const struct bench_side *sides;
	u32 bytes;
} other_shapes[] = {
	{ "page/0/flush-merge", "a free that flushes the last pages of as many chunks",
	  merge_sides },
	{ "page/exact-alloc", "allocation of 513 pages, from the largest block",
	  exact_alloc_sides },
	{ "page/exact-free", "free of 513 pages", exact_free_sides },
	{ "page/bulk-alloc", "allocation of 64 pages at once with no magazine filled",
	  bulk_alloc_sides },
	{ "page/bulk-free", "free of 64 pages at once with every magazine full",
	  bulk_free_sides },
	{ "by-address", "free and size of objects by address alone", by_address_sides, 64 },
	{ "zone-drain", "drain of all page magazines (unbounded)", zone_drain_sides },
	{ "cache-drain", "drain of a cache's magazines (unbounded)", cache_drain_sides, 64 },
	{ "cache-shrink", "drain of a cache and return of its slabs (unbounded)",
	  cache_shrink_sides, 64 },
	{ "cache-create", "making a cache (unbounded)", cache_create_sides },
	{ "cache-destroy", "ending a cache (unbounded)", cache_destroy_sides, 64 },
};

#define NR_OBJECT	(ARRAY_SIZE(object_sizes) * ARRAY_SIZE(object_shapes))
#define NR_PAGE		(ARRAY_SIZE(page_orders) * ARRAY_SIZE(page_shapes))

static void describe_object(u32 index, struct bench_shape *shape)
{
	u32 kind = index % ARRAY_SIZE(object_shapes);

	shape->bytes = object_sizes[index / ARRAY_SIZE(object_shapes)];
	myalloc_bench_sides(shape, object_shapes[kind].sides);
	scnprintf(shape->name, sizeof(shape->name), "worst/object/%u/%s", shape->bytes,
		  object_shapes[kind].name);
	scnprintf(shape->what, sizeof(shape->what), "longest operation: %s, %u-byte objects",
		  object_shapes[kind].what, shape->bytes);
}

static void describe_page(u32 index, struct bench_shape *shape)
{
	u32 kind = index % ARRAY_SIZE(page_shapes);

	shape->order = page_orders[index / ARRAY_SIZE(page_shapes)];
	myalloc_bench_sides(shape, page_shapes[kind].sides);
	scnprintf(shape->name, sizeof(shape->name), "worst/page/%u/%s", shape->order,
		  page_shapes[kind].name);
	scnprintf(shape->what, sizeof(shape->what), "longest operation: %s, blocks of order %u",
		  page_shapes[kind].what, shape->order);
}

static void describe_other(u32 index, struct bench_shape *shape)
{
	shape->bytes = other_shapes[index].bytes;
	myalloc_bench_sides(shape, other_shapes[index].sides);
	scnprintf(shape->name, sizeof(shape->name), "worst/%s", other_shapes[index].name);
	scnprintf(shape->what, sizeof(shape->what), "longest operation: %s",
		  other_shapes[index].what);
}

static void describe(u32 index, struct bench_shape *shape)
{
	shape->unit = MYALLOC_BENCH_LONGEST;
	if (index < NR_OBJECT)
		describe_object(index, shape);
	else if (index < NR_OBJECT + NR_PAGE)
		describe_page(index - NR_OBJECT, shape);
	else
		describe_other(index - NR_OBJECT - NR_PAGE, shape);
}

const struct bench_family myalloc_bench_worst = {
	.nr = NR_OBJECT + NR_PAGE + ARRAY_SIZE(other_shapes),
	.describe = describe,
};

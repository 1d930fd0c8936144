// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of memory: memory that is held without being used
 *
 *	slabs	pages of a cache's slabs, divided by those that the live objects would fill
 *		without a gap, after the number of objects has grown and shrunk with objects
 *		replaced at random. For SLUB the pages that hold a live object are counted:
 *		the pages it keeps in addition, in partial slabs and sheaves, are not visible
 *		from here, so its figure is a lower bound (exact after kmem_cache_shrink()
 *		except for sheaves)
 *	unusable	the unusable free space index (mm/vmstat.c) of an order: the share of
 *		free memory from which no block of that order can be taken, at half full
 *		with a tenth of the pages replaced again and again
 *	huge	the share of 2 MiB blocks missing, of the number that free memory could form
 *	metadata	bytes for 1 GiB
 *
 * The kernel's page allocator runs the second and third churn with half of the system's free
 * memory, provided that this is small enough to be held for a moment (as in a guest). A module
 * cannot drain its per-CPU lists, but these hold less than 1 % of that memory.
 */
#include "env.h"

#include <linux/gfp.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/vmstat.h>

#include "bench/run.h"
#include "compat.h"

#define OBJECTS_MAX	16384
#define CYCLES		4	/* growing and shrinking */
#define REPLACE		10	/* times that a tenth of the pages is replaced */
#define HUGE_ORDER	(21 - PAGE_SHIFT)

/* The kernel's allocator is not measured on machines with more free memory than this. */
#define KERNEL_PAGES_MAX	(1UL << (30 - PAGE_SHIFT))

enum variant {
	UNDRAINED,
	DRAINED,
	HUGE_UNDRAINED,
	HUGE_DRAINED,
};

enum metadata {
	ZONE,
	BUDDY,
	CACHE,
};

static bool is_drained(const struct bench_shape *shape)
{
	return shape->variant == DRAINED || shape->variant == HUGE_DRAINED;
}

static bool is_huge(const struct bench_shape *shape)
{
	return shape->variant == HUGE_UNDRAINED || shape->variant == HUGE_DRAINED;
}

static int make_room(struct bench_work *w, u64 fit)
{
	return myalloc_bench_objects_room(w, myalloc_bench_live(w, fit));
}

/* --- slabs ------------------------------------------------------------------------------ */

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
	return kmem_cache_alloc(w->kcache, GFP_KERNEL);
}

static __always_inline void slub_give(struct bench_work *w, void *object)
{
	kmem_cache_free(w->kcache, object);
}

typedef void *(*take_fn)(struct bench_work *w);
typedef void (*give_fn)(struct bench_work *w, void *object);

/* object[0] to object[nr - 1] are live. */
static __always_inline u32 grow(struct bench_work *w, u32 nr, u32 to, take_fn take)
{
	for (; nr < to; nr++) {
		w->object[nr] = take(w);
		if (!w->object[nr]) {
			w->fails++;
			break;
		}
		if (!(nr % 1024))
			cond_resched();
	}
	return nr;
}

static __always_inline u32 shrink(struct bench_work *w, u32 nr, u32 to, give_fn give)
{
	while (nr > to) {
		u32 at = myalloc_random_below(&w->random, nr);

		give(w, w->object[at]);
		w->object[at] = w->object[--nr];
		if (!(nr % 1024))
			cond_resched();
	}
	return nr;
}

static __always_inline u32 churn_objects(struct bench_work *w, take_fn take, give_fn give)
{
	u32 nr = 0, cycle, i;

	for (cycle = 0; cycle < CYCLES && !myalloc_bench_stopped(w->run); cycle++) {
		nr = grow(w, nr, w->room, take);
		for (i = 0; i < w->room / 16; i++) {
			nr = shrink(w, nr, w->room - 8, give);
			nr = grow(w, nr, w->room, take);
		}
		nr = shrink(w, nr, w->room / 4, give);
		cond_resched();
	}
	return grow(w, nr, w->room / 2, take);
}

/* Pages that @nr objects fill without a gap. */
static u64 ideal(const struct bench_work *w, u32 nr)
{
	return max_t(u64, DIV_ROUND_UP_ULL((u64)nr * w->shape->bytes, PAGE_SIZE), 1);
}

static void ours_slabs(struct bench_work *w, u32 ops)
{
	u32 nr = churn_objects(w, ours_take, ours_give);
	struct myalloc_cache_stat stat = { };

	if (is_drained(w->shape))
		myalloc_cache_shrink(w->cache);
	myalloc_cache_stat_fill(&stat, w->cache);
	w->figure = div64_u64((stat.slabs << stat.order) * 1000, ideal(w, nr));
	shrink(w, nr, 0, ours_give);
	myalloc_cache_shrink(w->cache);
}

/* Pages of the compound pages that contain the @nr live objects; sorts the objects by address. */
static u64 live_pages(struct bench_work *w, u32 nr)
{
	const struct page *last = NULL;
	u64 pages = 0;
	u32 i;

	myalloc_bench_sort(w->object, nr);
	for (i = 0; i < nr; i++) {
		struct page *head = virt_to_head_page(w->object[i]);

		if (head == last)
			continue;
		last = head;
		pages += compound_nr(head);
	}
	return pages;
}

static void slub_slabs(struct bench_work *w, u32 ops)
{
	u32 nr = churn_objects(w, slub_take, slub_give);

	if (is_drained(w->shape))
		kmem_cache_shrink(w->kcache);
	w->figure = div64_u64(live_pages(w, nr) * 1000, ideal(w, nr));
	shrink(w, nr, 0, slub_give);
	kmem_cache_shrink(w->kcache);
}

static int make_objects(struct bench_work *w)
{
	u64 pages;
	int err = myalloc_bench_zone_pages(w, &pages);

	return err ?: make_room(w, clamp_t(u64, (pages << PAGE_SHIFT) / 4 / w->shape->bytes, 64,
					   OBJECTS_MAX));
}

static int ours_begin(struct bench_work *w)
{
	return make_objects(w) ?: myalloc_bench_ours(w);
}

static int slub_begin(struct bench_work *w)
{
	return make_objects(w) ?: myalloc_bench_slub(w);
}

static const struct bench_side slab_sides[] = {
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = ours_begin,
	  .round = ours_slabs, .end = myalloc_bench_end },
	{ .name = "slub", .begin = slub_begin, .round = slub_slabs, .end = myalloc_bench_end },
	{ }
};

/* --- pages --------------------------------------------------------------------------------- */

static __always_inline void *ours_page(struct bench_work *w)
{
	return myalloc_pages_alloc(w->run->job.zone, 0, 0);
}

static __always_inline void ours_page_give(struct bench_work *w, void *page)
{
	myalloc_pages_free(w->run->job.zone, page, 0);
}

static __always_inline void *kernel_page(struct bench_work *w)
{
	return alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
}

static __always_inline void kernel_page_give(struct bench_work *w, void *page)
{
	__free_page(page);
}

static __always_inline u32 churn_pages(struct bench_work *w, take_fn take, give_fn give)
{
	u32 nr = grow(w, 0, w->room, take), i;

	for (i = 0; i < REPLACE && !myalloc_bench_stopped(w->run); i++) {
		nr = shrink(w, nr, nr - nr / 10, give);
		nr = grow(w, nr, w->room, take);
		cond_resched();
	}
	return nr;
}

/* Free blocks of each order, summed over all zones of the system. */
static void kernel_free_blocks(u64 *nr)
{
	u32 order, zone;
	int node;

	memset(nr, 0, MYALLOC_ORDERS * sizeof(*nr));
	for_each_online_node(node) {
		for (zone = 0; zone < MAX_NR_ZONES; zone++) {
			const struct zone *z = &NODE_DATA(node)->node_zones[zone];

			/* A snapshot, like /proc/buddyinfo. */
			for (order = 0; order <= min(MYALLOC_MAX_ORDER, MYALLOC_KERNEL_MAX_ORDER);
			     order++)
				nr[order] += READ_ONCE(z->free_area[order].nr_free);
		}
	}
}

/* The figure of the shape, computed from the free blocks of each order. */
static u64 fragmentation(const struct bench_shape *shape, const u64 *blocks)
{
	u64 free = 0, usable = 0;
	u32 order;

	for (order = 0; order < MYALLOC_ORDERS; order++) {
		free += blocks[order] << order;
		if (order >= shape->order)
			usable += blocks[order] << order;
	}
	if (!is_huge(shape))	/* unusable index */
		return free ? div64_u64((free - usable) * 1000, free) : 0;
	/* The share of huge blocks missing, of the number that free memory could form. */
	free >>= shape->order;
	usable >>= shape->order;
	return free ? div64_u64((free - usable) * 1000, free) : 0;
}

static void ours_pages(struct bench_work *w, u32 ops)
{
	u32 nr = churn_pages(w, ours_page, ours_page_give);

	if (is_drained(w->shape))
		myalloc_zone_drain(w->run->job.zone);
	if (myalloc_bench_stat(w))
		w->fails++;
	else
		w->figure = fragmentation(w->shape, w->run->stat.free_blocks);
	shrink(w, nr, 0, ours_page_give);
	myalloc_zone_drain(w->run->job.zone);
}

static void kernel_pages(struct bench_work *w, u32 ops)
{
	u32 nr = churn_pages(w, kernel_page, kernel_page_give);
	u64 blocks[MYALLOC_ORDERS];

	kernel_free_blocks(blocks);
	w->figure = fragmentation(w->shape, blocks);
	shrink(w, nr, 0, kernel_page_give);
}

static int ours_pages_begin(struct bench_work *w)
{
	u64 pages;
	int err;

	myalloc_zone_drain(w->run->job.zone);
	err = myalloc_bench_zone_pages(w, &pages);
	return err ?: make_room(w, max_t(u64, pages / 2, 10));
}

static int kernel_pages_begin(struct bench_work *w)
{
	unsigned long free = global_zone_page_state(NR_FREE_PAGES);
	int err;

	if (free > KERNEL_PAGES_MAX)
		return -EFBIG;
	err = make_room(w, max(free / 2, 10UL));
	/* Each entry will be a page that is unavailable to others during the run. */
	return err ?: myalloc_budget_check("benchmark", (u64)w->room << PAGE_SHIFT, NULL);
}

static const struct bench_side page_sides[] = {
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = ours_pages_begin,
	  .round = ours_pages, .end = myalloc_bench_end },
	{ .name = "alloc_pages", .begin = kernel_pages_begin, .round = kernel_pages,
	  .end = myalloc_bench_end },
	{ }
};

/* --- metadata -------------------------------------------------------------------------------- */

static int no_begin(struct bench_work *w)
{
	return 0;
}

static void ours_metadata(struct bench_work *w, u32 ops)
{
	const struct myalloc_zone_info *info = &w->run->info;
	u64 bytes = info->meta_bytes, zone_bytes = info->nr_pages << PAGE_SHIFT;
	struct myalloc_cache_stat stat = { };

	if (w->shape->variant == BUDDY)
		bytes = info->buddy_bytes;
	if (w->shape->variant == CACHE) {
		myalloc_cache_stat_fill(&stat, w->cache);
		bytes = stat.meta_bytes;
	}
	w->figure = mul_u64_u64_div_u64(bytes * 1000, BIT_ULL(30), zone_bytes);
}

/* One struct page for each page; the kernel's other metadata is not visible from here. */
static void kernel_metadata(struct bench_work *w, u32 ops)
{
	w->figure = 1000ULL * (BIT_ULL(30) >> PAGE_SHIFT) * sizeof(struct page);
}

static int cache_begin(struct bench_work *w)
{
	return w->shape->variant == CACHE ? myalloc_bench_ours(w) : no_begin(w);
}

static const struct bench_side metadata_sides[] = {
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = cache_begin,
	  .round = ours_metadata, .end = myalloc_bench_end },
	{ .name = "struct page", .flags = MYALLOC_BENCH_ASIDE, .round = kernel_metadata },
	{ }
};

/* --- tables ----------------------------------------------------------------------------------- */

static const u32 sizes[] = { 64, 256, 1024 };
static const u32 orders[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
static const char *const metadata_names[] = { "zone", "buddy", "cache-64" };
static const char *const metadata_whats[] = {
	"the zone: frame descriptors, bitmaps, page magazines",
	"of them the bitmaps of the buddy",
	"one cache of 64-byte objects: itself and its magazines",
};

#define NR_SLABS	(2 * ARRAY_SIZE(sizes))
#define NR_UNUSABLE	ARRAY_SIZE(orders)
#define NR_HUGE		2
#define NR_METADATA	ARRAY_SIZE(metadata_names)

static void describe_slabs(u32 index, struct bench_shape *shape)
{
	shape->bytes = sizes[index / 2];
	shape->variant = index % 2;
	myalloc_bench_sides(shape, slab_sides);
	scnprintf(shape->name, sizeof(shape->name), "memory/%u/slabs%s", shape->bytes,
		  is_drained(shape) ? "-drained" : "");
	scnprintf(shape->what, sizeof(shape->what),
		  "pages of slabs over those that %u-byte objects fill, after churn%s",
		  shape->bytes, is_drained(shape) ? ", drained" : "");
}

static void describe_unusable(u32 index, struct bench_shape *shape)
{
	shape->order = orders[index];
	shape->variant = DRAINED;
	shape->fill_permille = 500;
	myalloc_bench_sides(shape, page_sides);
	/* One churn of the system's memory, for the order that matters, is enough. */
	if (shape->order != HUGE_ORDER)
		shape->nr_sides = 1;
	scnprintf(shape->name, sizeof(shape->name), "memory/unusable/%u", shape->order);
	scnprintf(shape->what, sizeof(shape->what),
		  "unusable free space index of order %u, half full, after churn", shape->order);
}

static void describe_huge(u32 index, struct bench_shape *shape)
{
	shape->order = HUGE_ORDER;
	shape->variant = index ? HUGE_DRAINED : HUGE_UNDRAINED;
	shape->fill_permille = 500;
	myalloc_bench_sides(shape, page_sides);
	scnprintf(shape->name, sizeof(shape->name), "memory/huge-blocks%s",
		  is_drained(shape) ? "-drained" : "");
	scnprintf(shape->what, sizeof(shape->what),
		  "share of 2 MiB blocks missing that free memory could make, half full, after churn%s",
		  is_drained(shape) ? ", drained" : "");
}

static void describe_metadata(u32 index, struct bench_shape *shape)
{
	shape->unit = MYALLOC_BENCH_BYTES;
	shape->variant = index;
	shape->bytes = index == CACHE ? 64 : 0;
	myalloc_bench_sides(shape, metadata_sides);
	if (index == CACHE)
		shape->nr_sides = 1;
	scnprintf(shape->name, sizeof(shape->name), "memory/metadata/%s", metadata_names[index]);
	scnprintf(shape->what, sizeof(shape->what), "metadata for 1 GiB of %s",
		  metadata_whats[index]);
}

static void describe(u32 index, struct bench_shape *shape)
{
	shape->unit = MYALLOC_BENCH_RATIO;
	if (index < NR_SLABS)
		describe_slabs(index, shape);
	else if (index < NR_SLABS + NR_UNUSABLE)
		describe_unusable(index - NR_SLABS, shape);
	else if (index < NR_SLABS + NR_UNUSABLE + NR_HUGE)
		describe_huge(index - NR_SLABS - NR_UNUSABLE, shape);
	else
		describe_metadata(index - NR_SLABS - NR_UNUSABLE - NR_HUGE, shape);
}

const struct bench_family myalloc_bench_memory = {
	.nr = NR_SLABS + NR_UNUSABLE + NR_HUGE + NR_METADATA,
	.describe = describe,
};

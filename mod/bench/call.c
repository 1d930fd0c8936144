// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of single calls: the latency of one allocation, or of one free
 *
 * The other families time many calls together, so that their figures are means, which show the cost
 * of work but not how long a caller waits. Here a round is one call between two readings of the
 * clock, and the distribution over rounds is that of calls. There are more rounds (ROUNDS_CALL in
 * engine.c).
 *
 * Untimed calls run between two timed ones: each picks one of many slots at random, and frees its
 * object or, if the slot is empty, allocates one. So caches and magazines are in the state of a
 * busy system, and the timed call finds them at a random fill level.
 *
 * A call takes so few nanoseconds that the resolution of the clock matters; that of the cycle
 * counter does not. An interrupt during a call counts, because the caller waits for it too.
 */
#include "env.h"

#include "bench/watch.h"

#define OBJECTS_LIVE	4096
#define PAGES_LIVE	1024
#define POSITIONS	8192	/* random slots that a round cycles through */
#define BETWEEN		32	/* calls between two that are timed, at least */

enum variant {
	ALLOC,
	FREE,
};

typedef void *(*take_fn)(struct bench_work *w);
typedef void (*give_fn)(struct bench_work *w, void *what);

/* --- sides ------------------------------------------------------------------------- */

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
	return kmem_cache_alloc(w->kcache, GFP_BENCH);
}

static __always_inline void slub_give(struct bench_work *w, void *object)
{
	kmem_cache_free(w->kcache, object);
}

static __always_inline void *pages_take(struct bench_work *w)
{
	return myalloc_pages_alloc(w->run->job.zone, w->shape->order, 0);
}

static __always_inline void pages_give(struct bench_work *w, void *block)
{
	myalloc_pages_free(w->run->job.zone, block, w->shape->order);
}

static __always_inline void *kernel_take(struct bench_work *w)
{
	return alloc_pages(GFP_BENCH, w->shape->order);
}

static __always_inline void kernel_give(struct bench_work *w, void *block)
{
	__free_pages(block, w->shape->order);
}

/* --- one call ---------------------------------------------------------------------- */

static __always_inline void **next_slot(struct bench_work *w)
{
	void **slot = &w->object[w->order[w->at]];

	w->at = (w->at + 1) % POSITIONS;
	return slot;
}

static __always_inline void toggle(struct bench_work *w, void **slot, take_fn take, give_fn give)
{
	if (*slot) {
		give(w, *slot);
		*slot = NULL;
		return;
	}
	*slot = take(w);
	if (unlikely(!*slot))
		w->fails++;
}

static __always_inline void one_call(struct bench_work *w, take_fn take, give_fn give)
{
	struct watch watch = watch_task();
	void **slot;
	u32 i;

	for (i = 0; i < BETWEEN; i++)
		toggle(w, next_slot(w), take, give);
	/* Find the next slot of the right kind; as half of them are in use, the search is short. */
	for (i = 0; i < POSITIONS; i++) {
		slot = next_slot(w);
		if (*slot ? w->shape->variant == FREE : w->shape->variant == ALLOC)
			break;
		toggle(w, slot, take, give);
	}
	watch_start(&watch);
	toggle(w, slot, take, give);
	watch_stop(&watch);
	watch_end(w, &watch);
}

/* Allocate the slots, and use half of them. */
static int make_slots(struct bench_work *w, u32 most, u64 bytes)
{
	u64 pages, fit;
	u32 nr, i;
	int err = myalloc_bench_zone_pages(w, &pages);

	if (err)
		return err;
	fit = div64_u64((pages << PAGE_SHIFT) / 4, bytes);
	nr = myalloc_bench_live(w, clamp_t(u64, fit, 1, most));
	err = myalloc_bench_objects_room(w, nr) ?: myalloc_bench_make_order(w, POSITIONS);
	if (err)
		return err;
	for (i = 0; i < POSITIONS; i++)
		w->order[i] = myalloc_random_below(&w->random, nr);
	for (i = 0; i < nr; i += BETWEEN) {
		w->side->round(w, 1);
		cond_resched();
	}
	return 0;
}

#define SIDE_FUNCTIONS(side, subject, most, bytes)				\
static void side##_call(struct bench_work *w, u32 ops)				\
{										\
	one_call(w, side##_take, side##_give);					\
}										\
static int side##_begin(struct bench_work *w)					\
{										\
	return subject(w) ?: make_slots(w, most, bytes);			\
}										\
static void side##_end(struct bench_work *w)					\
{										\
	u32 i;									\
										\
	for (i = 0; i < w->room; i++)						\
		if (w->object[i])						\
			side##_give(w, w->object[i]);				\
	myalloc_bench_end(w);							\
}

static int no_subject(struct bench_work *w)
{
	return 0;
}

SIDE_FUNCTIONS(ours, myalloc_bench_ours, OBJECTS_LIVE, w->shape->bytes)
SIDE_FUNCTIONS(slub, myalloc_bench_slub, OBJECTS_LIVE, w->shape->bytes)
SIDE_FUNCTIONS(pages, no_subject, PAGES_LIVE, PAGE_SIZE << w->shape->order)
SIDE_FUNCTIONS(kernel, no_subject, PAGES_LIVE, PAGE_SIZE << w->shape->order)

#define SIDE(text, flag, side)							\
	{ .name = text, .flags = flag, .begin = side##_begin, .round = side##_call, \
	  .end = side##_end }

static const struct bench_side object_sides[] = {
	SIDE("myalloc", MYALLOC_BENCH_OURS, ours), SIDE("slub", 0, slub), { }
};

static const struct bench_side page_sides[] = {
	SIDE("myalloc", MYALLOC_BENCH_OURS, pages), SIDE("alloc_pages", 0, kernel), { }
};

static const struct {
	u32 bytes, order;
} things[] = {
	{ .bytes = 64 }, { .bytes = 1024 }, { .order = 0 }, { .order = 3 },
};

static void describe(u32 index, struct bench_shape *shape)
{
	shape->variant = index % 2 ? FREE : ALLOC;
	shape->unit = MYALLOC_BENCH_CALL;
	shape->bytes = things[index / 2].bytes;
	shape->order = things[index / 2].order;
	if (shape->bytes) {
		myalloc_bench_sides(shape, object_sides);
		scnprintf(shape->name, sizeof(shape->name), "call/object/%u/%s", shape->bytes,
			  shape->variant == FREE ? "free" : "alloc");
		scnprintf(shape->what, sizeof(shape->what),
			  "one %s of a %u-byte object, while others come and go",
			  shape->variant == FREE ? "free" : "allocation", shape->bytes);
	} else {
		myalloc_bench_sides(shape, page_sides);
		scnprintf(shape->name, sizeof(shape->name), "call/page/%u/%s", shape->order,
			  shape->variant == FREE ? "free" : "alloc");
		scnprintf(shape->what, sizeof(shape->what),
			  "one %s of a block of order %u, while others come and go",
			  shape->variant == FREE ? "free" : "allocation", shape->order);
	}
}

const struct bench_family myalloc_bench_calls = {
	.nr = 2 * ARRAY_SIZE(things),
	.describe = describe,
};

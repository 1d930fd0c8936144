// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of objects: sizes by patterns
 *
 * A pattern is one function, inlined for each side with the calls of that side, so that the loops
 * around the calls are the same to the instruction. The order in which objects are freed is
 * always read from an array, even if it is the natural one. Objects are not touched unless the
 * pattern says so: a user that touches its object pays for the cache miss there, unless the
 * allocator has touched the object before and has already paid.
 */
#include "env.h"

#include "bench/patterns.h"
#include "bench/run.h"
#include "compat.h"

static const u32 sizes[] = { 8, 64, 256, 1024, 4096 };

/* Live objects in a churn, which replaces one after the other, unless they would fill the zone. */
#define CHURN_LIVE	4096

/* Random positions that a churn cycles through. */
#define CHURN_ORDER	8192

enum variant {
	IN_ORDER,
	REVERSE,
	SHUFFLED,
};

/* --- sides ------------------------------------------------------------------------- */

static __always_inline void *ours_take(struct bench_work *w)
{
	return myalloc_cache_alloc(w->cache, 0);
}

static __always_inline void *ours_take_zero(struct bench_work *w)
{
	return myalloc_cache_alloc(w->cache, MYALLOC_ZERO);
}

static __always_inline void ours_give(struct bench_work *w, void *object)
{
	myalloc_cache_free(w->cache, object);
}

static __always_inline void *slub_take(struct bench_work *w)
{
	return kmem_cache_alloc(w->kcache, GFP_BENCH);
}

static __always_inline void *slub_take_zero(struct bench_work *w)
{
	return kmem_cache_alloc(w->kcache, GFP_BENCH | __GFP_ZERO);
}

static __always_inline void slub_give(struct bench_work *w, void *object)
{
	kmem_cache_free(w->kcache, object);
}

static __always_inline void *mempool_take(struct bench_work *w)
{
	return mempool_alloc(w->mempool, GFP_KERNEL);
}

static __always_inline void mempool_give(struct bench_work *w, void *object)
{
	mempool_free(object, w->mempool);
}

static __always_inline void *stack_take(struct bench_work *w)
{
	return myalloc_bench_pop(w);
}

static __always_inline void stack_give(struct bench_work *w, void *object)
{
	myalloc_bench_push(w, object);
}

/* As in usual callers the size is constant, so kmalloc() finds its cache at compile time. */
static __always_inline void *kmalloc_take_8(struct bench_work *w)
{
	return kmalloc(8, GFP_BENCH);
}

static __always_inline void *kzalloc_take_8(struct bench_work *w)
{
	return kzalloc(8, GFP_BENCH);
}

static __always_inline void *kmalloc_take_64(struct bench_work *w)
{
	return kmalloc(64, GFP_BENCH);
}

static __always_inline void *kzalloc_take_64(struct bench_work *w)
{
	return kzalloc(64, GFP_BENCH);
}

static __always_inline void *kmalloc_take_256(struct bench_work *w)
{
	return kmalloc(256, GFP_BENCH);
}

static __always_inline void *kzalloc_take_256(struct bench_work *w)
{
	return kzalloc(256, GFP_BENCH);
}

static __always_inline void *kmalloc_take_1024(struct bench_work *w)
{
	return kmalloc(1024, GFP_BENCH);
}

static __always_inline void *kzalloc_take_1024(struct bench_work *w)
{
	return kzalloc(1024, GFP_BENCH);
}

static __always_inline void *kmalloc_take_4096(struct bench_work *w)
{
	return kmalloc(4096, GFP_BENCH);
}

static __always_inline void *kzalloc_take_4096(struct bench_work *w)
{
	return kzalloc(4096, GFP_BENCH);
}

static __always_inline void kmalloc_give(struct bench_work *w, void *object)
{
	kfree(object);
}

/* --- patterns -------------------------------------------------------------------------- */

/* Like batch(), but the first word of each object is written before the next is allocated. */
static __always_inline void touch(struct bench_work *w, u32 ops, take_fn take, give_fn give)
{
	const u32 nr = w->shape->batch, *order = w->order;
	void **object = w->object;
	u32 n, i;

	for (; ops >= nr; ops -= nr) {
		for (n = 0; n < nr; n++) {
			object[n] = take(w);
			if (unlikely(!object[n]))
				break;
			WRITE_ONCE(*(unsigned long *)object[n], n);
		}
		if (unlikely(n < nr)) {
			w->fails++;
			while (n--)
				give(w, object[n]);
			continue;
		}
		for (i = 0; i < nr; i++)
			give(w, object[order[i]]);
	}
}

/* Every operation frees a random one of many live objects and allocates another. */
static __always_inline void churn(struct bench_work *w, u32 ops, take_fn take, give_fn give)
{
	const u32 *order = w->order;
	void **object = w->object;
	u32 at = w->at;

	for (; ops; ops--) {
		void **slot = &object[order[at]];

		at = (at + 1) % CHURN_ORDER;
		if (likely(*slot))
			give(w, *slot);
		*slot = take(w);
		if (unlikely(!*slot))
			w->fails++;
	}
	w->at = at;
}

static __always_inline void give_all(struct bench_work *w, give_fn give)
{
	u32 i;

	for (i = 0; i < w->room; i++)
		if (w->object[i])
			give(w, w->object[i]);
}

#define ROUNDS(side, pattern)							\
static void side##_##pattern(struct bench_work *w, u32 ops)			\
{										\
	pattern(w, ops, side##_take, side##_give);				\
}

static __always_inline void by_size(struct bench_work *w, u32 ops, pattern_fn pattern)
{
	switch (w->shape->bytes) {
	case 8:
		pattern(w, ops, kmalloc_take_8, kmalloc_give);
		break;
	case 64:
		pattern(w, ops, kmalloc_take_64, kmalloc_give);
		break;
	case 256:
		pattern(w, ops, kmalloc_take_256, kmalloc_give);
		break;
	case 1024:
		pattern(w, ops, kmalloc_take_1024, kmalloc_give);
		break;
	case 4096:
		pattern(w, ops, kmalloc_take_4096, kmalloc_give);
		break;
	}
}

#define KMALLOC_ROUNDS(pattern)							\
static void kmalloc_##pattern(struct bench_work *w, u32 ops)			\
{										\
	by_size(w, ops, pattern);						\
}

static void kzalloc_pair(struct bench_work *w, u32 ops)
{
	switch (w->shape->bytes) {
	case 8:
		pair(w, ops, kzalloc_take_8, kmalloc_give);
		break;
	case 64:
		pair(w, ops, kzalloc_take_64, kmalloc_give);
		break;
	case 256:
		pair(w, ops, kzalloc_take_256, kmalloc_give);
		break;
	case 1024:
		pair(w, ops, kzalloc_take_1024, kmalloc_give);
		break;
	case 4096:
		pair(w, ops, kzalloc_take_4096, kmalloc_give);
		break;
	}
}

ROUNDS(ours, pair)
ROUNDS(slub, pair)
ROUNDS(mempool, pair)
ROUNDS(stack, pair)
KMALLOC_ROUNDS(pair)
ROUNDS(ours, batch)
ROUNDS(slub, batch)
ROUNDS(mempool, batch)
ROUNDS(stack, batch)
KMALLOC_ROUNDS(batch)
ROUNDS(ours, touch)
ROUNDS(slub, touch)
KMALLOC_ROUNDS(touch)
ROUNDS(ours, churn)
ROUNDS(slub, churn)
KMALLOC_ROUNDS(churn)

static void ours_zero(struct bench_work *w, u32 ops)
{
	pair(w, ops, ours_take_zero, ours_give);
}

static void slub_zero(struct bench_work *w, u32 ops)
{
	pair(w, ops, slub_take_zero, slub_give);
}

static void ours_bulk(struct bench_work *w, u32 ops)
{
	u32 nr = w->shape->batch;

	for (; ops >= nr; ops -= nr) {
		u32 got = myalloc_cache_alloc_bulk(w->cache, 0, nr, w->object);

		w->fails += nr - got;
		myalloc_cache_free_bulk(w->cache, got, w->object);
	}
}

static void slub_bulk(struct bench_work *w, u32 ops)
{
	u32 nr = w->shape->batch;

	for (; ops >= nr; ops -= nr) {
		if (likely(kmem_cache_alloc_bulk(w->kcache, GFP_BENCH, nr, w->object)))
			kmem_cache_free_bulk(w->kcache, nr, w->object);
		else
			w->fails += nr;
	}
}

/* --- begin and end ---------------------------------------------------------------------- */

/* Allocate the array for a batch, and the order in which it is freed. */
static int make_batch(struct bench_work *w)
{
	u32 nr = w->shape->batch, i;
	int err = myalloc_bench_objects_room(w, nr) ?: myalloc_bench_make_order(w, nr);

	if (err)
		return err;
	if (w->shape->variant == REVERSE)
		for (i = 0; i < nr; i++)
			w->order[i] = nr - 1 - i;
	else if (w->shape->variant == SHUFFLED)
		myalloc_bench_shuffle(w, w->order, nr);
	return 0;
}

/* Allocate the array for live objects, and random positions in it. */
static int make_live(struct bench_work *w)
{
	u64 pages, fit;
	u32 nr, i;
	int err = myalloc_bench_zone_pages(w, &pages);

	if (err)
		return err;
	fit = (pages << PAGE_SHIFT) / 4 / w->shape->bytes;
	nr = myalloc_bench_live(w, clamp_t(u64, fit, 1, CHURN_LIVE));
	err = myalloc_bench_objects_room(w, nr) ?: myalloc_bench_make_order(w, CHURN_ORDER);
	if (err)
		return err;
	for (i = 0; i < CHURN_ORDER; i++)
		w->order[i] = myalloc_random_below(&w->random, nr);
	/* Fill most positions, several times, so that objects are in no particular order. */
	for (i = 0; i < 4; i++) {
		w->side->round(w, nr);
		cond_resched();
	}
	return 0;
}

#define BEGIN(side, subject)							\
static int side##_begin(struct bench_work *w)					\
{										\
	return subject(w) ?: w->shape->batch ? make_batch(w) : 0;		\
}

#define BEGIN_LIVE(side, subject)						\
static int side##_begin_live(struct bench_work *w)				\
{										\
	return subject(w) ?: make_live(w);					\
}

static int no_subject(struct bench_work *w)
{
	return 0;
}

BEGIN(ours, myalloc_bench_ours)
BEGIN(slub, myalloc_bench_slub)
BEGIN(sheaf, myalloc_bench_sheaf)
BEGIN(kmalloc, no_subject)
BEGIN(mempool, myalloc_bench_mempool)
BEGIN(stack, myalloc_bench_stack)
BEGIN_LIVE(ours, myalloc_bench_ours)
BEGIN_LIVE(slub, myalloc_bench_slub)
BEGIN_LIVE(sheaf, myalloc_bench_sheaf)
BEGIN_LIVE(kmalloc, no_subject)

#define END_LIVE(side)								\
static void side##_end_live(struct bench_work *w)				\
{										\
	give_all(w, side##_give);							\
	myalloc_bench_end(w);							\
}

END_LIVE(ours)
END_LIVE(slub)
END_LIVE(kmalloc)

/* --- tables ----------------------------------------------------------------------------- */

#define SIDE(side, round_fn)							\
	{ .name = #side, .begin = side##_begin, .round = round_fn, .end = myalloc_bench_end }
#define OURS(round_fn)								\
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = ours_begin,	\
	  .round = round_fn, .end = myalloc_bench_end }
/* SLUB with sheaves of the size of our magazines. */
#define SHEAF(begin_fn, round_fn, end_fn)					\
	{ .name = "slub-sheaf64", .absent = !MYALLOC_COMPAT_SHEAVES,		\
	  .begin = begin_fn, .round = round_fn, .end = end_fn }
#define STACK(round_fn)								\
	{ .name = "per-cpu-array", .flags = MYALLOC_BENCH_FLOOR, .begin = stack_begin, \
	  .round = round_fn, .end = myalloc_bench_end }

static const struct bench_side pair_sides[] = {
	OURS(ours_pair),
	SIDE(slub, slub_pair),
	SHEAF(sheaf_begin, slub_pair, myalloc_bench_end),
	SIDE(kmalloc, kmalloc_pair),
	SIDE(mempool, mempool_pair),
	STACK(stack_pair),
	{ }
};

static const struct bench_side batch_sides[] = {
	OURS(ours_batch),
	SIDE(slub, slub_batch),
	SHEAF(sheaf_begin, slub_batch, myalloc_bench_end),
	SIDE(kmalloc, kmalloc_batch),
	SIDE(mempool, mempool_batch),
	STACK(stack_batch),
	{ }
};

static const struct bench_side touch_sides[] = {
	OURS(ours_touch),
	SIDE(slub, slub_touch),
	SHEAF(sheaf_begin, slub_touch, myalloc_bench_end),
	SIDE(kmalloc, kmalloc_touch),
	{ }
};

static const struct bench_side bulk_sides[] = {
	OURS(ours_bulk),
	SIDE(slub, slub_bulk),
	SHEAF(sheaf_begin, slub_bulk, myalloc_bench_end),
	{ }
};

static const struct bench_side churn_sides[] = {
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = ours_begin_live,
	  .round = ours_churn, .end = ours_end_live },
	{ .name = "slub", .begin = slub_begin_live, .round = slub_churn, .end = slub_end_live },
	SHEAF(sheaf_begin_live, slub_churn, slub_end_live),
	{ .name = "kmalloc", .begin = kmalloc_begin_live, .round = kmalloc_churn,
	  .end = kmalloc_end_live },
	{ }
};

static const struct bench_side plain_sides[] = {
	OURS(ours_pair),
	SIDE(slub, slub_pair),
	{ }
};

static const struct bench_side plain_batch_sides[] = {
	OURS(ours_batch),
	SIDE(slub, slub_batch),
	{ }
};

static const struct bench_side zero_sides[] = {
	OURS(ours_zero),
	SIDE(slub, slub_zero),
	SIDE(kmalloc, kzalloc_pair),
	{ }
};

static const struct pattern {
	const char *name;
	const char *what;
	u32 batch;
	enum variant variant;
	bool construct;
	const struct bench_side *sides;
} patterns[] = {
	{ "pair", "one allocated and freed at once", 0, IN_ORDER, .sides = pair_sides },
	{ "batch-10", "10 allocated, then freed in order", 10, IN_ORDER, .sides = batch_sides },
	{ "batch-10/reverse", "10 allocated, then freed in reverse", 10, REVERSE,
	  .sides = batch_sides },
	{ "batch-10/shuffled", "10 allocated, then freed in random order", 10, SHUFFLED,
	  .sides = batch_sides },
	{ "batch-100", "100 allocated, then freed in order", 100, IN_ORDER, .sides = batch_sides },
	{ "batch-100/reverse", "100 allocated, then freed in reverse", 100, REVERSE,
	  .sides = batch_sides },
	{ "batch-100/shuffled", "100 allocated, then freed in random order", 100, SHUFFLED,
	  .sides = batch_sides },
	{ "batch-1000", "1000 allocated, then freed in order", 1000, IN_ORDER,
	  .sides = batch_sides },
	{ "batch-1000/reverse", "1000 allocated, then freed in reverse", 1000, REVERSE,
	  .sides = batch_sides },
	{ "batch-1000/shuffled", "1000 allocated, then freed in random order", 1000, SHUFFLED,
	  .sides = batch_sides },
	{ "batch-1000/touched", "1000 allocated and written to, then freed in random order",
	  1000, SHUFFLED, .sides = touch_sides },
	{ "bulk-16", "16 allocated by one call and freed by another", 16, IN_ORDER,
	  .sides = bulk_sides },
	{ "bulk-64", "64 allocated by one call and freed by another", 64, IN_ORDER,
	  .sides = bulk_sides },
	{ "churn", "one of thousands of live ones freed at random, and another allocated", 0,
	  IN_ORDER, .sides = churn_sides },
	{ "zeroed", "one allocated zeroed and freed at once", 0, IN_ORDER, .sides = zero_sides },
	{ "constructed", "one of a cache with a constructor allocated and freed at once", 0,
	  IN_ORDER, .construct = true, .sides = plain_sides },
	{ "constructed/batch-100", "100 of a cache with a constructor, freed in random order",
	  100, SHUFFLED, .construct = true, .sides = plain_batch_sides },
};

/* The same pair with checks, compared with SLUB's check of the same letter where it exists. */
static const struct {
	const char *letters;
	myalloc_cache_flags_t checks;
} levels[] = {
	{ "F", MYALLOC_SANITY },
	{ "Z", MYALLOC_REDZONE },
	{ "P", MYALLOC_POISON },
	{ "U", MYALLOC_OWNER },
	{ "FZPU", MYALLOC_CHECKS },
};

#define LEVEL_BYTES	64

/* The levels of checking in a free, besides the default that all other shapes use. */
static const struct {
	const char *name;
	myalloc_cache_flags_t level;
} frees[] = {
	{ "certain", MYALLOC_CERTAIN },
	{ "trusting", MYALLOC_TRUSTING },
};

/* Indices into @patterns. */
static const u32 frees_patterns[] = { 0, 1, 9 };

#define NR_FREES	(ARRAY_SIZE(frees) * ARRAY_SIZE(frees_patterns))
#define NR_PATTERNS	(ARRAY_SIZE(sizes) * ARRAY_SIZE(patterns))

static void describe_level(u32 index, struct bench_shape *shape)
{
	shape->bytes = LEVEL_BYTES;
	shape->checks = levels[index].checks;
	myalloc_bench_sides(shape, plain_sides);
	/* SLUB has checks only with this option. */
	if (!IS_ENABLED(CONFIG_SLUB_DEBUG))
		shape->nr_sides = 1;
	scnprintf(shape->name, sizeof(shape->name), "checks/%u/%s/pair", LEVEL_BYTES,
		  levels[index].letters);
	scnprintf(shape->what, sizeof(shape->what),
		  "%u-byte objects, one allocated and freed at once, with checks %s", LEVEL_BYTES,
		  levels[index].letters);
}

static void describe_frees(u32 index, struct bench_shape *shape)
{
	const struct pattern *pattern = &patterns[frees_patterns[index / ARRAY_SIZE(frees)]];
	const char *name = frees[index % ARRAY_SIZE(frees)].name;

	shape->bytes = LEVEL_BYTES;
	shape->checks = frees[index % ARRAY_SIZE(frees)].level;
	shape->batch = pattern->batch;
	shape->variant = pattern->variant;
	myalloc_bench_sides(shape, pattern->sides);
	scnprintf(shape->name, sizeof(shape->name), "frees/%u/%s/%s", LEVEL_BYTES, name,
		  pattern->name);
	scnprintf(shape->what, sizeof(shape->what), "%u-byte objects, %s, with %s frees",
		  LEVEL_BYTES, pattern->what, name);
}

static void describe(u32 index, struct bench_shape *shape)
{
	const struct pattern *pattern = &patterns[index % ARRAY_SIZE(patterns)];

	if (index >= NR_PATTERNS + ARRAY_SIZE(levels)) {
		describe_frees(index - NR_PATTERNS - ARRAY_SIZE(levels), shape);
		return;
	}
	if (index >= NR_PATTERNS) {
		describe_level(index - NR_PATTERNS, shape);
		return;
	}
	shape->bytes = sizes[index / ARRAY_SIZE(patterns)];
	shape->batch = pattern->batch;
	shape->variant = pattern->variant;
	shape->construct = pattern->construct;
	myalloc_bench_sides(shape, pattern->sides);
	scnprintf(shape->name, sizeof(shape->name), "object/%u/%s", shape->bytes, pattern->name);
	scnprintf(shape->what, sizeof(shape->what), "%u-byte objects, %s", shape->bytes,
		  pattern->what);
}

const struct bench_family myalloc_bench_objects = {
	.nr = NR_PATTERNS + ARRAY_SIZE(levels) + NR_FREES,
	.describe = describe,
};

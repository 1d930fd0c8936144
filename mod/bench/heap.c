// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of heaps: memory of any size, freed by its address alone
 *
 * The kernel's side is kmalloc() and kfree(): once with a constant size, as in most callers, so
 * that the compiler selects the cache, and once with a variable size. Large blocks are compared
 * with kvmalloc(), and growth by a quarter at a time with krealloc().
 *
 * A heap gets magazines for a class only after some use. Therefore a shape first alternates between
 * work and waiting until the zone's worker has created them.
 */
#include "env.h"

#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bench/patterns.h"
#include "bench/run.h"
#include "front/heap.h"

/*
 * Turns of work and waiting before a shape begins. The worker creates the magazines of one class in
 * each of its runs, so every class in use takes a turn; further turns let the magazines grow.
 */
#define TURNS_LEAST	12
#define TURNS_MOST	200
#define TURN_OPS	400
#define TURN_MS		120

/* The shape "mixed" cycles through MIXED random sizes, below 8 << 0 to 8 << 9 bytes. */
#define MIXED		1024
#define MIXED_MOST	(8u << 9)

/* First and last size of a growing block; each step adds a quarter. */
#define GROW_FROM	16u
#define GROW_TO		65536u

enum variant {
	IN_ORDER,
	SHUFFLED,
};

/* @heap: heap of myalloc's side; @size: sizes that a mixed shape cycles through */
struct private {
	struct myalloc_heap *heap;
	u32 at;
	u16 size[MIXED];
};

/* --- sides --------------------------------------------------------------------------- */

static __always_inline size_t any_size(struct bench_work *w)
{
	struct private *p = w->private;

	if (w->shape->bytes)
		return w->shape->bytes;
	return p->size[p->at++ % MIXED];
}

static __always_inline void *ours_take(struct bench_work *w)
{
	struct private *p = w->private;

	return myalloc_heap_alloc(p->heap, any_size(w), 0);
}

static __always_inline void ours_give(struct bench_work *w, void *object)
{
	struct private *p = w->private;

	myalloc_heap_free(p->heap, object);
}

/* The compiler does not know the size. */
static __always_inline void *var_take(struct bench_work *w)
{
	return kmalloc(any_size(w), GFP_BENCH);
}

static __always_inline void kmalloc_give(struct bench_work *w, void *object)
{
	kfree(object);
}

static __always_inline void *kvmalloc_take(struct bench_work *w)
{
	return kvmalloc(w->shape->bytes, GFP_BENCH);
}

static __always_inline void kvmalloc_give(struct bench_work *w, void *object)
{
	kvfree(object);
}

#define CONSTANT(bytes)								\
static __always_inline void *kmalloc_take_##bytes(struct bench_work *w)		\
{										\
	return kmalloc(bytes, GFP_BENCH);					\
}

CONSTANT(16)
CONSTANT(64)
CONSTANT(500)
CONSTANT(1024)
CONSTANT(4096)

/* --- patterns -------------------------------------------------------------------------- */

static __always_inline void by_size(struct bench_work *w, u32 ops, pattern_fn pattern)
{
	switch (w->shape->bytes) {
	case 16:
		pattern(w, ops, kmalloc_take_16, kmalloc_give);
		break;
	case 64:
		pattern(w, ops, kmalloc_take_64, kmalloc_give);
		break;
	case 500:
		pattern(w, ops, kmalloc_take_500, kmalloc_give);
		break;
	case 1024:
		pattern(w, ops, kmalloc_take_1024, kmalloc_give);
		break;
	case 4096:
		pattern(w, ops, kmalloc_take_4096, kmalloc_give);
		break;
	}
}

#define ROUNDS(side, pattern, give)						\
static void side##_##pattern(struct bench_work *w, u32 ops)			\
{										\
	pattern(w, ops, side##_take, give);					\
}

#define KMALLOC_ROUNDS(pattern)							\
static void kmalloc_##pattern(struct bench_work *w, u32 ops)			\
{										\
	by_size(w, ops, pattern);						\
}

ROUNDS(ours, pair, ours_give)
ROUNDS(var, pair, kmalloc_give)
ROUNDS(kvmalloc, pair, kvmalloc_give)
KMALLOC_ROUNDS(pair)
ROUNDS(ours, batch, ours_give)
ROUNDS(var, batch, kmalloc_give)
ROUNDS(kvmalloc, batch, kvmalloc_give)
KMALLOC_ROUNDS(batch)

/* One operation is one change of size; a block is freed at its last size. */
static void ours_grow(struct bench_work *w, u32 ops)
{
	struct private *p = w->private;
	u32 size = GROW_FROM;
	void *block = NULL, *more;

	for (; ops; ops--) {
		more = myalloc_heap_realloc(p->heap, block, size, 0);
		if (unlikely(!more)) {
			w->fails++;
			continue;
		}
		block = more;
		size += size / 4;
		if (size > GROW_TO) {
			myalloc_heap_free(p->heap, block);
			block = NULL;
			size = GROW_FROM;
		}
	}
	myalloc_heap_free(p->heap, block);
}

static void krealloc_grow(struct bench_work *w, u32 ops)
{
	u32 size = GROW_FROM;
	void *block = NULL, *more;

	for (; ops; ops--) {
		more = krealloc(block, size, GFP_BENCH);
		if (unlikely(!more)) {
			w->fails++;
			continue;
		}
		block = more;
		size += size / 4;
		if (size > GROW_TO) {
			kfree(block);
			block = NULL;
			size = GROW_FROM;
		}
	}
	kfree(block);
}

/* --- begin and end ------------------------------------------------------------------------ */

/* The arrays of a shape. */
static int make(struct bench_work *w)
{
	struct private *p = myalloc_bench_zalloc(sizeof(*p));
	u32 nr = w->shape->batch, i;
	int err;

	if (!p)
		return -ENOMEM;
	w->private = p;
	for (i = 0; i < MIXED; i++)
		p->size[i] = myalloc_random_below(&w->random, 8u << i % 10);
	if (!nr)
		return 0;
	err = myalloc_bench_objects_room(w, nr) ?: myalloc_bench_make_order(w, nr);
	if (!err && w->shape->variant == SHUFFLED)
		myalloc_bench_shuffle(w, w->order, nr);
	return err;
}

/* Does each used class have magazines? */
static bool has_magazines(const struct myalloc_heap *heap)
{
	u32 class;

	for (class = 1; class <= heap->nr_classes; class++) {
		struct myalloc_cache_stat stat = {};

		myalloc_cache_stat_fill(&stat, heap->cache[class]);
		if (stat.allocs && !stat.magazine)
			return false;
	}
	return true;
}

static int ours_begin(struct bench_work *w)
{
	static atomic_t number = ATOMIC_INIT(0);
	char name[MYALLOC_HEAP_NAME];
	const struct myalloc_heap_args args = { .name = name };
	struct private *p;
	/* A run of one round only tests that the shape works, so it need not wait. */
	u32 turns = w->run->params.rounds > 1 ? TURNS_MOST : 1, i;
	int err = make(w);

	if (err)
		return err;
	p = w->private;
	scnprintf(name, sizeof(name), "bench-%u", (u32)atomic_inc_return(&number));
	p->heap = myalloc_heap_create(w->run->job.zone, &args);
	if (IS_ERR(p->heap)) {
		err = PTR_ERR(p->heap);
		p->heap = NULL;
		return err;
	}
	for (i = 0; i < turns && !myalloc_bench_stopped(w->run); i++) {
		if (i >= TURNS_LEAST && has_magazines(p->heap))
			break;
		w->side->round(w, roundup(TURN_OPS, max_t(u32, w->shape->batch, 1)));
		msleep(TURN_MS);
	}
	w->fails = 0;
	return 0;
}

static void ours_end(struct bench_work *w)
{
	struct private *p = w->private;

	/* Blocks whose free was refused keep the heap alive; a message was printed. */
	if (p)
		myalloc_heap_destroy(p->heap);
	myalloc_bench_end(w);
}

/* --- tables --------------------------------------------------------------------------------- */

#define OURS(round_fn)								\
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = ours_begin,	\
	  .round = round_fn, .end = ours_end }
#define KERNEL(side, round_fn)							\
	{ .name = side, .begin = make, .round = round_fn, .end = myalloc_bench_end }

static const struct bench_side pair_sides[] = {
	OURS(ours_pair),
	KERNEL("kmalloc", kmalloc_pair),
	KERNEL("kmalloc-var", var_pair),
	{ }
};

static const struct bench_side batch_sides[] = {
	OURS(ours_batch),
	KERNEL("kmalloc", kmalloc_batch),
	KERNEL("kmalloc-var", var_batch),
	{ }
};

static const struct bench_side mixed_pair_sides[] = {
	OURS(ours_pair),
	KERNEL("kmalloc-var", var_pair),
	{ }
};

static const struct bench_side mixed_batch_sides[] = {
	OURS(ours_batch),
	KERNEL("kmalloc-var", var_batch),
	{ }
};

static const struct bench_side large_pair_sides[] = {
	OURS(ours_pair),
	KERNEL("kvmalloc", kvmalloc_pair),
	{ }
};

static const struct bench_side large_batch_sides[] = {
	OURS(ours_batch),
	KERNEL("kvmalloc", kvmalloc_batch),
	{ }
};

static const struct bench_side grow_sides[] = {
	OURS(ours_grow),
	KERNEL("krealloc", krealloc_grow),
	{ }
};

static const u32 sizes[] = { 16, 64, 500, 1024, 4096 };
static const u32 large_sizes[] = { 64 << 10, 256 << 10, 1 << 20 };

static const struct pattern {
	const char *name;
	const char *what;
	u32 batch;
	enum variant variant;
} patterns[] = {
	{ "pair", "one allocated and freed at once", 0, IN_ORDER },
	{ "batch-100", "100 allocated, then freed in order", 100, IN_ORDER },
	{ "batch-100/shuffled", "100 allocated, then freed in random order", 100, SHUFFLED },
};

/* Patterns of large blocks; they hold at most 10 MiB. */
static const struct pattern large_patterns[] = {
	{ "pair", "one allocated and freed at once", 0, IN_ORDER },
	{ "batch-10/shuffled", "10 allocated, then freed in random order", 10, SHUFFLED },
};

#define NR_SIZES	(ARRAY_SIZE(sizes) * ARRAY_SIZE(patterns))
#define NR_MIXED	ARRAY_SIZE(patterns)
#define NR_LARGE	(ARRAY_SIZE(large_sizes) * ARRAY_SIZE(large_patterns))

static void describe_as(struct bench_shape *shape, const struct pattern *pattern, u32 bytes,
			const struct bench_side *alone, const struct bench_side *batched)
{
	shape->bytes = bytes;
	shape->batch = pattern->batch;
	shape->variant = pattern->variant;
	myalloc_bench_sides(shape, pattern->batch ? batched : alone);
	if (bytes) {
		scnprintf(shape->name, sizeof(shape->name), "heap/%u/%s", bytes, pattern->name);
		scnprintf(shape->what, sizeof(shape->what),
			  "%u bytes of a heap, freed by address: %s", bytes, pattern->what);
	} else {
		scnprintf(shape->name, sizeof(shape->name), "heap/mixed/%s", pattern->name);
		scnprintf(shape->what, sizeof(shape->what),
			  "up to %u bytes of a heap, each doubling as often, freed by address: %s",
			  MIXED_MOST, pattern->what);
	}
}

static void describe(u32 index, struct bench_shape *shape)
{
	if (index < NR_SIZES) {
		describe_as(shape, &patterns[index % ARRAY_SIZE(patterns)],
			    sizes[index / ARRAY_SIZE(patterns)], pair_sides, batch_sides);
		return;
	}
	index -= NR_SIZES;
	if (index < NR_MIXED) {
		describe_as(shape, &patterns[index], 0, mixed_pair_sides, mixed_batch_sides);
		return;
	}
	index -= NR_MIXED;
	if (index < NR_LARGE) {
		describe_as(shape, &large_patterns[index % ARRAY_SIZE(large_patterns)],
			    large_sizes[index / ARRAY_SIZE(large_patterns)], large_pair_sides,
			    large_batch_sides);
		return;
	}
	myalloc_bench_sides(shape, grow_sides);
	scnprintf(shape->name, sizeof(shape->name), "heap/grow");
	scnprintf(shape->what, sizeof(shape->what),
		  "a block of a heap that grows from %u bytes to %u by a quarter at a time",
		  GROW_FROM, GROW_TO);
}

const struct bench_family myalloc_bench_heap = {
	.nr = NR_SIZES + NR_MIXED + NR_LARGE + 1,
	.describe = describe,
};

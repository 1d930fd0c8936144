// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of the worst case of heaps, arenas, rings and object pools
 *
 * As in worst.c, which has the states of the zone: the figure is the longest single operation of a
 * series, with interrupts off. On one CPU, so nothing waits for a lock.
 *
 *	heap/BYTES/fill		from an empty zone of which all but a few large blocks are held, to
 *				the last block and the first failure
 *	heap/BYTES/empty	free all of these blocks by address, in random order
 *	arena/fill		pieces until the arena has reached its limit, and the first failure;
 *				each block is split off one of the largest
 *	arena/back		marks, rewinds and resets with all those blocks
 *	pool/BYTES/fill		all objects that are set aside, and further ones to the last block
 *	pool/BYTES/empty	free all of these objects in random order
 *	ring/MODE		records until the ring is full and one is refused, then each read;
 *				so often that records lie at many places
 *	ring/overwrite		a long record overwrites as many of the shortest records as fit in
 *				its place
 */
#include "env.h"

#include "bench/worst.h"

#define LEAVE_PAGES	256	/* pages that a series may use */
#define LEAVE_LARGE	1024	/* the same with blocks of many pages */

#define ARENA_BLOCK	65536u
#define ARENA_BLOCKS	32u
#define ARENA_PIECE	1000u
#define POOL_OBJECTS	1024u
#define RING_BYTES	65536u
#define RING_RECORD	40u	/* with its header not a divisor of the ring's size */
#define RING_LONG	4096u
#define RING_LAPS	5u

/**
 * struct fronts - the allocator of a side; only one member is set
 * @heap: a heap
 * @arena: an arena
 * @pool: an object pool
 * @ring: a ring
 */
struct fronts {
	struct myalloc_heap *heap;
	struct myalloc_arena *arena;
	struct myalloc_pool *pool;
	struct myalloc_ring *ring;
};

static struct fronts *fronts_of(const struct bench_work *w)
{
	return w->private;
}

/* --- begin and end ------------------------------------------------------------------ */

static int begin(struct bench_work *w)
{
	w->private = myalloc_bench_zalloc(sizeof(struct fronts));
	return w->private ? myalloc_bench_worst_room(w) : -ENOMEM;
}

/* Blocks whose free was refused keep it alive; a message was printed. */
static void end(struct bench_work *w)
{
	struct fronts *f = fronts_of(w);

	if (f) {
		myalloc_heap_destroy(f->heap);
		myalloc_arena_destroy(f->arena);
		myalloc_pool_destroy(f->pool);
		myalloc_ring_destroy(f->ring);
	}
	myalloc_bench_end(w);
}

static int heap_begin(struct bench_work *w)
{
	static const struct myalloc_heap_args args = { .name = "bench-worst" };
	struct myalloc_heap *heap;
	int err = begin(w);

	if (err)
		return err;
	heap = myalloc_heap_create(w->run->job.zone, &args);
	if (IS_ERR(heap))
		return PTR_ERR(heap);
	fronts_of(w)->heap = heap;
	return 0;
}

static int arena_begin(struct bench_work *w)
{
	static const struct myalloc_arena_args args = {
		.name = "bench-worst", .block_size = ARENA_BLOCK,
		.limit = ARENA_BLOCKS * ARENA_BLOCK,
	};
	struct myalloc_arena *arena;
	int err = begin(w);

	if (err)
		return err;
	arena = myalloc_arena_create(w->run->job.zone, &args);
	if (IS_ERR(arena))
		return PTR_ERR(arena);
	fronts_of(w)->arena = arena;
	return 0;
}

static int pool_begin(struct bench_work *w)
{
	const struct myalloc_pool_args args = {
		.name = "bench-worst", .object_size = w->shape->bytes, .nr = POOL_OBJECTS,
	};
	struct myalloc_pool *pool;
	int err = begin(w);

	if (err)
		return err;
	pool = myalloc_pool_create(w->run->job.zone, &args);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	fronts_of(w)->pool = pool;
	return 0;
}

static int ring_begin(struct bench_work *w)
{
	const struct myalloc_ring_args args = {
		.name = "bench-worst", .size = RING_BYTES, .mode = w->shape->variant,
	};
	struct myalloc_ring *ring;
	int err = begin(w);

	if (err)
		return err;
	ring = myalloc_ring_create(w->run->job.zone, &args);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	fronts_of(w)->ring = ring;
	return 0;
}

static void ready_leave(struct bench_work *w)
{
	myalloc_bench_worst_leave(w, w->shape->bytes < PAGE_SIZE ? LEAVE_PAGES : LEAVE_LARGE);
}

/* --- heaps and object pools ----------------------------------------------------------- */

static __always_inline void *heap_take(struct bench_work *w)
{
	return myalloc_heap_alloc(fronts_of(w)->heap, w->shape->bytes, 0);
}

static __always_inline void heap_give(struct bench_work *w, void *addr)
{
	myalloc_heap_free(fronts_of(w)->heap, addr);
}

static __always_inline void *pool_take(struct bench_work *w)
{
	return myalloc_pool_alloc(fronts_of(w)->pool, 0);
}

static __always_inline void pool_give(struct bench_work *w, void *object)
{
	myalloc_pool_free(fronts_of(w)->pool, object);
}

/* Allocate until the zone is exhausted, then free in random order; one of the two is timed. */
static __always_inline void series(struct bench_work *w, void *(*take)(struct bench_work *w),
				   void (*give)(struct bench_work *w, void *object), bool fill)
{
	struct watch watch = watch_masked(), none = watch_task();
	u32 nr = fill_objects(w, fill ? &watch : &none, take, w->room);

	myalloc_bench_worst_shuffle(w, nr);
	empty_objects(w, fill ? &none : &watch, give, nr);
	watch_end(w, &watch);
}

static void heap_fill(struct bench_work *w, u32 ops)
{
	series(w, heap_take, heap_give, true);
}

static void heap_empty(struct bench_work *w, u32 ops)
{
	series(w, heap_take, heap_give, false);
}

static void pool_fill(struct bench_work *w, u32 ops)
{
	series(w, pool_take, pool_give, true);
}

static void pool_empty(struct bench_work *w, u32 ops)
{
	series(w, pool_take, pool_give, false);
}

/* --- arenas ---------------------------------------------------------------------------- */

/* Allocate pieces up to the limit. Returns how many. */
static u32 pieces(struct bench_work *w, struct watch *watch)
{
	struct myalloc_arena *arena = fronts_of(w)->arena;
	void *piece;
	u32 n = 0;

	do {
		watch_start(watch);
		piece = myalloc_arena_alloc(arena, ARENA_PIECE, 8);
		watch_stop(watch);
		breathe(n++);
	} while (piece);
	return n - 1;
}

static void arena_settle(struct bench_work *w)
{
	myalloc_arena_reset(fronts_of(w)->arena);
	myalloc_arena_shrink(fronts_of(w)->arena);
	myalloc_bench_worst_release(w);
}

static void arena_fill(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked();

	w->fails += !pieces(w, &watch);
	watch_end(w, &watch);
}

static void arena_back(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked(), none = watch_task();
	struct myalloc_arena *arena = fronts_of(w)->arena;
	struct myalloc_arena_mark mark;
	int err;

	watch_start(&watch);
	err = myalloc_arena_mark(arena, &mark);
	watch_stop(&watch);
	w->fails += !!err;
	w->fails += !pieces(w, &none);
	if (!err) {
		watch_start(&watch);
		err = myalloc_arena_rewind(arena, &mark);
		watch_stop(&watch);
		w->fails += !!err;
	}
	w->fails += !pieces(w, &none);
	watch_start(&watch);
	myalloc_arena_reset(arena);
	watch_stop(&watch);
	watch_end(w, &watch);
}

/* --- rings ------------------------------------------------------------------------------- */

/* Add records until one is refused; false if there was no room for any. */
static bool produce(struct myalloc_ring *ring, struct watch *watch)
{
	void *record;
	u32 n = 0;

	do {
		watch_start(watch);
		record = myalloc_ring_reserve(ring, RING_RECORD);
		watch_stop(watch);
		if (record) {
			watch_start(watch);
			myalloc_ring_commit(ring, record);
			watch_stop(watch);
		}
		breathe(n++);
	} while (record);
	return n > 1;
}

static void consume(struct myalloc_ring *ring, struct watch *watch)
{
	void *record;
	size_t size;
	u32 n = 0;

	do {
		watch_start(watch);
		record = myalloc_ring_peek(ring, &size);
		watch_stop(watch);
		if (record) {
			watch_start(watch);
			myalloc_ring_release(ring, record);
			watch_stop(watch);
		}
		breathe(n++);
	} while (record);
}

static void ring_laps(struct bench_work *w, u32 ops)
{
	struct watch watch = watch_masked();
	u32 lap;

	for (lap = 0; lap < RING_LAPS; lap++) {
		w->fails += !produce(fronts_of(w)->ring, &watch);
		consume(fronts_of(w)->ring, &watch);
	}
	watch_end(w, &watch);
}

/* One CPU's part is full of records of no bytes before each long one. */
static void ring_overwrite(struct bench_work *w, u32 ops)
{
	struct myalloc_ring *ring = fronts_of(w)->ring;
	struct watch watch = watch_masked();
	void *record;
	u32 lap, n;

	for (lap = 0; lap < RING_LAPS; lap++) {
		for (n = 0; n < RING_BYTES / 16; n++) {
			record = myalloc_ring_reserve(ring, 0);
			if (record)
				myalloc_ring_commit(ring, record);
		}
		watch_start(&watch);
		record = myalloc_ring_reserve(ring, RING_LONG);
		watch_stop(&watch);
		if (record)
			myalloc_ring_commit(ring, record);
		else
			w->fails++;
	}
	watch_end(w, &watch);
}

/* --- tables -------------------------------------------------------------------------------- */

#define OURS(fn_begin, fn_ready, fn, fn_settle)					\
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = fn_begin,	\
	  .ready = fn_ready, .round = fn, .settle = fn_settle, .end = end }

static const struct bench_side heap_fill_sides[] = {
	OURS(heap_begin, ready_leave, heap_fill, myalloc_bench_worst_release), { }
};

static const struct bench_side heap_empty_sides[] = {
	OURS(heap_begin, ready_leave, heap_empty, myalloc_bench_worst_release), { }
};

static const struct bench_side pool_fill_sides[] = {
	OURS(pool_begin, ready_leave, pool_fill, myalloc_bench_worst_release), { }
};

static const struct bench_side pool_empty_sides[] = {
	OURS(pool_begin, ready_leave, pool_empty, myalloc_bench_worst_release), { }
};

static const struct bench_side arena_fill_sides[] = {
	OURS(arena_begin, myalloc_bench_worst_split, arena_fill, arena_settle), { }
};

static const struct bench_side arena_back_sides[] = {
	OURS(arena_begin, NULL, arena_back, arena_settle), { }
};

static const struct bench_side ring_sides[] = {
	OURS(ring_begin, NULL, ring_laps, NULL), { }
};

static const struct bench_side ring_overwrite_sides[] = {
	OURS(ring_begin, NULL, ring_overwrite, NULL), { }
};

static const struct {
	const char *name;
	const char *what;
	const struct bench_side *sides;
	u32 bytes;
	u32 variant;
} shapes[] = {
	{ "heap/512/fill", "allocations of 512 bytes of a heap up to the first failure",
	  heap_fill_sides, 512 },
	{ "heap/512/empty", "frees of them by address in random order", heap_empty_sides, 512 },
	{ "heap/65536/fill", "allocations of 64 KiB of a heap up to the first failure",
	  heap_fill_sides, 65536 },
	{ "heap/65536/empty", "frees of them by address in random order", heap_empty_sides,
	  65536 },
	{ "arena/fill", "pieces of an arena up to its limit", arena_fill_sides },
	{ "arena/back", "mark, rewind and reset of an arena of 32 blocks", arena_back_sides },
	{ "pool/64/fill", "allocations from an object pool up to the first failure",
	  pool_fill_sides, 64 },
	{ "pool/64/empty", "frees of them in random order", pool_empty_sides, 64 },
	{ "ring/one", "a record of a ring with one producer, from the producer to the consumer",
	  ring_sides, 0, MYALLOC_RING_ONE },
	{ "ring/many", "a record of a ring with several producers, likewise", ring_sides, 0,
	  MYALLOC_RING_MANY },
	{ "ring/overwrite", "a reservation of 4096 bytes that overwrites the shortest records",
	  ring_overwrite_sides, 0, MYALLOC_RING_OVERWRITE },
};

static void describe(u32 index, struct bench_shape *shape)
{
	shape->unit = MYALLOC_BENCH_LONGEST;
	shape->bytes = shapes[index].bytes;
	shape->variant = shapes[index].variant;
	myalloc_bench_sides(shape, shapes[index].sides);
	scnprintf(shape->name, sizeof(shape->name), "worst/%s", shapes[index].name);
	scnprintf(shape->what, sizeof(shape->what), "longest operation: %s", shapes[index].what);
}

const struct bench_family myalloc_bench_worst_fronts = {
	.nr = ARRAY_SIZE(shapes),
	.describe = describe,
};

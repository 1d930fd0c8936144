// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks across CPUs
 *
 *	ring		CPU 0 allocates, CPU 1 frees, through a ring of RING pointers with one
 *			writer and one reader
 *	ping-pong	CPU 0 hands an object to CPU 1, which frees it and hands back an object
 *			that it allocated, which CPU 0 frees
 *	private		every CPU allocates and frees batches, each from its own cache
 *	shared		the same, all from one cache
 *	larson		every CPU replaces objects in a table at random; each round it moves on
 *			to its neighbour's table (after Larson and Krishnan, ISMM 1998)
 *	exchange	every CPU fills a batch, exchanges it for one that another CPU has
 *			left, and frees that one: producers and consumers as in xmalloc-test
 *			(Lever and Boreham, USENIX 2000)
 *	transfer	every CPU replaces objects in a table at random; one in 16 passes
 *			through a table that all CPUs share, as in mstress of mimalloc-bench
 *	scratch		CPU 0 allocates adjacent objects, one for each CPU; every CPU frees its
 *			object and then repeatedly allocates an object, writes to it and frees
 *			it: an allocator that gives parts of one cache line to two CPUs pays
 *			for false sharing (cache-scratch of Hoard, Berger et al., ASPLOS 2000)
 *
 *	touched		ring, ping-pong and exchange again: the CPU that allocates an object writes
 *			to it, and the CPU that frees it reads it, as programs do
 *
 * The shapes follow the programs cited; the code does not.
 *
 * Each shape is measured with caches of the default level and with trusting ones. The floor of the
 * ping-pong is a bare stack on each CPU. The default level takes longer by the time it takes to
 * move the object's state byte to the other CPU's cache; the trusting level leaves the byte alone.
 *
 * In the ring and the ping-pong, a side without an allocator passes numbers instead of objects: its
 * time is the cost of the passing, to be subtracted from the other sides.
 *
 * Operations are counted over all CPUs; one operation is an allocation and a free unless stated
 * otherwise. The time ends when the last CPU is done, so for shapes in which all CPUs work, the
 * time of one operation is that of the machine and not of one CPU.
 */
#include "env.h"

#include "bench/run.h"
#include "compat.h"

#define RING		256	/* slots, a power of two */
#define LIVE		512	/* objects in the table of one CPU */
#define SHARED		256	/* slots that all CPUs share */
#define BATCH		64
#define LEAST		32	/* batches of each CPU in a round */
#define WRITES		64	/* writes to a scratch object between two allocations */

enum variant {
	RINGS,
	PING_PONG,
	PRIVATE,
	SHARED_CACHE,
	LARSON,
	EXCHANGE,
	TRANSFER,
	SCRATCH,
	RINGS_TOUCHED,
	PING_PONG_TOUCHED,
	EXCHANGE_TOUCHED,
};

static const u32 sizes[] = { 64, 1024 };

/* Data of one CPU; no two CPUs share a cache line. */
struct cpu_part {
	struct myalloc_random random;
	u32 turn;
	void **table;			/* LIVE objects */
	struct parcel *parcel;
	u64 fails;
	struct myalloc_cache *cache;	/* PRIVATE */
	struct kmem_cache *kcache;
} ____cacheline_aligned;

struct parcel {
	u32 nr;
	void *object[BATCH];
};

/**
 * struct cross - state of one side of such a shape
 * @head: slots ever filled in @ring
 * @tail: slots ever emptied
 * @box: the object handed to CPU @i
 * @ring: the ring
 * @shared: slots through which all CPUs exchange objects
 * @parcels: slots through which all CPUs exchange parcels
 * @nr: number of CPUs
 * @part: data of each CPU
 */
struct cross {
	u32 head ____cacheline_aligned;
	u32 tail ____cacheline_aligned;
	struct {
		void *object ____cacheline_aligned;
	} box[2];
	void *ring[RING] ____cacheline_aligned;
	void *shared[SHARED];
	struct parcel *parcels[64];
	u32 nr;
	struct cpu_part part[];
};

static void idle(void)
{
	cpu_relax();
	cond_resched();
}

/* --- sides ------------------------------------------------------------------------------ */

typedef void *(*take_fn)(struct bench_work *w, struct cpu_part *part);
typedef void (*give_fn)(struct bench_work *w, struct cpu_part *part, void *object);

static __always_inline void *ours_take(struct bench_work *w, struct cpu_part *part)
{
	return myalloc_cache_alloc(part->cache, 0);
}

static __always_inline void ours_give(struct bench_work *w, struct cpu_part *part, void *object)
{
	myalloc_cache_free(part->cache, object);
}

static __always_inline void *slub_take(struct bench_work *w, struct cpu_part *part)
{
	return kmem_cache_alloc(part->kcache, GFP_BENCH);
}

static __always_inline void slub_give(struct bench_work *w, struct cpu_part *part, void *object)
{
	kmem_cache_free(part->kcache, object);
}

static __always_inline void *kmalloc_take(struct bench_work *w, struct cpu_part *part)
{
	return w->shape->bytes == 64 ? kmalloc(64, GFP_BENCH) : kmalloc(1024, GFP_BENCH);
}

static __always_inline void kmalloc_give(struct bench_work *w, struct cpu_part *part,
					 void *object)
{
	kfree(object);
}

/* A stack on each CPU, without any record of which object is allocated. */
static __always_inline void *stack_take(struct bench_work *w, struct cpu_part *part)
{
	return myalloc_bench_pop(w);
}

static __always_inline void stack_give(struct bench_work *w, struct cpu_part *part, void *object)
{
	myalloc_bench_push(w, object);
}

/* No allocator; the address of the part stands for an object. */
static __always_inline void *none_take(struct bench_work *w, struct cpu_part *part)
{
	return part;
}

static __always_inline void none_give(struct bench_work *w, struct cpu_part *part, void *object)
{
	barrier();
}

/* The same, with objects that both sides of a hand-over touch. */
#define TOUCHED(side)								\
static __always_inline void *side##_touched_take(struct bench_work *w,		\
						struct cpu_part *part)		\
{										\
	u64 *object = side##_take(w, part);					\
										\
	if (likely(object))							\
		WRITE_ONCE(*object, (unsigned long)part);			\
	return object;								\
}										\
										\
static __always_inline void side##_touched_give(struct bench_work *w,		\
					       struct cpu_part *part, void *object) \
{										\
	(void)READ_ONCE(*(u64 *)object);					\
	side##_give(w, part, object);						\
}

TOUCHED(ours)
TOUCHED(slub)
TOUCHED(kmalloc)

/* --- shapes ------------------------------------------------------------------------------- */

static __always_inline void ring_part(struct bench_work *w, u32 index, u32 ops, take_fn take,
				      give_fn give)
{
	struct cross *x = w->private;
	struct cpu_part *part = &x->part[index];
	u32 n;

	if (index == 0) {
		u32 head = x->head;

		for (n = 0; n < ops; n++, head++) {
			void *object = take(w, part);

			if (unlikely(!object))
				part->fails++;
			while (head - smp_load_acquire(&x->tail) >= RING)	/* pairs below */
				idle();
			x->ring[head % RING] = object;
			smp_store_release(&x->head, head + 1);	/* pairs below */
		}
	} else {
		u32 tail = x->tail;

		for (n = 0; n < ops; n++, tail++) {
			void *object;

			while (smp_load_acquire(&x->head) == tail)	/* pairs above */
				idle();
			object = x->ring[tail % RING];
			smp_store_release(&x->tail, tail + 1);	/* pairs above */
			if (likely(object))
				give(w, part, object);
		}
	}
}

/* The value that stands in a box for a failed allocation, as NULL means that the box is empty. */
#define NOTHING		((void *)1)

static void *await(struct cross *x, u32 box)
{
	void *object;

	while (!(object = smp_load_acquire(&x->box[box].object)))	/* pairs with hand() */
		idle();
	WRITE_ONCE(x->box[box].object, NULL);
	return object;
}

static void hand(struct cross *x, u32 box, void *object)
{
	smp_store_release(&x->box[box].object, object ?: NOTHING);	/* pairs with await() */
}

static __always_inline void ping_pong_part(struct bench_work *w, u32 index, u32 ops, take_fn take,
					   give_fn give)
{
	struct cross *x = w->private;
	struct cpu_part *part = &x->part[index];
	u32 n;

	for (n = 0; n < ops / 2; n++) {
		void *object;

		if (index == 0)
			hand(x, 1, take(w, part));
		object = await(x, index);
		if (likely(object != NOTHING))
			give(w, part, object);
		else
			part->fails++;
		if (index == 1)
			hand(x, 0, take(w, part));
	}
}

/* PRIVATE and SHARED_CACHE differ only in part->cache. */
static __always_inline void batch_part(struct bench_work *w, u32 index, u32 ops, take_fn take,
				       give_fn give)
{
	struct cross *x = w->private;
	struct cpu_part *part = &x->part[index];
	void **object = part->table;
	u32 n, i;

	for (n = 0; n < ops / x->nr; n += BATCH) {
		for (i = 0; i < BATCH; i++) {
			object[i] = take(w, part);
			if (unlikely(!object[i]))
				part->fails++;
		}
		for (i = 0; i < BATCH; i++)
			if (likely(object[i]))
				give(w, part, object[i]);
	}
	for (i = 0; i < BATCH; i++)
		object[i] = NULL;
}

static __always_inline void larson_part(struct bench_work *w, u32 index, u32 ops, take_fn take,
					give_fn give)
{
	struct cross *x = w->private;
	struct cpu_part *part = &x->part[index];
	void **table = x->part[(index + part->turn++) % x->nr].table;
	u32 n;

	for (n = 0; n < ops / x->nr; n++) {
		void **slot = &table[myalloc_random_below(&part->random, LIVE)];

		if (likely(*slot))
			give(w, part, *slot);
		*slot = take(w, part);
		if (unlikely(!*slot))
			part->fails++;
	}
}

static __always_inline void transfer_part(struct bench_work *w, u32 index, u32 ops, take_fn take,
					  give_fn give)
{
	struct cross *x = w->private;
	struct cpu_part *part = &x->part[index];
	u32 n;

	for (n = 0; n < ops / x->nr; n++) {
		u32 random = myalloc_random_next(&part->random);
		void **slot = &part->table[random % LIVE];

		if (!(random >> 28))	/* one in 16 */
			*slot = xchg(&x->shared[random / LIVE % SHARED], *slot);
		if (likely(*slot))
			give(w, part, *slot);
		*slot = take(w, part);
		if (unlikely(!*slot))
			part->fails++;
	}
}

static __always_inline void exchange_part(struct bench_work *w, u32 index, u32 ops, take_fn take,
					  give_fn give)
{
	struct cross *x = w->private;
	struct cpu_part *part = &x->part[index];
	struct parcel *parcel = part->parcel;
	u32 n, i;

	for (n = 0; n < ops / x->nr; n += BATCH) {
		for (i = 0; i < BATCH; i++) {
			parcel->object[i] = take(w, part);
			if (unlikely(!parcel->object[i]))
				part->fails++;
		}
		i = myalloc_random_below(&part->random, x->nr);
		parcel = xchg(&x->parcels[i], parcel);
		for (i = 0; i < BATCH; i++) {
			if (likely(parcel->object[i]))
				give(w, part, parcel->object[i]);
			parcel->object[i] = NULL;
		}
	}
	part->parcel = parcel;
}

static __always_inline void scratch_part(struct bench_work *w, u32 index, u32 ops, take_fn take,
					 give_fn give)
{
	struct cross *x = w->private;
	struct cpu_part *part = &x->part[index];
	u32 n, i;

	if (part->table[0])
		give(w, part, part->table[0]);
	part->table[0] = NULL;
	for (n = 0; n < ops / x->nr; n++) {
		u8 *object = take(w, part);

		if (unlikely(!object)) {
			part->fails++;
			continue;
		}
		for (i = 0; i < WRITES; i++)
			WRITE_ONCE(*object, i);
		give(w, part, object);
	}
}

/* Before a round CPU 0 allocates the objects that the other CPUs free. */
static __always_inline void scratch_ready(struct bench_work *w, take_fn take)
{
	struct cross *x = w->private;
	u32 i;

	for (i = 0; i < x->nr; i++)
		x->part[i].table[0] = take(w, &x->part[0]);
}

static void collect_fails(struct bench_work *w)
{
	struct cross *x = w->private;
	u32 i;

	for (i = 0; i < x->nr; i++) {
		w->fails += x->part[i].fails;
		x->part[i].fails = 0;
	}
}

#define CROSS(side, shape, cpus)						\
static void side##_##shape##_part(struct bench_work *w, u32 index, u32 ops)	\
{										\
	shape##_part(w, index, ops, side##_take, side##_give);			\
}										\
										\
static void side##_##shape(struct bench_work *w, u32 ops)			\
{										\
	struct cross *x = w->private;						\
										\
	w->own_ns = myalloc_bench_team_call(w, (cpus) ?: x->nr, ops,		\
					    side##_##shape##_part);		\
	collect_fails(w);							\
}

CROSS(ours, ring, 2)
CROSS(slub, ring, 2)
CROSS(kmalloc, ring, 2)
CROSS(none, ring, 2)
CROSS(ours, ping_pong, 2)
CROSS(slub, ping_pong, 2)
CROSS(kmalloc, ping_pong, 2)
CROSS(stack, ping_pong, 2)
CROSS(none, ping_pong, 2)
CROSS(ours, batch, 0)
CROSS(slub, batch, 0)
CROSS(kmalloc, batch, 0)
CROSS(ours, larson, 0)
CROSS(slub, larson, 0)
CROSS(kmalloc, larson, 0)
CROSS(ours, transfer, 0)
CROSS(slub, transfer, 0)
CROSS(kmalloc, transfer, 0)
CROSS(ours, exchange, 0)
CROSS(slub, exchange, 0)
CROSS(kmalloc, exchange, 0)
CROSS(ours, scratch, 0)
CROSS(slub, scratch, 0)
CROSS(kmalloc, scratch, 0)
CROSS(ours_touched, ring, 2)
CROSS(slub_touched, ring, 2)
CROSS(kmalloc_touched, ring, 2)
CROSS(ours_touched, ping_pong, 2)
CROSS(slub_touched, ping_pong, 2)
CROSS(kmalloc_touched, ping_pong, 2)
CROSS(ours_touched, exchange, 0)
CROSS(slub_touched, exchange, 0)
CROSS(kmalloc_touched, exchange, 0)

#define SCRATCH_READY(side)							\
static void side##_scratch_ready(struct bench_work *w)				\
{										\
	scratch_ready(w, side##_take);						\
}

SCRATCH_READY(ours)
SCRATCH_READY(slub)
SCRATCH_READY(kmalloc)

/* --- begin and end ------------------------------------------------------------------------ */

static int make_part(struct bench_work *w, struct cpu_part *part, u32 index)
{
	myalloc_random_init(&part->random, w->run->params.seed, index);
	part->table = myalloc_bench_zalloc(LIVE * sizeof(*part->table));
	part->parcel = myalloc_bench_zalloc(sizeof(*part->parcel));
	return part->table && part->parcel ? 0 : -ENOMEM;
}

static int make_cross(struct bench_work *w)
{
	u32 nr = w->run->team.nr, i;
	struct cross *x;
	int err = 0;

	x = myalloc_bench_zalloc(struct_size(x, part, nr));
	if (!x)
		return -ENOMEM;
	x->nr = nr;
	w->private = x;
	for (i = 0; i < nr && !err; i++) {
		err = make_part(w, &x->part[i], i);
		x->parcels[i] = myalloc_bench_zalloc(sizeof(*x->parcels[i]));
		if (!x->parcels[i])
			err = -ENOMEM;
	}
	return err;
}

/* Give all parts one cache, or for PRIVATE each its own. */
static int spread(struct bench_work *w, int (*subject)(struct bench_work *w))
{
	struct cross *x = w->private;
	u32 i;
	int err = 0;

	for (i = 0; i < x->nr && !err; i++) {
		if (!i || w->shape->variant == PRIVATE) {
			w->cache = NULL;
			w->kcache = NULL;
			err = subject(w);
		}
		x->part[i].cache = w->cache;
		x->part[i].kcache = w->kcache;
	}
	/* The parts own the caches now and destroy them. */
	w->cache = NULL;
	w->kcache = NULL;
	return err;
}

static int none_begin(struct bench_work *w)
{
	return make_cross(w);
}

static int ours_begin(struct bench_work *w)
{
	return make_cross(w) ?: spread(w, myalloc_bench_ours);
}

static int slub_begin(struct bench_work *w)
{
	return make_cross(w) ?: spread(w, myalloc_bench_slub);
}

static int kmalloc_begin(struct bench_work *w)
{
	return make_cross(w);
}

static int sheaf_begin(struct bench_work *w)
{
	return make_cross(w) ?: spread(w, myalloc_bench_sheaf);
}

static int stack_begin(struct bench_work *w)
{
	return make_cross(w) ?: myalloc_bench_stack(w);
}

static __always_inline void give_some(struct bench_work *w, struct cpu_part *part, void **object,
				      u32 nr, give_fn give)
{
	for (; nr; nr--, object++)
		if (*object)
			give(w, part, *object);
}

static __always_inline void end(struct bench_work *w, give_fn give)
{
	struct cross *x = w->private;
	u32 i;

	for (i = 0; x && i < x->nr; i++) {
		struct cpu_part *part = &x->part[i];

		if (part->table)
			give_some(w, part, part->table, LIVE, give);
		if (part->parcel)
			give_some(w, part, part->parcel->object, BATCH, give);
		if (x->parcels[i])
			give_some(w, part, x->parcels[i]->object, BATCH, give);
		myalloc_env_free(part->table);
		myalloc_env_free(part->parcel);
		myalloc_env_free(x->parcels[i]);
	}
	if (x)
		give_some(w, &x->part[0], x->shared, SHARED, give);
	for (i = 0; x && i < x->nr; i++) {
		if (i && x->part[i].cache == x->part[0].cache &&
		    x->part[i].kcache == x->part[0].kcache)
			continue;
		kmem_cache_destroy(x->part[i].kcache);
		myalloc_cache_destroy(x->part[i].cache);
	}
	myalloc_bench_end(w);
}

static void ours_end(struct bench_work *w)
{
	end(w, ours_give);
}

static void slub_end(struct bench_work *w)
{
	end(w, slub_give);
}

static void kmalloc_end(struct bench_work *w)
{
	end(w, kmalloc_give);
}

static void stack_end(struct bench_work *w)
{
	end(w, stack_give);
}

static void none_end(struct bench_work *w)
{
	end(w, none_give);
}

/* --- tables ----------------------------------------------------------------------------------- */

#define OURS(fn)	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = ours_begin, \
			  .round = fn, .end = ours_end }
#define SLUB(fn)	{ .name = "slub", .begin = slub_begin, .round = fn, .end = slub_end }
#define SHEAF(fn)	{ .name = "slub-sheaf64", .absent = !MYALLOC_COMPAT_SHEAVES, \
			  .begin = sheaf_begin, .round = fn, .end = slub_end }
#define KMALLOC(fn)	{ .name = "kmalloc", .begin = kmalloc_begin, .round = fn, \
			  .end = kmalloc_end }
#define STACK(fn)	{ .name = "per-cpu-array", .flags = MYALLOC_BENCH_FLOOR, \
			  .begin = stack_begin, .round = fn, .end = stack_end }
#define NONE(fn)	{ .name = "no-allocator", .flags = MYALLOC_BENCH_COST, \
			  .begin = none_begin, .round = fn, .end = none_end }

static const struct bench_side ring_sides[] = {
	OURS(ours_ring), SLUB(slub_ring), SHEAF(slub_ring), KMALLOC(kmalloc_ring),
	NONE(none_ring), { }
};

static const struct bench_side ping_pong_sides[] = {
	OURS(ours_ping_pong), SLUB(slub_ping_pong), SHEAF(slub_ping_pong),
	KMALLOC(kmalloc_ping_pong), STACK(stack_ping_pong), NONE(none_ping_pong), { }
};

static const struct bench_side batch_sides[] = {
	OURS(ours_batch), SLUB(slub_batch), SHEAF(slub_batch), KMALLOC(kmalloc_batch),
	{ }
};

static const struct bench_side larson_sides[] = {
	OURS(ours_larson), SLUB(slub_larson), SHEAF(slub_larson), KMALLOC(kmalloc_larson),
	{ }
};

static const struct bench_side transfer_sides[] = {
	OURS(ours_transfer), SLUB(slub_transfer), SHEAF(slub_transfer), KMALLOC(kmalloc_transfer),
	{ }
};

static const struct bench_side exchange_sides[] = {
	OURS(ours_exchange), SLUB(slub_exchange), SHEAF(slub_exchange), KMALLOC(kmalloc_exchange),
	{ }
};

static const struct bench_side scratch_sides[] = {
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = ours_begin,
	  .ready = ours_scratch_ready, .round = ours_scratch, .end = ours_end },
	{ .name = "slub", .begin = slub_begin, .ready = slub_scratch_ready,
	  .round = slub_scratch, .end = slub_end },
	{ .name = "slub-sheaf64", .absent = !MYALLOC_COMPAT_SHEAVES, .begin = sheaf_begin,
	  .ready = slub_scratch_ready, .round = slub_scratch, .end = slub_end },
	{ .name = "kmalloc", .begin = kmalloc_begin, .ready = kmalloc_scratch_ready,
	  .round = kmalloc_scratch, .end = kmalloc_end },
	{ }
};

static const struct bench_side ring_touched_sides[] = {
	OURS(ours_touched_ring), SLUB(slub_touched_ring), SHEAF(slub_touched_ring),
	KMALLOC(kmalloc_touched_ring), { }
};

static const struct bench_side ping_pong_touched_sides[] = {
	OURS(ours_touched_ping_pong), SLUB(slub_touched_ping_pong),
	SHEAF(slub_touched_ping_pong), KMALLOC(kmalloc_touched_ping_pong), { }
};

static const struct bench_side exchange_touched_sides[] = {
	OURS(ours_touched_exchange), SLUB(slub_touched_exchange), SHEAF(slub_touched_exchange),
	KMALLOC(kmalloc_touched_exchange), { }
};

static const struct {
	const char *name;
	const char *what;
	const struct bench_side *sides;
} shapes[] = {
	[RINGS] = { "ring", "one CPU allocates, another frees", ring_sides },
	[PING_PONG] = {
		"ping-pong",
		"two CPUs hand each other one object at a time, which the other frees",
		ping_pong_sides
	},
	[PRIVATE] = {
		"private", "all CPUs at once, batches of 64, each with a cache of its own",
		batch_sides
	},
	[SHARED_CACHE] = {
		"shared", "all CPUs at once, batches of 64, from one cache", batch_sides
	},
	[LARSON] = {
		"larson", "all CPUs replace live objects at random, and change tables each round",
		larson_sides
	},
	[EXCHANGE] = {
		"exchange", "all CPUs allocate batches of 64 and free those of others",
		exchange_sides
	},
	[TRANSFER] = {
		"transfer",
		"all CPUs replace live objects at random; one in 16 goes to another CPU",
		transfer_sides
	},
	[SCRATCH] = {
		"scratch", "all CPUs write to objects that were allocated side by side",
		scratch_sides
	},
	[RINGS_TOUCHED] = {
		"ring-touched", "one CPU allocates and writes, another reads and frees",
		ring_touched_sides
	},
	[PING_PONG_TOUCHED] = {
		"ping-pong-touched",
		"two CPUs hand each other one object at a time; one writes, the other reads",
		ping_pong_touched_sides
	},
	[EXCHANGE_TOUCHED] = {
		"exchange-touched",
		"all CPUs allocate and write batches of 64, and read and free those of others",
		exchange_touched_sides
	},
};

static const struct {
	const char *name;
	const char *what;
	myalloc_cache_flags_t level;
} levels[] = {
	{ "", "", 0 },
	{ "trusting/", ", with trusting frees", MYALLOC_TRUSTING },
};

static void describe(u32 index, struct bench_shape *shape)
{
	u32 variant = index % ARRAY_SIZE(shapes);
	u32 level = index / ARRAY_SIZE(shapes) % ARRAY_SIZE(levels);

	shape->bytes = sizes[index / (ARRAY_SIZE(shapes) * ARRAY_SIZE(levels))];
	shape->variant = variant;
	shape->checks = levels[level].level;
	shape->cpus = 2;
	/* Whole batches for each CPU, enough to make the cost of the start barrier negligible. */
	shape->batch = LEAST * BATCH * num_online_cpus();
	myalloc_bench_sides(shape, shapes[variant].sides);
	scnprintf(shape->name, sizeof(shape->name), "cross/%u/%s%s", shape->bytes,
		  levels[level].name, shapes[variant].name);
	scnprintf(shape->what, sizeof(shape->what), "%u-byte objects, %s%s", shape->bytes,
		  shapes[variant].what, levels[level].what);
}

const struct bench_family myalloc_bench_cross = {
	.nr = ARRAY_SIZE(sizes) * ARRAY_SIZE(levels) * ARRAY_SIZE(shapes),
	.describe = describe,
};

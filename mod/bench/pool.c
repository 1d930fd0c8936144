// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of object pools: allocations that cannot fail
 *
 * Each side sets STOCK objects aside, allocates a batch and frees it in the same order. A mempool
 * first asks its kmem_cache and uses its stock only if that fails. An objpool serves a fixed number
 * of objects from per-CPU rings.
 */
#include "env.h"

#include "bench/run.h"
#include "compat.h"

#if MYALLOC_COMPAT_OBJPOOL
#include <linux/objpool.h>
#endif

#define STOCK		1024
#define BATCH_MOST	100

static const struct {
	u32 bytes;
	u32 batch;
} shapes[] = {
	{ 64, 1 }, { 64, 10 }, { 64, BATCH_MOST }, { 256, 1 }, { 256, 10 }, { 256, BATCH_MOST },
};

/**
 * struct stock - the pool of a side
 * @pool: object pool of myalloc, or NULL
 * @objpool: pool of the kernel
 * @initialised: @objpool was initialised
 * @object: the batch
 */
struct stock {
	struct myalloc_pool *pool;
#if MYALLOC_COMPAT_OBJPOOL
	struct objpool_head objpool;
	bool initialised;
#endif
	void *object[BATCH_MOST];
};

static int begin(struct bench_work *w)
{
	w->private = myalloc_bench_zalloc(sizeof(struct stock));
	return w->private ? 0 : -ENOMEM;
}

static void end(struct bench_work *w)
{
	struct stock *s = w->private;

	if (s)
		myalloc_pool_destroy(s->pool);
#if MYALLOC_COMPAT_OBJPOOL
	if (s && s->initialised)
		objpool_fini(&s->objpool);
#endif
	myalloc_bench_end(w);
}

static int pool_begin(struct bench_work *w)
{
	const struct myalloc_pool_args args = {
		.name = "bench-pool", .object_size = w->shape->bytes, .nr = STOCK,
	};
	struct myalloc_pool *pool;
	int err = begin(w);

	if (err)
		return err;
	pool = myalloc_pool_create(w->run->job.zone, &args);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	((struct stock *)w->private)->pool = pool;
	return 0;
}

static int mempool_begin(struct bench_work *w)
{
	int err = begin(w);

	if (err)
		return err;
	err = myalloc_bench_slub(w);
	if (err)
		return err;
	if (!myalloc_env_should_fail())
		w->mempool = mempool_create_slab_pool(STOCK, w->kcache);
	return w->mempool ? 0 : -ENOMEM;
}

/* @take and @give are constants, so that they are inlined. */
static __always_inline void batches(struct bench_work *w, u32 ops,
				    void *(*take)(struct bench_work *w, struct stock *s),
				    void (*give)(struct bench_work *w, struct stock *s,
						 void *object))
{
	u32 n, i, batch = w->shape->batch;
	struct stock *s = w->private;

	for (n = 0; n < ops; n += batch) {
		for (i = 0; i < batch; i++) {
			s->object[i] = take(w, s);
			w->fails += !s->object[i];
		}
		for (i = 0; i < batch; i++)
			if (likely(s->object[i]))
				give(w, s, s->object[i]);
	}
}

static __always_inline void *pool_take(struct bench_work *w, struct stock *s)
{
	return myalloc_pool_alloc(s->pool, 0);
}

static __always_inline void pool_give(struct bench_work *w, struct stock *s, void *object)
{
	myalloc_pool_free(s->pool, object);
}

static void pool_round(struct bench_work *w, u32 ops)
{
	batches(w, ops, pool_take, pool_give);
}

static __always_inline void *mempool_take(struct bench_work *w, struct stock *s)
{
	return mempool_alloc(w->mempool, GFP_NOWAIT);
}

static __always_inline void mempool_give(struct bench_work *w, struct stock *s, void *object)
{
	mempool_free(object, w->mempool);
}

static void mempool_round(struct bench_work *w, u32 ops)
{
	batches(w, ops, mempool_take, mempool_give);
}

#if MYALLOC_COMPAT_OBJPOOL
static int objpool_begin(struct bench_work *w)
{
	struct stock *s;
	int err = begin(w);

	if (err)
		return err;
	s = w->private;
	err = objpool_init(&s->objpool, STOCK, w->shape->bytes, GFP_KERNEL, NULL, NULL, NULL);
	s->initialised = !err;
	return err;
}

static __always_inline void *objpool_take(struct bench_work *w, struct stock *s)
{
	return objpool_pop(&s->objpool);
}

static __always_inline void objpool_give(struct bench_work *w, struct stock *s, void *object)
{
	objpool_push(object, &s->objpool);
}

static void objpool_round(struct bench_work *w, u32 ops)
{
	batches(w, ops, objpool_take, objpool_give);
}
#endif

static const struct bench_side sides[] = {
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = pool_begin,
	  .round = pool_round, .end = end },
	{ .name = "mempool", .begin = mempool_begin, .round = mempool_round, .end = end },
#if MYALLOC_COMPAT_OBJPOOL
	{ .name = "objpool", .begin = objpool_begin, .round = objpool_round, .end = end },
#endif
	{ }
};

static void describe(u32 index, struct bench_shape *shape)
{
	shape->bytes = shapes[index].bytes;
	shape->batch = shapes[index].batch;
	myalloc_bench_sides(shape, sides);
	if (shape->batch == 1)
		scnprintf(shape->name, sizeof(shape->name), "pool/%u/pair", shape->bytes);
	else
		scnprintf(shape->name, sizeof(shape->name), "pool/%u/batch-%u", shape->bytes,
			  shape->batch);
	scnprintf(shape->what, sizeof(shape->what),
		  "%u-byte objects of a pool with %u set aside, %u allocated and then freed",
		  shape->bytes, STOCK, shape->batch);
}

const struct bench_family myalloc_bench_pools = {
	.nr = ARRAY_SIZE(shapes),
	.describe = describe,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of queues of records, on one CPU
 *
 * Both sides include the work of their user: a producer writes a record, a consumer reads it. With
 * a ring of myalloc both access the record in place. A kfifo with records copies in and out, so the
 * producer fills a buffer of its own and the consumer reads from another. The producer copies the
 * same packet into each record, and the consumer reads the first word. One operation passes one
 * record from producer to consumer; the queue holds at most a batch of records.
 */
#include "env.h"

#include <linux/kfifo.h>

#include "bench/run.h"

static const u32 sizes[] = { 16, 64, 256, 1500 };

#define BATCH		16
#define SIZE_MOST	1500u
#define QUEUE_BYTES	65536u

/**
 * struct queue - the queue of a side, and its buffers
 * @ring: ring of myalloc, or NULL
 * @fifo: queue of the kernel
 * @allocated: @fifo was allocated
 * @sum: sum of the words read, so that the compiler keeps the reads
 * @packet: content of each record
 * @in: buffer of the producer of @fifo
 * @out: buffer of its consumer
 */
struct queue {
	struct myalloc_ring *ring;
	struct kfifo_rec_ptr_2 fifo;
	bool allocated;
	u64 sum;
	u8 packet[SIZE_MOST];
	u8 in[SIZE_MOST] __aligned(8);
	u8 out[SIZE_MOST] __aligned(8);
};

static int begin(struct bench_work *w)
{
	w->private = myalloc_bench_zalloc(sizeof(struct queue));
	return w->private ? 0 : -ENOMEM;
}

static void end(struct bench_work *w)
{
	struct queue *q = w->private;

	if (!q)
		return;
	myalloc_ring_destroy(q->ring);
	if (q->allocated)
		kfifo_free(&q->fifo);
	myalloc_env_free(q);
}

static int ring_begin(struct bench_work *w, enum myalloc_ring_mode mode)
{
	static const char *const names[] = { "bench-one", "bench-many" };
	const struct myalloc_ring_args args = {
		.name = names[mode], .size = QUEUE_BYTES, .mode = mode,
	};
	struct myalloc_ring *ring;
	struct queue *q;
	int err = begin(w);

	if (err)
		return err;
	q = w->private;
	ring = myalloc_ring_create(w->run->job.zone, &args);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	q->ring = ring;
	return 0;
}

static int one_begin(struct bench_work *w)
{
	return ring_begin(w, MYALLOC_RING_ONE);
}

static int many_begin(struct bench_work *w)
{
	return ring_begin(w, MYALLOC_RING_MANY);
}

static void ring_round(struct bench_work *w, u32 ops)
{
	u32 n, i, bytes = w->shape->bytes;
	struct queue *q = w->private;
	size_t size;
	u64 *record;

	for (n = 0; n < ops; n += BATCH) {
		for (i = 0; i < BATCH; i++) {
			record = myalloc_ring_reserve(q->ring, bytes);
			if (!record) {
				w->fails++;
				continue;
			}
			memcpy(record, q->packet, bytes);
			myalloc_ring_commit(q->ring, record);
		}
		while ((record = myalloc_ring_peek(q->ring, &size))) {
			q->sum += *record;
			myalloc_ring_release(q->ring, record);
		}
	}
}

static int fifo_begin(struct bench_work *w)
{
	struct queue *q;
	int err = begin(w);

	if (err)
		return err;
	q = w->private;
	err = kfifo_alloc(&q->fifo, QUEUE_BYTES, GFP_BENCH);
	q->allocated = !err;
	return err;
}

static void fifo_round(struct bench_work *w, u32 ops)
{
	u32 n, i, bytes = w->shape->bytes;
	struct queue *q = w->private;

	for (n = 0; n < ops; n += BATCH) {
		for (i = 0; i < BATCH; i++) {
			memcpy(q->in, q->packet, bytes);
			if (!kfifo_in(&q->fifo, q->in, bytes))
				w->fails++;
		}
		while (kfifo_out(&q->fifo, q->out, sizeof(q->out)))
			q->sum += *(u64 *)q->out;
	}
}

static const struct bench_side sides[] = {
	{ .name = "myalloc", .flags = MYALLOC_BENCH_OURS, .begin = one_begin,
	  .round = ring_round, .end = end },
	{ .name = "kfifo", .begin = fifo_begin, .round = fifo_round, .end = end },
	{ .name = "several", .flags = MYALLOC_BENCH_ASIDE, .begin = many_begin,
	  .round = ring_round, .end = end },
	{ }
};

static void describe(u32 index, struct bench_shape *shape)
{
	shape->bytes = sizes[index];
	shape->batch = BATCH;
	myalloc_bench_sides(shape, sides);
	scnprintf(shape->name, sizeof(shape->name), "records/%u/in-out", shape->bytes);
	scnprintf(shape->what, sizeof(shape->what),
		  "%u-byte records through a queue with one producer; several: under a lock",
		  shape->bytes);
}

const struct bench_family myalloc_bench_records = {
	.nr = ARRAY_SIZE(sizes),
	.describe = describe,
};

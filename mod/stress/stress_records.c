// SPDX-License-Identifier: GPL-2.0
/*
 * The threads of a stress run of the kind RING: thread 0 consumes the records that all others
 * produce in one ring. See stress.c for the theory.
 *
 * A record begins with its identity, and has the pattern of that identity behind it. The consumer
 * expects each thread's records in the order of their numbers, without a gap: one that was lost,
 * doubled or overtaken is an error. One reservation in DISCARD_ONE_IN is discarded, and its number
 * given to the next record.
 */
#include "env.h"

#include "front/ring.h"
#include "stress/stress_run.h"

#define DISCARD_ONE_IN	16

/* Each side checks after this many records whether the other one sleeps. */
#define WAKE		16

/* A record has at least the bytes of its identity. Each number has a size of its own. */
static u32 length_of(const struct stress_thread *t, u64 identity)
{
	u64 number = stress_identity_number(identity) << STRESS_SIZE_BITS;
	u64 spread = stress_identity(STRESS_WHAT_SIZES, stress_identity_thread(identity), number);

	return max_t(u32, stress_size_of(t, spread), sizeof(u64));
}

static u64 identity_of(const struct stress_thread *t, u64 number)
{
	return stress_identity(STRESS_WHAT_SIZES, t->index, number);
}

static void wake(struct stress_records *r)
{
	if (wq_has_sleeper(&r->wait))
		wake_up_all(&r->wait);
}

/* --- producers --------------------------------------------------------------------------- */

static bool try_reserve(struct stress_thread *t, u32 size, void **record)
{
	*record = myalloc_ring_reserve(t->run->records.ring, size);
	return *record;
}

/* Waits while there is no room. Returns NULL if the run is to stop. */
static void *reserve(struct stress_thread *t, u32 size)
{
	struct stress_records *r = &t->run->records;
	u64 start = stress_clock_start(t, STRESS_OBJ_ALLOC_NS);
	void *record = myalloc_ring_reserve(r->ring, size);

	if (record) {
		stress_clock_stop(t, STRESS_OBJ_ALLOC_NS, start);
		return record;
	}
	stress_count(t, STRESS_FAIL_TARGET);
	wake(r);
	wait_event_idle(r->wait, try_reserve(t, size, &record) || stress_stopped(t));
	return record;
}

static void produce(struct stress_thread *t)
{
	struct stress_records *r = &t->run->records;
	u64 identity = identity_of(t, t->number + 1);
	u32 size = length_of(t, identity);
	bool discard = myalloc_random_one_in(&t->random, DISCARD_ONE_IN);
	u64 *record = reserve(t, size);
	int err;

	if (!record)
		return;
	if (discard) {
		/* A pattern that the reader must never see. */
		memset(record, 0xff, size);
		err = myalloc_ring_discard(r->ring, record);
	} else {
		WRITE_ONCE(t->number, t->number + 1);
		if (t->run->verify)
			myalloc_pattern_fill(record, size,
					     myalloc_pattern_key(t->run->params.seed, identity));
		record[0] = identity;
		err = myalloc_ring_commit(r->ring, record);
	}
	if (err)
		myalloc_stress_tell(t, STRESS_FREE_ERRORS,
				    "record #%llu of thread %u was refused when %s",
				    stress_identity_number(identity), t->index,
				    discard ? "discarded" : "committed");
	else if (!discard)
		stress_count(t, STRESS_OBJ_ALLOCS);
	if (!(t->count[STRESS_OPS] % WAKE))
		wake(r);
}

static void run_producer(struct stress_thread *t)
{
	struct stress_records *r = &t->run->records;

	while (!stress_ended(t)) {
		stress_begin_op(t);
		produce(t);
	}
	atomic_dec_return_release(&r->producers);	/* pairs with run_consumer() */
	wake(r);
}

/* --- the consumer ------------------------------------------------------------------------ */

/* Is it the next record of its thread? */
static bool expected(struct stress_thread *t, u64 identity, size_t size)
{
	struct stress_records *r = &t->run->records;
	u32 thread = stress_identity_thread(identity);

	if (stress_identity_what(identity) == STRESS_WHAT_SIZES && thread &&
	    thread < t->run->nr_threads &&
	    stress_identity_number(identity) == r->last[thread] + 1 &&
	    size == length_of(t, identity)) {
		r->last[thread]++;
		return true;
	}
	myalloc_stress_tell(t, STRESS_VERIFY_ERRORS,
			    "a record of %zu bytes begins with %016llx, which is not the next of any thread",
			    size, identity);
	return false;
}

static void consume(struct stress_thread *t, u64 *record, size_t size)
{
	struct stress_records *r = &t->run->records;
	const struct stress_item item = { .addr = record, .identity = record[0] };
	struct myalloc_damage damage;
	u64 start;
	int err;

	if (expected(t, item.identity, size) && t->run->verify) {
		u64 key = myalloc_pattern_key(t->run->params.seed, item.identity);

		/* The identity takes the place of the first word. */
		myalloc_pattern_fill(record, sizeof(u64), key);
		if (!myalloc_pattern_check(record, size, key, &damage))
			myalloc_stress_tell_damage(t, &item, &damage, "when read");
	}
	start = stress_clock_start(t, STRESS_OBJ_FREE_NS);
	err = myalloc_ring_release(r->ring, record);
	stress_clock_stop(t, STRESS_OBJ_FREE_NS, start);
	if (err)
		myalloc_stress_tell(t, STRESS_FREE_ERRORS, "release of record #%llu was refused",
				    stress_identity_number(item.identity));
	else
		stress_count(t, STRESS_OBJ_FREES);
	if (!(t->count[STRESS_OBJ_FREES] % WAKE))
		wake(r);
	cond_resched();
}

/* Were all records read that were committed? */
static void check_all_read(struct stress_thread *t)
{
	struct myalloc_stress_run *run = t->run;
	u32 i;

	for (i = 1; i < run->nr_threads; i++)
		if (run->records.last[i] != READ_ONCE(run->thread[i]->number))
			myalloc_stress_tell(t, STRESS_VERIFY_ERRORS,
					    "record #%llu of thread %u was never read",
					    run->records.last[i] + 1, i);
}

static void run_consumer(struct stress_thread *t)
{
	struct stress_records *r = &t->run->records;
	bool closed;
	size_t size;
	u64 *record;

	do {
		/* Pairs with run_producer(): its last record is visible. */
		closed = !atomic_read_acquire(&r->producers);
		while ((record = myalloc_ring_peek(r->ring, &size)))
			consume(t, record, size);
		wake(r);
		if (!closed)
			wait_event_idle(r->wait, myalloc_ring_peek(r->ring, &size) ||
					!atomic_read(&r->producers));
	} while (!closed);
	check_all_read(t);
}

/**
 * myalloc_stress_records() - the work of a thread
 * @t: the thread; the ring is empty when that of the consumer returns
 *
 * Context: the thread.
 */
void myalloc_stress_records(struct stress_thread *t)
{
	if (t->index)
		run_producer(t);
	else
		run_consumer(t);
}

/**
 * myalloc_stress_records_make() - create the ring of a run
 * @run: the run
 *
 * Context: task, may sleep.
 * Return: 0, -ENOMEM, or the error of myalloc_ring_create().
 */
int myalloc_stress_records_make(struct myalloc_stress_run *run)
{
	u64 target = (u64)run->before.nr_pages * PAGE_SIZE * run->params.fill_permille;
	size_t chunk = PAGE_SIZE << run->job.zone->chunk_order;
	struct stress_records *r = &run->records;
	char name[MYALLOC_RING_NAME];
	struct myalloc_ring_args args = {
		.name = name,
		.size = clamp_t(u64, div_u64(target, 1000), PAGE_SIZE, chunk),
		.mode = run->nr_threads > 2 ? MYALLOC_RING_MANY : MYALLOC_RING_ONE,
	};
	struct myalloc_ring *ring;

	args.size = rounddown_pow_of_two(args.size);
	scnprintf(name, sizeof(name), "stress%llu", run->job.id);
	init_waitqueue_head(&r->wait);
	atomic_set(&r->producers, run->nr_threads - 1);
	ring = myalloc_ring_create(run->job.zone, &args);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	r->ring = ring;
	run->what[STRESS_WHAT_SIZES].bytes = min_t(u32, run->what[STRESS_WHAT_SIZES].bytes,
						   args.size / 8);
	return 0;
}

/**
 * myalloc_stress_records_end() - destroy the ring of a run
 * @run: the run, whose threads have ended
 *
 * Context: task, may sleep.
 */
void myalloc_stress_records_end(struct myalloc_stress_run *run)
{
	struct myalloc_ring *ring = run->records.ring;

	run->records.ring = NULL;
	/* A record that was refused keeps it alive; a message was printed. */
	if (ring && myalloc_ring_destroy(ring))
		pr_err_ratelimited("stress run %llu: the ring could not be destroyed\n",
				   run->job.id);
}

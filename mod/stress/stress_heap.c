// SPDX-License-Identifier: GPL-2.0
/*
 * One thread of a stress run of the kind HEAP: blocks of any size (stress_sizes.c) in a heap that
 * all threads share. See stress.c for the theory.
 *
 * A block that changes its size gets a new number. The part of its old pattern that it has kept is
 * checked before the new one is written.
 */
#include "env.h"

#include "stress/stress_run.h"

/* One block in ALIGN_ONE_IN is aligned to a power of two up to a page. */
#define ALIGN_ONE_IN	8

static_assert(BULK_MAX <= 1 << STRESS_SIZE_BITS);

/* Bytes of the zone that it takes, without unused space of slabs. */
static u32 charge_of(const struct stress_thread *t, u64 identity)
{
	return myalloc_heap_good_size(t->run->heap, stress_size_of(t, identity));
}

/* Is it an extent, which counts with pages? */
static bool large(const struct stress_thread *t, u64 identity)
{
	return stress_size_of(t, identity) > t->run->heap->max_object;
}

static void note_alloc(struct stress_thread *t, u64 identity)
{
	stress_count(t, large(t, identity) ? STRESS_PAGE_ALLOCS : STRESS_OBJ_ALLOCS);
}

static void note_free(struct stress_thread *t, u64 identity)
{
	stress_count(t, large(t, identity) ? STRESS_PAGE_FREES : STRESS_OBJ_FREES);
}

/* Check, fill and add a new block. */
static void accept(struct stress_thread *t, struct stress_hold *hold, u64 identity, void *addr,
		   u32 align, bool zeroed)
{
	const struct stress_item item = { .addr = addr, .identity = identity };
	u32 size = stress_size_of(t, identity);

	note_alloc(t, identity);
	if (myalloc_heap_usable_size(t->run->heap, addr) < size)
		myalloc_stress_tell(t, STRESS_VERIFY_ERRORS,
				    "block #%llu of thread %u, of %u bytes, has less",
				    stress_identity_number(identity), t->index, size);
	stress_check_new(t, &item, align, zeroed);
	stress_fill(t, &item);
	hold->item[hold->nr++] = item;
	hold->live += charge_of(t, identity);
}

static struct stress_item take_out(struct stress_thread *t, struct stress_hold *hold)
{
	u32 i = myalloc_random_below(&t->random, hold->nr);
	struct stress_item item = hold->item[i];

	hold->item[i] = hold->item[--hold->nr];
	hold->live -= charge_of(t, item.identity);
	return item;
}

/* --- steps ------------------------------------------------------------------------------- */

/* Would this block exceed the target? The first one is always allowed. */
static bool too_large(struct stress_thread *t, const struct stress_hold *hold, u64 identity)
{
	if (!hold->nr || hold->live + charge_of(t, identity) <= hold->target)
		return false;
	stress_count(t, STRESS_FAIL_TARGET);
	return true;
}

static void take(struct stress_thread *t, struct stress_hold *hold)
{
	bool zeroed = myalloc_random_one_in(&t->random, ZERO_ONE_IN);
	myalloc_flags_t flags = zeroed ? MYALLOC_ZERO : 0;
	u64 identity = stress_next_size(t), start;
	u32 size = stress_size_of(t, identity), align = 8;
	enum stress_timer timer = large(t, identity) ? STRESS_PAGE_ALLOC_NS : STRESS_OBJ_ALLOC_NS;
	void *addr;

	if (too_large(t, hold, identity))
		return;
	if (myalloc_random_one_in(&t->random, ALIGN_ONE_IN))
		align = 8 << myalloc_random_below(&t->random, PAGE_SHIFT - 2);
	/* An aligned block may take more than its size, and would be counted wrongly. */
	if (large(t, identity) || ALIGN(size, align) > t->run->heap->max_object)
		align = 8;
	start = zeroed ? 0 : stress_clock_start(t, timer);
	addr = align > 8 ? myalloc_heap_alloc_aligned(t->run->heap, size, align, flags) :
			   myalloc_heap_alloc(t->run->heap, size, flags);
	if (addr)
		stress_clock_stop(t, timer, start);
	else if (stress_insist(t))
		addr = myalloc_heap_alloc_aligned(t->run->heap, size, align,
						  flags | MYALLOC_MAY_WAIT);
	if (addr)
		accept(t, hold, identity, addr, align, zeroed);
	else
		stress_count(t, STRESS_FAIL_NOMEM);
}

static void take_bulk(struct stress_thread *t, struct stress_hold *hold)
{
	u32 want = 2 + myalloc_random_below(&t->random, BULK_MAX - 1), got, i;
	u64 identity = stress_next_size(t);
	void *addr[BULK_MAX];

	if (too_large(t, hold, identity))
		return;
	want = min(want, hold->max - hold->nr);
	if (hold->live + (u64)charge_of(t, identity) * want > hold->target ||
	    (u64)charge_of(t, identity) * want > hold->target / 2)
		want = 1;
	got = myalloc_heap_alloc_bulk(t->run->heap, stress_size_of(t, identity), 0, want, addr);
	for (i = 0; i < got; i++)
		accept(t, hold, identity + i, addr[i], 8, false);
	WRITE_ONCE(t->number, t->number + BULK_MAX - 1);
	if (got < want)
		stress_count(t, STRESS_FAIL_NOMEM);
}

static void tell_refused(struct stress_thread *t, u64 identity)
{
	myalloc_stress_tell(t, STRESS_FREE_ERRORS,
			    "free of block #%llu of thread %u, of %u bytes, was refused",
			    stress_identity_number(identity), stress_identity_thread(identity),
			    stress_size_of(t, identity));
}

static void free_one(struct stress_thread *t, const struct stress_item *item)
{
	enum stress_timer timer = large(t, item->identity) ? STRESS_PAGE_FREE_NS :
							     STRESS_OBJ_FREE_NS;
	u64 start;
	int err;

	stress_verify(t, item, stress_size_of(t, item->identity), "when freed");
	start = stress_clock_start(t, timer);
	err = myalloc_heap_free(t->run->heap, item->addr);
	stress_clock_stop(t, timer, start);
	if (err)
		tell_refused(t, item->identity);
	else
		note_free(t, item->identity);
}

static void give_bulk(struct stress_thread *t, struct stress_hold *hold)
{
	u32 n = min(2 + myalloc_random_below(&t->random, BULK_MAX - 1), hold->nr), i, done;
	struct stress_item item[BULK_MAX];
	void *addr[BULK_MAX];

	for (i = 0; i < n; i++) {
		item[i] = take_out(t, hold);
		stress_verify(t, &item[i], stress_size_of(t, item[i].identity), "when freed");
		addr[i] = item[i].addr;
	}
	done = myalloc_heap_free_bulk(t->run->heap, n, addr);
	if (done < n)
		tell_refused(t, item[0].identity);
	for (i = 0; i < done; i++)
		note_free(t, item[i].identity);
}

static void resize(struct stress_thread *t, struct stress_hold *hold)
{
	struct stress_item item = take_out(t, hold);
	u64 identity = stress_next_size(t);
	u32 old = stress_size_of(t, item.identity), size = stress_size_of(t, identity);
	bool fits = !too_large(t, hold, identity);
	void *addr = NULL;

	if (fits)
		addr = myalloc_heap_realloc(t->run->heap, item.addr, size, 0);
	if (!addr) {	/* the old one is as it was */
		if (fits)
			stress_count(t, STRESS_FAIL_NOMEM);
		hold->item[hold->nr++] = item;
		hold->live += charge_of(t, item.identity);
		return;
	}
	/* Whether it has moved depends on others, so that is not counted. */
	if (large(t, identity) != large(t, item.identity)) {
		note_alloc(t, identity);
		note_free(t, item.identity);
	}
	item.addr = addr;
	stress_verify(t, &item, min(old, size), "when resized");
	item.identity = identity;
	stress_fill(t, &item);
	hold->item[hold->nr++] = item;
	hold->live += charge_of(t, identity);
}

static bool want_more(struct stress_thread *t, const struct stress_hold *hold)
{
	u32 quarters = hold->live < hold->target - hold->target / 8 ? 3 : 2;

	return !hold->nr || (hold->nr < hold->max && hold->live < hold->target &&
			     myalloc_random_below(&t->random, 4) < quarters);
}

static void step(struct stress_thread *t, struct stress_hold *hold)
{
	bool bulk = myalloc_random_one_in(&t->random, BULK_ONE_IN);
	struct stress_item item;

	if (hold->nr && myalloc_random_one_in(&t->random, 3)) {
		resize(t, hold);
	} else if (want_more(t, hold)) {
		if (bulk)
			take_bulk(t, hold);
		else
			take(t, hold);
	} else if (bulk) {
		give_bulk(t, hold);
	} else {
		item = take_out(t, hold);
		free_one(t, &item);
	}
}

/**
 * myalloc_stress_heap() - the work of a thread
 * @t: the thread; it holds nothing when this returns
 *
 * Context: the thread.
 */
void myalloc_stress_heap(struct stress_thread *t)
{
	struct stress_hold *hold = &t->hold[STRESS_OBJECTS];
	struct stress_item item;

	while (!stress_ended(t)) {
		stress_begin_op(t);
		step(t, hold);
	}
	stress_end_ops(t);
	while (hold->nr) {
		item = take_out(t, hold);
		free_one(t, &item);
		cond_resched();
	}
}

/**
 * myalloc_stress_heap_make() - create the heap of a run
 * @run: the run
 *
 * Context: task, may sleep.
 * Return: 0, or the error of myalloc_heap_create().
 */
int myalloc_stress_heap_make(struct myalloc_stress_run *run)
{
	char name[MYALLOC_HEAP_NAME];
	const struct myalloc_heap_args args = {
		.name = name,
		.flags = (__force myalloc_cache_flags_t)run->params.checks,
	};
	struct myalloc_heap *heap;

	scnprintf(name, sizeof(name), "stress%llu", run->job.id);
	heap = myalloc_heap_create(run->job.zone, &args);
	if (IS_ERR(heap))
		return PTR_ERR(heap);
	run->heap = heap;
	return 0;
}

/**
 * myalloc_stress_heap_end() - destroy the heap of a run
 * @run: the run, whose threads have ended
 *
 * Context: task, may sleep.
 */
void myalloc_stress_heap_end(struct myalloc_stress_run *run)
{
	struct myalloc_heap *heap = run->heap;

	run->heap = NULL;
	/* Blocks whose free was refused keep it alive; a message was printed. */
	if (myalloc_heap_destroy(heap))
		pr_err_ratelimited("stress run %llu: the heap could not be destroyed\n",
				   run->job.id);
}

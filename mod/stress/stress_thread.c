// SPDX-License-Identifier: GPL-2.0
/*
 * One thread of a stress run: how it uses the allocator. See stress.c for the theory.
 *
 * From the outside in: myalloc_stress_thread() selects the kind; a kind is a loop of steps; a
 * step is one operation, that is, one call of the allocator, single or bulk. take and give wrap
 * the call in the code that makes it a test: fill, check, statistics, time.
 */
#include "env.h"

#include <linux/kthread.h>
#include <linux/sched.h>

#include "stress/stress_run.h"

/* Each end of a ring checks after this many items whether its partner sleeps. */
#define RING_WAKE	16

/* --- one thing --------------------------------------------------------- */

static bool inside(const struct myalloc_zone *zone, const void *addr, u32 bytes)
{
	return myalloc_map_frame(&zone->map, addr) &&
	       myalloc_map_frame(&zone->map, addr + bytes - 1);
}

/* Check new memory before anything is written to it, then fill it. */
static bool accept(struct stress_thread *t, const struct stress_item *item, bool zeroed)
{
	const struct stress_what *what = &t->run->what[stress_identity_what(item->identity)];
	unsigned long align = what->cache ? sizeof(u64) : PAGE_SIZE;
	struct myalloc_damage damage;

	if (!IS_ALIGNED((unsigned long)item->addr, align) ||
	    !inside(t->run->job.zone, item->addr, what->bytes)) {
		myalloc_stress_tell(t, STRESS_VERIFY_ERRORS,
				    "allocation #%llu of thread %u is misplaced",
				    stress_identity_number(item->identity), t->index);
		return false;
	}
	if (!t->run->verify)
		return true;
	if (zeroed && !myalloc_pattern_check_zero(item->addr, what->bytes, &damage))
		myalloc_stress_tell_damage(t, item, &damage, "asked for zeroed");
	myalloc_pattern_fill(item->addr, what->bytes,
			     myalloc_pattern_key(t->run->params.seed, item->identity));
	return true;
}

static void verify(struct stress_thread *t, const struct stress_item *item)
{
	const struct stress_what *what = &t->run->what[stress_identity_what(item->identity)];
	struct myalloc_damage damage;

	if (t->run->verify &&
	    !myalloc_pattern_check(item->addr, what->bytes,
				   myalloc_pattern_key(t->run->params.seed, item->identity),
				   &damage))
		myalloc_stress_tell_damage(t, item, &damage, "when freed");
}

/* A single allocation, timed if it neither zeroes nor waits. */
static void *call_alloc(struct stress_thread *t, const struct stress_what *what,
			myalloc_flags_t flags)
{
	enum stress_timer timer = what->cache ? STRESS_OBJ_ALLOC_NS : STRESS_PAGE_ALLOC_NS;
	u64 start = flags ? 0 : stress_clock_start(t, timer);
	void *addr;

	if (what->pool)
		addr = myalloc_pool_alloc(what->pool, flags);
	else if (what->cache)
		addr = myalloc_cache_alloc(what->cache, flags);
	else
		addr = myalloc_pages_alloc(t->run->job.zone, what->order, flags);
	if (addr)
		stress_clock_stop(t, timer, start);
	return addr;
}

static int call_free(struct stress_thread *t, const struct stress_what *what, void *addr)
{
	enum stress_timer timer = what->cache ? STRESS_OBJ_FREE_NS : STRESS_PAGE_FREE_NS;
	u64 start = stress_clock_start(t, timer);
	int err;

	if (what->pool)
		err = myalloc_pool_free(what->pool, addr);
	else if (what->cache)
		err = myalloc_cache_free(what->cache, addr);
	else
		err = myalloc_pages_free(t->run->job.zone, addr, what->order);
	stress_clock_stop(t, timer, start);
	return err;
}

static void note_alloc(struct stress_thread *t, u32 nr, void *addr, struct stress_item *item)
{
	stress_count(t, t->run->what[nr].cache ? STRESS_OBJ_ALLOCS : STRESS_PAGE_ALLOCS);
	WRITE_ONCE(t->number, t->number + 1);
	item->addr = addr;
	item->identity = stress_identity(nr, t->index, t->number);
}

static void note_free(struct stress_thread *t, const struct stress_what *what)
{
	stress_count(t, what->cache ? STRESS_OBJ_FREES : STRESS_PAGE_FREES);
}

/* One call, without counting a failure. */
static bool try_alloc(struct stress_thread *t, u32 nr, myalloc_flags_t flags,
		      struct stress_item *item)
{
	bool zeroed = myalloc_random_one_in(&t->random, ZERO_ONE_IN);
	void *addr = call_alloc(t, &t->run->what[nr], flags | (zeroed ? MYALLOC_ZERO : 0));

	if (!addr)
		return false;
	note_alloc(t, nr, addr, item);
	return accept(t, item, zeroed);
}

static bool alloc_one(struct stress_thread *t, u32 nr, struct stress_item *item)
{
	if (try_alloc(t, nr, 0, item) ||
	    (stress_insist(t) && try_alloc(t, nr, MYALLOC_MAY_WAIT, item)))
		return true;
	if (t->run->what[nr].pool)
		myalloc_stress_tell(t, STRESS_VERIFY_ERRORS,
				    "an allocation of thread %u failed, within the number of the pool",
				    t->index);
	else
		stress_count(t, STRESS_FAIL_NOMEM);
	return false;
}

static void free_one(struct stress_thread *t, const struct stress_item *item)
{
	const struct stress_what *what = &t->run->what[stress_identity_what(item->identity)];
	int err;

	verify(t, item);
	err = call_free(t, what, item->addr);
	if (err)
		myalloc_stress_tell_free(t, item->identity, err);
	else
		note_free(t, what);
}

/* --- what a thread holds ----------------------------------------------- */

static u32 charge(const struct stress_thread *t, const struct stress_item *item)
{
	return t->run->what[stress_identity_what(item->identity)].charge;
}

static void put_in(struct stress_thread *t, struct stress_hold *hold,
		   const struct stress_item *item)
{
	hold->item[hold->nr++] = *item;
	hold->live += charge(t, item);
}

static struct stress_item take_out(struct stress_thread *t, struct stress_hold *hold, u32 i)
{
	struct stress_item item = hold->item[i];

	hold->item[i] = hold->item[--hold->nr];
	hold->live -= charge(t, &item);
	return item;
}

static u32 choose(struct stress_thread *t, const struct stress_hold *hold)
{
	return hold->first + myalloc_choose(hold->choice, &t->random);
}

static bool take(struct stress_thread *t, struct stress_hold *hold, u32 nr)
{
	struct stress_item item;

	if (!alloc_one(t, nr, &item))
		return false;
	put_in(t, hold, &item);
	return true;
}

static void give(struct stress_thread *t, struct stress_hold *hold)
{
	struct stress_item item = take_out(t, hold, myalloc_random_below(&t->random, hold->nr));

	free_one(t, &item);
}

static void take_bulk(struct stress_thread *t, struct stress_hold *hold, u32 nr)
{
	const struct stress_what *what = &t->run->what[nr];
	bool zeroed = myalloc_random_one_in(&t->random, ZERO_ONE_IN);
	myalloc_flags_t flags = zeroed ? MYALLOC_ZERO : 0;
	u32 want = 2 + myalloc_random_below(&t->random, BULK_MAX - 1), got, i;
	struct stress_item item;
	void *addr[BULK_MAX];

	want = min(want, hold->max - hold->nr);
	want = min_t(u64, want, div_u64(hold->target - hold->live, what->charge));
	if (what->cache)
		got = myalloc_cache_alloc_bulk(what->cache, flags, want, addr);
	else
		got = myalloc_pages_alloc_bulk(t->run->job.zone, what->order, flags, want, addr);
	for (i = 0; i < got; i++) {
		note_alloc(t, nr, addr[i], &item);
		if (accept(t, &item, zeroed))
			put_in(t, hold, &item);
	}
	if (got < want)
		stress_count(t, STRESS_FAIL_NOMEM);
}

/* Look for another allocation of the same what, with at most @looks attempts in all. */
static bool take_like(struct stress_thread *t, struct stress_hold *hold, u32 *looks,
		      struct stress_item *item)
{
	u32 nr = stress_identity_what(item->identity);

	for (; *looks && hold->nr; --*looks) {
		u32 i = myalloc_random_below(&t->random, hold->nr);

		if (stress_identity_what(hold->item[i].identity) == nr) {
			*item = take_out(t, hold, i);
			return true;
		}
	}
	return false;
}

/* Free a random allocation, and others of the same what that a few more attempts find. */
static void give_bulk(struct stress_thread *t, struct stress_hold *hold)
{
	u32 want = 2 + myalloc_random_below(&t->random, BULK_MAX - 1);
	u32 looks = 4 * want, n = 0, done;
	const struct stress_what *what;
	struct stress_item item;
	void *addr[BULK_MAX];

	item = take_out(t, hold, myalloc_random_below(&t->random, hold->nr));
	what = &t->run->what[stress_identity_what(item.identity)];
	do {
		verify(t, &item);
		addr[n++] = item.addr;
	} while (n < want && take_like(t, hold, &looks, &item));
	if (what->cache)
		done = myalloc_cache_free_bulk(what->cache, n, addr);
	else
		done = myalloc_pages_free_bulk(t->run->job.zone, what->order, n, addr);
	for (; n > done; n--)
		myalloc_stress_tell_free(t, item.identity, -EINVAL);
	while (done--)
		note_free(t, what);
}

/* Free everything at the end of a thread; not counted as operations. */
static void give_all(struct stress_thread *t)
{
	u32 i;

	for (i = 0; i < STRESS_FAMILIES; i++) {
		struct stress_hold *hold = &t->hold[i];

		while (hold->nr) {
			struct stress_item item = take_out(t, hold, hold->nr - 1);

			free_one(t, &item);
			cond_resched();
		}
	}
}

/* --- kinds pages, objects, mixed ---------------------------------------- */

/* Would one more pass the target? The first is taken in any case. */
static bool full(struct stress_thread *t, const struct stress_hold *hold, u32 nr)
{
	if (!hold->nr)
		return false;
	return hold->nr == hold->max || hold->live + t->run->what[nr].charge > hold->target;
}

/* Well below the target three of four steps allocate, near it half of them do. */
static bool want_more(struct stress_thread *t, const struct stress_hold *hold)
{
	u32 quarters = hold->live < hold->target - hold->target / 8 ? 3 : 2;

	return !hold->nr || myalloc_random_below(&t->random, 4) < quarters;
}

static void step(struct stress_thread *t, struct stress_hold *hold)
{
	bool bulk = myalloc_random_one_in(&t->random, BULK_ONE_IN);

	if (want_more(t, hold)) {
		u32 nr = choose(t, hold);

		if (!full(t, hold, nr)) {
			if (bulk && !t->run->what[nr].pool &&
			    t->run->what[nr].charge < hold->target / BULK_MAX)
				take_bulk(t, hold, nr);
			else
				take(t, hold, nr);
			return;
		}
		stress_count(t, STRESS_FAIL_TARGET);
	}
	/* A pool has no bulk operations. */
	if (bulk && !(t->run->pool && hold == &t->hold[STRESS_OBJECTS]))
		give_bulk(t, hold);
	else
		give(t, hold);
}

static struct stress_hold *pick_hold(struct stress_thread *t)
{
	u32 i = STRESS_PAGES;

	if (!stress_has(t->run, STRESS_PAGES))
		i = STRESS_OBJECTS;
	else if (stress_has(t->run, STRESS_OBJECTS))
		i = myalloc_random_below(&t->random, STRESS_FAMILIES);
	return &t->hold[i];
}

static void run_mix(struct stress_thread *t)
{
	while (!stress_ended(t)) {
		stress_begin_op(t);
		step(t, pick_hold(t));
	}
}

/* --- kind cross --------------------------------------------------------- */

static u32 ring_used(const struct stress_ring *ring)
{
	/* Pairs with ring_pop(): slots that it has emptied may be filled again. */
	u32 tail = smp_load_acquire(&ring->tail);

	return READ_ONCE(ring->head) - tail;
}

static u64 ring_live(const struct stress_ring *ring)
{
	return READ_ONCE(ring->made) - READ_ONCE(ring->freed);
}

/* Wake a sleeping partner once it has enough to do for a while. */
static void ring_wake(struct stress_ring *ring)
{
	if (wq_has_sleeper(&ring->wait))
		wake_up(&ring->wait);
}

/* Would @bytes more pass the target? What is first is sent in any case. */
static bool ring_full(const struct stress_ring *ring, u64 bytes)
{
	u64 live = ring_live(ring);

	return ring_used(ring) > ring->mask || (live && live + bytes > ring->target);
}

/* Is there room for @bytes and much more? */
static bool ring_roomy(const struct stress_ring *ring, u64 bytes)
{
	u64 live = ring_live(ring);

	return ring_used(ring) <= ring->mask / 2 &&
	       (!live || live + max(bytes, ring->target / 2) <= ring->target);
}

static void ring_push(struct stress_thread *t, const struct stress_item *item)
{
	struct stress_ring *ring = t->ring;
	u32 head = ring->head;

	ring->slot[head & ring->mask] = *item;
	WRITE_ONCE(ring->made, ring->made + charge(t, item));
	smp_store_release(&ring->head, head + 1);	/* pairs with ring_pop() */
	if (!((head + 1) % RING_WAKE))
		ring_wake(ring);
}

static bool ring_pop(struct stress_ring *ring, struct stress_item *item)
{
	u32 tail = ring->tail;

	if (smp_load_acquire(&ring->head) == tail)	/* pairs with ring_push() */
		return false;
	*item = ring->slot[tail & ring->mask];
	smp_store_release(&ring->tail, tail + 1);	/* pairs with ring_used() */
	return true;
}

static void run_producer(struct stress_thread *t)
{
	struct stress_ring *ring = t->ring;
	struct stress_item item;
	bool objects = false;

	while (!stress_ended(t)) {
		u32 nr = choose(t, &t->hold[objects]), bytes = t->run->what[nr].charge;

		/* The choice is kept, so that none depends on time. */
		while (ring_full(ring, bytes) && !stress_ended(t)) {
			stress_count(t, STRESS_FAIL_TARGET);
			ring_wake(ring);
			wait_event_idle(ring->wait,
					ring_roomy(ring, bytes) || stress_stopped(t));
		}
		if (stress_ended(t))
			break;
		stress_begin_op(t);
		if (alloc_one(t, nr, &item))
			ring_push(t, &item);
		objects = !objects;
	}
	smp_store_release(&ring->closed, true);	/* pairs with run_consumer() */
	ring_wake(ring);
}

/* Free the items that were taken out of the ring and notify the producer. */
static void consume(struct stress_thread *t, struct stress_hold *hold)
{
	struct stress_item item = take_out(t, hold, myalloc_random_below(&t->random, hold->nr));

	stress_count(t, STRESS_OPS);
	cond_resched();
	free_one(t, &item);
	WRITE_ONCE(t->ring->freed, t->ring->freed + charge(t, &item));
	if (!(t->count[STRESS_OPS] % RING_WAKE))
		ring_wake(t->ring);
}

static void run_consumer(struct stress_thread *t)
{
	struct stress_hold *hold = &t->hold[STRESS_PAGES];
	struct stress_ring *ring = t->ring;
	struct stress_item item;
	bool closed = false;

	do {
		while (hold->nr < hold->max && ring_pop(ring, &item))
			put_in(t, hold, &item);
		if (hold->nr) {
			consume(t, hold);
			continue;
		}
		ring_wake(ring);
		wait_event_idle(ring->wait, ring_used(ring) || READ_ONCE(ring->closed));
		/* Pairs with run_producer(): if the ring is closed, its last item is visible. */
		closed = smp_load_acquire(&ring->closed);
	} while (hold->nr || ring_used(ring) || !closed);
}

/* --- kind exhaust ------------------------------------------------------- */

/* Wait until all threads are here. Returns false if the run should stop. */
static bool gate_pass(struct stress_thread *t)
{
	struct stress_gate *gate = &t->run->gate;
	u32 round;

	spin_lock(&gate->lock);
	round = gate->round;
	if (++gate->arrived == gate->expected) {
		gate->arrived = 0;
		WRITE_ONCE(gate->round, round + 1);
		wake_up_all(&gate->wait);
	}
	spin_unlock(&gate->lock);
	wait_event_idle(gate->wait, READ_ONCE(gate->round) != round || stress_stopped(t));
	return !stress_stopped(t);
}

/* This thread will not come to the gate again. */
static void gate_leave(struct stress_thread *t)
{
	struct stress_gate *gate = &t->run->gate;

	spin_lock(&gate->lock);
	WRITE_ONCE(gate->expected, gate->expected - 1);
	if (gate->expected && gate->arrived == gate->expected) {
		gate->arrived = 0;
		WRITE_ONCE(gate->round, gate->round + 1);
		wake_up_all(&gate->wait);
	}
	spin_unlock(&gate->lock);
}

/* Allocate this what until none is left. Returns true if there was any. */
static bool sweep_one(struct stress_thread *t, struct stress_hold *hold, u32 nr)
{
	bool any = false;

	while (!stress_ended(t)) {
		if (hold->nr == hold->max) {
			t->cramped = true;
			break;
		}
		stress_begin_op(t);
		if (!take(t, hold, nr))
			break;
		any = true;
	}
	return any;
}

/* Allocate everything from the largest block to the smallest, then the rest in slabs. */
static bool sweep_all(struct stress_thread *t)
{
	u32 order = t->run->job.zone->buddy.top_order + 1, i;
	bool any = false;

	while (order--)
		any |= sweep_one(t, &t->hold[STRESS_PAGES], order);
	for (i = 0; i < t->run->params.nr_sizes; i++)
		any |= sweep_one(t, &t->hold[STRESS_OBJECTS], STRESS_WHAT_SIZES + i);
	return any;
}

/* Make one more allocation that drains every CPU, so that a sweep can use what it frees. */
static bool sweep_caches(struct stress_thread *t)
{
	u32 i = myalloc_random_below(&t->random, t->run->params.nr_sizes + 1);
	u32 nr = i ? STRESS_WHAT_SIZES + i - 1 : 0;
	struct stress_hold *hold = &t->hold[i ? STRESS_OBJECTS : STRESS_PAGES];
	struct stress_item item;

	if (stress_ended(t) || hold->nr == hold->max)
		return false;
	stress_begin_op(t);
	if (!try_alloc(t, nr, MYALLOC_MAY_WAIT, &item)) {
		stress_count(t, STRESS_FAIL_NOMEM);
		return false;
	}
	put_in(t, hold, &item);
	return true;
}

/* Repeat until a pass finds nothing, neither in the zone nor in any CPU's magazines. */
static void sweep(struct stress_thread *t)
{
	bool any;

	do {
		any = sweep_all(t);
		any |= sweep_caches(t);
	} while ((any || sweep_all(t)) && !t->cramped && !stress_ended(t));
}

/* Allocate a random amount of the usual mix, so that each round fragments the zone anew. */
static void scatter(struct stress_thread *t)
{
	u32 permille = myalloc_random_below(&t->random, 1000);
	u32 pages = div_u64(t->hold[STRESS_PAGES].target * permille, 1000 * PAGE_SIZE);
	u32 objects = div_u64(t->hold[STRESS_OBJECTS].target * permille, 1000 * PAGE_SIZE);

	while (!stress_ended(t)) {
		struct stress_hold *hold = pick_hold(t);
		u64 most = (u64)(hold == t->hold ? pages : objects) * PAGE_SIZE;

		if (hold->live >= most || hold->nr == hold->max)
			break;
		stress_begin_op(t);
		if (!take(t, hold, choose(t, hold)))
			break;
	}
}

static bool all_here(struct stress_thread *t)
{
	return READ_ONCE(t->run->gate.expected) == t->run->nr_threads;
}

/*
 * All threads wait after their last allocation has failed: nothing may be left, unless the run
 * was stopped in the meantime and they have begun to free.
 */
static void check_exhausted(struct stress_thread *t)
{
	struct myalloc_stress_run *run = t->run;
	struct myalloc_zone_stats stats;
	bool cramped = false;
	u32 i;

	if (!all_here(t))
		return;
	for (i = 0; i < run->nr_threads; i++)
		cramped |= READ_ONCE(run->thread[i]->cramped);
	myalloc_zone_stats(run->job.zone, &stats);
	if (!(stats.free_pages | stats.cached_pages | stats.deferred_pages))
		WRITE_ONCE(run->exhausted, run->exhausted + 1);
	else if (!cramped && myalloc_stress_alone(run) && !stress_stopped(t))
		myalloc_stress_tell(t, STRESS_VERIFY_ERRORS,
				    "allocations fail, yet %llu pages are free, %llu cached, %llu deferred",
				    stats.free_pages, stats.cached_pages, stats.deferred_pages);
}

/* All threads wait after freeing everything: the zone must be as before the run. */
static void check_returned(struct stress_thread *t)
{
	struct myalloc_stress_run *run = t->run;
	struct myalloc_zone_stats stats;

	myalloc_zone_drain(run->job.zone);
	if (!all_here(t))
		return;
	myalloc_zone_stats(run->job.zone, &stats);
	if (memcmp(stats.free_blocks, run->before.free_blocks, sizeof(stats.free_blocks)) &&
	    myalloc_stress_alone(run))
		myalloc_stress_tell(t, STRESS_VERIFY_ERRORS,
				    "all was freed, yet %llu pages are free where %llu were, or in smaller blocks",
				    stats.free_pages, run->before.free_pages);
}

static void exhaust_round(struct stress_thread *t)
{
	struct stress_hold *pages = &t->hold[STRESS_PAGES], *objects = &t->hold[STRESS_OBJECTS];

	WRITE_ONCE(t->cramped, false);
	scatter(t);
	sweep(t);
	if (stress_ended(t) || !gate_pass(t))
		return;
	if (!t->index)
		check_exhausted(t);
	if (!gate_pass(t))
		return;
	while (!stress_ended(t) && pages->nr + objects->nr) {
		stress_begin_op(t);
		give(t, myalloc_random_below(&t->random, pages->nr + objects->nr) < pages->nr ?
			pages : objects);
	}
	if (stress_ended(t) || !gate_pass(t))
		return;
	if (!t->index)
		check_returned(t);
	gate_pass(t);
}

static void run_exhaust(struct stress_thread *t)
{
	while (!stress_ended(t))
		exhaust_round(t);
	gate_leave(t);
}

/* --- the thread --------------------------------------------------------- */

static void run_kind(struct stress_thread *t)
{
	switch (t->run->params.kind) {
	case MYALLOC_STRESS_CROSS:
		if (t->index % 2)
			run_consumer(t);
		else
			run_producer(t);
		break;
	case MYALLOC_STRESS_EXHAUST:
		run_exhaust(t);
		break;
	case MYALLOC_STRESS_HEAP:
		myalloc_stress_heap(t);
		break;
	case MYALLOC_STRESS_ARENA:
		myalloc_stress_arena(t);
		break;
	case MYALLOC_STRESS_RING:
		myalloc_stress_records(t);
		break;
	default:
		run_mix(t);
	}
}

/**
 * myalloc_stress_thread() - the function of a run's threads
 * @arg: its struct stress_thread
 *
 * Context: the thread.
 * Return: 0.
 */
int myalloc_stress_thread(void *arg)
{
	struct stress_thread *t = arg;
	struct myalloc_stress_run *run = t->run;

	myalloc_random_init(&t->random, run->params.seed, t->index);
	run_kind(t);
	stress_end_ops(t);
	give_all(t);	/* of allocations of any size, nothing is left */
	if (atomic_dec_and_test(&run->running))
		wake_up(&run->wait);
	return 0;
}

/**
 * myalloc_stress_wake() - wake the waiting threads of a run that should end
 * @job: the run
 *
 * Context: task.
 */
void myalloc_stress_wake(struct myalloc_job *job)
{
	struct myalloc_stress_run *run = to_stress(job);
	u32 i;

	wake_up_all(&run->gate.wait);
	if (run->records.ring)
		wake_up_all(&run->records.wait);
	for (i = 0; i < run->nr_threads / 2; i++)
		if (run->ring[i])
			wake_up_all(&run->ring[i]->wait);
}

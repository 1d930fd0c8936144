// SPDX-License-Identifier: GPL-2.0
/*
 * Stress runs
 *
 * Kernel threads allocate and free at random, keep the zone near a level of fill, and check that no
 * other user writes to the memory they get. At the end the statistics must balance. The seed makes
 * a run repeatable.
 *
 * Terms
 *	what		a kind of allocation: blocks of an order, objects of a size
 *	family		pages or objects; a kind of run uses one or both
 *	hold		the present allocations of a thread in one family
 *	charge		bytes of the zone that an allocation takes; for an object its share of
 *			a slab
 *	identity	what, thread and number of an allocation; its content follows from it
 *	record		a report of progress, published once a second
 *
 * Structure
 *
 *	ioctl: start ---> coordinator -----(1/s)----> record, notify
 *			     |    ^ all ended ------> free, drain, statistics, validate: result
 *			stop v    |
 *		 thread 0  thread 1  thread 2  thread 3		bound to CPUs in turn
 *		    |---ring 0-->|	|---ring 1-->|		only CROSS
 *		   [    gate, where each waits for all    ]	only EXHAUST
 *
 * What is checked
 *	- Every byte of every allocation is filled with a pattern made of the seed and its
 *	  identity, and compared on free (lib/base/pattern.c). This detects two owners of a byte,
 *	  a lost or stray write, and a stale copy; the first error is described in words,
 *	  with the allocation whose pattern was found. One allocation in 16 requests zeroed
 *	  memory and checks it.
 *	- Allocations must lie in the zone and be aligned; frees must be accepted.
 *	- One step in 32 is a bulk operation.
 *	- Damage that the allocator itself reports during the run counts as an error of the
 *	  run.
 *	- After the run and a drain, as many pages are out as before, and each order has as
 *	  many free blocks as before; validate recounts everything.
 *
 * Kinds
 *	PAGES, OBJECTS, MIXED	a random walk around the target: below 7/8 of it three of
 *		four steps allocate, above that half of them, unless it would pass the target.
 *		A free picks a random allocation. MIXED gives each family half the target, and a
 *		coin decides which family each step uses.
 *	CROSS	threads in pairs: the even one allocates objects and blocks in turn, the odd
 *		one frees them, from a window of 256, in random order.
 *	EXHAUST	in rounds: a random amount of the mix, then everything from the largest
 *		order to the smallest and the rest in slabs, until every allocation of each
 *		thread fails, even after draining every CPU's magazines. Then no page may be
 *		free or cached. Then everything is freed in random order and must be free again.
 *	HEAP	the same walk with blocks of any size in one heap, of which a third of the steps
 *		changes the size of one; see stress_heap.c.
 *	ARENA	each thread makes pieces of any size, with marks, in an arena of its own, and
 *		throws them away by rewinds and resets; see stress_arena.c.
 *	RING	thread 0 reads what all others write into one ring, and expects every record,
 *		once and in order; see stress_records.c.
 *	POOL	MIXED with the objects of a pool, none of which may fail, while the pages are to
 *		take all that is left of the zone; see stress_pool.c.
 *
 * The target is a share of the reserve in pages, divided among the threads. It is reached, not
 * passed, except that a thread may have one allocation that is larger. Slabs of which not all slots
 * are in use, and magazines, come on top. An order of which two blocks do not fit into the share of
 * one thread is left out of the mix (unless it is the only one). A thread keeps its allocations in
 * an array made at start; all arrays together take at most 1/ITEM_SHARE of the reserve, so with
 * very small objects the target may not be reached. The arrays are charged to the caller's cgroup,
 * and the run is refused if the system cannot spare the memory (budget.c).
 *
 * Repeatability: thread n draws every choice from stream n of the seed, and no choice depends on
 * time or address. So with one thread and a number of operations, two runs on a zone in the same
 * state do the same. Several threads interleave differently each time.
 *
 * Time: only the coordinator decides by the clock that a run ends; it sets @stop, which every
 * thread reads before each step. One in 8 of the single operations that neither zero nor wait is
 * timed with the fast monotonic clock, into histograms that belong to the thread; the time includes
 * one reading of the clock and any interruption. Each thread notes the time when it has ended its
 * operations, before it frees what it holds. A rate divides by the latest of these times, because
 * what follows may take as long as the operations.
 *
 * Invariants
 *	X1  Each allocation is in one place: one hold, one ring, or in use by one thread.
 *	X2  live of a hold = the charges of its items.
 *	X3  An array that only one thread writes is never reallocated; nothing is allocated
 *	    from the kernel after start, so a run disturbs no measurement of memory.
 *	X4  A thread waits only for threads that do not wait for it: the ends of a ring
 *	    wait for opposite conditions (a ring is never full and empty at once), the gate
 *	    opens when all remaining threads have arrived, and @stop ends every wait except
 *	    the consumer's, whose producer then closes the ring.
 *
 * Locking: the job's lock protects records and results; merging histograms takes a while. Each
 * thread alone writes its counters and histograms; reads need no lock. notify() is called without a
 * lock.
 */
#include "env.h"

#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/topology.h>

#include "budget.h"
#include "compat.h"
#include "stress/stress.h"
#include "stress/stress_run.h"
#include "zone/validate.h"

/* All item arrays together take at most 1/ITEM_SHARE of the reserve. */
#define ITEM_SHARE	8

/* Minimum size of an array, whatever the share. */
#define ITEM_LEAST	64

/* How often the coordinator samples the pages in use. */
#define LOOK_MS		100

/* The layout is the same for every compiler and word size. */
static_assert(sizeof(struct myalloc_stress) == 304);
static_assert(sizeof(struct myalloc_stress_progress) == 88);
static_assert(sizeof(struct myalloc_stress_result) == 152 + 4 * 48 + 160 + 8);

/* The layout of a record that job.c relies on. */
static_assert(offsetof(struct myalloc_stress_progress, state) ==
	      offsetof(struct myalloc_job_record, state));
static_assert(offsetof(struct myalloc_stress_progress, elapsed_ms) ==
	      offsetof(struct myalloc_job_record, elapsed_ms));

/* --- records and results ------------------------------------------------ */

static u64 pages_out(const struct myalloc_zone_stats *stats)
{
	return stats->nr_pages - stats->free_pages;
}

static void look(struct myalloc_stress_run *run)
{
	struct myalloc_zone_stats stats;

	myalloc_zone_stats(run->job.zone, &stats);
	mutex_lock(&run->job.lock);
	run->peak_pages = max(run->peak_pages, pages_out(&stats));
	mutex_unlock(&run->job.lock);
}

static u64 errors(const struct myalloc_stress_run *run)
{
	return myalloc_stress_sum(run, STRESS_VERIFY_ERRORS) +
	       myalloc_stress_sum(run, STRESS_FREE_ERRORS);
}

/* Threads that have operations of their own: in a ring, producers. */
static u32 counting_threads(const struct myalloc_stress_run *run)
{
	return run->nr_threads - (run->params.kind == MYALLOC_STRESS_RING);
}

/*
 * Publish a record and notify the user. The last record finishes the run, and a reader of it
 * sees the run finished.
 */
static void make_record(struct myalloc_stress_run *run, enum myalloc_stress_state state)
{
	struct myalloc_stress_progress *r = &run->record;
	struct myalloc_zone_stats stats;
	u64 ops = myalloc_stress_sum(run, STRESS_OPS);
	u64 us = max_t(s64, ktime_us_delta(ktime_get(), run->job.recorded), 1);

	myalloc_zone_stats(run->job.zone, &stats);
	mutex_lock(&run->job.lock);
	r->ops_per_sec = div64_u64((ops - r->ops) * USEC_PER_SEC, us);
	r->total_ms = run->params.duration_ms;
	r->ops = ops;
	if (check_mul_overflow(run->params.ops, (u64)counting_threads(run), &r->total_ops))
		r->total_ops = U64_MAX;
	r->fails = myalloc_stress_sum(run, STRESS_FAIL_NOMEM);
	r->errors = errors(run) + stats.corruptions - run->before.corruptions;
	r->live_pages = pages_out(&stats);
	r->nr_pages = stats.nr_pages;
	myalloc_job_publish(&run->job, state);
}

/* @lock held. Uses @merged as scratch. */
static void merge_latency(struct myalloc_stress_run *run, enum stress_timer timer,
			  struct myalloc_latency *out)
{
	struct myalloc_histogram *all = &run->merged;
	u32 i;

	lockdep_assert_held(&run->job.lock);
	myalloc_histogram_init(all);
	for (i = 0; i < run->nr_threads; i++)
		myalloc_histogram_merge(all, &run->thread[i]->ns[timer]);
	out->count = myalloc_histogram_count(all);
	out->min = out->count ? all->min : 0;
	out->p50 = myalloc_histogram_quantile(all, 500);
	out->p99 = myalloc_histogram_quantile(all, 990);
	out->p999 = myalloc_histogram_quantile(all, 999);
	out->max = all->max;
}

/* The time until the last thread ended its operations, or until now if one has not. */
static u64 ops_ns(const struct myalloc_stress_run *run)
{
	u64 last = 0;
	u32 i;

	for (i = 0; i < run->nr_threads; i++) {
		u64 ns = READ_ONCE(run->thread[i]->ops_ns);

		if (!ns)
			return stress_elapsed_ns(run);
		last = max(last, ns);
	}
	return last;
}

/* @lock held. Sum up the counters of the threads. */
static void sum_result(struct myalloc_stress_run *run, struct myalloc_stress_result *out)
{
	out->state = MYALLOC_STRESS_RUNNING;
	out->id = run->job.id;
	out->seed = run->params.seed;
	out->kind = run->params.kind;
	out->threads = run->nr_threads;
	out->elapsed_ms = myalloc_job_elapsed_ms(&run->job);
	out->page_allocs = myalloc_stress_sum(run, STRESS_PAGE_ALLOCS);
	out->page_frees = myalloc_stress_sum(run, STRESS_PAGE_FREES);
	out->obj_allocs = myalloc_stress_sum(run, STRESS_OBJ_ALLOCS);
	out->obj_frees = myalloc_stress_sum(run, STRESS_OBJ_FREES);
	out->fail_nomem = myalloc_stress_sum(run, STRESS_FAIL_NOMEM);
	out->fail_target = myalloc_stress_sum(run, STRESS_FAIL_TARGET);
	out->verify_errors = myalloc_stress_sum(run, STRESS_VERIFY_ERRORS);
	out->free_errors = myalloc_stress_sum(run, STRESS_FREE_ERRORS);
	out->exhausted = READ_ONCE(run->exhausted);
	out->peak_pages = run->peak_pages;
	out->start_pages = pages_out(&run->before);
	merge_latency(run, STRESS_PAGE_ALLOC_NS, &out->page_alloc_ns);
	merge_latency(run, STRESS_PAGE_FREE_NS, &out->page_free_ns);
	merge_latency(run, STRESS_OBJ_ALLOC_NS, &out->obj_alloc_ns);
	merge_latency(run, STRESS_OBJ_FREE_NS, &out->obj_free_ns);
	if (smp_load_acquire(&run->error_told))		/* pairs with tell() */
		memcpy(out->first_error, run->error, sizeof(out->first_error));
	out->ops_ns = ops_ns(run);
}

/* --- the end of a run --------------------------------------------------- */

static void destroy_caches(struct myalloc_stress_run *run)
{
	u32 i;

	myalloc_stress_heap_end(run);
	myalloc_stress_records_end(run);
	myalloc_stress_pool_end(run);
	for (i = STRESS_WHAT_SIZES; i < STRESS_WHATS; i++) {
		struct myalloc_cache *cache = run->what[i].cache;

		run->what[i].cache = NULL;
		/* Objects whose free was refused keep the cache alive; a message was printed. */
		if (cache && myalloc_cache_destroy(cache))
			pr_err_ratelimited("stress run %llu: a cache could not be destroyed\n",
					   run->job.id);
	}
}

/* The threads have ended, or never began because the start failed. */
static void reap_threads(struct myalloc_stress_run *run)
{
	u32 i;

	for (i = 0; i < run->nr_threads; i++) {
		struct stress_thread *t = run->thread[i];

		if (!t || !t->task)
			continue;
		kthread_stop(t->task);
		put_task_struct(t->task);
		t->task = NULL;
	}
}

/* Compare the statistics after the run with those before. */
static void balance(struct myalloc_stress_run *run, struct myalloc_stress_result *out)
{
	struct myalloc_zone_stats after;

	myalloc_zone_drain(run->job.zone);
	myalloc_zone_stats(run->job.zone, &after);
	out->end_pages = pages_out(&after);
	out->balanced = out->end_pages == out->start_pages &&
			!memcmp(after.free_blocks, run->before.free_blocks,
				sizeof(after.free_blocks));
	/* The zone's own high-water mark is exact if it has risen. */
	if (after.peak_pages > run->before.peak_pages)
		out->peak_pages = after.peak_pages;
	/* The allocator itself found damage: its last report describes it. */
	if (after.corruptions == run->before.corruptions)
		return;
	out->verify_errors += after.corruptions - run->before.corruptions;
	if (!out->first_error[0])
		myalloc_zone_last_report(run->job.zone, out->first_error, sizeof(out->first_error));
}

static void recount(struct myalloc_stress_run *run, struct myalloc_stress_result *out)
{
	struct myalloc_validation v = { };

	myalloc_zone_validate(run->job.zone, &v);
	out->validate_errors = min_t(u64, v.errors, U32_MAX);
	if (v.errors && !out->first_error[0])
		scnprintf(out->first_error, sizeof(out->first_error), "validate: %s", v.first);
}

static void finish(struct myalloc_stress_run *run)
{
	struct myalloc_stress_result *out = &run->result;
	enum myalloc_stress_state state;

	look(run);
	state = myalloc_job_end_state(&run->job);
	mutex_lock(&run->job.lock);
	sum_result(run, out);
	mutex_unlock(&run->job.lock);
	reap_threads(run);
	destroy_caches(run);
	balance(run, out);
	out->shared = !myalloc_stress_alone(run);
	recount(run, out);
	out->state = state;
	make_record(run, state);
}

/* --- the coordinator ---------------------------------------------------- */

static void let_go(struct myalloc_stress_run *run)
{
	u32 i;

	for (i = 0; i < run->nr_threads; i++)
		wake_up_process(run->thread[i]->task);
}

static bool time_is_up(const struct myalloc_stress_run *run)
{
	u64 most = run->params.duration_ms;

	return most && myalloc_job_elapsed_ms(&run->job) >= most;
}

/* Milliseconds until the coordinator's next work. */
static u32 nap_ms(const struct myalloc_stress_run *run)
{
	s64 next = clamp_t(s64, myalloc_job_record_in_ms(&run->job), 1, LOOK_MS);
	u64 gone = myalloc_job_elapsed_ms(&run->job);

	if (run->params.duration_ms > gone)
		next = min_t(u64, next, run->params.duration_ms - gone);
	return next;
}

static void coordinate(struct myalloc_job *job)
{
	struct myalloc_stress_run *run = to_stress(job);

	let_go(run);
	while (atomic_read(&run->running)) {
		wait_event_idle_timeout(run->wait, !atomic_read(&run->running),
					msecs_to_jiffies(nap_ms(run)));
		look(run);
		if (!myalloc_job_stopped(job) && time_is_up(run))
			myalloc_job_stop(job);
		if (myalloc_job_record_in_ms(job) <= 0)
			make_record(run, MYALLOC_STRESS_RUNNING);
	}
	finish(run);
}

/* --- the start of a run ------------------------------------------------- */

static void *run_zalloc(struct myalloc_stress_run *run, size_t size, int node)
{
	void *mem = myalloc_env_zalloc_charged(size, node);

	if (mem)
		run->bytes += size;
	return mem;
}

static int make_caches(struct myalloc_stress_run *run)
{
	u32 i;

	for (i = STRESS_WHAT_SIZES; i < STRESS_WHATS; i++) {
		struct stress_what *what = &run->what[i];
		struct myalloc_cache_stats stats;
		char name[MYALLOC_CACHE_NAME];
		struct myalloc_cache_args args = {
			.name = name,
			.object_size = what->bytes,
			.flags = (__force myalloc_cache_flags_t)run->params.checks,
		};
		struct myalloc_cache *cache;

		if (!what->bytes)
			break;
		scnprintf(name, sizeof(name), "stress%llu-%u", run->job.id, what->bytes);
		cache = myalloc_cache_create(run->job.zone, &args);
		if (IS_ERR(cache))
			return PTR_ERR(cache);
		what->cache = cache;
		myalloc_cache_stats(cache, &stats);
		what->charge = (PAGE_SIZE << stats.order) / stats.objects_per_slab;
	}
	return 0;
}

/* Bytes of the zone that each thread, or each pair, may hold of a family. */
static u64 zone_share(const struct myalloc_stress_run *run)
{
	u64 bytes = (u64)run->before.nr_pages * PAGE_SIZE * run->params.fill_permille;
	u32 parts = 1000 * run->nr_threads;

	if (run->params.kind == MYALLOC_STRESS_CROSS)
		parts /= 2;
	else if (run->params.kind == MYALLOC_STRESS_EXHAUST)
		bytes = (u64)run->before.nr_pages * PAGE_SIZE * 500;
	if (run->params.kind == MYALLOC_STRESS_MIXED ||
	    run->params.kind == MYALLOC_STRESS_EXHAUST)
		parts *= STRESS_FAMILIES;
	return max_t(u64, div_u64(bytes, parts), PAGE_SIZE);
}

/* Bytes of the zone that a thread should hold of a family. Beside a pool, pages take the rest. */
static u64 target(const struct myalloc_stress_run *run, enum stress_family family)
{
	if (run->params.kind == MYALLOC_STRESS_POOL && family == STRESS_PAGES)
		return (u64)run->before.nr_pages * PAGE_SIZE;
	return zone_share(run);
}

/* The mix of orders, without those too large for a share. */
static void make_choices(struct myalloc_stress_run *run)
{
	u32 weights[MYALLOC_NR_ORDERS], order, left = 0;

	memcpy(weights, run->params.order_weights, sizeof(weights));
	for (order = 0; order < MYALLOC_NR_ORDERS; order++) {
		if (left && 2ULL * run->what[order].charge > zone_share(run))
			weights[order] = 0;
		left |= weights[order];
	}
	myalloc_choice_init(&run->choice[STRESS_PAGES], weights, MYALLOC_NR_ORDERS);
	if (stress_any_size(run))
		myalloc_choice_init(&run->choice[STRESS_OBJECTS], &(u32){ 1 }, 1);
	else
		myalloc_choice_init(&run->choice[STRESS_OBJECTS], run->params.size_weights,
				    run->params.nr_sizes);
}

/* Mean charge of a family's mix, in bytes. */
static u32 mean_charge(const struct myalloc_stress_run *run, enum stress_family family)
{
	const struct myalloc_choice *choice = &run->choice[family];
	u32 first = family == STRESS_PAGES ? 0 : STRESS_WHAT_SIZES, i;
	u64 sum = 0, below = 0;

	for (i = 0; i < choice->nr; i++) {
		/* At most 2^26 * 2^32: a block of 1024 pages of 64 KiB. */
		sum += (choice->limit[i] - below) * run->what[first + i].charge;
		below = choice->limit[i];
	}
	return max_t(u32, sum >> 32, 1);
}

/*
 * Size of an item array: the number of allocations of the mix in the target, and a quarter more
 * because it varies. A thread that exhausts the zone may get more than its share, in single pages
 * at worst.
 */
static u32 room(const struct myalloc_stress_run *run, enum stress_family family)
{
	u64 most = div_u64((u64)run->before.nr_pages * PAGE_SIZE,
			   ITEM_SHARE * sizeof(struct stress_item) * run->nr_threads);
	u64 items = div_u64(target(run, family), mean_charge(run, family));

	items += items / 4;
	if (run->params.kind == MYALLOC_STRESS_EXHAUST)
		items += 2 * run->before.nr_pages / run->nr_threads;
	return clamp_t(u64, items, ITEM_LEAST, max_t(u64, most, ITEM_LEAST));
}

static int make_hold(struct myalloc_stress_run *run, struct stress_thread *t,
		     enum stress_family family, u32 max)
{
	struct stress_hold *hold = &t->hold[family];

	hold->first = family == STRESS_PAGES ? 0 : STRESS_WHAT_SIZES;
	hold->choice = &run->choice[family];
	hold->target = target(run, family);
	hold->max = max;
	if (!max)
		return 0;
	hold->item = run_zalloc(run, (size_t)max * sizeof(*hold->item), cpu_to_node(t->cpu));
	return hold->item ? 0 : -ENOMEM;
}

static int make_holds(struct myalloc_stress_run *run, struct stress_thread *t)
{
	bool cross = run->params.kind == MYALLOC_STRESS_CROSS;
	u32 family;
	int err;

	for (family = 0; family < STRESS_FAMILIES; family++) {
		u32 max = stress_has(run, family) ? room(run, family) : 0;

		if (cross)
			max = t->index % 2 && family == STRESS_PAGES ? STRESS_WINDOW : 0;
		err = make_hold(run, t, family, max);
		if (err)
			return err;
	}
	return 0;
}

static u32 ring_slots(const struct myalloc_stress_run *run)
{
	return roundup_pow_of_two(min_t(u32, room(run, STRESS_OBJECTS), BIT(20)));
}

/* Bytes that the item arrays of all threads will take. */
static u64 lists_bytes(const struct myalloc_stress_run *run)
{
	u64 items = 0, bytes = sizeof(struct stress_thread);
	u32 family;

	if (run->params.kind == MYALLOC_STRESS_CROSS)	/* one of each pair */
		return run->nr_threads * bytes + DIV_ROUND_UP(run->nr_threads, 2) *
		       (sizeof(struct stress_ring) +
			(ring_slots(run) + (u64)STRESS_WINDOW) * sizeof(struct stress_item));
	for (family = 0; family < STRESS_FAMILIES; family++)
		if (stress_has(run, family))
			items += room(run, family);
	return run->nr_threads * (bytes + items * sizeof(struct stress_item));
}

/* The ring between threads @t - 1 and @t. */
static int make_ring(struct myalloc_stress_run *run, struct stress_thread *t)
{
	u32 slots = ring_slots(run);
	struct stress_ring *ring;

	ring = run_zalloc(run, sizeof(*ring), cpu_to_node(t->cpu));
	if (!ring)
		return -ENOMEM;
	run->ring[t->index / 2] = ring;
	init_waitqueue_head(&ring->wait);
	ring->mask = slots - 1;
	ring->target = zone_share(run);
	ring->slot = run_zalloc(run, (size_t)slots * sizeof(*ring->slot), cpu_to_node(t->cpu));
	if (!ring->slot)
		return -ENOMEM;
	t->ring = ring;
	run->thread[t->index - 1]->ring = ring;
	return 0;
}

static int make_task(struct myalloc_stress_run *run, struct stress_thread *t)
{
	struct task_struct *task;

	task = kthread_create_on_node(myalloc_stress_thread, t, cpu_to_node(t->cpu),
				      "stress%llu/%u", run->job.id, t->index);
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, t->cpu);
	get_task_struct(task);
	t->task = task;
	return 0;
}

static int make_thread(struct myalloc_stress_run *run, u32 index)
{
	u32 cpu = run->cpu[index % run->nr_cpus];
	struct stress_thread *t;
	u32 i;
	int err;

	t = run_zalloc(run, sizeof(*t), cpu_to_node(cpu));
	if (!t)
		return -ENOMEM;
	run->thread[index] = t;
	t->run = run;
	t->index = index;
	t->cpu = cpu;
	for (i = 0; i < STRESS_TIMERS; i++)
		myalloc_histogram_init(&t->ns[i]);
	err = make_holds(run, t);
	if (err)
		return err;
	if (run->params.kind == MYALLOC_STRESS_CROSS && index % 2) {
		err = make_ring(run, t);
		if (err)
			return err;
	}
	return make_task(run, t);
}

static int make_threads(struct myalloc_stress_run *run)
{
	u32 i;
	int err;

	for (i = 0; i < run->nr_threads; i++) {
		err = make_thread(run, i);
		if (err)
			return err;
	}
	atomic_set(&run->running, run->nr_threads);
	run->gate.expected = run->nr_threads;
	return 0;
}

static void free_run(struct myalloc_stress_run *run)
{
	u32 i, k;

	reap_threads(run);
	destroy_caches(run);
	for (i = 0; i < run->nr_threads; i++) {
		if (!run->thread[i])
			continue;
		for (k = 0; k < STRESS_FAMILIES; k++)
			myalloc_env_free(run->thread[i]->hold[k].item);
		myalloc_env_free(run->thread[i]);
	}
	for (i = 0; i < ARRAY_SIZE(run->ring); i++) {
		if (run->ring[i])
			myalloc_env_free(run->ring[i]->slot);
		myalloc_env_free(run->ring[i]);
	}
	myalloc_job_fini(&run->job);
	myalloc_env_free(run);
}

/* What the threads allocate from, beside the zone. An arena is made by its thread. */
static int make_users(struct myalloc_stress_run *run)
{
	switch (run->params.kind) {
	case MYALLOC_STRESS_HEAP:
		return myalloc_stress_heap_make(run);
	case MYALLOC_STRESS_RING:
		return myalloc_stress_records_make(run);
	case MYALLOC_STRESS_POOL:
		return myalloc_stress_pool_make(run, room(run, STRESS_OBJECTS));
	case MYALLOC_STRESS_ARENA:
	case MYALLOC_STRESS_PAGES:
		return 0;
	default:
		return make_caches(run);
	}
}

static int prepare(struct myalloc_stress_run *run, struct myalloc_budget *budget)
{
	int err;

	/* Sampled first here and last at the end, so that activity in between is noticed. */
	myalloc_stress_look_at_others(run, &run->others);
	myalloc_zone_drain(run->job.zone);
	myalloc_zone_stats(run->job.zone, &run->before);
	run->peak_pages = pages_out(&run->before);
	make_choices(run);
	err = make_users(run);
	if (err)
		return err;
	err = myalloc_budget_check("stress run", lists_bytes(run), budget);
	if (err)
		return err;
	err = make_threads(run);
	if (err)
		return err;
	return myalloc_job_thread(&run->job, -1, coordinate);
}

/* --- the kind of job ------------------------------------------------------ */

/* Check the parameters, and allocate everything that a run needs. */
static struct myalloc_job *make(struct myalloc_zone *zone, void *arg)
{
	struct myalloc_budget budget = { };
	struct myalloc_stress *params = arg;
	struct myalloc_stress_run *run;
	int err;

	params->need_bytes = 0;
	params->left_bytes = 0;
	run = myalloc_env_zalloc_charged(sizeof(*run), NUMA_NO_NODE);
	if (!run)
		return ERR_PTR(-ENOMEM);
	run->bytes = sizeof(*run);
	myalloc_job_init(&run->job, &myalloc_stress_kind, zone, &run->record);
	init_waitqueue_head(&run->wait);
	spin_lock_init(&run->gate.lock);
	init_waitqueue_head(&run->gate.wait);
	err = myalloc_stress_settle(run, params);
	if (!err) {
		err = prepare(run, &budget);
		params->need_bytes = budget.need;
		params->left_bytes = budget.left;
	}
	if (err) {
		free_run(run);
		return ERR_PTR(err);
	}
	params->id = run->job.id;
	pr_debug("stress run %llu: seed 0x%llx, %u threads, %zu bytes of its own\n", run->job.id,
		 run->params.seed, run->nr_threads, run->bytes);
	return &run->job;
}

static void free_job(struct myalloc_job *job)
{
	free_run(to_stress(job));
}

/* Merge the histograms of all threads. For a run that has not ended, the values so far. */
static int result(struct myalloc_job *job, void *arg)
{
	struct myalloc_stress_result *out = arg;
	struct myalloc_stress_run *run;
	u32 size = out->size;

	memset(out, 0, sizeof(*out));
	if (job) {
		run = to_stress(job);
		mutex_lock(&job->lock);
		if (myalloc_job_finished(job))
			*out = run->result;
		else
			sum_result(run, out);
		mutex_unlock(&job->lock);
	} else {
		out->state = MYALLOC_STRESS_NONE;
	}
	out->size = size;
	return 0;
}

struct myalloc_job_kind myalloc_stress_kind = {
	.name = "stress",
	.owner = THIS_MODULE,
	.cmd = {
		[MYALLOC_JOB_START] = MYALLOC_IOC_STRESS_START,
		[MYALLOC_JOB_RESULT] = MYALLOC_IOC_STRESS_RESULT,
		[MYALLOC_JOB_CANCEL] = MYALLOC_IOC_STRESS_CANCEL,
	},
	.record_size = sizeof(struct myalloc_stress_progress),
	.make = make,
	.wake = myalloc_stress_wake,
	.free = free_job,
	.result = result,
};

#if IS_ENABLED(CONFIG_KUNIT)
MYALLOC_EXPORT_NS(myalloc_stress_kind, MYALLOC_INTERNAL);
#endif

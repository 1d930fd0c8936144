// SPDX-License-Identifier: GPL-2.0
/*
 * The test of a contract: an adversary makes requests within it, while others exhaust the zone
 *
 * Adversaries
 *	ROBSON	phases by ascending order: in each slot of the order keep the smallest block, while
 *		the kept blocks leave room for another one, free the rest, and allocate blocks of
 *		the order until M pages are live. So each slot is kept busy with the fewest pages:
 *		J. M. Robson, An estimate of the store size necessary for dynamic storage
 *		allocation, JACM 18 (1971). It reaches the last of the N pages of the plan
 *		(lib/client/plan.c), and so fails with N - 1.
 *	RANDOM	allocations up to M, one order more often than the others, then frees in random
 *		order down to a random level.
 *
 * The others are threads that allocate blocks of random orders from the zone of the contract, three
 * for each free, so that the zone is almost always empty. The adversary begins when it is.
 *
 * A request that fails although it would not have exceeded M pages is a failure; none may occur.
 * Each block holds a value at its beginning and its end, which a free compares.
 *
 * Nothing is allocated from the kernel after the start. Locking: the adversary's thread is the only
 * writer of its counters; the job's lock protects the record and the result.
 */
#include "env.h"

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "base/random.h"
#include "budget.h"
#include "client/contract.h"
#include "compat.h"
#include "stress/stress.h"

static_assert(sizeof(struct myalloc_contract_test) == 48);
static_assert(sizeof(struct myalloc_contract_progress) <= MYALLOC_JOB_RECORD_MAX);
static_assert(offsetof(struct myalloc_contract_progress, state) ==
	      offsetof(struct myalloc_job_record, state));
static_assert(offsetof(struct myalloc_contract_progress, elapsed_ms) ==
	      offsetof(struct myalloc_job_record, elapsed_ms));
static_assert(sizeof(struct myalloc_contract_test_result) == 8 + 14 * 8 + 160);

#define OTHERS_STEP	16	/* most blocks between two checks of the clock */
#define OTHERS_WAIT_MS	5000	/* time limit until the zone is empty */
#define LOOK_EVERY	256	/* requests between two checks of the clock */

/**
 * struct other - a thread that exhausts the zone
 * @run: the test
 * @task: the thread
 * @random: for its choices
 * @held: blocks by order, linked through their first word
 * @pages: pages of them
 * @fails: requests that failed
 */
struct other {
	struct contract_run *run;
	struct task_struct *task;
	struct myalloc_random random;
	void **held[MYALLOC_NR_ORDERS];
	u64 pages;
	u64 fails;
};

/**
 * struct contract_run - a test that runs
 * @job: the job
 * @record: its progress
 * @result: its result, complete when the job has finished
 * @params: parameters of the user
 * @contract: the contract
 * @zone: the zone of its line
 * @random: for the choices of the adversary
 * @nr_frames: pages of @zone
 * @live: pages that the adversary holds
 * @nr_held: number of @held
 * @held: RANDOM: first frames of the blocks
 * @order: by frame: order of the block that begins there, plus 1; 0 if none does
 * @other: the other threads
 */
struct contract_run {
	struct myalloc_job job;
	struct myalloc_contract_progress record;
	struct myalloc_contract_test_result result;
	struct myalloc_contract_test params;
	struct myalloc_contract *contract;
	struct myalloc_zone *zone;
	struct myalloc_random random;
	u32 nr_frames;
	u32 live;
	u32 nr_held;
	u32 *held;
	u8 *order;
	struct other other[];
};

static struct contract_run *to_run(struct myalloc_job *job)
{
	return container_of(job, struct contract_run, job);
}

/* --- the others ------------------------------------------------------------------------- */

static bool other_take(struct other *o, unsigned int order)
{
	void **block = myalloc_pages_alloc(o->run->job.zone, order, 0);

	if (!block) {
		WRITE_ONCE(o->fails, o->fails + 1);
		return false;
	}
	*block = o->held[order];
	o->held[order] = block;
	WRITE_ONCE(o->pages, o->pages + BIT(order));
	return true;
}

static bool other_give(struct other *o, unsigned int order)
{
	void **block = o->held[order];

	if (!block)
		return false;
	o->held[order] = *block;
	WRITE_ONCE(o->pages, o->pages - BIT(order));
	myalloc_pages_free(o->run->job.zone, block, order);
	return true;
}

static void other_step(struct other *o)
{
	unsigned int order = myalloc_random_below(&o->random, o->run->job.zone->chunk_order + 1);
	u32 n = 1 + myalloc_random_below(&o->random, OTHERS_STEP);

	if (myalloc_random_one_in(&o->random, 4)) {
		while (n && other_give(o, order))
			n--;
		return;
	}
	while (n--) {
		/* If there is no such block, take smaller ones. */
		while (!other_take(o, order) && order)
			order--;
	}
}

static int other_thread(void *arg)
{
	struct other *o = arg;
	unsigned int order;

	while (!kthread_should_stop()) {
		other_step(o);
		cond_resched();
	}
	for (order = 0; order < MYALLOC_NR_ORDERS; order++)
		while (other_give(o, order))
			cond_resched();
	return 0;
}

static void sum_others(struct contract_run *run)
{
	u64 pages = 0, fails = 0;
	u32 i;

	for (i = 0; i < run->params.others; i++) {
		pages += READ_ONCE(run->other[i].pages);
		fails += READ_ONCE(run->other[i].fails);
	}
	run->record.others_pages = pages;
	run->record.others_fails = fails;
	run->result.others_peak = max(run->result.others_peak, pages);
	run->result.others_fails = fails;
}

static void reap_others(struct contract_run *run)
{
	u32 i;

	for (i = 0; i < run->params.others; i++) {
		struct other *o = &run->other[i];

		if (!o->task)
			continue;
		kthread_stop(o->task);
		put_task_struct(o->task);
		o->task = NULL;
	}
}

/* --- records --------------------------------------------------------------------------- */

static void look(struct contract_run *run)
{
	struct myalloc_contract_stats stats;

	myalloc_contract_stats(run->contract, 0, &stats);
	sum_others(run);
	run->record.highest_end = stats.highest_end;
	run->record.requests = run->result.requests;
	run->record.failures = run->result.failures;
	run->result.highest_end = stats.highest_end;
	run->result.peak = stats.peak;
	run->result.failed_within = stats.failed_within;
	run->result.elapsed_ms = myalloc_job_elapsed_ms(&run->job);
}

/* Should it end? Publishes a record when one is due. */
static bool stopped(struct contract_run *run)
{
	cond_resched();
	if (myalloc_job_record_in_ms(&run->job) <= 0) {
		mutex_lock(&run->job.lock);
		look(run);
		myalloc_job_publish(&run->job, MYALLOC_STRESS_RUNNING);
	}
	return myalloc_job_stopped(&run->job);
}

__printf(2, 3)
static void tell(struct contract_run *run, const char *fmt, ...)
{
	va_list args;

	if (run->result.first[0])
		return;
	va_start(args, fmt);
	vscnprintf(run->result.first, sizeof(run->result.first), fmt, args);
	va_end(args);
}

/* --- the adversaries -------------------------------------------------------------------- */

static u64 *last_word(void *block, unsigned int order)
{
	return block + (PAGE_SIZE << order) - sizeof(u64);
}

static u64 content(const struct contract_run *run, u32 frame, unsigned int order)
{
	return myalloc_mix64(run->params.seed ^ ((u64)frame << 8 | order));
}

/* Returns the first frame, or MYALLOC_NO_FRAME after a failure. */
static u32 take(struct contract_run *run, unsigned int order)
{
	u64 *block = myalloc_pages_alloc(run->zone, order, 0);
	u32 frame;

	run->result.requests++;
	if (!block) {
		run->result.failures++;
		tell(run,
		     "request %llu, for a block of order %u, failed while %u of %u pages were live",
		     run->result.requests, order, run->live, run->params.pages);
		return MYALLOC_NO_FRAME;
	}
	frame = myalloc_frame_idx(run->zone, myalloc_map_frame(&run->zone->map, block));
	*block = content(run, frame, order);
	*last_word(block, order) = *block;
	run->order[frame] = order + 1;
	run->live += BIT(order);
	return frame;
}

static void give(struct contract_run *run, u32 frame)
{
	unsigned int order = run->order[frame] - 1;
	u64 *block = myalloc_frame_addr(run->zone, frame), expected = content(run, frame, order);

	if (*block != expected || *last_word(block, order) != expected) {
		run->result.errors++;
		tell(run,
		     "frame %u, a block of order %u: found 0x%016llx and 0x%016llx, not 0x%016llx",
		     frame, order, *block, *last_word(block, order), expected);
	}
	if (myalloc_pages_free(run->zone, block, order)) {
		run->result.errors++;
		tell(run, "frame %u: the free of a block of order %u was refused", frame, order);
	}
	run->order[frame] = 0;
	run->live -= BIT(order);
}

static void give_all(struct contract_run *run)
{
	u32 frame;

	for (frame = 0; frame < run->nr_frames && run->live; frame++) {
		if (run->order[frame])
			give(run, frame);
		if (!(frame % LOOK_EVERY))
			cond_resched();
	}
	run->nr_held = 0;
}

/* The first frame of the smallest block in a slot. */
static u32 smallest(const struct contract_run *run, u32 from, u32 to)
{
	u32 best = MYALLOC_NO_FRAME, i;

	for (i = from; i < to; i++)
		if (run->order[i] && (best == MYALLOC_NO_FRAME ||
				      run->order[i] < run->order[best]))
			best = i;
	return best;
}

/* Keep one block of each slot, if that leaves room for a block of the order. */
static void thin_out(struct contract_run *run, unsigned int order)
{
	u32 most = run->params.pages - BIT(order), kept = 0, at, i;

	for (at = 0; at < run->nr_frames; at += BIT(order)) {
		u32 end = min_t(u32, at + BIT(order), run->nr_frames);
		u32 best = smallest(run, at, end);
		u32 pages = best == MYALLOC_NO_FRAME ? 0 : BIT(run->order[best] - 1);

		if (kept + pages > most)
			best = MYALLOC_NO_FRAME;
		else
			kept += pages;
		for (i = at; i < end; i++)
			if (run->order[i] && i != best)
				give(run, i);
		if (!(at / BIT(order) % LOOK_EVERY) && stopped(run))
			return;
	}
}

static void robson(struct contract_run *run)
{
	unsigned int order;

	for (order = 0; order <= run->job.zone->chunk_order; order++) {
		if (!(run->params.orders & BIT(order)))
			continue;
		thin_out(run, order);
		while (run->live + BIT(order) <= run->params.pages) {
			if (take(run, order) == MYALLOC_NO_FRAME ||
			    (!(run->result.requests % LOOK_EVERY) && stopped(run)))
				break;
		}
		if (stopped(run))
			break;
	}
	give_all(run);
}

/* One of the orders of the line. */
static unsigned int any_order(struct contract_run *run)
{
	u32 n = myalloc_random_below(&run->random, hweight32(run->params.orders));
	u32 orders = run->params.orders;

	while (n--)
		orders &= orders - 1;
	return __ffs(orders);
}

static void random_load(struct contract_run *run)
{
	unsigned int often = any_order(run), order;
	u32 misses = 0, keep;

	while (misses < 64 && !(run->result.requests % LOOK_EVERY == LOOK_EVERY - 1 &&
				stopped(run))) {
		u32 frame;

		order = myalloc_random_one_in(&run->random, 4) ? any_order(run) : often;
		if (run->live + BIT(order) > run->params.pages) {
			misses++;
			continue;
		}
		frame = take(run, order);
		if (frame == MYALLOC_NO_FRAME)
			break;
		run->held[run->nr_held++] = frame;
	}
	keep = myalloc_random_below(&run->random, run->nr_held + 1);
	while (run->nr_held > keep) {
		u32 i = myalloc_random_below(&run->random, run->nr_held);

		give(run, run->held[i]);
		run->held[i] = run->held[--run->nr_held];
		if (!(run->nr_held % LOOK_EVERY))
			cond_resched();
	}
}

/* --- the thread -------------------------------------------------------------------------- */

/* Start the other threads, and wait until the zone is empty. */
static void start_others(struct contract_run *run)
{
	u32 i;

	for (i = 0; i < run->params.others; i++)
		wake_up_process(run->other[i].task);
	while (run->params.others && !stopped(run) && !run->record.others_fails &&
	       myalloc_job_elapsed_ms(&run->job) < OTHERS_WAIT_MS) {
		schedule_timeout_idle(1);
		sum_others(run);
	}
}

static void work(struct myalloc_job *job)
{
	struct contract_run *run = to_run(job);

	start_others(run);
	do {
		if (run->params.adversary == MYALLOC_ADVERSARY_ROBSON)
			robson(run);
		else
			random_load(run);
	} while (run->result.requests < run->params.requests && !run->result.errors &&
		 !run->result.failures && !stopped(run));
	give_all(run);
	mutex_lock(&job->lock);
	look(run);
	mutex_unlock(&job->lock);
	reap_others(run);
	run->result.state = myalloc_job_end_state(job);
	mutex_lock(&job->lock);
	run->record.others_pages = 0;
	myalloc_job_publish(job, run->result.state);
}

/* --- make and free ------------------------------------------------------------------------ */

static int check(const struct myalloc_zone *zone, const struct myalloc_contract_test *p)
{
	if (p->adversary > MYALLOC_ADVERSARY_RANDOM || p->flags & ~MYALLOC_CONTRACT_IS_SHORT ||
	    !p->requests || p->requests > MYALLOC_CONTRACT_TEST_REQUESTS_MAX ||
	    p->pages > MYALLOC_CONTRACT_TEST_PAGES_MAX ||
	    p->others > MYALLOC_CONTRACT_TEST_OTHERS_MAX)
		return -EINVAL;
	if (!p->orders || p->orders >> (zone->chunk_order + 1) ||
	    p->pages < BIT(fls(p->orders) - 1))
		return -EINVAL;
	return 0;
}

static int make_contract(struct contract_run *run)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES,
		.pages = run->params.pages,
		.orders = run->params.orders,
	};
	struct myalloc_contract_plan *plan;
	char name[MYALLOC_CONTRACT_NAME];
	int err = 0;

	plan = myalloc_env_zalloc(sizeof(*plan), NUMA_NO_NODE);
	if (!plan)
		return -ENOMEM;
	scnprintf(name, sizeof(name), "test-%llu", run->job.id);
	run->contract = myalloc_contract_create(run->job.zone, name, &line, 1, run->params.flags,
						plan);
	if (IS_ERR(run->contract)) {
		err = PTR_ERR(run->contract);
		run->contract = NULL;
	} else {
		run->zone = myalloc_contract_zone(run->contract, 0);
		run->nr_frames = plan->line[0].needed -
				 !!(run->params.flags & MYALLOC_CONTRACT_IS_SHORT);
		run->result.needed = plan->line[0].needed;
		run->result.set_aside = plan->line[0].set_aside;
		run->record.set_aside = plan->line[0].set_aside;
	}
	myalloc_env_free(plan);
	return err;
}

static int make_lists(struct contract_run *run)
{
	u64 held = run->params.adversary == MYALLOC_ADVERSARY_RANDOM ? run->params.pages : 0;
	int err = myalloc_budget_check("test of a contract",
				       run->nr_frames + held * sizeof(*run->held), NULL);

	if (err)
		return err;
	run->order = myalloc_env_zalloc_charged(run->nr_frames, NUMA_NO_NODE);
	if (held)
		run->held = myalloc_env_zalloc_charged(held * sizeof(*run->held), NUMA_NO_NODE);
	return !run->order || (held && !run->held) ? -ENOMEM : 0;
}

static int make_others(struct contract_run *run)
{
	u32 i;

	for (i = 0; i < run->params.others; i++) {
		struct other *o = &run->other[i];
		struct task_struct *task;

		o->run = run;
		myalloc_random_init(&o->random, run->params.seed, 1 + i);
		task = myalloc_env_should_fail() ? ERR_PTR(-ENOMEM) :
			kthread_create(other_thread, o, "contract%llu/%u", run->job.id, i);
		if (IS_ERR(task))
			return PTR_ERR(task);
		o->task = get_task_struct(task);
	}
	return 0;
}

static void free_run(struct contract_run *run)
{
	reap_others(run);
	if (myalloc_contract_end(run->contract, MYALLOC_CONTRACT_RELEASE))
		pr_err_ratelimited("test of a contract %llu: the contract could not be ended\n",
				   run->job.id);
	myalloc_env_free(run->order);
	myalloc_env_free(run->held);
	myalloc_job_fini(&run->job);
	myalloc_env_free(run);
}

static struct myalloc_job *make(struct myalloc_zone *zone, void *arg)
{
	struct myalloc_contract_test *params = arg;
	struct contract_run *run;
	int err = check(zone, params);

	if (err)
		return ERR_PTR(err);
	run = myalloc_env_zalloc_charged(struct_size(run, other, params->others), NUMA_NO_NODE);
	if (!run)
		return ERR_PTR(-ENOMEM);
	params->seed = params->seed ?: myalloc_env_seed() | 1;
	run->params = *params;
	myalloc_job_init(&run->job, &myalloc_contract_test_kind, zone, &run->record);
	myalloc_random_init(&run->random, params->seed, 0);
	run->record.total = params->requests;
	run->result.id = run->job.id;
	run->result.seed = params->seed;
	run->result.declared = params->pages;
	err = make_contract(run);
	if (!err)
		err = make_lists(run);
	if (!err)
		err = make_others(run);
	if (!err)
		err = myalloc_job_thread(&run->job, -1, work);
	if (err) {
		free_run(run);
		return ERR_PTR(err);
	}
	params->id = run->job.id;
	return &run->job;
}

static void free_job(struct myalloc_job *job)
{
	free_run(to_run(job));
}

static int result(struct myalloc_job *job, void *arg)
{
	struct myalloc_contract_test_result *out = arg;
	u32 size = out->size;

	memset(out, 0, sizeof(*out));
	if (job) {
		struct contract_run *run = to_run(job);

		mutex_lock(&job->lock);
		if (myalloc_job_finished(job)) {
			*out = run->result;
		} else {
			out->id = job->id;
			out->state = MYALLOC_STRESS_RUNNING;
		}
		mutex_unlock(&job->lock);
	}
	out->size = size;
	return 0;
}

struct myalloc_job_kind myalloc_contract_test_kind = {
	.name = "contract",
	.owner = THIS_MODULE,
	.cmd = {
		[MYALLOC_JOB_START] = MYALLOC_IOC_CONTRACT_TEST,
		[MYALLOC_JOB_RESULT] = MYALLOC_IOC_CONTRACT_TESTED,
		[MYALLOC_JOB_CANCEL] = MYALLOC_IOC_CONTRACT_CANCEL,
	},
	.record_size = sizeof(struct myalloc_contract_progress),
	.make = make,
	.free = free_job,
	.result = result,
};

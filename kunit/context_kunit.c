// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of contexts that only a kernel has: hard and soft interrupts on top of running work,
 * raw locks, threads on all CPUs, RCU callbacks, CPU hotplug.
 *
 * In each context, the same mixture of pages and objects is allocated, filled, checked and freed.
 * At the end everything has been freed, the statistics balance, and nothing was refused or damaged.
 */
#include "env.h"

#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>

#include "compat.h"
#include "fixture.h"
#include "object/limbo.h"
#include "page/drain.h"

#define MIX_LIVE	40
#define MIX_CACHES	3
#define TIMER_NS	(200 * NSEC_PER_USEC)
#define DEADLINE	(60 * HZ)

/* Shared by all contexts of a test. */
struct stage {
	struct fixture *fx;
	struct myalloc_cache *cache[MIX_CACHES];
	atomic64_t stamp;
};

/* State of one context: the memory it holds and its counters. */
struct mix {
	struct stage *stage;
	struct myalloc_random random;
	struct {
		u64 *addr;
		u64 stamp;
		int kind;	/* a cache, or -1 - order */
	} live[MIX_LIVE];
	u32 nr;
	u64 done;
	u64 none;	/* failed allocations */
	u64 wrong;	/* wrong contents and refused frees */
	u64 nested;	/* began in the middle of an operation on the same magazines */
};

static struct stage *make_stage(struct kunit *test, myalloc_cache_flags_t checks)
{
	static const struct myalloc_cache_args caches[MIX_CACHES] = {
		{ .name = "mix-64", .object_size = 64, .magazine = 8 },
		{ .name = "mix-700", .object_size = 700, .magazine = 3 },
		{ .name = "mix-plain", .object_size = 200, .flags = MYALLOC_NO_MAGAZINE },
	};
	const struct fixture_args args = {
		.nr_pages = 1024, .chunk_order = 10, .checks = checks,
	};
	struct stage *stage = kunit_kzalloc(test, sizeof(*stage), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, stage);
	stage->fx = fixture_zone(test, &args);
	for (i = 0; i < MIX_CACHES; i++) {
		stage->cache[i] = myalloc_cache_create(stage->fx->zone, &caches[i]);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, stage->cache[i]);
	}
	return stage;
}

static struct mix *make_mix(struct stage *stage, u64 stream)
{
	struct mix *mix = kunit_kzalloc(stage->fx->test, sizeof(*mix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(stage->fx->test, mix);
	mix->stage = stage;
	fixture_random(stage->fx->test, &mix->random);
	mix->random.state += stream;
	return mix;
}

static void mix_alloc(struct mix *mix)
{
	struct stage *stage = mix->stage;
	int kind = (int)myalloc_random_below(&mix->random, MIX_CACHES + 4) - 4;
	u64 *addr;

	addr = kind < 0 ? myalloc_pages_alloc(stage->fx->zone, -1 - kind, 0) :
			  myalloc_cache_alloc(stage->cache[kind], 0);
	if (!addr) {
		mix->none++;
		return;
	}
	mix->live[mix->nr].addr = addr;
	mix->live[mix->nr].stamp = atomic64_inc_return(&stage->stamp);
	mix->live[mix->nr].kind = kind;
	addr[0] = mix->live[mix->nr].stamp;
	addr[7] = mix->live[mix->nr].stamp;
	mix->nr++;
}

static void mix_free(struct mix *mix, u32 i)
{
	struct stage *stage = mix->stage;
	u64 *addr = mix->live[i].addr;
	int kind = mix->live[i].kind;

	mix->wrong += addr[0] != mix->live[i].stamp || addr[7] != mix->live[i].stamp;
	mix->wrong += kind < 0 ? !!myalloc_pages_free(stage->fx->zone, addr, -1 - kind) :
				 !!myalloc_cache_free(stage->cache[kind], addr);
	mix->live[i] = mix->live[--mix->nr];
}

/* A few operations, in any context. */
static void mix_work(struct mix *mix, u32 steps)
{
	struct myalloc_magazine_cpu *cpu;

	preempt_disable();
	cpu = this_cpu_ptr(mix->stage->cache[0]->mags.cpu);
	mix->nested += READ_ONCE(cpu->guard) == MYALLOC_EPOCH_BUSY;
	preempt_enable();
	while (steps--) {
		if (mix->nr < MIX_LIVE && myalloc_random_below(&mix->random, 9) < 5)
			mix_alloc(mix);
		else if (mix->nr)
			mix_free(mix, myalloc_random_below(&mix->random, mix->nr));
		mix->done++;
	}
}

static void end_mix(struct mix *mix)
{
	struct kunit *test = mix->stage->fx->test;

	while (mix->nr)
		mix_free(mix, 0);
	KUNIT_EXPECT_EQ(test, mix->wrong, 0);
	KUNIT_EXPECT_GT(test, mix->done, 0);
}

/* All mixes have ended: everything has been freed, and nothing was reported. */
static void end_stage(struct stage *stage)
{
	struct fixture *fx = stage->fx;
	struct kunit *test = fx->test;
	int i;

	FIXTURE_EXPECT_VALID(fx);
	for (i = 0; i < MIX_CACHES; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(stage->cache[i]), 0);
	myalloc_zone_drain(fx->zone);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	fixture_stats(fx);
	KUNIT_EXPECT_EQ(test, fx->stats.bad_frees, 0);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 0);
	KUNIT_EXPECT_EQ(test, memcmp(fx->stats.page_allocs, fx->stats.page_frees,
				     sizeof(fx->stats.page_allocs)), 0);
}

/* --- interrupts ------------------------------------------------------------------ */

struct clock {
	struct hrtimer timer;
	struct mix *mix;
	u32 left;
	u32 strange;	/* calls in an unexpected context */
	bool hard;
};

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	struct clock *clock = container_of(timer, struct clock, timer);

	clock->strange += clock->hard ? !in_hardirq() : !in_serving_softirq();
	mix_work(clock->mix, 4);
	if (!--clock->left)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(TIMER_NS));
	return HRTIMER_RESTART;
}

/* A timer repeatedly interrupts a task and does the same work on the same CPU. */
static void check_timer(struct kunit *test, bool hard, myalloc_cache_flags_t checks)
{
	struct stage *stage = make_stage(test, checks);
	struct mix *task = make_mix(stage, 1), *irq = make_mix(stage, 2);
	struct clock *clock = kunit_kzalloc(test, sizeof(*clock), GFP_KERNEL);
	enum hrtimer_mode mode = hard ? HRTIMER_MODE_REL_PINNED_HARD : HRTIMER_MODE_REL_SOFT;
	unsigned long deadline = jiffies + DEADLINE;

	KUNIT_ASSERT_NOT_NULL(test, clock);
	clock->mix = irq;
	clock->left = 1000;
	clock->hard = hard;
	myalloc_compat_hrtimer_setup(&clock->timer, on_timer, CLOCK_MONOTONIC, mode);
	hrtimer_start(&clock->timer, ns_to_ktime(TIMER_NS), mode);
	while (READ_ONCE(clock->left) && time_before(jiffies, deadline)) {
		mix_work(task, 50);
		cond_resched();
	}
	hrtimer_cancel(&clock->timer);
	KUNIT_EXPECT_EQ(test, clock->left, 0);
	KUNIT_EXPECT_EQ(test, clock->strange, 0);
	kunit_info(test, "%llu operations in 1000 interrupts, %llu of them on top of work on the same magazines; %llu in the task\n",
		   irq->done, irq->nested, task->done);
	end_mix(irq);
	end_mix(task);
	end_stage(stage);
}

static void context_hardirq(struct kunit *test)
{
	check_timer(test, true, 0);
}

static void context_hardirq_checks(struct kunit *test)
{
	check_timer(test, true, MYALLOC_CHECKS);
}

static void context_softirq(struct kunit *test)
{
	check_timer(test, false, 0);
}

struct poke {
	struct irq_work work;
	struct stage *stage;
	void *object;
	void *page;
	int err;
	bool hard;
	bool done;
};

static void on_poke(struct irq_work *work)
{
	struct poke *poke = container_of(work, struct poke, work);
	struct stage *stage = poke->stage;

	poke->hard = in_hardirq();
	poke->object = myalloc_cache_alloc(stage->cache[0], MYALLOC_ZERO);
	poke->page = myalloc_pages_alloc(stage->fx->zone, 0, 0);
	if (poke->object)
		poke->err |= myalloc_cache_free(stage->cache[0], poke->object);
	if (poke->page)
		poke->err |= myalloc_pages_free(stage->fx->zone, poke->page, 0);
	WRITE_ONCE(poke->done, true);
}

/* An interrupt in the middle of an operation on the magazines bypasses them. */
static void context_irq_work(struct kunit *test)
{
	struct stage *stage = make_stage(test, 0);
	struct myalloc_magazine_cpu *objects, *pages;
	struct poke *poke = kunit_kzalloc(test, sizeof(*poke), GFP_KERNEL);
	struct myalloc_cache_stats stats;
	unsigned long deadline;

	KUNIT_ASSERT_NOT_NULL(test, poke);
	poke->work = IRQ_WORK_INIT_HARD(on_poke);
	poke->stage = stage;
	objects = myalloc_magazines_enter(&stage->cache[0]->mags);
	pages = myalloc_magazines_enter(&stage->fx->zone->pcp[0]);
	irq_work_queue(&poke->work);
	deadline = jiffies + 10 * HZ;
	while (!READ_ONCE(poke->done) && time_before(jiffies, deadline))
		cpu_relax();
	if (pages)
		myalloc_magazines_leave(pages);
	if (objects)
		myalloc_magazines_leave(objects);
	irq_work_sync(&poke->work);

	KUNIT_EXPECT_NOT_NULL(test, objects);
	KUNIT_EXPECT_TRUE(test, poke->done);
	KUNIT_EXPECT_TRUE(test, poke->hard);
	KUNIT_EXPECT_NOT_NULL(test, poke->object);
	KUNIT_EXPECT_NOT_NULL(test, poke->page);
	KUNIT_EXPECT_EQ(test, poke->err, 0);
	myalloc_cache_stats(stage->cache[0], &stats);
	KUNIT_EXPECT_EQ(test, stats.alloc_hits + stats.free_hits, 0);
	KUNIT_EXPECT_EQ(test, stats.allocs, 1);
	KUNIT_EXPECT_EQ(test, stats.frees, 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(stage->fx)->page_hits[0], 0);
	end_stage(stage);
}

/* --- locks and switches ---------------------------------------------------------------- */

static DEFINE_RAW_SPINLOCK(some_lock);

enum section { BH_OFF, PREEMPT_OFF, IRQS_OFF, RAW_LOCK, RAW_LOCK_IRQS_OFF, RCU_READ };

static void section_enter(enum section section, unsigned long *irq)
{
	switch (section) {
	case BH_OFF:
		local_bh_disable();
		break;
	case PREEMPT_OFF:
		preempt_disable();
		break;
	case IRQS_OFF:
		local_irq_save(*irq);
		break;
	case RAW_LOCK:
		raw_spin_lock(&some_lock);
		break;
	case RAW_LOCK_IRQS_OFF:
		raw_spin_lock_irqsave(&some_lock, *irq);
		break;
	case RCU_READ:
		rcu_read_lock();
		break;
	}
}

static void section_leave(enum section section, unsigned long irq)
{
	switch (section) {
	case BH_OFF:
		local_bh_enable();
		break;
	case PREEMPT_OFF:
		preempt_enable();
		break;
	case IRQS_OFF:
		local_irq_restore(irq);
		break;
	case RAW_LOCK:
		raw_spin_unlock(&some_lock);
		break;
	case RAW_LOCK_IRQS_OFF:
		raw_spin_unlock_irqrestore(&some_lock, irq);
		break;
	case RCU_READ:
		rcu_read_unlock();
		break;
	}
}

/* Work with cold and with warm magazines, and a wrong free with its report. */
static void check_section(struct kunit *test, enum section section)
{
	unsigned int checks;

	for (checks = 0; checks < 2; checks++) {
		struct stage *stage = make_stage(test, checks ? MYALLOC_CHECKS : 0);
		struct mix *mix = make_mix(stage, section);
		unsigned long irq = 0;
		int i, err = 0;

		for (i = 0; i < 20; i++) {
			section_enter(section, &irq);
			mix_work(mix, 30);
			section_leave(section, irq);
			if (i % 5 == 4)
				myalloc_zone_drain(stage->fx->zone);
		}
		section_enter(section, &irq);
		err |= myalloc_pages_free(stage->fx->zone, NULL, 0) != -EINVAL;
		err |= myalloc_cache_free(stage->cache[0], stage) != -EINVAL;
		section_leave(section, irq);
		KUNIT_EXPECT_EQ(test, err, 0);
		KUNIT_EXPECT_EQ(test, atomic64_read(&stage->fx->zone->bad[MYALLOC_BAD_FOREIGN]), 2);
		atomic64_set(&stage->fx->zone->bad[MYALLOC_BAD_FOREIGN], 0);
		end_mix(mix);
		end_stage(stage);
	}
}

static void context_bh_off(struct kunit *test)
{
	check_section(test, BH_OFF);
}

static void context_preempt_off(struct kunit *test)
{
	check_section(test, PREEMPT_OFF);
}

static void context_irqs_off(struct kunit *test)
{
	check_section(test, IRQS_OFF);
}

static void context_raw_lock(struct kunit *test)
{
	check_section(test, RAW_LOCK);
}

static void context_raw_lock_irqs_off(struct kunit *test)
{
	check_section(test, RAW_LOCK_IRQS_OFF);
}

static void context_rcu_read(struct kunit *test)
{
	check_section(test, RCU_READ);
}

/* --- threads ------------------------------------------------------------------------------ */

#define THREADS_MAX	16
#define SHELF		8

/* Objects passed from one thread to another. */
struct shelf {
	u64 *object[SHELF];
};

struct worker {
	struct task_struct *task;
	struct mix *mix;
	struct shelf *shelf;
	u64 mark;	/* written to the objects that this thread puts on the shelf */
	u32 rounds;	/* 0: until told to stop */
};

/* Put an object on the shelf and free the one that was there, probably another thread's. */
static void hand_over(struct worker *w)
{
	struct myalloc_cache *cache = w->mix->stage->cache[0];
	u64 *mine = myalloc_cache_alloc(cache, 0), *theirs;

	if (mine) {
		mine[0] = w->mark;
		mine[1] = ~w->mark;
	}
	theirs = xchg(&w->shelf->object[myalloc_random_below(&w->mix->random, SHELF)], mine);
	if (!theirs)
		return;
	w->mix->wrong += theirs[0] != ~theirs[1];
	w->mix->wrong += !!myalloc_cache_free(cache, theirs);
}

static int work(void *arg)
{
	struct worker *w = arg;
	u32 round;

	for (round = 0; !w->rounds || round < w->rounds; round++) {
		if (!w->rounds && kthread_should_stop())
			break;
		mix_work(w->mix, 20);
		hand_over(w);
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static u32 start_workers(struct stage *stage, struct shelf *shelf, struct worker *workers,
			 u32 each, u32 rounds, bool bind)
{
	struct kunit *test = stage->fx->test;
	unsigned int cpu;
	u32 nr = 0, i;

	for_each_online_cpu(cpu)
		for (i = 0; i < each && nr < THREADS_MAX; i++) {
			struct worker *w = &workers[nr];

			w->mix = make_mix(stage, nr + 100);
			w->shelf = shelf;
			w->mark = nr + 1;
			w->rounds = rounds;
			w->task = kthread_create(work, w, "myalloc_kunit/%u", nr);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w->task);
			if (bind)
				kthread_bind(w->task, cpu);
			nr++;
		}
	for (i = 0; i < nr; i++)
		wake_up_process(workers[i].task);
	return nr;
}

static void stop_workers(struct stage *stage, struct shelf *shelf, struct worker *workers, u32 nr)
{
	struct kunit *test = stage->fx->test;
	u32 i;

	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, kthread_stop(workers[i].task), 0);
	for (i = 0; i < nr; i++)
		end_mix(workers[i].mix);
	for (i = 0; i < SHELF; i++)
		if (shelf->object[i])
			KUNIT_EXPECT_EQ(test, myalloc_cache_free(stage->cache[0],
								 shelf->object[i]), 0);
}

static bool all_done(const struct worker *workers, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (READ_ONCE(workers[i].mix->done) < (u64)workers[i].rounds * 20)
			return false;
	return true;
}

/* Two threads on each CPU exchange objects while another one validates, drains and shrinks. */
static void context_threads(struct kunit *test)
{
	struct worker *workers = kunit_kcalloc(test, THREADS_MAX, sizeof(*workers), GFP_KERNEL);
	struct shelf *shelf = kunit_kzalloc(test, sizeof(*shelf), GFP_KERNEL);
	unsigned long deadline = jiffies + DEADLINE;
	struct stage *stage = make_stage(test, 0);
	u32 nr, turn;

	KUNIT_ASSERT_TRUE(test, workers && shelf);
	nr = start_workers(stage, shelf, workers, 2, 300, true);
	for (turn = 0; !all_done(workers, nr) && time_before(jiffies, deadline); turn++) {
		FIXTURE_EXPECT_VALID(stage->fx);
		if (turn % 3 == 1)
			myalloc_zone_drain(stage->fx->zone);
		else if (turn % 3 == 2)
			myalloc_cache_shrink(stage->cache[turn % MIX_CACHES]);
		msleep(20);
	}
	KUNIT_EXPECT_TRUE(test, all_done(workers, nr));
	stop_workers(stage, shelf, workers, nr);
	kunit_info(test, "%u threads, %u validations meanwhile\n", nr, turn);
	end_stage(stage);
}

/* --- RCU ------------------------------------------------------------------------------------ */

struct delayed {
	struct rcu_head rcu;
	struct stage *stage;
};

static atomic_t delayed_wrong;

static void free_delayed(struct rcu_head *rcu)
{
	struct delayed *object = container_of(rcu, struct delayed, rcu);

	if (myalloc_cache_free(object->stage->cache[0], object))
		atomic_inc(&delayed_wrong);
}

/* Freed from RCU callbacks, more than a magazine at a time. */
static void context_rcu_callback(struct kunit *test)
{
	struct stage *stage = make_stage(test, 0);
	struct myalloc_cache_stats stats;
	struct delayed *object;
	u32 i, nr = 0;

	atomic_set(&delayed_wrong, 0);
	for (i = 0; i < 500; i++) {
		object = myalloc_cache_alloc(stage->cache[0], 0);
		if (!object)
			continue;
		nr++;
		object->stage = stage;
		call_rcu(&object->rcu, free_delayed);
	}
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, nr, 500);
	KUNIT_EXPECT_EQ(test, atomic_read(&delayed_wrong), 0);
	myalloc_cache_stats(stage->cache[0], &stats);
	KUNIT_EXPECT_EQ(test, stats.allocs, 500);
	KUNIT_EXPECT_EQ(test, stats.frees, 500);
	KUNIT_EXPECT_EQ(test, stats.live_objects, 0);
	end_stage(stage);
}

/* --- CPUs that come and go ----------------------------------------------------------- */

#ifdef CONFIG_HOTPLUG_CPU

static struct stage *hotplug_stage;
static u32 hotplug_requests;

/* Requests that may wait, in a callback. The first one is for more than is free. */
static void request_in_callback(struct myalloc_zone *zone)
{
	void *block = myalloc_pages_alloc(zone, zone->buddy.top_order, MYALLOC_MAY_WAIT);
	void *page = myalloc_pages_alloc(zone, 0, MYALLOC_MAY_WAIT);

	hotplug_requests++;
	if (block)
		myalloc_pages_free(zone, block, zone->buddy.top_order);
	if (page)
		myalloc_pages_free(zone, page, 0);
}

/* As the module does for its zone. */
static int cpu_dead(unsigned int cpu)
{
	myalloc_zone_drain_cpu(hotplug_stage->fx->zone, cpu);
	request_in_callback(hotplug_stage->fx->zone);
	return 0;
}

static u32 cached_on_cpu(struct stage *stage, unsigned int cpu)
{
	u32 count = 0, i;

	for (i = 0; i < MYALLOC_PCP_LISTS; i++)
		count += myalloc_magazines_count_cpu(&stage->fx->zone->pcp[i], cpu);
	for (i = 0; i < MIX_CACHES; i++)
		count += myalloc_magazines_count_cpu(&stage->cache[i]->mags, cpu);
	return count;
}

static void mix_there(void *arg)
{
	mix_work(arg, 200);
}

/* Each CPU but the first goes offline and online under load; its cached memory is not lost. */
static void context_hotplug(struct kunit *test)
{
	struct worker *workers = kunit_kcalloc(test, THREADS_MAX, sizeof(*workers), GFP_KERNEL);
	struct shelf *shelf = kunit_kzalloc(test, sizeof(*shelf), GFP_KERNEL);
	unsigned int nr_cpus = num_online_cpus(), round;
	struct stage *stage;
	struct mix *mix;
	int state, cpu;
	u32 nr;

	if (nr_cpus < 2)
		kunit_skip(test, "one CPU");
	KUNIT_ASSERT_TRUE(test, workers && shelf);
	stage = make_stage(test, 0);
	mix = make_mix(stage, 99);
	hotplug_stage = stage;
	hotplug_requests = 0;
	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "myalloc_kunit:dead", NULL,
					  cpu_dead);
	KUNIT_ASSERT_GT(test, state, 0);
	nr = start_workers(stage, shelf, workers, 1, 0, false);
	for (round = 0; round < 2 * (nr_cpus - 1); round++) {
		cpu = fixture_cpu(1 + round % (nr_cpus - 1));
		fixture_on_cpu(1 + round % (nr_cpus - 1), mix_there, mix);
		KUNIT_EXPECT_EQ(test, remove_cpu(cpu), 0);
		KUNIT_EXPECT_FALSE(test, cpu_online(cpu));
		KUNIT_EXPECT_EQ(test, cached_on_cpu(stage, cpu), 0);
		FIXTURE_EXPECT_VALID(stage->fx);
		myalloc_zone_drain(stage->fx->zone);
		msleep(20);
		KUNIT_EXPECT_EQ(test, cached_on_cpu(stage, cpu), 0);
		KUNIT_EXPECT_EQ(test, add_cpu(cpu), 0);
		KUNIT_EXPECT_TRUE(test, cpu_online(cpu));
		msleep(20);
	}
	KUNIT_EXPECT_EQ(test, hotplug_requests, 2 * (nr_cpus - 1));
	stop_workers(stage, shelf, workers, nr);
	end_mix(mix);
	cpuhp_remove_state_nocalls(state);
	end_stage(stage);
}

#else

static void context_hotplug(struct kunit *test)
{
	kunit_skip(test, "CPUs stay in this kernel");
}

#endif

static struct kunit_case context_cases[] = {
	KUNIT_CASE(context_hardirq),
	KUNIT_CASE(context_hardirq_checks),
	KUNIT_CASE(context_softirq),
	KUNIT_CASE(context_irq_work),
	KUNIT_CASE(context_bh_off),
	KUNIT_CASE(context_preempt_off),
	KUNIT_CASE(context_irqs_off),
	KUNIT_CASE(context_raw_lock),
	KUNIT_CASE(context_raw_lock_irqs_off),
	KUNIT_CASE(context_rcu_read),
	KUNIT_CASE(context_threads),
	KUNIT_CASE(context_rcu_callback),
	KUNIT_CASE(context_hotplug),
	{}
};

static struct kunit_suite context_suite = {
	.name = "myalloc_context",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = context_cases,
};

kunit_test_suite(context_suite);

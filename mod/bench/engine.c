// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks: the engine
 *
 * What it is: a kernel thread that does pieces of work with this allocator and with the
 * kernel's own, in turn, and keeps the time of every round. It knows nothing of the work: that
 * is in families of shapes (objects.c, pages.c, cross.c, worst.c,
 * memory.c), each of which describes its shapes by number.
 *
 * Terms
 *	shape	a piece of work, made precise by size, order, pattern
 *	side	one who does it
 *	round	one stretch of work between two readings of the clock
 *	outcome	what was measured of one side of one shape
 *
 * How a shape is measured
 *
 *	begin   of every side: caches, arrays, a zone filled to some level
 *	settle  every side does rounds of growing length until one takes about ROUND_NS:
 *	        that gives the number of operations, and warms everything
 *	rounds  side 0, side 1, ..., side 0, side 1, ...: whatever changes with time, changes
 *	        for all. Between rounds the thread lets others run, and looks whether it is to end
 *	after   all that was made is freed
 *
 * So all sides are there, and hold memory, at once. Each side draws its random numbers from
 * the same stream, so that all shuffle alike.
 *
 * A round is cut into slices of a few ms, with a place to reschedule between them that no clock
 * sees: the thread has the highest priority, and a user may ask for 16 million operations.
 * The round that is thrown away teaches how long a slice is; one of the default length is
 * one slice.
 *
 * What a figure contains: the loop and its arrays, which are the same for every side (the
 * functions of objects.c that a side inlines differ in nothing but the calls), and
 * whatever interrupts the round. The cost of reading the clock, the least of many
 * readings, is taken off. A side that takes part with a cost of its own, without any
 * allocator, says what the loop is worth: MYALLOC_BENCH_FLOOR and MYALLOC_BENCH_COST.
 *
 * The longest operation (MYALLOC_BENCH_LONGEST) is found by taking the time of each one of
 * a series, with interrupts off where the operation allows it. There the cycle counter
 * is the better clock: under an emulator that counts instructions it counts them.
 *
 * Locking: @lock, a mutex, for the record and for what the outcomes point to, which readers
 * may look at while the run goes on.
 */
#include "env.h"

#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "bench/bench_run.h"
#include "compat.h"
#include "slice.h"
#include "base/sort.h"

/*
 * Length of a round: a thousand times the 256 ns that the clock of user mode Linux has for
 * a step, and short beside the time slices of a scheduler, so that most rounds pass undisturbed.
 */
#define ROUND_NS	(256 * NSEC_PER_USEC)

#define ROUNDS_DEFAULT	20

/* Rounds of a shape that measures no time: a seed gives it the same figure again. */
#define ROUNDS_FIGURE	1

#define RECORD_MS	1000

static const struct bench_family *const families[] = {
	&myalloc_bench_objects,
	&myalloc_bench_pages,
	&myalloc_bench_cross,
	&myalloc_bench_worst,
	&myalloc_bench_memory,
};

/**
 * struct bench_outcome - what was measured of one side of a shape
 * @shape: number of the shape
 * @side: number of the side
 * @ops: operations in a round
 * @nr: rounds measured
 * @error: positive errno, or 0
 * @fails: allocations that failed
 * @round: the rounds, NULL before the shape's turn
 */
struct bench_outcome {
	u32 shape;
	u32 side;
	u32 ops;
	u32 nr;
	u32 error;
	u64 fails;
	struct myalloc_bench_round *round;
};

static atomic64_t last_id = ATOMIC64_INIT(0);

/* --- shapes ------------------------------------------------------------------ */

static u32 nr_shapes(void)
{
	u32 nr = 0, i;

	for (i = 0; i < ARRAY_SIZE(families); i++)
		nr += families[i]->nr;
	return nr;
}

/* The shape with a number below nr_shapes(). */
static void describe(u32 index, struct bench_shape *shape)
{
	u32 i = 0;

	memset(shape, 0, sizeof(*shape));
	while (index >= families[i]->nr)
		index -= families[i++]->nr;
	families[i]->describe(index, shape);
	if (shape->cpus > num_online_cpus())
		shape->nr_sides = 0;
}

/**
 * myalloc_bench_sides() - choose the sides of a shape
 * @shape: the shape
 * @sides: those that there may be; the last has no name
 */
void myalloc_bench_sides(struct bench_shape *shape, const struct bench_side *sides)
{
	shape->nr_sides = 0;
	for (; sides->name; sides++)
		if (!sides->absent && shape->nr_sides < ARRAY_SIZE(shape->side))
			shape->side[shape->nr_sides++] = sides;
}

/**
 * myalloc_bench_shape() - MYALLOC_IOC_BENCH_SHAPE
 * @shape: its index chooses; the rest is written, but for the size
 *
 * Context: task.
 * Return: 0, -ENOENT.
 */
int myalloc_bench_shape(struct myalloc_bench_shape *shape)
{
	struct bench_shape s;
	u32 i;

	if (shape->index >= nr_shapes())
		return -ENOENT;
	describe(shape->index, &s);
	shape->nr_shapes = nr_shapes();
	shape->nr_sides = s.nr_sides;
	shape->unit = s.unit;
	shape->bytes = s.bytes;
	shape->order = s.order;
	shape->batch = s.batch;
	shape->fill_permille = s.fill_permille;
	shape->pad = 0;
	memcpy(shape->name, s.name, sizeof(shape->name));
	memcpy(shape->what, s.what, sizeof(shape->what));
	memset(shape->side, 0, sizeof(shape->side));
	for (i = 0; i < s.nr_sides; i++) {
		strscpy(shape->side[i].name, s.side[i]->name, sizeof(shape->side[i].name));
		shape->side[i].flags = s.side[i]->flags;
	}
	return 0;
}

/* --- records ------------------------------------------------------------------- */

/* Records of progress are made between rounds, at most one a second, and at the end. */
static void make_record(struct bench_run *run, enum myalloc_stress_state state)
{
	ktime_t now = ktime_get();

	mutex_lock(&run->lock);
	run->record.state = state;
	run->record.elapsed_ms = ktime_ms_delta(now, run->start);
	run->recorded = now;
	myalloc_run_advance(&run->base, state != MYALLOC_STRESS_RUNNING);
	mutex_unlock(&run->lock);
	myalloc_run_tell(&run->base);
}

static void count_rounds(struct bench_run *run, u32 shape, u32 rounds)
{
	mutex_lock(&run->lock);
	run->record.shape = shape;
	run->record.rounds += rounds;
	mutex_unlock(&run->lock);
	if (ktime_ms_delta(ktime_get(), run->recorded) >= RECORD_MS)
		make_record(run, MYALLOC_STRESS_RUNNING);
}

bool myalloc_bench_stopped(const struct bench_run *run)
{
	return READ_ONCE(run->stop);
}

/* Pages of the zone that nobody uses. */
u64 myalloc_bench_zone_pages(const struct bench_work *work)
{
	struct myalloc_zone_books books;

	myalloc_zone_books(work->run->zone, &books);
	return books.free_pages + books.cached_pages;
}

/* --- one round --------------------------------------------------------------------- */

static u64 less(u64 value, u64 by)
{
	return value > by ? value - by : 0;
}

static noinline void read_clocks(u64 *ns, u64 *cycles)
{
	u64 start, end;
	u64 from, to;

	start = myalloc_env_now_ns();
	from = myalloc_compat_cycles();
	barrier();
	to = myalloc_compat_cycles();
	end = myalloc_env_now_ns();
	*ns = less(end, start);
	*cycles = less(to, from);
}

/* What two readings with nothing between them cost, at the least. */
static void measure_clocks(struct bench_run *run)
{
	u64 ns, cycles;
	u32 i;

	run->clock_ns = U64_MAX;
	run->clock_cycles = U64_MAX;
	for (i = 0; i < 1000; i++) {
		read_clocks(&ns, &cycles);
		run->clock_ns = min(run->clock_ns, ns);
		run->clock_cycles = min(run->clock_cycles, cycles);
	}
}

static noinline void timed(struct bench_work *work, u32 ops, struct myalloc_bench_round *round)
{
	u64 start, end;
	u64 from, to;

	start = myalloc_env_now_ns();
	from = myalloc_compat_cycles();
	work->side->round(work, ops);
	to = myalloc_compat_cycles();
	end = myalloc_env_now_ns();
	/* The fast clock can step back when it is adjusted. */
	round->ns = less(less(end, start), work->run->clock_ns);
	round->cycles = less(less(to, from), work->run->clock_cycles);
}

/* One stretch without a place to reschedule. Adds to @round. */
static void do_slice(struct bench_work *work, u32 ops, struct myalloc_bench_round *round)
{
	struct myalloc_bench_round slice;

	work->own_ns = 0;
	work->own_cycles = 0;
	timed(work, ops, &slice);
	if (work->own_ns) {
		slice.ns = work->own_ns;
		slice.cycles = work->own_cycles;
	}
	round->ns += slice.ns;
	round->cycles += slice.cycles;
	work->slice = myalloc_slice_next(ops, slice.ns, max(work->shape->batch, 1U));
}

static void do_round(struct bench_work *work, u32 ops, struct myalloc_bench_round *round)
{
	u32 left = ops, batch = max(work->shape->batch, 1U);

	memset(round, 0, sizeof(*round));
	if (work->side->ready)
		work->side->ready(work);
	do {
		u32 now = min(left, work->slice ?: myalloc_slice_next(0, 0, batch));

		do_slice(work, now, round);
		left -= now;
		cond_resched();
	} while (left && !myalloc_bench_stopped(work->run));
	if (work->side->settle)
		work->side->settle(work);
	round->ops = ops - left;
	if (work->shape->unit == MYALLOC_BENCH_RATIO ||
	    work->shape->unit == MYALLOC_BENCH_BYTES) {
		round->ns = work->figure;
		round->cycles = 0;
		round->ops = 0;
	}
}

/* --- one shape ---------------------------------------------------------------------- */

/*
 * What one shape needs. The shape is copied from its family, and the sides refer to it.
 */
struct bench_turn {
	struct bench_shape shape;
	struct bench_work work[MYALLOC_BENCH_SIDES_MAX];
	struct bench_outcome *outcome;
};

/* Operations as a multiple of the batch. */
static u32 whole_batches(const struct bench_shape *shape, u64 ops)
{
	u32 batch = max(shape->batch, 1U);

	return clamp_t(u64, DIV_ROUND_UP_ULL(ops, batch), 1, MYALLOC_BENCH_OPS_MAX / batch) *
	       batch;
}

/* Rounds that grow until one takes about ROUND_NS. */
static u32 find_ops(struct bench_work *work)
{
	struct myalloc_bench_round round;
	u64 ops = 1;
	u32 tries;

	for (tries = 0; tries < 16 && !myalloc_bench_stopped(work->run); tries++) {
		u32 now = whole_batches(work->shape, ops);

		do_round(work, now, &round);
		ops = div64_u64((u64)now * ROUND_NS, max_t(u64, round.ns, 1));
		if (round.ns >= ROUND_NS / 2 || now > ops)
			break;
		/* Short rounds tell little: never more than 16 times as many at once. */
		ops = min_t(u64, ops, 16ULL * now);
	}
	return whole_batches(work->shape, ops);
}

static u32 rounds_of(const struct bench_run *run, const struct bench_shape *shape)
{
	if (shape->unit == MYALLOC_BENCH_RATIO || shape->unit == MYALLOC_BENCH_BYTES)
		return min_t(u32, run->params.rounds, ROUNDS_FIGURE);
	return run->params.rounds;
}

static void find_length(struct bench_run *run, struct bench_turn *turn, u32 side)
{
	struct bench_work *work = &turn->work[side];
	struct myalloc_bench_round round;

	if (turn->shape.unit != MYALLOC_BENCH_NS) {
		turn->outcome[side].ops = 1;
		if (turn->shape.unit != MYALLOC_BENCH_LONGEST)
			return;
	} else if (turn->shape.one_batch || run->params.ops) {
		turn->outcome[side].ops = whole_batches(&turn->shape, turn->shape.one_batch ?
							1 : run->params.ops);
	} else {
		turn->outcome[side].ops = find_ops(work);
		return;
	}
	if (!myalloc_bench_stopped(run))
		do_round(work, turn->outcome[side].ops, &round);
}

static int begin_side(struct bench_run *run, struct bench_turn *turn, u32 side)
{
	struct bench_outcome *outcome = &turn->outcome[side];
	struct bench_work *work = &turn->work[side];
	struct myalloc_bench_round *round;

	work->run = run;
	work->shape = &turn->shape;
	work->side = turn->shape.side[side];
	myalloc_random_init(&work->random, run->params.seed, outcome->shape);
	round = myalloc_bench_zalloc(array_size(rounds_of(run, &turn->shape), sizeof(*round)));
	if (!round)
		return -ENOMEM;
	mutex_lock(&run->lock);
	outcome->round = round;
	mutex_unlock(&run->lock);
	return work->side->begin ? work->side->begin(work) : 0;
}

static void keep_round(struct bench_run *run, struct bench_outcome *outcome,
		       const struct bench_work *work, const struct myalloc_bench_round *round)
{
	mutex_lock(&run->lock);
	outcome->round[outcome->nr] = *round;
	WRITE_ONCE(outcome->nr, outcome->nr + 1);
	outcome->fails = work->fails;
	mutex_unlock(&run->lock);
}

static void do_shape(struct bench_run *run, struct bench_turn *turn)
{
	u32 rounds = rounds_of(run, &turn->shape), nr = turn->shape.nr_sides, begun, i, r;
	struct myalloc_bench_round round;

	for (begun = 0; begun < nr && !myalloc_bench_stopped(run); begun++)
		turn->outcome[begun].error = -begin_side(run, turn, begun);
	for (i = 0; i < begun; i++)
		if (!turn->outcome[i].error)
			find_length(run, turn, i);
	for (i = 0; i < begun; i++)
		turn->work[i].fails = 0;
	for (r = 0; r < rounds; r++) {
		for (i = 0; i < nr && !myalloc_bench_stopped(run); i++) {
			if (turn->outcome[i].error)
				continue;
			do_round(&turn->work[i], turn->outcome[i].ops, &round);
			keep_round(run, &turn->outcome[i], &turn->work[i], &round);
		}
		if (myalloc_bench_stopped(run))
			break;
		count_rounds(run, turn->outcome->shape, nr);
	}
	while (begun--)
		if (turn->work[begun].side->end)
			turn->work[begun].side->end(&turn->work[begun]);
}

/* --- the thread ------------------------------------------------------------------------ */

static bool wanted(const struct bench_run *run, u32 shape)
{
	return run->params.shapes[shape / 64] & BIT_ULL(shape % 64);
}

static void do_shapes(struct bench_run *run)
{
	struct bench_turn *turn = run->turn;
	u32 at = 0, i, k;
	int err;

	for (i = 0; i < nr_shapes() && !myalloc_bench_stopped(run); i++) {
		if (!wanted(run, i))
			continue;
		memset(turn, 0, sizeof(*turn));
		describe(i, &turn->shape);
		/* A CPU went away since the start: its shape has no outcomes to fill. */
		if (at >= run->nr_outcomes || run->outcome[at].shape != i)
			continue;
		turn->outcome = &run->outcome[at];
		while (at < run->nr_outcomes && run->outcome[at].shape == i)
			at++;
		if (!turn->shape.nr_sides)
			continue;
		err = turn->shape.cpus > 1 ? myalloc_bench_team_init(run) : 0;
		if (!err)
			do_shape(run, turn);
		for (k = 0; err && k < turn->shape.nr_sides; k++)
			turn->outcome[k].error = -err;
	}
	myalloc_bench_team_fini(run);
}

static int bench_thread(void *arg)
{
	struct bench_run *run = arg;
	struct mem_cgroup *before = set_active_memcg(run->memcg);

	/* A round that gives a tick of its time to somebody else is of no use. */
	set_user_nice(current, MIN_NICE);
	measure_clocks(run);
	do_shapes(run);
	make_record(run, myalloc_bench_stopped(run) ? MYALLOC_STRESS_CANCELLED :
						      MYALLOC_STRESS_DONE);
	set_active_memcg(before);
	complete_all(&run->done);
	return 0;
}

/* --- what the session does ---------------------------------------------------------------- */

static struct bench_run *to_bench(struct myalloc_run *base)
{
	return container_of(base, struct bench_run, base);
}

static enum myalloc_stress_state last_record(struct myalloc_run *base,
					     union myalloc_run_record *out)
{
	struct bench_run *run = to_bench(base);

	mutex_lock(&run->lock);
	out->bench = run->record;
	mutex_unlock(&run->lock);
	return out->bench.state;
}

/* A run that has ended stays as it is. */
static void cancel(struct myalloc_run *base)
{
	struct bench_run *run = to_bench(base);

	WRITE_ONCE(run->stop, true);
	wait_for_completion(&run->done);
}

static void free_run(struct bench_run *run)
{
	u32 i;

	for (i = 0; i < run->nr_outcomes; i++)
		myalloc_env_free(run->outcome[i].round);
	myalloc_env_free(run->outcome);
	myalloc_env_free(run->turn);
	mutex_destroy(&run->lock);
	mem_cgroup_put(run->memcg);
	myalloc_env_free(run);
}

static void destroy(struct myalloc_run *base)
{
	struct bench_run *run = to_bench(base);

	cancel(base);
	kthread_stop(run->task);
	put_task_struct(run->task);
	free_run(run);
}

static const struct myalloc_run_ops bench_ops = {
	.record_size = sizeof(struct myalloc_bench_progress),
	.record = last_record,
	.cancel = cancel,
	.destroy = destroy,
};

/* --- the start of a run ---------------------------------------------------------------------- */

static int check_shapes(const struct myalloc_bench *p)
{
	u64 any = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(p->shapes); i++)
		any |= p->shapes[i];
	if (!any)
		return -EINVAL;
	for (i = nr_shapes(); i < MYALLOC_BENCH_SHAPES_MAX; i++)
		if (p->shapes[i / 64] & BIT_ULL(i % 64))
			return -EINVAL;
	return 0;
}

static int settle(struct bench_run *run, const struct myalloc_bench *params)
{
	struct myalloc_bench *p = &run->params;

	*p = *params;
	if (p->flags || p->pad || p->rounds > MYALLOC_BENCH_ROUNDS_MAX ||
	    p->ops > MYALLOC_BENCH_OPS_MAX)
		return -EINVAL;
	if (p->cpu == MYALLOC_BENCH_ANY_CPU)
		p->cpu = cpumask_first(cpu_online_mask);
	if (p->cpu >= nr_cpu_ids || !cpu_online(p->cpu))
		return -EINVAL;
	if (!p->rounds)
		p->rounds = ROUNDS_DEFAULT;
	while (!p->seed)
		p->seed = myalloc_env_seed();
	return check_shapes(p);
}

static int make_outcomes(struct bench_run *run)
{
	struct bench_shape *shape;
	u32 i, k, at = 0;

	BUILD_BUG_ON(ROUNDS_DEFAULT > MYALLOC_BENCH_ROUNDS_MAX);
	run->turn = myalloc_env_zalloc_charged(sizeof(*run->turn), NUMA_NO_NODE);
	run->outcome = myalloc_bench_zalloc(array_size(nr_shapes() * MYALLOC_BENCH_SIDES_MAX,
						       sizeof(*run->outcome)));
	if (!run->turn || !run->outcome)
		return -ENOMEM;
	shape = &run->turn->shape;
	for (i = 0; i < nr_shapes(); i++) {
		if (!wanted(run, i))
			continue;
		describe(i, shape);
		run->record.total_rounds += rounds_of(run, shape) * shape->nr_sides;
		for (k = 0; k < shape->nr_sides; k++, at++) {
			run->outcome[at].shape = i;
			run->outcome[at].side = k;
		}
	}
	run->nr_outcomes = at;
	return 0;
}

static int make_thread(struct bench_run *run)
{
	struct task_struct *task;

	task = myalloc_env_should_fail() ? ERR_PTR(-ENOMEM) :
		kthread_create_on_node(bench_thread, run, cpu_to_node(run->params.cpu),
				       "bench%llu", run->base.id);
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, run->params.cpu);
	run->task = get_task_struct(task);
	return 0;
}

/**
 * myalloc_bench_start() - check the parameters and start a run
 * @zone: ours; must outlive the run
 * @params: what to do; see uapi/myalloc.h
 * @notify: called with @arg after each new record, in task context, without a lock; or NULL.
 *	Must not cancel or destroy this run
 * @arg: its argument
 *
 * Context: task, sleeps.
 * Return: the run, to be destroyed by its ops; ERR_PTR(-EINVAL) if a parameter is
 * impossible; ERR_PTR(-ENOMEM); ERR_PTR(-EINTR) after SIGKILL.
 */
struct myalloc_run *myalloc_bench_start(struct myalloc_zone *zone,
					const struct myalloc_bench *params,
					void (*notify)(void *arg), void *arg)
{
	struct bench_run *run;
	int err;

	run = myalloc_env_zalloc_charged(sizeof(*run), NUMA_NO_NODE);
	if (!run)
		return ERR_PTR(-ENOMEM);
	run->zone = zone;
	run->base.ops = &bench_ops;
	run->base.notify = notify;
	run->base.arg = arg;
	run->base.id = atomic64_inc_return(&last_id);
	run->memcg = get_mem_cgroup_from_mm(current->mm);
	mutex_init(&run->lock);
	init_completion(&run->done);
	err = settle(run, params);
	if (!err)
		err = make_outcomes(run);
	if (!err)
		err = make_thread(run);
	if (err) {
		free_run(run);
		return ERR_PTR(err);
	}
	run->start = ktime_get();
	run->recorded = run->start;
	run->record.id = run->base.id;
	run->record.state = MYALLOC_STRESS_RUNNING;
	wake_up_process(run->task);
	return &run->base;
}

/* --- results ------------------------------------------------------------------------------ */

static u32 kernel_flags(const struct bench_run *run)
{
	static const struct {
		bool on;
		u32 flag;
	} options[] = {
		{ IS_ENABLED(CONFIG_KASAN), MYALLOC_BENCH_KASAN },
		{ IS_ENABLED(CONFIG_KCSAN), MYALLOC_BENCH_KCSAN },
		{ IS_ENABLED(CONFIG_KMSAN), MYALLOC_BENCH_KMSAN },
		{ IS_ENABLED(CONFIG_LOCKDEP), MYALLOC_BENCH_LOCKDEP },
		{ IS_ENABLED(CONFIG_DEBUG_KMEMLEAK), MYALLOC_BENCH_KMEMLEAK },
		{ IS_ENABLED(CONFIG_KCOV) || IS_ENABLED(CONFIG_GCOV_KERNEL),
		  MYALLOC_BENCH_COVERAGE },
		{ IS_ENABLED(CONFIG_DEBUG_VM) || IS_ENABLED(CONFIG_DEBUG_PAGEALLOC),
		  MYALLOC_BENCH_DEBUG_VM },
		{ IS_ENABLED(CONFIG_DEBUG_OBJECTS) || IS_ENABLED(CONFIG_DEBUG_PREEMPT) ||
		  IS_ENABLED(CONFIG_DEBUG_SPINLOCK) || IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP) ||
		  IS_ENABLED(CONFIG_SLUB_DEBUG_ON) || IS_ENABLED(CONFIG_DEBUG_IRQFLAGS),
		  MYALLOC_BENCH_DEBUG_OTHER },
		{ IS_ENABLED(CONFIG_FAULT_INJECTION), MYALLOC_BENCH_FAULTS },
		{ IS_ENABLED(CONFIG_PREEMPT_RT), MYALLOC_BENCH_RT },
		{ IS_ENABLED(CONFIG_SLAB_FREELIST_HARDENED) ||
		  IS_ENABLED(CONFIG_SLAB_FREELIST_RANDOM), MYALLOC_BENCH_HARDENED },
		{ IS_ENABLED(CONFIG_UML), MYALLOC_BENCH_UML },
	};
	u32 flags = 0, i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].on)
			flags |= options[i].flag;
#ifdef MYALLOC_FAULT_INJECTION
	flags |= MYALLOC_BENCH_FAULTS;
#endif
	if (run->zone->checks)
		flags |= MYALLOC_BENCH_CHECKS;
	if (want_init_on_alloc(GFP_KERNEL))
		flags |= MYALLOC_BENCH_INIT_ON_ALLOC;
	if (want_init_on_free())
		flags |= MYALLOC_BENCH_INIT_ON_FREE;
	return flags;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* The value of a round in 1/1000 for one operation. */
static u64 for_one(u64 value, u64 ops)
{
	if (!ops)
		return value;
	return value > U64_MAX / 1000 ? value / ops * 1000 : div64_u64(value * 1000, ops);
}

static void sum_up(const u64 *sorted, u32 nr, struct myalloc_bench_figures *out)
{
	if (!nr)
		return;
	out->min = sorted[0];
	out->p50 = sorted[(nr - 1) / 2];
	out->p99 = sorted[DIV_ROUND_UP(99 * nr, 100) - 1];
	out->max = sorted[nr - 1];
}

/* Lock held. */
static int figures(const struct bench_outcome *outcome, struct myalloc_bench_result *result)
{
	u32 nr = outcome->nr, i;
	u64 *value;

	if (!nr)
		return 0;
	value = myalloc_bench_zalloc(array_size(nr, sizeof(*value)));
	if (!value)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		value[i] = for_one(outcome->round[i].ns, outcome->round[i].ops);
	myalloc_sort(value, nr, sizeof(*value), compare);
	sum_up(value, nr, &result->time);
	for (i = 0; i < nr; i++)
		value[i] = for_one(outcome->round[i].cycles, outcome->round[i].ops);
	myalloc_sort(value, nr, sizeof(*value), compare);
	sum_up(value, nr, &result->cycles);
	myalloc_env_free(value);
	return 0;
}

/* Lock held. */
static int fill_result(const struct bench_outcome *outcome, struct myalloc_bench_result *result)
{
	u32 nr = min(result->room, outcome->nr);
	int err = figures(outcome, result);

	if (err)
		return err;
	if (nr && copy_to_user(u64_to_user_ptr(result->round), outcome->round,
			       nr * sizeof(*outcome->round)))
		return -EFAULT;
	result->rounds = outcome->nr;
	result->room = nr;
	result->error = outcome->error;
	result->fails = outcome->fails;
	return 0;
}

static int fill_from_run(struct bench_run *run, struct myalloc_bench_result *result)
{
	u32 room = result->room, i;
	int err = 0;

	mutex_lock(&run->lock);
	result->id = run->base.id;
	result->seed = run->params.seed;
	result->kernel = kernel_flags(run);
	result->cpu = run->params.cpu;
	result->state = run->record.state;
	result->clock_ns = run->clock_ns;
	result->clock_cycles = run->clock_cycles;
	result->room = 0;
	for (i = 0; i < run->nr_outcomes; i++) {
		if (run->outcome[i].shape != result->shape ||
		    run->outcome[i].side != result->side)
			continue;
		result->room = room;
		err = fill_result(&run->outcome[i], result);
		break;
	}
	mutex_unlock(&run->lock);
	return err;
}

/**
 * myalloc_bench_result() - MYALLOC_IOC_BENCH_RESULT
 * @base: the run of the session, of any kind, or NULL
 * @result: its shape and side choose, room and round say where rounds go; the rest is
 *	written, but for the size
 *
 * Context: task, sleeps.
 * Return: 0, -ENOENT, -EFAULT, -ENOMEM.
 */
int myalloc_bench_result(struct myalloc_run *base, struct myalloc_bench_result *result)
{
	struct myalloc_bench_result r = {
		.size = result->size,
		.shape = result->shape,
		.side = result->side,
		.room = result->room,
		.round = result->round,
		.state = MYALLOC_STRESS_NONE,
	};
	struct bench_shape *shape;
	u32 nr_sides;
	int err = 0;

	if (r.shape >= nr_shapes())
		return -ENOENT;
	shape = myalloc_env_zalloc(sizeof(*shape), NUMA_NO_NODE);
	if (!shape)
		return -ENOMEM;
	describe(r.shape, shape);
	nr_sides = shape->nr_sides;
	myalloc_env_free(shape);
	if (r.side >= nr_sides)
		return -ENOENT;
	if (base && base->ops == &bench_ops)
		err = fill_from_run(to_bench(base), &r);
	else
		r.room = 0;
	if (!err)
		*result = r;
	return err;
}

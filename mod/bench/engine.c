// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks: the engine
 *
 * A kernel thread does pieces of work with this allocator and with the kernel's own, in turn, and
 * records the time of every round. The engine does not know the work: families of shapes
 * (objects.c, pages.c, cross.c, worst.c, memory.c, ...) describe their shapes by number.
 *
 * Terms
 *	shape	a piece of work, defined by size, order, pattern
 *	side	an allocator that does it
 *	round	one stretch of work between two readings of the clock
 *	outcome	the measurements of one side of one shape
 *
 * How a shape is measured
 *
 *	begin   every side prepares: caches, arrays, a zone filled to some level
 *	settle  every side does rounds of growing length until one takes about ROUND_NS:
 *	        this gives the number of operations, and warms the caches
 *	rounds  side 0, side 1, ..., side 0, side 1, ...: a change over time affects all sides.
 *	        Between rounds the thread reschedules and checks whether it should stop
 *	after   everything is freed
 *
 * So all sides exist, and hold memory, at the same time. Each side draws its random numbers from
 * the same stream, so that all shuffle alike.
 *
 * A round is cut into slices of a few ms, with a place to reschedule between them that is not
 * timed: the thread has the highest priority, and a user may ask for 16 million operations. The
 * discarded warm-up round determines the length of a slice; a round of the default length is one
 * slice.
 *
 * A figure includes the loop and its arrays, which are the same for every side (the functions of
 * objects.c that a side inlines differ only in the calls), and all interruptions of the round.
 * The cost of reading the clock, the minimum of many readings, is subtracted. A side without an
 * allocator shows the cost of the loop: MYALLOC_BENCH_FLOOR and MYALLOC_BENCH_COST.
 *
 * The longest operation (MYALLOC_BENCH_LONGEST) is found by timing each operation of a series,
 * with interrupts off where the operation allows it. For this the cycle counter is the better
 * clock: under an emulator that counts instructions it counts them. A round of a single call
 * (MYALLOC_BENCH_CALL) measures itself likewise.
 *
 * Locking: the job's lock protects the record and the memory that the outcomes point to, which
 * readers may look at during the run.
 */
#include "env.h"

#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "bench/run.h"
#include "compat.h"
#include "slice.h"

/*
 * Length of a round: a thousand times the clock's resolution of 256 ns in user mode Linux, and
 * short compared to the time slices of a scheduler, so that most rounds are undisturbed.
 */
#define ROUND_NS	(256 * NSEC_PER_USEC)

/* Rounds of a shape that measures no time: the same seed gives the same figure again. */
#define ROUNDS_FIGURE	1

/* Rounds of a single call, for each round of many. */
#define ROUNDS_CALL	50

static const struct bench_family *const families[] = {
	&myalloc_bench_objects,
	&myalloc_bench_pages,
	&myalloc_bench_cross,
	&myalloc_bench_worst,
	&myalloc_bench_memory,
	&myalloc_bench_heap,
	&myalloc_bench_records,
	&myalloc_bench_arena,
	&myalloc_bench_pools,
	&myalloc_bench_worst_fronts,
	&myalloc_bench_calls,
};

/* --- shapes ------------------------------------------------------------------ */

/**
 * myalloc_bench_nr_shapes() - number of shapes
 *
 * Context: any.
 * Return: the number.
 */
u32 myalloc_bench_nr_shapes(void)
{
	u32 nr = 0, i;

	for (i = 0; i < ARRAY_SIZE(families); i++)
		nr += families[i]->nr;
	return nr;
}

/**
 * myalloc_bench_describe() - describe a shape
 * @index: its number, below myalloc_bench_nr_shapes()
 * @shape: out; without sides if too few CPUs are online
 *
 * Context: task.
 */
void myalloc_bench_describe(u32 index, struct bench_shape *shape)
{
	u32 i = 0;

	memset(shape, 0, sizeof(*shape));
	while (index >= families[i]->nr)
		index -= families[i++]->nr;
	families[i]->describe(index, shape);
	if (shape->cpus > num_online_cpus())
		shape->nr_sides = 0;
}

/* --- records ------------------------------------------------------------------- */

/* Progress records are published between rounds. */
static void count_rounds(struct bench_run *run, u32 shape, u32 rounds)
{
	mutex_lock(&run->job.lock);
	run->record.shape = shape;
	run->record.rounds += rounds;
	if (myalloc_job_record_in_ms(&run->job) <= 0)
		myalloc_job_publish(&run->job, MYALLOC_STRESS_RUNNING);
	else
		mutex_unlock(&run->job.lock);
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

/* The minimum cost of two readings with nothing between them. */
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

/* One stretch without rescheduling. Adds to @round. */
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

/* Round the number of operations up to a multiple of the batch. */
static u32 whole_batches(const struct bench_shape *shape, u64 ops)
{
	u32 batch = max(shape->batch, 1U);

	return clamp_t(u64, DIV_ROUND_UP_ULL(ops, batch), 1, MYALLOC_BENCH_OPS_MAX / batch) *
	       batch;
}

/* Do rounds of growing length until one takes about ROUND_NS. */
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
		/* Short rounds are imprecise: grow at most 16-fold at once. */
		ops = min_t(u64, ops, 16ULL * now);
	}
	return whole_batches(work->shape, ops);
}

/**
 * myalloc_bench_rounds() - number of measured rounds of a shape
 * @run: the run
 * @shape: the shape
 *
 * Context: any.
 * Return: the number.
 */
u32 myalloc_bench_rounds(const struct bench_run *run, const struct bench_shape *shape)
{
	if (shape->unit == MYALLOC_BENCH_RATIO || shape->unit == MYALLOC_BENCH_BYTES)
		return min_t(u32, run->params.rounds, ROUNDS_FIGURE);
	if (shape->unit == MYALLOC_BENCH_CALL)
		return min_t(u32, run->params.rounds * ROUNDS_CALL, MYALLOC_BENCH_ROUNDS_MAX);
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
	u32 rounds = myalloc_bench_rounds(run, &turn->shape);
	struct myalloc_bench_round *round;

	work->run = run;
	work->shape = &turn->shape;
	work->side = turn->shape.side[side];
	myalloc_random_init(&work->random, run->params.seed, outcome->shape);
	round = myalloc_bench_zalloc(array_size(rounds, sizeof(*round)));
	if (!round)
		return -ENOMEM;
	mutex_lock(&run->job.lock);
	outcome->round = round;
	mutex_unlock(&run->job.lock);
	return work->side->begin ? work->side->begin(work) : 0;
}

static void keep_round(struct bench_run *run, struct bench_outcome *outcome,
		       const struct bench_work *work, const struct myalloc_bench_round *round)
{
	mutex_lock(&run->job.lock);
	outcome->round[outcome->nr] = *round;
	WRITE_ONCE(outcome->nr, outcome->nr + 1);
	outcome->fails = work->fails;
	mutex_unlock(&run->job.lock);
}

static void do_shape(struct bench_run *run, struct bench_turn *turn)
{
	u32 rounds = myalloc_bench_rounds(run, &turn->shape), nr = turn->shape.nr_sides;
	u32 begun, i, r;
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

/**
 * myalloc_bench_wanted() - is a shape selected?
 * @run: the run
 * @shape: its number
 *
 * Context: any.
 * Return: true if it is.
 */
bool myalloc_bench_wanted(const struct bench_run *run, u32 shape)
{
	return run->params.shapes[shape / 64] & BIT_ULL(shape % 64);
}

static void do_shapes(struct bench_run *run)
{
	struct bench_turn *turn = run->turn;
	u32 at = 0, i, k;
	int err;

	for (i = 0; i < myalloc_bench_nr_shapes() && !myalloc_bench_stopped(run); i++) {
		if (!myalloc_bench_wanted(run, i))
			continue;
		memset(turn, 0, sizeof(*turn));
		myalloc_bench_describe(i, &turn->shape);
		/* A CPU went offline since the start, so its shape has no outcomes to fill. */
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

/**
 * myalloc_bench_work() - measure all shapes of a run, one after the other
 * @job: the run
 *
 * Context: the job's thread.
 */
void myalloc_bench_work(struct myalloc_job *job)
{
	struct bench_run *run = to_bench(job);
	struct mem_cgroup *before = set_active_memcg(run->memcg);

	/* A round that loses a tick to another task is useless. */
	set_user_nice(current, MIN_NICE);
	measure_clocks(run);
	do_shapes(run);
	mutex_lock(&job->lock);
	myalloc_job_publish(job, myalloc_job_end_state(job));
	set_active_memcg(before);
}

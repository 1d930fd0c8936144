// SPDX-License-Identifier: GPL-2.0
/*
 * myalloc_bench.ko: benchmarks as a kind of job of /dev/myalloc
 *
 * The ioctls of uapi/bench.h, registered with the device when this module is loaded (see
 * device/job.c). It uses the allocator as any client does, through its exports. engine.c does the
 * measuring.
 */
#include "env.h"

#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include "bench/run.h"
#include "compat.h"

#define ROUNDS_DEFAULT	20

/* The layout is the same for every compiler and word size. */
static_assert(sizeof(struct myalloc_bench_shape) == 40 + MYALLOC_BENCH_NAME + MYALLOC_BENCH_WHAT +
						    MYALLOC_BENCH_SIDES_MAX * 24);
static_assert(sizeof(struct myalloc_bench) == 40 + MYALLOC_BENCH_SHAPES_MAX / 8);
static_assert(sizeof(struct myalloc_bench_progress) == 40);
static_assert(sizeof(struct myalloc_bench_round) == 24);
static_assert(sizeof(struct myalloc_bench_result) == 88 + 2 * 32);

/* The layout of a record that job.c relies on. */
static_assert(offsetof(struct myalloc_bench_progress, state) ==
	      offsetof(struct myalloc_job_record, state));
static_assert(offsetof(struct myalloc_bench_progress, elapsed_ms) ==
	      offsetof(struct myalloc_job_record, elapsed_ms));

static struct myalloc_job_kind bench_kind;

/* --- shapes ---------------------------------------------------------------------------- */

/* MYALLOC_IOC_BENCH_SHAPE: the index selects a shape; all else except the size is written. */
static int ask(void *arg)
{
	struct myalloc_bench_shape *shape = arg;
	u32 nr = myalloc_bench_nr_shapes(), i;
	struct bench_shape s;

	if (shape->index >= nr)
		return -ENOENT;
	myalloc_bench_describe(shape->index, &s);
	shape->nr_shapes = nr;
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

/* --- the start of a run ------------------------------------------------------------------ */

static int check_shapes(const struct myalloc_bench *p)
{
	u64 any = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(p->shapes); i++)
		any |= p->shapes[i];
	if (!any)
		return -EINVAL;
	for (i = myalloc_bench_nr_shapes(); i < MYALLOC_BENCH_SHAPES_MAX; i++)
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
	u32 nr = myalloc_bench_nr_shapes(), i, k, at = 0;

	BUILD_BUG_ON(ROUNDS_DEFAULT > MYALLOC_BENCH_ROUNDS_MAX);
	run->turn = myalloc_env_zalloc_charged(sizeof(*run->turn), NUMA_NO_NODE);
	run->outcome = myalloc_bench_zalloc(array_size(nr * MYALLOC_BENCH_SIDES_MAX,
						       sizeof(*run->outcome)));
	if (!run->turn || !run->outcome)
		return -ENOMEM;
	shape = &run->turn->shape;
	for (i = 0; i < nr; i++) {
		if (!myalloc_bench_wanted(run, i))
			continue;
		myalloc_bench_describe(i, shape);
		run->record.total_rounds += myalloc_bench_rounds(run, shape) * shape->nr_sides;
		for (k = 0; k < shape->nr_sides; k++, at++) {
			run->outcome[at].shape = i;
			run->outcome[at].side = k;
		}
	}
	run->nr_outcomes = at;
	return 0;
}

static void free_run(struct bench_run *run)
{
	u32 i;

	for (i = 0; i < run->nr_outcomes; i++)
		myalloc_env_free(run->outcome[i].round);
	myalloc_env_free(run->outcome);
	myalloc_env_free(run->turn);
	myalloc_job_fini(&run->job);
	mem_cgroup_put(run->memcg);
	myalloc_env_free(run);
}

static struct myalloc_job *make(struct myalloc_zone *zone, void *arg)
{
	struct myalloc_bench *params = arg;
	struct bench_run *run;
	int err;

	run = myalloc_env_zalloc_charged(sizeof(*run), NUMA_NO_NODE);
	if (!run)
		return ERR_PTR(-ENOMEM);
	myalloc_job_init(&run->job, &bench_kind, zone, &run->record);
	myalloc_zone_info(zone, &run->info);
	run->memcg = get_mem_cgroup_from_mm(current->mm);
	err = settle(run, params);
	if (!err)
		err = make_outcomes(run);
	if (!err)
		err = myalloc_job_thread(&run->job, run->params.cpu, myalloc_bench_work);
	if (err) {
		free_run(run);
		return ERR_PTR(err);
	}
	params->id = run->job.id;
	return &run->job;
}

static void free_job(struct myalloc_job *job)
{
	free_run(to_bench(job));
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
	if (run->info.checks)
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

/* The value of a round for one operation, in 1/1000. */
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
	sort(value, nr, sizeof(*value), compare, NULL);
	sum_up(value, nr, &result->time);
	for (i = 0; i < nr; i++)
		value[i] = for_one(outcome->round[i].cycles, outcome->round[i].ops);
	sort(value, nr, sizeof(*value), compare, NULL);
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

	mutex_lock(&run->job.lock);
	result->id = run->job.id;
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
	mutex_unlock(&run->job.lock);
	return err;
}

/*
 * MYALLOC_IOC_BENCH_RESULT: shape and side select the outcome, room and round say where rounds are
 * stored; all else except the size is written.
 */
static int result(struct myalloc_job *job, void *arg)
{
	struct myalloc_bench_result *out = arg, r = {
		.size = out->size,
		.shape = out->shape,
		.side = out->side,
		.room = out->room,
		.round = out->round,
		.state = MYALLOC_STRESS_NONE,
	};
	struct bench_shape *shape;
	u32 nr_sides;
	int err = 0;

	if (out->pad)
		return -EINVAL;
	if (r.shape >= myalloc_bench_nr_shapes())
		return -ENOENT;
	shape = myalloc_env_zalloc(sizeof(*shape), NUMA_NO_NODE);
	if (!shape)
		return -ENOMEM;
	myalloc_bench_describe(r.shape, shape);
	nr_sides = shape->nr_sides;
	myalloc_env_free(shape);
	if (r.side >= nr_sides)
		return -ENOENT;
	if (job)
		err = fill_from_run(to_bench(job), &r);
	else
		r.room = 0;
	if (!err)
		*out = r;
	return err;
}

/* --- the module ---------------------------------------------------------------------------- */

static struct myalloc_job_kind bench_kind = {
	.name = "bench",
	.owner = THIS_MODULE,
	.cmd = {
		[MYALLOC_JOB_START] = MYALLOC_IOC_BENCH_START,
		[MYALLOC_JOB_RESULT] = MYALLOC_IOC_BENCH_RESULT,
		[MYALLOC_JOB_CANCEL] = MYALLOC_IOC_BENCH_CANCEL,
		[MYALLOC_JOB_ASK] = MYALLOC_IOC_BENCH_SHAPE,
	},
	.record_size = sizeof(struct myalloc_bench_progress),
	.make = make,
	.free = free_job,
	.result = result,
	.ask = ask,
};

static int __init bench_init(void)
{
	return myalloc_job_kind_register(&bench_kind);
}

static void __exit bench_exit(void)
{
	myalloc_job_kind_unregister(&bench_kind);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Benchmarks of myalloc beside the kernel's own allocators");
MODULE_LICENSE("GPL");
MODULE_VERSION(MYALLOC_VERSION);
MYALLOC_IMPORT_NS(MYALLOC);
MYALLOC_IMPORT_NS(MYALLOC_JOB);

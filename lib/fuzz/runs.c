// SPDX-License-Identifier: GPL-2.0
/*
 * Stand-ins for the stress and benchmark engines
 *
 * The engines need threads. What a session does with a job needs none: it is started, makes
 * records, ends, is cancelled and destroyed, all through mod/device/job.c. Two kinds are
 * registered there, with the numbers of the real ones; what their threads would do is done by
 * fuzz_runs_go_on(). The parameters of a stress run are checked by the real stress_params.c, and
 * its result by what it promises: no default is left, and settling what it settled changes
 * nothing.
 */
#include "kernel.h"

#include "device/job.h"
#include "runs.h"
#include "stress/stress_run.h"

#define RECORDS		3
#define SHAPES		2
#define RUNS_MOST	16

struct fuzz_run {
	struct myalloc_job job;
	u32 records;
	union {
		struct myalloc_stress_progress stress;
		struct myalloc_bench_progress bench;
	} record;
};

static struct fuzz_run *runs[RUNS_MOST];

u32 fuzz_runs(void)
{
	u32 i, nr = 0;

	for (i = 0; i < RUNS_MOST; i++)
		nr += !!runs[i];
	return nr;
}

static struct fuzz_run *to_run(struct myalloc_job *job)
{
	return container_of(job, struct fuzz_run, job);
}

/* What its thread would do. */
static void advance(struct myalloc_job *job, enum myalloc_stress_state state)
{
	if (myalloc_job_finished(job))
		return;
	to_run(job)->records++;
	mutex_lock(&job->lock);
	myalloc_job_publish(job, state);
	if (state != MYALLOC_STRESS_RUNNING)
		complete_all(&job->done);
}

static void run_wake(struct myalloc_job *job)
{
	advance(job, myalloc_job_end_state(job));
}

static void run_free(struct myalloc_job *job)
{
	u32 i;

	if (!job->done.done)
		host_fatal("a run is freed that has not ended");
	for (i = 0; i < RUNS_MOST; i++)
		if (runs[i] == to_run(job)) {
			myalloc_job_fini(job);
			myalloc_env_free(runs[i]);
			runs[i] = NULL;
			return;
		}
	host_fatal("a run is freed twice");
}

static void run_work(struct myalloc_job *job)
{
	host_fatal("a thread runs");
}

static struct myalloc_job *make(const struct myalloc_job_kind *kind, struct myalloc_zone *zone)
{
	struct fuzz_run *run;
	u32 i;
	int err;

	for (i = 0; i < RUNS_MOST && runs[i]; i++)
		;
	if (i == RUNS_MOST)
		return ERR_PTR(-ENOMEM);
	run = myalloc_env_zalloc(sizeof(*run), NUMA_NO_NODE);
	if (!run)
		return ERR_PTR(-ENOMEM);
	myalloc_job_init(&run->job, kind, zone, &run->record);
	err = myalloc_job_thread(&run->job, -1, run_work);
	if (err) {
		myalloc_job_fini(&run->job);
		myalloc_env_free(run);
		return ERR_PTR(err);
	}
	runs[i] = run;
	return &run->job;
}

void fuzz_runs_go_on(void)
{
	u32 i;

	for (i = 0; i < RUNS_MOST; i++)
		if (runs[i])
			advance(&runs[i]->job, runs[i]->records + 1 < RECORDS ?
				MYALLOC_STRESS_RUNNING : MYALLOC_STRESS_DONE);
}

/* --- stress -------------------------------------------------------------------------- */

static struct myalloc_job_kind stress_kind;

static void check_settled(const struct myalloc_stress_run *run)
{
	const struct myalloc_stress *p = &run->params;
	static struct myalloc_stress_run again;
	u32 i, k;
	/* Allocations of these kinds have any size. */
	bool sized = p->kind != MYALLOC_STRESS_HEAP && p->kind != MYALLOC_STRESS_ARENA &&
		     p->kind != MYALLOC_STRESS_RING;

	if (!p->threads || p->threads > MYALLOC_STRESS_THREADS_MAX || !p->seed ||
	    !p->fill_permille || p->fill_permille > 1000 || (sized && !p->nr_sizes) ||
	    p->nr_sizes > MYALLOC_STRESS_SIZES_MAX || run->nr_threads != p->threads)
		host_fatal("a default is left");
	for (i = 0; i < p->nr_sizes; i++) {
		if (!p->sizes[i] || p->sizes[i] > MYALLOC_OBJECT_MAX)
			host_fatal("size %u is %u", i, p->sizes[i]);
		for (k = 0; k < i; k++)
			if (p->sizes[k] == p->sizes[i])
				host_fatal("size %u twice", p->sizes[i]);
	}
	for (i = 0; i < run->nr_cpus; i++)
		if (!cpu_online(run->cpu[i]))
			host_fatal("CPU %u is not online", run->cpu[i]);
	memset(&again, 0, sizeof(again));
	again.job.zone = run->job.zone;
	if (myalloc_stress_settle(&again, p) || memcmp(&again.params, p, sizeof(*p)))
		host_fatal("settled parameters settle to others");
}

static struct myalloc_job *stress_make(struct myalloc_zone *zone, void *params)
{
	static struct myalloc_stress_run run;
	int err;

	memset(&run, 0, sizeof(run));
	run.job.zone = zone;
	err = myalloc_stress_settle(&run, params);
	if (err)
		return ERR_PTR(err);
	check_settled(&run);
	return make(&stress_kind, zone);
}

static int stress_result(struct myalloc_job *job, void *arg)
{
	struct myalloc_stress_result *out = arg;

	*out = (struct myalloc_stress_result){
		.size = out->size,
		.id = job ? job->id : 0,
		.state = job ? job->record->state : MYALLOC_STRESS_NONE,
	};
	return 0;
}

static struct myalloc_job_kind stress_kind = {
	.name = "stress",
	.cmd = {
		[MYALLOC_JOB_START] = MYALLOC_IOC_STRESS_START,
		[MYALLOC_JOB_RESULT] = MYALLOC_IOC_STRESS_RESULT,
		[MYALLOC_JOB_CANCEL] = MYALLOC_IOC_STRESS_CANCEL,
	},
	.record_size = sizeof(struct myalloc_stress_progress),
	.make = stress_make,
	.wake = run_wake,
	.free = run_free,
	.result = stress_result,
};

/* --- benchmarks ------------------------------------------------------------------------- */

static struct myalloc_job_kind bench_kind;

static int bench_ask(void *arg)
{
	struct myalloc_bench_shape *shape = arg;
	u32 size = shape->size, index = shape->index;

	if (index >= SHAPES)
		return -ENOENT;
	*shape = (struct myalloc_bench_shape){
		.size = size, .index = index, .nr_shapes = SHAPES, .nr_sides = 1, .name = "fuzz",
	};
	return 0;
}

static struct myalloc_job *bench_make(struct myalloc_zone *zone, void *arg)
{
	const struct myalloc_bench *params = arg;

	if (params->flags || params->pad || !params->shapes[0] || params->shapes[0] >> SHAPES)
		return ERR_PTR(-EINVAL);
	return make(&bench_kind, zone);
}

static int bench_result(struct myalloc_job *job, void *arg)
{
	struct myalloc_bench_result *result = arg;

	if (result->pad)
		return -EINVAL;
	if (!job || result->shape >= SHAPES || result->side)
		return -ENOENT;
	result->id = job->id;
	result->state = job->record->state;
	result->room = 0;
	return 0;
}

static struct myalloc_job_kind bench_kind = {
	.name = "bench",
	.cmd = {
		[MYALLOC_JOB_START] = MYALLOC_IOC_BENCH_START,
		[MYALLOC_JOB_RESULT] = MYALLOC_IOC_BENCH_RESULT,
		[MYALLOC_JOB_CANCEL] = MYALLOC_IOC_BENCH_CANCEL,
		[MYALLOC_JOB_ASK] = MYALLOC_IOC_BENCH_SHAPE,
	},
	.record_size = sizeof(struct myalloc_bench_progress),
	.make = bench_make,
	.wake = run_wake,
	.free = run_free,
	.result = bench_result,
	.ask = bench_ask,
};

void fuzz_runs_begin(void)
{
	if (myalloc_job_kind_register(&stress_kind) || myalloc_job_kind_register(&bench_kind))
		host_fatal("a kind of job is refused");
}

void fuzz_runs_end(void)
{
	myalloc_job_kind_unregister(&stress_kind);
	myalloc_job_kind_unregister(&bench_kind);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Stand-ins for the stress and benchmark engines
 *
 * The engines need threads. What a session does with a run needs none: it is started, makes
 * records, ends, is cancelled and destroyed, all through mod/device/job.h. The parameters of a
 * stress run are checked by the real stress_params.c, and its result by what it promises: no
 * default is left, and settling what it settled changes nothing.
 */
#include "kernel.h"

#include "bench/bench.h"
#include "runs.h"
#include "stress/stress_run.h"

#define RECORDS		3
#define SHAPES		2
#define RUNS_MOST	16

struct fuzz_run {
	struct myalloc_run base;
	enum myalloc_stress_state state;
	u32 records;
};

static struct fuzz_run *runs[RUNS_MOST];
static u64 last_id;

u32 fuzz_runs(void)
{
	u32 i, nr = 0;

	for (i = 0; i < RUNS_MOST; i++)
		nr += !!runs[i];
	return nr;
}

static struct fuzz_run *to_run(struct myalloc_run *base)
{
	return container_of(base, struct fuzz_run, base);
}

static void advance(struct fuzz_run *run, enum myalloc_stress_state state)
{
	if (myalloc_run_finished(&run->base))
		return;
	run->state = state;
	run->records++;
	myalloc_run_advance(&run->base, state != MYALLOC_STRESS_RUNNING);
}

static void run_cancel(struct myalloc_run *base)
{
	advance(to_run(base), MYALLOC_STRESS_CANCELLED);
}

static void run_destroy(struct myalloc_run *base)
{
	u32 i;

	for (i = 0; i < RUNS_MOST; i++)
		if (runs[i] == to_run(base)) {
			myalloc_env_free(runs[i]);
			runs[i] = NULL;
			return;
		}
	host_fatal("a run is destroyed twice");
}

static enum myalloc_stress_state stress_record(struct myalloc_run *base,
					       union myalloc_run_record *out)
{
	out->stress.id = base->id;
	out->stress.state = to_run(base)->state;
	return to_run(base)->state;
}

static enum myalloc_stress_state bench_record(struct myalloc_run *base,
					      union myalloc_run_record *out)
{
	out->bench.id = base->id;
	out->bench.state = to_run(base)->state;
	return to_run(base)->state;
}

static const struct myalloc_run_ops stress_ops = {
	.record_size = sizeof(struct myalloc_stress_progress),
	.record = stress_record,
	.cancel = run_cancel,
	.destroy = run_destroy,
};

static const struct myalloc_run_ops bench_ops = {
	.record_size = sizeof(struct myalloc_bench_progress),
	.record = bench_record,
	.cancel = run_cancel,
	.destroy = run_destroy,
};

static struct myalloc_run *start(const struct myalloc_run_ops *ops, void (*notify)(void *arg),
				 void *arg)
{
	struct fuzz_run *run;
	u32 i;

	for (i = 0; i < RUNS_MOST && runs[i]; i++)
		;
	if (i == RUNS_MOST)
		return ERR_PTR(-ENOMEM);
	run = myalloc_env_zalloc(sizeof(*run), NUMA_NO_NODE);
	if (!run)
		return ERR_PTR(-ENOMEM);
	run->base.ops = ops;
	run->base.id = ++last_id;
	run->base.notify = notify;
	run->base.arg = arg;
	run->state = MYALLOC_STRESS_RUNNING;
	runs[i] = run;
	return &run->base;
}

void fuzz_runs_go_on(void)
{
	u32 i;

	for (i = 0; i < RUNS_MOST; i++) {
		if (!runs[i] || myalloc_run_finished(&runs[i]->base))
			continue;
		advance(runs[i], runs[i]->records + 1 < RECORDS ? MYALLOC_STRESS_RUNNING :
								  MYALLOC_STRESS_DONE);
		myalloc_run_tell(&runs[i]->base);
	}
}

/* --- stress -------------------------------------------------------------------------- */

static void check_settled(const struct myalloc_stress_run *run)
{
	const struct myalloc_stress *p = &run->params;
	static struct myalloc_stress_run again;
	u32 i, k;

	if (!p->threads || p->threads > MYALLOC_STRESS_THREADS_MAX || !p->seed ||
	    !p->fill_permille || p->fill_permille > 1000 || !p->nr_sizes ||
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
	again.zone = run->zone;
	if (myalloc_stress_settle(&again, p) || memcmp(&again.params, p, sizeof(*p)))
		host_fatal("settled parameters settle to others");
}

struct myalloc_run *myalloc_stress_start(struct myalloc_zone *zone,
					 struct myalloc_stress *params,
					 void (*notify)(void *arg), void *arg)
{
	static struct myalloc_stress_run run;
	int err;

	memset(&run, 0, sizeof(run));
	run.zone = zone;
	err = myalloc_stress_settle(&run, params);
	if (err)
		return ERR_PTR(err);
	check_settled(&run);
	return start(&stress_ops, notify, arg);
}

bool myalloc_stress_result(struct myalloc_run *base, struct myalloc_stress_result *out)
{
	if (!base || base->ops != &stress_ops)
		return false;
	*out = (struct myalloc_stress_result){
		.size = sizeof(*out), .id = base->id, .state = to_run(base)->state,
	};
	return true;
}

/* --- benchmarks ------------------------------------------------------------------------- */

int myalloc_bench_shape(struct myalloc_bench_shape *shape)
{
	u32 size = shape->size, index = shape->index;

	if (index >= SHAPES)
		return -ENOENT;
	*shape = (struct myalloc_bench_shape){
		.size = size, .index = index, .nr_shapes = SHAPES, .nr_sides = 1, .name = "fuzz",
	};
	return 0;
}

struct myalloc_run *myalloc_bench_start(struct myalloc_zone *zone,
					const struct myalloc_bench *params,
					void (*notify)(void *arg), void *arg)
{
	if (params->flags || params->pad || !params->shapes[0] || params->shapes[0] >> SHAPES)
		return ERR_PTR(-EINVAL);
	return start(&bench_ops, notify, arg);
}

int myalloc_bench_result(struct myalloc_run *base, struct myalloc_bench_result *result)
{
	if (!base || base->ops != &bench_ops || result->shape >= SHAPES || result->side)
		return -ENOENT;
	result->id = base->id;
	result->state = to_run(base)->state;
	result->room = 0;
	return 0;
}

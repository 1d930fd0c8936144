// SPDX-License-Identifier: GPL-2.0
/*
 * bench_run: lists the shapes, starts a run, follows it, ends it at Ctrl-C, and reads
 * every round
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "obj/bench_parts.h"
#include "host/mem.h"
#include "out/out.h"
#include "host/stop.h"
#include "obj/job.h"

#define SILENCE_MS	30000	/* a shape may take a while to prepare */

static int ask_shape(struct device *d, __u32 index, struct myalloc_bench_shape *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->index = index;
	return dev_call(d->fd, MYALLOC_IOC_BENCH_SHAPE, s);
}

/* Benchmarks are a module of their own, which is loaded when they are asked for. */
static int ask_first_shape(struct device *d, struct myalloc_bench_shape *s)
{
	int err = ask_shape(d, 0, s);

	if (err == -EOPNOTSUPP && dev_load("myalloc_bench"))
		err = ask_shape(d, 0, s);
	return err;
}

int bench_shapes(struct device *d, struct bench_report *report)
{
	struct myalloc_bench_shape s;
	__u32 nr = 1, i;
	int err;

	for (i = 0; i < nr; i++) {
		err = i ? ask_shape(d, i, &s) : ask_first_shape(d, &s);
		if (err == -EOPNOTSUPP)
			return out_fail(EXIT_DEVICE, "benchmarks are in a module of their own, which is not loaded and which 'modprobe myalloc_bench' does not find: load it first (insmod myalloc_bench.ko)");
		if (err)
			return explain("reading the list of shapes", err);
		if (s.nr_shapes > MYALLOC_BENCH_SHAPES_MAX ||
		    s.nr_sides > MYALLOC_BENCH_SIDES_MAX)
			return explain("reading the list of shapes", -E2BIG);
		s.name[sizeof(s.name) - 1] = 0;
		s.what[sizeof(s.what) - 1] = 0;
		if (!i) {
			nr = s.nr_shapes;
			report->shape = xcalloc(nr, sizeof(*report->shape));
			report->nr_shapes = nr;
		}
		report->shape[i].shape = s;
	}
	return EXIT_OK;
}

void bench_free(struct bench_report *report)
{
	__u32 i, k;

	for (i = 0; i < report->nr_shapes; i++)
		for (k = 0; k < MYALLOC_BENCH_SIDES_MAX; k++)
			free(report->shape[i].side[k].round);
	free(report->shape);
	report->shape = NULL;
	report->nr_shapes = 0;
}

static int explain_start(const struct myalloc_bench *ask, int err)
{
	switch (err) {
	case -EBUSY:
		return out_fail(EXIT_FAILED, "another run is in progress: wait for its end");
	case -EINVAL:
		return out_fail(EXIT_FAILED, "the module refuses these parameters: CPU %d must be online",
				(int)ask->cpu);
	default:
		return explain("starting the run", err);
	}
}

static void show(const struct bench_report *report, const struct myalloc_bench_progress *p)
{
	int part = p->total_rounds ? p->rounds * 1000 / p->total_rounds : 0;

	out_progress(part, "%llu.%llu s  %s", (unsigned long long)p->elapsed_ms / 1000,
		     (unsigned long long)p->elapsed_ms % 1000 / 100,
		     p->shape < report->nr_shapes ? report->shape[p->shape].shape.name : "");
}

/* Reads a record if one is ready: 1 if the run continues, 0 if it has ended, or an error. */
static int read_record(struct device *d, void *arg)
{
	struct bench_report *report = arg;
	struct myalloc_bench_progress p;
	int n = dev_read_bench(d->fd, &p);

	if (n == -EAGAIN || n == -EINTR)
		return 1;
	if (n <= 0)
		return n;
	show(report, &p);
	report->state = p.state;
	report->elapsed_ms = p.elapsed_ms;
	return p.state == MYALLOC_STRESS_RUNNING;
}

static int fetch_side(struct device *d, struct bench_side *side, __u32 shape, __u32 nr)
{
	struct myalloc_bench_result *r = &side->result;
	int err;

	side->round = xcalloc(MYALLOC_BENCH_ROUNDS_MAX, sizeof(*side->round));
	memset(r, 0, sizeof(*r));
	r->size = sizeof(*r);
	r->shape = shape;
	r->side = nr;
	r->room = MYALLOC_BENCH_ROUNDS_MAX;
	r->round = (__u64)(unsigned long)side->round;
	err = dev_call(d->fd, MYALLOC_IOC_BENCH_RESULT, r);
	if (!err && (r->room > MYALLOC_BENCH_ROUNDS_MAX || r->room < r->rounds))
		err = -E2BIG;
	return err;
}

static int fetch(struct device *d, struct bench_report *report)
{
	const struct myalloc_bench_result *r;
	__u32 i, k;
	int err;

	for (i = 0; i < report->nr_shapes; i++) {
		struct bench_shape *s = &report->shape[i];

		if (!s->wanted)
			continue;
		for (k = 0; k < s->shape.nr_sides; k++) {
			err = fetch_side(d, &s->side[k], i, k);
			if (err)
				return explain("reading the run's result", err);
			r = &s->side[k].result;
			report->seed = r->seed;
			report->cpu = r->cpu;
			report->kernel = r->kernel;
			report->clock_ns = r->clock_ns;
			report->clock_cycles = r->clock_cycles;
		}
	}
	return EXIT_OK;
}

int bench_run(struct device *d, struct bench_report *report)
{
	int err, code;

	stop_catch();
	err = dev_call(d->fd, MYALLOC_IOC_BENCH_START, &report->ask);
	if (err)
		return explain_start(&report->ask, err);
	code = job_follow(d, MYALLOC_IOC_BENCH_CANCEL, SILENCE_MS, read_record, report);
	return code ? code : fetch(d, report);
}

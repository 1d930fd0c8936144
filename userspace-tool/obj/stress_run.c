// SPDX-License-Identifier: GPL-2.0
/*
 * stress_run: starts a run, shows its progress, ends it at Ctrl-C, fetches its result
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/mem.h"
#include "out/out.h"
#include "host/stop.h"
#include "obj/job.h"
#include "obj/stress_parts.h"

#define READ_RECORDS	16
#define SILENCE_MS	10000	/* the module sends a record per second */

static int explain_start(const struct myalloc_stress *s, int err)
{
	switch (err) {
	case -EBUSY:
		return out_fail(EXIT_FAILED, "another run is in progress: wait for its end");
	case -EINVAL:
		return out_fail(EXIT_FAILED, "the module refuses these parameters: 1 to %d threads (even for cross), CPUs that are online, orders and sizes within the limits in 'myallocctl info'",
				MYALLOC_STRESS_THREADS_MAX);
	case -ENOMEM:
		if (s->need_bytes > s->left_bytes)
			return out_fail(EXIT_FAILED, "a run with %u threads needs %llu KiB of system memory for its lists, but only %llu KiB are available: use fewer --threads or larger --sizes",
					s->threads, (unsigned long long)s->need_bytes / 1024,
					(unsigned long long)s->left_bytes / 1024);
		return out_fail(EXIT_FAILED, "not enough system memory for a run with %u threads: use fewer --threads",
				s->threads);
	default:
		return explain("starting the run", err);
	}
}

static void keep_records(struct stress_run *run,
			 const struct myalloc_stress_progress *p, int nr)
{
	struct myalloc_stress_progress *more;

	if (run->room - run->nr_records < (size_t)nr) {
		run->room = (run->nr_records + nr) * 2;
		more = xcalloc(run->room, sizeof(*more));
		if (run->nr_records)
			memcpy(more, run->record, run->nr_records * sizeof(*more));
		free(run->record);
		run->record = more;
	}
	memcpy(run->record + run->nr_records, p, nr * sizeof(*p));
	run->nr_records += nr;
}

static int part_done(const struct myalloc_stress_progress *p)
{
	__u64 part = 0, ops;

	if (p->total_ms)
		part = p->elapsed_ms * 1000 / p->total_ms;
	if (p->total_ops) {
		ops = (__u64)((double)p->ops * 1000 / p->total_ops);
		part = ops > part ? ops : part;
	}
	return part > 1000 ? 1000 : part;
}

static void show(const struct myalloc_stress_progress *p)
{
	__u64 live = p->nr_pages ? p->live_pages * 1000 / p->nr_pages : 0;

	out_progress(part_done(p),
		     "%llu.%llu s  %llu ops  %llu/s  fails %llu  errors %llu  live %llu.%llu %%",
		     (unsigned long long)p->elapsed_ms / 1000,
		     (unsigned long long)p->elapsed_ms % 1000 / 100,
		     (unsigned long long)p->ops,
		     (unsigned long long)p->ops_per_sec,
		     (unsigned long long)p->fails,
		     (unsigned long long)p->errors,
		     (unsigned long long)live / 10,
		     (unsigned long long)live % 10);
}

/* The last record marks the end, when the run has freed all: no line of progress. */
static void show_last(const struct myalloc_stress_progress *p, int nr)
{
	while (nr && p[nr - 1].state != MYALLOC_STRESS_RUNNING)
		nr--;
	if (nr)
		show(&p[nr - 1]);
}

/* Reads the records that are ready: 1 if the run continues, 0 if it has ended, or an error. */
static int read_records(struct device *d, void *arg)
{
	struct stress_run *run = arg;
	struct myalloc_stress_progress p[READ_RECORDS];
	int n = dev_read_progress(d->fd, p, READ_RECORDS);

	if (n == -EAGAIN || n == -EINTR)
		return 1;
	if (n <= 0)
		return n;
	keep_records(run, p, n);
	show_last(p, n);
	return p[n - 1].state == MYALLOC_STRESS_RUNNING;
}

int stress_run(struct device *d, struct stress_run *run)
{
	int err, code;

	stop_catch();
	err = dev_call(d->fd, MYALLOC_IOC_STRESS_START, &run->ask);
	if (err)
		return explain_start(&run->ask, err);
	out_note("stress run %s, seed %llu", stress_kinds[run->ask.kind].name,
		 (unsigned long long)run->ask.seed);
	code = job_follow(d, MYALLOC_IOC_STRESS_CANCEL, SILENCE_MS, read_records, run);
	if (code)
		return code;
	err = dev_stress_result(d->fd, &run->result);
	return err ? explain("reading the run's result", err) : EXIT_OK;
}

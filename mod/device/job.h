/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A run: work that goes on in the background of a session and makes records of its
 * progress. Stress runs and benchmarks are runs; the session knows them as such alone.
 */
#ifndef MYALLOC_RUN_H
#define MYALLOC_RUN_H

#include "uapi/myalloc.h"

struct myalloc_run;

/* A record of any kind; each has its state as enum myalloc_stress_state. */
union myalloc_run_record {
	struct myalloc_stress_progress stress;
	struct myalloc_bench_progress bench;
};

/**
 * struct myalloc_run_ops - what a session does with a run
 * @record_size: bytes of the record that read() returns
 * @record: the last record; returns its state. Context: task, sleeps
 * @cancel: ends the run early and waits for its end. Context: task, sleeps
 * @destroy: ends the run and frees it. Context: task, sleeps
 */
struct myalloc_run_ops {
	size_t record_size;
	enum myalloc_stress_state (*record)(struct myalloc_run *run,
					    union myalloc_run_record *out);
	void (*cancel)(struct myalloc_run *run);
	void (*destroy)(struct myalloc_run *run);
};

/**
 * struct myalloc_run - the part of a run that its session sees; embedded
 * @ops: of its kind
 * @id: its number
 * @notify: called with @arg after each record, in task context, without a lock; or NULL
 * @arg: its argument
 * @seq: records made
 * @finished: the result is complete, and the last record made
 */
struct myalloc_run {
	const struct myalloc_run_ops *ops;
	u64 id;
	void (*notify)(void *arg);
	void *arg;
	atomic64_t seq;
	bool finished;
};

/* Is there a result and no more to come? Context: any. */
static inline bool myalloc_run_finished(const struct myalloc_run *run)
{
	return smp_load_acquire(&run->finished);	/* pairs with myalloc_run_advance() */
}

/* How many records were made: grows with each, the last time when the run has finished. */
static inline u64 myalloc_run_seq(const struct myalloc_run *run)
{
	return atomic64_read_acquire(&run->seq);
}

/* A record has been made, perhaps the last one; the lock that protects it is held. */
static inline void myalloc_run_advance(struct myalloc_run *run, bool last)
{
	if (last)				/* pairs with myalloc_run_finished() */
		smp_store_release(&run->finished, true);
	atomic64_inc_return_release(&run->seq);	/* pairs with myalloc_run_seq() */
}

/* The user is told of it, without a lock. */
static inline void myalloc_run_tell(struct myalloc_run *run)
{
	if (run->notify)
		run->notify(run->arg);
}

#endif /* MYALLOC_RUN_H */

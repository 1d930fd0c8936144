/* SPDX-License-Identifier: GPL-2.0 */
/* Jobs: background work of an open file, and the registered kinds of it. See job.c. */
#ifndef MYALLOC_JOB_H
#define MYALLOC_JOB_H

#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "uapi/myalloc.h"

struct module;
struct task_struct;
struct myalloc_job;
struct myalloc_zone;

/* Maximum size in bytes of the struct of a job command: it lies on the stack. */
#define MYALLOC_JOB_ARG_MAX	512

/* Maximum size in bytes of a record. */
#define MYALLOC_JOB_RECORD_MAX	88

/* Milliseconds between two records of progress. */
#define MYALLOC_JOB_RECORD_MS	1000

/* Purposes of commands. Each except CANCEL takes a struct that begins with its size. */
enum myalloc_job_call {
	MYALLOC_JOB_START,
	MYALLOC_JOB_RESULT,
	MYALLOC_JOB_CANCEL,
	MYALLOC_JOB_ASK,
	MYALLOC_JOB_CALLS
};

/**
 * struct myalloc_job_record - the first members of every kind's record
 * @id: number of the job
 * @state: enum myalloc_stress_state
 * @own: for use by the kind
 * @elapsed_ms: time since the start
 */
struct myalloc_job_record {
	u64 id;
	u32 state;
	u32 own;
	u64 elapsed_ms;
};

/**
 * struct myalloc_job_kind - a kind of job
 * @name: name of its kernel threads, also used in messages
 * @owner: its module, pinned while a job of this kind exists
 * @cmd: ioctl number of each call, all in one block of 16; 0: the kind has no such call
 * @record_size: bytes of a record, at most MYALLOC_JOB_RECORD_MAX
 * @make: checks the parameters and returns a job that is ready to start. It may write to the
 *	parameters except their size; they are copied back to the user on success and on
 *	-ENOMEM. Context: task, sleeps
 * @wake: wakes the waiting threads of a job that should end; or NULL. Context: task
 * @free: frees a job whose thread has ended. Context: task, sleeps
 * @result: fills in the struct except its size. The job may still be running; it is NULL if the
 *	file has no job of this kind. Context: task, sleeps
 * @ask: answers a question about the kind, in the same way. Context: task, sleeps
 * @link: in the list of kinds
 */
struct myalloc_job_kind {
	const char *name;
	struct module *owner;
	unsigned int cmd[MYALLOC_JOB_CALLS];
	size_t record_size;
	struct myalloc_job *(*make)(struct myalloc_zone *zone, void *params);
	void (*wake)(struct myalloc_job *job);
	void (*free)(struct myalloc_job *job);
	int (*result)(struct myalloc_job *job, void *result);
	int (*ask)(void *question);
	struct list_head link;
};

/**
 * struct myalloc_job - a job; embedded in the struct of its kind
 * @kind: its kind
 * @zone: zone that it works on
 * @id: its number, never 0
 * @notify: called with @arg after each record, in task context, without a lock; or NULL
 * @arg: argument of @notify
 * @work: the thread's function, which publishes the last record
 * @task: the thread, with a reference
 * @stop: the job should end
 * @cancelled: the user has cancelled it
 * @done: the thread has ended its work
 * @start: time of the start
 * @seq: number of records published
 * @finished: the result is complete and the last record published
 * @lock: protects @record, @recorded, and data of the kind that is documented so
 * @record: the last record, a struct of the kind that begins with struct myalloc_job_record
 * @recorded: time of the last record
 */
struct myalloc_job {
	const struct myalloc_job_kind *kind;
	struct myalloc_zone *zone;
	u64 id;
	void (*notify)(void *arg);
	void *arg;
	void (*work)(struct myalloc_job *job);
	struct task_struct *task;
	bool stop;
	bool cancelled;
	struct completion done;
	ktime_t start;
	atomic64_t seq;
	bool finished;

	struct mutex lock;	/* protects record, recorded, data of the kind */
	struct myalloc_job_record *record;
	ktime_t recorded;
};

/* for kinds */
int myalloc_job_kind_register(struct myalloc_job_kind *kind);
void myalloc_job_kind_unregister(struct myalloc_job_kind *kind);
void myalloc_job_init(struct myalloc_job *job, const struct myalloc_job_kind *kind,
		      struct myalloc_zone *zone, void *record);
void myalloc_job_fini(struct myalloc_job *job);
int myalloc_job_thread(struct myalloc_job *job, int cpu, void (*work)(struct myalloc_job *job));
void myalloc_job_stop(struct myalloc_job *job);
void myalloc_job_publish(struct myalloc_job *job, enum myalloc_stress_state state);

/* for sessions */
const struct myalloc_job_kind *myalloc_job_kind_get(unsigned int cmd,
						    enum myalloc_job_call *call);
void myalloc_job_kind_put(const struct myalloc_job_kind *kind);
struct myalloc_job *myalloc_job_start(const struct myalloc_job_kind *kind,
				      struct myalloc_zone *zone, void *params,
				      void (*notify)(void *arg), void *arg);
enum myalloc_stress_state myalloc_job_read(struct myalloc_job *job, void *record);
void myalloc_job_cancel(struct myalloc_job *job);
void myalloc_job_destroy(struct myalloc_job *job);

/**
 * myalloc_job_stopped() - should a job end?
 * @job: the job
 *
 * Context: any.
 * Return: true if it should.
 */
static inline bool myalloc_job_stopped(const struct myalloc_job *job)
{
	return READ_ONCE(job->stop);
}

/**
 * myalloc_job_finished() - is the result complete and the last record published?
 * @job: the job
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool myalloc_job_finished(const struct myalloc_job *job)
{
	return smp_load_acquire(&job->finished);	/* pairs with myalloc_job_publish() */
}

/**
 * myalloc_job_seq() - the number of records published
 * @job: the job
 *
 * Context: any.
 * Return: the number; its last increment comes when the job has finished.
 */
static inline u64 myalloc_job_seq(const struct myalloc_job *job)
{
	return atomic64_read_acquire(&job->seq);
}

/**
 * myalloc_job_elapsed_ms() - the time since the start
 * @job: the job
 *
 * Context: any.
 * Return: milliseconds.
 */
static inline u64 myalloc_job_elapsed_ms(const struct myalloc_job *job)
{
	return ktime_ms_delta(ktime_get(), job->start);
}

/**
 * myalloc_job_record_in_ms() - the time until the next record is due
 * @job: the job
 *
 * Context: the job's thread.
 * Return: milliseconds; 0 or less if it is due.
 */
static inline s64 myalloc_job_record_in_ms(const struct myalloc_job *job)
{
	return MYALLOC_JOB_RECORD_MS - ktime_ms_delta(ktime_get(), job->recorded);
}

/**
 * myalloc_job_end_state() - the final state of a job that ends now
 * @job: the job
 *
 * Context: any.
 * Return: the state.
 */
static inline enum myalloc_stress_state myalloc_job_end_state(const struct myalloc_job *job)
{
	return READ_ONCE(job->cancelled) ? MYALLOC_STRESS_CANCELLED : MYALLOC_STRESS_DONE;
}

#endif /* MYALLOC_JOB_H */

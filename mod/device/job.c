// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs: background work of an open file
 *
 * This is a registry of kinds of work, with the parts that all kinds share. The device knows no
 * kind by name: it looks up an ioctl number here and calls the function that the kind has
 * registered. A kind may be a module of its own, which uses the allocator as any client does.
 *
 * Terms
 *	kind	a type of work: its ioctl numbers, and functions that make, wake and free jobs
 *	job	one piece of such work, owned by one session
 *	record	a struct of progress, which read() of the file returns
 *
 * Life of a job
 *
 *	make	the kind checks the parameters, allocates everything, and creates the thread
 *	start	the session takes the job and wakes the thread
 *	record	the thread publishes one each second, and a last one when the result is complete
 *	stop	by a cancel, or by the kind when its time is up: the thread ends soon
 *	destroy	cancel, wait for the thread, free
 *
 * Life of a kind: a command looks up its kind in the list and takes a reference to the kind's
 * module in one step under kinds_mutex; a job holds another reference until it is freed. So the
 * module cannot be removed while a command or a job runs in it. Once its removal has begun no
 * further reference can be taken, and a command is answered as if the module were not loaded.
 * Unregister takes the mutex, so no command looks at a kind that has been removed.
 *
 * Locking: kinds_mutex protects the list of kinds and is innermost. The @lock of a job, a mutex,
 * protects its record and other data of the kind that readers look at while the job runs.
 * notify() is called without it.
 */
#include "env.h"

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/topology.h>

#include "compat.h"
#include "device/job.h"

static DEFINE_MUTEX(kinds_mutex);
static LIST_HEAD(kinds);

static atomic64_t last_id = ATOMIC64_INIT(0);

/* --- kinds ------------------------------------------------------------------------ */

/* Ioctl numbers are assigned in blocks of 16, one for each kind. */
static unsigned int block_of(unsigned int cmd)
{
	return _IOC_NR(cmd) / 16;
}

static unsigned int block_of_kind(const struct myalloc_job_kind *kind)
{
	return block_of(kind->cmd[MYALLOC_JOB_START]);
}

static bool is_command(unsigned int known, unsigned int cmd)
{
	unsigned int differ = known ^ cmd;

	/* A struct may grow; the encoded size is that of the caller's version. */
	if (_IOC_SIZE(known))
		differ &= ~(unsigned int)IOCSIZE_MASK;
	return known && !differ;
}

/**
 * myalloc_job_kind_register() - register a kind of job
 * @kind: the kind
 *
 * Context: task, sleeps.
 * Return: 0; -EINVAL if a struct or a record is too large; -EBUSY if another kind uses the
 * same ioctl numbers.
 */
int myalloc_job_kind_register(struct myalloc_job_kind *kind)
{
	const struct myalloc_job_kind *other;
	u32 i;
	int err = 0;

	if (kind->record_size > MYALLOC_JOB_RECORD_MAX)
		return -EINVAL;
	for (i = 0; i < MYALLOC_JOB_CALLS; i++)
		if (_IOC_SIZE(kind->cmd[i]) > MYALLOC_JOB_ARG_MAX)
			return -EINVAL;
	mutex_lock(&kinds_mutex);
	list_for_each_entry(other, &kinds, link)
		if (block_of_kind(other) == block_of_kind(kind))
			err = -EBUSY;
	if (!err)
		list_add_tail(&kind->link, &kinds);
	mutex_unlock(&kinds_mutex);
	return err;
}

/**
 * myalloc_job_kind_unregister() - unregister a kind of job
 * @kind: the kind, whose module is being removed; none of its jobs is left
 *
 * Context: task, sleeps.
 */
void myalloc_job_kind_unregister(struct myalloc_job_kind *kind)
{
	mutex_lock(&kinds_mutex);
	list_del(&kind->link);
	mutex_unlock(&kinds_mutex);
}

/**
 * myalloc_job_kind_get() - look up the kind and the purpose of a command
 * @cmd: the ioctl's number
 * @call: out: purpose of the command
 *
 * Context: task, sleeps.
 * Return: the kind, whose module is pinned until myalloc_job_kind_put(); ERR_PTR(-EOPNOTSUPP) if
 * no loaded module has registered this block of numbers; ERR_PTR(-ENOTTY) if the kind has no such
 * command.
 */
const struct myalloc_job_kind *myalloc_job_kind_get(unsigned int cmd,
						    enum myalloc_job_call *call)
{
	bool job = _IOC_NR(cmd) >= MYALLOC_IOC_JOBS && _IOC_NR(cmd) <= MYALLOC_IOC_JOBS_END;
	const struct myalloc_job_kind *kind, *found = ERR_PTR(job ? -EOPNOTSUPP : -ENOTTY);
	u32 i;

	if (_IOC_TYPE(cmd) != MYALLOC_IOC)
		return ERR_PTR(-ENOTTY);
	mutex_lock(&kinds_mutex);
	list_for_each_entry(kind, &kinds, link) {
		if (block_of_kind(kind) != block_of(cmd) || !try_module_get(kind->owner))
			continue;
		for (i = 0; i < MYALLOC_JOB_CALLS; i++)
			if (is_command(kind->cmd[i], cmd))
				break;
		if (i < MYALLOC_JOB_CALLS) {
			*call = i;
			found = kind;
		} else {
			module_put(kind->owner);
			found = ERR_PTR(-ENOTTY);
		}
	}
	mutex_unlock(&kinds_mutex);
	return found;
}

/**
 * myalloc_job_kind_put() - put the reference of myalloc_job_kind_get() after the command
 * @kind: from myalloc_job_kind_get()
 *
 * Context: task.
 */
void myalloc_job_kind_put(const struct myalloc_job_kind *kind)
{
	module_put(kind->owner);
}

/* --- for kinds: making and running a job --------------------------------------------------- */

/**
 * myalloc_job_init() - initialize the common part of a job
 * @job: zeroed
 * @kind: its kind
 * @zone: zone that the job works on; must outlive the job
 * @record: zeroed; @kind's struct, which begins with struct myalloc_job_record
 *
 * Undo with myalloc_job_fini().
 *
 * Context: task.
 */
void myalloc_job_init(struct myalloc_job *job, const struct myalloc_job_kind *kind,
		      struct myalloc_zone *zone, void *record)
{
	job->kind = kind;
	job->zone = zone;
	job->record = record;
	job->id = atomic64_inc_return(&last_id);
	mutex_init(&job->lock);
	init_completion(&job->done);
}

/**
 * myalloc_job_fini() - clean up the common part of a job before it is freed
 * @job: the job
 *
 * Context: task.
 */
void myalloc_job_fini(struct myalloc_job *job)
{
	mutex_destroy(&job->lock);
}

static int job_thread(void *arg)
{
	struct myalloc_job *job = arg;

	job->work(job);
	complete_all(&job->done);
	return 0;
}

/**
 * myalloc_job_thread() - create the thread of a job; the last step of making one
 * @job: the job
 * @cpu: CPU to bind it to, -1 for any
 * @work: the thread's function, which publishes the last record
 *
 * Context: task, sleeps.
 * Return: 0, -ENOMEM, -EINTR after SIGKILL.
 */
int myalloc_job_thread(struct myalloc_job *job, int cpu, void (*work)(struct myalloc_job *job))
{
	struct task_struct *task;

	task = myalloc_env_should_fail() ? ERR_PTR(-ENOMEM) :
		kthread_create_on_node(job_thread, job, cpu < 0 ? NUMA_NO_NODE : cpu_to_node(cpu),
				       "%s%llu", job->kind->name, job->id);
	if (IS_ERR(task))
		return PTR_ERR(task);
	if (cpu >= 0)
		kthread_bind(task, cpu);
	job->task = get_task_struct(task);
	job->work = work;
	return 0;
}

/**
 * myalloc_job_publish() - publish the record and notify the user
 * @job: the job; the caller holds its lock, which is released here
 * @state: MYALLOC_STRESS_RUNNING; any other state is that of the last record and means that the
 *	result is complete
 *
 * Context: task.
 */
void myalloc_job_publish(struct myalloc_job *job, enum myalloc_stress_state state)
{
	ktime_t now = ktime_get();

	lockdep_assert_held(&job->lock);
	job->record->state = state;
	job->record->elapsed_ms = ktime_ms_delta(now, job->start);
	job->recorded = now;
	if (state != MYALLOC_STRESS_RUNNING)	/* pairs with myalloc_job_finished() */
		smp_store_release(&job->finished, true);
	atomic64_inc_return_release(&job->seq);	/* pairs with myalloc_job_seq() */
	mutex_unlock(&job->lock);
	if (job->notify)
		job->notify(job->arg);
}

/**
 * myalloc_job_stop() - ask a job to end soon
 * @job: the job
 *
 * Context: task.
 */
void myalloc_job_stop(struct myalloc_job *job)
{
	WRITE_ONCE(job->stop, true);
	if (job->kind->wake)
		job->kind->wake(job);
}

/* --- for sessions --------------------------------------------------- */

/**
 * myalloc_job_start() - make a job and start it
 * @kind: its kind; the caller holds a reference to the kind's module
 * @zone: zone that the job works on; must outlive the job
 * @params: argument of the kind's MYALLOC_JOB_START; the kind may write to it
 * @notify: called with @arg after each record, in task context, without a lock; or NULL. Must not
 *	cancel or destroy the job
 * @arg: argument of @notify
 *
 * Context: task, sleeps.
 * Return: the job, for myalloc_job_destroy(); ERR_PTR(-EINVAL) if a parameter is invalid;
 * ERR_PTR(-ENOMEM); ERR_PTR(-EINTR) after SIGKILL.
 */
struct myalloc_job *myalloc_job_start(const struct myalloc_job_kind *kind,
				      struct myalloc_zone *zone, void *params,
				      void (*notify)(void *arg), void *arg)
{
	struct myalloc_job *job = kind->make(zone, params);

	if (IS_ERR(job))
		return job;
	__module_get(kind->owner);
	job->notify = notify;
	job->arg = arg;
	job->start = ktime_get();
	job->recorded = job->start;
	job->record->id = job->id;
	job->record->state = MYALLOC_STRESS_RUNNING;
	wake_up_process(job->task);
	return job;
}

/**
 * myalloc_job_read() - copy the last record
 * @job: the job
 * @record: out: record_size bytes of the kind
 *
 * Context: task, sleeps.
 * Return: the job's state.
 */
enum myalloc_stress_state myalloc_job_read(struct myalloc_job *job, void *record)
{
	enum myalloc_stress_state state;

	mutex_lock(&job->lock);
	memcpy(record, job->record, job->kind->record_size);
	state = job->record->state;
	mutex_unlock(&job->lock);
	return state;
}

/**
 * myalloc_job_cancel() - end a job early and wait until it has ended
 * @job: the job; nothing changes if it has already ended
 *
 * Context: task, sleeps.
 */
void myalloc_job_cancel(struct myalloc_job *job)
{
	if (!myalloc_job_stopped(job))
		WRITE_ONCE(job->cancelled, true);
	myalloc_job_stop(job);
	wait_for_completion(&job->done);
}

/**
 * myalloc_job_destroy() - end a job and free it
 * @job: the job
 *
 * Context: task, sleeps.
 */
void myalloc_job_destroy(struct myalloc_job *job)
{
	struct module *owner = job->kind->owner;

	myalloc_job_cancel(job);
	kthread_stop(job->task);
	put_task_struct(job->task);
	job->kind->free(job);
	module_put(owner);
}

/* For kinds that are separate modules. */
MYALLOC_EXPORT_NS(myalloc_job_kind_register, MYALLOC_JOB);
MYALLOC_EXPORT_NS(myalloc_job_kind_unregister, MYALLOC_JOB);
MYALLOC_EXPORT_NS(myalloc_job_init, MYALLOC_JOB);
MYALLOC_EXPORT_NS(myalloc_job_fini, MYALLOC_JOB);
MYALLOC_EXPORT_NS(myalloc_job_thread, MYALLOC_JOB);
MYALLOC_EXPORT_NS(myalloc_job_stop, MYALLOC_JOB);
MYALLOC_EXPORT_NS(myalloc_job_publish, MYALLOC_JOB);

#if IS_ENABLED(CONFIG_KUNIT)
MYALLOC_EXPORT_NS(myalloc_job_kind_get, MYALLOC_INTERNAL);
MYALLOC_EXPORT_NS(myalloc_job_kind_put, MYALLOC_INTERNAL);
MYALLOC_EXPORT_NS(myalloc_job_start, MYALLOC_INTERNAL);
MYALLOC_EXPORT_NS(myalloc_job_read, MYALLOC_INTERNAL);
MYALLOC_EXPORT_NS(myalloc_job_cancel, MYALLOC_INTERNAL);
MYALLOC_EXPORT_NS(myalloc_job_destroy, MYALLOC_INTERNAL);
#endif

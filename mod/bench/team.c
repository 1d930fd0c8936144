// SPDX-License-Identifier: GPL-2.0
/*
 * The team of a benchmark: kernel threads on all CPUs that begin at the same moment
 *
 * Index 0 is the bench's own thread. The others sleep between calls. All spin on one word at the
 * starting line until the last has arrived, so that they begin within the time that a cache line
 * takes to reach every CPU.
 */
#include "env.h"

#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "bench/run.h"

static void idle(void)
{
	cpu_relax();
	cond_resched();
}

static int member_thread(void *arg)
{
	struct bench_member *member = arg;
	struct bench_team *team = member->team;
	u32 seen = 0, call;

	set_user_nice(current, MIN_NICE);	/* as bench_thread() */
	while (!kthread_should_stop()) {
		wait_event_interruptible(team->wait, READ_ONCE(team->call) != seen ||
					 kthread_should_stop());
		call = smp_load_acquire(&team->call);	/* pairs with myalloc_bench_team_call() */
		if (call == seen)
			continue;
		seen = call;
		atomic_inc(&team->ready);
		while (READ_ONCE(team->go) != call)
			idle();
		if (member->index < team->take)
			team->fn(team->work, member->index, team->ops);
		smp_mb__before_atomic();	/* the work before the count */
		atomic_dec(&team->ready);
	}
	return 0;
}

static int add_member(struct bench_run *run, u32 cpu)
{
	struct bench_team *team = &run->team;
	struct bench_member *member = &team->member[team->nr];
	struct task_struct *task;

	member->team = team;
	member->index = team->nr;
	task = myalloc_env_should_fail() ? ERR_PTR(-ENOMEM) :
		kthread_create_on_node(member_thread, member, cpu_to_node(cpu), "bench%llu/%u",
				       run->job.id, cpu);
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, cpu);
	member->task = get_task_struct(task);
	team->nr++;
	wake_up_process(task);
	return 0;
}

/**
 * myalloc_bench_team_fini() - end the threads
 * @run: the run
 *
 * Context: the job's thread, or after its end; sleeps.
 */
void myalloc_bench_team_fini(struct bench_run *run)
{
	struct bench_team *team = &run->team;

	while (team->nr > 1) {
		team->nr--;
		kthread_stop(team->member[team->nr].task);
		put_task_struct(team->member[team->nr].task);
	}
	team->nr = 0;
}

/**
 * myalloc_bench_team_init() - create a thread on every other online CPU
 * @run: the run, whose own thread calls; a second call does nothing
 *
 * Context: the job's thread; sleeps.
 * Return: 0, or -ENOMEM, after which there are no threads.
 */
int myalloc_bench_team_init(struct bench_run *run)
{
	struct bench_team *team = &run->team;
	u32 cpu;
	int err;

	if (team->nr)
		return 0;
	init_waitqueue_head(&team->wait);
	team->nr = 1;
	for_each_online_cpu(cpu) {
		if (cpu == run->params.cpu || team->nr == ARRAY_SIZE(team->member))
			continue;
		err = add_member(run, cpu);
		if (err) {
			myalloc_bench_team_fini(run);
			return err;
		}
	}
	return 0;
}

/**
 * myalloc_bench_team_call() - do the same work on several CPUs at the same time
 * @work: passed on
 * @nr: number of threads that do the work, by index; the others only meet at the starting line
 * @ops: passed on
 * @fn: the work; the caller runs index 0
 *
 * Context: the job's thread; may sleep.
 * Return: nanoseconds from the start until the last thread was done.
 */
u64 myalloc_bench_team_call(struct bench_work *work, u32 nr, u32 ops,
			    void (*fn)(struct bench_work *work, u32 index, u32 ops))
{
	struct bench_team *team = &work->run->team;
	u64 start;

	team->fn = fn;
	team->work = work;
	team->ops = ops;
	team->take = nr;
	atomic_set(&team->ready, 0);
	smp_store_release(&team->call, team->call + 1);	/* pairs with member_thread() */
	wake_up_all(&team->wait);
	while (atomic_read(&team->ready) != team->nr - 1)
		idle();
	start = myalloc_env_now_ns();
	WRITE_ONCE(team->go, team->call);
	fn(work, 0, ops);
	while (atomic_read(&team->ready))
		idle();
	smp_mb__after_atomic();		/* pairs with member_thread() */
	return myalloc_env_now_ns() - start;
}

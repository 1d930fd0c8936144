/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The environment in the kernel: kernel headers, and functions that need more than a header
 *
 * lib/env/host/env.h is the counterpart for userspace. Nothing here depends on the kernel
 * version.
 */
#ifndef MYALLOC_ENV_H
#define MYALLOC_ENV_H

#include "env/only_64bit.h"

#include <asm/byteorder.h>
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/hardirq.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/overflow.h>
#include <linux/page_ref.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/prefetch.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#include <linux/topology.h>
#include <linux/tracepoint-defs.h>
#include <linux/types.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "compat.h"

/* pr_fmt() is expanded where it is used, so it may be redefined after printk.h. */
#undef pr_fmt
#define pr_fmt(fmt) "myalloc: " fmt

/* --- injected failures ------------------------------------------------- */

#ifdef MYALLOC_FAULT_INJECTION
/* Defined by the module: should this internal allocation fail? */
bool myalloc_fault_should_fail(void);

/**
 * myalloc_env_should_fail() - should an internal allocation fail?
 *
 * Context: any.
 * Return: true if fault injection asks for it; false in builds without fault injection.
 */
static inline bool myalloc_env_should_fail(void)
{
	return myalloc_fault_should_fail();
}
#else
static inline bool myalloc_env_should_fail(void)
{
	return false;
}
#endif

/* --- reclaim ----------------------------------------------------------- */

/**
 * myalloc_env_may_reclaim() - may this task wait for file systems and devices?
 *
 * Not within memalloc_nofs_save() or memalloc_noio_save(), nor while it reclaims memory itself.
 *
 * Context: task.
 * Return: true if it may.
 */
static inline bool myalloc_env_may_reclaim(void)
{
	return current_gfp_context(GFP_KERNEL) == GFP_KERNEL && !(current->flags & PF_MEMALLOC);
}

/**
 * myalloc_env_noio_save() - from now on this task waits for no file system and no device
 *
 * Context: task.
 * Return: for myalloc_env_noio_restore().
 */
static inline unsigned int myalloc_env_noio_save(void)
{
	return memalloc_noio_save();
}

/**
 * myalloc_env_noio_restore() - end a section of myalloc_env_noio_save()
 * @flags: what it has returned
 *
 * Context: task.
 */
static inline void myalloc_env_noio_restore(unsigned int flags)
{
	memalloc_noio_restore(flags);
}

/**
 * myalloc_env_mutex_in_reclaim() - say that a mutex may be waited for while the kernel reclaims
 * @mutex: the mutex, not held
 *
 * A kernel with lockdep, and the host, then report an allocation under it that could reclaim.
 *
 * Context: task, may sleep.
 */
static inline void myalloc_env_mutex_in_reclaim(struct mutex *mutex)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	fs_reclaim_acquire(GFP_KERNEL);
	mutex_lock(mutex);
	mutex_unlock(mutex);
	fs_reclaim_release(GFP_KERNEL);
}

/* --- memory for metadata ----------------------------------------------- */

/*
 * No allocation here invokes the OOM killer, neither the system's nor that of a cgroup; it fails
 * instead. (vmalloc() could invoke it for its page tables. So sizes chosen by a user are compared
 * with the available memory before: mod/budget.h.)
 */
#define MYALLOC_ENV_GFP	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

static inline void *myalloc_env_zalloc_gfp(size_t size, gfp_t gfp, int node)
{
	if (myalloc_env_should_fail())
		return NULL;
	if (size > KMALLOC_MAX_CACHE_SIZE) {
		size = PAGE_ALIGN(size);
		/* __vmalloc() takes no node. */
		if (!is_power_of_2(size) && (node == NUMA_NO_NODE || nr_online_nodes == 1))
			return __vmalloc(size, gfp | __GFP_ZERO);
	} else {
		size = roundup_pow_of_two(max_t(size_t, size, L1_CACHE_BYTES));
	}
	return kvzalloc_node(size, gfp, node);
}

/**
 * myalloc_env_zalloc() - allocate zeroed memory for metadata, aligned to a cache line
 * @size: bytes
 * @node: NUMA node, or NUMA_NO_NODE
 *
 * kmalloc() guarantees the alignment only for powers of two, even with slab_debug, and rounding
 * up costs no more than its size classes would. It rounds larger sizes up to a power of two
 * pages; sizes that would waste memory that way are allocated page by page by vmalloc().
 *
 * Context: may sleep.
 * Return: the memory, to be freed by myalloc_env_free(); NULL if out of memory.
 */
static inline void *myalloc_env_zalloc(size_t size, int node)
{
	return myalloc_env_zalloc_gfp(size, MYALLOC_ENV_GFP, node);
}

/**
 * myalloc_env_zalloc_charged() - as myalloc_env_zalloc(), charged to the caller's cgroup
 * @size: bytes
 * @node: NUMA node, or NUMA_NO_NODE
 *
 * Context: may sleep.
 * Return: the memory, to be freed by myalloc_env_free(); NULL if out of memory.
 */
static inline void *myalloc_env_zalloc_charged(size_t size, int node)
{
	return myalloc_env_zalloc_gfp(size, MYALLOC_ENV_GFP | __GFP_ACCOUNT, node);
}

/**
 * myalloc_env_free() - free memory of myalloc_env_zalloc() or myalloc_env_zalloc_charged()
 * @ptr: the memory, or NULL
 *
 * Context: may sleep.
 */
static inline void myalloc_env_free(const void *ptr)
{
	kvfree(ptr);
}

/**
 * myalloc_env_alloc_percpu() - allocate zeroed per-CPU memory, charged to the caller's cgroup
 * @size: bytes per CPU
 * @align: alignment in bytes
 *
 * A task that may not wait for file systems or devices gets what the kernel has at hand: others
 * wait for these while they hold the mutex of per-CPU memory.
 *
 * Context: may sleep.
 * Return: the memory for all possible CPUs; NULL if out of memory.
 */
static inline void __percpu *myalloc_env_alloc_percpu(size_t size, size_t align)
{
	gfp_t gfp = MYALLOC_ENV_GFP | __GFP_ACCOUNT;

	if (myalloc_env_should_fail())
		return NULL;
	if (!myalloc_env_may_reclaim())
		gfp &= ~__GFP_DIRECT_RECLAIM;
	return __alloc_percpu_gfp(size, align, gfp);
}

/**
 * myalloc_env_free_percpu() - free memory of myalloc_env_alloc_percpu()
 * @ptr: the memory, or NULL
 *
 * Context: may sleep.
 */
static inline void myalloc_env_free_percpu(void __percpu *ptr)
{
	free_percpu(ptr);
}

/* --- other CPUs -------------------------------------------------------- */

/**
 * myalloc_env_call_on_cpu() - run a function on a CPU and wait for it
 * @cpu: number of the CPU
 * @fn: the function; runs with interrupts off, in hard interrupt context if @cpu is another CPU
 * @arg: argument of @fn
 *
 * Context: task, interrupts on.
 * Return: 0; -ENXIO if the CPU is offline, then @fn did not run.
 */
static inline int myalloc_env_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg)
{
	return smp_call_function_single(cpu, fn, arg, 1);
}

/**
 * myalloc_env_cpus_read_lock() - prevent CPUs from coming online and going offline
 *
 * Context: task, may sleep.
 */
static inline void myalloc_env_cpus_read_lock(void)
{
	cpus_read_lock();
}

/**
 * myalloc_env_cpus_read_trylock() - as myalloc_env_cpus_read_lock(), unless a CPU comes or goes
 *
 * Context: task, may sleep.
 * Return: true if the lock is held now.
 */
static inline bool myalloc_env_cpus_read_trylock(void)
{
	return cpus_read_trylock();
}

/**
 * myalloc_env_cpus_read_unlock() - allow CPUs to come online and go offline again
 *
 * Context: task.
 */
static inline void myalloc_env_cpus_read_unlock(void)
{
	cpus_read_unlock();
}

/* --- grace periods ------------------------------------------------------ */

/*
 * A grace period has passed when every section with preemption or interrupts off that was running
 * at its beginning has ended. RCU waits for all of these alike.
 */

/**
 * myalloc_env_gp_snapshot() - remember the present moment; a full barrier
 *
 * Context: any.
 * Return: the moment, for myalloc_env_gp_passed().
 */
static inline u64 myalloc_env_gp_snapshot(void)
{
	return get_state_synchronize_rcu();
}

/**
 * myalloc_env_gp_start() - as myalloc_env_gp_snapshot(), and start a grace period
 *
 * Context: task, may sleep.
 * Return: the moment, for myalloc_env_gp_passed().
 */
static inline u64 myalloc_env_gp_start(void)
{
	return start_poll_synchronize_rcu();
}

/**
 * myalloc_env_gp_passed() - has a grace period passed since a moment?
 * @moment: from myalloc_env_gp_snapshot() or myalloc_env_gp_start()
 *
 * Context: any.
 * Return: true if one has passed; then it is a full barrier.
 */
static inline bool myalloc_env_gp_passed(u64 moment)
{
	return poll_state_synchronize_rcu(moment);
}

/**
 * myalloc_env_gp_wait() - wait for a grace period
 *
 * The grace period is expedited, because its caller waits for it and interrupts every CPU anyway.
 *
 * Context: task, may sleep.
 */
static inline void myalloc_env_gp_wait(void)
{
	synchronize_rcu_expedited();
}

/**
 * myalloc_env_nap() - sleep for a few milliseconds
 *
 * Context: task, may sleep.
 */
static inline void myalloc_env_nap(void)
{
	schedule_timeout_uninterruptible(msecs_to_jiffies(4));
}

/* --- work later --------------------------------------------------------- */

/**
 * struct myalloc_env_work - a function that runs later in a task that may sleep
 * @irq: passes the request on from any context
 * @work: runs @fn
 * @fn: the function
 * @posted: 0, or the time in jiffies, never 0, at which @fn is to run; one word, so that of two
 *	posts, one of which interrupts the other, the earlier run wins
 */
struct myalloc_env_work {
	struct irq_work irq;
	struct delayed_work work;
	void (*fn)(struct myalloc_env_work *work);
	unsigned long posted;
};

static inline void myalloc_env_work_queue(struct irq_work *irq)
{
	struct myalloc_env_work *w = container_of(irq, struct myalloc_env_work, irq);
	unsigned long due, now;

	/* 0: @fn has begun to run since. */
	while ((due = READ_ONCE(w->posted))) {
		now = jiffies;
		mod_delayed_work(MYALLOC_COMPAT_UNBOUND_WQ, &w->work,
				 time_after(due, now) ? due - now : 0);
		/* A post for an earlier time may have been queued before that, and lost it. */
		smp_mb();
		if (READ_ONCE(w->posted) == due)
			break;
	}
}

static inline void myalloc_env_work_run(struct work_struct *work)
{
	struct myalloc_env_work *w = container_of(to_delayed_work(work),
						  struct myalloc_env_work, work);

	/* A request made from here on results in another run. */
	smp_store_mb(w->posted, 0);
	w->fn(w);
}

/**
 * myalloc_env_work_init() - initialise a work
 * @w: the work
 * @fn: the function to run
 *
 * Context: any.
 */
static inline void myalloc_env_work_init(struct myalloc_env_work *w,
					 void (*fn)(struct myalloc_env_work *work))
{
	w->fn = fn;
	w->posted = 0;
	init_irq_work(&w->irq, myalloc_env_work_queue);
	INIT_DELAYED_WORK(&w->work, myalloc_env_work_run);
}

/**
 * myalloc_env_work_post() - run the function once, in @ms milliseconds
 * @w: the work
 * @ms: delay in milliseconds, 0 for at once; a run that was posted already for an earlier time
 *	keeps it
 *
 * Context: any, also NMI and under any lock.
 */
static inline void myalloc_env_work_post(struct myalloc_env_work *w, unsigned int ms)
{
	unsigned long posted = READ_ONCE(w->posted), due = (jiffies + msecs_to_jiffies(ms)) ?: 1;

	/* At once: a full barrier in any case. */
	do {
		if (likely(posted && !time_before(due, posted) && ms))
			return;
	} while (!try_cmpxchg(&w->posted, &posted, due));
	irq_work_queue(&w->irq);
}

/**
 * myalloc_env_work_stop() - cancel the work and wait for it
 * @w: the work; nobody posts it any more
 *
 * Context: task, may sleep.
 */
static inline void myalloc_env_work_stop(struct myalloc_env_work *w)
{
	irq_work_sync(&w->irq);
	cancel_delayed_work_sync(&w->work);
	irq_work_sync(&w->irq);
	cancel_delayed_work_sync(&w->work);
}

/* --- sleeping ------------------------------------------------------------ */

/**
 * myalloc_env_may_wait() - may the caller sleep, as far as the kernel knows?
 *
 * Without CONFIG_PREEMPT_COUNT the kernel does not know about spinlocks and preemption off;
 * without CONFIG_PREEMPT_RCU it does not know about RCU readers.
 *
 * Context: any.
 * Return: false if the caller certainly may not sleep.
 */
static inline bool myalloc_env_may_wait(void)
{
	return in_task() && !preempt_count() && !irqs_disabled() && !rcu_preempt_depth();
}

/**
 * myalloc_env_might_wait() - the caller might sleep
 *
 * Kernels that check for sleeping in atomic context report it, other kernels do nothing.
 *
 * Context: task, may sleep.
 */
static __always_inline void myalloc_env_might_wait(void)
{
	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		might_sleep();
}

/**
 * myalloc_env_fatal_signal() - is the caller to die?
 *
 * What may take long ends early then.
 *
 * Context: task.
 * Return: true if a signal is pending that kills it.
 */
static inline bool myalloc_env_fatal_signal(void)
{
	return fatal_signal_pending(current);
}

/* --- trace events ------------------------------------------------------- */

#include "env/trace.h"

DECLARE_TRACEPOINT(page_alloc);
DECLARE_TRACEPOINT(page_free);
DECLARE_TRACEPOINT(cache_alloc);
DECLARE_TRACEPOINT(cache_free);
DECLARE_TRACEPOINT(heap_alloc);
DECLARE_TRACEPOINT(heap_free);
DECLARE_TRACEPOINT(fail);
DECLARE_TRACEPOINT(bad_free);
DECLARE_TRACEPOINT(refill);
DECLARE_TRACEPOINT(flush);
DECLARE_TRACEPOINT(grow);
DECLARE_TRACEPOINT(shrink);

/**
 * myalloc_env_trace_on() - does somebody listen to an event?
 * @event: name of the event
 *
 * Context: any.
 * Return: true if myalloc_env_trace_EVENT() is to be called. One nop, where the kernel has jump
 * labels, if nobody does.
 */
#define myalloc_env_trace_on(event)	tracepoint_enabled(event)

/* --- tests ---------------------------------------------------------------- */

/* Marks a place where a test lets an interrupt or another CPU in. */
#define myalloc_env_point(name) ((void)(name))
/* Marks a step that a test counts to measure a bound; locks may be held. */
#define myalloc_env_step(name) ((void)(name))

/* --- who calls --------------------------------------------------------- */

/* Bytes of the longest symbol */
#define MYALLOC_ENV_SYMBOL	KSYM_SYMBOL_LEN

/* Frames of a saved stack, and the most frames of the allocator above it */
#define MYALLOC_ENV_STACK_DEPTH 16u
#define MYALLOC_ENV_STACK_OWN	8u

/* Defined by the module: the set of handles saved so far. The depot warns about unknown handles. */
bool myalloc_stacks_add(u32 handle);
bool myalloc_stacks_has(u32 handle);

/* Defined by the module: symbols, also of modules that are gone. */
int myalloc_gone_symbol(char *buf, size_t size, unsigned long ip);

/**
 * myalloc_env_symbol() - format the symbol of a code address
 * @buf: out: the symbol, NUL-terminated
 * @size: bytes in @buf
 * @ip: the address; of a module that is gone, its name and the offset in its code are written
 *
 * Context: any.
 * Return: characters written, without the NUL.
 */
static inline int myalloc_env_symbol(char *buf, size_t size, unsigned long ip)
{
	return myalloc_gone_symbol(buf, size, ip);
}

/**
 * myalloc_env_stack_init() - prepare for myalloc_env_stack_save()
 *
 * The depot's hash table is allocated once per boot and is not freed, and neither are the stacks.
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM if out of memory, -EOPNOTSUPP if the kernel has no stack depot. After an
 * error every handle is 0.
 */
static inline int myalloc_env_stack_init(void)
{
#ifdef CONFIG_STACKDEPOT
	return stack_depot_init();
#else
	return -EOPNOTSUPP;
#endif
}

/**
 * myalloc_env_stack_save() - save the call stack
 * @caller: the stack begins at this return address, which leaves out the frames of the allocator;
 *	0, or an address that is not in the stack: all of it
 *
 * stack_depot_save() finds a known stack without a lock, and adds a new one under a raw lock with
 * interrupts off. Before that it may call alloc_pages() for its pool, even with GFP_NOWAIT, which
 * takes a spinlock_t: a sleeping lock on PREEMPT_RT. The variant that never allocates has a
 * different name and different arguments in each kernel. So nothing is saved in NMI, where 6.1
 * would also wait for the lock, nor, on PREEMPT_RT (or where lockdep checks for it), with
 * preemption or interrupts off.
 *
 * Context: any.
 * Return: a handle; 0 if nothing was saved.
 */
static inline u32 myalloc_env_stack_save(unsigned long caller)
{
#if defined(CONFIG_STACKDEPOT) && defined(CONFIG_STACKTRACE)
	unsigned long entries[MYALLOC_ENV_STACK_OWN + MYALLOC_ENV_STACK_DEPTH];
	unsigned int nr, own = 0;
	u32 handle;

	if (in_nmi())
		return 0;
	if ((IS_ENABLED(CONFIG_PREEMPT_RT) ||
	     IS_ENABLED(CONFIG_PROVE_RAW_LOCK_NESTING)) && !preemptible())
		return 0;
	nr = stack_trace_save(entries, ARRAY_SIZE(entries), 1);
	while (own < nr && entries[own] != caller)
		own++;
	if (own == nr)
		own = 0;
	handle = stack_depot_save(entries + own, min(nr - own, MYALLOC_ENV_STACK_DEPTH),
				  GFP_NOWAIT | __GFP_NOWARN);
	return handle && myalloc_stacks_add(handle) ? handle : 0;
#else
	return 0;
#endif
}

/**
 * myalloc_env_stack_first() - the address that a saved stack begins with
 * @handle: from myalloc_env_stack_save(), or a damaged one
 *
 * Context: any.
 * Return: the address; 0 if @handle is 0 or unknown.
 */
static inline unsigned long myalloc_env_stack_first(u32 handle)
{
#ifdef CONFIG_STACKDEPOT
	if (myalloc_stacks_has(handle)) {
		unsigned long *entries;

		if (stack_depot_fetch(handle, &entries))
			return entries[0];
	}
#endif
	return 0;
}

/**
 * myalloc_env_stack_format() - format a saved stack, one line per frame
 * @handle: from myalloc_env_stack_save(), or a damaged one
 * @buf: out: the text, NUL-terminated
 * @size: bytes in @buf, not 0
 *
 * Context: any.
 * Return: characters written, without the NUL; 0 if @handle is 0 or unknown.
 */
static inline int myalloc_env_stack_format(u32 handle, char *buf, size_t size)
{
	buf[0] = '\0';
#ifdef CONFIG_STACKDEPOT
	if (myalloc_stacks_has(handle)) {
		unsigned long *entries;
		unsigned int nr = stack_depot_fetch(handle, &entries), i;
		int n = 0;

		for (i = 0; i < nr; i++) {
			n += scnprintf(buf + n, size - n, " ");
			n += myalloc_env_symbol(buf + n, size - n, entries[i]);
			n += scnprintf(buf + n, size - n, "\n");
		}
		return n;
	}
#endif
	return 0;
}

/**
 * myalloc_env_stack_print() - print a saved stack to the kernel's log
 * @handle: from myalloc_env_stack_save(), or a damaged one; nothing is printed if it is 0 or
 *	unknown
 *
 * Context: any in which printk() may be called.
 */
static inline void myalloc_env_stack_print(u32 handle)
{
#ifdef CONFIG_STACKDEPOT
	if (myalloc_stacks_has(handle)) {
		char symbol[MYALLOC_ENV_SYMBOL];
		unsigned long *entries;
		unsigned int nr = stack_depot_fetch(handle, &entries), i;

		for (i = 0; i < nr; i++) {
			myalloc_env_symbol(symbol, sizeof(symbol), entries[i]);
			pr_info(" %s\n", symbol);
		}
	}
#endif
}

/**
 * myalloc_env_pid() - thread id of the caller
 *
 * Context: any.
 * Return: the id; 0 in an interrupt.
 */
static inline u32 myalloc_env_pid(void)
{
	return in_task() ? task_pid_nr(current) : 0;
}

/* Bytes of the longest text of myalloc_env_who() */
#define MYALLOC_ENV_WHO	64

/**
 * myalloc_env_who() - describe the caller: "pid 7 (insmod) in a task"
 * @buf: out: the text, NUL-terminated
 * @size: bytes in @buf, MYALLOC_ENV_WHO for all of it
 *
 * In an interrupt the pid and the name are those of the interrupted task. A task can give itself
 * any name; what is not printable is written as '?'.
 *
 * Context: any.
 */
static inline void myalloc_env_who(char *buf, size_t size)
{
	char *c;

	scnprintf(buf, size, "pid %d (%s) in %s", task_pid_nr(current), current->comm,
		  in_nmi() ? "an NMI" : in_hardirq() ? "a hard interrupt" :
		  in_serving_softirq() ? "a soft interrupt" : "a task");
	for (c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* --- reports --------------------------------------------------------------- */

/**
 * struct myalloc_env_print - prints from a context in which printing is safe
 * @work: calls @fn from a hard interrupt
 * @fn: prints
 */
struct myalloc_env_print {
	struct irq_work work;
	void (*fn)(struct myalloc_env_print *print);
};

static inline void myalloc_env_print_now(struct irq_work *work)
{
	struct myalloc_env_print *print = container_of(work, struct myalloc_env_print, work);

	print->fn(print);
}

/**
 * myalloc_env_print_init() - initialise a deferred print
 * @print: the structure
 * @fn: the function that prints
 *
 * Context: any.
 */
static inline void myalloc_env_print_init(struct myalloc_env_print *print,
					  void (*fn)(struct myalloc_env_print *print))
{
	print->fn = fn;
	init_irq_work(&print->work, myalloc_env_print_now);
}

/**
 * myalloc_env_defer_print() - have a hard interrupt (on PREEMPT_RT, a thread) call the function
 * soon
 * @print: the deferred print
 *
 * Context: any, also NMI and under any lock.
 */
static inline void myalloc_env_defer_print(struct myalloc_env_print *print)
{
	irq_work_queue(&print->work);
}

/**
 * myalloc_env_print_sync() - wait until the function is neither queued nor running
 * @print: the deferred print
 *
 * Context: task, may sleep.
 */
static inline void myalloc_env_print_sync(struct myalloc_env_print *print)
{
	irq_work_sync(&print->work);
}

/**
 * struct myalloc_env_kick - a function that runs in a hard interrupt of the CPU that asked
 * @work: calls @fn, on PREEMPT_RT too
 * @fn: the function
 */
struct myalloc_env_kick {
	struct irq_work work;
	void (*fn)(struct myalloc_env_kick *kick);
};

static inline void myalloc_env_kick_now(struct irq_work *work)
{
	struct myalloc_env_kick *kick = container_of(work, struct myalloc_env_kick, work);

	kick->fn(kick);
}

/**
 * myalloc_env_kick_init() - initialise a kick
 * @kick: the structure
 * @fn: the function
 *
 * Context: any.
 */
static inline void myalloc_env_kick_init(struct myalloc_env_kick *kick,
					 void (*fn)(struct myalloc_env_kick *kick))
{
	kick->fn = fn;
	kick->work = IRQ_WORK_INIT_HARD(myalloc_env_kick_now);
}

/**
 * myalloc_env_kick_queue() - have a hard interrupt of this CPU call the function
 * @kick: the kick
 *
 * At once where the machine can interrupt itself, else with the next tick.
 *
 * Context: any, also NMI and under any lock.
 */
static inline void myalloc_env_kick_queue(struct myalloc_env_kick *kick)
{
	irq_work_queue(&kick->work);
}

/**
 * myalloc_env_kick_sync() - wait until the function is neither queued nor running
 * @kick: the kick
 *
 * Context: task, may sleep.
 */
static inline void myalloc_env_kick_sync(struct myalloc_env_kick *kick)
{
	irq_work_sync(&kick->work);
}

/**
 * myalloc_env_ratelimit() - are reports rate-limited?
 *
 * Native tests want every report.
 *
 * Context: any.
 * Return: true in the kernel.
 */
static inline bool myalloc_env_ratelimit(void)
{
	return true;
}

/* --- time and random numbers -------------------------------------------- */

/**
 * myalloc_env_now_ns() - monotonic time
 *
 * Context: any, also NMI.
 * Return: ns.
 */
static inline u64 myalloc_env_now_ns(void)
{
	return ktime_get_mono_fast_ns();
}

/**
 * myalloc_env_seed() - an unpredictable seed
 *
 * Context: task.
 * Return: 64 bits.
 */
static inline u64 myalloc_env_seed(void)
{
	return get_random_u64();
}

/**
 * myalloc_env_random() - a number that differs from call to call
 *
 * get_random_u32() takes a local lock, a sleeping lock on PREEMPT_RT. This function mixes the
 * cycle counter, the CPU and the address of the stack instead (the finaliser is that of
 * splitmix64). It is good enough for scattering, but not for secrets; code that needs secrets
 * keeps a state seeded from myalloc_env_seed().
 *
 * Context: any.
 * Return: 32 bits.
 */
static inline u32 myalloc_env_random(void)
{
	u64 x = random_get_entropy();

	x += (u64)raw_smp_processor_id() << 48;
	x += (unsigned long)&x;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (x ^ (x >> 31)) >> 16;
}

/* --- pages ------------------------------------------------------------- */

/**
 * myalloc_env_page_referenced() - does a page have references besides its owner's?
 * @addr: address in the page, which must have a struct page
 *
 * Context: any.
 * Return: true if it does.
 */
static inline bool myalloc_env_page_referenced(const void *addr)
{
	return page_ref_count(virt_to_page(addr)) > 1;
}

/**
 * myalloc_env_page_bad() - has the machine reported a page as bad?
 * @addr: address in the page, which must have a struct page
 *
 * Context: any.
 * Return: true if it has.
 */
static inline bool myalloc_env_page_bad(const void *addr)
{
	return PageHWPoison(virt_to_page(addr));
}

/* --- pages, mapped twice in a row ---------------------------------------- */

/*
 * Not on architectures with processors whose caches alias: what is written through one mapping
 * might not be read through the other.
 */
#define MYALLOC_ENV_ALIASING							\
	(IS_ENABLED(CONFIG_ARCH_HAS_CPU_CACHE_ALIASING) || IS_ENABLED(CONFIG_MIPS) ||	\
	 IS_ENABLED(CONFIG_PARISC) || IS_ENABLED(CONFIG_SPARC))

/**
 * myalloc_env_can_map_twice() - can pages be mapped twice?
 *
 * Context: any.
 * Return: false if the caches of this architecture may alias.
 */
static inline bool myalloc_env_can_map_twice(void)
{
	return !MYALLOC_ENV_ALIASING;
}

/**
 * myalloc_env_map_twice() - map each of some blocks of pages twice in a row
 * @blocks: their addresses, which must have struct pages
 * @nr: number of blocks
 * @size: bytes in each, a multiple of the page size
 *
 * Block i begins at 2 * i * @size and again at (2 * i + 1) * @size of the new mapping.
 *
 * Context: task, may sleep.
 * Return: the mapping, to be removed by myalloc_env_unmap_twice(); NULL if out of memory.
 */
static inline void *myalloc_env_map_twice(void *const *blocks, u32 nr, size_t size)
{
	unsigned long each = size >> PAGE_SHIFT, i;
	struct page **pages;
	void *map;

	pages = myalloc_env_zalloc(2 * nr * each * sizeof(*pages), NUMA_NO_NODE);
	if (!pages)
		return NULL;
	for (i = 0; i < 2 * nr * each; i++)
		pages[i] = virt_to_page(blocks[i / (2 * each)] + i % each * PAGE_SIZE);
	map = vmap(pages, 2 * nr * each, VM_MAP, PAGE_KERNEL);
	myalloc_env_free(pages);
	return map;
}

/**
 * myalloc_env_unmap_twice() - remove a mapping of myalloc_env_map_twice()
 * @map: the mapping
 * @blocks: as it was made with
 * @nr: the same
 * @size: the same
 *
 * Context: task, may sleep.
 */
static inline void myalloc_env_unmap_twice(void *map, void *const *blocks, u32 nr, size_t size)
{
	vunmap(map);
}

/* --- sanitizers -------------------------------------------------------- */

/*
 * Poisoned memory must not be accessed until it is unpoisoned; generic KASAN reports each access.
 * Addresses are multiples of the granule, and so are the sizes of memory to poison.
 */
#define MYALLOC_ENV_GRANULE	8

enum myalloc_env_poison {
	MYALLOC_ENV_FREE_PAGE,
	MYALLOC_ENV_FREE_OBJECT,
	MYALLOC_ENV_REDZONE,
};

#ifdef CONFIG_KASAN_GENERIC

#define MYALLOC_ENV_SHADOW	1

/**
 * myalloc_env_poison_as() - poison memory
 * @addr: the memory, aligned to MYALLOC_ENV_GRANULE
 * @size: bytes, a multiple of MYALLOC_ENV_GRANULE
 * @as: what an access is reported as
 *
 * Context: any.
 */
void myalloc_env_poison_as(const void *addr, size_t size, enum myalloc_env_poison as);
/**
 * myalloc_env_unpoison() - unpoison memory
 * @addr: the memory, aligned to MYALLOC_ENV_GRANULE
 * @size: bytes
 *
 * Context: any.
 */
void myalloc_env_unpoison(const void *addr, size_t size);
/**
 * myalloc_env_is_poisoned() - is a byte poisoned?
 * @addr: address of the byte
 *
 * Context: any.
 * Return: true if it must not be accessed.
 */
bool myalloc_env_is_poisoned(const void *addr);
/**
 * myalloc_env_raw_memset() - memset() for memory that may be poisoned
 * @addr: the memory
 * @c: value of each byte
 * @size: bytes
 *
 * Context: any.
 */
void myalloc_env_raw_memset(void *addr, int c, size_t size);
/**
 * myalloc_env_raw_memchr_inv() - memchr_inv() for memory that may be poisoned
 * @addr: the memory
 * @c: expected value of each byte
 * @size: bytes
 *
 * Context: any.
 * Return: the first byte with another value; NULL if there is none.
 */
const void *myalloc_env_raw_memchr_inv(const void *addr, int c, size_t size);
/**
 * myalloc_env_raw_byte() - read a byte that may be poisoned
 * @addr: address of the byte
 *
 * Context: any.
 * Return: the value.
 */
u8 myalloc_env_raw_byte(const void *addr);

#else

#define MYALLOC_ENV_SHADOW	0

static inline void myalloc_env_poison_as(const void *addr, size_t size,
					 enum myalloc_env_poison as)
{
}

static inline void myalloc_env_unpoison(const void *addr, size_t size)
{
}

static inline bool myalloc_env_is_poisoned(const void *addr)
{
	return false;
}

static inline void myalloc_env_raw_memset(void *addr, int c, size_t size)
{
	memset(addr, c, size);
}

static inline const void *myalloc_env_raw_memchr_inv(const void *addr, int c, size_t size)
{
	return memchr_inv(addr, c, size);
}

static inline u8 myalloc_env_raw_byte(const void *addr)
{
	return *(const u8 *)addr;
}

#endif /* CONFIG_KASAN_GENERIC */

/**
 * myalloc_env_poison() - poison memory as a free page
 * @addr: the memory, aligned to MYALLOC_ENV_GRANULE
 * @size: bytes, a multiple of MYALLOC_ENV_GRANULE
 *
 * Context: any.
 */
static inline void myalloc_env_poison(const void *addr, size_t size)
{
	myalloc_env_poison_as(addr, size, MYALLOC_ENV_FREE_PAGE);
}

#endif /* MYALLOC_ENV_H */

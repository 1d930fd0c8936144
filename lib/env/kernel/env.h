/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The environment in the kernel: its headers, and what needs more than a header.
 *
 * lib/env/host/env.h is the other one. Nothing here differs between kernel versions.
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
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#include <linux/types.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

/* Expanded where it is used, so it may come after printk.h. */
#undef pr_fmt
#define pr_fmt(fmt) "myalloc: " fmt

/* --- injected failures ------------------------------------------------- */

#ifdef MYALLOC_FAULT_INJECTION
/* Given by the module: must this internal allocation fail? */
bool myalloc_fault_should_fail(void);

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

/* --- memory for metadata ----------------------------------------------- */

/*
 * No allocation here calls the OOM killer, neither the system's nor that of a cgroup: it
 * fails instead. (What vmalloc() needs for page tables could, so sums that a user has
 * chosen are compared with what is available before: mod/budget.h.)
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
 * myalloc_env_zalloc() - zeroed memory for metadata, aligned to a cache line
 * @size: bytes
 * @node: NUMA node, or NUMA_NO_NODE
 *
 * Only powers of two are sure to be aligned by kmalloc, even with slab_debug,
 * and rounding up costs nothing that its size classes would not cost. Larger
 * sizes it rounds up to a power of two pages: what would lose by that comes
 * page by page from vmalloc.
 *
 * Context: may sleep.
 * Return: the memory for myalloc_env_free(), or NULL.
 */
static inline void *myalloc_env_zalloc(size_t size, int node)
{
	return myalloc_env_zalloc_gfp(size, MYALLOC_ENV_GFP, node);
}

/* The same, charged to the caller's cgroup. Context: may sleep. */
static inline void *myalloc_env_zalloc_charged(size_t size, int node)
{
	return myalloc_env_zalloc_gfp(size, MYALLOC_ENV_GFP | __GFP_ACCOUNT, node);
}

/* Context: may sleep. NULL is allowed. */
static inline void myalloc_env_free(const void *ptr)
{
	kvfree(ptr);
}

/* Zeroed memory for each possible CPU, charged to the caller's cgroup. Context: may sleep. */
static inline void __percpu *myalloc_env_alloc_percpu(size_t size, size_t align)
{
	if (myalloc_env_should_fail())
		return NULL;
	return __alloc_percpu_gfp(size, align, MYALLOC_ENV_GFP | __GFP_ACCOUNT);
}

static inline void myalloc_env_free_percpu(void __percpu *ptr)
{
	free_percpu(ptr);
}

/* --- other CPUs -------------------------------------------------------- */

/**
 * myalloc_env_call_on_cpu() - run a function on a CPU and wait for it
 * @cpu: which
 * @fn: runs with interrupts off, in hard interrupt context if @cpu is not this one
 * @arg: its argument
 *
 * Context: task, interrupts on.
 * Return: 0, or -ENXIO if the CPU is offline: @fn did not run.
 */
static inline int myalloc_env_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg)
{
	return smp_call_function_single(cpu, fn, arg, 1);
}

/* Keeps every CPU as it is, online or offline. Context: task, may sleep. */
static inline void myalloc_env_cpus_read_lock(void)
{
	cpus_read_lock();
}

static inline void myalloc_env_cpus_read_unlock(void)
{
	cpus_read_unlock();
}

/* --- grace periods ------------------------------------------------------ */

/*
 * A grace period has passed when every section with preemption or interrupts off that ran
 * at its beginning has ended. RCU waits for all of those alike.
 */

/* A moment, for myalloc_env_gp_passed(). A full barrier. Context: any. */
static inline u64 myalloc_env_gp_snapshot(void)
{
	return get_state_synchronize_rcu();
}

/* As myalloc_env_gp_snapshot(), and asks for a grace period. Context: task, may sleep. */
static inline u64 myalloc_env_gp_start(void)
{
	return start_poll_synchronize_rcu();
}

/* Has a grace period passed since that moment? A full barrier if so. Context: any. */
static inline bool myalloc_env_gp_passed(u64 moment)
{
	return poll_state_synchronize_rcu(moment);
}

/*
 * Waits until a grace period has passed. Expedited: this is for work that somebody waits for and
 * that interrupts every CPU anyway. Context: task, may sleep.
 */
static inline void myalloc_env_gp_wait(void)
{
	synchronize_rcu_expedited();
}

/* --- work later --------------------------------------------------------- */

/**
 * struct myalloc_env_work - a function that runs later in a task that may sleep
 * @irq: takes the request out of any context
 * @work: runs @fn
 * @fn: the function
 * @delay: jiffies until it runs
 * @posted: 1 if it is to run; only who makes it 1 uses @irq
 */
struct myalloc_env_work {
	struct irq_work irq;
	struct delayed_work work;
	void (*fn)(struct myalloc_env_work *work);
	unsigned long delay;
	int posted;
};

static inline void myalloc_env_work_queue(struct irq_work *irq)
{
	struct myalloc_env_work *w = container_of(irq, struct myalloc_env_work, irq);

	mod_delayed_work(system_unbound_wq, &w->work, READ_ONCE(w->delay));
}

static inline void myalloc_env_work_run(struct work_struct *work)
{
	struct myalloc_env_work *w = container_of(to_delayed_work(work),
						  struct myalloc_env_work, work);

	/* What is asked for from here on is another run. */
	smp_store_mb(w->posted, 0);
	w->fn(w);
}

static inline void myalloc_env_work_init(struct myalloc_env_work *w,
					 void (*fn)(struct myalloc_env_work *work))
{
	w->fn = fn;
	w->posted = 0;
	init_irq_work(&w->irq, myalloc_env_work_queue);
	INIT_DELAYED_WORK(&w->work, myalloc_env_work_run);
}

/**
 * myalloc_env_work_post() - have the function run in @ms milliseconds, once
 * @w: the work
 * @ms: 0 for at once; if it is to run already, that stays as it is, unless @ms is 0
 *
 * Context: any, also NMI and under any lock.
 */
static inline void myalloc_env_work_post(struct myalloc_env_work *w, unsigned int ms)
{
	if (likely(READ_ONCE(w->posted) && ms))
		return;
	if (xchg(&w->posted, 1) && ms)
		return;
	WRITE_ONCE(w->delay, msecs_to_jiffies(ms));
	irq_work_queue(&w->irq);
}

/* No run is under way or to come. Nobody posts any more. Context: task, may sleep. */
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
 * Without CONFIG_PREEMPT_COUNT it does not know of spinlocks and of preemption off; without
 * CONFIG_PREEMPT_RCU, not of RCU readers.
 *
 * Context: any.
 * Return: false if the caller certainly may not sleep.
 */
static inline bool myalloc_env_may_wait(void)
{
	return in_task() && !preempt_count() && !irqs_disabled() && !rcu_preempt_depth();
}

/* The caller might sleep: kernels that check where that is done report it, others do nothing. */
static __always_inline void myalloc_env_might_wait(void)
{
	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		might_sleep();
}

/* Where a test lets an interrupt or another CPU come in. */
#define myalloc_env_point(name) ((void)(name))
/* What a test counts to measure a bound; any locks may be held. */
#define myalloc_env_step(name) ((void)(name))

/* --- who calls --------------------------------------------------------- */

#define MYALLOC_ENV_STACK_DEPTH 16

/* Given by the module: the handles that were given out. The depot warns about others. */
bool myalloc_stacks_add(u32 handle);
bool myalloc_stacks_has(u32 handle);

/**
 * myalloc_env_stack_init() - make myalloc_env_stack_save() work
 *
 * The depot's hash table is made once after boot and stays, as do the stacks.
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM or -EOPNOTSUPP: every stack will be 0.
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
 * myalloc_env_stack_save() - remember the call stack
 *
 * stack_depot_save() finds a known stack without a lock, and keeps a new one
 * under a raw lock with interrupts off. Before that it may call alloc_pages()
 * for its pool, even with GFP_NOWAIT, and that takes spinlock_t: a sleeping
 * lock on PREEMPT_RT. The form that never allocates has another name and other
 * arguments in each kernel. So in NMI, where 6.1 would also wait for the lock,
 * and on PREEMPT_RT (or where lockdep checks for it) with preemption or
 * interrupts off, nothing is saved.
 *
 * Context: any.
 * Return: a handle, 0 if there is none.
 */
static inline u32 myalloc_env_stack_save(void)
{
#if defined(CONFIG_STACKDEPOT) && defined(CONFIG_STACKTRACE)
	unsigned long entries[MYALLOC_ENV_STACK_DEPTH];
	unsigned int nr;
	u32 handle;

	if (in_nmi())
		return 0;
	if ((IS_ENABLED(CONFIG_PREEMPT_RT) ||
	     IS_ENABLED(CONFIG_PROVE_RAW_LOCK_NESTING)) && !preemptible())
		return 0;
	nr = stack_trace_save(entries, ARRAY_SIZE(entries), 1);
	handle = stack_depot_save(entries, nr, GFP_NOWAIT | __GFP_NOWARN);
	return handle && myalloc_stacks_add(handle) ? handle : 0;
#else
	return 0;
#endif
}

/**
 * myalloc_env_stack_format() - a saved stack as text, one line a frame
 * @handle: from myalloc_env_stack_save(), or a damaged one
 * @buf: where to
 * @size: bytes in @buf, not 0
 *
 * Return: characters written, without the NUL; 0 if @handle is 0 or no stack's.
 */
static inline int myalloc_env_stack_format(u32 handle, char *buf, size_t size)
{
	buf[0] = '\0';
#ifdef CONFIG_STACKDEPOT
	if (myalloc_stacks_has(handle))
		return min_t(int, stack_depot_snprint(handle, buf, size, 0), size - 1);
#endif
	return 0;
}

static inline void myalloc_env_stack_print(u32 handle)
{
#ifdef CONFIG_STACKDEPOT
	if (myalloc_stacks_has(handle))
		stack_depot_print(handle);
#endif
}

/* The name of a code address; returns characters written. */
static inline int myalloc_env_symbol(char *buf, size_t size, unsigned long ip)
{
	return scnprintf(buf, size, "%pS", (void *)ip);
}

/* Thread id of the caller, 0 in an interrupt. */
static inline u32 myalloc_env_pid(void)
{
	return in_task() ? task_pid_nr(current) : 0;
}

/* --- reports --------------------------------------------------------------- */

/* Bytes of the longest name of a code address. */
#define MYALLOC_ENV_SYMBOL	KSYM_SYMBOL_LEN

/* Something to be printed where the caller must not. */
struct myalloc_env_print {
	struct irq_work work;
	void (*fn)(struct myalloc_env_print *print);
};

static inline void myalloc_env_print_now(struct irq_work *work)
{
	struct myalloc_env_print *print = container_of(work, struct myalloc_env_print, work);

	print->fn(print);
}

static inline void myalloc_env_print_init(struct myalloc_env_print *print,
					  void (*fn)(struct myalloc_env_print *print))
{
	print->fn = fn;
	init_irq_work(&print->work, myalloc_env_print_now);
}

/* Has a hard interrupt (on PREEMPT_RT a thread) call the function soon. Context: any. */
static inline void myalloc_env_defer_print(struct myalloc_env_print *print)
{
	irq_work_queue(&print->work);
}

/* Waits until it is not queued and not running. Context: task, may sleep. */
static inline void myalloc_env_print_sync(struct myalloc_env_print *print)
{
	irq_work_sync(&print->work);
}

/* Are reports rate-limited? Native tests want each. */
static inline bool myalloc_env_ratelimit(void)
{
	return true;
}

/* --- time and chance --------------------------------------------------- */

/* Monotonic, safe in NMI. */
static inline u64 myalloc_env_now_ns(void)
{
	return ktime_get_mono_fast_ns();
}

/* A seed that cannot be guessed. Context: task. */
static inline u64 myalloc_env_seed(void)
{
	return get_random_u64();
}

/**
 * myalloc_env_random() - a number that differs from call to call
 *
 * get_random_u32() takes a local lock, a sleeping one on PREEMPT_RT. This mixes
 * the cycle counter, the CPU and the stack's address (the finaliser is that of
 * splitmix64). Good for scattering, not for secrets: who needs those keeps a
 * state seeded from myalloc_env_seed().
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

/* Has anybody a reference to the page besides its owner? Its memory has a struct page. */
static inline bool myalloc_env_page_referenced(const void *addr)
{
	return page_ref_count(virt_to_page(addr)) > 1;
}

/* Has the machine reported the page as broken? */
static inline bool myalloc_env_page_bad(const void *addr)
{
	return PageHWPoison(virt_to_page(addr));
}

/* --- sanitizers -------------------------------------------------------- */

/*
 * Poisoned memory may not be touched until it is unpoisoned: generic KASAN reports who does. The
 * address is a multiple of the granule, and the size, too, when memory is poisoned.
 */
#define MYALLOC_ENV_GRANULE	8

enum myalloc_env_poison {
	MYALLOC_ENV_FREE_PAGE,
	MYALLOC_ENV_FREE_OBJECT,
	MYALLOC_ENV_REDZONE,
};

#ifdef CONFIG_KASAN_GENERIC

#define MYALLOC_ENV_SHADOW	1

void myalloc_env_poison_as(const void *addr, size_t size, enum myalloc_env_poison as);
void myalloc_env_unpoison(const void *addr, size_t size);
/* May the byte at @addr be touched? */
bool myalloc_env_is_poisoned(const void *addr);
/* For memory that may be poisoned. */
void myalloc_env_raw_memset(void *addr, int c, size_t size);
const void *myalloc_env_raw_memchr_inv(const void *addr, int c, size_t size);
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

static inline void myalloc_env_poison(const void *addr, size_t size)
{
	myalloc_env_poison_as(addr, size, MYALLOC_ENV_FREE_PAGE);
}

#endif /* MYALLOC_ENV_H */

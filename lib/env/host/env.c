// SPDX-License-Identifier: GPL-2.0
/*
 * The environment on the host
 *
 * CPUs, interrupts, locks, per-CPU memory, a log and fault injection, simulated in a
 * process, so that kernel code runs in it and a test can place an interrupt or
 * another CPU at an exact point.
 *
 * CPUs. A flow of control (struct host_self) is a thread, or a function that
 * host_run_on_cpu() runs on top of one. It chooses its CPU number. While it is
 * pinned (preemption or interrupts off, in an interrupt) it holds the lock of its
 * CPU number, and others with the same number wait: flows with the same number
 * exclude each other as on one CPU, flows with different numbers run in parallel.
 * Anything that is impossible on a real CPU, such as running a task while another
 * one has preemption disabled in the same thread, ends the program.
 *
 * Interrupts run on top of the flow that they interrupt, as part of it: waiting for
 * a lock that the interrupted code holds is a deadlock. A function that
 * host_run_on_cpu() runs on top is a separate flow, which holds no lock; waiting for
 * a lock of a flow below it is a deadlock too, as the flow below waits for it.
 *
 * Locks know their owner, so assertions of held and not held are real checks. Like
 * lockdep, they remember the contexts in which they were taken: a lock that is taken
 * in an interrupt, and elsewhere with interrupts enabled, is an error even before a
 * deadlock happens, and so is waiting for a lock in NMI.
 *
 * Per-CPU memory: one area, HOST_PERCPU_UNIT bytes for each CPU. A per-CPU pointer is
 * the address in the area of CPU 0, and the other areas follow at a fixed distance, as
 * in the kernel: an access costs one addition.
 *
 * The sanitizers understand all of it: locks and atomics are __atomic builtins, and
 * unallocated memory is poisoned.
 */
#include "env.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CPUS	4

void __sanitizer_print_stack_trace(void) __weak;
void __sanitizer_set_death_callback(void (*callback)(void)) __weak;

__thread struct host_self host_self;
unsigned int host_nr_cpus = DEFAULT_CPUS;
void (*host_preempt_point)(const char *where);
unsigned int host_point_depth = 1;
/* Unlike points, steps occur under locks too: the hook must only count or inspect state. */
void (*host_step_hook)(const char *where);
/* As steps, events may occur under locks: the hook must only take notes. */
void (*host_trace_hook)(const char *event, const struct myalloc_env_trace *trace);
/* The one event that somebody listens to; NULL: all. */
const char *host_trace_only;
void (*host_on_fatal)(void);

bool host_trace_wants(const char *event)
{
	return !host_trace_only || !strcmp(host_trace_only, event);
}

#define TRACE_EVENT(event)							\
	void myalloc_env_trace_##event(const struct myalloc_env_trace *trace)	\
	{									\
		host_trace_hook(#event, trace);					\
	}
TRACE_EVENT(page_alloc)
TRACE_EVENT(page_free)
TRACE_EVENT(cache_alloc)
TRACE_EVENT(cache_free)
TRACE_EVENT(heap_alloc)
TRACE_EVENT(heap_free)
TRACE_EVENT(fail)
TRACE_EVENT(bad_free)
TRACE_EVENT(refill)
TRACE_EVENT(flush)
TRACE_EVENT(grow)
TRACE_EVENT(shrink)

/*
 * Default options of the sanitizers, unless ASAN_OPTIONS etc. override them. gcc's
 * UBSan has no callback at its end, but a signal can be caught.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=1:strict_string_checks=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1:abort_on_error=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "halt_on_error=1:second_deadlock_stack=1";
}

/* --- internal lock: not part of the simulation --------------------------- */

struct hidden_lock {
	int taken;
};

static void relax(unsigned int *spins)
{
	/* Two threads on two cores hand over in less time; with more threads, yield the core. */
	if (++*spins % 64)
		cpu_relax();
	else
		sched_yield();
}

static void hidden_acquire(struct hidden_lock *lock)
{
	unsigned int spins = 0;

	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		relax(&spins);
}

static void hidden_release(struct hidden_lock *lock)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

/* --- memory that may be poisoned ------------------------------------------- */

#ifdef HOST_ASAN

/* volatile, because the compiler would otherwise call memset(), which is instrumented. */
__no_sanitize_address void myalloc_env_raw_memset(void *addr, int c, size_t size)
{
	volatile u8 *p = addr;

	while (size--)
		*p++ = c;
}

__no_sanitize_address u8 myalloc_env_raw_byte(const void *addr)
{
	return *(const u8 *)addr;
}

__no_sanitize_address const void *myalloc_env_raw_memchr_inv(const void *addr, int c, size_t size)
{
	const volatile u8 *p = addr;

	for (; size; size--, p++)
		if (*p != (u8)c)
			return (const void *)p;
	return NULL;
}

#endif

/* --- the log, warnings, the end -------------------------------------------- */

#define LOG_SIZE	(256 << 10)

static struct {
	struct hidden_lock lock;
	size_t len;
	bool echo, echo_known;
	unsigned long warns, expected;
	char text[LOG_SIZE];
	char copy[LOG_SIZE];
} host_log;

/* When the log is full, drop the older half. */
static void log_append(const char *text, size_t len)
{
	len = min_t(size_t, len, LOG_SIZE / 2);
	hidden_acquire(&host_log.lock);
	if (!host_log.echo_known) {
		host_log.echo = getenv("MYALLOC_LOG") != NULL;
		host_log.echo_known = true;
	}
	if (host_log.len + len >= LOG_SIZE) {
		memmove(host_log.text, host_log.text + LOG_SIZE / 2,
			host_log.len - LOG_SIZE / 2);
		host_log.len -= LOG_SIZE / 2;
	}
	memcpy(host_log.text + host_log.len, text, len);
	host_log.len += len;
	if (host_log.echo)
		fwrite(text, 1, len, stderr);
	hidden_release(&host_log.lock);
}

void host_printk(const char *fmt, ...)
{
	char line[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vscnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	log_append(line, n);
}

void host_warn(const char *file, int line, const char *func, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int n;

	n = scnprintf(text, sizeof(text), "WARNING: at %s:%d %s()\n", file, line, func);
	va_start(args, fmt);
	n += vscnprintf(text + n, sizeof(text) - n, fmt, args);
	va_end(args);
	log_append(text, n);
	__atomic_fetch_add(&host_log.warns, 1, __ATOMIC_RELAXED);
}

void host_log_reset(void)
{
	hidden_acquire(&host_log.lock);
	host_log.len = 0;
	hidden_release(&host_log.lock);
}

/* The text logged since the last reset, valid until the next call. */
const char *host_log_text(void)
{
	hidden_acquire(&host_log.lock);
	memcpy(host_log.copy, host_log.text, host_log.len);
	host_log.copy[host_log.len] = '\0';
	hidden_release(&host_log.lock);
	return host_log.copy;
}

bool host_log_contains(const char *needle)
{
	return strstr(host_log_text(), needle) != NULL;
}

unsigned int host_log_count(const char *needle)
{
	const char *p = host_log_text();
	unsigned int n = 0;

	while ((p = strstr(p, needle))) {
		p += strlen(needle);
		n++;
	}
	return n;
}

/* Also write the log to stderr, so far and from now on. Default: if MYALLOC_LOG is set. */
void host_log_echo(bool on)
{
	hidden_acquire(&host_log.lock);
	host_log.echo = on;
	host_log.echo_known = true;
	hidden_release(&host_log.lock);
}

unsigned long host_warn_count(void)
{
	return READ_ONCE(host_log.warns);
}

/* The test must warn exactly @nr times. */
void host_expect_warns(unsigned long nr)
{
	host_log.expected = nr;
}

/* This is a child of host_dies(). */
static bool dying;

void host_fatal(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("host: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	fflush(stderr);
	/* Looking up the names takes a second; host_dies() does not need them. */
	if (__sanitizer_print_stack_trace && !dying)
		__sanitizer_print_stack_trace();
	if (host_on_fatal)
		host_on_fatal();
	abort();
}

/* --- CPUs ------------------------------------------------------------------- */

static u64 cpu_owner[NR_CPUS];
static bool cpus_offline[NR_CPUS];
static u64 next_id = 1;

static u64 self_id(void)
{
	if (unlikely(!host_self.id))
		host_self.id = __atomic_fetch_add(&next_id, 1, __ATOMIC_RELAXED);
	return host_self.id;
}

/* Does the id belong to a flow that waits below this one? */
static bool id_below(u64 id)
{
	const struct host_self *self;

	for (self = host_self.outer; self; self = self->outer)
		if (self->id == id)
			return true;
	return false;
}

static void cpu_acquire(void)
{
	u64 *owner = &cpu_owner[host_self.cpu], id = self_id(), old;
	unsigned int spins = 0;

	for (;;) {
		old = 0;
		if (__atomic_compare_exchange_n(owner, &old, id, false,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return;
		if (id_below(old))
			host_fatal("CPU %u is not preemptible: nothing else can run on it",
				   host_self.cpu);
		relax(&spins);
	}
}

/* Number of completed sections in which a CPU was pinned. */
static u64 cpu_sections[NR_CPUS];

static void cpu_release(void)
{
	__atomic_store_n(&cpu_sections[host_self.cpu], cpu_sections[host_self.cpu] + 1,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&cpu_owner[host_self.cpu], 0, __ATOMIC_RELEASE);
}

static void pin(void)
{
	if (!host_self.pins)
		cpu_acquire();
	host_self.pins++;
}

static void unpin(void)
{
	if (!--host_self.pins)
		cpu_release();
}

void host_preempt_disable(void)
{
	pin();
	host_self.preempt++;
	barrier();
}

void host_preempt_enable(void)
{
	barrier();
	if (!host_self.preempt)
		host_fatal("preempt_enable() without preempt_disable()");
	host_self.preempt--;
	unpin();
}

void host_irq_disable(void)
{
	if (!host_self.irqs_off) {
		pin();
		host_self.irqs_off = 1;
	}
	barrier();
}

/* Run the interrupt that myalloc_env_defer_print() queued. */
static void run_print(void)
{
	struct myalloc_env_print *print = host_self.prints;

	host_self.prints = print->next;
	__atomic_fetch_add(&print->running, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&print->queued, false, __ATOMIC_SEQ_CST);
	host_enter_hardirq();
	print->fn(print);
	host_exit_hardirq();
	__atomic_fetch_sub(&print->running, 1, __ATOMIC_RELEASE);
}

void myalloc_env_print_init(struct myalloc_env_print *print,
			    void (*fn)(struct myalloc_env_print *print))
{
	print->fn = fn;
	print->queued = false;
	print->running = 0;
}

/* A print already queued runs later than this, so it includes what the caller wants printed. */
void myalloc_env_defer_print(struct myalloc_env_print *print)
{
	if (__atomic_exchange_n(&print->queued, true, __ATOMIC_ACQ_REL))
		return;
	print->next = host_self.prints;
	host_self.prints = print;
	if (!irqs_disabled() && !in_interrupt())
		run_print();
}

void myalloc_env_print_sync(struct myalloc_env_print *print)
{
	unsigned int spins = 0;

	might_sleep();
	while (__atomic_load_n(&print->queued, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&print->running, __ATOMIC_ACQUIRE))
		relax(&spins);
}

void host_irq_enable(void)
{
	barrier();
	if (in_nmi() || in_hardirq())
		host_fatal("interrupts enabled inside an interrupt");
	if (host_self.irqs_off) {
		host_self.irqs_off = 0;
		unpin();
	}
	while (unlikely(host_self.prints))
		run_print();
}

unsigned long host_irq_save(void)
{
	unsigned long flags = host_self.irqs_off;

	host_irq_disable();
	return flags;
}

void host_irq_restore(unsigned long flags)
{
	if (flags > 1)
		host_fatal("local_irq_restore() of what local_irq_save() never gave");
	if (!host_self.irqs_off)
		host_fatal("local_irq_restore() with interrupts enabled");
	if (!flags)
		host_irq_enable();
}

void host_might_sleep(const char *file, int line)
{
	if (unlikely(host_self.pins))
		host_fatal("%s:%d: sleeping function called from invalid context: preempt %u, irqs %s%s%s",
			   file, line, host_self.preempt, host_self.irqs_off ? "off" : "on",
			   host_self.hardirq ? ", in hardirq" : "",
			   host_self.nmi ? ", in NMI" : "");
}

static bool fatal_signal;

void host_set_fatal_signal(bool on)
{
	WRITE_ONCE(fatal_signal, on);
}

bool myalloc_env_fatal_signal(void)
{
	return READ_ONCE(fatal_signal);
}

static bool unchecked_wait;

void host_unchecked_wait(bool on)
{
	WRITE_ONCE(unchecked_wait, on);
}

#ifndef HOST_FAST
bool myalloc_env_may_wait(void)
{
	return !host_self.pins;
}

void myalloc_env_might_wait(void)
{
	if (!READ_ONCE(unchecked_wait))
		might_sleep();
}
#endif

void host_check_pinned(const char *what, const char *file, int line)
{
	host_fatal("%s:%d: %s while preemptible", file, line, what);
}

/* Beyond host_point_depth nested points do nothing: the hook itself runs code with points. */
void host_point(const char *where)
{
	void (*hook)(const char *where) = READ_ONCE(host_preempt_point);

	if (!hook || host_self.points >= host_point_depth)
		return;
	host_self.points++;
	hook(where);
	host_self.points--;
}

static void set_cpu(unsigned int cpu)
{
	host_self.cpu = cpu;
	host_self.offset = cpu * HOST_PERCPU_UNIT;
}

static void check_cpu(unsigned int cpu)
{
	if (!cpu_possible(cpu))
		host_fatal("CPU %u does not exist, there are %u", cpu, host_nr_cpus);
}

/* Move this thread to another CPU. */
void host_set_cpu(unsigned int cpu)
{
	check_cpu(cpu);
	if (cpu != host_self.cpu && host_self.pins)
		host_fatal("move to another CPU while not preemptible");
	set_cpu(cpu);
}

bool host_cpu_online(unsigned int cpu)
{
	return cpu_possible(cpu) && !READ_ONCE(cpus_offline[cpu]);
}

static void all_online(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < NR_CPUS; cpu++)
		WRITE_ONCE(cpus_offline[cpu], false);
}

/* Number of readers, or -1 while a CPU goes online or offline. */
static int cpus_readers;
/* Has host_cpus_change() begun in this thread? Then it is in a callback of that. */
static __thread bool changes_cpus;

void myalloc_env_cpus_read_lock(void)
{
	int readers = READ_ONCE(cpus_readers);
	unsigned int spins = 0;

	might_sleep();
	for (;;) {
		if (readers < 0) {
			if (changes_cpus)
				host_fatal("cpus_read_lock() in a callback of CPU hotplug: deadlock");
			relax(&spins);
			readers = READ_ONCE(cpus_readers);
		} else if (try_cmpxchg_acquire(&cpus_readers, &readers, readers + 1)) {
			break;
		}
	}
	host_self.cpus_read++;
}

#ifndef HOST_FAST
bool myalloc_env_cpus_read_trylock(void)
{
	int readers = READ_ONCE(cpus_readers);

	might_sleep();
	while (readers >= 0) {
		if (try_cmpxchg_acquire(&cpus_readers, &readers, readers + 1)) {
			host_self.cpus_read++;
			return true;
		}
	}
	return false;
}
#endif

void myalloc_env_cpus_read_unlock(void)
{
	if (!host_self.cpus_read)
		host_fatal("cpus_read_unlock() without cpus_read_lock()");
	host_self.cpus_read--;
	__atomic_fetch_sub(&cpus_readers, 1, __ATOMIC_RELEASE);
}

/* From begin to end it is as if a CPU came, which takes that long. */
void host_cpus_change(bool begin)
{
	int readers = begin ? 0 : -1;

	if (!try_cmpxchg_acquire(&cpus_readers, &readers, begin ? -1 : 0))
		host_fatal("a CPU comes or goes inside cpus_read_lock()");
	changes_cpus = begin;
}

/* The test itself must do the work of the kernel's hotplug callbacks. */
void host_cpu_set_online(unsigned int cpu, bool online)
{
	const struct host_self *self;
	unsigned int spins = 0;
	int readers = 0;

	check_cpu(cpu);
	for (self = &host_self; self; self = self->outer)
		if (self->cpus_read)
			host_fatal("CPU %u comes or goes inside cpus_read_lock()", cpu);
	for (; !try_cmpxchg_acquire(&cpus_readers, &readers, -1); readers = 0)
		relax(&spins);
	WRITE_ONCE(cpus_offline[cpu], !online);
	smp_store_release(&cpus_readers, 0);
}

unsigned int num_online_cpus(void)
{
	unsigned int cpu, n = 0;

	for_each_online_cpu(cpu)
		n++;
	return n;
}

/* --- grace periods ----------------------------------------------------------- */

/*
 * Numbered as in RCU: a grace period is in progress, or none is. It ends when each CPU that was
 * pinned at its beginning has left that section. A cookie is the number of the grace period
 * that must have ended: the next one to begin.
 */
static struct {
	struct hidden_lock lock;
	u64 begun, ended;
	bool waits_for[NR_CPUS];
	bool held;	/* by a test: none ends */
	u64 sections[NR_CPUS];
} gp;

/* gp.lock held. */
static void gp_begin(void)
{
	unsigned int cpu;

	gp.begun++;
	for (cpu = 0; cpu < host_nr_cpus; cpu++) {
		gp.sections[cpu] = READ_ONCE(cpu_sections[cpu]);
		gp.waits_for[cpu] = __atomic_load_n(&cpu_owner[cpu], __ATOMIC_SEQ_CST);
	}
}

/* gp.lock held. End the grace period in progress if possible. Returns whether it has ended. */
static bool gp_try_end(void)
{
	unsigned int cpu;

	if (gp.held)
		return false;
	for (cpu = 0; cpu < host_nr_cpus; cpu++) {
		if (!gp.waits_for[cpu])
			continue;
		if (__atomic_load_n(&cpu_owner[cpu], __ATOMIC_ACQUIRE) &&
		    smp_load_acquire(&cpu_sections[cpu]) == gp.sections[cpu])
			return false;
		gp.waits_for[cpu] = false;
	}
	gp.ended = gp.begun;
	return true;
}

/* gp.lock held. Numbers go round, as in RCU. */
static bool gp_reached(u64 moment)
{
	return (s64)(gp.ended - moment) >= 0;
}

/* The next snapshot has this number; nobody waits for a grace period. */
void host_gp_set_next(u64 moment)
{
	hidden_acquire(&gp.lock);
	gp.begun = moment - 1;
	gp.ended = moment - 1;
	hidden_release(&gp.lock);
}

/* As if a CPU were in a section that does not end: no grace period passes. */
void host_gp_hold(bool on)
{
	hidden_acquire(&gp.lock);
	gp.held = on;
	hidden_release(&gp.lock);
}

u64 myalloc_env_gp_snapshot(void)
{
	u64 moment;

	smp_mb();
	hidden_acquire(&gp.lock);
	moment = gp.begun + 1;
	hidden_release(&gp.lock);
	return moment;
}

u64 myalloc_env_gp_start(void)
{
	might_sleep();
	return myalloc_env_gp_snapshot();
}

bool myalloc_env_gp_passed(u64 moment)
{
	bool passed;

	hidden_acquire(&gp.lock);
	for (;;) {
		if (gp.begun != gp.ended && !gp_try_end())
			break;
		if (gp_reached(moment))
			break;
		gp_begin();
	}
	passed = gp_reached(moment);
	hidden_release(&gp.lock);
	smp_mb();
	return passed;
}

void myalloc_env_nap(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	might_sleep();
	nanosleep(&moment, NULL);
}

void myalloc_env_gp_wait(void)
{
	u64 moment = myalloc_env_gp_snapshot();
	const struct host_self *self;
	unsigned int spins = 0;

	might_sleep();
	while (!myalloc_env_gp_passed(moment)) {
		for (self = host_self.outer; self; self = self->outer)
			if (self->pins)
				host_fatal("waits for a grace period on top of CPU %u, which is not preemptible",
					   self->cpu);
		relax(&spins);
	}
}

/* Not on the stack, so that they survive a longjmp(). */
static __thread struct host_self below[HOST_MAX_NEST];
static __thread unsigned int nr_below;

/* Begin another flow of control on top of this one. */
static void begin_flow(unsigned int cpu)
{
	struct host_self *outer = &below[nr_below];

	check_cpu(cpu);
	if (nr_below++ >= HOST_MAX_NEST)
		host_fatal("CPUs nest too deeply");
	self_id();
	*outer = host_self;
	memset(&host_self, 0, sizeof(host_self));
	host_self.outer = outer;
	host_self.points = outer->points;
	set_cpu(cpu);
	self_id();
}

static void end_flow(void)
{
	if (host_self.pins || host_self.nr_held || host_self.cpus_read)
		host_fatal("function left CPU %u with preempt %u, irqs %s, %u locks held",
			   host_self.cpu, host_self.preempt,
			   host_self.irqs_off ? "off" : "on", host_self.nr_held);
	host_self = below[--nr_below];
}

/**
 * host_run_on_cpu() - run a function as a task of a CPU, on top of this thread
 * @cpu: the CPU; may be this one if it is preemptible
 * @fn: the function
 * @arg: its argument
 *
 * Used in host_preempt_point to place the work of another CPU exactly here. With several
 * threads it can deadlock: this flow may hold its CPU while it waits for the other.
 *
 * Context: task.
 */
void host_run_on_cpu(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	begin_flow(cpu);
	fn(arg);
	end_flow();
}

int myalloc_env_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg)
{
	unsigned long flags;
	bool here;

	if (irqs_disabled() || !in_task())
		host_fatal("call on CPU %d with interrupts off or from an interrupt", cpu);
	preempt_disable();
	here = (unsigned int)cpu == host_self.cpu;
	if (here && cpu_online(cpu)) {
		local_irq_save(flags);
		fn(arg);
		local_irq_restore(flags);
		preempt_enable();
		return 0;
	}
	preempt_enable();
	if (!cpu_online(cpu))
		return -ENXIO;
	/* The kernel allows this, but here two threads could wait for each other's CPU. */
	if (!preemptible())
		host_fatal("call on CPU %d while not preemptible", cpu);

	begin_flow(cpu);
#ifdef HOST_FAST
	fn(arg);
#else
	host_enter_hardirq();
	fn(arg);
	host_exit_hardirq();
#endif
	end_flow();
	return 0;
}

static void enter_interrupt(bool nmi)
{
	unsigned int depth = host_self.hardirq + host_self.nmi;

	if (depth >= HOST_MAX_NEST)
		host_fatal("interrupts nest too deeply");
	host_self.saved[depth].irqs_off = host_self.irqs_off;
	host_self.saved[depth].nmi = nmi;
	host_self.saved[depth].preempt = host_self.preempt;
	host_self.saved[depth].nr_held = host_self.nr_held;
	host_irq_disable();
	pin();
	if (nmi)
		host_self.nmi++;
	else
		host_self.hardirq++;
}

static void exit_interrupt(bool nmi)
{
	unsigned int depth = host_self.hardirq + host_self.nmi - 1;

	if (depth >= HOST_MAX_NEST || host_self.saved[depth].nmi != nmi)
		host_fatal("end of an interrupt that did not begin");
	if (!host_self.irqs_off || host_self.preempt != host_self.saved[depth].preempt ||
	    host_self.nr_held != host_self.saved[depth].nr_held)
		host_fatal("interrupt returns with preempt %u (was %u), %u locks (was %u), irqs %s",
			   host_self.preempt, host_self.saved[depth].preempt,
			   host_self.nr_held, host_self.saved[depth].nr_held,
			   host_self.irqs_off ? "off" : "on");
	if (nmi)
		host_self.nmi--;
	else
		host_self.hardirq--;
	unpin();
	if (!host_self.saved[depth].irqs_off)
		host_irq_restore(0);
}

void host_enter_hardirq(void)
{
	if (host_self.irqs_off)
		host_fatal("hard interrupt while interrupts are off");
	enter_interrupt(false);
}

void host_exit_hardirq(void)
{
	exit_interrupt(false);
}

/* Softirqs run with interrupts on, and begin only where softirqs and interrupts are on. */
void host_enter_softirq(void)
{
	if (host_self.irqs_off || host_self.softirq)
		host_fatal("softirq while interrupts are off, or inside a softirq");
	pin();
	host_self.softirq++;
}

void host_exit_softirq(void)
{
	if (host_self.hardirq || host_self.nmi || !host_self.softirq)
		host_fatal("end of a softirq that is not the innermost context");
	host_self.softirq--;
	unpin();
}

void host_enter_nmi(void)
{
	if (host_self.nmi)
		host_fatal("NMI inside an NMI");
	enter_interrupt(true);
}

void host_exit_nmi(void)
{
	exit_interrupt(true);
}

/* --- locks -------------------------------------------------------------------- */

#define HOST_LOCK_MAGIC		0x10c4ed0a
#define HOST_LOCK_IN_IRQ	1u	/* waited for in an interrupt */
#define HOST_LOCK_IRQS_ON	2u	/* held with interrupts enabled */
#define HOST_LOCK_IN_RECLAIM	4u	/* a mutex: waited for while a task reclaims memory */

static unsigned int locks_held;

static void check_lock(const struct host_lock *lock, const char *what)
{
	if (unlikely(lock->magic != HOST_LOCK_MAGIC))
		host_fatal("%s of a lock that was never initialised, or of freed memory", what);
}

void host_lock_init(struct host_lock *lock, const char *name)
{
	/* The memory may contain anything, but a lock that this flow holds is a bug. */
	unsigned int i;

	for (i = 0; i < host_self.nr_held; i++)
		if (host_self.held[i] == lock)
			host_fatal("%s: initialised while held", name);
	lock->magic = HOST_LOCK_MAGIC;
	lock->seen = 0;
	lock->name = name;
	WRITE_ONCE(lock->owner, 0);
}

void host_lock_destroy(struct host_lock *lock)
{
	check_lock(lock, "mutex_destroy()");
	if (READ_ONCE(lock->owner))
		host_fatal("%s: destroyed while held", lock->name);
	lock->magic = 0;
}

static bool take(struct host_lock *lock)
{
	u64 old = 0;

	if (!__atomic_compare_exchange_n(&lock->owner, &old, self_id(), false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	if (host_self.nr_held >= HOST_MAX_HELD)
		host_fatal("%s: more than %d locks held", lock->name, HOST_MAX_HELD);
	host_self.held[host_self.nr_held++] = lock;
	__atomic_fetch_add(&locks_held, 1, __ATOMIC_RELAXED);
	return true;
}

static void take_or_wait(struct host_lock *lock)
{
	unsigned int spins = 0;
	u64 owner;

	while (!take(lock)) {
		owner = READ_ONCE(lock->owner);
		if (owner == host_self.id)
			host_fatal("%s: deadlock: this context holds it already", lock->name);
		if (owner && id_below(owner))
			host_fatal("%s: deadlock: held by the interrupted CPU", lock->name);
		relax(&spins);
	}
}

static void leave(struct host_lock *lock)
{
	unsigned int i;

	if (READ_ONCE(lock->owner) != self_id())
		host_fatal("%s: unlocked by a context that does not hold it", lock->name);
	for (i = host_self.nr_held; i--; )
		if (host_self.held[i] == lock)
			break;
	host_self.nr_held--;
	memmove(&host_self.held[i], &host_self.held[i + 1],
		(host_self.nr_held - i) * sizeof(host_self.held[0]));
	__atomic_fetch_sub(&locks_held, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&lock->owner, 0, __ATOMIC_RELEASE);
}

#ifdef HOST_FAST

void host_raw_lock(struct host_lock *lock)
{
	unsigned int spins = 0;

	while (READ_ONCE(lock->owner) ||
	       __atomic_exchange_n(&lock->owner, 1, __ATOMIC_ACQUIRE))
		relax(&spins);
}

#else

/* Like lockdep: the two uses need not collide to be an error. */
static void mark_use(struct host_lock *lock, unsigned int use)
{
	unsigned int seen = __atomic_or_fetch(&lock->seen, use, __ATOMIC_RELAXED);

	if (unlikely(seen == (HOST_LOCK_IN_IRQ | HOST_LOCK_IRQS_ON)))
		host_fatal("%s: taken in an interrupt, and elsewhere with interrupts enabled",
			   lock->name);
}

void host_raw_lock(struct host_lock *lock)
{
	check_lock(lock, "raw_spin_lock()");
	if (in_nmi())
		host_fatal("%s: waited for in NMI", lock->name);
	preempt_disable();
	take_or_wait(lock);
	if (in_hardirq())
		mark_use(lock, HOST_LOCK_IN_IRQ);
	if (!irqs_disabled())
		mark_use(lock, HOST_LOCK_IRQS_ON);
}

bool host_raw_trylock(struct host_lock *lock)
{
	check_lock(lock, "raw_spin_trylock()");
	preempt_disable();
	if (!take(lock)) {
		preempt_enable();
		return false;
	}
	if (!irqs_disabled())
		mark_use(lock, HOST_LOCK_IRQS_ON);
	return true;
}

void host_raw_unlock(struct host_lock *lock)
{
	check_lock(lock, "raw_spin_unlock()");
	leave(lock);
	preempt_enable();
}

#endif

#ifdef HOST_FAST
#define count_in_reclaim(lock, change)	do { } while (0)
#define check_reclaim()			do { } while (0)
#else
static void count_in_reclaim(const struct host_lock *lock, int change)
{
	if (READ_ONCE(lock->seen) & HOST_LOCK_IN_RECLAIM)
		host_self.in_reclaim += change;
}

/* Like lockdep: the allocation need not reclaim to be an error. */
static void check_reclaim(void)
{
	if (host_self.in_reclaim && !host_self.noio)
		host_fatal("allocation that may reclaim under a mutex that is waited for in reclaim");
}

bool myalloc_env_may_reclaim(void)
{
	return !host_self.noio;
}

unsigned int myalloc_env_noio_save(void)
{
	unsigned int before = host_self.noio;

	host_self.noio = 1;
	return before;
}

void myalloc_env_noio_restore(unsigned int flags)
{
	host_self.noio = flags;
}

void myalloc_env_mutex_in_reclaim(struct mutex *mutex)
{
	__atomic_or_fetch(&mutex->host.seen, HOST_LOCK_IN_RECLAIM, __ATOMIC_RELAXED);
}
#endif

void host_mutex_lock(struct host_lock *lock, const char *file, int line)
{
#ifndef HOST_FAST
	host_might_sleep(file, line);
#endif
	check_lock(lock, "mutex_lock()");
	take_or_wait(lock);
	count_in_reclaim(lock, 1);
}

bool host_mutex_trylock(struct host_lock *lock)
{
	check_lock(lock, "mutex_trylock()");
	if (in_interrupt())
		host_fatal("%s: mutex_trylock() in an interrupt", lock->name);
	if (!take(lock))
		return false;
	count_in_reclaim(lock, 1);
	return true;
}

void host_mutex_unlock(struct host_lock *lock)
{
	check_lock(lock, "mutex_unlock()");
	if (in_interrupt())
		host_fatal("%s: mutex_unlock() in an interrupt", lock->name);
	count_in_reclaim(lock, -1);
	leave(lock);
}

void host_assert_held(struct host_lock *lock, bool held, const char *file, int line)
{
	check_lock(lock, "lockdep_assert_held()");
	if ((READ_ONCE(lock->owner) == self_id()) != held)
		host_fatal("%s:%d: %s is%s held by this context", file, line, lock->name,
			   held ? " not" : "");
}

/* Sum over all threads. */
unsigned int host_locks_held(void)
{
	return READ_ONCE(locks_held);
}

/* --- memory --------------------------------------------------------------------- */

enum live_kind { LIVE_META, LIVE_PERCPU, LIVE_MAP, LIVE_CHUNK };

struct live {
	struct live *next;
	const void *ptr;
	size_t size;
	enum live_kind kind;
	void *caller;
};

#define LIVE_BUCKETS	4096

static struct {
	struct hidden_lock lock;
	unsigned long nr, bytes, chunks;
	struct live *bucket[LIVE_BUCKETS];
} live;

static struct live **live_bucket(const void *ptr)
{
	return &live.bucket[((uintptr_t)ptr * 0x9e3779b97f4a7c15ULL) >> 52];
}

static void live_add(const void *ptr, size_t size, enum live_kind kind, void *caller)
{
	struct live *l = malloc(sizeof(*l)), **b = live_bucket(ptr);

	if (!l)
		host_fatal("out of memory");
	*l = (struct live){ .ptr = ptr, .size = size, .kind = kind, .caller = caller };
	hidden_acquire(&live.lock);
	l->next = *b;
	*b = l;
	if (kind == LIVE_CHUNK) {
		live.chunks++;
	} else {
		live.nr++;
		live.bytes += size;
	}
	hidden_release(&live.lock);
}

static size_t live_remove(const void *ptr, enum live_kind kind)
{
	static const char *const what[] = {
		"metadata", "per-CPU memory", "a mapping", "a chunk"
	};
	struct live **p, *l;
	size_t size;

	hidden_acquire(&live.lock);
	for (p = live_bucket(ptr); (l = *p); p = &l->next)
		if (l->ptr == ptr && l->kind == kind)
			break;
	if (!l) {
		hidden_release(&live.lock);
		host_fatal("free of %p, which is not %s in use", ptr, what[kind]);
	}
	*p = l->next;
	size = l->size;
	if (kind == LIVE_CHUNK) {
		live.chunks--;
	} else {
		live.nr--;
		live.bytes -= size;
	}
	hidden_release(&live.lock);
	free(l);
	return size;
}

unsigned long host_live_allocs(void)
{
	return READ_ONCE(live.nr);
}

unsigned long host_live_bytes(void)
{
	return READ_ONCE(live.bytes);
}

unsigned long host_live_chunks(void)
{
	return READ_ONCE(live.chunks);
}

/* Log all allocations that have not been freed. */
void host_live_dump(void)
{
	static const char *const what[] = { "metadata", "per-CPU", "mapping", "chunk" };
	char symbol[128];
	struct live *l;
	unsigned int i;

	for (i = 0; i < LIVE_BUCKETS; i++)
		for (l = live.bucket[i]; l; l = l->next) {
			myalloc_env_symbol(symbol, sizeof(symbol), (unsigned long)l->caller);
			host_printk("not freed: %s %p, %zu bytes, from %s\n",
				    what[l->kind], l->ptr, l->size, symbol);
		}
}

static struct {
	unsigned long after, calls;
	bool fired;
} fail;

/* Make the k-th internal allocation from now on fail; 0 for none. Resets the counters. */
void host_fail_after(unsigned long k)
{
	__atomic_store_n(&fail.after, k, __ATOMIC_RELAXED);
	__atomic_store_n(&fail.calls, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&fail.fired, false, __ATOMIC_RELAXED);
}

unsigned long host_fail_calls(void)
{
	return READ_ONCE(fail.calls);
}

bool host_fail_fired(void)
{
	return READ_ONCE(fail.fired);
}

bool myalloc_env_should_fail(void)
{
	unsigned long call = __atomic_add_fetch(&fail.calls, 1, __ATOMIC_RELAXED);

	if (call != READ_ONCE(fail.after))
		return false;
	WRITE_ONCE(fail.fired, true);
	return true;
}

/*
 * Allocations of at least this size use mmap, which returns zeroed memory without touching
 * it, so that the metadata of an enormous simulated zone costs only what is used of it.
 */
#define META_MMAP	(8UL << 20)

static size_t mmap_len(size_t size)
{
	return PAGE_ALIGN(size) + 2 * PAGE_SIZE;
}

#ifndef HOST_FAST
u64 host_charged;

void *myalloc_env_zalloc_charged(size_t size, int node)
{
	__atomic_fetch_add(&host_charged, size, __ATOMIC_RELAXED);
	return myalloc_env_zalloc(size, node);
}
#endif

void *myalloc_env_zalloc(size_t size, int node)
{
	void *p;

	might_sleep();
	check_reclaim();
	if (myalloc_env_should_fail())
		return NULL;
	if (size > SIZE_MAX / 2)
		return NULL;
	if (size >= META_MMAP) {
		p = mmap(NULL, mmap_len(size), PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED)
			return NULL;
		p += PAGE_SIZE;
		if (mprotect(p, PAGE_ALIGN(size), PROT_READ | PROT_WRITE))
			host_fatal("mprotect: %s", strerror(errno));
		myalloc_env_poison(p + size, PAGE_ALIGN(size) - size);
	} else {
		if (posix_memalign(&p, L1_CACHE_BYTES, size ? size : 1))
			return NULL;
		memset(p, 0, size);
	}
	live_add(p, size, LIVE_META, __builtin_return_address(0));
	return p;
}

void myalloc_env_free(const void *ptr)
{
	size_t size;

	/* vfree() may sleep. */
	might_sleep();
	if (!ptr)
		return;
	size = live_remove(ptr, LIVE_META);
	if (size >= META_MMAP) {
		myalloc_env_unpoison(ptr + size, PAGE_ALIGN(size) - size);
		munmap((void *)ptr - PAGE_SIZE, mmap_len(size));
	} else {
		free((void *)ptr);
	}
}

/* Allocate 2^order pages for a zone, aligned to their size, zeroed. */
void *host_chunk_alloc(unsigned int order)
{
	size_t size = PAGE_SIZE << order, lead;
	void *p;

	p = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	lead = ALIGN((uintptr_t)p, size) - (uintptr_t)p;
	if (lead)
		munmap(p, lead);
	p += lead;
	munmap(p + size, size - lead);
	live_add(p, size, LIVE_CHUNK, __builtin_return_address(0));
	return p;
}

void host_chunk_free(void *chunk, unsigned int order)
{
	size_t size;

	if (!chunk)
		return;
	size = live_remove(chunk, LIVE_CHUNK);
	if (size != PAGE_SIZE << order)
		host_fatal("chunk of %zu bytes freed as %lu", size, PAGE_SIZE << order);
	/* The addresses may be reused for other allocations. */
	myalloc_env_unpoison(chunk, size);
	munmap(chunk, size);
}

/*
 * The kernel's state of a page: whether other references exist, whether it is bad. Only few pages
 * at a time have a state to record.
 */
#define NOTED_MOST	64

static struct noted_pages {
	struct hidden_lock lock;
	u32 nr;
	const void *page[NOTED_MOST];
} referenced_pages, bad_pages;

static u32 find_noted(const struct noted_pages *noted, const void *addr)
{
	u32 i;

	for (i = 0; i < noted->nr; i++)
		if (noted->page[i] == addr)
			break;
	return i;
}

static bool is_noted(struct noted_pages *noted, const void *addr)
{
	bool found;

	if (likely(!READ_ONCE(noted->nr)))
		return false;
	hidden_acquire(&noted->lock);
	found = find_noted(noted, addr) < noted->nr;
	hidden_release(&noted->lock);
	return found;
}

static void note_page(struct noted_pages *noted, const void *addr, bool set)
{
	u32 i, nr;

	hidden_acquire(&noted->lock);
	nr = noted->nr;
	i = find_noted(noted, addr);
	if (set && i == NOTED_MOST)
		host_fatal("more than %u pages are noted", NOTED_MOST);
	if (set && i == nr) {
		noted->page[i] = addr;
		WRITE_ONCE(noted->nr, nr + 1);
	} else if (!set && i < nr) {
		noted->page[i] = noted->page[nr - 1];
		WRITE_ONCE(noted->nr, nr - 1);
	}
	hidden_release(&noted->lock);
}

bool myalloc_env_page_referenced(const void *addr)
{
	return is_noted(&referenced_pages, addr);
}

bool myalloc_env_page_bad(const void *addr)
{
	return is_noted(&bad_pages, addr);
}

/* Add or remove another reference to the page at @addr. */
void host_page_set_referenced(const void *addr, bool referenced)
{
	note_page(&referenced_pages, addr, referenced);
}

/* Report the page at @addr as bad, or no longer. */
void host_page_set_bad(const void *addr, bool bad)
{
	note_page(&bad_pages, addr, bad);
}

/*
 * Blocks of a chunk are mapped again. Anonymous private memory has one mapping, so a block that is
 * mapped twice becomes memory of a file, with what was in it, and is private again afterwards.
 */
static bool aliasing;

/* Behave like an architecture whose caches alias. */
void host_set_aliasing(bool on)
{
	WRITE_ONCE(aliasing, on);
}

bool myalloc_env_can_map_twice(void)
{
	return !READ_ONCE(aliasing);
}

static void map_at(void *at, size_t size, int flags, int fd, off_t offset)
{
	if (mmap(at, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, offset) != at)
		host_fatal("mmap of %zu bytes at %p: %s", size, at, strerror(errno));
}

void *myalloc_env_map_twice(void *const *blocks, u32 nr, size_t size)
{
	int fd;
	u8 *map;
	u32 i;

	might_sleep();
	if (myalloc_env_should_fail())
		return NULL;
	fd = memfd_create("blocks", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, nr * size))
		host_fatal("memfd of %zu bytes: %s", nr * size, strerror(errno));
	map = mmap(NULL, 2 * nr * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		   -1, 0);
	if (map == MAP_FAILED)
		host_fatal("mmap of %zu bytes: %s", 2 * nr * size, strerror(errno));
	for (i = 0; i < nr; i++) {
		map_at(map + 2 * i * size, size, MAP_SHARED, fd, i * size);
		map_at(map + (2 * i + 1) * size, size, MAP_SHARED, fd, i * size);
		memcpy(map + 2 * i * size, blocks[i], size);
		map_at(blocks[i], size, MAP_SHARED, fd, i * size);
	}
	close(fd);
	live_add(map, 2 * nr * size, LIVE_MAP, __builtin_return_address(0));
	return map;
}

void myalloc_env_unmap_twice(void *map, void *const *blocks, u32 nr, size_t size)
{
	u32 i;

	might_sleep();
	if (live_remove(map, LIVE_MAP) != 2 * nr * size)
		host_fatal("a mapping is removed with another size");
	for (i = 0; i < nr; i++) {
		map_at(blocks[i], size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		memcpy(blocks[i], map + 2 * i * size, size);
	}
	munmap(map, 2 * nr * size);
}

/*
 * Per-CPU areas, allocated in grains of a cache line. Each allocation is followed by a free
 * grain, which is poisoned and so detects overflows.
 */
#define GRAINS	(HOST_PERCPU_UNIT / L1_CACHE_BYTES)

static struct {
	struct hidden_lock lock;
	void *base;
	size_t lowest;
	unsigned long nr;
	unsigned int areas;
	u8 used[GRAINS];
} percpu;

static void percpu_for_all(void *ptr, size_t size, void (*fn)(void *ptr, size_t size))
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		fn(per_cpu_ptr(ptr, cpu), size);
}

static void percpu_close(void *ptr, size_t size)
{
	myalloc_env_poison(ptr, size);
}

static void percpu_open(void *ptr, size_t size)
{
	myalloc_env_unpoison(ptr, size);
	memset(ptr, 0, size);
}

/* Make the areas of possible CPUs accessible; the others fault. */
static void percpu_init(void)
{
	void *area;

	if (!percpu.base) {
		percpu.base = mmap(NULL, NR_CPUS * HOST_PERCPU_UNIT, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (percpu.base == MAP_FAILED)
			host_fatal("no memory for per-CPU areas");
	}
	for (; percpu.areas < host_nr_cpus; percpu.areas++) {
		area = per_cpu_ptr(percpu.base, percpu.areas);
		if (mprotect(area, HOST_PERCPU_UNIT, PROT_READ | PROT_WRITE))
			host_fatal("mprotect: %s", strerror(errno));
		myalloc_env_poison(area, HOST_PERCPU_UNIT);
	}
}

static size_t percpu_find(size_t grains, size_t step)
{
	size_t i, n;

	for (i = ALIGN(percpu.lowest, step); i + grains < GRAINS; i += step) {
		for (n = 0; n <= grains && !percpu.used[i + n]; n++)
			;
		if (n > grains)
			return i;
	}
	return GRAINS;
}

void __percpu *__alloc_percpu(size_t size, size_t align)
{
	size_t grains = DIV_ROUND_UP(size, L1_CACHE_BYTES), at;
	void *ptr;

	might_sleep();
	/* The kernel warns above this size and alignment. */
	if (WARN_ON(!size || size > 32768 || align > PAGE_SIZE || !is_power_of_2(align)))
		return NULL;
	hidden_acquire(&percpu.lock);
	percpu_init();
	at = percpu_find(grains, max_t(size_t, align / L1_CACHE_BYTES, 1));
	if (at == GRAINS) {
		hidden_release(&percpu.lock);
		return NULL;
	}
	/* 1 followed by 0 at its end separates it from the next allocation. */
	memset(&percpu.used[at], 1, grains);
	if (at == percpu.lowest)
		percpu.lowest = at + grains;
	percpu.nr++;
	hidden_release(&percpu.lock);

	ptr = percpu.base + at * L1_CACHE_BYTES;
	percpu_for_all(ptr, size, percpu_open);
	live_add(ptr, size * host_nr_cpus, LIVE_PERCPU, __builtin_return_address(0));
	return ptr;
}

void free_percpu(void __percpu *ptr)
{
	size_t size, at;

	if (!ptr)
		return;
	size = live_remove(ptr, LIVE_PERCPU) / host_nr_cpus;
	percpu_for_all(ptr, size, percpu_close);
	at = (ptr - percpu.base) / L1_CACHE_BYTES;
	hidden_acquire(&percpu.lock);
	memset(&percpu.used[at], 0, DIV_ROUND_UP(size, L1_CACHE_BYTES));
	percpu.lowest = min(percpu.lowest, at);
	percpu.nr--;
	hidden_release(&percpu.lock);
}

void __percpu *myalloc_env_alloc_percpu(size_t size, size_t align)
{
	check_reclaim();
	return myalloc_env_should_fail() ? NULL : __alloc_percpu(size, align);
}

void myalloc_env_free_percpu(void __percpu *ptr)
{
	free_percpu(ptr);
}

/* Must be called before anything is allocated. */
void host_set_nr_cpus(unsigned int nr)
{
	if (!nr || nr > NR_CPUS)
		host_fatal("%u CPUs: 1 to %d are possible", nr, NR_CPUS);
	if (nr == host_nr_cpus)
		return;
	if (percpu.nr)
		host_fatal("number of CPUs changed while per-CPU memory is in use");
	if (host_self.cpu >= nr)
		host_set_cpu(0);
	host_nr_cpus = nr;
	all_online();
}

/* --- who calls -------------------------------------------------------------------- */

#define MAX_STACKS	4096

struct stack {
	u32 nr;
	void *entry[MYALLOC_ENV_STACK_DEPTH];
};

static struct {
	struct hidden_lock lock;
	struct stack slot[MAX_STACKS];
} stacks;

int myalloc_env_stack_init(void)
{
	might_sleep();
	return 0;
}

/* The handle is the number of the slot + 1; 0 if the table is full. */
noinline u32 myalloc_env_stack_save(unsigned long caller)
{
	void *all[MYALLOC_ENV_STACK_OWN + MYALLOC_ENV_STACK_DEPTH + 1], **entry = all;
	u32 i, hash = 0, handle = 0, tries;
	int nr, own;

	if (in_nmi())
		return 0;
	nr = backtrace(all, ARRAY_SIZE(all)) - 1;
	if (nr <= 0)
		return 0;
	/* entry[0] is this function. */
	for (own = 1; own <= nr && (unsigned long)all[own] != caller; own++)
		;
	if (own <= nr) {
		entry = all + own - 1;
		nr -= own - 1;
	}
	nr = min(nr, (int)MYALLOC_ENV_STACK_DEPTH);
	for (i = 1; i <= (u32)nr; i++)
		hash = (rol32(hash, 5) ^ (u32)(uintptr_t)entry[i]) * 0x9e3779b1;
	hidden_acquire(&stacks.lock);
	for (tries = 0; tries < 64 && !handle; tries++) {
		struct stack *s = &stacks.slot[(hash + tries) % MAX_STACKS];

		if (!s->nr) {
			memcpy(s->entry, entry + 1, nr * sizeof(entry[0]));
			smp_store_release(&s->nr, nr);	/* pairs with reads by the handle alone */
		}
		if (s->nr == (u32)nr && !memcmp(s->entry, entry + 1, nr * sizeof(entry[0])))
			handle = s - stacks.slot + 1;
	}
	hidden_release(&stacks.lock);
	return handle;
}

unsigned long myalloc_env_stack_first(u32 handle)
{
	if (!handle)
		return 0;
	if (handle > MAX_STACKS || !smp_load_acquire(&stacks.slot[handle - 1].nr))
		host_fatal("no stack has the handle %u", handle);
	return (unsigned long)stacks.slot[handle - 1].entry[0];
}

int myalloc_env_stack_format(u32 handle, char *buf, size_t size)
{
	char symbol[128];
	int n = 0;
	u32 i;

	buf[0] = '\0';
	if (!handle)
		return 0;
	if (handle > MAX_STACKS || !stacks.slot[handle - 1].nr)
		host_fatal("no stack has the handle %u", handle);
	for (i = 0; i < stacks.slot[handle - 1].nr; i++) {
		myalloc_env_symbol(symbol, sizeof(symbol),
				   (unsigned long)stacks.slot[handle - 1].entry[i]);
		n += scnprintf(buf + n, size - n, " %s\n", symbol);
	}
	return n;
}

void myalloc_env_stack_print(u32 handle)
{
	char text[1024];

	if (myalloc_env_stack_format(handle, text, sizeof(text)))
		host_printk("%s", text);
}

/* Only exported names of the program are known; other addresses are printed as numbers. */
int myalloc_env_symbol(char *buf, size_t size, unsigned long ip)
{
	Dl_info info;

	if (dladdr((void *)ip, &info) && info.dli_sname)
		return scnprintf(buf, size, "%s+0x%lx", info.dli_sname,
				 ip - (unsigned long)info.dli_saddr);
	return scnprintf(buf, size, "0x%lx", ip);
}

u32 myalloc_env_pid(void)
{
	return in_task() ? (u32)syscall(SYS_gettid) : 0;
}

void myalloc_env_who(char *buf, size_t size)
{
	char name[16] = "", *c;

	prctl(PR_GET_NAME, name);
	scnprintf(buf, size, "pid %d (%.15s) in %s", (int)syscall(SYS_gettid), name,
		  in_nmi() ? "an NMI" : in_hardirq() ? "a hard interrupt" :
		  in_serving_softirq() ? "a soft interrupt" : "a task");
	for (c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* --- time and chance ----------------------------------------------------------------- */

static u64 fake_clock;
static u64 random_state = 1;

/* Stop the clock at @ns; 0 for the real clock. */
void host_set_clock(u64 ns)
{
	__atomic_store_n(&fake_clock, ns, __ATOMIC_RELAXED);
}

static bool ratelimit;

/* Limit reports as a kernel does. Default: each is printed. */
void host_set_ratelimit(bool on)
{
	__atomic_store_n(&ratelimit, on, __ATOMIC_RELAXED);
}

bool myalloc_env_ratelimit(void)
{
	return READ_ONCE(ratelimit);
}

u64 myalloc_env_now_ns(void)
{
	u64 fake = READ_ONCE(fake_clock);
	struct timespec ts;

	if (fake)
		return fake;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void host_set_seed(u64 seed)
{
	__atomic_store_n(&random_state, seed, __ATOMIC_RELAXED);
}

/* splitmix64: in one thread the same seed gives the same numbers. */
u64 myalloc_env_seed(void)
{
	u64 x = __atomic_add_fetch(&random_state, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

u32 myalloc_env_random(void)
{
	return myalloc_env_seed() >> 32;
}

/* --- between tests --------------------------------------------------------------------- */

/**
 * host_check_clean() - check that a test left this thread and the environment clean
 *
 * Context: task.
 * Return: NULL, or a description of what is wrong.
 */
const char *host_check_clean(void)
{
	static char text[200];

	if (host_self.hardirq || host_self.softirq || host_self.nmi)
		return "test ends in an interrupt";
	if (host_self.irqs_off)
		return "test ends with interrupts off";
	if (host_self.nr_held) {
		scnprintf(text, sizeof(text), "test ends with a lock held: %s",
			  host_self.held[host_self.nr_held - 1]->name);
		return text;
	}
	if (host_self.cpus_read)
		return "test ends with cpus_read_lock() held";
	if (host_self.preempt)
		return "test ends with preemption disabled";
	if (host_locks_held())
		return "test ends with a lock held by another thread";
	if (host_warn_count() != host_log.expected) {
		scnprintf(text, sizeof(text), "test warned %lu times, %lu expected",
			  host_warn_count(), host_log.expected);
		return text;
	}
	return NULL;
}

/* Release the locks and the CPU of a flow that a longjmp() has left. */
static void abandon(struct host_self *self)
{
	while (self->nr_held) {
		__atomic_fetch_sub(&locks_held, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&self->held[--self->nr_held]->owner, 0, __ATOMIC_RELEASE);
	}
	__atomic_fetch_sub(&cpus_readers, self->cpus_read, __ATOMIC_RELEASE);
	if (self->pins)
		__atomic_store_n(&cpu_owner[self->cpu], 0, __ATOMIC_RELEASE);
}

/* Return to task context with nothing held, also after a longjmp() out of a test. */
void host_abandon(void)
{
	abandon(&host_self);
	while (nr_below)
		abandon(&below[--nr_below]);
	memset(&host_self, 0, sizeof(host_self));
}

/*
 * Reset to the initial state: task context on CPU 0, nothing held, no hook, no failures,
 * the real clock, an empty log.
 */
void host_reset(void)
{
	host_abandon();
	WRITE_ONCE(host_preempt_point, NULL);
	host_point_depth = 1;
	host_step_hook = NULL;
	host_trace_hook = NULL;
	host_trace_only = NULL;
	host_unchecked_wait(false);
	host_set_fatal_signal(false);
	host_fail_after(0);
	host_set_clock(0);
	host_set_ratelimit(false);
	host_set_aliasing(false);
	WRITE_ONCE(referenced_pages.nr, 0);
	WRITE_ONCE(bad_pages.nr, 0);
	all_online();
	if (!percpu.nr)
		host_set_nr_cpus(DEFAULT_CPUS);
	host_log_reset();
	host_log.warns = 0;
	host_log.expected = 0;
}

/**
 * host_dies() - check that a function ends the program with the expected message
 * @fn: called in a child process
 * @arg: its argument
 * @message: must be part of what the child writes to stderr or its log
 *
 * Context: task.
 * Return: true if it does.
 */
bool host_dies(void (*fn)(void *arg), void *arg, const char *message)
{
	char text[64 << 10];
	size_t len = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	fflush(NULL);
	if (pipe(fds))
		host_fatal("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		host_fatal("fork: %s", strerror(errno));
	if (!pid) {
		static const int sigs[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE };
		unsigned int i;

		dying = true;
		host_on_fatal = NULL;
		if (__sanitizer_set_death_callback)
			__sanitizer_set_death_callback(NULL);
		/* SIGSEGV belongs to the sanitizer, whose report may contain @message. */
		for (i = 0; i < ARRAY_SIZE(sigs); i++)
			if (sigs[i] == SIGABRT || !__sanitizer_print_stack_trace)
				signal(sigs[i], SIG_DFL);
		close(fds[0]);
		dup2(fds[1], STDERR_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		host_log_echo(true);
		fn(arg);
		fputs("(did not die)\n", stderr);
		_exit(0);
	}
	close(fds[1]);
	while (len < sizeof(text) - 1 &&
	       (n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = '\0';
	close(fds[0]);
	if (waitpid(pid, &status, 0) != pid)
		host_fatal("waitpid: %s", strerror(errno));
	if (status && strstr(text, message))
		return true;
	host_printk("should have died with \"%s\", status %#x, wrote:\n%s\n", message, status,
		    text);
	return false;
}

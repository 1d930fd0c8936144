/* SPDX-License-Identifier: GPL-2.0 */
/* The clock of single operations, for benchmarks that time each operation separately */
#ifndef MYALLOC_BENCH_WATCH_H
#define MYALLOC_BENCH_WATCH_H

#include "bench/run.h"
#include "compat.h"

/**
 * struct watch - the longest of a series of operations
 * @irq: whether interrupts were on
 * @start: when the operation began, ns
 * @longest_ns: the longest so far
 * @longest_cycles: likewise
 * @from: cycle counter at the beginning
 * @masked: interrupts are off during an operation
 */
struct watch {
	unsigned long irq;
	u64 start;
	u64 longest_ns;
	u64 longest_cycles;
	u64 from;
	bool masked;
};

static __always_inline void watch_start(struct watch *watch)
{
	if (watch->masked)
		local_irq_save(watch->irq);
	watch->start = myalloc_env_now_ns();
	watch->from = myalloc_compat_cycles();
	barrier();
}

static __always_inline void watch_stop(struct watch *watch)
{
	u64 end, cycles;

	barrier();
	cycles = myalloc_compat_cycles() - watch->from;
	end = myalloc_env_now_ns();
	if (watch->masked)
		local_irq_restore(watch->irq);
	if (end > watch->start)
		watch->longest_ns = max(watch->longest_ns, end - watch->start);
	watch->longest_cycles = max(watch->longest_cycles, cycles);
}

static inline void watch_end(struct bench_work *w, const struct watch *watch)
{
	const struct bench_run *run = w->run;

	w->own_ns = watch->longest_ns > run->clock_ns ? watch->longest_ns - run->clock_ns : 1;
	w->own_cycles = watch->longest_cycles > run->clock_cycles ?
			watch->longest_cycles - run->clock_cycles : 0;
}

/* Start the clock of an operation that may be called with interrupts off. */
static inline struct watch watch_masked(void)
{
	return (struct watch){ .masked = true };
}

/* On PREEMPT_RT the locks of the kernel's own allocators sleep. */
static inline struct watch watch_kernel(void)
{
	return (struct watch){ .masked = !IS_ENABLED(CONFIG_PREEMPT_RT) };
}

static inline struct watch watch_task(void)
{
	return (struct watch){ .masked = false };
}

#endif /* MYALLOC_BENCH_WATCH_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPUs of the host for programs whose threads come and go; included by env.h
 *
 * Each thread takes a slot, which is its CPU, and gives it back at its end. Most slots belong to
 * one thread at a time; when all of these are taken, further threads share the last few, each
 * under its lock. See lib/host_malloc/threads.c for the theory.
 */
#ifndef MYALLOC_ENV_THREADS_H
#define MYALLOC_ENV_THREADS_H

#define HOST_SLOTS	64	/* CPUs */
#define HOST_SHARED	8	/* of them, the last ones, are shared by any number of threads */

/**
 * struct host_slot - a CPU
 * @sections: grows at the begin and at the end of each section with preemption off, so it is odd
 *	inside; written by the thread that has the CPU
 * @lock: held by the thread that works on a shared slot, and by one that has stopped the slot
 * @taken: belongs to a thread; under the lock of all slots
 */
struct host_slot {
	u64 sections;
	u32 lock;
	bool taken;
} __aligned(L1_CACHE_BYTES);

/**
 * struct host_self - a thread
 * @own: its slot; NULL if it has none yet, or shares one
 * @offset: from a per-CPU pointer to this CPU's copy
 * @cpu: number of the CPU
 * @pins: depth of sections with preemption off
 * @slow: raw locks taken since host_malloc looked last
 * @shared: the slot that it shares, or NULL
 * @ended: its destructors have run
 */
struct host_self {
	struct host_slot *own;
	unsigned long offset;
	unsigned int cpu;
	unsigned int pins;
	unsigned int slow;
	struct host_slot *shared;
	bool ended;
};

extern __thread struct host_self host_self __attribute__((tls_model("initial-exec")));

void host_pin_slow(void);
void host_unpin_slow(void);

#define host_count_slow()	((void)host_self.slow++)

/* Who stops the slot makes a full barrier of the one here (threads.c). */
static __always_inline void host_pin(void)
{
	struct host_slot *own = host_self.own;

	if (host_self.pins++) {
		barrier();
		return;
	}
	if (likely(own)) {
		WRITE_ONCE(own->sections, own->sections + 1);
		barrier();
		if (likely(!READ_ONCE(own->lock)))
			return;
	}
	host_pin_slow();
}

static __always_inline void host_unpin(void)
{
	struct host_slot *own = host_self.own;

	barrier();
	if (--host_self.pins)
		return;
	if (likely(own))
		smp_store_release(&own->sections, own->sections + 1);
	else
		host_unpin_slow();
}

#endif /* MYALLOC_ENV_THREADS_H */

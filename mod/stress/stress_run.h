/* SPDX-License-Identifier: GPL-2.0 */
/* Internal header of a stress run, shared by the files of this folder. */
#ifndef MYALLOC_STRESS_RUN_H
#define MYALLOC_STRESS_RUN_H

#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "base/histogram.h"
#include "base/pattern.h"
#include "base/random.h"
#include "device/job.h"
#include "front/heap.h"
#include "front/pool.h"
#include "zone/zone.h"

/* One in STRESS_SAMPLE single operations is timed, because reading the clock costs time. */
#define STRESS_SAMPLE	8

/* One step in BULK_ONE_IN is a bulk operation, of 2 to BULK_MAX allocations. */
#define BULK_ONE_IN	32
#define BULK_MAX	16

/* One allocation in ZERO_ONE_IN requests zeroed memory. */
#define ZERO_ONE_IN	16

/* One failure in WAIT_ONE_IN is retried with MYALLOC_MAY_WAIT, which drains every CPU. */
#define WAIT_ONE_IN	16

/* Numbers of the kinds of allocation: orders first, then sizes. */
#define STRESS_WHAT_SIZES	16
#define STRESS_WHATS		(STRESS_WHAT_SIZES + MYALLOC_STRESS_SIZES_MAX)

static_assert(MYALLOC_NR_ORDERS <= STRESS_WHAT_SIZES);
static_assert(MYALLOC_NR_ORDERS == MYALLOC_ORDERS);
static_assert(MYALLOC_STRESS_SIZES_MAX <= MYALLOC_CHOICE_MAX);
static_assert(MYALLOC_NR_ORDERS <= MYALLOC_CHOICE_MAX);

/**
 * struct stress_what - a kind of allocation
 * @cache: cache of the objects; NULL: pages, or @any
 * @pool: object pool of the objects, whose cache is @cache; or NULL
 * @order: log2 of pages
 * @bytes: usable bytes; 0: this number is unused
 * @charge: bytes of the zone that one takes; for an object its share of a slab
 * @any: of any size up to @bytes: see stress_sizes.c
 */
struct stress_what {
	struct myalloc_cache *cache;
	struct myalloc_pool *pool;
	u32 order;
	u32 bytes;
	u32 charge;
	bool any;
};

/**
 * struct stress_item - an allocation of a thread
 * @addr: its address
 * @identity: unique in the run, see stress_identity()
 */
struct stress_item {
	void *addr;
	u64 identity;
};

/*
 * 63    56 55    48 47                   0
 * [ what  ][ thread ][ number, from 1 on  ]
 */
#define STRESS_NUMBER_BITS	48

static_assert(MYALLOC_STRESS_THREADS_MAX <= 256);
static_assert(STRESS_WHATS <= 256);

static inline u64 stress_identity(u32 what, u32 thread, u64 number)
{
	return (u64)what << 56 | (u64)thread << STRESS_NUMBER_BITS | number;
}

static inline u32 stress_identity_what(u64 identity)
{
	return identity >> 56;
}

static inline u32 stress_identity_thread(u64 identity)
{
	return (identity >> STRESS_NUMBER_BITS) & 0xff;
}

static inline u64 stress_identity_number(u64 identity)
{
	return identity & (BIT_ULL(STRESS_NUMBER_BITS) - 1);
}

/**
 * struct stress_hold - the allocations of a thread in one family: pages or objects
 * @item: the allocations, in no order
 * @nr: number of allocations
 * @max: size of @item
 * @live: bytes of the zone they take
 * @target: the value that @live reaches and does not pass
 * @first: number of the first what of this family
 * @choice: the mix
 */
struct stress_hold {
	struct stress_item *item;
	u32 nr;
	u32 max;
	u64 live;
	u64 target;
	u32 first;
	const struct myalloc_choice *choice;
};

enum stress_family {
	STRESS_PAGES,
	STRESS_OBJECTS,
	STRESS_FAMILIES
};

enum stress_count {
	STRESS_OPS,
	STRESS_PAGE_ALLOCS,
	STRESS_PAGE_FREES,
	STRESS_OBJ_ALLOCS,
	STRESS_OBJ_FREES,
	STRESS_FAIL_NOMEM,
	STRESS_FAIL_TARGET,
	STRESS_VERIFY_ERRORS,
	STRESS_FREE_ERRORS,
	STRESS_COUNTS
};

enum stress_timer {
	STRESS_PAGE_ALLOC_NS,
	STRESS_PAGE_FREE_NS,
	STRESS_OBJ_ALLOC_NS,
	STRESS_OBJ_FREE_NS,
	STRESS_TIMERS
};

/* Allocations that the consumer of a ring keeps, so that it frees out of order. */
#define STRESS_WINDOW	256

/**
 * struct stress_ring - from the allocating thread to the freeing thread (CROSS)
 * @slot: @mask + 1 slots
 * @mask: number of slots - 1, a power of two less one
 * @target: bytes of the zone to keep between the two
 * @wait: either end, while it cannot proceed
 * @head: slots ever filled; written by the producer
 * @made: bytes ever sent; written by the producer
 * @closed: the producer has ended
 * @tail: slots ever emptied; written by the consumer
 * @freed: bytes ever freed; written by the consumer
 */
struct stress_ring {
	struct stress_item *slot;
	u32 mask;
	u64 target;
	wait_queue_head_t wait;

	u32 head ____cacheline_aligned;
	u64 made;
	bool closed;

	u32 tail ____cacheline_aligned;
	u64 freed;
};

/**
 * struct stress_records - the ring of the kind RING
 * @ring: the ring; NULL for other kinds
 * @wait: either side, while it cannot proceed
 * @producers: threads that have not produced their last record
 * @last: number of the last record of each thread that was read; only the consumer uses it
 */
struct stress_records {
	struct myalloc_ring *ring;
	wait_queue_head_t wait;
	atomic_t producers;
	u64 last[MYALLOC_STRESS_THREADS_MAX];
};

/**
 * struct stress_thread - one thread
 * @run: the run
 * @index: its number, from 0
 * @cpu: CPU it is bound to
 * @task: the kernel thread, with a reference
 * @random: stream of all its choices
 * @number: number of its last allocation
 * @cramped: an item array was too small in this round (EXHAUST)
 * @calls: single operations, to time one in STRESS_SAMPLE
 * @count: by enum stress_count; written by this thread only
 * @ops_ns: time from the start of the run to the end of its operations, 0 before; likewise
 * @hold: pages and objects it holds
 * @ring: shared with its partner (CROSS), or NULL
 * @ns: by enum stress_timer
 */
struct stress_thread {
	struct myalloc_stress_run *run;
	u32 index;
	u32 cpu;
	struct task_struct *task;
	struct myalloc_random random;
	u64 number;
	bool cramped;
	u32 calls[STRESS_TIMERS];
	u64 count[STRESS_COUNTS];
	u64 ops_ns;
	struct stress_hold hold[STRESS_FAMILIES];
	struct stress_ring *ring;
	struct myalloc_histogram ns[STRESS_TIMERS];
};

/**
 * struct stress_gate - barrier at which all threads wait for each other (EXHAUST)
 * @lock: protects the members below
 * @wait: threads that have arrived
 * @expected: number of threads that take part
 * @arrived: number of threads that wait
 * @round: times it has opened
 */
struct stress_gate {
	spinlock_t lock;	/* protects expected, arrived, round */
	wait_queue_head_t wait;
	u32 expected;
	u32 arrived;
	u32 round;
};

/**
 * struct stress_others - activity of other users of the zone
 * @page_allocs: blocks ever allocated, by all users
 * @page_frees: blocks ever freed, by all users
 * @caches: caches that do not belong to the run
 * @object_ops: objects ever allocated and freed in them
 * @chunks: chunks that the reserve ever took and gave back
 */
struct stress_others {
	u64 page_allocs;
	u64 page_frees;
	u64 caches;
	u64 object_ops;
	u64 chunks;
};

/**
 * struct myalloc_stress_run - see stress.c for the theory
 * @job: the common part; its zone is the one under test
 * @params: parameters with every default filled in
 * @verify: fill and check memory
 * @what: kinds of allocation, by number
 * @heap: the heap of the kind HEAP, or NULL
 * @pool: the object pool of the kind POOL, or NULL
 * @records: for RING
 * @choice: the mix of each family
 * @cpu: allowed CPUs
 * @nr_cpus: number of allowed CPUs
 * @nr_threads: entries of @thread
 * @thread: the threads
 * @ring: one for each pair of threads, or NULL
 * @bytes: memory used by the run itself
 * @running: threads that have not ended
 * @wait: the coordinator
 * @gate: for EXHAUST
 * @exhausted: times the last page was reached; written by thread 0
 * @error_claimed: a thread has claimed the first error
 * @error_told: @error is complete
 * @error: message of the first error
 * @before: the statistics before the run, drained
 * @others: activity of other users before the run
 * @peak_pages: most pages out of the buddy that were sampled; this and the members below are
 *	protected by the lock of @job
 * @record: the last record
 * @result: complete when the run has finished
 * @merged: scratch, for merging the histograms of all threads
 */
struct myalloc_stress_run {
	struct myalloc_job job;
	struct myalloc_stress params;
	bool verify;
	struct stress_what what[STRESS_WHATS];
	struct myalloc_heap *heap;
	struct myalloc_pool *pool;
	struct stress_records records;
	struct myalloc_choice choice[STRESS_FAMILIES];
	u32 cpu[MYALLOC_STRESS_THREADS_MAX];
	u32 nr_cpus;
	u32 nr_threads;
	struct stress_thread *thread[MYALLOC_STRESS_THREADS_MAX];
	struct stress_ring *ring[MYALLOC_STRESS_THREADS_MAX / 2];
	size_t bytes;

	atomic_t running;
	wait_queue_head_t wait;
	struct stress_gate gate;
	u64 exhausted;
	atomic_t error_claimed;
	bool error_told;
	char error[sizeof_field(struct myalloc_stress_result, first_error)];

	struct myalloc_zone_stats before;
	struct stress_others others;

	u64 peak_pages;
	struct myalloc_stress_progress record;
	struct myalloc_stress_result result;
	struct myalloc_histogram merged;
};

static inline struct myalloc_stress_run *to_stress(struct myalloc_job *job)
{
	return container_of(job, struct myalloc_stress_run, job);
}

/* --- statistics of a thread ------------------------------------------------ */

static inline void stress_count(struct stress_thread *t, enum stress_count which)
{
	WRITE_ONCE(t->count[which], t->count[which] + 1);
}

static inline bool stress_stopped(const struct stress_thread *t)
{
	return myalloc_job_stopped(&t->run->job);
}

/* No operations left, or no time. */
static inline bool stress_ended(const struct stress_thread *t)
{
	u64 ops = t->run->params.ops;

	return stress_stopped(t) || (ops && t->count[STRESS_OPS] >= ops);
}

/* Start of each operation. */
static inline void stress_begin_op(struct stress_thread *t)
{
	stress_count(t, STRESS_OPS);
	cond_resched();
}

static inline u64 stress_elapsed_ns(const struct myalloc_stress_run *run)
{
	return ktime_to_ns(ktime_sub(ktime_get(), run->job.start));
}

/*
 * End of the operations of a thread, before it frees what it holds. Only the first call of a thread
 * counts: a kind that frees in its own function calls this there.
 */
static inline void stress_end_ops(struct stress_thread *t)
{
	if (!t->ops_ns)
		WRITE_ONCE(t->ops_ns, max_t(u64, stress_elapsed_ns(t->run), 1));
}

static inline u64 stress_clock_start(struct stress_thread *t, enum stress_timer timer)
{
	return t->calls[timer]++ % STRESS_SAMPLE ? 0 : myalloc_env_now_ns();
}

static inline void stress_clock_stop(struct stress_thread *t, enum stress_timer timer, u64 start)
{
	u64 now;

	if (!start)
		return;
	now = myalloc_env_now_ns();
	/* The fast clock can step back when it is adjusted. */
	myalloc_histogram_add(&t->ns[timer], now > start ? now - start : 0);
}

/* Should a failed allocation be retried with MYALLOC_MAY_WAIT? */
static inline bool stress_insist(struct stress_thread *t)
{
	return t->run->params.kind != MYALLOC_STRESS_EXHAUST &&
	       myalloc_random_one_in(&t->random, WAIT_ONE_IN);
}

/* stress_params.c */
int myalloc_stress_settle(struct myalloc_stress_run *run, const struct myalloc_stress *params);

/* stress_thread.c */
int myalloc_stress_thread(void *arg);
void myalloc_stress_wake(struct myalloc_job *job);

/* stress_tell.c */
__printf(3, 4)
void myalloc_stress_tell(struct stress_thread *t, enum stress_count which, const char *fmt, ...);
void myalloc_stress_tell_damage(struct stress_thread *t, const struct stress_item *item,
				const struct myalloc_damage *damage, const char *when);
void myalloc_stress_tell_free(struct stress_thread *t, u64 identity, int err);

/* stress_sizes.c */
#define STRESS_SIZE_BITS	4	/* numbers that differ only in these have the same size */

u32 stress_size_of(const struct stress_thread *t, u64 identity);
u64 stress_next_size(struct stress_thread *t);
void stress_fill(struct stress_thread *t, const struct stress_item *item);
void stress_verify(struct stress_thread *t, const struct stress_item *item, u32 size,
		   const char *when);
void stress_check_new(struct stress_thread *t, const struct stress_item *item, u32 align,
		      bool zeroed);

/* stress_heap.c */
int myalloc_stress_heap_make(struct myalloc_stress_run *run);
void myalloc_stress_heap_end(struct myalloc_stress_run *run);
void myalloc_stress_heap(struct stress_thread *t);

/* stress_arena.c */
void myalloc_stress_arena(struct stress_thread *t);

/* stress_pool.c */
int myalloc_stress_pool_make(struct myalloc_stress_run *run, u32 each);
void myalloc_stress_pool_end(struct myalloc_stress_run *run);

/* stress_records.c */
int myalloc_stress_records_make(struct myalloc_stress_run *run);
void myalloc_stress_records_end(struct myalloc_stress_run *run);
void myalloc_stress_records(struct stress_thread *t);

/* stress_others.c */
void myalloc_stress_look_at_others(struct myalloc_stress_run *run, struct stress_others *others);
bool myalloc_stress_alone(struct myalloc_stress_run *run);
u64 myalloc_stress_sum(const struct myalloc_stress_run *run, enum stress_count which);

static inline bool stress_has(const struct myalloc_stress_run *run, enum stress_family family)
{
	switch (run->params.kind) {
	case MYALLOC_STRESS_PAGES:
		return family == STRESS_PAGES;
	case MYALLOC_STRESS_OBJECTS:
	case MYALLOC_STRESS_HEAP:	/* allocations of any size are in that hold */
	case MYALLOC_STRESS_ARENA:
		return family == STRESS_OBJECTS;
	case MYALLOC_STRESS_RING:	/* a record is in the ring or in use */
		return false;
	default:
		return true;
	}
}

/* Does the run make allocations of any size, for which the zone may count several blocks? */
static inline bool stress_any_size(const struct myalloc_stress_run *run)
{
	return run->what[STRESS_WHAT_SIZES].any;
}

#endif /* MYALLOC_STRESS_RUN_H */

/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: stress runs, a kind of job.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_STRESS_H
#define _UAPI_MYALLOC_STRESS_H

/*
 * Stress runs
 *
 * MYALLOC_IOC_STRESS_START checks the parameters, starts kernel threads and
 * returns at once. An open file has one run at a time; several files may run
 * at once. The file then becomes readable (poll: POLLIN) once per second and
 * at the end; read() returns whole struct myalloc_stress_progress records, and
 * 0 after the last. Closing the file, or MYALLOC_IOC_STRESS_CANCEL, ends a run
 * early; MYALLOC_IOC_STRESS_RESULT returns its result until the next start.
 */
enum myalloc_stress_kind {
	MYALLOC_STRESS_PAGES = 0,	/* blocks of mixed orders */
	MYALLOC_STRESS_OBJECTS = 1,	/* objects of several caches and sizes */
	MYALLOC_STRESS_MIXED = 2,	/* both at once */
	MYALLOC_STRESS_CROSS = 3,	/* one thread allocates, its partner frees */
	MYALLOC_STRESS_EXHAUST = 4,	/* fill to the last page and empty, repeatedly */
	MYALLOC_STRESS_HEAP = 5,	/* blocks of any size in a heap, which also change it */
	MYALLOC_STRESS_ARENA = 6,	/* pieces of an arena for each thread: marks, rewinds */
	MYALLOC_STRESS_RING = 7,	/* one thread reads the records of all others */
	MYALLOC_STRESS_POOL = 8,	/* objects of a pool, while pages exhaust the zone */
	MYALLOC_STRESS_KINDS
};

#define MYALLOC_STRESS_THREADS_MAX	256
#define MYALLOC_STRESS_SIZES_MAX	16

/**
 * struct myalloc_stress - parameters of a stress run
 * @size: sizeof(struct myalloc_stress) of the caller
 * @kind: enum myalloc_stress_kind
 * @seed: seed of every random choice; 0 chooses one and reports it in the result
 * @threads: 1 to MYALLOC_STRESS_THREADS_MAX (CROSS: even; RING: 2 at least), 0 for one per CPU
 * @flags: MYALLOC_STRESS_*
 * @duration_ms: duration, 0 for no limit of time
 * @ops: operations per thread, 0 for no limit; @duration_ms and @ops must not
 *	both be 0. One call of the allocator is one operation, also a bulk call or
 *	a failed one; frees at the end of a thread do not count. (CROSS: allocations
 *	of the first of each pair; the second frees as many. RING: records of each
 *	producer)
 * @fill_permille: share of the reserve to keep allocated, 1 to 1000; 0 for 500.
 *	EXHAUST ignores it. RING: bytes of the ring, at most a chunk; POOL: of the pool
 * @nr_sizes: entries of @sizes in use, 0 for a default mix of those that fit into the
 *	zone's largest slab; -EINVAL if a given size does not fit. HEAP, ARENA and RING
 *	ignore them and the orders. POOL uses one; 0 for 256
 * @order_weights: relative frequency of each order; if all are 0, each order is half as
 *	frequent as the one below; must be 0 above the reserve's max_order. An order of
 *	which two blocks do not fit in a thread's part of the fill is left out, except
 *	the smallest
 * @sizes: object sizes, each 1 to MYALLOC_OBJECT_MAX, 0 after the last in use
 * @size_weights: relative frequency of each size, 0 after the last in use; all 0 for equal
 * @checks: MYALLOC_CHECK_* for the run's caches, in addition to the module's own
 * @reserved: zero
 * @cpus: bit n: threads may run on CPU n; all zero for every online CPU
 * @id: out: number of the run
 * @need_bytes: out, also with -ENOMEM: system memory that the run needs for its lists
 * @left_bytes: out, likewise: system memory that could have been taken
 */
struct myalloc_stress {
	__u32 size;
	__u32 kind;
	__u64 seed;
	__u32 threads;
	__u32 flags;
	__u64 duration_ms;
	__u64 ops;
	__u32 fill_permille;
	__u32 nr_sizes;
	__u32 order_weights[MYALLOC_ORDERS];
	__u32 sizes[MYALLOC_STRESS_SIZES_MAX];
	__u32 size_weights[MYALLOC_STRESS_SIZES_MAX];
	__u32 checks;
	__u64 reserved;
	__u64 cpus[4];
	__u64 id;
	__u64 need_bytes;
	__u64 left_bytes;
};

#define MYALLOC_STRESS_NO_VERIFY	(1u << 0)	/* do not fill and verify memory */
#define MYALLOC_STRESS_FLAGS		MYALLOC_STRESS_NO_VERIFY

enum myalloc_stress_state {
	MYALLOC_STRESS_NONE = 0,	/* never started on this file */
	MYALLOC_STRESS_RUNNING = 1,
	MYALLOC_STRESS_DONE = 2,	/* ran to its end */
	MYALLOC_STRESS_CANCELLED = 3,
};

/**
 * struct myalloc_stress_progress - one record of read()
 * @id: number of the run
 * @state: enum myalloc_stress_state
 * @pad: zero
 * @elapsed_ms: time since the start
 * @total_ms: requested duration, 0 if limited by operations
 * @ops: operations so far, all threads
 * @total_ops: requested operations, 0 if limited by time
 * @ops_per_sec: rate since the previous record
 * @fails: allocations that failed so far
 * @errors: verification errors and refused frees so far
 * @live_pages: pages out of the buddy now
 * @nr_pages: capacity
 */
struct myalloc_stress_progress {
	__u64 id;
	__u32 state;
	__u32 pad;
	__u64 elapsed_ms;
	__u64 total_ms;
	__u64 ops;
	__u64 total_ops;
	__u64 ops_per_sec;
	__u64 fails;
	__u64 errors;
	__u64 live_pages;
	__u64 nr_pages;
};

/**
 * struct myalloc_latency - distribution of one operation's time, ns
 * @count: samples
 * @min: minimum
 * @p50: median
 * @p99: 99th percentile
 * @p999: 99.9th percentile
 * @max: maximum
 *
 * min and max are exact, the percentiles are upper bounds of logarithmic
 * buckets with 16 steps per power of two (at most 6.25 % too high).
 */
struct myalloc_latency {
	__u64 count;
	__u64 min;
	__u64 p50;
	__u64 p99;
	__u64 p999;
	__u64 max;
};

/**
 * struct myalloc_stress_result - result of a run
 * @size: sizeof(struct myalloc_stress_result) of the caller
 * @state: enum myalloc_stress_state
 * @id: number of the run
 * @seed: seed in use
 * @kind: enum myalloc_stress_kind
 * @threads: kernel threads that ran
 * @elapsed_ms: wall time
 * @page_allocs: blocks allocated; HEAP: those of whole pages, here and in the next
 * @page_frees: blocks freed
 * @obj_allocs: objects allocated
 * @obj_frees: objects freed
 * @fail_nomem: allocations that failed because the zone had no block
 * @fail_target: allocations skipped because the fill target was reached (CROSS:
 *	times the first of a pair waited for the second)
 * @verify_errors: patterns found damaged on free, memory that was requested zeroed but
 *	was not zero, and damage that the allocator itself reported during the run
 * @free_errors: frees that were refused
 * @exhausted: times the last page was reached (EXHAUST)
 * @peak_pages: most pages out of the buddy during the run: exact if it is the most
 *	since the module was loaded, otherwise sampled ten times a second
 * @end_pages: pages out of the buddy after the run, its own memory freed and drained
 * @start_pages: pages out of the buddy before the run, drained
 * @balanced: 1 if @end_pages equals @start_pages and each order has as many free
 *	blocks as before; otherwise 0. Only meaningful if there were no other users
 *	of the zone during the run: see @shared
 * @shared: 1 if other users changed the zone during the run
 * @validate_errors: broken invariants found by the recount after the run
 * @pad: zero
 * @page_alloc_ns: latency of page allocation. This and the next three sample every
 *	eighth single call of each thread that neither fails, zeroes nor waits, and
 *	include one reading of the clock
 * @page_free_ns: latency of page free
 * @obj_alloc_ns: latency of object allocation
 * @obj_free_ns: latency of object free
 * @first_error: message of the first error, or empty
 * @ops_ns: time from the start until the last thread had ended its operations. @elapsed_ms
 *	includes the frees at the end as well. While a thread has operations left, the time since
 *	the start
 */
struct myalloc_stress_result {
	__u32 size;
	__u32 state;
	__u64 id;
	__u64 seed;
	__u32 kind;
	__u32 threads;
	__u64 elapsed_ms;
	__u64 page_allocs;
	__u64 page_frees;
	__u64 obj_allocs;
	__u64 obj_frees;
	__u64 fail_nomem;
	__u64 fail_target;
	__u64 verify_errors;
	__u64 free_errors;
	__u64 exhausted;
	__u64 peak_pages;
	__u64 end_pages;
	__u64 start_pages;
	__u32 balanced;
	__u32 shared;
	__u32 validate_errors;
	__u32 pad;
	struct myalloc_latency page_alloc_ns;
	struct myalloc_latency page_free_ns;
	struct myalloc_latency obj_alloc_ns;
	struct myalloc_latency obj_free_ns;
	char first_error[160];
	__u64 ops_ns;
};

#define MYALLOC_IOC_STRESS_START	_IOWR(MYALLOC_IOC, 0x30, struct myalloc_stress)
#define MYALLOC_IOC_STRESS_RESULT	_IOWR(MYALLOC_IOC, 0x31, struct myalloc_stress_result)
#define MYALLOC_IOC_STRESS_CANCEL	_IO(MYALLOC_IOC, 0x32)

#endif /* _UAPI_MYALLOC_STRESS_H */

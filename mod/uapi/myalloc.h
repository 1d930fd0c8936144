/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: the interface of /dev/myalloc
 *
 * The device
 *	/dev/myalloc, mode 0600; open needs CAP_SYS_ADMIN. The one channel of
 *	control: the files in /sys/kernel/debug/myalloc only show.
 *
 * What an open file holds
 *	Pages, caches and objects are named by 64-bit handles.
 *	A handle is never an address, is valid only on the open file
 *	description that made it (dup() and fork() share one), is never used
 *	twice, and ends with it: the last close gives everything back, also
 *	after SIGKILL.
 *
 *	All of it together, an object as its share of a slab, is at most
 *	session_quota percent of the reserve, a parameter of the module (94 if
 *	not given): one file cannot take all from those who work in the kernel.
 *	Stress runs and benchmarks are not in it.
 *
 * The descriptor is the capability
 *	CAP_SYS_ADMIN is looked at by open() and not again. Whoever has the
 *	descriptor, after setuid(), by fork() or from another process, can do
 *	all that this file says, as with other files that only open() guards.
 *	A program that gives up its privileges closes it, or keeps it as the
 *	one it wants.
 *
 * Rules for every command
 *	Unknown flag bits, nonzero padding, a count of 0 or above
 *	MYALLOC_BULK_MAX, an order above MYALLOC_MAX_ORDER	-EINVAL
 *	a command that is not in this file			-ENOTTY
 *	a job (stress, benchmarks ...) whose module is not
 *	loaded; stress is in myalloc.ko, benchmarks are in
 *	myalloc_bench.ko					-EOPNOTSUPP
 *	a pointer that cannot be read or written		-EFAULT
 *	a handle that is stale, of another kind or another file's	-ENOENT
 *	memory that is not to be had				-ENOMEM
 *	something that still holds what the command would end	-EBUSY
 *	more handles than MYALLOC_HANDLES_MAX on one file	-ENOSPC
 *	a signal that came during a bulk allocation		-EINTR
 *	more of the reserve than one file may hold		-EDQUOT
 *
 *	Structs that begin with a @size member may grow at the end. The
 *	caller sets it to sizeof() of its own version; an older kernel
 *	refuses nonzero bytes it does not know with -E2BIG, a newer one
 *	takes missing bytes as zero. On return @size is unchanged and no more
 *	than @size bytes were written. Every other struct is fixed; a new
 *	need is a new number.
 *
 *	Bulk commands process handles in order, store how many were done in
 *	@done, and return 0 if all were, otherwise the error of the first one
 *	that was not (with @done and the handles before it valid).
 */
#ifndef _UAPI_MYALLOC_H
#define _UAPI_MYALLOC_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MYALLOC_DEVICE		"/dev/myalloc"

/* Largest order of a block: log2 of pages. Arrays by order have one more. */
#define MYALLOC_MAX_ORDER	10
#define MYALLOC_ORDERS		(MYALLOC_MAX_ORDER + 1)

#define MYALLOC_NAME_MAX	32	/* bytes of a cache's name, with its NUL */
#define MYALLOC_BULK_MAX	4096	/* handles in one bulk command */
#define MYALLOC_HANDLES_MAX	(1u << 20)	/* handles on one open file */

/* Checking levels; the letters are those of SLUB's slab_debug= option. */
#define MYALLOC_CHECK_SANITY	(1u << 0)	/* F: whole-slab consistency on every slow path */
#define MYALLOC_CHECK_REDZONE	(1u << 1)	/* Z: red zones around each object */
#define MYALLOC_CHECK_POISON	(1u << 2)	/* P: free memory holds a pattern */
#define MYALLOC_CHECK_OWNER	(1u << 3)	/* U: call stack of the last alloc and free */
#define MYALLOC_CHECK_ALL	0xfu

/**
 * struct myalloc_info - what does not change while the module is loaded
 * @size: sizeof(struct myalloc_info) of the caller
 * @page_size: bytes in a page
 * @chunk_order: log2 of pages in one chunk of the reserve
 * @max_order: order of the largest block
 * @nr_pages: pages in the reserve
 * @nr_chunks: chunks in the reserve
 * @node: NUMA node asked for, -1 for any
 * @checks: MYALLOC_CHECK_* in force for every cache and for pages
 * @meta_bytes: memory held beside the reserve: frame descriptors, bitmaps,
 *	address map, page magazines (caches add their own, see myalloc_cache_stat)
 * @nr_cpus: possible CPUs
 * @reserved: zero
 */
struct myalloc_info {
	__u32 size;
	__u32 page_size;
	__u32 chunk_order;
	__u32 max_order;
	__u64 nr_pages;
	__u64 nr_chunks;
	__s32 node;
	__u32 checks;
	__u64 meta_bytes;
	__u32 nr_cpus;
	__u32 reserved;
};

/**
 * struct myalloc_stat - the zone's books, one moment
 * @size: sizeof(struct myalloc_stat) of the caller
 * @max_order: orders above this are zero in the arrays
 * @nr_pages: capacity = @free_pages + @cached_pages + @page_pages + @slab_pages
 *	+ @deferred_pages + @quarantined_pages + @bad_pages when nothing is in flight
 * @free_pages: in free blocks of the buddy
 * @cached_pages: in per-CPU magazines and their depots
 * @page_pages: held by page users
 * @slab_pages: held by slabs
 * @deferred_pages: freed where the lock could not be had, not yet back
 * @free_blocks: free blocks of each order in the buddy
 * @cached_blocks: blocks of each order in magazines and depots
 * @unusable: unusable free space index of each order, in 1/1000, as in
 *	mm/vmstat.c: the share of free memory that no block of that order can use
 * @extfrag: fragmentation index of each order, in 1/1000, -1000 where a block
 *	of the order is free
 * @largest_order: order of the largest free block, -1 if none
 * @reserved: zero
 * @page_allocs: blocks handed to page users, by order
 * @page_frees: blocks that came back from page users, by order
 * @page_fails: page allocations that failed, by order
 * @page_hits: of @page_allocs, served from a magazine
 * @nmi_fails: allocations that failed because the lock was held below an NMI
 * @splits: blocks split in two
 * @merges: pairs of blocks merged
 * @bad_frees: wrong frees refused, all causes
 * @corruptions: red zone, poison and metadata damage found
 * @deferred_frees: frees that went through the deferred list
 * @drains: times the per-CPU magazines were drained
 * @peak_pages: most pages out of the buddy at once
 * @nr_caches: caches in existence
 * @reports_suppressed: wrong frees and damage counted above but not printed in the kernel's log
 * @quarantined_pages: freed while lent to the kernel, which has references to them still
 * @quarantines: blocks that ever were such
 * @bad_pages: reported as bad by the machine, and never handed out again
 */
struct myalloc_stat {
	__u32 size;
	__u32 max_order;
	__u64 nr_pages;
	__u64 free_pages;
	__u64 cached_pages;
	__u64 page_pages;
	__u64 slab_pages;
	__u64 deferred_pages;
	__u64 free_blocks[MYALLOC_ORDERS];
	__u64 cached_blocks[MYALLOC_ORDERS];
	__s32 unusable[MYALLOC_ORDERS];
	__s32 extfrag[MYALLOC_ORDERS];
	__s32 largest_order;
	__u32 reserved;
	__u64 page_allocs[MYALLOC_ORDERS];
	__u64 page_frees[MYALLOC_ORDERS];
	__u64 page_fails[MYALLOC_ORDERS];
	__u64 page_hits[MYALLOC_ORDERS];
	__u64 nmi_fails;
	__u64 splits;
	__u64 merges;
	__u64 bad_frees;
	__u64 corruptions;
	__u64 deferred_frees;
	__u64 drains;
	__u64 peak_pages;
	__u64 nr_caches;
	__u64 reports_suppressed;
	__u64 quarantined_pages;
	__u64 quarantines;
	__u64 bad_pages;
};

/* myalloc_page_alloc.flags, myalloc_obj_alloc.flags */
#define MYALLOC_ALLOC_ZERO	(1u << 0)	/* memory reads as zero */
#define MYALLOC_ALLOC_TOPDOWN	(1u << 1)	/* pages only: highest address first */
#define MYALLOC_PAGE_FLAGS	(MYALLOC_ALLOC_ZERO | MYALLOC_ALLOC_TOPDOWN)
#define MYALLOC_OBJ_FLAGS	MYALLOC_ALLOC_ZERO

/**
 * struct myalloc_page_alloc - allocate blocks of pages
 * @order: log2 of pages in each block; ignored and 0 if @nr_pages is not 0
 * @nr_pages: exact number of pages (need not be a power of two), or 0
 * @align_order: log2 of the pages that the block's address is a multiple of;
 *	at most the zone's max_order; the block's own order if smaller
 * @flags: MYALLOC_ALLOC_*
 * @count: blocks wanted, 1 to MYALLOC_BULK_MAX
 * @done: out: blocks allocated
 * @handles: user address of @count __u64
 */
struct myalloc_page_alloc {
	__u32 order;
	__u32 nr_pages;
	__u32 align_order;
	__u32 flags;
	__u32 count;
	__u32 done;
	__u64 handles;
};

/**
 * struct myalloc_free - give back pages or objects by handle
 * @handles: user address of @count __u64
 * @count: 1 to MYALLOC_BULK_MAX
 * @done: out: how many were freed
 */
struct myalloc_free {
	__u64 handles;
	__u32 count;
	__u32 done;
};

/* myalloc_cache_create.flags beside the MYALLOC_CHECK_* bits */
#define MYALLOC_CACHE_ZERO_ALLOC	(1u << 8)	/* objects read as zero when allocated */
#define MYALLOC_CACHE_ZERO_FREE		(1u << 9)	/* every object is cleared when freed */
#define MYALLOC_CACHE_RANDOM		(1u << 10)	/* slots are handed out in random order */
#define MYALLOC_CACHE_NO_MAGAZINE	(1u << 11)	/* no per-CPU magazines */
#define MYALLOC_CACHE_CERTAIN		(1u << 12)	/* of two racing frees one is refused */
#define MYALLOC_CACHE_TRUSTING		(1u << 13)	/* a free looks at the address only */
#define MYALLOC_CACHE_FLAGS	(MYALLOC_CHECK_ALL | MYALLOC_CACHE_ZERO_ALLOC | \
				 MYALLOC_CACHE_ZERO_FREE | MYALLOC_CACHE_RANDOM | \
				 MYALLOC_CACHE_NO_MAGAZINE | MYALLOC_CACHE_CERTAIN | \
				 MYALLOC_CACHE_TRUSTING)

/**
 * struct myalloc_cache_create - make a slab cache
 * @size: sizeof(struct myalloc_cache_create) of the caller
 * @object_size: bytes the user wants, 1 to MYALLOC_OBJECT_MAX
 * @align: alignment in bytes, a power of two up to the page size; 0 for 8
 * @flags: MYALLOC_CHECK_* and MYALLOC_CACHE_*
 * @magazine: objects in a magazine, 0 for the default
 * @reserved: zero
 * @handle: out: the cache's handle
 * @id: out: the cache's number, as in slabinfo and MYALLOC_IOC_CACHE_STAT
 * @pad: zero
 * @name: NUL-terminated, unique in the zone: ASCII letters, digits, '-', '_', '.'
 */
struct myalloc_cache_create {
	__u32 size;
	__u32 object_size;
	__u32 align;
	__u32 flags;
	__u32 magazine;
	__u32 reserved;
	__u64 handle;
	__u32 id;
	__u32 pad;
	char name[MYALLOC_NAME_MAX];
};

#define MYALLOC_OBJECT_MAX	32768

/**
 * struct myalloc_handle - a command that takes one cache handle
 * @handle: the cache
 * @result: out: pages given back (shrink, drain), 0 otherwise
 */
struct myalloc_handle {
	__u64 handle;
	__u64 result;
};

/**
 * struct myalloc_obj_alloc - allocate objects
 * @cache: handle of the cache
 * @handles: user address of @count __u64
 * @count: 1 to MYALLOC_BULK_MAX
 * @flags: MYALLOC_ALLOC_ZERO or 0
 * @done: out: objects allocated
 * @pad: zero
 */
struct myalloc_obj_alloc {
	__u64 cache;
	__u64 handles;
	__u32 count;
	__u32 flags;
	__u32 done;
	__u32 pad;
};

/* myalloc_cache_stat.how */
#define MYALLOC_BY_HANDLE	0	/* @handle names one of this file's caches */
#define MYALLOC_BY_ID		1	/* @id names any cache; -ENOENT if there is none */
#define MYALLOC_NEXT_ID		2	/* the first with a number >= @id; -ENOENT at the end */

/**
 * struct myalloc_cache_stat - one cache's books
 * @size: sizeof(struct myalloc_cache_stat) of the caller
 * @how: MYALLOC_BY_HANDLE, MYALLOC_BY_ID or MYALLOC_NEXT_ID
 * @handle: in, with MYALLOC_BY_HANDLE
 * @id: in or out: the cache's number
 * @object_size: bytes the user asked for
 * @slot_size: bytes an object takes, with red zones and padding
 * @align: alignment of objects, bytes
 * @order: log2 of pages in a slab
 * @objects_per_slab: slots in a slab
 * @flags: MYALLOC_CHECK_* and MYALLOC_CACHE_*
 * @magazine: objects in a magazine, 0 if none
 * @slabs: slabs held
 * @slabs_partial: of them, neither full nor empty
 * @slabs_empty: of them, with every slot free
 * @total_objects: slots in all slabs
 * @live_objects: held by users
 * @cached_objects: in magazines and the depot
 * @deferred_objects: freed where the lock could not be had, not yet back
 * @allocs: objects handed out
 * @frees: objects that came back
 * @fails: allocations that failed
 * @alloc_hits: of @allocs, served by a magazine
 * @free_hits: of @frees, taken by a magazine
 * @refills: magazines filled from slabs
 * @flushes: magazines emptied into slabs
 * @bad_frees: wrong frees refused
 * @corruptions: red zone and poison damage found
 * @meta_bytes: memory beside the slabs: the cache itself and its magazines. Not in it: a
 *	directory and nine files in debugfs, about 8 kB of the kernel's dentries and inodes
 * @waste_bytes: bytes in slabs that no object uses
 * @name: NUL-terminated
 */
struct myalloc_cache_stat {
	__u32 size;
	__u32 how;
	__u64 handle;
	__u32 id;
	__u32 object_size;
	__u32 slot_size;
	__u32 align;
	__u32 order;
	__u32 objects_per_slab;
	__u32 flags;
	__u32 magazine;
	__u64 slabs;
	__u64 slabs_partial;
	__u64 slabs_empty;
	__u64 total_objects;
	__u64 live_objects;
	__u64 cached_objects;
	__u64 deferred_objects;
	__u64 allocs;
	__u64 frees;
	__u64 fails;
	__u64 alloc_hits;
	__u64 free_hits;
	__u64 refills;
	__u64 flushes;
	__u64 bad_frees;
	__u64 corruptions;
	__u64 meta_bytes;
	__u64 waste_bytes;
	char name[MYALLOC_NAME_MAX];
};

/**
 * struct myalloc_validate - recount everything from the ground
 * @errors: out: invariants found broken (0: the structure is sound)
 * @frames: out: frames looked at
 * @slabs: out: slabs looked at
 * @objects: out: object slots looked at
 * @first: out: the first finding in words, with the invariant's number
 */
struct myalloc_validate {
	__u64 errors;
	__u64 frames;
	__u64 slabs;
	__u64 objects;
	char first[160];
};

/**
 * struct myalloc_drain - give back what caches and magazines hold
 * @flags: MYALLOC_DRAIN_*, at least one
 * @pad: zero
 * @pages: out: pages that went back to the buddy
 */
struct myalloc_drain {
	__u32 flags;
	__u32 pad;
	__u64 pages;
};

#define MYALLOC_DRAIN_PAGES	(1u << 0)	/* per-CPU page magazines */
#define MYALLOC_DRAIN_OBJECTS	(1u << 1)	/* every cache's magazines, then its empty slabs */
#define MYALLOC_DRAIN_FLAGS	(MYALLOC_DRAIN_PAGES | MYALLOC_DRAIN_OBJECTS)

/*
 * Stress runs
 *
 * MYALLOC_IOC_STRESS_START checks the parameters, starts kernel threads and
 * returns at once. One run per open file at a time, and several files may run
 * at once. The file then becomes readable (poll: POLLIN) once per second and
 * at the end; read() returns whole struct myalloc_stress_progress records, 0
 * after the last. Closing the file, or MYALLOC_IOC_STRESS_CANCEL, ends a run
 * early; its result stays readable by MYALLOC_IOC_STRESS_RESULT until the next
 * start.
 */
enum myalloc_stress_kind {
	MYALLOC_STRESS_PAGES = 0,	/* blocks of mixed orders */
	MYALLOC_STRESS_OBJECTS = 1,	/* objects of several caches and sizes */
	MYALLOC_STRESS_MIXED = 2,	/* both at once */
	MYALLOC_STRESS_CROSS = 3,	/* one thread allocates, its partner frees */
	MYALLOC_STRESS_EXHAUST = 4,	/* to the last page and back, again and again */
	MYALLOC_STRESS_KINDS
};

#define MYALLOC_STRESS_THREADS_MAX	256
#define MYALLOC_STRESS_SIZES_MAX	16

/**
 * struct myalloc_stress - parameters of a stress run
 * @size: sizeof(struct myalloc_stress) of the caller
 * @kind: enum myalloc_stress_kind
 * @seed: of every random choice; 0 takes one and reports it in the result
 * @threads: 1 to MYALLOC_STRESS_THREADS_MAX (CROSS: even), 0 for one per CPU
 * @flags: MYALLOC_STRESS_*
 * @duration_ms: how long, 0 for no limit of time
 * @ops: operations per thread, 0 for no limit; not both 0. One call of the
 *	allocator is one operation, also for a bulk or a failure; what a thread
 *	frees when it ends is not counted. (CROSS: allocations of the first of
 *	each pair; the second frees as many)
 * @fill_permille: share of the reserve to hold live, 1 to 1000; 0 for 500.
 *	Without a meaning for EXHAUST
 * @nr_sizes: entries of @sizes in use, 0 for a default mix of those that fit into the
 *	zone's largest slab; a size given that does not is -EINVAL
 * @order_weights: relative frequency of each order; all 0 for halving each step;
 *	0 above the reserve's chunk order. Orders of which not two blocks fit in a
 *	thread's part of the fill are left out, but for the smallest
 * @sizes: object sizes, each 1 to MYALLOC_OBJECT_MAX, 0 behind the last in use
 * @size_weights: relative frequency of each size, likewise; all 0 for equal
 * @checks: MYALLOC_CHECK_* for the run's caches beside the module's own
 * @reserved: zero
 * @cpus: bit n: threads may run on CPU n; all zero for every online CPU
 * @id: out: number of the run
 * @need_bytes: out, also with -ENOMEM: memory of the system that the run needs for its lists
 * @left_bytes: out, likewise: memory of the system that could have been taken
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

#define MYALLOC_STRESS_NO_VERIFY	(1u << 0)	/* do not fill and check memory */
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
 * @elapsed_ms: since the start
 * @total_ms: duration asked for, 0 if by operations
 * @ops: operations so far, all threads
 * @total_ops: operations asked for, 0 if by time
 * @ops_per_sec: rate since the record before
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
 * @min: least
 * @p50: median
 * @p99: 99 of 100 are at most this
 * @p999: 999 of 1000 are at most this
 * @max: greatest
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
 * struct myalloc_stress_result - what a run did
 * @size: sizeof(struct myalloc_stress_result) of the caller
 * @state: enum myalloc_stress_state
 * @id: number of the run
 * @seed: seed in force
 * @kind: enum myalloc_stress_kind
 * @threads: kernel threads that ran
 * @elapsed_ms: wall time
 * @page_allocs: blocks allocated
 * @page_frees: blocks freed
 * @obj_allocs: objects allocated
 * @obj_frees: objects freed
 * @fail_nomem: allocations that failed because the zone had no block
 * @fail_target: allocations not tried because the fill target was reached (CROSS:
 *	times the first of a pair waited for the second)
 * @verify_errors: patterns found damaged when freed, memory asked for as zero that
 *	was not, and damage that the allocator itself reported during the run
 * @free_errors: frees that were refused
 * @exhausted: times the last page was reached (EXHAUST)
 * @peak_pages: most pages out of the buddy during the run: exact if it is the most
 *	since the module was loaded, otherwise looked at ten times a second
 * @end_pages: pages out of the buddy after the run, its own memory freed and drained
 * @start_pages: pages out of the buddy, drained, before the run
 * @balanced: 1 if @end_pages equals @start_pages and the free blocks of each
 *	order are those from before; otherwise 0. Only meaningful if nothing else
 *	used the zone meanwhile: @shared
 * @shared: 1 if other users changed the zone during the run
 * @validate_errors: broken invariants found by the recount after the run
 * @pad: zero
 * @page_alloc_ns: latency of page allocation. Here and below: of every eighth single
 *	call of each thread that neither fails, zeroes nor waits; with the time
 *	that one reading of the clock takes
 * @page_free_ns: latency of page free
 * @obj_alloc_ns: latency of object allocation
 * @obj_free_ns: latency of object free
 * @first_error: the first error in words, or empty
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
};

/*
 * Benchmarks
 *
 * A shape is a piece of work, such as "64-byte objects, 100 allocated, then
 * freed in reverse". A side is who does it: this allocator, or one of the
 * kernel's own. A run takes shapes one after the other; of each it repeats
 * rounds in turn (ours, theirs, ours, theirs ...) so that what disturbs one
 * disturbs the other. A round is one stretch of work between two readings of the
 * clock. What comes before the first round that counts is thrown away.
 *
 * The commands are registered by the module myalloc_bench. If it is not loaded each of
 * them is -EOPNOTSUPP; it cannot be removed while an open file has a run, also one that
 * has ended.
 *
 * MYALLOC_IOC_BENCH_SHAPE tells what there is. MYALLOC_IOC_BENCH_START checks the
 * parameters, starts a kernel thread bound to a CPU (and one on each other CPU
 * for shapes that need them) and returns at once. A file has one run at a time,
 * a stress run or a benchmark. As with a stress run the file becomes readable
 * about once per second and at the end; read() then returns whole struct
 * myalloc_bench_progress records, 0 after the last. Closing the file, or
 * MYALLOC_IOC_BENCH_CANCEL, ends a run early, after the round at work; what
 * was measured stays readable by MYALLOC_IOC_BENCH_RESULT until the next start.
 */
#define MYALLOC_BENCH_SHAPES_MAX	512
#define MYALLOC_BENCH_SIDES_MAX		8
#define MYALLOC_BENCH_ROUNDS_MAX	1000
#define MYALLOC_BENCH_OPS_MAX		(1u << 24)
#define MYALLOC_BENCH_NAME		48	/* bytes, with the NUL */
#define MYALLOC_BENCH_WHAT		160
#define MYALLOC_BENCH_SIDE_NAME		16

/* myalloc_bench_shape.unit: what is measured. Each in 1/1000 of the unit. */
enum myalloc_bench_unit {
	MYALLOC_BENCH_NS = 0,		/* time of one operation */
	MYALLOC_BENCH_LONGEST = 1,	/* time of the longest single operation of a round */
	MYALLOC_BENCH_RATIO = 2,	/* a number, less is better */
	MYALLOC_BENCH_BYTES = 3,	/* memory, less is better */
};

/* myalloc_bench_side.flags */
#define MYALLOC_BENCH_OURS	(1u << 0)	/* this allocator */
#define MYALLOC_BENCH_FLOOR	(1u << 1)	/* no allocator: the least such a thing can cost */
#define MYALLOC_BENCH_COST	(1u << 2)	/* the work without an allocator */
#define MYALLOC_BENCH_ASIDE	(1u << 3)	/* shown, but does other work: no ratio */

/**
 * struct myalloc_bench_side - one who does a shape's work
 * @name: NUL-terminated
 * @flags: MYALLOC_BENCH_OURS ... MYALLOC_BENCH_ASIDE
 * @pad: zero
 */
struct myalloc_bench_side {
	char name[MYALLOC_BENCH_SIDE_NAME];
	__u32 flags;
	__u32 pad;
};

/**
 * struct myalloc_bench_shape - what a shape is
 * @size: sizeof(struct myalloc_bench_shape) of the caller
 * @index: in: number of the shape; they begin with 0. -ENOENT if there is none
 * @nr_shapes: how many there are
 * @nr_sides: entries of @side in use, none if this kernel or machine cannot do it
 * @unit: enum myalloc_bench_unit
 * @bytes: size of an object, 0 for pages
 * @order: log2 of pages in a block
 * @batch: how many are allocated before the first is freed
 * @fill_permille: share of the zone that is in use meanwhile
 * @pad: zero
 * @name: words with a / between them, such as "object/64/batch-100/reverse"
 * @what: the same in a sentence
 * @side: who does it
 */
struct myalloc_bench_shape {
	__u32 size;
	__u32 index;
	__u32 nr_shapes;
	__u32 nr_sides;
	__u32 unit;
	__u32 bytes;
	__u32 order;
	__u32 batch;
	__u32 fill_permille;
	__u32 pad;
	char name[MYALLOC_BENCH_NAME];
	char what[MYALLOC_BENCH_WHAT];
	struct myalloc_bench_side side[MYALLOC_BENCH_SIDES_MAX];
};

/* myalloc_bench.cpu */
#define MYALLOC_BENCH_ANY_CPU	0xffffffffu

/**
 * struct myalloc_bench - parameters of a run
 * @size: sizeof(struct myalloc_bench) of the caller
 * @rounds: that count, of each shape and side: 1 to MYALLOC_BENCH_ROUNDS_MAX; 0 for 20
 * @ops: operations in a round, at most MYALLOC_BENCH_OPS_MAX; 0 for as many as take
 *	about a quarter of a ms. Shapes with batches take the next multiple of theirs; those
 *	that churn or measure memory have at most four live objects or pages for each operation,
 *	64 at least, instead of thousands or all that fit
 * @cpu: where to run, MYALLOC_BENCH_ANY_CPU for the first that is online
 * @seed: of every random choice; 0 takes one and reports it in the result
 * @shapes: bit n: shape n; at least one, and none that there is not
 * @flags: zero
 * @pad: zero
 * @id: out: number of the run
 */
struct myalloc_bench {
	__u32 size;
	__u32 rounds;
	__u32 ops;
	__u32 cpu;
	__u64 seed;
	__u64 shapes[MYALLOC_BENCH_SHAPES_MAX / 64];
	__u32 flags;
	__u32 pad;
	__u64 id;
};

/**
 * struct myalloc_bench_progress - one record of read()
 * @id: number of the run
 * @state: enum myalloc_stress_state
 * @shape: number of the shape at work, or of the last one
 * @elapsed_ms: since the start
 * @rounds: rounds done, all shapes and sides
 * @total_rounds: rounds to be done
 */
struct myalloc_bench_progress {
	__u64 id;
	__u32 state;
	__u32 shape;
	__u64 elapsed_ms;
	__u64 rounds;
	__u64 total_rounds;
};

/* myalloc_bench_result.kernel: what this kernel does besides. Those of DEBUG make the
 * figures say nothing about a kernel in use.
 */
#define MYALLOC_BENCH_KASAN		(1u << 0)
#define MYALLOC_BENCH_KCSAN		(1u << 1)
#define MYALLOC_BENCH_KMSAN		(1u << 2)
#define MYALLOC_BENCH_LOCKDEP		(1u << 3)	/* PROVE_LOCKING or DEBUG_LOCK_ALLOC */
#define MYALLOC_BENCH_KMEMLEAK		(1u << 4)
#define MYALLOC_BENCH_COVERAGE		(1u << 5)	/* KCOV or GCOV */
#define MYALLOC_BENCH_DEBUG_VM		(1u << 6)	/* DEBUG_VM or DEBUG_PAGEALLOC */
#define MYALLOC_BENCH_DEBUG_OTHER	(1u << 7)	/* DEBUG_LIST, DEBUG_OBJECTS ... */
#define MYALLOC_BENCH_FAULTS		(1u << 8)	/* of the kernel or of this module */
#define MYALLOC_BENCH_CHECKS		(1u << 9)	/* this module was loaded with checks */
#define MYALLOC_BENCH_DEBUG		0x3ffu
#define MYALLOC_BENCH_INIT_ON_ALLOC	(1u << 16)	/* the kernel's clear what they give */
#define MYALLOC_BENCH_INIT_ON_FREE	(1u << 17)	/* ... and what they get back */
#define MYALLOC_BENCH_RT		(1u << 18)	/* PREEMPT_RT */
#define MYALLOC_BENCH_HARDENED		(1u << 19)	/* SLAB_FREELIST_HARDENED or _RANDOM */
#define MYALLOC_BENCH_UML		(1u << 20)	/* masking interrupts is a system call */

/**
 * struct myalloc_bench_round - one round
 * @ns: time it took, less that of reading the clock
 * @cycles: of the cycle counter, 0 where there is none
 * @ops: operations in it; of shapes that measure no time 0, and @ns is the figure
 *	in 1/1000 of its unit
 */
struct myalloc_bench_round {
	__u64 ns;
	__u64 cycles;
	__u64 ops;
};

/**
 * struct myalloc_bench_figures - a distribution over rounds
 * @min: least
 * @p50: median
 * @p99: 99 of 100 are at most this
 * @max: greatest
 *
 * In 1/1000 of the unit, for one operation.
 */
struct myalloc_bench_figures {
	__u64 min;
	__u64 p50;
	__u64 p99;
	__u64 max;
};

/**
 * struct myalloc_bench_result - what was measured of one side of a shape
 * @size: sizeof(struct myalloc_bench_result) of the caller
 * @shape: in: number of the shape
 * @side: in: number of the side
 * @state: enum myalloc_stress_state, of the run
 * @id: number of the run
 * @seed: seed in force
 * @kernel: MYALLOC_BENCH_KASAN ...
 * @cpu: where it ran
 * @rounds: that were measured; 0 if the shape was not asked for, or could not be
 *	prepared
 * @room: in: entries of @round; out: how many were stored, the lesser of it and @rounds
 * @round: in: user address of @room struct myalloc_bench_round, or 0 if that is 0
 * @error: why @rounds is 0: a positive errno (ENOMEM ...), or 0
 * @pad: zero
 * @fails: allocations that failed meanwhile: if not 0, other work was done than meant
 * @clock_ns: time of reading the clock, already subtracted
 * @clock_cycles: of reading the cycle counter, already subtracted
 * @time: in 1/1000 of the shape's unit
 * @cycles: in 1/1000 cycles; all 0 where there is no counter
 *
 * -ENOENT if there is no such shape or side.
 */
struct myalloc_bench_result {
	__u32 size;
	__u32 shape;
	__u32 side;
	__u32 state;
	__u64 id;
	__u64 seed;
	__u32 kernel;
	__u32 cpu;
	__u32 rounds;
	__u32 room;
	__u64 round;
	__u32 error;
	__u32 pad;
	__u64 fails;
	__u64 clock_ns;
	__u64 clock_cycles;
	struct myalloc_bench_figures time;
	struct myalloc_bench_figures cycles;
};

#define MYALLOC_IOC	0xb5

/* Numbers of jobs, work in the background, in blocks of 16 for each kind. */
#define MYALLOC_IOC_JOBS	0x30
#define MYALLOC_IOC_JOBS_END	0x6f

#define MYALLOC_IOC_INFO		_IOWR(MYALLOC_IOC, 0x00, struct myalloc_info)
#define MYALLOC_IOC_STAT		_IOWR(MYALLOC_IOC, 0x01, struct myalloc_stat)
#define MYALLOC_IOC_VALIDATE		_IOWR(MYALLOC_IOC, 0x02, struct myalloc_validate)
#define MYALLOC_IOC_DRAIN		_IOWR(MYALLOC_IOC, 0x03, struct myalloc_drain)

#define MYALLOC_IOC_PAGE_ALLOC		_IOWR(MYALLOC_IOC, 0x10, struct myalloc_page_alloc)
#define MYALLOC_IOC_PAGE_FREE		_IOWR(MYALLOC_IOC, 0x11, struct myalloc_free)

#define MYALLOC_IOC_CACHE_CREATE	_IOWR(MYALLOC_IOC, 0x20, struct myalloc_cache_create)
#define MYALLOC_IOC_CACHE_DESTROY	_IOWR(MYALLOC_IOC, 0x21, struct myalloc_handle)
#define MYALLOC_IOC_CACHE_SHRINK	_IOWR(MYALLOC_IOC, 0x22, struct myalloc_handle)
#define MYALLOC_IOC_CACHE_DRAIN		_IOWR(MYALLOC_IOC, 0x23, struct myalloc_handle)
#define MYALLOC_IOC_CACHE_STAT		_IOWR(MYALLOC_IOC, 0x24, struct myalloc_cache_stat)
#define MYALLOC_IOC_OBJ_ALLOC		_IOWR(MYALLOC_IOC, 0x28, struct myalloc_obj_alloc)
#define MYALLOC_IOC_OBJ_FREE		_IOWR(MYALLOC_IOC, 0x29, struct myalloc_free)

#define MYALLOC_IOC_STRESS_START	_IOWR(MYALLOC_IOC, 0x30, struct myalloc_stress)
#define MYALLOC_IOC_STRESS_RESULT	_IOWR(MYALLOC_IOC, 0x31, struct myalloc_stress_result)
#define MYALLOC_IOC_STRESS_CANCEL	_IO(MYALLOC_IOC, 0x32)

#define MYALLOC_IOC_BENCH_SHAPE		_IOWR(MYALLOC_IOC, 0x40, struct myalloc_bench_shape)
#define MYALLOC_IOC_BENCH_START		_IOWR(MYALLOC_IOC, 0x41, struct myalloc_bench)
#define MYALLOC_IOC_BENCH_RESULT	_IOWR(MYALLOC_IOC, 0x42, struct myalloc_bench_result)
#define MYALLOC_IOC_BENCH_CANCEL	_IO(MYALLOC_IOC, 0x43)

#endif /* _UAPI_MYALLOC_H */

/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * myalloc: benchmarks, a kind of job provided by the module myalloc_bench.
 * Include myalloc.h instead of this file; the rules for all commands are there.
 */
#ifndef _UAPI_MYALLOC_BENCH_H
#define _UAPI_MYALLOC_BENCH_H

/*
 * Benchmarks
 *
 * A shape is a piece of work, such as "64-byte objects, 100 allocated, then
 * freed in reverse". A side is an allocator that does this work: myalloc, or one
 * of the kernel's own. A run measures shapes one after the other. Within a shape
 * the sides take turns (myalloc, slub, myalloc, slub ...), so that a disturbance
 * affects all of them. A round is the stretch of work between two readings of the
 * clock. Warm-up rounds are discarded.
 *
 * The module myalloc_bench registers these commands. While it is not loaded each
 * of them fails with -EOPNOTSUPP. It cannot be removed while an open file has a
 * run, even one that has ended.
 *
 * MYALLOC_IOC_BENCH_SHAPE describes a shape. MYALLOC_IOC_BENCH_START checks the
 * parameters, starts a kernel thread bound to a CPU (and one on each other CPU
 * for shapes that need them) and returns at once. A file has one run at a time,
 * a stress run or a benchmark. As with a stress run the file becomes readable
 * about once per second and at the end; read() then returns whole struct
 * myalloc_bench_progress records, and 0 after the last. Closing the file, or
 * MYALLOC_IOC_BENCH_CANCEL, ends a run early, after the current round;
 * MYALLOC_IOC_BENCH_RESULT returns the measurements until the next start.
 */
#define MYALLOC_BENCH_SHAPES_MAX	512
#define MYALLOC_BENCH_SIDES_MAX		8
#define MYALLOC_BENCH_ROUNDS_MAX	1000
#define MYALLOC_BENCH_OPS_MAX		(1u << 24)
#define MYALLOC_BENCH_NAME		48	/* bytes, with the NUL */
#define MYALLOC_BENCH_WHAT		160
#define MYALLOC_BENCH_SIDE_NAME		16

/* myalloc_bench_shape.unit: the quantity measured. Values are in 1/1000 of the unit. */
enum myalloc_bench_unit {
	MYALLOC_BENCH_NS = 0,		/* time of one operation */
	MYALLOC_BENCH_LONGEST = 1,	/* time of the longest single operation of a round */
	MYALLOC_BENCH_RATIO = 2,	/* a number, less is better */
	MYALLOC_BENCH_BYTES = 3,	/* memory, less is better */
	MYALLOC_BENCH_CALL = 4,		/* time of one operation; a round has only that one */
};

/* myalloc_bench_side.flags */
#define MYALLOC_BENCH_OURS	(1u << 0)	/* this allocator */
#define MYALLOC_BENCH_FLOOR	(1u << 1)	/* no allocator: the lowest possible cost */
#define MYALLOC_BENCH_COST	(1u << 2)	/* the work without an allocator */
#define MYALLOC_BENCH_ASIDE	(1u << 3)	/* shown without a ratio: does other work */

/**
 * struct myalloc_bench_side - an allocator that does a shape's work
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
 * struct myalloc_bench_shape - description of a shape
 * @size: sizeof(struct myalloc_bench_shape) of the caller
 * @index: in: number of the shape, from 0. -ENOENT if there is no such shape
 * @nr_shapes: number of shapes
 * @nr_sides: entries of @side in use; 0 if this kernel or machine cannot run the shape
 * @unit: enum myalloc_bench_unit
 * @bytes: size of an object, 0 for pages
 * @order: log2 of pages in a block
 * @batch: allocations made before the first is freed
 * @fill_permille: share of the zone in use during the measurement
 * @pad: zero
 * @name: words separated by /, such as "object/64/batch-100/reverse"
 * @what: the same as a sentence
 * @side: the sides
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
 * @rounds: measured rounds of each shape and side: 1 to MYALLOC_BENCH_ROUNDS_MAX; 0 for 20. A
 *	shape of MYALLOC_BENCH_CALL has 50 times as many, up to MYALLOC_BENCH_ROUNDS_MAX
 * @ops: operations in a round, at most MYALLOC_BENCH_OPS_MAX; 0 for as many as take
 *	about a quarter of a ms. Shapes with batches round up to a multiple of the batch;
 *	those that churn or measure memory keep at most four live objects or pages for each
 *	operation, 64 at least, instead of thousands or all that fit
 * @cpu: CPU to run on, MYALLOC_BENCH_ANY_CPU for the first that is online
 * @seed: seed of every random choice; 0 chooses one and reports it in the result
 * @shapes: bit n selects shape n; at least one, and only existing shapes
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
 * @shape: number of the current shape, or of the last one
 * @elapsed_ms: time since the start
 * @rounds: rounds completed, all shapes and sides
 * @total_rounds: rounds to complete
 */
struct myalloc_bench_progress {
	__u64 id;
	__u32 state;
	__u32 shape;
	__u64 elapsed_ms;
	__u64 rounds;
	__u64 total_rounds;
};

/* myalloc_bench_result.kernel: options of this kernel that cost time. With one of the debug
 * options the figures say nothing about a production kernel.
 */
#define MYALLOC_BENCH_KASAN		(1u << 0)
#define MYALLOC_BENCH_KCSAN		(1u << 1)
#define MYALLOC_BENCH_KMSAN		(1u << 2)
#define MYALLOC_BENCH_LOCKDEP		(1u << 3)	/* PROVE_LOCKING or DEBUG_LOCK_ALLOC */
#define MYALLOC_BENCH_KMEMLEAK		(1u << 4)
#define MYALLOC_BENCH_COVERAGE		(1u << 5)	/* KCOV or GCOV */
#define MYALLOC_BENCH_DEBUG_VM		(1u << 6)	/* DEBUG_VM or DEBUG_PAGEALLOC */
#define MYALLOC_BENCH_DEBUG_OTHER	(1u << 7)	/* DEBUG_LIST, DEBUG_OBJECTS ... */
#define MYALLOC_BENCH_FAULTS		(1u << 8)	/* injection by the kernel or this module */
#define MYALLOC_BENCH_CHECKS		(1u << 9)	/* this module was loaded with checks */
#define MYALLOC_BENCH_DEBUG		0x3ffu
#define MYALLOC_BENCH_INIT_ON_ALLOC	(1u << 16)	/* kernel clears memory on alloc */
#define MYALLOC_BENCH_INIT_ON_FREE	(1u << 17)	/* kernel clears memory on free */
#define MYALLOC_BENCH_RT		(1u << 18)	/* PREEMPT_RT */
#define MYALLOC_BENCH_HARDENED		(1u << 19)	/* SLAB_FREELIST_HARDENED or _RANDOM */
#define MYALLOC_BENCH_UML		(1u << 20)	/* masking interrupts is a system call */

/**
 * struct myalloc_bench_round - one round
 * @ns: time it took, less the cost of reading the clock
 * @cycles: the same by the cycle counter, 0 where there is none
 * @ops: operations in it; 0 for shapes that measure no time, whose @ns is the figure
 *	in 1/1000 of its unit
 */
struct myalloc_bench_round {
	__u64 ns;
	__u64 cycles;
	__u64 ops;
};

/**
 * struct myalloc_bench_figures - a distribution over rounds
 * @min: minimum
 * @p50: median
 * @p99: 99th percentile
 * @max: maximum
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
 * struct myalloc_bench_result - measurements of one side of a shape
 * @size: sizeof(struct myalloc_bench_result) of the caller
 * @shape: in: number of the shape
 * @side: in: number of the side
 * @state: enum myalloc_stress_state of the run
 * @id: number of the run
 * @seed: seed in use
 * @kernel: MYALLOC_BENCH_KASAN ...
 * @cpu: CPU it ran on
 * @rounds: rounds measured; 0 if the shape was not selected, or could not be
 *	prepared
 * @room: in: entries of @round; out: entries stored, the lesser of it and @rounds
 * @round: in: user address of @room struct myalloc_bench_round, or 0 if @room is 0
 * @error: why @rounds is 0: a positive errno (ENOMEM ...), or 0
 * @pad: zero
 * @fails: allocations that failed during the rounds; if not 0, other work was done than
 *	intended
 * @clock_ns: cost of reading the clock, already subtracted
 * @clock_cycles: cost of reading the cycle counter, already subtracted
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

#define MYALLOC_IOC_BENCH_SHAPE		_IOWR(MYALLOC_IOC, 0x40, struct myalloc_bench_shape)
#define MYALLOC_IOC_BENCH_START		_IOWR(MYALLOC_IOC, 0x41, struct myalloc_bench)
#define MYALLOC_IOC_BENCH_RESULT	_IOWR(MYALLOC_IOC, 0x42, struct myalloc_bench_result)
#define MYALLOC_IOC_BENCH_CANCEL	_IO(MYALLOC_IOC, 0x43)

#endif /* _UAPI_MYALLOC_BENCH_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Internal header of the benchmarks, shared by engine.c and the families of shapes. */
#ifndef MYALLOC_BENCH_RUN_H
#define MYALLOC_BENCH_RUN_H

#include <linux/genalloc.h>
#include <linux/mempool.h>
#include <linux/wait.h>

#include "base/random.h"
#include "budget.h"
#include "device/job.h"
#include "myalloc_client.h"

struct bench_run;
struct bench_work;

/**
 * struct bench_side - an allocator that does the work of a shape; all but @round may be NULL
 * @name: at most MYALLOC_BENCH_SIDE_NAME - 1 letters; NULL ends an array of sides
 * @flags: MYALLOC_BENCH_OURS ...
 * @absent: this kernel does not have it
 * @begin: prepares the rounds. Returns 0, or a negative errno, after which @end is called at once.
 *	May sleep
 * @ready: runs before each round, not timed. May sleep
 * @round: the work, timed: does @ops operations, or sets work->figure if the shape measures no
 *	time
 * @settle: runs after each round, not timed. May sleep
 * @end: frees everything. May sleep
 */
struct bench_side {
	const char *name;
	u32 flags;
	bool absent;
	int (*begin)(struct bench_work *work);
	void (*ready)(struct bench_work *work);
	void (*round)(struct bench_work *work, u32 ops);
	void (*settle)(struct bench_work *work);
	void (*end)(struct bench_work *work);
};

/**
 * struct bench_shape - a piece of work
 * @unit: enum myalloc_bench_unit
 * @bytes: size of an object, or 0
 * @order: log2 of pages in a block
 * @batch: operations of a round are a multiple of this; 0 means 1
 * @fill_permille: share of the zone in use during the measurement
 * @one_batch: a round is one batch, however short
 * @variant: further information for the family's functions
 * @cpus: minimum number of online CPUs
 * @checks: MYALLOC_CHECKS of the caches
 * @construct: the caches have a constructor
 * @side: the sides
 * @nr_sides: number of sides; see myalloc_bench_sides()
 * @name: see uapi/bench.h
 * @what: see uapi/bench.h
 */
struct bench_shape {
	u32 unit;
	u32 bytes;
	u32 order;
	u32 batch;
	u32 fill_permille;
	bool one_batch;
	u32 variant;
	u32 cpus;
	myalloc_cache_flags_t checks;
	bool construct;
	const struct bench_side *side[MYALLOC_BENCH_SIDES_MAX];
	u32 nr_sides;
	char name[MYALLOC_BENCH_NAME];
	char what[MYALLOC_BENCH_WHAT];
};

/* A family: shapes with much in common. @describe fills in a shape that is all zero. */
struct bench_family {
	u32 nr;
	void (*describe)(u32 index, struct bench_shape *shape);
};

extern const struct bench_family myalloc_bench_objects;
extern const struct bench_family myalloc_bench_pages;
extern const struct bench_family myalloc_bench_cross;
extern const struct bench_family myalloc_bench_worst;
extern const struct bench_family myalloc_bench_worst_fronts;
extern const struct bench_family myalloc_bench_memory;
extern const struct bench_family myalloc_bench_heap;
extern const struct bench_family myalloc_bench_records;
extern const struct bench_family myalloc_bench_arena;
extern const struct bench_family myalloc_bench_pools;
extern const struct bench_family myalloc_bench_calls;

/**
 * struct bench_work - a side at work on a shape
 * @run: the run
 * @shape: the shape
 * @side: the side
 * @random: its own random stream, the same for every side
 * @cache: cache of myalloc
 * @kcache: cache of SLUB
 * @mempool: mempool over @kcache
 * @genpool: pool of page-sized addresses
 * @stack: per-CPU stacks of pointers
 * @object: array of allocations
 * @room: entries of @object
 * @order: numbers below @nr_order, in the order in which to free, or at random
 * @nr_order: entries of @order
 * @at: position in @order
 * @held: blocks that keep the zone full
 * @nr_held: number of entries in @held
 * @fails: allocations that failed
 * @own_ns: time measured by the round itself, 0 to use the engine's
 * @own_cycles: likewise, if @own_ns is not 0
 * @figure: figure of a round that measures no time, in 1/1000 of the unit
 * @slice: operations to do before the next place to reschedule, 0: not known yet
 * @slab_bytes: size of a slab of @cache, where a family needs it
 * @private: further data of a family
 */
struct bench_work {
	struct bench_run *run;
	const struct bench_shape *shape;
	const struct bench_side *side;
	struct myalloc_random random;
	struct myalloc_cache *cache;
	struct kmem_cache *kcache;
	mempool_t *mempool;
	struct gen_pool *genpool;
	struct bench_stack __percpu *stack;
	void **object;
	u32 room;
	u32 *order;
	u32 nr_order;
	u32 at;
	void **held;
	u32 nr_held;
	u64 fails;
	u64 own_ns;
	u64 own_cycles;
	u64 figure;
	u32 slice;
	u32 slab_bytes;
	void *private;
};

/**
 * struct bench_team - kernel threads, one on each other CPU, that work together
 * @member: the threads by index; index 0, the bench's own thread, is unused
 * @nr: number of threads, including the bench's own
 * @wait: where they sleep
 * @call: grows with each piece of work
 * @go: equals @call when all should begin
 * @take: number of threads that take part
 * @ready: number of threads at the starting line whose work is not done
 * @fn: the work
 * @work: its argument
 * @ops: its argument
 */
struct bench_team {
	struct bench_member {
		struct bench_team *team;
		struct task_struct *task;
		u32 index;
	} member[64];
	u32 nr;
	wait_queue_head_t wait;
	u32 call;
	u32 go;
	u32 take;
	atomic_t ready;
	void (*fn)(struct bench_work *work, u32 index, u32 ops);
	struct bench_work *work;
	u32 ops;
};

/**
 * struct bench_outcome - the measurements of one side of a shape
 * @shape: number of the shape
 * @side: number of the side
 * @ops: operations in a round
 * @nr: rounds measured
 * @error: positive errno, or 0
 * @fails: allocations that failed
 * @round: the rounds, NULL before the shape's turn
 */
struct bench_outcome {
	u32 shape;
	u32 side;
	u32 ops;
	u32 nr;
	u32 error;
	u64 fails;
	struct myalloc_bench_round *round;
};

/* State of the current shape: a copy from its family, and the sides at work, which refer to it. */
struct bench_turn {
	struct bench_shape shape;
	struct bench_work work[MYALLOC_BENCH_SIDES_MAX];
	struct bench_outcome *outcome;
};

/**
 * struct bench_run - a run
 * @job: the common part; its lock protects the last two members and what @outcome points to
 * @params: parameters with every default filled in
 * @info: constant properties of the zone
 * @stat: scratch of the job's thread
 * @memcg: cgroup of the process that started the run, charged for its memory
 * @team: the other threads; nr is 0 until a shape needs them
 * @clock_ns: cost of reading the clock
 * @clock_cycles: cost of reading the cycle counter
 * @nr_outcomes: entries of @outcome
 * @turn: the current shape
 * @record: the last record
 * @outcome: outcomes of each side of each selected shape, in their order
 */
struct bench_run {
	struct myalloc_job job;
	struct myalloc_bench params;
	struct myalloc_zone_info info;
	struct myalloc_stat stat;
	struct mem_cgroup *memcg;
	struct bench_team team;
	u64 clock_ns;
	u64 clock_cycles;
	u32 nr_outcomes;
	struct bench_turn *turn;
	struct myalloc_bench_progress record;
	struct bench_outcome *outcome;
};

/*
 * Flags for the kernel's own allocators: they fail rather than call the OOM killer. The fast
 * paths of these allocators do not look at them.
 */
#define GFP_BENCH	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/**
 * myalloc_bench_zalloc() - allocate memory whose size depends on parameters of a run
 * @size: bytes
 *
 * Context: task, may sleep.
 * Return: the memory, zeroed, as from myalloc_budget_zalloc(); or NULL.
 */
static inline void *myalloc_bench_zalloc(size_t size)
{
	return myalloc_budget_zalloc("benchmark", size, NUMA_NO_NODE);
}

static inline struct bench_run *to_bench(struct myalloc_job *job)
{
	return container_of(job, struct bench_run, job);
}

/**
 * myalloc_bench_stopped() - should a run end?
 * @run: the run
 *
 * Context: any.
 * Return: true if it should.
 */
static inline bool myalloc_bench_stopped(const struct bench_run *run)
{
	return myalloc_job_stopped(&run->job);
}

/* engine.c */
u32 myalloc_bench_nr_shapes(void);
void myalloc_bench_describe(u32 index, struct bench_shape *shape);
bool myalloc_bench_wanted(const struct bench_run *run, u32 shape);
u32 myalloc_bench_rounds(const struct bench_run *run, const struct bench_shape *shape);
void myalloc_bench_work(struct myalloc_job *job);

/* team.c */
int myalloc_bench_team_init(struct bench_run *run);
void myalloc_bench_team_fini(struct bench_run *run);
u64 myalloc_bench_team_call(struct bench_work *work, u32 nr, u32 ops,
			    void (*fn)(struct bench_work *work, u32 index, u32 ops));

/* subject.c */
void myalloc_bench_sides(struct bench_shape *shape, const struct bench_side *sides);
int myalloc_bench_stat(struct bench_work *work);
int myalloc_bench_zone_pages(struct bench_work *work, u64 *pages);
int myalloc_bench_ours(struct bench_work *work);
int myalloc_bench_slub(struct bench_work *work);
int myalloc_bench_sheaf(struct bench_work *work);
int myalloc_bench_mempool(struct bench_work *work);
int myalloc_bench_stack(struct bench_work *work);
int myalloc_bench_genpool(struct bench_work *work);
u32 myalloc_bench_live(const struct bench_work *work, u32 most);
int myalloc_bench_objects_room(struct bench_work *work, u32 room);
int myalloc_bench_make_order(struct bench_work *work, u32 nr);
void myalloc_bench_shuffle(struct bench_work *work, u32 *number, u32 nr);
void myalloc_bench_sort(void **object, u32 nr);
void myalloc_bench_end(struct bench_work *work);

#define BENCH_STACK	1024

/* The floor: the minimum work of any per-CPU cache, with preemption off. */
struct bench_stack {
	u32 nr;
	void *slot[BENCH_STACK];
};

void *myalloc_bench_pop(struct bench_work *work);
void myalloc_bench_push(struct bench_work *work, void *object);

#endif /* MYALLOC_BENCH_RUN_H */

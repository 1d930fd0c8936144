/* SPDX-License-Identifier: GPL-2.0 */
/* Operation streams: a zone or its contracts, compared with a plain model. */
#ifndef MYALLOC_TESTS_OPS_H
#define MYALLOC_TESTS_OPS_H

#include "base/random.h"
#include "zone/validate.h"

enum op_kind {
	OP_PAGES_ALLOC,
	OP_PAGES_FREE,
	OP_PAGES_ALLOC_BULK,
	OP_PAGES_FREE_BULK,
	OP_EXACT_ALLOC,
	OP_EXACT_FREE,
	OP_RANGE_ALLOC,
	OP_OBJECT_ALLOC,
	OP_OBJECT_FREE,
	OP_OBJECT_ALLOC_BULK,
	OP_OBJECT_FREE_BULK,
	OP_ANY_FREE,
	OP_USABLE,
	OP_BAD_FREE,
	/* From here on: task context, may sleep. */
	OP_CACHE_DRAIN,
	OP_CACHE_SHRINK,
	OP_CACHE_RENEW,
	OP_ZONE_DRAIN,
	OP_CPU_OFFLINE,
	OP_VALIDATE,
	OP_NR
};

/* Where an operation runs. In the last two the code that the NMI interrupted holds the lock. */
enum op_context {
	OP_TASK,
	OP_PREEMPT_OFF,
	OP_HARDIRQ,
	OP_NMI,
	OP_NMI_ZONE_LOCKED,
	OP_NMI_CACHE_LOCKED,
	OP_NR_CONTEXTS
};

/**
 * struct op - one operation; all values are valid
 * @kind: enum op_kind
 * @context: enum op_context, ignored where the operation may sleep
 * @cpu: modulo the number of CPUs
 * @flags: OP_WAIT ...
 * @nest: if not 0, the next operation intrudes at the nest-th point of this one
 * @a: its object, modulo the number of candidates
 * @b: its amount, modulo the number of possible values
 */
struct op {
	u8 kind;
	u8 context;
	u8 cpu;
	u8 flags;
	u8 nest;
	u32 a;
	u32 b;
};

#define OP_WAIT		1	/* MYALLOC_MAY_WAIT, in task context */
#define OP_ZERO		2	/* MYALLOC_ZERO */
#define OP_TOPDOWN	4	/* MYALLOC_TOPDOWN */
#define OP_NEST_CPU	8	/* the nested one runs on another CPU, else in an interrupt */

#define OPS_CACHES	6
#define OPS_CHUNKS	16
#define OPS_KINDS	32	/* of operations of a world, at most */

struct ops_config;

/* A kind of operation. */
struct ops_kind {
	const char *name;
	u32 weight;	/* how frequent it is */
	u32 bias;	/* in which phase it is twice as frequent */
};

/**
 * struct ops_world - kinds of operations, with the model that they are compared with
 * @kinds: of operations; op->kind modulo their number is one of them
 * @nr: how many, at most OPS_KINDS
 * @sleeping: the first of those that are rare and may sleep
 * @run: does the operations of a stream; *ops_at is the number of the current one
 */
struct ops_world {
	const struct ops_kind *kinds;
	u32 nr;
	u32 sleeping;
	void (*run)(const struct ops_config *config, const struct op *ops, u32 nr,
		    u32 validate_every);
};

/**
 * struct ops_config - the zone that a stream runs on
 * @name: as an argument of the programs
 * @world: NULL for the zone itself, and its caches
 * @share: how many of the operations it gets, relative to the others: fast ones get more
 * @cpus: number of CPUs
 * @chunk_order: log2 of frames in a chunk
 * @chunks: bit i is set if there is a chunk i chunk sizes above the first address
 * @nr_pages: frames, 0 for all of the chunks
 * @checks: of the zone
 * @policy: enum myalloc_policy
 * @magazines: capacity of page magazines; 0 for those of a zone that large, -1 for none
 * @depot: depot of page magazines, if @magazines is positive
 * @simulated: no memory behind the zone
 * @nr_caches: how many there are
 * @cache: what they are
 * @best_effort: the zone serves requests beyond the lines of contracts
 */
struct ops_config {
	const char *name;
	const struct ops_world *world;
	u32 share;
	u32 cpus;
	u32 chunk_order;
	u32 chunks;
	u32 nr_pages;
	myalloc_cache_flags_t checks;
	enum myalloc_policy policy;
	int magazines;
	u32 depot;
	bool simulated;
	u32 nr_caches;
	struct ops_cache {
		u32 size;
		u32 align;
		myalloc_cache_flags_t flags;
		u32 magazine;
		bool ctor;
		u32 depot;	/* if not 0: magazines of @magazine, and a depot of this size */
	} cache[OPS_CACHES];
	bool best_effort;
};

extern const struct ops_config ops_configs[];
extern const unsigned int ops_nr_configs;

/* Called with a message when zone and model differ; does not return. */
extern void (*ops_fail)(const char *text) __noreturn;
/* Where to store the number of the current operation. */
extern u32 *ops_at;

extern const struct ops_world ops_contract_world;

/* Report a difference with the position in the stream. */
void __noreturn ops_failed(const char *fmt, ...) __printf(1, 2);

#define OPS_CHECK(cond, fmt, ...) \
	do { if (unlikely(!(cond))) ops_failed(fmt, ##__VA_ARGS__); } while (0)

const struct ops_config *ops_find_config(const char *name);
void ops_generate(const struct ops_config *config, struct myalloc_random *random, struct op *ops,
		  u32 nr);
void ops_run(const struct ops_config *config, const struct op *ops, u32 nr, u32 validate_every);
int ops_format(const struct ops_config *config, const struct op *op, char *buf, size_t size);
bool ops_parse(const struct ops_config *config, const char *text, struct op *op);

/**
 * struct ops_stats - totals of all streams since the program began
 * @allocs: successful allocations
 * @frees: correct frees
 * @fails: allocations that failed, each one found to be justified
 * @bad_frees: wrong frees, each one refused
 * @nested: operations that intruded at a point of another one
 * @validations: validations of the whole zone
 */
struct ops_stats {
	u64 allocs;
	u64 frees;
	u64 fails;
	u64 bad_frees;
	u64 nested;
	u64 validations;
};

extern struct ops_stats ops_stats;

#endif /* MYALLOC_TESTS_OPS_H */

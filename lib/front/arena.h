/* SPDX-License-Identifier: GPL-2.0 */
/* An arena as a structure, and its statistics, for code that checks or shows it. See arena.c. */
#ifndef MYALLOC_ARENA_H
#define MYALLOC_ARENA_H

#include "zone_types.h"

/* Bytes of a block by default. */
#define MYALLOC_ARENA_BLOCK	65536U

/* Contexts of a CPU that interrupt each other: task, softirq, hard interrupt, NMI */
#define MYALLOC_ARENA_LEVELS	4U

/* A request that takes pages of its own looks at this many unused blocks, at most. */
#define MYALLOC_ARENA_LOOK	8U

/**
 * struct myalloc_arena_block - an extent of an arena
 * @next: the next block of its chain
 * @base: address
 * @pages: number of pages
 * @sum: if it is in use, pages of it and of the blocks before it in its chain
 */
struct myalloc_arena_block {
	struct myalloc_arena_block *next;
	unsigned long base;
	u32 pages;
	u32 sum;
};

/**
 * struct myalloc_arena_chain - blocks in the order of their use
 * @first: the first block; NULL if there is none
 * @last_used: the last one that is in use; NULL if none is
 */
struct myalloc_arena_chain {
	struct myalloc_arena_block *first;
	struct myalloc_arena_block *last_used;
};

/**
 * struct myalloc_arena_place - a position to which a lane can return
 * @block: the last used block of pieces
 * @large: the last used block of a large piece
 * @at: address of the next piece; 0 without @block
 * @stamp: identifies the mark
 */
struct myalloc_arena_place {
	struct myalloc_arena_block *block;
	struct myalloc_arena_block *large;
	unsigned long at;
	u64 stamp;
};

/**
 * struct myalloc_arena_lane - the blocks of one context
 * @at: address of the next piece; 0 if no block is in use
 * @end: end of the block that @at is in; 0 if no block is in use
 * @allocs: pieces allocated
 * @bias: with @at added, the bytes in use
 * @epoch: the epoch of the arena to which its contents belong
 * @small: blocks of pieces
 * @large: blocks of one piece each
 * @busy: per-CPU arenas: an operation is under way
 * @depth: number of marks
 * @peak: most bytes in use when something was thrown away
 * @fails: requests that failed
 * @zone_calls: blocks asked of the zone or given to it
 * @rewinds: number of rewinds
 * @stamp: of the last mark
 * @mark: the marks, from the oldest to the newest
 *
 * An allocation that fits uses the first line only, and @busy.
 */
struct myalloc_arena_lane {
	unsigned long at;
	unsigned long end;
	u64 allocs;
	unsigned long bias;
	u64 epoch;
	bool busy;
	u32 depth;
	struct myalloc_arena_chain small;
	struct myalloc_arena_chain large;
	size_t peak;
	u64 fails;
	u64 zone_calls;
	u64 rewinds;
	u64 stamp;
	struct myalloc_arena_place mark[MYALLOC_ARENA_MARKS];
} ____cacheline_aligned;

/* The lanes of a CPU, one for each context */
struct myalloc_arena_lanes {
	struct myalloc_arena_lane level[MYALLOC_ARENA_LEVELS];
};

/**
 * struct myalloc_arena - see arena.c for the theory
 * @front: its entry in the zone's list
 * @blocks: cache of struct myalloc_arena_block
 * @lanes: per-CPU arenas: lanes of each CPU; else NULL
 * @block_pages: pages of a block
 * @large_above: bytes above which a piece that does not fit has a block of its own
 * @limit: most pages
 * @poison: fill memory that is free with MYALLOC_POISON_FREE
 * @erase: fill blocks with MYALLOC_POISON_FREE when they go back
 * @frames: the pair that it belongs to, or NULL
 * @epoch: number of resets
 * @pages: pages of all blocks
 * @moves: number of blocks given back
 * @busy: operations refused because they had interrupted another one in the same lane
 * @bad_marks: wrong marks refused
 * @lock: protects the links of all chains against validation
 * @changes: blocks that have left their place in a chain; under @lock
 * @lane: the only lane of an arena that is not per CPU
 */
struct myalloc_arena {
	struct myalloc_front front;
	struct myalloc_cache *blocks;
	struct myalloc_arena_lanes __percpu *lanes;
	u32 block_pages;
	size_t large_above;
	long limit;
	bool poison;
	bool erase;
	struct myalloc_frames *frames;
	u64 epoch;
	atomic_long_t pages;
	atomic64_t moves;
	atomic64_t busy;
	atomic64_t bad_marks;
	raw_spinlock_t lock;
	u64 changes;
	struct myalloc_arena_lane lane;
};

/**
 * struct myalloc_frames - two arenas that take turns
 * @arena: the two
 * @now: that of the present frame
 */
struct myalloc_frames {
	struct myalloc_arena *arena[2];
	struct myalloc_arena *now;
};

/* Statistics of an arena. The members are documented in uapi/stat_fields.h, by the same names. */
struct myalloc_arena_stats {
	u64 id;
	u32 percpu;
	u32 poison;
	u64 block_bytes;
	u64 limit_bytes;
	u64 used_bytes;
	u64 peak_bytes;
	u64 held_bytes;
	u64 allocs;
	u64 fails;
	u64 zone_calls;
	u64 rewinds;
	u64 resets;
	u64 busy;
	u64 bad_marks;
};

extern const struct myalloc_front_kind myalloc_arena_kind;

/**
 * myalloc_arena_of() - the arena that a front is part of
 * @front: the front, of the kind myalloc_arena_kind
 *
 * Context: any.
 * Return: the arena.
 */
static inline struct myalloc_arena *myalloc_arena_of(struct myalloc_front *front)
{
	return container_of(front, struct myalloc_arena, front);
}

void *myalloc_arena_alloc_for(struct myalloc_arena *a, size_t size, size_t align,
			      unsigned long caller);
void *myalloc_arena_zalloc_for(struct myalloc_arena *a, size_t size, size_t align,
			       unsigned long caller);
void myalloc_arena_destroy_pair(struct myalloc_frames *frames);
void myalloc_arena_stats(struct myalloc_arena *arena, struct myalloc_arena_stats *stats);

#endif /* MYALLOC_ARENA_H */

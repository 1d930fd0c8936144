// SPDX-License-Identifier: GPL-2.0
/*
 * One thread of a stress run of the kind ARENA: pieces of any size (stress_sizes.c) in an arena of
 * its own. See stress.c for the theory.
 *
 * The hold is a stack: a mark records its height, and a rewind checks and drops the pieces above.
 * When the arena or the hold is full, either a reset discards everything, or the arena is rewound
 * to a random mark.
 */
#include "env.h"

#include "front/arena.h"
#include "stress/stress_run.h"

#define MARKS		8	/* at a time */
#define MARK_ONE_IN	32	/* steps */
#define KEEP_ONE_IN	4	/* marks that are no longer needed: kept, not rewound to */
#define SHRINK_ONE_IN	16	/* resets */

static_assert(MARKS <= MYALLOC_ARENA_MARKS);

/**
 * struct arena_work - the arena of a thread, and its marks
 * @arena: the arena
 * @depth: number of marks
 * @mark: the marks, from the oldest to the newest
 * @nr: of each mark, number of pieces that were made before it
 */
struct arena_work {
	struct myalloc_arena *arena;
	u32 depth;
	struct myalloc_arena_mark mark[MARKS];
	u32 nr[MARKS];
};

/* Check the pieces above the first @nr, and forget them. */
static void drop(struct stress_thread *t, struct stress_hold *hold, u32 nr)
{
	while (hold->nr > nr) {
		const struct stress_item *item = &hold->item[--hold->nr];
		u32 size = stress_size_of(t, item->identity);

		stress_verify(t, item, size, "when thrown away");
		stress_count(t, STRESS_OBJ_FREES);
		cond_resched();
	}
}

static void reset(struct stress_thread *t, struct stress_hold *hold, struct arena_work *w)
{
	drop(t, hold, 0);
	w->depth = 0;
	myalloc_arena_reset(w->arena);
	if (myalloc_random_one_in(&t->random, SHRINK_ONE_IN))
		myalloc_arena_shrink(w->arena);
}

static void set_mark(struct stress_thread *t, struct stress_hold *hold, struct arena_work *w)
{
	if (myalloc_arena_mark(w->arena, &w->mark[w->depth])) {
		myalloc_stress_tell(t, STRESS_FREE_ERRORS, "mark %u of thread %u was refused",
				    w->depth, t->index);
		return;
	}
	w->nr[w->depth++] = hold->nr;
}

/* Rewind to a random mark, or keep the pieces since. Either ends the mark and all newer ones. */
static void back(struct stress_thread *t, struct stress_hold *hold, struct arena_work *w)
{
	bool keep = myalloc_random_one_in(&t->random, KEEP_ONE_IN);
	u32 i = myalloc_random_below(&t->random, w->depth);
	int err;

	if (!keep)
		drop(t, hold, w->nr[i]);
	w->depth = i;
	err = keep ? myalloc_arena_keep(w->arena, &w->mark[i]) :
		     myalloc_arena_rewind(w->arena, &w->mark[i]);
	if (err)
		myalloc_stress_tell(t, STRESS_FREE_ERRORS, "%s mark %u of thread %u was refused",
				    keep ? "keeping" : "a rewind to", i, t->index);
}

/* Returns false if there is no room. */
static bool take(struct stress_thread *t, struct stress_hold *hold, struct arena_work *w)
{
	bool zeroed = myalloc_random_one_in(&t->random, ZERO_ONE_IN);
	u32 align = 8 << myalloc_random_below(&t->random, 6);
	struct stress_item item;
	u64 start;
	u32 size;

	if (hold->nr == hold->max)
		return false;
	item.identity = stress_next_size(t);
	size = stress_size_of(t, item.identity);
	start = zeroed ? 0 : stress_clock_start(t, STRESS_OBJ_ALLOC_NS);
	item.addr = zeroed ? myalloc_arena_zalloc(w->arena, size, align) :
			     myalloc_arena_alloc(w->arena, size, align);
	if (!item.addr)
		return false;
	stress_clock_stop(t, STRESS_OBJ_ALLOC_NS, start);
	stress_count(t, STRESS_OBJ_ALLOCS);
	stress_check_new(t, &item, align, zeroed);
	stress_fill(t, &item);
	hold->item[hold->nr++] = item;
	return true;
}

static void step(struct stress_thread *t, struct stress_hold *hold, struct arena_work *w)
{
	if (myalloc_random_one_in(&t->random, MARK_ONE_IN) && w->depth < MARKS) {
		set_mark(t, hold, w);
	} else if (myalloc_random_one_in(&t->random, MARK_ONE_IN) && w->depth) {
		back(t, hold, w);
	} else if (!take(t, hold, w)) {
		stress_count(t, STRESS_FAIL_TARGET);
		if (w->depth)
			back(t, hold, w);
		else
			reset(t, hold, w);
	}
}

/**
 * myalloc_stress_arena() - the work of a thread
 * @t: the thread; it holds nothing when this returns
 *
 * Context: the thread.
 */
void myalloc_stress_arena(struct stress_thread *t)
{
	struct stress_hold *hold = &t->hold[STRESS_OBJECTS];
	struct myalloc_stress_run *run = t->run;
	char name[MYALLOC_ARENA_NAME];
	const struct myalloc_arena_args args = {
		.name = name,
		.limit = hold->target,
		.flags = (__force myalloc_cache_flags_t)run->params.checks &
			 MYALLOC_ARENA_FLAGS_ALL,
	};
	struct arena_work w = { };

	scnprintf(name, sizeof(name), "stress%llu-%u", run->job.id, t->index);
	w.arena = myalloc_arena_create(run->job.zone, &args);
	if (IS_ERR(w.arena)) {
		stress_count(t, STRESS_FAIL_NOMEM);
		return;
	}
	while (!stress_ended(t)) {
		stress_begin_op(t);
		step(t, hold, &w);
	}
	stress_end_ops(t);
	drop(t, hold, 0);
	myalloc_arena_destroy(w.arena);
}

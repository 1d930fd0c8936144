// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about arenas: statistics, and a test with random operations
 *
 * The test runs in the kernel, as user space can neither read nor write the memory of a zone. It
 * keeps the pieces of the current frame and of the previous one. Each has a pattern of its own
 * (pattern.c), which is verified before the piece is discarded. As marks belong to a CPU, per-CPU
 * arenas are tested with preemption off between two checks for signals, and a frame ends at each
 * check.
 */
#include "env.h"

#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "base/pattern.h"
#include "base/random.h"
#include "device/command.h"
#include "front/arena.h"
#include "stat.h"

static_assert(sizeof(struct myalloc_arena_stat) == 40 + 8 + 8 + 12 * 8);
static_assert(sizeof(struct myalloc_arena_test) == 80 + 160);

#define PIECES		64	/* most pieces that a test holds of a frame */
#define STRETCH		32	/* operations between two checks for signals */
#define BYTES_MOST	(128u << 10)	/* of a piece, by default */
#define PERCPU_MOST	(16u << 10)	/* the same with preemption off */

/**
 * struct piece - a piece of a test
 * @addr: its address
 * @size: bytes asked for, all of which hold the pattern
 * @key: key of its pattern
 */
struct piece {
	u8 *addr;
	size_t size;
	u64 key;
};

/**
 * struct test - a test that runs
 * @frames: the arenas
 * @arg: parameters and result
 * @random: for every choice
 * @identity: number of the last pattern
 * @mark: marks of the current frame
 * @pieces: for each mark, number of pieces when it was made
 * @depth: number of marks
 * @used: a mark that was used, and is stale now
 * @now: index into @piece of the current frame
 * @nr: pieces in each list
 * @piece: pieces of the current and of the previous frame
 */
struct test {
	struct myalloc_frames *frames;
	struct myalloc_arena_test *arg;
	struct myalloc_random random;
	u64 identity;
	struct myalloc_arena_mark mark[MYALLOC_ARENA_MARKS];
	u32 pieces[MYALLOC_ARENA_MARKS];
	u32 depth;
	struct myalloc_arena_mark used;
	u32 now;
	u32 nr[2];
	struct piece piece[2][PIECES];
};

/* Verify the pieces of a list from @from on, and forget them. */
static void verify(struct test *t, u32 list, u32 from, const char *when)
{
	struct myalloc_damage damage = {};
	u32 i;

	for (i = from; i < t->nr[list]; i++) {
		const struct piece *p = &t->piece[list][i];

		if (!myalloc_pattern_check(p->addr, p->size, p->key, &damage))
			myalloc_test_wrong(t, "%s, byte %zu of %zu: found 0x%016llx, not 0x%016llx",
					   when, damage.offset, p->size, damage.found,
					   damage.expected);
	}
	t->nr[list] = from;
}

static size_t choose_size(struct test *t)
{
	return myalloc_random_size(myalloc_random_next(&t->random), t->arg->max_bytes);
}

static void alloc(struct test *t)
{
	/* The pattern wants 8 bytes. */
	size_t size = choose_size(t), align = 8UL << myalloc_random_below(&t->random,
									   PAGE_SHIFT - 3);
	bool zero = myalloc_random_one_in(&t->random, 8);
	struct myalloc_damage damage = {};
	struct piece *p;
	u8 *addr;

	if (t->nr[t->now] == PIECES)
		return;
	addr = zero ? myalloc_frames_zalloc(t->frames, size, align) :
		      myalloc_frames_alloc(t->frames, size, align);
	if (!addr) {
		t->arg->fails++;
		return;
	}
	t->arg->allocs++;
	if (!IS_ALIGNED((unsigned long)addr, align))
		myalloc_test_wrong(t, "a piece of %zu bytes is not aligned to %zu", size, align);
	if (zero && !myalloc_pattern_check_zero(addr, size, &damage))
		myalloc_test_wrong(t, "byte %zu of a piece of %zu bytes is not zero", damage.offset,
				   size);
	p = &t->piece[t->now][t->nr[t->now]++];
	p->addr = addr;
	p->size = size;
	p->key = myalloc_pattern_key(t->arg->seed, ++t->identity);
	myalloc_pattern_fill(addr, size, p->key);
}

static void make_mark(struct test *t)
{
	int err = myalloc_arena_mark(myalloc_frames_now(t->frames), &t->mark[t->depth]);

	if (err) {
		myalloc_test_wrong(t, "mark %u of a frame returned %d", t->depth, err);
		return;
	}
	t->pieces[t->depth++] = t->nr[t->now];
}

static void use_mark(struct test *t)
{
	struct myalloc_arena *arena = myalloc_frames_now(t->frames);
	bool keep = myalloc_random_one_in(&t->random, 4);
	int err;

	t->depth = myalloc_random_below(&t->random, t->depth);
	t->used = t->mark[t->depth];
	if (!keep)
		verify(t, t->now, t->pieces[t->depth], "before a rewind");
	err = keep ? myalloc_arena_keep(arena, &t->used) :
		     myalloc_arena_rewind(arena, &t->used);
	if (err)
		myalloc_test_wrong(t, "a good mark was refused with %d", err);
	t->arg->rewinds += !keep;
}

/* A report each time would fill the log. */
static void use_stale_mark(struct test *t)
{
	if (!t->used.lane || t->arg->refused >= 4)
		return;
	if (myalloc_arena_rewind(myalloc_frames_now(t->frames), &t->used) != -EINVAL)
		myalloc_test_wrong(t, "a stale mark was accepted");
	t->arg->refused++;
}

static void end_frame(struct test *t)
{
	t->now = !t->now;
	verify(t, t->now, 0, "when the frame after it ended");
	myalloc_frames_swap(t->frames);
	t->depth = 0;
	t->arg->swaps++;
}

static void operate(struct test *t)
{
	switch (myalloc_random_below(&t->random, 16)) {
	case 0:
		if (t->depth < MYALLOC_ARENA_MARKS)
			make_mark(t);
		break;
	case 1:
		if (t->depth)
			use_mark(t);
		break;
	case 2:
		use_stale_mark(t);
		break;
	case 3:
		if (!myalloc_random_below(&t->random, 4))
			end_frame(t);
		break;
	default:
		alloc(t);
	}
}

static int operate_all(struct test *t)
{
	bool percpu = t->arg->flags & MYALLOC_ARENA_TEST_PERCPU;
	u64 left = t->arg->ops;
	u32 i;

	while (left) {
		if (percpu)
			preempt_disable();
		for (i = 0; i < STRETCH && left; i++, left--)
			operate(t);
		if (percpu) {
			end_frame(t);	/* no mark lives on */
			preempt_enable();
		}
		cond_resched();
		if (signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static int run_in_zone(struct test *t, struct myalloc_zone *zone)
{
	static atomic_t number = ATOMIC_INIT(0);
	char name[MYALLOC_ARENA_NAME];
	const struct myalloc_arena_args args = {
		.name = name,
		.flags = t->arg->flags & MYALLOC_ARENA_TEST_POISON ? MYALLOC_POISON : 0,
		.percpu = t->arg->flags & MYALLOC_ARENA_TEST_PERCPU,
	};
	int err;

	scnprintf(name, sizeof(name), "test-%u", (u32)atomic_inc_return(&number));
	t->frames = myalloc_frames_create(zone, &args);
	if (IS_ERR(t->frames))
		return PTR_ERR(t->frames);
	err = operate_all(t);
	verify(t, !t->now, 0, "at the end");
	verify(t, t->now, 0, "at the end");
	myalloc_frames_destroy(t->frames);
	return err;
}

static ssize_t check_test(void *user, const struct myalloc_zone *zone)
{
	struct myalloc_arena_test *arg = user;
	u64 most = PAGE_SIZE << zone->chunk_order;

	if (arg->flags & MYALLOC_ARENA_TEST_PERCPU)
		most = min_t(u64, most, PERCPU_MOST);
	if (arg->flags & ~MYALLOC_ARENA_TEST_FLAGS || !arg->ops ||
	    arg->ops > MYALLOC_ARENA_TEST_OPS_MAX || arg->max_bytes > most)
		return -EINVAL;
	arg->max_bytes = arg->max_bytes ?: min_t(u64, BYTES_MOST, most);
	return sizeof(struct test);
}

static int run_test(void *state, void *arg, struct myalloc_zone *zone)
{
	struct test *t = state;

	t->arg = arg;
	myalloc_random_init(&t->random, t->arg->seed, 0);
	return run_in_zone(t, zone);
}

static const struct myalloc_front_test test = {
	.bytes = sizeof(struct myalloc_arena_test),
	.check = check_test,
	.run = run_test,
};

const struct myalloc_command myalloc_arena_commands[] = {
	{ MYALLOC_IOC_ARENA_STAT, true, .view = &myalloc_arena_view },
	{ MYALLOC_IOC_ARENA_TEST, true, .test = &test },
	{ }
};

// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about heaps: statistics, and a test with random operations
 *
 * The test runs in the kernel, as user space can neither read nor write the memory of a zone. Each
 * block has a pattern of its own (pattern.c), which is verified before it changes its size or is
 * freed.
 */
#include "env.h"

#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "base/pattern.h"
#include "base/random.h"
#include "device/command.h"
#include "front/heap.h"
#include "stat.h"

static_assert(sizeof(struct myalloc_heap_stat) == 40 + 16 + 16 * 8);
static_assert(sizeof(struct myalloc_heap_test) == 72 + 160);

#define BLOCKS		128	/* most blocks that a test holds */
#define BYTES_MOST	(128u << 10)	/* of a block, by default */

/**
 * struct block - a block of a test
 * @addr: NULL if it is not allocated
 * @size: bytes asked for, all of which hold the pattern
 * @sized: size by which it may be freed; 0: by its address only
 * @key: key of its pattern
 */
struct block {
	u8 *addr;
	size_t size;
	size_t sized;
	u64 key;
};

/**
 * struct test - a test that runs
 * @heap: the heap
 * @arg: parameters and result
 * @random: for every choice
 * @identity: number of the last pattern
 * @block: the blocks
 */
struct test {
	struct myalloc_heap *heap;
	struct myalloc_heap_test *arg;
	struct myalloc_random random;
	u64 identity;
	struct block block[BLOCKS];
};

/* Do the first @size bytes of the block still hold its pattern? */
static void verify(struct test *t, const struct block *b, size_t size, const char *when)
{
	struct myalloc_damage damage = {};

	if (!myalloc_pattern_check(b->addr, size, b->key, &damage))
		myalloc_test_wrong(t, "%s, byte %zu of %zu: found 0x%016llx, not 0x%016llx", when,
				   damage.offset, size, damage.found, damage.expected);
}

static void fill(struct test *t, struct block *b)
{
	if (myalloc_heap_usable_size(t->heap, b->addr) < b->size)
		myalloc_test_wrong(t, "a block of %zu bytes has only %zu", b->size,
				   myalloc_heap_usable_size(t->heap, b->addr));
	b->key = myalloc_pattern_key(t->arg->seed, ++t->identity);
	myalloc_pattern_fill(b->addr, b->size, b->key);
}

static size_t choose_size(struct test *t)
{
	return myalloc_random_size(myalloc_random_next(&t->random), t->arg->max_bytes);
}

static void alloc(struct test *t, struct block *b)
{
	myalloc_flags_t flags = myalloc_random_one_in(&t->random, 8) ? MYALLOC_ZERO : 0;
	size_t align = 8;
	struct myalloc_damage damage = {};

	if (myalloc_random_one_in(&t->random, 64))
		flags |= MYALLOC_MAY_WAIT;
	if (myalloc_random_one_in(&t->random, 4))
		align = 1UL << myalloc_random_below(&t->random, PAGE_SHIFT + 3);
	b->size = choose_size(t);
	b->sized = align > PAGE_SIZE ? 0 : ALIGN(b->size ?: 1, align);
	b->addr = align == 8 ? myalloc_heap_alloc(t->heap, b->size, flags) :
			       myalloc_heap_alloc_aligned(t->heap, b->size, align, flags);
	if (!b->addr) {
		t->arg->fails++;
		return;
	}
	t->arg->allocs++;
	if (align <= PAGE_SIZE && !IS_ALIGNED((unsigned long)b->addr, align))
		myalloc_test_wrong(t, "a block of %zu bytes is not aligned to %zu", b->size, align);
	if (flags & MYALLOC_ZERO && !myalloc_pattern_check_zero(b->addr, b->size, &damage))
		myalloc_test_wrong(t, "byte %zu of a block of %zu bytes is not zero", damage.offset,
				   b->size);
	fill(t, b);
}

static void resize(struct test *t, struct block *b)
{
	size_t size = choose_size(t);
	u8 *to = myalloc_heap_realloc(t->heap, b->addr, size, 0);

	if (!to) {
		t->arg->fails++;
		verify(t, b, b->size, "after a realloc that failed");
		return;
	}
	t->arg->reallocs++;
	b->addr = to;
	verify(t, b, min(size, b->size), "after a realloc");
	b->size = size;
	b->sized = size;
	fill(t, b);
}

static void put(struct test *t, struct block *b)
{
	int err;

	verify(t, b, b->size, "before a free");
	if (b->sized && myalloc_random_one_in(&t->random, 2))
		err = myalloc_heap_free_sized(t->heap, b->addr, b->sized);
	else
		err = myalloc_heap_free(t->heap, b->addr);
	if (err)
		myalloc_test_wrong(t, "the free of a block of %zu bytes returned %d", b->size, err);
	t->arg->frees++;
	b->addr = NULL;
}

static int operate(struct test *t)
{
	u64 i;

	for (i = 0; i < t->arg->ops; i++) {
		struct block *b = &t->block[myalloc_random_below(&t->random, BLOCKS)];

		if (!b->addr)
			alloc(t, b);
		else if (myalloc_random_one_in(&t->random, 3))
			resize(t, b);
		else
			put(t, b);
		cond_resched();
		if (signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static int run_in_zone(struct test *t, struct myalloc_zone *zone)
{
	static atomic_t number = ATOMIC_INIT(0);
	char name[MYALLOC_HEAP_NAME];
	const struct myalloc_heap_args args = { .name = name };
	u32 i;
	int err;

	scnprintf(name, sizeof(name), "test-%u", (u32)atomic_inc_return(&number));
	t->heap = myalloc_heap_create(zone, &args);
	if (IS_ERR(t->heap))
		return PTR_ERR(t->heap);
	err = operate(t);
	for (i = 0; i < BLOCKS; i++) {
		if (t->block[i].addr)
			put(t, &t->block[i]);
		cond_resched();
	}
	if (myalloc_heap_destroy(t->heap))
		myalloc_test_wrong(t, "the heap has memory that the test does not know");
	return err;
}

static ssize_t check_test(void *user, const struct myalloc_zone *zone)
{
	struct myalloc_heap_test *arg = user;
	u64 most = PAGE_SIZE << zone->chunk_order;

	if (arg->pad || !arg->ops || arg->ops > MYALLOC_HEAP_TEST_OPS_MAX ||
	    arg->max_bytes > most)
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
	.bytes = sizeof(struct myalloc_heap_test),
	.check = check_test,
	.run = run_test,
};

const struct myalloc_command myalloc_heap_commands[] = {
	{ MYALLOC_IOC_HEAP_STAT, true, .view = &myalloc_heap_view },
	{ MYALLOC_IOC_HEAP_TEST, true, .test = &test },
	{ }
};

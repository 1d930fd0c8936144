// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about rings: statistics, and a test with random operations
 *
 * The test runs in the kernel. Its records have numbers; length and content of each, and whether
 * it is discarded, follow from its number and the seed, so the reader needs nothing but the number
 * to verify a record.
 */
#include "env.h"

#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "base/pattern.h"
#include "base/random.h"
#include "device/command.h"
#include "front/ring.h"
#include "stat.h"

static_assert(sizeof(struct myalloc_ring_stat) == 40 + 16 + 12 * 8);
static_assert(sizeof(struct myalloc_ring_test) == 80 + 160);
static_assert(MYALLOC_RING_MODE_ONE == MYALLOC_RING_ONE);
static_assert(MYALLOC_RING_MODE_MANY == MYALLOC_RING_MANY);
static_assert(MYALLOC_RING_MODE_OVERWRITE == MYALLOC_RING_OVERWRITE);

#define PENDING		8	/* most records that a test has reserved */
#define RECORD_MOST	1024	/* bytes */
#define LOOK_EVERY	64	/* operations between two checks for signals */

/**
 * struct test - a test that runs
 * @ring: the ring
 * @arg: parameters and result
 * @random: for every choice
 * @next: number of the next record
 * @expected: lossless: number of the next record to be read, or of a discarded one before it
 * @nr: records reserved and neither committed nor discarded
 * @pending: the reserved records
 * @buf: buffer for copied records
 */
struct test {
	struct myalloc_ring *ring;
	struct myalloc_ring_test *arg;
	struct myalloc_random random;
	u64 next;
	u64 expected;
	u32 nr;
	struct {
		u64 *record;
		u64 number;
	} pending[PENDING];
	u64 buf[RECORD_MOST / sizeof(u64)];
};

/* A record: its number, and a pattern behind it. */
static size_t length_of(const struct test *t, u64 number)
{
	u64 random = myalloc_mix64(t->arg->seed ^ number);
	size_t most = random >> 61 ? 64 : RECORD_MOST - sizeof(u64);

	return sizeof(u64) + random % most;
}

static bool is_discarded(const struct test *t, u64 number)
{
	return myalloc_mix64(t->arg->seed - number) >> 60 == 0;
}

static void reserve(struct test *t)
{
	size_t length = length_of(t, t->next);
	u64 *record = myalloc_ring_reserve(t->ring, length);

	if (!record)
		return;
	*record = t->next;
	myalloc_pattern_fill(record + 1, length - sizeof(u64),
			     myalloc_pattern_key(t->arg->seed, t->next));
	t->pending[t->nr].record = record;
	t->pending[t->nr++].number = t->next++;
}

/* Commit or discard one of the reserved records. */
static void finish(struct test *t, u32 i)
{
	bool discard = is_discarded(t, t->pending[i].number);

	if (discard ? myalloc_ring_discard(t->ring, t->pending[i].record) :
		      myalloc_ring_commit(t->ring, t->pending[i].record))
		myalloc_test_wrong(t, "the commit of record %llu is refused", t->pending[i].number);
	if (discard)
		t->arg->discarded++;
	else
		t->arg->records++;
	t->pending[i] = t->pending[--t->nr];
}

static void verify(struct test *t, const u64 *record, size_t length)
{
	struct myalloc_damage damage = {};
	u64 number = *record;

	t->arg->read++;
	if (number >= t->next || is_discarded(t, number) || length != length_of(t, number))
		myalloc_test_wrong(t, "%zu bytes are read as record %llu of %llu", length, number,
				   t->next);
	else if (!myalloc_pattern_check(record + 1, length - sizeof(u64),
					myalloc_pattern_key(t->arg->seed, number), &damage))
		myalloc_test_wrong(t,
				   "record %llu, byte %zu of %zu: found 0x%016llx, not 0x%016llx",
				   number, damage.offset, length, damage.found, damage.expected);
}

/* Reads the next record of a ring that does not overwrite; false if there is none. */
static bool read_next(struct test *t)
{
	size_t length;
	u64 *record = myalloc_ring_peek(t->ring, &length);

	if (!record)
		return false;
	while (is_discarded(t, t->expected))
		t->expected++;
	if (*record != t->expected)
		myalloc_test_wrong(t, "record %llu is read in place of %llu", *record, t->expected);
	t->expected = *record + 1;
	verify(t, record, length);
	if (myalloc_ring_release(t->ring, record))
		myalloc_test_wrong(t, "the release of record %llu is refused", t->expected - 1);
	return true;
}

/* Copies the next record of any CPU; false if there is none. */
static bool copy_next(struct test *t)
{
	u32 cpu;

	for (cpu = 0; cpu < t->ring->nr_parts; cpu++) {
		long length = myalloc_ring_copy(t->ring, cpu, t->buf, sizeof(t->buf));

		if (length == -EIO)
			myalloc_test_wrong(t, "the ring is damaged");
		if (length < 0)
			continue;
		verify(t, t->buf, length);
		return true;
	}
	return false;
}

static bool read_one(struct test *t)
{
	return t->arg->mode == MYALLOC_RING_OVERWRITE ? copy_next(t) : read_next(t);
}

static int operate(struct test *t)
{
	u64 op;

	for (op = 0; op < t->arg->ops; op++) {
		if (op % LOOK_EVERY == 0) {
			if (signal_pending(current))
				return -EINTR;
			cond_resched();
		}
		switch (myalloc_random_below(&t->random, 5)) {
		case 0:
		case 1:
			if (t->nr < PENDING)
				reserve(t);
			break;
		case 2:
		case 3:
			if (t->nr)
				finish(t, myalloc_random_below(&t->random, t->nr));
			break;
		default:
			while (!myalloc_random_one_in(&t->random, 4) && read_one(t))
				;
		}
	}
	return 0;
}

/* Everything is committed and read: each record that was reserved must be accounted for. */
static void settle(struct test *t)
{
	struct myalloc_ring_stats stats;

	while (t->nr)
		finish(t, t->nr - 1);
	while (read_one(t))
		;
	myalloc_ring_stats(t->ring, &stats);
	t->arg->lost = stats.lost;
	t->arg->full = stats.full;
	if (stats.records != t->next || stats.read != t->arg->read ||
	    stats.read + stats.skipped + stats.lost != t->next)
		myalloc_test_wrong(t, "of %llu records %llu were read, %llu discarded, %llu lost",
				   t->next, stats.read, stats.skipped, stats.lost);
}

static int run_in_zone(struct test *t, struct myalloc_zone *zone)
{
	static atomic_t number;
	char name[MYALLOC_RING_NAME];
	const struct myalloc_ring_args args = {
		.name = name, .size = t->arg->ring_bytes,
		.mode = (enum myalloc_ring_mode)t->arg->mode,
	};
	int err;

	scnprintf(name, sizeof(name), "test-%u", (u32)atomic_inc_return(&number));
	t->ring = myalloc_ring_create(zone, &args);
	if (IS_ERR(t->ring))
		return PTR_ERR(t->ring);
	err = operate(t);
	settle(t);
	if (myalloc_ring_destroy(t->ring))
		myalloc_test_wrong(t, "the ring does not end");
	return err;
}

static ssize_t check_test(void *user, const struct myalloc_zone *zone)
{
	struct myalloc_ring_test *arg = user;
	u64 most = PAGE_SIZE << zone->chunk_order;

	if (arg->mode >= MYALLOC_RING_MODES || !arg->ops ||
	    arg->ops > MYALLOC_RING_TEST_OPS_MAX || arg->ring_bytes > most)
		return -EINVAL;
	arg->ring_bytes = arg->ring_bytes ?: PAGE_SIZE;
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
	.bytes = sizeof(struct myalloc_ring_test),
	.check = check_test,
	.run = run_test,
};

const struct myalloc_command myalloc_ring_commands[] = {
	{ MYALLOC_IOC_RING_STAT, true, .view = &myalloc_ring_view },
	{ MYALLOC_IOC_RING_TEST, true, .test = &test },
	{ }
};

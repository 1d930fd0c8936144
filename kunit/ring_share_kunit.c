// SPDX-License-Identifier: GPL-2.0
/* Tests of rings whose consumer is in user space: published positions, wake-ups, releases. */
#include "env.h"

#include <kunit/test.h>

#include "base/pattern.h"
#include "client/client.h"
#include "fixture.h"
#include "front/ring.h"

#define CHUNK_ORDER	4U

/**
 * struct ring_user - the consumer
 * @ring: its ring
 * @share: how it is shared
 * @tail: the published tail
 * @oldest: the published position of the oldest record
 * @woken: number of wake-ups
 */
static struct ring_user {
	struct kunit *test;
	struct myalloc_ring *ring;
	struct myalloc_ring_share share;
	u64 tail, oldest;
	u32 woken;
} user;

static void wake(struct myalloc_ring_share *share)
{
	KUNIT_EXPECT_PTR_EQ(user.test, share, &user.share);
	user.woken++;
}

static struct fixture *zone_of(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 16 << CHUNK_ORDER, .chunk_order = CHUNK_ORDER, .no_magazines = true,
	};

	return fixture_zone(test, &args);
}

static struct myalloc_ring *shared_ring(struct fixture *fx, enum myalloc_ring_mode mode)
{
	const struct myalloc_ring_args args = { .name = "r", .mode = mode, .size = PAGE_SIZE };
	struct myalloc_ring *ring = myalloc_ring_create(fx->zone, &args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, ring);
	user = (struct ring_user){
		.test = fx->test, .ring = ring, .tail = 99, .oldest = 99,
		.share = { .tail = &user.tail, .oldest = &user.oldest, .wake = wake, .waiting = 1 },
	};
	KUNIT_ASSERT_EQ(fx->test, myalloc_ring_attach(ring, &user.share), 0);
	KUNIT_EXPECT_EQ(fx->test, user.tail, 0);
	KUNIT_EXPECT_EQ(fx->test, user.oldest, 0);
	KUNIT_EXPECT_EQ(fx->test, user.share.waiting, 0);
	return ring;
}

static void expect_end(struct fixture *fx)
{
	FIXTURE_EXPECT_VALID(fx);
	myalloc_ring_detach(user.ring);
	KUNIT_EXPECT_EQ(fx->test, myalloc_ring_destroy(user.ring), 0);
	KUNIT_EXPECT_TRUE(fx->test, fixture_pristine(fx));
}

static void *reserve(struct kunit *test, size_t size)
{
	void *record = myalloc_ring_reserve(user.ring, size);

	KUNIT_ASSERT_NOT_NULL(test, record);
	return record;
}

static void put(struct kunit *test, size_t size)
{
	KUNIT_ASSERT_EQ(test, myalloc_ring_commit(user.ring, reserve(test, size)), 0);
}

static void *put_discarded(struct kunit *test, size_t size)
{
	void *record = reserve(test, size);

	KUNIT_ASSERT_EQ(test, myalloc_ring_discard(user.ring, record), 0);
	return record;
}

/* Expect these published positions, and as many wake-ups since the last call. */
static void expect_told(struct kunit *test, u64 tail, u64 oldest, u32 woken)
{
	KUNIT_EXPECT_EQ(test, user.tail, tail);
	KUNIT_EXPECT_EQ(test, user.oldest, oldest);
	KUNIT_EXPECT_EQ(test, user.woken, woken);
	user.woken = 0;
}

/* A reservation publishes nothing; a commit and a discard publish the tail. */
static void share_tail(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	void *a, *b, *c;
	u32 mode;

	for (mode = 0; mode < MYALLOC_RING_OVERWRITE; mode++) {
		struct myalloc_ring *ring = shared_ring(fx, mode);

		a = reserve(test, 8);
		b = reserve(test, 24);
		expect_told(test, 0, 0, 0);
		KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, b), 0);
		expect_told(test, 48, 0, 0);
		c = reserve(test, 0);
		KUNIT_EXPECT_EQ(test, myalloc_ring_discard(ring, a), 0);
		expect_told(test, 56, 0, 0);
		KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, c), 0);
		expect_told(test, 56, 0, 0);
		KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, c), -EINVAL);
		KUNIT_EXPECT_EQ(test, atomic64_read(&ring->wakes), 0);
		KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, 56), 0);
		expect_told(test, 56, 56, 0);
		expect_end(fx);
	}
}

static struct {
	struct kunit *test;
	const char *where;
	void *record;
	bool reached;
} hook;

static void commit_here(const char *where)
{
	void *record = hook.record;

	if (!strcmp(where, hook.where) && record) {
		hook.record = NULL;
		KUNIT_EXPECT_EQ(hook.test, myalloc_ring_commit(user.ring, record), 0);
	}
}

static bool commit_at(struct kunit *test, const char *where, void *record)
{
	hook.test = test;
	hook.where = where;
	hook.record = record;
	return fixture_set_hook(commit_here);
}

static void reserve_and_commit(const char *where)
{
	if (strcmp(where, "ring-tell") || hook.reached)
		return;
	hook.reached = true;
	put(hook.test, 40);
}

/* Of two concurrent commits, the one with the smaller tail does not overwrite the larger. */
static void share_tail_race(struct kunit *test)
{
	struct fixture *fx = zone_of(test);

	shared_ring(fx, MYALLOC_RING_MANY);
	hook.test = test;
	hook.reached = false;
	if (!fixture_set_hook(reserve_and_commit)) {
		expect_end(fx);
		kunit_skip(test, "no hooks here");
	}
	put(test, 8);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_TRUE(test, hook.reached);
	expect_told(test, 64, 0, 0);
	expect_end(fx);
}

/* Only a waiting consumer is woken, and only once. */
static void share_wake(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = shared_ring(fx, MYALLOC_RING_MANY);
	void *a, *b;

	put(test, 8);
	expect_told(test, 16, 0, 0);
	KUNIT_EXPECT_FALSE(test, myalloc_ring_may_sleep(ring));
	put(test, 8);
	expect_told(test, 32, 0, 0);
	KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, 16), 0);
	put(test, 8);
	expect_told(test, 48, 16, 0);

	/* After the release of all records it waits. */
	KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, 48), 0);
	put(test, 8);
	expect_told(test, 64, 48, 1);
	put(test, 8);
	expect_told(test, 80, 48, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&ring->wakes), 1);
	KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, 80), 0);
	KUNIT_EXPECT_TRUE(test, myalloc_ring_may_sleep(ring));

	/* The second record is committed before the first: each wakes, none is read before. */
	a = reserve(test, 8);
	b = reserve(test, 8);
	KUNIT_EXPECT_TRUE(test, myalloc_ring_may_sleep(ring));
	expect_told(test, 112, 80, 0);
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, b), 0);
	expect_told(test, 112, 80, 1);
	KUNIT_EXPECT_TRUE(test, myalloc_ring_may_sleep(ring));
	KUNIT_EXPECT_EQ(test, myalloc_ring_discard(ring, a), 0);
	expect_told(test, 112, 80, 1);
	KUNIT_EXPECT_FALSE(test, myalloc_ring_may_sleep(ring));
	KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, 112), 0);

	/* Discarded records alone are enough for the consumer to release. */
	put_discarded(test, 8);
	expect_told(test, 128, 112, 1);
	KUNIT_EXPECT_FALSE(test, myalloc_ring_may_sleep(ring));
	KUNIT_EXPECT_EQ(test, ring->part->oldest, 112);
	KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, 128), 0);
	KUNIT_EXPECT_EQ(test, ring->part->read, 6);
	KUNIT_EXPECT_EQ(test, ring->part->skipped, 2);
	KUNIT_EXPECT_EQ(test, atomic64_read(&ring->wakes), 4);
	expect_end(fx);
}

/* A commit between the consumer's declaration and its check is seen by the check, and wakes it. */
static void share_wake_race(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = shared_ring(fx, MYALLOC_RING_MANY);
	void *a = reserve(test, 8);

	if (!commit_at(test, "ring-waiting", a)) {
		KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, a), 0);
		expect_end(fx);
		kunit_skip(test, "no hooks here");
	}
	KUNIT_EXPECT_FALSE(test, myalloc_ring_may_sleep(ring));
	fixture_set_hook(NULL);
	KUNIT_EXPECT_NULL(test, hook.record);
	expect_told(test, 16, 0, 1);
	expect_end(fx);
}

/* A record, and the first half of its commit: the producer has not published it yet. */
static void reserve_and_store(const char *where)
{
	struct myalloc_ring_header *h;

	if (strcmp(where, "ring-tell") || hook.reached)
		return;
	hook.reached = true;
	h = (void *)((char *)reserve(hook.test, 8) - user.ring->header);
	smp_store_release(&h->length, h->length & MYALLOC_RING_LENGTH);	/* as finish() */
}

/* A release also publishes records found after its tail: no commit wakes the consumer for them. */
static void share_release_race(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = shared_ring(fx, MYALLOC_RING_MANY);

	hook.test = test;
	hook.reached = false;
	if (!fixture_set_hook(reserve_and_store)) {
		expect_end(fx);
		kunit_skip(test, "no hooks here");
	}
	KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, 0), 0);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_TRUE(test, hook.reached);
	expect_told(test, 16, 0, 0);
	expect_end(fx);
}

static void share_nmi(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = shared_ring(fx, MYALLOC_RING_MANY);
	void *a = reserve(test, 8);
	unsigned long irq;

	KUNIT_EXPECT_TRUE(test, myalloc_ring_may_sleep(ring));
	irq = fixture_nmi_enter();
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, a), 0);
	fixture_nmi_exit(irq);
	expect_told(test, 16, 0, 1);
	expect_end(fx);
}

/* Releases are accepted only at the end of a record, and of no reserved one. */
static void share_release(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = shared_ring(fx, MYALLOC_RING_ONE);
	u64 pos, base, round;
	void *c;

	for (round = 0; round < 100; round++) {
		base = ring->part->oldest;
		put(test, 8);
		KUNIT_EXPECT_EQ(test, user.woken, !!round);
		user.woken = 0;
		put_discarded(test, 100);
		put(test, 33);
		c = reserve(test, 5);
		put(test, 6);
		for (pos = base; pos < base + 240; pos++) {
			bool ends = pos == base || pos == base + 16 || pos == base + 128 ||
				    pos == base + 176;

			if (!ends)
				KUNIT_ASSERT_EQ(test, myalloc_ring_release_to(ring, pos), -EINVAL);
		}
		KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, base - 8), -EINVAL);
		KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, U64_MAX), -EINVAL);
		KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, base), 0);
		KUNIT_EXPECT_EQ(test, ring->part->oldest, base);
		KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, base + 16), 0);
		expect_told(test, base + 208, base + 16, 0);
		KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, base + 176), 0);
		expect_told(test, base + 208, base + 176, 0);
		KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, base + 208), -EINVAL);
		KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, c), 0);
		KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, base + 208), 0);
		expect_told(test, base + 208, base + 208, 1);
		KUNIT_EXPECT_EQ(test, ring->part->read, 4 * (round + 1));
		KUNIT_EXPECT_EQ(test, ring->part->skipped, round + 1);
	}
	KUNIT_EXPECT_EQ(test, ring->part->full, 0);
	expect_end(fx);
}

/* As many records as a ring can have. */
static void share_many(struct kunit *test)
{
	const struct myalloc_ring_args args = {
		.name = "r", .mode = MYALLOC_RING_ONE, .size = PAGE_SIZE << CHUNK_ORDER,
	};
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = myalloc_ring_create(fx->zone, &args);
	u32 i, nr = args.size / 8;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ring);
	user = (struct ring_user){
		.test = test, .ring = ring,
		.share = { .tail = &user.tail, .oldest = &user.oldest, .wake = wake },
	};
	KUNIT_ASSERT_EQ(test, myalloc_ring_attach(ring, &user.share), 0);
	for (i = 0; i < nr; i++)
		put_discarded(test, 0);
	/* The ring is full, so only the consumer can go on. */
	KUNIT_EXPECT_NULL(test, myalloc_ring_reserve(ring, 0));
	expect_told(test, args.size, 0, 0);
	KUNIT_EXPECT_FALSE(test, myalloc_ring_may_sleep(ring));
	KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, args.size), 0);
	KUNIT_EXPECT_EQ(test, ring->part->skipped, nr);
	put(test, args.size - 8);
	expect_told(test, 2 * args.size, args.size, 1);
	expect_end(fx);
}

/* A wrong header wakes the reader, and ends the releases. */
static void share_damage(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = shared_ring(fx, MYALLOC_RING_MANY);
	void *a;

	put(test, 8);
	a = reserve(test, 8);
	put(test, 8);
	memset(a, 0x55, 12);	/* four too many */
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, a), 0);
	KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, 32), 0);
	fixture_log_mark();
	KUNIT_EXPECT_FALSE(test, myalloc_ring_may_sleep(ring));
	KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, 48), -EIO);
	KUNIT_EXPECT_EQ(test, myalloc_ring_release_to(ring, 48), -EIO);
	KUNIT_EXPECT_EQ(test, fixture_log_count("ring r is damaged: no header at offset 32"), 1);
	KUNIT_EXPECT_EQ(test, ring->part->oldest, 32);
	myalloc_ring_detach(ring);
	KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* A ring is attached once, ends only when no longer shared, and publishes nothing afterwards. */
static void share_ends(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_client *client = myalloc_client_create(fx->zone,
		&(struct myalloc_client_args){ .name = "c" });
	const struct myalloc_ring_args args = {
		.name = "r", .mode = MYALLOC_RING_OVERWRITE, .size = 1,
	};
	struct myalloc_ring *ring = myalloc_ring_create(fx->zone, &args);
	struct myalloc_ring_stats stats;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ring);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client);
	KUNIT_EXPECT_EQ(test, myalloc_ring_attach(ring, &user.share), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), 0);

	ring = shared_ring(fx, MYALLOC_RING_ONE);
	KUNIT_EXPECT_EQ(test, myalloc_ring_attach(ring, &user.share), -EBUSY);
	KUNIT_EXPECT_TRUE(test, myalloc_ring_may_sleep(ring));
	put(test, 8);
	myalloc_ring_stats(ring, &stats);
	KUNIT_EXPECT_EQ(test, stats.shared, 1);
	KUNIT_EXPECT_EQ(test, stats.wakes, 1);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), -EBUSY);
	KUNIT_EXPECT_EQ(test, fixture_log_count("ring r cannot be destroyed: it is shared"), 1);
	myalloc_ring_detach(ring);
	user.tail = 0;
	put(test, 8);
	KUNIT_EXPECT_EQ(test, user.tail, 0);
	myalloc_ring_stats(ring, &stats);
	KUNIT_EXPECT_EQ(test, stats.shared, 0);
	KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), 0);

	/* Nor does the release of a client free the pages that user space has mapped. */
	ring = myalloc_ring_create(fx->zone, &(struct myalloc_ring_args){
		.name = "r", .size = 1, .client = client });
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ring);
	KUNIT_EXPECT_EQ(test, myalloc_ring_attach(ring, &user.share), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, MYALLOC_RELEASE_ALL), -EBUSY);
	KUNIT_EXPECT_EQ(test, fixture_log_count("ring r cannot be destroyed: it is shared"), 2);
	KUNIT_EXPECT_NOT_NULL(test, myalloc_ring_reserve(ring, 8));
	myalloc_ring_detach(ring);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, MYALLOC_RELEASE_ALL), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE(share_tail),
	KUNIT_CASE(share_tail_race),
	KUNIT_CASE(share_wake),
	KUNIT_CASE(share_wake_race),
	KUNIT_CASE(share_nmi),
	KUNIT_CASE(share_release),
	KUNIT_CASE(share_release_race),
	KUNIT_CASE(share_many),
	KUNIT_CASE(share_damage),
	KUNIT_CASE(share_ends),
	{}
};

static struct kunit_suite share_suite = {
	.name = "myalloc_ring_share",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = share_cases,
};

kunit_test_suite(share_suite);

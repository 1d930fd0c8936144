// SPDX-License-Identifier: GPL-2.0
/* Tests of rings: records of every length, order, room, overwriting, wrong uses, damage, ends. */
#include "env.h"

#include <kunit/test.h>

#include "base/pattern.h"
#include "fixture.h"
#include "zone/front.h"
#include "front/ring.h"

#define CHUNK_ORDER	4U
#define MODES		3

static struct fixture *zone_of(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = 16 << CHUNK_ORDER, .chunk_order = CHUNK_ORDER, .no_magazines = true,
	};

	return fixture_zone(test, &args);
}

static struct myalloc_ring *ring_of(struct fixture *fx, enum myalloc_ring_mode mode, size_t size)
{
	const struct myalloc_ring_args args = { .name = "r", .mode = mode, .size = size };
	struct myalloc_ring *ring = myalloc_ring_create(fx->zone, &args);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, ring);
	return ring;
}

/* Check Y1 and Y2. Returns the records between oldest and tail; @busy: of these, the busy ones. */
static u32 expect_sound(struct kunit *test, const struct myalloc_ring *ring, u32 *busy)
{
	u32 i, nr = 0;

	*busy = 0;
	for (i = 0; i < ring->nr_parts; i++) {
		const struct myalloc_ring_part *part = &ring->part[i];
		u64 pos = part->oldest;

		KUNIT_EXPECT_LE(test, part->oldest, part->tail);
		KUNIT_EXPECT_LE(test, part->tail - part->oldest, ring->size);
		while (pos < part->tail) {
			const struct myalloc_ring_header *h = myalloc_ring_at(ring, part, pos);

			KUNIT_ASSERT_EQ(test, h->mark, myalloc_ring_mark(ring, pos));
			*busy += !!(h->length & MYALLOC_RING_BUSY);
			pos += myalloc_ring_total(ring, h->length);
			nr++;
		}
		KUNIT_EXPECT_EQ(test, pos, part->tail);
	}
	return nr;
}

static void expect_end(struct fixture *fx, struct myalloc_ring *ring)
{
	u32 busy;

	expect_sound(fx->test, ring, &busy);
	FIXTURE_EXPECT_VALID(fx);
	KUNIT_EXPECT_EQ(fx->test, myalloc_ring_destroy(ring), 0);
	KUNIT_EXPECT_TRUE(fx->test, fixture_pristine(fx));
}

static void *put(struct kunit *test, struct myalloc_ring *ring, size_t size, u64 key)
{
	void *record = myalloc_ring_reserve(ring, size);

	if (record) {
		KUNIT_ASSERT_TRUE(test, IS_ALIGNED((unsigned long)record, 8));
		myalloc_pattern_fill(record, size, key);
		KUNIT_ASSERT_EQ(test, myalloc_ring_commit(ring, record), 0);
	}
	return record;
}

/* The next record is of this size and content. */
static void expect_next(struct kunit *test, struct myalloc_ring *ring, size_t size, u64 key)
{
	struct myalloc_damage damage;
	size_t found = SIZE_MAX;
	void *record = myalloc_ring_peek(ring, &found);

	KUNIT_ASSERT_NOT_NULL(test, record);
	KUNIT_ASSERT_EQ(test, found, size);
	KUNIT_ASSERT_PTR_EQ(test, myalloc_ring_peek(ring, &found), record);
	KUNIT_ASSERT_TRUE(test, myalloc_pattern_check(record, size, key, &damage));
	KUNIT_ASSERT_EQ(test, myalloc_ring_release(ring, record), 0);
}

static void expect_none(struct kunit *test, struct myalloc_ring *ring)
{
	size_t size;

	KUNIT_ASSERT_NULL(test, myalloc_ring_peek(ring, &size));
}

/* Expect this record as the next one copied; none if @size is -EAGAIN. */
static void expect_copy(struct kunit *test, struct myalloc_ring *ring, u32 cpu, u8 *buf,
			long size, u64 key)
{
	struct myalloc_damage damage;

	KUNIT_ASSERT_EQ(test, myalloc_ring_copy(ring, cpu, buf, ring->size), size);
	if (size > 0)
		KUNIT_ASSERT_TRUE(test, myalloc_pattern_check(buf, size, key, &damage));
}

static bool found(struct myalloc_front *front, void *arg)
{
	*(struct myalloc_ring **)arg = myalloc_ring_of(front);
	return true;
}

/* --- creation ---------------------------------------------------------------------------- */

static void ring_create(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	const size_t most = PAGE_SIZE << CHUNK_ORDER;
	const struct {
		struct myalloc_ring_args args;
		int err;
	} wrong[] = {
		{ { .name = NULL, .size = 1 }, -EINVAL },
		{ { .name = "", .size = 1 }, -EINVAL },
		{ { .name = "a ring", .size = 1 }, -EINVAL },
		{ { .name = "r", .size = 0 }, -EINVAL },
		{ { .name = "r", .size = most + 1 }, -EINVAL },
		{ { .name = "r", .size = SIZE_MAX }, -EINVAL },
		{ { .name = "r", .size = 1, .mode = MODES }, -EINVAL },
	};
	const struct myalloc_ring_args same = { .name = "r", .size = 1 };
	unsigned long live = fixture_live_allocs();
	struct myalloc_ring *ring, *walked = NULL;
	u32 i, mode;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		ring = myalloc_ring_create(fx->zone, &wrong[i].args);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(ring), wrong[i].err);
	}
	for (mode = 0; mode < MODES; mode++) {
		ring = ring_of(fx, mode, 1);
		KUNIT_EXPECT_EQ(test, ring->size, PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, ring->nr_parts,
				mode == MYALLOC_RING_OVERWRITE ? nr_cpu_ids : 1);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->free_pages,
				fx->zone->buddy.nr_frames - ring->nr_parts);
		expect_end(fx, ring);
	}
	ring = ring_of(fx, MYALLOC_RING_ONE, most - 1);
	KUNIT_EXPECT_EQ(test, ring->size, most);
	expect_end(fx, ring);
	ring = ring_of(fx, MYALLOC_RING_ONE, 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(myalloc_ring_create(fx->zone, &same)), -EEXIST);
	myalloc_front_walk(fx->zone, &myalloc_ring_kind, found, &walked);
	KUNIT_EXPECT_PTR_EQ(test, walked, ring);
	expect_end(fx, ring);
	KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(NULL), 0);
	KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
}

static void ring_aliasing(struct kunit *test)
{
	const struct myalloc_ring_args args = { .name = "r", .size = 1 };
	struct fixture *fx = zone_of(test);

	if (!fixture_set_aliasing(true))
		kunit_skip(test, "this machine is what it is");
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(myalloc_ring_create(fx->zone, &args)), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, fixture_log_count("caches of this architecture may alias"), 1);
	fixture_set_aliasing(false);
	expect_end(fx, ring_of(fx, MYALLOC_RING_ONE, 1));
}

/* Every internal allocation fails in turn, and the zone has no pages. */
static void ring_no_memory(struct kunit *test)
{
	char name[] = "a";
	const struct myalloc_ring_args args = {
		.name = name, .size = PAGE_SIZE << CHUNK_ORDER, .mode = MYALLOC_RING_ONE,
	};
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring[17];
	unsigned long k;
	u32 nr;

	for (nr = 0; nr < ARRAY_SIZE(ring); nr++) {
		name[0] = 'a' + nr;
		ring[nr] = myalloc_ring_create(fx->zone, &args);
		if (IS_ERR(ring[nr]))
			break;
	}
	KUNIT_EXPECT_EQ(test, nr, 16);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ring[nr]), -ENOMEM);
	while (nr)
		KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring[--nr]), 0);
	for (k = 1; fixture_fail_after(k); k++) {
		ring[0] = myalloc_ring_create(fx->zone, &args);
		if (!fixture_fail_fired())
			break;
		KUNIT_ASSERT_EQ(test, PTR_ERR_OR_ZERO(ring[0]), -ENOMEM);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	}
	fixture_fail_after(0);
	if (k > 1) {
		KUNIT_EXPECT_EQ(test, k, 4);
		expect_end(fx, ring[0]);
	}
}

/* The same bytes twice in a row. */
static void ring_mapped_twice(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_OVERWRITE, 2 * PAGE_SIZE);
	u8 *map = ring->map, *block;
	size_t i;
	u32 part;

	for (part = 0; part < ring->nr_parts; part++, map += 2 * ring->size) {
		block = ring->blocks[part];
		KUNIT_EXPECT_NULL(test, memchr_inv(map, 0, 2 * ring->size));
		for (i = 0; i < 2 * ring->size; i += 8)
			map[i] = part + i / 8;
		for (i = 0; i < ring->size; i += 8) {
			KUNIT_ASSERT_EQ(test, map[i], map[i + ring->size]);
			KUNIT_ASSERT_EQ(test, map[i], block[i]);
			KUNIT_ASSERT_EQ(test, map[i], (u8)(part + (i + ring->size) / 8));
		}
		memset(map, 0, ring->size);
	}
	expect_end(fx, ring);
}

/* --- rings that do not overwrite ------------------------------------------------------------ */

static void lengths_of(struct kunit *test, enum myalloc_ring_mode mode)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, mode, PAGE_SIZE);
	const size_t most = PAGE_SIZE - 8;
	size_t size;
	u32 busy;

	for (size = 0; size <= most; size += fixture_thorough() ? 1 + size / 64 : 37) {
		KUNIT_ASSERT_NOT_NULL(test, put(test, ring, size, size));
		KUNIT_ASSERT_EQ(test, expect_sound(test, ring, &busy), 1);
		expect_next(test, ring, size, size);
		expect_none(test, ring);
	}
	KUNIT_EXPECT_NOT_NULL(test, put(test, ring, most, 5));
	KUNIT_EXPECT_NULL(test, myalloc_ring_reserve(ring, 0));
	KUNIT_EXPECT_EQ(test, ring->part->full, 1);
	expect_next(test, ring, most, 5);
	KUNIT_EXPECT_NULL(test, myalloc_ring_reserve(ring, most + 1));
	KUNIT_EXPECT_NULL(test, myalloc_ring_reserve(ring, SIZE_MAX));
	KUNIT_EXPECT_EQ(test, atomic64_read(&ring->too_long), 2);
	KUNIT_EXPECT_EQ(test, ring->part->read, ring->part->records);
	expect_end(fx, ring);
}

static void ring_lengths(struct kunit *test)
{
	lengths_of(test, MYALLOC_RING_ONE);
	lengths_of(test, MYALLOC_RING_MANY);
}

/* In the order of reservation, whatever the order of commits; discarded ones are skipped. */
static void order_of(struct kunit *test, enum myalloc_ring_mode mode)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, mode, PAGE_SIZE);
	void *r[4];
	u32 i, busy;

	for (i = 0; i < 4; i++) {
		r[i] = myalloc_ring_reserve(ring, 100 + i);
		KUNIT_ASSERT_NOT_NULL(test, r[i]);
		myalloc_pattern_fill(r[i], 100 + i, i);
	}
	KUNIT_EXPECT_EQ(test, expect_sound(test, ring, &busy), 4);
	KUNIT_EXPECT_EQ(test, busy, 4);
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, r[3]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_ring_discard(ring, r[1]), 0);
	expect_none(test, ring);
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, r[0]), 0);
	expect_next(test, ring, 100, 0);
	expect_none(test, ring);
	KUNIT_EXPECT_EQ(test, ring->part->skipped, 1);
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, r[2]), 0);
	expect_next(test, ring, 102, 2);
	expect_next(test, ring, 103, 3);
	expect_none(test, ring);
	KUNIT_EXPECT_EQ(test, ring->part->read, 3);
	expect_end(fx, ring);
}

static void ring_order(struct kunit *test)
{
	order_of(test, MYALLOC_RING_ONE);
	order_of(test, MYALLOC_RING_MANY);
}

#define QUEUE	1024u

/* Records committed or discarded, in order. */
struct model {
	struct {
		u32 size;
		u64 key;
		bool discarded;
	} queue[QUEUE];
	u32 first, nr;
	size_t used;
};

static void random_of(struct kunit *test, enum myalloc_ring_mode mode)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, mode, PAGE_SIZE);
	u32 i, n, at, busy, ops = fixture_thorough() ? 20000 : 2000, big = PAGE_SIZE / 3;
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct myalloc_random random;
	void *record;

	KUNIT_ASSERT_NOT_NULL(test, m);
	fixture_random(test, &random);
	for (i = 0; i < ops; i++) {
		u32 most = myalloc_random_one_in(&random, 4) ? big : 40;
		u32 size = myalloc_random_below(&random, most);
		size_t total = ALIGN(size + 8, 8);

		if (myalloc_random_one_in(&random, 2) && m->nr < QUEUE) {
			record = myalloc_ring_reserve(ring, size);
			KUNIT_ASSERT_EQ(test, !!record, m->used + total <= PAGE_SIZE);
			if (!record)
				continue;
			at = (m->first + m->nr++) % QUEUE;
			m->queue[at].size = size;
			m->queue[at].key = i;
			m->queue[at].discarded = myalloc_random_one_in(&random, 8);
			m->used += total;
			myalloc_pattern_fill(record, size, i);
			KUNIT_ASSERT_EQ(test, m->queue[at].discarded ?
					myalloc_ring_discard(ring, record) :
					myalloc_ring_commit(ring, record), 0);
			continue;
		}
		for (n = myalloc_random_below(&random, 4); n && m->nr; n--) {
			while (m->nr && m->queue[m->first].discarded) {
				m->used -= ALIGN(m->queue[m->first].size + 8, 8);
				m->first = (m->first + 1) % QUEUE;
				m->nr--;
			}
			if (!m->nr) {
				expect_none(test, ring);
				break;
			}
			expect_next(test, ring, m->queue[m->first].size, m->queue[m->first].key);
			m->used -= ALIGN(m->queue[m->first].size + 8, 8);
			m->first = (m->first + 1) % QUEUE;
			m->nr--;
		}
		KUNIT_ASSERT_EQ(test, expect_sound(test, ring, &busy), m->nr);
		KUNIT_ASSERT_EQ(test, busy, 0);
	}
	expect_end(fx, ring);
}

static void ring_random(struct kunit *test)
{
	random_of(test, MYALLOC_RING_ONE);
	random_of(test, MYALLOC_RING_MANY);
}

/* In an NMI that interrupted a producer with the lock, only a reservation fails. */
static void ring_nmi(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_MANY, PAGE_SIZE);
	void *a = myalloc_ring_reserve(ring, 8), *b, *c;
	unsigned long irq, lock_irq;
	size_t size;

	irq = fixture_nmi_enter();
	b = put(test, ring, 16, 2);
	fixture_nmi_exit(irq);
	KUNIT_EXPECT_NOT_NULL(test, b);
	expect_none(test, ring);

	raw_spin_lock_irqsave(&ring->part->lock, lock_irq);
	irq = fixture_nmi_enter();
	c = myalloc_ring_reserve(ring, 8);
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, a), 0);
	KUNIT_EXPECT_PTR_EQ(test, myalloc_ring_peek(ring, &size), a);
	KUNIT_EXPECT_EQ(test, myalloc_ring_release(ring, a), 0);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&ring->part->lock, lock_irq);
	KUNIT_EXPECT_NULL(test, c);
	KUNIT_EXPECT_EQ(test, atomic64_read(&ring->nmi_fails), 1);
	expect_next(test, ring, 16, 2);
	expect_end(fx, ring);
}

static struct {
	struct kunit *test;
	struct myalloc_ring *ring;
	void *record;
	u32 points, put, at;
} hook;

static void put_here(void *arg)
{
	KUNIT_EXPECT_NOT_NULL(hook.test, put(hook.test, arg, 40, 4));
}

/* --- rings that overwrite ------------------------------------------------------------ */

static void ring_overwrite(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_OVERWRITE, PAGE_SIZE);
	u32 cpu = fixture_cpu(0), nr = PAGE_SIZE / 128, i;
	struct myalloc_ring_part *part = &ring->part[cpu];
	u8 *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	expect_copy(test, ring, cpu, buf, -EAGAIN, 0);
	/* 112 bytes and a header of 16: as many as fit, and none is lost. */
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_NOT_NULL(test, put(test, ring, 112, i));
	KUNIT_EXPECT_EQ(test, part->oldest, 0);
	for (i = 0; i < 3; i++)
		expect_copy(test, ring, cpu, buf, 112, i);
	KUNIT_EXPECT_EQ(test, part->lost, 0);
	/* Copied records are overwritten first; then two are lost. */
	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_NOT_NULL(test, put(test, ring, 111, 1000 + i));
	expect_copy(test, ring, cpu, buf, 112, 5);
	KUNIT_EXPECT_EQ(test, part->lost, 2);
	for (i = 6; i < nr; i++)
		expect_copy(test, ring, cpu, buf, 112, i);
	for (i = 0; i < 5; i++)
		expect_copy(test, ring, cpu, buf, 111, 1000 + i);
	expect_copy(test, ring, cpu, buf, -EAGAIN, 0);
	KUNIT_EXPECT_EQ(test, part->lost, 2);
	KUNIT_EXPECT_EQ(test, part->read, nr + 3);

	/* A buffer smaller than the record gets the beginning of the record, to the byte. */
	KUNIT_ASSERT_NOT_NULL(test, put(test, ring, 100, 7));
	memset(buf, 0xee, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, myalloc_ring_copy(ring, cpu, buf, 29), 100);
	KUNIT_EXPECT_NULL(test, memchr_inv(buf + 29, 0xee, PAGE_SIZE - 29));
	KUNIT_ASSERT_NOT_NULL(test, put(test, ring, 0, 7));
	KUNIT_EXPECT_EQ(test, myalloc_ring_copy(ring, cpu, buf, 29), 0);

	/* The reader skips a discarded record. */
	KUNIT_EXPECT_EQ(test, myalloc_ring_discard(ring, myalloc_ring_reserve(ring, 8)), 0);
	KUNIT_ASSERT_NOT_NULL(test, put(test, ring, 9, 9));
	expect_copy(test, ring, cpu, buf, 9, 9);
	KUNIT_EXPECT_EQ(test, part->skipped, 1);
	KUNIT_EXPECT_EQ(test, part->lost, 2);
	expect_end(fx, ring);
}

/* A reserved record is never overwritten: a reservation that needs its space fails. */
static void ring_overwrite_busy(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_OVERWRITE, PAGE_SIZE);
	struct myalloc_ring_part *part = &ring->part[fixture_cpu(0)];
	u8 *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	void *record;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_NOT_NULL(test, put(test, ring, 48, 1));
	record = myalloc_ring_reserve(ring, 48);
	myalloc_pattern_fill(record, 48, 2);
	for (i = 0; put(test, ring, 48, 3); i++)
		;
	/* The first one was overwritten, and no other. */
	KUNIT_EXPECT_EQ(test, i, PAGE_SIZE / 64 - 1);
	KUNIT_EXPECT_EQ(test, part->full, 1);
	expect_copy(test, ring, fixture_cpu(0), buf, -EAGAIN, 0);
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, record), 0);
	expect_copy(test, ring, fixture_cpu(0), buf, 48, 2);
	KUNIT_EXPECT_EQ(test, part->lost, 1);
	KUNIT_EXPECT_NOT_NULL(test, put(test, ring, PAGE_SIZE - 16, 4));
	expect_copy(test, ring, fixture_cpu(0), buf, PAGE_SIZE - 16, 4);
	KUNIT_EXPECT_EQ(test, part->lost, 1 + i);
	expect_end(fx, ring);
}

/* Each CPU has a part of its own; the commit may come from another one. */
static void ring_overwrite_cpus(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_OVERWRITE, PAGE_SIZE);
	u8 *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	u32 i, nr = min(fixture_nr_cpus(), 4u);
	unsigned long irq, lock_irq;
	struct myalloc_ring_part *part = &ring->part[fixture_cpu(0)];

	KUNIT_ASSERT_NOT_NULL(test, buf);
	hook.test = test;
	for (i = 0; i < nr; i++)
		fixture_on_cpu(i, put_here, ring);
	for (i = 0; i < nr; i++) {
		expect_copy(test, ring, fixture_cpu(i), buf, 40, 4);
		expect_copy(test, ring, fixture_cpu(i), buf, -EAGAIN, 0);
	}
	KUNIT_EXPECT_EQ(test, myalloc_ring_copy(ring, nr_cpu_ids, buf, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_ring_copy(ring, U32_MAX, buf, 1), -EINVAL);

	raw_spin_lock_irqsave(&part->lock, lock_irq);
	irq = fixture_nmi_enter();
	KUNIT_EXPECT_NULL(test, myalloc_ring_reserve(ring, 8));
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&part->lock, lock_irq);
	KUNIT_EXPECT_EQ(test, atomic64_read(&ring->nmi_fails), 1);
	expect_end(fx, ring);
}

/* At the @at-th point of a copy, a producer overwrites all records. */
static void overwrite_all(const char *where)
{
	u32 i;

	if (strcmp(where, "ring-copied") || hook.points++ % 2 != hook.at)
		return;
	for (i = 0; hook.put && i < PAGE_SIZE / 64; i++)
		put(hook.test, hook.ring, 48, hook.put);
	hook.put -= !!hook.put;
}

/* A record that is overwritten while it is copied is not returned. */
static void ring_overwrite_copied(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_OVERWRITE, PAGE_SIZE);
	struct myalloc_ring_part *part = &ring->part[fixture_cpu(0)];
	u8 *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	u32 at;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (at = 0; at < 2; at++) {
		u64 before = part->records, lost = part->lost;

		KUNIT_ASSERT_NOT_NULL(test, put(test, ring, 40, 9));
		hook.test = test;
		hook.ring = ring;
		hook.at = at;
		hook.points = 0;
		hook.put = 1;
		if (!fixture_set_hook(overwrite_all)) {
			KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), 0);
			kunit_skip(test, "no hooks here");
		}
		/* The first attempt fails; the second copies a new record. */
		expect_copy(test, ring, fixture_cpu(0), buf, 48, 1);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_EQ(test, part->lost, lost + 1);
		KUNIT_EXPECT_EQ(test, part->records, before + 1 + PAGE_SIZE / 64);
		while (myalloc_ring_copy(ring, fixture_cpu(0), buf, PAGE_SIZE) > 0)
			;
		KUNIT_EXPECT_EQ(test, part->lost, lost + 1);
	}
	expect_end(fx, ring);
}

static void overwrite_always(const char *where)
{
	if (!strcmp(where, "ring-copied"))
		KUNIT_EXPECT_NOT_NULL(hook.test, put(hook.test, hook.ring, PAGE_SIZE - 16, 3));
	hook.points++;
}

static void ring_overwrite_always(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_OVERWRITE, PAGE_SIZE);
	u8 *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_NOT_NULL(test, put(test, ring, 40, 9));
	hook.test = test;
	hook.ring = ring;
	if (fixture_set_hook(overwrite_always)) {
		expect_copy(test, ring, fixture_cpu(0), buf, -EAGAIN, 0);
		fixture_set_hook(NULL);
		expect_copy(test, ring, fixture_cpu(0), buf, PAGE_SIZE - 16, 3);
		KUNIT_EXPECT_EQ(test, ring->part[fixture_cpu(0)].lost, 4);
	}
	expect_end(fx, ring);
}

/* A reservation passes over at most as many records as ring.c states. */
static void ring_steps(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_OVERWRITE, PAGE_SIZE);
	u32 i, size;

	for (i = 0; i < PAGE_SIZE / 16; i++)
		KUNIT_ASSERT_NOT_NULL(test, put(test, ring, 0, 0));
	if (fixture_count_steps("ring-pass")) {
		for (size = 0; size <= PAGE_SIZE - 16; size += 1 + size / 8) {
			KUNIT_ASSERT_NOT_NULL(test, put(test, ring, size, 0));
			KUNIT_EXPECT_LE(test, fixture_steps(), size / 16 + 2);
		}
		fixture_count_steps(NULL);
	}
	expect_end(fx, ring);
}

static void ring_stats(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_OVERWRITE, PAGE_SIZE);
	struct myalloc_ring_stats s;
	u64 buf[2];
	void *a, *b;

	a = myalloc_ring_reserve(ring, 8);
	b = myalloc_ring_reserve(ring, 1);
	KUNIT_EXPECT_EQ(test, myalloc_ring_discard(ring, a), 0);
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, b), 0);
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, b), -EINVAL);
	KUNIT_EXPECT_NULL(test, myalloc_ring_reserve(ring, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, myalloc_ring_copy(ring, fixture_cpu(0), buf, 8), 1);
	ring->part[0].lost = 7;
	ring->part[nr_cpu_ids - 1].lost += 6;
	ring->part[0].full = 5;
	atomic64_set(&ring->nmi_fails, 4);
	myalloc_ring_stats(ring, &s);
	KUNIT_EXPECT_EQ(test, s.id, ring->front.id);
	KUNIT_EXPECT_EQ(test, s.mode, MYALLOC_RING_OVERWRITE);
	KUNIT_EXPECT_EQ(test, s.parts, nr_cpu_ids);
	KUNIT_EXPECT_EQ(test, s.part_bytes, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, s.used_bytes, 48);
	KUNIT_EXPECT_EQ(test, s.records, 2);
	KUNIT_EXPECT_EQ(test, s.read, 1);
	KUNIT_EXPECT_EQ(test, s.skipped, 1);
	KUNIT_EXPECT_EQ(test, s.lost, 13);
	KUNIT_EXPECT_EQ(test, s.full, 5);
	KUNIT_EXPECT_EQ(test, s.too_long, 1);
	KUNIT_EXPECT_EQ(test, s.nmi_fails, 4);
	KUNIT_EXPECT_EQ(test, s.refused, 1);
	expect_end(fx, ring);
}

static void step_aside(const char *where)
{
	if (!strcmp(where, "ring-looked") && !hook.points++)
		KUNIT_EXPECT_NOT_NULL(hook.test, put(hook.test, hook.ring, PAGE_SIZE - 16, 3));
}

/* Validation of a ring in use, and its findings. */
static void ring_validate(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_OVERWRITE, PAGE_SIZE);
	struct myalloc_ring_part *part = &ring->part[fixture_cpu(0)];
	u64 tail, oldest;
	u32 i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_NOT_NULL(test, put(test, ring, 40, i));
	hook.test = test;
	hook.ring = ring;
	hook.points = 0;
	if (fixture_set_hook(step_aside)) {
		FIXTURE_EXPECT_VALID(fx);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_GT(test, hook.points, 0);
	}
	tail = part->tail;
	oldest = part->oldest;
	part->tail = oldest + PAGE_SIZE + 8;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_EQ(test, strncmp(fx->v.first, "Y1: ring r: positions ", 22), 0);
	part->tail = tail;
	part->oldest = tail + 8;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_EQ(test, strncmp(fx->v.first, "Y1: ring r: positions ", 22), 0);
	part->oldest = oldest;
	expect_end(fx, ring);
}

/* --- wrong uses, damage, ends -------------------------------------------------------- */

static void commit_too(const char *where)
{
	if (!strcmp(where, "ring-finish") && hook.record) {
		void *record = hook.record;

		hook.record = NULL;
		KUNIT_EXPECT_EQ(hook.test, myalloc_ring_commit(hook.ring, record), 0);
	}
}

#define EXPECT_REFUSED(call, text) do {						\
		s64 __refused = atomic64_read(&ring->refused);			\
										\
		KUNIT_EXPECT_EQ(test, call, -EINVAL);				\
		KUNIT_EXPECT_EQ(test, atomic64_read(&ring->refused), __refused + 1); \
		KUNIT_EXPECT_NOT_NULL(test, strstr(fixture_report(fx), text));	\
	} while (0)

static void wrong_uses_of(struct kunit *test, enum myalloc_ring_mode mode)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, mode, PAGE_SIZE);
	void *record, *a, *b;
	unsigned long irq, lock_irq;
	size_t size;
	s64 refused;
	u32 busy;
	int err;

	EXPECT_REFUSED(myalloc_ring_commit(ring, NULL), "not an address of this ring");
	EXPECT_REFUSED(myalloc_ring_commit(ring, &size), "not an address of this ring");
	EXPECT_REFUSED(myalloc_ring_commit(ring, ring->map), "not an address of this ring");
	EXPECT_REFUSED(myalloc_ring_commit(ring, ring->map + ring->header),
		       "no record begins there");
	/* A record that ends in the second mapping. */
	a = myalloc_ring_reserve(ring, PAGE_SIZE / 2);
	KUNIT_EXPECT_EQ(test, myalloc_ring_discard(ring, a), 0);
	if (mode != MYALLOC_RING_OVERWRITE)
		expect_none(test, ring);
	b = myalloc_ring_reserve(ring, PAGE_SIZE / 2);
	KUNIT_ASSERT_NOT_NULL(test, b);
	memset(b, 0, PAGE_SIZE / 2);
	EXPECT_REFUSED(myalloc_ring_commit(ring, b + 1), "no record begins there");
	EXPECT_REFUSED(myalloc_ring_commit(ring, b + 8), "no record begins there");
	EXPECT_REFUSED(myalloc_ring_commit(ring, b + PAGE_SIZE), "no record begins there");
	if (mode != MYALLOC_RING_OVERWRITE)
		EXPECT_REFUSED(myalloc_ring_discard(ring, a),
			       "bad discard of ring r: no record begins there; called by ");
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, b), 0);
	EXPECT_REFUSED(myalloc_ring_commit(ring, b),
		       "bad commit of ring r: committed or discarded before; called by ");
	EXPECT_REFUSED(myalloc_ring_discard(ring, b), "committed or discarded before");

	if (mode == MYALLOC_RING_OVERWRITE) {
		fixture_note(fx);
		KUNIT_EXPECT_NULL(test, myalloc_ring_peek(ring, &size));
		KUNIT_EXPECT_EQ(test, fixture_log_count("bad peek of ring r"), 1);
		EXPECT_REFUSED(myalloc_ring_release(ring, b), "no record was peeked");
	} else {
		EXPECT_REFUSED(myalloc_ring_release(ring, b),
			       "bad release of ring r: no record was peeked; called by ");
		record = myalloc_ring_peek(ring, &size);
		KUNIT_EXPECT_PTR_EQ(test, record, b);
		EXPECT_REFUSED(myalloc_ring_release(ring, b + 8), "not the record that was peeked");
		KUNIT_EXPECT_EQ(test, myalloc_ring_release(ring, record), 0);
		EXPECT_REFUSED(myalloc_ring_release(ring, record), "no record was peeked");
		KUNIT_EXPECT_EQ(test, myalloc_ring_copy(ring, 0, &size, 1), -EINVAL);
	}
	if (mode != MYALLOC_RING_ONE && fixture_set_hook(commit_too)) {
		hook.test = test;
		hook.ring = ring;
		hook.record = myalloc_ring_reserve(ring, 8);
		EXPECT_REFUSED(myalloc_ring_commit(ring, hook.record),
			       "committed or discarded meanwhile");
		fixture_set_hook(NULL);
	}
	refused = atomic64_read(&ring->refused);
	/* In an NMI during a report, the use is refused and counted, but not reported. */
	raw_spin_lock_irqsave(&fx->zone->reports.lock, lock_irq);
	irq = fixture_nmi_enter();
	err = myalloc_ring_commit(ring, NULL);
	fixture_nmi_exit(irq);
	raw_spin_unlock_irqrestore(&fx->zone->reports.lock, lock_irq);
	KUNIT_EXPECT_EQ(test, err, -EINVAL);
	KUNIT_EXPECT_EQ(test, atomic64_read(&ring->refused), refused + 1);
	expect_sound(test, ring, &busy);
	expect_end(fx, ring);
}

static void ring_wrong_uses(struct kunit *test)
{
	u32 mode;

	for (mode = 0; mode < MODES; mode++)
		wrong_uses_of(test, mode);
}

/* An overwritten header ends the ring, which is reported once. */
static void ring_damage(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_MANY, PAGE_SIZE);
	void *a = myalloc_ring_reserve(ring, 8), *b = myalloc_ring_reserve(ring, 8);
	size_t size;

	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, a), 0);
	KUNIT_EXPECT_EQ(test, myalloc_ring_commit(ring, b), 0);
	memset(a, 0, 16);	/* eight too many */
	KUNIT_EXPECT_PTR_EQ(test, myalloc_ring_peek(ring, &size), a);
	KUNIT_EXPECT_EQ(test, myalloc_ring_release(ring, a), 0);
	fixture_log_mark();
	expect_none(test, ring);
	expect_none(test, ring);
	KUNIT_EXPECT_EQ(test, fixture_log_count("ring r is damaged: no header at offset 16"), 1);
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_STREQ(test, fx->v.first, "Y2: ring r: no header at offset 16 of part 0");
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	/* Producers can go on until the ring is full. */
	while (put(test, ring, 200, 0))
		;
	KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), 0);

	/* A length that is too large. */
	ring = ring_of(fx, MYALLOC_RING_ONE, PAGE_SIZE);
	a = put(test, ring, 8, 0);
	((struct myalloc_ring_header *)(a - ring->header))->length = 9;
	expect_none(test, ring);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 2);
	KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static void ring_damage_overwrite(struct kunit *test)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, MYALLOC_RING_OVERWRITE, PAGE_SIZE);
	struct myalloc_ring_part *part = &ring->part[fixture_cpu(0)];
	u64 word;
	void *a;
	u32 i;

	a = put(test, ring, 48, 0);
	for (i = 1; i < PAGE_SIZE / 64; i++)
		put(test, ring, 48, i);
	memset(a - ring->header, 0x11, 8);
	fixture_log_mark();
	KUNIT_EXPECT_NULL(test, myalloc_ring_reserve(ring, 48));
	KUNIT_EXPECT_EQ(test, part->full, 1);
	KUNIT_EXPECT_EQ(test, myalloc_ring_copy(ring, fixture_cpu(0), &word, 8), -EIO);
	KUNIT_EXPECT_EQ(test, fixture_log_count("ring r is damaged"), 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->corruptions, 1);
	KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), 0);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static void end_of(struct kunit *test, enum myalloc_ring_mode mode)
{
	struct fixture *fx = zone_of(test);
	struct myalloc_ring *ring = ring_of(fx, mode, PAGE_SIZE);
	void *a = put(test, ring, 8, 0), *b = myalloc_ring_reserve(ring, 8);
	size_t size;

	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), -EBUSY);
	KUNIT_EXPECT_EQ(test, fixture_log_count("1 record is reserved, 0 peeked"), 1);
	KUNIT_EXPECT_EQ(test, myalloc_ring_discard(ring, b), 0);
	if (mode != MYALLOC_RING_OVERWRITE) {
		KUNIT_EXPECT_PTR_EQ(test, myalloc_ring_peek(ring, &size), a);
		KUNIT_EXPECT_EQ(test, myalloc_ring_destroy(ring), -EBUSY);
		KUNIT_EXPECT_EQ(test, fixture_log_count("0 records are reserved, 1 peeked"), 1);
		KUNIT_EXPECT_EQ(test, myalloc_ring_release(ring, a), 0);
	}
	expect_end(fx, ring);
}

static void ring_end(struct kunit *test)
{
	u32 mode;

	for (mode = 0; mode < MODES; mode++)
		end_of(test, mode);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(ring_create),
	KUNIT_CASE(ring_aliasing),
	KUNIT_CASE(ring_no_memory),
	KUNIT_CASE(ring_mapped_twice),
	KUNIT_CASE(ring_lengths),
	KUNIT_CASE(ring_order),
	KUNIT_CASE(ring_random),
	KUNIT_CASE(ring_nmi),
	KUNIT_CASE(ring_overwrite),
	KUNIT_CASE(ring_overwrite_busy),
	KUNIT_CASE(ring_overwrite_cpus),
	KUNIT_CASE(ring_overwrite_copied),
	KUNIT_CASE(ring_overwrite_always),
	KUNIT_CASE(ring_steps),
	KUNIT_CASE(ring_stats),
	KUNIT_CASE(ring_validate),
	KUNIT_CASE(ring_wrong_uses),
	KUNIT_CASE(ring_damage),
	KUNIT_CASE(ring_damage_overwrite),
	KUNIT_CASE(ring_end),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "myalloc_ring",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);

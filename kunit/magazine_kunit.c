// SPDX-License-Identifier: GPL-2.0
/* Tests of the magazines and the depot. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "base/magazine.h"

/* The states of an item. */
enum { OUT, IN, FLUSHED };

#define THINGS_MAX	4096

/* Magazines and the items for them. */
struct rack {
	struct kunit *test;
	struct myalloc_magazines mags;
	u8 *seen;		/* visits of each magazine */
	u32 nr;			/* items outside the magazines, as a stack */
	u32 flushes;
	u8 *out[THINGS_MAX];
	u8 state[THINGS_MAX];
};

static struct rack *make_rack(struct kunit *test, u32 capacity, u32 batch, u32 depot)
{
	struct rack *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	r->test = test;
	KUNIT_ASSERT_EQ(test, myalloc_magazines_init(&r->mags, capacity, batch, depot,
						     NUMA_NO_NODE), 0);
	r->seen = kunit_kzalloc(test, r->mags.nr_magazines + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r->seen);
	r->nr = THINGS_MAX;
	while (r->nr)
		r->nr--, r->out[r->nr] = &r->state[r->nr];
	r->nr = THINGS_MAX;
	return r;
}

static void end_rack(struct rack *r)
{
	struct kunit *test = r->test;

	myalloc_magazines_fini(&r->mags);
	KUNIT_EXPECT_NULL(test, r->mags.pool);
	KUNIT_EXPECT_NULL(test, (void *)r->mags.cpu);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_bytes(&r->mags), 0);
	kunit_kfree(test, r->seen);
	kunit_kfree(test, r);
}

/* Give an item to this CPU's magazines, as their users do. False if there is no room. */
static bool give(struct rack *r)
{
	struct myalloc_magazine_cpu *cpu = myalloc_magazines_enter(&r->mags);
	u32 count;
	u8 *thing;

	if (!cpu)
		return false;
	count = myalloc_magazine_count(cpu);
	if (count == r->mags.capacity) {
		if (!myalloc_magazines_room(&r->mags, cpu)) {
			myalloc_magazines_leave(cpu);
			return false;
		}
		count = myalloc_magazine_count(cpu);
	}
	thing = r->out[--r->nr];
	*thing = IN;
	cpu->top->addr = thing;
	cpu->top->state = thing;
	cpu->nr_gives++;
	myalloc_magazine_set_count(cpu, count + 1);
	myalloc_magazines_leave(cpu);
	return true;
}

/* Take an item; NULL if the magazines have none. */
static u8 *take(struct rack *r)
{
	struct myalloc_magazine_cpu *cpu = myalloc_magazines_enter(&r->mags);
	u32 count;
	u8 *thing;

	if (!cpu)
		return NULL;
	count = myalloc_magazine_count(cpu);
	if (!count) {
		if (!myalloc_magazines_load(&r->mags, cpu)) {
			myalloc_magazines_leave(cpu);
			return NULL;
		}
		count = myalloc_magazine_count(cpu);
	}
	thing = cpu->top[-1].addr;
	KUNIT_EXPECT_PTR_EQ(r->test, cpu->top[-1].state, thing);
	KUNIT_EXPECT_EQ(r->test, *thing, IN);
	*thing = OUT;
	r->out[r->nr++] = thing;
	cpu->nr_takes++;
	myalloc_magazine_set_count(cpu, count - 1);
	myalloc_magazines_leave(cpu);
	return thing;
}

static void flush(void *owner, struct myalloc_slot *slot, u32 nr)
{
	struct rack *r = owner;

	r->flushes++;
	while (nr--) {
		KUNIT_EXPECT_EQ(r->test, *slot[nr].state, IN);
		*slot[nr].state = OUT;
		r->out[r->nr++] = slot[nr].addr;
	}
}

/* Return the number of a magazine, which must be a valid one. */
static u32 mag_nr(struct rack *r, const struct myalloc_magazine *mag)
{
	size_t off = (const char *)mag - (const char *)r->mags.pool;

	KUNIT_ASSERT_EQ(r->test, off % r->mags.stride, 0);
	KUNIT_ASSERT_LT(r->test, off / r->mags.stride, r->mags.nr_magazines);
	return off / r->mags.stride;
}

/* Check a magazine with @count filled slots: M1 and M3. */
static void walk_mag(struct rack *r, struct myalloc_magazine *mag, u32 count)
{
	u32 i;

	r->seen[mag_nr(r, mag)]++;
	for (i = 0; i < count; i++) {
		const struct myalloc_slot *slot = myalloc_magazine_first(mag) + i;

		KUNIT_EXPECT_EQ(r->test, *slot->state, IN);
		KUNIT_EXPECT_PTR_EQ(r->test, slot->addr, slot->state);
	}
}

/* Check a stack of the depot: its magazines and its own count of them. */
static u32 walk_depot(struct rack *r, const atomic64_t *head, u32 count)
{
	u64 word = atomic64_read(head);
	u32 depth = 0, nr;

	for (nr = word & 0xffff; nr; depth++) {
		struct myalloc_magazine *mag = r->mags.pool + (size_t)(nr - 1) * r->mags.stride;

		KUNIT_ASSERT_LT(r->test, depth, r->mags.nr_magazines);
		KUNIT_EXPECT_EQ(r->test, mag->count, count);
		walk_mag(r, mag, count);
		nr = mag->next;
	}
	KUNIT_EXPECT_EQ(r->test, word >> 16 & 0xffff, depth);
	return depth;
}

/* The magazines that no CPU has taken, two for each place. */
static void walk_pairs(struct rack *r)
{
	u64 word = atomic64_read(&r->mags.pairs);
	u32 depth = 0, nr, i;

	for (nr = word & 0xffff; nr; depth++) {
		struct myalloc_magazine *mag[2];

		KUNIT_ASSERT_EQ(r->test, nr % 2, 1);
		KUNIT_ASSERT_LT(r->test, nr, 2 * r->mags.places);
		for (i = 0; i < 2; i++) {
			mag[i] = r->mags.pool + (size_t)(nr - 1 + i) * r->mags.stride;
			KUNIT_EXPECT_EQ(r->test, mag[i]->count, 0);
			walk_mag(r, mag[i], 0);
		}
		nr = mag[0]->next;
	}
	KUNIT_EXPECT_EQ(r->test, word >> 16 & 0xffff, depth);
}

/* Check M1 to M3 and the count as magazine.c states them, while no operation is in progress. */
static void check_rack(struct rack *r)
{
	struct myalloc_magazines *m = &r->mags;
	u64 count = 0;
	u32 i;
	int cpu;

	memset(r->seen, 0, m->nr_magazines);
	for_each_possible_cpu(cpu) {
		struct myalloc_magazine_cpu *c = per_cpu_ptr(m->cpu, cpu);

		if (!c->loaded) {
			KUNIT_EXPECT_EQ(r->test, c->guard, MYALLOC_EPOCH_ABSENT);
			KUNIT_EXPECT_NULL(r->test, c->previous);
			continue;
		}
		KUNIT_EXPECT_EQ(r->test, c->guard, c->epoch);
		KUNIT_EXPECT_PTR_EQ(r->test, c->end,
				    myalloc_magazine_first(c->loaded) + m->capacity);
		KUNIT_EXPECT_LE(r->test, myalloc_magazine_count(c), m->capacity);
		KUNIT_EXPECT_TRUE(r->test, !c->previous->count ||
				  c->previous->count == m->capacity);
		walk_mag(r, c->loaded, myalloc_magazine_count(c));
		walk_mag(r, c->previous, c->previous->count);
		count += myalloc_magazine_count(c) + c->previous->count;
	}
	count += (u64)walk_depot(r, &m->full, m->capacity) * m->capacity;
	walk_depot(r, &m->empty, 0);
	walk_pairs(r);
	for (i = 0; i < m->nr_magazines; i++)
		KUNIT_EXPECT_EQ_MSG(r->test, r->seen[i], 1, "magazine %u", i);
	KUNIT_EXPECT_EQ(r->test, myalloc_magazines_count(m), count);
	KUNIT_EXPECT_EQ(r->test, count + r->nr, THINGS_MAX);
}

static const u32 capacities[] = { 1, 2, 3, 5, 7, 16, 63, 64, 128 };

/* --- making ------------------------------------------------------------------ */

/* New magazines of every capacity are empty, each is in one place, and the memory is as stated. */
static void magazine_init(struct kunit *test)
{
	u32 i, depot;

	for (i = 0; i < ARRAY_SIZE(capacities); i++)
		for (depot = 0; depot < 4; depot++) {
			struct rack *r = make_rack(test, capacities[i], 1, depot);
			u32 nr = 2 * num_possible_cpus() + depot;

			KUNIT_EXPECT_EQ(test, r->mags.nr_magazines, nr);
			KUNIT_EXPECT_GE(test, r->mags.stride, sizeof(struct myalloc_magazine) +
					capacities[i] * sizeof(struct myalloc_slot));
			KUNIT_EXPECT_EQ(test, r->mags.stride % SMP_CACHE_BYTES, 0);
			KUNIT_EXPECT_EQ(test, myalloc_magazines_bytes(&r->mags),
					(size_t)nr * r->mags.stride +
					sizeof(*r->mags.cpu) * num_possible_cpus());
			KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), 0);
			KUNIT_EXPECT_NULL(test, take(r));
			check_rack(r);
			end_rack(r);
		}
}

static void try_enter(void *arg)
{
	struct rack *r = arg;

	KUNIT_EXPECT_NULL(r->test, myalloc_magazines_enter(&r->mags));
}

struct drain_on {
	struct rack *rack;
	bool done;
};

static void drain_here(void *arg)
{
	struct drain_on *d = arg;

	d->done = myalloc_magazines_drain_here(&d->rack->mags, MYALLOC_DRAIN_BUSY - 1, flush,
					       d->rack) != MYALLOC_DRAIN_BUSY;
}

/* Drain all CPUs and the depot, as drain.c does; retry a CPU that is busy. */
static void drain_all(struct rack *r)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct drain_on d = { .rack = r };

		while (!d.done && cpu_online(cpu))
			if (myalloc_env_call_on_cpu(cpu, drain_here, &d))
				break;
		if (!d.done)
			myalloc_magazines_drain_cpu(&r->mags, cpu, flush, r);
	}
	myalloc_magazines_drain_depot(&r->mags, flush, r);
}

/* Without magazines, the fast path's own check sends every CPU to the slow path. */
static void magazine_none(struct kunit *test)
{
	struct rack *r = make_rack(test, 0, 0, 0);
	unsigned int i;

	for (i = 0; i < fixture_nr_cpus(); i++)
		fixture_on_cpu(i, try_enter, r);
	KUNIT_EXPECT_EQ(test, r->mags.nr_magazines, 0);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), 0);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_bytes(&r->mags),
			sizeof(*r->mags.cpu) * num_possible_cpus());
	drain_all(r);
	myalloc_magazines_drain_cpu(&r->mags, fixture_cpu(0), flush, r);
	KUNIT_EXPECT_EQ(test, r->flushes, 0);
	end_rack(r);
}

/* More magazines than their numbers can express are refused; exactly as many are created. */
static void magazine_too_many(struct kunit *test)
{
	struct myalloc_magazines *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u32 most = 65535 - 2 * num_possible_cpus();
	unsigned long live = fixture_live_allocs();

	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_init(m, 1, 1, most + 1, NUMA_NO_NODE), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_init(m, MYALLOC_MAGAZINE_MAX + 1, 1, 0,
						     NUMA_NO_NODE), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
	KUNIT_ASSERT_EQ(test, myalloc_magazines_init(m, 1, 1, most, NUMA_NO_NODE), 0);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&m->empty) >> 16 & 0xffff, most);
	myalloc_magazines_fini(m);
	KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
}

/* Each internal allocation fails in turn: -ENOMEM, and nothing is leaked. */
static void magazine_no_memory(struct kunit *test)
{
	struct myalloc_magazines *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned long live = fixture_live_allocs();
	unsigned int k;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, m);
	if (!fixture_fail_after(0))
		kunit_skip(test, "failures cannot be injected here");
	for (k = 1; ; k++) {
		fixture_fail_after(k);
		err = myalloc_magazines_init(m, 4, 2, 2, NUMA_NO_NODE);
		if (!fixture_fail_fired())
			break;
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
		/* The rest can be freed. */
		myalloc_magazines_fini(m);
	}
	KUNIT_EXPECT_EQ(test, k, 3);
	KUNIT_EXPECT_EQ(test, err, 0);
	myalloc_magazines_fini(m);
	fixture_fail_after(0);
}

/* --- take and give ----------------------------------------------------------------- */

/* Items come out last in, first out, across the limits of magazines and the depot. */
static void magazine_lifo(struct kunit *test)
{
	u32 i, n, total;

	for (i = 0; i < ARRAY_SIZE(capacities); i++) {
		struct rack *r = make_rack(test, capacities[i], 1, 3);

		total = capacities[i] * 5;
		for (n = 0; n < total; n++)
			KUNIT_EXPECT_TRUE(test, give(r));
		check_rack(r);
		for (n = total; n--; )
			KUNIT_EXPECT_PTR_EQ(test, take(r), &r->state[THINGS_MAX - 1 - n]);
		KUNIT_EXPECT_NULL(test, take(r));
		check_rack(r);
		end_rack(r);
	}
}

/* Without a depot there is room for exactly two magazines, and a miss changes nothing. */
static void magazine_no_depot(struct kunit *test)
{
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(capacities); i++) {
		struct rack *r = make_rack(test, capacities[i], 1, 0);

		for (n = 0; n < 2 * capacities[i]; n++) {
			KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), n);
			KUNIT_EXPECT_TRUE(test, give(r));
		}
		KUNIT_EXPECT_FALSE(test, give(r));
		KUNIT_EXPECT_FALSE(test, give(r));
		check_rack(r);
		for (n = 2 * capacities[i]; n--; )
			KUNIT_EXPECT_NOT_NULL(test, take(r));
		KUNIT_EXPECT_NULL(test, take(r));
		check_rack(r);
		end_rack(r);
	}
}

/* The depot exchanges every one of its empty magazines for a full one, and back. */
static void magazine_depot(struct kunit *test)
{
	const u32 depot = 6;
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(capacities); i++) {
		struct rack *r = make_rack(test, capacities[i], 1, depot);

		for (n = 0; give(r); n++)
			;
		KUNIT_EXPECT_EQ(test, n, capacities[i] * (2 + depot));
		KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&r->mags.empty) & 0xffff, 0);
		check_rack(r);
		while (take(r))
			n--;
		KUNIT_EXPECT_EQ(test, n, 0);
		KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&r->mags.full) & 0xffff, 0);
		check_rack(r);
		end_rack(r);
	}
}

static void give_here(void *arg)
{
	struct rack *r = arg;

	while (give(r))
		;
}

static void take_here(void *arg)
{
	struct rack *r = arg;

	while (take(r))
		;
}

/* Items that one CPU gives reach another one through the depot. */
static void magazine_cross(struct kunit *test)
{
	const u32 capacity = 5, depot = 4;
	struct rack *r;
	u32 in;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	r = make_rack(test, capacity, 2, depot);
	fixture_on_cpu(1, give_here, r);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), capacity * (2 + depot));
	fixture_on_cpu(0, take_here, r);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), capacity * 2);
	check_rack(r);
	/* CPU 0 cannot get the items that CPU 1 still holds; now CPU 0 fills the depot. */
	fixture_on_cpu(0, give_here, r);
	in = capacity * (2 + 2 + depot);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), in);
	fixture_on_cpu(1, take_here, r);
	fixture_on_cpu(0, take_here, r);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), 0);
	check_rack(r);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_passed(&r->mags).gives,
			myalloc_magazines_passed(&r->mags).takes);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_passed(&r->mags).gives, capacity * (2 + depot) * 2);
	end_rack(r);
}

/* A miss is no hit, and one that is counted before its take or give makes no number negative. */
static void magazine_hits(struct kunit *test)
{
	struct rack *r = make_rack(test, 2, 1, 0);
	struct myalloc_magazine_passed passed, hits;

	myalloc_magazines_note_refill(&r->mags);
	myalloc_magazines_note_flush(&r->mags);
	passed = myalloc_magazines_passed(&r->mags);
	hits = myalloc_magazines_hits(&r->mags, &passed);
	KUNIT_EXPECT_EQ(test, hits.takes, 0);
	KUNIT_EXPECT_EQ(test, hits.gives, 0);
	while (give(r))
		;
	KUNIT_EXPECT_NOT_NULL(test, take(r));
	KUNIT_EXPECT_NOT_NULL(test, take(r));
	passed = myalloc_magazines_passed(&r->mags);
	hits = myalloc_magazines_hits(&r->mags, &passed);
	KUNIT_EXPECT_EQ(test, passed.takes, 2);
	KUNIT_EXPECT_EQ(test, hits.takes, 1);
	KUNIT_EXPECT_EQ(test, passed.gives, 4);
	KUNIT_EXPECT_EQ(test, hits.gives, 3);
	while (take(r))
		;
	end_rack(r);
}

/* Stale slots of a magazine that returns from an older epoch are not used. */
static void magazine_older_epoch(struct kunit *test)
{
	struct rack *r = make_rack(test, 2, 1, 0);
	struct myalloc_magazine_cpu *cpu;
	u64 guard;
	u32 i;

	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, give(r));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_NOT_NULL(test, take(r));
	/* Both are empty and have been used; the next operation wipes the loaded one. */
	myalloc_magazines_next_epoch(&r->mags);
	KUNIT_EXPECT_FALSE(test, myalloc_magazines_begin(&r->mags, &cpu, &guard));
	KUNIT_EXPECT_TRUE(test, give(r));
	KUNIT_ASSERT_TRUE(test, myalloc_magazines_begin(&r->mags, &cpu, &guard));
	KUNIT_EXPECT_NULL(test, cpu->top->addr);
	myalloc_magazines_end(cpu, guard);
	KUNIT_EXPECT_TRUE(test, give(r));
	/* The next item goes into the other one, which is wiped when it is loaded. */
	KUNIT_EXPECT_TRUE(test, give(r));
	KUNIT_ASSERT_TRUE(test, myalloc_magazines_begin(&r->mags, &cpu, &guard));
	KUNIT_EXPECT_EQ(test, cpu->epoch, r->mags.epoch);
	KUNIT_EXPECT_NULL(test, cpu->top->addr);
	myalloc_magazines_end(cpu, guard);
	end_rack(r);
}

static void *lowest(const struct myalloc_magazine_cpu *cpu)
{
	return myalloc_magazine_first(cpu->loaded)->addr;
}

/* If there is no empty magazine, room() loads the less recently used one. */
static void magazine_room_swaps(struct kunit *test)
{
	struct rack *r = make_rack(test, 2, 1, 0);
	struct myalloc_magazine_cpu *cpu;

	while (give(r))
		;
	cpu = myalloc_magazines_enter(&r->mags);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	/* give() has called room() once, which loaded the first two. */
	KUNIT_EXPECT_PTR_EQ(test, lowest(cpu), &r->state[THINGS_MAX - 1]);
	KUNIT_EXPECT_FALSE(test, myalloc_magazines_room(&r->mags, cpu));
	KUNIT_EXPECT_PTR_EQ(test, lowest(cpu), &r->state[THINGS_MAX - 3]);
	KUNIT_EXPECT_EQ(test, myalloc_magazine_count(cpu), 2);
	myalloc_magazines_leave(cpu);
	check_rack(r);
	while (take(r))
		;
	end_rack(r);
}

static bool never_fresh(void *owner, const struct myalloc_slot *slot)
{
	return false;
}

static bool drop(void *owner, const struct myalloc_slot *slot)
{
	return true;
}

/* A full magazine of an older epoch that loses slots when it is loaded has room. */
static void magazine_room_older(struct kunit *test)
{
	struct rack *r = make_rack(test, 2, 1, 0);
	struct myalloc_magazine_cpu *cpu;

	while (give(r))
		;
	myalloc_magazines_next_epoch(&r->mags);
	cpu = myalloc_magazines_enter(&r->mags);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	r->mags.fresh = never_fresh;
	r->mags.drop = drop;
	KUNIT_EXPECT_TRUE(test, myalloc_magazines_room(&r->mags, cpu));
	KUNIT_EXPECT_EQ(test, myalloc_magazine_count(cpu), 0);
	r->mags.fresh = NULL;
	myalloc_magazines_leave(cpu);
	while (take(r))
		;
	end_rack(r);
}

/* --- being interrupted ---------------------------------------------------------------- */

/* An operation between enter and leave is refused, and the preemption count balances. */
static void magazine_busy(struct kunit *test)
{
	struct rack *r = make_rack(test, 4, 2, 2);
	struct myalloc_magazine_cpu *cpu;
	unsigned long irq;

	cpu = myalloc_magazines_enter(&r->mags);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	KUNIT_EXPECT_FALSE(test, preemptible());
	KUNIT_EXPECT_FALSE(test, myalloc_magazines_idle(&r->mags));
	KUNIT_EXPECT_NULL(test, myalloc_magazines_enter(&r->mags));
	KUNIT_EXPECT_FALSE(test, give(r));
	irq = fixture_nmi_enter();
	KUNIT_EXPECT_NULL(test, myalloc_magazines_enter(&r->mags));
	fixture_nmi_exit(irq);
	myalloc_magazines_leave(cpu);
	KUNIT_EXPECT_TRUE(test, myalloc_magazines_idle(&r->mags));
	/* A drain that has begun and not ended. */
	atomic_inc(&r->mags.drains);
	KUNIT_EXPECT_FALSE(test, myalloc_magazines_idle(&r->mags));
	atomic_inc(&r->mags.drained);
	KUNIT_EXPECT_TRUE(test, myalloc_magazines_idle(&r->mags));
	KUNIT_EXPECT_TRUE(test, give(r));
	KUNIT_EXPECT_NOT_NULL(test, take(r));
	check_rack(r);
	end_rack(r);
}

static struct rack *interrupted;
static unsigned int interrupts, refused;

/* An interrupt that takes and gives, at every point of the fast path. */
static void interrupt(const char *where)
{
	unsigned long irq;
	bool done;

	if (strncmp(where, "magazine-", 9))
		return;
	irq = fixture_nmi_enter();
	interrupts++;
	done = give(interrupted);
	if (done)
		KUNIT_EXPECT_NOT_NULL(interrupted->test, take(interrupted));
	refused += !done;
	fixture_nmi_exit(irq);
}

/* It does its work before busy is set and is refused afterwards; nothing is lost or doubled. */
static void magazine_interrupted(struct kunit *test)
{
	struct rack *r = make_rack(test, 2, 1, 3);
	u32 n;

	interrupted = r;
	interrupts = 0;
	refused = 0;
	if (!fixture_set_hook(interrupt)) {
		end_rack(r);
		kunit_skip(test, "no hook in the fast path here");
	}
	for (n = 0; n < 9; n++) {
		KUNIT_EXPECT_TRUE(test, give(r));
		fixture_set_hook(NULL);
		check_rack(r);
		fixture_set_hook(interrupt);
	}
	for (n = 0; n < 9; n++)
		KUNIT_EXPECT_NOT_NULL(test, take(r));
	fixture_set_hook(NULL);
	check_rack(r);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), 0);
	/* Two points before busy is set and two after, in each of 18 operations. */
	KUNIT_EXPECT_EQ(test, interrupts, 4 * 18);
	KUNIT_EXPECT_EQ(test, refused, 2 * 18);
	end_rack(r);
}

static unsigned int intrusions;

static void get_3(void *arg)
{
	u32 n;

	for (n = 0; n < 3; n++)
		KUNIT_EXPECT_NOT_NULL(interrupted->test, take(arg));
}

static void get_1(void *arg)
{
	KUNIT_EXPECT_NOT_NULL(interrupted->test, take(arg));
}

static void put_7(void *arg)
{
	u32 n;

	for (n = 0; n < 7; n++)
		KUNIT_EXPECT_TRUE(interrupted->test, give(arg));
}

/*
 * CPU 0 takes magazine A from the depot and has read that B is below it. Meanwhile CPU 1 takes A
 * and empties it, CPU 2 takes B, CPU 1 fills A and puts it back. A is on top again, but B is not
 * below it.
 */
static void intrude(const char *where)
{
	if (strcmp(where, "depot-pop") || intrusions++)
		return;
	fixture_on_cpu(1, get_3, interrupted);
	fixture_on_cpu(2, get_1, interrupted);
	fixture_on_cpu(1, put_7, interrupted);
}

/* A head of the depot that was changed and changed back is not mistaken for the same one. */
static void magazine_aba(struct kunit *test)
{
	struct rack *r = make_rack(test, 3, 1, 4);
	u32 n;

	interrupted = r;
	/* The depot is full, CPU 0 has nothing. */
	give_here(r);
	for (n = 0; n < 6; n++)
		KUNIT_EXPECT_NOT_NULL(test, take(r));
	check_rack(r);
	intrusions = 0;
	if (!fixture_set_hook(intrude)) {
		take_here(r);
		end_rack(r);
		kunit_skip(test, "no hook in the depot here");
	}
	KUNIT_EXPECT_NOT_NULL(test, take(r));
	fixture_set_hook(NULL);
	/* The first exchange failed, so it was tried again. */
	KUNIT_EXPECT_GE(test, intrusions, 2);
	check_rack(r);
	for (n = 0; n < 3; n++)
		fixture_on_cpu(n, take_here, r);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), 0);
	check_rack(r);
	end_rack(r);
}

/* Every change of the depot changes the tag, even if the head is the same afterwards. */
static void magazine_tag(struct kunit *test)
{
	struct rack *r = make_rack(test, 1, 1, 2);
	u64 before;

	give_here(r);
	before = atomic64_read(&r->mags.full);
	KUNIT_EXPECT_EQ(test, before >> 16 & 0xffff, 2);
	take(r);
	take(r);
	take(r);
	KUNIT_EXPECT_TRUE(test, give(r));
	KUNIT_EXPECT_TRUE(test, give(r));
	KUNIT_EXPECT_TRUE(test, give(r));
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&r->mags.full) >> 16 & 0xffff, 2);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&r->mags.full) >> 32, (before >> 32) + 2);
	take_here(r);
	check_rack(r);
	end_rack(r);
}

/* --- draining --------------------------------------------------------------------------- */

/* A drain returns all items of all CPUs and the depot once, and leaves the initial state. */
static void magazine_drain(struct kunit *test)
{
	struct rack *r = make_rack(test, 7, 3, 4);
	unsigned int i;

	for (i = 0; i < fixture_nr_cpus(); i++)
		fixture_on_cpu(i, give_here, r);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags),
			7 * (4 + 2 * fixture_nr_cpus()));
	check_rack(r);
	drain_all(r);
	KUNIT_EXPECT_EQ(test, r->nr, THINGS_MAX);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), 0);
	check_rack(r);
	/* In use again. */
	give_here(r);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), 7 * (4 + 2));
	drain_all(r);
	check_rack(r);
	end_rack(r);
}

static void give_few(void *arg)
{
	struct rack *r = arg;
	u32 n;

	for (n = 0; n < 10; n++)
		KUNIT_EXPECT_TRUE(r->test, give(r));
}

/* Draining an offline CPU returns its items, and only those. */
static void magazine_drain_cpu(struct kunit *test)
{
	struct rack *r;

	if (fixture_nr_cpus() < 2)
		kunit_skip(test, "one CPU");
	r = make_rack(test, 7, 3, 0);
	fixture_on_cpu(0, give_few, r);
	fixture_on_cpu(1, give_few, r);
	myalloc_magazines_drain_cpu(&r->mags, fixture_cpu(1), flush, r);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), 10);
	check_rack(r);
	fixture_on_cpu(1, take_here, r);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&r->mags), 10);
	take_here(r);
	check_rack(r);
	end_rack(r);
}

/* A drain also reaches the items of CPUs that went offline. */
static void magazine_drain_offline(struct kunit *test)
{
	struct rack *r = make_rack(test, 7, 3, 0);

	fixture_on_cpu(0, give_few, r);
	fixture_on_cpu(1, give_few, r);
	if (!fixture_set_online(1, false)) {
		drain_all(r);
		end_rack(r);
		kunit_skip(test, "no CPU can go here; see context_kunit.c");
	}
	drain_all(r);
	KUNIT_EXPECT_EQ(test, r->nr, THINGS_MAX);
	fixture_set_online(1, true);
	check_rack(r);
	end_rack(r);
}

/* While magazines are replaced, no CPU enters, and a concurrent drain finds nothing to do. */
static void magazine_closed(struct kunit *test)
{
	struct rack *r = make_rack(test, 7, 3, 0);

	fixture_on_cpu(0, give_few, r);
	r->mags.closed = true;
	KUNIT_EXPECT_NULL(test, take(r));
	preempt_disable();
	KUNIT_EXPECT_EQ(test, myalloc_magazines_drain_here(&r->mags, 1000, flush, r), 0);
	preempt_enable();
	r->mags.closed = false;
	KUNIT_EXPECT_GT(test, myalloc_magazines_count(&r->mags), 0);
	drain_all(r);
	KUNIT_EXPECT_EQ(test, r->nr, THINGS_MAX);
	end_rack(r);
}

static unsigned int entered;

/* The other CPU's operation ends between the drain's first and second attempt. */
static void hook_leave(const char *where)
{
	struct myalloc_magazine_cpu *cpu = per_cpu_ptr(interrupted->mags.cpu, fixture_cpu(1));

	if (!strcmp(where, "magazine-enter") && this_cpu_ptr(interrupted->mags.cpu) == cpu &&
	    ++entered == 2)
		cpu->guard = cpu->epoch;
}

/* A drain that finds a CPU's magazines busy tries again. */
static void magazine_drain_busy(struct kunit *test)
{
	struct rack *r = make_rack(test, 7, 3, 0);

	interrupted = r;
	entered = 0;
	fixture_on_cpu(1, give_few, r);
	if (!fixture_set_hook(hook_leave)) {
		drain_all(r);
		end_rack(r);
		kunit_skip(test, "no hook in the fast path here");
	}
	per_cpu_ptr(r->mags.cpu, fixture_cpu(1))->guard = MYALLOC_EPOCH_BUSY;
	drain_all(r);
	fixture_set_hook(NULL);
	KUNIT_EXPECT_EQ(test, entered, 2);
	KUNIT_EXPECT_EQ(test, r->nr, THINGS_MAX);
	check_rack(r);
	end_rack(r);
}

/* --- random work ----------------------------------------------------------------------------- */

struct work {
	struct rack *rack;
	struct myalloc_random *random;
	u32 steps;
};

static void work_here(void *arg)
{
	struct work *work = arg;

	while (work->steps--)
		if (myalloc_random_one_in(work->random, 2))
			give(work->rack);
		else
			take(work->rack);
}

/* All CPUs in turn, with any capacity and depot: M1 to M3 hold and nothing is lost or doubled. */
static void magazine_random(struct kunit *test)
{
	u32 round, turn, turns = fixture_thorough() ? 200 : 20;
	struct myalloc_random random;

	fixture_random(test, &random);
	for (round = 0; round < 12; round++) {
		struct rack *r = make_rack(test, 1 + myalloc_random_below(&random, 20), 1,
					   myalloc_random_below(&random, 8));
		struct work work = { .rack = r, .random = &random };

		for (turn = 0; turn < turns; turn++) {
			work.steps = 1 + myalloc_random_below(&random, 100);
			fixture_on_cpu(myalloc_random_below(&random, fixture_nr_cpus()), work_here,
				       &work);
			check_rack(r);
		}
		KUNIT_EXPECT_EQ(test, myalloc_magazines_passed(&r->mags).gives -
				myalloc_magazines_passed(&r->mags).takes,
				myalloc_magazines_count(&r->mags));
		drain_all(r);
		KUNIT_EXPECT_EQ(test, r->nr, THINGS_MAX);
		check_rack(r);
		end_rack(r);
	}
}

static struct kunit_case magazine_cases[] = {
	KUNIT_CASE(magazine_init),
	KUNIT_CASE(magazine_none),
	KUNIT_CASE(magazine_too_many),
	KUNIT_CASE(magazine_no_memory),
	KUNIT_CASE(magazine_lifo),
	KUNIT_CASE(magazine_no_depot),
	KUNIT_CASE(magazine_depot),
	KUNIT_CASE(magazine_cross),
	KUNIT_CASE(magazine_hits),
	KUNIT_CASE(magazine_older_epoch),
	KUNIT_CASE(magazine_room_swaps),
	KUNIT_CASE(magazine_room_older),
	KUNIT_CASE(magazine_busy),
	KUNIT_CASE(magazine_interrupted),
	KUNIT_CASE(magazine_aba),
	KUNIT_CASE(magazine_tag),
	KUNIT_CASE(magazine_drain),
	KUNIT_CASE(magazine_drain_cpu),
	KUNIT_CASE(magazine_drain_offline),
	KUNIT_CASE(magazine_drain_busy),
	KUNIT_CASE(magazine_closed),
	KUNIT_CASE(magazine_random),
	{}
};

static struct kunit_suite magazine_suite = {
	.name = "myalloc_magazine",
	.init = fixture_init,
	.test_cases = magazine_cases,
};

kunit_test_suite(magazine_suite);

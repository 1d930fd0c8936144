// SPDX-License-Identifier: GPL-2.0
/* Misuse of objects. */
#include "misuse.h"
#include "object/check.h"

static void *p, *q;
static int err;

static void free_object_p(void)
{
	err = myalloc_cache_free(a, p);
}

static void object_twice(void)
{
	p = object(a);
	good(myalloc_cache_free(a, p));
	REFUSED(myalloc_cache_free(a, p), FREE);
}

static void object_twice_later(void)
{
	void *others[100];

	p = object(a);
	EXPECT(myalloc_cache_alloc_bulk(a, 0, 100, others) == 100, "no objects");
	good(myalloc_cache_free(a, p));
	EXPECT(myalloc_cache_free_bulk(a, 100, others) == 100, "objects do not go back");
	REFUSED(myalloc_cache_free(a, p), FREE);
}

static void object_twice_drained(void)
{
	p = object(a);
	q = object(a);
	good(myalloc_cache_free(a, p));
	myalloc_cache_drain(a);
	REFUSED(myalloc_cache_free(a, p), FREE);
}

static void object_twice_shrunk(void)
{
	p = object(a);
	good(myalloc_cache_free(a, p));
	myalloc_cache_shrink(a);
	REFUSED(myalloc_cache_free(a, p), FREE);
}

static void object_twice_reused(void)
{
	p = object(a);
	good(myalloc_cache_free(a, p));
	q = object(a);
	EXPECT(p == q, "not the same object");
	good(myalloc_cache_free(a, p));			/* again, by the previous owner */
	REFUSED(myalloc_cache_free(a, q), FREE);	/* by the current owner */
}

static void object_frame_now_page(void)
{
	p = object(a);
	good(myalloc_cache_free(a, p));
	myalloc_cache_shrink(a);
	EXPECT(!myalloc_pages_alloc_range(zone, (void *)((uintptr_t)p & PAGE_MASK), 1, 0), "busy");
	REFUSED(myalloc_cache_free(a, p), KIND);
}

static void object_frame_now_other_cache(void)
{
	p = object(a);
	good(myalloc_cache_free(a, p));
	myalloc_cache_shrink(a);
	q = object(b);
	EXPECT(p == q, "not the same frame");
	REFUSED(myalloc_cache_free(a, p), CACHE);
}

static void object_twice_other_cpu(void)
{
	p = object(a);
	good(myalloc_cache_free(a, p));
	host_set_cpu(1);
	REFUSED(myalloc_cache_free(a, p), FREE);
}

static void object_twice_irq(void)
{
	p = object(a);
	good(myalloc_cache_free(a, p));
	before();
	in_irq(free_object_p);
	refused(err, MYALLOC_BAD_FREE);
}

static void object_twice_nmi(void)
{
	p = object(a);
	good(myalloc_cache_free(a, p));
	before();
	in_nmi_locked(&a->lock, free_object_p);
	refused(err, MYALLOC_BAD_FREE);
}

/* The slow path of a cache without magazines cannot take the lock: the free is deferred. */
static void object_twice_deferred(void)
{
	p = object(a);
	in_nmi_locked(&a->lock, free_object_p);
	good(err);
	REFUSED(myalloc_cache_free(a, p), FREE);
}

static int second;

static void free_object_p_too(void *arg)
{
	second = myalloc_cache_free(a, p);
}

static void free_on_other_cpu_once(const char *where)
{
	if (strcmp(where, "object-checked"))
		return;
	host_preempt_point = NULL;
	host_run_on_cpu(1, free_object_p_too, NULL);
}

/*
 * The one case that the state byte misses: the other CPU frees after this one has read that the
 * object is live. The object is in two magazines; the first CPU to allocate it is its only user,
 * because the second allocation finds it live.
 */
static void object_twice_at_once(void)
{
	p = object(a);
	host_preempt_point = free_on_other_cpu_once;
	good(myalloc_cache_free(a, p));
	good(second);
	q = object(a);
	EXPECT(q == p, "not the same object");
	host_set_cpu(1);
	EXPECT(object(a) != p, "the object was given twice");
	corrupt(1);
}

/*
 * A stale slot points to the state of an object in a slab that no longer exists. The byte there
 * now looks like the state of a live object.
 */
static void object_used_slot(void)
{
	u32 nr = a->mags.batch, i;
	void *objects[64];

	for (i = 0; i < nr; i++)
		objects[i] = object(a);
	host_set_cpu(1);
	for (i = 0; i < nr; i++)
		good(myalloc_cache_free(a, objects[i]));
	myalloc_cache_shrink(a);
	q = page(0);
	EXPECT(q == objects[0], "not where the slab was");
	memset(q, MYALLOC_SLOT_LIVE, PAGE_SIZE);
	host_set_cpu(0);
	p = objects[nr - 1];
	EXPECT(per_cpu_ptr(a->mags.cpu, 0)->top->addr == p, "the stale slot says something else");
	REFUSED(myalloc_cache_free(a, p), KIND);
	good(myalloc_pages_free(zone, q, 0));
}

/* The same, after this CPU has found that the slab is gone: the stale slots must be wiped. */
static void object_wiped_slot(void)
{
	const struct myalloc_cache_args args = {
		.name = "w", .object_size = 64, .magazine = 32,
	};
	struct myalloc_cache *c = myalloc_cache_create(zone, &args);
	struct myalloc_magazine_cpu *cpu;
	void *objects[64];
	struct myalloc_slot *old;
	u32 nr = 64, i;

	EXPECT(!IS_ERR(c), "no cache");
	cpu = per_cpu_ptr(c->mags.cpu, 0);
	for (i = 0; i < nr; i++)
		objects[i] = object(c);
	for (i = 0; i < nr; i++)
		good(myalloc_cache_free(c, objects[i]));
	for (i = 0; i < nr; i++)
		objects[i] = object(c);
	/* A slot that a refill does not write. */
	old = myalloc_magazine_first(cpu->loaded) + c->mags.batch;
	EXPECT(old > cpu->top && old->addr, "that slot was never used");
	p = old->addr;
	host_set_cpu(1);
	for (i = 0; i < nr; i++)
		good(myalloc_cache_free(c, objects[i]));
	myalloc_cache_shrink(c);
	q = (void *)((uintptr_t)p & PAGE_MASK);
	EXPECT(!myalloc_pages_alloc_range(zone, q, 1, 0), "the slab is not free");
	memset(q, MYALLOC_SLOT_LIVE, PAGE_SIZE);

	host_set_cpu(0);
	for (i = 0; i < c->mags.batch; i++)
		objects[i] = object(c);
	while (i--)
		good(myalloc_cache_free(c, objects[i]));
	EXPECT(cpu->top == old, "the next slot is another one");
	EXPECT(cpu->guard == c->mags.epoch, "the slots are still of an older epoch");
	REFUSED(myalloc_cache_free(c, p), KIND);
	good(myalloc_pages_free_exact(zone, q, 1));
	good(myalloc_cache_destroy(c));
}

static void object_twice_in_bulk(void)
{
	void *objects[3] = { object(a), object(a) };

	objects[2] = objects[0];
	EXPECT(myalloc_cache_free_bulk(a, 3, objects) == 2, "three were freed");
}

static void object_bulk_with_foreign(void)
{
	void *objects[3] = { object(a), NULL, object(b) };

	EXPECT(myalloc_cache_free_bulk(a, 3, objects) == 1, "wrong ones were freed");
	good(myalloc_cache_free(b, objects[2]));
}

static void object_wrong_cache(void)
{
	p = object(a);
	REFUSED(myalloc_cache_free(b, p), CACHE);
}

static void object_interior(void)
{
	p = object(a) + 8;
	REFUSED(myalloc_cache_free(a, p), INTERIOR);
}

static void object_interior_by_one(void)
{
	p = object(a) + 1;
	REFUSED(myalloc_cache_free(a, p), INTERIOR);
}

/* The states, at the end of the slab. */
static void object_tail(void)
{
	p = object(a) + PAGE_SIZE - SIZE;
	REFUSED(myalloc_cache_free(a, p), MISALIGNED);
}

static void object_never_allocated(void)
{
	p = object(a) + 40 * SIZE;
	REFUSED(myalloc_cache_free(a, p), FREE);
}

static void object_null(void)
{
	REFUSED(myalloc_cache_free(a, NULL), FOREIGN);
}

static void object_stack(void)
{
	REFUSED(myalloc_cache_free(a, &err), FOREIGN);
}

static void object_other_zone(void)
{
	p = object(a);
	make_world(0, 0);
	REFUSED(myalloc_cache_free(a, p), FOREIGN);
}

static void object_into_free_frame(void)
{
	REFUSED(myalloc_cache_free(a, chunk[1]), FREE);
}

static void any_object_twice(void)
{
	p = object(a);
	good(myalloc_free(zone, p));
	REFUSED(myalloc_free(zone, p), FREE);
}

const struct misuse misuse_objects[] = {
	CASE(object_twice,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE(object_twice_later,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE(object_twice_drained,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE(object_twice_shrunk,
	     "bad free as object of a: already free (double free); frame 0, order 8, free"),
	CASE(object_twice_reused,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE(object_frame_now_page,
	     "bad free as object of a: not what it was allocated as; frame 0, 1 page, held by *"),
	CASE(object_frame_now_other_cache,
	     "bad free as object of a: an object of another cache; cache b, frame 0, slot 0"),
	CASE(object_twice_other_cpu,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE(object_twice_irq,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE(object_twice_nmi,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE_WITH(MYALLOC_NO_MAGAZINE, object_twice_deferred,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE(object_twice_at_once,
	     "cache a: slot 0 of the slab at frame 0 was freed twice at once"),
	CASE(object_used_slot,
	     "bad free as object of a: not what it was allocated as; frame 0, order 0, held by *"),
	CASE(object_wiped_slot,
	     "bad free as object of w: not what it was allocated as; frame *, 1 page, held by *"),
	CASE(object_twice_in_bulk,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE(object_bulk_with_foreign,
	     "bad free as object of a: an object of another cache; cache b, frame 1, slot 0\n"
	     "bad free as object of a: not memory of this zone"),
	CASE(object_wrong_cache,
	     "bad free as object of b: an object of another cache; cache a, frame 0, slot 0"),
	CASE(object_interior,
	     "bad free as object of a: inside a block, not at its beginning; cache a, frame 0, slot 0"),
	CASE(object_interior_by_one,
	     "bad free as object of a: inside a block, not at its beginning; cache a, frame 0, slot 0"),
	CASE(object_tail,
	     "bad free as object of a: misaligned: nothing begins at this address; cache a, frame 0, slot -1"),
	CASE(object_never_allocated,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 40"),
	CASE(object_null,
	     "bad free as object of a: not memory of this zone"),
	CASE(object_stack,
	     "bad free as object of a: not memory of this zone"),
	CASE(object_other_zone,
	     "bad free as object of a: not memory of this zone"),
	CASE(object_into_free_frame,
	     "bad free as object of a: already free (double free); frame 256, order 8, free"),
	CASE(any_object_twice,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	{ }
};

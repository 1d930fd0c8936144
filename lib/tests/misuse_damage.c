// SPDX-License-Identifier: GPL-2.0
/* Damaged memory, memory that is not zero as promised, and zones or caches destroyed too early. */
#include "misuse.h"

static void *p, *q;
static int err;

static void free_p4(void)
{
	err = myalloc_pages_free(zone, p, 4);
}

static void free_object_p(void)
{
	err = myalloc_cache_free(a, p);
}

/* --- damage ----------------------------------------------------------------------------- */

static void overflow_by_one(void)
{
	u8 *o = object(a);

	*(u8 *)host_touch(&o[SIZE], 1) = 1;
	good(myalloc_cache_free(a, o));
	corrupt(1);
}

static void overflow_by_eight(void)
{
	u8 *o = object(a);

	memset(host_touch(o + SIZE, 8), 2, 8);
	good(myalloc_cache_free(a, o));
	corrupt(1);
}

static void overflow_validated(void)
{
	u8 *o = object(a);

	*(u8 *)host_touch(&o[SIZE + 7], 1) = 3;
	invalid("S6: cache a, frame 0, slot 0: right red zone overwritten: byte 71 is 0x03, not 0xcc");
}

static void underflow_by_one(void)
{
	u8 *o = object(a);

	*(u8 *)host_touch(&o[-1], 1) = 4;
	good(myalloc_cache_free(a, o));
	corrupt(1);
}

static void underflow_by_eight(void)
{
	u8 *o = object(a);

	memset(host_touch(o - 8, 8), 5, 8);
	good(myalloc_cache_free(a, o));
	corrupt(1);
}

/* The damage is repaired, so it is reported once. */
static void overflow_once(void)
{
	u8 *o = object(a);

	*(u8 *)host_touch(&o[SIZE], 1) = 6;
	good(myalloc_cache_free(a, o));
	o = object(a);
	good(myalloc_cache_free(a, o));
	corrupt(1);
	valid();
}

static void overflow_of_free(void)
{
	u8 *o = object(a);

	good(myalloc_cache_free(a, o));
	*(u8 *)host_touch(&o[SIZE], 1) = 7;
	object(a);
	corrupt(1);
}

static void write_after_free(void)
{
	u8 *o = object(a);

	good(myalloc_cache_free(a, o));
	*(u8 *)host_touch(&o[10], 1) = 8;
	object(a);
	corrupt(1);
}

static void write_after_free_last(void)
{
	u8 *o = object(a);

	good(myalloc_cache_free(a, o));
	*(u8 *)host_touch(&o[SIZE - 1], 1) = 9;
	object(a);
	corrupt(1);
}

static void write_after_free_validated(void)
{
	u8 *o = object(a);

	good(myalloc_cache_free(a, o));
	*(u8 *)host_touch(&o[0], 1) = 0xa;
	invalid("S6: cache a, frame 0, slot 0: written after free: byte 0 is 0x0a, not 0x6b");
}

static void write_after_free_page(void)
{
	u8 *o = page(0);

	good(myalloc_pages_free(zone, o, 0));
	*(u8 *)host_touch(&o[100], 1) = 0xb;
	EXPECT(page(0) == o, "not the same page");
	corrupt(1);
}

static void write_after_free_slab(void)
{
	u8 *o = object(a);

	good(myalloc_cache_free(a, o));
	myalloc_cache_shrink(a);
	*(u8 *)host_touch(&o[0], 1) = 0xc;
	page(0);
	corrupt(1);
}

/* Into the link of a deferred free. It is not followed, and nothing is lost. */
static void write_after_deferred_page(void)
{
	struct myalloc_zone_stats stats;

	p = page(4);
	q = page(4);
	in_nmi_locked(&zone->lock, free_p4);
	swap(p, q);
	in_nmi_locked(&zone->lock, free_p4);
	memset(p, 0xd, 8);
	corrupt(0);
	myalloc_zone_drain(zone);
	corrupt(1);
	myalloc_zone_stats(zone, &stats);
	EXPECT(stats.free_pages == NR_PAGES, "%llu pages free", stats.free_pages);
	valid();
}

static void write_after_deferred_object(void)
{
	struct myalloc_cache_stats stats;

	p = object(a);
	q = object(a);
	in_nmi_locked(&a->lock, free_object_p);
	swap(p, q);
	in_nmi_locked(&a->lock, free_object_p);
	memset(p, 0xe, 8);
	myalloc_cache_drain(a);
	corrupt(1);
	myalloc_cache_stats(a, &stats);
	EXPECT(!stats.live_objects && !stats.deferred_objects, "objects are lost");
	valid();
}

static void ctor_over(void *object)
{
	memset(object, 0xf, SIZE + 1);
}

static void ctor_under(void *object)
{
	memset(object - 1, 0x10, 1);
}

static void with_ctor(void (*ctor)(void *object))
{
	struct myalloc_cache_args args = {
		.name = "c", .object_size = SIZE, .flags = MYALLOC_REDZONE, .ctor = ctor,
	};
	struct myalloc_cache *c = myalloc_cache_create(zone, &args);

	EXPECT(!IS_ERR(c), "no cache");
	object(c);
	corrupt(1);
}

static void ctor_overflows(void)
{
	with_ctor(ctor_over);
}

static void ctor_underflows(void)
{
	with_ctor(ctor_under);
}

/* --- reads of memory that should be zero ------------------------------------------------ */

static void dirty(struct myalloc_cache *cache, unsigned int nr)
{
	void *objects[100];
	unsigned int i;

	EXPECT(myalloc_cache_alloc_bulk(cache, 0, nr, objects) == nr, "no objects");
	for (i = 0; i < nr; i++)
		memset(objects[i], 0xff, SIZE);
	EXPECT(myalloc_cache_free_bulk(cache, nr, objects) == nr, "objects do not go back");
}

static void zero_object(void)
{
	dirty(a, 50);
	p = myalloc_cache_alloc(a, MYALLOC_ZERO);
	EXPECT(!memchr_inv(p, 0, SIZE), "not zero");
}

static void zero_object_bulk(void)
{
	void *objects[80];
	unsigned int i;

	dirty(a, 100);
	EXPECT(myalloc_cache_alloc_bulk(a, MYALLOC_ZERO, 80, objects) == 80, "no objects");
	for (i = 0; i < 80; i++)
		EXPECT(!memchr_inv(objects[i], 0, SIZE), "not zero");
}

static void zero_alloc_cache(void)
{
	unsigned int i;

	dirty(a, 50);
	for (i = 0; i < 50; i++)
		EXPECT(!memchr_inv(object(a), 0, SIZE), "not zero");
}

static void zero_free_cache(void)
{
	unsigned int i;
	u8 *o = object(a);

	memset(o, 0xff, SIZE);
	good(myalloc_cache_free(a, o));
	for (i = 0; i < SIZE; i++)
		EXPECT(!*(u8 *)host_touch(&o[i], 1), "not cleared");
}

static void zero_free_certain(void)
{
	zero_free_cache();
}

/* A second free is refused and clears nothing, even if the memory has a new user. */
static void zero_free_trusting(void)
{
	u8 *o = object(a);

	zero_free_cache();
	good(myalloc_cache_free(a, o));
	REFUSED(myalloc_cache_free(a, o), FREE);
}

static void zero_free_bulk(void)
{
	void *objects[3] = { object(a), object(a), object(a) };
	unsigned int i;

	for (i = 0; i < 3; i++)
		memset(objects[i], 0xff, SIZE);
	EXPECT(myalloc_cache_free_bulk(a, 3, objects) == 3, "objects do not go back");
	for (i = 0; i < 3; i++)
		EXPECT(!memchr_inv(host_touch(objects[i], SIZE), 0, SIZE), "not cleared");
}

static void zero_free_deferred(void)
{
	p = object(a);
	memset(p, 0xff, SIZE);
	in_nmi_locked(&a->lock, free_object_p);
	good(err);
	EXPECT(!memchr_inv(p + 8, 0, SIZE - 8), "not cleared");
	myalloc_cache_drain(a);
	EXPECT(!memchr_inv(host_touch(p, SIZE), 0, SIZE), "the link was not cleared");
}

static void zero_page(void)
{
	p = page(2);
	memset(p, 0xff, 4 * PAGE_SIZE);
	good(myalloc_pages_free(zone, p, 2));
	q = myalloc_pages_alloc(zone, 2, MYALLOC_ZERO);
	EXPECT(p == q && !memchr_inv(q, 0, 4 * PAGE_SIZE), "not zero");
}

static void zero_page_bulk_exact_range(void)
{
	void *pages[4];
	unsigned int i;

	memset(host_touch(chunk[0], 64 * PAGE_SIZE), 0xff, 64 * PAGE_SIZE);
	EXPECT(myalloc_pages_alloc_bulk(zone, 0, MYALLOC_ZERO, 4, pages) == 4, "no pages");
	for (i = 0; i < 4; i++)
		EXPECT(!memchr_inv(pages[i], 0, PAGE_SIZE), "not zero");
	memset(host_touch(chunk[0], 64 * PAGE_SIZE), 0xff, 64 * PAGE_SIZE);
	p = myalloc_pages_alloc_exact(zone, 5, 0, MYALLOC_ZERO);
	EXPECT(!memchr_inv(p, 0, 5 * PAGE_SIZE), "not zero");
	memset(host_touch(chunk[1], 64 * PAGE_SIZE), 0xff, 64 * PAGE_SIZE);
	EXPECT(!myalloc_pages_alloc_range(zone, chunk[1], 3, MYALLOC_ZERO), "no range");
	EXPECT(!memchr_inv(chunk[1], 0, 3 * PAGE_SIZE), "not zero");
}

/* --- ends ------------------------------------------------------------------------------- */

static void destroy_with_live(void)
{
	p = object(a);
	EXPECT(myalloc_cache_destroy(a) == -EBUSY, "cache ended with an object out");
	good(myalloc_cache_free(a, p));
	EXPECT(!myalloc_cache_destroy(a), "cache does not end");
}

/* The list has a line for each call site, the one with most objects first. */
static void destroy_with_live_owners(void)
{
	unsigned int i;

	p = object(a);
	q = object(a);
	for (i = 0; i < 5; i++)
		EXPECT(myalloc_cache_alloc(a, 0), "no object");
	EXPECT(myalloc_cache_destroy(a) == -EBUSY, "cache ended with objects out");
}

static void destroy_zone_with_cache(void)
{
	EXPECT(!myalloc_cache_destroy(a), "cache does not end");
	EXPECT(myalloc_zone_destroy(zone) == -EBUSY, "zone ended with a cache");
	valid();
}

static void destroy_zone_with_page(void)
{
	EXPECT(!myalloc_cache_destroy(a) && !myalloc_cache_destroy(b), "caches do not end");
	page(0);
	page(3);
	EXPECT(myalloc_zone_destroy(zone) == -EBUSY, "zone ended with pages out");
	valid();
}

static void object_after_destroy(void)
{
	p = object(a);
	good(myalloc_cache_free(a, p));
	EXPECT(!myalloc_cache_destroy(a), "cache does not end");
	REFUSED(myalloc_free(zone, p), FREE);
}

static void object_after_destroy_reused(void)
{
	p = object(a);
	good(myalloc_cache_free(a, p));
	EXPECT(!myalloc_cache_destroy(a), "cache does not end");
	q = object(b);
	REFUSED(myalloc_free(zone, p + 8), INTERIOR);
}

#ifdef HOST_ASAN
static void use_destroyed(void *arg)
{
	myalloc_cache_alloc(a, 0);
}

static void cache_after_destroy(void)
{
	EXPECT(!myalloc_cache_destroy(a), "cache does not end");
	EXPECT(host_dies(use_destroyed, NULL, "heap-use-after-free"), "use of a cache that has ended");
	host_log_reset();
}
#endif

/* --- the cases -------------------------------------------------------------------------- */

const struct misuse misuse_damage[] = {
	CASE_WITH(MYALLOC_REDZONE, overflow_by_one,
	     "cache a, frame 0, slot 0: right red zone overwritten: byte 64 is 0x01, not 0xcc"),
	CASE_WITH(MYALLOC_REDZONE, overflow_by_eight,
	     "cache a, frame 0, slot 0: right red zone overwritten: byte 64 is 0x02, not 0xcc"),
	CASE_WITH(MYALLOC_REDZONE, overflow_validated, ""),
	CASE_WITH(MYALLOC_REDZONE, underflow_by_one,
	     "cache a, frame 0, slot 0: left red zone overwritten: byte -1 is 0x04, not 0xcc"),
	CASE_WITH(MYALLOC_REDZONE, underflow_by_eight,
	     "cache a, frame 0, slot 0: left red zone overwritten: byte -8 is 0x05, not 0xcc"),
	CASE_WITH(MYALLOC_REDZONE, overflow_once,
	     "cache a, frame 0, slot 0: right red zone overwritten: byte 64 is 0x06, not 0xcc"),
	CASE_WITH(MYALLOC_REDZONE, overflow_of_free,
	     "cache a, frame 0, slot 0: right red zone overwritten: byte 64 is 0x07, not 0xbb"),
	CASE_WITH(MYALLOC_POISON, write_after_free,
	     "cache a, frame 0, slot 0: written after free: byte 10 is 0x08, not 0x6b"),
	CASE_WITH(MYALLOC_POISON, write_after_free_last,
	     "cache a, frame 0, slot 0: written after free: byte 63 is 0x09, not 0xa5"),
	CASE_WITH(MYALLOC_POISON, write_after_free_validated, ""),
	CASE_ZONE(MYALLOC_POISON, write_after_free_page,
	     "free page was written to: frame 0, byte 100 is 0x0b, not 0x6b"),
	CASE_ZONE(MYALLOC_POISON, write_after_free_slab,
	     "free page was written to: frame 0, byte 0 is 0x0c, not 0x6b"),
	CASE(write_after_deferred_page,
	     "a freed block was written to: its link is damaged"),
	CASE_WITH(MYALLOC_NO_MAGAZINE, write_after_deferred_object,
	     "cache a: a freed object was written to: its link is damaged"),
	CASE(ctor_overflows,
	     "cache c, frame 0, slot 0: right red zone overwritten: byte 64 is 0x0f, not 0xbb"),
	CASE(ctor_underflows,
	     "cache c, frame 0, slot 0: left red zone overwritten: byte -1 is 0x10, not 0xbb"),
	CASE(zero_object, ""),
	CASE(zero_object_bulk, ""),
	CASE_WITH(MYALLOC_ZERO_ALLOC, zero_alloc_cache, ""),
	CASE_WITH(MYALLOC_ZERO_FREE, zero_free_cache, ""),
	CASE_WITH(MYALLOC_ZERO_FREE | MYALLOC_CERTAIN, zero_free_certain, ""),
	CASE_WITH(MYALLOC_ZERO_FREE | MYALLOC_TRUSTING, zero_free_trusting,
		  "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE_WITH(MYALLOC_ZERO_FREE, zero_free_bulk, ""),
	CASE_WITH(MYALLOC_ZERO_FREE | MYALLOC_NO_MAGAZINE, zero_free_deferred, ""),
	CASE(zero_page, ""),
	CASE(zero_page_bulk_exact_range, ""),
	CASE(destroy_with_live,
	     "cache a cannot be destroyed: 1 object is still allocated (check U records their owners)\n"
	     "cache a: still allocated: frame 0, slot 0"),
	CASE_WITH(MYALLOC_OWNER, destroy_with_live_owners,
	     "cache a cannot be destroyed: 7 objects are still allocated\n"
	     "cache a: still held: 5 objects of a from *, oldest * s\n"
	     " (stack)\n"
	     "cache a: still held: 2 objects of a from *, oldest * s\n"
	     " (stack)\n"),
	CASE(destroy_zone_with_cache,
	     "cannot be destroyed: cache b still exists"),
	CASE(destroy_zone_with_page,
	     "cannot be destroyed: 9 pages in use, first: frame 0, 1 page, held by *"),
	CASE(object_after_destroy,
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free"),
	CASE(object_after_destroy_reused,
	     "bad free as object of b: inside a block, not at its beginning; cache b, frame 0, slot 0"),
#ifdef HOST_ASAN
	CASE(cache_after_destroy, ""),
#endif
	{ }
};

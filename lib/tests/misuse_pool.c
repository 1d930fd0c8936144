// SPDX-License-Identifier: GPL-2.0
/* Misuse of object pools. */
#include "misuse.h"
#include "front/pool.h"

static struct myalloc_pool *pool;
static void *p, *q;

static void make_pool(myalloc_cache_flags_t flags)
{
	pool = myalloc_pool_create(zone, &(struct myalloc_pool_args){
		.name = "jobs", .object_size = 64, .nr = 20, .nmi = 2, .flags = flags });
	EXPECT(!IS_ERR(pool), "no pool");
}

static void *job(void)
{
	void *object = myalloc_pool_alloc(pool, 0);

	EXPECT(object, "no object");
	return object;
}

static void alloc_p(void)
{
	p = myalloc_pool_alloc(pool, 0);
}

/* A spare of the pool is in use, as after an NMI that could not take the lock. */
static void *spare(void)
{
	in_nmi_locked(&pool->cache->lock, alloc_p);
	EXPECT(p == pool->spares.object[0], "no spare");
	return p;
}

static void pool_twice(void)
{
	make_pool(0);
	p = job();
	good(myalloc_pool_free(pool, p));
	REFUSED(myalloc_pool_free(pool, p), FREE);
}

static void pool_spare_twice(void)
{
	make_pool(0);
	p = spare();
	good(myalloc_pool_free(pool, p));
	REFUSED(myalloc_pool_free(pool, p), FREE);
}

static void pool_spare_twice_while_out(void)
{
	make_pool(0);
	p = spare();
	REFUSED(myalloc_pool_free(pool, pool->spares.object[1]), FREE);
	good(myalloc_pool_free(pool, p));
}

static void pool_unused_spare(void)
{
	make_pool(0);
	REFUSED(myalloc_pool_free(pool, pool->spares.object[0]), FREE);
	REFUSED(myalloc_cache_free(pool->cache, pool->spares.object[0]), FREE);
}

static void pool_other_object(void)
{
	make_pool(0);
	p = object(a);
	REFUSED(myalloc_pool_free(pool, p), CACHE);
}

static void pool_page(void)
{
	make_pool(0);
	p = page(0);
	REFUSED(myalloc_pool_free(pool, p), KIND);
}

static void pool_interior(void)
{
	make_pool(0);
	q = job();
	p = spare();
	REFUSED(myalloc_pool_free(pool, p + 8), INTERIOR);
	REFUSED(myalloc_pool_free(pool, q + 8), INTERIOR);
}

static void pool_stack(void)
{
	int local;

	make_pool(0);
	REFUSED(myalloc_pool_free(pool, &local), FOREIGN);
}

static void pool_unknown_flag(void)
{
	make_pool(0);
	EXPECT(!myalloc_pool_alloc(pool, MYALLOC_TOPDOWN), "an unknown flag was taken");
}

static void pool_ends_in_use(void)
{
	make_pool(0);
	q = job();
	p = spare();
	EXPECT(myalloc_pool_destroy(pool) == -EBUSY, "a pool in use ended");
	good(myalloc_pool_free(pool, p));
	good(myalloc_pool_free(pool, q));
	EXPECT(!myalloc_pool_destroy(pool), "an unused pool does not end");
}

/* An object of a pool may be freed by its address alone; a spare comes back to the pool. */
static void pool_freed_by_address(void)
{
	struct myalloc_pool_stats stats;

	make_pool(0);
	q = job();
	p = spare();
	good(myalloc_free(zone, q));
	REFUSED(myalloc_free(zone, p + 8), INTERIOR);
	good(myalloc_free(zone, p));
	valid();
	myalloc_pool_stats(pool, &stats);
	EXPECT(stats.spares == 2 && !stats.live_objects, "the spare is lost");
	REFUSED(myalloc_free(zone, p), FREE);
	good(myalloc_pool_destroy(pool));
	corrupt(0);
}

/* A spare that was freed to the cache, past the pool. */
static void pool_spare_lost(void)
{
	make_pool(0);
	p = spare();
	good(myalloc_cache_free(pool->cache, p));
	invalid("O3: pool jobs: spare 0 is out, its state is *");
	good(myalloc_pool_destroy(pool));
	corrupt(0);
}

static void pool_overrun_spare(void)
{
	make_pool(MYALLOC_REDZONE);
	q = spare();
	*(u8 *)host_touch((u8 *)q + 64, 1) = 0;
	good(myalloc_pool_free(pool, q));
}

const struct misuse misuse_pool[] = {
	CASE(pool_twice,
	     "bad free as object of jobs: already free (double free); cache jobs, frame *, slot 2"),
	CASE(pool_spare_twice,
	     "bad free as object of jobs: already free (double free); cache jobs, frame *, slot 0"),
	CASE(pool_spare_twice_while_out,
	     "bad free as object of jobs: already free (double free); cache jobs, frame *, slot 1"),
	CASE(pool_unused_spare,
	     "bad free as object of jobs: already free (double free); cache jobs, frame *, slot 0\n"
	     "bad free as object of jobs: already free (double free); cache jobs, frame *, slot 0"),
	CASE(pool_other_object,
	     "bad free as object of jobs: an object of another cache; cache a, frame *, slot 0"),
	CASE(pool_page,
	     "bad free as object of jobs: not what it was allocated as; frame *, order 0, held by *"),
	CASE(pool_interior,
	     "bad free as object of jobs: inside a block, not at its beginning; cache jobs, frame *, slot 0\n"
	     "bad free as object of jobs: inside a block, not at its beginning; cache jobs, frame *, slot 2"),
	CASE(pool_stack,
	     "bad free as object of jobs: not memory of this zone"),
	CASE(pool_unknown_flag,
	     "request from * refused: unknown flags 0x2, allowed are 0x5 (GFP flags are not)"),
	CASE(pool_ends_in_use,
	     "cache jobs cannot be destroyed: 2 objects are still allocated (check U records their owners)\n"
	     "cache jobs: still allocated: frame *, slot 0\n"
	     "cache jobs: still allocated: frame *, slot 2"),
	CASE(pool_freed_by_address,
	     "bad free as object of jobs: inside a block, not at its beginning; cache jobs, frame *, slot 0\n"
	     "bad free as object of jobs: already free (double free); cache jobs, frame *, slot 0"),
	CASE(pool_spare_lost, ""),
	CASE(pool_overrun_spare,
	     "cache jobs, frame *, slot 0: right red zone overwritten: byte 64 is 0x00, not 0xcc"),
	{ }
};

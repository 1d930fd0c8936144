// SPDX-License-Identifier: GPL-2.0
/* Tests of cleanup at the end of a scope, where the kernel has it. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "myalloc_client.h"
#include "zone/front.h"

#ifdef MYALLOC_CLEANUP

/* One of each kind, all of which belong to a client. */
static void make_all(struct kunit *test, struct myalloc_zone *zone)
{
	struct myalloc_client *client __free(myalloc_client) = myalloc_client_create(zone,
		&(struct myalloc_client_args){ .name = "c" });
	struct myalloc_cache *cache __free(myalloc_cache) = myalloc_cache_create(zone,
		&(struct myalloc_cache_args){ .name = "ca", .object_size = 64, .client = client });
	struct myalloc_heap *heap __free(myalloc_heap) = myalloc_heap_create(zone,
		&(struct myalloc_heap_args){ .name = "h", .client = client });
	struct myalloc_pool *pool __free(myalloc_pool) = myalloc_pool_create(zone,
		&(struct myalloc_pool_args){ .name = "p", .object_size = 64, .nr = 8,
					     .client = client });
	struct myalloc_arena *arena __free(myalloc_arena) = myalloc_arena_create(zone,
		&(struct myalloc_arena_args){ .name = "a", .client = client });
	struct myalloc_frames *frames __free(myalloc_frames) = myalloc_frames_create(zone,
		&(struct myalloc_arena_args){ .name = "f", .client = client });
	struct myalloc_ring *ring __free(myalloc_ring) = myalloc_ring_create(zone,
		&(struct myalloc_ring_args){ .name = "r", .size = PAGE_SIZE, .client = client });

	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, client);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, cache);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, heap);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, pool);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, arena);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, frames);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, ring);
}

/* Error values of functions are left alone. */
static void leave_errors(void)
{
	struct myalloc_client *client __free(myalloc_client) = ERR_PTR(-ENOMEM);
	struct myalloc_cache *cache __free(myalloc_cache) = ERR_PTR(-ENOMEM);
	struct myalloc_heap *heap __free(myalloc_heap) = ERR_PTR(-ENOMEM);
	struct myalloc_pool *pool __free(myalloc_pool) = ERR_PTR(-ENOMEM);
	struct myalloc_arena *arena __free(myalloc_arena) = ERR_PTR(-ENOMEM);
	struct myalloc_frames *frames __free(myalloc_frames) = ERR_PTR(-ENOMEM);
	struct myalloc_ring *ring __free(myalloc_ring) = ERR_PTR(-ENOMEM);
	struct myalloc_ring *none __free(myalloc_ring) = NULL;
}

static bool count(struct myalloc_front *front, void *arg)
{
	++*(u32 *)arg;
	return true;
}

static void cleanup_scope(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 512, .chunk_order = 8 };
	struct fixture *fx = fixture_zone(test, &args);
	u32 left = 0;

	make_all(test, fx->zone);
	leave_errors();
	myalloc_front_walk(fx->zone, NULL, count, &left);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, 0);
	FIXTURE_EXPECT_VALID(fx);
}

#else

static void cleanup_scope(struct kunit *test)
{
	kunit_skip(test, "this kernel has no cleanup at the end of a scope");
}

#endif

static struct kunit_case cleanup_cases[] = {
	KUNIT_CASE(cleanup_scope),
	{}
};

static struct kunit_suite cleanup_suite = {
	.name = "myalloc_cleanup",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = cleanup_cases,
};

kunit_test_suite(cleanup_suite);

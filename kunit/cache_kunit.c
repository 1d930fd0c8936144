// SPDX-License-Identifier: GPL-2.0
/* Tests of caches as a whole: creation, refused arguments, the walk over caches. */
#include "env.h"

#include <kunit/test.h>

#include "slab_fixture.h"

static void nothing(void *object)
{
}

/* Each wrong argument, with its error and part of the message. */
static void slab_args(struct kunit *test)
{
	static const struct {
		struct myalloc_cache_args args;
		int err;
		const char *text;
	} cases[] = {
		{ { .object_size = 8 }, -EINVAL, "a cache's name has 1 to 31" },
		{ { .name = "", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = ".", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = "..", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = "a/b", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = "a b", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = "a\n", .object_size = 8 }, -EINVAL, "a cache's name has" },
		{ { .name = "32-characters-are-one-too-many-x", .object_size = 8 }, -EINVAL,
		  "a cache's name has" },
		{ { .name = "a", .object_size = 8, .flags = __MYALLOC_CACHE_FLAG(1u << 15) },
		  -EINVAL, "cache a: unknown flags 0x8000" },
		{ { .name = "a", .object_size = 8, .flags = MYALLOC_CERTAIN | MYALLOC_TRUSTING },
		  -EINVAL, "cache a: certain and trusting exclude each other" },
		{ { .name = "a", .object_size = 8,
		    .flags = __MYALLOC_CACHE_FLAG(1u << 31 | 1u << 4) }, -EINVAL,
		  "cache a: unknown flags 0x80000010" },
		{ { .name = "a", .object_size = 8, .magazine = 129 }, -EINVAL,
		  "cache a: magazine of 129 objects exceeds the maximum of 128" },
		{ { .name = "a", .object_size = 8, .ctor = nothing, .flags = MYALLOC_POISON },
		  -EINVAL, "cache a: a constructor excludes poison and zeroing" },
		{ { .name = "a", .object_size = 8, .ctor = nothing, .flags = MYALLOC_ZERO_ALLOC },
		  -EINVAL, "cache a: a constructor excludes poison and zeroing" },
		{ { .name = "a", .object_size = 8, .ctor = nothing, .flags = MYALLOC_ZERO_FREE },
		  -EINVAL, "cache a: a constructor excludes poison and zeroing" },
		{ { .name = "a" }, -EINVAL, "cache a: cannot lay out objects of 0 bytes" },
		{ { .name = "a", .object_size = 32769 }, -EINVAL,
		  "cache a: cannot lay out objects of 32769 bytes" },
		{ { .name = "a", .object_size = 8, .align = 24 }, -EINVAL, "aligned to 24" },
		{ { .name = "a", .object_size = 8, .align = 2 * PAGE_SIZE }, -EINVAL,
		  "aligned to" },
		{ { .name = "a", .object_size = MYALLOC_MAX_OBJECT, .align = PAGE_SIZE,
		    .flags = MYALLOC_CHECKS }, -E2BIG, "the slab at most of order 1" },
		{ { .name = "there", .object_size = 8 }, -EEXIST,
		  "cache there: the name is already used by cache 1, of objects of 64 bytes" },
	};
	const struct fixture_args args = { .nr_pages = 32, .chunk_order = 1 };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_cache *cache;
	unsigned long live;
	size_t i;

	fixture_cache(fx, "there", 64, 0);
	live = fixture_live_allocs();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture_log_mark();
		cache = myalloc_cache_create(fx->zone, &cases[i].args);
		KUNIT_EXPECT_TRUE_MSG(test, IS_ERR(cache) && PTR_ERR(cache) == cases[i].err,
				      "case %zu", i);
		KUNIT_EXPECT_EQ_MSG(test, fixture_log_count(cases[i].text), 1, "case %zu", i);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
	}
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, 1);
	/* The longest name, and every permitted character. */
	KUNIT_EXPECT_STREQ(test, fixture_cache(fx, "31-Characters_just.fit-here-xyz", 64, 0)->name,
			   "31-Characters_just.fit-here-xyz");
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(NULL), 0);
}

static noinline __noclone struct myalloc_cache *
create_here(struct fixture *fx, const struct myalloc_cache_args *args)
{
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, args);

	barrier();
	return cache;
}

/* A name in use is reported with its owner, the line that created it, and its live objects. */
static void slab_in_the_way(struct kunit *test)
{
	const struct myalloc_cache_args args = { .name = "web", .object_size = 64 };
	char symbol[MYALLOC_ENV_SYMBOL], text[MYALLOC_REPORT_SIZE];
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *web = create_here(fx, &args);
	void *object[2];
	u32 i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, web);
	KUNIT_EXPECT_TRUE(test, fixture_called_by(web->maker, create_here));
	fixture_symbol(web->maker, symbol, sizeof(symbol));
	for (i = 0; i <= ARRAY_SIZE(object); i++) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(create_here(fx, &args)), -EEXIST);
		scnprintf(text, sizeof(text),
			  "cache web: the name is already used by cache 1, of objects of 64 bytes, created at %s, with %u object%s in use",
			  symbol, i, i == 1 ? "" : "s");
		KUNIT_EXPECT_STREQ(test, fixture_report(fx), text);
		if (i == ARRAY_SIZE(object))
			break;
		object[i] = myalloc_cache_alloc(web, 0);
		KUNIT_ASSERT_NOT_NULL(test, object[i]);
	}
	/* No entry for a report is free. */
	for (i = 0; i < MYALLOC_REPORTS; i++)
		fx->zone->reports.report[i].state = MYALLOC_REPORT_PRINTING;
	KUNIT_EXPECT_EQ(test, PTR_ERR(create_here(fx, &args)), -EEXIST);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->reports_suppressed, 1);
	for (i = 0; i < MYALLOC_REPORTS; i++)
		fx->zone->reports.report[i].state = MYALLOC_REPORT_FREE;
	for (i = 0; i < ARRAY_SIZE(object); i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(web, object[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(web), 0);
}

/* Only ASCII bytes may be in a name, whatever the kernel classifies as a letter. */
static void slab_names(struct kunit *test)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	char name[] = "a?b";
	const struct myalloc_cache_args args = { .name = name, .object_size = 64 };
	struct fixture *fx = small_zone(test);
	struct myalloc_cache *cache;
	unsigned int byte;

	for (byte = 1; byte < 256; byte++) {
		name[1] = byte;
		cache = myalloc_cache_create(fx->zone, &args);
		if (strchr(allowed, name[1])) {
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
			KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
			continue;
		}
		KUNIT_EXPECT_TRUE_MSG(test, IS_ERR(cache) && PTR_ERR(cache) == -EINVAL,
				      "byte 0x%x", byte);
		if (!IS_ERR(cache))
			myalloc_cache_destroy(cache);
	}
}

/* There can be as many caches as numbers; the number of a destroyed cache is reused. */
static void slab_numbers(struct kunit *test)
{
	struct myalloc_cache_args args = { .object_size = 64, .flags = MYALLOC_NO_MAGAZINE };
	struct fixture *fx = small_zone(test);
	struct myalloc_cache **caches = (struct myalloc_cache **)object_array(test), *more;
	char name[16];
	u32 i;

	args.name = name;
	for (i = 1; i < MYALLOC_CACHES_MAX; i++) {
		scnprintf(name, sizeof(name), "c%u", i);
		caches[i] = myalloc_cache_create(fx->zone, &args);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, caches[i]);
		KUNIT_EXPECT_EQ(test, caches[i]->id, i);
	}
	args.name = "one-more";
	fixture_log_mark();
	more = myalloc_cache_create(fx->zone, &args);
	KUNIT_EXPECT_TRUE(test, IS_ERR(more) && PTR_ERR(more) == -ENOSPC);
	KUNIT_EXPECT_EQ(test,
			fixture_log_count("one-more: the limit of 1023 caches is reached"), 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, MYALLOC_CACHES_MAX - 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(caches[77]), 0);
	more = myalloc_cache_create(fx->zone, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, more);
	KUNIT_EXPECT_EQ(test, more->id, 77);
	FIXTURE_EXPECT_VALID(fx);
}

/* Each internal allocation fails in turn; nothing is leaked. */
static void slab_no_memory(struct kunit *test)
{
	const struct myalloc_cache_args args = { .name = "failing", .object_size = 100 };
	struct fixture *fx = large_zone(test);
	unsigned long live = fixture_live_allocs();
	struct myalloc_cache *cache;
	unsigned int k;

	if (!fixture_fail_after(0))
		kunit_skip(test, "failures cannot be injected here");
	for (k = 1; ; k++) {
		fixture_fail_after(k);
		cache = myalloc_cache_create(fx->zone, &args);
		if (!fixture_fail_fired())
			break;
		KUNIT_EXPECT_TRUE(test, IS_ERR(cache) && PTR_ERR(cache) == -ENOMEM);
		KUNIT_EXPECT_EQ(test, fixture_live_allocs(), live);
		KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, 0);
		FIXTURE_EXPECT_VALID(fx);
	}
	fixture_fail_after(0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	/* The cache, the per-CPU part, the magazines. */
	KUNIT_EXPECT_EQ(test, k, 4);
}

static struct myalloc_cache *heard_added, *heard_removed;

static void hear_added(struct myalloc_cache *cache)
{
	heard_added = cache;
}

static void hear_removed(struct myalloc_cache *cache)
{
	heard_removed = cache;
}

static bool stop_at(struct myalloc_cache *cache, void *arg)
{
	u32 *left = arg;

	return --*left;
}

/* The zone's callbacks report each cache; the walk visits each, and ends when told to. */
static void slab_ops(struct kunit *test)
{
	static const struct myalloc_zone_ops ops = { hear_added, hear_removed };
	const struct fixture_args args = { .nr_pages = 16, .chunk_order = 4, .ops = &ops };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_cache *one = fixture_cache(fx, "one", 8, 0), *two;
	u32 left = 10;

	KUNIT_EXPECT_PTR_EQ(test, heard_added, one);
	two = fixture_cache(fx, "two", 8, 0);
	KUNIT_EXPECT_PTR_EQ(test, heard_added, two);
	myalloc_zone_walk_caches(fx->zone, stop_at, &left);
	KUNIT_EXPECT_EQ(test, left, 8);
	left = 1;
	myalloc_zone_walk_caches(fx->zone, stop_at, &left);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(one), 0);
	KUNIT_EXPECT_PTR_EQ(test, heard_removed, one);
}

/* The callbacks are optional. */
static void slab_no_ops(struct kunit *test)
{
	static const struct myalloc_zone_ops ops;
	const struct fixture_args args = { .nr_pages = 16, .chunk_order = 4, .ops = &ops };
	struct fixture *fx = fixture_zone(test, &args);
	struct myalloc_cache *cache = fixture_cache(fx, "unheard", 8, 0);

	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, 0);
}

static struct kunit_case cache_cases[] = {
	KUNIT_CASE(slab_args),
	KUNIT_CASE(slab_in_the_way),
	KUNIT_CASE(slab_names),
	KUNIT_CASE(slab_numbers),
	KUNIT_CASE(slab_no_memory),
	KUNIT_CASE(slab_ops),
	KUNIT_CASE(slab_no_ops),
	{}
};

static struct kunit_suite cache_suite = {
	.name = "myalloc_cache",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = cache_cases,
};

kunit_test_suite(cache_suite);

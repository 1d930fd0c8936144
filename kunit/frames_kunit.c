// SPDX-License-Identifier: GPL-2.0
/* Tests of two arenas that take turns. */
#include "env.h"

#include <kunit/test.h>

#include "arena_fixture.h"

/* Memory of a frame lives until the next frame ends, and no longer. */
static void arena_frames(struct kunit *test)
{
	struct myalloc_arena_args args = {
		.name = "f", .block_size = BLOCK, .flags = MYALLOC_POISON,
	};
	struct fixture *fx = zone_of(test, 0);
	struct myalloc_frames *frames;
	u8 *piece[6] = { NULL };
	u64 calls = 0;
	u32 i, percpu;

	for (percpu = 0; percpu < 2; percpu++) {
		args.percpu = percpu;
		frames = myalloc_frames_create(fx->zone, &args);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
		KUNIT_EXPECT_STREQ(test, frames->arena[1]->front.name, "f-1");
		for (i = 0; i < ARRAY_SIZE(piece); i++) {
			piece[i] = myalloc_frames_alloc(frames, 200, 0);
			KUNIT_ASSERT_NOT_NULL(test, piece[i]);
			KUNIT_EXPECT_PTR_EQ(test, piece[i], piece[i % 2]);
			memset(piece[i], i, 200);
			if (i) {	/* of the previous frame */
				KUNIT_EXPECT_NULL(test, memchr_inv(piece[i - 1], i - 1, 200));
			}
			if (i == 1)
				calls = stats_of(frames->arena[0])->zone_calls +
					stats_of(frames->arena[1])->zone_calls;
			myalloc_frames_swap(frames);
			/* The piece of this frame is intact, that of the previous one is gone. */
			KUNIT_EXPECT_NULL(test, memchr_inv(piece[i], i, 200));
			if (i && !percpu)
				KUNIT_EXPECT_TRUE(test, poisoned(piece[i - 1], 200));
		}
		KUNIT_EXPECT_EQ(test, calls, 2);
		KUNIT_EXPECT_EQ(test, stats_of(frames->arena[0])->zone_calls +
				stats_of(frames->arena[1])->zone_calls, calls);
		KUNIT_EXPECT_EQ(test, stats_of(myalloc_frames_now(frames))->resets, 3);
		piece[0] = myalloc_frames_zalloc(frames, 200, 0);
		KUNIT_ASSERT_NOT_NULL(test, piece[0]);
		KUNIT_EXPECT_NULL(test, memchr_inv(piece[0], 0, 200));
		FIXTURE_EXPECT_VALID(fx);
		myalloc_frames_destroy(frames);
	}
	myalloc_frames_destroy(NULL);
	args.name = NULL;
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_frames_create(fx->zone, &args)), -EINVAL);
	args.name = "";
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_frames_create(fx->zone, &args)), -EINVAL);
	/* The name of the second arena is in use. */
	fixture_cache(fx, "f-1-blocks", 8, 0);
	args.name = "f";
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_frames_create(fx->zone, &args)), -EEXIST);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, 1);
}

static struct kunit_case frames_cases[] = {
	KUNIT_CASE(arena_frames),
	{}
};

static struct kunit_suite frames_suite = {
	.name = "myalloc_frames",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = frames_cases,
};

kunit_test_suite(frames_suite);

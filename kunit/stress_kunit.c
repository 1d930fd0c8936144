// SPDX-License-Identifier: GPL-2.0
/* Tests of stress runs: refused parameters, results, detection of damage. */
#include "env.h"

#include <kunit/test.h>

#include <linux/delay.h>

#include "fixture.h"
#include "stress/stress.h"
#include "stress/stress_run.h"

#define PAGES	1000	/* not a multiple of the chunk size, so that free blocks differ in order */

static const struct myalloc_stress base = {
	.size = sizeof(struct myalloc_stress),
	.kind = MYALLOC_STRESS_MIXED,
	.seed = 42,
	.threads = 2,
	.ops = 1000,
};

static struct fixture *make_zone(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = PAGES, .chunk_order = 6 };

	return fixture_zone(test, &args);
}

static struct myalloc_job *try_start(struct fixture *fx, const struct myalloc_stress *params)
{
	struct myalloc_stress arg = *params;

	return myalloc_job_start(&myalloc_stress_kind, fx->zone, &arg, NULL, NULL);
}

static struct myalloc_job *start(struct fixture *fx, const struct myalloc_stress *params)
{
	struct myalloc_job *run = try_start(fx, params);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fx->test, run);
	return run;
}

static void wait_for_end(struct myalloc_job *run)
{
	while (!myalloc_job_finished(run))
		msleep(20);
}

static void get_result(struct myalloc_job *run, struct myalloc_stress_result *result)
{
	result->size = sizeof(*result);
	myalloc_stress_kind.result(run, result);
}

/* Run to the end and check the results common to all undisturbed runs. */
static void run_clean(struct fixture *fx, const struct myalloc_stress *params,
		      struct myalloc_stress_result *result)
{
	struct myalloc_job *run = start(fx, params);
	struct myalloc_stress_progress record;
	struct kunit *test = fx->test;

	wait_for_end(run);
	KUNIT_EXPECT_EQ(test, myalloc_job_read(run, &record), MYALLOC_STRESS_DONE);
	get_result(run, result);
	myalloc_job_destroy(run);

	KUNIT_EXPECT_EQ(test, record.id, result->id);
	KUNIT_EXPECT_EQ(test, record.errors, 0ULL);
	KUNIT_EXPECT_EQ(test, record.live_pages, 0ULL);
	KUNIT_EXPECT_EQ(test, record.nr_pages, (u64)PAGES);
	KUNIT_EXPECT_LE(test, record.ops, record.total_ops);

	KUNIT_EXPECT_EQ(test, result->state, (u32)MYALLOC_STRESS_DONE);
	KUNIT_EXPECT_EQ(test, result->kind, params->kind);
	KUNIT_EXPECT_EQ(test, result->page_allocs, result->page_frees);
	KUNIT_EXPECT_EQ(test, result->obj_allocs, result->obj_frees);
	KUNIT_EXPECT_EQ(test, result->verify_errors, 0ULL);
	KUNIT_EXPECT_EQ(test, result->free_errors, 0ULL);
	KUNIT_EXPECT_EQ(test, result->validate_errors, 0u);
	KUNIT_EXPECT_EQ(test, result->balanced, 1u);
	KUNIT_EXPECT_EQ(test, result->shared, 0u);
	KUNIT_EXPECT_EQ(test, result->start_pages, 0ULL);
	KUNIT_EXPECT_EQ(test, result->end_pages, 0ULL);
	KUNIT_EXPECT_GT(test, result->ops_ns, 0ULL);
	KUNIT_EXPECT_LE(test, div_u64(result->ops_ns, NSEC_PER_MSEC), result->elapsed_ms);
	KUNIT_EXPECT_STREQ(test, result->first_error, "");
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* --- parameters ------------------------------------------------------------- */

static void bad_kind(struct myalloc_stress *p)
{
	p->kind = MYALLOC_STRESS_KINDS;
}

static void bad_flags(struct myalloc_stress *p)
{
	p->flags = MYALLOC_STRESS_FLAGS + 1;
}

static void bad_checks(struct myalloc_stress *p)
{
	p->checks = MYALLOC_CHECK_ALL + 1;
}

static void bad_reserved(struct myalloc_stress *p)
{
	p->reserved = 1;
}

static void no_limit(struct myalloc_stress *p)
{
	p->ops = 0;
}

static void bad_fill(struct myalloc_stress *p)
{
	p->fill_permille = 1001;
}

static void many_threads(struct myalloc_stress *p)
{
	p->threads = MYALLOC_STRESS_THREADS_MAX + 1;
}

static void odd_threads(struct myalloc_stress *p)
{
	p->kind = MYALLOC_STRESS_CROSS;
	p->threads = 3;
}

static void many_sizes(struct myalloc_stress *p)
{
	p->nr_sizes = MYALLOC_STRESS_SIZES_MAX + 1;
}

static void no_size(struct myalloc_stress *p)
{
	p->nr_sizes = 2;
	p->sizes[0] = 64;
}

static void large_size(struct myalloc_stress *p)
{
	p->nr_sizes = 1;
	p->sizes[0] = MYALLOC_OBJECT_MAX + 1;
}

static void size_behind(struct myalloc_stress *p)
{
	p->nr_sizes = 1;
	p->sizes[0] = 64;
	p->sizes[1] = 64;
}

static void weight_behind(struct myalloc_stress *p)
{
	p->size_weights[0] = 1;
}

static void large_order(struct myalloc_stress *p)
{
	p->order_weights[7] = 1;
}

static void no_such_cpu(struct myalloc_stress *p)
{
	p->cpus[3] = 1ULL << 63;
}

static void stress_refuses(struct kunit *test)
{
	static void (* const spoil[])(struct myalloc_stress *p) = {
		bad_kind, bad_flags, bad_checks, bad_reserved, no_limit, bad_fill, many_threads,
		odd_threads, many_sizes, no_size, large_size, size_behind, weight_behind,
		large_order, no_such_cpu,
	};
	struct fixture *fx = make_zone(test);
	struct myalloc_job *run;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(spoil); i++) {
		struct myalloc_stress params = base;

		spoil[i](&params);
		run = try_start(fx, &params);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(run), -EINVAL, "parameter %u", i);
		if (!IS_ERR(run))
			myalloc_job_destroy(run);
	}
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->nr_caches, 0ULL);
}

/* A size given twice makes one cache; a seed chosen by the run is reported. */
static void stress_defaults(struct kunit *test)
{
	struct myalloc_stress params = base;
	struct myalloc_stress_result result;

	params.kind = MYALLOC_STRESS_OBJECTS;
	params.seed = 0;
	params.nr_sizes = 4;
	params.sizes[0] = 24;
	params.sizes[1] = 1;
	params.sizes[2] = 24;
	params.sizes[3] = 4000;
	params.size_weights[2] = 3;
	params.size_weights[3] = 1;
	run_clean(make_zone(test), &params, &result);
	KUNIT_EXPECT_NE(test, result.seed, 0ULL);
	KUNIT_EXPECT_GT(test, result.obj_allocs, 0ULL);
	KUNIT_EXPECT_EQ(test, result.page_allocs, 0ULL);
}

/* --- runs ------------------------------------------------------------------- */

static void stress_kinds(struct kunit *test)
{
	static const u32 threads[] = { 1, 4 };
	struct fixture *fx = make_zone(test);
	struct myalloc_stress_result result;
	u32 kind, i;

	for (kind = 0; kind < MYALLOC_STRESS_KINDS; kind++)
		for (i = 0; i < ARRAY_SIZE(threads); i++) {
			struct myalloc_stress params = base;

			params.kind = kind;
			params.threads = threads[i];
			if (kind == MYALLOC_STRESS_CROSS)
				params.threads = round_up(threads[i], 2);
			if (kind == MYALLOC_STRESS_RING)
				params.threads = max(threads[i], 2u);
			run_clean(fx, &params, &result);
			KUNIT_EXPECT_EQ(test, result.threads, params.threads);
			KUNIT_EXPECT_EQ(test, !!result.page_allocs,
					kind != MYALLOC_STRESS_OBJECTS &&
					kind != MYALLOC_STRESS_ARENA &&
					kind != MYALLOC_STRESS_RING);
			KUNIT_EXPECT_EQ(test, !!result.obj_allocs, kind != MYALLOC_STRESS_PAGES);
		}
}

/* The target is reached, to the page, and not passed. */
static void stress_target(struct kunit *test)
{
	const struct fixture_args args = {
		.nr_pages = PAGES, .chunk_order = 6, .no_magazines = true };
	static const u32 fill[] = { 125, 400 };
	struct myalloc_stress_result result;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(fill); i++) {
		struct myalloc_stress params = base;

		params.kind = MYALLOC_STRESS_PAGES;
		params.threads = 1;
		params.flags = MYALLOC_STRESS_NO_VERIFY;
		params.ops = 4000;
		params.fill_permille = fill[i];
		run_clean(fixture_zone(test, &args), &params, &result);
		KUNIT_EXPECT_EQ(test, result.peak_pages, (u64)PAGES * fill[i] / 1000);
		KUNIT_EXPECT_GT(test, result.fail_target, 0ULL);
	}
}

static void stress_exhaust(struct kunit *test)
{
	struct myalloc_stress params = base;
	struct myalloc_stress_result result;

	params.kind = MYALLOC_STRESS_EXHAUST;
	params.ops = 5000;
	params.checks = MYALLOC_CHECK_ALL & ~MYALLOC_CHECK_OWNER;
	run_clean(make_zone(test), &params, &result);
	KUNIT_EXPECT_GT(test, result.exhausted, 0ULL);
	KUNIT_EXPECT_GT(test, result.fail_nomem, 0ULL);
	KUNIT_EXPECT_EQ(test, result.peak_pages, (u64)PAGES);
}

/* More threads than pages. */
static void stress_crowd(struct kunit *test)
{
	struct myalloc_stress params = base;
	struct myalloc_stress_result result;

	params.threads = 64;
	params.ops = 100;
	params.fill_permille = 1000;
	run_clean(make_zone(test), &params, &result);
}

struct counts {
	u64 page_allocs;
	u64 obj_allocs;
	u64 fail_nomem;
	u64 fail_target;
};

/* Of a run in a new zone. */
static void run_counts(struct kunit *test, const struct myalloc_stress *params,
		       struct counts *counts)
{
	struct myalloc_stress_result result;

	run_clean(make_zone(test), params, &result);
	counts->page_allocs = result.page_allocs;
	counts->obj_allocs = result.obj_allocs;
	counts->fail_nomem = result.fail_nomem;
	counts->fail_target = result.fail_target;
}

/* With one thread and a number of operations, the seed determines everything. */
static void stress_repeats(struct kunit *test)
{
	struct myalloc_stress params = base;
	struct counts a, b, c;
	u32 kind;

	params.threads = 1;
	for (kind = 0; kind < MYALLOC_STRESS_KINDS; kind++) {
		/* These take two threads, which interleave differently each time. */
		if (kind == MYALLOC_STRESS_CROSS || kind == MYALLOC_STRESS_RING)
			continue;
		params.kind = kind;
		params.seed = 42;
		run_counts(test, &params, &a);
		run_counts(test, &params, &b);
		params.seed = 43;
		run_counts(test, &params, &c);
		KUNIT_EXPECT_EQ(test, memcmp(&a, &b, sizeof(a)), 0);
		KUNIT_EXPECT_NE(test, memcmp(&a, &c, sizeof(a)), 0);
	}
}

static void stress_cancel(struct kunit *test)
{
	struct fixture *fx = make_zone(test);
	struct myalloc_stress_result result;
	u32 kind;

	for (kind = 0; kind < MYALLOC_STRESS_KINDS; kind++) {
		struct myalloc_stress params = base;
		struct myalloc_job *run;

		params.kind = kind;
		params.threads = 4;
		params.ops = 0;
		params.duration_ms = U64_MAX;
		run = start(fx, &params);
		do {
			msleep(20);
			get_result(run, &result);
			KUNIT_EXPECT_EQ(test, result.state, (u32)MYALLOC_STRESS_RUNNING);
		} while (result.page_allocs + result.obj_allocs < 100);
		myalloc_job_cancel(run);
		KUNIT_EXPECT_TRUE(test, myalloc_job_finished(run));
		get_result(run, &result);
		KUNIT_EXPECT_EQ(test, result.state, (u32)MYALLOC_STRESS_CANCELLED);
		KUNIT_EXPECT_EQ(test, result.balanced, 1u);
		KUNIT_EXPECT_STREQ(test, result.first_error, "");
		myalloc_job_cancel(run);
		myalloc_job_destroy(run);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	}
	/* Immediately, before anything has begun. */
	for (kind = 0; kind < MYALLOC_STRESS_KINDS; kind++) {
		struct myalloc_stress params = base;
		struct myalloc_job *run;

		params.kind = kind;
		run = start(fx, &params);
		myalloc_job_destroy(run);
		KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
	}
}

/* Has a thread noted the end of its operations while it holds memory? */
static bool ended_holding(const struct myalloc_stress_run *run)
{
	u64 allocs, frees;
	u32 i;

	for (i = 0; i < run->nr_threads; i++) {
		const struct stress_thread *t = run->thread[i];

		if (!READ_ONCE(t->ops_ns))
			continue;
		allocs = READ_ONCE(t->count[STRESS_PAGE_ALLOCS]) +
			 READ_ONCE(t->count[STRESS_OBJ_ALLOCS]);
		frees = READ_ONCE(t->count[STRESS_PAGE_FREES]) +
			READ_ONCE(t->count[STRESS_OBJ_FREES]);
		if (frees < allocs)
			return true;
	}
	return false;
}

/* Looks at a run until its end. Returns true if one of the looks saw that. */
static bool watch_end(struct fixture *fx, const struct myalloc_stress *params)
{
	struct myalloc_job *job = start(fx, params);
	struct myalloc_stress_run *run = to_stress(job);
	struct myalloc_stress_result result;
	bool seen = false;
	u64 last = 0;
	u32 i;

	while (!myalloc_job_finished(job)) {
		seen |= ended_holding(run);
		usleep_range(10, 30);	/* on one CPU, the threads run meanwhile */
	}
	get_result(job, &result);
	for (i = 0; i < run->nr_threads; i++)
		last = max(last, run->thread[i]->ops_ns);
	KUNIT_EXPECT_EQ(fx->test, result.ops_ns, last);
	myalloc_job_destroy(job);
	return seen;
}

/* The time of the operations is without the frees at the end, whatever is freed. */
static void stress_ops_time(struct kunit *test)
{
	static const u32 kinds[] = {
		MYALLOC_STRESS_PAGES, MYALLOC_STRESS_OBJECTS, MYALLOC_STRESS_MIXED,
		MYALLOC_STRESS_HEAP, MYALLOC_STRESS_POOL,
	};
	struct fixture *fx = make_zone(test);
	struct myalloc_stress params = base;
	u32 i, tries;

	params.ops = 4000;
	/* Of several threads, the last one counts. */
	params.threads = 4;
	watch_end(fx, &params);
	/* One thread alone holds much at its end. */
	params.threads = 1;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool seen = false;

		params.kind = kinds[i];
		/* A pool takes its share at once, and the pages need the rest. */
		params.fill_permille = kinds[i] == MYALLOC_STRESS_POOL ? 500 : 900;
		/* It may hold little with some seeds, or free it between two looks. */
		for (tries = 0; tries < 100 && !seen; tries++) {
			params.seed = base.seed + tries;
			seen = watch_end(fx, &params);
		}
		KUNIT_EXPECT_TRUE_MSG(test, seen, "kind %u", kinds[i]);
	}
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Nor does it include the end of an arena, which waits here for the mutex of all fronts. */
static void stress_ops_time_arena(struct kunit *test)
{
	struct fixture *fx = make_zone(test);
	struct myalloc_stress params = base;
	struct stress_thread *t;
	struct myalloc_job *job;
	u32 tries;

	params.kind = MYALLOC_STRESS_ARENA;
	params.threads = 1;
	params.ops = 0;
	params.duration_ms = U64_MAX;
	job = start(fx, &params);
	t = to_stress(job)->thread[0];
	while (!READ_ONCE(t->count[STRESS_OBJ_ALLOCS]))
		msleep(20);
	mutex_lock(&fx->zone->fronts_mutex);
	myalloc_job_stop(job);
	for (tries = 0; tries < 500 && !READ_ONCE(t->ops_ns); tries++)
		msleep(20);
	KUNIT_EXPECT_NE(test, READ_ONCE(t->ops_ns), 0ULL);
	KUNIT_EXPECT_FALSE(test, myalloc_job_finished(job));
	mutex_unlock(&fx->zone->fronts_mutex);
	wait_for_end(job);
	myalloc_job_destroy(job);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* Two concurrent runs do not mistake each other's memory for their own. */
static void stress_two(struct kunit *test)
{
	struct fixture *fx = make_zone(test);
	struct myalloc_stress params = base;
	struct myalloc_stress_result result;
	struct myalloc_job *run[2];
	u32 i;

	params.fill_permille = 400;
	for (i = 0; i < ARRAY_SIZE(run); i++)
		run[i] = start(fx, &params);
	for (i = 0; i < ARRAY_SIZE(run); i++) {
		wait_for_end(run[i]);
		get_result(run[i], &result);
		KUNIT_EXPECT_EQ(test, result.verify_errors, 0ULL);
		KUNIT_EXPECT_EQ(test, result.free_errors, 0ULL);
		KUNIT_EXPECT_TRUE(test, result.balanced || result.shared);
	}
	for (i = 0; i < ARRAY_SIZE(run); i++)
		myalloc_job_destroy(run[i]);
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

/* --- damage ----------------------------------------------------------------- */

/*
 * Change one bit of a block in use, if there is one at the moment. Not instrumented, because the
 * run may free the block first.
 */
static noinline __no_sanitize_address void damage(struct fixture *fx)
{
	struct myalloc_zone *zone = fx->zone;
	u32 idx;

	for (idx = 0; idx < PAGES; idx++)
		if (READ_ONCE(zone->frames[idx].type) == MYALLOC_FRAME_PAGE) {
			u8 *byte = myalloc_frame_addr(zone, idx) + 1000;

			/* The run reads or writes it at the same time. */
			data_race(*byte ^= 4);
			return;
		}
}

static void stress_sees_damage(struct kunit *test)
{
	struct fixture *fx = make_zone(test);
	struct myalloc_stress params = base;
	struct myalloc_stress_result result;
	struct myalloc_job *run;
	u32 tries;

	params.kind = MYALLOC_STRESS_PAGES;
	params.ops = 0;
	params.duration_ms = 60000;
	run = start(fx, &params);
	for (tries = 0; tries < 1000; tries++) {
		msleep(20);
		damage(fx);
		get_result(run, &result);
		if (result.verify_errors)
			break;
	}
	myalloc_job_cancel(run);
	get_result(run, &result);
	myalloc_job_destroy(run);
	KUNIT_EXPECT_GT(test, result.verify_errors, 0ULL);
	KUNIT_EXPECT_NOT_NULL(test, strstr(result.first_error, "1 of "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(result.first_error, " words wrong from 0x3e8 on: "));
	KUNIT_EXPECT_EQ(test, result.balanced, 1u);
}

/* A free without the run's knowledge: a block gets two owners, then a double free. */
static void stress_sees_theft(struct kunit *test)
{
	struct fixture *fx = make_zone(test);
	struct myalloc_stress params = base;
	struct myalloc_stress_result result;
	struct myalloc_job *run;
	u32 idx;

	params.kind = MYALLOC_STRESS_PAGES;
	params.ops = 0;
	params.duration_ms = 60000;
	/* Blocks that have no magazines, of which a second free is always refused. */
	params.order_weights[4] = 1;
	/* The run would touch the block after it was freed, and KASAN would report that. */
	if (MYALLOC_ENV_SHADOW)
		params.flags = MYALLOC_STRESS_NO_VERIFY;
	run = start(fx, &params);
	do {
		msleep(20);
		for (idx = 0; idx < PAGES; idx += 16)
			if (READ_ONCE(fx->zone->frames[idx].type) == MYALLOC_FRAME_PAGE &&
			    !myalloc_pages_free(fx->zone, myalloc_frame_addr(fx->zone, idx), 4))
				break;
	} while (idx >= PAGES);
	myalloc_job_cancel(run);
	get_result(run, &result);
	myalloc_job_destroy(run);
	KUNIT_EXPECT_GT(test, result.free_errors, 0ULL);
	KUNIT_EXPECT_EQ(test, result.shared, 1u);
	KUNIT_EXPECT_STRNEQ(test, result.first_error, "");
	KUNIT_EXPECT_TRUE(test, fixture_pristine(fx));
}

static struct kunit_case stress_cases[] = {
	KUNIT_CASE(stress_refuses),
	KUNIT_CASE(stress_defaults),
	KUNIT_CASE(stress_kinds),
	KUNIT_CASE(stress_target),
	KUNIT_CASE(stress_exhaust),
	KUNIT_CASE(stress_crowd),
	KUNIT_CASE(stress_repeats),
	KUNIT_CASE(stress_cancel),
	KUNIT_CASE(stress_ops_time),
	KUNIT_CASE(stress_ops_time_arena),
	KUNIT_CASE(stress_two),
	KUNIT_CASE(stress_sees_damage),
	KUNIT_CASE(stress_sees_theft),
	{}
};

static struct kunit_suite stress_suite = {
	.name = "myalloc_stress",
	.exit = fixture_exit,
	.test_cases = stress_cases,
};

kunit_test_suite(stress_suite);

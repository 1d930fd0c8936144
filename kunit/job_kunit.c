// SPDX-License-Identifier: GPL-2.0
/* Tests of jobs: dispatch of commands to kinds, module references, the life cycle of a job. */
#include "env.h"

#include <kunit/test.h>

#include <linux/delay.h>
#include <linux/module.h>

#include "device/job.h"
#include "fixture.h"
#include "myalloc_client.h"

struct params {
	u32 size;
	u32 wrong;
};

struct answer {
	u32 size;
	u32 value;
};

/* A block of ioctl numbers that no kind of the project uses. */
#define BLOCK		0x50
#define CMD_START	_IOWR(MYALLOC_IOC, BLOCK, struct params)
#define CMD_RESULT	_IOWR(MYALLOC_IOC, BLOCK + 1, struct answer)
#define CMD_CANCEL	_IO(MYALLOC_IOC, BLOCK + 2)
#define CMD_ASK		_IOWR(MYALLOC_IOC, BLOCK + 3, struct answer)

struct own_job {
	struct myalloc_job job;
	struct myalloc_job_record record;
};

static struct myalloc_job_kind kind;
static atomic_t freed;
static atomic_t told;

/* Return one record, then nothing until the job is to end. */
static void work(struct myalloc_job *job)
{
	mutex_lock(&job->lock);
	job->record->own = 1;
	myalloc_job_publish(job, MYALLOC_STRESS_RUNNING);
	while (!myalloc_job_stopped(job))
		msleep(20);
	mutex_lock(&job->lock);
	job->record->own = 2;
	myalloc_job_publish(job, myalloc_job_end_state(job));
}

static struct myalloc_job *make(struct myalloc_zone *zone, void *arg)
{
	const struct params *params = arg;
	struct own_job *own;
	int err;

	if (params->wrong)
		return ERR_PTR(-EINVAL);
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return ERR_PTR(-ENOMEM);
	myalloc_job_init(&own->job, &kind, zone, &own->record);
	err = myalloc_job_thread(&own->job, -1, work);
	if (!err)
		return &own->job;
	myalloc_job_fini(&own->job);
	kfree(own);
	return ERR_PTR(err);
}

static void free_job(struct myalloc_job *job)
{
	atomic_inc(&freed);
	myalloc_job_fini(job);
	kfree(container_of(job, struct own_job, job));
}

static int result(struct myalloc_job *job, void *arg)
{
	struct answer *answer = arg;

	answer->value = job ? 1 : 0;
	return 0;
}

static const struct myalloc_job_kind blank = {
	.name = "kunit",
	.owner = THIS_MODULE,
	.cmd = {
		[MYALLOC_JOB_START] = CMD_START,
		[MYALLOC_JOB_RESULT] = CMD_RESULT,
		[MYALLOC_JOB_CANCEL] = CMD_CANCEL,
	},
	.record_size = sizeof(struct myalloc_job_record),
	.make = make,
	.free = free_job,
	.result = result,
};

static void notify(void *arg)
{
	atomic_inc(arg);
}

static int job_init(struct kunit *test)
{
	kind = blank;
	atomic_set(&freed, 0);
	atomic_set(&told, 0);
	return 0;
}

static long find(unsigned int cmd, enum myalloc_job_call *call)
{
	const struct myalloc_job_kind *found = myalloc_job_kind_get(cmd, call);

	if (IS_ERR(found))
		return PTR_ERR(found);
	myalloc_job_kind_put(found);
	return found == &kind ? 0 : 1;
}

static void job_kind_found(struct kunit *test)
{
	enum myalloc_job_call call;
	u32 i;

	/* No kind has these numbers. */
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ(test, find(_IO(MYALLOC_IOC, BLOCK + i), &call), -EOPNOTSUPP);
	KUNIT_ASSERT_EQ(test, myalloc_job_kind_register(&kind), 0);
	KUNIT_EXPECT_EQ(test, find(CMD_START, &call), 0);
	KUNIT_EXPECT_EQ(test, (u32)call, (u32)MYALLOC_JOB_START);
	KUNIT_EXPECT_EQ(test, find(CMD_RESULT, &call), 0);
	KUNIT_EXPECT_EQ(test, (u32)call, (u32)MYALLOC_JOB_RESULT);
	KUNIT_EXPECT_EQ(test, find(CMD_CANCEL, &call), 0);
	KUNIT_EXPECT_EQ(test, (u32)call, (u32)MYALLOC_JOB_CANCEL);
	/* A struct may grow; a missing one may not. */
	KUNIT_EXPECT_EQ(test, find(_IOWR(MYALLOC_IOC, BLOCK, u8), &call), 0);
	KUNIT_EXPECT_EQ(test, find(_IOC(_IOC_NONE, MYALLOC_IOC, BLOCK + 2, 8), &call), -ENOTTY);
	/* A wrong direction, a call and a number that the kind lacks. */
	KUNIT_EXPECT_EQ(test, find(_IOW(MYALLOC_IOC, BLOCK, struct params), &call), -ENOTTY);
	KUNIT_EXPECT_EQ(test, find(CMD_ASK, &call), -ENOTTY);
	KUNIT_EXPECT_EQ(test, find(_IO(MYALLOC_IOC, BLOCK + 15), &call), -ENOTTY);
	/* Its neighbours, the ends of all such numbers, another device. */
	KUNIT_EXPECT_EQ(test, find(_IO(MYALLOC_IOC, BLOCK - 1), &call), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, find(_IO(MYALLOC_IOC, MYALLOC_IOC_JOBS - 1), &call), -ENOTTY);
	KUNIT_EXPECT_EQ(test, find(_IO(MYALLOC_IOC, MYALLOC_IOC_JOBS_END + 1), &call), -ENOTTY);
	KUNIT_EXPECT_EQ(test, find(_IOWR(MYALLOC_IOC ^ 1, BLOCK, struct params), &call), -ENOTTY);
	myalloc_job_kind_unregister(&kind);
	KUNIT_EXPECT_EQ(test, find(CMD_START, &call), -EOPNOTSUPP);
}

static void job_kind_refused(struct kunit *test)
{
	struct myalloc_job_kind other = blank;

	other.record_size = MYALLOC_JOB_RECORD_MAX + 1;
	KUNIT_EXPECT_EQ(test, myalloc_job_kind_register(&other), -EINVAL);
	other = blank;
	other.cmd[MYALLOC_JOB_RESULT] = _IOC(_IOC_READ, MYALLOC_IOC, BLOCK + 1,
					     MYALLOC_JOB_ARG_MAX + 1);
	KUNIT_EXPECT_EQ(test, myalloc_job_kind_register(&other), -EINVAL);
	other = blank;
	KUNIT_ASSERT_EQ(test, myalloc_job_kind_register(&kind), 0);
	KUNIT_EXPECT_EQ(test, myalloc_job_kind_register(&other), -EBUSY);
	myalloc_job_kind_unregister(&kind);
	KUNIT_ASSERT_EQ(test, myalloc_job_kind_register(&other), 0);
	myalloc_job_kind_unregister(&other);
}

/* While a module is being removed its kind is still in the list, but no command gets it. */
static void job_kind_of_a_module_that_goes(struct kunit *test)
{
	struct module *going = kunit_kzalloc(test, sizeof(*going), GFP_KERNEL);
	enum myalloc_job_call call;

	KUNIT_ASSERT_NOT_NULL(test, going);
	going->state = MODULE_STATE_GOING;
	kind.owner = going;
	KUNIT_ASSERT_EQ(test, myalloc_job_kind_register(&kind), 0);
	KUNIT_EXPECT_EQ(test, find(CMD_START, &call), -EOPNOTSUPP);
	myalloc_job_kind_unregister(&kind);
}

static int refs(void)
{
	return IS_ENABLED(CONFIG_MODULE_UNLOAD) ? module_refcount(THIS_MODULE) : 0;
}

/* The module is pinned from the lookup by a command until the job is freed. */
static void job_holds_its_module(struct kunit *test)
{
	const int held = IS_ENABLED(CONFIG_MODULE_UNLOAD), before = refs();
	const struct myalloc_job_kind *found;
	struct params params = { };
	enum myalloc_job_call call;
	struct myalloc_job *job;

	KUNIT_ASSERT_EQ(test, myalloc_job_kind_register(&kind), 0);
	found = myalloc_job_kind_get(CMD_START, &call);
	KUNIT_EXPECT_PTR_EQ(test, found, (const struct myalloc_job_kind *)&kind);
	KUNIT_EXPECT_EQ(test, refs(), before + held);
	job = myalloc_job_start(found, NULL, &params, NULL, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(job));
	KUNIT_EXPECT_EQ(test, refs(), before + 2 * held);
	myalloc_job_kind_put(found);
	KUNIT_EXPECT_EQ(test, refs(), before + held);
	myalloc_job_cancel(job);
	KUNIT_EXPECT_EQ(test, refs(), before + held);
	myalloc_job_destroy(job);
	KUNIT_EXPECT_EQ(test, refs(), before);
	params.wrong = 1;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(myalloc_job_start(&kind, NULL, &params, NULL, NULL)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, refs(), before);
	myalloc_job_kind_unregister(&kind);
}

static void job_lives(struct kunit *test)
{
	struct params params = { };
	struct myalloc_job_record record;
	struct myalloc_job *job, *next;
	u64 id;

	job = myalloc_job_start(&kind, NULL, &params, notify, &told);
	KUNIT_ASSERT_FALSE(test, IS_ERR(job));
	id = job->id;
	while (!atomic_read(&told))
		msleep(20);
	KUNIT_EXPECT_EQ(test, (u32)myalloc_job_read(job, &record), (u32)MYALLOC_STRESS_RUNNING);
	KUNIT_EXPECT_EQ(test, record.id, id);
	KUNIT_EXPECT_EQ(test, record.state, (u32)MYALLOC_STRESS_RUNNING);
	KUNIT_EXPECT_EQ(test, record.own, 1U);
	KUNIT_EXPECT_EQ(test, myalloc_job_seq(job), 1ULL);
	KUNIT_EXPECT_FALSE(test, myalloc_job_finished(job));
	myalloc_job_cancel(job);
	KUNIT_EXPECT_TRUE(test, myalloc_job_finished(job));
	KUNIT_EXPECT_EQ(test, atomic_read(&told), 2);
	KUNIT_EXPECT_EQ(test, (u32)myalloc_job_read(job, &record), (u32)MYALLOC_STRESS_CANCELLED);
	KUNIT_EXPECT_EQ(test, record.own, 2U);
	/* A second cancel changes nothing. */
	myalloc_job_cancel(job);
	KUNIT_EXPECT_EQ(test, myalloc_job_seq(job), 2ULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&freed), 0);
	myalloc_job_destroy(job);
	KUNIT_EXPECT_EQ(test, atomic_read(&freed), 1);

	/* A job that ends by itself is not cancelled; one that is destroyed immediately ends. */
	job = myalloc_job_start(&kind, NULL, &params, NULL, NULL);
	next = myalloc_job_start(&kind, NULL, &params, NULL, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(job) || IS_ERR(next));
	KUNIT_EXPECT_NE(test, job->id, next->id);
	myalloc_job_destroy(next);
	myalloc_job_stop(job);
	while (!myalloc_job_finished(job))
		msleep(20);
	KUNIT_EXPECT_EQ(test, (u32)myalloc_job_read(job, &record), (u32)MYALLOC_STRESS_DONE);
	myalloc_job_destroy(job);
	KUNIT_EXPECT_EQ(test, atomic_read(&freed), 3);
}

/* The information that clients get about a zone and its caches is correct. */
static void job_zone_info(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 1000, .chunk_order = 6 };
	struct fixture *fx = fixture_zone(test, &args);
	const struct myalloc_cache_args cache_args = { .name = "info", .object_size = 64 };
	struct myalloc_cache_stat stat = { .size = sizeof(stat) };
	struct myalloc_magazine_info mags;
	struct myalloc_zone_info info;
	struct myalloc_cache *cache;

	myalloc_zone_info(fx->zone, &info);
	KUNIT_EXPECT_EQ(test, info.nr_pages, 1000ULL);
	KUNIT_EXPECT_EQ(test, info.chunk_order, 6U);
	KUNIT_EXPECT_GT(test, info.buddy_bytes, 0ULL);
	KUNIT_EXPECT_LT(test, info.buddy_bytes, info.meta_bytes);
	myalloc_pages_magazines(fx->zone, 4, &mags);
	KUNIT_EXPECT_EQ(test, mags.capacity, 0U);
	KUNIT_EXPECT_EQ(test, mags.magazines, 0U);
	myalloc_pages_magazines(fx->zone, 0, &mags);
	KUNIT_EXPECT_GT(test, mags.capacity, 0U);
	KUNIT_EXPECT_GE(test, mags.magazines, 2U);
	KUNIT_EXPECT_LE(test, mags.batch, mags.capacity);
	cache = myalloc_cache_create(fx->zone, &cache_args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	myalloc_cache_magazines(cache, &mags);
	myalloc_cache_stat_fill(&stat, cache);
	KUNIT_EXPECT_EQ(test, mags.capacity, stat.magazine);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
}

static struct kunit_case job_cases[] = {
	KUNIT_CASE(job_kind_found),
	KUNIT_CASE(job_kind_refused),
	KUNIT_CASE(job_kind_of_a_module_that_goes),
	KUNIT_CASE(job_holds_its_module),
	KUNIT_CASE(job_lives),
	KUNIT_CASE(job_zone_info),
	{}
};

static struct kunit_suite job_suite = {
	.name = "myalloc_job",
	.init = job_init,
	.exit = fixture_exit,
	.test_cases = job_cases,
};

kunit_test_suite(job_suite);

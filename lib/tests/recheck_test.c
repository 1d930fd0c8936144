// SPDX-License-Identifier: GPL-2.0
/*
 * Between a read and the lock: state that was read without a lock is checked again under it
 *
 * The linker's --wrap redirects lock acquisitions, and a few functions of the environment, to this
 * file, so that another CPU intrudes exactly there. Each test lets it change the state just read.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <kunit/test.h>

#include "env.h"
#include "client/client.h"
#include "client/contract.h"
#include "object/check.h"
#include "object/limbo.h"
#include "page/drain.h"
#include "page/extent.h"
#include "page/lend.h"
#include "zone/elastic.h"
#include "zone/validate.h"

#define CHUNK_ORDER	8
#define NR_PAGES	256

typeof(host_raw_lock) __real_host_raw_lock, __wrap_host_raw_lock;
typeof(host_assert_held) __real_host_assert_held, __wrap_host_assert_held;
typeof(memchr_inv) __real_memchr_inv, __wrap_memchr_inv;
typeof(myalloc_env_call_on_cpu) __real_myalloc_env_call_on_cpu, __wrap_myalloc_env_call_on_cpu;

static struct {
	struct kunit *test;
	void *chunk;
	void *half[2];
	struct myalloc_zone *zone;
	struct myalloc_cache *cache;
	struct myalloc_cache *other;
	struct myalloc_validation v;
	raw_spinlock_t *lock;		/* intrude before this lock is taken, */
	u32 skip;			/* but not the first times, */
	u32 times;			/* so often, */
	void (*come_in)(void *arg);	/* by this function on CPU 1 */
	u32 came;
	u8 *memchr_state;		/* memchr_inv() makes this byte ... */
	u8 memchr_becomes;		/* ... this one */
	int gone;			/* number of a CPU that no call reaches */
	void (*asserted)(void);		/* called once where the zone's lock must be held */
	void *object;
	u8 *state;
} w;

void __wrap_host_raw_lock(struct host_lock *lock)
{
	if (w.lock && lock == &w.lock->host && w.times) {
		if (w.skip) {
			w.skip--;
		} else {
			raw_spinlock_t *mine = w.lock;

			w.lock = NULL;
			w.times--;
			w.came++;
			host_run_on_cpu(1, w.come_in, NULL);
			w.lock = mine;
		}
	}
	__real_host_raw_lock(lock);
}

void __wrap_host_assert_held(struct host_lock *lock, bool held, const char *file, int line)
{
	void (*fn)(void) = w.asserted;

	__real_host_assert_held(lock, held, file, line);
	if (fn && lock == &w.zone->lock.host) {
		w.asserted = NULL;
		fn();
	}
}

void *__wrap_memchr_inv(const void *start, int c, size_t bytes)
{
	if (w.memchr_state)
		WRITE_ONCE(*w.memchr_state, w.memchr_becomes);
	return __real_memchr_inv(start, c, bytes);
}

#ifdef HOST_ASAN
typeof(myalloc_env_raw_memchr_inv) __real_myalloc_env_raw_memchr_inv;
typeof(myalloc_env_raw_memchr_inv) __wrap_myalloc_env_raw_memchr_inv;

const void *__wrap_myalloc_env_raw_memchr_inv(const void *start, int c, size_t bytes)
{
	if (w.memchr_state)
		WRITE_ONCE(*w.memchr_state, w.memchr_becomes);
	return __real_myalloc_env_raw_memchr_inv(start, c, bytes);
}
#endif

int __wrap_myalloc_env_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg)
{
	return cpu == w.gone ? -ENXIO : __real_myalloc_env_call_on_cpu(cpu, fn, arg);
}

static void come_in(raw_spinlock_t *lock, void (*fn)(void *arg), u32 skip, u32 times)
{
	w.lock = lock;
	w.come_in = fn;
	w.skip = skip;
	w.times = times;
	w.came = 0;
}

/* A zone of this many chunks, with one cache without magazines. */
static void begin_chunks(struct kunit *test, u32 nr, bool magazines, myalloc_cache_flags_t flags)
{
	const struct myalloc_cache_args cache_args = {
		.name = "c", .object_size = 1000 * (PAGE_SIZE >> 12), .flags = flags | MYALLOC_NO_MAGAZINE,
	};
	struct myalloc_zone_args args = {
		.name = "z", .chunks = w.half, .nr_chunks = nr, .chunk_order = CHUNK_ORDER + 1 - nr,
		.nr_pages = NR_PAGES, .node = NUMA_NO_NODE, .no_magazines = !magazines,
	};

	w.half[0] = w.chunk;
	w.half[1] = w.chunk + NR_PAGES / 2 * PAGE_SIZE;
	w.zone = myalloc_zone_create(&args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w.zone);
	w.cache = myalloc_cache_create(w.zone, &cache_args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w.cache);
}

static void begin(struct kunit *test, bool magazines, myalloc_cache_flags_t flags)
{
	begin_chunks(test, 1, magazines, flags);
}

static int set_up(struct kunit *test)
{
	memset(&w, 0, sizeof(w));
	w.test = test;
	w.gone = -1;
	host_set_nr_cpus(2);
	w.chunk = host_chunk_alloc(CHUNK_ORDER);
	return 0;
}

static void tear_down(struct kunit *test)
{
	w.lock = NULL;
	w.memchr_state = NULL;
	w.gone = -1;
	KUNIT_EXPECT_TRUE_MSG(test, myalloc_zone_validate(w.zone, &w.v), "%s", w.v.first);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(w.cache), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(w.zone), 0);
	host_chunk_free(w.chunk, CHUNK_ORDER);
}

static u64 bad(enum myalloc_bad bad)
{
	return atomic64_read(&w.zone->bad[bad]);
}

/* --- frees -------------------------------------------------------------------------- */

static void free_exact(void *arg)
{
	KUNIT_EXPECT_EQ(w.test, myalloc_pages_free_exact(w.zone, w.object, 5), -EINVAL);
	KUNIT_EXPECT_EQ(w.test, myalloc_pages_free(w.zone, w.object + 4 * PAGE_SIZE, 0), -EINVAL);
	KUNIT_EXPECT_TRUE(w.test, myalloc_zone_validate(w.zone, &w.v));
}

/* An extent that is claimed belongs to the free that has claimed it. */
static void recheck_free_exact(struct kunit *test)
{
	begin(test, false, 0);
	w.object = myalloc_pages_alloc_exact(w.zone, 5, 0, 0);
	come_in(&w.zone->lock, free_exact, 0, 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(w.zone, w.object, 5), 0);
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, bad(MYALLOC_BAD_FREE), 1);
	KUNIT_EXPECT_EQ(test, bad(MYALLOC_BAD_INTERIOR), 1);
	KUNIT_EXPECT_EQ(test, w.zone->buddy.nr_free, NR_PAGES);
}

static void free_object(void *arg)
{
	KUNIT_EXPECT_EQ(w.test, myalloc_cache_free(w.cache, w.object), 0);
}

/* Intrude between the read of the state and the claim. */
static void free_where_found(const char *where)
{
	if (strcmp(where, "object-found") || w.came++)
		return;
	host_run_on_cpu(1, free_object, NULL);
}

/* The same object freed past the magazines on two CPUs: one of the two is refused. */
static void recheck_free_object(struct kunit *test)
{
	void *other;

	begin(test, false, 0);
	w.object = myalloc_cache_alloc(w.cache, 0);
	other = myalloc_cache_alloc(w.cache, 0);
	w.state = myalloc_object_state(w.cache, w.object);
	host_preempt_point = free_where_found;
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, w.object), -EINVAL);
	host_preempt_point = NULL;
	KUNIT_EXPECT_GE(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, bad(MYALLOC_BAD_FREE), 1);
	KUNIT_EXPECT_EQ(test, *w.state, MYALLOC_SLOT_FREE);
	KUNIT_EXPECT_EQ(test, w.cache->frees, 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, other), 0);
}

/* --- walks -------------------------------------------------------------------------- */

static void shrink(void *arg)
{
	myalloc_cache_trim(w.cache, 0);
}

/* An empty slab before one with an object in it. */
static void *two_slabs(struct kunit *test)
{
	u32 i, n = w.cache->layout.objects;
	void *first[64], *object;

	KUNIT_ASSERT_LE(test, n, ARRAY_SIZE(first));
	for (i = 0; i < n; i++)
		first[i] = myalloc_cache_alloc(w.cache, 0);
	object = myalloc_cache_alloc(w.cache, 0);
	KUNIT_EXPECT_GT(test, (unsigned long)object, (unsigned long)first[n - 1]);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, first[i]), 0);
	KUNIT_EXPECT_EQ(test, w.cache->nr[MYALLOC_SLABS_EMPTY], 1);
	return object;
}

static void count(struct myalloc_cache *cache, void *object, const struct myalloc_track *track,
		  void *arg)
{
	u32 *nr = arg;

	++*nr;
}

/* A walk does not look at a slab that leaves just before. */
static void recheck_walk_live(struct kunit *test)
{
	struct myalloc_frame *frame;
	void *object;
	u32 nr = 0;

	begin(test, false, 0);
	object = two_slabs(test);
	frame = &w.zone->frames[w.cache->list[MYALLOC_SLABS_EMPTY]];
	/* The walk would report this if it looked at the slab. */
	myalloc_slab_states(w.cache, frame, w.chunk)[0] = MYALLOC_SLOT_LIVE;
	come_in(&w.cache->lock, shrink, 0, 1);
	myalloc_cache_walk_live(w.cache, count, &nr);
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, nr, 1);
	/* The slab is in limbo, and may leave. */
	KUNIT_EXPECT_EQ(test, frame->type, MYALLOC_FRAME_LIMBO);
	myalloc_slab_states(w.cache, frame, w.chunk)[0] = MYALLOC_SLOT_FREE;
	KUNIT_EXPECT_EQ(test, w.cache->nr[MYALLOC_SLABS_EMPTY], 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, object), 0);
}

static void recheck_validate_cache(struct kunit *test)
{
	void *object;

	begin(test, false, 0);
	object = two_slabs(test);
	come_in(&w.cache->lock, shrink, 0, 1);
	KUNIT_EXPECT_TRUE(test, myalloc_cache_validate(w.cache, &w.v));
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, w.v.slabs, 1);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, object), 0);
}

/* --- validation ----------------------------------------------------------------------- */

static void alloc_free_page(void *arg)
{
	void *page = myalloc_pages_alloc(w.zone, 0, 0);

	KUNIT_EXPECT_EQ(w.test, myalloc_pages_free(w.zone, page, 0), 0);
}

/* A disturbed validation retries a few times; checks under a single lock are not affected. */
static void recheck_validate_zone(struct kunit *test)
{
	struct myalloc_buddy *buddy;
	struct myalloc_frame *frame;
	void *page;

	begin(test, false, 0);
	buddy = &w.zone->buddy;
	page = myalloc_pages_alloc(w.zone, 0, 0);
	frame = myalloc_map_frame(&w.zone->map, page);

	/* The second attempt is not disturbed. A walk takes the lock twice. */
	come_in(&w.zone->lock, alloc_free_page, 1, 1);
	KUNIT_EXPECT_TRUE(test, myalloc_zone_validate(w.zone, &w.v));
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, w.v.frames, NR_PAGES);
	buddy->nr_free++;
	come_in(&w.zone->lock, alloc_free_page, 1, 1);
	KUNIT_EXPECT_FALSE(test, myalloc_zone_validate(w.zone, &w.v));
	KUNIT_EXPECT_EQ(test, strncmp(w.v.first, "B4:", 3), 0);

	/* Every attempt is disturbed: the totals cannot be compared. */
	come_in(&w.zone->lock, alloc_free_page, 1, 1000);
	KUNIT_EXPECT_TRUE(test, myalloc_zone_validate(w.zone, &w.v));
	KUNIT_EXPECT_EQ(test, w.came, 3 * 2 - 1);
	KUNIT_EXPECT_EQ(test, w.v.frames, NR_PAGES);
	buddy->nr_free--;

	/* Damage is found in a disturbed walk, too, and ends it. */
	frame->type = 0x77;
	come_in(&w.zone->lock, alloc_free_page, 1, 1000);
	KUNIT_EXPECT_FALSE(test, myalloc_zone_validate(w.zone, &w.v));
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, strncmp(w.v.first, "Z1:", 3), 0);
	frame->type = MYALLOC_FRAME_PAGE;
	w.lock = NULL;
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(w.zone, page, 0), 0);
}

/* From NMI, interrupting the holder of the lock. */
static void defer_slab(void *arg)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&w.zone->lock, irq);
	host_enter_nmi();
	myalloc_zone_give(w.zone, w.object);
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&w.zone->lock, irq);
}

/* A slab that is deferred after the walk has passed it is neither missed nor counted twice. */
static void recheck_validate_deferred(struct kunit *test)
{
	begin(test, false, 0);
	w.object = myalloc_zone_take(w.zone, 1, 0,
				     myalloc_frame_tag(MYALLOC_FRAME_NEW, 1, w.cache->id));
	KUNIT_ASSERT_NOT_NULL(test, w.object);
	come_in(&w.zone->lock, defer_slab, 1, 1);
	KUNIT_EXPECT_TRUE_MSG(test, myalloc_zone_validate(w.zone, &w.v), "%s", w.v.first);
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&w.zone->deferred.nr), 2);
	KUNIT_EXPECT_EQ(test, myalloc_zone_drain(w.zone), 2);
}

static void free_lent(void *arg)
{
	KUNIT_EXPECT_EQ(w.test, myalloc_pages_free(w.zone, w.object, 0), 0);
	KUNIT_EXPECT_EQ(w.test, atomic64_read(&w.zone->nr_quarantined), 1);
}

/* A block goes to quarantine after the count was read, before the walk reaches it. */
static void recheck_validate_quarantined(struct kunit *test)
{
	void *first;

	begin_chunks(test, 2, false, 0);
	first = myalloc_pages_alloc(w.zone, CHUNK_ORDER - 1, 0);
	w.object = myalloc_pages_alloc(w.zone, 0, MYALLOC_LENDABLE);
	KUNIT_ASSERT_PTR_EQ(test, first, w.half[0]);
	KUNIT_ASSERT_PTR_EQ(test, w.object, w.half[1]);
	host_page_set_referenced(w.object, true);
	come_in(&w.zone->lock, free_lent, 1, 1);
	KUNIT_EXPECT_TRUE_MSG(test, myalloc_zone_validate(w.zone, &w.v), "%s", w.v.first);
	KUNIT_EXPECT_EQ(test, w.came, 1);
	host_page_set_referenced(w.object, false);
	KUNIT_EXPECT_EQ(test, myalloc_quarantine_poll(w.zone, 1), 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(w.zone, first, CHUNK_ORDER - 1), 0);
}

static void try_mutex(void *arg)
{
	bool free = mutex_trylock(&w.zone->caches_mutex);

	if (free)
		mutex_unlock(&w.zone->caches_mutex);
	KUNIT_EXPECT_FALSE(w.test, free);
}

static void at_unused(const char *where)
{
	if (strcmp(where, "quarantine-unused"))
		return;
	w.came++;
	host_run_on_cpu(1, try_mutex, NULL);
}

/* A drain does not miss a block that the worker has taken out of quarantine: it waits for it. */
static void recheck_quarantine_in_hand(struct kunit *test)
{
	u32 i;

	begin(test, false, 0);
	for (i = 0; i < 2; i++) {
		w.object = myalloc_pages_alloc(w.zone, 0, MYALLOC_LENDABLE);
		host_page_set_referenced(w.object, true);
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(w.zone, w.object, 0), 0);
		host_page_set_referenced(w.object, false);
		host_preempt_point = at_unused;
		if (i)
			myalloc_zone_drain(w.zone);
		else
			w.zone->work.fn(&w.zone->work);
		host_preempt_point = NULL;
		KUNIT_EXPECT_EQ(test, w.came, i + 1);
		KUNIT_EXPECT_EQ(test, atomic64_read(&w.zone->nr_quarantined), 0);
	}
}

static void defer_object(void *arg)
{
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&w.cache->lock, irq);
	host_enter_nmi();
	err = myalloc_cache_free(w.cache, w.object);
	host_exit_nmi();
	raw_spin_unlock_irqrestore(&w.cache->lock, irq);
	KUNIT_EXPECT_EQ(w.test, err, 0);
}

/* An object is deferred after the count was read, before the walk reaches its slab. */
static void recheck_validate_deferred_object(struct kunit *test)
{
	begin(test, false, 0);
	w.object = myalloc_cache_alloc(w.cache, 0);
	come_in(&w.cache->lock, defer_object, 0, 1);
	KUNIT_EXPECT_TRUE_MSG(test, myalloc_cache_validate(w.cache, &w.v), "%s", w.v.first);
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&w.cache->deferred.nr), 1);
}

/* Run @fn as an NMI while this CPU holds the zone's lock. */
static void with_lock(void (*fn)(void))
{
	unsigned long irq;

	raw_spin_lock_irqsave(&w.zone->lock, irq);
	fn();
	raw_spin_unlock_irqrestore(&w.zone->lock, irq);
}

static void defer_page(void)
{
	host_enter_nmi();
	KUNIT_EXPECT_EQ(w.test, myalloc_pages_free(w.zone, w.object, 0), 0);
	host_exit_nmi();
}

/* A block deferred during a recovery is in the list, and is not returned twice. */
static void recheck_recover(struct kunit *test)
{
	void *lost, *other;

	begin(test, false, 0);
	lost = myalloc_pages_alloc(w.zone, 0, 0);
	w.object = myalloc_pages_alloc(w.zone, 0, 0);
	other = w.object;
	w.object = lost;
	with_lock(defer_page);
	llist_del_all(&w.zone->deferred.list);	/* as after a damaged link */
	w.object = other;
	w.asserted = defer_page;
	myalloc_zone_drain(w.zone);
	KUNIT_EXPECT_TRUE(test, !w.asserted);
	myalloc_zone_drain(w.zone);
	KUNIT_EXPECT_EQ(test, atomic64_read(&w.zone->corruptions), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&w.zone->deferred.nr), 0);
	KUNIT_EXPECT_EQ(test, w.zone->buddy.nr_free, NR_PAGES);
}

/* --- a cache that ends while a wrong free is reported --------------------------------- */

static struct {
	pthread_t thread;
	struct myalloc_cache *cache;
	u32 id;
	bool ended;
} ending;

static void *end_cache(void *arg)
{
	host_set_cpu(1);
	KUNIT_EXPECT_EQ(w.test, myalloc_cache_destroy(ending.cache), 0);
	__atomic_store_n(&ending.ended, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Another CPU destroys the cache; go on when it is in no list any more, or even freed. */
static void end_meanwhile(const char *where)
{
	int i;

	if (strcmp(where, "bad-free-cache") || !ending.cache || ending.thread)
		return;
	if (pthread_create(&ending.thread, NULL, end_cache, NULL))
		host_fatal("no thread");
	while (READ_ONCE(w.zone->cache_by_id[ending.id]))
		sched_yield();
	for (i = 0; i < 1000 && !__atomic_load_n(&ending.ended, __ATOMIC_ACQUIRE); i++)
		sched_yield();
	w.came++;
}

/* The report of a wrong free names the cache of the slab, which is not freed meanwhile. */
static void recheck_bad_free_destroy(struct kunit *test)
{
	struct myalloc_cache_args args = {
		.name = "ending", .object_size = 100, .flags = MYALLOC_NO_MAGAZINE,
	};
	struct myalloc_frame *frame;
	char text[MYALLOC_REPORT_SIZE];

	begin(test, false, 0);
	memset(&ending, 0, sizeof(ending));
	ending.cache = myalloc_cache_create(w.zone, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ending.cache);
	ending.id = ending.cache->id;
	/* A block with the tag of the cache's slabs leads the report to the cache. */
	frame = myalloc_zone_take(w.zone, ending.cache->layout.order, 0, ending.cache->tag);
	KUNIT_ASSERT_NOT_NULL(test, frame);
	host_preempt_point = end_meanwhile;
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, myalloc_frame_addr(w.zone,
				myalloc_frame_idx(w.zone, frame))), -EINVAL);
	host_preempt_point = NULL;
	pthread_join(ending.thread, NULL);
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_TRUE(test, ending.ended);
	myalloc_zone_last_report(w.zone, text, sizeof(text));
	KUNIT_EXPECT_TRUE_MSG(test, strstr(text, "an object of another cache; cache ending"),
			      "%s", text);
	myalloc_zone_give(w.zone, frame);
}

/*
 * A request that may not wait for file systems does not wait for a CPU to come online, since that
 * may allocate and wait for them. It drains other CPUs when none is coming.
 */
static void recheck_reclaim_hotplug(struct kunit *test)
{
	unsigned int noio;
	void *all;

	begin(test, true, 0);
	host_run_on_cpu(1, alloc_free_page, NULL);
	KUNIT_ASSERT_LT(test, w.zone->buddy.nr_free, NR_PAGES);
	noio = myalloc_env_noio_save();
	host_cpus_change(true);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(w.zone, CHUNK_ORDER, MYALLOC_MAY_WAIT));
	host_cpus_change(false);
	all = myalloc_pages_alloc(w.zone, CHUNK_ORDER, MYALLOC_MAY_WAIT);
	myalloc_env_noio_restore(noio);
	KUNIT_ASSERT_NOT_NULL(test, all);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(w.zone, all, CHUNK_ORDER), 0);
}

/*
 * A callback of CPU hotplug may make requests that may wait. They fail if nothing is free, since
 * they do not wait for the CPU, which waits for the callback.
 */
static void recheck_request_in_callback(struct kunit *test)
{
	void *all, *page;

	begin(test, true, 0);
	host_run_on_cpu(1, alloc_free_page, NULL);
	KUNIT_ASSERT_LT(test, w.zone->buddy.nr_free, NR_PAGES);
	host_cpus_change(true);
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc(w.zone, CHUNK_ORDER, MYALLOC_MAY_WAIT));
	KUNIT_EXPECT_NULL(test, myalloc_pages_alloc_exact(w.zone, NR_PAGES, 0, MYALLOC_MAY_WAIT));
	page = myalloc_pages_alloc(w.zone, 0, MYALLOC_MAY_WAIT);
	KUNIT_EXPECT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(w.zone, page, 1, MYALLOC_MAY_WAIT), -EBUSY);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(w.zone, page, 0), 0);
	host_cpus_change(false);
	all = myalloc_pages_alloc(w.zone, CHUNK_ORDER, MYALLOC_MAY_WAIT);
	KUNIT_ASSERT_NOT_NULL(test, all);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(w.zone, all, CHUNK_ORDER), 0);
}

static void set_busy(void *arg)
{
	per_cpu_ptr(w.zone->pcp[0].cpu, 1)->guard = MYALLOC_EPOCH_BUSY;
}

/* Magazines in use are not compared; both ways of detecting use are needed. */
static void recheck_validate_magazines(struct kunit *test)
{
	struct myalloc_magazine_cpu *cpu, *other;
	u32 k;

	begin(test, true, 0);
	KUNIT_ASSERT_GT(test, w.zone->pcp[0].capacity, 0);
	host_run_on_cpu(1, alloc_free_page, NULL);
	alloc_free_page(NULL);
	cpu = per_cpu_ptr(w.zone->pcp[0].cpu, 0);
	KUNIT_ASSERT_GT(test, myalloc_magazine_count(cpu), 0);
	other = per_cpu_ptr(w.zone->pcp[0].cpu, 1);
	cpu->top--;
	for (k = 0; k < 3; k++) {
		/* No CPU; a CPU that has finished; a CPU that has not. */
		come_in(&w.zone->lock, k == 1 ? alloc_free_page : set_busy, 1, k > 0);
		KUNIT_EXPECT_EQ(test, myalloc_zone_validate(w.zone, &w.v), k > 0);
		KUNIT_EXPECT_EQ(test, w.came, k > 0);
		other->guard = other->epoch;
	}
	cpu->top++;
}

/* An object that is allocated while its poison is checked is not reported. */
static void recheck_validate_poison(struct kunit *test)
{
	u8 *object, *free, right;

	begin(test, false, MYALLOC_POISON);
	object = myalloc_cache_alloc(w.cache, 0);
	free = object + w.cache->layout.slot_size;
	w.state = myalloc_object_state(w.cache, free);
	KUNIT_ASSERT_EQ(test, *w.state, MYALLOC_SLOT_FREE);
	right = *(u8 *)host_touch(free, 1);
	*free = 0x41;
	KUNIT_EXPECT_FALSE(test, myalloc_cache_validate(w.cache, &w.v));
	KUNIT_EXPECT_EQ(test, strncmp(w.v.first, "S6:", 3), 0);
	w.memchr_state = w.state;
	w.memchr_becomes = MYALLOC_SLOT_MOVING;
	memset(&w.v, 0, sizeof(w.v));
	KUNIT_EXPECT_TRUE(test, myalloc_cache_validate(w.cache, &w.v));
	w.memchr_state = NULL;
	*w.state = MYALLOC_SLOT_FREE;
	*free = right;
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, object), 0);
}

/* Others create and destroy caches, and a CPU goes offline, while one cache is visited. */
static void use_caches(void *unused)
{
	const struct myalloc_cache_args args = { .name = "meanwhile", .object_size = 64 };

	KUNIT_ASSERT_TRUE(w.test, mutex_trylock(&w.zone->caches_mutex));
	mutex_unlock(&w.zone->caches_mutex);
	/* The visited cache is not freed meanwhile. */
	KUNIT_EXPECT_FALSE(w.test, mutex_trylock(&w.cache->pin_mutex));
	w.other = myalloc_cache_create(w.zone, &args);
	myalloc_zone_drain_cpu(w.zone, 1);
}

static void recheck_validate_list(struct kunit *test)
{
	begin(test, false, 0);
	w.lock = &w.cache->lock;
	w.times = 1;
	w.come_in = use_caches;
	KUNIT_EXPECT_TRUE(test, myalloc_zone_validate(w.zone, &w.v));
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w.other);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(w.other), 0);
	/* The next walk works as usual. */
	KUNIT_EXPECT_TRUE(test, myalloc_zone_validate(w.zone, &w.v));
}

static void free_at_walk(const char *where)
{
	if (!strcmp(where, "zone-walk") && w.object) {
		w.came++;
		KUNIT_EXPECT_EQ(w.test, myalloc_pages_free(w.zone, w.object, 0), 0);
		w.object = NULL;
	}
}

static bool count_block(struct myalloc_zone *zone, u32 idx, const struct myalloc_frame *frame,
			void *arg)
{
	++*(u32 *)arg;
	return true;
}

/* A block that is freed while its caller and stack are read is not shown with them. */
static void recheck_walk_blocks(struct kunit *test)
{
	void *other;
	u32 nr = 0;

	begin(test, false, 0);
	w.object = myalloc_pages_alloc(w.zone, 0, 0);
	other = myalloc_pages_alloc(w.zone, 0, 0);
	host_preempt_point = free_at_walk;
	myalloc_zone_walk_blocks(w.zone, count_block, &nr);
	host_preempt_point = NULL;
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, nr, 1);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(w.zone, other, 0), 0);
}

/* --- limbo ---------------------------------------------------------------------------- */

/* Harvest the waiting batch, and let another slab begin to wait. */
static void harvest_and_close(void *arg)
{
	KUNIT_EXPECT_EQ(w.test, myalloc_limbo_harvest(w.zone, 1), BIT(w.cache->layout.order));
	KUNIT_EXPECT_EQ(w.test, w.zone->limbo.nr, 0);
	KUNIT_EXPECT_EQ(w.test, myalloc_cache_free(w.cache, w.object), 0);
	myalloc_cache_trim(w.cache, 0);
	/* The other CPU has already found the first batch ready. */
	KUNIT_EXPECT_EQ(w.test, myalloc_limbo_harvest(w.zone, 1), 0);
	KUNIT_EXPECT_NE(w.test, w.zone->limbo.waiting, MYALLOC_NO_FRAME);
}

/* A slab whose grace period has not passed stays, even after a batch that was ready. */
static void recheck_harvest(struct kunit *test)
{
	begin(test, false, 0);
	w.object = two_slabs(test);
	myalloc_cache_trim(w.cache, 0);
	KUNIT_EXPECT_EQ(test, w.zone->limbo.nr, 1);
	/* Intrude between the check whether the batch is ready and the harvest. */
	come_in(&w.zone->limbo.lock, harvest_and_close, 1, 1);
	KUNIT_EXPECT_EQ(test, myalloc_limbo_harvest(w.zone, 8), 0);
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, w.zone->limbo.nr, 1);
	w.lock = NULL;
	KUNIT_EXPECT_EQ(test, myalloc_limbo_harvest(w.zone, 8), BIT(w.cache->layout.order));
}

/* A drain on this CPU would find a slab in limbo, and wait for a grace period. */
static void look_at_limbo(void *arg)
{
	KUNIT_EXPECT_EQ(w.test, w.zone->limbo.waiting, MYALLOC_NO_FRAME);
	KUNIT_EXPECT_EQ(w.test, w.zone->limbo.open, MYALLOC_NO_FRAME);
	KUNIT_EXPECT_EQ(w.test, w.zone->limbo.nr, 1);
}

/* A slab that has been taken out of limbo counts until its pages are back in the zone. */
static void recheck_in_hand(struct kunit *test)
{
	begin(test, false, 0);
	w.object = two_slabs(test);
	myalloc_cache_trim(w.cache, 0);
	KUNIT_EXPECT_EQ(test, w.zone->limbo.nr, 1);
	come_in(&w.cache->lock, look_at_limbo, 0, 1);
	KUNIT_EXPECT_EQ(test, myalloc_limbo_harvest(w.zone, 8), BIT(w.cache->layout.order));
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, w.zone->limbo.nr, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, w.object), 0);
}

static u64 same_moment;

/*
 * First call: the grace period has passed; harvest the batch, and let another slab wait for the
 * next grace period, which has the same number. Second call: that one has not passed.
 */
static void close_with_same(void *arg)
{
	if (w.came == 2) {
		KUNIT_EXPECT_EQ(w.test, w.zone->limbo.moment, same_moment);
		return;
	}
	same_moment = w.zone->limbo.moment;
	KUNIT_EXPECT_EQ(w.test, myalloc_limbo_harvest(w.zone, 1), BIT(w.cache->layout.order));
	KUNIT_EXPECT_EQ(w.test, myalloc_cache_free(w.cache, w.object), 0);
	host_gp_set_next(same_moment);
	myalloc_cache_trim(w.cache, 0);
	preempt_disable();	/* no grace period passes */
	KUNIT_EXPECT_EQ(w.test, myalloc_limbo_harvest(w.zone, 1), 0);
	preempt_enable();
	KUNIT_EXPECT_NE(w.test, w.zone->limbo.waiting, MYALLOC_NO_FRAME);
}

/* A task that waited for a grace period waited for one batch, not for another with its number. */
static void recheck_batch(struct kunit *test)
{
	begin(test, false, 0);
	w.object = two_slabs(test);
	myalloc_cache_trim(w.cache, 0);
	come_in(&w.zone->limbo.lock, close_with_same, 1, 2);
	myalloc_limbo_finish(w.zone, NULL);
	KUNIT_EXPECT_EQ(test, w.came, 2);
	KUNIT_EXPECT_EQ(test, w.zone->limbo.nr, 0);
}

/* A grace period may have any number, also 0. */
static void recheck_moment(struct kunit *test)
{
	begin(test, false, 0);
	w.object = two_slabs(test);
	host_gp_set_next(0);
	myalloc_cache_trim(w.cache, 0);
	KUNIT_EXPECT_EQ(test, myalloc_limbo_harvest(w.zone, 8), BIT(w.cache->layout.order));
	KUNIT_EXPECT_EQ(test, w.zone->limbo.nr, 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(w.cache, w.object), 0);
}

/* --- CPUs ----------------------------------------------------------------------------- */

/* An unreachable CPU does not hold up the drain of the others. */
static void recheck_drain(struct kunit *test)
{
	u32 batch;

	begin(test, true, 0);
	batch = w.zone->pcp[0].batch;
	host_run_on_cpu(1, alloc_free_page, NULL);
	alloc_free_page(NULL);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&w.zone->pcp[0]), 2 * batch);
	w.gone = 1;
	myalloc_zone_drain(w.zone);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&w.zone->pcp[0]), batch);
	w.gone = -1;
	myalloc_zone_drain(w.zone);
	KUNIT_EXPECT_EQ(test, myalloc_magazines_count(&w.zone->pcp[0]), 0);
}

/* --- magazines ------------------------------------------------------------------------ */

/* The first step of a remake. */
static void close_magazines(const char *where)
{
	if (strcmp(where, "magazine-epoch"))
		return;
	host_preempt_point = NULL;
	WRITE_ONCE(w.cache->mags.epoch, MYALLOC_EPOCH_NEVER);
	WRITE_ONCE(w.cache->mags.inner_epoch, MYALLOC_EPOCH_NEVER);
}

/* An epoch that begins while a remake closes the magazines does not open the fast path again. */
static void recheck_epoch(struct kunit *test)
{
	struct myalloc_magazines *mags;
	u64 age;

	begin(test, false, 0);
	mags = &w.cache->mags;
	age = mags->age;
	host_preempt_point = close_magazines;
	myalloc_magazines_next_epoch(mags);
	KUNIT_EXPECT_EQ(test, mags->age, age + 1);
	KUNIT_EXPECT_EQ(test, mags->epoch, MYALLOC_EPOCH_NEVER);
	KUNIT_EXPECT_EQ(test, mags->inner_epoch, MYALLOC_EPOCH_NEVER);
	mags->epoch = mags->age;
	mags->inner_epoch = mags->age;
}

/* --- chunks --------------------------------------------------------------------------- */

static u32 found_points;
static bool found_preemptible;

static void note_found(const char *where)
{
	if (strcmp(where, "page-found") && strcmp(where, "extent-checked"))
		return;
	found_points++;
	found_preemptible |= preemptible();
}

/*
 * Between the lookup of an address and the claim of what was found there preemption is off, so an
 * elastic zone, which waits for a grace period, puts no other chunk in that place.
 */
static void recheck_claim(struct kunit *test)
{
	void *page, *extent;

	begin(test, false, 0);
	page = myalloc_pages_alloc(w.zone, 0, 0);
	extent = myalloc_pages_alloc_exact(w.zone, 3, 0, 0);
	found_points = 0;
	found_preemptible = false;
	host_preempt_point = note_found;
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(w.zone, page, 0), 0);
	KUNIT_EXPECT_TRUE(test, myalloc_extent_resize(w.zone, extent, 3, 2, 0, 0, 1));
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(w.zone, extent, 2), 0);
	host_preempt_point = NULL;
	KUNIT_EXPECT_EQ(test, found_points, 3);
	KUNIT_EXPECT_FALSE(test, found_preemptible);
}

#define SMALL_ORDER	(CHUNK_ORDER - 2)

/* The system: it provides this chunk, and keeps chunks that are returned. */
static void *next_chunk;

static void *take_chunk(struct myalloc_zone *zone)
{
	return next_chunk;
}

static void give_chunk(struct myalloc_zone *zone, void *chunk)
{
}

/* The chunk is returned to the system, and memory at another address gets its number. */
static void replace_chunk(const char *where)
{
	u32 grown;

	if (strcmp(where, "extent-range"))
		return;
	host_preempt_point = NULL;
	w.came++;
	KUNIT_EXPECT_EQ(w.test, myalloc_zone_shrink(w.zone, 1), 1);
	next_chunk = w.object;
	KUNIT_EXPECT_EQ(w.test, myalloc_zone_grow(w.zone, 1, &grown), 0);
}

/* A request for particular pages is refused if the zone has lost them before it takes the lock. */
static void recheck_range(struct kunit *test)
{
	static const struct myalloc_chunk_ops ops = { .take = take_chunk, .give = give_chunk };
	const struct myalloc_cache_args cache_args = { .name = "c", .object_size = 64 };
	struct myalloc_zone_args args = {
		.name = "z", .chunks = &w.chunk, .nr_chunks = 1, .chunk_order = SMALL_ORDER,
		.nr_pages = BIT(SMALL_ORDER), .node = NUMA_NO_NODE, .no_magazines = true,
		.max_chunks = 2, .chunk_ops = &ops,
	};
	void *chunk = w.chunk + (PAGE_SIZE << SMALL_ORDER);
	u32 grown;

	args.span.begin = (unsigned long)w.chunk;
	args.span.end = args.span.begin + (PAGE_SIZE << CHUNK_ORDER);
	w.zone = myalloc_zone_create(&args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w.zone);
	w.cache = myalloc_cache_create(w.zone, &cache_args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w.cache);
	next_chunk = chunk;
	w.object = chunk + (PAGE_SIZE << SMALL_ORDER);
	KUNIT_ASSERT_EQ(test, myalloc_zone_grow(w.zone, 1, &grown), 0);
	host_preempt_point = replace_chunk;
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(w.zone, chunk + PAGE_SIZE, 3, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, w.came, 1);
	KUNIT_EXPECT_EQ(test, w.zone->buddy.nr_free, 2 << SMALL_ORDER);
	KUNIT_EXPECT_EQ(test, myalloc_pages_alloc_range(w.zone, w.object, 3, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_exact(w.zone, w.object, 3), 0);
}

/* --- contracts ------------------------------------------------------------------------ */

/* The steps of a contract's end before it waits for a grace period. */
static void hide_child(const char *where)
{
	if (strcmp(where, "zone-child"))
		return;
	host_preempt_point = NULL;
	w.zone->children->zone[0] = ERR_PTR(-EAGAIN);
}

/* A contract ends while a block of it is freed, or its size is asked for, by the parent. */
static void recheck_child(struct kunit *test)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 4, .orders = 1,
	};
	struct myalloc_contract_plan plan;
	struct myalloc_zone *child;
	struct myalloc_contract *contract;
	void *block;

	begin_chunks(test, 2, false, 0);
	contract = myalloc_contract_create(w.zone, "c", &line, 1, 0, &plan);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, contract);
	child = myalloc_contract_zone(contract, 0);
	block = myalloc_pages_alloc(child, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, block);
	host_preempt_point = hide_child;
	KUNIT_EXPECT_EQ(test, myalloc_usable_size(w.zone, block), PAGE_SIZE);
	w.zone->children->zone[0] = child;
	host_preempt_point = hide_child;
	KUNIT_EXPECT_EQ(test, myalloc_free(w.zone, block), 0);
	w.zone->children->zone[0] = child;
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(contract, 0), 0);
}

/* --- clients -------------------------------------------------------------------------- */

static struct release {
	pthread_t thread;
	u64 id;
	int err;
	bool began;
} by_number;

static void *end_by_number(void *unused)
{
	host_set_cpu(1);
	WRITE_ONCE(by_number.began, true);
	by_number.err = myalloc_client_end_gone(w.zone, by_number.id, MYALLOC_RELEASE_ALL);
	return NULL;
}

static void release_meanwhile(const char *where)
{
	if (strcmp(where, "client-leaf"))
		return;
	host_preempt_point = NULL;
	pthread_create(&by_number.thread, NULL, end_by_number, NULL);
	while (!READ_ONCE(by_number.began))
		sched_yield();
	usleep(20000);	/* far longer than it takes, unless it must wait */
}

/* A client whose owner has gone is released by its number, and through its parent, at once. */
static void recheck_release(struct kunit *test)
{
	struct myalloc_client_args args = { .name = "top" };
	struct myalloc_client *top, *below;
	u32 pages;

	begin(test, false, 0);
	pages = w.zone->buddy.nr_free;
	top = myalloc_client_create(w.zone, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, top);
	args = (struct myalloc_client_args) {
		.name = "below", .parent = top, .owner = &by_number, .owner_name = "gone",
	};
	below = myalloc_client_create(w.zone, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, below);
	KUNIT_ASSERT_NOT_NULL(test, myalloc_client_pages_alloc(below, 3, 0, 0));
	by_number.id = below->id;
	KUNIT_EXPECT_EQ(test, myalloc_client_end_gone(w.zone, below->id, MYALLOC_RELEASE_ALL),
			-EPERM);
	KUNIT_EXPECT_EQ(test, myalloc_client_end_gone(w.zone, below->id + 1, MYALLOC_RELEASE_ALL),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, myalloc_client_orphan(w.zone, &(struct myalloc_leaver){
				.owner = &by_number }), 1);
	KUNIT_EXPECT_EQ(test, myalloc_client_end_gone(w.zone, below->id, 8), -EINVAL);
	host_preempt_point = release_meanwhile;
	KUNIT_EXPECT_EQ(test, myalloc_client_end(top, MYALLOC_RELEASE_ALL), 0);
	KUNIT_EXPECT_EQ(test, pthread_join(by_number.thread, NULL), 0);
	KUNIT_EXPECT_EQ(test, by_number.err, -ENOENT);
	KUNIT_EXPECT_EQ(test, w.zone->buddy.nr_free, pages);
}

static struct kunit_case recheck_cases[] = {
	KUNIT_CASE(recheck_epoch),
	KUNIT_CASE(recheck_claim),
	KUNIT_CASE(recheck_range),
	KUNIT_CASE(recheck_child),
	KUNIT_CASE(recheck_release),
	KUNIT_CASE(recheck_free_exact),
	KUNIT_CASE(recheck_free_object),
	KUNIT_CASE(recheck_walk_live),
	KUNIT_CASE(recheck_validate_cache),
	KUNIT_CASE(recheck_validate_quarantined),
	KUNIT_CASE(recheck_quarantine_in_hand),
	KUNIT_CASE(recheck_harvest),
	KUNIT_CASE(recheck_in_hand),
	KUNIT_CASE(recheck_batch),
	KUNIT_CASE(recheck_moment),
	KUNIT_CASE(recheck_validate_zone),
	KUNIT_CASE(recheck_validate_deferred),
	KUNIT_CASE(recheck_validate_deferred_object),
	KUNIT_CASE(recheck_recover),
	KUNIT_CASE(recheck_bad_free_destroy),
	KUNIT_CASE(recheck_reclaim_hotplug),
	KUNIT_CASE(recheck_request_in_callback),
	KUNIT_CASE(recheck_validate_magazines),
	KUNIT_CASE(recheck_validate_poison),
	KUNIT_CASE(recheck_validate_list),
	KUNIT_CASE(recheck_walk_blocks),
	KUNIT_CASE(recheck_drain),
	{}
};

static struct kunit_suite recheck_suite = {
	.name = "recheck",
	.init = set_up,
	.exit = tear_down,
	.test_cases = recheck_cases,
};

kunit_test_suite(recheck_suite);

// SPDX-License-Identifier: GPL-2.0
/*
 * Rings with real threads: producers, NMIs that interrupt them, and a consumer at the same time
 *
 * Each producer numbers its records; length and content follow from producer and number. In rings
 * that do not overwrite, the consumer must read every record that was committed, whole, and those
 * of each producer in order. In rings that overwrite, what is copied must be whole and in order,
 * and each record is copied, skipped or counted as lost. The consumer of a ring that is shared with
 * user space reads by the positions that are published, and sleeps when it has read everything; now
 * and then a producer waits until it has, so a wake-up that is lost would stop both. Useful under
 * TSan (make check SAN=thread), which sees whether what is stored in a record happens before it is
 * read.
 */
#include "env.h"
#include "ktap.h"
#include "program.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "base/random.h"
#include "front/ring.h"
#include "zone/validate.h"
#include "zone/zone.h"

#define PRODUCERS_MOST	8
#define CHUNK_ORDER	4
#define WORDS_MOST	64	/* in a record */
#define DISCARD_EACH	16	/* one in so many records is discarded */
#define HANGS_AFTER	300	/* seconds */
#define WAKES_WITHIN	20	/* seconds, on any machine */

static struct {
	struct myalloc_ring *ring;
	enum myalloc_ring_mode mode;
	u32 producers;
	u64 records;		/* of each producer */
	u64 seed;
	u32 done;		/* producers */
	pthread_barrier_t start;

	bool shared;		/* the consumer acts as in user space; the rest is for that */
	struct myalloc_ring_share share;
	u64 tail, oldest;	/* published */
	u64 pos;		/* where it reads next */
	u64 sleeps;
	sem_t wake;
} race = { .producers = 3, .records = 5000 };

/**
 * struct producer - a thread
 * @number: of it; it runs on the CPU with this number
 * @random: decides its actions
 * @next: number of its next record
 * @nmis: records that NMIs have committed
 */
struct producer {
	pthread_t thread;
	u32 number;
	struct myalloc_random random;
	u64 next;
	u64 nmis;
};

static __thread struct producer *self;

static void __noreturn fail(const char *fmt, ...) __printf(1, 2);
static void __noreturn fail(const char *fmt, ...)
{
	va_list args;

	printf("# mode %u, seed %llu: ", race.mode, race.seed);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\nnot ok %u mode %u\n", ktap_nr + 1, race.mode);
	fflush(stdout);
	abort();
}

static u64 word_of(u32 producer, u64 number, u32 i)
{
	return myalloc_mix64(race.seed ^ number << 8 ^ producer) + i;
}

static u32 words_of(u32 producer, u64 number)
{
	return 2 + word_of(producer, number, 77) % (WORDS_MOST - 2);
}

static bool is_discarded(u64 number)
{
	return number % DISCARD_EACH == 3;
}

/* Store single words, as a consumer may be copying the previous content. */
static bool produce(void)
{
	u64 number = self->next;
	u32 i, words = words_of(self->number, number);
	u64 *record = myalloc_ring_reserve(race.ring, words * sizeof(u64));

	if (!record)
		return false;
	self->next++;
	WRITE_ONCE(record[0], self->number);
	WRITE_ONCE(record[1], number);
	for (i = 2; i < words; i++)
		WRITE_ONCE(record[i], word_of(self->number, number, i));
	if (is_discarded(number) ? myalloc_ring_discard(race.ring, record) :
				   myalloc_ring_commit(race.ring, record))
		fail("record %llu of producer %u is refused", number, self->number);
	return true;
}

/* Let other threads run, and raise NMIs, also in the middle of a reservation. */
static void disturb(const char *where)
{
	if (!self)
		return;
	if (myalloc_random_one_in(&self->random, 32))
		program_nap();
	if (!strcmp(where, "ring-reserved") && !in_nmi() && race.mode != MYALLOC_RING_ONE &&
	    myalloc_random_one_in(&self->random, 8)) {
		host_enter_nmi();
		if (produce())
			fail("an NMI takes the lock of whom it interrupts");
		host_exit_nmi();
	}
}

/* Wait until the consumer has read everything committed so far. */
static void wait_for_consumer(void)
{
	u64 tail = READ_ONCE(race.ring->part->tail);

	while (READ_ONCE(race.ring->part->oldest) < tail)
		program_nap();
}

static void *run_producer(void *arg)
{
	self = arg;
	host_set_cpu(self->number);
	pthread_barrier_wait(&race.start);
	while (self->next < race.records) {
		if (race.mode != MYALLOC_RING_ONE && myalloc_random_one_in(&self->random, 8)) {
			host_enter_nmi();
			self->nmis += produce();
			host_exit_nmi();
		}
		while (!produce())
			program_nap();
		if (race.shared && myalloc_random_one_in(&self->random, 8))
			wait_for_consumer();
	}
	__atomic_fetch_add(&race.done, 1, __ATOMIC_RELEASE);
	if (race.shared)
		sem_post(&race.wake);
	return NULL;
}

static void check(const u64 *record, long size, u64 *expected)
{
	u64 producer = record[0], number = record[1];
	u32 i;

	if (producer >= race.producers || size != words_of(producer, number) * (long)sizeof(u64))
		fail("%ld bytes of producer %llu, number %llu", size, producer, number);
	if (race.mode != MYALLOC_RING_OVERWRITE && is_discarded(expected[producer]))
		expected[producer]++;
	if (race.mode == MYALLOC_RING_OVERWRITE ? number < expected[producer] :
						  number != expected[producer])
		fail("record %llu of producer %llu is read in place of %llu", number, producer,
		     expected[producer]);
	expected[producer] = number + 1;
	for (i = 2; i < size / sizeof(u64); i++)
		if (record[i] != word_of(producer, number, i))
			fail("record %llu of producer %llu, word %u is %llx", number, producer, i,
			     record[i]);
}

static void wake_consumer(struct myalloc_ring_share *share)
{
	sem_post(&race.wake);
}

static void sleep_until_woken(void)
{
	struct timespec until;

	race.sleeps++;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAKES_WITHIN;
	if (sem_timedwait(&race.wake, &until))
		fail("nobody wakes the consumer up");
}

/* Read as user space does; false if it has to sleep. */
static bool read_shared(u64 *expected)
{
	u64 tail = smp_load_acquire(&race.tail), begin = race.pos;
	u32 length;

	while (race.pos != tail) {
		void *at = race.ring->map + (race.pos & (race.ring->size - 1));
		struct myalloc_ring_header *h = at;

		length = smp_load_acquire(&h->length);
		if (length & MYALLOC_RING_BUSY)
			break;
		if (!(length & MYALLOC_RING_DISCARDED))
			check(at + race.ring->header, length, expected);
		race.pos += myalloc_ring_total(race.ring, length);
	}
	if (race.pos == begin)
		return !myalloc_ring_may_sleep(race.ring);
	if (myalloc_ring_release_to(race.ring, race.pos))
		fail("a release to %llu is refused", race.pos);
	return true;
}

/* Read all records; false if there is none. */
static bool consume(u64 *expected)
{
	u64 copy[WORDS_MOST];
	bool any = false;
	size_t size;
	u64 *record;
	u32 cpu;
	long got;

	for (cpu = 0; cpu < race.producers && race.mode == MYALLOC_RING_OVERWRITE; cpu++) {
		got = myalloc_ring_copy(race.ring, cpu, copy, sizeof(copy));
		if (got >= 0)
			check(copy, got, expected);
		else if (got != -EAGAIN)
			fail("a copy returned %ld", got);
		any |= got >= 0;
	}
	if (race.mode == MYALLOC_RING_OVERWRITE)
		return any;
	record = myalloc_ring_peek(race.ring, &size);
	if (!record)
		return false;
	check(record, size, expected);
	if (myalloc_ring_release(race.ring, record))
		fail("a release is refused");
	return true;
}

/* The consumer also validates now and then. */
static void consume_all(struct myalloc_zone *zone, u64 *expected)
{
	struct myalloc_validation v;
	bool last;
	u32 i;

	do {
		last = smp_load_acquire(&race.done) == race.producers;
		for (i = 0; race.shared ? read_shared(expected) : consume(expected); i++)
			if (i % 4096 == 0 && !myalloc_zone_validate(zone, &v))
				fail("%s", v.first);
		if (race.shared && !last)
			sleep_until_woken();
	} while (!last);
}

static void share_ring(void)
{
	race.pos = 0;
	race.sleeps = 0;
	race.share = (struct myalloc_ring_share){
		.tail = &race.tail, .oldest = &race.oldest, .wake = wake_consumer,
	};
	sem_init(&race.wake, 0, 0);
	if (myalloc_ring_attach(race.ring, &race.share))
		fail("the ring cannot be shared");
}

static void unshare_ring(void)
{
	if (race.tail != race.ring->part->tail || race.oldest != race.ring->part->oldest)
		fail("positions %llu and %llu are published", race.oldest, race.tail);
	ktap_note("the consumer slept %llu times", race.sleeps);
	myalloc_ring_detach(race.ring);
	sem_destroy(&race.wake);
}

static void test_mode(struct myalloc_zone *zone, enum myalloc_ring_mode mode, bool shared)
{
	static const char * const names[] = { "one", "many", "overwrite" };
	const struct myalloc_ring_args args = { .name = "r", .size = 8192, .mode = mode };
	struct producer *producer = calloc(PRODUCERS_MOST, sizeof(*producer));
	u64 expected[PRODUCERS_MOST] = { 0 }, records = 0, nmis = 0;
	u32 i, producers = race.producers;
	struct myalloc_ring_stats stats;

	race.mode = mode;
	race.shared = shared;
	race.done = 0;
	if (mode == MYALLOC_RING_ONE)
		race.producers = 1;
	race.ring = myalloc_ring_create(zone, &args);
	if (IS_ERR(race.ring))
		host_fatal("no ring");
	if (shared)
		share_ring();
	pthread_barrier_init(&race.start, NULL, race.producers + 1);
	WRITE_ONCE(host_preempt_point, disturb);
	for (i = 0; i < race.producers; i++) {
		producer[i].number = i;
		myalloc_random_init(&producer[i].random, race.seed, i);
		if (pthread_create(&producer[i].thread, NULL, run_producer, &producer[i]))
			host_fatal("no thread");
	}
	host_set_cpu(PRODUCERS_MOST);
	pthread_barrier_wait(&race.start);
	consume_all(zone, expected);
	WRITE_ONCE(host_preempt_point, NULL);
	for (i = 0; i < race.producers; i++) {
		pthread_join(producer[i].thread, NULL);
		records += producer[i].next;
		nmis += producer[i].nmis;
	}
	myalloc_ring_stats(race.ring, &stats);
	if (stats.records != records || stats.read + stats.skipped + stats.lost != records ||
	    stats.used_bytes > stats.parts * stats.part_bytes || stats.refused ||
	    (mode != MYALLOC_RING_OVERWRITE && (stats.lost || stats.used_bytes)))
		fail("%llu records: %llu read, %llu discarded, %llu lost, %llu bytes are left",
		     records, stats.read, stats.skipped, stats.lost, stats.used_bytes);
	ktap_note("%llu records, %llu by NMIs, %llu failed in NMI, %llu times full, %llu lost",
		  records, nmis, stats.nmi_fails, stats.full, stats.lost);
	if (shared)
		unshare_ring();
	if (myalloc_ring_destroy(race.ring))
		fail("the ring does not end");
	pthread_barrier_destroy(&race.start);
	race.producers = producers;
	host_set_cpu(0);
	free(producer);
	ktap_result(!host_check_clean(), "mode %s%s", names[mode], shared ? ", shared" : "");
}

int main(int argc, char **argv)
{
	const struct program_option options[] = {
		{ "seed", PROGRAM_U64, &race.seed, "repeat the choices of a run" },
		{ "records", PROGRAM_U64, &race.records, "records of each producer" },
		{ "producers", PROGRAM_U32, &race.producers, "producers, at most 8" },
		{ }
	};
	void *arena;
	struct myalloc_zone_args args = {
		.name = "race", .chunks = &arena, .nr_chunks = 1, .chunk_order = CHUNK_ORDER + 2,
		.nr_pages = 4 << CHUNK_ORDER, .node = NUMA_NO_NODE, .no_magazines = true,
	};
	struct myalloc_zone *zone;
	u32 mode;

	race.seed = program_seed();
	program_options(argc, argv, "Producers and a consumer of a ring, with NMIs.", options);
	race.producers = clamp_t(u32, race.producers, 1, PRODUCERS_MOST);
	alarm(HANGS_AFTER);
	host_set_nr_cpus(PRODUCERS_MOST + 1);
	arena = host_chunk_alloc(CHUNK_ORDER + 2);
	zone = myalloc_zone_create(&args);
	if (IS_ERR(zone))
		host_fatal("no zone");
	ktap_plan(MYALLOC_RING_OVERWRITE + 3);
	ktap_note("seed %llu, %u producers of %llu records", race.seed, race.producers,
		  race.records);
	for (mode = 0; mode <= MYALLOC_RING_OVERWRITE; mode++)
		test_mode(zone, mode, false);
	test_mode(zone, MYALLOC_RING_ONE, true);
	test_mode(zone, MYALLOC_RING_MANY, true);
	if (myalloc_zone_destroy(zone))
		fail("the zone does not end");
	host_chunk_free(arena, CHUNK_ORDER + 2);
	return ktap_end();
}

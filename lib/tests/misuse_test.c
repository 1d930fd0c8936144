// SPDX-License-Identifier: GPL-2.0
/*
 * Misuse: one bug, one case, one exact outcome
 *
 * Each case makes one mistake in a small world of its own, in a child process, and says what must
 * come of it: the lines of the log, all of them and word for word ('*' stands for what differs
 * from build to build: names and numbers of code, process ids), the counters, and that nothing
 * else changed. The idea is hardened_malloc's.
 *
 * The second part is the table of what each level of checking finds and what it does not: the
 * same mistakes made at each level, the outcome compared with the table. --table prints it.
 */
#include "env.h"
#include "ktap.h"
#include "slab_debug.h"
#include "validate.h"

#include <getopt.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK_ORDER	8
#define NR_CHUNKS	4
#define NR_PAGES	(NR_CHUNKS << CHUNK_ORDER)
#define SIZE		64	/* bytes in an object */

/* What a child tells. */
static struct told {
	bool failed;
	char why[400];
	char log[8192];
} *told;

__printf(1, 2)
static void wrong(const char *fmt, ...)
{
	va_list args;

	if (told->failed)
		return;
	told->failed = true;
	va_start(args, fmt);
	vsnprintf(told->why, sizeof(told->why), fmt, args);
	va_end(args);
}

#define EXPECT(cond, fmt, ...) \
	do { if (!(cond)) wrong("line %d: " fmt, __LINE__, ##__VA_ARGS__); } while (0)

/* '*' stands for anything in the line. */
static bool match(const char *pattern, const char *text)
{
	for (; *pattern; pattern++, text++) {
		if (*pattern == '*') {
			for (; *text && *text != '\n'; text++)
				if (match(pattern + 1, text))
					return true;
			return match(pattern + 1, text);
		}
		if (*pattern != *text)
			return false;
	}
	return !*text;
}

/* --- the world of a case ---------------------------------------------------------------- */

static u8 *arena;
static u8 *chunk[NR_CHUNKS];
static struct myalloc_zone *zone;
static struct myalloc_cache *a, *b;

static u32 nr_pages = NR_PAGES;

/* Three chunks, a gap, the last one. */
static void make_world(unsigned int zone_checks, unsigned int flags)
{
	struct myalloc_zone_args args = {
		.name = "z", .chunks = (void *const *)chunk, .nr_chunks = NR_CHUNKS,
		.chunk_order = CHUNK_ORDER, .nr_pages = nr_pages, .node = NUMA_NO_NODE,
		.checks = zone_checks,
	};
	struct myalloc_cache_args cache_args = { .name = "a", .object_size = SIZE, .flags = flags };
	size_t size = PAGE_SIZE << CHUNK_ORDER;
	unsigned int i;

	host_reset();
	host_set_nr_cpus(2);
	arena = host_chunk_alloc(CHUNK_ORDER + 3);
	for (i = 0; i < NR_CHUNKS; i++)
		chunk[i] = arena + (1 + i + (i == NR_CHUNKS - 1)) * size;
	zone = myalloc_zone_create(&args);
	a = myalloc_cache_create(zone, &cache_args);
	cache_args.name = "b";
	b = myalloc_cache_create(zone, &cache_args);
	if (IS_ERR(zone) || IS_ERR(a) || IS_ERR(b))
		host_fatal("no world");
	host_log_reset();
}

static void *page(unsigned int order)
{
	void *p = myalloc_pages_alloc(zone, order, 0);

	EXPECT(p, "no page");
	return p;
}

static void *object(struct myalloc_cache *cache)
{
	void *p = myalloc_cache_alloc(cache, 0);

	EXPECT(p, "no object");
	return p;
}

static void good(int err)
{
	EXPECT(!err, "a right free returned %d", err);
}

static struct myalloc_zone_books books_before;

static void before(void)
{
	myalloc_zone_books(zone, &books_before);
}

/* The free was refused, counted under @bad, and has changed nothing. */
static void refused(int err, enum myalloc_bad bad)
{
	struct myalloc_zone_books after;
	char report[MYALLOC_REPORT_SIZE];

	EXPECT(err == -EINVAL, "a wrong free returned %d", err);
	myalloc_zone_books(zone, &after);
	EXPECT(after.bad[bad] == books_before.bad[bad] + 1, "not counted as \"%s\"",
	       myalloc_bad_name(bad));
	EXPECT(after.bad_frees == books_before.bad_frees + 1, "counted %llu times",
	       after.bad_frees - books_before.bad_frees);
	after.bad_frees = books_before.bad_frees;
	memcpy(after.bad, books_before.bad, sizeof(after.bad));
	EXPECT(!memcmp(&books_before, &after, sizeof(after)), "a wrong free changed the books");
	myalloc_zone_last_report(zone, report, sizeof(report));
	EXPECT(host_log_contains(report), "the last report is \"%s\"", report);
}

#define REFUSED(call, bad)	do { before(); refused(call, MYALLOC_BAD_##bad); } while (0)

static void corrupt(unsigned int nr)
{
	struct myalloc_zone_books books;

	myalloc_zone_books(zone, &books);
	EXPECT(books.corruptions == nr, "%llu corruptions, %u expected", books.corruptions, nr);
}

static void valid(void)
{
	struct myalloc_validation v;

	EXPECT(myalloc_zone_validate(zone, &v), "%s", v.first);
}

/* Validation says @text, and that first. */
static void invalid(const char *text)
{
	struct myalloc_validation v;

	EXPECT(!myalloc_zone_validate(zone, &v) && v.errors, "validation found nothing");
	EXPECT(match(text, v.first), "validation found \"%s\"", v.first);
}

static void in_irq(void (*fn)(void))
{
	host_enter_hardirq();
	fn();
	host_exit_hardirq();
}

static void in_nmi_locked(raw_spinlock_t *lock, void (*fn)(void))
{
	unsigned long irq;

	raw_spin_lock_irqsave(lock, irq);
	host_enter_nmi();
	fn();
	host_exit_nmi();
	raw_spin_unlock_irqrestore(lock, irq);
}

/* --- pages ------------------------------------------------------------------------------- */

static void *p, *q;
static int err;

static void free_p(void)
{
	err = myalloc_pages_free(zone, p, 0);
}

static void page_twice(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
}

static void page_twice_order4(void)
{
	p = page(4);
	good(myalloc_pages_free(zone, p, 4));
	REFUSED(myalloc_pages_free(zone, p, 4), FREE);
}

static void page_twice_later(void)
{
	void *others[50];

	p = page(2);
	q = page(2);	/* keeps what is around p from merging */
	good(myalloc_pages_free(zone, p, 2));
	EXPECT(myalloc_pages_alloc_bulk(zone, 0, 0, 50, others) == 50, "no pages");
	EXPECT(myalloc_pages_free_bulk(zone, 0, 50, others) == 50, "pages do not go back");
	REFUSED(myalloc_pages_free(zone, p, 2), FREE);
}

static void page_twice_drained(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	myalloc_zone_drain(zone);
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
}

static void page_twice_reused(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	q = page(0);
	EXPECT(p == q, "not the same page");
	good(myalloc_pages_free(zone, p, 0));		/* who freed it first, again */
	REFUSED(myalloc_pages_free(zone, q, 0), FREE);	/* who has it */
}

/* A used slot says where the descriptor of a page is that begins a larger block now. */
static void page_used_slot(void)
{
	struct myalloc_magazine_cpu *cpu = per_cpu_ptr(zone->pcp[0].cpu, 0);
	void *pages[64];
	u32 nr = 0, i;

	do
		pages[nr++] = page(0);
	while (cpu->top != myalloc_magazine_first(cpu->loaded));
	host_set_cpu(1);
	for (i = 0; i < nr; i++)
		good(myalloc_pages_free(zone, pages[i], 0));
	myalloc_zone_drain(zone);
	host_set_cpu(0);
	p = cpu->top->addr;
	if ((uintptr_t)p & PAGE_SIZE)	/* the pair that it is in begins one page before */
		p -= PAGE_SIZE;
	EXPECT(!myalloc_pages_alloc_range(zone, p, 2, 0), "the pages are not free");
	cpu->top->addr = p;
	cpu->top->state = &myalloc_map_frame(&zone->map, p)->type;
	REFUSED(myalloc_pages_free(zone, p, 0), ORDER);
	good(myalloc_pages_free_exact(zone, p, 2));
}

static void page_twice_other_cpu(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	host_set_cpu(1);
	REFUSED(myalloc_pages_free(zone, p, 0), FREE);
}

static void page_twice_irq(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	before();
	in_irq(free_p);
	refused(err, MYALLOC_BAD_FREE);
}

static void page_twice_nmi(void)
{
	p = page(0);
	good(myalloc_pages_free(zone, p, 0));
	before();
	in_nmi_locked(&zone->lock, free_p);
	refused(err, MYALLOC_BAD_FREE);
}

static void free_p4(void)
{
	err = myalloc_pages_free(zone, p, 4);
}

static void page_twice_deferred(void)
{
	p = page(4);
	in_nmi_locked(&zone->lock, free_p4);
	good(err);
	REFUSED(myalloc_pages_free(zone, p, 4), FREE);
}

static void page_twice_in_bulk(void)
{
	void *pages[3] = { page(0), page(0) };

	pages[2] = pages[0];
	EXPECT(myalloc_pages_free_bulk(zone, 0, 3, pages) == 2, "three were freed");
}

static void page_twice_bulk_later(void)
{
	void *pages[3] = { page(1), page(1), page(1) };

	good(myalloc_pages_free(zone, pages[1], 1));
	EXPECT(myalloc_pages_free_bulk(zone, 1, 3, pages) == 2, "three were freed");
}

static void page_null(void)
{
	REFUSED(myalloc_pages_free(zone, NULL, 0), FOREIGN);
}

static void page_stack(void)
{
	REFUSED(myalloc_pages_free(zone, &err, 0), FOREIGN);
}

static void page_below(void)
{
	REFUSED(myalloc_pages_free(zone, chunk[0] - PAGE_SIZE, 0), FOREIGN);
}

static void page_above(void)
{
	REFUSED(myalloc_pages_free(zone, chunk[3] + (PAGE_SIZE << CHUNK_ORDER), 0), FOREIGN);
}

static void page_gap(void)
{
	REFUSED(myalloc_pages_free(zone, chunk[2] + (PAGE_SIZE << CHUNK_ORDER), 0), FOREIGN);
}

static void page_beyond_end(void)
{
	nr_pages = NR_PAGES - 10;
	make_world(0, 0);
	REFUSED(myalloc_pages_free(zone, chunk[3] + (PAGE_SIZE << CHUNK_ORDER) - PAGE_SIZE, 0),
		FOREIGN);
}

static void page_other_zone(void)
{
	struct myalloc_zone *mine = zone;

	p = page(0);
	make_world(0, 0);
	REFUSED(myalloc_pages_free(zone, p, 0), FOREIGN);
	good(myalloc_pages_free(mine, p, 0));
}

static void page_misaligned(void)
{
	p = page(0) + 8;
	REFUSED(myalloc_pages_free(zone, p, 0), MISALIGNED);
}

static void page_misaligned_by_one(void)
{
	p = page(5) + PAGE_SIZE + 1;
	REFUSED(myalloc_pages_free(zone, p, 5), MISALIGNED);
}

static void page_interior(void)
{
	p = page(3) + 2 * PAGE_SIZE;
	REFUSED(myalloc_pages_free(zone, p, 1), INTERIOR);
}

static void page_order_above(void)
{
	p = page(1);
	REFUSED(myalloc_pages_free(zone, p, 2), ORDER);
}

static void page_order_below(void)
{
	p = page(2);
	REFUSED(myalloc_pages_free(zone, p, 1), ORDER);
}

static void page_order_absurd(void)
{
	p = page(0);
	REFUSED(myalloc_pages_free(zone, p, 256), ORDER);
}

static void page_as_object(void)
{
	p = page(0);
	REFUSED(myalloc_cache_free(a, p), KIND);
}

static void object_as_page(void)
{
	p = object(a);
	REFUSED(myalloc_pages_free(zone, p, 0), KIND);
}

static void second_object_as_page(void)
{
	object(a);
	p = object(a);
	REFUSED(myalloc_pages_free(zone, p, 0), MISALIGNED);
}

static void object_as_exact(void)
{
	p = object(a);
	REFUSED(myalloc_pages_free_exact(zone, p, 1), KIND);
}

static void any_interior(void)
{
	p = page(3) + 4 * PAGE_SIZE;
	REFUSED(myalloc_free(zone, p), INTERIOR);
}

static void any_twice(void)
{
	p = page(6);
	good(myalloc_free(zone, p));
	REFUSED(myalloc_free(zone, p), FREE);
}

static void *exact(u32 nr)
{
	void *run = myalloc_pages_alloc_exact(zone, nr, 0, 0);

	EXPECT(run, "no pages");
	return run;
}

static void exact_too_many(void)
{
	p = exact(5);
	exact(3);
	REFUSED(myalloc_pages_free_exact(zone, p, 6), ORDER);
}

static void exact_none(void)
{
	p = exact(5);
	REFUSED(myalloc_pages_free_exact(zone, p, 0), ORDER);
}

static void exact_beyond_chunk(void)
{
	p = exact(5);
	REFUSED(myalloc_pages_free_exact(zone, p, 257), ORDER);
}

static void exact_twice(void)
{
	p = exact(5);
	good(myalloc_pages_free_exact(zone, p, 5));
	REFUSED(myalloc_pages_free_exact(zone, p, 5), FREE);
}

static void exact_misaligned(void)
{
	p = exact(5) + 16;
	REFUSED(myalloc_pages_free_exact(zone, p, 5), MISALIGNED);
}

static void exact_foreign(void)
{
	REFUSED(myalloc_pages_free_exact(zone, &err, 5), FOREIGN);
}

static void exact_interior(void)
{
	p = exact(6) + PAGE_SIZE;
	REFUSED(myalloc_pages_free_exact(zone, p, 1), INTERIOR);
}

static void exact_as_order(void)
{
	p = exact(5);
	REFUSED(myalloc_pages_free(zone, p, 3), ORDER);
}

static void range_of_used(void)
{
	p = page(0);
	before();
	EXPECT(myalloc_pages_alloc_range(zone, p, 1, 0) == -EBUSY, "a page in use was given");
}

/* --- objects ------------------------------------------------------------------------------ */

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
	good(myalloc_cache_free(a, p));			/* who freed it first, again */
	REFUSED(myalloc_cache_free(a, q), FREE);	/* who has it */
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

/* The slow path of a cache without magazines cannot have the lock: the free is deferred. */
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
 * The one case that the state byte lets through: the other CPU frees after this one has seen
 * that the object is live. It is in two magazines; whoever gets it first has it alone, because
 * the second get finds it live.
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
 * A used slot says where the state of an object was that lay in a slab which is gone. What is
 * there now looks like a live one.
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
	EXPECT(per_cpu_ptr(a->mags.cpu, 0)->top->addr == p, "the used slot says something else");
	REFUSED(myalloc_cache_free(a, p), KIND);
	good(myalloc_pages_free(zone, q, 0));
}

/* The same, after this CPU has seen that the slab is gone: the used slots must be wiped. */
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
	/* What a refill leaves alone. */
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
	EXPECT(cpu->guard == c->mags.era, "the slots are still of an older era");
	REFUSED(myalloc_cache_free(c, p), KIND);
	good(myalloc_pages_free(zone, q, 0));
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

/* --- damage ---------------------------------------------------------------------------------- */

static void overflow_by_one(void)
{
	u8 *o = object(a);

	o[SIZE] = 1;
	good(myalloc_cache_free(a, o));
	corrupt(1);
}

static void overflow_by_eight(void)
{
	u8 *o = object(a);

	memset(o + SIZE, 2, 8);
	good(myalloc_cache_free(a, o));
	corrupt(1);
}

static void overflow_validated(void)
{
	u8 *o = object(a);

	o[SIZE + 7] = 3;
	invalid("S6: cache a, frame 0, slot 0: right red zone overwritten: byte 71 is 0x03, not 0xcc");
}

static void underflow_by_one(void)
{
	u8 *o = object(a);

	o[-1] = 4;
	good(myalloc_cache_free(a, o));
	corrupt(1);
}

static void underflow_by_eight(void)
{
	u8 *o = object(a);

	memset(o - 8, 5, 8);
	good(myalloc_cache_free(a, o));
	corrupt(1);
}

/* Mended: reported once. */
static void overflow_once(void)
{
	u8 *o = object(a);

	o[SIZE] = 6;
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
	o[SIZE] = 7;
	object(a);
	corrupt(1);
}

static void write_after_free(void)
{
	u8 *o = object(a);

	good(myalloc_cache_free(a, o));
	o[10] = 8;
	object(a);
	corrupt(1);
}

static void write_after_free_last(void)
{
	u8 *o = object(a);

	good(myalloc_cache_free(a, o));
	o[SIZE - 1] = 9;
	object(a);
	corrupt(1);
}

static void write_after_free_validated(void)
{
	u8 *o = object(a);

	good(myalloc_cache_free(a, o));
	o[0] = 0xa;
	invalid("S6: cache a, frame 0, slot 0: written after free: byte 0 is 0x0a, not 0x6b");
}

static void write_after_free_page(void)
{
	u8 *o = page(0);

	good(myalloc_pages_free(zone, o, 0));
	o[100] = 0xb;
	EXPECT(page(0) == o, "not the same page");
	corrupt(1);
}

static void write_after_free_slab(void)
{
	u8 *o = object(a);

	good(myalloc_cache_free(a, o));
	myalloc_cache_shrink(a);
	o[0] = 0xc;
	page(0);
	corrupt(1);
}

/* Into the link of a deferred free. It is not followed, and nothing is lost. */
static void write_after_deferred_page(void)
{
	struct myalloc_zone_books books;

	p = page(4);
	q = page(4);
	in_nmi_locked(&zone->lock, free_p4);
	swap(p, q);
	in_nmi_locked(&zone->lock, free_p4);
	memset(p, 0xd, 8);
	corrupt(0);
	myalloc_zone_drain(zone);
	corrupt(1);
	myalloc_zone_books(zone, &books);
	EXPECT(books.free_pages == NR_PAGES, "%llu pages free", books.free_pages);
	valid();
}

static void write_after_deferred_object(void)
{
	struct myalloc_cache_books books;

	p = object(a);
	q = object(a);
	in_nmi_locked(&a->lock, free_object_p);
	swap(p, q);
	in_nmi_locked(&a->lock, free_object_p);
	memset(p, 0xe, 8);
	myalloc_cache_drain(a);
	corrupt(1);
	myalloc_cache_books(a, &books);
	EXPECT(!books.live_objects && !books.deferred_objects, "objects are lost");
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

/* --- reads of what should be zero ---------------------------------------------------------------- */

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
		EXPECT(!o[i], "not cleared");
}

static void zero_free_bulk(void)
{
	void *objects[3] = { object(a), object(a), object(a) };
	unsigned int i;

	for (i = 0; i < 3; i++)
		memset(objects[i], 0xff, SIZE);
	EXPECT(myalloc_cache_free_bulk(a, 3, objects) == 3, "objects do not go back");
	for (i = 0; i < 3; i++)
		EXPECT(!memchr_inv(objects[i], 0, SIZE), "not cleared");
}

static void zero_free_deferred(void)
{
	p = object(a);
	memset(p, 0xff, SIZE);
	in_nmi_locked(&a->lock, free_object_p);
	good(err);
	EXPECT(!memchr_inv(p + 8, 0, SIZE - 8), "not cleared");
	myalloc_cache_drain(a);
	EXPECT(!memchr_inv(p, 0, SIZE), "the link was not cleared");
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

	memset(chunk[0], 0xff, 64 * PAGE_SIZE);
	EXPECT(myalloc_pages_alloc_bulk(zone, 0, MYALLOC_ZERO, 4, pages) == 4, "no pages");
	for (i = 0; i < 4; i++)
		EXPECT(!memchr_inv(pages[i], 0, PAGE_SIZE), "not zero");
	memset(chunk[0], 0xff, 64 * PAGE_SIZE);
	p = myalloc_pages_alloc_exact(zone, 5, 0, MYALLOC_ZERO);
	EXPECT(!memchr_inv(p, 0, 5 * PAGE_SIZE), "not zero");
	memset(chunk[1], 0xff, 64 * PAGE_SIZE);
	EXPECT(!myalloc_pages_alloc_range(zone, chunk[1], 3, MYALLOC_ZERO), "no range");
	EXPECT(!memchr_inv(chunk[1], 0, 3 * PAGE_SIZE), "not zero");
}

/* --- ends ----------------------------------------------------------------------------------------- */

static void destroy_with_live(void)
{
	p = object(a);
	EXPECT(myalloc_cache_destroy(a) == -EBUSY, "cache ended with an object out");
	good(myalloc_cache_free(a, p));
	EXPECT(!myalloc_cache_destroy(a), "cache does not end");
}

static void destroy_with_live_owners(void)
{
	p = object(a);
	q = object(a);
	EXPECT(myalloc_cache_destroy(a) == -EBUSY, "cache ended with objects out");
}

static void destroy_with_many_live(void)
{
	unsigned int i;

	for (i = 0; i < 10; i++)
		object(a);
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

/* --- damaged metadata ------------------------------------------------------------------------------- */

static void flip_head_off(void)
{
	p = page(4);
	zone->buddy.head[0] &= ~1ULL;
	invalid("B1: frame 0 belongs to no block");
}

static void flip_head_on(void)
{
	p = page(4);
	zone->buddy.head[0] |= 1ULL << 3;
	invalid("B1: block of 3 frames at frame 0");
}

static void flip_free_on(void)
{
	p = page(4);
	myalloc_tree_set(&zone->buddy.free[4], 0);
	invalid("B3: both halves of the block of order 5 at frame 0 are free");
}

static void flip_free_off(void)
{
	myalloc_tree_clear(&zone->buddy.free[CHUNK_ORDER], 1);
	invalid("Z1: frame 256: tagged as order 0, is of order 8");
}

static void flip_free_other_order(void)
{
	p = page(4);
	myalloc_tree_set(&zone->buddy.free[2], 1);
	invalid("B2: block of order 4 at frame 0 is in the free bits of order 2");
}

static void flip_buddies(void)
{
	zone->buddy.head[4] |= 1ULL << 32;	/* frame 288: chunk 1 in two unmerged parts */
	zone->buddy.head[5] |= 1ULL;
	invalid("B2: block of order 5 at frame 256 is in the free bits of order 8");
}

static void flip_unmerged(void)
{
	struct myalloc_buddy *buddy = &zone->buddy;

	buddy->head[6] |= 1;	/* 256 + 128 */
	myalloc_tree_clear(&buddy->free[8], 1);
	myalloc_tree_set(&buddy->free[7], 2);
	myalloc_tree_set(&buddy->free[7], 3);
	invalid("B3: both halves of the block of order 8 at frame 256 are free");
}

static void flip_nr_free(void)
{
	zone->buddy.nr_free ^= 16;
	invalid("B4: 1024 frames are free, counted 1040");
}

static void flip_nr_blocks(void)
{
	zone->buddy.nr_blocks[8] ^= 1;
	invalid("B4: 4 blocks of order 8 are free, counted 5");
}

static void flip_nonempty(void)
{
	zone->buddy.nonempty ^= 1 << 3;
	invalid("B4: nonempty is wrong for order 3");
}

static void flip_nonempty_above(void)
{
	zone->buddy.nonempty |= 1 << 9;
	invalid("B4: nonempty has orders above 8");
}

static void flip_summary(void)
{
	u32 i;

	for (i = 0; i < 3; i++) {
		q = p;
		p = myalloc_pages_alloc(zone, 0, MYALLOC_TOPDOWN);
	}
	good(myalloc_pages_free(zone, q, 0));
	myalloc_zone_drain(zone);
	EXPECT(zone->buddy.free[0].lone == MYALLOC_TREE_NONE, "there is one free page");
	zone->buddy.free[0].level[1][0] ^= 1 << 7;
	invalid("T1: order 0, level 0, word 7: summary differs");
}

static void flip_lone(void)
{
	page(0);
	EXPECT(zone->buddy.free[0].lone == 5, "its buddy is not the only free page");
	zone->buddy.free[0].lone = 7;
	invalid("T1: order 0, level 0, word 0: bit 7 is not alone");
}

static void flip_lone_summary(void)
{
	page(0);
	zone->buddy.free[0].level[1][0] ^= 1 << 7;
	invalid("T1: order 0, level 1, word 0: bit 5 is not alone");
}

static void flip_beyond(void)
{
	nr_pages = NR_PAGES - 10;
	make_world(0, 0);
	zone->buddy.free[0].level[0][15] |= 1ULL << 60;
	invalid("T2: order 0: a bit at or above 1014 is set");
}

static void flip_type(void)
{
	p = page(4);
	myalloc_map_frame(&zone->map, p)->type = 0x7f;
	invalid("Z1: frame 0: allocated block of order 4 is tagged 0x7f");
}

static void flip_order(void)
{
	p = page(4);
	myalloc_map_frame(&zone->map, p)->order = 5;
	invalid("Z1: frame 0: tagged as order 5, is of order 4");
}

static void flip_slab_cache(void)
{
	p = object(a);
	myalloc_map_frame(&zone->map, p)->cache = 77;
	invalid("Z1: frame 0: slab of cache 77, which does not exist");
}

static void flip_inner_tag(void)
{
	p = page(4);
	zone->frames[5].order = 1;
	invalid("Z7: frame 5 in a page block has the tag 0x00000100");
}

static void flip_slab_pages(void)
{
	object(a);
	atomic64_inc(&zone->slab_pages);
	invalid("Z3: 1 frames are in slabs, counted 2");
}

static void flip_page_to_cached(void)
{
	p = page(0);
	myalloc_map_frame(&zone->map, p)->type = MYALLOC_FRAME_CACHED;
	invalid("Z4: * blocks of order 0 are tagged cached, the magazines hold *");
}

static void flip_nr_deferred(void)
{
	atomic64_inc(&zone->nr_deferred);
	invalid("Z5: 0 frames are deferred, counted 1");
}

static void flip_map(void)
{
	zone->map.frames[1] = NULL;
	invalid("Z6: the map does not find frame 256");
}

static void flip_inuse(void)
{
	p = object(a);
	myalloc_map_frame(&zone->map, p)->inuse++;
	invalid("S2: cache a, frame 0: * slots in use, counted *");
}

static void flip_hint(void)
{
	p = object(a);
	myalloc_map_frame(&zone->map, p)->hint += 20;
	invalid("S2: cache a, frame 0: slot * is free, below the hint *");
}

static void flip_state(void)
{
	p = object(a);
	*myalloc_object_state(a, p) = 0x42;
	invalid("S5: cache a, frame 0, slot 0: state 66");
}

static void flip_state_free(void)
{
	p = object(a);
	*myalloc_object_state(a, p) = MYALLOC_SLOT_FREE;
	invalid("S2: cache a, frame 0: * slots in use, counted *");
}

static void flip_state_cached(void)
{
	p = object(a);
	*myalloc_object_state(a, p) = MYALLOC_SLOT_CACHED;
	invalid("S4: cache a: 0 live, * cached, 0 deferred of * out; magazines hold *");
}

static void flip_list(void)
{
	p = object(a);
	a->list[MYALLOC_SLABS_EMPTY] = 5;
	invalid("S1: cache a: list 0 holds frame 5, which is no slab of it");
}

static void flip_list_lost(void)
{
	unsigned int i;

	p = object(a);
	for (i = 0; i < MYALLOC_SLAB_LISTS; i++)
		a->list[i] = MYALLOC_NO_FRAME;
	invalid("S1: cache a: list 1 counts 1 slabs");
}

static void flip_list_count(void)
{
	a->nr[MYALLOC_SLABS_FULL]++;
	invalid("S1: cache a: list 5 counts 1 slabs");
}

static void flip_prev(void)
{
	p = object(a);
	myalloc_map_frame(&zone->map, p)->prev = 3;
	invalid("S1: cache a: frame 0 with * of * in use is wrong in list 1");
}

static void flip_free_slots(void)
{
	p = object(a);
	a->free_slots++;
	invalid("S3: cache a: * slots free, counted *");
}

static void flip_cache_deferred(void)
{
	atomic64_inc(&a->nr_deferred);
	invalid("S4: cache a: 0 live, 0 cached, 0 deferred of 0 out; magazines hold 0");
}

/* What an operation itself stumbles over. */
static void flip_then_free_page(void)
{
	p = page(4);
	myalloc_map_frame(&zone->map, p)->order = 3;
	REFUSED(myalloc_pages_free(zone, p, 4), ORDER);
	EXPECT(!myalloc_pages_free(zone, p, 4) || true, "second try");
}

static void flip_head_then_free_page(void)
{
	p = page(4);
	zone->buddy.head[0] |= 1ULL << 8;	/* the block looks like one of order 3 */
	myalloc_pages_free(zone, p, 4);
	corrupt(1);
}

static void flip_state_then_free(void)
{
	p = object(a);
	*myalloc_object_state(a, p) = 0x42;
	before();
	refused(myalloc_cache_free(a, p), MYALLOC_BAD_FREE);
}

/* With F every use of the slab counts. */
static void flip_state_then_use(void)
{
	p = object(a);
	q = object(a);
	*myalloc_object_state(a, p) = MYALLOC_SLOT_FREE;
	good(myalloc_cache_free(a, q));
	corrupt(1);
}

/* A slab that counts too few in use must not keep the cache from serving. */
static void flip_inuse_then_use(void)
{
	void *objects[80];

	p = object(a);
	EXPECT(myalloc_cache_alloc_bulk(a, 0, 61, objects) == 61, "no objects");
	myalloc_map_frame(&zone->map, p)->inuse -= 5;
	EXPECT(myalloc_cache_alloc_bulk(a, 0, 80, objects) == 80, "the cache serves no more");
}

/* --- the cases ------------------------------------------------------------------------------------------ */

struct misuse {
	const char *name;
	void (*fn)(void);
	unsigned int zone_checks;
	unsigned int flags;
	const char *log;	/* without "myalloc: z: " before each line */
};

#define CASE(fn, log)			{ #fn, fn, 0, 0, log }
#define CASE_WITH(flags, fn, log)	{ #fn, fn, 0, flags, log }
#define CASE_ZONE(checks, fn, log)	{ #fn, fn, checks, 0, log }
#define F	MYALLOC_SANITY
#define Z	MYALLOC_REDZONE
#define P	MYALLOC_POISON
#define U	MYALLOC_OWNER

static const struct misuse cases[] = {
	CASE(page_twice,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free"),
	CASE(page_twice_order4,
	     "bad free as pages of order 4: already free (double free); frame 0, order 8, free"),
	CASE(page_twice_later,
	     "bad free as pages of order 2: already free (double free); frame 0, order 2, free"),
	CASE(page_twice_drained,
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free"),
	CASE(page_twice_reused,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free"),
	CASE(page_used_slot,
	     "bad free as pages of order 0: allocated with another order; frame *, order 1, held by *"),
	CASE(page_twice_other_cpu,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free"),
	CASE(page_twice_irq,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free"),
	CASE(page_twice_nmi,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free"),
	CASE(page_twice_deferred,
	     "bad free as pages of order 4: already free (double free); frame 0, order 4, free"),
	CASE(page_twice_in_bulk,
	     "bad free as pages of order 0: already free (double free); frame 0, order 0, free"),
	CASE(page_twice_bulk_later,
	     "bad free as pages of order 1: already free (double free); frame 2, order 1, free"),
	CASE(page_null,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_stack,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_below,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_above,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_gap,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_beyond_end,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_other_zone,
	     "bad free as pages of order 0: not memory of this zone"),
	CASE(page_misaligned,
	     "bad free as pages of order 0: misaligned: nothing begins at this address; frame 0, order 0, held by *"),
	CASE(page_misaligned_by_one,
	     "bad free as pages of order 5: misaligned: nothing begins at this address; frame 0, order 5, held by *"),
	CASE(page_interior,
	     "bad free as pages of order 1: inside a block, not at its beginning; frame 0, order 3, held by *"),
	CASE(page_order_above,
	     "bad free as pages of order 2: allocated with another order; frame 0, order 1, held by *"),
	CASE(page_order_below,
	     "bad free as pages of order 1: allocated with another order; frame 0, order 2, held by *"),
	CASE(page_order_absurd,
	     "bad free as pages of order 256: allocated with another order; frame 0, order 0, held by *"),
	CASE(page_as_object,
	     "bad free as object of a: not what it was allocated as; frame 0, order 0, held by *"),
	CASE(object_as_page,
	     "bad free as pages of order 0: not what it was allocated as; frame 0, order 0, a slab"),
	CASE(second_object_as_page,
	     "bad free as pages of order 0: misaligned: nothing begins at this address; frame 0, order 0, a slab"),
	CASE(object_as_exact,
	     "bad free as 1 pages: not what it was allocated as; frame 0, order 0, a slab"),
	CASE(any_interior,
	     "bad free as pages of order 3: inside a block, not at its beginning; frame 0, order 3, held by *"),
	CASE(any_twice,
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free"),
	CASE(exact_too_many,
	     "bad free as 6 pages: allocated with another order; frame 0, order 2, held by *"),
	CASE(exact_none,
	     "bad free as 0 pages: allocated with another order; frame 0, order 2, held by *"),
	CASE(exact_beyond_chunk,
	     "bad free as 257 pages: allocated with another order; frame 0, order 2, held by *"),
	CASE(exact_twice,
	     "bad free as 5 pages: already free (double free); frame 0, order 8, free"),
	CASE(exact_misaligned,
	     "bad free as 5 pages: misaligned: nothing begins at this address; frame 0, order 2, held by *"),
	CASE(exact_foreign,
	     "bad free as 5 pages: not memory of this zone"),
	CASE(exact_interior,
	     "bad free as 1 pages: inside a block, not at its beginning; frame 0, order 2, held by *"),
	CASE(exact_as_order,
	     "bad free as pages of order 3: allocated with another order; frame 0, order 2, held by *"),
	CASE(range_of_used, ""),
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
	     "bad free as object of a: not what it was allocated as; frame 0, order 0, held by *"),
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
	     "cache a: a cached object is not cached: freed twice at once?"),
	CASE(object_used_slot,
	     "bad free as object of a: not what it was allocated as; frame 0, order 0, held by *"),
	CASE(object_wiped_slot,
	     "bad free as object of w: not what it was allocated as; frame *, order 0, held by *"),
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
	CASE_WITH(Z, overflow_by_one,
	     "cache a, frame 0, slot 0: right red zone overwritten: byte 64 is 0x01, not 0xcc"),
	CASE_WITH(Z, overflow_by_eight,
	     "cache a, frame 0, slot 0: right red zone overwritten: byte 64 is 0x02, not 0xcc"),
	CASE_WITH(Z, overflow_validated, ""),
	CASE_WITH(Z, underflow_by_one,
	     "cache a, frame 0, slot 0: left red zone overwritten: byte -1 is 0x04, not 0xcc"),
	CASE_WITH(Z, underflow_by_eight,
	     "cache a, frame 0, slot 0: left red zone overwritten: byte -8 is 0x05, not 0xcc"),
	CASE_WITH(Z, overflow_once,
	     "cache a, frame 0, slot 0: right red zone overwritten: byte 64 is 0x06, not 0xcc"),
	CASE_WITH(Z, overflow_of_free,
	     "cache a, frame 0, slot 0: right red zone overwritten: byte 64 is 0x07, not 0xbb"),
	CASE_WITH(P, write_after_free,
	     "cache a, frame 0, slot 0: written after free: byte 10 is 0x08, not 0x6b"),
	CASE_WITH(P, write_after_free_last,
	     "cache a, frame 0, slot 0: written after free: byte 63 is 0x09, not 0xa5"),
	CASE_WITH(P, write_after_free_validated, ""),
	CASE_ZONE(P, write_after_free_page,
	     "free page was written to: frame 0, byte 100 is 0x0b, not 0x6b"),
	CASE_ZONE(P, write_after_free_slab,
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
	CASE_WITH(MYALLOC_ZERO_FREE, zero_free_bulk, ""),
	CASE_WITH(MYALLOC_ZERO_FREE | MYALLOC_NO_MAGAZINE, zero_free_deferred, ""),
	CASE(zero_page, ""),
	CASE(zero_page_bulk_exact_range, ""),
	CASE(destroy_with_live,
	     "cache a: still out: frame 0, slot 0\n"
	     "cache a cannot end: 1 objects are still out (check U records who has them)"),
	CASE_WITH(U, destroy_with_live_owners,
	     "cache a: still out: frame 0, slot 0, allocated by * pid *\n"
	     " (stack)\n"
	     "cache a: still out: frame 0, slot 1, allocated by * pid *\n"
	     " (stack)\n"
	     "cache a cannot end: 2 objects are still out"),
	CASE_WITH(U, destroy_with_many_live,
	     "cache a: still out: frame 0, slot 0, allocated by * pid *\n"
	     " (stack)\n"
	     "cache a: still out: frame 0, slot 1, allocated by * pid *\n"
	     " (stack)\n"
	     "cache a: still out: frame 0, slot 2, allocated by * pid *\n"
	     " (stack)\n"
	     "cache a: still out: frame 0, slot 3, allocated by * pid *\n"
	     " (stack)\n"
	     "cache a: still out: frame 0, slot 4, allocated by * pid *\n"
	     " (stack)\n"
	     "cache a: still out: frame 0, slot 5, allocated by * pid *\n"
	     " (stack)\n"
	     "cache a: still out: frame 0, slot 6, allocated by * pid *\n"
	     " (stack)\n"
	     "cache a: still out: frame 0, slot 7, allocated by * pid *\n"
	     " (stack)\n"
	     "cache a cannot end: 10 objects are still out"),
	CASE(destroy_zone_with_cache,
	     "cannot end: cache b still exists"),
	CASE(destroy_zone_with_page,
	     "cannot end: 9 pages out, first: frame 0, order 0, held by *"),
	CASE(object_after_destroy,
	     "bad free as pages of order 0: already free (double free); frame 0, order 8, free"),
	CASE(object_after_destroy_reused,
	     "bad free as object of b: inside a block, not at its beginning; cache b, frame 0, slot 0"),
#ifdef HOST_ASAN
	CASE(cache_after_destroy, ""),
#endif
	CASE(flip_head_off, ""),
	CASE(flip_head_on, ""),
	CASE(flip_free_on, ""),
	CASE(flip_free_off, ""),
	CASE(flip_free_other_order, ""),
	CASE(flip_buddies, ""),
	CASE(flip_unmerged, ""),
	CASE(flip_nr_free, ""),
	CASE(flip_nr_blocks, ""),
	CASE(flip_nonempty, ""),
	CASE(flip_nonempty_above, ""),
	CASE(flip_summary, ""),
	CASE(flip_lone, ""),
	CASE(flip_lone_summary, ""),
	CASE(flip_beyond, ""),
	CASE(flip_type, ""),
	CASE(flip_order, ""),
	CASE(flip_slab_cache, ""),
	CASE(flip_inner_tag, ""),
	CASE(flip_slab_pages, ""),
	CASE(flip_page_to_cached, ""),
	CASE(flip_nr_deferred, ""),
	CASE(flip_map, ""),
	CASE(flip_inuse, ""),
	CASE(flip_hint, ""),
	CASE_WITH(MYALLOC_NO_MAGAZINE, flip_state, ""),
	CASE_WITH(MYALLOC_NO_MAGAZINE, flip_state_free, ""),
	CASE(flip_state_cached, ""),
	CASE(flip_list, ""),
	CASE(flip_list_lost, ""),
	CASE(flip_list_count, ""),
	CASE(flip_prev, ""),
	CASE(flip_free_slots, ""),
	CASE(flip_cache_deferred, ""),
	CASE(flip_then_free_page,
	     "bad free as pages of order 4: allocated with another order; frame 0, order 4, held by *\n"
	     "bad free as pages of order 4: allocated with another order; frame 0, order 4, held by *"),
	CASE(flip_head_then_free_page,
	     "frame 0 tagged as block of order 4: allocated with another order"),
	CASE(flip_state_then_free,
	     "bad free as object of a: already free (double free); cache a, frame 0, slot 0"),
	CASE_WITH(F, flip_state_then_use,
	     "cache a: slab at frame 0 counts 1 slots in use, 0 are"),
	CASE_WITH(MYALLOC_NO_MAGAZINE, flip_inuse_then_use,
	     "cache a: slab at frame 0 has fewer free slots than it counts"),
};

/* The log without the prefix that every line has, and with call stacks made short. */
static void plain_log(char *to, size_t size)
{
	static const char prefix[] = "myalloc: z: ";
	const char *from = host_log_text();
	size_t len = 0;

	while (*from && len < size - 1) {
		const char *line_end = strchrnul(from, '\n');

		if (!strncmp(from, prefix, strlen(prefix))) {
			from += strlen(prefix);
		} else if (*from == ' ') {	/* of a call stack: one line stands for all */
			if (len && to[len - 1] != '\n')
				len += scnprintf(to + len, size - len, "\n");
			if (len < 9 || strncmp(to + len - 9, " (stack)\n", 9))
				len += scnprintf(to + len, size - len, " (stack)\n");
			from = *line_end ? line_end + 1 : line_end;
			continue;
		}
		len += scnprintf(to + len, size - len, "%.*s%s", (int)(line_end - from), from,
				 line_end[1] && *line_end ? "\n" : "");
		from = *line_end ? line_end + 1 : line_end;
	}
	to[len] = '\0';
}

/* Runs @fn in a child; false if it crashed. */
static bool in_child(void (*fn)(const void *arg), const void *arg)
{
	int status;
	pid_t pid;

	memset(told, 0, sizeof(*told));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		host_fatal("fork: %s", strerror(errno));
	if (!pid) {
		alarm(60);
		fn(arg);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return !status;
}

static void run_case(const void *arg)
{
	const struct misuse *m = arg;

	make_world(m->zone_checks, m->flags);
	m->fn();
	plain_log(told->log, sizeof(told->log));
	host_preempt_point = NULL;
	if (host_check_clean())
		wrong("%s", host_check_clean());
}

static void test_case(const struct misuse *m, bool show)
{
	bool ok = in_child(run_case, m);

	if (show) {
		printf("%s:\n%s\n", m->name, told->log);
		return;
	}
	if (!ok)
		ktap_note("%s: crashed", m->name);
	else if (told->failed)
		ktap_note("%s: %s", m->name, told->why);
	if (ok && !match(m->log, told->log)) {
		ktap_note("%s: expected \"%s\"", m->name, m->log);
		ktap_note("%s: logged   \"%s\"", m->name, told->log);
		ok = false;
	}
	ktap_result(ok && !told->failed, "%s", m->name);
}

/* --- the table of levels ---------------------------------------------------------------------------------- */

/* When a mistake is noticed, in the order of merit. */
enum outcome {
	NEVER,		/* not at all, or only by the harm it does */
	VALIDATED,	/* when somebody validates */
	REPORTED,	/* when the memory is next freed or allocated */
	REFUSED_,	/* at once: the operation returns an error and changes nothing */
};

static const char * const outcome_names[] = {
	[NEVER] = "no", [VALIDATED] = "validate", [REPORTED] = "reported", [REFUSED_] = "refused",
};

static const struct {
	const char *name;
	unsigned int checks;
} levels[] = {
	{ "none", 0 }, { "F", F }, { "Z", Z }, { "P", P }, { "U", U },
};

struct level_case {
	const char *name;
	int (*fn)(void);	/* what the wrong free returned, 0 if none is made */
	enum outcome outcome[ARRAY_SIZE(levels)];
};

static int level_double(void)
{
	p = object(a);
	myalloc_cache_free(a, p);
	return myalloc_cache_free(a, p);
}

/* The address was given to somebody else meanwhile: it is a right free of the wrong owner. */
static int level_stale(void)
{
	p = object(a);
	myalloc_cache_free(a, p);
	q = object(a);
	return p == q ? myalloc_cache_free(a, p) : -EINVAL;
}

static int level_foreign(void)
{
	return myalloc_cache_free(a, &err);
}

static int level_interior(void)
{
	return myalloc_cache_free(a, object(a) + 8);
}

static int level_wrong_cache(void)
{
	return myalloc_cache_free(b, object(a));
}

static int level_wrong_order(void)
{
	return myalloc_pages_free(zone, page(2), 1);
}

/* The first pieces of a run are a run, too. */
static int level_exact_fewer(void)
{
	return myalloc_pages_free_exact(zone, exact(5), 4);
}

static int level_any_exact(void)
{
	return myalloc_free(zone, exact(5));
}

static void finish(void *o)
{
	myalloc_cache_free(a, o);
	object(a);
}

static int level_over_1(void)
{
	u8 *o = object(a);

	o[SIZE] ^= 0x55;
	finish(o);
	return 0;
}

static int level_over_8(void)
{
	u8 *o = object(a);

	memset(o + SIZE, 0x55, 8);
	finish(o);
	return 0;
}

static int level_over_far(void)
{
	u8 *o = object(a);

	object(a);
	o[SIZE + 40] ^= 0x55;	/* beyond the red zone, into the next object */
	finish(o);
	return 0;
}

static int level_under_1(void)
{
	u8 *o;

	object(a);
	o = object(a);
	o[-1] ^= 0x55;
	finish(o);
	return 0;
}

static int level_write_after_free(void)
{
	u8 *o = object(a);

	myalloc_cache_free(a, o);
	o[16] ^= 0x55;
	object(a);
	return 0;
}

static int level_write_after_reuse(void)
{
	u8 *o = object(a);

	myalloc_cache_free(a, o);
	object(a);
	o[16] ^= 0x55;
	finish(o);
	return 0;
}

static int level_write_after_free_page(void)
{
	u8 *o = page(0);

	myalloc_pages_free(zone, o, 0);
	o[16] ^= 0x55;
	page(0);
	return 0;
}

static int level_read_after_free(void)
{
	volatile u8 *o = object(a);

	myalloc_cache_free(a, (void *)o);
	(void)o[16];
	object(a);
	return 0;
}

static int level_state(void)
{
	p = object(a);
	q = object(a);
	*myalloc_object_state(a, p) = MYALLOC_SLOT_FREE;
	myalloc_cache_free(a, q);
	return 0;
}

static int level_leak(void)
{
	object(a);
	return myalloc_cache_destroy(a);
}

static const struct level_case level_cases[] = {
	/*					 none	   F	     Z	       P	 U */
	{ "double free", level_double,		{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "free of what somebody else has got since", level_stale,
						{ NEVER, NEVER, NEVER, NEVER, NEVER } },
	{ "free of a foreign address", level_foreign,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "free of an address inside an object", level_interior,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "free to the wrong cache", level_wrong_cache,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "free with the wrong order", level_wrong_order,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "exact free of the first pieces only", level_exact_fewer,
						{ NEVER, NEVER, NEVER, NEVER, NEVER } },
	{ "myalloc_free() of an exact allocation", level_any_exact,
						{ NEVER, NEVER, NEVER, NEVER, NEVER } },
	{ "leak, when the cache is destroyed", level_leak,
						{ REFUSED_, REFUSED_, REFUSED_, REFUSED_, REFUSED_ } },
	{ "write one byte behind an object", level_over_1,
						{ NEVER, NEVER, REPORTED, NEVER, NEVER } },
	{ "write eight bytes behind an object", level_over_8,
						{ NEVER, NEVER, REPORTED, NEVER, NEVER } },
	{ "write behind the red zone", level_over_far,
						{ NEVER, NEVER, NEVER, NEVER, NEVER } },
	{ "write one byte before an object", level_under_1,
						{ NEVER, NEVER, REPORTED, NEVER, NEVER } },
	{ "write to a freed object", level_write_after_free,
						{ NEVER, NEVER, NEVER, REPORTED, NEVER } },
	{ "write to an object that somebody else has got since", level_write_after_reuse,
						{ NEVER, NEVER, NEVER, NEVER, NEVER } },
	{ "write to a freed page", level_write_after_free_page,
						{ NEVER, NEVER, NEVER, REPORTED, NEVER } },
	{ "read of a freed object", level_read_after_free,
						{ NEVER, NEVER, NEVER, NEVER, NEVER } },
	{ "damaged state of a slot", level_state,
						{ VALIDATED, REPORTED, VALIDATED, VALIDATED, VALIDATED } },
};

static unsigned int level_checks;

static void run_level(const void *arg)
{
	const struct level_case *c = arg;
	struct myalloc_zone_books books;
	struct myalloc_validation v;
	enum outcome outcome = NEVER;
	int err;

	make_world(level_checks, 0);
	err = c->fn();
	myalloc_zone_books(zone, &books);
	if (err)
		outcome = REFUSED_;
	else if (books.corruptions)
		outcome = REPORTED;
	else if (!myalloc_zone_validate(zone, &v))
		outcome = VALIDATED;
	told->log[0] = outcome;
}

static void test_level(const struct level_case *c)
{
	bool ok = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		enum outcome got;

		level_checks = levels[i].checks;
		if (!in_child(run_level, c)) {
			ktap_note("%s at level %s: crashed", c->name, levels[i].name);
			ok = false;
			continue;
		}
		got = told->log[0];
		if (got == c->outcome[i])
			continue;
		ktap_note("%s at level %s: the table says \"%s\", it is \"%s\"", c->name,
			  levels[i].name, outcome_names[c->outcome[i]], outcome_names[got]);
		ok = false;
	}
	ktap_result(ok, "level: %s", c->name);
}

static void print_table(void)
{
	unsigned int i, j;

	printf("| mistake |");
	for (j = 0; j < ARRAY_SIZE(levels); j++)
		printf(" %s |", levels[j].name);
	printf("\n|---|");
	for (j = 0; j < ARRAY_SIZE(levels); j++)
		printf("---|");
	putchar('\n');
	for (i = 0; i < ARRAY_SIZE(level_cases); i++) {
		printf("| %s |", level_cases[i].name);
		for (j = 0; j < ARRAY_SIZE(levels); j++)
			printf(" %s |", outcome_names[level_cases[i].outcome[j]]);
		putchar('\n');
	}
}

/* --- the program -------------------------------------------------------------------------------------------- */

static void usage(FILE *out)
{
	fprintf(out, "usage: misuse_test [--table | --show] [--case NAME]\n"
		"Every mistake a user can make, and what comes of it, word for word.\n"
		"  --table      print what each level of checking finds\n"
		"  --show       print what each case logs\n"
		"  --case NAME  only this one\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "table", no_argument, NULL, 't' },
		{ "show", no_argument, NULL, 's' },
		{ "case", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *only = NULL;
	bool show = false;
	unsigned int i, nr = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 't':
			print_table();
			return 0;
		case 's':
			show = true;
			break;
		case 'c':
			only = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		host_fatal("mmap: %s", strerror(errno));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		nr += !only || !strcmp(cases[i].name, only);
	if (!nr) {
		fprintf(stderr, "no case is called %s\n", only);
		return 2;
	}
	if (!show)
		ktap_plan(nr + (only ? 0 : ARRAY_SIZE(level_cases)));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (!only || !strcmp(cases[i].name, only))
			test_case(&cases[i], show);
	if (show)
		return 0;
	for (i = 0; i < ARRAY_SIZE(level_cases) && !only; i++)
		test_level(&level_cases[i]);
	return ktap_end();
}

/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the parts of misuse_test: the world of a case, expectations of a case, tables */
#ifndef MYALLOC_TESTS_MISUSE_H
#define MYALLOC_TESTS_MISUSE_H

#include "env.h"
#include "zone/validate.h"

#define CHUNK_ORDER	8
#define NR_CHUNKS	4
#define NR_PAGES	(NR_CHUNKS << CHUNK_ORDER)
#define SIZE		64	/* bytes in an object */

/* The world: three chunks, a gap, the last one; two caches. */
extern u8 *chunk[NR_CHUNKS];
extern struct myalloc_zone *zone;
extern struct myalloc_cache *a, *b;
extern u32 nr_pages;	/* in the next world */

void make_world(myalloc_cache_flags_t zone_checks, myalloc_cache_flags_t flags);

/* These succeed, or the case fails. */
void *page(unsigned int order);
void *exact(u32 nr);
void *object(struct myalloc_cache *cache);
void good(int err);
void free_block(void *block, unsigned int order);

/* Functions of the world fail cases, too, so a line number needs the file. */
#define EXPECT(cond, fmt, ...) \
	do { if (!(cond)) wrong("%s:%d: " fmt, __FILE__, __LINE__, ##__VA_ARGS__); } while (0)

/* Only the first call is reported. */
__printf(1, 2) void wrong(const char *fmt, ...);

/* The free was refused, counted under @bad, and has changed nothing since before(). */
void before(void);
void refused(int err, enum myalloc_bad bad);

#define REFUSED(call, bad)	do { before(); refused(call, MYALLOC_BAD_##bad); } while (0)

void corrupt(unsigned int nr);
void valid(void);
/* The first finding of validation is @text. */
void invalid(const char *text);

void in_irq(void (*fn)(void));
void in_nmi_locked(raw_spinlock_t *lock, void (*fn)(void));

/**
 * struct misuse - one case
 * @name: of the function, too
 * @fn: makes the mistake
 * @zone_checks: checks of the zone
 * @flags: of both caches
 * @log: the lines of the log, '*' for anything in a line; without "myalloc: z: " before each line
 */
struct misuse {
	const char *name;
	void (*fn)(void);
	myalloc_cache_flags_t zone_checks;
	myalloc_cache_flags_t flags;
	const char *log;
};

#define CASE(fn, log)			{ #fn, fn, 0, 0, log }
#define CASE_WITH(flags, fn, log)	{ #fn, fn, 0, flags, log }
#define CASE_ZONE(checks, fn, log)	{ #fn, fn, checks, 0, log }

/* Each ends with an empty one. */
extern const struct misuse misuse_pages[];
extern const struct misuse misuse_objects[];
extern const struct misuse misuse_damage[];
extern const struct misuse misuse_metadata[];
extern const struct misuse misuse_requests[];
extern const struct misuse misuse_shadow[];
extern const struct misuse misuse_heap[];
extern const struct misuse misuse_pool[];
extern const struct misuse misuse_arena[];
extern const struct misuse misuse_ring[];
extern const struct misuse misuse_contract[];
extern const struct misuse misuse_client[];

/* The result that a child passes to its parent. */
struct told {
	bool failed;
	char why[400];
	char log[8192];
};

extern struct told *told;

/* Runs @fn in a child; false if it crashed. */
bool in_child(void (*fn)(const void *arg), const void *arg);

/* The table of levels. @result is ktap_result(): each file that has ktap.h counts for itself. */
extern const unsigned int nr_level_cases;
void test_levels(void (*result)(bool ok, const char *fmt, ...));
void print_table(void);

#endif /* MYALLOC_TESTS_MISUSE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the suites: zones with memory of their own, other CPUs, interrupts, the log
 *
 * A suite has .init = fixture_init and .exit = fixture_exit. A zone that a test makes with
 * fixture_zone() is destroyed at the end of the test, which fails unless the test has freed
 * everything.
 */
#ifndef MYALLOC_KUNIT_FIXTURE_H
#define MYALLOC_KUNIT_FIXTURE_H

#include "base/random.h"
#include "object/check.h"
#include "zone/validate.h"

/* Size of an object of which as many fit into a page as of @size bytes into 4 KiB. */
#define SCALED(size)	((unsigned int)((size) * (PAGE_SIZE >> 12)))

/* Size of an object of which eight fill a slab exactly. */
#define EIGHT_A_SLAB	((unsigned int)max(4096ul, PAGE_SIZE / 4))

/**
 * struct fixture_args - a zone for a test
 * @nr_pages: frames in total
 * @chunk_order: log2 of frames in a chunk
 * @stride: distance between the beginnings of two chunks, in chunks; 0 means 1
 * @checks: MYALLOC_CHECKS
 * @policy: enum myalloc_policy
 * @no_magazines: no page magazines
 * @simulated: addresses only, without memory
 * @ops: callbacks, or NULL
 */
struct fixture_args {
	u32 nr_pages;
	u32 chunk_order;
	u32 stride;
	myalloc_cache_flags_t checks;
	enum myalloc_policy policy;
	bool no_magazines;
	bool simulated;
	const struct myalloc_zone_ops *ops;
};

/**
 * struct fixture - a zone of a test
 * @test: the test
 * @next: another zone of the same test
 * @zone: the zone
 * @args: the arguments it was created with
 * @chunks: addresses of its chunks
 * @memory: address of the memory that contains the chunks, 0 if simulated
 * @order: log2 of pages in @memory
 * @v: result of the last fixture_valid()
 * @noted: statistics at fixture_note()
 * @stats: statistics at the last fixture_stats() or comparison
 * @digest: digest of metadata and memory at fixture_note()
 * @text: the last report
 * @expected: the expected report
 */
struct fixture {
	struct kunit *test;
	struct fixture *next;
	struct myalloc_zone *zone;
	struct myalloc_zone_args args;
	void **chunks;
	unsigned long memory;
	unsigned int order;
	struct myalloc_validation v;
	struct myalloc_zone_stats noted;
	struct myalloc_zone_stats stats;
	u64 digest;
	char text[MYALLOC_REPORT_SIZE];
	char expected[MYALLOC_REPORT_SIZE];
};

int fixture_init(struct kunit *test);
void fixture_exit(struct kunit *test);
void fixture_random(struct kunit *test, struct myalloc_random *random);
void *fixture_zalloc(struct kunit *test, size_t size);
void **fixture_array(struct kunit *test, u32 nr);

struct fixture *fixture_prepare(struct kunit *test, const struct fixture_args *args);
struct fixture *fixture_zone(struct kunit *test, const struct fixture_args *args);
void fixture_end(struct fixture *fx);
struct myalloc_cache *fixture_cache(struct fixture *fx, const char *name,
				    unsigned int object_size, myalloc_cache_flags_t flags);

void fixture_free_deferred(struct fixture *fx, void **blocks, u32 nr, unsigned int order);

bool fixture_valid(struct fixture *fx);
void fixture_expect_valid(struct fixture *fx, int line);
const struct myalloc_zone_stats *fixture_stats(struct fixture *fx);
u8 fixture_byte(const void *addr);
const char *fixture_report(struct fixture *fx);
bool fixture_names_freer(struct fixture *fx);
const char *fixture_without_freer(struct fixture *fx);
struct fixture *fixture_note(struct fixture *fx);
bool fixture_unchanged(struct fixture *fx);
void fixture_gp_wait(void);
void fixture_let_pass(struct fixture *fx);
void fixture_worker_pass(struct fixture *fx);
bool fixture_pristine(struct fixture *fx);
__printf(5, 6)
void fixture_refused(struct fixture *fx, int line, int err, enum myalloc_bad bad,
		     const char *fmt, ...);
const char *fixture_symbol(unsigned long caller, char *buf, size_t size);
bool fixture_called_by(unsigned long caller, const void *fn);

/* Expect that every invariant holds. */
#define FIXTURE_EXPECT_VALID(fx) fixture_expect_valid(fx, __LINE__)

/*
 * Expect that @call is refused as a wrong free: it returns -EINVAL, counts as @bad, is reported
 * once with this text, and changes no byte of metadata or memory.
 */
#define FIXTURE_EXPECT_REFUSED(fx, call, bad, fmt, ...)			\
	do {								\
		struct fixture *__fx = fixture_note(fx);		\
		int __err = (call);					\
									\
		fixture_refused(__fx, __LINE__, __err, bad, fmt, ##__VA_ARGS__); \
	} while (0)

/* Unpoison memory that a test is about to touch although it is free or beside an object. */
static inline void *fixture_touch(const void *addr, size_t size)
{
	const char *begin = PTR_ALIGN_DOWN((char *)addr, MYALLOC_ENV_GRANULE);

	myalloc_env_unpoison(begin, ALIGN((char *)addr + size - begin, MYALLOC_ENV_GRANULE));
	return (void *)addr;
}

/* --- differences between the host and the kernel ------------------------- */

u64 fixture_seed(void);
unsigned int fixture_nr_cpus(void);
void fixture_on_cpu(unsigned int nr, void (*fn)(void *arg), void *arg);
int fixture_cpu(unsigned int nr);
void fixture_interrupts_pass(void);
void fixture_print_pass(struct fixture *fx);
unsigned long fixture_nmi_enter(void);
void fixture_nmi_exit(unsigned long irq);
void fixture_in_context(unsigned int level, void (*fn)(void *arg), void *arg);

bool fixture_unchecked_wait(bool on);
bool fixture_set_hook(void (*hook)(const char *where));
bool fixture_set_step_hook(void (*hook)(const char *where));
bool fixture_count_steps(const char *where);
unsigned long fixture_steps(void);
void fixture_set_ratelimit(bool on);
bool fixture_set_online(unsigned int nr, bool online);
bool fixture_fail_after(unsigned long k);
void fixture_memory_split(unsigned long memory, unsigned int order);
void fixture_memory_put(unsigned long memory, unsigned int order);
void fixture_set_referenced(const void *addr, bool referenced);
bool fixture_set_bad(const void *addr, bool bad);
bool fixture_set_aliasing(bool on);
bool fixture_set_fatal_signal(bool on);
bool fixture_fail_fired(void);
unsigned long fixture_live_allocs(void);
bool fixture_thorough(void);

void fixture_log_mark(void);
unsigned int fixture_log_count(const char *needle);

#endif /* MYALLOC_KUNIT_FIXTURE_H */

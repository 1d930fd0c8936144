// SPDX-License-Identifier: GPL-2.0
/* Tests of reports: none is cut, none is printed under a lock, and their rate is limited. */
#include "env.h"

#include <kunit/test.h>

#include "client/client.h"
#include "client/contract.h"
#include "fixture.h"
#include "page/drain.h"
#include "report_names.h"
#include "zone/zone.h"

#define FOREIGN	"bad free as pages of order 0: not memory of this zone"

static struct fixture *make_zone(struct kunit *test, unsigned int checks)
{
	const struct fixture_args args = {
		.nr_pages = 64, .chunk_order = 6, .no_magazines = true, .checks = checks,
	};

	return fixture_zone(test, &args);
}

static void wrong_frees(struct fixture *fx, u32 nr)
{
	while (nr--)
		KUNIT_EXPECT_EQ(fx->test, myalloc_pages_free(fx->zone, NULL, 0), -EINVAL);
}

noinline void *long_alloc(struct myalloc_cache *cache)
{
	void *object = myalloc_cache_alloc(cache, 0);

	barrier();
	return object;
}

noinline int long_free(struct myalloc_cache *cache, void *object)
{
	int err = myalloc_cache_free(cache, object);

	barrier();
	return err;
}

/* The longest report, with the longest names of caches and two owners, is not cut. */
static void report_longest(struct kunit *test)
{
	struct fixture *fx = make_zone(test, MYALLOC_OWNER);
	struct myalloc_cache *cache = fixture_cache(fx, "a-name-of-31-characters-aaaaaaa", 64, 0);
	struct myalloc_cache *other = fixture_cache(fx, "a-name-of-31-characters-bbbbbbb", 64, 0);
	char *symbol = kunit_kcalloc(test, 2, MYALLOC_ENV_SYMBOL, GFP_KERNEL);
	void *object = long_alloc(cache);
	void *freed = long_alloc(cache);
	const struct myalloc_track *track;
	u32 pid = myalloc_env_pid();
	unsigned long by[2];

	KUNIT_ASSERT_NOT_NULL(test, symbol);
	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_ASSERT_NOT_NULL(test, freed);
	KUNIT_EXPECT_EQ(test, long_free(cache, freed), 0);
	track = myalloc_track(cache, myalloc_frame_addr(fx->zone, 0), 1, MYALLOC_TRACK_ALLOC);
	by[0] = track[0].caller;	/* and not a function of the allocator */
	by[1] = track[1].caller;
	KUNIT_EXPECT_TRUE(test, fixture_called_by(by[0], long_alloc));
	KUNIT_EXPECT_TRUE(test, fixture_called_by(by[1], long_free));
	myalloc_env_symbol(symbol, MYALLOC_ENV_SYMBOL, by[0]);
	myalloc_env_symbol(symbol + MYALLOC_ENV_SYMBOL, MYALLOC_ENV_SYMBOL, by[1]);
	FIXTURE_EXPECT_REFUSED(fx, myalloc_cache_free(other, freed), MYALLOC_BAD_CACHE,
			       "bad free as object of %s: an object of another cache; cache %s, frame 0, slot 1, allocated by %s pid %u, freed by %s pid %u",
			       other->name, cache->name, symbol, pid, symbol + MYALLOC_ENV_SYMBOL,
			       pid);
	KUNIT_EXPECT_GT(test, strlen(fx->expected), 160);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
}

noinline int frees_now(struct myalloc_cache *cache, void *object)
{
	int err = myalloc_cache_free(cache, object);

	barrier();
	return err;
}

noinline int frees_pages_now(struct myalloc_zone *zone, void *page)
{
	int err = myalloc_pages_free(zone, page, 0);

	barrier();
	return err;
}

noinline int frees_any_now(struct myalloc_zone *zone, void *addr)
{
	int err = myalloc_free(zone, addr);

	barrier();
	return err;
}

/* Does the last report name the address and the code that frees it now? */
static bool names(struct fixture *fx, const void *addr, const char *name)
{
	char text[80];

	scnprintf(text, sizeof(text), "; address %p, freed now by %s+0x", addr, name);
	return strstr(fixture_report(fx), text);
}

/* The report says what was freed and who freed it: the user, not a function of the allocator. */
static void report_freer(struct kunit *test)
{
	struct fixture *fx = make_zone(test, 0);
	struct myalloc_cache *cache = fixture_cache(fx, "twice", 64, 0);
	void *object = myalloc_cache_alloc(cache, 0), *page = myalloc_pages_alloc(fx->zone, 0, 0);
	char *hint;

	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, frees_now(cache, object), 0);
	KUNIT_EXPECT_EQ(test, frees_now(cache, object), -EINVAL);
	KUNIT_EXPECT_TRUE(test, fixture_names_freer(fx));
	KUNIT_EXPECT_TRUE(test, names(fx, object, "frees_now"));
	hint = strstr(fixture_report(fx), "; check U records its owners");
	KUNIT_EXPECT_TRUE(test, hint && !hint[28]);
	KUNIT_EXPECT_EQ(test, frees_any_now(fx->zone, object), -EINVAL);
	KUNIT_EXPECT_TRUE(test, names(fx, object, "frees_any_now"));
	KUNIT_EXPECT_EQ(test, frees_any_now(fx->zone, page), 0);
	KUNIT_EXPECT_EQ(test, frees_any_now(fx->zone, page), -EINVAL);
	KUNIT_EXPECT_TRUE(test, names(fx, page, "frees_any_now"));
	KUNIT_EXPECT_EQ(test, frees_pages_now(fx->zone, page), -EINVAL);
	KUNIT_EXPECT_TRUE(test, fixture_names_freer(fx));
	KUNIT_EXPECT_TRUE(test, names(fx, page, "frees_pages_now"));
	KUNIT_EXPECT_PTR_EQ(test, strstr(fixture_report(fx), "; check U"), NULL);
}

/* Not cloned: a clone's name would differ. */
noinline __noclone
void *longest(struct myalloc_zone *zone, unsigned int order, myalloc_flags_t flags)
{
	void *addr = myalloc_pages_alloc(zone, order, flags);

	barrier();
	return addr;
}

/* A report that is longer than a record of the kernel's log is printed in two. */
static void report_records(struct kunit *test)
{
	struct fixture *fx = make_zone(test, 0);
	char *text = kunit_kzalloc(test, MYALLOC_REPORT_SIZE, GFP_KERNEL);
	struct myalloc_reports *r = &fx->zone->reports;
	unsigned long irq, fn = (unsigned long)longest;
	struct myalloc_report *report;
	char *rest;
	u32 len;

	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(text, 'x', 290);
	len = 290 + myalloc_env_symbol(text + 290, MYALLOC_ENV_SYMBOL, fn);
	len += scnprintf(text + len, MYALLOC_REPORT_SIZE - len, " and ");
	len += myalloc_env_symbol(text + len, MYALLOC_ENV_SYMBOL, fn);
	if (len <= 800)
		kunit_skip(test, "no symbols of this length here: %s", text + 290);
	fixture_log_mark();
	report = myalloc_report_begin(r, &irq);
	KUNIT_ASSERT_NOT_NULL(test, report);
	myalloc_report_add(report, "%.290s", text);
	myalloc_report_symbol(report, fn);
	myalloc_report_add(report, " and ");
	myalloc_report_symbol(report, fn);
	myalloc_report_end(r, report, irq);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), text);
	rest = kunit_kzalloc(test, MYALLOC_REPORT_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rest);
	scnprintf(rest, MYALLOC_REPORT_SIZE, "test: %s", text + 800);
	text[800] = '\0';
	KUNIT_EXPECT_EQ(test, fixture_log_count(text), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count(rest), 1);
}

/* The last report of @zone is @before, the symbol of longest(), and @after. */
static void names_longest(struct fixture *fx, struct myalloc_zone *zone, const char *before,
			  const char *after)
{
	size_t len = strlen(before), name = sizeof(__stringify(longest)) - 1;
	const char *at = fx->text + len;

	myalloc_zone_last_report(zone, fx->text, sizeof(fx->text));
	KUNIT_EXPECT_EQ_MSG(fx->test, strncmp(fx->text, before, len), 0, "%s", fx->text);
	if (strncmp(at, __stringify(longest) "+0x", name + 3)) {
		KUNIT_FAIL(fx->test, "%s", fx->text);
		return;
	}
	at += name + 3;
	at += strspn(at, "0123456789abcdef/x");
	if (!strncmp(at, " [", 2) && strchr(at, ']'))
		at = strchr(at, ']') + 1;	/* its module */
	KUNIT_EXPECT_STREQ(fx->test, at, after);
}

/* Every kind of report that names a call site gives its full name. */
static void report_callers(struct kunit *test)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 4, .orders = 1,
	};
	const struct myalloc_client_args args = {
		.name = "frob", .owner = test, .owner_name = "module frob",
	};
	struct fixture *fx = make_zone(test, MYALLOC_SANITY);
	struct myalloc_contract_plan *plan = fixture_zalloc(test, sizeof(*plan));
	struct myalloc_zone *zone = fx->zone, *part;
	struct myalloc_contract *contract;
	struct myalloc_client *client;
	struct myalloc_frame *frame;
	void *page[4], *left;
	unsigned long irq;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, plan);
	KUNIT_EXPECT_NULL(test, longest(zone, 0, __MYALLOC_FLAG(BIT(31))));
	names_longest(fx, zone, "request from ",
		      " refused: unknown flags 0x80000000, allowed are 0xf (GFP flags are not)");

	if (fixture_unchecked_wait(true)) {
		local_irq_save(irq);
		page[0] = longest(zone, 0, MYALLOC_MAY_WAIT);
		local_irq_restore(irq);
		names_longest(fx, zone, "MYALLOC_MAY_WAIT from ",
			      ", which may not sleep: ignored; further cases are not reported");
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[0], 0), 0);
		fixture_unchecked_wait(false);
	}

	page[0] = longest(zone, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, page[0]);
	fixture_set_referenced(page[0], true);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[0], 0), 0);
	names_longest(fx, zone,
		      "frame 0, order 0, was freed while lent, and is not lendable; allocated by ",
		      "");
	fixture_set_referenced(page[0], false);
	myalloc_zone_drain(zone);

	client = myalloc_client_create(zone, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client);
	page[0] = longest(zone, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, page[0]);
	left = myalloc_client_pages_alloc(client, 2, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, left);
	frame = myalloc_map_frame(&zone->map, page[0]);
	myalloc_map_frame(&zone->map, left)->caller = frame->caller;
	KUNIT_EXPECT_EQ(test, myalloc_client_orphan(zone, &(struct myalloc_leaver){
				.owner = test }), 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_client_create(zone, &args)), -EEXIST);
	names_longest(fx, zone,
		      "client frob: the name is already used by a client of module frob, which is gone and has 2 pages left, allocated at ",
		      "");
	KUNIT_EXPECT_EQ(test, myalloc_client_pages_free(client, left, 2), 0);
	KUNIT_EXPECT_EQ(test, myalloc_client_end(client, 0), 0);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, page[0], 0), 0);

	/* With a page less than planned, the last request within the line fails. */
	contract = myalloc_contract_create(zone, "frob", &line, 1, MYALLOC_CONTRACT_SHORT, plan);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, contract);
	part = myalloc_contract_zone(contract, 0);
	KUNIT_EXPECT_NULL(test, longest(part, 1, 0));
	names_longest(fx, part, "request for 2 pages from ",
		      " refused: a contract does not serve a size that is not declared");
	for (i = 0; i < 3; i++)
		page[i] = myalloc_pages_alloc(part, 0, 0);
	KUNIT_EXPECT_NULL(test, longest(part, 0, 0));
	names_longest(fx, part, "request for 1 page from ",
		      " failed within the contract: this is a bug; further cases are not reported");
	KUNIT_EXPECT_EQ(test, myalloc_pages_free_bulk(part, 0, 3, page), 3);
	KUNIT_EXPECT_EQ(test, myalloc_contract_end(contract, 0), 0);
}

/* An entry has room for its text, and no more. */
static void report_words(struct kunit *test)
{
	struct fixture *fx = make_zone(test, 0);
	char *text = kunit_kzalloc(test, MYALLOC_REPORT_SIZE, GFP_KERNEL);
	struct myalloc_reports *r = &fx->zone->reports;
	struct myalloc_report *report;
	unsigned long irq;

	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(text, 'x', MYALLOC_REPORT_WORDS - 1);
	fixture_log_mark();
	report = myalloc_report_begin(r, &irq);
	KUNIT_ASSERT_NOT_NULL(test, report);
	myalloc_report_add(report, "%s", text);
	KUNIT_EXPECT_EQ(test, report->len, MYALLOC_REPORT_WORDS - 1);
	myalloc_report_end(r, report, irq);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx), text);
	KUNIT_EXPECT_EQ(test, fixture_log_count(text), 1);
	/* The text is cut to the reader's buffer. */
	myalloc_zone_last_report(fx->zone, text, 9);
	KUNIT_EXPECT_STREQ(test, text, "xxxxxxxx");
}

/* At most 10 reports in 5 s; the next one tells how many were suppressed. */
static void report_ratelimit(struct kunit *test)
{
	struct fixture *fx = make_zone(test, 0);
	struct myalloc_reports *r = &fx->zone->reports;

	KUNIT_EXPECT_EQ(test, MYALLOC_REPORT_BURST, 10);
	fixture_set_ratelimit(true);
	r->burst = MYALLOC_REPORT_BURST;
	fixture_log_mark();
	wrong_frees(fx, 1000);
	KUNIT_EXPECT_EQ(test, fixture_log_count(FOREIGN), 10);
	KUNIT_EXPECT_EQ(test, fixture_log_count("suppressed"), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_frees, 1000);
	KUNIT_EXPECT_EQ(test, fx->stats.reports_suppressed, 990);
	/* The last one is kept although it is not printed. */
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, NULL, 3), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fixture_without_freer(fx),
			   "bad free as pages of order 3: not memory of this zone");
	r->begin -= MYALLOC_REPORT_INTERVAL;	/* 5 s later */
	fixture_log_mark();
	wrong_frees(fx, 11);
	KUNIT_EXPECT_EQ(test, fixture_log_count(FOREIGN), 10);
	KUNIT_EXPECT_EQ(test, fixture_log_count("test: 991 reports suppressed"), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("suppressed"), 1);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->reports_suppressed, 992);
	fixture_set_ratelimit(false);
}

/*
 * 5 s later a cache with 8 objects refuses its destruction 20 times, each time with a report and a
 * list, which has @lines lines with @text.
 */
static void refused_ends(struct fixture *fx, const struct myalloc_cache_args *args,
			 const char *text, u32 lines, u64 suppressed)
{
	struct myalloc_cache *cache = myalloc_cache_create(fx->zone, args);
	struct kunit *test = fx->test;
	void *object[8];
	u32 i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	for (i = 0; i < ARRAY_SIZE(object); i++)
		object[i] = myalloc_cache_alloc(cache, 0);
	fx->zone->reports.begin -= MYALLOC_REPORT_INTERVAL;
	fixture_log_mark();
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), -EBUSY);
	KUNIT_EXPECT_EQ(test, fixture_log_count("cannot be destroyed"), 5);
	KUNIT_EXPECT_EQ(test, fixture_log_count(text), 5 * lines);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->reports_suppressed, suppressed);
	for (i = 0; i < ARRAY_SIZE(object); i++)
		KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object[i]), 0);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
}

/* Messages that a caller can cause in a loop are limited as well: refused arguments, and lists. */
static void report_refusals(struct kunit *test)
{
	struct myalloc_cache_args args = {
		.name = "a/b", .object_size = 64, .flags = MYALLOC_OWNER,
	};
	struct fixture *fx = make_zone(test, 0);
	struct myalloc_reports *r = &fx->zone->reports;
	u32 i;

	fixture_set_ratelimit(true);
	r->burst = MYALLOC_REPORT_BURST;
	fixture_log_mark();
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, PTR_ERR(myalloc_cache_create(fx->zone, &args)), -EINVAL);
	KUNIT_EXPECT_EQ(test, fixture_log_count("a cache's name has 1 to"), 10);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->reports_suppressed, 90);
	args.name = "a";
	refused_ends(fx, &args, "still held", 1, 90 + 30);
	args.flags = 0;
	refused_ends(fx, &args, "still allocated: frame", 8, 90 + 30 + 30);
	fixture_set_ratelimit(false);
	r->burst = U32_MAX;
}

/* Under a raw lock a report is queued, and printed after unlocking, with interrupts on. */
static void report_locked(struct kunit *test)
{
	struct fixture *fx = make_zone(test, 0);
	struct myalloc_zone *zone = fx->zone;
	unsigned long irq, nmi_irq;
	unsigned int printed[2];

	fixture_log_mark();
	raw_spin_lock_irqsave(&zone->lock, irq);
	wrong_frees(fx, 1);
	printed[0] = fixture_log_count(FOREIGN);
	nmi_irq = fixture_nmi_enter();
	wrong_frees(fx, 1);
	fixture_nmi_exit(nmi_irq);
	printed[1] = fixture_log_count(FOREIGN);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	myalloc_env_print_sync(&zone->reports.print);
	KUNIT_EXPECT_EQ(test, printed[0], 0);
	KUNIT_EXPECT_EQ(test, printed[1], 0);
	KUNIT_EXPECT_EQ(test, fixture_log_count(FOREIGN), 2);
	KUNIT_EXPECT_STREQ(test, fixture_without_freer(fx), FOREIGN);
}

/* More reports than the queue holds: the first ones are printed in order, the others counted. */
static void report_full(struct kunit *test)
{
	struct fixture *fx = make_zone(test, 0);
	struct myalloc_zone *zone = fx->zone;
	unsigned long irq;
	u32 i;

	fixture_log_mark();
	raw_spin_lock_irqsave(&zone->lock, irq);
	for (i = 0; i < MYALLOC_REPORTS + 3; i++)
		KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, NULL, i), -EINVAL);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	myalloc_env_print_sync(&zone->reports.print);
	KUNIT_EXPECT_EQ(test, fixture_log_count("bad free"), MYALLOC_REPORTS);
	KUNIT_EXPECT_EQ(test, fixture_log_count("order 3: not memory of this zone"), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("order 4: not memory"), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->reports_suppressed, 3);
	KUNIT_EXPECT_EQ(test, fx->stats.bad_frees, MYALLOC_REPORTS + 3);
	wrong_frees(fx, 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("test: 3 reports suppressed"), 1);
}

static void no_entry(struct fixture *fx, bool none)
{
	u32 i;

	for (i = 0; i < MYALLOC_REPORTS; i++)
		fx->zone->reports.report[i].state = none ? MYALLOC_REPORT_PRINTING :
							   MYALLOC_REPORT_FREE;
}

/* Without a free entry, misuse is still detected, refused and counted. */
static void report_no_entry(struct kunit *test)
{
	struct fixture *fx = make_zone(test, MYALLOC_REDZONE);
	struct myalloc_cache *cache = fixture_cache(fx, "none", 64, 0);
	u8 *object = myalloc_cache_alloc(cache, 0);
	void *page = myalloc_pages_alloc(fx->zone, 0, 0);

	KUNIT_ASSERT_NOT_NULL(test, object);
	no_entry(fx, true);
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object + 1), -EINVAL);
	*(u8 *)fixture_touch(object + 64, 1) ^= 1;
	KUNIT_EXPECT_EQ(test, myalloc_cache_free(cache, object), 0);
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->bad_frees, 1);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 1);
	KUNIT_EXPECT_EQ(test, fx->stats.reports_suppressed, 2);
	KUNIT_EXPECT_EQ(test, myalloc_cache_destroy(cache), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	myalloc_zone_crit(fx->zone, "damage");
	KUNIT_EXPECT_EQ(test, fixture_stats(fx)->reports_suppressed, 4);
	KUNIT_EXPECT_EQ(test, fx->stats.corruptions, 2);
	no_entry(fx, false);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(fx->zone, page, 0), 0);
}

/* The report that has waited longest is printed first, wherever it is stored. */
static void report_order(struct kunit *test)
{
	struct fixture *fx = make_zone(test, 0);
	struct myalloc_zone *zone = fx->zone;
	unsigned long irq;

	wrong_frees(fx, MYALLOC_REPORTS - 1);
	fixture_log_mark();
	raw_spin_lock_irqsave(&zone->lock, irq);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, NULL, 3), -EINVAL);
	KUNIT_EXPECT_EQ(test, myalloc_pages_free(zone, NULL, 4), -EINVAL);
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	myalloc_env_print_sync(&zone->reports.print);
	KUNIT_EXPECT_EQ(test, fixture_log_count("order 3: not memory of this zone"), 1);
	KUNIT_EXPECT_EQ(test, fixture_log_count("order 4: not memory of this zone"), 1);
}

static struct kunit_case report_cases[] = {
	KUNIT_CASE(report_longest),
	KUNIT_CASE(report_freer),
	KUNIT_CASE(report_records),
	KUNIT_CASE(report_callers),
	KUNIT_CASE(report_words),
	KUNIT_CASE(report_ratelimit),
	KUNIT_CASE(report_refusals),
	KUNIT_CASE(report_locked),
	KUNIT_CASE(report_full),
	KUNIT_CASE(report_no_entry),
	KUNIT_CASE(report_order),
	{}
};

static struct kunit_suite report_suite = {
	.name = "myalloc_report",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = report_cases,
};

kunit_test_suite(report_suite);

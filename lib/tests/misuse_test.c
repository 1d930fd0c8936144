// SPDX-License-Identifier: GPL-2.0
/*
 * Misuse: one bug, one case, one exact outcome
 *
 * Each case makes one mistake in its own small world, in a child process, and states the expected
 * outcome: all lines of the log word for word ('*' stands for text that differs between builds,
 * such as code addresses and process ids), the counters, and that nothing else changed. The idea
 * comes from hardened_malloc. The cases are in files by subject.
 *
 * The last part is the table of mistakes that each level of checking finds or does not find: the
 * same mistakes are made at each level, and the outcome is compared with the table. --table prints
 * it.
 */
#include "env.h"
#include "ktap.h"
#include "misuse.h"
#include "program.h"

#include <sys/mman.h>

struct told *told;

void wrong(const char *fmt, ...)
{
	va_list args;

	if (told->failed)
		return;
	told->failed = true;
	va_start(args, fmt);
	vsnprintf(told->why, sizeof(told->why), fmt, args);
	va_end(args);
}

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
u8 *chunk[NR_CHUNKS];
struct myalloc_zone *zone;
struct myalloc_cache *a, *b;

u32 nr_pages = NR_PAGES;

void make_world(myalloc_cache_flags_t zone_checks, myalloc_cache_flags_t flags)
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

void *page(unsigned int order)
{
	void *p = myalloc_pages_alloc(zone, order, 0);

	EXPECT(p, "no page");
	return p;
}

void *object(struct myalloc_cache *cache)
{
	void *p = myalloc_cache_alloc(cache, 0);

	EXPECT(p, "no object");
	return p;
}

void *exact(u32 nr)
{
	void *run = myalloc_pages_alloc_exact(zone, nr, 0, 0);

	EXPECT(run, "no pages");
	return run;
}

void good(int err)
{
	EXPECT(!err, "a right free returned %d", err);
}

void free_block(void *block, unsigned int order)
{
	good(myalloc_pages_free(zone, block, order));
}

static struct myalloc_zone_stats stats_before;

void before(void)
{
	myalloc_zone_stats(zone, &stats_before);
}

void refused(int err, enum myalloc_bad bad)
{
	struct myalloc_zone_stats after;
	char report[MYALLOC_REPORT_SIZE];

	EXPECT(err == -EINVAL, "a wrong free returned %d", err);
	myalloc_zone_stats(zone, &after);
	EXPECT(after.bad[bad] == stats_before.bad[bad] + 1, "not counted as \"%s\"",
	       myalloc_bad_name(bad));
	EXPECT(after.bad_frees == stats_before.bad_frees + 1, "counted %llu times",
	       after.bad_frees - stats_before.bad_frees);
	after.bad_frees = stats_before.bad_frees;
	memcpy(after.bad, stats_before.bad, sizeof(after.bad));
	EXPECT(!memcmp(&stats_before, &after, sizeof(after)), "a wrong free changed the statistics");
	myalloc_zone_last_report(zone, report, sizeof(report));
	EXPECT(host_log_contains(report), "the last report is \"%s\"", report);
}

void corrupt(unsigned int nr)
{
	struct myalloc_zone_stats stats;

	myalloc_zone_stats(zone, &stats);
	EXPECT(stats.corruptions == nr, "%llu corruptions, %u expected", stats.corruptions, nr);
}

void valid(void)
{
	struct myalloc_validation v;

	EXPECT(myalloc_zone_validate(zone, &v), "%s", v.first);
}

void invalid(const char *text)
{
	struct myalloc_validation v;

	EXPECT(!myalloc_zone_validate(zone, &v) && v.errors, "validation found nothing");
	EXPECT(match(text, v.first), "validation found \"%s\"", v.first);
}

void in_irq(void (*fn)(void))
{
	host_enter_hardirq();
	fn();
	host_exit_hardirq();
}

void in_nmi_locked(raw_spinlock_t *lock, void (*fn)(void))
{
	unsigned long irq;

	raw_spin_lock_irqsave(lock, irq);
	host_enter_nmi();
	fn();
	host_exit_nmi();
	raw_spin_unlock_irqrestore(lock, irq);
}

/* --- the cases -------------------------------------------------------------------------- */

/*
 * Length of a line without the end common to all reports of wrong frees, which is checked here: the
 * address, the code that frees it, and the task or interrupt in which it runs. A line without a
 * correct end is left unchanged, so that it does not match the case.
 */
static size_t without_freer(const char *line, size_t len)
{
	static const char * const contexts[] = {
		"a task", "a soft interrupt", "a hard interrupt", "an NMI",
	};
	char text[MYALLOC_REPORT_SIZE], pattern[128], *at;
	unsigned int i;

	snprintf(text, sizeof(text), "%.*s", (int)len, line);
	if (!strstr(text, "bad free as "))
		return len;
	at = strstr(text, "; address ");
	if (!at)
		return 0;
	for (i = 0; i < ARRAY_SIZE(contexts); i++) {
		snprintf(pattern, sizeof(pattern),
			 "; address *, freed now by 0x* pid * (misuse_test) in %s", contexts[i]);
		if (match(pattern, at))
			return at - text;
		strcat(pattern, "; check U records its owners");
		if (match(pattern, at))
			return at - text;
	}
	return len;
}

/* The log without the prefix of each line, with call stacks shortened. */
static void plain_log(char *to, size_t size)
{
	static const char prefix[] = "myalloc: z: ";
	const char *from = host_log_text();
	size_t len = 0;

	while (*from && len < size - 1) {
		const char *line_end = strchrnul(from, '\n');

		if (!strncmp(from, prefix, strlen(prefix))) {
			from += strlen(prefix);
		} else if (*from == ' ') {	/* line of a call stack; one replaces all */
			if (len && to[len - 1] != '\n')
				len += scnprintf(to + len, size - len, "\n");
			if (len < 9 || strncmp(to + len - 9, " (stack)\n", 9))
				len += scnprintf(to + len, size - len, " (stack)\n");
			from = *line_end ? line_end + 1 : line_end;
			continue;
		}
		len += scnprintf(to + len, size - len, "%.*s%s",
				 (int)without_freer(from, line_end - from), from,
				 line_end[1] && *line_end ? "\n" : "");
		from = *line_end ? line_end + 1 : line_end;
	}
	to[len] = '\0';
}

struct child {
	void (*fn)(const void *arg);
	const void *arg;
};

static void run_child(const void *arg)
{
	const struct child *child = arg;

	alarm(60);
	child->fn(child->arg);
}

bool in_child(void (*fn)(const void *arg), const void *arg)
{
	const struct child child = { fn, arg };

	memset(told, 0, sizeof(*told));
	return !program_wait(program_start(run_child, &child));
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

static void show_case(const struct misuse *m)
{
	in_child(run_case, m);
	printf("%s:\n%s\n", m->name, told->log);
}

static void test_case(const struct misuse *m)
{
	bool ok = in_child(run_case, m);

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

static const struct misuse * const parts[] = {
	misuse_pages, misuse_objects, misuse_damage, misuse_metadata,
	misuse_requests, misuse_shadow, misuse_heap, misuse_pool, misuse_arena, misuse_ring,
	misuse_contract, misuse_client,
};

/* Call @fn, if set, for the case called @only, or for all. Returns the number of these cases. */
static unsigned int each_case(const char *only, void (*fn)(const struct misuse *m))
{
	const struct misuse *m;
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		for (m = parts[i]; m->name; m++) {
			if (only && strcmp(m->name, only))
				continue;
			nr++;
			if (fn)
				fn(m);
		}
	}
	return nr;
}

/* --- the program ------------------------------------------------------------------------ */

int main(int argc, char **argv)
{
	const char *only = NULL;
	bool show = false, table = false;
	const struct program_option options[] = {
		{ "table", PROGRAM_FLAG, &table, "print what each level of checking finds" },
		{ "show", PROGRAM_FLAG, &show, "print what each case logs" },
		{ "case", PROGRAM_STRING, &only, "only this one" },
		{ }
	};
	unsigned int nr;

	program_options(argc, argv, "Every mistake a user can make, and its result, word for word.",
			options);
	if (table) {
		print_table();
		return 0;
	}
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		host_fatal("mmap: %s", strerror(errno));
	nr = each_case(only, NULL);
	if (!nr) {
		fprintf(stderr, "no case is called %s\n", only);
		return 2;
	}
	if (show) {
		each_case(only, show_case);
		return 0;
	}
	ktap_plan(nr + (only ? 0 : nr_level_cases));
	each_case(only, test_case);
	if (!only)
		test_levels(ktap_result);
	return ktap_end();
}

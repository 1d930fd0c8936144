// SPDX-License-Identifier: GPL-2.0
/*
 * The runner of KUnit suites on the host
 *
 * Prints KTAP as the kernel does. A test fails if an expectation fails, and also if it
 * leaves a lock, an interrupt, memory or a warning behind. If the program ends in the
 * middle of a test (signal, sanitizer, host_fatal(), timeout), that test is "not ok" and
 * the plan is not fulfilled: a parser sees both, and the exit code reports it.
 *
 * Exit code: 0 passed, 1 failed, 2 wrong usage, 77 all skipped.
 */
#include <kunit/test.h>

#include <fnmatch.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/ktap.h"
#include "tests/program.h"

void __sanitizer_set_death_callback(void (*callback)(void)) __weak;
int main(int argc, char **argv) __weak;
int kunit_main(int argc, char **argv);

#define INDENT	"    "

struct stats {
	unsigned long passed, failed, skipped, total;
};

static struct kunit_suite *suites, **suites_end = &suites;
static u64 seed;
static unsigned int timeout = 300;

/* The current test, for the crash handler. */
static struct {
	const char *suite, *test, *param;
	unsigned int suite_nr, test_nr, param_nr;
	bool reported;
} now;

void kunit_register_suites(struct kunit_suite **array, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		*suites_end = array[i];
		suites_end = &array[i]->next;
	}
}

/* --- expectations and output ------------------------------------------------ */

static u64 thread_id(void)
{
	return syscall(SYS_gettid);
}

void kunit_abort(struct kunit *test)
{
	if (test->try_catch.thread != thread_id())
		host_fatal("%s: assertion failed in a thread that is not the test's",
			   test->name);
	longjmp(test->try_catch.out, 1);
}

void kunit_note(struct kunit *test, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf(INDENT "# %s: %s%s", test->name, text,
	       n && text[n - 1] == '\n' ? "" : "\n");
}

/* A literal needs no second line with its value. */
static bool is_literal(const char *text, long long value)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", value);
	return !strcmp(text, number);
}

static void print_value(const char *text, long long i, const void *p,
			const struct kunit_report *report)
{
	switch (report->kind) {
	case KUNIT_INT:
		if (!is_literal(text, i))
			printf(INDENT INDENT "%s == %lld (0x%llx)\n", text, i, i);
		break;
	case KUNIT_PTR:
		printf(INDENT INDENT "%s == %016lx\n", text, (unsigned long)p);
		break;
	case KUNIT_STR:
		printf(INDENT INDENT "%s == \"%s\"\n", text, p ? (const char *)p : "(null)");
		break;
	default:
		break;
	}
}

void kunit_failed(struct kunit *test, const struct kunit_report *report,
		  const char *fmt, ...)
{
	char text[1024] = "";
	va_list args;

	WRITE_ONCE(test->status, KUNIT_FAILURE);
	if (fmt) {
		va_start(args, fmt);
		vscnprintf(text, sizeof(text), fmt, args);
		va_end(args);
	}
	flockfile(stdout);
	printf(INDENT "# %s: %s FAILED at %s:%d\n", test->name,
	       report->type == KUNIT_ASSERTION ? "ASSERTION" : "EXPECTATION",
	       report->file, report->line);
	switch (report->kind) {
	case KUNIT_COND:
		printf(INDENT "Expected %s to be %s, but is %s\n", report->left,
		       report->right, !strcmp(report->right, "true") ? "false" : "true");
		break;
	case KUNIT_NOTE:
		break;
	default:
		printf(INDENT "Expected %s %s %s, but\n", report->left, report->op,
		       report->right);
		print_value(report->left, report->lval.i, report->lval.p, report);
		print_value(report->right, report->rval.i, report->rval.p, report);
	}
	if (text[0])
		printf("%s%s", text, text[strlen(text) - 1] == '\n' ? "" : "\n");
	funlockfile(stdout);
}

static void print_result(unsigned int level, enum kunit_status status, unsigned int nr,
			 const char *name, const char *comment)
{
	ktap_put_result(level, status != KUNIT_FAILURE, nr, name,
			status == KUNIT_SKIPPED ? comment : NULL);
}

static void count(struct stats *stats, enum kunit_status status)
{
	stats->total++;
	stats->passed += status == KUNIT_SUCCESS;
	stats->failed += status == KUNIT_FAILURE;
	stats->skipped += status == KUNIT_SKIPPED;
}

static void print_stats(const char *indent, const char *name, const struct stats *stats)
{
	if (stats->total > 1)
		printf("%s# %s: pass:%lu fail:%lu skip:%lu total:%lu\n", indent, name,
		       stats->passed, stats->failed, stats->skipped, stats->total);
}

/* Print the log of the code under test, for a failed test. */
static void print_log(void)
{
	const char *line = host_log_text(), *end;

	for (; *line; line = end + (*end == '\n')) {
		end = strchrnul(line, '\n');
		printf(INDENT "# log: %.*s\n", (int)(end - line), line);
	}
}

/* --- memory of a test ----------------------------------------------------------- */

struct kunit_block {
	struct kunit_block *next;
	void *ptr;
};

void *kunit_kmalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	struct kunit_block *block = malloc(sizeof(*block));

	if (!block)
		return NULL;
	block->ptr = malloc(size);
	if (!block->ptr) {
		free(block);
		return NULL;
	}
	memset(block->ptr, gfp & __GFP_ZERO ? 0 : 0xa5, size);
	block->next = test->blocks;
	test->blocks = block;
	return block->ptr;
}

void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	return kunit_kmalloc(test, size, gfp | __GFP_ZERO);
}

void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes = array_size(n, size);

	return bytes == SIZE_MAX ? NULL : kunit_kmalloc(test, bytes, gfp);
}

void *kunit_kcalloc(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	return kunit_kmalloc_array(test, n, size, gfp | __GFP_ZERO);
}

void kunit_kfree(struct kunit *test, const void *ptr)
{
	struct kunit_block **p, *block;

	if (!ptr)
		return;
	for (p = &test->blocks; (block = *p); p = &block->next)
		if (block->ptr == ptr)
			break;
	if (!block)
		host_fatal("kunit_kfree() of what this test did not allocate");
	*p = block->next;
	free(block->ptr);
	free(block);
}

/* --- running ---------------------------------------------------------------------- */

/* Call @fn until it returns or leaves by longjmp(); true if it returned. */
static bool attempt(struct kunit *test, void (*fn)(struct kunit *test, void *arg), void *arg)
{
	test->try_catch.thread = thread_id();
	if (setjmp(test->try_catch.out)) {
		host_abandon();
		return false;
	}
	fn(test, arg);
	return true;
}

struct job {
	struct kunit_suite *suite;
	struct kunit_case *test_case;
};

static void run_body(struct kunit *test, void *arg)
{
	const struct job *job = arg;
	int err = job->suite->init ? job->suite->init(test) : 0;

	if (err) {
		kunit_err(test, "failed to initialize: %d\n", err);
		WRITE_ONCE(test->status, KUNIT_FAILURE);
		return;
	}
	job->test_case->run_case(test);
}

static void run_exit(struct kunit *test, void *arg)
{
	const struct job *job = arg;

	if (job->suite->exit)
		job->suite->exit(test);
}

static void fail(struct kunit *test, const char *why)
{
	kunit_err(test, "%s\n", why);
	test->status = KUNIT_FAILURE;
}

/* A test gets the same numbers, whichever other tests run. */
static u64 seed_of(const struct kunit_suite *suite, const struct kunit *test)
{
	u64 hash = seed + test->param_index;
	const char *p;

	for (p = suite->name; *p; p++)
		hash = (hash ^ (u8)*p) * 0x100000001b3ULL;
	for (p = test->name; *p; p++)
		hash = (hash ^ (u8)*p) * 0x100000001b3ULL;
	return hash;
}

static void run_one(struct kunit *test, struct job *job)
{
	unsigned long allocs, chunks;
	const char *wrong;

	host_reset();
	host_set_seed(seed_of(job->suite, test));
	allocs = host_live_allocs();
	chunks = host_live_chunks();
	alarm(timeout);

	attempt(test, run_body, job);
	if (!attempt(test, run_exit, job))
		fail(test, "test aborted during cleanup. continuing without cleaning up");
	while (test->blocks)
		kunit_kfree(test, test->blocks->ptr);

	alarm(0);
	/* A failed test may leave things behind. */
	if (test->status != KUNIT_FAILURE) {
		wrong = host_check_clean();
		if (wrong) {
			fail(test, wrong);
		} else if (host_live_allocs() != allocs || host_live_chunks() != chunks) {
			host_live_dump();
			fail(test, "test ends with memory not freed");
		}
	}
	if (test->status == KUNIT_FAILURE)
		print_log();
}

static void run_case(struct kunit_suite *suite, struct kunit_case *test_case,
		     unsigned int nr, struct stats *params)
{
	struct job job = { .suite = suite, .test_case = test_case };
	struct kunit test = { .name = test_case->name };
	char desc[KUNIT_PARAM_DESC_SIZE];
	struct stats stats = {};

	now.test = test_case->name;
	now.test_nr = nr;
	if (!test_case->generate_params) {
		run_one(&test, &job);
		test_case->status = test.status;
		count(params, test.status);
	} else {
		test_case->status = KUNIT_SKIPPED;
		ktap_put_version(2);
		printf(INDENT INDENT "# Subtest: %s\n", test_case->name);
		desc[0] = '\0';
		test.param_value = test_case->generate_params(NULL, desc);
		while (test.param_value) {
			if (!desc[0])
				snprintf(desc, sizeof(desc), "param-%d", test.param_index);
			now.param = desc;
			now.param_nr = test.param_index + 1;
			run_one(&test, &job);
			now.param = NULL;
			print_result(2, test.status, test.param_index + 1, desc,
				     test.status_comment);
			if (test.status == KUNIT_FAILURE ||
			    (test.status == KUNIT_SUCCESS &&
			     test_case->status == KUNIT_SKIPPED))
				test_case->status = test.status;
			count(&stats, test.status);
			count(params, test.status);

			desc[0] = '\0';
			test.param_value = test_case->generate_params(test.param_value, desc);
			test.param_index++;
			test.status = KUNIT_SUCCESS;
			test.status_comment[0] = '\0';
			test.priv = NULL;
		}
		print_stats(INDENT, test_case->name, &stats);
	}
	print_result(1, test_case->status, nr, test_case->name, test.status_comment);
	now.test = NULL;
}

static bool selected(const struct kunit_suite *suite, const struct kunit_case *test_case,
		     const char *filter)
{
	char glob[256], *dot;

	if (!filter)
		return true;
	if (strscpy(glob, filter, sizeof(glob)) < 0)
		return false;
	dot = strchr(glob, '.');
	if (dot)
		*dot++ = '\0';
	return !fnmatch(glob, suite->name, 0) &&
	       (!dot || !fnmatch(dot, test_case->name, 0));
}

static void run_suite(struct kunit_suite *suite, unsigned int suite_nr, const char *filter)
{
	unsigned long allocs = host_live_allocs(), chunks = host_live_chunks();
	struct stats stats = {}, params = {};
	struct kunit_case *test_case;
	unsigned int nr = 0;

	now.suite = suite->name;
	now.suite_nr = suite_nr;
	suite->status = KUNIT_SKIPPED;
	host_reset();
	if (suite->suite_init)
		suite->suite_init_err = suite->suite_init(suite);
	if (suite->suite_init_err) {
		printf(INDENT "# %s: failed to initialize (%d)\n", suite->name,
		       suite->suite_init_err);
		suite->status = KUNIT_FAILURE;
	} else {
		ktap_put_version(1);
		printf(INDENT "# Subtest: %s\n", suite->name);
		ktap_put_plan(1, suite->nr_cases);
		for (test_case = suite->test_cases; test_case->run_case; test_case++) {
			if (!selected(suite, test_case, filter))
				continue;
			run_case(suite, test_case, ++nr, &params);
			count(&stats, test_case->status);
			if (test_case->status == KUNIT_FAILURE)
				suite->status = KUNIT_FAILURE;
			else if (test_case->status == KUNIT_SUCCESS &&
				 suite->status == KUNIT_SKIPPED)
				suite->status = KUNIT_SUCCESS;
		}
	}
	host_reset();
	if (suite->suite_exit)
		suite->suite_exit(suite);
	if (suite->status != KUNIT_FAILURE &&
	    (host_check_clean() || host_live_allocs() != allocs ||
	     host_live_chunks() != chunks)) {
		host_live_dump();
		print_log();
		printf("# %s: suite does not clean up\n", suite->name);
		suite->status = KUNIT_FAILURE;
	}
	print_stats("", suite->name, &stats);
	print_stats("", "Totals", &params);
	print_result(0, suite->status, suite_nr, suite->name, suite->status_comment);
	now.suite = NULL;
}

/* --- crashes ------------------------------------------------------------------------ */

static void report_crash(const char *what)
{
	char text[1024];
	int n = 0;

	if (now.reported)
		return;
	now.reported = true;
	if (!now.suite)
		return;
	n += scnprintf(text + n, sizeof(text) - n, INDENT "# %s: %s\n",
		       now.test ? now.test : now.suite, what);
	if (now.param)
		n += scnprintf(text + n, sizeof(text) - n, INDENT INDENT "not ok %u %s\n",
			       now.param_nr, now.param);
	if (now.test)
		n += scnprintf(text + n, sizeof(text) - n, INDENT "not ok %u %s\n",
			       now.test_nr, now.test);
	n += scnprintf(text + n, sizeof(text) - n, "not ok %u %s\n", now.suite_nr, now.suite);
	if (write(STDOUT_FILENO, text, n) != n)
		_exit(1);
}

static void on_signal(int sig)
{
	report_crash(sig == SIGALRM ? "test timed out" : strsignal(sig));
	if (sig == SIGALRM)
		_exit(1);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void on_death(void)
{
	report_crash("stopped by a sanitizer, see stderr");
}

static void on_fatal(void)
{
	report_crash("stopped by the host environment, see stderr");
}

static void on_exit_early(void)
{
	if (!now.suite)
		return;
	report_crash("exit() inside a test");
	_exit(1);
}

static void catch_crashes(void)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM };
	unsigned int i;

	host_on_fatal = on_fatal;
	atexit(on_exit_early);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(on_death);
	for (i = 0; i < ARRAY_SIZE(sigs); i++) {
		/* If a sanitizer handles this signal, its report says more. */
		struct sigaction old;

#ifdef HOST_TSAN
		/* TSan delays signals while a loop makes no calls: end without a report. */
		if (sigs[i] == SIGALRM)
			continue;
#endif
		sigaction(sigs[i], NULL, &old);
		if (old.sa_handler == SIG_DFL)
			signal(sigs[i], on_signal);
	}
}

/* --- main --------------------------------------------------------------------------- */

int kunit_main(int argc, char **argv)
{
	enum kunit_status status = KUNIT_SKIPPED;
	unsigned int nr_suites = 0, nr = 0;
	struct kunit_case *test_case;
	const char *filter = NULL;
	struct kunit_suite *suite;
	bool list = false;
	const struct program_option options[] = {
		{ "list", PROGRAM_FLAG, &list, "print the names of all tests" },
		{ "filter", PROGRAM_STRING, &filter, "run what matches SUITE[.TEST], two globs" },
		{ "seed", PROGRAM_U64, &seed, "seed of random tests" },
		{ "timeout", PROGRAM_U32, &timeout, "seconds for one test, 0 for no limit" },
		{ }
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	seed = program_seed();
	program_options(argc, argv, "Runs the KUnit suites that are linked in. With MYALLOC_LOG=1, "
			"prints what the code under test logs.", options);
	timeout = min_t(u32, timeout, INT_MAX);

	for (suite = suites; suite; suite = suite->next) {
		for (test_case = suite->test_cases; test_case->run_case; test_case++) {
			if (!selected(suite, test_case, filter))
				continue;
			suite->nr_cases++;
			if (list)
				printf("%s.%s\n", suite->name, test_case->name);
		}
		nr_suites += suite->nr_cases != 0;
	}
	if (list)
		return 0;
	if (!nr_suites) {
		fprintf(stderr, "%s: no test %s\n", argv[0],
			filter ? "matches the filter" : "is linked in");
		return 2;
	}

	catch_crashes();
	ktap_put_version(0);
	ktap_put_plan(0, nr_suites);
	printf("# seed: 0x%llx\n", seed);
	for (suite = suites; suite; suite = suite->next) {
		if (!suite->nr_cases)
			continue;
		run_suite(suite, ++nr, filter);
		if (suite->status == KUNIT_FAILURE ||
		    (suite->status == KUNIT_SUCCESS && status == KUNIT_SKIPPED))
			status = suite->status;
	}
	fflush(stdout);
	return status == KUNIT_SUCCESS ? 0 : status == KUNIT_FAILURE ? 1 : 77;
}

int main(int argc, char **argv)
{
	return kunit_main(argc, argv);
}

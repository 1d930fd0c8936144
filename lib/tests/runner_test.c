// SPDX-License-Identifier: GPL-2.0
/*
 * The runner itself: every way in which a test can fail must show in its verdict. Each case runs
 * under its own runner, in a child process.
 */
#include <kunit/test.h>

#include "ktap.h"
#include "program.h"

int kunit_main(int argc, char **argv);

/* --- the victims ---------------------------------------------------------- */

static bool exit_ran;

static void passes(struct kunit *test)
{
	int *p = kunit_kcalloc(test, 4, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, p[3], 0);
	KUNIT_EXPECT_STREQ(test, "a", "a");
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, p);
	KUNIT_SUCCEED(test);
}

static void expects(struct kunit *test)
{
	u32 minus = -1;
	int two = 2;

	KUNIT_EXPECT_EQ(test, minus, -1);
	KUNIT_EXPECT_EQ_MSG(test, two, 3, "two is not %d\n", 3);
	kunit_info(test, "goes on\n");
}

static void asserts(struct kunit *test)
{
	kunit_kzalloc(test, 100, GFP_KERNEL);
	preempt_disable();
	KUNIT_ASSERT_TRUE(test, exit_ran);
	kunit_info(test, "goes on\n");
}

static void error_pointer(struct kunit *test)
{
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, ERR_PTR(-ENOMEM));
}

static void fails(struct kunit *test)
{
	KUNIT_FAIL(test, "said so");
}

static void skips(struct kunit *test)
{
	kunit_skip(test, "no %s", "reason");
	kunit_info(test, "goes on\n");
}

static void marks_skipped(struct kunit *test)
{
	kunit_mark_skipped(test, "later");
	kunit_info(test, "goes on\n");
}

static void leaks(struct kunit *test)
{
	KUNIT_EXPECT_NOT_NULL(test, myalloc_env_zalloc(24, NUMA_NO_NODE));
}

static void leaks_chunk(struct kunit *test)
{
	KUNIT_EXPECT_NE(test, __get_free_pages(GFP_KERNEL, 1), 0);
}

static void warns(struct kunit *test)
{
	WARN_ON(1 + 1 == 2);
}

static void expects_warning(struct kunit *test)
{
	host_expect_warns(1);
}

static raw_spinlock_t lock;

static void keeps_lock(struct kunit *test)
{
	raw_spin_lock_init(&lock);
	raw_spin_lock(&lock);
}

static void keeps_pin(struct kunit *test)
{
	preempt_disable();
}

static void keeps_irqs_off(struct kunit *test)
{
	local_irq_disable();
}

static void segfaults(struct kunit *test)
{
	int *volatile p = (int *)0x10;

	*p = 1;
}

static void aborts(struct kunit *test)
{
	abort();
}

static void is_fatal(struct kunit *test)
{
	preempt_enable();
}

static void overflows(struct kunit *test)
{
	volatile char *p = kunit_kmalloc(test, 10, GFP_KERNEL);

	p[10] = 1;
}

static void shifts(struct kunit *test)
{
	volatile int by = 40;

	kunit_info(test, "%d\n", 1 << by);
}

static void hangs(struct kunit *test)
{
	for (;;)
		cpu_relax();
}

static void exits(struct kunit *test)
{
	exit(0);
}

static const int numbers[] = { 1, 2, 3 };

static void describe(const int *number, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "number %d", *number);
}

KUNIT_ARRAY_PARAM(number, numbers, describe);
KUNIT_ARRAY_PARAM(plain, numbers, NULL);

static void param(struct kunit *test)
{
	const int *n = test->param_value;

	KUNIT_EXPECT_LE(test, *n, 3);
}

static void param_fails(struct kunit *test)
{
	KUNIT_EXPECT_NE(test, *(const int *)test->param_value, 2);
}

static void param_dies(struct kunit *test)
{
	if (test->param_index == 1)
		abort();
}

static void prints_random(struct kunit *test)
{
	kunit_info(test, "random %u\n", myalloc_env_random());
}

static int victim_init(struct kunit *test)
{
	test->priv = &exit_ran;
	return 0;
}

static void victim_exit(struct kunit *test)
{
	kunit_info(test, "exit\n");
}

static struct kunit_case victim_cases[] = {
	KUNIT_CASE(passes), KUNIT_CASE(expects), KUNIT_CASE(asserts),
	KUNIT_CASE(error_pointer), KUNIT_CASE(fails), KUNIT_CASE(skips),
	KUNIT_CASE(marks_skipped), KUNIT_CASE(leaks), KUNIT_CASE(leaks_chunk),
	KUNIT_CASE(warns), KUNIT_CASE(expects_warning), KUNIT_CASE(keeps_lock),
	KUNIT_CASE(keeps_pin), KUNIT_CASE(keeps_irqs_off), KUNIT_CASE(segfaults),
	KUNIT_CASE(aborts), KUNIT_CASE(is_fatal), KUNIT_CASE(overflows),
	KUNIT_CASE(shifts), KUNIT_CASE(hangs), KUNIT_CASE(exits),
	KUNIT_CASE(prints_random),
	KUNIT_CASE_PARAM(param, number_gen_params),
	KUNIT_CASE_PARAM(param_fails, plain_gen_params),
	KUNIT_CASE_PARAM(param_dies, number_gen_params),
	{}
};

static struct kunit_suite victim = {
	.name = "victim",
	.init = victim_init,
	.exit = victim_exit,
	.test_cases = victim_cases,
};

static int bad_init(struct kunit *test)
{
	return -EINVAL;
}

static struct kunit_case one_case[] = { KUNIT_CASE(passes), {} };

static struct kunit_suite init_fails = {
	.name = "init_fails", .init = bad_init, .test_cases = one_case,
};

static int bad_suite_init(struct kunit_suite *suite)
{
	return -EINVAL;
}

static struct kunit_suite suite_init_fails = {
	.name = "suite_init_fails", .suite_init = bad_suite_init, .test_cases = one_case,
};

static void bad_exit(struct kunit *test)
{
	KUNIT_ASSERT_TRUE(test, false);
}

static struct kunit_suite exit_fails = {
	.name = "exit_fails", .exit = bad_exit, .test_cases = one_case,
};

static void *leaked;

static int leaky_init(struct kunit_suite *suite)
{
	leaked = myalloc_env_zalloc(1, NUMA_NO_NODE);
	return leaked ? 0 : -ENOMEM;
}

static struct kunit_suite suite_leaks = {
	.name = "suite_leaks", .suite_init = leaky_init, .test_cases = one_case,
};

kunit_test_suites(&victim, &init_fails, &suite_init_fails, &exit_fails);
kunit_test_suite(suite_leaks);

/* --- the verdicts ------------------------------------------------------------- */

/* Any exit code but 0, 1, 77; the process may also die by a signal. */
#define DIES	-1

static const struct verdict {
	const char *filter;
	int code;
	const char *has[4];
	const char *hasnot;
} verdicts[] = {
	{ "victim.passes", 0, { "KTAP version 1\n1..1\n# seed: 0x2a\n    KTAP version 1\n"
				"    # Subtest: victim\n    1..1\n    # passes: exit\n"
				"    ok 1 passes\nok 1 victim\n" }, "not ok" },
	{ "victim.expects", 1, { "# expects: EXPECTATION FAILED at ",
				 "    Expected two == 3, but\n        two == 2 (0x2)\n"
				 "two is not 3\n", "goes on", "\n    not ok 1 expects\nnot ok 1 victim\n" },
	  "minus" },
	{ "victim.asserts", 1, { "ASSERTION FAILED at ", "Expected exit_ran to be true, but is false",
				 "# asserts: exit\n", "\n    not ok 1 asserts\n" }, "goes on" },
	{ "victim.error_pointer", 1, { "is neither NULL nor", "== -12 (0x" } },
	{ "victim.fails", 1, { "said so\n", "\n    not ok 1 fails\n" } },
	{ "victim.skips", 77, { "    ok 1 skips # SKIP no reason\nok 1 victim # SKIP \n" }, "goes on" },
	{ "victim.marks_skipped", 77, { "goes on", "    ok 1 marks_skipped # SKIP later\n" } },
	{ "victim.leaks", 1, { "memory not freed", "not freed: metadata", "24 bytes", "not ok 1 leaks\n" } },
	{ "victim.leaks_chunk", 1, { "memory not freed", "not freed: chunk", "not ok 1 leaks_chunk\n" } },
	{ "victim.warns", 1, { "warned 1 times, 0 expected", "# log: WARNING: at ", "not ok 1 warns\n" } },
	{ "victim.expects_warning", 1, { "warned 0 times, 1 expected", "not ok" } },
	{ "victim.keeps_lock", 1, { "ends with a lock held: &lock", "not ok 1 keeps_lock\n" } },
	{ "victim.keeps_pin", 1, { "ends with preemption disabled", "not ok 1 keeps_pin\n" } },
	{ "victim.keeps_irqs_off", 1, { "ends with interrupts off", "not ok 1 keeps_irqs_off\n" } },
	{ "victim.segfaults", DIES, { "    not ok 1 segfaults\nnot ok 1 victim\n" } },
	{ "victim.aborts", DIES, { "    not ok 1 aborts\nnot ok 1 victim\n" } },
	{ "victim.is_fatal", DIES, { "    not ok 1 is_fatal\nnot ok 1 victim\n" } },
#ifdef HOST_ASAN
	{ "victim.overflows", DIES, { "    not ok 1 overflows\nnot ok 1 victim\n" } },
	{ "victim.shifts", DIES, { "    not ok 1 shifts\nnot ok 1 victim\n" } },
#endif
#ifdef HOST_TSAN
	{ "victim.hangs", DIES, { "    1..1\n" }, "ok 1" },
#else
	{ "victim.hangs", DIES, { "timed out", "    not ok 1 hangs\nnot ok 1 victim\n" } },
#endif
	{ "victim.exits", DIES, { "    not ok 1 exits\nnot ok 1 victim\n" } },
	{ "victim.prints_random", 0, { "# prints_random: random 3277901525\n" } },
	{ "victim.param", 0, { "    1..1\n        KTAP version 1\n        # Subtest: param\n",
			       "\n        ok 3 number 3\n    # param: pass:3 fail:0 skip:0 total:3\n"
			       "    ok 1 param\n", "# Totals: pass:3 fail:0 skip:0 total:3\n" } },
	{ "victim.param_fails", 1, { "\n        ok 1 param-0\n", "\n        not ok 2 param-1\n",
				     "\n        ok 3 param-2\n", "\n    not ok 1 param_fails\n" } },
	{ "victim.param_dies", DIES, { "\n        ok 1 number 1\n",
				       "\n        not ok 2 number 2\n    not ok 1 param_dies\n"
				       "not ok 1 victim\n" }, "number 3" },
	{ "init_fails", 1, { "failed to initialize: -22", "not ok 1 passes\n" } },
	{ "suite_init_fails", 1, { "failed to initialize (-22)", "\nnot ok 1 suite_init_fails\n" } },
	{ "exit_fails", 1, { "aborted during cleanup", "not ok 1 passes\n" } },
	{ "suite_leaks", 1, { "\n    ok 1 passes\n", "does not clean up", "\nnot ok 1 suite_leaks\n" } },
	{ "vic*.pass*", 0, { "    ok 1 passes\n" } },
	{ "*_leaks", 1, { "1..1\n" } },
	{ "nothing", 2, { "no test matches" } },
};

static const char *judge(const struct verdict *v, const char *text, int status)
{
	static char why[200];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v->has) && v->has[i]; i++)
		if (!strstr(text, v->has[i])) {
			scnprintf(why, sizeof(why), "lacks \"%s\"", v->has[i]);
			return why;
		}
	if (v->hasnot && strstr(text, v->hasnot)) {
		scnprintf(why, sizeof(why), "has \"%s\"", v->hasnot);
		return why;
	}
	if (v->code == DIES ? !status : !WIFEXITED(status) || WEXITSTATUS(status) != v->code) {
		scnprintf(why, sizeof(why), "wait status is %#x", status);
		return why;
	}
	return NULL;
}

struct run {
	const char *filter;
	const int *fds;
};

static void run_tests(const void *arg)
{
	const struct run *run = arg;
	char *argv[] = { (char *)"runner", (char *)"--filter", (char *)run->filter,
			 (char *)"--seed", (char *)"42", (char *)"--timeout",
			 (char *)"2", NULL };

	dup2(run->fds[1], STDOUT_FILENO);
	dup2(run->fds[1], STDERR_FILENO);
	close(run->fds[0]);
	exit(kunit_main(7, argv));
}

static void try(const struct verdict *v)
{
	char text[64 << 10];
	const char *wrong, *line;
	int fds[2], status;
	const struct run run = { v->filter, fds };
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(fds))
		exit(1);
	pid = program_start(run_tests, &run);
	close(fds[1]);
	while (len < sizeof(text) - 1 &&
	       (n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = '\0';
	close(fds[0]);
	status = program_wait(pid);
	wrong = judge(v, text, status);
	if (wrong) {
		ktap_note("%s; printed:", wrong);
		for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			ktap_note("| %s", line);
	}
	ktap_result(!wrong, "%s", v->filter);
}

int main(void)
{
	unsigned int i;

	ktap_plan(ARRAY_SIZE(verdicts));
	for (i = 0; i < ARRAY_SIZE(verdicts); i++)
		try(&verdicts[i]);
	return ktap_end();
}

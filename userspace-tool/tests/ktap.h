/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ktap: results of a test program in the kernel's test protocol
 *
 * A program is a table of tests; its length is the plan. Inside a test
 * CHECK(condition, what...) leaves the test at the first that does not hold.
 */
#ifndef MYALLOCCTL_KTAP_H
#define MYALLOCCTL_KTAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct ktap_test {
	const char *name;
	void (*run)(void);
};

static bool ktap_failed;
static char ktap_skip[128];
static char ktap_note[128];	/* said before the first test: how to repeat it */

static inline __attribute__((format(printf, 3, 4), unused))
void ktap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	ktap_failed = true;
	printf("# %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

#define CHECK(condition, ...) do {					\
	if (!(condition)) {						\
		ktap_fail(__FILE__, __LINE__, __VA_ARGS__);		\
		return;							\
	}								\
} while (0)

/* Notes the failure and goes on, for what has to be given back. */
#define EXPECT(condition, ...) do {					\
	if (!(condition))						\
		ktap_fail(__FILE__, __LINE__, __VA_ARGS__);		\
} while (0)

#define SKIP(...) do {							\
	snprintf(ktap_skip, sizeof(ktap_skip), __VA_ARGS__);		\
	return;								\
} while (0)

/* Returns the exit code of the program. */
static inline int ktap_run(const struct ktap_test *test, int nr)
{
	int i, bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%d\n", nr);
	if (ktap_note[0])
		printf("# %s\n", ktap_note);
	for (i = 0; i < nr; i++) {
		ktap_failed = false;
		ktap_skip[0] = 0;
		test[i].run();
		bad += ktap_failed;
		printf("%sok %d - %s%s%s\n", ktap_failed ? "not " : "", i + 1,
		       test[i].name, ktap_skip[0] ? " # SKIP " : "", ktap_skip);
	}
	return bad ? 1 : 0;
}

#endif /* MYALLOCCTL_KTAP_H */

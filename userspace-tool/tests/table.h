/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table: a test program as a table of tests; its length is the plan
 *
 * Inside a test CHECK(condition, message...) leaves the test at the first condition that does not
 * hold, EXPECT(condition, message...) notes it and goes on.
 */
#ifndef MYALLOCCTL_TABLE_H
#define MYALLOCCTL_TABLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "ktap.h"

struct table_test {
	const char *name;
	void (*run)(void);
};

static bool test_failed;	/* the one that runs */
static char test_skip[128];	/* why it does not run */
static char table_note[128];	/* printed before the first test: how to repeat a run */

static inline __attribute__((format(printf, 3, 4), unused))
void test_fail(const char *file, int line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	test_failed = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ktap_note("%s:%d: %s", file, line, text);
}

#define CHECK(condition, ...) do {					\
	if (!(condition)) {						\
		test_fail(__FILE__, __LINE__, __VA_ARGS__);		\
		return;							\
	}								\
} while (0)

/* For what is followed by something that has to be freed. */
#define EXPECT(condition, ...) do {					\
	if (!(condition))						\
		test_fail(__FILE__, __LINE__, __VA_ARGS__);		\
} while (0)

#define SKIP(...) do {							\
	snprintf(test_skip, sizeof(test_skip), __VA_ARGS__);		\
	return;								\
} while (0)

/* Returns the exit code of the program. */
static inline int table_run(const struct table_test *test, int nr)
{
	int i;

	ktap_plan(nr);
	if (table_note[0])
		ktap_note("%s", table_note);
	for (i = 0; i < nr; i++) {
		test_failed = false;
		test_skip[0] = 0;
		test[i].run();
		if (test_skip[0] && !test_failed)
			ktap_skip(test[i].name, test_skip);
		else
			ktap_result(!test_failed, "%s", test[i].name);
	}
	return ktap_end();
}

#endif /* MYALLOCCTL_TABLE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* KTAP output for programs that are not made of KUnit suites: a plan, then a line a result. */
#ifndef MYALLOC_TESTS_KTAP_H
#define MYALLOC_TESTS_KTAP_H

#include <getopt.h>

static unsigned int ktap_planned, ktap_nr, ktap_failed;

static inline void ktap_plan(unsigned int nr)
{
	ktap_planned = nr;
	printf("KTAP version 1\n1..%u\n", nr);
	fflush(stdout);
}

__printf(1, 2)
static inline void ktap_note(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

__printf(2, 3)
static inline void ktap_result(bool ok, const char *fmt, ...)
{
	va_list args;

	ktap_nr++;
	ktap_failed += !ok;
	printf("%s %u ", ok ? "ok" : "not ok", ktap_nr);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* The options of a program that has --full and no other; says whether it is given. */
static inline bool ktap_full(int argc, char **argv, const char *usage)
{
	static const struct option options[] = {
		{ "full", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	bool full = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'f') {
			full = true;
			continue;
		}
		fputs(usage, c == 'h' ? stdout : stderr);
		exit(c == 'h' ? 0 : 2);
	}
	return full;
}

/* The exit code: 0 only if every planned result was there and good. */
static inline int ktap_end(void)
{
	if (ktap_nr != ktap_planned)
		ktap_note("%u results, %u planned", ktap_nr, ktap_planned);
	return ktap_failed || ktap_nr != ktap_planned;
}

#endif /* MYALLOC_TESTS_KTAP_H */

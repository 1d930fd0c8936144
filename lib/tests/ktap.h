/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one writer of KTAP in C: for programs that are not made of KUnit suites, for the native
 * KUnit, and for the tests of the device and the tool. It needs nothing but libc.
 *
 * A program states its plan, then a result for each test; ktap_end() returns its exit code:
 *
 *	ktap_plan(2);
 *	ktap_result(one(), "one");
 *	ktap_result(two(), "two of %u", nr);
 *	return ktap_end();
 *
 * A line is written at once, so that it is not lost if the program crashes.
 */
#ifndef MYALLOC_TESTS_KTAP_H
#define MYALLOC_TESTS_KTAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define KTAP_PRINTF(fmt, args)	__attribute__((format(printf, fmt, args), unused))

/* ---- lines; @level: how many tests deep, 0 outside ---- */

static inline void ktap_put_version(unsigned int level)
{
	printf("%*sKTAP version 1\n", 4 * level, "");
}

static inline void ktap_put_plan(unsigned int level, unsigned int nr)
{
	printf("%*s1..%u\n", 4 * level, "", nr);
	fflush(stdout);
}

/* @skip: why the test was not run, NULL if it was. */
static inline void ktap_put_result(unsigned int level, bool ok, unsigned int nr,
				   const char *name, const char *skip)
{
	printf("%*s%s %u %s%s%s\n", 4 * level, "", ok ? "ok" : "not ok", nr, name,
	       skip ? " # SKIP " : "", skip ? skip : "");
	fflush(stdout);
}

KTAP_PRINTF(1, 0)
static inline void ktap_vnote(const char *fmt, va_list args)
{
	printf("# ");
	vprintf(fmt, args);
	putchar('\n');
	fflush(stdout);
}

/* A line for the reader. */
KTAP_PRINTF(1, 2)
static inline void ktap_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ktap_vnote(fmt, args);
	va_end(args);
}

/* ---- a program with one level of tests ---- */

static unsigned int ktap_planned, ktap_nr, ktap_failed;

static inline void ktap_plan(unsigned int nr)
{
	ktap_planned = nr;
	ktap_put_version(0);
	ktap_put_plan(0, nr);
}

KTAP_PRINTF(2, 3)
static inline void ktap_result(bool ok, const char *fmt, ...)
{
	char name[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	ktap_failed += !ok;
	ktap_put_result(0, ok, ++ktap_nr, name, NULL);
}

static inline void ktap_skip(const char *name, const char *why)
{
	ktap_put_result(0, true, ++ktap_nr, name, why);
}

/* The exit code: 0 only if every planned result was there and good. */
static inline int ktap_end(void)
{
	if (ktap_nr != ktap_planned)
		ktap_note("%u results, %u planned", ktap_nr, ktap_planned);
	return ktap_failed || ktap_nr != ktap_planned;
}

#endif /* MYALLOC_TESTS_KTAP_H */

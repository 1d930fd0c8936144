/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Command line, seed and child processes, common to all native test programs.
 *
 * Options are a table; each row has the variable that gets the value. The variable's initial value
 * is the default:
 *
 *	const struct program_option options[] = {
 *		{ "seed", PROGRAM_U64, &seed, "repeat a run" },
 *		{ "full", PROGRAM_FLAG, &full, "larger sizes" },
 *		{ }
 *	};
 *	seed = program_seed();
 *	program_options(argc, argv, "What this program tests.", options);
 */
#ifndef MYALLOC_TESTS_PROGRAM_H
#define MYALLOC_TESTS_PROGRAM_H

#include "env.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_OPTIONS_MAX	16

enum program_type {
	PROGRAM_FLAG,	/* bool, becomes true */
	PROGRAM_U32,
	PROGRAM_U64,
	PROGRAM_STRING,	/* const char *, NULL if it is not given */
};

struct program_option {
	const char *name;
	enum program_type type;
	void *value;
	const char *help;
};

static inline void program_usage(FILE *out, const char *program, const char *what,
				 const struct program_option *option)
{
	static const char *const args[] = { "", " N", " N", " TEXT" };
	char name[40], otherwise[32];
	const char *slash = strrchr(program, '/');

	fprintf(out, "usage: %s [OPTIONS]\n%s\n", slash ? slash + 1 : program, what);
	for (; option->name; option++) {
		otherwise[0] = '\0';
		if (option->type == PROGRAM_U32)
			snprintf(otherwise, sizeof(otherwise), " (default %u)",
				 *(u32 *)option->value);
		else if (option->type == PROGRAM_U64)
			snprintf(otherwise, sizeof(otherwise), " (default %llu)",
				 *(unsigned long long *)option->value);
		snprintf(name, sizeof(name), "--%s%s", option->name, args[option->type]);
		fprintf(out, "  %-16s %s%s\n", name, option->help, otherwise);
	}
}

static inline u64 program_number(const char *what, const char *text, u64 max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || !*text || *end || value > max) {
		fprintf(stderr, "%s: '%s' is not a number up to %llu\n", what, text,
			(unsigned long long)max);
		exit(2);
	}
	return value;
}

static inline void program_take(const struct program_option *option, const char *text)
{
	switch (option->type) {
	case PROGRAM_FLAG:
		*(bool *)option->value = true;
		break;
	case PROGRAM_U32:
		*(u32 *)option->value = program_number(option->name, text, U32_MAX);
		break;
	case PROGRAM_U64:
		*(u64 *)option->value = program_number(option->name, text, U64_MAX);
		break;
	case PROGRAM_STRING:
		*(const char **)option->value = text;
		break;
	}
}

/*
 * Parse the options into their variables. Ends the program after --help (status 0), and for an
 * unknown option, an invalid value or an extra argument (2). A row without a name ends @options.
 */
static inline void program_options(int argc, char **argv, const char *what,
				   const struct program_option *options)
{
	struct option table[PROGRAM_OPTIONS_MAX + 2] = { };
	int nr, c;

	for (nr = 0; options[nr].name; nr++) {
		if (nr == PROGRAM_OPTIONS_MAX)
			host_fatal("%s has too many options", argv[0]);
		table[nr].name = options[nr].name;
		table[nr].has_arg = options[nr].type == PROGRAM_FLAG ? no_argument :
								       required_argument;
		table[nr].val = nr;
	}
	table[nr].name = "help";
	table[nr].val = nr;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c >= 0 && c < nr) {
			program_take(&options[c], optarg);
			continue;
		}
		program_usage(c == nr ? stdout : stderr, argv[0], what, options);
		exit(c == nr ? 0 : 2);
	}
	if (optind < argc) {
		program_usage(stderr, argv[0], what, options);
		exit(2);
	}
}

/* The seed in MYALLOC_SEED, otherwise a different one each time. */
static inline u64 program_seed(void)
{
	const char *text = getenv("MYALLOC_SEED");
	u64 seed;

	if (text)
		return program_number("MYALLOC_SEED", text, U64_MAX);
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = time(NULL);
	return seed;
}

/* Run @fn in a child process, which ends with status 0 if it returns. */
static inline pid_t program_start(void (*fn)(const void *arg), const void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		host_fatal("fork: %s", strerror(errno));
	if (!pid) {
		fn(arg);
		_exit(0);
	}
	return pid;
}

/* The status of a child when it has ended, as of waitpid(). */
static inline int program_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			host_fatal("waitpid: %s", strerror(errno));
	return status;
}

/*
 * Let other threads run. After a sched_yield() beside other programs, a thread waits for a whole
 * time slice of theirs; after a sleep it is woken at once.
 */
static inline void program_nap(void)
{
	const struct timespec moment = { .tv_nsec = 1000 };

	nanosleep(&moment, NULL);
}

#endif /* MYALLOC_TESTS_PROGRAM_H */

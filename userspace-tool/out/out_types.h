/* SPDX-License-Identifier: GPL-2.0 */
/*
 * out_types: units, ranks and exit codes
 */
#ifndef MYALLOCCTL_OUT_TYPES_H
#define MYALLOCCTL_OUT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* Version of the JSON: raised when a member is renamed, removed or changes meaning. */
#define OUT_SCHEMA	2

/* Exit codes; a run ended by a signal exits with 128 + its number. */
#define EXIT_OK		0
#define EXIT_FAILED	1	/* the operation failed, or a check found errors */
#define EXIT_USAGE	2	/* the words or values given are wrong */
#define EXIT_DEVICE	3	/* /dev/myalloc is missing or may not be opened */

/* How the text shows a number; the JSON has the plain number. */
enum out_unit {
	OUT_PLAIN,
	OUT_PAGES,	/* with its bytes beside it, except in a table */
	OUT_BYTES,	/* 2.0 MiB */
	OUT_NS,		/* 1.25 us */
	OUT_MS,		/* 10.0 s */
	OUT_PERMILLE,	/* 50.0 % */
	OUT_INDEX,	/* 1/1000 as 0.500, like the kernel's fragmentation files */
	OUT_RATE,	/* 1.25 M/s */
	OUT_GOOD,	/* a word or flag that is good news: green */
	OUT_BAD,	/* and bad: red */
	OUT_WARN,	/* and in between: yellow */
};

/*
 * Which columns of a table too wide for the terminal are left out first: those of the lowest rank,
 * and of one rank the last.
 */
enum out_rank {
	OUT_USUAL,
	OUT_KEY,	/* the subject of the table */
};

struct out;
struct json_object;

/* The ending of a noun after its number. */
static inline const char *out_s(__u64 number)
{
	return number == 1 ? "" : "s";
}

#endif /* MYALLOCCTL_OUT_TYPES_H */

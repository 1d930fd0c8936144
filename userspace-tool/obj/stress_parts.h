/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stress_parts: stress runs of the module
 */
#ifndef MYALLOCCTL_STRESS_PARTS_H
#define MYALLOCCTL_STRESS_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "obj/device.h"

struct out;

/*
 * The kinds of run, the first and each further one: its number in the interface, its word, and the
 * members of struct stress_kind.
 */
#define STRESS_KINDS(FIRST, NEXT)							\
	FIRST(PAGES, "pages", true, false, 0,						\
	      "allocate and free blocks of mixed orders at random, up to the target fill")	\
	NEXT(OBJECTS, "objects", false, true, MYALLOC_STRESS_SIZES_MAX,			\
	     "allocate and free objects of several caches and sizes at random")		\
	NEXT(MIXED, "mixed", true, true, MYALLOC_STRESS_SIZES_MAX,			\
	     "blocks and objects at the same time, so that slabs and page users compete for the zone") \
	NEXT(CROSS, "cross", true, true, MYALLOC_STRESS_SIZES_MAX,			\
	     "one thread allocates and its partner on another CPU frees")		\
	NEXT(EXHAUST, "exhaust", true, true, MYALLOC_STRESS_SIZES_MAX,			\
	     "allocate everything to the last page and free it, again and again")	\
	NEXT(HEAP, "heap", false, true, 0,						\
	     "allocate, resize and free blocks of any size in one heap")		\
	NEXT(ARENA, "arena", false, true, 0,						\
	     "each thread fills an arena of its own, with marks, rewinds and resets")	\
	NEXT(RING, "ring", false, true, 0,						\
	     "all threads but the first write records into one ring, and the first reads them") \
	NEXT(POOL, "pool", true, true, 1,						\
	     "objects of a pool, which must not fail, while blocks take the rest of the zone")

struct stress_kind {
	const char *name;
	bool pages;		/* uses orders */
	bool objects;		/* uses checks */
	unsigned int sizes;	/* most sizes that the user can choose; 0: the run chooses */
	const char *help;
};

/* stress_kinds.c */
extern const struct stress_kind stress_kinds[MYALLOC_STRESS_KINDS];

struct stress_run {
	struct myalloc_stress ask;
	struct myalloc_stress_result result;
	struct myalloc_stress_progress *record;	/* all that were read */
	size_t nr_records;
	size_t room;
};

/* stress_run.c: runs to the end or to Ctrl-C; returns an exit code, EXIT_OK with a result */
int stress_run(struct device *d, struct stress_run *run);

extern const char stress_form[];
/* stress_result.c: prints the result; returns the exit code */
int stress_print(const struct device *d, const struct stress_run *run);

#endif /* MYALLOCCTL_STRESS_PARTS_H */

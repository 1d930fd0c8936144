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

struct stress_kind {
	const char *name;
	bool pages;		/* uses orders */
	bool objects;		/* uses checks */
	unsigned int sizes;	/* most sizes that can be chosen; 0: it chooses them itself */
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

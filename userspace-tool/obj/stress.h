/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stress: a run of the module's stress engine, from its parameters to its result
 */
#ifndef MYALLOCCTL_STRESS_H
#define MYALLOCCTL_STRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "obj/device.h"

struct out;

struct stress_kind {
	const char *name;
	bool pages;		/* uses orders */
	bool objects;		/* uses sizes and checks */
	const char *help;
};

/* stress_kinds.c */
extern const struct stress_kind stress_kinds[MYALLOC_STRESS_KINDS];

struct stress_run {
	struct myalloc_stress ask;
	struct myalloc_stress_result result;
	struct myalloc_stress_progress *record;	/* every one that was read */
	size_t nr_records;
	size_t room;
};

/* stress_run.c: to its end, or to Ctrl-C; an exit code, EXIT_OK if there is a result */
int stress_run(struct device *d, struct stress_run *run);

/* stress_result.c: prints the result and returns the exit code it means */
int stress_print(const struct device *d, const struct stress_run *run);

#endif /* MYALLOCCTL_STRESS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench_parts: benchmarks of the module: shapes, runs, results
 */
#ifndef MYALLOCCTL_BENCH_PARTS_H
#define MYALLOCCTL_BENCH_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "obj/device.h"

struct out;

/* The measurements of one side. */
struct bench_side {
	struct myalloc_bench_result result;
	struct myalloc_bench_round *round;
};

/* The measurements of one shape; those not @wanted have none. */
struct bench_shape {
	struct myalloc_bench_shape shape;
	struct bench_side side[MYALLOC_BENCH_SIDES_MAX];
	bool wanted;
};

struct bench_report {
	struct myalloc_bench ask;
	__u64 seed;
	__u32 cpu;
	__u32 kernel;		/* MYALLOC_BENCH_KASAN ... */
	__u32 state;
	__u64 elapsed_ms;
	__u64 clock_ns;
	__u64 clock_cycles;
	struct bench_shape *shape;
	__u32 nr_shapes;
	bool all_sides;		/* in the table */
	char system[160];	/* where it was measured, if it comes from a file */
};

/* bench_run.c: both return an exit code, and print a message if it is not EXIT_OK */
int bench_shapes(struct device *d, struct bench_report *report);
int bench_run(struct device *d, struct bench_report *report);
void bench_free(struct bench_report *report);

/* bench_report.c */
/* The flag of a property of the kernel, 0 if the name is unknown. */
__u32 bench_kernel_flag(const char *name);
bool bench_ours(const struct myalloc_bench_side *side);
bool bench_opponent(const struct myalloc_bench_side *side);
/* The figure of a side minus the cost of the work itself, in 1/1000; negative if there is none. */
double bench_figure(const struct bench_shape *s, __u32 side);
/* The opponent's figure divided by ours; 0 if one of them is missing, unreliable or 0. */
double bench_ratio(const struct bench_shape *s, __u32 side);
const struct bench_side *bench_find(const struct bench_shape *s, const char *name);
extern const char bench_form[];
/* Describes and prints @report; @code is the exit code so far. */
int bench_print(const struct device *d, const struct bench_report *report,
		const char *kind, int code);

/* bench_kept.c */
int bench_load(struct bench_report *report, const char *file);
extern const char bench_compare_form[];
int bench_compare(const char *old, const char *new);

#endif /* MYALLOCCTL_BENCH_PARTS_H */

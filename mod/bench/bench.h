/* SPDX-License-Identifier: GPL-2.0 */
/* Benchmarks: the allocator beside the kernel's own, on the same work, in the same run. */
#ifndef MYALLOC_BENCH_H
#define MYALLOC_BENCH_H

#include "device/job.h"

struct myalloc_zone;

int myalloc_bench_shape(struct myalloc_bench_shape *shape);
struct myalloc_run *myalloc_bench_start(struct myalloc_zone *zone,
					const struct myalloc_bench *params,
					void (*notify)(void *arg), void *arg);
int myalloc_bench_result(struct myalloc_run *base, struct myalloc_bench_result *result);

#endif /* MYALLOC_BENCH_H */

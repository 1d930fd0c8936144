/* SPDX-License-Identifier: GPL-2.0 */
/* Stress runs: kernel threads that use the allocator hard and check what it gives them. */
#ifndef MYALLOC_STRESS_H
#define MYALLOC_STRESS_H

#include "device/job.h"

struct myalloc_zone;

struct myalloc_run *myalloc_stress_start(struct myalloc_zone *zone,
					 struct myalloc_stress *params,
					 void (*notify)(void *arg), void *arg);
bool myalloc_stress_result(struct myalloc_run *base, struct myalloc_stress_result *out);

#endif /* MYALLOC_STRESS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Stress: kernel threads that use the allocator heavily and check the memory it returns. */
#ifndef MYALLOC_STRESS_H
#define MYALLOC_STRESS_H

#include "device/job.h"

extern struct myalloc_job_kind myalloc_stress_kind;		/* stress.c */
extern struct myalloc_job_kind myalloc_contract_test_kind;	/* contract.c */

#endif /* MYALLOC_STRESS_H */

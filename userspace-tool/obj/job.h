/* SPDX-License-Identifier: GPL-2.0 */
/*
 * job: follows a job of the module, a stress run or a benchmark, to its end
 */
#ifndef MYALLOCCTL_JOB_H
#define MYALLOCCTL_JOB_H

#include "obj/device.h"

/* Reads records that are ready: 1 if the job continues, 0 if it has ended, or an error. */
typedef int (*job_read)(struct device *d, void *arg);

/*
 * Follows a job until @read says that it has ended. A signal ends it by the command @cancel, a second
 * one leaves without the result. Warns if there is no progress for @silence_ms. An exit code; prints
 * a message if it is not EXIT_OK.
 */
int job_follow(struct device *d, unsigned long cancel, unsigned int silence_ms, job_read read,
	       void *arg);

#endif /* MYALLOCCTL_JOB_H */

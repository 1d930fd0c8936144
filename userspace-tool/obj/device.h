/* SPDX-License-Identifier: GPL-2.0 */
/*
 * explain: errors of the device as sentences that say what would be right
 */
#ifndef MYALLOCCTL_EXPLAIN_H
#define MYALLOCCTL_EXPLAIN_H

#include "dev/dev.h"

/* What every verb needs: the open device and what INFO says of it. */
struct device {
	int fd;
	struct myalloc_info info;
};

/* Both return an exit code, having said why if it is not EXIT_OK. */
int device_open(struct device *d);
int device_stat(struct device *d, struct myalloc_stat *stat);
void device_close(struct device *d);

/* What went wrong with @what, for errors that need no knowledge of the arguments. */
int explain(const char *what, int err);
/* Why opening failed, without what to do about it; NULL if @err is not of the device. */
const char *explain_open(int err);

#endif /* MYALLOCCTL_EXPLAIN_H */

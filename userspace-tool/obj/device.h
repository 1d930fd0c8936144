/* SPDX-License-Identifier: GPL-2.0 */
/*
 * device: opens the device, and turns its errors into messages with a remedy
 */
#ifndef MYALLOCCTL_EXPLAIN_H
#define MYALLOCCTL_EXPLAIN_H

#include "dev/dev.h"

/* The open device and its properties. */
struct device {
	int fd;
	struct myalloc_info info;
};

/* Both return an exit code, and print a message if it is not EXIT_OK. */
int device_open(struct device *d);
int device_stat(struct device *d, struct myalloc_stat *stat);
void device_close(struct device *d);

/* Page numbers of the zone: its pages, and those that its reserve may grow by. */
__u64 device_frames(const struct device *d);

/*
 * The file of this name that the module has in debugfs, for the node of --node; to be freed. NULL if it
 * cannot be read.
 */
char *device_file(const char *name);
/* The same of a node; of -1, that of the only zone. */
char *device_node_file(int node, const char *name);

/* Prints why @what failed, for errors that do not depend on the arguments; an exit code. */
int explain(const char *what, int err);
/* The cause of @err at open, and a remedy; NULL for an error that is not specific. */
const char *explain_open(int err);

#endif /* MYALLOCCTL_EXPLAIN_H */

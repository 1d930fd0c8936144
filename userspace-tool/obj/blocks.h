/* SPDX-License-Identifier: GPL-2.0 */
/*
 * blocks: handles held through one descriptor, in bulks of any total
 */
#ifndef MYALLOCCTL_BLOCKS_H
#define MYALLOCCTL_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "obj/device.h"

struct out;

struct handles {
	__u64 *handle;
	size_t nr;
	size_t room;
};

/* What is asked of the device, once for each bulk. */
struct ask {
	bool objects;
	__u64 cache;		/* objects */
	__u32 order, nr_pages, align_order;	/* pages */
	__u32 flags;
};

/* Adds up to @count; 0 or the error that ended it, with what was had in @h. */
int handles_get(int fd, const struct ask *ask, __u64 count, struct handles *h);
/* The exit code if @err means that a signal ended the work, else 0. */
int handles_stopped(int err);
/* Gives all back; how many were taken back, and the first error in *@err. */
size_t handles_put(int fd, bool objects, struct handles *h, int *err);
void handles_free(struct handles *h);
void handles_describe(struct out *o, const struct handles *h, bool all);

/* Holds for @ms; the exit code that the wait ends with. */
int hold(__u64 ms, const char *what);

#endif /* MYALLOCCTL_BLOCKS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * blocks: pages or objects held through one descriptor, any number of them
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

/* A request, repeated for each bulk. */
struct ask {
	bool objects;
	__u64 cache;		/* objects */
	__u32 order, nr_pages, align_order;	/* pages */
	__u32 flags;
};

/* Allocates up to @count and adds them to @h; 0, or the error at which it stopped. */
int handles_get(int fd, const struct ask *ask, __u64 count, struct handles *h);
/* The exit code if @err means that a signal ended the work, otherwise 0. */
int handles_stopped(int err);
/* Frees all of @h; returns how many were freed, and the first error in *@err. */
size_t handles_put(int fd, bool objects, struct handles *h, int *err);
void handles_free(struct handles *h);

#define HANDLES_FORM	"first_handle?:text last_handle?:text handles?:[text]"
void handles_describe(struct out *o, const struct handles *h, bool all);

/* Waits for @ms, or for Ctrl-C; returns the exit code. */
int hold(__u64 ms, const char *what);

#endif /* MYALLOCCTL_BLOCKS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring_read: rings in this process; ring_read.c
 */
#ifndef MYALLOCCTL_RING_READ_H
#define MYALLOCCTL_RING_READ_H

#include "obj/device.h"

#define RING_ALL	(1ull << 62)	/* as a number of records */

/* Options of the verbs read, follow and map. */
struct ring_wish {
	__u64 count;
	__u64 ms;
	__u64 bytes;
	__u64 seed;
	__u32 keep;
};

/* Forms of their results, in the notation of obj/form.h. */
extern const char ring_read_form[], ring_record_form[], ring_map_form[];

/* Each runs a verb on the ring with this name and number, and returns the exit code. */
int ring_read_all(struct device *d, const char *name, __u64 id, const struct ring_wish *w);
int ring_follow_all(struct device *d, const char *name, __u64 id, const struct ring_wish *w);
int ring_map_visit(struct device *d, const struct ring_wish *w);

#endif /* MYALLOCCTL_RING_READ_H */
